"""DuckDB: over SQLAlchemy (duckdb_engine), its own connection, and ADBC."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import adbc_driver_duckdb.dbapi as adbc
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

import atio

OLD = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})
NEW = pd.DataFrame({"a": [4, 5], "b": ["new", "new"]})
ROWS = [(1, "x"), (2, None), (3, "z")]
REFUSED = (duckdb.Error, sa.exc.DBAPIError, pd.errors.DatabaseError, ValueError, TypeError)
KINDS = ["url", "engine", "connection", "plain"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.duckdb"
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE t (a BIGINT, b VARCHAR); INSERT INTO t VALUES (1, 'x'), (2, NULL), (3, 'z')")
    return path


def rows(path: Path, sql: str = "SELECT * FROM t ORDER BY a") -> list[Any]:
    """What another process's connection finds: every connection of this one shares its cache."""
    with duckdb.connect(path) as con:
        return con.execute(sql).fetchall()


@contextlib.contextmanager
def connection(path: Path, kind: str) -> Iterator[Any]:
    """A ``con`` of a kind."""
    if kind == "url":
        yield f"duckdb:///{path}"
    elif kind == "plain":
        with duckdb.connect(path) as con:
            yield con
    else:
        engine = sa.create_engine(f"duckdb:///{path}")
        try:
            if kind == "engine":
                yield engine
            else:
                with engine.connect() as con:
                    yield con
        finally:
            engine.dispose()


def write(frame: Any, path: Path, kind: str, mode: str, **kwargs: Any) -> atio.WriteResult:
    """Write by a ``con`` of that kind."""
    if isinstance(frame, pd.DataFrame) or not hasattr(frame, "schema"):
        kwargs = {"index": False, **kwargs}
    with connection(path, kind) as con:
        return atio.write(frame, format="sql", name="t", con=con, if_exists=mode, **kwargs)


def interrupted(*frames: pd.DataFrame) -> Iterator[pd.DataFrame]:
    yield from frames
    raise KeyError("mine")


@pytest.mark.parametrize("kind", KINDS)
def test_modes(path: Path, kind: str) -> None:
    with pytest.raises(ValueError, match="Table 't' already exists"):
        write(NEW, path, kind, "fail")
    with pytest.raises(ValueError, match=r"upsert.*is for PostgreSQL"):
        write(NEW, path, kind, "upsert", key=["a"])
    assert rows(path) == ROWS
    result = write(NEW, path, kind, "append")
    assert (result.engine, result.rows) == ("duckdb", 2)
    assert rows(path) == [*ROWS, (4, "new"), (5, "new")]
    write(iter([OLD, NEW[["b", "a"]]]), path, kind, "delete_rows")
    assert rows(path) == [*ROWS, (4, "new"), (5, "new")]
    write(NEW[["b"]], path, kind, "replace")
    assert rows(path, "SELECT * FROM t") == [("new",), ("new",)]
    write(OLD, path, kind, "replace", index=True, index_label="i")
    assert rows(path, "SELECT i, a FROM t ORDER BY a") == [(0, 1), (1, 2), (2, 3)]
    with duckdb.connect(path) as con:
        con.execute("DROP TABLE t")
    write(OLD, path, kind, "fail")
    assert rows(path) == ROWS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["replace", "append", "delete_rows"])
def test_all_or_nothing(path: Path, kind: str, mode: str) -> None:
    for bad in (
        pd.DataFrame({"a": [6, "seven"], "b": ["new", "new"]}),
        pd.DataFrame({"a": [6, 7], "b": ["new", object()]}),
        iter([NEW, pd.DataFrame({"a": ["eight", "nine"], "b": ["new", "new"]})]),
        iter([NEW, pd.DataFrame({"a": [6], "c": ["no such column"]})]),
    ):
        if isinstance(bad, pd.DataFrame) and mode == "replace" and bad["b"].iloc[1] == "new" and kind != "plain":
            continue  # a text column for pandas
        with pytest.raises(REFUSED):
            write(bad, path, kind, mode)
        assert rows(path) == ROWS
    with pytest.raises(KeyError, match="mine"):
        write(interrupted(NEW, NEW), path, kind, mode)
    assert rows(path) == ROWS
    assert rows(path, "SELECT table_name FROM information_schema.tables") == [("t",)]
    write(NEW, path, kind, mode)
    assert len(rows(path)) == (5 if mode == "append" else 2)


def test_a_table_that_may_not_go(path: Path) -> None:
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE p (a INTEGER PRIMARY KEY); CREATE TABLE f (a INTEGER REFERENCES p)")
        con.execute("CREATE VIEW v AS FROM t; INSERT INTO p VALUES (1); INSERT INTO f VALUES (1)")
        for name, mode in (("p", "replace"), ("p", "delete_rows"), ("p", "append"), ("v", "replace"), ("v", "append")):
            with pytest.raises(duckdb.Error):
                atio.write(OLD[["a"]], format="sql", name=name, con=con, if_exists=mode, index=False)
        assert con.execute("FROM p").fetchall() == [(1,)]
        assert con.execute("FROM v ORDER BY a").fetchall() == ROWS
        with pytest.raises(ValueError, match="'V' already exists"):
            atio.write(OLD, format="sql", name="V", con=con)


TYPES = pd.DataFrame(
    {
        "i8": np.array([1, -128, 3], dtype="int8"),
        "i64": [2**62, -(2**63), 0],
        "u32": np.array([2**32 - 1, 0, 1], dtype="uint32"),
        "f32": np.array([0.1, np.nan, 1], dtype="float32"),
        "f64": [0.1, np.nan, np.inf],
        "bool": [True, False, True],
        "text": ["a", None, "é'\"\n"],
        "day": pd.Series([dt.date(2024, 2, 29), None, dt.date(1, 1, 1)], dtype=object),
        "time": pd.Series([dt.time(1, 2, 3, 4), None, dt.time(0)], dtype=object),
        "moment": pd.to_datetime(["2024-01-01 00:00:00.000001", None, "1700-01-01"], format="ISO8601"),
        "aware": pd.to_datetime(["2024-01-01", None, "2024-07-01"]).tz_localize("Asia/Seoul"),
        "decimal": pd.Series([decimal.Decimal("1.50"), None, decimal.Decimal("-2")], dtype=object),
        "category": pd.Categorical(["u", None, "v"]),
        "Int": pd.array([1, None, 3], dtype="Int64"),
        "span": pd.to_timedelta(["1s", "2 days", "0s"]),
        "none": [None, None, None],
        "a % b:c \"d\" 'e'; --": [1, 2, 3],
    }
)


def test_tables_are_those_of_pandas(path: Path, tmp_path: Path) -> None:
    expected = tmp_path / "expected.duckdb"
    engine = sa.create_engine(f"duckdb:///{expected}")
    frame = TYPES.drop(columns="span").set_index("i8")
    frame.to_sql("t", engine, dtype={"u32": sa.Numeric(20, 0)})
    engine.dispose()
    result = write(frame, path, "engine", "replace", index=True, dtype={"u32": sa.Numeric(20, 0)})
    assert result.engine == "duckdb"
    for sql in ("DESCRIBE t", "SELECT index_name, sql FROM duckdb_indexes()", "FROM t ORDER BY i8"):
        assert rows(path, sql) == rows(expected, sql)
    # What only pandas knows how to write.
    mixed = pd.DataFrame({"a": [1, 2], "b": [1, "one"]})
    assert write(mixed, path, "engine", "replace").engine == "pandas"
    assert rows(path) == [(1, "1"), (2, "one")]
    assert write(iter([mixed, NEW]), path, "engine", "append").rows == 4
    assert len(rows(path)) == 6


def test_tables_of_a_plain_connection(path: Path) -> None:
    for frame, mode in ((TYPES, "replace"), (pl.from_pandas(TYPES), "append"), (pa.Table.from_pandas(TYPES), "append")):
        write(frame, path, "plain", mode)
    described = {name: kind for name, kind, *_ in rows(path, "DESCRIBE t")}
    assert described["i64"] == "BIGINT" and described["f64"] == "DOUBLE" and described["category"] == "VARCHAR"
    got = rows(path, "FROM t ORDER BY rowid")
    assert len(got) == 9
    for first, second, third in zip(got[:3], got[3:6], got[6:], strict=True):
        assert first == second == third
    assert [r[1] for r in got[:3]] == [2**62, -(2**63), 0] and got[1][4] is None and got[0][4] == 0.1
    write(NEW, path, "plain", "replace", dtype={"a": "SMALLINT", "b": "ENUM('new')"})
    assert [kind for _, kind, *_ in rows(path, "DESCRIBE t")] == ["SMALLINT", "ENUM('new')"]
    with pytest.raises(ValueError, match="not a string"):
        write(NEW, path, "plain", "replace", dtype={"a": sa.Integer()})
    with pytest.raises(ValueError, match="method is a function"):
        write(NEW, path, "plain", "replace", method=lambda *_: None)
    with pytest.raises(ValueError, match=r"'p' is of type period\[D\]"):
        write(pd.DataFrame({"p": pd.period_range("2024", periods=2)}), path, "plain", "replace")
    assert rows(path) == [(4, "new"), (5, "new")]


@pytest.mark.parametrize("kind", ["connection", "plain"])
def test_in_a_transaction_of_the_callers(path: Path, kind: str) -> None:
    with connection(path, kind) as con:
        execute = con.exec_driver_sql if kind == "connection" else con.execute
        con.begin()
        execute("INSERT INTO t VALUES (9, 'mine')")
        with pytest.raises(ValueError, match="already exists"):
            atio.write(NEW, format="sql", name="t", con=con)
        atio.write(iter([NEW, NEW]), format="sql", name="t", con=con, if_exists="append", index=False)
        assert execute("SELECT count(*) FROM t").fetchall()[0][0] == 8
        con.rollback()
        assert execute("SELECT count(*) FROM t").fetchall()[0][0] == 3
        con.rollback() if kind == "connection" else None
        con.begin()
        atio.write(NEW, format="sql", name="t", con=con, if_exists="replace", index=False)
        con.commit()
        assert execute("SELECT count(*) FROM t").fetchall()[0][0] == 2
        con.rollback() if kind == "connection" else None
        con.begin()
        execute("INSERT INTO t VALUES (9, 'mine')")
        with pytest.raises(KeyError):
            atio.write(interrupted(NEW), format="sql", name="t", con=con, if_exists="append", index=False)
        with pytest.raises((duckdb.TransactionException, sa.exc.DBAPIError), match="aborted"):
            execute("SELECT 1")  # DuckDB has no savepoints: there is no way back but the whole
        con.rollback()
    assert rows(path) == [(4, "new"), (5, "new")]


def test_an_open_result_does_not_matter(path: Path) -> None:
    with duckdb.connect(path) as con:
        con.execute("SELECT * FROM range(10000)").fetchone()
        assert atio.write(NEW, format="sql", name="t", con=con, if_exists="append", index=False).rows == 2
        con.execute("SELECT * FROM range(10000)").fetchone()
        atio.write(iter([NEW, NEW]), format="sql", name="t", con=con, if_exists="replace", index=False)
        assert con.execute("SELECT count(*) FROM t").fetchall() == [(4,)]
        con.execute('CREATE SCHEMA "s ""1"""')
        atio.write(NEW, format="sql", name="T", schema='s "1"', con=con, index=False)
        with pytest.raises(ValueError, match="'t' already exists"):
            atio.write(NEW, format="sql", name="t", schema='s "1"', con=con, index=False)
        assert con.execute("SELECT count(*) FROM duckdb_views() WHERE view_name LIKE '_atio%'").fetchall() == [(0,)]


@pytest.mark.parametrize("kind", ["engine", "plain"])
def test_killed_in_the_middle(path: Path, kind: str) -> None:
    program = (
        "import sys, duckdb, sqlalchemy as sa, pandas as pd, atio\n"
        "path, kind = sys.argv[1:]\n"
        "con = duckdb.connect(path) if kind == 'plain' else sa.create_engine('duckdb:///' + path)\n"
        "df = pd.DataFrame({'a': range(200_000), 'b': 'x'})\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    atio.write(iter([df, df]), format='sql', name='t', con=con, if_exists='replace', index=False)\n"
    )
    rng = random.Random(kind)
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", program, path, kind], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(rng.uniform(0.02, 0.5))
            writer.kill()
        assert rows(path, "SELECT count(*) FROM t") in ([(3,)], [(400_000,)])
        assert rows(path, "SELECT table_name FROM information_schema.tables") == [("t",)]


@pytest.mark.parametrize("kind", ["engine", "plain"])
def test_interrupted_by_the_user(path: Path, kind: str) -> None:
    frame = pd.DataFrame({"a": range(300_000), "b": "x"})

    def chunks() -> Iterator[pd.DataFrame]:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        for _ in range(1000):
            yield frame

    with pytest.raises(KeyboardInterrupt):
        write(chunks(), path, kind, "replace")
    assert rows(path) == ROWS


def test_adbc(path: Path) -> None:
    frame = pl.from_pandas(NEW)
    with adbc.connect(str(path)) as con:
        for engine in (None, "adbc"):
            given = {} if engine is None else {"engine": engine}
            for mode, expected in (("append", 5), ("replace", 2)):
                con.execute("CREATE OR REPLACE TABLE t AS FROM (VALUES (1, 'x'), (2, NULL), (3, 'z')) v(a, b)").close()
                con.commit()
                result = atio.write(
                    frame, format="database", table_name="t", connection=con, if_table_exists=mode, **given
                )
                assert result.engine == "polars"
                with con.cursor() as cursor:
                    cursor.execute("SELECT count(*) FROM t")
                    assert cursor.fetchall() == [(expected,)]
                    con.rollback()
        bad = pl.DataFrame({"a": ["6", "seven"], "b": ["new", "new"]})
        with pytest.raises((adbc.Error, OSError)):
            atio.write(bad, format="database", table_name="t", connection=con, if_table_exists="append")
        with con.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM t")
            assert cursor.fetchall() == [(2,)]
        huge = pl.DataFrame({"a": pl.Series([1, 2], dtype=pl.Int128)})
        with pytest.raises((adbc.Error, OSError)):
            atio.write(huge, format="database", table_name="t", connection=con, if_table_exists="replace")
        for mode, expected in (("append", 4), ("replace", 2)):
            result = atio.write(NEW, format="sql", name="t", con=con, if_exists=mode, index=False)
            assert result.engine == "pandas"
            with con.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM t")
                assert cursor.fetchall() == [(expected,)]
                con.rollback()
    uri = {"connection_uri": f"duckdb:///{path}", "engine": "adbc"}
    assert atio.write(frame, format="database", table_name="t", if_table_exists="append", **uri).engine == "polars"
    assert len(rows(path)) == 4
