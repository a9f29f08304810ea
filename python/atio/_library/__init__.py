"""The libraries whose objects come in, one module for each.

A module knows what its library's objects are made into: a plan to have Go encode them, or the library's own writer.
Modules are imported when an object of their library is there, so ``import atio`` imports none of the libraries.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, cast

from .. import _registry
from .._first_use import use_pyarrow
from .._fork import undisturbed
from .._formats import known
from .._plan import EncodeInLibrary, Plan

Append = Callable[[str, Any, bool], int | None]
"""Adds an object to the file at a path: (path, object, whether it is the first) -> number of rows, if it has any."""


class Library(Protocol):
    """What a module of this package provides."""

    NAME: str
    FORMATS: tuple[str, ...]

    def plan(self, obj: Any, format: str, target: str, kwargs: dict[str, Any]) -> Plan:
        """How ``obj`` is to be written."""
        ...

    def plan_in_library(self, obj: Any, format: str, kwargs: dict[str, Any]) -> EncodeInLibrary:
        """How ``obj`` is to be written if Go turns out not to be able to."""
        ...

    def append_in_library(self, format: str, kwargs: dict[str, Any]) -> Append:
        """How the library's own writer writes an object chunk by chunk."""
        ...


def library_of(obj: object, format: str | None = None) -> Library | None:
    """The module for an object, or its registered writer in a format; ``None`` if it is of no kind known here."""
    if format is not None and (registered := _registry.writer_of(obj, format)) is not None:
        return registered
    for base in type(obj).__mro__:
        root = base.__module__.partition(".")[0]
        if root == "pandas" and base.__name__ in ("DataFrame", "Series"):
            return _module("pandas")
        if root == "polars" and base.__name__ in ("DataFrame", "Series", "LazyFrame"):
            return _module("polars")
        if root == "numpy" and base.__name__ in ("ndarray", "generic"):
            return _module("numpy")
        if root == "pyarrow" and base.__name__ in ("Table", "RecordBatch"):
            return _module("arrow")
    if isinstance(obj, Mapping):
        frames = bool(obj) and all(_is_frame(value) for value in obj.values())
        return _module("sheets" if frames and format not in ("npz", "npz_compressed") else "numpy")
    return None


def _is_frame(obj: object) -> bool:
    """Whether it is a frame or Series of pandas or polars."""
    library = None if isinstance(obj, Mapping) else library_of(obj)
    return library is not None and library.NAME in ("pandas", "polars")


def chunks_of(obj: Any) -> Iterator[Any] | None:
    """The chunks of an object that is to be written chunk by chunk, ``None`` if it is no such object.

    Arrow readers and whatever exports an Arrow stream are read here, in the caller's thread: behind them may be
    Python code that cares about its thread, and whose exceptions are the caller's.
    """
    if isinstance(obj, (str, bytes, bytearray, memoryview)):
        return None
    if hasattr(obj, "__arrow_c_stream__"):
        return _batches(obj)
    if hasattr(obj, "__arrow_c_array__"):
        with undisturbed:
            import pyarrow as pa

        return iter([pa.record_batch(obj)])
    if isinstance(obj, Iterable):
        return iter(obj)
    return None


def check_format(library: Library, format: str, obj: object) -> None:
    """Raise a ``ValueError`` if an object of a library cannot be written in a format."""
    if format not in library.FORMATS:
        formats = dict.fromkeys([*library.FORMATS, *_registry.formats_of(obj)])
        raise ValueError(
            f"format {format!r}: {library.NAME} objects can be written as {', '.join(formats)} "
            f"(of all formats: {', '.join(known())})"
        )


def not_writable(obj: object, format: str | None = None) -> Exception:
    """What to raise for somebody who wants to write an object that is of no kind known here, or not in that format."""
    if formats := _registry.formats_of(obj):
        return ValueError(
            f"format {format!r}: a {type(obj).__module__}.{type(obj).__qualname__} can be written as "
            f"{', '.join(formats)}, by registered writers (of all formats: {', '.join(known())})"
        )
    return TypeError(
        f"cannot write a {type(obj).__module__}.{type(obj).__qualname__}: pass a pandas or polars frame, "
        "a pyarrow table, an object with __arrow_c_stream__, a NumPy array, a dict of arrays, or an iterator of these"
    )


def check_existing(target: str, kwargs: dict[str, Any]) -> None:
    """Look at pyarrow's ``existing_data_behavior``: a partitioned dataset is replaced as a whole."""
    behavior = kwargs.get("existing_data_behavior")
    if behavior is None:
        return
    if behavior == "error":
        if os.path.isdir(target) and os.listdir(target):
            from pyarrow import ArrowInvalid

            raise ArrowInvalid(f"{target!r} is a directory that is not empty, and existing_data_behavior is 'error'")
        return
    raise ValueError(
        f"existing_data_behavior={behavior!r}: atio replaces the whole dataset at once, so that nobody sees a mixture "
        "of old and new files; leave the argument out to do that, or write single partitions as datasets of their own"
    )


class SameColumns:
    """Refuses a chunk that has not the columns of the first, where the library would put them under other headings."""

    def __init__(self) -> None:
        self._first: list[Any] | None = None
        self._count = 0

    def check(self, columns: list[Any]) -> None:
        """Take the columns of the next chunk."""
        self._count += 1
        if self._first is None:
            self._first = columns
        elif columns != self._first:
            raise ValueError(
                f"chunk {self._count} does not fit the first: it has {columns}, the first {self._first}. "
                "Give all chunks the same columns"
            )


def _batches(obj: Any) -> Iterator[Any]:
    with undisturbed:
        import pyarrow as pa

    reader = obj if isinstance(obj, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(obj)
    empty = True
    for batch in reader:
        empty = False
        yield batch
    if empty:
        yield pa.Table.from_batches([], reader.schema)


def _module(name: str) -> Library:
    module = _modules.get(name)
    if module is None:
        with undisturbed:
            module = _modules[name] = cast(Library, importlib.import_module(f"{__name__}.{name}"))
    return module


_modules: dict[str, Library] = {}
_planned: set[tuple[str, str]] = set()


def plan(library: Library, obj: Any, format: str, target: str, kwargs: dict[str, Any]) -> Plan:
    """How an object of a library is to be written.

    The first time, modules of the library are imported on the way.
    """
    key = (library.NAME, format)
    if key in _planned:
        return library.plan(obj, format, target, kwargs)
    with undisturbed:
        made = library.plan(obj, format, target, kwargs)
        use_pyarrow()
    _planned.add(key)
    return made
