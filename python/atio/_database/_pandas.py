"""``DataFrame.to_sql``: pandas' arguments, the columns it would create, and its values as Arrow arrays."""

from __future__ import annotations

import inspect
import json
import sqlite3
import uuid
from types import SimpleNamespace
from typing import Any

from .._encode import _names
from .._errors import Unsupported
from ._plan import Load, mode_of, name_of
from ._types import columns_of, indexes_of, refuse_side_effects, sql_types


class PandasArguments:
    """The arguments of ``to_sql``, and ``key`` for an upsert."""

    engine = "pandas"
    uses_adbc = False

    def __init__(self, target_path: object, kwargs: dict[str, Any]) -> None:
        import pandas as pd

        kwargs = dict(kwargs)
        key = kwargs.pop("key", None)
        self.table = name_of(target_path, kwargs.pop("name", None), "name")
        self.con = kwargs.pop("con", None)
        if self.con is None:
            raise TypeError("con is missing: pass a SQLAlchemy engine, a connection or a URL")
        # A TypeError for what to_sql does not have.
        inspect.signature(pd.DataFrame.to_sql).bind(None, self.table, self.con, **kwargs)
        self.mode, self.key = mode_of(kwargs.pop("if_exists", "fail"), "if_exists", key)
        self.schema = kwargs.pop("schema", None)
        self._kwargs = kwargs
        self._check(**{k: kwargs.get(k) for k in ("chunksize", "method")})

    def _check(self, chunksize: Any, method: Any) -> None:
        if chunksize is not None and chunksize == 0:
            raise ValueError("chunksize argument should be non-zero")
        if not (method is None or method == "multi" or callable(method)):
            raise ValueError(f"Invalid parameter `method`: {method}")

    def rows(self, frame: Any) -> int:
        """How many rows a frame has."""
        return len(frame)

    def write(self, frame: Any, con: Any, mode: str) -> object:
        """Have pandas write it."""
        return to_sql(frame, self.table, con, schema=self.schema, if_exists=mode, **self._kwargs)

    def load(self, frame: Any, dialect: Any) -> Load:
        """The frame with its index, each column as the values that pandas would insert."""
        import pyarrow as pa

        frame = frame if frame.ndim == 2 else frame.to_frame()
        if callable(self._kwargs.get("method")):
            raise Unsupported("method is a function")
        table = self._table(frame)
        refuse_side_effects(table)
        data = _with_index(frame, table.index)
        names = list(map(str, data.columns))
        arrays = []
        for i, (name, column) in enumerate(zip(names, table.table.columns, strict=True)):
            array = values_of(data.iloc[:, i], column.type, dialect)
            if array is None:
                raise Unsupported(f"pandas converts the values of column {name!r}", name)
            arrays.append(array)
        schema = pa.schema([pa.field(n, a.type) for n, a in zip(names, arrays, strict=True)])
        if not names or not _names.are_exportable(schema):
            raise Unsupported("its columns cannot be handed over")
        stream = pa.Table.from_arrays(arrays, schema=schema)
        return Load(stream, len(frame), columns_of(table.table, dialect), indexes_of(table.table, dialect), True)

    def scanned(self, frame: Any) -> tuple[Any, dict[str, str]]:
        """The frame with its index, named as pandas names it."""
        import pyarrow as pa

        frame = frame if frame.ndim == 2 else frame.to_frame()
        if self._kwargs.get("index", True):
            label = self._kwargs.get("index_label")
            frame = frame.reset_index(names=[label] if isinstance(label, str) else label)
        frame = frame.set_axis(list(map(str, frame.columns)), axis=1)
        types = sql_types(list(frame.columns), self._kwargs)
        table = pa.Table.from_pandas(frame, preserve_index=False)
        for field in table.schema:
            if getattr(field.type, "extension_name", "").startswith("pandas."):
                raise ValueError(
                    f"column {field.name!r} is of type {frame[field.name].dtype}, which has no type in SQL"
                )
        return table, types

    def _table(self, frame: Any) -> Any:
        """The table that pandas would create, with SQLAlchemy's columns in its ``table``."""
        from pandas.io.sql import SQLTable
        from sqlalchemy import MetaData

        database = SimpleNamespace(meta=MetaData(schema=self.schema))
        index, label = self._kwargs.get("index", True), self._kwargs.get("index_label")
        dtype = _dtypes(frame, self._kwargs.get("dtype"))
        return SQLTable(
            self.table, database, frame=frame, index=index, index_label=label, schema=self.schema, dtype=dtype
        )


def to_sql(frame: Any, table: str, con: Any, **kwargs: Any) -> object:
    """``frame.to_sql`` over a connection that is in a transaction."""
    if isinstance(getattr(con, "con", None), sqlite3.Connection):
        from pandas.io.sql import SQLiteDatabase

        return SQLiteDatabase(con).to_sql(frame if frame.ndim == 2 else frame.to_frame(), table, **kwargs)
    return frame.to_sql(table, con, **kwargs)


def table_of(frame: Any, name: str, schema: str | None, options: dict[str, Any]) -> Any:
    """The table that pandas would create of a frame without its index."""
    arguments = PandasArguments(name, {"con": "", "schema": schema, **options, "index": False})
    return arguments._table(frame)


def _dtypes(frame: Any, dtype: Any) -> Any:
    """The argument ``dtype`` as pandas takes it."""
    if not dtype:
        return dtype
    from sqlalchemy.types import TypeEngine

    dtype = dtype if hasattr(dtype, "items") else dict.fromkeys(frame, dtype)
    for column, kind in dtype.items():
        if not (isinstance(kind, TypeEngine) or (isinstance(kind, type) and issubclass(kind, TypeEngine))):
            raise ValueError(f"The type of {column} is not a SQLAlchemy type")
    return dtype


def _with_index(frame: Any, index: Any) -> Any:
    if index is None:
        return frame
    frame = frame.copy(deep=False)
    frame.index = frame.index.set_names(index)
    try:
        return frame.reset_index()
    except ValueError as e:
        raise ValueError(f"duplicate name in index/columns: {e}") from e


def values_of(column: Any, kind: Any, dialect: Any) -> Any:
    """A Series as an Arrow array of what pandas would insert; ``None`` if that is not known.

    ``kind`` is the SQLAlchemy type of the column it goes into.
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from sqlalchemy.types import JSON

    try:
        if isinstance(kind, JSON):
            return _as_json(column, kind, dialect)
        process = kind.dialect_impl(dialect).bind_processor(dialect)
        if process is not None and not (_is_identity(kind) or _is_boolean(column, kind)):
            return _processed(column, process)
        dtype = column.dtype
        if dtype.kind == "m":
            return _ticks(column)
        if isinstance(dtype, np.dtype):
            return _of_numpy(column.to_numpy(), kind)
        if isinstance(dtype, pd.ArrowDtype):
            return column.array.__arrow_array__()
        if isinstance(dtype, pd.DatetimeTZDtype):
            # MySQL's clients send the local time, and no zone.
            local = dialect.name in ("mysql", "mariadb")
            return pa.array(column if local else column.dt.tz_convert("UTC"))
        if isinstance(dtype, (pd.StringDtype, pd.BooleanDtype)) or dtype.name in _MASKED:
            return column.array.__arrow_array__()
        if isinstance(dtype, pd.CategoricalDtype):
            return _of_categories(column.array, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        return None  # pandas raises what it raises, or can write it
    return None


_MASKED = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64")


def _is_identity(kind: Any) -> bool:
    """Whether what the type does to values before they are sent is done by the encoding as well."""
    from sqlalchemy.types import LargeBinary, Numeric, String

    return type(kind).__module__.startswith("sqlalchemy.") and isinstance(kind, (LargeBinary, Numeric, String))


def _is_boolean(column: Any, kind: Any) -> bool:
    """Whether all that the type does is to make numbers of booleans."""
    from sqlalchemy.types import Boolean

    return type(kind) is Boolean and column.dtype.kind == "b"


def _processed(column: Any, process: Any) -> Any:
    """The values as SQLAlchemy's type makes them, such as a dict's JSON text."""
    import pandas as pd
    import pyarrow as pa

    values = column.astype(object)
    missing = pd.isna(values)
    made = [process(None if lost is True else value) for value, lost in zip(values, missing, strict=True)]
    return pa.array(made)


def _as_json(column: Any, kind: Any, dialect: Any) -> Any:
    """The values as JSON text: the drivers have wrappers of their own for them."""
    import pandas as pd
    import pyarrow as pa

    serialize = getattr(dialect, "_json_serializer", None) or json.dumps
    nothing = None if kind.none_as_null else "null"
    values = column.astype(object)
    made = [nothing if lost is True else serialize(v) for v, lost in zip(values, pd.isna(values), strict=True)]
    return pa.array(made, pa.large_string())


def _ticks(column: Any) -> Any:
    """Durations as the numbers that pandas inserts, a missing one too."""
    import numpy as np
    import pyarrow as pa

    values = column.array
    if hasattr(values, "__arrow_array__") and not hasattr(values, "_ndarray"):
        return pa.array(values.to_numpy(dtype=np.dtype("m8[ns]")).view("i8"))
    return pa.array(values.to_numpy().view("i8"))


def _of_numpy(values: Any, kind: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    dtype = values.dtype
    if dtype.kind == "O":
        return _of_objects(values, kind)
    if not dtype.isnative or dtype.kind not in "biufM" or dtype.itemsize > 8:
        return None
    if dtype.kind == "M" and np.datetime_data(dtype)[0] not in ("s", "ms", "us", "ns"):
        return None
    return pa.array(values)


def _of_objects(values: Any, kind: Any) -> Any:
    """Objects of one kind, but for missing ones."""
    import pandas as pd
    import pyarrow as pa
    from sqlalchemy.types import String

    types = {
        "string": pa.large_string(),
        "boolean": pa.bool_(),
        "integer": pa.int64(),
        "floating": pa.float64(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "bytes": pa.large_binary(),
        "empty": pa.null(),
        "decimal": None,
        "datetime": None,
        "mixed": None,
    }
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred not in types:
        return None
    missing = pd.isna(values)
    if inferred == "decimal" and isinstance(kind, String):
        texts = [None if lost else format(v, "f") for v, lost in zip(values, missing, strict=True)]
        return pa.array(texts, pa.large_string())
    if inferred == "mixed" and all(lost or type(v) is uuid.UUID for v, lost in zip(values, missing, strict=True)):
        if isinstance(kind, String):
            return pa.array([None if lost else str(v) for v, lost in zip(values, missing, strict=True)])
        return pa.array([None if lost else v.bytes for v, lost in zip(values, missing, strict=True)], pa.binary(16))
    array = pa.array(values, type=types[inferred], from_pandas=True)
    if inferred == "datetime" and array.type != pa.timestamp("us"):
        return None  # with time zones, or of several kinds
    if inferred == "mixed" and not pa.types.is_list(array.type):
        return None
    return array if array.null_count == int(missing.sum()) else None


def _of_categories(array: Any, kind: Any) -> Any:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if len(array.categories) == 0:
        return pa.nulls(len(array))
    values = _of_numpy(array.categories.to_numpy(), kind)
    if isinstance(array.categories.dtype, pd.StringDtype):
        values = array.categories.array.__arrow_array__()
    if values is None:
        return None
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    codes = np.asarray(array.codes)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == -1), values)
