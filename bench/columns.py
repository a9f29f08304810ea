"""How long single columns take as CSV or NDJSON beside polars: ``python bench/columns.py --help``.

Kinds of values at which a formatter may be bad. Both write the same polars frame in turns within one run, in memory and
without fsync; a figure is the shortest of several. A kind that polars refuses is left out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import ComputeError

import atio

RANDOM = np.random.default_rng(1)
ROWS = 1_000_000


def texts(kinds: int, length: int) -> pl.Series:
    """So many different texts, in random order."""
    return pl.Series([f"{'x' * (length - 7)}{i:07}" for i in range(kinds)])[RANDOM.integers(0, kinds, ROWS)]


def ticks(most: int, dtype: pl.DataType) -> pl.Series:
    """Random counts below ``most`` as moments or spans of time."""
    return pl.Series(RANDOM.integers(0, most, ROWS)).cast(dtype)


def wide(values: Callable[[], np.ndarray]) -> pl.DataFrame:
    """A thousand columns of a thousand rows."""
    return pl.DataFrame({f"c{i}": values() for i in range(1000)})


COLUMNS: dict[str, Callable[[], pl.Series | pl.DataFrame]] = {
    "long integers": lambda: pl.Series(RANDOM.integers(-(10**12), 10**12, ROWS)),
    "short integers": lambda: pl.Series(RANDOM.integers(0, 100, ROWS).astype("i2")),
    "random doubles": lambda: pl.Series(RANDOM.random(ROWS)),
    "prices": lambda: pl.Series(np.round(RANDOM.normal(100, 15, ROWS), 2)),
    "float32": lambda: pl.Series(RANDOM.random(ROWS).astype("f4")),
    "doubles with exponents": lambda: pl.Series(RANDOM.random(ROWS) * 10.0 ** RANDOM.integers(-300, 300, ROWS)),
    "whole doubles": lambda: pl.Series(RANDOM.integers(0, 10**6, ROWS).astype("f8")),
    "booleans": lambda: pl.Series(RANDOM.random(ROWS) > 0.5),
    "dates": lambda: pl.Series(RANDOM.integers(0, 20_000, ROWS).astype("i4")).cast(pl.Date),
    "timestamps": lambda: ticks(10**15, pl.Datetime("us")),
    "timestamps with a zone": lambda: ticks(10**15, pl.Datetime("us", "Europe/Berlin")),
    "times of day": lambda: ticks(86_400 * 10**9, pl.Time()),
    "durations": lambda: ticks(10**12, pl.Duration("us")),
    "decimals": lambda: pl.Series(RANDOM.integers(0, 10**7, ROWS)).cast(pl.Decimal(18, 2)),
    "short texts": lambda: texts(1000, 8),
    "texts of 20": lambda: texts(100_000, 20),
    "texts to be quoted": lambda: pl.Series(['a,"b"', "x\ny"])[RANDOM.integers(0, 2, ROWS)],
    "texts of 10 kB": lambda: pl.Series(["y" * 10_000] * 5000),
    "categories": lambda: texts(1000, 12).cast(pl.Categorical),
    "1,000 columns of integers": lambda: wide(lambda: RANDOM.integers(0, 1000, 1000)),
    "1,000 columns of doubles": lambda: wide(lambda: RANDOM.random(1000)),
}


def row(frame: pl.DataFrame, format: str, directory: str, repetitions: int) -> str:
    """Times, their ratio, and who wrote for atio."""
    path = Path(directory, f"x.{format}")
    taken: dict[str, list[float]] = {"atio": [], "polars": []}
    engine = ""
    for _ in range(repetitions):
        start = time.perf_counter()
        engine = atio.write(frame, path, durable=False).engine
        taken["atio"].append(time.perf_counter() - start)
        start = time.perf_counter()
        getattr(frame, f"write_{format}")(path)
        taken["polars"].append(time.perf_counter() - start)
    ours, theirs = (min(t) * 1e3 for t in taken.values())
    return f"{ours:.1f} | {theirs:.1f} | **{ours / theirs:.2f}** | {engine} |"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=("csv", "ndjson"), default="csv")
    parser.add_argument("--only", default="", help="kinds whose name holds this")
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()
    print("| column | atio, ms | polars, ms | atio / polars | by |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        for name, make in COLUMNS.items():
            if options.only not in name:
                continue
            made = make()
            frame = made if isinstance(made, pl.DataFrame) else pl.DataFrame({"a": made})
            try:
                print(f"| {name} |", row(frame, options.format, directory, options.repetitions), flush=True)
            except ComputeError as e:
                print(f"| {name} | polars refuses it: {str(e).splitlines()[0]} | | | |")


if __name__ == "__main__":
    main()
