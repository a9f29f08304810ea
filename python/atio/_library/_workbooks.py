"""Workbooks by the libraries' own writers: where texts stay texts, and nothing is cut off."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping
from typing import Any

from .._encode import _excel_sheet as sheets
from .._encode._excel_pandas import engine_of, writer_arguments


def by_pandas(frames: Mapping[str, Any], path: str, kwargs: dict[str, Any]) -> None:
    """Write frames by ``to_excel``. The keys are names of sheets; polars' frames among them are written by polars."""
    import pandas as pd

    check_texts(frames)
    if kwargs.get("mode") == "a" and os.path.isfile(path) and not os.path.getsize(path):
        raise FileNotFoundError(errno.ENOENT, "there is no workbook to add to", path)
    writer, rest = writer_arguments(kwargs)
    if writer.get("mode", "w") == "a" and rest.get("engine") is None:
        rest["engine"] = "openpyxl"  # the only one that reads a workbook
    engine = engine_of(rest)
    options = dict(rest.pop("engine_kwargs", None) or {})
    rest.pop("engine", None)
    if engine == "xlsxwriter":
        plain = {"strings_to_formulas": False}
        if any(is_polars(frame) for frame in frames.values()):
            plain["nan_inf_to_errors"] = True
        options["options"] = plain | options.get("options", {})
    elif engine == "openpyxl":
        options.pop("write_only", None)  # in which cells cannot be looked at again
    storage_options = rest.pop("storage_options", None)
    made = pd.ExcelWriter(path, engine=engine, engine_kwargs=options or None, storage_options=storage_options, **writer)
    try:
        before = _formulas(made.book) if engine == "openpyxl" else {}
        for name, frame in frames.items():
            if is_polars(frame):
                frame.write_excel(workbook=made.book, worksheet=name, **rest)
            else:
                frame.to_excel(made, sheet_name=name, **rest)
        if engine == "openpyxl":
            _make_texts(made.book, before)
    except BaseException:
        _give_up(made)
        raise
    made.close()


def _give_up(writer: Any) -> None:
    """Close a pandas.ExcelWriter without having it raise, or say later, that there is no complete workbook."""
    with contextlib.suppress(Exception):
        if writer.engine == "xlsxwriter":
            writer.close()
    with contextlib.suppress(Exception):
        writer._handles.close()


def by_polars(frames: Mapping[str, Any], path: str, kwargs: dict[str, Any]) -> None:
    """Write frames by ``write_excel``. The keys are names of sheets."""
    import xlsxwriter

    check_texts(frames)
    # As polars opens a workbook.
    options = {
        "strings_to_formulas": False, "nan_inf_to_errors": True, "default_date_format": "yyyy-mm-dd;@",
        "use_zip64": bool(kwargs.get("use_zip64", False)),
    }  # fmt: skip
    with xlsxwriter.Workbook(path, options) as workbook:
        for name, frame in frames.items():
            frame.write_excel(workbook=workbook, worksheet=name, **kwargs)


def is_polars(frame: Any) -> bool:
    return type(frame).__module__.partition(".")[0] == "polars"


def _formulas(book: Any) -> dict[tuple[int, str], Any]:
    """The formulas of openpyxl's workbook, by sheet and cell."""
    return {
        (id(sheet), cell.coordinate): cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }


def _make_texts(book: Any, before: dict[tuple[int, str], Any]) -> None:
    """Make texts again of all formulas that were not there before: openpyxl takes each text with a ``=`` for one."""
    for (sheet, cell), value in _formulas(book).items():
        if isinstance(value, str) and before.get((sheet, cell)) is not value:
            next(s for s in book.worksheets if id(s) == sheet)[cell].data_type = "s"


def check_texts(frames: Mapping[str, Any]) -> None:
    """Raise a ``ValueError`` for a text that the libraries would cut."""
    for name, frame in frames.items():
        if is_polars(frame):
            columns = [(label, frame[label]) for label in frame.columns]
        else:
            columns = [(frame.columns[i], frame.iloc[:, i]) for i in range(frame.shape[1])]
        for label, column in columns:
            if getattr(column.dtype, "kind", "O") in "biufcmM" or _is_number(column):
                continue
            for row, value in enumerate(column):
                text = value if isinstance(value, str) else "" if value is None else str(value)
                if len(text) > sheets.MAX_TEXT // 2 and (length := sheets.utf16_length(text)) > sheets.MAX_TEXT:
                    raise ValueError(
                        f"sheet {name!r}: column {label!r}, row {row}: its text has {length} characters, and a cell "
                        f"holds {sheets.MAX_TEXT}; shorten it or write another format"
                    )


def _is_number(column: Any) -> bool:
    return is_polars(column) and column.dtype.is_numeric()
