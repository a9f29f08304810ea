"""What is to be done with one object: the outcome of looking at it and at the keyword arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol


class ArrowStream(Protocol):
    """Anything that exports itself by the Arrow PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@dataclass(frozen=True)
class EncodeInGo:
    """Go encodes an Arrow stream.

    ``options`` are the JSON options of the format's encoder (the fields of its Go ``Options`` struct).
    ``rows`` is the number of rows in ``stream``. ``whole`` says that it makes a whole file: no chunk can follow.
    ``alone`` says that no library has a writer for it: what Go does not take is refused.
    """

    stream: ArrowStream
    rows: int
    options: dict[str, Any] = field(default_factory=dict)
    whole: bool = False
    alone: bool = False


@dataclass(frozen=True)
class EncodePartsInGo:
    """Go encodes one file of several Arrow streams, which are made one by one in the caller's thread.

    ``rows`` is the number of rows in all of them, ``options`` are as for :class:`EncodeInGo`. It is whole.
    """

    parts: Iterator[ArrowStream]
    rows: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetFiles:
    """Some files of a directory: their paths below it, with slashes, their numbers of rows, and all rows in a row."""

    files: list[tuple[str, int]]
    stream: ArrowStream


@dataclass(frozen=True)
class EncodeFilesInGo:
    """Go encodes the files of a directory, which is published as one.

    ``options`` are as for :class:`EncodeInGo`; ``rows`` is the number of rows in all ``files``, which are made some
    at a time while Go encodes those before.
    """

    files: Iterator[DatasetFiles]
    rows: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EncodeInLibrary:
    """The library's own writer makes the bytes, in the stage.

    ``write`` is called with the path of a file to write, which has the target's name and so its suffix; if
    ``directory`` is set, it is a directory to write files into.
    ``engine`` is the name of the library; ``rows`` is the number of rows, ``None`` if the object has no such thing.
    ``in_chunks`` is how Go encodes the object if it is one of several, where the library has no way to add one.
    """

    engine: str
    write: Callable[[str], object]
    rows: int | None = None
    directory: bool = False
    in_chunks: EncodeInGo | None = None


Plan = EncodeInGo | EncodePartsInGo | EncodeFilesInGo | EncodeInLibrary
