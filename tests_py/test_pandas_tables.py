"""Small pandas frames become the tables that pyarrow makes of them, also when a frame like them came before."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import atio
from atio._encode import _pandas_table

COLUMNS: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "int64": lambda r, n: r.integers(-5, 5, n),
    "uint8": lambda r, n: r.integers(0, 5, n).astype("u1"),
    "float64": lambda r, n: r.choice([1.5, np.nan, -0.0], n),
    "float32": lambda r, n: r.random(n).astype("f4"),
    "float16": lambda r, n: r.random(n).astype("f2"),
    "bool": lambda r, n: r.random(n) < 0.5,
    "datetime": lambda r, n: pd.to_datetime(r.choice([0, 10**9], n), unit="s"),
    "datetime ms": lambda r, n: r.choice(np.array(["2024-01-01", "NaT"], "M8[ms]"), n),
    "timedelta": lambda r, n: r.choice(np.array([1, 2], "m8[ns]"), n),
    "zoned": lambda r, n: pd.to_datetime(r.choice([0, 10**9], n), unit="s", utc=True),
    "text": lambda r, n: r.choice(["a", "ä", ""], n),
    "string": lambda r, n: pd.array(r.choice(["a", None], n), dtype="string"),
    "object": lambda r, n: np.array([[1, "a", None, b"x", decimal.Decimal("1.5")][r.integers(5)]] * n, object),
    "mixed": lambda r, n: r.choice(np.array([None, "a"], object), n),
    "lists": lambda r, n: pd.Series([[1, 2][: r.integers(3)] for _ in range(n)], dtype=object),
    "category": lambda r, n: pd.Categorical(r.choice(["x", "y"], n)),
    "nullable": lambda r, n: pd.array(r.choice([1, 2], n), dtype="Int64"),
}


def frame_of(random: np.random.Generator) -> pd.DataFrame:
    rows = int(random.integers(0, 4))
    names = random.choice(list(COLUMNS), random.integers(1, 3), replace=False)
    df = pd.DataFrame({name: COLUMNS[name](random, rows) for name in names}, index=range(rows))
    change = random.integers(12)
    if change == 0:
        df.index = pd.RangeIndex(3, 3 + 2 * rows, 2)
    elif change == 1:
        df.index.name = "row"
    elif change == 2:
        df.columns.name = "kind"
    elif change == 3:
        df.index = df.index.astype("int32")
    elif change == 4:
        df.attrs["a"] = 1
    elif change == 5:
        df.columns = df.columns.astype(object)
    elif change == 6:
        df.columns = range(len(names))
    elif change == 7:
        df = df.iloc[::-1]
    elif change == 8 and len(names) > 1:
        df = df[sorted(names)]
    return df


def outcome(make: Callable[..., pa.Table], *arguments: object) -> pa.Table | tuple[type[Exception], str]:
    try:
        return make(*arguments)
    except (pa.ArrowException, TypeError) as e:
        return type(e), str(e)


def test_is_the_table_of_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    by_pyarrow = []
    make = _pandas_table._made_by_pyarrow
    monkeypatch.setattr(_pandas_table, "_made_by_pyarrow", lambda *of: by_pyarrow.append(of) or make(*of))
    monkeypatch.setattr(_pandas_table, "_MOST_KINDS", 300)
    random = np.random.default_rng(1)
    for _ in range(3000):
        df = frame_of(random)
        want, got = outcome(pa.Table.from_pandas, df), outcome(_pandas_table.table_of, df, None, None)
        if isinstance(want, tuple) or isinstance(got, tuple):
            assert got == want
            continue
        if df.attrs:
            got = got.replace_schema_metadata({k: v for k, v in got.schema.metadata.items() if k != b"PANDAS_ATTRS"})
        assert got.schema.equals(want.schema, check_metadata=True), (got.schema, want.schema)
        assert list(got.schema.metadata) == list(want.schema.metadata)
        got.validate(full=True)
        assert got.equals(want)
    assert 500 < len(by_pyarrow) < 2500
    assert len(_pandas_table._known) <= 300


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"x": ["a"]}, {"x": [1]}),
        ({"x": [None]}, {"x": ["a"]}),
        ({"x": [decimal.Decimal("1.5")]}, {"x": [decimal.Decimal("1.25")]}),
        ({"x": [[1]]}, {"x": [[None]]}),
        ({"x": [{"a": 1}]}, {"x": [{"b": 1}]}),
    ],
)
def test_types_found_by_values(first: dict[str, Any], second: dict[str, Any], tmp_path: Path) -> None:
    for data in (first, second, first):
        df = pd.DataFrame(data, dtype=object)
        path = tmp_path / "x.parquet"
        atio.write(df, path, durable=False)
        df.to_parquet(tmp_path / "pandas.parquet")
        got, want = pq.read_table(path), pq.read_table(tmp_path / "pandas.parquet")
        assert got.schema.equals(want.schema, check_metadata=True)
        assert got.equals(want)


def test_refused_as_by_pyarrow(tmp_path: Path) -> None:
    atio.write(pd.DataFrame({"x": ["a"]}, dtype=object), tmp_path / "x.parquet", durable=False)
    df = pd.DataFrame({"x": ["a", 1]}, dtype=object)
    with pytest.raises(pa.ArrowTypeError) as want:
        df.to_parquet(tmp_path / "pandas.parquet")
    with pytest.raises(pa.ArrowTypeError) as got:
        atio.write(df, tmp_path / "x.parquet", durable=False)
    assert str(got.value) == str(want.value)
