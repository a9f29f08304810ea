"""CSV: which frames and keyword arguments Go writes byte for byte as pandas and polars do."""

from __future__ import annotations

import inspect
import os
from typing import Any

from atio._plan import EncodeInGo

from . import _compression, _fields, _names
from . import _csv_versions as versions
from ._pandas_cells import cells_of, index_cells_of, is_label
from ._printf import is_printf

_PANDAS_CELLS = 100_000
"""How many cells pandas converts at once; see ``chunk_rows`` in the Go encoder's options."""

_QUOTING = {0: "minimal", 1: "all", 2: "non_numeric"}
"""Values of Python's ``csv`` module, and what Go calls them."""

_QUOTE_STYLES = {
    None: "minimal",
    "necessary": "minimal",
    "always": "all",
    "non_numeric": "non_numeric",
    "never": "never",
}
"""Those of polars, and what Go calls them."""

_QUOTES = frozenset("\"'`~!#$%&()*,/;<=>?@[]^{|}\\")
"""Characters that occur in no number."""

_LINE_ENDS = ("\n", "\r\n", "\r")

_PANDAS_NULL_LENGTH = 32
"""What NumPy gives to the text of a float, to which pandas cuts ``na_rep``."""


def from_pandas(df: Any, target: str, kwargs: dict[str, Any]) -> EncodeInGo | None:
    """``DataFrame.to_csv``."""
    import pandas as pd

    if type(df).to_csv is not pd.DataFrame.to_csv:
        return None  # a subclass with a to_csv of its own
    rest = dict(kwargs)
    sep = rest.pop("sep", ",")
    na_rep = rest.pop("na_rep", "")
    float_format = rest.pop("float_format", None)
    columns = rest.pop("columns", None)
    header = rest.pop("header", True)
    index = rest.pop("index", True)
    index_label = rest.pop("index_label", None)
    chunksize = rest.pop("chunksize", None)
    compression = _compression.of_pandas(target, rest.pop("compression", "infer"))
    quoting = rest.pop("quoting", None) or 0
    quotechar = rest.pop("quotechar", '"')
    lineterminator = rest.pop("lineterminator", None) or os.linesep
    date_format = rest.pop("date_format", None)
    decimal = rest.pop("decimal", ".")
    if not (
        _is_separator(sep)
        and isinstance(na_rep, str)
        and len(na_rep) <= _PANDAS_NULL_LENGTH
        and "\0" not in na_rep
        and _encodable(na_rep)
        and _is_int(quoting)
        and quoting in _QUOTING
        and _is_quote(quotechar, sep)
        and lineterminator in _LINE_ENDS
        and isinstance(decimal, str)
        and isinstance(index, bool)
        and compression is not None
        and (chunksize is None or (_is_int(chunksize) and chunksize > 0))
        and all(_is_pandas_default(name, value) for name, value in rest.items())
    ):
        return None

    frame = df if columns is None else _selected(df, columns)
    if frame is None:
        return None
    plain = frame.columns.nlevels == 1 and all(is_label(c) for c in frame.columns)
    labels = [str(c) if plain else "" for c in frame.columns]
    numbers = quoting == 2 and not all(isinstance(n, (str, type(None))) for n in (*frame.columns, *frame.index.names))
    fields = None
    if plain and not numbers:
        fields = _pandas_header(frame, labels, header, index_label if index else False)
    chunk_rows = chunksize or max(1, _PANDAS_CELLS // max(1, len(labels)))
    by_pandas = {"sep": sep, "na_rep": na_rep, "float_format": float_format, "date_format": date_format}
    by_pandas |= {"decimal": decimal, "quoting": quoting, "quotechar": quotechar, "chunksize": chunk_rows}
    formatted = _formatted(float_format, date_format, decimal, quoting)
    made = _pandas_table(frame, labels, formatted, by_pandas, with_index=index)
    if made is None:
        return None
    table, verbatim = made
    if verbatim and lineterminator != "\n" and versions.of_pandas()["bare_cr"]:
        return None  # which fields are quoted depends on the end of lines
    options: dict[str, Any] = {
        "dialect": "pandas",
        "quote": quotechar,
        "quoting": _QUOTING[quoting],
        "line_end": lineterminator,
        "verbatim": verbatim,
        "separator": sep,
        "null": na_rep,
        "chunk_rows": chunk_rows,
        "compat": versions.of_pandas(),
        **compression,
    }
    if header is False:
        options["no_header"] = True
    elif fields is not None and all(_encodable(f) for f in fields):
        options["header"] = fields
    else:
        options["no_header"] = True
        labelled = {"header": header, "index": index, "index_label": index_label, "lineterminator": lineterminator}
        options["preamble"] = _fields.header_of_pandas(frame, by_pandas | labelled)
        if not options["preamble"]:
            return None
    if is_printf(float_format):
        options["float_format"] = float_format
    return EncodeInGo(table, len(frame), options)


def from_polars(df: Any, target: str, kwargs: dict[str, Any]) -> EncodeInGo | None:
    """``DataFrame.write_csv``."""
    import polars as pl

    if type(df).write_csv is not pl.DataFrame.write_csv or not _names.polars_are_exportable(df):
        return None
    rest = dict(kwargs)
    separator = rest.pop("separator", ",")
    include_header = rest.pop("include_header", True)
    null_value = rest.pop("null_value", None)
    float_precision = rest.pop("float_precision", None)
    batch_size = rest.pop("batch_size", 1024)
    quote_style = rest.pop("quote_style", None)
    check_extension = rest.pop("check_extension", True)
    quote_char = rest.pop("quote_char", '"')
    line_terminator = rest.pop("line_terminator", "\n")
    include_bom = rest.pop("include_bom", False)
    formats = {
        name: rest.pop(name, default)
        for name, default in _defaults(pl.DataFrame.write_csv).items()
        if name in ("datetime_format", "date_format", "time_format", "float_scientific", "decimal_comma")
    }
    codec, level = rest.pop("compression", "uncompressed"), rest.pop("compression_level", None)
    compression = _compression.of_polars(target, codec, level, check_extension is not False)
    if not (
        _is_separator(separator)
        and isinstance(include_header, bool)
        and (null_value is None or (isinstance(null_value, str) and _encodable(null_value)))
        and (float_precision is None or (_is_int(float_precision) and 0 <= float_precision < 100))
        and _is_int(batch_size)
        and batch_size > 0
        and (quote_style is None or isinstance(quote_style, str))
        and quote_style in _QUOTE_STYLES
        and _is_quote(quote_char, separator)
        and line_terminator in _LINE_ENDS
        and isinstance(include_bom, bool)
        and isinstance(check_extension, bool)
        and compression is not None
        and _are_defaults(pl.DataFrame.write_csv, rest)
    ):
        return None
    by_polars = {"separator": separator, "null_value": null_value, "float_precision": float_precision}
    by_polars |= {"quote_style": quote_style, "quote_char": quote_char, **formats}
    made = _polars_stream(df, by_polars)
    if made is None:
        return None
    stream, verbatim = made
    options: dict[str, Any] = {
        "dialect": "polars",
        "quote": quote_char,
        "quoting": _QUOTE_STYLES[quote_style],
        "line_end": line_terminator,
        "bom": include_bom,
        "verbatim": verbatim,
        "separator": separator,
        "null": null_value or "",
        "compat": versions.of_polars(),
        **compression,
    }
    if include_header:
        options["header"] = list(df.columns)
    else:
        options["no_header"] = True
    if float_precision is not None:
        options["float_format"] = f"%.{float_precision}f"
    return EncodeInGo(stream, df.height, options)


def from_arrow(table: Any, kwargs: dict[str, Any]) -> EncodeInGo | None:  # noqa: ARG001
    """``pyarrow.csv`` has a style of its own, which Go does not know."""
    return None


# What both libraries need.


def _is_separator(value: object) -> bool:
    return isinstance(value, str) and len(value) == 1 and value.isascii() and value not in '"\n\r\0'


def _is_quote(value: object, separator: str) -> bool:
    return isinstance(value, str) and len(value) == 1 and value in _QUOTES and value != separator


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _encodable(text: str) -> bool:
    """Whether there is no lone surrogate, for which the library raises what it raises."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# pandas


def _is_pandas_default(name: str, value: object) -> bool:
    """Whether one of the other arguments of ``to_csv`` asks for nothing special."""
    if value is None:
        return name in ("storage_options", "encoding", "escapechar")
    if name == "encoding":
        return isinstance(value, str) and value.lower() in ("utf-8", "utf8")
    if name == "doublequote":
        return value is True
    plain = {"mode": "w", "errors": "strict"}
    return isinstance(value, str) and plain.get(name) == value


def _selected(df: Any, columns: Any) -> Any:
    if not isinstance(columns, (list, tuple)) or df.columns.nlevels != 1:
        return None
    try:
        return df.loc[:, list(columns)]
    except Exception:  # whatever it is, pandas raises it again
        return None


def _pandas_header(frame: Any, labels: list[str], header: Any, index_label: Any) -> list[str] | None:
    """The fields of the first line: labels of the index, unless ``index_label`` is ``False``, and of the columns."""
    if isinstance(header, (list, tuple)):
        if len(header) != len(labels) or not all(isinstance(h, str) for h in header):
            return None
        labels = list(header)
    elif not isinstance(header, bool):
        return None
    names = frame.index.names
    if index_label is False:
        return labels
    if isinstance(index_label, str):
        return [index_label, *labels]
    if isinstance(index_label, (list, tuple)):
        return [*index_label, *labels] if all(isinstance(i, str) for i in index_label) else None
    if index_label is not None or not all(n is None or is_label(n) for n in names):
        return None
    if len(names) > 1:
        names = [n or "" for n in names]  # as pandas has it: a level named 0 has no label
    return ["" if n is None else str(n) for n in names] + labels


def _formatted(float_format: Any, date_format: Any, decimal: str, quoting: int) -> str:
    """Kinds of columns that pandas formats in a way that Go does not know: (narrow) floats, times."""
    floats = decimal != "." or not (float_format is None or is_printf(float_format))
    narrow = quoting != 0  # then they are Python's floats
    return ("f" if floats else "") + ("n" if narrow else "") + ("M" if date_format is not None else "")


def _pandas_table(
    frame: Any, labels: list[str], formatted: str, by_pandas: dict[str, Any], *, with_index: bool
) -> tuple[Any, list[int]] | None:
    """The index, if wanted, and the columns as a pyarrow table, and the numbers of those that hold fields.

    ``None`` if pandas has to write all columns, or the index.
    """
    import pandas as pd
    import pyarrow as pa

    arrays: list[Any] = []
    names: list[str] = []
    verbatim: list[int] = []
    if with_index:
        levels = index_cells_of(frame.index)
        if levels is None or any(_is_formatted(level.type, formatted) for level in levels):
            if isinstance(frame.index, pd.MultiIndex):
                return None
            levels = [_fields.of_pandas(frame.index, by_pandas)]
            verbatim.append(0)
            if levels[0] is None:
                return None
        arrays += levels
        names += [f"index {i}" if n is None else str(n) for i, n in enumerate(frame.index.names)]
    for i in range(len(labels)):
        column = frame.iloc[:, i]
        cells = cells_of(column)
        # Arrow's narrow floats are wide ones by now.
        narrow = "n" in formatted and str(column.dtype) == "float[pyarrow]"
        if cells is None or narrow or _is_formatted(cells.type, formatted):
            cells = _fields.of_pandas(column, by_pandas)
            verbatim.append(len(arrays))
        if cells is None:
            return None
        arrays.append(cells)
    if len(arrays) == len(verbatim):
        return None  # also if there are no columns: their lines cannot be counted
    table = pa.Table.from_arrays(arrays, names=[n if _encodable(n) else "?" for n in names + labels])
    if any(pa.types.is_timestamp(t) for t in table.schema.types):
        # pandas looks at so many rows at once to find the digits that timestamps need, from the frame's first row on.
        table = table.combine_chunks()
        if any(c.num_chunks > 1 for c in table.columns):
            return None
    return table, verbatim


def _is_formatted(kind: Any, formatted: str) -> bool:
    """Whether values of this Arrow type are of one of these kinds."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_floating(kind):
        return "f" in formatted or ("n" in formatted and not pa.types.is_float64(kind))
    return "M" in formatted and (pa.types.is_timestamp(kind) or pa.types.is_date(kind))


# polars


def _are_defaults(function: Any, kwargs: dict[str, Any]) -> bool:
    """Whether all these arguments exist and have the values that ``function`` gives them by itself."""
    parameters = inspect.signature(function).parameters
    for name, value in kwargs.items():
        if name not in parameters:
            return False
        default = parameters[name].default
        if value is not default and not (type(value) is type(default) and value == default):
            return False
    return True


def _defaults(function: Any) -> dict[str, Any]:
    """The arguments of a function that have defaults."""
    parameters = inspect.signature(function).parameters
    return {n: p.default for n, p in parameters.items() if p.default is not inspect.Parameter.empty}


def _polars_stream(df: Any, by_polars: dict[str, Any]) -> tuple[Any, list[int]] | None:
    """The frame as an Arrow stream, and the numbers of the columns that hold fields.

    ``None`` if polars has to write all columns, or one that it may refuse.
    """
    import polars as pl

    if df.width == 0:
        return None
    plain = {
        pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64,
        pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Categorical, pl.Enum,
        getattr(pl, "Float16", pl.Float32),
    }  # fmt: skip
    formatted = {pl.Time, pl.Decimal, pl.Duration}
    if by_polars.get("float_scientific") is not None or by_polars.get("decimal_comma", False) is not False:
        formatted |= {pl.Float32, pl.Float64, getattr(pl, "Float16", pl.Float32)}
    formatted |= {t for t, name in ((pl.Date, "date_format"), (pl.Datetime, "datetime_format")) if by_polars.get(name)}
    nulls, fields = [], []
    for name, dtype in df.schema.items():
        kind = dtype.base_type()
        if kind == pl.Null:
            nulls.append(name)
        elif kind in formatted or getattr(dtype, "time_zone", None) is not None:
            fields.append(name)
        elif kind in (pl.Date, pl.Datetime):
            if not _in_calendar(df[name], dtype):
                return None
        elif kind not in plain:
            return None
    if len(fields) == df.width:
        return None
    if nulls:  # which cannot be imported
        df = df.with_columns(pl.col(name).cast(pl.String) for name in nulls)
    if fields:
        made = [_fields.of_polars(df, name, by_polars) for name in fields]
        if any(m is None for m in made):
            return None
        df = df.with_columns(made)
    verbatim = [df.columns.index(name) for name in fields]
    return (df if hasattr(df, "__arrow_c_stream__") else df.to_arrow()), verbatim


def _in_calendar(column: Any, dtype: Any) -> bool:
    """Whether polars can write all dates: its calendar ends in the year 262142, and then it panics."""
    per_day = {"ms": 86_400_000, "us": 86_400_000_000, "ns": None}.get(getattr(dtype, "time_unit", ""), 1)
    if per_day is None or column.null_count() == len(column):
        return True
    physical = column.to_physical()
    return bool(physical.min() // per_day > -95_000_000 and physical.max() // per_day < 95_000_000)
