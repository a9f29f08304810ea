"""Columns as they were read -> columns as they were written: categories, extension types, columns of nulls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

Categories = Callable[[str], "pa.Array | None"]


def restored(table: pa.Table, schema: pa.Schema, categories: Categories) -> pa.Table:
    """A table with the columns that ``schema`` says, from one that has their plain types."""
    import pyarrow as pa

    columns, fields = [], []
    for name, column in zip(table.column_names, table.columns, strict=True):
        field = schema.field(name)
        made = restored_column(column, field.type, categories(name))
        columns.append(made)
        # More categories than the type of the indices has room for have come with later writes.
        fields.append(field.with_type(made.type))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, schema.metadata))


def restored_column(column: pa.ChunkedArray, dtype: pa.DataType, categories: pa.Array | None) -> pa.ChunkedArray:
    """One column with the type it was written with."""
    import pyarrow as pa
    import pyarrow.types as t

    if column.type == dtype and not t.is_dictionary(dtype):
        return column
    if t.is_dictionary(dtype):
        return _categorical(column, dtype, categories)
    return pa.chunked_array([_array(chunk, dtype) for chunk in column.chunks], dtype)


def _array(values: pa.Array, dtype: pa.DataType) -> pa.Array:
    """The same for an array, with all that is nested in it."""
    import pyarrow as pa
    import pyarrow.types as t

    if values.type == dtype:
        return values
    if isinstance(dtype, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(dtype, _array(values, dtype.storage_type))
    if t.is_null(dtype):
        return pa.nulls(len(values))
    if t.is_dictionary(dtype):
        return _categorical(pa.chunked_array([values]), dtype, None).combine_chunks()
    if t.is_struct(dtype):
        children = [_array(values.field(i), dtype.field(i).type) for i in range(dtype.num_fields)]
        return pa.StructArray.from_arrays(
            children, fields=list(dtype), mask=values.is_null() if values.null_count else None
        )
    if t.is_fixed_size_list(dtype) and not values.null_count:
        inner = _array(values.flatten(), dtype.value_type)
        return pa.FixedSizeListArray.from_arrays(inner, type=dtype)
    if t.is_list(dtype) or t.is_large_list(dtype):
        kind = pa.ListArray if t.is_list(dtype) else pa.LargeListArray
        inner = _array(values.values, dtype.value_type)
        return kind.from_arrays(values.offsets, inner, type=dtype, mask=values.is_null() if values.null_count else None)
    if t.is_map(dtype):
        keys, items = _array(values.keys, dtype.key_type), _array(values.items, dtype.item_type)
        mask = values.is_null() if values.null_count else None
        return pa.MapArray.from_arrays(values.offsets, keys, items, type=dtype, mask=mask)
    return values.cast(dtype)


def _categorical(column: pa.ChunkedArray, dtype: pa.DictionaryType, categories: pa.Array | None) -> pa.ChunkedArray:
    """A column with the categories it was created with, in their order, and after them those that came later."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    value_type = dtype.value_type
    if not t.is_dictionary(column.type):
        column = column.dictionary_encode() if len(column) else column
    encoded = column.unify_dictionaries() if t.is_dictionary(column.type) else column
    chunks = [chunk for chunk in encoded.chunks if t.is_dictionary(chunk.type)]
    there = chunks[0].dictionary if chunks else pa.array([], value_type)
    there = there.cast(value_type) if there.type != value_type else there
    order = there
    if categories is not None:
        wanted = categories.cast(value_type)
        new = there.slice(0, 0)
        if chunks:
            used = pc.unique(pa.chunked_array([chunk.indices for chunk in chunks]))
            new = there.take(used.drop_null().sort())
        new = new.filter(pc.invert(pc.is_in(new, wanted)))
        order = pa.concat_arrays([wanted, new])
    index_type = dtype.index_type
    if len(order) > _room(index_type):
        index_type = pa.int32()
    made = pa.dictionary(index_type, value_type, dtype.ordered)
    arrays = []
    mapping = pc.index_in(there, order).cast(pa.int32())
    for chunk in chunks:
        indices = mapping.take(chunk.indices).cast(index_type)
        arrays.append(pa.DictionaryArray.from_arrays(indices, order, ordered=dtype.ordered))
    if not arrays:
        arrays = [pa.DictionaryArray.from_arrays(pa.nulls(len(column), index_type), order, ordered=dtype.ordered)]
    return pa.chunked_array(arrays, made)


def _room(index_type: pa.DataType) -> int:
    """How many categories the indices can tell apart."""
    bits = index_type.bit_width
    return int(2 ** (bits if str(index_type).startswith("u") else bits - 1))
