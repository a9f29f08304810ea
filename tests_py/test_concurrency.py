"""Many processes and threads write, and readers look all the time."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import atio
from support import files_of, flag_of, names

ROWS = 5000
SPAWN = multiprocessing.get_context("spawn")


def version(number: int) -> pl.DataFrame:
    """A frame that can be told to be whole: all cells hold the same number."""
    return pl.DataFrame({"a": [number] * ROWS, "b": [number] * ROWS})


def read(path: str) -> int:
    """The number of the version that a file holds, which must be whole."""
    frame = pl.read_parquet(path) if path.endswith("parquet") else pl.read_csv(path)
    assert frame.shape == (ROWS, 2)
    numbers = set(frame["a"].unique()) | set(frame["b"].unique())
    assert len(numbers) == 1
    return int(numbers.pop())


def overwrite(path: str, number: int, stop: Event, durable: bool) -> None:
    count = 0
    while not stop.is_set():
        atio.write(version(number * 1_000_000 + count), path, durable=durable, checksum="sha256")
        count += 1
    print(f"writer {number} wrote {count} times")


@pytest.mark.parametrize("name", ["x.parquet", "x.csv"])
def test_readers_while_four_processes_overwrite(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    atio.write(version(0), path, checksum="sha256")
    stop = SPAWN.Event()
    writers = [SPAWN.Process(target=overwrite, args=(path, i, stop, i % 2 == 0)) for i in range(1, 5)]
    for writer in writers:
        writer.start()
    seen = set()
    flags = 0
    try:
        reads = 0
        deadline = time.monotonic() + 120
        while reads < 1000 or len(seen) < 20:
            assert time.monotonic() < deadline, f"{reads} reads, {len(seen)} versions"
            seen.add(read(path))
            flags += _flag_describes(path)
            reads += 1
    finally:
        stop.set()
        for writer in writers:
            writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    print(f"{reads} reads saw {len(seen)} versions, {flags} times with their flag")
    assert flags > 50
    assert names(tmp_path) == files_of(name)
    assert atio.verify(path).rows == ROWS


def _flag_describes(path: str) -> bool:
    """Whether the flag was there; if it was, and is the same afterwards, it must describe what lies between."""
    flag_path = Path(path).with_name(flag_of(os.path.basename(path)))
    try:
        flag = flag_path.read_bytes()
        inode = flag_path.stat().st_ino
        data = Path(path).read_bytes()
        if flag_path.stat().st_ino != inode or flag_path.read_bytes() != flag:
            return False  # replaced meanwhile
    except FileNotFoundError as e:
        assert e.filename == str(flag_path)
        return False
    said = json.loads(flag)
    assert said["bytes"] == len(data)
    assert said["checksum"] == "sha256:" + hashlib.sha256(data).hexdigest()
    return True


def test_threads_write_one_target(tmp_path: Path) -> None:
    _in_threads(8, lambda i: [atio.write(version(i), tmp_path / "x.parquet", durable=False) for _ in range(20)])
    assert read(str(tmp_path / "x.parquet")) in range(8)
    assert names(tmp_path) == files_of("x.parquet")
    assert atio.verify(tmp_path / "x.parquet").rows == ROWS


def test_threads_write_their_own_targets(tmp_path: Path) -> None:
    def work(i: int) -> None:
        for suffix in ("parquet", "csv", "json"):
            atio.write(version(i), tmp_path / f"{i}.{suffix}")

    _in_threads(8, work)
    for i in range(8):
        assert read(str(tmp_path / f"{i}.parquet")) == read(str(tmp_path / f"{i}.csv")) == i
    assert len(names(tmp_path)) == 2 * 3 * 8


def _in_threads(count: int, work: Any) -> None:
    errors: list[BaseException] = []

    def guarded(i: int) -> None:
        try:
            work(i)
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors
    assert not any(thread.is_alive() for thread in threads)


def append(path: str, number: int, times: int) -> None:
    for i in range(times):
        atio.write(pd.DataFrame({"x": [number * 1000 + i]}), path, mode="a", header=False, index=False, durable=False)


def test_four_processes_append(tmp_path: Path) -> None:
    path = str(tmp_path / "x.csv")
    writers = [SPAWN.Process(target=append, args=(path, i, 15)) for i in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 4
    lines = [int(line) for line in Path(path).read_text().split()]
    assert sorted(lines) == sorted(n * 1000 + i for n in range(4) for i in range(15))
    assert names(tmp_path) == files_of("x.csv")


def test_a_writer_does_not_wait_for_one_that_is_still_producing(tmp_path: Path) -> None:
    """The lock is held for the last step only."""
    with atio.open_writer(tmp_path / "x.csv") as slow:
        slow.write(version(1))
        atio.write(version(2), tmp_path / "x.csv")
        atio.write(version(3), tmp_path / "y.csv")
        assert read(str(tmp_path / "x.csv")) == 2
    assert read(str(tmp_path / "x.csv")) == 1


def test_one_of_many_creates(tmp_path: Path) -> None:
    """With mode="x" all but one are refused, and the file is that one's."""
    for attempt in range(10):
        path = tmp_path / f"{attempt}.csv"
        start = threading.Barrier(6)
        created: list[int] = []

        def create(i: int, path: Path = path, start: threading.Barrier = start, created: list[int] = created) -> None:
            frame = pd.DataFrame({"x": [i]})
            start.wait()
            try:
                atio.write(frame, path, mode="x", header=False, index=False, durable=False)
            except FileExistsError as e:
                assert e.filename == str(path)
            else:
                created.append(i)

        _in_threads(6, create)
        assert [path.read_text()] == [f"{i}\n" for i in created]
        atio.verify(path)
