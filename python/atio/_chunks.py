"""Writing one file chunk by chunk."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
import weakref
from dataclasses import replace
from types import TracebackType
from typing import Any

from ._errors import Unsupported, naming_target
from ._formats import compression_suffix
from ._job import WAITING, Job, validate
from ._library import Append, Library, check_format, chunks_of, library_of, not_writable, plan
from ._plan import ArrowStream, EncodeFilesInGo, EncodeInGo, EncodeInLibrary, EncodePartsInGo
from ._report import Report, reporting
from ._result import WriteResult
from ._target import Publishing


class ChunkWriter:
    """Writes one file chunk by chunk; made by :func:`atio.open_writer`."""

    _closed = True  # until it is open, for __del__

    def __init__(
        self,
        target: str,
        format: str,
        publishing: Publishing,
        kwargs: dict[str, Any],
        *,
        show_progress: bool,
        verbose: bool,
    ) -> None:
        self._target = target
        self._began = time.perf_counter()
        self._format = format
        self._publishing = publishing
        self._kwargs = kwargs
        self._told = {"show_progress": show_progress, "verbose": verbose}
        self._process = os.getpid()
        self._stack = contextlib.ExitStack()
        self._job: Job | None = None
        self._report: Report | None = None
        self._library: Library | None = None
        self._append: Append | None = None
        self._schema: Any = None
        self._count = 0
        self._rows: int | None = 0
        self._result: WriteResult | None = None
        self._thread = threading.get_ident()
        self._closed = False
        _writers[id(self)] = weakref.ref(self)

    @property
    def result(self) -> WriteResult:
        """What was written, once the block has ended."""
        if self._result is None:
            raise ValueError("the writer has not been closed, so there is no result yet")
        return self._result

    def __enter__(self) -> ChunkWriter:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            # Twice, since a signal may come before the first call has begun; after close it does nothing.
            try:
                self.abort()
            finally:
                self.abort()

    def write(self, chunk: Any) -> None:
        """Add a chunk: any object that :func:`write` takes. If it fails, the whole write is aborted."""
        self._check_open()
        try:
            self._write(chunk)
        except BaseException:
            self.abort()
            raise

    def close(self) -> WriteResult:
        """Complete and publish the file."""
        self._check_open()
        try:
            self._finish()
        except BaseException:
            self.abort()
            raise
        self._closed = True
        self._stack.close()
        return self.result

    def abort(self) -> None:
        """End without publishing: everything is as before. After ``close`` it does nothing."""
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

    def __del__(self) -> None:
        self.abort()
        _writers.pop(id(self), None)

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("write to a closed writer")
        if self._process != os.getpid():
            raise ValueError("a writer cannot be used in a forked process: open one of its own there")

    def _write(self, chunk: Any) -> None:
        library = library_of(chunk, self._format)
        if library is None:
            if not (hasattr(chunk, "__arrow_c_stream__") or hasattr(chunk, "__arrow_c_array__")):
                raise not_writable(chunk, self._format)
            for part in chunks_of(chunk) or ():
                self._write(part)
            return
        if self._library is None:
            check_format(library, self._format, chunk)
            self._library = library
            self._report = self._stack.enter_context(reporting(self._target, **self._told))
            how = self._plan(chunk)
            if isinstance(how, EncodeInLibrary) or not self._start_in_go(how):
                self._start_in_library()
                self._append_chunk(chunk)
        elif library is not self._library:
            raise TypeError(
                f"chunk {self._count + 1} is a {type(chunk).__module__}.{type(chunk).__name__}, "
                f"but the first was made by {self._library.NAME}: all must be of one library"
            )
        elif self._append is not None:
            self._append_chunk(chunk)
        else:
            how = self._plan(chunk)
            if isinstance(how, EncodeInLibrary):
                raise ValueError(
                    f"chunk {self._count + 1} does not fit the first: one of its columns needs {library.NAME}'s "
                    "writer. Give all chunks the same columns and types"
                )
            self._push(how)
            self._check_job()
        self._count += 1

    def _plan(self, chunk: Any) -> EncodeInGo | EncodeFilesInGo | EncodeInLibrary:
        assert self._library is not None
        how = plan(self._library, chunk, self._format, self._target, self._kwargs)
        # Which columns hold fields made by the library may differ from chunk to chunk; the options are the first's.
        if isinstance(how, EncodeInGo) and (how.whole or how.options.get("verbatim")):
            return self._library.plan_in_library(chunk, self._format, self._kwargs)
        if isinstance(how, EncodeInLibrary) and how.in_chunks is not None and not how.in_chunks.whole:
            return how.in_chunks
        if isinstance(how, EncodePartsInGo):
            return self._library.plan_in_library(chunk, self._format, self._kwargs)
        return how

    def _start_in_go(self, how: EncodeInGo | EncodeFilesInGo) -> bool:
        """Begin with the first chunk in Go; ``False`` if Go turns out not to take it, with nothing begun."""
        kind = "files" if isinstance(how, EncodeFilesInGo) else "push"
        self._start_job({"input": kind, "encoding": how.options}, "Go")
        self._push(how)
        try:
            self._check_job()
        except Unsupported:
            self._job = None
            return False
        return True

    def _start_in_library(self) -> None:
        assert self._library is not None
        if self._kwargs.get("mode", "w") != "w":
            raise ValueError(f"mode={self._kwargs['mode']!r} is for one frame: chunks make the whole file")
        suffix = compression_suffix(self._target)
        # What pandas appends is one more compressed part, which readers take for more of the same; the others would
        # write it without compression.
        if suffix is not None and (self._library.NAME != "pandas" or suffix.startswith((".zip", ".tar"))):
            raise ValueError(
                f"{self._library.NAME} chunks cannot be written to a file with the suffix {suffix}: "
                "pass one frame, or name a file without it"
            )
        self._append = self._library.append_in_library(self._format, self._kwargs)
        self._start_job({"input": "file", "engine": self._library.NAME}, self._library.NAME)

    def _start_job(self, how: dict[str, Any], writer: str) -> None:
        assert self._report is not None
        self._report.log(f"Stage: hidden beside the target; writer: {writer}, chunk by chunk; format: {self._format}")
        self._job = Job(self._publishing.request(self._target, self._format) | how, self._report.observe)
        self._job.start()
        self._job.wait()
        self._check_job()

    def _check_job(self) -> None:
        """Raise what the job failed with, if it has."""
        assert self._job is not None
        if self._job.status != WAITING:
            self._job.finish()

    def _push(self, how: EncodeInGo | EncodeFilesInGo) -> None:
        assert self._job is not None
        if isinstance(how, EncodeInGo):
            self._job.push(self._fitting(how.stream))
        else:
            for some in how.files:
                self._job.push_files(replace(some, stream=self._fitting(some.stream)))
                self._check_job()
        self._add_rows(how.rows)

    def _append_chunk(self, chunk: Any) -> None:
        assert self._job is not None
        self._add_rows(self._append_to(self._job.path(), chunk))

    def _add_rows(self, rows: int | None) -> None:
        self._rows = None if rows is None or self._rows is None else self._rows + rows

    def _append_to(self, path: str, chunk: Any) -> int | None:
        assert self._append is not None
        assert self._report is not None
        with naming_target(self._target, path), self._report.watching(path):
            return self._append(path, chunk, self._count == 0)

    def _fitting(self, stream: ArrowStream) -> ArrowStream:
        """The stream with the schema of the first chunk, which a file has throughout."""
        if self._format in ("csv", "json", "ndjson"):
            return stream  # whose values are text, each chunk's by its own types
        schema = getattr(stream, "schema", None)
        if self._schema is None:
            self._schema = schema
        if schema == self._schema:
            return stream
        return cast_to_first(stream, schema, self._schema, self._count + 1)

    def _finish(self) -> None:
        if self._job is None or self._report is None:
            raise ValueError("there is nothing to write: no chunk came, so the columns are not known")
        self._job.resume(self._rows)
        if self._job.status == WAITING:
            assert self._publishing.validator is not None
            validate(self._job, self._publishing.validator)
        answer = self._job.finish()
        self._report.succeeded(answer)
        self._result = WriteResult.of(answer, self._target, self._began)


_writers: dict[int, weakref.ref[ChunkWriter]] = {}


@atexit.register
def _abort_forgotten() -> None:
    """Abort what is still open when Python ends, while it can still give back the memory of the chunks."""
    for writer in [made() for made in _writers.values()]:
        if writer is not None and writer._thread == threading.get_ident():  # others may be at work with theirs
            writer.abort()


class _Aborted(Exception):
    """The writer was aborted without an exception."""


def cast_to_first(stream: Any, schema: Any, first: Any, number: int) -> ArrowStream:
    """A chunk with the types of the first, if that loses nothing."""
    import pyarrow as pa

    if isinstance(stream, pa.Table) and schema.names == first.names:
        try:
            table: ArrowStream = stream.cast(first)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
            pass
        else:
            return table
    if isinstance(stream, pa.Table):
        now, before = ({f.name: f.type for f in s} for s in (schema, first))
    else:
        now, before = dict(schema), dict(first)
    different = [
        f"column {name!r} is {now.get(name, 'missing')}, not {before.get(name, 'missing')}"
        for name in [*before, *(n for n in now if n not in before)]
        if now.get(name) != before.get(name)
    ]
    raise ValueError(
        f"chunk {number} does not fit the first: {'; '.join(different) or 'its columns have another order'}. "
        "Give all chunks the same columns and types"
    )
