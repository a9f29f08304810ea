"""``atio.optimize``: many small files become few large ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._report import Report, reporting
from .._target import PathLike
from . import requests
from .diff import reading
from .read import Selection
from .source import Source
from .write import columns_of, write_data

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class OptimizeReport:
    """What :func:`atio.optimize` has done.

    Attributes:
        version: the version that it made, ``None`` if there was nothing to do.
        files_removed: number of files that were put together. They stay for the versions before, until these expire.
        files_added: number of files that they have become.
        bytes_removed: size of the former.
        bytes_added: size of the latter.
        rows: number of rows in them.
    """

    version: int | None
    files_removed: int
    files_added: int
    bytes_removed: int
    bytes_added: int
    rows: int


def optimize(
    table_path: PathLike,
    *,
    target_size: int = 128 << 20,
    sort_by: str | Sequence[str] | None = None,
    show_progress: bool = False,
    verbose: bool = False,
    durable: bool = True,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> OptimizeReport:
    """Put small files together, so that reading takes less time. The rows stay the same.

    A new version is made; the versions before keep their files. Others may append meanwhile. If another writer
    removes one of the files in between, as an overwrite does, ``ConflictError`` is raised and nothing is left behind.

    Args:
        table_path: the table's directory.
        target_size: size in bytes that files should have; those of at least three quarters of it stay as they are.
        sort_by: columns by which the rows of each partition are sorted, so that readers with a filter on them skip
            more. All files are written anew then, and one partition has to fit into memory. Without it the order of
            the rows within the files that are put together is kept.
        show_progress: draw a progress line on standard error.
        verbose: log what is done through ``logging.getLogger("atio")``.
        durable: have the version on the disk when the call returns, safe from a power cut.
        storage_options: for stores other than the local file system; refused for a local path.
        **kwargs: of the library's own Parquet writer, such as ``compression="zstd"``.

    Example:
        >>> import pandas as pd
        >>> for i in range(10):
        ...     _ = atio.write_snapshot(pd.DataFrame({"i": [i]}), "small", mode="append")
        >>> report = atio.optimize("small")
        >>> report.files_removed, report.files_added
        (10, 1)
    """
    path = requests.path_of_table(table_path, storage_options)
    if target_size <= 0:
        raise ValueError(f"target_size={target_size!r}: it is a number of bytes")
    columns = columns_of(sort_by)
    with reporting(path, show_progress=show_progress, verbose=verbose) as report:
        made: OptimizeReport = reading(
            path,
            None,
            lambda source, answer: _Rewriting(source, answer, target_size, columns, kwargs, durable, report).run(),
        )
        report.log(f"{made.files_removed} files of {made.bytes_removed} bytes are {made.files_added} now")
    return made


class _Rewriting:
    """One run over a version that is held."""

    def __init__(
        self,
        source: Source,
        answer: dict[str, Any],
        target_size: int,
        sort_by: list[str] | None,
        kwargs: dict[str, Any],
        durable: bool,
        report: Report,
    ) -> None:
        self._source = source
        self._files: list[dict[str, Any]] = answer["files"] or []
        self._target_size = target_size
        self._sort_by = sort_by
        self._kwargs = kwargs
        self._durable = durable
        self._report = report
        if sort_by is not None:
            Selection(sort_by, None).names(source)  # raises if one is missing
            if partitioned := [name for name in sort_by if name in source.partition_by]:
                raise ValueError(f"sort_by: {partitioned[0]!r} is a partition column, whose files are apart anyway")

    def run(self) -> OptimizeReport:
        path, parts = self._source.path, []
        removed: list[dict[str, Any]] = []
        try:
            for group in self._groups():
                removed += group
                parts.append(self._rewrite(group))
            if not parts:
                return OptimizeReport(None, 0, 0, 0, 0, 0)
            fields = {
                "parts": parts,
                "remove": [file["path"] for file in removed],
                "operation": "OPTIMIZE",
                "parameters": {
                    "targetSize": str(self._target_size),
                    **({"sortBy": json.dumps(self._sort_by)} if self._sort_by else {}),
                },
                "version": self._source.version,
            }
            answer = requests.call("apply", path, fields, skip_sync=not self._durable)
        except BaseException:
            if parts:
                requests.call("discard", path, {"parts": parts})
            raise
        return OptimizeReport(
            version=answer["version"],
            files_removed=len(removed),
            files_added=answer["files"],
            bytes_removed=sum(file["size"] for file in removed),
            bytes_added=answer["bytes"],
            rows=answer["rows"],
        )

    def _groups(self) -> Iterator[list[dict[str, Any]]]:
        """The files that are put together, each group of one partition."""
        partitions: dict[str, list[dict[str, Any]]] = {}
        for file in self._files:
            partitions.setdefault(json.dumps(file.get("partitions"), sort_keys=True), []).append(file)
        for files in partitions.values():
            if self._sort_by is not None:
                yield files
                continue
            group: list[dict[str, Any]] = []
            size = 0
            for file in files:
                if file["size"] >= self._target_size * 3 / 4:
                    continue
                if size + file["size"] > self._target_size and group:
                    if len(group) > 1:
                        yield group
                    group, size = [], 0
                group.append(file)
                size += file["size"]
            if len(group) > 1:
                yield group

    def _rewrite(self, group: list[dict[str, Any]]) -> Any:
        """Write the rows of some files as new ones, which are in no version yet."""
        part = self._source.only({requests.decode(file["path"]) for file in group})
        selection = Selection(None, None)
        names = selection.names(part)
        rows: Any
        if self._sort_by is None:
            rows = _reader(*selection.batches(part, names))
        else:
            table = selection.table(part, names)
            rows = table.take(_order(table, self._sort_by))
        fields = {"mode": "append", "target_file_size": self._target_size}
        return write_data(rows, part.path, "part", fields, self._kwargs, durable=self._durable, report=self._report)


def _reader(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader:
    import pyarrow as pa

    return pa.RecordBatchReader.from_batches(schema, batches)


def _order(table: pa.Table, names: list[str]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    keys = {}
    for name in names:
        column = table[name]
        if isinstance(column.type, pa.BaseExtensionType):
            column = column.cast(column.type.storage_type)
        keys[name] = column.cast(column.type.value_type) if t.is_dictionary(column.type) else column
    # The number of the row last, so that the order of equal ones is kept.
    keys["\0row"] = pa.array(range(table.num_rows), pa.int64())
    return pc.sort_indices(pa.table(keys), sort_keys=[(name, "ascending") for name in keys])
