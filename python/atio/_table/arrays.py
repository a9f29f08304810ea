"""NumPy's arrays, and dicts of them, <-> Arrow tables.

An array with one or two dimensions becomes columns named "0", "1", ..., as ``pd.DataFrame(array)`` has them; one with
more, or with very many columns, becomes a column "values" of lists of a fixed size. A dict of arrays of one length
becomes a column for each; arrays of several lengths become a single row, with a list for each array.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MOST_COLUMNS = 1000
"""An array with more columns becomes a single column of lists."""

_ARROW_UNITS = ("s", "ms", "us", "ns")

Remembered = dict[str, Any]
"""What NumPy knows of arrays and Arrow does not; JSON."""


def to_table(obj: Any) -> tuple[pa.Table, Remembered]:
    """The table for an array or a dict of arrays, and what :func:`from_table` needs to make them again.

    Raises:
        TypeError: naming the array whose values no table can hold.
    """
    import numpy as np
    import pyarrow as pa

    if isinstance(obj, Mapping):
        return _table_of_dict({str(key): np.asanyarray(value) for key, value in obj.items()})
    array = np.asanyarray(obj)
    remembered: Remembered = {"kind": "array", "ndim": array.ndim}
    if array.dtype.names:
        if array.ndim != 1:
            raise TypeError(f"a structured array must have one dimension to be a table, not {array.ndim}")
        remembered["kind"] = "structured"
        named = {name: array[name] for name in array.dtype.names}
    elif array.ndim <= 1:
        named = {"0": array.reshape(-1)}
    elif array.ndim == 2 and 0 < array.shape[1] <= MOST_COLUMNS:
        named = {str(i): array[:, i] for i in range(array.shape[1])}
    else:
        remembered["kind"] = "single"
        named = {"values": array}
    columns, specs = {}, {}
    for name, values in named.items():
        columns[name], specs[name] = _column(name, values)
    return pa.table(columns), {**remembered, "columns": specs}


def _table_of_dict(named: dict[str, np.ndarray]) -> tuple[pa.Table, Remembered]:
    import pyarrow as pa

    columns, specs = {}, {}
    lengths = {a.shape[0] if a.ndim else -1 for a in named.values()}
    rows = len(lengths) == 1 and -1 not in lengths
    for name, array in named.items():
        if rows:
            columns[name], specs[name] = _column(name, array)
        else:
            flat, spec = _column(name, array.reshape(-1))
            columns[name] = pa.ListArray.from_arrays(pa.array([0, len(flat)], pa.int32()), flat)
            specs[name] = {**spec, "shape": list(array.shape)}
    return pa.table(columns), {"kind": "dict" if rows else "arrays", "columns": specs}


def _column(name: str, array: np.ndarray) -> tuple[pa.Array, dict[str, Any]]:
    """A column with a row for each element of the first dimension, and what Arrow does not know of it."""
    import numpy as np
    import pyarrow as pa

    spec: dict[str, Any] = {"dtype": array.dtype.str, "shape": list(array.shape[1:])}
    if array.dtype.kind == "T":
        spec["dtype"] = "T"
    mask = None
    if isinstance(array, np.ma.MaskedArray):
        spec["masked"] = True
        mask = np.ascontiguousarray(np.ma.getmaskarray(array)).reshape(-1)
    flat = np.ascontiguousarray(array.data if mask is not None else np.asarray(array)).reshape(-1)
    sizes = spec["shape"]
    if flat.dtype.kind == "c" and flat.dtype.itemsize <= 16:
        flat = flat.view(flat.real.dtype)
        mask = None if mask is None else np.repeat(mask, 2)
        sizes = [*sizes, 2]
    values = _values(name, flat, mask)
    for level in range(len(sizes) - 1, -1, -1):
        size = sizes[level]
        count = math.prod([array.shape[0], *sizes[:level]])
        if size:
            values = pa.FixedSizeListArray.from_arrays(values, size)
        else:
            values = pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, "int32")), values)
    return values, spec


def _values(name: str, flat: np.ndarray, mask: np.ndarray | None) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    kind, size = flat.dtype.kind, flat.dtype.itemsize
    if kind in "Vc" or (kind == "f" and size > 8):
        raise TypeError(f"array {name!r} holds {flat.dtype}, which no type of a table holds: convert it first")
    if not flat.dtype.isnative:
        flat = flat.astype(flat.dtype.newbyteorder("="))
    if kind in "mM":
        unit = np.datetime_data(flat.dtype)
        if unit[1] != 1 or unit[0] not in (*_ARROW_UNITS, *(["D"] if kind == "M" else [])):
            missing = np.isnat(flat)
            flat, mask = flat.view("int64"), missing if mask is None else mask | missing
    elif kind == "T":
        flat = flat.astype(object)
    elif kind == "O":
        kinds = {type(v).__name__ for v in flat if v is not None and not (isinstance(v, float) and v != v)}
        if len(kinds) > 1:
            raise TypeError(
                f"array {name!r} holds values of several types ({', '.join(sorted(kinds))}), and a table has one type "
                "for each column: convert it first"
            )
    try:
        return pa.array(flat, mask=mask)
    except pa.ArrowException as e:
        raise TypeError(f"array {name!r} of {flat.dtype} cannot be held by a table: {e}") from e


def from_table(table: pa.Table, remembered: Remembered | None) -> np.ndarray | dict[str, np.ndarray]:
    """The array that a table was made of, or a dict with an array for each column."""
    import numpy as np

    remembered = remembered or {"kind": "dict", "columns": {}}
    kind, specs = remembered["kind"], remembered["columns"]
    if kind == "arrays":
        return {name: _whole_arrays(table[name], specs.get(name)) for name in table.column_names}
    columns = {name: _array(name, table[name], specs.get(name)) for name in table.column_names}
    if kind == "dict" or not columns or not all(name in specs for name in columns):
        return columns
    if kind == "single":
        return next(iter(columns.values()))
    if kind == "structured":
        made = np.empty(table.num_rows, [(name, a.dtype, a.shape[1:]) for name, a in columns.items()])
        for name, a in columns.items():
            made[name] = a
        return made
    if remembered["ndim"] < 2:
        only = next(iter(columns.values()))
        return only.reshape(()) if remembered["ndim"] == 0 and len(only) == 1 else only
    # Column by column into one array, so that at no time there is a third copy.
    first = next(iter(columns.values()))
    masked = any(isinstance(a, np.ma.MaskedArray) for a in columns.values())
    out: np.ndarray = (np.ma if masked else np).empty((table.num_rows, len(columns)), first.dtype)
    for i, a in enumerate(columns.values()):
        out[:, i] = a
    return out


def _whole_arrays(column: pa.ChunkedArray, spec: dict[str, Any] | None) -> np.ndarray:
    import numpy as np

    made = []
    for row in range(len(column)):
        flat = column[row].values
        flat_spec = None if spec is None else {**spec, "shape": []}
        made.append(_array("", flat, flat_spec))
    if len(made) == 1:
        return made[0] if spec is None else made[0].reshape(spec["shape"])
    out = np.empty(len(made), object)
    out[:] = made
    return out


def _array(name: str, column: Any, spec: dict[str, Any] | None) -> np.ndarray:
    """One column as an array, with the dtype that it had if that is known."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.types as t

    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(values, pa.ChunkedArray):  # no chunks
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    rows = len(values)
    if spec is None:
        return _plain(values)
    dtype = np.dtypes.StringDType() if spec["dtype"] == "T" else np.dtype(spec["dtype"])
    depth = len(spec["shape"]) + (dtype.kind == "c")
    for _ in range(depth):
        if not (t.is_list(values.type) or t.is_fixed_size_list(values.type) or t.is_large_list(values.type)):
            return _plain(values)
        values = values.flatten()
    flat = _typed(values, dtype, bool(spec.get("masked")))
    try:
        return flat.reshape([rows, *spec["shape"]])
    except ValueError:
        raise ValueError(
            f"array {name!r} was written with elements of the shape {tuple(spec['shape'])}, and later others were "
            'appended: read the table with output_as="arrow"'
        ) from None


def _typed(values: pa.Array, dtype: np.dtype[Any], masked: bool) -> np.ndarray:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if dtype.kind == "c":
        parts = np.ascontiguousarray(values.to_numpy(zero_copy_only=False))
        return _writable(parts.view(f"complex{parts.dtype.itemsize * 16}").astype(dtype, copy=False))
    if dtype.kind == "O":
        out = np.empty(len(values), object)
        out[:] = values.to_pylist()
        return out
    if dtype.kind in "UST":
        return np.array(values.to_pylist(), dtype)
    mask = None
    if values.null_count:
        if not (masked or dtype.kind in "mMf"):
            return _plain(values)  # nulls of later appends: the dtype has no place for them
        mask = values.is_null().to_numpy(zero_copy_only=False)
    if dtype.kind in "mM":
        out = _moments(values, dtype)
    else:
        if masked and mask is not None:
            values = pc.fill_null(values, False if dtype.kind == "b" else pa.scalar(0).cast(values.type))
        out = values.to_numpy(zero_copy_only=False)
    if out.dtype != dtype:
        out = out.astype(dtype)
    out = _writable(out)
    if masked:
        return np.ma.MaskedArray(out, mask if mask is not None else np.zeros(len(out), bool))
    if mask is not None and dtype.kind in "mM":
        out[mask] = np.array("NaT", dtype)
    return out


def _moments(values: pa.Array, dtype: np.dtype[Any]) -> np.ndarray:
    """Dates, times and durations, those that are null being anything."""
    import pyarrow as pa
    import pyarrow.compute as pc

    unit = "D" if pa.types.is_date32(values.type) else getattr(values.type, "unit", None)
    whole = values.view(pa.int32() if unit == "D" else pa.int64())
    numbers = pc.fill_null(whole, 0).to_numpy(zero_copy_only=False).astype("int64")
    if unit is None:  # of a unit that Arrow does not have
        moments: np.ndarray = numbers.view(dtype.newbyteorder("="))
    else:
        moments = numbers.view(f"{dtype.kind}8[{unit}]")
    return moments


def _writable(array: np.ndarray) -> np.ndarray:
    """Arrow's memory cannot be written to; an array of the caller's own can."""
    return array if array.flags.writeable else array.copy()


def _plain(values: pa.Array) -> np.ndarray:
    """An array of the nearest dtype; integers and booleans with nulls become a masked array: none is rounded."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    kind = values.type
    if t.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if values.null_count and (t.is_integer(kind) or t.is_boolean(kind)):
        mask = values.is_null().to_numpy(zero_copy_only=False)
        filled = pc.fill_null(values, pa.scalar(False if t.is_boolean(kind) else 0, kind))
        return np.ma.MaskedArray(filled.to_numpy(zero_copy_only=False), mask)
    if t.is_fixed_size_list(kind) and not values.null_count:
        inner = _plain(values.flatten())
        return inner.reshape([len(values), kind.list_size, *inner.shape[1:]])
    if t.is_time(kind):  # NumPy has none: the time since midnight
        since = values.view(pa.int32() if kind.bit_width == 32 else pa.int64()).cast(pa.int64())
        return _plain(since.view(pa.duration(kind.unit)))
    if t.is_timestamp(kind) and kind.tz is not None:
        values = values.cast(pa.timestamp(kind.unit))
    if t.is_date32(kind):
        return np.array(values.to_pylist(), "datetime64[D]")
    out = values.to_numpy(zero_copy_only=False)
    return _writable(out)
