"""What a call returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WriteResult:
    """What was written.

    Attributes:
        path: the target, absolute.
        format: the format's name, such as ``"parquet"``.
        rows: number of rows; ``None`` if the object has none, or for a restored file of which it is not known.
        bytes: size of the target.
        seconds: wall time of the whole call.
        checksum: of the target's bytes, such as ``"xxh3-128:0123..."``.
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
    def of(cls, answer: dict[str, Any], target: str) -> WriteResult:
        """The result in an answer of the library."""
        fields = ("format", "rows", "bytes", "seconds", "checksum", "engine")
        return cls(path=target, **{name: answer[name] for name in fields})
