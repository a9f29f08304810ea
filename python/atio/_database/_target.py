"""What ``con`` is: an Engine, an open Connection, a DB-API connection, or a URL."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """A database.

    Attributes:
        con: what the caller gave; a URL is a SQLAlchemy URL, or the text itself without SQLAlchemy.
        kind: ``"engine"``, ``"connection"`` (open, SQLAlchemy's), ``"dbapi"``, ``"url"`` or ``"adbc"`` (a connection or
            a URI of its own).
        dialect: SQLAlchemy's name of it, such as ``"postgresql"``; for others the name of the module.
    """

    con: Any
    kind: str
    dialect: str

    def label(self, table: str) -> str:
        """The database and a table in it, for messages and results: without credentials and parameters."""
        where = f"{self.dialect}://"
        url = self.con if self.kind == "url" else getattr(getattr(self.con, "engine", None), "url", None)
        if url is not None:
            host = url.host or ""
            host = f"[{host}]" if ":" in host else host
            port = f":{url.port}" if url.port else ""
            where += f"{host}{port}/{url.database or ''}"
        return f"{where}#{table}"


def target_of(con: object) -> Target:
    """Look at ``con``.

    Raises:
        TypeError: if it is nothing that stands for a database.
        ImportError: for a URL without SQLAlchemy, as by pandas.
    """
    if con is None:
        raise TypeError("con is missing: pass a SQLAlchemy engine, a connection or a URL")
    if type(con).__module__.partition(".")[0] == "sqlalchemy" or _is_sqlalchemy(con):
        return _of_sqlalchemy(con)
    if isinstance(con, str):
        return _of_text(con)
    if inspect.iscoroutine(con):
        con.close()
        raise TypeError(f"con is a coroutine, {con.__qualname__}(), that was not awaited. {_SYNCHRONOUS}")
    if hasattr(con, "cursor") and hasattr(con, "commit"):
        if inspect.iscoroutinefunction(con.commit):
            raise TypeError(f"con is a {_name(con)}, which works by await only. {_SYNCHRONOUS}")
        module = type(con).__module__.partition(".")[0].lstrip("_")
        if module.startswith("adbc_driver"):
            return adbc_target(con)
        return Target(con, "dbapi", "postgresql" if module in ("psycopg", "psycopg2") else module)
    raise TypeError(f"con is a {_name(con)}: pass a SQLAlchemy engine, a connection or a URL")


def refuse_outside_of_run_sync(dialect: Any) -> None:
    """Refuse an asynchronous driver where it cannot be waited for.

    Raises:
        sqlalchemy.exc.MissingGreenlet: as SQLAlchemy does later.
    """
    if not dialect.is_async:
        return
    from sqlalchemy.exc import MissingGreenlet
    from sqlalchemy.util.concurrency import in_greenlet

    if not in_greenlet():
        raise MissingGreenlet(f"the driver {dialect.driver} is asynchronous. {_SYNCHRONOUS}")


_SYNCHRONOUS = (
    "Pass an engine or URL of a driver that waits, such as postgresql+psycopg, mysql+pymysql or sqlite "
    "(atio.aio.write keeps the event loop free meanwhile), "
    "or write over an AsyncConnection: await con.run_sync(lambda c: atio.write(df, ..., con=c))"
)


def adbc_target(con: object) -> Target:
    """A connection of ADBC, or a URI that it opens."""
    return Target(con, "adbc", con.partition(":")[0] if isinstance(con, str) else "adbc")


def _name(con: object) -> str:
    return f"{type(con).__module__}.{type(con).__name__}"


def _is_sqlalchemy(con: object) -> bool:
    """Whether it is of a class that is derived from one of SQLAlchemy's."""
    return any(base.__module__.partition(".")[0] == "sqlalchemy" for base in type(con).__mro__)


def _of_sqlalchemy(con: Any) -> Target:
    from sqlalchemy import URL, Connection, Engine

    if any(base.__module__.startswith("sqlalchemy.ext.asyncio") for base in type(con).__mro__):
        raise TypeError(f"con is an {type(con).__name__}, which works by await only. {_SYNCHRONOUS}")
    if isinstance(con, (Engine, Connection)):
        refuse_outside_of_run_sync(con.dialect)
    if isinstance(con, URL):
        _check_host(con)
        return Target(con, "url", con.get_backend_name())
    if isinstance(con, Engine):
        _check_host(con.url)
        return Target(con, "engine", con.dialect.name)
    if isinstance(con, Connection):
        return Target(con, "connection", con.dialect.name)
    if hasattr(con, "connection") and hasattr(con, "in_transaction"):  # a Session
        return _of_sqlalchemy(con.connection())
    raise TypeError(f"con is a {_name(con)}: pass an Engine, a Connection or a URL")


def _of_text(con: str) -> Target:
    try:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError as e:
        raise ImportError("Using a URI string requires 'sqlalchemy': pip install sqlalchemy") from e
    try:
        url = make_url(con)
    except (ArgumentError, ValueError) as e:
        # Its message shows the text, and in the text may be a password.
        raise ValueError(
            f"con is no URL that SQLAlchemy reads: {_without_credentials(con)!r}; "
            "write dialect://user:password@host:port/database, with special characters of the password percent-encoded"
        ) from (None if "@" in con else e)
    _check_host(url)
    return Target(url, "url", url.get_backend_name())


def _check_host(url: Any) -> None:
    """Refuse a host that is the end of a password, which drivers would show when they do not find it."""
    if "@" in (url.host or "").lstrip("@"):  # but for a socket without a file
        raise ValueError("the URL's password has an @, which ends it there: write %40 in its place")


def _without_credentials(text: str) -> str:
    before, at, after = text.rpartition("@")
    return f"{'***@' if at else before}{after}".partition("?")[0]
