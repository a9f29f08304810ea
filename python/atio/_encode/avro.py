"""Avro object container files: which frames and arguments Go writes as polars does.

polars writes one block after the other on one core, and deflates slowly. Records have the same bytes in both; blocks
are cut otherwise. Tables and streams of Arrow, which have no writer of their own, are written with all types that Go
has for them.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from atio._plan import EncodeInGo

from . import _names

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_CODECS = ("uncompressed", "snappy", "deflate")
_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
"""Names that a record cannot have, which polars gives it all the same."""


def from_polars(df: pl.DataFrame, kwargs: Mapping[str, Any]) -> EncodeInGo | None:
    """``DataFrame.write_avro``."""
    import polars as pl

    if type(df).write_avro is not pl.DataFrame.write_avro:
        return None  # a subclass with a writer of its own
    options = _options(kwargs)
    if options is None or options["name"] in _PRIMITIVES or not df.columns or not _names.polars_are_exportable(df):
        return None
    if not all(_fits(dtype) for dtype in df.dtypes) or not _polars_is_known():
        return None
    return EncodeInGo(df if hasattr(df, "__arrow_c_stream__") else df.to_arrow(), df.height, options)


def from_arrow(table: pa.Table, kwargs: Mapping[str, Any]) -> EncodeInGo:
    """Arguments are those of polars, but the default of ``name``; no other library is there to write it.

    Raises:
        TypeError, ValueError: if an argument is one that polars refuses.
    """
    options = _options(kwargs)
    if options is None:
        for name in kwargs:
            if name not in ("compression", "name"):
                raise TypeError(f"format 'avro' has the arguments compression and name, not {name!r}")
        for name, value in kwargs.items():
            if value is not None and not isinstance(value, str):
                raise TypeError(f"{name}={value!r}: it is a str")
        raise ValueError(f"compression={kwargs['compression']!r}: it is one of {', '.join(_CODECS)}")
    if not _names.are_exportable(table.schema):
        raise ValueError("format 'avro': the name of a column holds a NUL, which Avro's names cannot: rename it")
    # No library's file has to be matched, so the name is one that Avro has.
    return EncodeInGo(table, table.num_rows, options | {"unnamed": False}, alone=True)


def _options(kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    rest = dict(kwargs)
    compression = rest.pop("compression", "uncompressed")
    name = rest.pop("name", "")
    compression = "uncompressed" if compression is None else compression
    name = "" if name is None else name
    if rest or not isinstance(compression, str) or compression not in _CODECS or not isinstance(name, str):
        return None
    return {"compression": compression, "name": name, "unnamed": not name}


_FLAT_TYPES = frozenset(("Boolean", "Int32", "Int64", "Float32", "Float64", "String", "Binary", "Date", "Decimal"))


def _fits(dtype: Any) -> bool:
    """Whether polars writes a type. What it refuses is left to it."""
    import polars as pl

    if isinstance(dtype, type):
        dtype = dtype()
    if isinstance(dtype, pl.Struct):
        return all(_fits(field.dtype) for field in dtype.fields)
    if isinstance(dtype, pl.List):
        return _fits(dtype.inner)
    if isinstance(dtype, pl.Datetime):
        return dtype.time_zone is None and dtype.time_unit in ("ms", "us")
    return dtype.__class__.__name__ in _FLAT_TYPES


def _union(of: Any) -> list[Any]:
    return ["null", of]


@functools.cache
def _polars_is_known() -> bool:
    """Whether this version of polars makes the schemas that Go makes."""
    import polars as pl

    probe = pl.DataFrame(
        schema={
            "i": pl.Int32,
            "d": pl.Date,
            "m": pl.Datetime("ms"),
            "u": pl.Datetime("us"),
            "x": pl.Decimal(10, 2),
            "l": pl.List(pl.Struct({"y": pl.Struct({"z": pl.Binary})})),
        }
    )
    expected = {
        "i": "int",
        "d": {"type": "int", "logicalType": "date"},
        "m": {"type": "long", "logicalType": "local-timestamp-millis"},
        "u": {"type": "long", "logicalType": "local-timestamp-micros"},
        "x": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2},
    }
    inner = {"type": "record", "name": "r2", "fields": [{"name": "z", "type": _union("bytes")}]}
    outer = {"type": "record", "name": "r1", "fields": [{"name": "y", "type": _union(inner)}]}
    expected["l"] = {"type": "array", "items": _union(outer)}
    fields = [{"name": name, "type": _union(dtype)} for name, dtype in expected.items()]
    file = io.BytesIO()
    try:
        probe.write_avro(file, name="probe")
    except BaseException as e:  # some panic
        if isinstance(e, (KeyboardInterrupt, SystemExit)):
            raise
        return False
    text = file.getvalue()
    header = text[text.index(b"{") : text.rindex(b"}") + 1]
    return bool(json.loads(header) == {"type": "record", "name": "probe", "fields": fields})
