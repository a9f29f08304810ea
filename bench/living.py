"""What ``atio.optimize`` does to a table of many small files, and what a stream costs.

    python bench/living.py [--files 1000]

In memory, without fsync.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import atio


def shortest(what: Callable[[], object], repetitions: int = 5) -> float:
    """Seconds of the fastest run."""
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        what()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        table = str(Path(directory, "t"))
        numbers = np.random.default_rng(1)
        for i in range(files):
            frame = pd.DataFrame({"i": np.full(100, i), "x": numbers.random(100), "s": [f"text {i}"] * 100})
            atio.write_snapshot(frame, table, mode="append", durable=False)
        for output in ("pandas", "polars", "arrow"):
            before = shortest(lambda output=output: atio.read_table(table, files, output))
            print(f"{files} files to {output}: {before:.4f} s", flush=True)
        began = time.perf_counter()
        made = atio.optimize(table, durable=False)
        print(f"optimize: {time.perf_counter() - began:.3f} s, {made.files_removed} files -> {made.files_added}")
        for output in ("pandas", "polars", "arrow"):
            before = shortest(lambda output=output: atio.read_table(table, files, output))
            after = shortest(lambda output=output: atio.read_table(table, None, output))
            print(f"to {output}: {before:.4f} s -> {after:.4f} s, {before / after:.1f} times faster")
        frame = pd.DataFrame({"i": np.arange(100)})
        for spool in (False, True):
            with atio.stream(str(Path(directory, f"s{spool}")), "b", spool=spool, durable=False) as s:
                took = shortest(lambda s=s: s.append(frame), 200)
            print(f"append of 100 rows to a stream{' with a journal' if spool else ''}: {took * 1e6:.0f} µs")


if __name__ == "__main__":
    main()
