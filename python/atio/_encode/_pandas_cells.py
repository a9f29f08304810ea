"""Columns and index levels of pandas frames -> Arrow arrays whose text is what pandas writes into CSV."""

from __future__ import annotations

from typing import Any

from .._first_use import use
from ._csv_versions import of_pandas, refuses_nul, widens_arrow_floats


def is_label(value: object) -> bool:
    """Whether it is a label of a column or name of a level that is written as ``str`` gives it."""
    import numpy as np

    return isinstance(value, (str, int, np.integer)) and not isinstance(value, bool)


def cells_of(column: Any) -> Any:
    """A Series or Index as an Arrow array or chunked array; ``None`` if Go would not write it as pandas does."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    dtype = column.dtype
    try:
        if isinstance(dtype, np.dtype):
            return _from_numpy(column.to_numpy())
        if isinstance(dtype, pd.CategoricalDtype):
            return _from_categories(column.array)
        if isinstance(dtype, pd.ArrowDtype):
            return _from_arrow(column.array.__arrow_array__(), dtype.pyarrow_dtype)
        if isinstance(dtype, pd.StringDtype):
            return _text(column.array.__arrow_array__())
        if isinstance(dtype, masked_types()):
            return _masked(column.array.__arrow_array__())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, UnicodeEncodeError):
        return None  # pandas raises what it raises, or can write it
    return None


def index_cells_of(index: Any) -> list[Any] | None:
    """The levels of an index."""
    import pandas as pd

    if not isinstance(index, pd.MultiIndex):
        cells = cells_of(index)
        return None if cells is None else [cells]
    if index.nlevels == 1:
        return None
    # pandas formats the levels' values, which decides the digits of timestamps, and then looks them up.
    index = index.remove_unused_levels()
    out = []
    for level, codes in zip(index.levels, index.codes, strict=True):
        values = None if isinstance(level.dtype, pd.CategoricalDtype) else cells_of(level)
        if values is None:
            return None
        out.append(dictionary_of(codes, values))
    return out


def masked_types() -> tuple[type, ...]:
    import pandas as pd

    return (
        pd.Int8Dtype, pd.Int16Dtype, pd.Int32Dtype, pd.Int64Dtype,
        pd.UInt8Dtype, pd.UInt16Dtype, pd.UInt32Dtype, pd.UInt64Dtype,
        pd.Float32Dtype, pd.Float64Dtype, pd.BooleanDtype,
    )  # fmt: skip


def _from_numpy(values: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    dtype = values.dtype
    if dtype.kind == "O":
        return objects_of(values)
    if not dtype.isnative or dtype.kind not in "biufM" or dtype.itemsize > 8:
        return None
    if dtype.kind == "M" and np.datetime_data(dtype) not in (("s", 1), ("ms", 1), ("us", 1), ("ns", 1)):
        return None
    # NaN stays NaN, which needs no copy; NaT becomes null.
    return pa.array(values)


def objects_of(values: Any, kind: str | None = None) -> Any:
    """Objects, if all but missing ones are strings, or booleans. ``kind`` is what ``infer_dtype`` says of them."""
    import pandas as pd
    import pyarrow as pa

    kind = kind or pd.api.types.infer_dtype(values, skipna=True)
    if kind not in ("string", "boolean", "empty"):
        return None
    array = pa.array(values, type=pa.bool_() if kind == "boolean" else pa.large_string(), from_pandas=True)
    if kind != "string" and array.null_count != int(pd.isna(values).sum()):
        return None
    return array if kind == "boolean" else _text(array)


def _text(array: Any) -> Any:
    use("pyarrow.compute")
    import pyarrow.compute as pc

    if refuses_nul() and pc.any(pc.match_substring(array, "\0")).as_py():
        return None
    return array


def _masked(array: Any) -> Any:
    """A masked array: NaN behind no mask is not missing to every version of pandas."""
    use("pyarrow.compute")
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(array.type) and pc.any(pc.is_nan(array)).as_py():
        return None
    return array


def _from_arrow(array: Any, kind: Any) -> Any:
    """An Arrow-backed array."""
    import pyarrow as pa

    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return array
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text(array)
    if pa.types.is_float64(kind):
        return _masked(array)
    if pa.types.is_float32(kind) and widens_arrow_floats():
        return _masked(array.cast(pa.float64()))
    if pa.types.is_date32(kind):
        return array if _has_plain_years(array) else None
    return None


def _has_plain_years(array: Any) -> bool:
    """Whether all dates are written as ``datetime.date`` writes them, and whatever the version of pandas."""
    import datetime as dt

    use("pyarrow.compute")
    import pyarrow as pa
    import pyarrow.compute as pc

    first = 1000 if of_pandas()["bare_year"] else 1
    ends = pc.min_max(array.cast(pa.int32()))
    if not ends["min"].is_valid:
        return True
    epoch = dt.date(1970, 1, 1).toordinal()
    low, high = ends["min"].as_py() + epoch, ends["max"].as_py() + epoch
    return bool(dt.date(first, 1, 1).toordinal() <= low and high <= dt.date.max.toordinal())


def _from_categories(array: Any) -> Any:
    """A Categorical: its categories are written as Python objects, so that floats and dates are left to pandas."""
    import pyarrow as pa

    if len(array.categories) == 0:
        return pa.nulls(len(array))
    values = cells_of(array.categories)
    if values is None:
        return None
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_boolean(kind) or _is_text(kind)):
        return None
    return dictionary_of(array.codes, values)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.null())


def dictionary_of(codes: Any, values: Any) -> Any:
    """Codes, of which -1 stands for a missing value, and what they stand for."""
    import numpy as np
    import pyarrow as pa

    codes = np.asarray(codes)
    missing = codes == -1
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
        if isinstance(values, pa.ChunkedArray):
            values = values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays(values.chunks)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing if missing.any() else None), values)
