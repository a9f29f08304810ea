"""Writing a thousand times leaves a process as it was: memory, descriptors, threads, mappings."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import atio
from support import apart

ROUNDS = 1000


def _measure() -> dict[str, int]:
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "memory": int(status["VmRSS"].split()[0]),  # KiB
        "threads": int(status["Threads"]),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "mappings": len(Path("/proc/self/maps").read_text().splitlines()),
    }


PANDAS = pd.DataFrame({"a": range(1_000), "s": ["text"] * 1_000})
POLARS = pl.from_pandas(PANDAS)


def _fail(directory: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        atio.write(PANDAS, f"{directory}/no/a.parquet")
    with contextlib.suppress(ZeroDivisionError):
        atio.write((1 // 0 if i == 1 else PANDAS for i in range(2)), f"{directory}/c.parquet")
    with contextlib.suppress(TypeError):
        atio.write(PANDAS, f"{directory}/c.json", nonsense=True)
    with contextlib.suppress(KeyboardInterrupt):
        atio.write(PANDAS, f"{directory}/c.csv", validate=_interrupt)


def _interrupt(_: Path) -> None:
    raise KeyboardInterrupt


def _backup(directory: str) -> None:
    for _ in range(2):
        atio.write(PANDAS, f"{directory}/b.csv", durable=False, backup=2)
    atio.verify(f"{directory}/b.csv")
    atio.restore(f"{directory}/b.csv", durable=False)


ONCE: dict[str, Callable[[str], object]] = {
    "parquet": lambda d: atio.write(PANDAS, f"{d}/a.parquet", durable=False),
    "csv": lambda d: atio.write(PANDAS, f"{d}/a.csv", durable=False),
    "polars": lambda d: atio.write(POLARS, f"{d}/p.parquet", durable=False),
    "pickle": lambda d: atio.write(PANDAS, f"{d}/a.pkl", durable=False),
    "chunks": lambda d: atio.write(iter([PANDAS, PANDAS]), f"{d}/i.csv", durable=False),
    "backup, verify, restore": _backup,
    "failures": _fail,
}


def _many_times(directory: str, what: str) -> list[dict[str, int]]:
    once = ONCE[what]
    for _ in range(ROUNDS // 5):
        once(directory)
    before = _measure()
    for _ in range(ROUNDS):
        once(directory)
    return [before, _measure()]


@pytest.mark.parametrize("what", ONCE)
def test_thousand_times(what: str, tmp_path: Path) -> None:
    before, after = apart(_many_times, str(tmp_path), what, timeout=250)
    print(f"{what}, before and after:", before, after)
    # A lost KiB each time would be 1000 of them, a lost descriptor 1000 descriptors.
    assert after["memory"] - before["memory"] < 6 * 1024
    assert after["descriptors"] - before["descriptors"] <= 2
    assert after["threads"] - before["threads"] <= 6
    assert after["mappings"] - before["mappings"] < 100


def _a_stream(directory: str, chunks: int) -> list[int]:
    frame = pl.DataFrame({"x": range(500_000), "y": [0.5] * 500_000})
    atio.write(iter([frame] * 3), f"{directory}/x.parquet", row_group_size=500_000)
    atio.write(iter([frame] * 3), f"{directory}/x.csv")
    peaks = []
    for name in ("x.parquet", "x.csv"):
        before = _measure()["memory"]
        highest = before

        def watched() -> Any:
            nonlocal highest
            for _ in range(chunks):
                highest = max(highest, _measure()["memory"])
                yield frame.with_columns(pl.col("x") + 1)

        kwargs = {} if name == "x.csv" else {"row_group_size": 500_000}
        atio.write(watched(), f"{directory}/{name}", durable=False, **kwargs)
        peaks.append(highest - before)
    return peaks


def test_memory_of_an_iterator_is_bounded(tmp_path: Path) -> None:
    """80 chunks of 8 MB pass through; what is held at once does not grow with their number."""
    few = apart(_a_stream, str(tmp_path), 10, timeout=200)
    many = apart(_a_stream, str(tmp_path), 80, timeout=200)
    print("KiB held, of 10 and of 80 chunks:", few, many)
    for held in (*few, *many):
        assert held < 250 * 1024
