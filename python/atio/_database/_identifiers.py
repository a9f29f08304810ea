"""Names that a server would cut, or does not take: refused before the library's own writer does anything.

Go looks at the names of what it writes itself. SQLAlchemy counts characters where PostgreSQL counts bytes: it would cut
a name, which then means another table, or the same column twice.
"""

from __future__ import annotations

from typing import Any

from ._failures import of_mysql
from ._plan import LibraryArguments
from ._target import Target

_PG_BYTES = 63
"""What PostgreSQL keeps of a name: NAMEDATALEN - 1."""


def check(target: Target, arguments: LibraryArguments, frame: Any) -> None:
    """Look at the names of the schema, the table and the columns.

    Raises:
        sqlalchemy.exc.IdentifierError: for one that PostgreSQL would cut.
        sqlalchemy.exc.OperationalError: for one with a character that MySQL and MariaDB do not take, as they answer.
    """
    names = [name for name in (arguments.schema, arguments.table, *_columns(frame)) if isinstance(name, str)]
    if target.dialect == "postgresql":
        for name in names:
            if (size := len(name.encode(errors="surrogatepass"))) > _PG_BYTES:
                from sqlalchemy.exc import IdentifierError

                raise IdentifierError(f"Identifier {name!r} has {size} bytes, and PostgreSQL keeps {_PG_BYTES}")
    elif target.dialect in ("mysql", "mariadb"):
        for name in names:
            if found := [c for c in name if ord(c) > 0xFFFF]:
                reason = (
                    f"the name {name!r} has the character U+{ord(found[0]):X}, and names of schemas, tables and "
                    "columns in MySQL and MariaDB take none beyond U+FFFF, such as emoji: "
                    "rename it. Nothing was written"
                )
                raise of_mysql("1300", ValueError(reason))


def _columns(frame: Any) -> list[Any]:
    """Names of columns, those of a pandas index included."""
    if hasattr(frame, "schema") and hasattr(frame.schema, "names") and hasattr(frame, "num_rows"):  # Arrow's
        return list(frame.schema.names)
    names = list(frame.columns) if hasattr(frame, "columns") else [frame.name]
    return names + list(getattr(getattr(frame, "index", None), "names", []))
