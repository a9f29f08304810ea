"""Databases that Go does not write into: the library's own writer, in one transaction on the caller's connection."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import polars as pl
import psycopg
import psycopg2
import pyarrow as pa
import pytest
import sqlalchemy as sa

import atio
from postgres_server import PASSWORD, Server

OLD = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})
NEW = pd.DataFrame({"a": [4, 5], "b": ["new", "new"]})
BAD = pd.DataFrame({"a": [6, 7], "b": ["new", {"no": "type of SQLite"}]})
REFUSED = (sqlite3.Error, sa.exc.DBAPIError, pd.errors.DatabaseError)
ROWS = [(1, "x"), (2, None), (3, "z")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as con:
        OLD.to_sql("t", con, index=False)
    con.close()
    return path


def rows(path: Path) -> list[Any]:
    con = sqlite3.connect(path)
    try:
        return con.execute("SELECT * FROM t ORDER BY a").fetchall()
    finally:
        con.close()


def schema(path: Path) -> list[Any]:
    con = sqlite3.connect(path)
    try:
        return con.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 2").fetchall()
    finally:
        con.close()


def connections(path: Path, kind: str) -> Iterator[Any]:
    """A ``con`` of a kind, and what is to be closed."""
    if kind == "url":
        yield f"sqlite:///{path}"
    elif kind == "engine":
        engine = sa.create_engine(f"sqlite:///{path}")
        yield engine
        engine.dispose()
    elif kind == "connection":
        engine = sa.create_engine(f"sqlite:///{path}")
        with engine.connect() as con:
            yield con
        engine.dispose()
    else:
        options: dict[str, Any] = {"isolation_level": None} if kind == "autocommit" else {}
        con = sqlite3.connect(path, **options)
        yield con
        con.close()


KINDS = ["url", "engine", "connection", "sqlite3", "autocommit"]


@pytest.mark.parametrize("kind", KINDS)
def test_sqlite(path: Path, tmp_path: Path, kind: str) -> None:
    expected = tmp_path / "expected.db"
    plain = sqlite3.connect(expected)
    (NEW.to_sql("t", plain) if kind in ("sqlite3", "autocommit") else NEW.to_sql("t", f"sqlite:///{expected}"))
    plain.close()
    for con in connections(path, kind):
        with pytest.raises(ValueError, match="Table 't' already exists"):
            atio.write(NEW, format="sql", name="t", con=con)
        assert rows(path) == ROWS
        with pytest.raises(REFUSED):
            atio.write(BAD, format="sql", name="t", con=con, if_exists="replace", index=False)
        assert rows(path) == ROWS
        result = atio.write(NEW, format="sql", name="t", con=con, if_exists="replace")
        assert (result.engine, result.rows) == ("pandas", 2)
        assert result.path == (f"sqlite:///{path}#t" if kind in KINDS[:3] else "sqlite3://#t")
        assert schema(path) == schema(expected)
        assert rows(path) == rows(expected)
        atio.write(iter([OLD, NEW]), format="sql", name="t", con=con, if_exists="replace", index=False)
        assert len(rows(path)) == 5
        with pytest.raises(REFUSED):
            atio.write(iter([NEW, BAD]), format="sql", name="t", con=con, if_exists="append", index=False)
        assert len(rows(path)) == 5
        with pytest.raises(ValueError, match=r"upsert.*is for PostgreSQL"):
            atio.write(NEW, format="sql", name="t", con=con, if_exists="upsert", key=["a"])
        atio.write(OLD, format="sql", name="t", con=con, if_exists="append", index=False)
        assert len(rows(path)) == 8


@pytest.mark.parametrize("kind", ["url", "engine", "connection"])
def test_sqlite_by_polars(path: Path, kind: str) -> None:
    frame = pl.from_pandas(NEW)
    for con in connections(path, kind):
        result = atio.write(frame, format="database", table_name="t", connection=con, if_table_exists="append")
        assert (result.engine, result.rows) == ("polars", 2)
        assert len(rows(path)) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_sqlite_with_the_names_of_pandas(path: Path, kind: str) -> None:
    for con in connections(path, kind):
        for obj, engine in ((pl.from_pandas(NEW), "polars"), (pa.Table.from_pandas(NEW), "pyarrow")):
            result = atio.write(obj, format="sql", name="t", con=con, if_exists="replace")
            assert (result.engine, rows(path)) == (engine, [(4, "new"), (5, "new")])


def test_sqlite_in_memory() -> None:
    con = sqlite3.connect(":memory:")
    atio.write(OLD, format="sql", name="t", con=con, index=False)
    assert con.execute("SELECT * FROM t").fetchall() == ROWS
    con.close()
    engine = sa.create_engine("sqlite://")
    atio.write(OLD, format="sql", name="t", con=engine, index=False)
    with engine.connect() as open_:
        assert open_.exec_driver_sql("SELECT * FROM t").all() == ROWS
    engine.dispose()


def test_sqlite3_in_a_transaction_of_the_callers(path: Path) -> None:
    con = sqlite3.connect(path)
    con.execute("INSERT INTO t VALUES (9, 'mine')")
    with pytest.raises(REFUSED):
        atio.write(BAD, format="sql", name="t", con=con, if_exists="append", index=False)
    assert con.in_transaction
    assert con.execute("SELECT * FROM t WHERE a > 3").fetchall() == [(9, "mine")]
    assert rows(path) == ROWS
    atio.write(NEW, format="sql", name="t", con=con, if_exists="append", index=False)
    assert not con.in_transaction  # as after pandas' own
    assert len(rows(path)) == 6
    con.close()


def test_a_sqlite_connection_stays_in_the_callers_transaction(path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as con:
        con.begin()
        atio.write(NEW, format="sql", name="t", con=con, if_exists="replace", index=False)
        assert con.exec_driver_sql("SELECT count(*) FROM t").scalar() == 2
        con.rollback()
    assert rows(path) == ROWS
    engine.dispose()


def test_readers_of_sqlite_see_old_or_new(path: Path) -> None:
    with sqlite3.connect(path) as con:
        con.execute("PRAGMA journal_mode = WAL")
    con.close()
    done = threading.Event()
    seen: list[int] = []
    errors: list[Exception] = []

    def read() -> None:
        try:
            while not done.is_set():
                seen.append(len(rows(path)))
        except Exception as e:
            errors.append(e)

    reader = threading.Thread(target=read)
    reader.start()
    engine = sa.create_engine(f"sqlite:///{path}")
    for i in range(30):
        frame = (OLD, NEW)[i % 2]
        atio.write(frame, format="sql", name="t", con=engine, if_exists="replace", index=False)
    done.set()
    reader.join()
    engine.dispose()
    assert not errors
    assert set(seen) <= {2, 3}


def test_eight_writers_of_sqlite(path: Path) -> None:
    def write(number: int) -> None:
        frame = pd.DataFrame({"a": [number] * 50, "b": ["x"] * 50})
        atio.write(frame, format="sql", name="t", con=f"sqlite:///{path}", if_exists="append", index=False)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(path)) == 3 + 8 * 50


def test_sqlite_killed_in_the_middle(path: Path) -> None:
    program = (
        "import sys, pandas as pd, atio\n"
        "df = pd.DataFrame({'a': range(20000), 'b': 'x'})\n"
        "print('ready', flush=True)\n"
        "while True: atio.write(df, format='sql', name='t', con=sys.argv[1], if_exists='replace', index=False)\n"
    )
    for wait in (0.05, 0.15, 0.3, 0.5):
        with subprocess.Popen([sys.executable, "-c", program, f"sqlite:///{path}"], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(wait)
            writer.kill()
        assert len(rows(path)) in (3, 20000)


@pytest.mark.parametrize("driver", [psycopg, psycopg2], ids=lambda d: d.__name__)
def test_a_connection_of_psycopg(postgres: Server, driver: Any) -> None:
    con = driver.connect(host="127.0.0.1", port=postgres.port, user="tester", password=PASSWORD, dbname="postgres")
    with con.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS p; SET search_path = public")
        with pytest.raises(ValueError, match="in a transaction"):
            atio.write(OLD, format="sql", name="p", con=con, index=False)
        con.commit()
        result = atio.write(OLD, format="sql", name="p", con=con, index=False)
        assert result.engine == "go"
        mixed = pd.DataFrame({"a": [1], "b": [(1, "a")]}).astype({"b": str})
        atio.write(mixed, format="sql", name="p", con=con, if_exists="append", index=False)
        periods = pd.DataFrame({"p": pd.period_range("2020", periods=2, freq="M").astype(object)})
        with pytest.raises((sa.exc.DBAPIError, pd.errors.DatabaseError)):
            atio.write(periods, format="sql", name="q", con=con, index=False)  # which pandas cannot write either
        cursor.execute("SELECT count(*) FROM p")
        assert cursor.fetchone() == (4,)
    con.close()
    with pytest.raises(ValueError, match="con is closed"):
        atio.write(OLD, format="sql", name="p", con=con, index=False)


def test_adbc(postgres: Server) -> None:
    uri = postgres.url().replace("+psycopg", "").replace(" ", "%20")
    frame = pl.from_pandas(OLD)
    with adbc.connect(uri) as con:
        cases: list[tuple[Any, dict[str, Any]]] = [
            (frame, {"format": "database", "table_name": "d", "connection": con, "if_table_exists": "replace"}),
            (
                frame,
                {
                    "format": "database",
                    "table_name": "d",
                    "connection_uri": uri,
                    "if_table_exists": "append",
                    "engine": "adbc",
                },
            ),
            (OLD, {"format": "sql", "name": "d", "con": con, "if_exists": "append", "index": False}),
        ]
        for i, (obj, kwargs) in enumerate(cases, 1):
            result = atio.write(obj, **kwargs)
            assert result.engine in ("polars", "pandas")
            assert PASSWORD not in repr(result)
            with postgres.connect() as check:
                assert check.execute("SELECT count(*) FROM d").fetchone() == (3 * i,)
        with pytest.raises(ValueError, match="ADBC commits each chunk"):
            atio.write(iter([frame]), format="database", table_name="d", connection=con, if_table_exists="append")


def test_asking_for_what_there_is_not() -> None:
    with pytest.raises(sa.exc.NoSuchModuleError):
        atio.write(OLD, format="sql", name="t", con="nosuch://host/x")
    with pytest.raises(ValueError, match="pandas objects cannot be written to a database by it"):
        atio.write(OLD, format="database", table_name="t", connection="sqlite://")
    with pytest.raises(ValueError, match="open_writer is for files"):
        atio.open_writer("t", "sql", con="sqlite://")
    with pytest.raises(TypeError, match=r"cannot write a builtins\.int"):
        atio.write(5, format="sql", name="t", con="sqlite://")
