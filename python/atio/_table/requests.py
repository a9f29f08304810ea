"""Requests to the library that are about tables."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timezone
from typing import Any

from .._errors import Unsupported
from .._errors import path_of as path_from
from .._job import Job, run
from .._lib import Counts
from .._plan import ArrowStream
from .._target import PathLike, encode_path, path_of


def path_of_table(path: PathLike, storage_options: dict[str, Any] | None = None) -> str:
    """The absolute path of a table's directory."""
    if path is None:
        raise TypeError("table_path is missing: name the table's directory, such as 'sales'")
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"table_path must be a str or a path, not {type(path).__name__}")
    return path_of(path, storage_options=storage_options, directory=True)


def request(op: str, path: str, table: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A request; ``table`` holds the fields that only tables have."""
    return {"op": "table", "target": encode_path(path), "table": {"op": op, **(table or {})}, **more}


def call(
    op: str,
    path: str,
    table: dict[str, Any] | None = None,
    *,
    stream: ArrowStream | None = None,
    steps: Iterable[Callable[[Job], None]] = (),
    observe: Callable[[Counts], None] | None = None,
    **more: Any,
) -> Any:
    """Run a request as a job: until its last moment an exception leaves everything as it was."""
    try:
        return run(request(op, path, table, **more), stream, steps=steps, observe=observe)
    except Unsupported as e:
        raise TypeError(str(e)) from None


def at(version: int | None = None, tag: str | None = None, timestamp: object = None) -> dict[str, Any]:
    """Which version is meant, the newest if nothing is given."""
    given = [
        name for name, value in (("version", version), ("tag", tag), ("timestamp", timestamp)) if value is not None
    ]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} are given: one of them says which version is meant")
    if version is not None:
        return {"version": version_of(version)}
    if tag is not None:
        if not isinstance(tag, str):
            raise TypeError(f"tag={tag!r}: it is the name of a tag, a str")
        return {"tag": tag}
    if timestamp is not None:
        return {"time": _milliseconds(timestamp)}
    return {}


def version_of(version: object, name: str = "version") -> int:
    """A version number as the library takes it."""
    try:
        number = version.__index__()  # type: ignore[attr-defined] # NumPy's integers too
    except AttributeError:
        number = None
    if number is None or isinstance(version, bool):
        raise TypeError(f"{name}={version!r}: it is the number of a version, an int")
    if not 0 <= number < 1 << 63:
        raise ValueError(f"{name}={version!r}: versions are 1, 2, 3, ...")
    return int(number)


def _milliseconds(timestamp: object) -> int:
    """A point in time as the log has it. One without a time zone is local time, as for :mod:`datetime`."""
    moment = timestamp
    if isinstance(timestamp, str):
        text = timestamp.strip()
        try:
            moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
        except ValueError:
            raise ValueError(
                f"timestamp={timestamp!r}: write it as in ISO 8601, such as '2025-01-31 12:00' or "
                "'2025-01-31T12:00:00+00:00'"
            ) from None
    elif isinstance(timestamp, date) and not isinstance(timestamp, datetime):
        moment = datetime.combine(timestamp, time.min)
    if not isinstance(moment, datetime):
        raise TypeError(f"timestamp={timestamp!r}: it is a datetime or a str in ISO 8601")
    return int(moment.astimezone(timezone.utc).timestamp() * 1000 // 1)


def decode(path: str) -> str:
    """A path as the library sends it: base64, since a path need not be UTF-8."""
    return path_from(path)


def missing_table(path: str) -> FileNotFoundError:
    """What is raised where there is no table."""
    text = f"{os.strerror(errno.ENOENT)}: there is no table; atio.write_snapshot creates one"
    return FileNotFoundError(errno.ENOENT, text, path)
