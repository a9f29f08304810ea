"""Running one job of the library, so that it can be interrupted at any moment."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from . import _lib
from ._errors import AtioError, Cancelled, error_of, path_of
from ._first_use import use_pyarrow
from ._plan import ArrowStream, DatasetFiles

UNKNOWN, RUNNING, READY, FAILED, WAITING = -1, 0, 1, 2, 3

cancellation: ContextVar[threading.Event | None] = ContextVar("cancellation", default=None)
"""Set by another thread when the job that is waited for in this context is to go back."""

SLICE_US = 20_000
"""How long one call waits: Python handles signals between calls."""

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Job:
    """One job, from ``start`` to ``finish`` or ``abandon``.

    The library does nothing final before ``finish``: until then ``abandon`` goes back to the state before the job,
    even if the target has been replaced already. So an exception between any two instructions, such as a
    ``KeyboardInterrupt``, leaves the old state if ``abandon`` is called on the way out.
    """

    def __init__(self, request: dict[str, Any], observe: Callable[[_lib.Counts], None] | None = None) -> None:
        self._loaded = _lib.load()
        self._process = os.getpid()
        self.ended = False
        self._request = json.dumps(request).encode()
        # Filled in by the library itself, so that an interrupt right after the call cannot lose it.
        self._id = ctypes.c_int64(0)
        self._observe = observe
        self._counts = _lib.Counts()
        self.status = RUNNING

    @property
    def _library(self) -> Any:
        """The library, in the process in which the job is."""
        if self._process != os.getpid():
            raise AtioError("this process was forked in the middle of a write, which goes on in its parent only")
        return self._loaded

    def start(self, stream: ArrowStream | None = None) -> None:
        """Start the job and wait for the first slice of time."""
        with _exported(stream) as pointer:
            self.status = self._library.atio_start(self._request, pointer, SLICE_US, ctypes.byref(self._id))

    def push(self, stream: ArrowStream) -> None:
        """Give more input to a waiting job, and wait until it wants more."""
        with _exported(stream) as pointer:
            self.status = self._library.atio_push(self._id, pointer, SLICE_US)
        self.wait()

    def push_files(self, some: DatasetFiles) -> None:
        """Give a waiting job some files of a directory, and wait until it wants more."""
        files = [{"path": base64.b64encode(os.fsencode(path)).decode(), "rows": rows} for path, rows in some.files]
        request = {"op": "files", "job": self._id.value, "files": files}
        self._answer(self._library.atio_call(json.dumps(request).encode()))
        self.push(some.stream)

    def resume(self, rows: int | None = None) -> None:
        """Let a waiting job go on, and wait for it."""
        self.status = self._library.atio_resume(self._id, -1 if rows is None else rows, SLICE_US)
        self.wait()

    def wait(self) -> None:
        """Wait until the job has ended or waits for something."""
        while self.status == RUNNING:
            self._look()
            self._check_cancelled()
            self.status = self._library.atio_wait(self._id, SLICE_US)
        self._look()

    def _check_cancelled(self) -> None:
        cancelled = cancellation.get()
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("the task was cancelled")

    def _look(self) -> None:
        if self._observe is not None and self._library.atio_progress(self._id, ctypes.byref(self._counts)) == 0:
            self._observe(self._counts)

    def path(self) -> str:
        """Where a waiting job wants something to be done."""
        request = json.dumps({"op": "path", "job": self._id.value}).encode()
        return path_of(self._answer(self._library.atio_call(request))["path"])

    def offer(self) -> Any:
        """What a waiting job has for its caller."""
        request = json.dumps({"op": "offer", "job": self._id.value}).encode()
        return self._answer(self._library.atio_call(request))

    def finish(self) -> dict[str, Any]:
        """Make the job final and return its result, or raise what it failed with."""
        self._check_cancelled()
        pointer = self._library.atio_finish(self._id)
        self.ended = True
        answer: dict[str, Any] = self._answer(pointer)
        return answer

    def abandon(self) -> None:
        """Cancel the job, wait for it to clean up, and forget it, however often a signal handler raises meanwhile.

        Harmless after ``finish`` and when called again: the library gives no number to two jobs. In a forked process
        it does nothing: the job is the parent's.
        """
        raised: BaseException | None = None
        while not self.ended and self._process == os.getpid():
            try:
                self._loaded.atio_cancel(self._id)
                pointer = self._loaded.atio_finish(self._id)
                self.ended = True
                self._loaded.atio_free(pointer)
            except BaseException as e:
                raised = e
        if raised is not None:
            raise raised

    def _answer(self, pointer: int) -> Any:
        try:
            answer = json.loads(ctypes.string_at(pointer))
        finally:
            self._library.atio_free(pointer)
        if "error" in answer:
            raise error_of(answer["error"])
        return answer["result"]


class _exported:  # noqa: N801 - used like a function
    """The pointer to an object's Arrow C stream, while the capsule that owns it is alive."""

    def __init__(self, stream: Any) -> None:
        self._capsule = None
        if stream is not None:
            # polars 1.0 has no such method, only its way to pyarrow; 1.3 wants the argument.
            source: Any = stream if hasattr(stream, "__arrow_c_stream__") else stream.to_arrow()
            use_pyarrow()
            self._capsule = source.__arrow_c_stream__(None)

    def __enter__(self) -> int | None:
        if self._capsule is None:
            return None
        pointer: int = _pointer(self._capsule, b"arrow_array_stream")
        return pointer

    def __exit__(self, *exception: object) -> None:
        self._capsule = None


def run(
    request: dict[str, Any],
    stream: ArrowStream | None = None,
    *,
    steps: Iterable[Callable[[Job], None]] = (),
    observe: Callable[[_lib.Counts], None] | None = None,
) -> dict[str, Any]:
    """Run a job from beginning to end.

    ``steps`` are called one after the other whenever the job waits for its caller; each ends with ``push`` or
    ``resume``. Whatever is raised, by the job, by a step or by a signal handler, the state is as before.
    """
    job = Job(request, observe)
    following = iter(steps)
    try:
        job.start(stream)
        job.wait()
        while job.status == WAITING:
            next(following)(job)
        return job.finish()
    except BaseException:
        # Twice, since a second signal may come before the first call has begun.
        try:
            job.abandon()
        finally:
            job.abandon()
        raise


def validate(job: Job, validator: Callable[[Path], object]) -> None:
    """Have a job's complete stage looked at; what ``validator`` raises is raised."""
    validator(Path(job.path()))
    job.resume()
