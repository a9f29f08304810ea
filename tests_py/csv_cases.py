"""Frames that are hard to write as CSV, for the oracle tests."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.1, 0.01, 0.001, 1e-4, 9.999999999999999e-05, 1e-5, 1.2e-5, 1e-6, 1e-7, 5e-324, 2.2250738585072014e-308,
    2.225073858507201e-308, 1.7976931348623157e308, 1e15, 9999999999999998.0, 1e16, 1e17, 1.5e17, 1e21, 1e22, 1e23, 123456789.125,
    4.35, 2.675, 1.005, 0.3, 1 / 3, 2 / 3, 100.0, 1234.5, 99.99, 0.5, 1.5, 2.5, 0.125, 2**53.0, 2**53 + 2.0, 2.0**-44, float("inf"),
    float("-inf"), float("nan"), None, 1e12, 1e13, 1e14, 12345678.9, 3.14, 1e100, -1e-300, 16777216.0, 1e10,
]  # fmt: skip

TEXTS = [
    "", "plain", "with space", " leading", "trailing ", "comma,", ",", '"', '""', 'a"b', '"quoted"', "line\nend", "\n", "return\r", "\r",
    "\r\n", "tab\t", "semi;colon", "pipe|", "'single'", "#comment", "=SUM(A1)", "-1", "1.5", "NaN", "null", "None", "\\", "\\n", "é",
    "日本語", "🦫", "e\u0301", "\u2028", "\u2029", "\x85", "\ufeffbom", "\u00a0", "x" * 7, "x" * 8, "x" * 9, "x" * 15 + ",", "x" * 16,
    "x" * 100, "nul\0", "12345678\"", "1234567,", "abcdefgh\ncdefghij", None,
]  # fmt: skip

RNG = np.random.default_rng(7)


def objects(values: list[Any]) -> pd.Series:
    """A column of Python objects, which pandas 3 takes for strings if it may."""
    return pd.Series(values, dtype=object)


def pandas_frames() -> dict[str, tuple[pd.DataFrame, bool | None]]:
    """Name -> frame, and whether Go writes it if the keyword arguments let it; ``None`` if other columns decide."""
    floats = np.array([np.nan if x is None else x for x in FLOATS])
    random_bits = RNG.integers(0, 2**64, 5000, dtype=np.uint64).view(np.float64)
    with np.errstate(all="ignore"):
        narrow = pd.DataFrame({"f32": floats.astype(np.float32), "f16": floats.astype(np.float16)})
    ints = {
        k: np.array([np.iinfo(k).min, np.iinfo(k).max, 0, 1, 9, 10, 99, 100], dtype=k) for k in ("i1", "i2", "i4", "i8")
    }
    uints = {k: np.array([0, np.iinfo(k).max, 7, 10, 42, 99, 100, 101], dtype=k) for k in ("u1", "u2", "u4", "u8")}
    moments = np.array(
        [
            "2024-02-29T23:59:59.123456789",
            "1970-01-01",
            "1969-12-31T23:59:59.999",
            "2262-04-11T23:47:16.854775807",
            "NaT",
        ],
        "M8[ns]",
    )
    days = np.array(["2024-02-29", "1970-01-01", "NaT", "1969-12-31", "2000-12-31"], "M8[ns]")
    wide = pd.DataFrame(RNG.normal(size=(7, 700)).round(3))
    base = pd.DataFrame({"i": [1, 2, 3], "f": [0.5, np.nan, 2.0], "s": ["a", None, "b,c"], "b": [True, False, True]})
    mixed_times = pd.DataFrame(
        {
            "ns": moments, "us": moments.astype("M8[us]"), "ms": moments.astype("M8[ms]"), "s": moments.astype("M8[s]"),
            "day_ns": days, "day_s": days.astype("M8[s]"), "nat": np.full(5, "NaT", "M8[ns]"),
        }
    )  # fmt: skip
    # More rows than pandas converts at once: the digits of timestamps change in the middle of the frame.
    long_times = pd.DataFrame(
        {
            "t": pd.date_range("2000-01-01", periods=120_000, freq="h").to_numpy().astype("M8[us]"),
            "d": pd.date_range("1800-01-01", periods=120_000, freq="D", unit="s").to_numpy(),
        }
    )
    long_times.loc[60_001, "t"] += pd.Timedelta(microseconds=1)
    long_times.loc[99_999, "d"] += pd.Timedelta(seconds=1)
    old = pd.DataFrame(
        {"t": np.array(["0001-01-01", "0999-12-31", "-0044-03-15", "12024-01-02", "9999-12-31"], "M8[s]")}
    )
    go = {
        "base": base,
        "floats": pd.DataFrame({"x": floats, "y": floats[::-1]}),
        "floats_one_column": pd.DataFrame({"x": floats}),
        "float_bits": pd.DataFrame({"x": random_bits}),
        "float32_bits": pd.DataFrame({"x": RNG.integers(0, 2**32, 20000, dtype=np.uint32).view(np.float32)}),
        "float16_bits": pd.DataFrame({"x": np.arange(65536).astype(np.uint16).view(np.float16)}),
        "narrow_floats": narrow,
        "ints": pd.DataFrame(ints),
        "uints": pd.DataFrame(uints),
        "bools": pd.DataFrame({"a": [True, False], "b": [False, True]}),
        "texts": pd.DataFrame({"s": TEXTS, "n": range(len(TEXTS))}),
        "texts_one_column": pd.DataFrame({"s": TEXTS}),
        "texts_object": pd.DataFrame({"s": objects(TEXTS), "t": objects(TEXTS[::-1])}),
        "texts_missing_kinds": pd.DataFrame({"s": objects(["a", None, np.nan, pd.NA, "b"]), "i": range(5)}),
        "object_bools": pd.DataFrame({"o": objects([True, False, None])}),
        "texts_python": pd.DataFrame({"s": pd.array(TEXTS, dtype="string[python]")}),
        "texts_pyarrow": pd.DataFrame({"s": pd.array(TEXTS, dtype="string[pyarrow]"), "i": range(len(TEXTS))}),
        "texts_chunked": pd.concat([pd.DataFrame({"s": TEXTS, "t": days[0]})] * 3, ignore_index=True),
        "all_missing": pd.DataFrame({"o": [None, None], "f": [np.nan, np.nan], "t": np.array(["NaT"] * 2, "M8[us]")}),
        "times": mixed_times,
        "times_long": long_times,
        "times_one_column": pd.DataFrame({"t": days}),
        "dates_old": old,
        "times_old": pd.DataFrame({"t": old["t"].to_numpy() + np.timedelta64(1, "s")}),
        "nullable": pd.DataFrame(
            {
                "I": pd.array([1, None, -(2**63)], dtype="Int64"), "u": pd.array([255, None, 0], dtype="UInt8"),
                "F": pd.array([0.1, None, 1e300], dtype="Float64"), "g": pd.array([0.1, None, 1e30], dtype="Float32"),
                "B": pd.array([True, None, False], dtype="boolean"),
            }
        ),
        "categories": pd.DataFrame(
            {
                "s": pd.Categorical(["b", None, "a,a", "b", ""]), "i": pd.Categorical([3, 1, None, 3, 1]),
                "o": pd.Categorical(["x", "y", "x", "y", "x"], categories=["z", "y", "x"], ordered=True), "b": pd.Categorical([True, False, None, True, True]),
                "n": pd.Categorical([None] * 5),
            }
        ),
        "arrow": pd.DataFrame(
            {
                "i": pd.array([1, None, 3], dtype="int32[pyarrow]"), "f": pd.array([0.1, None, 1e16], dtype="double[pyarrow]"),
                "s": pd.array(["a", None, 'b"'], dtype=pd.ArrowDtype(pa.string())),
                "b": pd.array([True, None, False], dtype="bool[pyarrow]"), "d": pd.array([dt.date(2024, 2, 29), None, dt.date(1, 1, 1) if pd.__version__ >= "3.1" else dt.date(1000, 1, 1)], dtype="date32[pyarrow]"),
            }
        ),
        "index_strings": base.set_index(pd.Index(["x", "y,", None], name="key")),
        "index_times": base.set_index(pd.DatetimeIndex(days[:3], name="when")),
        "index_floats": base.set_index(pd.Index([0.1, np.nan, 1e20])),
        "index_named_number": base.set_index(pd.Index([1, 2, 3], name=5)),
        "index_categories": base.set_index(pd.CategoricalIndex(["x", "y", "x"], name="c")),
        "index_bools": base.set_index(pd.Index([True, False, True])),
        "multi_index": base.set_index(pd.MultiIndex.from_tuples([("a", 1), ("b", 2), (None, 3)], names=["k", None])),
        "multi_index_times": base.set_index(
            pd.MultiIndex.from_arrays([moments[:3], days[:3], [0.5, 1e20, -0.0], [True, False, True]], names=["t", "d", "f", "b"])
        ),
        "multi_index_unused": pd.DataFrame(
            {"v": range(4)}, index=pd.MultiIndex.from_product([pd.DatetimeIndex(["2024-01-01", "2024-01-01 00:00:01.500"]), ["a", "b"]])
        ).iloc[:2],
        "columns_numbers": pd.DataFrame(np.arange(6).reshape(2, 3)),
        "columns_duplicate": pd.DataFrame([[1, 2.5, "x"]], columns=["a", "a", "b"]),
        "columns_odd": pd.DataFrame([[1, 2, 3, 4]], columns=["", "a,b", 'q"', "line\nend"]),
        "columns_mixed": pd.DataFrame([[1, 2]], columns=["a", 3]),
        "column_without_name": pd.DataFrame({"": [1, 2]}),
        "wide": wide,
        "empty": base.iloc[:0],
        "no_rows_at_all": pd.DataFrame({"a": [], "b": np.array([], "M8[ns]"), "c": pd.Categorical([])}),
        "sliced": pd.concat([base] * 20, ignore_index=True).iloc[7:43:3],
        "transposed": pd.DataFrame(np.arange(12.0).reshape(4, 3)).T,
        "fortran": pd.DataFrame(np.asfortranarray(RNG.normal(size=(50, 4)))),
        "random": pd.DataFrame({"a": RNG.normal(size=3000), "b": RNG.integers(0, 10**6, 3000), "c": RNG.random(3000).round(2)}),
    }  # fmt: skip
    other = {
        "zones": pd.DataFrame({"t": pd.to_datetime(["2024-03-31", "2024-10-27"]).tz_localize("Europe/Berlin")}),
        "durations": pd.DataFrame({"d": pd.to_timedelta(["1 day", None, "0.5 s"])}),
        "periods": pd.DataFrame({"p": pd.period_range("2024-01", periods=3, freq="M")}),
        "intervals": pd.DataFrame({"i": pd.interval_range(0, 3)}),
        "complex": pd.DataFrame({"c": [1 + 2j, -0.0j]}),
        "mixed_objects": pd.DataFrame({"o": ["a", 1, 2.5, None, b"x", [1, 2], {"k": 1}, dt.date(2024, 1, 1)]}),
        "bytes": pd.DataFrame({"o": objects([b"x", b"y"])}),
        "object_ints": pd.DataFrame({"o": objects([1, 2**70])}),
        "decimals": pd.DataFrame({"o": [decimal.Decimal("1.10"), None]}),
        "float_categories": pd.DataFrame({"c": pd.Categorical([1.5, None, 1e20])}),
        "time_categories": pd.DataFrame({"c": pd.Categorical(moments)}),
        "arrow_times": pd.DataFrame({"t": pd.array(moments, dtype="timestamp[ns][pyarrow]")}),
        "sparse": pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])}),
        "big_endian": pd.DataFrame({"x": np.array([1, 2], ">i4")}),
        "multi_columns": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
        "column_labels_times": pd.DataFrame([[1, 2]], columns=pd.to_datetime(["2024-01-01", "2024-01-02"])),
        "column_label_none": pd.DataFrame([[1, 2]], columns=["a", None]),
        "surrogate": pd.DataFrame({"s": objects(["\ud800", "x"])}),
        "no_columns": base.iloc[:, :0],
        "one_level_multi_index": pd.DataFrame({"v": range(3)}, index=pd.MultiIndex.from_arrays([["a", "b", "c"]])),
    }  # fmt: skip
    # pandas before 3.0 writes these as NumPy does.
    narrow_arrow = pd.DataFrame({"g": pd.array([0.1, None, 1e16], dtype="float[pyarrow]")})
    (go if pd.__version__ >= "3" else other)["arrow_float32"] = narrow_arrow
    # Columns or headers whose fields pandas makes, where Go has others to write.
    by_column = {
        "zones", "durations", "periods", "intervals", "complex", "mixed_objects", "bytes", "object_ints", "decimals", "float_categories",
        "time_categories", "arrow_times", "sparse", "big_endian", "arrow_float32", "multi_columns", "column_labels_times", "column_label_none",
        "one_level_multi_index",
    }  # fmt: skip
    return {k: (v, True) for k, v in go.items()} | {k: (v, None if k in by_column else False) for k, v in other.items()}


PANDAS_ARGUMENTS: dict[str, tuple[dict[str, Any], bool | None]] = {
    "plain": ({}, True),
    "no_index": ({"index": False}, True),
    "semicolon": ({"sep": ";"}, True),
    "tab": ({"sep": "\t", "index": False}, True),
    "space": ({"sep": " "}, True),
    "point": ({"sep": ".", "na_rep": "."}, True),
    "digit": ({"sep": "1"}, True),
    "letter": ({"sep": "e", "na_rep": "None"}, True),
    "na_rep": ({"na_rep": "NA"}, True),
    "na_rep_quoted": ({"na_rep": 'N,"A'}, True),
    "float_format": ({"float_format": "%.2f", "na_rep": "-"}, True),
    "float_format_whole": ({"float_format": "%.0f"}, True),
    "float_format_long": ({"float_format": "%.17f"}, True),
    "float_format_e": ({"float_format": "%.3e"}, True),
    "float_format_g": ({"float_format": "%g"}, True),
    "no_header": ({"header": False}, True),
    "no_header_no_index": ({"header": False, "index": False}, True),
    "index_label": ({"index_label": "id,"}, True),
    "index_label_none": ({"index_label": False}, True),
    "defaults": (
        {
            "mode": "w", "encoding": "utf-8", "compression": None, "quoting": 0, "quotechar": '"', "lineterminator": "\n", "date_format": None,
            "doublequote": True, "escapechar": None, "decimal": ".", "errors": "strict", "storage_options": None,
        },
        True,
    ),
    "chunksize": ({"chunksize": 2, "index": False}, True),
    "chunksize_big": ({"chunksize": 70_000}, True),
    "quote_all": ({"quoting": 1}, True),
    "quote_nonnumeric": ({"quoting": 2}, None),
    "quotechar": ({"quotechar": "'"}, True),
    "crlf": ({"lineterminator": "\r\n"}, True),
    "date_format": ({"date_format": "%d.%m.%Y"}, None),
    "decimal": ({"decimal": ",", "sep": ";"}, None),
    "utf16": ({"encoding": "utf-16"}, False),
    "float_format_function": ({"float_format": "{:.3f}".format}, None),
    "float_format_width": ({"float_format": "%8.3f"}, None),
    "float_format_plus": ({"float_format": "%+.3f"}, None),
}  # fmt: skip


def polars_frames() -> dict[str, tuple[pl.DataFrame, bool | None]]:
    """Name -> frame, and whether Go writes it."""
    moments = [
        dt.datetime(2024, 2, 29, 23, 59, 59, 123456),
        dt.datetime(1970, 1, 1),
        None,
        dt.datetime(1, 1, 1),
        dt.datetime(9999, 12, 31, 23),
    ]
    texts = pl.Series("s", TEXTS)
    floats = pl.Series("x", FLOATS, dtype=pl.Float64)
    integers = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64]
    base = pl.DataFrame(
        {"i": [1, 2, None], "f": [0.5, None, float("nan")], "s": ["a", None, ""], "b": [True, False, None]}
    )
    go = {
        "base": base,
        "zones_beside": base.with_columns(t=pl.Series([moments[0]] * 3).dt.replace_time_zone("Asia/Seoul")),
        "kinds_beside": base.with_columns(
            c=pl.Series([dt.time(1, 2, 3), None, dt.time(0)]), d=pl.Series([decimal.Decimal("1.10"), None, decimal.Decimal(2)]),
            e=pl.Series([dt.timedelta(1), None, dt.timedelta(microseconds=-1)]),
        ),
        "floats": floats.to_frame(),
        "floats32": pl.DataFrame({"x": floats.cast(pl.Float32), "y": 1}),
        "float_bits": pl.DataFrame({"x": RNG.integers(0, 2**64, 5000, dtype=np.uint64).view(np.float64)}),
        "float32_bits": pl.DataFrame({"x": RNG.integers(0, 2**32, 20000, dtype=np.uint32).view(np.float32)}),
        "ints": pl.DataFrame({str(t): pl.Series([0, 1, 9, 10, 99, 100, None], dtype=t) for t in integers}),
        "limits": pl.from_numpy(np.array([(np.iinfo(k).min, np.iinfo(k).max) for k in ("i1", "i2", "i4", "i8")])).vstack(
            pl.DataFrame({"column_0": [0] * 3, "column_1": [255, 65535, 2**32 - 1]})
        ),
        "limits_unsigned": pl.DataFrame({"u": pl.Series([0, 2**64 - 1], dtype=pl.UInt64)}),
        "texts": pl.DataFrame({"s": texts, "n": range(len(TEXTS))}),
        "texts_one_column": texts.to_frame(),
        "categorical": pl.DataFrame({"c": texts.cast(pl.Categorical), "i": 1}),
        "enum": pl.DataFrame({"c": pl.Series(["b", None, "a,"], dtype=pl.Enum(["a,", "b", "c"]))}),
        "dates": pl.DataFrame({"d": pl.Series([0, -1, -719_528, -719_529, 2_932_896, 2_932_897, 10**7, None]).cast(pl.Date)}),
        "times_ms": pl.DataFrame({"t": pl.Series(moments, dtype=pl.Datetime("ms"))}),
        "times_us": pl.DataFrame({"t": pl.Series(moments, dtype=pl.Datetime("us")), "i": 1}),
        "times_ns": pl.DataFrame({"t": pl.Series([0, -1, 2**62, -(2**62), None]).cast(pl.Datetime("ns"))}),
        "nulls": pl.DataFrame({"n": [None, None], "i": [1, 2]}),
        "nulls_only": pl.DataFrame({"n": [None, None]}),
        "empty": base.clear(),
        "empty_texts": pl.DataFrame({"s": ["", "", None]}),
        "columns_odd": pl.DataFrame({"": [1], "a,b": [2], 'q"': [3], "line\nend": [4]}),
        "wide": pl.DataFrame({f"c{i}": [i, None, i * 2] for i in range(700)}),
        "chunks": pl.concat([base] * 5, rechunk=False),
        "sliced": pl.concat([base] * 50).slice(7, 91),
        "gathered": pl.concat([base] * 50).gather_every(3, 1),
        "random": pl.DataFrame({"a": RNG.normal(size=3000), "b": RNG.integers(0, 10**6, 3000), "c": RNG.random(3000).round(2)}),
    }  # fmt: skip
    if hasattr(pl, "Float16"):
        halves = pl.Series(np.arange(65536).astype(np.uint16).view(np.float16).astype(np.float64)).cast(pl.Float16)
        go["floats16"] = pl.DataFrame({"x": halves})
    other = {
        "zones": pl.DataFrame({"t": pl.Series(moments[:2]).dt.replace_time_zone("Asia/Seoul")}),
        "clock": pl.DataFrame({"t": [dt.time(1, 2, 3), None]}),
        "decimal": pl.DataFrame({"d": pl.Series([decimal.Decimal("1.10"), None])}),
        "list": pl.DataFrame({"l": [[1], None]}),
        "struct": pl.DataFrame({"l": [{"a": 1}]}),
        "duration": pl.DataFrame({"l": [dt.timedelta(1)]}),
        "binary": pl.DataFrame({"b": [b"x"]}),
        "no_columns": pl.DataFrame(),
    }
    by_column = {"zones", "clock", "decimal", "duration"}
    return {k: (v, True) for k, v in go.items()} | {k: (v, None if k in by_column else False) for k, v in other.items()}


POLARS_ARGUMENTS: dict[str, tuple[dict[str, Any], bool | None]] = {
    "plain": ({}, True),
    "semicolon": ({"separator": ";"}, True),
    "tab": ({"separator": "\t"}, True),
    "digit": ({"separator": "1"}, True),
    "no_header": ({"include_header": False}, True),
    "null_value": ({"null_value": "NULL"}, True),
    "null_value_quoted": ({"null_value": 'N,"'}, True),
    "batch_size": ({"batch_size": 7}, True),
    "precision": ({"float_precision": 2}, True),
    "precision_none": ({"float_precision": 0}, True),
    "defaults": (
        {
            "include_bom": False,
            "line_terminator": "\n",
            "quote_char": '"',
            "float_scientific": None,
            "quote_style": "necessary",
        },
        True,
    ),
    "bom": ({"include_bom": True}, True),
    "crlf": ({"line_terminator": "\r\n"}, True),
    "quote_char": ({"quote_char": "'"}, True),
    "always": ({"quote_style": "always"}, True),
    "non_numeric": ({"quote_style": "non_numeric"}, True),
    "never": ({"quote_style": "never"}, True),
    "scientific": ({"float_scientific": True}, None),
    "date_format": ({"date_format": "%d.%m.%Y"}, None),
}
