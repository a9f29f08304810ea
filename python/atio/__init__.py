"""atio makes writing data safe: a file is always the whole old or the whole new data, whatever dies.

>>> import pandas as pd
>>> atio.write(pd.DataFrame({"x": [1, 2, 3]}), "numbers.parquet").rows
3
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._chunks import ChunkWriter
from ._errors import AtioError, CommitUnknownError, ConflictError, CorruptError, VersionNotFoundError
from ._files import restore, verify
from ._registry import register_writer
from ._result import WriteResult
from ._table.chunks import TableWriter
from ._table.diff import Diff, diff
from ._table.history import (
    delete_tag,
    delete_version,
    expire_snapshots,
    list_snapshots,
    revert,
    rollback,
    tag_version,
)
from ._table.optimize import OptimizeReport, optimize
from ._table.read import read_table
from ._table.results import ExpireReport, Snapshot
from ._table.stream import Stream, stream
from ._table.table import Table
from ._table.transaction import Part, Transaction, begin, transaction
from ._table.verify import TableReport
from ._table.write import write_snapshot
from ._write import open_writer, write

if TYPE_CHECKING:
    from . import aio as aio

__version__ = "0.1.0"

__all__ = [
    "AtioError",
    "ChunkWriter",
    "CommitUnknownError",
    "ConflictError",
    "CorruptError",
    "Diff",
    "ExpireReport",
    "OptimizeReport",
    "Part",
    "Snapshot",
    "Stream",
    "Table",
    "TableReport",
    "TableWriter",
    "Transaction",
    "VersionNotFoundError",
    "WriteResult",
    "begin",
    "delete_tag",
    "delete_version",
    "diff",
    "expire_snapshots",
    "list_snapshots",
    "open_writer",
    "optimize",
    "read_table",
    "register_writer",
    "restore",
    "revert",
    "rollback",
    "stream",
    "tag_version",
    "transaction",
    "verify",
    "write",
    "write_snapshot",
]


def __getattr__(name: str) -> Any:
    """``atio.aio``, which is imported when it is wanted: it takes longer than all of the rest."""
    if name == "aio":
        return importlib.import_module(f"{__name__}.aio")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
