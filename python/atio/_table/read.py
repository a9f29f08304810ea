"""``atio.read_table``: a version of a table as an object of one of the libraries."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .._first_use import use
from .._fork import undisturbed
from .._job import WAITING, Job
from .._target import PathLike
from . import requests
from .columns import restored
from .source import Source, plain_type
from .write import check_choice

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

OUTPUTS = ("pandas", "polars", "arrow", "numpy", "lazy", "reader")


def read_table(
    table_path: PathLike,
    version: int | None = None,
    output_as: str = "pandas",
    *,
    tag: str | None = None,
    timestamp: dt.datetime | str | None = None,
    columns: Sequence[str] | None = None,
    filters: Any = None,
    storage_options: dict[str, Any] | None = None,
) -> Any:
    """Read a version of a table; rows, columns, types and index are as they were written.

    Args:
        table_path: the table's directory.
        version: its number; the newest version if neither it nor a tag nor a timestamp is given.
        output_as: ``"pandas"``, ``"polars"``: a DataFrame; ``"arrow"``: a ``pyarrow.Table``; ``"numpy"``: the array
            that was written, or a dict with an array for each column; ``"lazy"``: a polars LazyFrame;
            ``"reader"``: a ``pyarrow.RecordBatchReader``, for tables that do not fit into memory.
        tag: the name of a version, see :func:`tag_version`.
        timestamp: the version that was the newest at that time: a ``datetime``, or text in ISO 8601. Local time if
            it has no time zone.
        columns: names of the columns to read, all if ``None``. With ``"pandas"`` the index comes in addition.
        filters: which rows to read, as for ``pandas.read_parquet``: ``[("x", ">", 1), ("y", "in", ["a", "b"])]`` (all
            have to hold), a list of such lists (one has to hold), or an expression of ``pyarrow.compute``. Data
            files whose statistics say that none of their rows matters are not opened.
        storage_options: for stores other than the local file system; refused for a local path.

    Raises:
        FileNotFoundError: if there is no table.
        ValueError: if there is no such version, tag or column. The message names those that there are.
        atio.CorruptError: if the table is damaged.

    Example:
        >>> import pandas as pd
        >>> _ = atio.write_snapshot(pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}), "points")
        >>> atio.read_table("points", columns=["y"], filters=[("x", ">", 1)])
           y
        0  b
    """
    path = requests.path_of_table(table_path, storage_options)
    check_choice("output_as", output_as, OUTPUTS)
    where = requests.at(version, tag, timestamp)
    with undisturbed:
        selection = Selection(columns, filters)
    request = {**where, "filter": selection.for_library(), "stats": selection.needs_stats}
    if output_as == "reader":
        return _reader(path, request, selection)
    found: list[Any] = []

    def read(job: Job) -> None:
        source = Source(path, job.offer())
        try:
            found.append(_output(source, selection, output_as))
        except (OSError, ValueError) as e:
            better = source.explain(e)
            raise better from (None if better is e else e)
        job.resume()

    requests.call("read", path, request, steps=[read])
    return found[0]


def _output(source: Source, selection: Selection, output_as: str) -> Any:
    if output_as in ("polars", "lazy"):
        use(f"{__package__}.polars")
        from . import polars

        return (polars.scan if output_as == "lazy" else polars.collect)(source, selection)
    if output_as == "pandas":
        use(f"{__package__}.pandas")
        from . import pandas

        names = selection.names(source, pandas.index_columns(source))
        return pandas.from_arrow(selection.table(source, names), source, filtered=selection.filters is not None)
    table = selection.table(source, selection.names(source))
    if output_as == "arrow":
        return table
    use(f"{__package__}.arrays")
    from . import arrays

    return arrays.from_table(table, source.remembered.get("numpy"))


def _reader(path: str, request: dict[str, Any], selection: Selection) -> pa.RecordBatchReader:
    """A reader that keeps the version's files from expiry as long as it is not exhausted or closed."""
    import pyarrow as pa

    job = Job(requests.request("read", path, request))
    try:
        job.start()
        job.wait()
        if job.status != WAITING:
            job.finish()  # raises what it failed with
        source = Source(path, job.offer())
        names = selection.names(source)
        schema, batches = selection.batches(source, names)
    except BaseException:
        try:
            job.abandon()
        finally:
            job.abandon()
        raise

    def generate() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except (OSError, ValueError) as e:
            better = source.explain(e)
            raise better from (None if better is e else e)
        finally:
            job.abandon()

    return pa.RecordBatchReader.from_batches(schema, generate())


class Selection:
    """Which columns and rows are to be read."""

    def __init__(self, columns: Sequence[str] | None, filters: Any) -> None:
        import pyarrow.compute as pc

        self.columns = [columns] if isinstance(columns, str) else None if columns is None else list(columns)
        if self.columns is not None and not all(isinstance(name, str) for name in self.columns):
            raise TypeError(f"columns={columns!r}: they are names, a list of str")
        #: As an OR of ANDs, if it was given so.
        self.terms: list[list[tuple[str, str, Any]]] | None = None
        self.filters: pc.Expression | None = None
        if isinstance(filters, pc.Expression):
            self.filters = filters
        elif filters is not None:
            use("pyarrow.parquet")
            import pyarrow.parquet as pq

            listed = list(filters)
            if listed and isinstance(listed[0], tuple):
                listed = [listed]
            self.terms = [[(str(name), op, value) for name, op, value in terms] for terms in listed]
            if any(self.terms):
                self.filters = pq.filters_to_expression(self.terms)
            else:
                self.terms = None

    @property
    def needs_stats(self) -> bool:
        """Whether files are left out here, since only pyarrow can look into an expression."""
        return self.filters is not None and self.terms is None

    def for_library(self) -> list[list[dict[str, Any]]]:
        """The terms that the library can compare with the files' statistics. Each left out lets more files through."""
        if self.terms is None:
            return []
        found = []
        for terms in self.terms:
            kept = [
                {"column": name, "op": op, "value": value}
                for name, op, given in terms
                if (value := _literal(given)) is not _UNKNOWN
            ]
            if not kept:
                return []  # this branch may hold anywhere
            found.append(kept)
        return found

    def names(self, source: Source, more: Sequence[str] = ()) -> list[str]:
        """The columns to read, and those in ``more`` that the table has."""
        there = source.schema.names
        if self.columns is None:
            return list(there)
        missing = [name for name in self.columns if name not in there]
        if missing:
            raise ValueError(
                f"table {source.path!r}, version {source.version}, has no column {', '.join(map(repr, missing))}: "
                f"there is {', '.join(map(repr, there))}"
            )
        return list(dict.fromkeys([*self.columns, *(name for name in more if name in there)]))

    def dataset(self, source: Source) -> ds.FileSystemDataset:
        """The table's files as a dataset of their plain types."""
        import pyarrow as pa
        import pyarrow.types as t

        # pyarrow compares texts, not dictionaries, in all that a filter can say.
        fields = []
        for field in source.schema:
            dtype = plain_type(field.type)
            text = t.is_dictionary(field.type) and (t.is_string(dtype) or t.is_binary(dtype))
            if text and self.filters is None and field.name not in source.partition_by:
                dtype = pa.dictionary(pa.int32(), dtype)
            fields.append(pa.field(field.name, dtype))
        return source.dataset(pa.schema(fields), stats=self.needs_stats)

    def filters_afterwards(self, source: Source) -> bool:
        """Whether rows have to be read before they can be compared, since the files hold them as another type."""
        if self.filters is None:
            return False
        if self.terms is None:
            said = str(self.filters)  # which names it holds is all that can be asked of an expression
            names = {name for name in source.schema.names if name in said}
        else:
            names = {name for terms in self.terms for name, _, _ in terms} & set(source.schema.names)
        return not all(source.is_read_as_stored(name) for name in names)

    def table(self, source: Source, names: list[str]) -> pa.Table:
        """The selected rows and columns as they were written."""
        dataset = self.dataset(source)
        if self.filters_afterwards(source):
            read = _possible(dataset, self.filters).to_table().filter(self.filters).select(names)
        else:
            read = dataset.to_table(columns=names, filter=self.filters)
        return restored(read, source.schema, source.categories)

    def batches(self, source: Source, names: list[str]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """The same batch by batch, and their schema."""
        import pyarrow as pa
        import pyarrow.types as t

        fields = []
        for name in names:
            field = source.schema.field(name)
            if t.is_dictionary(field.type):  # how many categories will come is not known yet
                field = field.with_type(pa.dictionary(pa.int32(), field.type.value_type, field.type.ordered))
            fields.append(field)
        schema = pa.schema(fields, source.schema.metadata)
        afterwards = self.filters_afterwards(source)
        if afterwards:
            scanned = _possible(self.dataset(source), self.filters).to_batches()
        else:
            scanned = self.dataset(source).to_batches(columns=names, filter=self.filters)

        def generate() -> Iterator[pa.RecordBatch]:
            for batch in scanned:
                read = pa.Table.from_batches([batch])
                if afterwards:
                    read = read.filter(self.filters).select(names)
                if read.num_rows:
                    yield from restored(read, schema, source.categories).to_batches()

        return schema, generate()


def _possible(dataset: ds.FileSystemDataset, filters: pc.Expression) -> ds.FileSystemDataset:
    """The files that may hold rows that a filter lets through."""
    import pyarrow.dataset as ds

    fragments = list(dataset.get_fragments(filter=filters))
    return ds.FileSystemDataset(fragments, dataset.schema, dataset.format, dataset.filesystem)


_UNKNOWN = object()


def _literal(value: Any) -> Any:
    """A value of a filter as JSON, ``_UNKNOWN`` if the library is not to compare with it."""
    if isinstance(value, (list, tuple, set, frozenset)):
        made = [_literal(one) for one in value]
        return _UNKNOWN if any(one is _UNKNOWN for one in made) else made
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else _UNKNOWN
    if isinstance(value, float):
        return value if math.isfinite(value) else _UNKNOWN
    if isinstance(value, decimal.Decimal):
        return str(value) if value.is_finite() else _UNKNOWN
    if isinstance(value, dt.datetime):
        if getattr(value, "nanosecond", 0):
            return _UNKNOWN
        return (value.astimezone(dt.timezone.utc) if value.tzinfo else value).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return _UNKNOWN
