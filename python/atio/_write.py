"""``atio.write``: one object, or one chunk after the other, to one file."""

from __future__ import annotations

import contextlib
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from ._errors import ConflictError, Unsupported
from ._formats import FORMATS, format_of
from ._job import WAITING, Job, run
from ._library import Append, Library, chunks_of, library_of
from ._plan import ArrowStream, EncodeInGo, EncodeInLibrary, Plan
from ._report import Report, reporting
from ._result import WriteResult
from ._target import PathLike, Publishing, path_of

_ATTEMPTS = 20
"""How often an append starts again because another writer came first."""

Step = Callable[[Job], None]


def write(
    obj: Any,
    target_path: PathLike | None = None,
    format: str | None = None,
    show_progress: bool = False,
    verbose: bool = False,
    *,
    success_flag: bool = True,
    durable: bool = True,
    validate: bool | Callable[[Path], object] = True,
    backup: bool | int = False,
    storage_options: dict[str, Any] | None = None,
    checksum: str | None = None,
    **kwargs: Any,
) -> WriteResult:
    """Write an object to a file, so that the file is always the whole old or the whole new data.

    Args:
        obj: a pandas or polars DataFrame or Series, a polars LazyFrame, a pyarrow Table, RecordBatch or
            RecordBatchReader, any object with ``__arrow_c_stream__`` or ``__arrow_c_array__``, a NumPy array, a dict
            of arrays (npz), or an iterator of any of these, which is written chunk by chunk in bounded memory.
        target_path: the file; ``~`` is expanded, symbolic links are followed, ``file://`` URLs are taken.
        format: such as ``"parquet"``; inferred from the suffix if ``None``.
        show_progress: draw a progress line on standard error.
        verbose: log what is done through ``logging.getLogger("atio")``.
        success_flag: set the flag ``.NAME._SUCCESS`` beside the file, which tells that it is complete.
        durable: have the data on the disk when the call returns, safe from a power cut. ``False`` leaves out the
            syncs and nothing else: a killed process still does no harm.
        validate: read back what can be read back cheaply. A function is called in addition, with the path of the
            complete new file before it is published; what it raises aborts the write.
        backup: keep the replaced content as ``.NAME.bak.1``, or as many of them as the number says.
        storage_options: for stores other than the local file system; refused for a local file, as by pandas.
        checksum: ``"xxh3-128"`` (if ``None``) or ``"sha256"``: what the flag says of the bytes.
        **kwargs: those of the library's own writer: ``DataFrame.to_csv`` and so on for pandas, ``write_csv`` and so on
            for polars, ``np.savetxt``, ``save``, ``savez`` for NumPy, ``pyarrow.parquet.write_table`` for pyarrow.

    Returns:
        What was written.

    Raises:
        OSError: with ``errno`` and ``filename``, such as ``FileNotFoundError`` (no such directory),
            ``PermissionError``, ``IsADirectoryError``, or number 28 if the disk is full.
        ValueError: for an unknown format, or a value that the format cannot hold.
        TypeError: for an object that cannot be written, or an argument that the library does not have.
        atio.AtioError: for what has no built-in type.

        After any exception, ``KeyboardInterrupt`` included, everything is as it was before the call.

    Example:
        >>> import pandas as pd
        >>> result = atio.write(pd.DataFrame({"x": [1, 2, 3]}), "numbers.parquet")
        >>> result.rows, result.engine
        (3, 'go')
    """
    target = path_of(target_path, storage_options=storage_options)
    kind = format_of(target, format)
    publishing = Publishing(success_flag, durable, validate, backup, checksum)
    library = library_of(obj)
    if library is None:
        chunks = chunks_of(obj)
        if chunks is None:
            raise TypeError(_not_writable(obj))
        with _writer(target, kind, publishing, show_progress, verbose, kwargs) as w:
            for chunk in chunks:
                w.write(chunk)
        return w.result
    _check_format(library, kind)
    with reporting(target, show_progress=show_progress, verbose=verbose) as report:
        report.log(f"Writing {type(obj).__module__.partition('.')[0]} {type(obj).__name__} to {target}")
        answer = _write_whole(obj, library, target, kind, publishing, report, kwargs)
        report.succeeded(answer)
    return _result(answer, target)


def open_writer(
    target_path: PathLike,
    format: str | None = None,
    show_progress: bool = False,
    verbose: bool = False,
    *,
    success_flag: bool = True,
    durable: bool = True,
    validate: bool | Callable[[Path], object] = True,
    backup: bool | int = False,
    storage_options: dict[str, Any] | None = None,
    checksum: str | None = None,
    **kwargs: Any,
) -> ChunkWriter:
    """A writer that takes a file's data chunk by chunk. The arguments are those of :func:`write`.

    It is a context manager. The file is replaced when the block ends; if the block raises, everything is as before.

    Example:
        >>> import pandas as pd
        >>> with atio.open_writer("big.parquet") as w:
        ...     for i in range(3):
        ...         w.write(pd.DataFrame({"i": [i]}))
        >>> w.result.rows
        3
    """
    target = path_of(target_path, storage_options=storage_options)
    kind = format_of(target, format)
    publishing = Publishing(success_flag, durable, validate, backup, checksum)
    return _writer(target, kind, publishing, show_progress, verbose, kwargs)


def _writer(
    target: str, format: str, publishing: Publishing, show_progress: bool, verbose: bool, kwargs: dict[str, Any]
) -> ChunkWriter:
    writer = ChunkWriter.__new__(ChunkWriter)
    writer._begin(target, format, publishing, show_progress, verbose, kwargs)
    return writer


class ChunkWriter:
    """Writes one file chunk by chunk; made by :func:`open_writer`."""

    _target: str
    _job: Job | None = None
    _result: WriteResult | None = None

    def __init__(self) -> None:
        raise TypeError("use atio.open_writer(path)")

    def _begin(
        self, target: str, format: str, publishing: Publishing, show_progress: bool, verbose: bool, kwargs: dict[str, Any]
    ) -> None:
        self._target = target
        self._format = format
        self._publishing = publishing
        self._kwargs = kwargs
        self._process = os.getpid()
        self._stack = contextlib.ExitStack()
        self._told = {"show_progress": show_progress, "verbose": verbose}
        self._report: Report | None = None
        self._library: Library | None = None
        self._append: Append | None = None
        self._schema: Any = None
        self._count = 0
        self._rows = 0
        self._closed = False

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
        if kind is None:
            self.close()
        else:
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
            self._closed = True
            # With the exception at hand, if there is one, so that the report can name it.
            self._stack.__exit__(*(sys.exc_info() if sys.exc_info()[0] else (_Aborted, _Aborted(), None)))

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self.abort()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("write to a closed writer")
        if self._process != os.getpid():
            raise ValueError("a writer cannot be used in a forked process: open one of its own there")

    def _write(self, chunk: Any) -> None:
        library = library_of(chunk)
        if library is None:
            parts = chunks_of(chunk) if hasattr(chunk, "__arrow_c_stream__") or hasattr(chunk, "__arrow_c_array__") else None
            if parts is None:
                raise TypeError(_not_writable(chunk))
            for part in parts:
                self._write(part)
            return
        if self._library is None:
            _check_format(library, self._format)
            self._library = library
            self._report = self._stack.enter_context(reporting(self._target, **self._told))
            plan = self._plan(chunk)
            if not (isinstance(plan, EncodeInGo) and self._start_in_go(plan)):
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
            plan = self._plan(chunk)
            if not isinstance(plan, EncodeInGo):
                raise ValueError(
                    f"chunk {self._count + 1} does not fit the first: one of its columns needs {library.NAME}'s writer. "
                    "Give all chunks the same columns and types"
                )
            self._push(plan)
            self._check_job()
        self._count += 1

    def _plan(self, chunk: Any) -> Plan:
        assert self._library is not None
        return self._library.plan(chunk, self._format, self._target, self._kwargs)

    def _start_in_go(self, plan: EncodeInGo) -> bool:
        """Begin with the first chunk in Go; ``False`` if Go turns out not to take it, with nothing begun."""
        self._start_job({"input": "push", "encoding": plan.options}, "Go")
        self._push(plan)
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

    def _push(self, plan: EncodeInGo) -> None:
        assert self._job is not None
        self._job.push(self._fitting(plan.stream))
        self._rows += plan.rows

    def _append_chunk(self, chunk: Any) -> None:
        assert self._job is not None
        self._rows += self._append_to(self._job.path(), chunk)

    def _append_to(self, path: str, chunk: Any) -> int:
        assert self._append is not None
        assert self._report is not None
        with _errors_about(self._target, path), self._report.watching(path):
            return self._append(path, chunk, self._count == 0)

    def _fitting(self, stream: ArrowStream) -> ArrowStream:
        """The stream with the schema of the first chunk, which a file has throughout."""
        if self._format == "csv":
            return stream  # whose cells are text, each chunk's by its own types
        schema = getattr(stream, "schema", None)
        if self._schema is None:
            self._schema = schema
        if schema == self._schema:
            return stream
        return _cast(stream, schema, self._schema, self._count + 1)

    def _finish(self) -> None:
        if self._job is None or self._report is None:
            raise ValueError("there is nothing to write: no chunk came, so the columns are not known")
        self._job.resume(self._rows)
        if self._job.status == WAITING:
            _validation(self._publishing)(self._job)
        answer = self._job.finish()
        self._report.succeeded(answer)
        self._result = _result(answer, self._target)


class _Aborted(Exception):
    """The writer was aborted without an exception."""


def _write_whole(
    obj: Any,
    library: Library,
    target: str,
    format: str,
    publishing: Publishing,
    report: Report,
    kwargs: dict[str, Any],
) -> dict[str, Any]:
    request = publishing.request(target, format)
    observe = report.observe if report.wanted else None
    plan = library.plan(obj, format, target, kwargs)
    if isinstance(plan, EncodeInGo):
        report.log(f"Stage: hidden beside the target; writer: Go; format: {format}")
        in_go = request | {"input": "stream", "encoding": plan.options, "rows": plan.rows}
        try:
            return run(in_go, plan.stream, steps=_steps(publishing), observe=observe)
        except Unsupported as e:
            report.log(f"Go leaves it to {library.NAME}: {e}")
            plan = library.plan_in_library(obj, format, kwargs)
    assert isinstance(plan, EncodeInLibrary)
    report.log(f"Stage: hidden beside the target; writer: {plan.engine}; format: {format}")
    mode = kwargs.get("mode", "w") if format in ("csv", "json") else "w"
    if mode == "x" and os.path.lexists(target):
        raise FileExistsError(17, os.strerror(17), target)
    in_library = request | {"input": "file", "engine": plan.engine, "extend": mode == "a"}
    for attempt in range(_ATTEMPTS):
        try:
            return run(in_library, steps=_steps(publishing, _library_writes(plan, target, report)), observe=observe)
        except ConflictError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 5)))
    raise AssertionError  # the loop returns or raises


def _steps(publishing: Publishing, *first: Step) -> Iterator[Step]:
    yield from first
    if publishing.validator is not None:
        yield _validation(publishing)


def _library_writes(plan: EncodeInLibrary, target: str, report: Report) -> Step:
    def step(job: Job) -> None:
        path = job.path()
        with _errors_about(target, path), report.watching(path):
            plan.write(path)
        job.resume(plan.rows)

    return step


def _validation(publishing: Publishing) -> Step:
    def step(job: Job) -> None:
        assert publishing.validator is not None
        publishing.validator(Path(job.path()))
        job.resume()

    return step


@contextlib.contextmanager
def _errors_about(target: str, stage: str) -> Iterator[None]:
    """Have the system's errors of a library's writer name the target instead of the stage or nothing."""
    try:
        yield
    except OSError as e:
        number = e.errno
        if number is None:  # polars puts it into the text
            found = re.search(r"\(os error (\d+)\)", str(e))
            number = int(found[1]) if found else None
        if number is None or (e.filename is not None and os.path.dirname(stage) not in os.fsdecode(e.filename)):
            raise
        text = f"{os.strerror(number)} (while the library was writing it); the target is as it was before"
        raise OSError(number, text, target) from e


def _cast(stream: Any, schema: Any, first: Any, number: int) -> ArrowStream:
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


def _check_format(library: Library, format: str) -> None:
    if format not in library.FORMATS:
        raise ValueError(
            f"format {format!r}: {library.NAME} objects can be written as {', '.join(library.FORMATS)} "
            f"(of all formats: {', '.join(FORMATS)})"
        )


def _not_writable(obj: object) -> str:
    return (
        f"cannot write a {type(obj).__module__}.{type(obj).__qualname__}: pass a pandas or polars frame, a pyarrow table, "
        "an object with __arrow_c_stream__, a NumPy array, a dict of arrays, or an iterator of these"
    )


def _result(answer: dict[str, Any], target: str) -> WriteResult:
    return WriteResult(
        path=target,
        format=answer["format"],
        rows=answer["rows"],
        bytes=answer["bytes"],
        seconds=answer["seconds"],
        checksum=answer["checksum"],
        engine=answer["engine"],
    )
