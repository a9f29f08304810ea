"""Tables against delta-rs (deltalake), pandas and polars: commits, writes and reads.

    .venv/bin/python bench/tables.py            # all, in some minutes
    .venv/bin/python bench/tables.py appends    # one of: appends contention history write read

Each figure is atio's time over the peer's, the best of several runs that alternate.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import deltalake
import numpy as np
import pandas as pd
import polars as pl
from frames import FRAMES

import atio

SCRATCH = Path(tempfile.mkdtemp(prefix="atio-bench-"))
_names = iter(range(10**9))


def new() -> str:
    """A path at which nothing is yet."""
    return str(SCRATCH / f"{next(_names)}")


def best(runs: int, *work: Callable[[], object]) -> list[float]:
    """The best time of each, run in turn."""
    times = [float("inf")] * len(work)
    for _ in range(runs):
        for i, one in enumerate(work):
            began = time.perf_counter()
            one()
            times[i] = min(times[i], time.perf_counter() - began)
    return times


def tell(what: str, ours: float, theirs: float, limit: float) -> None:
    """Print one figure."""
    ratio = ours / theirs
    mark = "ok" if ratio <= limit else "SLOW"
    print(f"{what:44} {ours:9.3f} s  peer {theirs:9.3f} s  ratio {ratio:6.2f}  limit {limit:5.2f}  {mark}", flush=True)


def few(rows: int = 100) -> pd.DataFrame:
    """What a small commit holds."""
    return pd.DataFrame(
        {"a": np.arange(rows), "b": np.random.default_rng(0).random(rows), "c": [f"x{i % 7}" for i in range(rows)]}
    )


def many() -> pd.DataFrame:
    """A million rows of mixed types."""
    frame: pd.DataFrame = FRAMES["S"](1.0).to_pandas()
    return frame


def appends() -> None:
    """Small commits of one process."""
    frame = few()

    def ours(durable: bool) -> None:
        path = new()
        for _ in range(100):
            atio.write_snapshot(frame, path, mode="append", durable=durable)

    def theirs() -> None:
        path = new()
        for _ in range(100):
            deltalake.write_deltalake(path, frame, mode="append")

    fast, durable, peer = best(4, lambda: ours(False), lambda: ours(True), theirs)
    tell("100 appends of 100 rows, no fsync", fast, peer, 0.25)
    tell("100 appends of 100 rows, fsync", durable, peer, 0.50)


COMMITS = """
import sys, time, pandas as pd
who, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
frame = pd.DataFrame({"x": range(10)})
if who == "atio":
    import atio
    append = lambda: atio.write_snapshot(frame, path, mode="append")
else:
    import deltalake
    append = lambda: deltalake.write_deltalake(path, frame, mode="append")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(count):
    append()
"""


def contention() -> None:
    """Durable commits of 8 processes at once, each opening the table anew."""

    def crowd(who: str, count: int) -> float:
        path = new()
        if who == "atio":
            atio.write_snapshot(pd.DataFrame({"x": range(10)}), path)
        else:
            deltalake.write_deltalake(path, pd.DataFrame({"x": range(10)}))
        command = [sys.executable, "-c", COMMITS, who, path, str(count)]
        processes = [subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-3, text=True) for _ in range(8)]
        for one in processes:
            assert one.stdout is not None
            one.stdout.readline()
        began = time.perf_counter()
        for one in processes:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        failed = sum(one.wait() != 0 for one in processes)
        rate = 8 * count / (time.perf_counter() - began)
        print(f"    {who}: {rate:.0f} durable commits a second of 8 processes, {failed} of which gave up")
        return rate

    ours, theirs = crowd("atio", 50), crowd("delta-rs", 10)
    tell("a commit of 8 processes at once", 1 / ours, 1 / theirs, 0.2)


def history() -> None:
    """A commit at version 10,000 from a fresh process, beside one at version 10."""
    frame = few(10)
    short, long = new(), new()
    for path, versions in (short, 10), (long, 10_000):
        for _ in range(versions):
            atio.write_snapshot(frame, path, mode="append", durable=False)
    code = (
        "import sys, time, pandas as pd, atio; frame = pd.read_pickle(sys.argv[2]); "
        "atio.write_snapshot(frame, sys.argv[3]); began = time.perf_counter(); "
        "atio.write_snapshot(frame, sys.argv[1], mode='append'); print(time.perf_counter() - began)"
    )
    kept = new()
    frame.to_pickle(kept)

    def commit(path: str) -> float:
        return float(subprocess.check_output([sys.executable, "-c", code, path, kept, new()]))

    times = [(commit(short), commit(long)) for _ in range(5)]
    tell("commit at version 10,000, fresh process", min(t[1] for t in times), min(t[0] for t in times), 2.0)


def write() -> None:
    """One large version."""
    frame = many()
    ours, delta, plain = best(
        4,
        lambda: atio.write_snapshot(frame, new()),
        lambda: deltalake.write_deltalake(new(), frame),
        lambda: frame.to_parquet(new() + ".parquet"),
    )
    tell("write_snapshot of S; peer: deltalake", ours, delta, 0.8)
    tell("write_snapshot of S; peer: to_parquet", ours, plain, 0.8)


def read() -> None:
    """One large version, beside the libraries' readers of the same files."""
    frame = many()
    path = new()
    atio.write_snapshot(frame, path)
    atio.write_snapshot(frame, path, mode="append")
    files = [str(p) for p in Path(path).glob("*.parquet")]
    ours, theirs = best(6, lambda: atio.read_table(path), lambda: pd.read_parquet(files))
    tell("read_table as pandas; peer: read_parquet", ours, theirs, 1.1)
    ours, theirs = best(6, lambda: atio.read_table(path, output_as="polars"), lambda: pl.read_parquet(files))
    tell("read_table as polars; peer: read_parquet", ours, theirs, 1.1)


ALL = {f.__name__: f for f in (appends, contention, history, write, read)}


def main() -> None:
    """Measure what the command line names."""
    try:
        for name in sys.argv[1:] or ALL:
            ALL[name]()
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)


if __name__ == "__main__":
    main()
