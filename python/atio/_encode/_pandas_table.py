"""pandas frames as the Arrow tables that pandas' own Parquet writer makes of them."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def table_of(df: pd.DataFrame, schema: pa.Schema | None, index: bool | None) -> pa.Table:
    """The table that pandas makes (``pandas.io.parquet.PyArrowImpl.write``)."""
    simple = schema is None and index is None and len(df) <= _FEW_ROWS
    columns = _columns_of(df) if simple else None
    if columns is None:
        return _made_by_pyarrow(df, schema, index)
    kind = (df.columns.dtype, *columns, *(column.dtype for column in columns.values()))
    if (known := _known.get(kind)) and (table := _as_before(df.index, list(columns.values()), *known)):
        return table
    table = _made_by_pyarrow(df, schema, index)
    _remember(kind, df.index, table.schema)
    return table


def _made_by_pyarrow(df: pd.DataFrame, schema: pa.Schema | None, index: bool | None) -> pa.Table:
    import pandas.core.arrays.arrow.extension_types  # noqa: F401  registers period and interval with pyarrow
    import pyarrow as pa

    preserve = {} if index is None else {"preserve_index": index}
    if int(pa.__version__.partition(".")[0]) >= 26:
        table = pa.Table.from_pandas(df, schema=schema, **preserve)
    else:
        # It makes pandas 3.1 warn of itself; pandas silences it in the same way.
        text = r"(Series|DatetimeIndex)\.values returning an ndarray that drops timezone"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", text)
            table = pa.Table.from_pandas(df, schema=schema, **preserve)
    if df.attrs:
        attrs = {"PANDAS_ATTRS": json.dumps(df.attrs)}
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **attrs})
    return table


# For little data most of pyarrow's time goes into the schema and its metadata. So those of frames seen before are kept,
# by all that they depend on: names, dtypes and kind of index. Types that Arrow finds by the values are compared.

_FEW_ROWS = 1000
_MOST_COLUMNS = 50
_MOST_KINDS = 64

_known: dict[tuple[Any, ...], tuple[pa.Schema, bytes]] = {}  # the schema, and its metadata behind what tells the index


def _columns_of(df: pd.DataFrame) -> dict[str, pd.Series[Any]] | None:
    """The columns of a simple frame, whose schema depends on nothing but their names, dtypes and types of values."""
    import numpy as np
    import pandas as pd

    index, names = df.index, df.columns
    if type(df) is not pd.DataFrame or type(index) is not pd.RangeIndex or index.name is not None or df.attrs:
        return None
    if type(names) is not pd.Index or names.name is not None or not 0 < len(names) <= _MOST_COLUMNS:
        return None
    columns: dict[Any, pd.Series[Any]] = dict(df.items())
    if len(columns) < len(names) or any(type(name) is not str for name in columns):
        return None
    simple = all(isinstance(column.dtype, (np.dtype, pd.StringDtype)) for column in columns.values())
    return columns if simple else None


def _index_metadata(index: Any) -> bytes:
    """The beginning of pandas' metadata."""
    numbers = f'"start": {index.start}, "stop": {index.stop}, "step": {index.step}'
    return f'{{"index_columns": [{{"kind": "range", "name": null, {numbers}}}],'.encode()


def _remember(kind: tuple[Any, ...], index: pd.Index[Any], schema: pa.Schema) -> None:
    metadata = dict(schema.metadata)
    text, begin = metadata.pop(b"pandas"), _index_metadata(index)
    if metadata or not text.startswith(begin):
        return
    if len(_known) >= _MOST_KINDS:
        _known.clear()
    _known[kind] = schema, text[len(begin) :]


def _as_before(
    index: pd.Index[Any], columns: list[pd.Series[Any]], schema: pa.Schema, metadata: bytes
) -> pa.Table | None:
    """The table of columns whose schema is known, or nothing if the values have other types."""
    import numpy as np
    import pyarrow as pa

    arrays = []
    try:
        for column, dtype in zip(columns, schema.types, strict=True):
            values = column.values if isinstance(column.dtype, np.dtype) else column.array
            array = pa.array(values, from_pandas=True)
            if array.type != dtype:
                return None
            arrays.append(array)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return None  # pyarrow says it with the column's name
    return pa.Table.from_arrays(arrays, schema=schema.with_metadata({b"pandas": _index_metadata(index) + metadata}))
