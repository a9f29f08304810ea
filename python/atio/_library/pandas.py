"""pandas' DataFrame and Series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _encode
from .._first_use import use
from .._plan import EncodeInLibrary, Plan
from . import Append, SameColumns, _workbooks, check_existing

NAME = "pandas"
FORMATS = ("csv", "parquet", "excel", "json", "pickle", "html", "ipc")

_METHODS = {
    "csv": "to_csv",
    "parquet": "to_parquet",
    "excel": "to_excel",
    "json": "to_json",
    "pickle": "to_pickle",
    "html": "to_html",
    "ipc": "to_feather",
}


def plan(obj: Any, format: str, target: str, kwargs: dict[str, Any]) -> Plan:
    """Have Go encode the frame if it writes what pandas would, else pandas."""
    if format == "parquet":
        check_existing(target, kwargs)
    in_go: Plan | None = None
    if format == "parquet":
        in_go = _encode.parquet.from_pandas(_frame(obj), kwargs)
    elif format == "csv":
        in_go = _encode.csv.from_pandas(_frame(obj), target, kwargs)
    elif format == "json" and obj.ndim == 2:
        in_go = _encode.json.from_pandas(obj, target, kwargs)
    elif format == "excel":
        in_go = _encode.excel.from_pandas(_frame(obj), target, kwargs)
    return in_go or plan_in_library(obj, format, kwargs)


def plan_in_library(obj: Any, format: str, kwargs: dict[str, Any]) -> EncodeInLibrary:
    """Have pandas write it."""
    use(*_imports_of(format, kwargs))
    if format == "excel":
        return EncodeInLibrary(NAME, lambda path: _write_sheet(obj, path, kwargs), len(obj))
    directory = format == "parquet" and kwargs.get("partition_cols") is not None
    return EncodeInLibrary(NAME, lambda path: _writer(obj, format)(path, **kwargs), len(obj), directory)


def _imports_of(format: str, kwargs: dict[str, Any]) -> tuple[str, ...]:
    """What pandas' writer imports when it is called."""
    if format == "parquet":
        return ("fastparquet",) if kwargs.get("engine") == "fastparquet" else ("pyarrow.parquet",)
    imports = {"ipc": "pyarrow.feather", "html": "pandas.io.formats.html", "excel": "encodings.utf_16_le"}
    return (imports[format],) if format in imports else ()


def append_in_library(format: str, kwargs: dict[str, Any]) -> Append:
    """Chunks of csv, and of JSON lines, behind one another."""
    lines = format == "json" and kwargs.get("orient") == "records" and kwargs.get("lines") is True
    if not (format == "csv" or lines) or _asks_for_compression(kwargs):
        raise ValueError(f"pandas chunks cannot be written as {format} with these arguments: pass one frame")

    same = SameColumns()

    def append(path: str, obj: Any, first: bool) -> int:
        if format == "csv" and kwargs.get("columns") is None:
            levels = [obj.index.nlevels] if kwargs.get("index", True) else []
            same.check([*levels, *_frame(obj).columns])
        more: dict[str, Any] = {"mode": "w" if first else "a"}
        if format == "csv" and not first:
            more["header"] = False
        _writer(obj, format)(path, **{**kwargs, **more})
        return len(obj)

    return append


def _write_sheet(obj: Any, path: str, kwargs: dict[str, Any]) -> None:
    import pandas as pd

    frame = _frame(obj)
    if type(frame).to_excel is not pd.DataFrame.to_excel:
        frame.to_excel(path, **kwargs)  # of a subclass
        return
    rest = {name: value for name, value in kwargs.items() if name != "sheet_name"}
    _workbooks.by_pandas({kwargs.get("sheet_name", "Sheet1"): frame}, path, rest)


def _writer(obj: Any, format: str) -> Callable[..., object]:
    method = _METHODS[format]
    writer: Callable[..., object] = getattr(obj if hasattr(obj, method) else _frame(obj), method)
    return writer


def _frame(obj: Any) -> Any:
    return obj if obj.ndim == 2 else obj.to_frame()


def _asks_for_compression(kwargs: dict[str, Any]) -> bool:
    """Whether an argument asks for a compression, whose streams cannot all be put behind one another."""
    return kwargs.get("compression", "infer") not in ("infer", None)
