"""``atio.stream``: rows that come bit by bit, committed exactly once."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote

from .._errors import Unsupported, error_of
from .._job import run
from .._library import chunks_of, not_writable
from .._plan import ArrowStream
from .._target import PathLike, encode_path
from . import requests
from .frames import Frame, frame_of
from .write import columns_of, commit_fields, schema_mode_of


def stream(
    table_path: PathLike,
    app_id: str,
    *,
    max_rows: int | None = 100_000,
    max_seconds: float | None = 10.0,
    max_bytes: int | None = 64 << 20,
    spool: bool | PathLike = False,
    partition_by: str | Sequence[str] | None = None,
    schema_mode: str | None = None,
    message: str | None = None,
    metadata: Any = None,
    durable: bool = True,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Stream:
    """Append to a table in micro-batches, each row exactly once, whoever is killed in between.

    Each :meth:`Stream.append` says how far its source has come: the offset in a queue, the number of a file, a
    position in a log. Rows and offset are committed together. Whoever starts again asks ``last_offset`` and goes on
    behind it.

    Args:
        table_path: the table's directory. Where there is none, the first commit creates it.
        app_id: the name under which the table keeps the offset. One process at a time uses it; if two do, the second
            commit raises ``ConflictError``.
        max_rows: commit when so many rows have been appended; ``None`` for no limit.
        max_seconds: commit, in the background, when the oldest row has waited so long; ``None`` for no limit.
        max_bytes: commit when so many bytes are held in memory; ``None`` for no limit.
        spool: keep what was appended and not committed in a journal on this machine, so that it survives a kill and
            a power cut: ``append`` returns when it is there, and the next ``stream`` of that name commits it. ``True``
            puts the journal into the table's directory; a path names another one.
        partition_by: as for :func:`write_snapshot`, for a table that is not there yet.
        schema_mode: ``"merge"`` adds columns that the table does not have.
        message: a note for :func:`list_snapshots`, with each version.
        metadata: what JSON can hold, kept with each version.
        durable: have each version on the disk when it is committed, safe from a power cut.
        storage_options: for stores other than the local file system; refused for a local path.
        **kwargs: of the library's own Parquet writer, such as ``compression="zstd"``.

    Raises:
        ConflictError: if another stream of that name has a journal open.
        CorruptError: if the table, or the journal, is damaged.

    Example:
        >>> import pandas as pd
        >>> with atio.stream("events", app_id="collector-1") as s:
        ...     start = 0 if s.last_offset is None else s.last_offset + 1
        ...     for offset in range(start, start + 3):
        ...         _ = s.append(pd.DataFrame({"n": [offset]}), offset=offset)
        >>> atio.read_table("events")["n"].tolist()
        [0, 1, 2]
    """
    path = requests.path_of_table(table_path, storage_options)
    if not isinstance(app_id, str) or not app_id:
        raise TypeError(f"app_id={app_id!r}: it is the name of the stream, a str")
    fields = {
        "app_id": app_id,
        "max_rows": _limit("max_rows", max_rows),
        "max_bytes": _limit("max_bytes", max_bytes),
        "max_delay": _limit("max_seconds", max_seconds, 1e6),
        "spool": encode_path(journal_of(path, app_id, spool)),
    }
    table = {
        "op": "stream",
        "mode": "append",
        "partition_by": columns_of(partition_by),
        "schema_mode": schema_mode_of(schema_mode, "append"),
        **commit_fields(message, metadata),
    }
    return Stream(path, fields, table, kwargs, durable=durable)


def journal_of(path: str, app_id: str, spool: bool | PathLike) -> str:
    """The directory of a stream's journal, "" if it is to have none."""
    if spool is False or spool is None:
        return ""
    directory = os.path.join(path, "_atio", "spool") if spool is True else requests.path_of_table(spool)
    return os.path.join(directory, quote(app_id, safe=" "))


def _limit(name: str, value: float | None, unit: float = 1) -> int:
    """A limit as the library takes it: less than 0 for none."""
    if value is None or value == math.inf:
        return -1
    if not value > 0:
        raise ValueError(f"{name}={value!r}: it is more than 0, or None for no limit")
    return max(1, int(value * unit))


class Stream:
    """Appends to a table; made by :func:`atio.stream`.

    It is a context manager: what was appended is committed when the block ends. If the block raises, what is not
    committed yet is given up, or stays in the journal; ``last_offset`` tells the next one where to go on.
    """

    _id: int | None = None  # until it is open, for __del__

    def __init__(
        self, path: str, fields: dict[str, Any], table: dict[str, Any], kwargs: dict[str, Any], *, durable: bool
    ) -> None:
        self._path = path
        self._kwargs = kwargs
        self._process = os.getpid()
        self._app_id = fields["app_id"]
        self._last: int | None = None
        self._taken: int | None = None
        answer = self._run({"op": "open", **fields}, table, skip_sync=not durable)
        self._id = answer["stream"]
        self._taken = self._last

    def __repr__(self) -> str:
        state = "closed" if self._id is None else f"last_offset={self._last}"
        return f"<atio.Stream {self._app_id!r} of {self._path!r}, {state}>"

    @property
    def last_offset(self) -> int | None:
        """The last offset that is committed, ``None`` if there is none: the source goes on behind it."""
        if self._id is not None and self._process == os.getpid():
            self._run({"op": "offset"})
        return self._last

    def append(self, obj: Any, offset: int | None = None) -> bool:
        """Add rows: all of an object's or none.

        Args:
            obj: what :func:`atio.write` takes.
            offset: of the source behind these rows, an int >= 0, greater than the one before; one more than that if
                ``None``. What was taken already is passed over.

        Returns:
            Whether the rows were taken; ``False`` if they were there already.

        Raises:
            ValueError: if the columns are not those of the table, or offsets go backwards.
            ConflictError: if another stream of the same name has committed.
            OSError: if a commit failed, in this call or in the background before. What was taken stays taken, and
                the next call tries again.
        """
        self._check_open()
        if offset is None:
            offset = 0 if self._taken is None else self._taken + 1
        offset = requests.version_of(offset, "offset")
        frame = frame_of(obj, self._kwargs) or self._combined(obj)
        more: dict[str, Any] = {"rows": frame.rows}
        if frame.encoding is not None:
            more["encoding"] = frame.encoding
        table = {"op": "stream", "mode": "append", "schema_metadata": frame.metadata}
        answer = self._run({"op": "append", "offset": offset}, table, frame.stream, input="stream", **more)
        if answer["taken"]:
            self._taken = offset
        if answer["failure"]:
            raise error_of(answer["failure"])
        return bool(answer["taken"])

    def flush(self) -> list[int]:
        """Commit what was appended. Returns the versions committed since the last ``flush``."""
        self._check_open()
        return [one["version"] for one in self._run({"op": "flush"})["versions"] or ()]

    def discard(self) -> int:
        """Give up what was appended and not committed, in the journal too. Returns how many rows that was."""
        self._check_open()
        rows = int(self._run({"op": "discard"})["rows"])
        self._taken = self._last
        return rows

    def close(self) -> None:
        """Commit what was appended, and end. If that fails the stream stays open, to try again or to ``abort``."""
        if self._id is None:
            return
        self._check_open()
        self._run({"op": "close"})
        self._id = None

    def abort(self) -> None:
        """End without committing; a journal keeps what was appended for the next stream of that name."""
        if self._id is None:
            return
        if self._process != os.getpid():
            self._id = None
            return  # in a forked child: the stream is the parent's
        try:
            self._run({"op": "abort"})
        finally:
            self._id = None

    def __enter__(self) -> Stream:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            if kind is None:
                self.abort()  # after close it does nothing
            else:
                try:
                    self.abort()
                except Exception as lost:  # never in place of the block's own exception, and never lost
                    warnings.warn(f"{self!r}: {lost}", RuntimeWarning, stacklevel=2)

    def __del__(self) -> None:
        if self._id is not None and self._process == os.getpid():
            warnings.warn(f"{self!r} was never closed", ResourceWarning, stacklevel=2, source=self)
            self.abort()

    def _check_open(self) -> None:
        if self._process != os.getpid():
            raise ValueError("a stream cannot be used in a forked process: open one of its own there")
        if self._id is None:
            raise ValueError("the stream is closed")

    def _combined(self, obj: Any) -> Frame:
        """All chunks of an object as one frame, since they have one offset."""
        import pyarrow as pa

        chunks = chunks_of(obj)
        if chunks is None:
            raise TypeError(not_writable(obj))
        frames = []
        for chunk in chunks:
            frame = frame_of(chunk, self._kwargs)
            if frame is None:
                raise TypeError(not_writable(chunk))
            frames.append(frame)
        if not frames:
            raise ValueError("there is nothing to append: no chunk came, so the columns are not known")
        first = frames[0]
        if len(frames) == 1:
            return first
        tables = [_table(frame.stream) for frame in frames]
        whole = pa.concat_tables(tables, promote_options="none")
        return Frame(whole, whole.num_rows, first.library, first.metadata, first.encoding)

    def _run(
        self, fields: dict[str, Any], table: dict[str, Any] | None = None, data: ArrowStream | None = None, **more: Any
    ) -> dict[str, Any]:
        request = {"op": "stream", "target": encode_path(self._path), "stream": {"stream": self._id or 0, **fields}}
        if table is not None:
            request["table"] = table
        try:
            answer = run(request | more, data)
        except Unsupported as e:
            raise TypeError(str(e)) from None
        self._last = answer["last_offset"]
        return answer


def _table(source: ArrowStream) -> Any:
    import pyarrow as pa

    return source if isinstance(source, pa.Table) else pa.table(source)
