"""Splitting a frame into the files of a partitioned dataset, as pyarrow and polars lay it out."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from atio._first_use import use
from atio._plan import DatasetFiles

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_NULL = "__HIVE_DEFAULT_PARTITION__"

_POLARS_SAFE = "!\"#$&'()*+,-.;<>?@[\\]^_`{|}~"
"""What polars writes into a path as it is, beside letters and digits (``polars-io/src/hive.rs``)."""

_COMBINED_BYTES = 1 << 30
"""Tables of less are copied into one chunk before rows are picked from them, which is faster by far."""


_ROWS_AT_ONCE = 1 << 18
"""Groups of no more rows than this in all go to Go together; a larger one goes alone."""


def file_name(template: str | None = None) -> str:
    """A name that no file of another write has.

    So somebody who has listed the files of the old dataset and opens them in the new one does not find them, rather
    than finding others.
    """
    return (template or f"{uuid.uuid4().hex}-{{i}}.parquet").format(i=0)


def split_table(table: pa.Table, keys: Sequence[str], name: str) -> Iterator[DatasetFiles]:
    """The files of ``pyarrow.parquet.write_to_dataset(table, partition_cols=keys)``, some at a time.

    The rows of a file are in the table's order. The key columns are in the path, not in the files.
    """
    use("pyarrow.compute", "pyarrow.dataset")
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    values = [_plain(table.column(key)) for key in keys]
    partitioning = ds.partitioning(pa.schema(list(zip(keys, (v.type for v in values), strict=True))), flavor="hive")
    data = table.drop_columns(list(keys))
    if data.nbytes < _COMBINED_BYTES:
        data = data.combine_chunks()

    def path_of(row: int) -> str:
        condition = None
        for key, value in zip(keys, values, strict=True):
            scalar = value[row]
            one = pc.field(key) == scalar if scalar.is_valid else pc.field(key).is_null()
            condition = one if condition is None else condition & one
        directory, _ = partitioning.format(condition)
        return f"{directory}/{name}"

    for rows, counts in _runs(_groups(values)):
        begins = [0, *itertools.accumulate(counts)]
        paths = [path_of(rows[begin].as_py()) for begin in begins[:-1]]
        yield DatasetFiles(list(zip(paths, counts, strict=True)), _pick(data, rows))


def _runs(groups: pa.Array) -> Iterator[tuple[pa.Array, list[int]]]:
    """The rows of some groups at a time, those of a group in order and together, and how many each of them has."""
    import pyarrow.compute as pc

    order = pc.sort_indices(groups)  # stable
    counted = {c["values"]: c["counts"] for c in pc.value_counts(groups).to_pylist()}
    begin, total, counts = 0, 0, list[int]()
    for group in sorted(counted):
        if total + counted[group] > _ROWS_AT_ONCE and counts:
            yield order.slice(begin, total), counts
            begin, total, counts = begin + total, 0, []
        total += counted[group]
        counts.append(counted[group])
    if counts:
        yield order.slice(begin, total), counts


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values of a column that may be a dictionary."""
    import pyarrow.types as t

    return column.cast(column.type.value_type) if t.is_dictionary(column.type) else column


def _groups(values: Sequence[pa.ChunkedArray]) -> pa.Array:
    """A number for each row that is the same for equal keys."""
    import pyarrow as pa
    import pyarrow.compute as pc

    groups = None
    for column in values:
        if pa.types.is_string(column.type) and column.num_chunks > 1:
            column = column.cast(pa.large_string())  # which has no end at 2 GiB
        array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        encoded = array.dictionary_encode(null_encoding="encode")
        codes, count = encoded.indices, len(encoded.dictionary)
        if groups is not None:
            # Dense again after each column, so that the numbers stay below the square of the rows.
            codes = pc.add(pc.multiply(groups.cast(pa.int64()), count), codes.cast(pa.int64()))
            codes = codes.dictionary_encode().indices
        groups = codes
    assert groups is not None
    return groups


def _pick(table: pa.Table, rows: pa.Array) -> pa.Table:
    """These rows of a table, in this order."""
    import pyarrow.compute as pc

    first, last = rows[0].as_py(), rows[-1].as_py()
    # From first to last, each one greater than the one before: then they are all there is between.
    if last - first + 1 == len(rows) and pc.all(pc.less(rows[:-1], rows[1:])).as_py():
        return table.slice(first, len(rows))
    if all(column.num_chunks <= 1 for column in table.columns):
        return table.take(rows)
    return _pick_chunked(table, rows)


def _pick_chunked(table: pa.Table, rows: pa.Array) -> pa.Table:
    """The same chunk by chunk: pyarrow would copy all chunks of texts into one, which fails above 2 GiB."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # By chunk, then back into the order that is wanted.
    by_row = pc.sort_indices(rows)
    ascending, picked, begin = rows.take(by_row), [], 0
    for batch in table.to_batches():
        end = begin + batch.num_rows
        inside = ascending.filter(pc.and_(pc.greater_equal(ascending, begin), pc.less(ascending, end)))
        if len(inside):
            picked.append(batch.take(pc.subtract(inside, pa.scalar(begin, inside.type))))
        begin = end
    return pa.Table.from_batches(picked, table.schema).combine_chunks().take(pc.sort_indices(by_row))


def split_polars(df: pl.DataFrame, keys: Sequence[str], name: str) -> Iterator[DatasetFiles]:
    """The files of ``df.write_parquet(partition_by=keys)``. The key columns are in the path and in the files."""
    import polars as pl

    columns = df.select(list(dict.fromkeys(keys))).to_arrow()
    for rows, counts in _runs(_groups([_one_zero(_plain(column)) for column in columns.columns])):
        some = df[pl.Series(rows)]
        firsts = some[[0, *itertools.accumulate(counts[:-1])]]
        texts = {key: firsts[key].cast(pl.String).to_list() for key in keys}
        paths = ["/".join([*(f"{key}={_quoted(texts[key][i])}" for key in keys), name]) for i in range(len(counts))]
        yield DatasetFiles(list(zip(paths, counts, strict=True)), some)


def _one_zero(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column in which both zeros are one, as they are to polars in a key."""
    import pyarrow.compute as pc
    import pyarrow.types as t

    return pc.add(column, pc.cast(0, column.type)) if t.is_floating(column.type) else column


def _quoted(text: str | None) -> str:
    return _NULL if text is None else quote(text, safe=_POLARS_SAFE)


def polars_key_fits(dtype: Any) -> bool:
    """Whether polars has a text for every value of a type."""
    return dtype.__class__.__name__ in _POLARS_KEYS


_POLARS_KEYS = frozenset(
    [
        *("Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64"),
        *("Decimal", "String", "Date", "Time", "Datetime", "Categorical", "Enum", "Null"),
    ]
)
