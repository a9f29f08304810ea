"""Tables written chunk by chunk: one version at the end, or one for every few chunks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from .._chunked import Chunked
from .._job import WAITING, Job
from .._library import chunks_of
from .._report import Report, reporting
from .._target import PathLike
from . import requests
from .frames import Frame
from .history import newest_snapshot
from .results import Snapshot
from .write import (
    MODES,
    check_choice,
    columns_of,
    commit_fields,
    committed,
    encoding_request,
    fitting,
    frames_of,
    schema_mode_of,
)

RESUMING = "atio-chunks"
"""The name under which a table keeps how many chunks are committed, unless another one is given."""


class TableWriter(Chunked):
    """Writes a table chunk by chunk; made by :meth:`atio.Table.open_writer`.

    It is a context manager. Without ``commit_every`` one version is made when the block ends, and none if it raises.
    With it a version is made for every so many chunks; if the block raises, those stay, and the chunks behind them
    are not written.
    """

    def __init__(
        self,
        table_path: PathLike,
        mode: str = "append",
        *,
        commit_every: int | None = None,
        resume: bool = False,
        app_id: str | None = None,
        message: str | None = None,
        metadata: Any = None,
        partition_by: str | Sequence[str] | None = None,
        schema_mode: str | None = None,
        expected_version: int | None = None,
        show_progress: bool = False,
        verbose: bool = False,
        durable: bool = True,
        storage_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._path = requests.path_of_table(table_path, storage_options)
        check_choice("mode", mode, MODES)
        if commit_every is not None and (isinstance(commit_every, bool) or requests.version_of(commit_every) < 1):
            raise ValueError(f"commit_every={commit_every!r}: it is a number of chunks, 1 or more")
        if resume and commit_every is None:
            commit_every = 1
        if app_id is not None and not resume:
            raise ValueError("app_id names what is to be resumed: it goes with resume=True")
        super().__init__()
        self._began = time.perf_counter()
        self._commit_every = commit_every
        self._app_id = (app_id or RESUMING) if resume else None
        self._mode = mode
        self._message, self._metadata = message, metadata
        self._fields = {
            "partition_by": columns_of(partition_by),
            "schema_mode": schema_mode_of(schema_mode, mode),
            **commit_fields(message, metadata, expected_version),
        }
        self._kwargs, self._durable = kwargs, durable
        self._report: Report = self._stack.enter_context(
            reporting(self._path, show_progress=show_progress, verbose=verbose)
        )
        self._first: Frame | None = None
        self._held: list[Frame] = []
        self._seen = 0
        self._answer: dict[str, Any] | None = None
        #: How many chunks an earlier run has committed; as many of those that come are passed over.
        self.resumed_at = self._committed_chunks() if self._app_id is not None else 0

    @property
    def committed(self) -> bool:
        """Whether a version has been made."""
        return self._answer is not None

    @property
    def result(self) -> Snapshot:
        """The last version that was made."""
        if self._answer is None:
            raise ValueError("no version has been made yet, so there is no result")
        seconds = time.perf_counter() - self._began
        return Snapshot.of(self._answer, self._path, seconds, self._message, self._metadata)

    def close(self) -> None:
        """Commit what is left, and end."""
        self._close()

    def abort(self) -> None:
        """End without committing what is not committed yet. After ``close`` it does nothing."""
        super().abort()
        if self._closed:
            self._held = []

    def _write(self, chunk: Any) -> None:
        if self._commit_every is None:
            for frame in frames_of(iter([chunk]), self._kwargs):
                self._push(frame)
            return
        self._seen += 1
        if self._seen <= self.resumed_at:
            return
        frames = list(frames_of(iter([chunk]), self._kwargs))
        self._held.append(frames[0] if len(frames) == 1 else _combined(frames))
        if len(self._held) >= self._commit_every:
            self._commit_held()

    def _push(self, frame: Frame) -> None:
        if self._job is None:
            self._first = frame
            fields = {"mode": self._mode, **self._fields, "schema_metadata": frame.metadata}
            more = {**encoding_request(frame, self._durable), "rows": 0}
            observe = self._report.observe if self._report.wanted else None
            self._job = Job(requests.request("write", self._path, fields, input="push", **more), observe)
            self._job.start()
            self._job.wait()
        self._seen += 1
        assert self._first is not None
        if self._job.status == WAITING:
            self._job.push(fitting(frame.stream, self._first.stream, self._seen))
        if self._job.status != WAITING:
            self._job.finish()  # raises what it failed with

    def _finish(self) -> None:
        if self._commit_every is not None:
            self._commit_held()
            return
        if self._job is None:
            raise ValueError("there is nothing to write: no chunk came, so the columns are not known")
        self._job.resume()
        self._note(self._job.finish())

    def _commit_held(self) -> None:
        """Make a version of the chunks that are held."""
        if not self._held:
            return
        fields = {"mode": self._mode, **self._fields}
        if self._app_id is not None:
            before = self.resumed_at if self._answer is None else self._seen - len(self._held)
            fields["txn"] = {"appId": self._app_id, "version": self._seen}
            fields["txn_after"] = before or -1
        whole = _combined(self._held)
        more = {"input": "stream", **encoding_request(whole, self._durable)}
        fields["schema_metadata"] = whole.metadata
        self._note(requests.call("write", self._path, fields, stream=whole.stream, **more))
        self._held = []
        # What is said of the table as it was holds for the first version only.
        self._mode = "append"
        self._fields.pop("expected_version", None)
        if self._fields["schema_mode"] == "overwrite":
            self._fields["schema_mode"] = ""

    def _note(self, answer: dict[str, Any]) -> None:
        self._answer = answer
        self._report.log(committed(answer, self._path))

    def _committed_chunks(self) -> int:
        return max(0, int(requests.call("txn", self._path, {"name": self._app_id})))


def _combined(frames: list[Frame]) -> Frame:
    import pyarrow as pa

    first = frames[0]
    if len(frames) == 1:
        return first
    tables = [pa.table(fitting(frame.stream, first.stream, number)) for number, frame in enumerate(frames, 1)]
    whole = pa.concat_tables(tables)
    return Frame(whole, whole.num_rows, first.library, first.metadata, first.encoding)


def write_chunks(obj: Any, path: str, mode: str, **how: Any) -> Snapshot:
    """Write the chunks of an iterator, for :func:`write_snapshot` with ``commit_every`` or ``resume``."""
    chunks: Iterable[Any] | None = chunks_of(obj)
    with TableWriter(path, mode, **how) as writer:
        for chunk in [obj] if chunks is None else chunks:
            writer.write(chunk)
    if writer.committed:
        return writer.result
    if not writer.resumed_at:
        raise ValueError("there is nothing to write: no chunk came, so the columns are not known")
    return newest_snapshot(path)
