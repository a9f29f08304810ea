"""A version of a table -> polars: a LazyFrame over its files, or a DataFrame.

polars' own reader reads the files if it knows all that the log says of them, which is the usual case. Otherwise, for
partitioned tables and rare types, pyarrow's does.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .delta_types import arrow_type

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from .read import Selection
    from .source import Source


def scan(source: Source, selection: Selection) -> pl.LazyFrame:
    """The table as a LazyFrame."""
    native = _native(source, selection)
    if native is not None:
        return native
    import polars as pl

    if selection.filters_afterwards(source):
        return collect(source, selection).lazy()
    dataset = selection.dataset(source)
    if selection.filters is not None:
        dataset = dataset.filter(selection.filters)
    names = selection.names(source)
    target = _target_schema(source)
    comparable = all(source.is_read_as_stored(name) for name in source.schema.names)
    lazy = pl.scan_pyarrow_dataset(dataset, allow_pyarrow_filter=comparable)
    return lazy.select(pl.col(name).cast(target[name]) for name in names)


def collect(source: Source, selection: Selection) -> pl.DataFrame:
    """The table as a DataFrame."""
    import polars as pl
    import pyarrow as pa

    native = _native(source, selection)
    if native is not None:
        return native.collect()
    table = selection.table(source, selection.names(source))
    for position, column in enumerate(table.columns):
        if isinstance(column.type, pa.BaseExtensionType):
            storage = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
            table = table.set_column(position, table.column_names[position], storage)
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    target = _target_schema(source)
    other = [name for name, dtype in frame.schema.items() if dtype != target[name]]
    return frame.with_columns(pl.col(name).cast(target[name]) for name in other)


def _native(source: Source, selection: Selection) -> pl.LazyFrame | None:
    """The table by polars' own reader, if it can read it."""
    import polars as pl

    if source.partition_by or not source.files or not _knows_missing_columns():
        return None
    condition = _condition(selection)
    if condition is None and selection.filters is not None:
        return None
    target, stored = _target_schema(source), {}
    names = selection.names(source)
    for field in source.schema:
        in_file = arrow_type(source.stored[field.name]["type"])
        if in_file is None or not _casts(in_file, field.type):
            return None
        stored[field.name] = in_file
    schema = _polars_schema(pa_schema(stored))
    lazy = pl.scan_parquet(
        [file.path for file in source.files],
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=False,
        glob=False,
        cast_options=pl.ScanCastOptions(
            integer_cast="upcast",
            float_cast="upcast",
            datetime_cast=["nanosecond-downcast", "convert-timezone"],
            missing_struct_fields="insert",
            extra_struct_fields="ignore",
        ),
    )
    casts = [pl.col(name).cast(target[name]) for name in target if schema[name] != target[name]]
    if casts:
        lazy = lazy.with_columns(casts)
    if condition is not None:
        lazy = lazy.filter(condition)
    return lazy.select(names)


def pa_schema(types: dict[str, pa.DataType]) -> pa.Schema:
    """A schema of these columns."""
    import pyarrow as pa

    return pa.schema(list(types.items()))


@functools.cache
def _knows_missing_columns() -> bool:
    """Whether this version of polars reads files that lack columns, and older types (1.31)."""
    import polars as pl

    return hasattr(pl, "ScanCastOptions") and "extra_columns" in inspect.signature(pl.scan_parquet).parameters


def _target_schema(source: Source) -> dict[str, pl.DataType]:
    """The dtypes that the columns were written with, or that polars gives to Arrow's types."""
    import polars as pl

    target = _polars_schema(source.schema)
    for name, kind in source.remembered.get("integers", {}).items():
        if name in target:
            target[name] = getattr(pl, kind)()
    return target


def _polars_schema(schema: pa.Schema) -> dict[str, pl.DataType]:
    import polars as pl
    import pyarrow as pa

    # With the fields' metadata, by which polars tells its Enum and Categorical apart.
    plain = [f.with_type(_storage(f.type)) for f in schema]
    empty = pl.from_arrow(pa.schema(plain).empty_table())
    assert isinstance(empty, pl.DataFrame)
    return dict(empty.schema)


def _storage(dtype: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return dtype.storage_type if isinstance(dtype, pa.BaseExtensionType) else dtype


def _casts(stored: pa.DataType, written: pa.DataType) -> bool:
    """Whether polars makes values as they were written of those in the files, by its ``cast`` and without a loss."""
    import pyarrow.types as t

    if t.is_dictionary(written):
        return bool(t.is_string(stored))
    if t.is_list(stored):
        # Into arrays of arrays polars does not cast where some are null.
        flat = not t.is_nested(stored.value_type)
        lists = (t.is_list, t.is_large_list, *([t.is_fixed_size_list] if flat else []))
        return any(is_list(written) for is_list in lists) and _casts(stored.value_type, written.value_type)
    if t.is_struct(stored):
        return (
            t.is_struct(written)
            and stored.num_fields == written.num_fields
            and all(_casts(stored.field(i).type, written.field(i).type) for i in range(stored.num_fields))
        )
    if t.is_duration(written) or t.is_time(written):
        # Numbers in their own unit: polars has no seconds, and its times are in nanoseconds.
        return str(written) in ("duration[ms]", "duration[us]", "duration[ns]", "time64[ns]")
    if t.is_timestamp(written):
        return bool(written.unit != "s")
    if t.is_decimal(written):
        return bool(written.bit_width <= 128)
    texts = (t.is_string, t.is_large_string, t.is_binary, t.is_large_binary)
    known = (t.is_boolean, t.is_integer, t.is_floating, t.is_date32, *texts)
    return any(is_it(written) for is_it in known)


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda column, values: column.is_in(list(values)),
    "not in": lambda column, values: ~column.is_in(list(values)),
}


def _condition(selection: Selection) -> pl.Expr | None:
    """The filter as polars says it, ``None`` if only pyarrow knows it."""
    import polars as pl

    if selection.terms is None:
        return None
    branches = []
    for terms in selection.terms:
        if any(op not in _COMPARISONS for _, op, _ in terms):
            return None
        parts = [_COMPARISONS[op](pl.col(name), value) for name, op, value in terms]
        branches.append(functools.reduce(operator.and_, parts, pl.lit(True)))
    return functools.reduce(operator.or_, branches)
