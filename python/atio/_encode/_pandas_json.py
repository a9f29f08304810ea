"""Columns and labels of pandas frames -> Arrow arrays whose JSON is what pandas writes.

pandas' C encoder takes each column as a NumPy array, and each of its elements as a Python object. What it does with
those of one type is known here; of other columns pandas makes the JSON, value by value, and Go puts it into its place.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from .._first_use import use
from ._pandas_cells import dictionary_of, masked_types, objects_of

_UNITS = ("s", "ms", "us", "ns")
_MOST_NESTED = 20
_MOST_DAYS = 106_000
_FIRST_DAY, _LAST_DAY = dt.date(1, 1, 2), dt.date(9999, 12, 30)


@dataclass(frozen=True)
class Style:
    """The arguments of ``to_json`` that say how values are written."""

    iso: bool
    unit: str
    precision: int
    ascii: bool

    def to_json(self, frame: Any, orient: str, **more: Any) -> str:
        """What pandas makes of a frame, without the warnings of ``DataFrame.to_json``."""
        from pandas.io.json import to_json

        text: str = to_json(None, frame, orient=orient, **self._kwargs, **more)
        return text

    @property
    def _kwargs(self) -> dict[str, Any]:
        return {
            "date_format": "iso" if self.iso else "epoch",
            "date_unit": self.unit,
            "double_precision": self.precision,
            "force_ascii": self.ascii,
        }


def values_of(column: Any, style: Style) -> Any:
    """A Series as an Arrow array or chunked array; ``None`` if Go would not write it as pandas does."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    dtype = column.dtype
    try:
        if isinstance(dtype, np.dtype):
            return _from_numpy(column, style)
        if isinstance(dtype, pd.CategoricalDtype):
            return _from_categories(column.array)
        if isinstance(dtype, pd.DatetimeTZDtype):
            return _zoned(column, style)
        if isinstance(dtype, pd.ArrowDtype):
            kind = dtype.pyarrow_dtype
            plain = pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_floating(kind)
            if plain or pa.types.is_string(kind) or pa.types.is_large_string(kind):
                return column.array.__arrow_array__()
            if pa.types.is_timestamp(kind) and kind.tz is None:
                return _from_numpy(pd.Series(column.to_numpy()), style)
        if isinstance(dtype, pd.SparseDtype) and dtype.kind in "biuf":
            return pa.array(np.asarray(column.array))
        if isinstance(dtype, (pd.StringDtype, *masked_types())):
            return column.array.__arrow_array__()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, ValueError, OverflowError):
        return None  # pandas raises what it raises, or can write it
    return None


def texts_of(column: Any, style: Style) -> Any:
    """The JSON that pandas makes of each value of a Series, as an Arrow array; ``None`` if it cannot be had."""
    import pandas as pd
    import pyarrow as pa

    if column.dtype.kind == "O" and not all(_is_independent(v) for v in column.array):
        return None
    try:
        frame = pd.DataFrame({0: column.array}, copy=False)
        lines = style.to_json(frame, "records", lines=True).split("\n")
        if lines.pop() != "" or len(lines) != len(column):
            return None
        before = '{"0":'
        if not all(line.startswith(before) and line.endswith("}") for line in lines):
            return None
        return pa.array([line[len(before) : -1] for line in lines], pa.large_string())
    except Exception:  # whatever it is, pandas raises it again when it writes the frame
        return None


def row_labels_of(index: Any, style: Style) -> Any:
    """The labels of an Index as an Arrow array: integers, strings or timestamps; ``None`` if they cannot be had."""
    use("pyarrow.compute")
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    dtype = None if isinstance(index, pd.MultiIndex) else index.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iu" and dtype.isnative:
        return pa.array(index.to_numpy())
    if isinstance(dtype, pd.StringDtype) or (isinstance(dtype, np.dtype) and dtype.kind in "OM"):
        labels = values_of(pd.Series(index), style)
        if labels is not None and (pa.types.is_timestamp(labels.type) or pa.types.is_integer(labels.type)):
            return labels
        is_text = labels is not None and (pa.types.is_string(labels.type) or pa.types.is_large_string(labels.type))
        # C's strings end at a NUL.
        if is_text and labels.null_count == 0 and not pc.any(pc.match_substring(labels, "\0")).as_py():
            return labels
    try:
        frame = pd.DataFrame({0: np.zeros(len(index), np.int8)}, index=index)
        return pa.array(_keys(style.to_json(frame, "index")), pa.large_string())
    except Exception:  # pandas raises it again
        return None


def column_labels_of(columns: Any, style: Style) -> list[str] | None:
    """The labels of columns as text; ``None`` if they cannot be had, or not handed to Go."""
    import pandas as pd

    found: list[str] | None
    if columns.nlevels == 1 and all(type(c) in (str, int, float, bool, type(None)) for c in columns.tolist()):
        found = [str(c) for c in columns.tolist()]
    else:
        try:
            frame = pd.DataFrame([range(len(columns))], columns=columns)
            found = _keys(style.to_json(frame, "records")[1:-1])
        except Exception:  # pandas raises it again
            return None
    # C's strings end at a NUL, as the names of Arrow's C interface do.
    return None if any("\0" in label or not _is_encodable(label) for label in found) else found


def _keys(text: str) -> list[str]:
    """Those of an object."""
    keys: list[str] = json.loads(text, object_pairs_hook=lambda pairs: [key for key, _ in pairs])
    return keys


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_numpy(column: Any, style: Style) -> Any:
    import numpy as np
    import pyarrow as pa

    dtype = column.dtype
    if dtype.kind == "O":
        return _objects(column.to_numpy())
    if dtype.kind in "biuf" and dtype.itemsize <= 8:
        return pa.array(column.to_numpy().astype(dtype.newbyteorder("="), copy=False))
    if dtype.kind not in "mM" or np.datetime_data(dtype) not in [(u, 1) for u in _UNITS]:
        return None
    if not style.iso:
        return _counts(column.dt.as_unit(style.unit).to_numpy())
    if dtype.kind == "m" and len(column) and abs(column.dt.days).max() > _MOST_DAYS:
        return None  # they may be too long for nanoseconds
    return pa.array(column.to_numpy())


def _objects(values: Any) -> Any:
    """Python objects: strings, booleans, integers or decimals, some of which may be missing."""
    import pandas as pd
    import pyarrow as pa

    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind == "decimal":
        missing = pd.isna(values)
        finite = all(v.is_finite() for v in values if isinstance(v, decimal.Decimal))
        if not finite or not _writes_decimals_as_texts():
            return None
        return pa.array([None if m else f"{v:f}" for v, m in zip(values, missing, strict=True)], pa.large_string())
    if kind != "integer" or not {*map(type, values)} <= {int, float, type(None)}:
        return objects_of(values, kind)
    array = pa.array(values, pa.int64(), from_pandas=True)
    return array if array.null_count == int(pd.isna(values).sum()) else None


@cache
def _writes_decimals_as_texts() -> bool:
    """Whether this version of pandas does; older ones made floats of them."""
    import pandas as pd

    style = Style(iso=False, unit="ms", precision=10, ascii=True)
    frame = pd.DataFrame({"d": pd.Series([decimal.Decimal("1.10"), decimal.Decimal("-1e9"), None], dtype=object)})
    return style.to_json(frame, "values") == '[["1.10"],["-1000000000"],[null]]'


def _counts(values: Any) -> Any:
    """Timestamps or timedeltas of NumPy as integers; NaT is null."""
    import pyarrow as pa

    array = pa.array(values)
    return array.view(pa.int64())


def _zoned(column: Any, style: Style) -> Any:
    """Timestamps with a time zone: pandas makes objects of them, of which it takes no more than the microseconds."""
    import pandas as pd
    import pyarrow as pa

    if not style.iso:
        column = column.dt.as_unit(style.unit)
    unit = column.dtype.unit
    values = column.dt.tz_convert("UTC").dt.tz_localize(None)
    first, last = values.min(), values.max()
    if not pd.isna(first) and not (first.date() > _FIRST_DAY and last.date() < _LAST_DAY):
        return None
    if unit == "ns":
        values = values.dt.floor("us")
    array = pa.array(values.to_numpy())
    return array.cast(pa.timestamp(unit, "UTC")) if style.iso else array.view(pa.int64())


def _from_categories(array: Any) -> Any:
    """A Categorical, as NumPy's array of its values."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if len(array.categories) == 0:
        return pa.nulls(len(array))
    categories = array.categories
    kind = categories.dtype.kind if isinstance(categories.dtype, np.dtype) else ""
    if kind not in ("b", "i", "u", "f", "O") and not isinstance(categories.dtype, pd.StringDtype):
        return None
    missing = bool((np.asarray(array.codes) == -1).any())
    if kind == "O":
        values = objects_of(categories.to_numpy())
    elif kind == "":
        values = categories.array.__arrow_array__()
    else:
        # Integers among which some are missing are floats to NumPy.
        values = pa.array(categories.to_numpy().astype(float) if missing and kind in "iu" else categories.to_numpy())
    return None if values is None else dictionary_of(array.codes, values)


@cache
def _independent_types() -> frozenset[type]:
    import numpy as np
    import pandas as pd

    return frozenset(
        [
            *(str, bytes, int, float, bool, type(None), dt.date, dt.datetime, dt.time, dt.timedelta, decimal.Decimal),
            *(pd.Timestamp, pd.Timedelta, type(pd.NaT), type(pd.NA), pd.Period, pd.Interval),
            *(np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64),
            *(np.float16, np.float32, np.float64, complex),
        ]
    )


def _is_independent(value: Any, depth: int = 0) -> bool:
    """Whether the JSON of a value is the same wherever it stands, which that of frames and arrays is not."""
    kind = type(value)
    if kind in _independent_types():
        return True
    if depth > _MOST_NESTED:
        return False
    if kind is dict:
        return all(_is_independent(v, depth + 1) for v in value.values())
    if kind in (list, tuple, set, frozenset):
        return all(_is_independent(v, depth + 1) for v in value)
    return False
