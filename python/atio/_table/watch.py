"""``Table.watch``: waiting for new versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import requests
from .history import list_snapshots


def watch(path: str, from_version: int | None = None, timeout: float | None = None) -> Iterator[dict[str, Any]]:
    """The versions of a table as they come; see :meth:`atio.Table.watch`."""
    last = newest(path) if from_version is None else requests.version_of(from_version, "from_version") - 1
    while True:
        if not _wait(path, last, timeout):
            return
        new = [one for one in list_snapshots(path) if one["version_id"] > last]
        for snapshot in sorted(new, key=lambda one: int(one["version_id"])):
            last = snapshot["version_id"]
            yield snapshot


def newest(path: str) -> int:
    """The newest version, 0 if there is none yet."""
    return max(0, int(requests.call("version", path)))


def _wait(path: str, last: int, timeout: float | None) -> bool:
    """Wait for a version newer than ``last``; ``False`` if the time is over."""
    fields = {"version": last, "timeout": -1 if timeout is None else max(0, int(timeout * 1e6))}
    return int(requests.call("wait", path, fields)) > last
