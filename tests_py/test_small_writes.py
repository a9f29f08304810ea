"""Little data without fsync is written in the caller's own thread, which must not make it wait for others."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import atio

OLD, NEW = pd.DataFrame({"a": [0]}), pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock that writers of a directory take turns by."""
    fd = os.open(directory, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_waits_for_another_writer(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    atio.write(OLD, path, durable=False)
    released = []

    def hold() -> None:
        with locked(tmp_path):
            ready.set()
            time.sleep(0.3)
            released.append(time.monotonic())

    ready = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    ready.wait()
    seen: list[Any] = []
    result = atio.write(NEW, path, durable=False, index=False)
    seen.append(time.monotonic())
    holder.join()
    assert seen[0] >= released[0]
    assert result.rows == 3
    read = pd.read_parquet if suffix == "parquet" else pd.read_csv
    assert len(read(path)) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == [f".x.{suffix}._SUCCESS", f"x.{suffix}"]
    atio.verify(path)


@pytest.mark.parametrize("format", ["npy", "bin"])
@pytest.mark.parametrize("size", [10_000_000, 17 << 20])
def test_an_array_waits_for_another_writer(format: str, size: int, tmp_path: Path) -> None:
    """Its bytes are copied in the caller's thread, taken back as the lock is not free, and copied once more."""
    path = tmp_path / f"x.{format}"
    array = np.arange(size // 8)
    threading.Timer(0.3, os.close, [locking := os.open(tmp_path, os.O_RDONLY)]).start()
    fcntl.flock(locking, fcntl.LOCK_EX)
    result = atio.write(array, path, format, durable=False)
    assert (result.engine, result.bytes) == ("go", path.stat().st_size)
    read = np.load(path) if format == "npy" else np.fromfile(path, array.dtype)
    assert np.array_equal(read, array)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f".x.{format}._SUCCESS", f"x.{format}"]
    atio.verify(path)


def test_waiting_can_be_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    atio.write(OLD, path, durable=False)
    before = path.read_bytes()

    def ring(*_: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, ring)
    try:
        with locked(tmp_path):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            began = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                atio.write(NEW, path, durable=False)
            assert time.monotonic() - began < 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == [".x.parquet._SUCCESS", "x.parquet"]


def test_errors_of_small_writes(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atio.write(NEW, tmp_path / "no" / "x.parquet", durable=False)
    path = tmp_path / "x.parquet"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        atio.write(NEW, path, durable=False)
    assert list(path.iterdir()) == []
    assert list(tmp_path.iterdir()) == [path]


def test_many_threads(tmp_path: Path) -> None:
    """A hundred small writes to one file from eight threads: each whole, none lost in between."""
    path = tmp_path / "x.parquet"

    def work(n: int) -> None:
        for i in range(13):
            assert atio.write(pd.DataFrame({"n": [n] * (i + 1)}), path, durable=False).rows == i + 1

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pd.read_parquet(path)) == 13
    atio.verify(path)


def test_current_directory_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(FileNotFoundError, match="current directory is gone") as e:
        atio.write(NEW, "x.parquet")
    assert e.value.filename == "x.parquet"
    atio.write(NEW, tmp_path / "x.parquet")
