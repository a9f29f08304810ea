"""Writing one file chunk by chunk."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from ._chunked import Chunked
from ._errors import Unsupported, naming_target
from ._formats import compression_suffix
from ._job import WAITING, Job, validate
from ._library import Append, Library, check_format, chunks_of, library_of, not_writable, plan
from ._plan import ArrowStream, EncodeFilesInGo, EncodeInGo, EncodeInLibrary, EncodePartsInGo
from ._report import Report, reporting
from ._result import WriteResult
from ._target import Publishing


class ChunkWriter(Chunked):
    """Writes one file chunk by chunk; made by :func:`atio.open_writer`."""

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
        super().__init__()
        self._target = target
        self._began = time.perf_counter()
        self._format = format
        self._publishing = publishing
        self._kwargs = kwargs
        self._told = {"show_progress": show_progress, "verbose": verbose}
        self._report: Report | None = None
        self._library: Library | None = None
        self._append: Append | None = None
        self._schema: Any = None
        self._count = 0
        self._rows: int | None = 0
        self._result: WriteResult | None = None

    @property
    def result(self) -> WriteResult:
        """What was written, once the block has ended."""
        if self._result is None:
            raise ValueError("the writer has not been closed, so there is no result yet")
        return self._result

    def close(self) -> WriteResult:
        """Complete and publish the file."""
        self._close()
        return self.result

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
        except Unsupported as e:
            if isinstance(how, EncodeInGo) and how.alone:
                raise TypeError(str(e)) from None
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
