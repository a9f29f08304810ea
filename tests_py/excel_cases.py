"""Frames and arguments for the comparison of workbooks with those of the libraries."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

MOMENTS = pd.to_datetime(["2020-01-01 03:04:05", "2021-12-31 00:00:00", None])

PANDAS: dict[str, pd.DataFrame] = {
    "numbers": pd.DataFrame({
        "i": [1, -2, 2**53 - 1], "u": np.array([0, 1, 2**32], "uint64"), "i8": np.array([1, 2, -3], "int8"),
        "f": [1.5, np.nan, 1e300], "g": [0.1, 2.0, -1e-7], "f4": np.array([0.1, np.nan, 3], "float32"),
        "f2": np.array([0.5, 1, 2], "float16"), "inf": [np.inf, -np.inf, 2.0], "b": [True, False, True],
        "big": np.array([1, 2, 3], ">i4"),
    }),
    "texts": pd.DataFrame({
        "s": ["a", " b<&>\"'", None], "w": ["two\nlines", "\ttab", "end "], "e": ["", "x", ""], "u": ["ü€", "日本", "\U0001f600"],
        "n": ["12", "1e5", "TRUE"], "x": ["_x0041", "x_x004_", "__"], "o": pd.Series(["a", None, "c"], dtype=object),
    }),
    "moments": pd.DataFrame({
        "t": MOMENTS, "s": MOMENTS.astype("datetime64[s]"), "ms": pd.to_datetime(["2020-01-01 00:00:00.123"] * 3).astype("datetime64[ms]"),
        "td": pd.to_timedelta([1.5, 36, None], unit="h"), "d": [dt.date(2020, 1, 2), None, dt.date(1999, 12, 31)],
        "dt": pd.Series([dt.datetime(2020, 1, 2, 3), dt.datetime(2021, 1, 1), None], dtype=object), "tm": [dt.time(1, 2), dt.time(3), None],
    }),
    "nullable": pd.DataFrame({
        "I": pd.array([1, None, 3], "Int64"), "F": pd.array([1.5, None, 3], "Float64"), "B": pd.array([True, None, False], "boolean"),
        "S": pd.array(["a", None, "c"], "string"), "c": pd.Categorical(["u", None, "v"]), "cn": pd.Categorical([1.5, 2.5, None]),
        "ct": pd.Categorical(MOMENTS), "ci": pd.Categorical([1, 2, 1]), "none": [None, None, None],
    }),
    "arrow": pd.DataFrame({
        "i": pd.array([1, None, 3], pd.ArrowDtype(pa.int64())), "s": pd.array(["a", None, "c"], pd.ArrowDtype(pa.string())),
        "t": pd.array([dt.datetime(2020, 1, 1), None, dt.datetime(2021, 1, 1, 2)], pd.ArrowDtype(pa.timestamp("us"))),
        "d": pd.array([dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)], pd.ArrowDtype(pa.date32())), "b": pd.array([True, None, False], pd.ArrowDtype(pa.bool_())),
    }),
    "objects": pd.DataFrame({
        "mixed": [1, "x", None], "more": [dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3), 2.5], "flags": [True, None, "no"],
        "dec": [decimal.Decimal("1.5"), None, decimal.Decimal("3.25")], "list": [[1], [2, 3], None], "dict": [{"a": 1}, None, {}],
        "p": pd.period_range("2020-01", periods=3, freq="M"), "iv": pd.interval_range(0, 3), "cx": [1j, 2 + 3j, 0j], "by": [b"x", b"", None],
        "td": pd.Series([dt.timedelta(1), "y", 3], dtype=object),
    }),
    "labels": pd.DataFrame([[1, 2, 3, 4.5]], columns=pd.Index([1, 2.5, True, dt.date(2020, 1, 1)], dtype=object)),
    "times as labels": pd.DataFrame([[1, 2]], columns=pd.to_datetime(["2020-01-01 00:00", "2020-01-02 03:00"])),
    "same labels": pd.DataFrame([[1, "a"], [2, "b"]], columns=["x", "x"]),
    "empty": pd.DataFrame({"a": pd.Series([], dtype="int64"), "b": pd.Series([], dtype="object")}),
    "text index": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", None], name="key")),
    "time index": pd.DataFrame({"a": [1, 2, 3]}, index=MOMENTS),
    "period index": pd.DataFrame({"a": [1, 2]}, index=pd.period_range("2020-01", periods=2, freq="M")),
    "float index": pd.DataFrame({"a": [1, 2]}, index=[0.5, 1.5]),
    "category index": pd.DataFrame({"a": [1, 2]}, index=pd.CategoricalIndex(["b", "a"], name="c")),
    "many": pd.DataFrame({f"c{i}": np.arange(4) * i for i in range(30)}),
}  # fmt: skip

_ROWS = pd.MultiIndex.from_tuples(
    [("a", 1, "x"), ("a", 1, "y"), ("a", 2, "x"), ("b", 2, "x"), ("b", 1, "z")], names=["k", "n", None]
)
_COLUMNS = pd.MultiIndex.from_product([["left", "right"], ["u", "v"]], names=["side", "letter"])

LEVELS: dict[str, pd.DataFrame] = {
    "rows": pd.DataFrame({"i": range(5), "s": list("vwxyz")}, index=_ROWS),
    "unnamed rows": pd.DataFrame({"i": range(5)}, index=_ROWS.set_names([None, None, None])),
    "times in rows": pd.DataFrame({"i": range(4)}, index=pd.MultiIndex.from_product([pd.to_datetime(["2020-01-01", "2021-01-01"]), ["a", "b"]])),
    "columns": pd.DataFrame(np.arange(8).reshape(2, 4), columns=_COLUMNS),
    "unnamed columns": pd.DataFrame(np.arange(8).reshape(2, 4), columns=_COLUMNS.set_names([None, None])),
    "both": pd.DataFrame(np.arange(20).reshape(5, 4) / 3, index=_ROWS, columns=_COLUMNS),
    "missing in rows": pd.DataFrame({"i": range(3)}, index=pd.MultiIndex.from_arrays([["a", "a", None], [1, 1, 2]], names=["k", "n"])),
    "floats in rows": pd.DataFrame({"i": range(3)}, index=pd.MultiIndex.from_arrays([[0.5, 0.5, 0.25], [1, 1, 2]])),
    "empty texts in rows": pd.DataFrame({"i": range(3)}, index=pd.MultiIndex.from_arrays([["", "a", "a"], [1, 1, 2]])),
}  # fmt: skip

#: Arguments of to_excel for any frame.
TO_EXCEL: list[dict[str, Any]] = [
    {},
    {"index": False},
    {"header": False},
    {"sheet_name": "A sheet's name", "startrow": 2, "startcol": 3},
    {"na_rep": "NA", "inf_rep": "much"},
    {"freeze_panes": (1, 2), "float_format": "%.2f"},
    {"freeze_panes": (1, 0), "float_format": "%.3e", "index_label": "label"},
    {"freeze_panes": (0, 1), "merge_cells": False},
    {"startrow": 1, "header": False, "index": False, "na_rep": "-"},
]

#: More of them for a frame with columns i, f and others.
TO_EXCEL_NUMBERS: list[dict[str, Any]] = [
    {"columns": ["f", "i"]},
    {"columns": ["g"], "index": False, "float_format": "%.0f"},
    {"header": [f"h{i}" for i in range(10)]},
    {"columns": ["i", "f"], "header": ["I", "F"], "index_label": ["row"]},
    {"engine_kwargs": {}},
]

POLARS: dict[str, pl.DataFrame] = {
    "numbers": pl.DataFrame({
        "i": [1, -2, None], "f": [1.5, None, -2.25], "x": [0.1, 2.0, 1e20], "u8": pl.Series([1, 2, 3], dtype=pl.UInt8),
        "f4": pl.Series([0.1, None, 2], dtype=pl.Float32), "b": [True, False, None], "d": pl.Series(["1.50", None, "3"]).cast(pl.Decimal(10, 2)),
    }),
    "texts": pl.DataFrame({
        "s": ["a", "", None], "w": [" two\nlines", "<&>\"'", "ü\U0001f600"], "c": pl.Series(["u", "v", "u"], dtype=pl.Categorical),
        "e": pl.Series(["x", None, "y"], dtype=pl.Enum(["x", "y"])), "=1+1": ["=1+1", "{=2}", "="], "ctrl": ["a\x01b", "_x0041", "c\rd"],
    }),
    "moments": pl.DataFrame({
        "t": [dt.datetime(2020, 1, 1, 3, 4, 5), None, dt.datetime(2021, 1, 1)], "d": [dt.date(2020, 1, 1), None, dt.date(1999, 12, 31)],
        "tm": [dt.time(1, 2, 3), None, dt.time(23, 59, 59)], "du": [dt.timedelta(days=-1, seconds=5), None, dt.timedelta(hours=36)],
    }),
    "nested": pl.DataFrame({"l": [[1], None, []], "s": [{"a": 1}, {"a": None}, {"a": 3}], "n": [None, None, None]}),
    "one": pl.DataFrame({"a": [1]}),
}  # fmt: skip

#: Arguments of write_excel for any frame.
WRITE_EXCEL: list[dict[str, Any]] = [
    {},
    {"worksheet": "A sheet", "position": "C3", "table_name": "Sales", "table_style": "Table Style Medium 4"},
    {"position": (4, 1), "include_header": False},
    {"table_style": {"style": "Table Style Light 1", "first_column": True, "last_column": True, "banded_rows": False, "banded_columns": True}},
    {"header_format": {"bold": True, "font_color": "#FF0000", "bg_color": "#00FF00", "align": "center", "text_wrap": True, "border": 1}},
    {"hide_gridlines": True, "sheet_zoom": 80, "autofilter": False, "freeze_panes": (1, 0)},
    {"freeze_panes": "B2", "column_widths": 100},
    {"freeze_panes": ("B2", 3, 1), "float_precision": 0},
    {"freeze_panes": (1, 1, 2, 1), "float_precision": 5, "dtype_formats": {pl.Date: "dd/mm/yy", (pl.Int64, pl.Float64): "0.0"}},
]  # fmt: skip

#: More of them for a frame with columns i and f.
WRITE_EXCEL_NUMBERS: list[dict[str, Any]] = [
    {"column_totals": True},
    {"column_totals": "average", "position": "B2"},
    {"column_totals": {"i": "max", "f": "count_nums"}, "include_header": False},
    {"column_totals": ["f"], "table_style": "Table Style Dark 2"},
    {"column_formats": {"f": "0%", "i": "General", ("x", "f4"): "0.00"}, "column_widths": {"i": 50, ("f", "x"): 120}},
    {"column_formats": {"f": {"bold": True, "font_color": "#0000FF"}}},
]  # fmt: skip

#: Arguments that Go leaves to the library.
BY_POLARS: list[dict[str, Any]] = [
    {"conditional_formats": {"f": "3_color_scale"}},
    {"row_totals": True},
    {"formulas": {"twice": "=[@i]*2"}},
    {"hidden_columns": ["f"]},
    {"row_heights": 30},
]
