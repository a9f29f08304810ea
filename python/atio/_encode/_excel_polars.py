"""polars' frames as sheets: which ones Go writes as ``DataFrame.write_excel`` does."""

from __future__ import annotations

import inspect
import re
from typing import Any, cast

from . import _excel_sheet as sheets
from . import _names

_TOTALS = {
    "sum": "sum", "average": "average", "count": "count", "count_nums": "countNums", "max": "max", "min": "min",
    "std_dev": "stdDev", "var": "var",
}  # fmt: skip

_TYPES = frozenset(
    [
        *("Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64"),
        *("String", "Categorical", "Enum", "Date", "Datetime", "Time", "Decimal", "Duration", "Null"),
    ]
)

_TABLE_NAME = re.compile(r"(?![A-Za-z]{1,3}[0-9]+$)(?![rcRC]([0-9]|$))[A-Za-z_][A-Za-z0-9_.]{0,254}")
"""Names of tables that are no references to cells."""


def check_limits(df: Any, name: object, kwargs: dict[str, Any]) -> None:
    """Raise a ``ValueError`` for what no sheet, or no table, holds."""
    from polars.exceptions import InvalidOperationError

    if isinstance(name, str) and name:
        sheets.check_name(name, *sheets.name_errors())
    start = _position(kwargs.get("position", "A1"))
    if start is not None:
        more = int(kwargs.get("include_header", True) is not False) + int(bool(kwargs.get("column_totals")))
        last = df.columns[-1] if df.columns else None
        height, width = start[0] + df.height + more, start[1] + df.width
        sheets.check_size(str(name or "Sheet1"), height, width, last, InvalidOperationError)
    seen: dict[str, str] = {}
    for column in df.columns:
        if (other := seen.setdefault(column.lower(), column)) is not column:
            raise ValueError(
                f"sheet {name or 'Sheet1'!r}: columns {other!r} and {column!r} differ in case only, which Excel does "
                "not see, and a table cannot hold both (polars would write an empty sheet); rename one of them"
            )


class _Recorder:
    """Stands for polars' cache of XlsxWriter's formats: a format stays the dict that describes it."""

    def get(self, format: Any) -> Any:
        return format


def sheet_of(df: Any, name: Any, kwargs: dict[str, Any], formats: sheets.Formats, table: str) -> sheets.Sheet | None:
    """A frame as a sheet that Go writes; ``None`` if polars has to.

    ``kwargs`` are those of ``write_excel``, without the name of the sheet; ``table`` is the name of its table if they
    have none.
    """
    import polars as pl

    if type(df).write_excel is not pl.DataFrame.write_excel or not _names.polars_are_exportable(df):
        return None
    asked: dict[str, Any] = {
        "position": "A1", "table_style": None, "table_name": None, "column_formats": None, "dtype_formats": None,
        "conditional_formats": None, "header_format": None, "column_totals": None, "column_widths": None,
        "row_totals": None, "row_heights": None, "sparklines": None, "formulas": None, "float_precision": 3,
        "include_header": True, "autofilter": True, "autofit": False, "hidden_columns": None, "hide_gridlines": False,
        "sheet_zoom": None, "freeze_panes": None, "use_zip64": False,
    }  # fmt: skip
    if not kwargs.keys() <= asked.keys():
        return None
    asked |= kwargs
    name = "Sheet1" if name in (None, "") else name
    table = asked["table_name"] or table
    start, freeze = _position(asked["position"]), _freeze(asked["freeze_panes"])
    if not (
        isinstance(name, str)
        and start is not None
        and freeze is not None
        and df.height > 0
        and df.width > 0
        and all(df.columns)
        and not any(asked[n] for n in ("conditional_formats", "row_totals", "row_heights", "sparklines", "formulas"))
        and not any(asked[n] for n in ("hidden_columns", "autofit"))
        and type(asked["include_header"]) is bool
        and isinstance(table, str)
        and _TABLE_NAME.fullmatch(table)
        and (asked["sheet_zoom"] is None or (type(asked["sheet_zoom"]) is int and 10 <= asked["sheet_zoom"] <= 400))
    ):
        return None
    made = _columns(df, asked)
    widths = _widths(df, asked["column_widths"], start[1])
    if made is None or widths is None:
        return None
    frame, columns, style, options = made
    stream = _stream(frame)
    described = [_format_of(c["format"]) for c in columns]
    headings = [_format_of(c.get("header_format") or {}) for c in columns]
    if stream is None or None in described or None in headings:
        return None
    numbers = [formats.number_of(f or {}) for f in described]
    totals: list[Any] = [c.get("total_function") for c in columns]
    if any(t is not None and t not in _TOTALS for t in totals) or bool(asked["column_totals"]) != any(totals):
        return None
    header = asked["include_header"]
    spec: dict[str, Any] = {
        "name": name, "row": start[0] + int(header), "column": start[1], "no_header": True, "freeze": freeze or None,
        "columns": [{"format": n, "missing_format": n} for n in numbers], "widths": widths,
        "hide_gridlines": bool(asked["hide_gridlines"]), "zoom": asked["sheet_zoom"] or 0,
    }  # fmt: skip
    if header:
        spec["cells"] = [
            {"row": start[0], "column": start[1] + i, "text": column, "format": formats.number_of(headings[i] or {})}
            for i, column in enumerate(frame.columns)
        ]
    spec["table"] = {
        "name": table, "style": (style or "").replace(" ", ""), "header": header, "filter": bool(asked["autofilter"]),
        "columns": [
            {"name": column, "format": numbers[i], "total": _TOTALS[totals[i]] if totals[i] else ""}
            for i, column in enumerate(frame.columns)
        ],
        "first_column": bool(options.get("first_column", False)),
        "last_column": bool(options.get("last_column", False)),
        "row_stripes": bool(options.get("banded_rows", True)),
        "column_stripes": bool(options.get("banded_columns", False)),
    }  # fmt: skip
    return sheets.Sheet(stream, frame.height, spec)


def _columns(df: Any, asked: dict[str, Any]) -> tuple[Any, list[dict[str, Any]], str | None, dict[str, Any]] | None:
    """The frame with nested columns as texts, the columns of its table, and the table's style and options.

    By polars' own functions, which fill in the formats of types; ``None`` if this version has others.
    """
    try:
        from polars.io.spreadsheet import _write_utils as polars

        style, options = polars._xl_setup_table_options(asked["table_style"])
        known = inspect.signature(polars._xl_setup_table_columns).parameters
        more = {"table_style": style} if "table_style" in known else {}
        columns, _, frame = polars._xl_setup_table_columns(
            df=df,
            format_cache=cast(Any, _Recorder()),
            column_formats=asked["column_formats"] or {},
            column_totals=asked["column_totals"],
            dtype_formats=asked["dtype_formats"],
            header_format=asked["header_format"],
            float_precision=asked["float_precision"],
            row_totals=None,
            sparklines=None,
            formulas=None,
            **more,
        )
        if [c["header"] for c in columns] != frame.columns or not (style is None or isinstance(style, str)):
            return None
    except Exception:  # whatever it is, polars raises it again
        return None
    return frame, columns, style, options


def _stream(df: Any) -> Any:
    """The rows; ``None`` if there are some that polars has to write, or may refuse."""
    import polars as pl

    nulls = []
    for name, dtype in df.schema.items():
        kind = dtype.base_type().__name__
        if kind not in _TYPES or getattr(dtype, "time_zone", None) is not None:
            return None
        if kind in ("Date", "Datetime"):
            days = df[name].cast(pl.Date)
            if days.min() is not None and (days.min() < sheets.FIRST_DAY or days.max() > sheets.LAST_DAY):
                return None
        if kind == "Duration" and dtype.time_unit == "ns":
            return None
        if kind == "Null":
            nulls.append(name)
        if kind in ("String", "Categorical", "Enum"):
            texts = df[name] if kind == "String" else df[name].unique().cast(pl.String)
            if texts.str.contains(":", literal=True).any() and texts.str.contains(sheets.URL).any():
                return None  # XlsxWriter makes links of them
    if nulls:  # which cannot be imported
        df = df.with_columns(pl.col(name).cast(pl.String) for name in nulls)
    return df


def _position(value: object) -> tuple[int, int] | None:
    """A cell, such as "B2" or (1, 1), as its row and column; ``None`` if it is none."""
    if isinstance(value, str):
        found = re.fullmatch(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})", value)
        if found is None:
            return None
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - ord("A") + 1
        return int(found[2]) - 1, column - 1
    if isinstance(value, tuple) and len(value) == 2 and all(type(v) is int and v >= 0 for v in value):
        return value
    return None


def _freeze(value: object) -> dict[str, int] | None:
    """What stays in view; empty if nothing does, ``None`` if it is not known how that is meant."""
    if not value:
        return {}
    parts: tuple[Any, ...] = value if isinstance(value, tuple) else (value,)
    if parts and isinstance(parts[0], str):
        place = _position(parts[0])
        if place is None:
            return None
        parts = (*place, *parts[1:])
    if len(parts) not in (2, 4) or not all(type(p) is int and p >= 0 for p in parts):
        return None
    return dict(zip(("rows", "columns", "top", "left"), parts, strict=False))


def _widths(df: Any, widths: Any, first: int) -> list[dict[str, Any]] | None:
    """Widths of columns, given in pixels for all, or by name."""
    if not widths:
        return []
    if type(widths) is int:
        widths = dict.fromkeys(df.columns, widths)
    if not isinstance(widths, dict):
        return None
    by_name: dict[str, int] = {}
    for names, pixels in widths.items():
        for name in (names,) if isinstance(names, str) else names if isinstance(names, tuple) else (None,):
            if name not in df.columns or type(pixels) is not int or not 1 <= pixels <= 1790:
                return None
            by_name[name] = pixels
    return [
        {"column": first + i, "width": sheets.pixels_to_width(by_name[name])}
        for i, name in enumerate(df.columns)
        if name in by_name
    ]


def _format_of(format: Any) -> dict[str, Any] | None:
    """A format of XlsxWriter's as the fields of Go's ``Format``; ``None`` if it has others."""
    if not isinstance(format, dict):
        return None
    out: dict[str, Any] = {}
    for name, value in format.items():
        if name == "num_format" and isinstance(value, str):
            out |= sheets.number_format(value)
        elif name == "valign" and value in ("vcenter", "top", "bottom"):
            out["vertical"] = "center" if value == "vcenter" else value
        elif name == "align" and value in ("left", "center", "right"):
            out["horizontal"] = value
        elif name in ("bold", "italic") and value in (True, 1):
            out[name] = True
        elif name == "text_wrap" and value in (True, 1):
            out["wrap"] = True
        elif name in ("font_color", "bg_color") and isinstance(value, str) and re.fullmatch("#[0-9A-Fa-f]{6}", value):
            out["color" if name == "font_color" else "background"] = value[1:].upper()
        elif name == "border" and value == 1:
            out["border"] = True
        else:
            return None
    return out
