"""Excel: which frames and keyword arguments Go writes as pandas and polars do."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from atio._plan import EncodeInGo, EncodePartsInGo

from . import _excel_pandas, _excel_polars
from ._excel_sheet import Formats, Sheet

SHEET_KEY = b"atio.sheet"
"""The key in a schema's metadata by which Go knows whose rows they are."""


def from_pandas(df: Any, target: str, kwargs: dict[str, Any]) -> EncodeInGo | None:
    """``DataFrame.to_excel``."""
    name, rest = _name_of(kwargs, "sheet_name", "Sheet1")
    _excel_pandas.check_limits(df, name, rest, _excel_pandas.engine_of(rest))
    if not _is_xlsx(target):
        return None
    formats = Formats()
    return _plan(_excel_pandas.sheet_of(df, name, rest, formats), formats)


def from_polars(df: Any, target: str, kwargs: dict[str, Any]) -> EncodeInGo | None:
    """``DataFrame.write_excel``."""
    name, rest = _name_of(kwargs, "worksheet", None)
    _excel_polars.check_limits(df, name, rest)
    if not _is_xlsx(target):
        return None
    formats = Formats()
    return _plan(_excel_polars.sheet_of(df, name, rest, formats, "Frame0"), formats)


def from_frames(frames: Iterable[tuple[str, str, Any]], target: str, kwargs: dict[str, Any]) -> EncodePartsInGo | None:
    """Several sheets: names, libraries and frames."""
    if not _is_xlsx(target):
        return None
    formats = Formats()
    made: list[Sheet] = []
    tables = 0
    for name, library, frame in frames:
        if library == "pandas":
            sheet = _excel_pandas.sheet_of(frame, name, kwargs, formats)
        else:
            sheet = _excel_polars.sheet_of(frame, name, kwargs, formats, f"Frame{tables}")
            tables += 1
        if sheet is None:
            return None
        made.append(sheet)
    return EncodePartsInGo(map(_named, made), sum(s.rows for s in made), _options(made, formats))


def _plan(sheet: Sheet | None, formats: Formats) -> EncodeInGo | None:
    if sheet is None:
        return None
    return EncodeInGo(sheet.stream, sheet.rows, _options([sheet], formats))


def _options(made: list[Sheet], formats: Formats) -> dict[str, Any]:
    return {"sheets": [sheet.spec for sheet in made], "formats": formats.all}


def _named(sheet: Sheet) -> Any:
    """A sheet's rows with its name in their schema."""
    table = sheet.stream.to_arrow() if hasattr(sheet.stream, "to_arrow") else sheet.stream
    return table.replace_schema_metadata({SHEET_KEY: sheet.spec["name"].encode()})


def _name_of(kwargs: dict[str, Any], key: str, default: str | None) -> tuple[Any, dict[str, Any]]:
    """The name of the sheet, and the other arguments."""
    return kwargs.get(key, default), {name: value for name, value in kwargs.items() if name != key}


def _is_xlsx(target: str) -> bool:
    """Whether the suffix is the one for which the libraries write what is written here."""
    return os.path.splitext(target)[1] == ".xlsx"
