"""``atio.Table``: what can be done with a table, as methods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from .._target import PathLike
from . import history, notebook, requests
from .chunks import TableWriter
from .diff import Diff, diff, reading
from .optimize import OptimizeReport, optimize
from .read import read_table
from .results import ExpireReport, Snapshot
from .stream import Stream, stream
from .transaction import Transaction, begin, transaction
from .verify import TableReport, is_table, verify_table
from .watch import watch
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

    def clean(self, older_than: timedelta = timedelta(days=1), dry_run: bool = True) -> ExpireReport:
        """Remove data files that no version knows, such as those of writers that were killed.

        Args:
            older_than: files younger than this stay, since somebody may be about to commit them.
            dry_run: only report what would be removed, which is the default.
        """
        return history.clean(self._path, older_than, dry_run)

    def files(self, version: int | None = None) -> list[str]:
        """The paths of a version's data files, absolute; of the newest if no version is given."""
        found: list[str] = reading(self._path, version, lambda source, _: [file.path for file in source.files])
        return found

    def diff(self, from_version: int, to_version: int, **kwargs: Any) -> Diff:
        """Compare two versions; see :func:`atio.diff`."""
        return diff(self._path, from_version, to_version, **kwargs)

    def optimize(self, **kwargs: Any) -> OptimizeReport:
        """Put small files together; see :func:`atio.optimize`."""
        return optimize(self._path, **self._with_options(kwargs))

    def verify(self, version: int | None = None) -> TableReport:
        """Read a version's files back and compare them with the log; see :func:`atio.verify`."""
        return verify_table(self._path, version)

    def watch(self, from_version: int | None = None, timeout: float | None = None) -> Iterator[dict[str, Any]]:
        """The versions as they come, for a loop that follows the table.

        Args:
            from_version: the first version to yield, also if it is there already; by default only those that come
                from now on.
            timeout: end when no version has come for so many seconds; ``None`` waits for ever. Locally the system
                tells of a new version at once, elsewhere it is looked for twice a second.

        Yields:
            A dict for each version, as in :func:`atio.list_snapshots`.
        """
        return watch(self._path, from_version, timeout)

    def stream(self, app_id: str, **kwargs: Any) -> Stream:
        """Append in micro-batches, exactly once; see :func:`atio.stream`."""
        return stream(self._path, app_id, **self._with_options(kwargs))

    def begin(self, mode: str = "append", **kwargs: Any) -> Transaction:
        """Begin a version that many processes write together; see :func:`atio.begin`."""
        return begin(self._path, mode, **self._with_options(kwargs))

    def transaction(self, mode: str = "append", **kwargs: Any) -> transaction:
        """Several writes in one version; see :func:`atio.transaction`."""
        return transaction(self._path, mode, **self._with_options(kwargs))

    def open_writer(self, mode: str = "append", **kwargs: Any) -> TableWriter:
        """A writer that takes chunks: one version at the end, or with ``commit_every`` one for every so many.

        The other arguments are those of :func:`atio.write_snapshot`.
        """
        return TableWriter(self._path, mode, **self._with_options(kwargs))

    def plot(self) -> Any:
        """Rows and bytes over the versions, as a figure of matplotlib."""
        return notebook.plot(self.history())

    def _repr_html_(self) -> str:
        if not is_table(self._path):
            return notebook.history_html(self._path, [])
        return notebook.history_html(self._path, self.history())

    def _with_options(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"storage_options": self._storage_options, **kwargs}
