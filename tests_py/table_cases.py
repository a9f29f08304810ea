"""Columns of every type that pandas, polars and NumPy have, for the tests of tables."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

D = decimal.Decimal


def _arrow_backed(values: list[Any], dtype: pa.DataType) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, dtype)))


def _moments(dtype: pa.DataType) -> pd.Series:
    numbers = pa.array([1, None, 86_399], pa.int32() if dtype.bit_width == 32 else pa.int64())
    return pd.Series(pd.arrays.ArrowExtensionArray(numbers.cast(dtype)))


def pandas_columns() -> dict[str, pd.Series]:
    numbers = (
        "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 bool Int8 UInt64 Float32 boolean"
    )
    times = [f"{kind}[{unit}]" for kind in ("datetime64", "timedelta64") for unit in ("s", "ms", "us", "ns")]
    series = {name: pd.Series([1, 0, 1]).astype(name) for name in [*numbers.split(), *times]}
    series |= {name: pd.Series(["a", "b", None], dtype=name) for name in ("string", "category")}
    series |= {
        "str": pd.Series(["a", "b", None]),
        "uint64, largest": pd.Series([2**64 - 1, 0, 5], dtype="uint64"),
        "float64, special": pd.Series([float("nan"), float("-inf"), -0.0]),
        "nanoseconds": pd.Series(pd.to_datetime([1_577_836_800_123_456_789, None, 0])),
        "time zone": pd.Series(pd.date_range("2020-03-29", periods=3, tz="Europe/Berlin")),
        "time zone, nanoseconds": pd.Series(pd.to_datetime([1, 2, 3], utc=True)).dt.tz_convert("Asia/Kolkata"),
        "time offset": pd.Series(pd.date_range("2020-03-29", periods=3, tz=dt.timezone(dt.timedelta(hours=2)))),
        "category, ordered": pd.Series(pd.Categorical(["lo", "hi", None], ["lo", "mid", "hi"], ordered=True)),
        "category, with unused": pd.Series(pd.Categorical(["b", "a", "b"], ["z", "b", "a"])),
        "category of int": pd.Series(pd.Categorical([3, 1, 3], [3, 2, 1])),
        "category of float": pd.Series(pd.Categorical([1.5, 2.5, 1.5])),
        "category of bool": pd.Series(pd.Categorical([True, False, True])),
        "category of moments": pd.Series(pd.Categorical(pd.to_datetime(["2020-01-01", "2021-01-01", "2020-01-01"]))),
        "Decimal": pd.Series([D("1.23"), None, D("99999.01")]),
        "Decimal, 38 digits": pd.Series([D("1" * 38), None, D("-" + "9" * 38)]),
        "date": pd.Series([dt.date(2020, 1, 1), None, dt.date(1600, 1, 1)]),
        "time": pd.Series([dt.time(1, 2, 3, 4), None, dt.time(0)]),
        "datetime as object": pd.Series([dt.datetime(2020, 1, 1), None, dt.datetime(1600, 1, 1)], dtype=object),
        "bytes": pd.Series([b"a", None, b"\x00"]),
        "int as object": pd.Series([1, None, 2**60 + 1], dtype=object),
        "str as object": pd.Series(["a", None, "b"], dtype=object),
        "bool as object": pd.Series([True, None, False], dtype=object),
        "float as object": pd.Series([1.5, None, 2.5], dtype=object),
        "nothing": pd.Series([None, None, None], dtype=object),
        "list": pd.Series([[1, 2], None, []]),
        "dict": pd.Series([{"a": 1, "b": "x"}, None, {"a": 2, "b": None}]),
        "period": pd.Series(pd.period_range("2020", periods=3, freq="M")),
        "interval": pd.Series(pd.interval_range(0, 3)),
        "Int64": pd.Series([1, None, 2**60 + 1], dtype="Int64"),
        "boolean with nulls": pd.Series([True, None, False], dtype="boolean"),
        "string by python": pd.Series(["a", None, "b"], dtype=pd.StringDtype("python")),
        "string by pyarrow": pd.Series(["a", None, "b"], dtype=pd.StringDtype("pyarrow")),
    }
    for dtype in (pa.int8(), pa.uint64(), pa.float32()):
        series[f"arrow {dtype}"] = _arrow_backed([1, None, 0], dtype)
    for dtype in (pa.string(), pa.large_string()):
        series[f"arrow {dtype}"] = _arrow_backed(["a", None, "b"], dtype)
    for dtype in (
        pa.timestamp("s"),
        pa.timestamp("ns"),
        pa.timestamp("ms", "UTC"),
        pa.duration("ms"),
        pa.duration("ns"),
        pa.date32(),
        pa.time32("s"),
        pa.time32("ms"),
        pa.time64("us"),
        pa.time64("ns"),
    ):
        series[f"arrow {dtype}"] = _moments(dtype)
    series |= {
        "arrow bool": _arrow_backed([True, None, False], pa.bool_()),
        "arrow binary": _arrow_backed([b"a", None, b""], pa.binary()),
        "arrow list": _arrow_backed([[1], None, [2, 3]], pa.list_(pa.int64())),
        "arrow struct": _arrow_backed([{"a": 1}, None, {"a": 2}], pa.struct({"a": pa.uint16()})),
        "arrow decimal": _arrow_backed([D("1.5"), None, D("2.5")], pa.decimal128(9, 1)),
        "arrow dictionary": _arrow_backed(["a", None, "a"], pa.dictionary(pa.int32(), pa.string())),
    }
    return series


PANDAS_COLUMNS = pandas_columns()

PANDAS_INDEXES: dict[str, pd.Index] = {
    "default": pd.RangeIndex(3),
    "range": pd.RangeIndex(5, 11, 2, name="r"),
    "named": pd.Index(["a", "b", "c"], name="k"),
    "unnamed": pd.Index([3, 1, 2]),
    "multi": pd.MultiIndex.from_tuples([(1, "x"), (1, "y"), (2, "x")], names=["a", None]),
    "moments": pd.date_range("2020", periods=3, name="d", tz="Asia/Tokyo"),
    "category": pd.CategoricalIndex(["x", "y", "x"], ["y", "x"], name="c"),
    "period": pd.period_range("2020", periods=3, freq="Q"),
    "nullable": pd.Index([1, None, 3], dtype="Int64", name="n"),
    "arrow": pd.Index(pd.arrays.ArrowExtensionArray(pa.array([1, 2, 3], pa.uint8())), name="u"),
}

POLARS_COLUMNS: dict[str, pl.Series] = {
    str(dtype): pl.Series([1, 0, None], dtype=dtype)
    for dtype in (
        *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64),
        *(pl.Duration("ms"), pl.Duration("us"), pl.Duration("ns"), pl.Datetime("ms"), pl.Datetime("us")),
        *(pl.Datetime("ns"), pl.Datetime("us", "Asia/Tokyo"), pl.Datetime("ns", "UTC"), pl.Datetime("ms", "UTC")),
    )
} | {
    "Int128": pl.Series([2**100, -1, None], dtype=pl.Int128),
    "UInt64, largest": pl.Series([2**64 - 1, 0, None], dtype=pl.UInt64),
    "Float64, special": pl.Series([float("nan"), float("-inf"), -0.0]),
    "Boolean": pl.Series([True, None, False]),
    "String": pl.Series(["a", None, "longer than what a view holds within"]),
    "Binary": pl.Series([b"a", b"", None]),
    "Date": pl.Series([dt.date(2020, 1, 1), None, dt.date(1, 1, 1)]),
    "Time": pl.Series([dt.time(1, 2, 3), None, dt.time(23, 59, 59, 999_999)]),
    "Decimal": pl.Series([D("1.23"), None, D("-5.55")], dtype=pl.Decimal(20, 2)),
    "Categorical": pl.Series(["x", "y", None], dtype=pl.Categorical),
    "Enum": pl.Series(["a", "b", None], dtype=pl.Enum(["b", "a", "z"])),
    "Null": pl.Series([None, None, None], dtype=pl.Null),
    "Array": pl.Series([[1, 2], None, [3, 4]], dtype=pl.Array(pl.UInt8, 2)),
    "Array of arrays": pl.Series([[[1, 2], [3, 4]], [[5, 6], [7, 8]], None], dtype=pl.Array(pl.Int64, (2, 2))),
    "List": pl.Series([["a"], None, []], dtype=pl.List(pl.String)),
    "List of Enum": pl.Series([["a"], ["b"], None], dtype=pl.List(pl.Enum(["b", "a"]))),
    "List of Duration": pl.Series([[1], None, [2]], dtype=pl.List(pl.Duration("us"))),
    "Struct": pl.Series([{"a": 1, "b": ["x"]}, {"a": None, "b": None}, None]),
    "Struct of Categorical": pl.Series([{"c": "a"}, None, {"c": "b"}], dtype=pl.Struct({"c": pl.Categorical})),
}
if hasattr(pl, "Float16"):
    POLARS_COLUMNS["Float16"] = pl.Series([1.5, None, 2.0], dtype=pl.Float16)

NUMPY_OBJECTS: dict[str, Any] = {
    **{
        f"{name}": np.array([0, 1, 100]).astype(name)
        for name in [
            "i1",
            "i2",
            "i4",
            "i8",
            "u1",
            "u2",
            "u4",
            "u8",
            "f2",
            "f4",
            "f8",
            "?",
            ">i4",
            ">f8",
            "c8",
            "c16",
            "m8[ns]",
            "m8[s]",
            "m8[h]",
            "m8[D]",
        ]
    },
    **{
        f"datetime64[{u}]": np.array(["2020-01-02", "NaT", "1970-01-01"], f"M8[{u}]")
        for u in ["Y", "M", "W", "D", "h", "s", "ms", "us", "ns"]
    },
    "largest": np.array([2**64 - 1, 0], "u8"),
    "NaN": np.array([1.0, np.nan, -0.0]),
    "texts": np.array(["a", "bcd", ""]),
    "bytes": np.array([b"a", b"bc"]),
    "objects": np.array(["x", None, "y"], object),
    "scalar": np.array(3.5),
    "empty": np.array([], "i4"),
    "matrix": np.arange(6.0).reshape(2, 3),
    "matrix in Fortran's order": np.asfortranarray(np.arange(6, dtype="u2").reshape(2, 3)),
    "no columns": np.zeros((3, 0)),
    "no rows": np.zeros((0, 3), "f4"),
    "wide": np.arange(2400, dtype="i2").reshape(2, 1200),
    "cube": np.arange(24, dtype="u1").reshape(2, 3, 4),
    "complex cube": (np.arange(24) * 1j).reshape(2, 3, 4),
    "no rows, cube": np.zeros((0, 3, 4)),
    "structured": np.array([(1, 2.5, "a"), (3, 4.5, "b")], [("a", "i2"), ("b", "f4"), ("c", "U3")]),
    "masked": np.ma.array([1, 2, 3], mask=[0, 1, 0]),
    "dict": {"a": np.arange(3), "b": np.ones((3, 2, 2)), "c": np.array(["x", "y", "z"])},
    "dict of several lengths": {"a": np.arange(3), "b": np.ones((2, 2)), "s": np.array(1.5)},
}
