"""How long 100,000 x 10 mixed cells take as a workbook, and how much memory: ``python bench/excel.py --help``.

atio, pandas with openpyxl and with XlsxWriter, and polars write the same frame in turns within one run, without fsync.
Memory is what each takes above a process that holds the frame, in a process of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

import atio


def mixed(rows: int) -> pd.DataFrame:
    """Ten columns: numbers, prices, texts of few and of many values, times, flags, some of them missing."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(rows),
            "a": random.normal(size=rows),
            "price": np.round(random.uniform(1, 1000, rows), 2),
            "count": random.integers(0, 1000, rows),
            "city": random.choice(["London", "Paris", "New York", "Tokyo", "Oslo"], rows),
            "uid": [f"{x:016x}" for x in random.integers(0, 2**60, rows)],
            "time": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 10**7, rows), unit="s"),
            "flag": random.random(rows) < 0.3,
            "b": random.normal(100, 15, rows),
            "stars": random.integers(0, 6, rows).astype(float),
        }
    )
    frame.loc[::20, "b"] = np.nan
    return frame


def contenders(frame: pd.DataFrame) -> dict[str, Callable[[str], object]]:
    """The ways to write it, each with its own library's frame."""
    polars_frame = pl.from_pandas(frame)
    return {
        "atio (pandas)": lambda path: atio.write(frame, path, index=False, durable=False),
        "atio (polars)": lambda path: atio.write(polars_frame, path, durable=False),
        "pandas + openpyxl": lambda path: frame.to_excel(path, index=False, engine="openpyxl"),
        "pandas + xlsxwriter": lambda path: frame.to_excel(path, index=False, engine="xlsxwriter"),
        "polars": polars_frame.write_excel,
    }


def times(rows: int, rounds: int, directory: Path) -> dict[str, list[float]]:
    """Seconds of each run. The libraries take so long that atio writes five times for each of theirs."""
    writes = contenders(mixed(rows))
    taken: dict[str, list[float]] = {name: [] for name in writes}
    for _ in range(rounds):
        for name, write in writes.items():
            for _ in range(5 if name.startswith("atio") else 1):
                path = str(directory / "x.xlsx")
                began = time.perf_counter()
                write(path)
                taken[name].append(time.perf_counter() - began)
    return taken


def memory(rows: int, name: str, directory: Path) -> None:
    """Print what one contender takes, in MB above what the process had with the frame made and all imported."""
    frame = mixed(rows)
    write = contenders(frame)[name]
    contenders(frame.head(100))[name](str(directory / "small.xlsx"))
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what there is now
    before = peak()
    write(str(directory / "x.xlsx"))
    print(peak() - before)


def peak() -> float:
    """The most memory that the process has had, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--directory", type=Path, default=Path("/dev/shm"), help="where to write")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.directory) as scratch:
        if asked.memory_of:
            memory(asked.rows, asked.memory_of, Path(scratch))
            return
        taken = times(asked.rows, asked.rounds, Path(scratch))
    mine: dict[str, Any] = {name: min(seconds) for name, seconds in taken.items()}
    print(f"| {asked.rows:,} x 10 cells | seconds | atio (pandas) / this | atio (polars) / this | MB more |")
    print("|---|---|---|---|---|")
    for name, best in mine.items():
        command = [sys.executable, __file__, "--rows", str(asked.rows), "--memory-of", name]
        more = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        ratios = [f"{mine[f'atio ({library})'] / best:.3f}" for library in ("pandas", "polars")]
        print(f"| {name} | {best:.2f} | {' | '.join(ratios)} | {float(more):.0f} |")


if __name__ == "__main__":
    main()
