"""What Go reports -> the exception that a Python user would catch."""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import re
from collections.abc import Iterator
from typing import Any


class AtioError(Exception):
    """Base of the errors that have no fitting built-in type."""


class ConflictError(AtioError):
    """Another writer changed the target in between. Nothing was written: try again on top of the newer content."""


class CorruptError(AtioError):
    """A file is not what its flag says it is, or could not be read back after it was written."""


class CommitUnknownError(AtioError):
    """The connection was lost while committing, and whether the data is there could not be found out."""


class VersionNotFoundError(AtioError, KeyError, ValueError):
    """A table has no such version or no such tag. The message names those that it has."""

    __str__ = Exception.__str__  # that of KeyError is the message's repr


class Cancelled(AtioError):
    """The write was cancelled. Everything is as it was before."""


class ServerError(AtioError):
    """A database server refused something. Nothing was changed.

    Attributes:
        code: the server's own code, such as an SQLSTATE.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class NotConnected(ConnectionError):
    """Internal: no connection to a database could be made."""


class Unsupported(Exception):
    """Internal: the Go encoder does not write this frame; the library's own writer has to."""

    def __init__(self, message: str, column: str | None = None) -> None:
        super().__init__(message)
        self.column = column


def error_of(failure: dict[str, Any]) -> BaseException:
    """The exception for the ``error`` object of an answer of the library."""
    kind, message = failure["kind"], failure["message"]
    path, advice = path_of(failure.get("path", "")), failure.get("advice", "")
    if kind == "os":
        return _os_error(failure, path)
    if path:
        message = f"{failure['op']} {path!r}: {message}"
    if advice:
        message = f"{message}; {advice}"
    if kind == "unsupported":
        return Unsupported(message, failure.get("column"))
    if kind in ("option", "value"):
        return ValueError(message)
    if kind in ("corrupt", "check"):
        return CorruptError(message)
    if kind == "exists":
        return ValueError(message)
    if kind == "connect":
        return NotConnected(message)
    if kind == "connection lost":
        return ConnectionError(message)
    if kind == "connect timeout":
        return TimeoutError(message)
    if kind == "commit unknown":
        return CommitUnknownError(message)
    if kind == "server":
        return ServerError(message, failure.get("code", ""))
    if kind == "conflict":
        return ConflictError(message)
    if kind == "version":
        return VersionNotFoundError(message)
    if kind == "feature":
        return NotImplementedError(message)
    if kind == "cancelled":
        return Cancelled(message)
    if kind == "panic":
        return AtioError(
            f"{message}. Everything is as it was before. Please report this with the following:\n{failure.get('stack')}"
        )
    return AtioError(message)


def path_of(encoded: str) -> str:
    """A path as the library sends it: base64, since a path need not be UTF-8."""
    return os.fsdecode(base64.b64decode(encoded))


def _is_full(directory: str) -> bool:
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize < 1 << 16


def _os_error(failure: dict[str, Any], path: str) -> OSError:
    number = failure["errno"]
    text = os.strerror(number)
    if op := failure.get("op"):
        text = f"{text} (while trying to {op} the file)" if " " not in op else f"{text} (while trying to {op} it)"
    if advice := failure.get("advice"):
        text = f"{text}; {advice}"
    # OSError picks the subclass, such as PermissionError, by the number.
    return OSError(number, text, path or None)


@contextlib.contextmanager
def naming_target(target: str, stage: str) -> Iterator[None]:
    """Have the system's errors of a library's writer name the target instead of the stage or nothing."""
    directory = os.path.dirname(stage)
    try:
        yield
    except Exception as e:
        number, name = _errno_of(e, directory), getattr(e, "filename", None)
        if number is None or (isinstance(name, (str, bytes)) and directory not in os.fsdecode(name)):
            raise
        text = f"{os.strerror(number)} (while the library was writing it); the target is as it was before"
        if number in (errno.ENOSPC, errno.EDQUOT):
            text += "; free some space (the new file needs room beside the old one) or write elsewhere"
        raise OSError(number, text, target) from e


def _errno_of(error: Exception, directory: str) -> int | None:
    """The system's error number of what a library's writer raised, wherever the library has put it."""
    text = str(error)
    if isinstance(error, OSError):
        if error.errno is not None:
            return error.errno
        if found := re.search(r"\(os error (\d+)\)", text):  # polars
            return int(found[1])
    elif type(error).__name__ == "FileCreateError" and isinstance(error.args[0], OSError):  # XlsxWriter
        return error.args[0].errno
    # NumPy and the Avro writer of polars lose it.
    lost = re.search(r"requested and|problem writing element|free space to write|^OutOfSpec$", text)
    return errno.ENOSPC if lost and _is_full(directory) else None
