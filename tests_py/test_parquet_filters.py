"""Predicates that readers push down to statistics and page index find the same rows as on the data themselves.

Each reader is its own measure: what its predicate finds in the table in memory, it must find in atio's file of many
small row groups and pages.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import atio

PREFIX = "a prefix that is longer than the sixty-four bytes that bounds of texts may have, "
"""Texts that differ only behind the end of their bounds in the statistics."""


def table(rows: int = 6000, seed: int = 0) -> pa.Table:
    """Columns of all kinds, some sorted, with nulls, NaN, both zeros, and texts that only differ far behind."""
    random = np.random.default_rng(seed)
    nulls = random.random(rows) < 0.1
    blocks = np.arange(rows) // 450 % 3 == 1
    floats = np.round(random.normal(size=rows) * 4) / 2
    floats[floats == 0] = np.where(random.random((floats == 0).sum()) < 0.5, 0.0, -0.0)
    floats[random.random(rows) < 0.05] = np.nan
    floats[1000:1500] = np.nan
    floats[2000:2100] = -0.0
    days = np.arange(rows) // 20
    return pa.table(
        {
            "row": np.arange(rows),
            "n": pa.array(random.integers(0, 10_000, rows), mask=nulls),
            "sorted": pa.array(np.sort(random.integers(0, 10_000, rows)), mask=blocks),
            "u": pa.array(random.choice(np.array([0, 1, 2**31, 2**32 - 1], "uint32"), rows), mask=nulls),
            "f": pa.array(floats, mask=blocks),
            "s": pa.array([f"text {i:04d}" for i in random.integers(0, 9999, rows)], mask=nulls),
            "long": pa.array([f"{PREFIX}{i // 10:04d}" for i in range(rows)], mask=blocks),
            "d": pa.array([Decimal(int(i)) / 4 for i in random.integers(-4000, 4000, rows)], pa.decimal128(12, 2)),
            "t": pa.array(1_700_000_000_000_000 + days * 3_600_000_000, pa.timestamp("us")),
            "day": pa.array(days.astype("int32")).cast("date32"),
            "b": pa.array(np.arange(rows) // 700 % 2 == 0, mask=nulls),
            "c": pa.array([f"word {i // 300}" for i in range(rows)], mask=nulls).dictionary_encode(),
            "none": pa.nulls(rows, "int64"),
        }
    )


# As DuckDB, polars and Spark all understand them.
PREDICATES = [
    "n = 77",
    "n <> 77",
    "n IS NULL",
    "n IS NOT NULL",
    "n IN (1, 77, 5000)",
    "n NOT IN (1, 77, 5000)",
    "n < 10 OR n > 9990",
    "sorted = 5000",
    "sorted BETWEEN 4990 AND 5010",
    "sorted < 30",
    "sorted > 9500",
    "sorted IS NULL",
    "sorted <= 20 OR sorted IS NULL",
    "NOT (sorted > 20)",
    "u = 4294967295",
    "u > 2147483648",
    "u < 1",
    "f = 0",
    "f < 0",
    "f <= 0",
    "f > 4.5",
    "f <> 0.5",
    "f IN (0, 0.5)",
    "f IS NULL",
    "f IS NOT NULL",
    "s = 'text 0042'",
    "s < 'text 0010' OR s > 'text 9990'",
    "s LIKE 'text 00%'",
    "s IS NULL",
    f"long = '{PREFIX}0123'",
    f"long > '{PREFIX}0570'",
    f"long <= '{PREFIX}0003'",
    f"long IN ('{PREFIX}0003', '{PREFIX}0580', 'b')",
    f"long <> '{PREFIX}0123'",
    "d = 12.50",
    "d < -990 OR d > 990.25",
    "t = TIMESTAMP '2023-11-20 01:13:20'",
    "t >= TIMESTAMP '2023-11-25 00:00:00'",
    "day = DATE '1970-03-01'",
    "day > DATE '1970-10-25'",
    "b",
    "NOT b",
    "b IS NULL",
    "c = 'word 3'",
    "c IN ('word 0', 'word 19', 'nothing')",
    "c > 'word 8'",
    "none IS NULL",
    "none = 1",
    "sorted < 100 AND c = 'word 0' AND f > 0",
    "sorted < 5 OR day = DATE '1970-03-01'",
]

FIELD = pc.field
OF_PYARROW: list[Any] = [
    FIELD("n") == 77,
    FIELD("n") != 77,
    FIELD("n").is_null(),
    FIELD("n").is_valid(),
    FIELD("sorted").isin([1, 77, 5000]),
    ~FIELD("sorted").isin([1, 77, 5000]),
    (FIELD("sorted") < 10) | FIELD("sorted").is_null(),
    FIELD("u") == 2**32 - 1,
    FIELD("f") == 0.0,
    FIELD("f") == -0.0,
    FIELD("f") < 0,
    FIELD("f") >= 0,
    FIELD("f") != 0.5,
    pc.is_nan(FIELD("f")),
    FIELD("f").is_null(nan_is_null=True),
    FIELD("long") == f"{PREFIX}0123",
    FIELD("long") > f"{PREFIX}0570",
    FIELD("d") == Decimal("12.50"),
    FIELD("t") == datetime(2023, 11, 20, 1, 13, 20),
    FIELD("b"),
    ~FIELD("b"),
    FIELD("c") == "word 3",
    FIELD("none").is_null(),
    FIELD("none") == 1,
]


@pytest.fixture(scope="module", params=["1.0", "2.0"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[pa.Table, Path]:
    path = tmp_path_factory.mktemp("filters") / "x.parquet"
    data = table()
    result = atio.write(data, path, row_group_size=1700, data_page_size=400, data_page_version=request.param)
    assert result.engine == "go"
    assert pq.read_metadata(path).num_row_groups == 4
    return data, path


def found(query: Callable[[], list[int]]) -> list[int] | str:
    """The rows, or what the reader says of a predicate that it does not have."""
    try:
        return query()
    except (duckdb.Error, pl.exceptions.PolarsError) as e:
        return type(e).__name__


def test_duckdb(written: tuple[pa.Table, Path]) -> None:
    data, path = written
    with duckdb.connect() as connection:
        connection.register("data", data)

        def rows(source: str, where: str) -> list[int]:
            sql = f"SELECT row FROM {source} WHERE {where} ORDER BY row"
            return [row for (row,) in connection.execute(sql).fetchall()]

        wrong = []
        # None that asks for NaN, which DuckDB takes for the greatest number: it passes over row groups by bounds that
        # leave NaN out, as the format wants it, whoever wrote them (pyarrow's file is no different).
        for where in PREDICATES:
            want = rows("data", where)
            if rows(f"read_parquet('{path}')", where) != want:
                wrong.append(where)
        assert wrong == []


def test_polars(written: tuple[pa.Table, Path]) -> None:
    data, path = written

    def rows(frame: pl.LazyFrame, where: str) -> list[int]:
        answer = pl.SQLContext(data=frame).execute(f"SELECT row FROM data WHERE {where} ORDER BY row", eager=True)
        return answer["row"].to_list()

    memory, wrong, understood = pl.DataFrame(data).lazy(), [], 0
    for where in PREDICATES:
        want = found(lambda where=where: rows(memory, where))
        understood += isinstance(want, list)
        if found(lambda where=where: rows(pl.scan_parquet(path), where)) != want:
            wrong.append(where)
    assert wrong == []
    assert understood >= len(PREDICATES) - 5
    for predicate in (pl.col("f").is_nan(), pl.col("f") == float("nan"), pl.col("f") > 1e300, pl.col("f") < -0.0):
        assert pl.scan_parquet(path).filter(predicate).collect().equals(memory.filter(predicate).collect())


def test_pyarrow(written: tuple[pa.Table, Path]) -> None:
    data, path = written
    wrong = []
    for predicate in OF_PYARROW:
        want = data.filter(predicate)["row"]
        if pq.read_table(path, filters=predicate)["row"] != want:
            wrong.append(str(predicate))
    assert wrong == []


def test_every_predicate_finds_something() -> None:
    """Or nothing, for two of them: else they would not try much."""
    with duckdb.connect() as connection:
        connection.register("data", table())
        counts = {w: connection.execute(f"SELECT count(*) FROM data WHERE {w}").fetchall()[0][0] for w in PREDICATES}
    empty = {where for where, count in counts.items() if count == 0}
    assert empty <= {"none = 1", "sorted = 5000", "n = 77", "s = 'text 0042'"}
