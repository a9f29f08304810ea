"""Frames that are hard to write as JSON, and arguments of ``to_json``, for the oracle tests."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd

from csv_cases import FLOATS, RNG, TEXTS, objects, pandas_frames

ORIENTS = ("split", "records", "index", "columns", "values", "table")


def json_frames() -> dict[str, pd.DataFrame]:
    """Name -> frame: those of the CSV tests, without the long ones, and some more."""
    frames = {k: f for k, (f, _) in pandas_frames().items() if len(f) < 10_000 and k != "wide"}
    base = frames["base"]
    moments = frames["times"]["ns"].to_numpy()
    halves = np.concatenate([np.arange(64) + 0.5, (np.arange(4096) + 0.5) / 1024, np.arange(64) / 10 + 0.05])
    with np.errstate(all="ignore"):
        random = RNG.normal(size=4000) * 10.0 ** RNG.integers(-20, 20, 4000)
    zoned = pd.Series(moments).dt.tz_localize("Asia/Seoul")
    return frames | {
        "float_bits": pd.DataFrame({"x": RNG.integers(0, 2**64, 5000, dtype=np.uint64).view(np.float64)}),
        "float_halves": pd.DataFrame({"x": halves, "y": -halves, "z": halves * 1e6}),
        "float_magnitudes": pd.DataFrame({"x": random, "i": 1}),
        "float_edges": pd.DataFrame(
            {"x": [1e16 - 1, 1e16 - 2, 1e16, 1e-15, 9.99e-16, 0.99999999999, 0.9999999999999999, 9.5, 0.05, 1e15 + 0.5]}
        ),
        "wide": pd.DataFrame(np.arange(2 * 700).reshape(2, 700)),
        "wide_mixed": pd.concat([base.add_prefix(f"p{i}_") for i in range(175)], axis=1),
        "texts_keys": pd.DataFrame({"v": range(len(TEXTS) - 1)}, index=pd.Index(TEXTS[:-1], name="k")),
        "zones_beside": base.assign(t=zoned[:3], u=zoned[:3].dt.tz_convert("UTC").dt.as_unit("us")),
        "zones_old": base.assign(t=pd.Series(np.array(["0001-01-01", "1700-01-01", "NaT"], "M8[s]")).dt.tz_localize("UTC")),
        "durations_beside": base.assign(
            d=pd.to_timedelta(["1 day 02:03:04.000005", None, "-0.5 s"]), e=np.array([1, -1, 10**9], "m8[ms]")
        ),
        "periods_beside": base.assign(p=pd.period_range("2024-01", periods=3, freq="M")),
        "intervals_beside": base.assign(p=pd.interval_range(0, 3)),
        "complex_beside": base.assign(c=[1 + 2j, 0j, 1j]),
        "decimals_beside": base.assign(d=objects([decimal.Decimal("1.10"), None, decimal.Decimal("1e30")])),
        "decimals_odd": base.assign(
            d=objects([decimal.Decimal("NaN"), decimal.Decimal("-Infinity"), decimal.Decimal("-0E-5")])
        ),
        "decimals_finite": base.assign(
            d=objects([decimal.Decimal("-0.00"), decimal.Decimal("1.2E-10"), decimal.Decimal("-12345678901234567890.5")])
        ),
        "durations_long": base.assign(d=np.array([2**40, -1, 0], "m8[s]"), e=np.array([1, 86_399_999, "NaT"], "m8[ms]")),
        "dates_beside": base.assign(
            d=objects([dt.date(2024, 2, 29), None, dt.date(1, 1, 1)]),
            c=objects([dt.time(1, 2, 3), None, dt.time(0)]),
            t=objects([dt.datetime(2024, 1, 1, 2, 3), pd.NaT, pd.Timestamp("1969-12-31 23:59:59.999")]),
            e=objects([dt.timedelta(1), pd.Timedelta(5), None]),
        ),
        "nested_beside": base.assign(
            a=objects([[1, "é", None], {"k": [1.5, {"m": dt.date(2024, 1, 1)}]}, (1, 2)]),
            b=objects([{}, [], {1: "x", "y/": None}]),
        ),
        "pandas_in_cells": base.assign(a=objects([pd.Series([1, 2]), np.array([1, 2]), pd.DataFrame({"x": [1]})])),
        "bytes_beside": base.assign(b=objects([b"x", b'"\xc3\xa9', None])),
        "mixed_beside": base.assign(o=objects(["a", 1, 2.5])),
        "big_integers": base.assign(o=objects([2**70, -(2**64), 1])),
        "sets_beside": base.assign(o=objects([{1}, frozenset(["x"]), None])),
        "objects_beside": base.assign(o=objects([object(), None, None])),
        "index_zones": base.set_index(pd.DatetimeIndex(zoned[:3], name="when")),
        "index_durations": base.set_index(pd.to_timedelta([1, 2, 3], unit="h")),
        "index_periods": base.set_index(pd.period_range("2024-01", periods=3, freq="M")),
        "index_intervals": base.set_index(pd.interval_range(0, 3)),
        "index_mixed": base.set_index(pd.Index([1, "a", 2.5], dtype=object)),
        "index_duplicates": base.set_index(pd.Index(["x", "y", "x"])),
        "index_duplicate_numbers": base.set_index(pd.Index([1, 1, 2], name="n")),
        "index_nat": base.set_index(pd.DatetimeIndex([*moments[:2], "NaT"])),
        "index_objects_dates": base.set_index(pd.Index([dt.date(2024, 1, 1), dt.date(2024, 1, 2), None], dtype=object)),
        "index_named_as_column": base.set_index(pd.Index([1, 2, 3], name="i")),
        "index_named_index": base.set_index(pd.Index([1, 2, 3], name="index")),
        "index_nullable": base.set_index(pd.Index(pd.array([1, None, 3], dtype="Int64"))),
        "index_uint": base.set_index(pd.Index(np.array([0, 1, 2**64 - 1], np.uint64))),
        "index_nul": base.set_index(pd.Index(["a\0b", "c", "d"])),
        "multi_index_duplicates": base.set_index(pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("a", 1)])),
        "multi_index_named": base.set_index(pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("c", 3)], names=["k", "l"])),
        "columns_nul": pd.DataFrame({"a\0b": [1], "c": [2]}),
        "columns_floats": pd.DataFrame([[1, 2]], columns=[0.5, 1e20]),
        "columns_bools": pd.DataFrame([[1, 2]], columns=[True, False]),
        "columns_slash": pd.DataFrame([[1, 2]], columns=["a/b", "\u2028é🦆"]),
        "columns_zoned": pd.DataFrame([[1, 2]], columns=pd.date_range("2024-01-01", periods=2, tz="Asia/Seoul")),
        "columns_durations": pd.DataFrame([[1, 2]], columns=pd.to_timedelta([1, 2], unit="s")),
        "columns_categories": pd.DataFrame([[1, 2]], columns=pd.CategoricalIndex(["a", "b"])),
        "columns_data": pd.DataFrame([[1, 2, 3]], columns=["data", "index", "schema"]),
        "chunked_texts": pd.concat([pd.DataFrame({"s": pd.array(TEXTS, dtype="string[pyarrow]")})] * 3),
        "floats_and_index": pd.DataFrame({"x": [np.nan if x is None else x for x in FLOATS]}).set_index("x", drop=False),
    }  # fmt: skip


JSON_ARGUMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    **{orient: {"orient": orient} for orient in ORIENTS if orient != "columns"},
    "lines": {"orient": "records", "lines": True},
    "lines_unicode": {"orient": "records", "lines": True, "force_ascii": False, "double_precision": 15},
    "lines_iso": {"orient": "records", "lines": True, "date_format": "iso", "date_unit": "us"},
    "iso_ns": {"date_format": "iso", "date_unit": "ns"},
    "iso_s": {"orient": "index", "date_format": "iso", "date_unit": "s"},
    "iso_ms": {"orient": "split", "date_format": "iso"},
    "epoch_ns": {"orient": "records", "date_unit": "ns"},
    "epoch_us": {"orient": "columns", "date_format": "epoch", "date_unit": "us"},
    "epoch_s": {"orient": "split", "date_unit": "s"},
    "no_decimals": {"orient": "values", "double_precision": 0},
    "one_decimal": {"orient": "values", "double_precision": 1},
    "three_decimals": {"orient": "records", "double_precision": 3},
    "all_decimals": {"orient": "split", "double_precision": 15},
    "unicode": {"force_ascii": False},
    "unicode_table": {"orient": "table", "force_ascii": False, "date_unit": "ns"},
    "indented": {"indent": 2},
    "indented_records": {"orient": "records", "indent": 1},
    "indented_split": {"orient": "split", "indent": 4},
    "indented_table": {"orient": "table", "indent": 2},
    "no_index_split": {"orient": "split", "index": False},
    "no_index_table": {"orient": "table", "index": False},
    "no_index_records": {"orient": "records", "index": False},
    "index_columns": {"orient": "columns", "index": True},
}
"""Arguments of ``to_json`` that Go knows."""

OTHER_ARGUMENTS: dict[str, dict[str, Any]] = {
    "default_handler": {"default_handler": str},
    "lines_indented": {"orient": "records", "lines": True, "indent": 2},
    "date_format": {"date_format": "nonsense"},
    "index_records": {"orient": "records", "index": True},
    "no_index": {"index": False},
    "lines_alone": {"lines": True},
    "lines_split": {"orient": "split", "lines": True},
    "precision_negative": {"double_precision": -1},
    "precision_large": {"double_precision": 16},
    "unit": {"date_unit": "D"},
    "orient": {"orient": "nonsense"},
    "table_epoch": {"orient": "table", "date_format": "epoch"},
    "nonsense": {"nonsense": 1},
    "mode": {"mode": "nonsense"},
    "append": {"mode": "a"},
    "indent_text": {"indent": "x"},
    "compression": {"compression": "nonsense"},
}
"""Arguments that are left to pandas, which refuses most."""
