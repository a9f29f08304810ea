"""How long atio takes to write, beside the libraries whose frames it writes: ``python bench/run.py --help``.

All contenders take turns within one run, so that whatever else the machine does meets them alike. A figure is the
shortest of several times, with the median after it. Each library writes at its defaults apart from the codec,
which is the same for all.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import os
import platform
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from frames import FRAMES

import atio

ZSTD_LEVEL = 3  # what polars and DuckDB take when nothing is said, and the zstd program too
PARQUET = {
    "parquet snappy": {"compression": "snappy"},
    "parquet zstd": {"compression": "zstd", "compression_level": ZSTD_LEVEL},
}
AVRO: dict[str, Any] = {  # deflate is in avro.py: polars takes a minute for some frames
    "avro": {"compression": "uncompressed"},
    "avro snappy": {"compression": "snappy"},
}
FILES = [*PARQUET, *AVRO, "csv", "ndjson", "json records", "savetxt"]
SUFFIXES = {"savetxt": "csv", "json records": "json"}
ATIO = ("atio (polars)", "atio (pandas)", "atio (numpy)")
PEERS = ("polars", "pandas", "pyarrow", "duckdb", "numpy")

TITLES = {
    False: "Without fsync, in memory (atio with `durable=False`)",
    True: "With fsync, on a disk (atio as it is, the others followed by fsync of the file)",
}

Write = Callable[[str], object]


@dataclass
class Contender:
    """One library's way of writing a frame, and what its runs gave."""

    write: Write
    seconds: list[float] = field(default_factory=list)
    size: int = 0
    engine: str = ""

    @property
    def best(self) -> float:
        """The shortest time."""
        return min(self.seconds)

    def run(self, path: Path, durable: bool) -> None:
        """Write once, to a file that is not there yet."""
        gc.collect()
        if durable:
            os.sync()  # nobody waits for what an earlier contender left to be written back
        start = time.perf_counter()
        result = self.write(str(path))
        self.seconds.append(time.perf_counter() - start)
        self.size = path.stat().st_size
        self.engine = getattr(result, "engine", "")
        for left in path.parent.iterdir():
            left.unlink()


def contenders(table: pa.Table, file: str, durable: bool) -> dict[str, Contender]:
    """Make the ways to write the table; its conversion into a library's own frame is done before, outside the time."""
    pandas_frame, polars_frame = table.to_pandas(), pl.DataFrame(table)
    connection = duckdb.connect()
    connection.register("frame", table)

    def synced(write: Write) -> Write:
        """Follow the writing by fsync of the file. atio does that too, and syncs the directory, and validates."""

        def write_and_sync(path: str) -> None:
            write(path)
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)

        return write_and_sync if durable else write

    def with_atio(frame: object, **more: object) -> Contender:
        return Contender(lambda path: atio.write(frame, path, durable=durable, **more))

    def all_of(ours: dict[str, Contender], peers: dict[str, Write]) -> dict[str, Contender]:
        return {**ours, **{name: Contender(synced(write)) for name, write in peers.items()}}

    if file == "savetxt":
        matrix = pandas_frame.select_dtypes("number").to_numpy(np.float64)
        return all_of({"atio (numpy)": with_atio(matrix)}, {"numpy": lambda path: np.savetxt(path, matrix)})
    if file == "csv":
        return all_of(
            {"atio (polars)": with_atio(polars_frame), "atio (pandas)": with_atio(pandas_frame, index=False)},
            {
                "polars": polars_frame.write_csv,
                "pandas": lambda path: pandas_frame.to_csv(path, index=False),
                "pyarrow": lambda path: pa.csv.write_csv(table, path),
                "duckdb": lambda path: connection.execute(f"COPY frame TO '{path}' (FORMAT csv, HEADER)"),
            },
        )
    if file in ("ndjson", "json records"):
        lines = file == "ndjson"
        array = "" if lines else ", ARRAY true"
        of_pandas: dict[str, object] = {"orient": "records", "lines": lines}
        return all_of(
            {
                "atio (polars)": with_atio(polars_frame),
                "atio (pandas)": with_atio(pandas_frame, format="json", **of_pandas),
            },
            {
                "polars": polars_frame.write_ndjson if lines else polars_frame.write_json,
                "pandas": lambda path: pandas_frame.to_json(path, **of_pandas),
                "duckdb": lambda path: connection.execute(f"COPY frame TO '{path}' (FORMAT json{array})"),
            },
        )
    if file in AVRO:
        options = AVRO[file]
        return all_of(
            {"atio (polars)": with_atio(polars_frame, **options)},
            {"polars": lambda path: polars_frame.write_avro(path, **options)},
        )
    options = PARQUET[file]
    settings = ", ".join(f"{name} {value}" for name, value in options.items())
    return all_of(
        {
            "atio (polars)": with_atio(polars_frame, **options),
            "atio (pandas)": with_atio(pandas_frame, index=False, **options),
        },
        {
            "polars": lambda path: polars_frame.write_parquet(path, **options),
            "pandas": lambda path: pandas_frame.to_parquet(path, index=False, **options),
            "pyarrow": lambda path: pa.parquet.write_table(table, path, **options),
            "duckdb": lambda path: connection.execute(f"COPY frame TO '{path}' (FORMAT parquet, {settings})"),
        },
    )


def measure(runners: dict[str, Contender], path: Path, durable: bool, repetitions: int, patience: float) -> None:
    """Let all take turns, each beginning a round in its turn. The first round warms up and does not count."""
    names = list(runners)
    for round_ in range(repetitions + 1):
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            runner = runners[name]
            if sum(runner.seconds) < patience:
                runner.run(path, durable)
        if round_ == 0:
            for runner in runners.values():
                runner.seconds.clear()


def row(frame: str, file: str, runners: dict[str, Contender]) -> str:
    """Give one line of the table."""

    def cell(runner: Contender) -> str:
        best, median = runner.best * 1e3, statistics.median(runner.seconds) * 1e3
        by = f" **by {runner.engine}**" if runner.engine not in ("", "go") else ""
        return f"{best:,.0f} ({median:,.0f}) ms, {runner.size / 1e6:.1f} MB{by}"

    def ratio(ours: str, *theirs: str) -> str:
        fastest = min((runners[name].best for name in theirs if name in runners), default=None)
        return f"{runners[ours].best / fastest:.2f}" if ours in runners and fastest is not None else "-"

    cells = [frame, file, *(cell(runners[name]) if name in runners else "-" for name in (*ATIO, *PEERS))]
    cells += [ratio("atio (polars)", "polars"), ratio("atio (pandas)", "pandas"), ratio("atio (numpy)", "numpy")]
    cells += [f"**{ratio(name, *PEERS)}**" for name in ATIO[:2]]
    return "| " + " | ".join(cells) + " |"


def heading() -> Iterator[str]:
    """Give the head of the table."""
    ratios = ["atio (polars) / polars", "atio (pandas) / pandas", "atio (numpy) / numpy"]
    ratios += ["atio (polars) / fastest other", "atio (pandas) / fastest other"]
    names = ["frame", "file", *ATIO, *PEERS, *ratios]
    yield "| " + " | ".join(names) + " |"
    yield "|---" * len(names) + "|"


def machine() -> str:
    """Describe what this runs on."""
    cpu = platform.processor() or platform.machine()
    if (cpuinfo := Path("/proc/cpuinfo")).exists():
        models = [line.partition(": ")[2] for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0] if models else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("atio", *PEERS))
    return (
        f"{cpu}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}, {versions}"
    )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    several = {"nargs": "+", "metavar": "NAME"}
    parser.add_argument("--frames", choices=FRAMES, default=list(FRAMES), help=f"of {', '.join(FRAMES)}", **several)
    parser.add_argument("--files", choices=FILES, default=FILES, help=f"of {', '.join(map(repr, FILES))}", **several)
    parser.add_argument("--mode", choices=["fast", "durable", "both"], default="both", help="with or without fsync")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--patience", type=float, default=15, help="seconds after which a contender has run enough")
    parser.add_argument("--scale", type=float, default=1.0, help="part of each frame's rows to write")
    parser.add_argument("--memory", type=Path, default="/dev/shm", help="directory in memory, for what is not synced")
    parser.add_argument("--disk", type=Path, default=Path(__file__).parent / "out", help="directory on a disk")
    parser.add_argument("--output", type=Path, help="file for the tables, besides the screen")
    return parser.parse_args()


def main() -> None:
    """Run what the command line asks for."""
    options = arguments()
    warnings.filterwarnings("ignore", "The default formatting of datetime", Warning)  # pandas' of dates in JSON
    lines = []

    def say(line: str = "") -> None:
        print(line, flush=True)
        lines.append(line)

    say(f"{machine()}.")
    say(f"Shortest (median) of up to {options.repetitions} runs; zstd at level {ZSTD_LEVEL}.")
    for durable in (False, True):
        if options.mode == ("fast" if durable else "durable"):
            continue
        say()
        say(f"### {TITLES[durable]}")
        say()
        for line in heading():
            say(line)
        base = options.disk if durable else options.memory
        base.mkdir(parents=True, exist_ok=True)
        for frame in options.frames:
            table = FRAMES[frame](options.scale)
            for file in options.files:
                runners = contenders(table, file, durable)
                with tempfile.TemporaryDirectory(dir=base) as directory:
                    path = Path(directory, f"frame.{SUFFIXES.get(file, file.split()[0])}")
                    measure(runners, path, durable, options.repetitions, options.patience)
                say(row(f"{frame}, {table.num_rows:,} rows", file, runners))
    if options.output:
        options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
