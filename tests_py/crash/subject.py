"""The program that the crash tests spoil: it warms atio up, passes the start marker, and makes one write.

Run as ``python -m crash.subject``, it takes requests from its standard input and forks a child for each, because
importing pandas takes ten times as long as everything else. The parent never uses atio, so that the child is to
atio like a new process.

For each request, one line of JSON, it answers with the number of the child, waits for a line with which the tracer
is said to be attached, and answers with what the child said.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import sys
import tempfile
import traceback
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import atio

from . import tables
from .tracing import START_MARKER, STOP_MARKER, install_filter

PR_SET_PTRACER = 0x59616D61


@dataclass(frozen=True)
class Write:
    """One call of ``atio.write``, or of another function if an operation of ``tables`` is named."""

    target: str
    content: str  # which frame: "old", "new" or "big"
    options: dict[str, Any] = field(default_factory=dict)
    operation: str = ""
    kind: str = "pandas"  # what the frame is made into first

    def run(self) -> Any:
        if self.operation:
            return tables.OPERATIONS[self.operation](self.target, frame(self.content))
        return atio.write(made(self.kind, self.content), self.target, **self.options)

    def warm_up(self, directory: str) -> None:
        """Do the same elsewhere, so that all is loaded."""
        target = Path(directory, Path(self.target).name)
        if self.operation:
            target = Path(tempfile.mkdtemp(dir=directory), "table")
            tables.make(str(target), 2, frame("old"))
            replace(self, target=str(target)).run()
        else:
            replace(self, target=str(target), content="old").run()


@dataclass(frozen=True)
class Request:
    """A write to be traced."""

    write: Write
    warm_up: str  # a directory elsewhere, for a write that is not counted
    directory: str  # the one that is watched
    filter_library: str
    all_opens: bool


@dataclass(frozen=True)
class Report:
    """What became of it."""

    ok: bool
    error: str = ""  # name of the exception's class, or of one of its bases that is built in
    is_os_error: bool = False
    errno: int | None = None
    filename: str | None = None
    message: str = ""
    traceback: str = ""
    bytes: int = 0
    checksum: str = ""
    engine: str = ""
    still_open: list[str] = field(default_factory=list)  # files of the directory that the process still holds


@functools.cache
def frame(content: str) -> pd.DataFrame:
    """Few rows, since what is tested is not how much is written. "big" is enough for early write-back."""
    rows = {"old": 1500, "new": 2000, "big": 250_000}[content]
    numbers = np.random.default_rng(rows)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "value": numbers.normal(size=rows),
            "name": [f"{content}-{i % 97}" for i in range(rows)],
            "other": numbers.normal(size=rows),
            # Three values, not quite the same ones in old and new data.
            "part": np.arange(rows) * 3 // rows + (content == "new"),
        }
    )


def made_into(kind: str, data: pd.DataFrame) -> Any:
    """A frame of another library, its columns as arrays, or its rows as one array."""
    if kind == "polars":
        import polars as pl

        return pl.DataFrame(pa.Table.from_pandas(data))
    if kind == "arrays":
        return {name: column.to_numpy("U12" if name == "name" else None) for name, column in data.items()}
    if kind == "rows":
        return np.asarray(data.to_records(index=False, column_dtypes={"name": "U12"}))
    if kind == "registered":
        atio.register_writer(Rows, "rows", _write_rows, replace=True)
        return Rows(data)
    return data


@functools.cache
def made(kind: str, content: str) -> Any:
    """What a write writes."""
    return made_into(kind, frame(content))


@dataclass
class Rows:
    """An object of a class that atio learns to write."""

    data: pd.DataFrame


def _write_rows(rows: Rows, path: str) -> None:
    rows.data.to_pickle(path)


_write_rows.__module__ = "crash.subject"  # also where this is the main program: it is the result's engine


def report_on(request: Request) -> Report:
    """Makes the write, between the markers."""
    request.write.warm_up(request.warm_up)
    made(request.write.kind, request.write.content)
    os.access(START_MARKER, 0)
    try:
        result = request.write.run()
    except BaseException as error:
        os.access(STOP_MARKER, 0)
        return Report(
            ok=False,
            error=type(error).__name__,
            is_os_error=isinstance(error, OSError),
            errno=getattr(error, "errno", None),
            filename=getattr(error, "filename", None),
            message=str(error),
            traceback=traceback.format_exc(),
            still_open=still_open(request.directory),
        )
    os.access(STOP_MARKER, 0)
    return Report(
        ok=True,
        bytes=getattr(result, "bytes", 0),
        checksum=getattr(result, "checksum", ""),
        engine=getattr(result, "engine", ""),
        still_open=still_open(request.directory),
    )


def still_open(directory: str) -> list[str]:
    paths = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            paths.append(str(descriptor.readlink()))
    inside = os.path.realpath(directory)
    return [path for path in paths if path == inside or path.startswith(inside + "/")]


def be_traced(request: Request, attached: int) -> Report:
    # Where processes may trace only their children, the tracer, a sibling, needs a permission.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    if os.read(attached, 1) != b"g":
        os._exit(3)
    install_filter(request.filter_library, request.all_opens)
    return report_on(request)


def prepare() -> None:
    """Has everything imported and made that children share, without loading atio's library."""
    pa.Table.from_pandas(frame("old").head(1))
    import polars as pl  # noqa: F401 - but its threads must not begin here, which a child would not have

    for kind in ("arrays", "rows", "registered"):
        made(kind, "new")
    # Refused, but only once it has been found out who could write a frame.
    with contextlib.suppress(Exception):
        atio.write(frame("old"), "/nonexistent/a.npy")


def serve() -> None:
    prepare()
    for line in sys.stdin:
        fields = json.loads(line)
        request = Request(**{**fields, "write": Write(**fields["write"])})
        attached, tell = os.pipe()
        answer, say = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(tell)
                os.close(answer)
                report = be_traced(request, attached)
                os.write(say, json.dumps(asdict(report)).encode())
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(attached)
        os.close(say)
        print(child, flush=True)
        if sys.stdin.readline().strip() == "go":
            os.write(tell, b"g")
        os.close(tell)
        with os.fdopen(answer, "rb") as pipe:
            said = pipe.read().decode()
        os.waitpid(child, 0)
        print(said, flush=True)


if __name__ == "__main__":
    serve()
