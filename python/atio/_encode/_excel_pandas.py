"""pandas' frames as sheets: which ones Go writes as ``DataFrame.to_excel`` does."""

from __future__ import annotations

import datetime as dt
import importlib.util
from typing import Any

from . import _excel_sheet as sheets
from ._excel_columns import Cells, Fields

_WRITER = {"mode", "if_sheet_exists", "date_format", "datetime_format"}
"""Arguments of ``pandas.ExcelWriter`` that are taken beside those of ``to_excel``."""


def writer_arguments(kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of ``pandas.ExcelWriter``, and those of ``to_excel``."""
    writer = {name: value for name, value in kwargs.items() if name in _WRITER}
    return writer, {name: value for name, value in kwargs.items() if name not in _WRITER}


def engine_of(kwargs: dict[str, Any]) -> str:
    """The engine that pandas takes for an .xlsx file."""
    import pandas as pd

    engine = kwargs.get("engine")
    if engine is None:
        engine = pd.get_option("io.excel.xlsx.writer")
    if engine in (None, "auto"):
        return "openpyxl" if importlib.util.find_spec("xlsxwriter") is None else "xlsxwriter"
    return str(engine)


def check_limits(df: Any, name: object, kwargs: dict[str, Any], engine: str) -> None:
    """Raise a ``ValueError`` for what no sheet holds."""
    if isinstance(name, str):
        sheets.check_name(name, *(sheets.name_errors() if engine == "xlsxwriter" else ()))
    index = df.index.nlevels if kwargs.get("index", True) else 0
    header = df.columns.nlevels if kwargs.get("header", True) is not False else 0
    if header > 1 and index:
        header += 1
    chosen = kwargs.get("columns")
    labels = list(df.columns) if chosen is None else list(chosen)
    row, column = kwargs.get("startrow", 0), kwargs.get("startcol", 0)
    if isinstance(row, int) and isinstance(column, int):
        last = labels[-1] if labels else None
        sheets.check_size(str(name), row + header + len(df), column + index + len(labels), last)


def sheet_of(df: Any, name: Any, kwargs: dict[str, Any], formats: sheets.Formats) -> sheets.Sheet | None:
    """A frame as a sheet that Go writes; ``None`` if pandas has to.

    ``kwargs`` are those of ``to_excel`` and ``ExcelWriter``, without the name of the sheet.
    """
    import pandas as pd

    if type(df).to_excel is not pd.DataFrame.to_excel:
        return None  # a subclass with a to_excel of its own
    writer, rest = writer_arguments(kwargs)
    engine = engine_of(rest)
    asked: dict[str, Any] = {
        "na_rep": "", "float_format": None, "columns": None, "header": True, "index": True, "index_label": None,
        "merge_cells": True, "inf_rep": "inf", "startrow": 0, "startcol": 0, "freeze_panes": None, "autofilter": False,
        "engine": None, "engine_kwargs": None, "storage_options": None,
    }  # fmt: skip
    if not rest.keys() <= asked.keys() or engine not in ("openpyxl", "xlsxwriter") or not isinstance(name, str):
        return None
    asked |= rest
    moments = [
        writer.get(n) or d for n, d in (("date_format", "YYYY-MM-DD"), ("datetime_format", "YYYY-MM-DD HH:MM:SS"))
    ]
    if not (
        writer.get("mode", "w") == "w"
        and writer.get("if_sheet_exists") is None
        and all(isinstance(m, str) for m in moments)
        and isinstance(asked["na_rep"], str)
        and sheets.is_plain_text(asked["na_rep"], engine)
        and (asked["float_format"] is None or isinstance(asked["float_format"], str))
        and isinstance(asked["inf_rep"], str)
        and asked["inf_rep"]
        and isinstance(asked["index"], bool)
        and all(type(asked[n]) is int and asked[n] >= 0 for n in ("startrow", "startcol"))
        and not asked["engine_kwargs"]
        and not asked["storage_options"]
        and isinstance(asked["autofilter"], bool)
    ):
        return None
    cells = Cells(engine, formats, moments[0], moments[1], asked["float_format"])
    try:
        return _Frame(df, name, asked, cells).sheet()
    except _Left:
        return None


class _Left(Exception):
    """Something is left to pandas, which raises what it raises, or can write it."""


class _Frame:
    """One frame with the arguments of ``to_excel``."""

    def __init__(self, df: Any, name: str, asked: dict[str, Any], cells: Cells) -> None:
        self._name = name
        self._asked = asked
        self._cells = cells
        columns = asked["columns"]
        try:
            self._header()(df)
            self._frame = df if columns is None else df.reindex(columns=columns)
        except _Left:
            raise
        except Exception:  # whatever it is, pandas raises it again
            raise _Left from None

    def _header(self) -> Any:
        """A function that has pandas format the cells above the rows, and one row for its styles."""

        def read(df: Any) -> None:
            from pandas.io.formats.excel import ExcelFormatter

            asked = self._asked
            formatter = ExcelFormatter(
                df.iloc[:1], na_rep=asked["na_rep"], float_format=asked["float_format"], cols=asked["columns"],
                header=asked["header"], index=asked["index"], index_label=asked["index_label"],
                merge_cells=asked["merge_cells"], inf_rep=asked["inf_rep"],
            )  # fmt: skip
            self._made = {(cell.row, cell.col): cell for cell in formatter.get_formatted_cells()}
            self._first = formatter.rowcounter

        return read

    def sheet(self) -> sheets.Sheet:
        import pyarrow as pa

        asked, frame = self._asked, self._frame
        arrays, names, specs = [], [], []
        levels = self._levels() if asked["index"] else []
        column = 0
        for i, level in enumerate(levels):
            label = frame.index.names[i]
            names += [f"index {i}" if label is None else label] * len(level)
            column += 1
            arrays += [array for array, _ in level]
            specs += [how for _, how in level]
        for i in range(frame.shape[1]):
            values = frame.iloc[:, i]
            fields = self._cells.of(values, self._style(column + i))
            if fields is None:
                raise _Left
            names += [frame.columns[i]] * len(fields)
            arrays += [array for array, _ in fields]
            specs += [how for _, how in fields]
        if not arrays:
            raise _Left
        row, left = asked["startrow"], asked["startcol"]
        spec: dict[str, Any] = {
            "name": self._name, "row": row + self._first, "column": left, "no_header": True, "columns": specs,
            "missing": asked["na_rep"], "nan_is_missing": True, "infinity": asked["inf_rep"],
        }  # fmt: skip
        spec["cells"], spec["merges"] = self._cells_above(row, left)
        spec["freeze"] = self._freeze()
        if asked["autofilter"]:
            spec["filter"] = self._filter(row, left)
        table = pa.Table.from_arrays(arrays, names=[_label(n) for n in names])
        return sheets.Sheet(table, len(frame), spec)

    def _style(self, column: int) -> dict[str, Any]:
        """The style of the cells of a column, as the first row has it."""
        cell = self._made.get((self._first, column))
        return _format_of(cell.style, self._cells.engine) if cell is not None else {}

    def _levels(self) -> list[Fields]:
        """The fields of the index, with those that say which cells are merged."""
        import pandas as pd

        index = self._frame.index
        merge = self._asked["merge_cells"]
        if merge == "columns" and int(pd.__version__.partition(".")[0]) >= 3:  # to others it is as good as True
            merge = False
        merged = isinstance(index, pd.MultiIndex) and bool(merge)
        lengths = _lengths(index) if merged else []
        out = []
        for i in range(index.nlevels):
            level = index.get_level_values(i) if isinstance(index, pd.MultiIndex) else index
            if isinstance(level, pd.PeriodIndex):
                level = level.to_timestamp()
            fields = self._cells.of(level, self._style(i))
            if fields is None:
                raise _Left
            if i < len(lengths):
                if len(fields) > 1:
                    raise _Left
                fields.append((lengths[i], {"span": True}))
            out.append(fields)
        return out

    def _cells_above(self, row: int, column: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        cells: dict[tuple[int, int], dict[str, Any]] = {}
        merges = []
        for (r, c), cell in self._made.items():
            if r >= self._first:
                continue
            style = _format_of(cell.style, self._cells.engine)
            made = self._cell_of(cell.val, style)
            if cell.mergestart is not None and cell.mergeend is not None:
                ends = {"row": row + r, "column": column + c}
                merges.append(ends | {"last_row": row + cell.mergestart, "last_column": column + cell.mergeend})
                for covered_row in range(r, cell.mergestart + 1):
                    for covered in range(c, cell.mergeend + 1):
                        cells[covered_row, covered] = {"text": "", "format": self._cells.formats.number_of(style)}
            cells[r, c] = made
        placed = [{"row": row + r, "column": column + c} | cells[r, c] for r, c in sorted(cells)]
        return [c for c in placed if c["text"] or c["format"]], merges

    def _cell_of(self, value: Any, style: dict[str, Any]) -> dict[str, Any]:
        """One value above the rows, as ``ExcelWriter._value_with_fmt`` has it."""
        from pandas.api import types

        number = self._cells.formats.number_of
        if types.is_integer(value):
            return {"text": str(int(value)), "kind": "number", "format": number(style)}
        if types.is_float(value):
            return {"text": f"{float(value):.17g}", "kind": "number", "format": number(style)}
        if types.is_bool(value):
            return {"text": str(int(value)), "kind": "boolean", "format": number(style)}
        if isinstance(value, dt.date):
            is_datetime = isinstance(value, dt.datetime)
            moment = value if isinstance(value, dt.datetime) else dt.datetime(value.year, value.month, value.day)
            if not sheets.FIRST_DAY <= moment.date() <= sheets.LAST_DAY:
                raise _Left
            code = self._cells.datetime_format if is_datetime else self._cells.date_format
            days = (moment - sheets.EPOCH) / dt.timedelta(days=1)
            return {"text": f"{days:.17g}", "kind": "number", "format": number(style | sheets.number_format(code))}
        if isinstance(value, dt.timedelta) or types.is_complex(value) or type(value).__name__ == "Decimal":
            raise _Left
        text = str(value)
        if not sheets.is_plain_text(text, self._cells.engine) or not _is_encodable(text):
            raise _Left
        if sheets.utf16_length(text) > sheets.MAX_TEXT:
            raise sheets.limit_error(
                f"sheet {self._name!r}: a heading has {sheets.utf16_length(text):,} characters, and Excel allows "
                f"{sheets.MAX_TEXT:,} in a cell: {text[:40]!r}..."
            )
        return {"text": text, "format": number(style)}

    def _freeze(self) -> dict[str, int] | None:
        panes = self._asked["freeze_panes"]
        if panes is None:
            return None
        if not isinstance(panes, (list, tuple)) or len(panes) != 2 or not all(type(p) is int and p >= 0 for p in panes):
            raise _Left
        return {"rows": panes[0], "columns": panes[1]}

    def _filter(self, row: int, column: int) -> dict[str, int]:
        """The range to filter, without its rows, as ``ExcelFormatter.write`` has it."""
        import pandas as pd

        frame, width = self._frame, self._frame.shape[1]
        above, below, beside = 1, 1, -1
        many_columns = isinstance(frame.columns, pd.MultiIndex)
        if width == 0:
            beside = 0
        elif self._asked["index"]:
            many_rows = isinstance(frame.index, pd.MultiIndex)
            if (many_rows or many_columns) and self._asked["merge_cells"]:
                raise _Left  # pandas refuses it
            beside = frame.index.nlevels - 1
            if many_columns:
                above, below = frame.columns.nlevels, frame.columns.nlevels + 1
        first = {"row": row + above - 1, "column": column}
        return first | {"last_row": row + below - 1, "last_column": column + width + beside}


def _lengths(index: Any) -> list[Any]:
    """For each level but the last, over how many rows each cell goes; 0 where it is covered by one above.

    As ``MultiIndex._format_multi`` and ``get_level_lengths`` of pandas have it, which compare texts.
    """
    import numpy as np
    import pyarrow as pa

    rows = len(index)
    out = []
    changes = np.zeros(rows, dtype=bool)
    changes[:1] = True
    for level, codes in zip(index.levels[:-1], index.codes[:-1], strict=True):
        texts = [str(v) for v in level]
        if level.dtype.kind == "f" or "" in texts or "nan" in texts or "NaN" in texts or len(set(texts)) < len(texts):
            raise _Left
        codes = np.asarray(codes)
        changes[1:] |= codes[1:] != codes[:-1]
        starts = np.flatnonzero(changes)
        lengths = np.zeros(rows, dtype="int32")
        lengths[starts] = np.diff(starts, append=rows)
        out.append(pa.array(lengths))
    if "" in [str(v) for v in index.levels[-1]]:
        raise _Left
    return out


def _format_of(style: dict[str, Any] | None, engine: str) -> dict[str, Any]:
    """The fields of Go's ``Format`` for a style of pandas."""
    if not style:
        return {}
    out: dict[str, Any] = {}
    for group, values in style.items():
        if group == "font" and values == {"bold": True}:
            out["bold"] = True
            if engine == "openpyxl":  # whose fonts have nothing that was not said
                out["bare_font"] = True
        elif group in ("border", "borders") and values == dict.fromkeys(("top", "right", "bottom", "left"), "thin"):
            out["border"] = True
        elif group == "alignment" and values.keys() <= {"horizontal", "vertical"}:
            out |= values
        else:
            raise _Left
    return out


def _label(name: object) -> str:
    """The name of a column in messages."""
    text = str(name)
    return text.replace("\0", "?") if _is_encodable(text) else "?"


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
