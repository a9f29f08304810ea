"""``np.savetxt``: which arrays and keyword arguments Go writes byte for byte as NumPy does."""

from __future__ import annotations

import os
import re
from typing import Any

from .._formats import compression_suffix
from .._plan import EncodeInGo

_FORMAT = re.compile(r"%[-+ ]*([1-9][0-9]{0,2})?(?:(?:\.[0-9]{1,2})?[efg]|[dius])")
"""A format of a number that Go knows."""

_ENCODINGS = ("utf-8", "utf8", "latin1", "latin-1", "ascii")


def from_numpy(obj: Any, target: str, kwargs: dict[str, Any]) -> EncodeInGo | None:
    """``np.savetxt``; an array that is not contiguous is copied."""
    import numpy as np
    import pyarrow as pa

    rest = dict(kwargs)
    fmt = rest.pop("fmt", "%.18e")
    texts = [
        rest.pop("delimiter", " "), rest.pop("newline", "\n"), rest.pop("header", ""),
        rest.pop("footer", ""), rest.pop("comments", "# "),
    ]  # fmt: skip
    encoding = rest.pop("encoding", None)
    if (
        rest
        or os.linesep != "\n"
        or compression_suffix(target) is not None
        or not (encoding is None or (isinstance(encoding, str) and encoding.lower() in _ENCODINGS))
        or not all(isinstance(t, str) and t.isascii() for t in texts)
    ):
        return None
    delimiter, newline, header, footer, comments = texts

    array = np.asarray(obj)
    dtype = array.dtype
    if dtype.kind not in "iuf" or dtype.itemsize > 8 or not dtype.isnative or array.ndim not in (1, 2):
        return None
    columns = 1 if array.ndim == 1 else array.shape[1]
    pieces = _pieces(fmt, delimiter, columns) if columns else None
    if pieces is None:
        return None
    formats, around = pieces
    if not _takes(array, formats):
        return None
    if dtype.itemsize == 2 and dtype.kind == "f":
        array = array.astype(np.float32)
    matrix = {
        "formats": formats,
        "around": [*around[:-1], around[-1] + newline],
        "before": _comment(header, comments, newline),
        "after": _comment(footer, comments, newline),
    }
    numbers = pa.array(np.ascontiguousarray(array).reshape(-1), from_pandas=False)
    rows = pa.FixedSizeListArray.from_arrays(numbers, columns)
    stream = pa.Table.from_arrays([rows], names=["rows"])
    return EncodeInGo(stream, len(array), {"dialect": "numpy", "matrix": matrix})


def _comment(text: str, comments: str, newline: str) -> str:
    """The lines of a header or footer."""
    return comments + text.replace("\n", "\n" + comments) + newline if text else ""


def _pieces(fmt: Any, delimiter: str, columns: int) -> tuple[list[str], list[str]] | None:
    """The formats of a row's numbers, and the texts around them; ``None`` if NumPy has to write, or to refuse, it."""
    if type(fmt) in (list, tuple):
        if len(fmt) != columns or not all(isinstance(f, str) for f in fmt):
            return None
        row = delimiter.join(fmt)
    elif isinstance(fmt, str):
        count = fmt.count("%")
        if count == 1:
            row = delimiter.join([fmt] * columns)
        elif count == columns:
            row = fmt
        else:
            return None
    else:
        return None
    found = list(_FORMAT.finditer(row))
    if len(found) != columns or row.count("%") != columns or not row.isascii():
        return None
    ends = [0, *(f.end() for f in found)]
    starts = [*(f.start() for f in found), len(row)]
    around = [row[end:start] for end, start in zip(ends, starts, strict=True)]
    return [re.sub("[iu]$", "d", f.group()) for f in found], around


def _takes(array: Any, formats: list[str]) -> bool:
    """Whether these formats of numbers mean the same to Go."""
    import numpy as np

    if array.dtype.kind != "f":
        return True
    kinds = {f[-1] for f in formats}
    if "s" in kinds and array.dtype.itemsize != 8:
        return False  # the digits depend on NumPy's version
    # Python raises for the whole part of what is no number, and has integers of any length.
    return "d" not in kinds or array.size == 0 or bool(float(np.abs(array).max()) < 2**63)
