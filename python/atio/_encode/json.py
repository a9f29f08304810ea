"""JSON: which frames and keyword arguments Go writes byte for byte as pandas and polars do."""

from __future__ import annotations

import datetime as dt
import functools
import io
from typing import TYPE_CHECKING, Any

from atio._plan import EncodeInGo

from . import _compression, _names
from ._pandas_json import Style, column_labels_of, row_labels_of, texts_of, values_of

if TYPE_CHECKING:
    import polars as pl

_ORIENTS = ("split", "records", "index", "columns", "values", "table")


def from_pandas(df: Any, target: str, kwargs: dict[str, Any]) -> EncodeInGo | None:
    """``DataFrame.to_json``."""
    import pandas as pd

    if type(df).to_json is not pd.DataFrame.to_json or df.shape[1] == 0:
        return None
    rest = dict(kwargs)
    orient = rest.pop("orient", None) or "columns"
    date_format = rest.pop("date_format", None) or ("iso" if orient == "table" else "epoch")
    precision = rest.pop("double_precision", 10)
    force_ascii = rest.pop("force_ascii", True)
    unit = rest.pop("date_unit", "ms")
    lines = rest.pop("lines", False)
    index = rest.pop("index", None)
    indent = rest.pop("indent", None) or 0
    compression = _compression.of_pandas(target, rest.pop("compression", "infer"))
    # For orient="records" and "values", True is refused, for "index" and "columns" False is.
    fitting = {"records": (None, False), "values": (None, False), "index": (None, True), "columns": (None, True)}
    if not (
        orient in _ORIENTS
        and date_format in ("epoch", "iso")
        and (orient != "table" or date_format == "iso")
        and _is_int(precision)
        and 0 <= precision <= 15
        and isinstance(force_ascii, bool)
        and unit in ("s", "ms", "us", "ns")
        and isinstance(lines, bool)
        and (not lines or (orient == "records" and indent == 0))
        and (index is None or isinstance(index, bool))
        and index in fitting.get(orient, (None, True, False))
        and _is_int(indent)
        and indent >= 0
        and compression is not None
        and rest.pop("mode", "w") == "w"
        and all(rest.pop(name, None) is None for name in ("default_handler", "storage_options"))
        and not rest
        and (orient not in ("index", "columns") or df.index.is_unique)
        and (orient in ("values", "split") or df.columns.is_unique)
        and _pandas_is_known()
    ):
        return None
    style = Style(date_format == "iso", unit, precision, force_ascii)
    made = _pandas_table(df, orient, index is not False, style, indent)
    if made is None:
        return None
    table, more = made
    _have_pandas_warn(df, orient, kwargs.get("date_format"))
    options: dict[str, Any] = {
        "dialect": "pandas",
        "orient": "records" if orient == "table" else orient,
        "lines": lines,
        "precision": precision,
        "unicode": not force_ascii,
        "date_unit": unit,
        "indent": indent,
        **more,
        **compression,
    }
    return EncodeInGo(table, len(df), options, whole=orient not in ("records", "values"))


def from_polars(df: pl.DataFrame, format: str, target: str, kwargs: dict[str, Any]) -> EncodeInGo | None:
    """``DataFrame.write_json`` and ``write_ndjson``."""
    import polars as pl

    if type(df).write_ndjson is not pl.DataFrame.write_ndjson or type(df).write_json is not pl.DataFrame.write_json:
        return None  # a subclass with writers of its own
    if not df.columns or not _names.polars_are_exportable(df) or not _polars_is_known():
        return None
    rest = dict(kwargs)
    codec, level, check_extension = "uncompressed", None, True
    if format == "ndjson" and "compression" in _parameters(pl.DataFrame.write_ndjson):
        codec, level = rest.pop("compression", codec), rest.pop("compression_level", level)
        check_extension = rest.pop("check_extension", True)
    compression = _compression.of_polars(target, codec, level, check_extension is not False)
    if rest or compression is None or not isinstance(check_extension, bool):
        return None
    texts, nulls = [], []
    for name, dtype in df.schema.items():
        if dtype == pl.Null:
            nulls.append(name)
        elif not _fits(dtype):
            texts.append(name)
    if len(texts) == df.width:
        return None
    rows = df.height
    verbatim = [df.columns.index(name) for name in texts]
    if nulls:  # which cannot be imported
        df = df.with_columns(pl.col(name).cast(pl.String) for name in nulls)
    if texts:
        made = [_polars_texts(df, name) for name in texts]
        if any(m is None for m in made):
            return None
        df = df.with_columns(m for m in made if m is not None)
    options: dict[str, Any] = {**({"verbatim": verbatim} if verbatim else {}), **compression}
    return EncodeInGo(df if hasattr(df, "__arrow_c_stream__") else df.to_arrow(), rows, options)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# pandas


def _pandas_table(
    df: Any, orient: str, with_index: bool, style: Style, indent: int
) -> tuple[Any, dict[str, Any]] | None:
    """A table of labels of rows, if any, and of columns, and the options of Go's encoder that depend on the frame."""
    import pandas as pd
    import pyarrow as pa

    options: dict[str, Any] = {}
    series = [df.iloc[:, i] for i in range(df.shape[1])]
    if orient in ("values", "split"):  # which have no use for them
        labels: list[str] | None = [str(i) for i in range(len(series))]
    else:
        labels = column_labels_of(df.columns, style)
    if labels is None:
        return None
    first: list[Any] = []
    if orient == "table":
        made = _table_schema(df, with_index, indent, style)
        if made is None:
            return None
        options["before"], levels = made
        if any(s.dtype.kind in "m" or isinstance(s.dtype, pd.PeriodDtype) for s in (*levels.values(), *series)):
            return None  # they are other columns in this orient
        series = [*levels.values(), *series]
        labels = [*levels, *labels]
    elif orient == "split":
        options["before"] = _before_split(df, with_index, indent, style)
        if options["before"] is None or (not with_index and not all(_is_plain(s.dtype) for s in series)):
            return None  # without its index, it is made of Python objects
        if with_index:
            options["row_labels"] = True
            index = df.index.to_flat_index() if isinstance(df.index, pd.MultiIndex) else df.index
            series = [pd.Series(index, index=range(len(index))), *series]
            labels = ["index", *labels]
    elif orient in ("index", "columns"):
        options["row_labels"] = True
        first = [row_labels_of(df.index, style)]
        labels = ["index", *labels]
        if first[0] is None:
            return None
    arrays, verbatim = list(first), []
    for column in series:
        array = values_of(column, style)
        if array is None:
            verbatim.append(len(arrays))
            array = texts_of(column, style)
            if array is None or (indent > 0 and any(str(text)[:1] in "[{" for text in array)):
                return None
        arrays.append(array)
    if len(verbatim) == len(series):
        return None
    if verbatim:
        options["verbatim"] = verbatim
    return pa.Table.from_arrays(arrays, names=labels), options


def _have_pandas_warn(df: Any, orient: str, date_format: str | None) -> None:
    """Have pandas say what it says of dates as numbers."""
    dates = any(dtype.kind in "mM" for dtype in (*df.dtypes, df.index.dtype, df.columns.dtype))
    if orient != "table" and (dates or date_format is not None):
        df.iloc[:0].to_json(orient="values", date_format=date_format)


def _is_plain(dtype: Any) -> bool:
    import pandas as pd

    return dtype.kind in "biufO" and not isinstance(dtype, (pd.CategoricalDtype, pd.PeriodDtype, pd.SparseDtype))


def _before_split(df: Any, with_index: bool, indent: int, style: Style) -> str | None:
    """The text of ``orient="split"`` up to its index, or its data."""
    try:
        text = style.to_json(df.iloc[:0], "split", index=with_index, indent=indent)
    except Exception:  # pandas raises it again
        return None
    key = '"index":' if with_index else '"data":'  # no label holds it, in which quotes are escaped
    return text[: text.rindex(key) + len(key)]


def _table_schema(df: Any, with_index: bool, indent: int, style: Style) -> tuple[str, dict[str, Any]] | None:
    """The text of ``orient="table"`` up to its data, and the levels of the index, which are columns there."""
    import pandas as pd

    some = df.iloc[:0]
    if with_index and not df.index.is_unique:  # then it is no primary key
        twice = df.index.duplicated(keep=False)
        some = df[twice & (df.index == df.index[twice][0])][:2]
        if some.index.is_unique:
            return None
    try:
        text = style.to_json(some, "table", index=with_index, indent=indent)
    except Exception:  # pandas raises it again
        return None
    key = '"data":'
    before = text[: text.index(key + "[") + len(key)]
    if not with_index:
        return before, {}
    names = list(df.index.names)
    if len(names) == 1:
        if isinstance(df.index, pd.MultiIndex):
            return None
        names = [names[0] or "index"]
    elif any(name is None for name in names):
        names = [f"level_{i}" if name is None else name for i, name in enumerate(names)]
    if not all(isinstance(name, str) and "\0" not in name for name in names) or len({*names}) < len(names):
        return None
    return before, {n: pd.Series(df.index.get_level_values(i)) for i, n in enumerate(names)}


@functools.cache
def _pandas_is_known() -> bool:
    """Whether this version of pandas writes values as Go does."""
    import numpy as np
    import pandas as pd

    moments = np.array(["2020-01-02T03:04:05.678901234", "NaT"], "M8[ns]")
    text = '/\x7f\x1f"\u00e9\U0001f600'
    # Values of a column, of which the second is missing, and the first as pandas writes it, in two ways.
    probe: list[tuple[Any, str, str]] = [
        ([1e20 / 3, np.nan], "3.333333333e+19", "3.333333333e+19"),
        ([text, None], r'"\/' + '\x7f\\u001f\\"\\u00e9\\ud83d\\ude00"', r'"\/' + '\x7f\\u001f\\"\u00e9\U0001f600"'),
        (moments, "1577934245678901234", '"2020-01-02T03:04:05.678901"'),
        (pd.Series(moments).dt.tz_localize("Asia/Seoul"), "1577901845678901000", '"2020-01-01T18:04:05.678901Z"'),
        (np.array([1_500_000_000, "NaT"], "m8[ns]"), "1500000000", '"P0DT0H0M1.500S"'),
        (pd.Categorical([3, None]), "3.0", "3.0"),
    ]
    frame = pd.DataFrame(dict(enumerate(values for values, _, _ in probe)))
    for way, style in (1, Style(False, "ns", 10, True)), (2, Style(True, "us", 10, False)):
        first = ",".join(case[way] for case in probe)
        last = ",".join("null" for _ in probe)
        if style.to_json(frame, "values") != f"[[{first}],[{last}]]":
            return False
    # Old ones took all times for nanoseconds, and rounded those before 1970 up.
    old = pd.DataFrame({"t": np.array([-1], "M8[ns]"), "u": np.array([-1], "M8[s]"), "d": np.array([-1], "m8[s]")})
    if Style(False, "s", 10, True).to_json(old, "values") != "[[-1,-1,-1]]":
        return False
    if Style(True, "s", 10, True).to_json(old[["d"]], "values") != '[["P-1DT23H59M59S"]]':
        return False
    labels = pd.DataFrame({"a": [-0.0, 2]}, index=moments)
    return Style(False, "s", 10, True).to_json(labels, "columns") == '{"a":{"1577934245":0.0,"null":2.0}}'


# polars

# By name, because not every version of polars has all of them.
_FLAT_TYPES = frozenset(
    [
        *("Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"),
        *("Float16", "Float32", "Float64", "String", "Date", "Time", "Categorical", "Enum", "Duration", "Decimal"),
    ]
)


@functools.cache
def _parameters(function: Any) -> frozenset[str]:
    import inspect

    return frozenset(inspect.signature(function).parameters)


@functools.cache
def _polars_is_known() -> bool:
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


@functools.cache
def _has_known_amounts() -> bool:
    """Whether this version of polars writes durations, decimals and times in UTC as Go does."""
    from decimal import Decimal

    import polars as pl

    zone = pl.Series([dt.datetime(2020, 1, 2, 3, 4, 5, 6)]).dt.replace_time_zone("UTC")
    probe = pl.DataFrame({"d": [dt.timedelta(1, 2, 3)], "e": [dt.timedelta(0)], "x": [Decimal("-0.50")]})
    text = io.BytesIO()
    try:
        probe.with_columns(z=zone).write_ndjson(text)
    except BaseException as e:  # some panic
        if isinstance(e, (KeyboardInterrupt, SystemExit)):
            raise
        return False
    return text.getvalue() == b'{"d":"PT86402.000003S","e":"P0D","x":"-0.50","z":"2020-01-02T03:04:05.000006+00:00"}\n'


def _fits(dtype: Any) -> bool:
    """Whether Go writes a type as polars does."""
    import polars as pl

    if isinstance(dtype, type):
        dtype = dtype()
    if isinstance(dtype, pl.Struct):
        return bool(dtype.fields) and all(_fits(field.dtype) for field in dtype.fields)
    if isinstance(dtype, (pl.List, pl.Array)):
        return _fits(dtype.inner)
    if isinstance(dtype, pl.Datetime):
        return dtype.time_zone is None or (dtype.time_zone == "UTC" and _has_known_amounts())
    if isinstance(dtype, (pl.Duration, pl.Decimal)):
        return _has_known_amounts()
    return dtype.__class__.__name__ in _FLAT_TYPES


def _polars_texts(df: pl.DataFrame, name: str) -> pl.Series | None:
    """The JSON that polars makes of each value of a column; ``None`` if it cannot be had."""
    import polars as pl

    text = io.BytesIO()
    try:
        df.select(pl.col(name).alias("x")).write_ndjson(text)
    except BaseException as e:  # polars panics with one that is no Exception, and raises it again
        if isinstance(e, (KeyboardInterrupt, SystemExit)):
            raise
        return None
    before, lines = '{"x":', text.getvalue().decode().split("\n")
    if lines.pop() != "" or len(lines) != df.height:
        return None
    return pl.Series(name, [line[len(before) : -1] for line in lines], dtype=pl.String)
