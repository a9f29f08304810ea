"""What sheets of pandas and polars have in common: formats, limits, texts that are no plain texts to a library."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from .._first_use import use

MAX_ROWS = 1 << 20
MAX_COLUMNS = 1 << 14
MAX_TEXT = 32_767
MAX_NAME = 31

CONTROL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]"
"""Characters that openpyxl refuses."""

URL = "^((ftp|http)s?://|mailto:|(in|ex)ternal:|file://)"
"""The beginning of texts of which XlsxWriter makes links."""

FIRST_DAY, LAST_DAY = dt.date(1900, 3, 1), dt.date(9999, 12, 31)
"""Before March 1900 the libraries number days in different ways; years end at 9999."""

EPOCH = dt.datetime(1899, 12, 30)
"""Day 0 of days from March 1900 on."""


@dataclass(frozen=True)
class Sheet:
    """A sheet that Go can write: its rows, and the fields of Go's ``Sheet``."""

    stream: Any
    rows: int
    spec: dict[str, Any]


@dataclass
class Formats:
    """The formats of a workbook, each once. Cells have them by their numbers, 0 being none."""

    all: list[dict[str, Any]] = field(default_factory=list)

    def number_of(self, format: dict[str, Any]) -> int:
        """The number of a format, which is the fields of Go's ``Format``."""
        if not format:
            return 0
        if format not in self.all:
            self.all.append(format)
        return self.all.index(format) + 1


def number_format(code: str) -> dict[str, Any]:
    """The format that shows a number in this way: ``General`` is that of all cells."""
    return {} if code == "General" else {"number": code}


def check_name(name: str, *also: type[Exception]) -> None:
    """Raise a ``ValueError``, which is ``also`` an exception of a library, if no sheet can have this name."""
    length = utf16_length(name)
    why = ""
    if length == 0:
        why = "a sheet needs a name"
    elif length > MAX_NAME:
        why = f"it has {length} characters, and Excel allows {MAX_NAME}"
    elif found := re.search(r"[\[\]:*?/\\\x00-\x1f]", name):
        why = f"Excel does not allow {found[0]!r} in it"
    elif name.startswith("'") or name.endswith("'"):
        why = "it cannot begin or end with an apostrophe"
    elif name.lower() == "history":
        why = "Excel keeps this name for itself"
    if why:
        raise limit_error(f"sheet name {name!r}: {why}; give the sheet another name", *also)


def name_errors() -> tuple[type[Exception], ...]:
    """What XlsxWriter raises for the name of a sheet, if it is installed."""
    try:
        from xlsxwriter.exceptions import InvalidWorksheetName
    except ImportError:
        return ()
    return (InvalidWorksheetName,)


def check_size(name: str, rows: int, columns: int, last: object, *also: type[Exception]) -> None:
    """Raise a ``ValueError`` if so many rows and columns, all that is around them included, do not fit a sheet.

    ``last`` is the name of the last column.
    """
    if rows > MAX_ROWS:
        raise limit_error(
            f"sheet {name!r}: it would have {rows:,} rows with its header, and Excel allows {MAX_ROWS:,}, so that data "
            f"from row {MAX_ROWS:,} of the sheet on would be lost; write several sheets or another format",
            *also,
        )
    if columns > MAX_COLUMNS:
        raise limit_error(
            f"sheet {name!r}: it would have {columns:,} columns, the last one being {last!r}, and Excel allows "
            f"{MAX_COLUMNS:,}; write several sheets or another format",
            *also,
        )


def limit_error(message: str, *also: type[Exception]) -> ValueError:
    """A ``ValueError`` that is caught as the library's own exceptions, too."""
    bases = tuple(t for t in also if not issubclass(ValueError, t))
    if not bases:
        return ValueError(message)
    if any(issubclass(t, ValueError) for t in bases):
        return next(t for t in bases if issubclass(t, ValueError))(message)
    made: ValueError = type("SheetLimitError", (ValueError, *bases), {"__module__": "atio"})(message)
    return made


def utf16_length(text: str) -> int:
    """How many characters Excel counts: units of UTF-16."""
    return len(text) + sum(c > "\uffff" for c in text)


def is_plain(texts: Any, engine: str) -> bool:
    """Whether ``engine`` writes all texts of an Arrow array as texts, but for those that begin with ``=``.

    XlsxWriter makes links of URLs, and openpyxl refuses control characters.
    """
    use("pyarrow.compute")
    import pyarrow.compute as pc

    if engine == "openpyxl":
        return not pc.any(pc.match_substring_regex(texts, CONTROL)).as_py()
    if not pc.any(pc.match_substring(texts, ":")).as_py():
        return True
    return not pc.any(pc.match_substring_regex(texts, URL)).as_py()


def is_plain_text(text: str, engine: str) -> bool:
    """The same for one text."""
    return not re.search(CONTROL if engine == "openpyxl" else URL, text)


def pixels_to_width(pixels: float) -> float:
    """The width of a column in characters of the standard font, whose digits are 7 pixels wide."""
    return int(pixels * 256 // 7) / 256
