"""``format="mongodb"``: frames as documents of a collection, one for each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._encode import _names
from .._errors import Unsupported
from .._library import Library
from ._plan import Load, mode_of, name_of
from ._target import Target

_MODES = ("fail", "replace", "append")


@dataclass(frozen=True)
class Address:
    """What a connection string says, of which ``uri`` is the only part with credentials."""

    uri: str
    host: str
    database: str
    port: int | None = None

    def __repr__(self) -> str:
        return f"Address({self.host}/{self.database})"


def arguments(library: Library, target_path: object, kwargs: dict[str, Any]) -> MongoArguments:
    """The arguments of a call, for frames of a library.

    Raises:
        ValueError: for a library whose objects have no rows.
    """
    loads: dict[str, Callable[[Any, MongoArguments], Load]] = {
        "pandas": _of_pandas,
        "polars": _of_polars,
        "pyarrow": _of_arrow,
    }
    if library.NAME not in loads:
        raise ValueError(f"format 'mongodb': {library.NAME} objects have no named columns to make documents of")
    return MongoArguments(target_path, kwargs, loads[library.NAME])


class MongoArguments:
    """``collection, connection_uri, database, if_exists`` and how values are mapped; see ``docs/databases.md``."""

    engine = "go"
    schema: str | None = None
    uses_adbc = False

    def __init__(
        self, target_path: object, kwargs: dict[str, Any], load: Callable[[Any, MongoArguments], Load]
    ) -> None:
        kwargs = dict(kwargs)
        self.table = name_of(target_path, kwargs.pop("collection", None), "collection")
        uri = kwargs.pop("connection_uri", None)
        if not isinstance(uri, str):
            given = "missing" if uri is None else f"a {type(uri).__module__}.{type(uri).__name__}"
            raise TypeError(f"connection_uri is {given}: pass a str such as 'mongodb://host/database'")
        database = kwargs.pop("database", None)
        if not (database is None or isinstance(database, str)):
            raise TypeError(f"database must be a str, not {type(database).__name__}")
        self.mode, self.key = mode_of(kwargs.pop("if_exists", "fail"), "if_exists", None, _MODES)
        self.index = bool(kwargs.pop("index", False))
        self.index_label = kwargs.pop("index_label", None)
        exclude_none = bool(kwargs.pop("exclude_none", False))
        truncate = bool(kwargs.pop("allow_truncated_timestamps", False))
        if kwargs:
            raise TypeError(f"format 'mongodb' takes no argument {min(kwargs)!r}")
        self.con = Target(_address(uri, database), "url", "mongodb")
        self.options: dict[str, Any] = {
            "uri": uri,
            "database": database or "",
            "collection": self.table,
            "mode": self.mode,
            "exclude_null": exclude_none,
            "truncate_timestamps": truncate,
        }
        self._load = load

    def load(self, frame: Any, dialect: Any) -> Load:  # noqa: ARG002
        """The frame as Arrow data."""
        return self._load(frame, self)


def connect(target: Target) -> dict[str, Any]:  # noqa: ARG001
    """Nothing: the options have it all."""
    return {}


def _address(uri: str, database: str | None) -> Address:
    rest = uri.partition("://")[2].partition("?")[0]
    credentials, at, hosts = rest.rpartition("@")
    if not at:
        hosts = credentials + hosts
    host, _, path = hosts.partition("/")
    name, colon, port = host.rpartition(":")
    if "," in host or not (colon and port.isdigit()):
        return Address(uri, host, database or path)
    return Address(uri, name.strip("[]"), database or path, int(port))


def _of_arrow(frame: Any, arguments: MongoArguments) -> Load:  # noqa: ARG001
    import pyarrow as pa

    if not _names.are_exportable(frame.schema):
        raise Unsupported("its columns cannot be handed over")
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_batches([frame])
    return Load(table, table.num_rows)


def _of_polars(frame: Any, arguments: MongoArguments) -> Load:  # noqa: ARG001
    import polars as pl

    if any(dtype == pl.Object for dtype in frame.dtypes):
        raise Unsupported("there are Python objects in it: convert them to a type of polars")
    if not _names.polars_are_exportable(frame):
        raise Unsupported("its columns cannot be handed over")
    # polars exports the type of nulls in a way that Arrow does not allow.
    stream = frame.to_arrow() if any(dtype == pl.Null for dtype in frame.dtypes) else frame
    return Load(stream, frame.height)


def _of_pandas(frame: Any, arguments: MongoArguments) -> Load:
    """What ``to_dict("records")`` gives, as columns: a missing object is null, NaN stays what it is."""
    import pyarrow as pa

    if arguments.index:
        labels = arguments.index_label
        names = {} if labels is None else {"names": labels}
        try:
            frame = frame.reset_index(**names)
        except ValueError as e:
            raise ValueError(f"duplicate name in index/columns: {e}") from e
    fields, arrays = [], []
    for i, name in enumerate(map(str, frame.columns)):
        array, metadata = _values(frame.iloc[:, i], name)
        arrays.append(array)
        fields.append(pa.field(name, array.type, metadata=metadata))
    schema = pa.schema(fields)
    if not _names.are_exportable(schema):
        raise Unsupported("its columns cannot be handed over")
    table = pa.Table.from_arrays(arrays, schema=schema)
    if not arrays:  # rows without columns are documents with nothing but an identifier
        table = pa.table({"": pa.nulls(len(frame))}).select([])
    return Load(table, len(frame))


def _values(column: Any, name: str) -> tuple[Any, dict[str, str] | None]:
    """A Series as an Arrow array, or its objects encoded as BSON with the metadata that says so."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    dtype = column.dtype
    if isinstance(dtype, pd.SparseDtype):
        return _values(column.sparse.to_dense(), name)
    if isinstance(dtype, pd.CategoricalDtype):
        codes = np.asarray(column.array.codes)
        values, metadata = _values(column.array.categories.to_series(), name)
        if metadata is None:
            values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
            return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == -1), values), None
        return _values(column.astype(object), name)
    if dtype.kind == "O" and isinstance(dtype, np.dtype):
        return _objects(column.to_numpy(), name)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return pa.array(column.dt.tz_convert("UTC")), None
    if isinstance(dtype, np.dtype):
        values = column.to_numpy()
        if not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
        if values.dtype.kind in "biufmM" and values.dtype.itemsize <= 8:
            return pa.array(values), None
    elif hasattr(column.array, "__arrow_array__"):
        array = column.array.__arrow_array__()
        if not isinstance(array.type, pa.ExtensionType):
            return array, None
    raise ValueError(
        f"mongodb: column {name!r} has type {dtype}, which BSON has not: convert it to numbers, dates or strings first"
    )


def _objects(values: Any, name: str) -> tuple[Any, dict[str, str] | None]:
    import pandas as pd
    import pyarrow as pa

    types = {
        "string": pa.large_string(),
        "boolean": pa.bool_(),
        "bytes": pa.large_binary(),
        "date": pa.date32(),
        "datetime": None,
        "decimal": None,
        "empty": pa.null(),
    }
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred in types:
        try:
            array = pa.array(values, type=types[inferred], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            pass
        else:
            if inferred != "datetime" or array.type == pa.timestamp("us"):
                return array, None
    return pa.array([_encoded(value, name) for value in values], pa.large_binary()), {"atio.bson": "1"}


def _encoded(value: Any, name: str) -> bytes | None:
    """The byte of a value's type in BSON and the value."""
    if _is_missing(value):
        return None
    try:
        import bson
        from bson.binary import UuidRepresentation
        from bson.codec_options import CodecOptions
    except ImportError as e:
        raise ImportError(
            f"column {name!r} holds Python objects, which pymongo turns into BSON: pip install pymongo"
        ) from e
    options: Any = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
    try:
        document = bson.encode({"": _plain(value)}, codec_options=options)
    except (bson.errors.BSONError, OverflowError) as e:
        raise ValueError(f"mongodb: column {name!r}: {e}") from e
    # Behind the length of the document: the type, an empty name with its NUL, the value, the document's end.
    return document[4:5] + document[6:-1]


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NaT or value is pd.NA


def _plain(value: Any) -> Any:
    """A value as pymongo takes it."""
    import datetime as dt
    import decimal

    import numpy as np

    if _is_missing(value):
        return None
    if isinstance(value, dict):
        return type(value)((k, _plain(v)) for k, v in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value.tolist()]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, decimal.Decimal):
        from bson.decimal128 import Decimal128

        return Decimal128(value)
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.timezone.utc)
    return value.isoformat() if isinstance(value, dt.time) else value
