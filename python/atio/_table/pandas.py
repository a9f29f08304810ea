"""A table of Arrow's -> a pandas DataFrame as it was written: index, dtypes, attrs."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from .source import Source


def index_columns(source: Source) -> list[str]:
    """The columns that hold the index of the frame that was written."""
    return [name for name in _metadata(source.schema).get("index_columns", []) if isinstance(name, str)]


def from_arrow(table: pa.Table, source: Source, *, filtered: bool) -> pd.DataFrame:
    """The frame for a table that was read."""
    import pandas.core.arrays.arrow.extension_types  # noqa: F401  registers period and interval with pyarrow

    said = _metadata(table.schema)
    if not said:
        frame = _to_pandas(table)
    else:
        own, table = _without_own(table, said, filtered=filtered)
        for name in source.remembered.get("arrow", []):
            own[name] = "arrow"
        frame = _to_pandas(table, _columns_by(own, "arrow", table, said))
        _put_back(frame, table, said, own, source)
    _keep_integers(frame, table, said)
    if attrs := (table.schema.metadata or {}).get(b"PANDAS_ATTRS"):
        frame.attrs = json.loads(attrs)
    return frame


def _to_pandas(table: pa.Table, arrow: Collection[str] = ()) -> pd.DataFrame:
    """``Table.to_pandas``, and what it has not implemented: categories of moments and of other special types."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.types as t

    special = {}
    for name in arrow:  # which the caller puts back as they are: values need not fit into Python's objects
        position = table.column_names.index(name)
        table = table.set_column(position, name, pa.nulls(table.num_rows))
    for position, column in enumerate(table.columns):
        if t.is_dictionary(column.type) and not _is_simple(column.type.value_type):
            name = table.column_names[position]
            codes = [pa.array(chunk.indices) for chunk in column.chunks]
            special[name] = column.chunk(0).dictionary.to_pandas(), column.type.ordered
            table = table.set_column(position, name, pa.chunked_array(codes, column.type.index_type))
    frame = table.to_pandas()
    for name, (categories, ordered) in special.items():
        if name in frame.columns:
            codes = frame[name].fillna(-1).astype("int64")
            frame[name] = pd.Categorical.from_codes(codes, pd.Index(categories), ordered=ordered)
    return frame


def _is_simple(dtype: pa.DataType) -> bool:
    import pyarrow.types as t

    simple = (t.is_integer, t.is_floating, t.is_boolean, t.is_string, t.is_large_string, t.is_binary)
    return any(is_it(dtype) for is_it in simple)


def _metadata(schema: pa.Schema) -> dict[str, Any]:
    text = (schema.metadata or {}).get(b"pandas")
    said: dict[str, Any] = json.loads(text) if text else {}
    return said


def _without_own(table: pa.Table, said: dict[str, Any], *, filtered: bool) -> tuple[dict[str, str], pa.Table]:
    """The dtypes that are put back here, by column, and the table with metadata that does not speak of them."""
    own = {}
    for column in said.get("columns", []):
        dtype = column["numpy_type"]
        if dtype.endswith("[pyarrow]"):
            own[column["field_name"] or column["name"]] = "arrow"
            column["numpy_type"] = "object"
        elif dtype == "object" and column["pandas_type"] not in ("mixed",):
            own[column["field_name"] or column["name"]] = "object"
    if filtered:  # which of a range's rows are left is not known
        said["index_columns"] = [
            {"kind": "range", "name": column.get("name"), "start": 0, "stop": table.num_rows, "step": 1}
            if isinstance(column, dict)
            else column
            for column in said.get("index_columns", [])
        ]
    metadata = {**(table.schema.metadata or {}), b"pandas": json.dumps(said).encode()}
    return own, table.replace_schema_metadata(metadata)


def _columns_by(own: dict[str, str], how: str, table: pa.Table, said: dict[str, Any]) -> list[str]:
    """The columns, but not those of the index, that are put back in one way."""
    index = said.get("index_columns", [])
    return [name for name in table.column_names if own.get(name) == how and name not in index]


def _put_back(frame: pd.DataFrame, table: pa.Table, said: dict[str, Any], own: dict[str, str], source: Source) -> None:
    import pandas as pd

    index = {name for name in said.get("index_columns", []) if isinstance(name, str)}
    names = [name for name in table.column_names if name not in index]
    strings = source.remembered.get("strings", {})
    written_by = str(said.get("pandas_version") or "")
    for position, name in enumerate(names):
        how = own.get(name)
        if how == "arrow":
            frame.isetitem(position, pd.array(table[name], dtype=pd.ArrowDtype(table[name].type)))
        elif (
            how == "object"
            and str(frame.dtypes.iloc[position]) != "object"
            and not _became_str(written_by, pd.__version__)
        ):
            frame.isetitem(position, pd.Series(_objects(table[name]), frame.index, object))
        elif name in strings and str(frame.dtypes.iloc[position]) == "string":
            frame.isetitem(position, frame.iloc[:, position].astype(pd.StringDtype(strings[name])))
    if len(index) == 1 and (level := next(iter(index))) in table.column_names:
        dtypes = {column["field_name"] or column["name"]: column["numpy_type"] for column in said.get("columns", [])}
        if own.get(level) == "arrow":
            frame.index = pd.Index(pd.arrays.ArrowExtensionArray(table[level]), name=frame.index.name)
        elif dtypes.get(level) in _NULLABLE and str(frame.index.dtype) != dtypes[level]:
            frame.index = pd.Index(pd.array(table[level].to_pylist(), dtype=dtypes[level]), name=frame.index.name)


_NULLABLE = frozenset(
    [*(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)), "Float32", "Float64", "boolean"]
)


def _became_str(written_by: str, now: str) -> bool:
    """Whether what was texts in an object column when it was written is a ``str`` column in this version."""
    return written_by.startswith(("1.", "2.")) and not now.startswith(("1.", "2."))


def _objects(column: pa.ChunkedArray) -> Any:
    """The values as Python's objects, for a column that held such."""
    import numpy as np

    made = np.empty(len(column), object)
    made[:] = column.to_pylist()
    return made


def _keep_integers(frame: pd.DataFrame, table: pa.Table, said: dict[str, Any]) -> None:
    """Integers with nulls are floats in pandas: columns in which that would round some become nullable ones."""
    import pandas as pd
    import pyarrow.compute as pc
    import pyarrow.types as t

    index = {name for name in said.get("index_columns", []) if isinstance(name, str)}
    names = [name for name in table.column_names if name not in index]
    for position, name in enumerate(names):
        column = table[name]
        if not t.is_integer(column.type) or column.type.bit_width < 64 or not column.null_count:
            continue
        if frame.dtypes.iloc[position] != "float64":
            continue
        bounds = pc.min_max(column).as_py()
        if bounds["min"] is not None and max(-bounds["min"], bounds["max"]) > 1 << 53:
            dtype = "UInt64" if t.is_unsigned_integer(column.type) else "Int64"
            frame.isetitem(position, pd.array(column.to_pylist(), dtype=dtype))
