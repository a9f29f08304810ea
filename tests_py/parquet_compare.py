"""Two parquet files that ought to say the same, read by everybody."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pyarrow as pa
import pyarrow.parquet as pq


def differences(ours: Path, theirs: Path, *, same_row_groups: bool = True) -> list[str]:
    """What a reader could tell the two files apart by."""
    found = _metadata_differences(ours, theirs, same_row_groups)
    for reader in (_arrow, _pandas, _polars, _duckdb):
        found += [f"{reader.__name__[1:]}: {d}" for d in reader(ours, theirs)]
    return found


def _metadata_differences(ours: Path, theirs: Path, same_row_groups: bool) -> list[str]:
    a, b, found = _both(pq.ParquetFile, ours, theirs)
    if a is None:
        return found
    if _parquet_schema(a) != _parquet_schema(b):
        found.append(f"parquet schema: {_parquet_schema(a)} != {_parquet_schema(b)}")
    if not a.schema_arrow.equals(b.schema_arrow, check_metadata=True):
        found.append(f"arrow schema: {a.schema_arrow} != {b.schema_arrow}")
    if _key_values(a) != _key_values(b):
        found.append(f"key-value metadata: {_key_values(a)} != {_key_values(b)}")
    if a.metadata.num_rows != b.metadata.num_rows:
        found.append(f"rows: {a.metadata.num_rows} != {b.metadata.num_rows}")
    if same_row_groups:
        if _row_groups(a) != _row_groups(b):
            return [*found, f"row groups: {_row_groups(a)} != {_row_groups(b)}"]
        for g in range(len(_row_groups(a))):
            for c in range(a.metadata.num_columns):
                x, y = a.metadata.row_group(g).column(c), b.metadata.row_group(g).column(c)
                found += _chunk_differences(x, y, _is_dictionary(a.schema_arrow, x.path_in_schema))
    return found


def _parquet_schema(f: pq.ParquetFile) -> str:
    text = str(f.schema).split("\n", 1)[1]
    # An old name that is there beside the new one; Arrow C++ writes it, polars does not.
    text = re.sub(r", is_from_converted_type=\w+, force_set_converted_type=\w+", "", text)
    return re.sub(r"required group field_id=-1 \w+", "root", text)


def _key_values(f: pq.ParquetFile) -> dict[bytes, Any]:
    kv: dict[bytes, Any] = dict(f.metadata.metadata or {})
    stored = kv.pop(b"ARROW:schema", None)
    if stored is not None:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stored)))
        kv[b"ARROW:schema"] = schema.to_string(show_field_metadata=True, truncate_metadata=False)
    return kv


def _row_groups(f: pq.ParquetFile) -> list[int]:
    m = f.metadata
    rows = [m.row_group(i).num_rows for i in range(m.num_row_groups)]
    return [n for n in rows if n]  # a file without rows may have an empty row group or none


def _chunk_differences(a: Any, b: Any, of_dictionary: bool) -> list[str]:
    found = []
    name = a.path_in_schema
    for what in ("path_in_schema", "compression", "num_values", "physical_type"):
        found += _if_different(f"{name}: {what}", getattr(a, what), getattr(b, what))
    s, t = a.statistics, b.statistics
    if (s is None) != (t is None) and (s or t).has_min_max:
        return [*found, f"{name}: statistics: {s} != {t}"]
    if s is None or t is None:
        return found
    # Arrow C++ does not count nulls of structs above a dictionary.
    counted = s.has_null_count and t.has_null_count and not (of_dictionary and "." in name)
    if counted and s.null_count != t.null_count:
        found.append(f"{name}: nulls: {s.null_count} != {t.null_count}")
    # Arrow C++ now and then counts categories that no row has.
    wider = t.has_min_max and (not s.has_min_max or (t.min_raw <= s.min_raw and s.max_raw <= t.max_raw))
    if of_dictionary and wider:
        return found
    if s.has_min_max and t.has_min_max:
        for what in ("min_raw", "max_raw"):
            found += _if_different(f"{name}: {what}", getattr(s, what), getattr(t, what))
    elif s.has_min_max or t.has_min_max:
        found.append(f"{name}: only one has a minimum: {s}, {t}")
    return found


def _if_different(what: str, ours: Any, theirs: Any) -> list[str]:
    return [] if repr(ours) == repr(theirs) else [f"{what}: {ours!r} != {theirs!r}"]


def _is_dictionary(schema: pa.Schema, path: str) -> bool:
    top = path.split(".")[0]
    return schema.names.count(top) == 1 and "dictionary<" in str(schema.field(top).type)


def _both(read: Any, ours: Path, theirs: Path) -> tuple[Any, Any, list[str]]:
    def attempt(path: Path) -> tuple[Any, str]:
        try:
            return read(path), ""
        except KeyboardInterrupt:
            raise
        except BaseException as e:  # a panic of polars is no Exception
            return None, f"{type(e).__name__}: {e}".replace(str(path), "PATH")

    a, error_a = attempt(ours)
    b, error_b = attempt(theirs)
    if error_a.split(":")[0] != error_b.split(":")[0]:
        return None, None, [f"reading ours: {error_a or 'works'}, theirs: {error_b or 'works'}"]
    return a, b, []


def _arrow(ours: Path, theirs: Path) -> list[str]:
    a, b, found = _both(pq.read_table, ours, theirs)
    if a is None:
        return found
    if not a.schema.equals(b.schema, check_metadata=True):
        found.append(f"schema: {a.schema} != {b.schema}")
    # A table with NaN is not equal to itself; as text it is.
    if not a.equals(b) and repr(a.to_pylist()) != repr(b.to_pylist()):
        found.append(f"values: {a.to_pylist()[:5]} != {b.to_pylist()[:5]}")
    for column in a.columns:
        column.validate(full=True)
    return found


def _pandas(ours: Path, theirs: Path) -> list[str]:
    a, b, found = _both(pd.read_parquet, ours, theirs)
    if a is None:
        return found
    try:
        a, b = _comparable(a), _comparable(b)
        pd.testing.assert_frame_equal(a, b, check_exact=True, check_freq=True, check_column_type=True)
    except AssertionError as e:
        found.append(str(e))
    if repr(a.attrs) != repr(b.attrs):
        found.append(f"attrs: {a.attrs} != {b.attrs}")
    return found


def _comparable(df: pd.DataFrame) -> pd.DataFrame:
    """Objects as text: pandas stumbles over arrays in arrays, and NaN in them."""
    df = df.copy()
    for i, dtype in enumerate(df.dtypes):
        if isinstance(dtype, np.dtype) and dtype.kind == "O":
            df.isetitem(i, df.iloc[:, i].map(repr))
    return df


def _polars(ours: Path, theirs: Path) -> list[str]:
    a, b, found = _both(pl.read_parquet, ours, theirs)
    if a is None:
        return found
    try:
        polars.testing.assert_frame_equal(a, b, check_exact=True)
    except AssertionError as e:
        found.append(str(e))
    except pl.exceptions.PolarsError:  # types polars cannot compare
        if repr(a.to_dicts()) != repr(b.to_dicts()):
            found.append(f"values: {a.to_dicts()[:5]} != {b.to_dicts()[:5]}")
    return found


def _duckdb(ours: Path, theirs: Path) -> list[str]:
    def read(path: Path) -> tuple[Any, Any]:
        with duckdb.connect() as c:
            r = c.execute("SELECT * FROM read_parquet(?)", [str(path)])
            return [(d[0], str(d[1])) for d in r.description], r.fetchall()

    a, b, found = _both(read, ours, theirs)
    if a is None:
        return found
    if a[0] != b[0]:
        found.append(f"types: {a[0]} != {b[0]}")
    if repr(a[1]) != repr(b[1]):
        found.append(f"values: {a[1][:5]} != {b[1][:5]}")
    return found
