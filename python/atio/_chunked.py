"""What is written chunk by chunk: open until it is closed or aborted, whatever comes."""

from __future__ import annotations

import abc
import atexit
import contextlib
import os
import sys
import threading
import weakref
from types import TracebackType
from typing import Any, TypeVar

from ._job import Job

Self = TypeVar("Self", bound="Chunked")


class Chunked(abc.ABC):
    """A writer of chunks by a job, which is ended once: by what completes it, or abandoned."""

    _closed = True  # until it is open, for __del__
    _job: Job | None = None

    def __init__(self) -> None:
        self._process = os.getpid()
        self._thread = threading.get_ident()
        self._stack = contextlib.ExitStack()
        """What ends with the writer, and is told why."""
        self._closed = False
        _writers[id(self)] = weakref.ref(self)

    def write(self, chunk: Any) -> None:
        """Add a chunk: any object that :func:`write` takes. If it fails, the whole write is aborted."""
        self._check_open()
        try:
            self._write(chunk)
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """End without publishing what is not published yet. After ``close`` it does nothing."""
        if self._closed:
            return
        if self._process != os.getpid():
            self._closed = True
            return  # in a forked child: the job is the parent's
        try:
            if self._job is not None:
                self._job.abandon()
        finally:
            if self._job is None or self._job.ended:
                self._closed = True
                # With the exception at hand, if there is one, so that the report can name it.
                self._stack.__exit__(*(sys.exc_info() if sys.exc_info()[0] else (_Aborted, _Aborted(), None)))

    def __enter__(self: Self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._close()
        finally:
            # Twice, since a signal may come before the first call has begun; after close it does nothing.
            try:
                self.abort()
            finally:
                self.abort()

    def __del__(self) -> None:
        self.abort()
        _writers.pop(id(self), None)

    def _close(self) -> None:
        """Complete what was written."""
        self._check_open()
        try:
            self._finish()
        except BaseException:
            self.abort()
            raise
        self._closed = True
        self._stack.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("write to a closed writer")
        if self._process != os.getpid():
            raise ValueError("a writer cannot be used in a forked process: open one of its own there")

    @abc.abstractmethod
    def _write(self, chunk: Any) -> None:
        """Write one chunk."""

    @abc.abstractmethod
    def _finish(self) -> None:
        """Publish."""


_writers: dict[int, weakref.ref[Chunked]] = {}


@atexit.register
def _abort_forgotten() -> None:
    """Abort what is still open when Python ends, while it can still give back the memory of the chunks."""
    for writer in [made() for made in _writers.values()]:
        if writer is not None and writer._thread == threading.get_ident():  # others may be at work with theirs
            writer.abort()


class _Aborted(Exception):
    """The writer was aborted without an exception."""
