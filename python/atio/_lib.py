"""Loading ``libatio.so``, in this process and in processes forked from it.

A Go runtime does not survive ``fork``: its threads are gone in the child. So the library is loaded on first use, and
a child of a process that has loaded it loads a private copy with a runtime of its own. glibc takes a library for one
it has already loaded if the name or the inode is the same, so the copy lives in a new memory file and is opened by a
path that was never used before.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from ._errors import AtioError
from ._fork import undisturbed

_PATH = Path(__file__).with_name("libatio.so")

_lib: Any = None
_known: set[int] = set()  # handles of libraries loaded here and in the processes this one was forked from
_generation = 0


class Counts(ctypes.Structure):
    """``struct atio_counts`` of ``atio.h``."""

    _fields_ = [
        ("rows", ctypes.c_int64),
        ("bytes", ctypes.c_int64),
        ("total", ctypes.c_int64),
        ("phase", ctypes.c_int32),
        ("status", ctypes.c_int32),
    ]


def load() -> Any:
    """The library, loaded once in each process."""
    global _lib
    lib = _lib
    if lib is None:
        with undisturbed:
            if _lib is None:
                _lib = _declare(_open_copy() if _known else _open())
            lib = _lib
    return lib


def _after_fork_in_child() -> None:
    global _lib
    _lib = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _open() -> ctypes.CDLL:
    try:
        lib = ctypes.CDLL(str(_PATH))
    except OSError as e:
        if not _PATH.exists():
            raise ImportError(
                f"atio's library {_PATH} is missing: install atio by pip, or in a checkout run `make build`"
            ) from None
        raise ImportError(
            f"atio's library {_PATH} cannot be loaded ({e}): install the wheel for this platform, or build it here "
            "with `pip install --no-binary atio atio` (musl, as in Alpine, is not supported)"
        ) from e
    _known.add(lib._handle)
    return lib


def _open_copy() -> ctypes.CDLL:
    global _generation
    for _ in range(100):
        _generation += 1
        try:
            lib = _open_private()
        except OSError as e:
            raise AtioError(
                f"in this forked process atio needs a private copy of its library, which failed ({e}): "
                "start processes by 'spawn' or 'forkserver', or use atio in the parent only after forking"
            ) from e
        if lib._handle not in _known:
            _known.add(lib._handle)
            return lib
    raise AtioError("in this forked process no private copy of atio's library could be loaded: start it by 'spawn'")


def _open_private() -> ctypes.CDLL:
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryDirectory(prefix="atio-") as d:
            copy = Path(d) / f"libatio-{os.getpid()}-{_generation}.so"
            copy.write_bytes(_PATH.read_bytes())
            return ctypes.CDLL(str(copy))
    fd = os.memfd_create("libatio.so", os.MFD_CLOEXEC)
    try:
        with _PATH.open("rb") as f:
            size = os.fstat(f.fileno()).st_size
            done = 0
            while done < size:
                done += os.sendfile(fd, f.fileno(), done, size - done)
        return ctypes.CDLL("/proc/self/" + "./" * _generation + f"fd/{fd}")
    finally:
        os.close(fd)


def _declare(lib: Any) -> Any:
    i32, i64, ptr, text = ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("atio_start", i32, [text, ptr, i64, ctypes.POINTER(i64)]),
        ("atio_push", i32, [i64, ptr, i64]),
        ("atio_resume", i32, [i64, i64, i64]),
        ("atio_wait", i32, [i64, i64]),
        ("atio_progress", i32, [i64, ctypes.POINTER(Counts)]),
        ("atio_cancel", i32, [i64]),
        ("atio_finish", ptr, [i64]),
        ("atio_call", ptr, [text]),
        ("atio_free", None, [ptr]),
        ("atio_version", ptr, []),
    ):
        function = getattr(lib, name)
        function.restype = result
        function.argtypes = arguments
    return lib


if sys.platform == "win32":  # the same file, by the name that Windows' loader expects
    _PATH = Path(__file__).with_name("libatio.dll")
