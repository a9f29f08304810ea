"""pyarrow's Table and RecordBatch, and with them everything that exports Arrow data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import _encode
from .._first_use import use
from .._plan import EncodeFilesInGo, EncodeInGo, EncodeInLibrary, Plan
from . import Append, SameColumns, check_existing

NAME = "pyarrow"
FORMATS = ("csv", "parquet", "ipc", "avro")


def plan(obj: Any, format: str, target: str, kwargs: dict[str, Any]) -> Plan:
    """Have Go encode the table if it writes what pyarrow would, else pyarrow."""
    in_go: EncodeInGo | EncodeFilesInGo | None = None
    if format == "parquet":
        check_existing(target, kwargs)
    if format == "parquet":
        in_go = _encode.parquet.from_arrow(_table(obj), kwargs)
    elif format == "csv":
        in_go = _encode.csv.from_arrow(_table(obj), kwargs)
    elif format == "ipc":
        in_go = _encode.ipc.from_arrow(_table(obj), kwargs)
        if in_go is not None and in_go.options["compression"] != "none":  # which pyarrow does faster
            return replace(plan_in_library(obj, format, kwargs), in_chunks=in_go)
    elif format == "avro":
        return _encode.avro.from_arrow(_table(obj), kwargs)
    return in_go or plan_in_library(obj, format, kwargs)


def plan_in_library(obj: Any, format: str, kwargs: dict[str, Any]) -> EncodeInLibrary:
    """Have pyarrow write it. The arguments of csv are those of ``pyarrow.csv.WriteOptions``."""
    table = _table(obj)
    use({"csv": "pyarrow.csv", "parquet": "pyarrow.parquet", "ipc": "pyarrow.feather"}[format])
    directory = format == "parquet" and kwargs.get("partition_cols") is not None

    def write(path: str) -> None:
        if format == "csv":
            from pyarrow import csv

            csv.write_csv(table, path, csv.WriteOptions(**kwargs))
        elif format == "parquet":
            from pyarrow import parquet

            (parquet.write_to_dataset if directory else parquet.write_table)(table, path, **kwargs)
        else:
            from pyarrow import feather

            feather.write_feather(table, path, **kwargs)

    return EncodeInLibrary(NAME, write, table.num_rows, directory)


def append_in_library(format: str, kwargs: dict[str, Any]) -> Append:
    """Chunks of csv behind one another."""
    if format != "csv":
        raise ValueError(f"Arrow chunks cannot be written as {format} with these arguments: pass one table")
    use("pyarrow.csv")
    from pyarrow import csv

    same = SameColumns()

    def append(path: str, obj: Any, first: bool) -> int:
        same.check(obj.schema.names)
        options = csv.WriteOptions(**(kwargs if first else {**kwargs, "include_header": False}))
        with open(path, "wb" if first else "ab") as f:
            csv.write_csv(obj, f, options)
        rows: int = obj.num_rows
        return rows

    return append


def _table(obj: Any) -> Any:
    import pyarrow as pa

    return obj if isinstance(obj, pa.Table) else pa.Table.from_batches([obj])
