"""What is to be written: the outcome of looking at the arguments and at a frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from .._plan import ArrowStream

MODES = ("fail", "replace", "append", "delete_rows", "upsert")


@dataclass(frozen=True)
class Load:
    """One frame as Go loads it.

    Attributes:
        stream: its columns by name.
        rows: how many there are.
        columns: names and types of a new table's columns, ``None`` to take what fits Arrow's types.
        indexes: names and columns of a new table's indexes.
        nan_is_null: whether a float that is no number means a missing value.
    """

    stream: ArrowStream
    rows: int
    columns: list[dict[str, str]] | None = None
    indexes: list[dict[str, Any]] = field(default_factory=list)
    nan_is_null: bool = False


class Arguments(Protocol):
    """The arguments of one call, in the meaning of the library whose frames it writes."""

    con: Any
    table: str
    schema: str | None
    mode: str
    key: list[str]
    engine: str
    """The name of the library."""
    uses_adbc: bool
    """Whether it would write by ADBC, whatever ``con`` is."""

    def load(self, frame: Any, dialect: Any) -> Load:
        """The frame as Go loads it; ``dialect`` is SQLAlchemy's.

        Raises:
            Unsupported: if Go would not write it as the library does.
        """
        ...


class LibraryArguments(Arguments, Protocol):
    """Those of a library that has a writer of its own."""

    def rows(self, frame: Any) -> int:
        """How many rows a frame has."""
        ...

    def write(self, frame: Any, con: Any, mode: str) -> object:
        """Have the library write it, over a connection that is in a transaction."""
        ...

    def scanned(self, frame: Any) -> tuple[Any, dict[str, str]]:
        """What a database that reads frames is to read, and the types of its columns in SQL that were asked for.

        Raises:
            ValueError: for an argument that is for the library's own writer only, or values that are of no type.
        """
        ...


def mode_of(value: object, argument: str, key: object, modes: tuple[str, ...] = MODES) -> tuple[str, list[str]]:
    """The mode and the key, checked.

    Raises:
        ValueError: if there is no such mode, or the key is missing or useless.
        TypeError: if the key is no list of names.
    """
    if value not in modes:
        raise ValueError(f"{value!r} is not valid for {argument}: there is {', '.join(map(repr, modes))}")
    keys = [key] if isinstance(key, str) else list(key) if isinstance(key, (list, tuple)) else None
    if key is not None and (keys is None or not all(isinstance(k, str) for k in keys)):
        raise TypeError(f"key={key!r}: it is a list of names of columns")
    if (value == "upsert") != bool(keys):
        raise ValueError(f"{argument}='upsert' and key=[...], the columns that identify a row, need each other")
    return str(value), keys or []


def name_of(target_path: object, name: object, argument: str) -> str:
    """The table's name, which may stand in the place of the path.

    Raises:
        TypeError: if it is missing, given twice, or no text.
    """
    if name is None:
        name = target_path
    elif target_path is not None and target_path != name:
        raise TypeError(f"the table has two names, {argument} and the first argument: give one of them")
    if not isinstance(name, str):
        missing = f"{argument} is missing: name the table" if name is None else f"{argument} must be a str"
        raise TypeError(missing)
    if not name:
        raise ValueError("Empty table name specified")
    return name
