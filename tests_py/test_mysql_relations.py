"""Tables, names, rights and servers of every kind in MariaDB: no half is left, and nothing that was hidden."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

import atio
from cutting_proxy import proxy_to
from mariadb_server import Server, running_server

NEW = pd.DataFrame({"a": [4, 5], "b": ["new", "new"]})
TABLE = ["CREATE TABLE t (a BIGINT, b VARCHAR(9))", "INSERT INTO t VALUES (1, 'old')"]
RELATIONS: dict[str, list[str]] = {
    "partition": [
        "CREATE TABLE t (a BIGINT, b TEXT) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (5))",
        TABLE[1],
    ],
    "numbered": ["CREATE TABLE t (a BIGINT AUTO_INCREMENT PRIMARY KEY, b TEXT)", TABLE[1]],
    "stored": ["CREATE TABLE t (a BIGINT, b TEXT AS ('old') STORED)", "INSERT INTO t (a) VALUES (1)"],
    "virtual": ["CREATE TABLE t (a BIGINT, b VARCHAR(9) AS ('old') VIRTUAL)", "INSERT INTO t (a) VALUES (1)"],
    "trigger": [*TABLE, "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET new.b = 'trigger'"],
    "trigger raises": [
        *TABLE,
        "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW IF new.a = 5 THEN SIGNAL SQLSTATE '45000'; END IF",
    ],
    "child": [
        "CREATE TABLE p (a BIGINT PRIMARY KEY)",
        "INSERT INTO p VALUES (1), (4)",
        "CREATE TABLE t (a BIGINT, b TEXT, FOREIGN KEY (a) REFERENCES p (a))",
        TABLE[1],
    ],
    "parent": [
        "CREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT)",
        TABLE[1],
        "CREATE TABLE c (a BIGINT, FOREIGN KEY (a) REFERENCES t (a))",
        "INSERT INTO c VALUES (1)",
    ],
    "check": ["CREATE TABLE t (a BIGINT CHECK (a < 5), b TEXT)", TABLE[1]],
    "versions": ["CREATE TABLE t (a BIGINT, b TEXT) WITH SYSTEM VERSIONING", TABLE[1]],
    "another charset": ["CREATE TABLE t (a BIGINT, b VARCHAR(9) CHARACTER SET latin1)", TABLE[1]],
    "without default": ["CREATE TABLE t (a BIGINT, b TEXT, c INT NOT NULL)", "INSERT INTO t VALUES (1, 'old', 1)"],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_tables(server: Server) -> Iterator[None]:
    yield
    clear(server)


def clear(server: Server) -> None:
    with contextlib.closing(server.connect()) as con, con.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute("SHOW FULL TABLES")
        for name, kind in cursor.fetchall():
            cursor.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} `{name}`")


def tables(server: Server) -> list[str]:
    return sorted(row[0] for row in server.query("SHOW TABLES FROM test"))


def write(frame: Any, con: Any, mode: str = "fail", name: str = "t", **kwargs: Any) -> atio.WriteResult:
    return atio.write(frame, format="sql", name=name, con=con, if_exists=mode, **kwargs)


def set_up(server: Server, statements: list[str]) -> None:
    clear(server)
    for sql in statements:
        server.query(sql)


def outcome(server: Server, attempt: Any) -> tuple[int, Any]:
    """The server's number if it refused, and the rows that there are then."""
    number = 0
    try:
        attempt()
    except (sa.exc.DBAPIError, pd.errors.DatabaseError) as e:
        cause: Any = e if isinstance(e, sa.exc.DBAPIError) else e.__cause__
        number = cause.orig.args[0]
    return number, server.query("SELECT * FROM t ORDER BY a")


MODES = ["replace", "append"] + ["delete_rows"] * (int(pd.__version__.split(".")[0]) >= 3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("relation", RELATIONS)
def test_as_by_pandas(server: Server, relation: str, mode: str) -> None:
    set_up(server, RELATIONS[relation])
    before, old = tables(server), server.query("SELECT * FROM t")
    number, rows = outcome(server, lambda: NEW.to_sql("t", server.url(), if_exists=mode, index=False))
    for frame in (NEW, iter([NEW[:1], NEW[1:]])):
        set_up(server, RELATIONS[relation])
        got = outcome(server, lambda: write(frame, server.url(), mode, index=False))  # noqa: B023
        assert got == (number, old if number else rows)  # where pandas has left it without rows
        assert tables(server) == before


@pytest.mark.parametrize("mode", ["replace", "append", "delete_rows"])
def test_views(server: Server, mode: str) -> None:
    set_up(server, ["CREATE TABLE base AS SELECT 1 AS a, 'old' AS b", "CREATE VIEW t AS SELECT * FROM base"])
    with pytest.raises(sa.exc.OperationalError, match=r"1347.*behind it"):
        write(NEW, server.url(), mode, index=False)
    assert server.query("SELECT * FROM t") == [(1, "old")] and tables(server) == ["base", "t"]


@pytest.mark.parametrize("mode", ["append", "delete_rows"])
def test_engines_without_transactions(server: Server, mode: str) -> None:
    """By the library too, of which a failure would leave rows behind."""
    set_up(server, ["CREATE TABLE t (a BIGINT, b VARCHAR(9)) ENGINE = MyISAM", TABLE[1]])
    mixed = NEW.assign(b=["new", 5])
    engine = sa.create_engine(server.url())
    with engine.connect() as con:
        for frame, given in ((NEW, engine), (mixed, engine), (NEW, con)):
            with pytest.raises(sa.exc.OperationalError, match=r"1178.*MyISAM of the table has no transactions"):
                write(frame, given, mode, index=False)
    engine.dispose()
    assert server.query("SELECT * FROM t") == [(1, "old")]


def test_users_who_may_not(server: Server) -> None:
    """A hidden table that they could not drop is not made."""
    with contextlib.closing(server.connect("root", "", None)) as con, con.cursor() as cursor:
        cursor.execute("CREATE USER joe@'%' IDENTIFIED BY 'joe'")
        url = sa.make_url(server.url()).set(username="joe", password="joe")
        engine = sa.create_engine(url)
        for rights, may in (
            ("SELECT", ()),
            ("SELECT, INSERT", ("append",)),
            ("SELECT, INSERT, CREATE", ("append",)),
            ("SELECT, INSERT, DELETE, CREATE", ("append", "delete_rows")),
            ("SELECT, INSERT, CREATE, DROP", ("append",)),
            ("SELECT, INSERT, CREATE, DROP, ALTER", ("append", "replace")),
        ):
            cursor.execute(f"GRANT {rights} ON test.* TO joe@'%'")
            for mode in ("append", "replace", "delete_rows"):
                set_up(server, TABLE)
                for frame in (NEW, NEW.assign(b=["new", 5])):  # Go's, and the library's
                    with contextlib.ExitStack() as stack:
                        if mode not in may:
                            stack.enter_context(pytest.raises((sa.exc.DBAPIError, OSError), match="denied"))
                        write(frame, engine, mode, index=False)
                    assert tables(server) == ["t"]
                assert (server.query("SELECT * FROM t") == [(1, "old")]) == (mode not in may)
            engine.dispose()
            cursor.execute("REVOKE ALL ON test.* FROM joe@'%'")
        cursor.execute("DROP USER joe@'%'")


def test_a_server_that_wants_primary_keys(server: Server) -> None:
    """As InnoDB clusters do: MySQL's sql_require_primary_key, of which MariaDB has a part."""
    server.query("CREATE TABLE t (a BIGINT PRIMARY KEY AUTO_INCREMENT, b TEXT, c INT)")
    server.query("SET GLOBAL innodb_force_primary_key = 1")
    try:
        frame = pd.DataFrame({"a": [2, 1, 2], "b": ["x", "y", "last"]})
        write(frame[:2], server.url(), "append", index=False)
        write(frame, server.url(), "upsert", key=["a"], index=False)
        assert server.query("SELECT * FROM t ORDER BY a") == [(1, "y", None), (2, "last", None)]
        write(frame, server.url(), "upsert", "made", key=["a"], index=False)
        assert server.query("SELECT * FROM made ORDER BY a") == [(1, "y"), (2, "last")]
        with pytest.raises(sa.exc.DBAPIError, match="requires a primary key"):  # as by the library
            write(frame, server.url(), "replace", index=False)
        with proxy_to(server.port) as proxy:
            proxy.cut_on_sending(b"COMMIT")
            with contextlib.suppress(ConnectionError):  # and not CommitUnknownError: the log could be made
                write(frame[["b"]], server.url(proxy.port), "append", index=False)
            assert proxy.was_cut
    finally:
        server.query("SET GLOBAL innodb_force_primary_key = 0")
    assert server.query("SELECT COUNT(*) FROM t")[0][0] in (2, 5)
    write(frame, server.url(), "replace", "other", index=False)  # which clears away what is left
    assert tables(server) == ["made", "other", "t"]


def test_names_beyond_the_basic_plane(server: Server) -> None:
    engine = sa.create_engine(server.url())
    frame, emoji = pd.DataFrame({"a": [1]}), pd.DataFrame({"\U0001f600": [1]})
    index = frame.rename_axis("\U0001f600")
    write(frame, server.url(), "fail", "t", index=False)
    with engine.connect() as con:
        for given in (server.url(), con):
            for obj, kwargs in (
                (frame, {"name": "x\U0001f600"}),
                (frame, {"name": "t", "schema": "\U0001f600"}),
                (emoji, {"name": "t"}),
                (index, {"name": "t"}),
                (pl.from_pandas(emoji), {"name": "t"}),
                (pa.Table.from_pandas(emoji), {"name": "t"}),
                (pa.Table.from_pandas(emoji).to_batches()[0], {"name": "t"}),
            ):
                for mode in ("fail", "replace", "append", "delete_rows"):
                    with pytest.raises(
                        sa.exc.OperationalError, match=r"1300.*U\+1F600.*none beyond U\+FFFF.*rename it"
                    ):
                        atio.write(obj, format="sql", con=given, if_exists=mode, **kwargs)
    engine.dispose()
    assert tables(server) == ["t"]
    assert server.query("SELECT * FROM t") == [(1,)]
    write(pd.DataFrame({"\uffee": ["\U0001f600"]}), server.url(), "replace", "\uffee", index=False)
    assert server.query("SELECT * FROM `\uffee`") == [("\U0001f600",)]
