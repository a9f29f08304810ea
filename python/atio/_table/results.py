"""What the calls of tables return."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Snapshot:
    """One version of a table, as it was committed.

    Attributes:
        version: number of the version: 1, 2, 3, ... in the order of the commits.
        path: the table's directory, absolute.
        operation: what made it, such as ``"WRITE"`` or ``"RESTORE"``.
        timestamp: when it was committed, in UTC.
        rows: number of rows in the table at this version. ``None`` if some file of another writer does not tell, or
            if finding out would have meant to read the whole log, after an append to a table with a long one.
        bytes: size of its data files, ``None`` in the same case.
        files: number of its data files, ``None`` in the same case.
        added_rows: number of rows that this version has written.
        added_bytes: size of the data files that it has written.
        added_files: number of the data files that it has written.
        removed_files: number of the data files that are no longer in the table since this version.
        message: the caller's ``message``.
        metadata: the caller's ``metadata``.
        seconds: wall time of the whole call.
        warnings: what went wrong after the commit, such as a checkpoint that could not be written. The data is safe.
    """

    version: int
    path: str
    operation: str
    timestamp: datetime
    rows: int | None
    bytes: int | None
    files: int | None
    added_rows: int
    added_bytes: int
    added_files: int
    removed_files: int
    message: str | None = None
    metadata: Any = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = field(default=())

    @property
    def version_id(self) -> int:
        """The same as ``version``, under the name that :func:`atio.list_snapshots` uses."""
        return self.version

    @classmethod
    def of(cls, answer: dict[str, Any], path: str, seconds: float, message: str | None, metadata: Any) -> Snapshot:
        """The snapshot in an answer of the library."""
        totals = answer["totals"]
        return cls(
            version=answer["version"],
            path=path,
            operation=answer["operation"],
            timestamp=moment(answer["time"]),
            rows=known(totals["rows"]) if totals else None,
            bytes=totals["bytes"] if totals else None,
            files=totals["files"] if totals else None,
            added_rows=answer["rows"],
            added_bytes=answer["bytes"],
            added_files=answer["files"],
            removed_files=answer["removed_files"],
            message=message,
            metadata=metadata,
            seconds=seconds,
            warnings=tuple(answer["warnings"] or ()),
        )


@dataclass(frozen=True)
class ExpireReport:
    """What an expiry or a deletion of versions removed, or with ``dry_run`` would remove.

    Attributes:
        dry_run: whether this is only what would be removed.
        versions: the versions that can no longer be read.
        files: paths, below the table, of the data files that only they needed.
        orphans: paths of data files that no version ever had: what writers have left that were killed.
        bytes: size of all these files.
        kept: versions old enough to go that stay, and why: a tag, or a reader at work.
        log_files: paths, below the table, of the log entries that went with them.
    """

    dry_run: bool
    versions: tuple[int, ...]
    files: tuple[str, ...]
    bytes: int
    kept: dict[int, str]
    orphans: tuple[str, ...] = ()
    log_files: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: dict[str, Any]) -> ExpireReport:
        """The report in an answer of the library."""
        return cls(
            dry_run=answer["dry_run"],
            versions=tuple(answer["versions"] or ()),
            files=tuple(answer["files"] or ()),
            bytes=answer["bytes"],
            kept={int(version): reason for version, reason in (answer["kept"] or {}).items()},
            orphans=tuple(answer["orphans"] or ()),
            log_files=tuple(answer["log_files"] or ()),
        )


def moment(milliseconds: int) -> datetime:
    """A time of the log, which is in milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def known(count: int) -> int | None:
    """A count that is negative if it is not known."""
    return None if count < 0 else int(count)
