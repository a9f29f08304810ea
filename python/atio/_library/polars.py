"""polars' DataFrame, LazyFrame and Series."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, BinaryIO

from .. import _encode
from .._first_use import use
from .._plan import EncodeFilesInGo, EncodeInGo, EncodeInLibrary, Plan
from . import Append, SameColumns, _workbooks

NAME = "polars"
FORMATS = ("csv", "parquet", "excel", "json", "ndjson", "ipc", "avro")


def plan(obj: Any, format: str, target: str, kwargs: dict[str, Any]) -> Plan:
    """Have Go encode the frame if it writes what polars would, else polars."""
    frame = frame_of(obj)
    if kwargs.get("mkdir"):  # of the target's directory: that of the stage is there
        os.makedirs(os.path.dirname(target), exist_ok=True)
        kwargs = {k: v for k, v in kwargs.items() if k != "mkdir"}
    in_go: EncodeInGo | EncodeFilesInGo | None = None
    if format == "parquet":
        in_go = _encode.parquet.from_polars(frame, kwargs)
    elif format == "csv":
        in_go = _encode.csv.from_polars(frame, target, kwargs)
    elif format in ("json", "ndjson"):
        in_go = _encode.json.from_polars(frame, format, target, kwargs)
    elif format == "excel":
        in_go = _encode.excel.from_polars(frame, target, kwargs)
    elif format == "ipc":
        in_go = _encode.ipc.from_polars(frame, kwargs)
        if in_go is not None and in_go.options["compression"] == "zstd":  # which polars does faster
            return replace(plan_in_library(frame, format, kwargs), in_chunks=in_go)
    elif format == "avro":
        in_go = _encode.avro.from_polars(frame, kwargs)
    return in_go or plan_in_library(frame, format, kwargs)


def plan_in_library(obj: Any, format: str, kwargs: dict[str, Any]) -> EncodeInLibrary:
    """Have polars write it."""
    directory = format == "parquet" and kwargs.get("partition_by") is not None
    frame = frame_of(obj)
    write = getattr(frame, f"write_{format}")
    if kwargs.get("use_pyarrow"):
        use("pyarrow.parquet")
    if format == "excel":
        use("xlsxwriter", "polars.io.spreadsheet._write_utils", "encodings.utf_16_le")
        _workbooks.check_texts({str(kwargs.get("worksheet") or "Sheet1"): frame})
    if format == "avro":
        return EncodeInLibrary(NAME, lambda path: _write_watched(write, path, kwargs), frame.height)
    return EncodeInLibrary(NAME, lambda path: write(path, **kwargs), frame.height, directory)


def _write_watched(write: Callable[..., object], path: str, kwargs: dict[str, Any]) -> None:
    """Have a writer write that says of the system's errors only that there was one."""
    with open(path, "wb") as f:
        watched = _Watched(f)
        try:
            write(watched, **kwargs)
        except Exception as e:
            raise watched.error or e from None
        if watched.error is not None:
            raise watched.error


class _Watched:
    """A file that remembers what went wrong."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as e:
            self.error = e
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as e:
            self.error = e
            raise


def append_in_library(format: str, kwargs: dict[str, Any]) -> Append:
    """Chunks of csv and ndjson behind one another."""
    if format not in ("csv", "ndjson") or kwargs.get("compression", "uncompressed") != "uncompressed":
        raise ValueError(f"polars chunks cannot be written as {format} with these arguments: pass one frame")

    same = SameColumns()

    def append(path: str, obj: Any, first: bool) -> int:
        frame = frame_of(obj)
        if format == "csv":
            same.check(frame.columns)
        more = {} if first or format != "csv" else {"include_header": False, "include_bom": False}
        with open(path, "wb" if first else "ab") as f:
            getattr(frame, f"write_{format}")(f, **{**kwargs, **more})
        height: int = frame.height
        return height

    return append


def frame_of(obj: Any) -> Any:
    """A DataFrame: a LazyFrame is collected, a Series is a frame of one column."""
    kind = type(obj).__name__
    if hasattr(obj, "collect"):
        return obj.collect(engine="streaming") if _streams(obj) else obj.collect()
    return obj.to_frame() if kind == "Series" else obj


def _streams(lazy: Any) -> bool:
    """Whether this version of polars can collect by its streaming engine (1.23)."""
    import inspect

    return "engine" in inspect.signature(lazy.collect).parameters
