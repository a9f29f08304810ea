"""Writing a thousand times leaves a process as it was: memory, descriptors, threads, mappings."""

from __future__ import annotations

import contextlib
import gc
import os
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

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


def _many_writes(directory: str, rounds: int) -> list[dict[str, int]]:
    pandas = pd.DataFrame({"a": range(20_000), "s": ["text"] * 20_000})
    polars = pl.from_pandas(pandas)

    def once() -> None:
        atio.write(pandas, f"{directory}/a.parquet", durable=False)
        atio.write(polars, f"{directory}/b.parquet", durable=False)
        atio.write(pandas, f"{directory}/a.csv", durable=False)
        atio.write(iter([polars, polars]), f"{directory}/b.csv", durable=False)

    def fail() -> None:
        with contextlib.suppress(FileNotFoundError):
            atio.write(pandas, f"{directory}/no/a.parquet")
        with contextlib.suppress(ZeroDivisionError):
            atio.write((1 // 0 if i == 1 else pandas for i in range(2)), f"{directory}/c.parquet")
        with contextlib.suppress(ValueError):
            atio.write(pandas, f"{directory}/c.csv", validate=_refuse)

    measured = []
    for i in range(rounds // 4 + 1):
        if i in (rounds // 12, rounds // 4):
            measured.append(_measure())
        once()
        if i % 5 == 0:
            fail()
    return measured


def _refuse(path: Path) -> None:
    raise ValueError(path)


def test_thousand_writes(tmp_path: Path) -> None:
    before, after = apart(_many_writes, str(tmp_path), ROUNDS, timeout=250)
    print("after a third and after all:", before, after)
    # A leak of one frame in each write would be 100 MiB and more, one of a descriptor 600 of them.
    assert after["memory"] - before["memory"] < 40 * 1024
    assert after["descriptors"] - before["descriptors"] <= 2
    assert after["threads"] - before["threads"] <= 4
    assert after["mappings"] - before["mappings"] < 200


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
