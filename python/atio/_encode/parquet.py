"""Frames and the keyword arguments of the libraries' parquet writers -> Go's parquet encoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from atio._plan import EncodeFilesInGo, EncodeInGo

from . import _names, _pandas_table, _partition

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Kwargs = Mapping[str, Any]

# What pyarrow.parquet.write_table takes, with its defaults. An argument that is not here, or not at its
# default and not looked at below, is left to pyarrow.
_PYARROW_DEFAULTS: dict[str, Any] = {
    "version": "2.6",
    "use_deprecated_int96_timestamps": None,
    "coerce_timestamps": None,
    "allow_truncated_timestamps": False,
    "flavor": None,
    "filesystem": None,
    "use_compliant_nested_type": True,
    "encryption_properties": None,
    "write_batch_size": None,
    "dictionary_pagesize_limit": None,
    "store_schema": True,
    "sorting_columns": None,
    "write_time_adjusted_to_utc": False,
    "max_rows_per_page": None,
    "bloom_filter_options": None,
    "use_content_defined_chunking": False,
}

_POLARS_DEFAULTS: dict[str, Any] = {
    "use_pyarrow": False,
    "pyarrow_options": None,
    "partition_by": None,
    "partition_chunk_size_bytes": 4_294_967_296,
    "credential_provider": "auto",
    "metadata": None,
    "arrow_schema": None,
    "encryption": None,
    "mkdir": False,
    "retries": None,
}

# Go's name of a codec, the library's default level, and the levels that Go and the library both have.
_PYARROW_CODECS: dict[str, tuple[str, int | None, range]] = {
    "NONE": ("none", None, range(0)),
    "SNAPPY": ("snappy", None, range(0)),
    "ZSTD": ("zstd", 1, range(1, 23)),
    "GZIP": ("gzip", 9, range(1, 10)),
    "BROTLI": ("brotli", 8, range(12)),
    "LZ4": ("lz4", None, range(0)),
    "LZ4_RAW": ("lz4", None, range(0)),
    "AUTO": ("auto", None, range(0)),
}
_POLARS_CODECS: dict[str, tuple[str, int | None, range]] = {
    "uncompressed": ("none", None, range(0)),
    "snappy": ("snappy", None, range(0)),
    "zstd": ("zstd", 3, range(1, 23)),
    "gzip": ("gzip", 6, range(10)),
    "brotli": ("brotli", 1, range(12)),
    "lz4": ("lz4", None, range(0)),
    "auto": ("auto", None, range(0)),
}

# The encodings that Go and pyarrow both have for a kind of column.
_ENCODINGS: dict[str, frozenset[str]] = {
    "integer": frozenset(["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]),
    "float": frozenset(["PLAIN", "BYTE_STREAM_SPLIT"]),
    "bytes": frozenset(["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]),
    "other": frozenset(["PLAIN"]),
}

_PYARROW_ROW_GROUP = 1024 * 1024
_PYARROW_MAX_ROW_GROUP = 64 * 1024 * 1024
_ROW_GROUP_BYTES = 512 * 1024 * 1024
_POLARS_ROW_GROUP = 512 * 512


def from_pandas(df: pd.DataFrame, kwargs: Kwargs) -> EncodeInGo | EncodeFilesInGo | None:
    """``DataFrame.to_parquet``."""
    import pandas as pd

    if type(df).to_parquet is not pd.DataFrame.to_parquet or not isinstance(df, pd.DataFrame):
        return None
    rest = dict(kwargs)
    if not _is_pyarrow(rest.pop("engine", "auto")):
        return None
    keys = rest.pop("partition_cols", None)
    schema, index = rest.pop("schema", None), rest.pop("index", None)
    table = _pandas_table.table_of(df, schema, index)
    if keys is not None:
        return _encode_dataset(table, [keys] if isinstance(keys, str) else keys, rest)
    options = _pyarrow_options(rest, table.schema)
    if options is None:
        return None
    return _encode_table(table, options)


def from_polars(df: pl.DataFrame, kwargs: Kwargs) -> EncodeInGo | EncodeFilesInGo | None:
    """``DataFrame.write_parquet``."""
    import polars as pl

    if type(df).write_parquet is not pl.DataFrame.write_parquet:
        return None
    rest = dict(kwargs)
    keys = rest.pop("partition_by", None)
    if keys is not None and not _polars_keys_fit(df, keys):
        return None
    compression = rest.pop("compression", "zstd")
    level = rest.pop("compression_level", None)
    statistics = rest.pop("statistics", True)
    rows = rest.pop("row_group_size", None)
    page = rest.pop("data_page_size", None)
    if not _only_defaults(rest, _POLARS_DEFAULTS) or not isinstance(statistics, bool):
        return None
    if not (page is None or _is_count(page, 2**31 - 1)):
        return None
    codec = _codec("uncompressed" if compression is None else compression, level, _POLARS_CODECS)
    if codec is None or not (rows is None or _is_count(rows, 2**32 - 1)) or not polars_types_fit(df):
        return None
    options = {
        **codec,
        **_row_groups(rows, _POLARS_ROW_GROUP),
        "statistics": statistics,
        "decimal_as_integer": True,
        "large_for_views": True,
    }
    if page is not None:
        options["data_page_size"] = page
    if keys is not None:
        keys = [keys] if isinstance(keys, str) else keys
        files = _partition.split_polars(df, keys, _partition.file_name())
        return EncodeFilesInGo((replace(some, stream=polars_stream(some.stream)) for some in files), df.height, options)
    return EncodeInGo(polars_stream(df), df.height, options)


def _polars_keys_fit(df: pl.DataFrame, keys: Any) -> bool:
    names = [keys] if isinstance(keys, str) else keys
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return False
    return all(name in df.columns and _partition.polars_key_fits(df.schema[name]) for name in names)


def from_arrow(table: pa.Table | pa.RecordBatch, kwargs: Kwargs) -> EncodeInGo | EncodeFilesInGo | None:
    """``pyarrow.parquet.write_table``, and ``write_to_dataset`` if there are ``partition_cols``."""
    import pyarrow as pa

    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    rest = dict(kwargs)
    keys = rest.pop("partition_cols", None)
    if keys is not None:
        return _encode_dataset(table, [keys] if isinstance(keys, str) else keys, rest)
    options = _pyarrow_options(rest, table.schema)
    if options is None:
        return None
    return _encode_table(table, options)


def _encode_dataset(table: pa.Table, keys: Any, rest: dict[str, Any]) -> EncodeFilesInGo | None:
    """``pyarrow.parquet.write_to_dataset``."""
    template = rest.pop("basename_template", None)
    rest.pop("existing_data_behavior", None)  # looked at by the library's module
    names = table.schema.names
    if not _names.are_exportable(table.schema):
        return None
    if not isinstance(keys, list) or not keys or len(set(keys)) < len(keys):
        return None
    if not all(names.count(key) == 1 and _is_key(table.schema.field(key).type) for key in keys):
        return None
    if len(keys) == len(names) or not (template is None or _is_template(template)):
        return None
    data = table.drop_columns(keys)
    options = _pyarrow_options(rest, data.schema)
    if options is None or not arrow_types_fit(data):
        return None
    return EncodeFilesInGo(_partition.split_table(table, keys, _partition.file_name(template)), table.num_rows, options)


def _is_key(dtype: pa.DataType) -> bool:
    """Whether pyarrow's path of a value of this type is known to be the same by ``Partitioning.format``."""
    import pyarrow.types as t

    if t.is_dictionary(dtype):
        dtype = dtype.value_type
    tests = (t.is_integer, t.is_boolean, t.is_string, t.is_large_string, t.is_date, t.is_timestamp)
    return any(test(dtype) for test in (*tests, t.is_floating, t.is_decimal, t.is_null))


def _is_template(template: object) -> bool:
    return isinstance(template, str) and template.count("{i}") == 1 and template.count("{") == 1


def _encode_table(table: pa.Table, options: dict[str, Any]) -> EncodeInGo | None:
    if not arrow_types_fit(table):
        return None
    return EncodeInGo(table, table.num_rows, options)


def _is_pyarrow(engine: object) -> bool:
    import pandas as pd
    from pandas.api.extensions import no_default

    if engine == "pyarrow":
        return True
    chosen = pd.get_option("io.parquet.engine") if engine == "auto" or engine is no_default else None
    return chosen in ("auto", "pyarrow")


def _pyarrow_options(rest: dict[str, Any], schema: pa.Schema) -> dict[str, Any] | None:
    """Go's options for these arguments of ``write_table``, ``None`` if pyarrow has to take them."""
    single = {name: rest.pop(name, default) for name, default in _PER_COLUMN.items()}
    rows = rest.pop("row_group_size", None)
    page = rest.pop("data_page_size", None)
    decimals = rest.pop("store_decimal_as_integer", False)
    version = rest.pop("data_page_version", "1.0")
    # Go's files always have a page index; pyarrow's only when asked.
    index, checksum = rest.pop("write_page_index", False), rest.pop("write_page_checksum", False)
    if not _only_defaults(rest, _PYARROW_DEFAULTS) or version not in ("1.0", "2.0"):
        return None
    if not all(isinstance(flag, bool) for flag in (decimals, index, checksum)):
        return None
    if not (rows is None or _is_count(rows)) or not (page is None or _is_count(page, 2**31 - 1)):
        return None
    columns = _column_options(single, schema)
    if columns is None:
        return None
    options = {**_row_groups(rows, _PYARROW_ROW_GROUP), **columns}
    if page is not None:
        options["data_page_size"] = page
    flags = {"decimal_as_integer": decimals, "data_page_v2": version == "2.0", "page_checksums": checksum}
    return {**options, **{name: True for name, on in flags.items() if on}}


def _row_groups(rows: int | None, standard: int) -> dict[str, Any]:
    """Rows of a row group, and a bound of its bytes unless the caller has said how many rows."""
    if rows is None:
        return {"row_group_size": standard, "row_group_bytes": _ROW_GROUP_BYTES}
    return {"row_group_size": min(rows, _PYARROW_MAX_ROW_GROUP)}


# The arguments of write_table that may differ from column to column, with their defaults.
_PER_COLUMN: dict[str, Any] = {
    "compression": "snappy",
    "compression_level": None,
    "write_statistics": True,
    "use_dictionary": True,
    "column_encoding": None,
    "use_byte_stream_split": False,
}


def _column_options(given: Kwargs, schema: pa.Schema) -> dict[str, Any] | None:
    """Go's options for arguments that are one value, or a dict or list of columns."""
    several = any(isinstance(value, (dict, list, tuple, set)) for value in given.values())
    if not several and given["column_encoding"] is None and given["use_byte_stream_split"] is False:
        return _one_column(given, None)
    flat = {field.name: _kind(field.type) for field in schema}
    if len(flat) < len(schema.names) or any(name in flat and "." in name for name in flat):
        return None  # which column is meant is for pyarrow to say
    for value in given.values():
        if isinstance(value, (dict, list, tuple, set)) and not all(flat.get(name) for name in value):
            return None
    columns = {}
    for name, kind in flat.items():
        own = _one_column({key: _of_column(key, value, name) for key, value in given.items()}, kind)
        if own is None:
            return None
        if kind:
            columns[name] = own
    if not all(flat.values()):
        return None
    return {"columns": columns}


def _of_column(argument: str, value: Any, name: str) -> Any:
    """What an argument says of one column."""
    if isinstance(value, dict):
        return value.get(name, None if argument in ("compression_level", "column_encoding") else "NONE")
    return name in value if isinstance(value, (list, tuple, set)) else value


def _one_column(given: Kwargs, kind: str | None) -> dict[str, Any] | None:
    """Go's options for the arguments of one column, or of all."""
    compression = given["compression"]
    name = compression.upper() if isinstance(compression, str) else "NONE" if compression is None else None
    codec = _codec(name, given["compression_level"], _PYARROW_CODECS)
    statistics, dictionary = given["write_statistics"], given["use_dictionary"]
    encoding, split = given["column_encoding"], given["use_byte_stream_split"]
    if codec is None or not all(isinstance(flag, bool) for flag in (statistics, dictionary, split)):
        return None
    options = {**codec, "statistics": statistics}
    if not dictionary:
        options["dictionary"] = False
    if split and (dictionary or encoding is not None or kind != "float"):
        return None
    encoding = "BYTE_STREAM_SPLIT" if split else encoding
    if encoding is not None:
        if dictionary or kind is None or encoding not in _ENCODINGS[kind]:
            return None
        options["encoding"] = encoding
    return options


def _kind(dtype: pa.DataType) -> str:
    """Which encodings a column may have, "" if it is several in Parquet."""
    import pyarrow.types as t

    if t.is_nested(dtype):
        return ""
    if t.is_floating(dtype) and dtype.bit_width > 16:
        return "float"
    if t.is_integer(dtype) or t.is_temporal(dtype):
        return "integer"
    if any(test(dtype) for test in (t.is_string, t.is_large_string, t.is_binary, t.is_large_binary)):
        return "bytes"
    return "other"


def _codec(name: object, level: object, codecs: dict[str, tuple[str, int | None, range]]) -> dict[str, Any] | None:
    if not isinstance(name, str) or name not in codecs:
        return None
    codec, default, levels = codecs[name]
    if level is None:
        return {"compression": codec} if default is None else {"compression": codec, "compression_level": default}
    if isinstance(level, bool) or not isinstance(level, int) or level not in levels:
        return None
    return {"compression": codec, "compression_level": level}


def _is_count(value: object, limit: int = 2**63 - 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= limit


def _only_defaults(rest: Kwargs, defaults: Kwargs) -> bool:
    for name, value in rest.items():
        if name not in defaults:
            return False
        default = defaults[name]
        if type(value) is not type(default) or value != default:
            return False
    return True


def arrow_types_fit(table: pa.Table) -> bool:
    """Whether Go writes all columns as pyarrow does."""
    import pyarrow.types as t

    if any(not _is_utf8(text) for pair in (table.schema.metadata or {}).items() for text in pair):
        return False
    if not _names.are_exportable(table.schema):
        return False
    if table.num_columns == 0 and table.num_rows > 0:  # pyarrow forgets the rows
        return False
    if not all(_arrow_type_fits(dtype) for dtype in table.schema.types):
        return False
    # What pyarrow refuses in its own words.
    for i, field in enumerate(table.schema):
        if not field.nullable and table.column(i).null_count:
            return False
        if t.is_dictionary(field.type) and any(chunk.dictionary.null_count for chunk in table.column(i).chunks):
            return False
    return True


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=256)
def _arrow_type_fits(dtype: pa.DataType) -> bool:
    import pyarrow as pa
    import pyarrow.types as t

    if isinstance(dtype, pa.BaseExtensionType):
        return _arrow_type_fits(dtype.storage_type)
    if t.is_dictionary(dtype):
        value = dtype.value_type
        return not isinstance(value, pa.BaseExtensionType) and not t.is_nested(value) and _arrow_type_fits(value)
    if t.is_map(dtype):
        return _arrow_type_fits(dtype.key_type) and _arrow_type_fits(dtype.item_type)
    if t.is_list(dtype) or t.is_large_list(dtype) or t.is_fixed_size_list(dtype):
        return _arrow_type_fits(dtype.value_type)
    if t.is_struct(dtype):
        return dtype.num_fields > 0 and all(_arrow_type_fits(dtype.field(i).type) for i in range(dtype.num_fields))
    if t.is_decimal(dtype):
        return bool(0 <= dtype.scale <= dtype.precision)
    if t.is_fixed_size_binary(dtype):
        return bool(dtype.byte_width > 0)
    return any(test(dtype) for test in _flat_types())


def _flat_types() -> tuple[Callable[[pa.DataType], bool], ...]:
    import pyarrow.types as t

    return (
        t.is_null,
        t.is_boolean,
        t.is_integer,
        t.is_floating,
        t.is_string,
        t.is_large_string,
        t.is_string_view,
        t.is_binary,
        t.is_large_binary,
        t.is_binary_view,
        t.is_date,
        t.is_time,
        t.is_timestamp,
        t.is_duration,
    )


def polars_types_fit(df: pl.DataFrame) -> bool:
    return _names.polars_are_exportable(df) and all(_polars_type_fits(dtype) for dtype in df.dtypes)


def _polars_type_fits(dtype: pl.DataType) -> bool:
    """Whether polars exports this type as Arrow data that Go reads and Parquet holds."""
    import polars as pl

    if isinstance(dtype, pl.Struct):
        return bool(dtype.fields) and all(_polars_type_fits(_instance(field.dtype)) for field in dtype.fields)
    if isinstance(dtype, (pl.List, pl.Array)):
        return _polars_type_fits(_instance(dtype.inner))
    return dtype.__class__.__name__ in _POLARS_FLAT_TYPES


def _instance(dtype: Any) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype  # type: ignore[no-any-return]


# By name, because not every version of polars has all of them.
_POLARS_FLAT_TYPES = frozenset(
    [
        *("Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"),
        *("Float16", "Float32", "Float64", "Decimal", "String", "Binary"),
        *("Date", "Time", "Datetime", "Duration", "Categorical", "Enum", "Null"),
    ]
)


def polars_stream(df: Any) -> Any:
    """What exports a polars frame in a way that Go reads."""
    if not any(contains_null_type(dtype) for dtype in df.dtypes):
        return df
    import pyarrow as pa

    # polars exports arrays of type Null in a way that arrow-go refuses; pyarrow reads them and exports them rightly.
    return pa.table(df)


def contains_null_type(dtype: pl.DataType) -> bool:
    import polars as pl

    if isinstance(dtype, pl.Struct):
        return any(contains_null_type(_instance(field.dtype)) for field in dtype.fields)
    if isinstance(dtype, (pl.List, pl.Array)):
        return contains_null_type(_instance(dtype.inner))
    return isinstance(dtype, pl.Null)
