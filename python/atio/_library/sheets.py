"""A dict of pandas' or polars' frames: the sheets of a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _encode
from .._encode import _excel_pandas, _excel_polars
from .._encode._excel_sheet import limit_error
from .._first_use import use
from .._plan import EncodeInLibrary, Plan
from . import Append, _workbooks

NAME = "dict of frames"
FORMATS = ("excel",)


def plan(obj: Any, format: str, target: str, kwargs: dict[str, Any]) -> Plan:
    """Have Go encode the sheets if it writes what the libraries would, else the libraries."""
    frames = _frames(obj, kwargs)
    seen: dict[str, str] = {}
    for name, frame in frames.items():
        if (other := seen.setdefault(name.lower(), name)) is not name:
            raise limit_error(
                f"sheets {other!r} and {name!r} differ in case only, which Excel does not see; rename one"
            )
        if _workbooks.is_polars(frame):
            _excel_polars.check_limits(frame, name, kwargs)
        else:
            _excel_pandas.check_limits(frame, name, kwargs, _excel_pandas.engine_of(kwargs))
    libraries = [(name, "polars" if _workbooks.is_polars(f) else "pandas", f) for name, f in frames.items()]
    return _encode.excel.from_frames(libraries, target, kwargs) or plan_in_library(obj, format, kwargs)


def plan_in_library(obj: Any, format: str, kwargs: dict[str, Any]) -> EncodeInLibrary:  # noqa: ARG001
    """Have the libraries write them."""
    frames = _frames(obj, kwargs)
    use("encodings.utf_16_le")
    rows = sum(len(frame) for frame in frames.values())
    if all(_workbooks.is_polars(frame) for frame in frames.values()):
        return EncodeInLibrary("polars", lambda path: _workbooks.by_polars(frames, path, kwargs), rows)
    return EncodeInLibrary("pandas", lambda path: _workbooks.by_pandas(frames, path, kwargs), rows)


def append_in_library(format: str, kwargs: dict[str, Any]) -> Append:  # noqa: ARG001
    """There are no chunks of several sheets."""
    raise ValueError("a dict of frames makes a whole workbook, so it is no chunk of one: pass it alone")


def _frames(obj: Mapping[Any, Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    for name in ("sheet_name", "worksheet"):
        if name in kwargs:
            raise TypeError(f"{name}={kwargs[name]!r}: the keys of a dict of frames are the names of its sheets")
    frames = {}
    for name, frame in obj.items():
        if not isinstance(name, str):
            raise TypeError(f"the keys of a dict of frames are the names of its sheets, so {name!r} must be a str")
        kind = type(frame).__name__
        if hasattr(frame, "collect"):
            frame = frame.collect()
        frames[name] = frame.to_frame() if kind == "Series" else frame
    return frames
