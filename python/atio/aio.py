"""The functions of atio as coroutines: each runs in a thread, and the event loop goes on meanwhile.

Cancelling the task cancels the write: it goes back to what was before, and only then ``CancelledError`` is raised. A
library's own writer that makes the bytes is not stopped in the middle, but what it wrote is not published. If the
cancellation comes in the instant in which the write is made final, the new data are there.

>>> import asyncio
>>> import pandas as pd
>>> async def main():
...     return await atio.aio.write(pd.DataFrame({"x": [1, 2, 3]}), "numbers.parquet")
>>> asyncio.run(main()).rows
3
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import atio

from ._chunks import ChunkWriter
from ._job import cancellation
from ._result import WriteResult
from ._table.chunks import TableWriter
from ._table.results import Snapshot
from ._table.stream import Stream
from ._table.transaction import Part, Transaction

__all__ = [
    "AsyncChunkWriter",
    "AsyncStream",
    "AsyncTransaction",
    "begin",
    "delete_tag",
    "delete_version",
    "diff",
    "expire_snapshots",
    "list_snapshots",
    "open_writer",
    "optimize",
    "read_table",
    "restore",
    "revert",
    "rollback",
    "stream",
    "tag_version",
    "verify",
    "write",
    "write_snapshot",
]

P = ParamSpec("P")
R = TypeVar("R")


async def _in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in a thread; if the task is cancelled, have it go back, and wait for that."""
    cancelled = threading.Event()
    context = contextvars.copy_context()
    context.run(cancellation.set, cancelled)
    call = functools.partial(context.run, function, *args, **kwargs)
    future = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        cancelled.set()
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:  # once more: it still has to clean up
                continue
        if not future.cancelled():
            future.exception()  # has been looked at
        raise


def _coroutine(function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    @functools.wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return await _in_thread(function, *args, **kwargs)

    call.__doc__ = f"``atio.{function.__name__}`` as a coroutine, with its arguments, result and exceptions."
    return call


write = _coroutine(atio.write)
verify = _coroutine(atio.verify)
restore = _coroutine(atio.restore)
write_snapshot = _coroutine(atio.write_snapshot)
read_table = _coroutine(atio.read_table)
list_snapshots = _coroutine(atio.list_snapshots)
rollback = _coroutine(atio.rollback)
revert = _coroutine(atio.revert)
expire_snapshots = _coroutine(atio.expire_snapshots)
tag_version = _coroutine(atio.tag_version)
delete_tag = _coroutine(atio.delete_tag)
delete_version = _coroutine(atio.delete_version)
diff = _coroutine(atio.diff)
optimize = _coroutine(atio.optimize)


class AsyncChunkWriter:
    """Writes one file chunk by chunk; made by :func:`open_writer`."""

    def __init__(self, writer: ChunkWriter | TableWriter) -> None:
        self._writer = writer

    @property
    def result(self) -> WriteResult | Snapshot:
        """What was written, once the block has ended."""
        return self._writer.result

    async def write(self, chunk: Any) -> None:
        """Add a chunk. If it fails or is cancelled, the whole write is aborted."""
        await _in_thread(self._writer.write, chunk)

    async def close(self) -> None:
        """Complete and publish the file."""
        await _in_thread(lambda: self._writer.close())

    async def __aenter__(self) -> AsyncChunkWriter:
        self._writer.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.close()
        finally:
            self._writer.abort()


def open_writer(*args: Any, **kwargs: Any) -> AsyncChunkWriter:
    """``atio.open_writer``, for ``async with``; its arguments are the same.

    Example:
        >>> import pandas as pd
        >>> async def main():
        ...     async with atio.aio.open_writer("big.parquet") as w:
        ...         for i in range(3):
        ...             await w.write(pd.DataFrame({"i": [i]}))
        ...     return w.result.rows
        >>> import asyncio
        >>> asyncio.run(main())
        3
    """
    return AsyncChunkWriter(atio.open_writer(*args, **kwargs))


class AsyncStream:
    """Appends to a table in micro-batches; made by :func:`stream`."""

    def __init__(self, open_it: Callable[[], Stream]) -> None:
        self._open = open_it
        self._stream: Stream | None = None

    @property
    def _opened(self) -> Stream:
        if self._stream is None:
            raise ValueError("the stream is not open: use it in `async with`")
        return self._stream

    async def last_offset(self) -> int | None:
        """The last offset that is committed, ``None`` if there is none."""
        return await _in_thread(lambda: self._opened.last_offset)

    async def append(self, obj: Any, offset: int | None = None) -> bool:
        """Add rows; see :meth:`atio.Stream.append`."""
        return await _in_thread(self._opened.append, obj, offset)

    async def flush(self) -> list[int]:
        """Commit what was appended; see :meth:`atio.Stream.flush`."""
        return await _in_thread(self._opened.flush)

    async def discard(self) -> int:
        """Give up what was appended and not committed; see :meth:`atio.Stream.discard`."""
        return await _in_thread(self._opened.discard)

    async def __aenter__(self) -> AsyncStream:
        self._stream = await _in_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        opened = self._opened
        if kind is not None:
            opened.__exit__(kind, error, traceback)
            return
        try:
            await _in_thread(opened.close)
        finally:
            opened.abort()


def stream(*args: Any, **kwargs: Any) -> AsyncStream:
    """``atio.stream``, for ``async with``; its arguments are the same.

    Example:
        >>> import pandas as pd
        >>> async def main():
        ...     async with atio.aio.stream("async_events", app_id="collector") as s:
        ...         await s.append(pd.DataFrame({"n": [1]}), offset=0)
        ...     return await atio.aio.read_table("async_events", output_as="numpy")
        >>> import asyncio
        >>> asyncio.run(main())["n"].tolist()
        [1]
    """
    return AsyncStream(functools.partial(atio.stream, *args, **kwargs))


class AsyncTransaction:
    """A version that many processes write together; made by :func:`begin`.

    Attributes:
        transaction: the :class:`atio.Transaction`, which can be pickled.
    """

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction

    async def write_part(self, obj: Any) -> Part:
        """Write an object's data files; see :meth:`atio.Transaction.write_part`."""
        return await _in_thread(self.transaction.write_part, obj)

    async def commit(self, parts: Iterable[Part], *, message: str | None = None, metadata: Any = None) -> Snapshot:
        """Make all parts visible at once; see :meth:`atio.Transaction.commit`."""
        return await _in_thread(self.transaction.commit, parts, message=message, metadata=metadata)

    async def abort(self, parts: Iterable[Part] = ()) -> None:
        """Remove the files of parts; see :meth:`atio.Transaction.abort`."""
        await _in_thread(self.transaction.abort, parts)


async def begin(*args: Any, **kwargs: Any) -> AsyncTransaction:
    """``atio.begin`` as a coroutine; what it returns has coroutines too."""
    return AsyncTransaction(await _in_thread(atio.begin, *args, **kwargs))
