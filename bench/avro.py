"""How long frames take as Avro, and how large the files are, beside polars: ``python bench/avro.py --help``.

Both write the same polars frame in turns within one run, in memory and without fsync. ``three`` has three rows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import polars as pl
from frames import flights, floats, mixed, taxi

import atio

FRAMES: dict[str, Callable[[], pl.DataFrame]] = {
    "flights": lambda: _frame(flights()),
    "S": lambda: _frame(mixed()),
    "W": lambda: _frame(floats()),
    "T": lambda: _frame(taxi()),
    "three": lambda: pl.DataFrame({"id": [1, 2, 3], "name": ["a", "b", None], "x": [0.5, None, 1.5]}),
}
CODECS = ("uncompressed", "snappy", "deflate")


def _frame(table: Any) -> pl.DataFrame:
    """The table with types that polars' Avro writer takes."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    small = [name for name, dtype in frame.schema.items() if dtype in (pl.Int8, pl.Int16, pl.UInt8, pl.UInt16)]
    texts = [name for name, dtype in frame.schema.items() if dtype in (pl.Categorical, pl.Enum)]
    return frame.with_columns(pl.col(small).cast(pl.Int32), pl.col(texts).cast(pl.String)).rechunk()


def compare(frame: pl.DataFrame, codec: Any, directory: str, repetitions: int) -> str:
    """A row of the table: shortest and median times, ratio, and the file's size over that of polars."""
    path = os.path.join(directory, "x.avro")
    writes = {
        "polars": lambda: frame.write_avro(path, compression=codec),
        "atio": lambda: atio.write(frame, path, compression=codec, durable=False),
    }
    taken: dict[str, list[float]] = {name: [] for name in writes}
    sizes: dict[str, int] = {}
    began = time.perf_counter()
    for i in range(repetitions):
        if i > 0 and time.perf_counter() - began > 60:
            break  # polars deflates a gigabyte of noise
        for name, write in writes.items():
            start = time.perf_counter()
            write()
            taken[name].append(time.perf_counter() - start)
            sizes[name] = os.path.getsize(path)
    ours, theirs = taken["atio"], taken["polars"]
    middle, their_middle = statistics.median(ours), statistics.median(theirs)
    return (
        f"{min(ours) * 1e3:.2f} ({middle * 1e3:.2f}) ms | {min(theirs) * 1e3:.2f} ({their_middle * 1e3:.2f}) ms "
        f"| **{min(ours) / min(theirs):.2f}** ({middle / their_middle:.2f}) "
        f"| {sizes['atio']:,} B, {sizes['atio'] / sizes['polars']:.3f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", nargs="+", choices=FRAMES, default=list(FRAMES))
    parser.add_argument("--codecs", nargs="+", choices=CODECS, default=list(CODECS))
    parser.add_argument("--repetitions", type=int, default=7)
    arguments = parser.parse_args()
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    print("| frame | codec | atio | polars | ratio | size, of polars' |\n|---|---|---|---|---|---|")
    for name in arguments.frames:
        frame = FRAMES[name]()
        for codec in arguments.codecs:
            with tempfile.TemporaryDirectory(dir=memory) as directory:
                repetitions = arguments.repetitions * (50 if frame.height < 100 else 1)
                print(f"| {name} | {codec} |", compare(frame, codec, directory, repetitions), flush=True)


if __name__ == "__main__":
    main()
