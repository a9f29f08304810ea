"""``DataFrame.write_database``: polars' arguments, the columns it would create, and its values."""

from __future__ import annotations

import csv
import inspect
from typing import Any

from .._encode import _names
from .._errors import Unsupported
from ._plan import MODES, Load, mode_of, name_of
from ._types import columns_of, refuse_side_effects, sql_types


class PolarsArguments:
    """The arguments of ``write_database``, ``connection_uri`` for ``connection``, and ``key`` for an upsert."""

    engine = "polars"

    def __init__(self, target_path: object, kwargs: dict[str, Any]) -> None:
        import polars as pl

        kwargs = dict(kwargs)
        key = kwargs.pop("key", None)
        uri = kwargs.pop("connection_uri", None)
        self.con = kwargs.pop("connection", uri)
        if uri is not None and self.con is not uri:
            raise TypeError("connection and connection_uri are the same: give one of them")
        if self.con is None:
            raise TypeError("connection is missing: pass a SQLAlchemy engine, a connection or a URI")
        self._name = name_of(target_path, kwargs.pop("table_name", None), "table_name")
        inspect.signature(pl.DataFrame.write_database).bind(None, self._name, self.con, **kwargs)
        self.mode, self.key = mode_of(
            kwargs.pop("if_table_exists", "fail"), "if_table_exists", key, tuple(m for m in MODES if m != "delete_rows")
        )
        self._engine = kwargs.pop("engine", None)
        self._options = dict(kwargs.pop("engine_options", None) or {})
        self._kwargs = kwargs
        self.schema, self.table = _unpacked(self._name)
        module = type(self.con).__module__.partition(".")[0]
        self.uses_adbc = self._engine == "adbc" or (self._engine is None and module.startswith("adbc"))

    def rows(self, frame: Any) -> int:
        """How many rows a frame has."""
        height: int = frame.height
        return height

    def write(self, frame: Any, con: Any, mode: str) -> object:
        """Have polars write it, which has pandas do it; over this very connection, which polars 1.0 does not take."""
        if not self.uses_adbc and self._engine in (None, "sqlalchemy"):
            from ._pandas import to_sql

            as_pandas = frame.to_pandas(use_pyarrow_extension_array=True)
            return to_sql(as_pandas, self.table, con, schema=self.schema, if_exists=mode, index=False, **self._options)
        return frame.write_database(
            self._name, con, if_table_exists=mode, engine=self._engine, engine_options=self._options, **self._kwargs
        )

    def scanned(self, frame: Any) -> tuple[Any, dict[str, str]]:
        """The frame as it is."""
        if self._engine not in (None, "sqlalchemy"):
            raise ValueError(f"engine={self._engine!r} does not write over this connection")
        return frame, sql_types(frame.columns, self._options)

    def load(self, frame: Any, dialect: Any) -> Load:
        """The frame as it is: polars has pandas write its Arrow arrays."""
        if self._engine not in (None, "sqlalchemy"):
            raise Unsupported(f"engine={self._engine!r}")
        if not frame.columns or not _names.polars_are_exportable(frame):
            raise Unsupported("its columns cannot be handed over")
        return load_of(frame, self.table, self.schema, self._options, dialect)


def load_of(frame: Any, name: str, schema: str | None, options: dict[str, Any], dialect: Any) -> Load:
    """A polars frame as pandas would write its Arrow arrays."""
    import polars as pl

    from ._pandas import table_of

    if callable(options.get("method")) or options.get("dtype"):
        raise Unsupported("pandas converts the values")
    if any(dtype == pl.Object for dtype in frame.dtypes):
        raise Unsupported("there are Python objects in it")
    # Types of Arrow arrays do not depend on their values.
    empty = frame.clear().to_pandas(use_pyarrow_extension_array=True)
    table = table_of(empty, name, schema, options)
    refuse_side_effects(table)
    stream = _with_ticks(frame)
    if any(dtype == pl.Null for dtype in frame.dtypes):
        stream = stream.to_arrow()  # polars exports this type in a way that Arrow does not allow
    return Load(stream, frame.height, columns_of(table.table, dialect), [], True)


def _with_ticks(frame: Any) -> Any:
    """Durations as the numbers of nanoseconds that pandas inserts, a missing one too."""
    import polars as pl

    names = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Duration) or dtype == pl.Duration]
    lost = -(2**63)
    return frame.with_columns(pl.col(n).dt.total_nanoseconds().fill_null(lost) for n in names) if names else frame


def _unpacked(name: str) -> tuple[str | None, str]:
    """The schema and the table of a name, which polars takes apart at dots that are not quoted."""
    parts = next(csv.reader([name], delimiter="."))
    if len(parts) > 3:
        raise ValueError(f"`table_name` appears to be invalid: '{name}'")
    if len(parts) == 3 and parts[0]:
        raise ValueError(
            f"Unexpected three-part table name; provide the database/catalog ({parts[0]!r}) on the connection URI"
        )
    return (parts[-2] or None if len(parts) > 1 else None), parts[-1]


class PolarsSqlArguments(PolarsArguments):
    """The arguments of pandas' ``to_sql``, for polars frames, which have no index."""

    def __init__(self, target_path: object, kwargs: dict[str, Any]) -> None:
        from ._pandas import PandasArguments

        as_pandas = PandasArguments(target_path, kwargs)
        options = {k: v for k, v in kwargs.items() if k in ("chunksize", "dtype", "method")}
        self.con, self.schema, self.table = as_pandas.con, as_pandas.schema, as_pandas.table
        self.mode, self.key = as_pandas.mode, as_pandas.key
        self._engine, self._options, self.uses_adbc = None, options, False
