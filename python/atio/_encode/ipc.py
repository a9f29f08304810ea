"""Arrow IPC files, also called Feather: which frames and arguments Go writes as polars and pyarrow do.

The batches in memory are those in the file, so there is little to do but compress. Measured on frames of many kinds
with two cores, Go takes 0.5 to 1 of polars' time without compression and 0.3 to 0.7 with lz4; pyarrow's own writer,
which compresses on all cores too, is faster with lz4, and both are with zstd: so those are theirs. Written in chunks,
which neither can put into one file call by call, all are Go's.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from atio._plan import EncodeInGo

from . import parquet

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_PYARROW_BATCH = 65_536
_CODECS = {"uncompressed": "none", "lz4": "lz4", "zstd": "zstd"}


def from_polars(df: pl.DataFrame, kwargs: Mapping[str, Any]) -> EncodeInGo | None:
    """``DataFrame.write_ipc``."""
    import polars as pl

    if type(df).write_ipc is not pl.DataFrame.write_ipc:
        return None  # a subclass with a writer of its own
    rest = dict(kwargs)
    compression = rest.pop("compression", "uncompressed")
    rows = rest.pop("record_batch_size", None)
    if rest.pop("compat_level", None) is not None or rest.pop("storage_options", None) is not None:
        return None
    if rest.pop("credential_provider", "auto") not in ("auto", None) or rest:
        return None
    options = _options("uncompressed" if compression is None else compression, rows, 0)
    if options is None or not df.columns or not parquet.polars_types_fit(df):
        return None
    if any(parquet.contains_null_type(dtype) for dtype in df.dtypes) or not _exports_what_it_writes():
        return None
    return EncodeInGo(df, df.height, options, whole=_has_dictionary(df.clear().to_arrow().schema.types))


def from_arrow(table: pa.Table, kwargs: Mapping[str, Any]) -> EncodeInGo | None:
    """``pyarrow.feather.write_feather``."""
    rest = dict(kwargs)
    compression = rest.pop("compression", None)
    rows = rest.pop("chunksize", None)
    if rest.pop("compression_level", None) is not None or rest.pop("version", 2) != 2 or rest:
        return None
    options = _options("lz4" if compression is None else compression, rows, _PYARROW_BATCH)
    if options is None or not table.num_columns or not parquet.arrow_types_fit(table):
        return None
    dictionaries = _has_dictionary(table.schema.types)
    if dictionaries and any(column.num_chunks > 1 for column in table.columns):
        return None  # an IPC file has one dictionary for all batches
    return EncodeInGo(table, table.num_rows, options, whole=dictionaries)


def _options(compression: Any, rows: Any, default_rows: int) -> dict[str, Any] | None:
    if not isinstance(compression, str) or compression not in _CODECS:
        return None
    if rows is None:
        rows = default_rows
    elif not isinstance(rows, int) or isinstance(rows, bool) or not 0 < rows < 2**62:
        return None
    return {"compression": _CODECS[compression], "batch_rows": rows}


def _has_dictionary(types: list[pa.DataType]) -> bool:
    import pyarrow.types as t

    return any(
        t.is_dictionary(dtype)
        or (t.is_nested(dtype) and _has_dictionary([dtype.field(i).type for i in range(dtype.num_fields)]))
        for dtype in types
    )


@functools.cache
def _exports_what_it_writes() -> bool:
    """Whether this version of polars gives away the types that it writes, views for one."""
    import polars as pl
    import pyarrow as pa

    probe = pl.DataFrame(schema={"s": pl.String, "b": pl.Binary, "c": pl.Categorical, "l": pl.List(pl.String)})
    if not hasattr(probe, "__arrow_c_stream__"):
        return False
    file = io.BytesIO()
    probe.write_ipc(file)
    file.seek(0)
    written: pa.Schema = pa.ipc.open_file(file).schema
    return bool(written.equals(pa.RecordBatchReader.from_stream(probe).schema, check_metadata=True))
