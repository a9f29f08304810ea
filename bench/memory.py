"""How much memory a stream takes: ``python bench/memory.py --help``.

Batches are made, written and forgotten, so that what the process holds more than at the beginning is the writer's.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

import atio

ROWS = 100_000


def batches(size: float) -> Iterator[pa.Table]:
    """Make tables of 20 columns, ``size`` bytes of Arrow data in all."""
    random = np.random.default_rng(0)
    made = 0
    while made < size:
        floats = {f"float{i}": random.random(ROWS) for i in range(10)}
        integers = {f"integer{i}": random.integers(0, 1000, ROWS) for i in range(9)}
        table = pa.table({**floats, **integers, "text": [f"text {n}" for n in random.integers(0, 10**9, ROWS)]})
        made += table.nbytes
        yield table


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Peak:
    """The most memory held while it is entered."""

    def __init__(self) -> None:
        self.before = self.most = resident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.most = max(self.most, resident())


def main() -> None:
    """Write a stream and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=10, help="of Arrow data")
    parser.add_argument("--format", choices=["parquet", "csv"], default="parquet", help="csv is written by polars' way")
    parser.add_argument("--directory", type=Path, default=Path(__file__).parent / "out", help="where the file goes")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    for _ in batches(1e9):  # what making batches takes is not the writer's
        pass
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        path = Path(directory, f"stream.{options.format}")
        start = time.perf_counter()
        with Peak() as peak, atio.open_writer(path) as writer:
            for table in batches(options.gigabytes * 1e9):
                writer.write(pl.DataFrame(table) if options.format == "csv" else table)
        seconds, size = time.perf_counter() - start, path.stat().st_size
    print(
        f"{options.gigabytes:.0f} GB of batches in {seconds:.0f} s, a file of {size / 1e9:.1f} GB; "
        f"memory {peak.before / 1e6:.0f} MB before, at most {(peak.most - peak.before) / 1e6:.0f} MB more"
    )


if __name__ == "__main__":
    sys.exit(main())
