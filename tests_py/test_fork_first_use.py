"""No fork comes into what the libraries do at their first use: imports, and the statics of C++ functions."""

from __future__ import annotations

import ctypes
import datetime as dt
import decimal
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import atio
from atio._fork import undisturbed
from support import HERE, apart

FRAME = pd.DataFrame({"x": range(1000), "s": ["text"] * 1000})


@pytest.fixture(scope="module")
def preload(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which the statics are watched."""
    library = tmp_path_factory.mktemp("statics") / "statics.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, HERE / "statics.c", "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


def _types() -> pd.DataFrame:
    """A frame with columns of other types, which call other functions of pyarrow."""
    return pd.DataFrame(
        {
            "f": [1.5, None],
            "t": pd.to_datetime(["2020-01-01", None]),
            "b": [True, False],
            "c": pd.Categorical(["a", None]),
            "d": [decimal.Decimal("1.5"), None],
            "dd": [dt.date(2020, 1, 1), None],
            "bb": [b"x", None],
            "l": [[1], None],
            "i8": np.array([1, 2], "i1"),
        }
    )


def _write_pandas(at: str) -> None:
    for name in ("x.parquet", "x.csv", "x.json", "x.xlsx"):
        atio.write(FRAME, f"{at}/{name}", durable=False)
        atio.write(_types(), f"{at}/{name}", durable=False)
    atio.write(FRAME, f"{at}/parts", durable=False, partition_cols=["s"])
    atio.write(iter([FRAME, FRAME]), f"{at}/x.parquet", durable=False)
    # By pandas itself.
    for name in ("x.feather", "x.html", "x.pkl"):
        atio.write(FRAME, f"{at}/{name}", durable=False)
    atio.write(FRAME, f"{at}/x.csv", durable=False, float_format=lambda _: "x")
    atio.write(FRAME, f"{at}/x.parquet", durable=False, use_byte_stream_split=True)
    atio.write(
        FRAME, f"{at}/x.xlsx", durable=False, engine="xlsxwriter", engine_kwargs={"options": {"in_memory": True}}
    )


def _write_polars(at: str) -> None:
    frame = pl.DataFrame({"x": [1, 2], "s": ["a", "b"]})
    for name in ("x.parquet", "x.csv", "x.json", "x.ndjson", "x.ipc", "x.avro", "x.xlsx"):
        atio.write(frame, f"{at}/{name}", durable=False)
    atio.write(frame, f"{at}/x.xlsx", durable=False, sparklines={})
    atio.write(frame, f"{at}/x.parquet", durable=False, use_pyarrow=True)
    atio.write(frame, f"{at}/parts", durable=False, partition_by=["s"])


def _write_arrow(at: str) -> None:
    table = pa.table({"x": [1, 2], "l": [[1], None]})
    for obj in (table, table.to_batches()[0], table.to_reader()):
        atio.write(obj, f"{at}/x.parquet", durable=False)
    for name in ("x.csv", "x.arrow", "x.avro"):
        atio.write(table.select(["x"]), f"{at}/{name}", durable=False)


def _write_numpy(at: str) -> None:
    array = np.arange(5.0)
    for name in ("x.npy", "x.npz", "x.csv", "x.bin"):
        atio.write(array, f"{at}/{name}", durable=False)
    atio.write(iter([array, array]), f"{at}/y.npz", durable=False)


def _write_tables(at: str) -> None:
    for frame in (FRAME, FRAME):
        atio.write_snapshot(frame, f"{at}/table", mode="append")
    assert len(atio.read_table(f"{at}/table")) == 2000
    assert atio.read_table(f"{at}/table", output_as="polars", filters=[("x", "<", 2)]).height == 4
    connection = sqlite3.connect(f"{at}/x.db")
    atio.write(FRAME, format="sql", name="t", con=connection)
    connection.close()


_WRITES = {f.__name__: f for f in (_write_pandas, _write_polars, _write_arrow, _write_numpy, _write_tables)}


def _first_uses(write: str, at: str) -> tuple[list[str], list[str]]:
    """What a process makes and imports on the way of its first writes: what no fork can come into, and the rest."""
    kept: list[str] = []
    left: list[str] = []
    package = str(Path(atio.__file__).parent)
    callback = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_long)

    def note(what: str) -> None:
        stack = [f for f in traceback.extract_stack() if "importlib" not in f.filename and f.filename != __file__]
        ours = [f for f in stack if f.filename.startswith(package)]
        if threading.current_thread() is threading.main_thread() and not ours:
            return  # done by this test
        # By its own thread, or by the one for which a thread of Arrow's works.
        held = undisturbed._is_owned() or not undisturbed.acquire(blocking=False)  # type: ignore[attr-defined]
        if not held:
            undisturbed.release()
        (kept if held else left).append("\n  ".join([what, *(f"{f.filename}:{f.lineno}" for f in stack[::-1])]))

    @callback
    def on_static(library: bytes, offset: int) -> None:
        note(f"static {Path(os.fsdecode(library)).name}+{offset:#x}")

    class Watch:
        def find_spec(self, name: str, *_: Any) -> None:
            note(f"import {name}")

    at_static = ctypes.c_void_p.in_dll(ctypes.CDLL(None), "on_static")
    at_static.value = ctypes.cast(on_static, ctypes.c_void_p).value
    sys.meta_path.insert(0, Watch())
    try:
        _WRITES[write](at)
    finally:
        at_static.value = None
        sys.meta_path.pop(0)
    return kept, left


@pytest.mark.parametrize("write", _WRITES)
def test_first_uses_are_undisturbed(write: str, tmp_path: Path, preload: dict[str, str]) -> None:
    kept, left = apart(_first_uses, write, str(tmp_path), timeout=120, env=preload)
    assert [what for what in kept if what.startswith("static libarrow.so")], "the statics were not watched"
    assert not left, "\n".join(left)


def _forks_at_slow_statics(directory: str, in_thread: bool) -> list[int]:
    """Forks over and over while another thread writes for the first time; a static takes as long as several forks."""
    ctypes.c_int.in_dll(ctypes.CDLL(None), "static_us").value = 30_000
    children: list[int] = []
    written = threading.Event()

    def write(name: str) -> None:
        atio.write(FRAME, f"{directory}/{name}.parquet", durable=False)
        atio.write(FRAME, f"{directory}/{name}.csv", durable=False)

    def first() -> None:
        write("first")
        written.set()

    def forks() -> None:
        while not written.is_set():
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                write(str(os.getpid()))
                os._exit(0)
            children.append(child)
            time.sleep(0.004)

    thread = threading.Thread(target=forks if in_thread else first)
    thread.start()
    (first if in_thread else forks)()
    thread.join()
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


@pytest.mark.parametrize("in_thread", [False, True], ids=["main", "thread"])
def test_forks_at_slow_statics(in_thread: bool, tmp_path: Path, preload: dict[str, str]) -> None:
    codes = apart(_forks_at_slow_statics, str(tmp_path), in_thread, timeout=120, env=preload)
    assert codes
    assert codes == [0] * len(codes)
