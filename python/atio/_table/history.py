"""The versions of a table: listed, named, brought back, let go."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from .._errors import VersionNotFoundError
from .._target import PathLike
from . import requests
from .results import ExpireReport, Snapshot, known, moment
from .write import commit_fields


def list_snapshots(table_path: PathLike) -> list[dict[str, Any]]:
    """The versions of a table that can be read, from the oldest to the newest.

    Returns:
        A dict for each with ``version_id`` (int), ``timestamp`` (``datetime`` in UTC), ``operation`` (str),
        ``message`` (str or ``None``), ``metadata``, ``tags`` (list of str), ``rows`` (int, ``None`` if another writer
        did not tell) and ``bytes`` (int) of the table at that version, ``is_latest`` (bool).

    Raises:
        FileNotFoundError: if there is no table.

    Example:
        >>> import pandas as pd
        >>> _ = atio.write_snapshot(pd.DataFrame({"x": [1]}), "listed", message="first try")
        >>> [(s["version_id"], s["message"], s["rows"]) for s in atio.list_snapshots("listed")]
        [(1, 'first try', 1)]
    """
    path = requests.path_of_table(table_path)
    commits = [commit for commit in requests.call("history", path) if not _only_creates(commit)]
    if not commits:
        raise requests.missing_table(path)
    return [
        {
            "version_id": commit["version"],
            "timestamp": moment(commit["time"]),
            "operation": commit["operation"],
            "message": commit["message"] or None,
            "metadata": commit["metadata"],
            "tags": commit["tags"] or [],
            "rows": known(commit["rows"]),
            "bytes": commit["bytes"],
            "is_latest": commit["is_latest"],
        }
        for commit in reversed(commits)
    ]


def _only_creates(commit: dict[str, Any]) -> bool:
    """Whether this is the version 0 by which atio creates a table, to which nobody has written yet."""
    return bool(commit["version"] == 0 and commit["engine"].startswith("atio"))


def rollback(
    table_path: PathLike,
    version_id: int,
    *,
    message: str | None = None,
    metadata: Any = None,
    expected_version: int | None = None,
    durable: bool = True,
) -> Snapshot:
    """Make a new version with the content of an older one. All versions in between are kept.

    Args:
        table_path: the table's directory.
        version_id: the version to go back to.
        message: a note for :func:`list_snapshots`.
        metadata: anything that JSON can hold, kept with the new version.
        expected_version: the newest version as far as the caller knows; if another one is, nothing is done.
        durable: have the version on the disk when the call returns.

    Raises:
        FileNotFoundError: if there is no table.
        ValueError: if it has no such version.
        atio.ConflictError: if ``expected_version`` is not the newest.

    Example:
        >>> import pandas as pd
        >>> _ = atio.write_snapshot(pd.DataFrame({"x": ["good"]}), "undone")
        >>> _ = atio.write_snapshot(pd.DataFrame({"x": ["bad"]}), "undone")
        >>> atio.rollback("undone", 1).version
        3
        >>> atio.read_table("undone")["x"].tolist()
        ['good']
    """
    began = time.perf_counter()
    path = requests.path_of_table(table_path)
    fields = {**requests.at(version=version_id), **commit_fields(message, metadata, expected_version)}
    answer = requests.call("rollback", path, fields, skip_sync=not durable)
    return Snapshot.of(answer, path, time.perf_counter() - began, message, metadata)


revert = rollback


def newest_snapshot(path: str) -> Snapshot:
    """The newest version, as the call that made it has returned it."""
    began = time.perf_counter()
    (commit,) = requests.call("history", path, {"limit": 1})
    answer = {
        **commit,
        "rows": commit["added_rows"],
        "bytes": commit["added_bytes"],
        "files": commit["added_files"],
        "totals": {"rows": commit["rows"], "bytes": commit["bytes"], "files": commit["files"]},
        "warnings": (),
    }
    return Snapshot.of(answer, path, time.perf_counter() - began, commit["message"] or None, commit["metadata"])


def expire_snapshots(
    table_path: PathLike,
    keep_for: timedelta = timedelta(days=7),
    dry_run: bool = True,
    *,
    keep_last: int = 1,
) -> ExpireReport:
    """Remove old versions, and the data files that only they need.

    What stays in any case: the newest version, versions with a tag, and the files of versions that somebody is
    reading at the moment.

    Args:
        table_path: the table's directory.
        keep_for: versions younger than this stay.
        dry_run: only report what would be removed, which is the default.
        keep_last: how many of the newest versions stay, however old they are; at least 1.

    Raises:
        FileNotFoundError: if there is no table.

    Example:
        >>> import pandas as pd
        >>> from datetime import timedelta
        >>> for x in range(3):
        ...     _ = atio.write_snapshot(pd.DataFrame({"x": [x]}), "expiring")
        >>> atio.expire_snapshots("expiring", timedelta(0)).versions
        (1, 2)
    """
    if not isinstance(keep_for, timedelta):
        raise TypeError(f"keep_for={keep_for!r}: it is a datetime.timedelta, such as timedelta(days=7)")
    if keep_for < timedelta(0):
        raise ValueError(f"keep_for={keep_for!r}: it is not negative")
    if isinstance(keep_last, bool) or not isinstance(keep_last, int):
        raise TypeError(f"keep_last={keep_last!r}: it is a number of versions, an int")
    if keep_last < 1:
        raise ValueError(f"keep_last={keep_last!r}: the newest version always stays, so it is at least 1")
    fields = {"keep_for": keep_for // timedelta(microseconds=1), "keep_last": keep_last, "dry_run": bool(dry_run)}
    return ExpireReport.of(requests.call("expire", requests.path_of_table(table_path), fields))


def clean(table_path: PathLike, older_than: timedelta = timedelta(days=1), dry_run: bool = True) -> ExpireReport:
    """Remove data files that no version knows; see :meth:`atio.Table.clean`."""
    if not isinstance(older_than, timedelta):
        raise TypeError(f"older_than={older_than!r}: it is a datetime.timedelta, such as timedelta(days=1)")
    if older_than < timedelta(0):
        raise ValueError(f"older_than={older_than!r}: it is not negative")
    fields = {"older_than": max(1, older_than // timedelta(microseconds=1)), "dry_run": bool(dry_run)}
    return ExpireReport.of(requests.call("clean", requests.path_of_table(table_path), fields))


def tag_version(table_path: PathLike, version_id: int, tag_name: str) -> None:
    """Give a version a name by which it can be read, and which keeps it from expiry.

    Raises:
        FileNotFoundError: if there is no table.
        ValueError: if there is no such version, or another version has that tag: delete it there first.

    Example:
        >>> import pandas as pd
        >>> _ = atio.write_snapshot(pd.DataFrame({"x": [1]}), "tagged")
        >>> atio.tag_version("tagged", 1, "published")
        >>> atio.read_table("tagged", tag="published")["x"].tolist()
        [1]
    """
    fields = {"name": _tag(tag_name), "version": requests.version_of(version_id, "version_id")}
    try:
        requests.call("tag", requests.path_of_table(table_path), fields)
    except FileExistsError as e:
        raise ValueError(f"tag {tag_name!r}: {e.strerror}") from None


def delete_tag(table_path: PathLike, tag_name: str) -> None:
    """Take a tag away. The version stays until it expires.

    Raises:
        FileNotFoundError: if there is no table.
        KeyError: if it has no such tag. The message names those that it has.

    Example:
        >>> import pandas as pd
        >>> _ = atio.write_snapshot(pd.DataFrame({"x": [1]}), "untagged")
        >>> atio.tag_version("untagged", 1, "wrong")
        >>> atio.delete_tag("untagged", "wrong")
        >>> atio.list_snapshots("untagged")[0]["tags"]
        []
    """
    path = requests.path_of_table(table_path)
    try:
        requests.call("untag", path, {"name": _tag(tag_name)})
    except VersionNotFoundError:
        if requests.call("version", path) < 0:
            raise requests.missing_table(path) from None
        raise


def delete_version(table_path: PathLike, version_id: int, dry_run: bool = False) -> ExpireReport:
    """Remove one version, and the data files that only it needs.

    Raises:
        FileNotFoundError: if there is no table.
        ValueError: if there is no such version, if it is the newest, or if it has a tag.

    Example:
        >>> import pandas as pd
        >>> for x in range(2):
        ...     _ = atio.write_snapshot(pd.DataFrame({"x": [x]}), "lessened")
        >>> len(atio.delete_version("lessened", 1).files)
        1
        >>> [s["version_id"] for s in atio.list_snapshots("lessened")]
        [2]
    """
    fields = {"version": requests.version_of(version_id, "version_id"), "dry_run": bool(dry_run)}
    try:
        return ExpireReport.of(requests.call("delete", requests.path_of_table(table_path), fields))
    except FileExistsError as e:  # a tag
        raise ValueError(str(e.strerror)) from None


def _tag(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"tag_name={name!r}: it is a str")
    return name
