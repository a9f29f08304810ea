"""JSON: which frames Go writes byte for byte as polars does."""

from __future__ import annotations

import datetime as dt
import functools
import io
from typing import TYPE_CHECKING, Any

from atio._plan import EncodeInGo

from . import _names

if TYPE_CHECKING:
    import polars as pl

# By name, because not every version of polars has all of them.
_FLAT_TYPES = frozenset(
    [
        *("Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"),
        *("Float32", "Float64", "String", "Date", "Time", "Categorical", "Enum"),
    ]
)


def from_polars(df: pl.DataFrame, kwargs: dict[str, Any]) -> EncodeInGo | None:
    """``DataFrame.write_json`` and ``write_ndjson``, without arguments."""
    import polars as pl

    if type(df).write_ndjson is not pl.DataFrame.write_ndjson or type(df).write_json is not pl.DataFrame.write_json:
        return None  # a subclass with writers of its own
    if kwargs or not df.columns or not _names.polars_are_exportable(df):
        return None
    if not all(_fits(dtype) for dtype in df.dtypes) or not _is_known():
        return None
    return EncodeInGo(df, df.height)


@functools.cache
def _is_known() -> bool:
    """Whether this version of polars writes values as Go does; some write other exponents and times."""
    import polars as pl

    moment = dt.datetime(2020, 1, 2, 3, 4, 5, 6)
    probe = pl.DataFrame({"f": [1e20, None, float("nan")], "s": ["/\x7f\x1f", "", None]}).with_columns(
        pl.lit(moment).alias("t"), pl.lit(moment.time()).alias("c"), pl.lit(moment.replace(microsecond=0)).alias("u")
    )
    text = io.BytesIO()
    probe.write_ndjson(text)
    rest = b',"t":"2020-01-02 03:04:05.000006","c":"03:04:05.000006","u":"2020-01-02 03:04:05"}\n'
    first = b'{"f":1e+20,"s":"/\x7f\\u001f"', b'{"f":null,"s":""', b'{"f":null,"s":null'
    return text.getvalue() == b"".join(line + rest for line in first)


def _fits(dtype: Any) -> bool:
    """Whether Go writes a type as polars does."""
    import polars as pl

    if isinstance(dtype, type):
        dtype = dtype()
    if isinstance(dtype, pl.Struct):
        return bool(dtype.fields) and all(_fits(field.dtype) for field in dtype.fields)
    if isinstance(dtype, pl.List):
        return _fits(dtype.inner)
    if isinstance(dtype, pl.Datetime):
        return dtype.time_zone is None
    return dtype.__class__.__name__ in _FLAT_TYPES
