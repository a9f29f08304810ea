"""Columns and index levels of pandas frames -> Arrow arrays whose cells are what pandas writes into a sheet."""

from __future__ import annotations

import datetime as dt
import decimal
import functools
import re
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .._first_use import use
from . import _excel_sheet as sheets

Fields = list[tuple[Any, dict[str, Any]]]
"""Arrow arrays and how Go writes them (its ``Column``): each has the values that those before have not."""

_DECIMALS = re.compile(r"%\.([0-9]{1,2})f")


@dataclass(frozen=True)
class Cells:
    """How pandas writes the values of one sheet."""

    engine: str
    formats: sheets.Formats
    date_format: str
    datetime_format: str
    float_format: str | None

    def of(self, column: Any, style: dict[str, Any]) -> Fields | None:
        """The fields of a Series or Index; ``None`` if pandas has to write it.

        ``style`` is the format of all its cells.
        """
        import pyarrow as pa

        try:
            return self._of(column, style)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
            return None  # pandas raises what it raises, or can write it

    def _of(self, column: Any, style: dict[str, Any]) -> Fields | None:
        import numpy as np
        import pandas as pd
        import pyarrow as pa

        dtype = column.dtype
        if isinstance(dtype, np.dtype):
            if dtype.kind in "biuf" and dtype.itemsize <= 8:
                values = column.to_numpy()
                return self._plain(
                    pa.array(values if dtype.isnative else values.astype(dtype.newbyteorder("="))), style
                )
            if dtype.kind == "M":
                return self._moments(pa.array(column.to_numpy()), style)
            if dtype.kind == "m":
                delta = column.dt if isinstance(column, pd.Series) else column
                days = pa.array(np.asarray(delta.total_seconds()) / 86400)
                return [(days, self._how(style, "0"))]
            return self._objects(column.to_numpy() if dtype.kind == "O" else list(column), style)
        if isinstance(dtype, pd.CategoricalDtype):
            return self._categories(column.array, style)
        if isinstance(dtype, pd.StringDtype):
            return self._plain(_one_array(column.array.__arrow_array__()), style)
        if isinstance(dtype, pd.ArrowDtype):
            kind = dtype.pyarrow_dtype
            if _is_number(kind) or pa.types.is_boolean(kind) or _is_text(kind):
                return self._plain(_one_array(column.array.__arrow_array__()), style)
            if pa.types.is_timestamp(kind):
                return self._moments(_one_array(column.array.__arrow_array__()), style)
        elif hasattr(column.array, "_mask"):  # nullable numbers and booleans
            return self._plain(_one_array(column.array.__arrow_array__()), style)
        return self._objects(list(column), style)

    def _how(self, style: dict[str, Any], code: str = "General") -> dict[str, Any]:
        """How values are written that have a format of numbers of their own, which missing ones have not."""
        number = self.formats.number_of
        return {"format": number(style | sheets.number_format(code)), "missing_format": number(style)}

    def _plain(self, array: Any, style: dict[str, Any]) -> Fields | None:
        """Numbers, booleans and texts."""
        import pyarrow as pa

        how = self._how(style)
        if _is_text(array.type):
            return [(array, how)] if sheets.is_plain(array, self.engine) else None
        if pa.types.is_decimal(array.type) and not _decimals_are_numbers():
            array = pa.array([None if x is None else str(x) for x in array.to_pylist()], pa.large_string())
        elif pa.types.is_decimal(array.type):  # floats to pandas' engines, too
            array = pa.array([None if x is None else float(x) for x in array.to_pylist()], pa.float64())
        elif pa.types.is_floating(array.type) and self.float_format is not None:
            decimals = _DECIMALS.fullmatch(self.float_format)
            if decimals:
                how["decimals"] = int(decimals[1])
            else:
                array = pa.array([self._rounded(x) for x in array.to_pylist()], pa.float64())
        return [(array, how)]

    def _rounded(self, x: float | None) -> float | None:
        return x if x is None or x - x != 0 else float(self.float_format % x)  # type: ignore[operator]

    def _moments(self, array: Any, style: dict[str, Any]) -> Fields | None:
        use("pyarrow.compute")
        import pyarrow.compute as pc

        if array.type.tz is not None:
            return None  # pandas refuses it
        ends = pc.min_max(array.cast("int64"))
        if ends["min"].is_valid:
            per_day = 86400 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[array.type.unit]
            low, high = ends["min"].as_py() // per_day, ends["max"].as_py() // per_day
            epoch = dt.date(1970, 1, 1).toordinal()
            if low + epoch < sheets.FIRST_DAY.toordinal() or high + epoch > sheets.LAST_DAY.toordinal():
                return None
        return [(array, self._how(style, self.datetime_format))]

    def _categories(self, array: Any, style: dict[str, Any]) -> Fields | None:
        """A Categorical: codes, of which -1 stands for a missing value, and categories."""
        import numpy as np
        import pyarrow as pa

        if len(array.categories) == 0:
            return [(pa.nulls(len(array)), self._how(style))]
        made = self._of(array.categories, style)
        if made is None or len(made) > 1:
            return None if made is None else self._objects(list(array), style)
        values, how = made[0]
        codes = np.asarray(array.codes)
        missing = codes == -1
        indices = pa.array(codes, mask=missing if missing.any() else None)
        return [(pa.DictionaryArray.from_arrays(indices, values), how)]

    def _objects(self, values: Any, style: dict[str, Any]) -> Fields | None:
        """Python objects, of one kind or of many."""
        import pandas as pd
        import pyarrow as pa

        kind = pd.api.types.infer_dtype(values, skipna=True)
        if kind in ("string", "boolean"):
            array = pa.array(values, pa.bool_() if kind == "boolean" else pa.large_string(), from_pandas=True)
            if array.null_count == int(pd.isna(values).sum()):
                return self._plain(array, style)
        sorted_out = _Objects()
        if not sorted_out.take(values):
            return None
        fields: Fields = []
        for name, kind, code in (
            ("texts", pa.large_string(), "General"),
            ("integers", pa.int64(), "General"),
            ("floats", pa.float64(), "General"),
            ("booleans", pa.bool_(), "General"),
            ("datetimes", pa.timestamp("us"), self.datetime_format),
            ("dates", pa.date32(), self.date_format),
            ("durations", pa.float64(), "0"),
        ):
            listed = getattr(sorted_out, name)
            if listed is None:
                continue
            array = pa.array(listed, kind)
            if name in ("texts", "floats"):
                made = self._plain(array, style)
                if made is None:
                    return None
                fields += made
            else:
                fields.append((array, self._how(style, code)))
        for _, how in fields[1:]:
            how["else"] = True
        return fields or [(pa.nulls(len(values)), self._how(style))]


class _Objects:
    """Python objects by the kind of cell that pandas makes of them; ``None`` where there is another one."""

    texts: list[str | None] | None = None
    integers: list[int | None] | None = None
    floats: list[float | None] | None = None
    booleans: list[bool | None] | None = None
    datetimes: list[dt.datetime | None] | None = None
    dates: list[dt.date | None] | None = None
    durations: list[float | None] | None = None

    def take(self, values: Iterable[Any]) -> bool:
        """Sort values; ``False`` if there is one that is left to pandas."""
        n = len(values)  # type: ignore[arg-type]
        for i, value in enumerate(values):
            sorted_in = _kind_of(value)
            if sorted_in is None:
                return False
            name, cell = sorted_in
            if not name:
                continue
            listed = getattr(self, name)
            if listed is None:
                listed = [None] * n
                setattr(self, name, listed)
            listed[i] = cell
        return True


def _kind_of(value: Any) -> tuple[str, Any] | None:
    """The kind of cell that a value makes, empty if it is missing, and what is in it.

    As ``ExcelFormatter._format_value`` and ``ExcelWriter._value_with_fmt`` of pandas have it.
    """
    import pandas as pd
    from pandas.api import types as kinds

    if type(value) is str:
        return "texts", value
    if kinds.is_scalar(value) and pd.isna(value):
        return "", None
    if getattr(value, "tzinfo", None) is not None:
        return None
    if kinds.is_integer(value):
        number = int(value)
        return ("integers", number) if -(2**63) <= number < 2**63 else ("floats", float(number))
    if kinds.is_float(value):
        return "floats", float(value)
    if kinds.is_bool(value):
        return "booleans", bool(value)
    if isinstance(value, decimal.Decimal):
        if not _decimals_are_numbers():
            return "texts", str(value)
        return ("floats", float(value)) if value.is_finite() else None
    if isinstance(value, dt.datetime):
        return ("datetimes", value) if _is_in_calendar(value.date()) else None
    if isinstance(value, dt.date):
        return ("dates", value) if _is_in_calendar(value) else None
    if isinstance(value, dt.timedelta):
        return "durations", value.total_seconds() / 86400
    return "texts", str(value)


@functools.cache
def _decimals_are_numbers() -> bool:
    """Whether this version of pandas writes decimals as numbers: some write texts."""
    import pandas as pd

    writer = types.SimpleNamespace(_date_format="", _datetime_format="")
    value, _ = pd.ExcelWriter._value_with_fmt(writer, decimal.Decimal(1))
    return not isinstance(value, str)


def _is_in_calendar(day: dt.date) -> bool:
    return sheets.FIRST_DAY <= day <= sheets.LAST_DAY


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal128(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _one_array(array: Any) -> Any:
    """The array itself, or that of all chunks."""
    import pyarrow as pa

    if not isinstance(array, pa.ChunkedArray):
        return array
    if array.num_chunks == 1:
        return array.chunk(0)
    return pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
