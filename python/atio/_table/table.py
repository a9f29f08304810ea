"""``atio.Table``: what can be done with a table, as methods."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .._target import PathLike
from . import history, requests
from .read import read_table
from .results import ExpireReport, Snapshot
from .write import write_snapshot


class Table:
    """A table by its path. It holds nothing open, and the table need not be there yet.

    Example:
        >>> import pandas as pd
        >>> table = atio.Table("counts")
        >>> table.write(pd.DataFrame({"n": [1]})).version
        1
        >>> table.append(pd.DataFrame({"n": [2]})).version
        2
        >>> table.read()["n"].tolist()
        [1, 2]
    """

    def __init__(self, path: PathLike, *, storage_options: dict[str, Any] | None = None) -> None:
        self._path = requests.path_of_table(path, storage_options)
        self._storage_options = storage_options

    @property
    def path(self) -> str:
        """The table's directory, absolute."""
        return self._path

    def __fspath__(self) -> str:
        return self._path

    def __repr__(self) -> str:
        return f"atio.Table({self._path!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and other._path == self._path

    def __hash__(self) -> int:
        return hash(self._path)

    def write(self, obj: Any, mode: str = "overwrite", **kwargs: Any) -> Snapshot:
        """Write an object as the next version; see :func:`atio.write_snapshot`."""
        return write_snapshot(obj, self._path, mode, **self._with_options(kwargs))

    def append(self, obj: Any, **kwargs: Any) -> Snapshot:
        """Add an object's rows; see :func:`atio.write_snapshot`."""
        return write_snapshot(obj, self._path, "append", **self._with_options(kwargs))

    def read(self, version: int | None = None, output_as: str = "pandas", **kwargs: Any) -> Any:
        """Read a version; see :func:`atio.read_table`."""
        return read_table(self._path, version, output_as, **self._with_options(kwargs))

    def history(self) -> list[dict[str, Any]]:
        """The versions, from the oldest to the newest; see :func:`atio.list_snapshots`."""
        return history.list_snapshots(self._path)

    def rollback(self, version_id: int, **kwargs: Any) -> Snapshot:
        """Make a new version of an older one; see :func:`atio.rollback`."""
        return history.rollback(self._path, version_id, **kwargs)

    def tag(self, version_id: int, tag_name: str) -> None:
        """Give a version a name; see :func:`atio.tag_version`."""
        history.tag_version(self._path, version_id, tag_name)

    def delete_tag(self, tag_name: str) -> None:
        """Take a tag away; see :func:`atio.delete_tag`."""
        history.delete_tag(self._path, tag_name)

    def delete_version(self, version_id: int, dry_run: bool = False) -> ExpireReport:
        """Remove one version; see :func:`atio.delete_version`."""
        return history.delete_version(self._path, version_id, dry_run)

    def expire(
        self, keep_for: timedelta = timedelta(days=7), dry_run: bool = True, *, keep_last: int = 1
    ) -> ExpireReport:
        """Remove old versions; see :func:`atio.expire_snapshots`."""
        return history.expire_snapshots(self._path, keep_for, dry_run, keep_last=keep_last)

    def _with_options(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"storage_options": self._storage_options, **kwargs}
