"""Frames of all kinds, by name. Those in LEFT_TO_THE_LIBRARY are written by the library itself."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

D = decimal.Decimal
BERLIN = ZoneInfo("Europe/Berlin")
FLOATS = [1.5, None, float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 5e-324, 1e308]
STRINGS = ["a", None, "", "é中😀", "x" * 5000, "a\0b", "\n", "B", "a"]
TIMES = [
    dt.datetime(2024, 3, 31, 1, 30, 0, 123456),
    None,
    dt.datetime(1969, 12, 31, 23, 59, 59),
    dt.datetime(2262, 1, 1),
]
ROWS = 9


def _fill(values: list[Any], n: int = ROWS) -> list[Any]:
    return [values[i % len(values)] for i in range(n)]


# ---------------------------------------------------------------------------------------------------- pandas

INTS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def _extremes(name: str) -> list[int]:
    info = np.iinfo(name)
    return [int(info.min), int(info.max), 0, 1, 7]


def _pandas_columns() -> dict[str, Callable[[], pd.Series]]:
    c: dict[str, Callable[[], pd.Series]] = {}
    for name in INTS:
        c[name] = lambda name=name: pd.Series(_fill(_extremes(name)), dtype=name)
        nullable = name.replace("int", "Int").replace("uI", "UI")
        c[nullable] = lambda name=name, n=nullable: pd.Series(_fill([*_extremes(name), None]), dtype=n)
        c[f"{name}[pyarrow]"] = lambda name=name: pd.Series(_fill([*_extremes(name), None]), dtype=f"{name}[pyarrow]")
    for name in ("float16", "float32", "float64"):
        c[name] = lambda name=name: pd.Series(_fill([x if x is not None else 2.5 for x in FLOATS[:7]]), dtype=name)
    for name in ("Float32", "Float64"):
        c[name] = lambda name=name: pd.Series(_fill([1.5, None, -2.0]), dtype=name)
    for name in ("float", "double"):
        c[f"{name}[pyarrow]"] = lambda name=name: pd.Series(_fill(FLOATS[:7]), dtype=f"{name}[pyarrow]")
    c["bool"] = lambda: pd.Series(_fill([True, False]))
    c["boolean"] = lambda: pd.Series(_fill([True, None, False]), dtype="boolean")
    c["bool[pyarrow]"] = lambda: pd.Series(_fill([True, None, False]), dtype="bool[pyarrow]")
    c["str"] = lambda: pd.Series(STRINGS, dtype="str")
    for name in ("string[python]", "string[pyarrow]", "object", "large_string[pyarrow]"):
        c[f"strings as {name}"] = lambda name=name: pd.Series(STRINGS, dtype=name)
    c["bytes"] = lambda: pd.Series(_fill([b"a", None, b"", b"\xff\0"]))
    c["binary[pyarrow]"] = lambda: pd.Series(_fill([b"a", None, b""]), dtype=pd.ArrowDtype(pa.binary()))
    c["fixed binary"] = lambda: pd.Series(_fill([b"abc", None, b"xyz"]), dtype=pd.ArrowDtype(pa.binary(3)))
    c["Decimal"] = lambda: pd.Series(_fill([D("1.23"), None, D("-45.6")]))
    c["decimal128[pyarrow]"] = lambda: pd.Series(_fill([D("1.23"), None]), dtype=pd.ArrowDtype(pa.decimal128(20, 2)))
    c["date"] = lambda: pd.Series(_fill([dt.date(2024, 1, 1), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)]))
    c["time"] = lambda: pd.Series(_fill([dt.time(1, 2, 3, 4), None, dt.time(0)]))
    for unit in ("s", "ms", "us", "ns"):
        c[f"datetime64[{unit}]"] = lambda u=unit: pd.Series(_fill(TIMES), dtype=f"datetime64[{u}]")
        c[f"datetime64[{unit}, Berlin]"] = lambda u=unit: pd.Series(
            _fill(TIMES), dtype=f"datetime64[{u}, Europe/Berlin]"
        )
        c[f"timedelta64[{unit}]"] = lambda u=unit: pd.Series(
            _fill([pd.Timedelta(5, "s"), None, pd.Timedelta(-3, "s")]), dtype=f"timedelta64[{u}]"
        )
        c[f"timestamp[{unit}][pyarrow]"] = lambda u=unit: (
            pd.Series(_fill(TIMES[:3]), dtype=pd.ArrowDtype(pa.timestamp(u, "UTC")))
            if u in ("us", "ns")
            else pd.Series(_fill([TIMES[2], None]), dtype=pd.ArrowDtype(pa.timestamp(u)))
        )
        c[f"duration[{unit}][pyarrow]"] = lambda u=unit: pd.Series(
            _fill([dt.timedelta(1), None]), dtype=pd.ArrowDtype(pa.duration(u))
        )
    c["fixed offset"] = lambda: pd.Series(_fill([pd.Timestamp("2024-01-01 12:00+05:30"), None]))
    c["category of strings"] = lambda: pd.Series(_fill(["b", "a", None]), dtype="category")
    c["category ordered"] = lambda: pd.Series(_fill(["lo", "hi", None])).astype(
        pd.CategoricalDtype(["lo", "mid", "hi"], ordered=True)
    )
    c["category of ints"] = lambda: pd.Series(_fill([3, 1, 2]), dtype="category")
    c["category of floats"] = lambda: pd.Series(_fill([3.5, 1.0, None]), dtype="category")
    c["category of timestamps"] = lambda: pd.Series(
        _fill([pd.Timestamp("2024-01-01"), pd.Timestamp("2023-01-01")]), dtype="category"
    )
    c["category of intervals"] = lambda: pd.cut(pd.Series(range(ROWS)), 3)
    c["category empty"] = lambda: pd.Series([None] * ROWS, dtype=pd.CategoricalDtype([]))
    c["period"] = lambda: pd.Series(pd.period_range("2024-01", periods=ROWS, freq="M"))
    c["interval"] = lambda: pd.Series(pd.interval_range(0, ROWS, periods=ROWS))
    c["lists"] = lambda: pd.Series(_fill([[1, 2], None, [], [None, 3]]))
    c["lists of strings"] = lambda: pd.Series(_fill([["a", None], None, []]))
    c["arrays"] = lambda: pd.Series(_fill([np.array([1.5, 2.5]), None, np.array([])]))
    c["dicts"] = lambda: pd.Series(_fill([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]))
    c["nested"] = lambda: pd.Series(_fill([[{"a": [1, 2], "b": None}], [], None, [None, {"a": [], "b": {"c": 1}}]]))
    c["all None"] = lambda: pd.Series([None] * ROWS, dtype=object)
    c["sparse"] = lambda: pd.Series(pd.arrays.SparseArray(_fill([0.0, 0.0, 1.0])))
    c["uuid"] = lambda: pd.Series(_fill([uuid.UUID(int=5), uuid.UUID(int=2**127)]))
    c["struct[pyarrow]"] = lambda: pd.Series(
        _fill([{"x": 1, "y": ["a"]}, None]),
        dtype=pd.ArrowDtype(pa.struct([("x", pa.int8()), ("y", pa.list_(pa.string()))])),
    )
    c["map[pyarrow]"] = lambda: pd.Series(
        _fill([[("k", 1), ("l", None)], None, []]), dtype=pd.ArrowDtype(pa.map_(pa.string(), pa.int32()))
    )
    c["dictionary[pyarrow]"] = lambda: pd.Series(
        pd.arrays.ArrowExtensionArray(pa.array(_fill(["a", None, "b"])).dictionary_encode())
    )
    return c


PANDAS_COLUMNS = _pandas_columns()


def pandas_column(name: str) -> pd.DataFrame:
    return pd.DataFrame({"column": PANDAS_COLUMNS[name](), "other": range(ROWS)})


def _with_attrs() -> pd.DataFrame:
    df = pd.DataFrame({"a": [1, 2]})
    df.attrs = {"source": "sensor", "n": [1, 2.5, None]}
    return df


def _random(n: int) -> pd.DataFrame:
    r = np.random.default_rng(n)
    return pd.DataFrame(
        {
            "i": r.integers(-5, 5, n),
            "f": np.where(r.random(n) < 0.1, np.nan, r.normal(size=n)),
            "s": pd.Series(r.choice(["x", "yy", "zzz"], n)).where(r.random(n) < 0.8),
            "c": pd.Categorical(r.choice(["lo", "hi"], n)),
            "t": pd.to_datetime(r.integers(0, 10**9, n), unit="s"),
            "b": pd.array(r.choice([True, False, None], n), dtype="boolean"),
            "l": [list(range(k)) if k else None for k in r.integers(0, 4, n)],
        }
    )


def _sliced() -> pd.DataFrame:
    return _random(100).iloc[13:77:3]


PANDAS_FRAMES: dict[str, Callable[[], pd.DataFrame]] = {
    "no rows": lambda: pd.DataFrame(
        {"a": pd.Series(dtype="int64"), "s": pd.Series(dtype="str"), "c": pd.Series(dtype="category")}
    ),
    "one row": lambda: pd.DataFrame({"a": [1]}),
    "attrs": _with_attrs,
    "named index": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name="key")),
    "unnamed index": lambda: pd.DataFrame({"a": [1, 2]}, index=[5, 6]),
    "string index": lambda: pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "range index": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(10, 30, 10, name="r")),
    "datetime index": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.date_range("2024", periods=2, tz="Asia/Seoul", freq="D")
    ),
    "MultiIndex": lambda: pd.DataFrame(
        {"a": range(4)}, index=pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["l", None])
    ),
    "categorical index": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.CategoricalIndex(["q", "p"])),
    "integer columns": lambda: pd.DataFrame([[1, 2], [3, 4]]),
    "column names": lambda: pd.DataFrame({"a.b": [1], "a": [2], "": [3], "ü €": [4], "a.b.c": [["x"]]}),
    "column level names": lambda: pd.DataFrame({"a": [1]}).rename_axis(columns="letters"),
    "MultiIndex columns": lambda: pd.DataFrame(np.eye(2), columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
    "sliced": _sliced,
    "mixed": lambda: _random(1000),
    "large": lambda: _random(20_000),
    "only index": lambda: pd.DataFrame(index=pd.Index(["x", "y"], name="k")),
    "empty": lambda: pd.DataFrame(),
    "rows without columns": lambda: pd.DataFrame(index=range(3)),
}

# ---------------------------------------------------------------------------------------------------- polars


def _polars_columns() -> dict[str, Callable[[], pl.Series]]:
    c: dict[str, Callable[[], pl.Series]] = {}
    for name in INTS:
        dtype = getattr(pl, name.replace("int", "Int").replace("uI", "UI"))
        c[str(dtype)] = lambda name=name, d=dtype: pl.Series(_fill([*_extremes(name), None]), dtype=d)
    for dtype in (pl.Float32, pl.Float64):
        c[str(dtype)] = lambda d=dtype: pl.Series(_fill(FLOATS[:7]), dtype=d)
    if hasattr(pl, "Float16"):
        c["Float16"] = lambda: pl.Series(_fill(FLOATS[:7]), dtype=pl.Float16)
    if hasattr(pl, "UInt128"):
        c["UInt128"] = lambda: pl.Series(_fill([1, None, 2**100]), dtype=pl.UInt128)
    if hasattr(pl, "Int128"):
        c["Int128"] = lambda: pl.Series(_fill([1, None, -(2**100)]), dtype=pl.Int128)
    c["Boolean"] = lambda: pl.Series(_fill([True, None, False]))
    c["String"] = lambda: pl.Series(STRINGS)
    c["Binary"] = lambda: pl.Series(_fill([b"a", None, b"", b"\xff" * 40]))
    c["Date"] = lambda: pl.Series(_fill([dt.date(2024, 1, 1), None, dt.date(1, 1, 1)]))
    c["Time"] = lambda: pl.Series(_fill([dt.time(1, 2, 3, 4), None, dt.time(0)]))
    for unit in ("ms", "us", "ns"):
        c[f"Datetime({unit})"] = lambda u=unit: pl.Series(_fill(TIMES), dtype=pl.Datetime(u))
        c[f"Datetime({unit}, Berlin)"] = lambda u=unit: pl.Series(
            _fill(TIMES), dtype=pl.Datetime(u)
        ).dt.replace_time_zone("Europe/Berlin", ambiguous="earliest", non_existent="null")
        c[f"Duration({unit})"] = lambda u=unit: pl.Series(
            _fill([dt.timedelta(1), None, dt.timedelta(-1)]), dtype=pl.Duration(u)
        )
    c["Categorical"] = lambda: pl.Series(_fill(["b", None, "a", ""]), dtype=pl.Categorical)
    c["Enum"] = lambda: pl.Series(_fill(["a", None, "b"]), dtype=pl.Enum(["b", "zz", "a"]))
    for p, s in ((5, 2), (9, 0), (10, 2), (18, 18), (19, 3), (38, 5)):
        c[f"Decimal({p}, {s})"] = lambda p=p, s=s: pl.Series(
            _fill([D(12).scaleb(-s), None, D(-99999).scaleb(-s)]), dtype=pl.Decimal(p, s)
        )
    c["Null"] = lambda: pl.Series([None] * ROWS, dtype=pl.Null)
    c["Object"] = lambda: pl.Series([{"any"}] * ROWS, dtype=pl.Object)
    c["List(Int64)"] = lambda: pl.Series(_fill([[1, 2], None, [], [None]]), dtype=pl.List(pl.Int64))
    c["List(String)"] = lambda: pl.Series(_fill([["a", None, "x" * 20], None, []]), dtype=pl.List(pl.String))
    c["List(List(Int8))"] = lambda: pl.Series(
        _fill([[[1], [], None], None, [], [[2, 3]]]), dtype=pl.List(pl.List(pl.Int8))
    )
    c["List(Categorical)"] = lambda: pl.Series(_fill([["a", None], None, ["b"]]), dtype=pl.List(pl.Categorical))
    c["List(Enum)"] = lambda: pl.Series(_fill([["a", None], None, ["b"]]), dtype=pl.List(pl.Enum(["a", "b"])))
    c["List(Struct)"] = lambda: pl.Series(_fill([[{"a": 1, "b": "x"}, None], None, []]))
    c["List(Null)"] = lambda: pl.Series(_fill([[None], None, []]), dtype=pl.List(pl.Null))
    c["Array(Int64, 2)"] = lambda: pl.Series(_fill([[1, 2], None, [None, 4]]), dtype=pl.Array(pl.Int64, 2))
    c["Array(String, 1)"] = lambda: pl.Series(_fill([["a"], None, [None]]), dtype=pl.Array(pl.String, 1))
    c["Array(Array)"] = lambda: pl.Series(_fill([[[1, 2], [3, 4]], None]), dtype=pl.Array(pl.Int64, (2, 2)))
    c["Struct"] = lambda: pl.Series(_fill([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]))
    c["Struct nested"] = lambda: pl.Series(
        _fill([{"a": {"b": [1, 2], "c": None}, "d": dt.date(2024, 1, 1)}, None, {"a": None, "d": None}]),
        dtype=pl.Struct({"a": pl.Struct({"b": pl.List(pl.Int16), "c": pl.Categorical}), "d": pl.Date}),
    )
    c["Int128 nested"] = lambda: pl.Series(_fill([[1], None]), dtype=pl.List(pl.Int128))
    c["all null"] = lambda: pl.Series([None] * ROWS, dtype=pl.String)
    return c


POLARS_COLUMNS = _polars_columns()


def polars_column(name: str) -> pl.DataFrame:
    return pl.DataFrame({"column": POLARS_COLUMNS[name](), "other": range(ROWS)})


def _polars_mixed(n: int = 1000) -> pl.DataFrame:
    df = pl.from_pandas(_random(n))
    return df.with_columns(a=pl.concat_list("i", "i").list.to_array(2), d=pl.struct("i", "s"))


def _polars_chunked() -> pl.DataFrame:
    parts = [_polars_mixed(k) for k in (1, 10, 300, 7)]
    return pl.concat(parts, rechunk=False)


POLARS_FRAMES: dict[str, Callable[[], pl.DataFrame]] = {
    "no rows": lambda: _polars_mixed(5).clear(),
    "one row": lambda: _polars_mixed(1),
    "mixed": _polars_mixed,
    "large": lambda: _polars_mixed(20_000),
    "chunked": _polars_chunked,
    "sliced": lambda: _polars_mixed(100)[13:77],
    "chunked and sliced": lambda: _polars_chunked()[5:250],
    "column names": lambda: pl.DataFrame({"a.b": [1], "a": [2], "": [3], "ü €": [4]}),
    "empty": lambda: pl.DataFrame(),
}

# --------------------------------------------------------------------------------------------------- pyarrow


def _arrow_columns() -> dict[str, Callable[[], pa.Array]]:
    c: dict[str, Callable[[], pa.Array]] = {}

    def add(values: list[Any], *types: pa.DataType) -> None:
        for t in types:
            c[str(t)] = lambda v=values, t=t: pa.array(_fill(v), t)

    add([None], pa.null())
    add([True, None, False], pa.bool_())
    for name in INTS:
        add([*_extremes(name), None], getattr(pa, name)())
    add([np.float16(1.5), None, np.float16(-0.0)], pa.float16())
    add(FLOATS[:7], pa.float32(), pa.float64())
    add(STRINGS, pa.string(), pa.large_string(), pa.string_view())
    add([b"a", None, b"", b"\xff" * 30], pa.binary(), pa.large_binary(), pa.binary_view())
    add([b"abc", None], pa.binary(3))
    add([dt.date(2024, 1, 1), None, dt.date(1, 1, 1)], pa.date32(), pa.date64())
    add([dt.time(1, 2, 3), None], pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))
    for unit in ("s", "ms", "us", "ns"):
        add([TIMES[2], None], pa.timestamp(unit), pa.timestamp(unit, "UTC"), pa.timestamp(unit, "+05:30"))
        add([dt.timedelta(1), None, dt.timedelta(-1)], pa.duration(unit))
    add(
        [D("1.23"), None, D("-9.99")],
        pa.decimal128(5, 2),
        pa.decimal128(18, 2),
        pa.decimal128(38, 2),
        pa.decimal256(60, 2),
    )
    if hasattr(pa, "decimal32"):
        add([D("1.23"), None, D("-9.99")], pa.decimal32(5, 2), pa.decimal64(18, 2), pa.decimal32(9, 2))
    c["decimal128 negative scale"] = lambda: pa.array(_fill([D("1E3"), None]), pa.decimal128(5, -3))
    add([[1, None], None, []], pa.list_(pa.int64()), pa.large_list(pa.int64()), pa.list_view(pa.int64()))
    add([[1, None], None, [3, 4]], pa.list_(pa.int32(), 2))
    add([["a", None], None, []], pa.list_(pa.string_view()), pa.list_(pa.dictionary(pa.int8(), pa.string())))
    add([{"a": 1, "b": ["x", None]}, None, {}], pa.struct([("a", pa.int8()), ("b", pa.list_(pa.string()))]))
    add([[("k", 1), ("l", None)], None, []], pa.map_(pa.string(), pa.int32()))
    add([{"m": [("k", [1])], "t": dt.datetime(2024, 1, 1)}, None],
        pa.struct([("m", pa.map_(pa.string(), pa.list_(pa.int64()))), ("t", pa.timestamp("ns", "UTC"))]))  # fmt: skip
    for values in (pa.array(["b", "a", "c"]), pa.array([3, 1, 2]), pa.array([b"x", b"y", b"z"], pa.large_binary())):
        for ordered in (False, True):
            c[f"dictionary of {values.type}, ordered={ordered}"] = lambda v=values, o=ordered: (
                pa.DictionaryArray.from_arrays(pa.array(_fill([2, None, 0, 1]), pa.int16()), v, ordered=o)
            )
    c["dictionary with null"] = lambda: pa.DictionaryArray.from_arrays(
        pa.array(_fill([0, 1, None]), pa.int8()), pa.array(["a", None])
    )
    c["dictionary with duplicates"] = lambda: pa.DictionaryArray.from_arrays(
        pa.array(_fill([0, 1, 2]), pa.int8()), pa.array(["a", "b", "a"])
    )
    c["run_end_encoded"] = lambda: pa.RunEndEncodedArray.from_arrays(
        pa.array([4, ROWS], pa.int32()), pa.array(["a", "b"])
    )
    c["union"] = lambda: pa.UnionArray.from_sparse(pa.array([0] * ROWS, pa.int8()), [pa.array(range(ROWS))])
    c["empty struct"] = lambda: pa.array([{}] * ROWS, pa.struct([]))
    c["dictionary of structs"] = lambda: pa.DictionaryArray.from_arrays(pa.array([0] * ROWS), pa.array([{"a": 1}]))
    if hasattr(pa, "uuid"):
        c["uuid"] = lambda: pa.ExtensionArray.from_storage(
            pa.uuid(), pa.array(_fill([b"0123456789abcdef", None]), pa.binary(16))
        )
    if hasattr(pa, "json_"):
        c["json"] = lambda: pa.ExtensionArray.from_storage(pa.json_(), pa.array(_fill(['{"a":1}', None])))
    if hasattr(pa, "bool8"):
        c["bool8"] = lambda: pa.ExtensionArray.from_storage(pa.bool8(), pa.array(_fill([1, 0, None]), pa.int8()))
    c["sliced list"] = lambda: pa.array([[9], [1, 2], None, [], [3], *[[k] for k in range(20)]])[1 : 1 + ROWS]
    c["sliced struct"] = lambda: pa.array([{"a": k, "b": [str(k)]} if k % 4 else None for k in range(30)])[3 : 3 + ROWS]
    return c


ARROW_COLUMNS = _arrow_columns()


def arrow_column(name: str) -> pa.Table:
    return pa.table({"column": ARROW_COLUMNS[name](), "other": pa.array(range(ROWS))})


def _arrow_chunked() -> pa.Table:
    parts = [pa.Table.from_pandas(_random(k), preserve_index=False) for k in (3, 1, 400)]
    return pa.concat_tables([p.replace_schema_metadata(None) for p in parts])


def _null_list_with_elements() -> pa.Table:
    offsets = pa.array([0, 2, 4, 5])
    lists = pa.ListArray.from_arrays(offsets, pa.array([1, 2, 3, 4, 5]), mask=pa.array([False, True, False]))
    return pa.table({"l": lists})


ARROW_FRAMES: dict[str, Callable[[], pa.Table | pa.RecordBatch]] = {
    "chunked": _arrow_chunked,
    "sliced": lambda: _arrow_chunked()[2:100],
    "no rows": lambda: _arrow_chunked()[:0],
    "no chunks": lambda: _arrow_chunked().schema.empty_table(),
    "record batch": lambda: _arrow_chunked().combine_chunks().to_batches()[0],
    "schema metadata": lambda: pa.table({"a": [1]}).replace_schema_metadata({"k": "v", "ü": "€"}),
    "field metadata": lambda: pa.table([[1]], schema=pa.schema([pa.field("a", pa.int64(), metadata={"unit": "m"})])),
    "field ids": lambda: pa.table(
        [[1]], schema=pa.schema([pa.field("a", pa.int64(), metadata={"PARQUET:field_id": "7"})])
    ),
    "not nullable": lambda: pa.table([[1, 2]], schema=pa.schema([pa.field("a", pa.int64(), nullable=False)])),
    "not nullable struct": lambda: pa.table(
        [pa.array([{"x": 1}, None], pa.struct([pa.field("x", pa.int64(), nullable=False)]))], names=["a"]
    ),
    "same names": lambda: pa.table([[1], ["x"]], names=["a", "a"]),
    "null list with elements": _null_list_with_elements,
    "empty": lambda: pa.table({}),
}

LEFT_TO_THE_LIBRARY = {
    ("pandas", "rows without columns"),
    ("polars", "Int128"),
    ("polars", "UInt128"),
    ("polars", "Int128 nested"),
    ("polars", "Object"),
    ("pyarrow", "list_view<item: int64>"),
    ("pyarrow", "run_end_encoded"),
    ("pyarrow", "union"),
    ("pyarrow", "empty struct"),
    ("pyarrow", "dictionary of structs"),
    ("pyarrow", "decimal128 negative scale"),
}
