"""Arrow tables, which have no writer of their own: each type goes into the type of the database that holds it."""

from __future__ import annotations

from typing import Any

from .._encode import _names
from .._errors import Unsupported
from ._plan import Load, mode_of, name_of


class ArrowArguments:
    """``name, con, schema, if_exists, key``, as for pandas."""

    engine = "pyarrow"
    uses_adbc = False

    def __init__(self, target_path: object, kwargs: dict[str, Any]) -> None:
        kwargs = dict(kwargs)
        self.table = name_of(target_path, kwargs.pop("name", None), "name")
        self.con = kwargs.pop("con", None)
        if self.con is None:
            raise TypeError("con is missing: pass a SQLAlchemy engine, a connection or a URL")
        self.mode, self.key = mode_of(kwargs.pop("if_exists", "fail"), "if_exists", kwargs.pop("key", None))
        self.schema = kwargs.pop("schema", None)
        if kwargs:
            raise TypeError(
                f"Arrow data takes no argument {min(kwargs)!r}: there is name, con, schema, if_exists and key"
            )

    def rows(self, frame: Any) -> int:
        """How many rows a table has."""
        rows: int = frame.num_rows
        return rows

    def load(self, frame: Any, dialect: Any) -> Load:  # noqa: ARG002
        """The table as it is."""
        import pyarrow as pa

        if not frame.schema.names or not _names.are_exportable(frame.schema):
            raise Unsupported("its columns cannot be handed over")
        table = frame if isinstance(frame, pa.Table) else pa.Table.from_batches([frame])
        return Load(table, table.num_rows)

    def write(self, frame: Any, con: Any, mode: str) -> object:
        """Have pandas write the Arrow arrays."""
        import pandas as pd
        import pyarrow as pa

        from ._pandas import to_sql

        table = frame if isinstance(frame, pa.Table) else pa.Table.from_batches([frame])
        as_pandas = table.to_pandas(types_mapper=pd.ArrowDtype)
        return to_sql(as_pandas, self.table, con, schema=self.schema, if_exists=mode, index=False)

    def scanned(self, frame: Any) -> tuple[Any, dict[str, str]]:
        """The table as it is."""
        import pyarrow as pa

        table = frame if isinstance(frame, pa.Table) else pa.Table.from_batches([frame])
        return table, {}
