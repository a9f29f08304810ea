"""What is to be done with one object: the outcome of looking at it and at the keyword arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol


class ArrowStream(Protocol):
    """Anything that exports itself by the Arrow PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@dataclass(frozen=True)
class EncodeInGo:
    """Go encodes an Arrow stream.

    ``options`` are the JSON options of the format's encoder (the fields of its Go ``Options`` struct).
    ``rows`` is the number of rows in ``stream``.
    """

    stream: ArrowStream
    rows: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EncodeInLibrary:
    """The library's own writer makes the bytes, in the stage.

    ``write`` is called with the path of a file to write, which has the target's name and so its suffix.
    ``engine`` is the name of the library; ``rows`` is the number of rows, ``None`` if the object has no such thing.
    """

    engine: str
    write: Callable[[str], object]
    rows: int | None = None


Plan = EncodeInGo | EncodeInLibrary
