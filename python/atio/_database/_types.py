"""A table of SQLAlchemy as Go creates it: the types of its columns in SQL, its indexes."""

from __future__ import annotations

from typing import Any

from .._errors import Unsupported


def columns_of(table: Any, dialect: Any) -> list[dict[str, str]]:
    """Names and types, as ``CREATE TABLE`` has them.

    Raises:
        sqlalchemy.exc.IdentifierError: for a name that the server would cut.
    """
    from sqlalchemy.schema import CreateTable

    str(CreateTable(table).compile(dialect=dialect))  # raises what it raises
    compiler = dialect.type_compiler_instance
    return [{"name": c.name, "sql": compiler.process(c.type, type_expression=c)} for c in table.columns]


def indexes_of(table: Any, dialect: Any) -> list[dict[str, Any]]:
    """Names, cut to what the server keeps as SQLAlchemy does it, and columns."""
    from sqlalchemy.schema import CreateIndex

    out = []
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        str(CreateIndex(index).compile(dialect=dialect))
        preparer = dialect.identifier_preparer
        name = preparer.format_index(index)
        if name.startswith(preparer.initial_quote):
            name = name[1:-1].replace(preparer.escape_to_quote, preparer.escape_quote)
        out.append(
            {
                "name": name.replace("%%", "%") if preparer._double_percents else name,
                "columns": [c.name for c in index.columns],
            }
        )
    return out


def refuse_side_effects(table: Any) -> None:
    """Raise ``Unsupported`` if creating the table creates more than the table, such as the type of an enum."""
    from sqlalchemy.types import Boolean, SchemaType, TypeDecorator

    for column in table.table.columns:
        kind = column.type
        while isinstance(kind, TypeDecorator):
            kind = kind.impl_instance
        if isinstance(kind, SchemaType) and not isinstance(kind, Boolean):
            raise Unsupported(f"the type of column {column.name!r} is created with the table", column.name)


def sql_types(names: list[str], options: dict[str, Any]) -> dict[str, str]:
    """The argument ``dtype`` where pandas takes SQL for it: without SQLAlchemy.

    Raises:
        ValueError: if a type is no text, as by pandas; if ``method`` is a function.
    """
    if callable(options.get("method")):
        raise ValueError("method is a function, which needs a SQLAlchemy engine or connection as con")
    dtype = options.get("dtype") or {}
    types: dict[str, Any] = dict(dtype) if hasattr(dtype, "items") else dict.fromkeys(names, dtype)
    for name, kind in types.items():
        if not isinstance(kind, str):
            raise ValueError(f"{name} ({kind!r}) not a string: over this connection dtype has types in SQL")
    return {str(name): kind for name, kind in types.items()}
