"""atio makes writing data safe: a file is always the whole old or the whole new data, whatever dies.

>>> import pandas as pd
>>> atio.write(pd.DataFrame({"x": [1, 2, 3]}), "numbers.parquet").rows
3
"""

from __future__ import annotations

from ._chunks import ChunkWriter
from ._errors import AtioError, CommitUnknownError, ConflictError, CorruptError
from ._files import restore, verify
from ._registry import register_writer
from ._result import WriteResult
from ._write import open_writer, write

__version__ = "0.1.0"

__all__ = [
    "AtioError",
    "ChunkWriter",
    "CommitUnknownError",
    "ConflictError",
    "CorruptError",
    "WriteResult",
    "open_writer",
    "register_writer",
    "restore",
    "verify",
    "write",
]
