"""DuckDB: it reads the frames itself, in one transaction on the caller's connection.

pandas' writer sends row after row, which takes 80 times as long, and over a plain connection takes DuckDB for SQLite,
whose ``REAL`` and ``INTEGER`` have 64 bits where DuckDB's have 32.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

from .._errors import Unsupported
from ._failures import also_of_pandas
from ._plan import LibraryArguments, Load
from ._target import Target
from ._transaction import transaction


@contextlib.contextmanager
def _interrupted() -> Iterator[None]:
    """Raise what Ctrl+C means: DuckDB has the handler of the signal called, and loses what that raised."""
    try:
        yield
    except RuntimeError as e:
        if e.args != ("Query interrupted",):
            raise
        raise KeyboardInterrupt from e


@_interrupted()
def write(target: Target, arguments: LibraryArguments, frames: Iterator[Any]) -> tuple[int, str]:
    """Write frames; how many rows there were, and who wrote the first of them.

    Raises:
        ValueError: if the table exists and must not.
        duckdb.Error: what DuckDB refuses, over its own connection.
        sqlalchemy.exc.DBAPIError: the same over SQLAlchemy's.
    """
    rows, engine, mode = 0, "", arguments.mode
    if target.kind == "dbapi" or (target.kind == "connection" and target.con.in_transaction()):
        _exists(_database(target.con, target, arguments), arguments)  # while it costs the transaction nothing
    with transaction(target) as con:
        database = _database(con, target, arguments)
        for frame in frames:
            load = database.load(frame)
            if not engine:
                engine = arguments.engine if load is None else "duckdb"
                mode = _make_room(database, arguments)
            if load is None:
                arguments.write(frame, con, mode)
            else:
                _insert(database, load, create=mode == "fail")
            mode = "append"
            rows += arguments.rows(frame)
    return rows, engine


class _SQLAlchemy:
    """A connection of duckdb_engine: tables as pandas creates them."""

    def __init__(self, con: Any, arguments: LibraryArguments) -> None:
        self._con = con
        self._arguments = arguments
        self.raw = con.connection.driver_connection
        self.asked: dict[str, str] = {}
        schema = arguments.schema
        prefix = "" if schema is None else f"{con.dialect.identifier_preparer.quote_schema(schema)}."
        self.table = prefix + _quoted(arguments.table)

    def run(self, sql: str) -> Any:
        """Run a statement."""
        with also_of_pandas():
            return self._con.exec_driver_sql(sql)

    def exists(self) -> bool:
        """Whether there is a table or view of that name."""
        from sqlalchemy import inspect

        return bool(inspect(self._con).has_table(self._arguments.table, self._arguments.schema))

    def load(self, frame: Any) -> Load | None:
        """The values that pandas would insert, ``None`` if only pandas knows them."""
        try:
            return self._arguments.load(frame, self._con.dialect)
        except Unsupported:
            return None


class _Plain:
    """A connection of duckdb's own: tables with the types as which DuckDB reads the frames."""

    def __init__(self, con: Any, arguments: LibraryArguments) -> None:
        self._arguments = arguments
        self.raw = con
        self.asked: dict[str, str] = {}
        schema = arguments.schema
        self.table = ("" if schema is None else f"{_quoted(schema)}.") + _quoted(arguments.table)

    def run(self, sql: str) -> Any:
        """Run a statement."""
        return self.raw.execute(sql)

    def exists(self) -> bool:
        """Whether there is a table or view of that name."""
        sql = (
            "SELECT 1 FROM information_schema.tables WHERE table_catalog = current_database()"
            " AND lower(table_schema) = lower(coalesce(?, current_schema())) AND lower(table_name) = lower(?)"
        )
        return bool(self.raw.execute(sql, [self._arguments.schema, self._arguments.table]).fetchall())

    def load(self, frame: Any) -> Load:
        """The frame as it is."""
        data, self.asked = self._arguments.scanned(frame)
        return Load(data, self._arguments.rows(frame))


def _database(con: Any, target: Target, arguments: LibraryArguments) -> _SQLAlchemy | _Plain:
    return _Plain(con, arguments) if target.kind == "dbapi" else _SQLAlchemy(con, arguments)


def _exists(database: _SQLAlchemy | _Plain, arguments: LibraryArguments) -> bool:
    """Whether there is the table, which must not be for ``"fail"``."""
    found = database.exists()
    if found and arguments.mode == "fail":
        raise ValueError(f"Table '{arguments.table}' already exists.")
    return found


def _make_room(database: _SQLAlchemy | _Plain, arguments: LibraryArguments) -> str:
    """Do to a table that exists what the mode says; whether rows go into a new one (``"fail"``) or that (``"append"``).

    pandas has SQLAlchemy look at all of the table first, for which duckdb_engine 0.17 asks for what DuckDB has not.
    """
    if not _exists(database, arguments):
        return "fail"
    if arguments.mode == "replace":
        database.run(f"DROP TABLE {database.table}")
        return "fail"
    if arguments.mode == "delete_rows":
        database.run(f"DELETE FROM {database.table}")
    return "append"


def _insert(database: _SQLAlchemy | _Plain, load: Load, *, create: bool) -> None:
    """Insert the rows, into a new table perhaps."""
    with _registered(database.raw, load.stream) as view:
        columns = load.columns or _as_read(database, view, load.stream)
        if create:
            made = ", ".join(f"{_quoted(c['name'])} {c['sql']}" for c in columns)
            database.run(f"CREATE TABLE {database.table} ({made})")
            for index in load.indexes:
                keys = ", ".join(map(_quoted, index["columns"]))
                database.run(f"CREATE INDEX {_quoted(index['name'])} ON {database.table} ({keys})")
        names = ", ".join(_quoted(c["name"]) for c in columns)
        aliases = [f"c{i}" for i in range(len(columns))]
        values = list(aliases)
        if load.nan_is_null:
            floats = _floats(load.stream)
            values = [
                f"CASE WHEN NOT isnan({a}) THEN {a} END" if f else a for a, f in zip(aliases, floats, strict=True)
            ]
        database.run(
            f"INSERT INTO {database.table} ({names}) SELECT {', '.join(values)} FROM {view} AS v({', '.join(aliases)})"
        )


def _as_read(database: _SQLAlchemy | _Plain, view: str, data: Any) -> list[dict[str, str]]:
    """Names of the frame's columns, and the types as which DuckDB reads them, or those that were asked for."""
    read = [kind for _, kind, *_ in database.run(f"DESCRIBE {view}").fetchall()]
    # An enum of the values of these rows would take no others later.
    types = ["VARCHAR" if kind.startswith(("ENUM", '"NULL"')) else kind for kind in read]
    names = getattr(data, "column_names", None) or data.columns
    return [{"name": n, "sql": database.asked.get(n, kind)} for n, kind in zip(names, types, strict=True)]


@contextlib.contextmanager
def _registered(raw: Any, data: Any) -> Iterator[str]:
    """The name of a view of a frame."""
    name = f"_atio_{secrets.token_hex(8)}"
    _finish(raw)
    raw.register(name, data)
    yield name
    _finish(raw)
    raw.unregister(name)  # after an error the end of the transaction does it


def _finish(raw: Any) -> None:
    """Have no result open, with which DuckDB 2 neither registers a view nor drops it."""
    raw.execute("SELECT 1").fetchall()


def _floats(data: Any) -> list[bool]:
    """Which columns of a frame may have a NaN."""
    import pyarrow as pa

    if isinstance(data, pa.Table):
        return [pa.types.is_floating(kind) for kind in data.schema.types]
    return [kind.is_float() for kind in data.dtypes]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
