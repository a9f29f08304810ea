"""One transaction on the caller's own connection, for the library's own writer.

The libraries commit where they like: pandas between dropping a SQLite table and filling the new one. Here nothing is
committed before the last row is there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ._libpq import parameters_of
from ._target import Target, refuse_outside_of_run_sync


@contextlib.contextmanager
def transaction(target: Target) -> Iterator[Any]:
    """What to give to the library's writer as ``con``; committed when the block ends, undone if it raises."""
    if target.kind == "adbc":
        with _of_adbc(target.con) as con:
            yield con
        return
    if target.kind == "dbapi" and target.dialect != "postgresql":
        with _of_dbapi(target.con) as con:
            yield con
        return
    if target.kind == "connection":
        with _of_connection(target.con) as con:
            yield con
        return
    from sqlalchemy import create_engine

    if target.kind == "dbapi":
        engine = _like(target.con)
    else:
        if target.kind == "url":
            refuse_outside_of_run_sync(target.con.get_dialect())
        engine = create_engine(target.con) if target.kind == "url" else target.con
    try:
        with engine.connect() as con, _of_connection(con):
            yield con
    finally:
        if target.kind != "engine":
            engine.dispose()


def _like(con: Any) -> Any:
    """An engine that connects as psycopg's own connection does, which pandas does not take."""
    import importlib

    from sqlalchemy import create_engine

    driver = type(con).__module__.partition(".")[0]
    parameters = parameters_of(con)
    return create_engine(
        f"postgresql+{driver}://", creator=lambda: importlib.import_module(driver).connect(**parameters)
    )


@contextlib.contextmanager
def _of_adbc(con: Any) -> Iterator[Any]:
    """The library commits by itself, when all is there."""
    try:
        yield con
    except BaseException:
        if not isinstance(con, str):
            con.rollback()
        raise


@contextlib.contextmanager
def _of_connection(con: Any) -> Iterator[Any]:
    """A transaction of its own, or a part of the one that the caller is in."""
    if not con.in_transaction():
        with _no_autocommit(con), con.begin():
            _begin_sqlite(con)
            yield con
        return
    if con.dialect.name == "duckdb":
        with _spoilt_by_errors(con.exec_driver_sql):
            yield con
        return
    _begin_sqlite(con)
    with con.begin_nested():
        yield con


@contextlib.contextmanager
def _spoilt_by_errors(execute: Callable[[str], object]) -> Iterator[None]:
    """A part of a transaction of DuckDB, which has no savepoints: after any error there is only its ROLLBACK.

    Its own errors do that. One of Python's in between has to.
    """
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):
            execute("SELECT error('a write in this transaction has failed')")
        raise


@contextlib.contextmanager
def _no_autocommit(con: Any) -> Iterator[None]:
    """Have an engine or connection that commits each statement do so only at the end."""
    raw = con.connection.driver_connection
    autocommit = getattr(raw, "autocommit", None)
    if callable(autocommit):  # of MySQL's drivers
        autocommit = raw.get_autocommit() if hasattr(raw, "get_autocommit") else None
    if autocommit is not True:
        yield
        return
    con.execution_options(isolation_level=con.default_isolation_level)
    try:
        yield
    finally:
        if not con.closed and not con.invalidated:
            con.execution_options(isolation_level="AUTOCOMMIT")


def _begin_sqlite(con: Any) -> None:
    """Have SQLite's transaction begin now: its driver begins one only before the first change of a row."""
    if con.dialect.name != "sqlite":
        return
    raw = con.connection.driver_connection
    if getattr(raw, "in_transaction", True) is False:
        con.exec_driver_sql("BEGIN IMMEDIATE")


@contextlib.contextmanager
def _of_dbapi(con: Any) -> Iterator[Any]:
    import sqlite3

    if isinstance(con, sqlite3.Connection):
        began = not con.in_transaction
        with contextlib.closing(con.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE" if began else "SAVEPOINT atio")
            try:
                yield _Uncommitted(con)
                if not began:
                    cursor.execute("RELEASE atio")
                # Which pandas does as well, and in a transaction of the caller's too.
                cursor.execute("COMMIT") if con.in_transaction else None
            except BaseException:
                if con.in_transaction:
                    if began:
                        cursor.execute("ROLLBACK")
                    else:
                        cursor.execute("ROLLBACK TO atio")
                        cursor.execute("RELEASE atio")
                raise
        return
    if type(con).__module__.partition(".")[0].lstrip("_") == "duckdb":
        with _of_duckdb(con):
            yield con
        return
    try:
        yield _Uncommitted(con)
        con.commit()
    except BaseException:
        con.rollback()
        raise


@contextlib.contextmanager
def _of_duckdb(con: Any) -> Iterator[None]:
    """A transaction of its own, or a part of the one that the caller is in: DuckDB has one for each statement else."""
    first, second = (con.execute("SELECT txid_current()").fetchall() for _ in range(2))
    if first == second:
        with _spoilt_by_errors(con.execute):
            yield
        return
    con.begin()
    try:
        yield
        con.commit()
    except BaseException:
        with contextlib.suppress(Exception):  # a commit that failed has ended it
            con.rollback()
        raise


class _Uncommitted:
    """A DB-API connection whose commits and rollbacks come later."""

    def __init__(self, con: Any) -> None:
        self.con = con

    def commit(self) -> None:
        """Nothing yet."""

    def rollback(self) -> None:
        """Nothing yet."""

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """A cursor of the connection."""
        return self.con.cursor(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)
