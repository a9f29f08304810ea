"""Names of columns that cannot be handed to Go.

Arrow's C interface ends names at a NUL: pyarrow would give Go shorter ones, and polars aborts the process. The
libraries' own writers take them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def are_exportable(schema: pa.Schema | pa.StructType) -> bool:
    """Whether no name in an Arrow schema holds a NUL."""
    return all("\0" not in field.name and _fields_are(field.type) for field in schema)


def _fields_are(dtype: pa.DataType) -> bool:
    import pyarrow as pa
    import pyarrow.types as t

    if isinstance(dtype, pa.BaseExtensionType):
        return _fields_are(dtype.storage_type)
    if t.is_struct(dtype):
        return are_exportable(dtype)
    if not t.is_nested(dtype):
        return True
    return all(_fields_are(dtype.field(i).type) for i in range(dtype.num_fields))


def polars_are_exportable(df: pl.DataFrame) -> bool:
    """The same for a polars frame."""
    return all("\0" not in name for name in df.columns) and all(_polars_fields_are(dtype) for dtype in df.dtypes)


def _polars_fields_are(dtype: Any) -> bool:
    if not dtype.is_nested():
        return True
    if hasattr(dtype, "fields"):
        return all("\0" not in field.name and _polars_fields_are(field.dtype) for field in dtype.fields)
    return _polars_fields_are(dtype.inner)
