"""Workbooks compared cell by cell, as openpyxl reads them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import openpyxl


def content(path: str | Path) -> dict[str, dict[str, Any]]:
    """Everything that a reader sees in each sheet."""
    book = openpyxl.load_workbook(path)
    return {sheet.title: _sheet(sheet) for sheet in book.worksheets}


def _sheet(sheet: Any) -> dict[str, Any]:
    cells = {
        cell.coordinate: _cell(cell)
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None or cell.has_style
    }
    view = sheet.sheet_view
    return {
        "cells": cells,
        "freeze panes": sheet.freeze_panes,
        "merged": sorted(map(str, sheet.merged_cells.ranges)),
        "filter": sheet.auto_filter.ref,
        "widths": {name: (d.width, d.hidden) for name, d in sheet.column_dimensions.items() if d.customWidth},
        "gridlines": view.showGridLines,
        "zoom": view.zoomScale or 100,
        "tables": [_table(t) for t in sheet.tables.values()],
        "names": {name: d.attr_text for name, d in sheet.defined_names.items()},
    }


def _cell(cell: Any) -> tuple[Any, ...]:
    font, border, alignment = cell.font, cell.border, cell.alignment
    color = font.color and (font.color.rgb if font.color.type == "rgb" else font.color.theme)
    return (
        cell.value,
        cell.data_type,
        cell.number_format,
        (font.b, font.i, font.name, font.sz, color, font.scheme),
        tuple(getattr(border, side).style for side in ("left", "top", "right", "bottom")),
        (alignment.horizontal, alignment.vertical, alignment.wrap_text),
        (cell.fill.patternType, cell.fill.fgColor.rgb),
        cell.hyperlink and cell.hyperlink.target,
    )


def _table(table: Any) -> tuple[Any, ...]:
    style = table.tableStyleInfo
    return (
        (table.name, table.displayName, table.ref, table.headerRowCount, table.totalsRowCount),
        (style.name, style.showRowStripes, style.showColumnStripes, style.showFirstColumn, style.showLastColumn),
        table.autoFilter and table.autoFilter.ref,
        [(c.name, c.totalsRowFunction, c.dataDxfId is None) for c in table.tableColumns],
    )


def differences(ours: str | Path, theirs: str | Path) -> list[tuple[Any, ...]]:
    """What is not the same in two workbooks.

    Floats may differ in the last digit: the libraries write 16, of which some need 17.
    """
    a, b = content(ours), content(theirs)
    if list(a) != list(b):
        return [("sheets", list(a), list(b))]
    found: list[tuple[Any, ...]] = []
    for name in a:
        found += [(name, k, a[name][k], b[name][k]) for k in a[name] if k != "cells" and a[name][k] != b[name][k]]
        ours_, theirs_ = a[name]["cells"], b[name]["cells"]
        for place in ours_.keys() | theirs_.keys():
            x, y = ours_.get(place), theirs_.get(place)
            if x is None or y is None or x[1:] != y[1:] or not same(x[0], y[0]):
                found.append((name, place, x, y))
    return found


def same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    return math.isclose(a, b, rel_tol=1e-14) if isinstance(a, float) else bool(a == b)
