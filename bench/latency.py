"""How long a write of very little data takes: ``python bench/latency.py --help``.

Three rows show what a call costs before any data counts. All contenders take turns within one run, with the same
codec and without fsync, over a file that is there already: the libraries overwrite it, atio replaces it. Each time is
taken once with the calls right after one another and once after a pause, in which idle threads have gone to sleep.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl

import atio

CODEC = "snappy"
Write = Callable[[str], object]


def tiny() -> pd.DataFrame:
    """Three rows of a number, a float and a text."""
    return pd.DataFrame({"id": [1, 2, 3], "price": [1.5, 2.25, 3.0], "city": ["Oslo", "Lima", "Riga"]})


def contenders() -> dict[str, dict[str, Write]]:
    """For each kind of file the ways to write it: the library's own, then atio with the same frame."""
    pandas_frame = tiny()
    polars_frame = pl.DataFrame(pandas_frame)

    def with_atio(frame: object, **more: object) -> Write:
        return lambda path: atio.write(frame, path, durable=False, **more)

    return {
        "parquet": {
            "pandas": lambda path: pandas_frame.to_parquet(path, compression=CODEC),
            "atio (pandas)": with_atio(pandas_frame, compression=CODEC),
            "polars": lambda path: polars_frame.write_parquet(path, compression=CODEC),
            "atio (polars)": with_atio(polars_frame, compression=CODEC),
        },
        "csv": {
            "pandas": pandas_frame.to_csv,
            "atio (pandas)": with_atio(pandas_frame),
            "polars": polars_frame.write_csv,
            "atio (polars)": with_atio(polars_frame),
        },
    }


def measure(writes: dict[str, Write], directory: Path, suffix: str, runs: int, pause: float) -> dict[str, list[float]]:
    """Milliseconds of each run. Every round begins with another contender."""
    paths = {name: str(directory / f"{at}.{suffix}") for at, name in enumerate(writes)}
    for name, write in writes.items():
        for _ in range(10):
            write(paths[name])
    times: dict[str, list[float]] = {name: [] for name in writes}
    names = list(writes)
    gc.collect()
    gc.disable()
    try:
        for round_ in range(runs):
            first = round_ % len(names)
            for name in names[first:] + names[:first]:
                if pause:
                    time.sleep(pause)
                began = time.perf_counter()
                writes[name](paths[name])
                times[name].append((time.perf_counter() - began) * 1e3)
    finally:
        gc.enable()
    return times


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300, help="of each; a tenth of it, at least 50, after pauses")
    parser.add_argument("--pause", type=float, default=50, help="milliseconds of the pauses")
    parser.add_argument("--memory", type=Path, default="/dev/shm", help="directory in memory")
    options = parser.parse_args()
    print(f"Three rows, {CODEC}, without fsync: shortest (median) in milliseconds.\n")
    print("| file | pause | pandas | atio (pandas) | ratio | polars | atio (polars) | ratio |")
    print("|---" * 8 + "|")
    for file, writes in contenders().items():
        for pause in (0.0, options.pause):
            runs = max(50, options.runs // 3) if pause else options.runs
            with tempfile.TemporaryDirectory(dir=options.memory) as directory:
                times = measure(writes, Path(directory), file, runs, pause / 1e3)
            best = {name: min(of) for name, of in times.items()}
            median = {name: statistics.median(of) for name, of in times.items()}
            cells = [file, f"{pause:.0f} ms"]
            for library in ("pandas", "polars"):
                names = (library, f"atio ({library})")
                cells += [f"{best[name]:.2f} ({median[name]:.2f})" for name in names]
                low, middle = (of[names[1]] / of[names[0]] for of in (best, median))
                cells.append(f"**{low:.2f}** ({middle:.2f})")
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
