"""``atio.diff``: what has changed between two versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from .._target import PathLike
from . import requests
from .read import Selection
from .source import Source
from .write import check_choice, columns_of

if TYPE_CHECKING:
    import pyarrow as pa

Result = TypeVar("Result")

CHANGE = "_change_type"
"""The column that says what became of a row, with the values of Delta's change data feed."""

DELETE, INSERT, BEFORE, AFTER = "delete", "insert", "update_preimage", "update_postimage"


@dataclass(frozen=True)
class Diff:
    """What has changed from one version of a table to another.

    Attributes:
        path: the table's directory.
        from_version: the older version, or whichever was named first.
        to_version: the other one.
        columns_added: types of the columns that are new, by name.
        columns_removed: types of those that are gone.
        columns_changed: types before and now of those that have another one.
        files_added: paths, below the table, of the data files that came.
        files_removed: paths of those that went.
        rows_added: number of rows in the files that came, ``None`` if it is not known.
        rows_removed: number of rows in the files that went.
        bytes_added: size of the files that came.
        bytes_removed: size of the files that went.
        rows: with a key, a frame of the rows that differ: a column ``_change_type`` (``insert``, ``delete``,
            ``update_preimage`` and ``update_postimage``, as in Delta's change data feed), then the table's columns,
            sorted by the key. Otherwise ``None``.
        inserted, deleted, updated: with a key, how many rows those are, otherwise ``None``.
    """

    path: str
    from_version: int
    to_version: int
    columns_added: dict[str, str]
    columns_removed: dict[str, str]
    columns_changed: dict[str, tuple[str, str]]
    files_added: tuple[str, ...]
    files_removed: tuple[str, ...]
    rows_added: int | None
    rows_removed: int | None
    bytes_added: int
    bytes_removed: int
    rows: Any = field(default=None, repr=False, compare=False)
    inserted: int | None = None
    deleted: int | None = None
    updated: int | None = None

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(
            self.columns_added or self.columns_removed or self.columns_changed or self.files_added or self.files_removed
        )


def diff(
    table_path: PathLike,
    from_version: int,
    to_version: int,
    *,
    key: str | Sequence[str] | None = None,
    output_as: str = "pandas",
    storage_options: dict[str, Any] | None = None,
) -> Diff:
    """Compare two versions of a table.

    Columns and files are compared by the table's log alone. With a ``key`` the rows are compared too; only the files
    that the two versions do not share are read.

    Args:
        table_path: the table's directory.
        from_version: the version to begin with.
        to_version: the version to compare it with.
        key: the columns whose values name a row in each version. Rows with a null in it are never the same.
        output_as: what :attr:`Diff.rows` is: ``"pandas"``, ``"polars"`` or ``"arrow"``.
        storage_options: for stores other than the local file system; refused for a local path.

    Raises:
        FileNotFoundError: if there is no table.
        ValueError: if there is no such version or column, or the key is not unique.

    Example:
        >>> import pandas as pd
        >>> _ = atio.write_snapshot(pd.DataFrame({"id": [1, 2], "x": ["a", "b"]}), "points")
        >>> _ = atio.write_snapshot(pd.DataFrame({"id": [2, 3], "x": ["B", "c"]}), "points")
        >>> atio.diff("points", 1, 2, key="id").rows
               _change_type  id  x
        0            delete   1  a
        1   update_preimage   2  b
        2  update_postimage   2  B
        3            insert   3  c
    """
    path = requests.path_of_table(table_path, storage_options)
    check_choice("output_as", output_as, ("pandas", "polars", "arrow"))
    columns = columns_of(key)
    if columns == []:
        raise ValueError("key=[]: it names at least one column")
    versions = (requests.version_of(from_version, "from_version"), requests.version_of(to_version, "to_version"))

    def with_old(old: Source, a: dict[str, Any]) -> Diff:
        return reading(path, versions[1], lambda new, b: _compare(old, a, new, b, columns, output_as))

    return reading(path, versions[0], with_old)


def reading(
    path: str, version: int | None, work: Callable[[Source, dict[str, Any]], Result], *, stats: bool = False
) -> Result:
    """Do something with a version, while its files are held; with ``stats``, with their statistics."""
    found: list[Result] = []

    def step(job: Any) -> None:
        answer = job.offer()
        source = Source(path, answer)
        found.append(work(source, answer))
        job.resume()

    requests.call("read", path, {**requests.at(version), "stats": stats}, steps=[step])
    return found[0]


def _compare(
    old: Source, a: dict[str, Any], new: Source, b: dict[str, Any], key: list[str] | None, output_as: str
) -> Diff:
    before, now = ({f.name: str(f.type) for f in source.schema} for source in (old, new))
    went, came = _not_shared(a, b), _not_shared(b, a)
    found: dict[str, Any] = {}
    if key is not None:
        for source in (old, new):
            Selection(key, None).names(source)  # raises if one is missing
        rows, counts = _rows(_read(old, went), _read(new, came), key)
        found = {"rows": _as(rows, output_as), **counts}
    return Diff(
        path=old.path,
        from_version=old.version,
        to_version=new.version,
        columns_added={name: t for name, t in now.items() if name not in before},
        columns_removed={name: t for name, t in before.items() if name not in now},
        columns_changed={name: (before[name], t) for name, t in now.items() if before.get(name, t) != t},
        files_added=tuple(sorted(came)),
        files_removed=tuple(sorted(went)),
        rows_added=_sum(came),
        rows_removed=_sum(went),
        bytes_added=sum(file["size"] for file in came.values()),
        bytes_removed=sum(file["size"] for file in went.values()),
        **found,
    )


def _not_shared(these: dict[str, Any], others: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The files of one version that the other does not have, by path. A file never changes."""
    known = {file["path"] for file in others["files"] or ()}
    return {requests.decode(file["path"]): file for file in these["files"] or () if file["path"] not in known}


def _sum(files: dict[str, dict[str, Any]]) -> int | None:
    rows = [file["rows"] for file in files.values()]
    return None if any(n < 0 for n in rows) else sum(rows)


def _read(source: Source, files: dict[str, Any]) -> pa.Table:
    part = source.only(set(files))
    selection = Selection(None, None)
    return selection.table(part, selection.names(part)).replace_schema_metadata(None)


def _rows(old: pa.Table, new: pa.Table, key: list[str]) -> tuple[pa.Table, dict[str, int]]:
    """The rows that differ, and how many of each kind."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pairs = _keys(old, key, "old").join(_keys(new, key, "new"), key, join_type="full outer")
    left, right = pairs["old"], pairs["new"]
    gone = left.filter(pc.is_null(right)).drop_null()
    added = right.filter(pc.is_null(left)).drop_null()
    both = pairs.filter(pc.and_(pc.is_valid(left), pc.is_valid(right)))
    was, now = old.take(both["old"]), new.take(both["new"])
    shared = [name for name in old.column_names if name in new.column_names and name not in key]
    differs = pa.array([set(old.column_names) != set(new.column_names)] * both.num_rows, pa.bool_())
    for name in shared:
        differs = pc.or_(differs, _differ(was[name], now[name]))
    was, now = was.filter(differs), now.filter(differs)
    parts = ((DELETE, old.take(gone)), (BEFORE, was), (AFTER, now), (INSERT, new.take(added)))
    changed = pa.concat_tables(
        [
            part.add_column(0, CHANGE, pa.array([kind] * part.num_rows, pa.string())).append_column(
                _RANK, pa.array([rank] * part.num_rows, pa.int8())
            )
            for rank, (kind, part) in enumerate(parts)
        ],
        promote_options="permissive",
    )
    order = _keys(changed, key, "row", unique=False).append_column(_RANK, changed[_RANK])
    rows = changed.take(order.sort_by([(name, "ascending") for name in [*key, _RANK]])["row"]).drop_columns([_RANK])
    return rows, {"inserted": len(added), "deleted": len(gone), "updated": was.num_rows}


_RANK = "_atio_rank"


def _keys(table: pa.Table, key: list[str], number: str, *, unique: bool = True) -> pa.Table:
    """The key of each row, and its number in a column of that name."""
    import pyarrow as pa

    keys = pa.table({name: _plain(table[name]) for name in key})
    if unique and keys.num_rows:
        counts = keys.group_by(key).aggregate([([], "count_all")]).sort_by([("count_all", "descending")])
        if counts["count_all"][0].as_py() > 1:
            first = ", ".join(f"{name}={counts[name][0].as_py()!r}" for name in key)
            raise ValueError(
                f"the key {', '.join(map(repr, key))} is not unique in the {number} version: "
                f"{counts['count_all'][0].as_py()} rows have {first}. Name more columns"
            )
    return keys.append_column(number, pa.array(range(table.num_rows), pa.int64()))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.types as t

    if isinstance(column.type, pa.BaseExtensionType):
        column = column.cast(column.type.storage_type)
    return column.cast(column.type.value_type) if t.is_dictionary(column.type) else column


def _differ(a: pa.ChunkedArray, b: pa.ChunkedArray) -> pa.Array:
    """Where two columns differ. Nulls are equal to one another, and so are NaNs."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    a, b = _plain(a), _plain(b)
    if t.is_nested(a.type) or t.is_nested(b.type) or t.is_null(a.type) or t.is_null(b.type):
        return pa.array([x != y for x, y in zip(a.to_pylist(), b.to_pylist(), strict=True)], pa.bool_())
    if a.type != b.type:
        b = b.cast(a.type)
    same = pc.fill_null(pc.equal(a, b), False)
    same = pc.or_(same, pc.and_(pc.is_null(a), pc.is_null(b)))
    if t.is_floating(a.type):
        same = pc.or_(same, pc.fill_null(pc.and_(pc.is_nan(a), pc.is_nan(b)), False))
    return pc.invert(same)


def _as(table: pa.Table, output_as: str) -> Any:
    if output_as == "pandas":
        return table.to_pandas()
    if output_as == "polars":
        import polars as pl

        return pl.from_arrow(table)
    return table
