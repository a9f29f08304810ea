"""What a call returns."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WriteResult:
    """What was written.

    Attributes:
        path: the target, absolute; of a table like ``postgresql://host:5432/database#table``, without credentials.
        format: the format's name, such as ``"parquet"``.
        rows: number of rows; ``None`` if the object has none, or for a restored file of which it is not known.
        bytes: size of the target; of a table what was sent, 0 if a library's writer sent it.
        seconds: wall time of the whole call.
        checksum: of the target's bytes, such as ``"xxh3-128:0123..."``; empty for a table.
        engine: ``"go"``, or the library whose writer made the bytes, such as ``"pandas"``.
    """

    path: str
    format: str
    rows: int | None
    bytes: int
    seconds: float
    checksum: str
    engine: str

    @classmethod
    def of(cls, answer: dict[str, Any], target: str, began: float) -> WriteResult:
        """The result in an answer of the library to a call that began at that ``time.perf_counter()``."""
        fields = ("format", "rows", "bytes", "checksum", "engine")
        seconds = time.perf_counter() - began
        return cls(path=target, seconds=seconds, **{name: answer[name] for name in fields})
