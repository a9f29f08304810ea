"""``format="sql"`` and ``"database"`` into a real MariaDB, beside pandas' and polars' own writers."""

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
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

import atio
from cutting_proxy import proxy_to
from mariadb_server import PASSWORD, Server, running_server

OLD, NEW = 100, 60_000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_tables(server: Server) -> Iterator[None]:
    yield
    with contextlib.closing(server.connect()) as con, con.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        for name in tables(server):
            cursor.execute(f"DROP TABLE `{name.replace('`', '``')}`")


def tables(server: Server) -> list[str]:
    return sorted(row[0] for row in server.query("SHOW TABLES FROM test"))


def write(frame: Any, con: Any, mode: str = "fail", name: str = "t", **kwargs: Any) -> atio.WriteResult:
    return atio.write(frame, format="sql", name=name, con=con, if_exists=mode, **kwargs)


def described(server: Server, name: str) -> tuple[Any, Any]:
    columns = server.query(
        "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, COLLATION_NAME FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = 'test' AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        name,
    )
    keys = server.query(
        "SELECT COLUMN_NAME, SEQ_IN_INDEX, NON_UNIQUE FROM information_schema.STATISTICS"
        " WHERE TABLE_SCHEMA = 'test' AND TABLE_NAME = %s ORDER BY 1",
        name,
    )
    return columns, keys


def pandas_frame() -> pd.DataFrame:
    moments = pd.to_datetime(["2024-01-01", "2024-06-01 12:00:00.6", None], format="ISO8601")
    return pd.DataFrame(
        {
            "i8": np.array([1, -128, 127], dtype="int8"),
            "u8": np.array([1, 0, 255], dtype="uint8"),
            "i32": np.array([1, -(2**31), 2**31 - 1], dtype="int32"),
            "i64": [1, -(2**63), 2**63 - 1],
            "f64": [0.1, np.nan, -1e300],
            "f32": np.array([0.1, np.nan, 1e-30], dtype="float32"),
            "bool": [True, False, True],
            "text": ["tab\t line\n back\\ nul\0 ' \" \r \x1a", "\\N", None],
            "ünï": ["😀", "NULL", ""],
            "moment": moments,
            "aware": moments.tz_localize("Asia/Seoul"),
            "date": [dt.date(2024, 2, 29), None, dt.date(1, 1, 1)],
            "time": [dt.time(1, 2, 3), dt.time(23, 59, 59), None],
            "decimal": [decimal.Decimal("1.50"), None, decimal.Decimal("-3")],
            "maybe": pd.array([1, None, 3], dtype="Int64"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "category": pd.Categorical(["a", None, "a"]),
            "delta": pd.to_timedelta(["1s", "-1ns", "0s"]),
            "none": [None, None, None],
            "quo`te %s": [1.5, 2.5, 3.5],
        },
        index=pd.Index([10, 20, 30], name="key"),
    )


@pytest.mark.filterwarnings("ignore:the 'timedelta' type is not supported")
@pytest.mark.parametrize("local_infile", [True, False])
def test_pandas_tables_are_those_of_pandas(server: Server, local_infile: bool) -> None:
    frame = pandas_frame()
    url = server.url()
    server.query("SET GLOBAL local_infile = %s", local_infile)
    try:
        for name in ("moment", None):
            some = frame if name is None else frame[[name]]
            assert write(some, url, "replace").engine == "go"
            some.to_sql("expected", sa.create_engine(url, poolclass=sa.NullPool), if_exists="replace")
            assert described(server, "t") == described(server, "expected")
            got, want = (server.query(f"SELECT * FROM {t} ORDER BY `key`") for t in ("t", "expected"))
            for g, w in zip(got, want, strict=True):
                for column, a, b in zip(["key", *some.columns], g, w, strict=True):
                    assert a == b and type(a) is type(b), (column, a, b)
        assert write(frame, url, "append").engine == "go"
        assert server.query("SELECT COUNT(*) FROM t") == [(6,)]
    finally:
        server.query("SET GLOBAL local_infile = 1")
    assert tables(server) == ["expected", "t"]


def test_types_by_dtype(server: Server) -> None:
    kinds = {"a": sa.VARCHAR(10), "b": sa.LargeBinary, "c": sa.Numeric(10, 3), "d": sa.DateTime}
    frame = pd.DataFrame({"a": ["x", None], "b": [b"\0\xff\n\t\\", b""], "c": [1.5, np.nan], "d": ["2024-01-01", None]})
    write(frame, server.url(), index=False, dtype=kinds)
    frame.to_sql("expected", server.url(), index=False, dtype=kinds)
    assert described(server, "t") == described(server, "expected")
    assert server.query("SELECT * FROM t") == server.query("SELECT * FROM expected")


def test_polars_and_arrow(server: Server) -> None:
    frame = pl.DataFrame(
        {
            "i": [1, None],
            "s": ["a", None],
            "f": [1.5, None],
            "t": [dt.datetime(2024, 1, 1, 1, 2, 3), None],
            "d": [dt.date(2024, 1, 1), None],
            "b": [True, None],
        }
    )
    result = atio.write(frame, format="database", table_name="t", connection=server.url())
    assert result.engine == "go"
    frame.write_database("expected", server.url())
    assert described(server, "t") == described(server, "expected")
    assert server.query("SELECT * FROM t") == server.query("SELECT * FROM expected")
    table = pa.table({"u": pa.array([2**64 - 1], pa.uint64()), "m": pa.array([1_000_001], pa.timestamp("us"))})
    write(table, server.url(), name="arrow")
    assert server.query("SELECT * FROM arrow") == [(2**64 - 1, dt.datetime(1970, 1, 1, 0, 0, 1, 1))]


@pytest.mark.parametrize("driver", ["mysql+pymysql", "mariadb+pymysql", "mysql+mysqlconnector"])
@pytest.mark.parametrize("kind", ["url", "engine", "socket", "connection"])
def test_kinds_of_con(server: Server, kind: str, driver: str) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    url = server.url(dialect=driver)
    socket = {"unix_socket": str(server.socket)} if kind == "socket" else {}
    engine = sa.create_engine(url, connect_args=socket, poolclass=sa.NullPool)
    if kind == "connection":
        with engine.connect() as con:
            assert write(frame, con, index=False).engine == "pandas"
            con.commit()
    else:
        assert write(frame, url if kind == "url" else engine, index=False).engine == "go"
    assert server.query("SELECT * FROM t") == [(1,), (2,)]


def test_replaced_over_a_connection_of_the_callers(server: Server) -> None:
    """Which MySQL commits at DROP TABLE and CREATE TABLE: the library would leave half a table, or none."""
    engine = sa.create_engine(server.url(), poolclass=sa.NullPool)
    old, new = pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [3, 4, 5]}).rename_axis("i")
    bad = [new, pd.DataFrame({"surplus": [1]}).rename_axis("i")]
    with engine.connect() as con:
        assert write(old, con, index=False).engine == "pandas"
        for broken in (iter(bad), pd.DataFrame({"a": [1, float("inf")]})):
            for mode, name in (("replace", "t"), ("append", "u"), ("fail", "u")):
                with pytest.raises((sa.exc.SQLAlchemyError, pd.errors.DatabaseError, ValueError)):
                    write(broken, con, mode, name)
                assert not con.in_transaction()
                assert server.query("SELECT * FROM t") == [(1,), (2,)]
                assert tables(server) == ["t"]
        for name in ("t", "we%i:r`d"):
            assert write(new, con, "replace", name).engine == "pandas"
            pandas_name = name + "_p"
            new.to_sql(pandas_name, con)
            con.commit()
            assert described(server, name) == described(server, pandas_name)
            indexes = server.query("SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_NAME = %s", name)
            assert indexes == [(f"ix_{name}_i",)]
        assert server.query("SELECT * FROM t") == [(0, 3), (1, 4), (2, 5)]
        assert tables(server) == sorted(["t", "t_p", "we%i:r`d", "we%i:r`d_p"])


def test_replaced_by_the_library_over_an_engine(server: Server) -> None:
    engine = sa.create_engine(server.url())
    old, new = pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [3]})
    write(old, engine, index=False)

    def method(table: Any, con: Any, keys: Any, data: Any) -> None:
        con.execute(table.table.insert(), [dict(zip(keys, row, strict=True)) for row in data])
        assert server.query("SELECT * FROM t") == [(1,), (2,)]
        if fails:
            raise KeyError("mine")

    for fails in (True, False):
        with pytest.raises(KeyError) if fails else contextlib.nullcontext():
            assert write(new, engine, "replace", index=False, method=method).engine == "pandas"
        assert server.query("SELECT * FROM t") == ([(1,), (2,)] if fails else [(3,)])
        assert tables(server) == ["t"]
    engine.dispose()
    with contextlib.closing(server.connect()) as con, con.cursor() as cursor:  # one to which another table refers
        cursor.execute("ALTER TABLE t ADD PRIMARY KEY (a)")
        cursor.execute("CREATE TABLE child (a BIGINT, FOREIGN KEY (a) REFERENCES t (a))")
    with pytest.raises((sa.exc.DBAPIError, pd.errors.DatabaseError)):
        write(new, engine, "replace", index=False, method=method)
    assert server.query("SELECT * FROM t") == [(3,)] and tables(server) == ["child", "t"]
    engine.dispose()


def test_a_transaction_of_the_callers(server: Server) -> None:
    """It is not committed behind the caller's back: a table is not created in it, rows are a part of it."""
    engine = sa.create_engine(server.url(), poolclass=sa.NullPool)
    frame = pd.DataFrame({"a": [1]})
    write(frame, engine, index=False)
    with engine.connect() as con, con.begin() as outer:
        con.exec_driver_sql("INSERT INTO t VALUES (7)")
        for mode, name in (("replace", "t"), ("fail", "new"), ("append", "new")):
            with pytest.raises(ValueError, match="commits when a table is created"):
                write(frame, con, mode, name, index=False)
        with pytest.raises(ValueError, match="already exists"):
            write(frame, con, index=False)
        assert write(frame, con, "append", index=False).engine == "pandas"
        assert con.exec_driver_sql("SELECT count(*) FROM t").scalar() == 3
        outer.rollback()
    assert server.query("SELECT * FROM t") == [(1,)] and tables(server) == ["t"]


def test_time_zone_and_mode_of_the_session(server: Server) -> None:
    engine = sa.create_engine(server.url(), poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "connect")
    def settle(raw: Any, _: Any) -> None:
        with raw.cursor() as cursor:
            cursor.execute("SET time_zone = '+05:00', sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES'")

    frame = pd.DataFrame({"t": pd.to_datetime(["2024-01-01"]).tz_localize("Asia/Seoul"), "s": ["a\\nb"]})
    for name in ("t", "expected"):
        frame.to_sql(name, engine, index=False) if name == "expected" else write(frame, engine, index=False)
    assert server.query("SELECT * FROM t") == server.query("SELECT * FROM expected")


def test_modes(server: Server) -> None:
    url = server.url()
    one, two = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})
    write(one, url, index=False)
    with pytest.raises(ValueError, match="already exists"):
        write(two, url, index=False)
    write(two, url, "append", index=False)
    assert server.query("SELECT a FROM t ORDER BY a") == [(1,), (2,)]
    write(two, url, "delete_rows", index=False)
    assert server.query("SELECT a FROM t") == [(2,)]
    write((one for _ in range(3)), url, "replace", index=False)
    assert server.query("SELECT a FROM t") == [(1,)] * 3
    assert tables(server) == ["t"]


def test_upsert(server: Server) -> None:
    url = server.url()
    key: dict[str, Any] = {"key": ["k"], "index": False}
    write(pd.DataFrame({"k": ["a", "b"], "v": [1, 2]}), url, "upsert", **key)
    write(pd.DataFrame({"k": ["b", "c"], "v": [20, 30]}), url, "upsert", **key)
    assert server.query("SELECT k, v FROM t ORDER BY k") == [("a", 1), ("b", 20), ("c", 30)]
    write(pd.DataFrame({"k": ["c", "d"]}), url, "upsert", **key)
    assert server.query("SELECT k, v FROM t ORDER BY k")[2:] == [("c", 30), ("d", None)]
    server.query("CREATE UNIQUE INDEX u ON t (v)")
    with pytest.raises(ValueError, match="another unique index, u"):
        write(pd.DataFrame({"k": ["x"], "v": [1]}), url, "upsert", **key)
    server.query("CREATE TABLE plain (k INT, v INT)")
    with pytest.raises(ValueError, match="unique index on just these"):
        write(pd.DataFrame({"k": [1], "v": [1]}), url, "upsert", "plain", **key)
    assert tables(server) == ["plain", "t"]


def test_what_the_server_refuses(server: Server) -> None:
    """LOAD DATA LOCAL only warns of it."""
    server.query("CREATE TABLE t (a TINYINT NOT NULL UNIQUE, s VARCHAR(3))")
    server.query("INSERT INTO t VALUES (1, 'x')")
    for frame, kind in (
        (pd.DataFrame({"a": [2, 1]}), sa.exc.IntegrityError),
        (pd.DataFrame({"a": [2, 1000]}), sa.exc.DataError),
        (pd.DataFrame({"a": [2, 3], "s": ["ok", "too long"]}), sa.exc.DataError),
        (pd.DataFrame({"a": [2, None]}), sa.exc.DBAPIError),
        (pd.DataFrame({"a": [2], "nope": [1]}), sa.exc.OperationalError),
    ):
        with pytest.raises(kind) as e:
            write(frame, server.url(), "append", index=False)
        assert PASSWORD not in str(e.value)
        assert server.query("SELECT a FROM t") == [(1,)] and tables(server) == ["t"]
    with pytest.raises(ValueError, match=r'"f", row 1.*infinite'):
        write(pd.DataFrame({"f": [1.0, np.inf]}), server.url(), name="new", index=False)
    server.query("CREATE TABLE m (a INT) ENGINE = MyISAM")
    with pytest.raises(sa.exc.DBAPIError, match="no transactions"):
        write(pd.DataFrame({"a": [1]}), server.url(), "append", "m", index=False)
    server.query("CREATE TABLE child (a TINYINT, FOREIGN KEY (a) REFERENCES t (a))")
    with pytest.raises(sa.exc.IntegrityError, match="foreign key"):
        write(pd.DataFrame({"a": [1]}), server.url(), "replace", index=False)
    assert tables(server) == ["child", "m", "t"]


def test_hostile_names(server: Server) -> None:
    names = ("a b", "`; DROP TABLE t; --", "quo'te\"", "%s %(x)s", "ü", "x" * 64, "a.b", "\\", "select")
    for name in names:
        frame = pd.DataFrame({f"{name[:60]}`": [1], "\\": ["x"]})
        write(frame, server.url(), "replace", name, index=False)
        write(frame, server.url(), "append", name, index=False)
    assert tables(server) == sorted(names)
    with pytest.raises(ValueError, match="64"):
        atio.write(pa.table({"a": [1]}), format="sql", name="x" * 65, con=server.url())


@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt()])
@pytest.mark.parametrize("mode", ["fail", "replace", "append"])
def test_an_exception_leaves_nothing(server: Server, mode: str, error: BaseException) -> None:
    if mode != "fail":
        old(server)

    def chunks() -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"v": [1] * 1000})
        yield pd.DataFrame({"v": [1] * 1000})
        raise error

    with pytest.raises(type(error)):
        write(chunks(), server.url(), mode, index=False)
    assert tables(server) == ([] if mode == "fail" else ["t"])
    if mode != "fail":
        assert look(server) == (OLD, 0)


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_a_signal_stops_a_write(server: Server, mode: str) -> None:
    old(server)
    frame = pd.DataFrame({"v": [1] * 600_000})
    began = time.monotonic()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        write(frame, server.url(), mode, index=False)
    assert time.monotonic() - began < 15
    assert look(server) == (OLD, 0)
    settled(server, mode)


def test_readers_see_one_version(server: Server) -> None:
    write(pd.DataFrame({"v": [0] * 500}), server.url(), index=False)
    seen, stop = set(), threading.Event()

    def read() -> None:
        with contextlib.closing(server.connect()) as con, con.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("SELECT v FROM t")
                seen.add(cursor.fetchall())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for version in range(1, 12):
            write(pd.DataFrame({"v": [version] * 500}), server.url(), "replace", index=False)
    finally:
        stop.set()
        reader.join()
    assert len(seen) > 3 and all(len(s) == 500 and len(set(s)) == 1 for s in seen)


def test_twenty_writers(server: Server) -> None:
    def append(i: int) -> None:
        write(pd.DataFrame({"w": [i] * 50}), server.url(), "append", index=False)

    def replace(i: int) -> None:
        write(pd.DataFrame({"w": [i] * 50}), server.url(), "replace", index=False)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(append, range(20)))
    assert sorted(server.query("SELECT w, COUNT(*) FROM t GROUP BY w")) == [(i, 50) for i in range(20)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(replace, range(20)))
    assert server.query("SELECT COUNT(*), COUNT(DISTINCT w) FROM t") == [(50, 1)]
    assert tables(server) == ["t"]


def old(server: Server) -> None:
    with contextlib.closing(server.connect()) as con, con.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS t, other")
        cursor.execute("CREATE TABLE t (v BIGINT)")
        cursor.executemany("INSERT INTO t VALUES (%s)", [(0,)] * OLD)


def look(server: Server) -> tuple[int, int]:
    """How many old and how many new rows there are."""
    found = dict(server.query("SELECT v, COUNT(*) FROM t GROUP BY v"))
    return found.get(0, 0), found.get(1, 0)


def whole(server: Server, mode: str) -> tuple[int, int]:
    found = look(server)
    assert found in ((OLD, 0), (0, NEW) if mode == "replace" else (OLD, NEW))
    return found


def settled(server: Server, mode: str) -> None:
    """The table is old or new, and after the next write there is no other."""
    found = whole(server, mode)
    deadline = time.monotonic() + 40
    while True:  # until the server has noticed that the client is gone
        write(pd.DataFrame({"x": [1]}), server.url(), "replace", "other", index=False)
        if tables(server) == ["other", "t"] or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert tables(server) == ["other", "t"]
    assert whole(server, mode) == found


VICTIM = """
import sys, pandas as pd, atio
frame = pd.DataFrame({"v": [1] * int(sys.argv[3])})
print("begin", flush=True)
atio.write(frame, format="sql", name="t", con=sys.argv[1], if_exists=sys.argv[2], index=False)
"""


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_killed_clients(server: Server, mode: str) -> None:
    rng = random.Random(mode)
    for _ in range(5):
        old(server)
        command = [sys.executable, "-c", VICTIM, server.url(), mode, str(NEW)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"begin\n"
        time.sleep(rng.uniform(0.1, 1.0))
        process.kill()
        process.wait()
        process.stdout.close()
        settled(server, mode)


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_killed_sessions(server: Server, mode: str) -> None:
    rng = random.Random(mode)
    frame = pd.DataFrame({"v": [1] * NEW})

    def kill() -> None:
        time.sleep(rng.uniform(0.02, 0.3))
        with contextlib.closing(server.connect()) as con, con.cursor() as cursor:
            cursor.execute(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'tester' AND ID <> CONNECTION_ID()"
            )
            for (number,) in cursor.fetchall():
                with contextlib.suppress(Exception):
                    cursor.execute(f"KILL {number}")

    for _ in range(5):
        old(server)
        killer = threading.Thread(target=kill)
        killer.start()
        with contextlib.suppress(ConnectionError):
            write(frame, server.url(), mode, index=False)
        killer.join()
        settled(server, mode)


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_cut_connections(server: Server, mode: str) -> None:
    rng = random.Random(mode)
    frame = pd.DataFrame({"v": [1] * NEW})
    failed = 0
    with proxy_to(server.port) as proxy:
        for _ in range(8):
            old(server)
            proxy.cut_after(rng.randrange(1000, 2 * NEW + 4000))
            lost = False
            try:
                write(frame, server.url(proxy.port), mode, index=False)
            except (ConnectionError, TimeoutError):
                lost = True
            except atio.CommitUnknownError:
                failed += 1
            proxy.cut_after(None)
            failed += lost
            if lost:
                assert look(server) == (OLD, 0)
            settled(server, mode)
    assert failed > 2


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_a_commit_whose_answer_is_lost(server: Server, mode: str) -> None:
    """The connection is cut when the last statement has been sent; through a new one the outcome is found."""
    frame = pd.DataFrame({"v": [1] * NEW})
    with proxy_to(server.port) as proxy:
        old(server)
        proxy.cut_on_sending(b"COMMIT" if mode == "append" else b"RENAME TABLE")
        try:
            write(frame, server.url(proxy.port), mode, index=False)
        except ConnectionError:
            assert look(server) == (OLD, 0)
        else:
            assert look(server) == ((0, NEW) if mode == "replace" else (OLD, NEW))
        assert proxy.was_cut
    settled(server, mode)


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_killed_server(mode: str) -> None:
    rng = random.Random(mode)
    frame = pd.DataFrame({"v": [1] * NEW})
    with running_server() as server:
        for _ in range(3):
            old(server)
            killer = threading.Timer(rng.uniform(0.05, 0.4), server.stop, (signal.SIGKILL,))
            killer.start()
            with contextlib.suppress(ConnectionError, TimeoutError, atio.CommitUnknownError):
                write(frame, server.url(), mode, index=False)
            killer.join()
            server.start()
            settled(server, mode)


def test_credentials_are_not_shown(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    frame = pd.DataFrame({"a": [1]})
    result = write(frame, server.url(), verbose=True, show_progress=True)
    assert result.path == f"mysql://127.0.0.1:{server.port}/test#t"
    for url in (server.url(1), server.url().replace("test", "no_such_database")):
        with pytest.raises((ConnectionError, sa.exc.DBAPIError)) as e:
            write(frame, url, verbose=True)
        assert PASSWORD not in str(e.value) and "s3cret" not in str(e.value)
    out = capfd.readouterr()
    assert "s3cret" not in out.err + out.out
