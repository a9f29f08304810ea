"""New tables of MySQL and MariaDB that the library writes: filled under a hidden name, and put in place at once.

These servers commit whenever a table is created or dropped, and with it whatever transaction is open. The names and
the lock are those of Go's writes (``core/database/mysql``), the next of which removes what one that died has left.
"""

from __future__ import annotations

import contextlib
import copy
import secrets
from collections.abc import Iterator
from typing import Any

from ._failures import of_mysql
from ._plan import LibraryArguments
from ._target import Target

_DIALECTS = ("mysql", "mariadb")
_TABLES = ("BASE TABLE", "SYSTEM VERSIONED")


def check(target: Target, arguments: LibraryArguments) -> None:
    """Refuse to create a table in a transaction of the caller's, which would be committed by it.

    Raises:
        ValueError: if that is asked for.
    """
    if target.dialect not in _DIALECTS or target.kind != "connection" or not target.con.in_transaction():
        return
    there = _kind(target.con, arguments) is not None
    if arguments.mode == "replace" or not there:
        raise ValueError(
            f"{target.dialect} commits when a table is created or replaced, and con is in a transaction, which would "
            "be committed by it: commit it first, pass the engine, or use if_exists='delete_rows' to keep the table"
        )


@contextlib.contextmanager
def new_table(target: Target, con: Any, arguments: LibraryArguments) -> Iterator[tuple[LibraryArguments, str]]:
    """With what arguments and mode the library is to write over ``con``, which is in a transaction.

    If it would create the table, it creates a hidden one, which takes the place of the other when the block ends.
    """
    mode = arguments.mode
    if (
        target.dialect not in _DIALECTS
        or target.kind not in ("engine", "url", "connection")
        or con.get_execution_options().get("schema_translate_map")  # the library's statements, not ours
    ):
        yield arguments, mode
        return
    kind = _kind(con, arguments)
    # A view and a table that others refer to are refused by the server, before anything has changed.
    if kind is not None and (mode != "replace" or kind not in _TABLES or _is_referred_to(con, arguments)):
        if mode not in ("replace", "fail"):
            _check_engine(con, arguments)
        yield arguments, mode
        return
    number = secrets.token_hex(8)
    hidden = copy.copy(arguments)
    hidden.table = f"_atio_{number}_new"
    names = {
        "new": _quoted(hidden.table, arguments.schema),
        "old": _quoted(f"_atio_{number}_old", arguments.schema),
        "target": _quoted(arguments.table, arguments.schema),
    }
    _run(con, f"SELECT GET_LOCK('atio_{number}', 0)")
    try:
        _run(con, f"DROP TABLE IF EXISTS {names['new']}")  # who may not drop it leaves none
        try:
            yield hidden, "fail"
            _name_indexes(con, hidden, arguments.table)
            if kind is None:
                _run(con, f"RENAME TABLE {names['new']} TO {names['target']}")
            else:
                _run(con, f"RENAME TABLE {names['target']} TO {names['old']}, {names['new']} TO {names['target']}")
        except BaseException:
            with _suppressed():
                _run(con, f"DROP TABLE IF EXISTS {names['new']}")
            raise
        with _suppressed():  # what stays the next write drops
            _run(con, f"DROP TABLE IF EXISTS {names['old']}")
    finally:
        with _suppressed():
            _run(con, f"SELECT RELEASE_LOCK('atio_{number}')")


def _kind(con: Any, arguments: LibraryArguments) -> str | None:
    """What there is of that name, such as ``"BASE TABLE"``."""
    found: str | None = _run(
        con,
        "SELECT TABLE_TYPE FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = COALESCE(:schema, DATABASE()) AND TABLE_NAME = :name",
        schema=arguments.schema,
        name=arguments.table,
    ).scalar()
    return found


def _check_engine(con: Any, arguments: LibraryArguments) -> None:
    """Refuse rows for a table that has no transactions, where a failure would leave some behind.

    Raises:
        sqlalchemy.exc.OperationalError: as Go's writer does.
    """
    engine = _run(
        con,
        "SELECT e.ENGINE FROM information_schema.TABLES t JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE "
        "WHERE t.TABLE_SCHEMA = COALESCE(:schema, DATABASE()) AND t.TABLE_NAME = :name "
        "AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'",
        schema=arguments.schema,
        name=arguments.table,
    ).scalar()
    if engine is not None:
        reason = (
            f"the engine {engine} of the table has no transactions, so rows could be left half written; "
            f"ALTER TABLE {_quoted(arguments.table, arguments.schema)} ENGINE = InnoDB, or replace the table"
        )
        raise of_mysql("1178", ValueError(reason))


def _is_referred_to(con: Any, arguments: LibraryArguments) -> bool:
    """Whether another table has a foreign key to it, which would go with the old one."""
    found = _run(
        con,
        "SELECT 1 FROM information_schema.KEY_COLUMN_USAGE"
        " WHERE REFERENCED_TABLE_SCHEMA = COALESCE(:schema, DATABASE())"
        " AND REFERENCED_TABLE_NAME = :name AND NOT (TABLE_SCHEMA = REFERENCED_TABLE_SCHEMA AND TABLE_NAME = :name)",
        schema=arguments.schema,
        name=arguments.table,
    )
    return found.first() is not None


def _name_indexes(con: Any, hidden: LibraryArguments, table: str) -> None:
    """Give the indexes the names that they would have by the library, which are made from the table's."""
    from sqlalchemy import inspect

    prefix = f"ix_{hidden.table}_"
    for index in inspect(con).get_indexes(hidden.table, schema=hidden.schema):
        name = str(index["name"])
        wanted = f"ix_{table}_{name.removeprefix(prefix)}"
        if name.startswith(prefix) and len(wanted) <= 64:
            new = _quoted(hidden.table, hidden.schema)
            _run(con, f"ALTER TABLE {new} RENAME INDEX {_quoted(name)} TO {_quoted(wanted)}")


def _quoted(name: str, schema: str | None = None) -> str:
    quoted = "`" + name.replace("`", "``") + "`"
    return quoted if schema is None else f"{_quoted(schema)}.{quoted}"


def _run(con: Any, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return con.execute(text(sql if values else sql.replace(":", "\\:")), values)


@contextlib.contextmanager
def _suppressed() -> Iterator[None]:
    """Without the errors of a connection that is lost, or of a user who may not."""
    from sqlalchemy.exc import SQLAlchemyError

    with contextlib.suppress(SQLAlchemyError):
        yield
