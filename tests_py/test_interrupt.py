"""An exception from a signal handler, such as Ctrl+C's, comes at once and leaves everything as it was."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import atio
from support import apart, files_of, names, open_files, state

ROWS = 400_000


def frame(rows: int = ROWS) -> pd.DataFrame:
    numbers = np.random.default_rng(7)
    words = np.array([f"word {i}" for i in range(1000)])
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "x": numbers.normal(size=rows),
            "y": numbers.normal(size=rows),
            "word": words[numbers.integers(0, 1000, rows)],
        }
    )


def chunks(df: pd.DataFrame, count: int = 20) -> Iterator[pd.DataFrame]:
    step = -(-len(df) // count)
    for i in range(0, len(df), step):
        yield df.iloc[i : i + step]


def by_open_writer(df: pd.DataFrame, target: str) -> None:
    with atio.open_writer(target) as w:
        for chunk in chunks(df):
            w.write(chunk)


def by_reader(df: pd.DataFrame, target: str) -> None:
    table = pa.Table.from_pandas(df)
    atio.write(pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=20_000)), target)


#: Name -> (target, how it is written).
WRITES: dict[str, tuple[str, Callable[[pd.DataFrame, str], object]]] = {
    "parquet": ("x.parquet", lambda df, target: atio.write(df, target)),
    "csv": ("x.csv", lambda df, target: atio.write(df, target)),
    "parquet, polars": ("x.parquet", lambda df, target: atio.write(pl.from_pandas(df), target)),
    "csv, by pandas": ("x.csv", lambda df, target: atio.write(df[:50_000], target, quotechar="'", doublequote=False)),
    "parquet, chunks": ("x.parquet", lambda df, target: atio.write(chunks(df), target)),
    "csv, chunks": ("x.csv", lambda df, target: atio.write(chunks(df), target)),
    "csv, chunks by pandas": ("x.csv", lambda df, target: atio.write(chunks(df[:50_000]), target, decimal=";")),
    "parquet, open_writer": ("x.parquet", by_open_writer),
    "csv, open_writer": ("x.csv", by_open_writer),
    "parquet, reader": ("x.parquet", by_reader),
    "parquet, validated": ("x.parquet", lambda df, target: atio.write(df, target, validate=lambda _: time.sleep(0.05))),
    "parquet, backup": ("x.parquet", lambda df, target: atio.write(df, target, backup=2)),
    "pickle": ("x.pkl", lambda df, target: atio.write(df, target)),
    "json": ("x.json", lambda df, target: atio.write(df, target)),
}

#: Whose writer is a few long calls into C, in which Python handles no signals: how long is theirs to say.
SLOW_LIBRARIES = ("csv, by pandas", "csv, chunks by pandas", "pickle", "json")


class Stopped(Exception):
    """What a signal handler of the caller's own raises."""


class Interrupter:
    """Sends signals to this process at moments of a write, and says when.

    It is a process of its own, as whoever presses Ctrl+C, so it waits for no lock of this one.
    """

    PROGRAM = (
        "import os, sys, time\n"
        "for line in sys.stdin:\n"
        "    number, moment = line.split()\n"
        "    time.sleep(float(moment))\n"
        "    sent = time.monotonic()\n"
        "    os.kill(os.getppid(), int(number))\n"
        "    print(sent, flush=True)\n"
    )

    def __init__(self) -> None:
        # Out of the process group, so that only this process gets what is sent to it.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", self.PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.send(0, 0)  # it is up
        self.sent()

    def send(self, number: int, moment: float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number} {moment}\n")
        self._process.stdin.flush()

    def sent(self) -> float:
        assert self._process.stdout is not None
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def raises_on(number: int) -> type[BaseException]:
    """What the signal raises here."""
    if number == signal.SIGINT:
        return KeyboardInterrupt  # by Python's own handler

    kind = SystemExit if number == signal.SIGTERM else Stopped

    def handle(*_: object) -> None:
        raise kind(143)

    signal.signal(number, handle)
    return kind


def closes_all(directory: str) -> None:
    """A sync that nobody waits for any more holds its file until the disk is done."""
    deadline = time.monotonic() + 20
    while left := open_files(directory):
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def interrupt_a_large_write(case: str, directory: str, number: int, rounds: int, existing: bool) -> dict[str, Any]:
    """Interrupts one write again and again, at moments spread over the whole time that it takes."""
    expected = raises_on(number)
    name, write = WRITES[case]
    target = os.path.join(directory, name)
    df = frame()

    def prepare() -> None:
        for path in Path(directory).iterdir():
            path.unlink()
        if existing:
            atio.write(df[:10], target)
            atio.write(df[:20], target, backup=True)

    prepare()
    write(df, target)
    prepare()
    began = time.perf_counter()
    write(df, target)
    took = time.perf_counter() - began
    prepare()

    interrupter = Interrupter()
    delays, after, final = [], 0, []
    for i in range(rounds):
        before = state(directory)
        moment = took * (i + random.random()) / rounds
        try:
            interrupter.send(number, moment)
            write(df, target)
            while True:
                time.sleep(1)  # faster than the signal, which comes now
        except expected as error:
            came = time.monotonic()
            frames = [f.f_code for f, _ in traceback.walk_tb(error.__traceback__)]
        delay = came - interrupter.sent()
        if state(directory) == before:
            assert write.__code__ in frames or moment < 0.005
            delays.append(delay)
        else:
            left = names(directory) - {f".{name}.bak.{i}" for i in (1, 2)}
            assert left == files_of(name), f"left: {left}"
            atio.verify(target)
            after += 1
            if write.__code__ in frames:
                final.append("".join(traceback.format_tb(error.__traceback__)))
            prepare()
    interrupter.close()
    closes_all(directory)
    signal.signal(number, signal.SIG_IGN)

    write(df, target)
    atio.verify(target)
    assert names(directory) - {f".{name}.bak.{i}" for i in (1, 2)} == files_of(name)
    return {"took": took, "delays": delays, "after": after, "final": final}


def check_large(case: str, directory: Path, number: int, existing: bool, rounds: int = 16) -> None:
    answer = apart(interrupt_a_large_write, case, str(directory), int(number), rounds, existing, timeout=120)
    delays = answer["delays"]
    assert len(delays) >= rounds / 2, answer
    median, longest = statistics.median(delays), max(delays)
    print(
        f"{case}: took {answer['took']:.2f}s, interrupted {len(delays)} of {rounds}: "
        f"median {median * 1000:.0f} ms, max {longest * 1000:.0f} ms, final {len(answer['final'])}"
    )
    # A write that is final may be told so by an interrupt in its last instructions. That is less than a thousandth of
    # these writes: see test_interrupted_while_publishing.
    assert len(answer["final"]) <= 1, answer["final"]
    assert median < (0.5 if case in SLOW_LIBRARIES else 0.1)
    assert longest < (2 if case in SLOW_LIBRARIES else 1)


@pytest.mark.parametrize("case", WRITES)
def test_ctrl_c(case: str, tmp_path: Path) -> None:
    check_large(case, tmp_path, signal.SIGINT, existing=True)


@pytest.mark.parametrize("case", ["parquet", "csv, chunks", "json"])
def test_ctrl_c_of_a_new_file(case: str, tmp_path: Path) -> None:
    check_large(case, tmp_path, signal.SIGINT, existing=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGALRM], ids=lambda s: s.name)
@pytest.mark.parametrize("case", ["parquet", "csv, open_writer"])
def test_other_signals(case: str, number: signal.Signals, tmp_path: Path) -> None:
    check_large(case, tmp_path, number, existing=True)


class Timer:
    """Raises KeyboardInterrupt in the main thread at set moments, as long as it is in a given function."""

    def __init__(self, inside: Callable[..., object]) -> None:
        self._code = inside.__code__
        self.raised: list[KeyboardInterrupt] = []
        self.where: list[FrameType] = []
        signal.signal(signal.SIGALRM, self._handle)

    def start(self, moment: float, again: float = 0) -> None:
        self.raised.clear()
        signal.setitimer(signal.ITIMER_REAL, max(moment, 1e-6), again)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _handle(self, _: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code is not self._code:
            frame = frame.f_back
        if frame is not None:
            self.raised.append(KeyboardInterrupt())
            raise self.raised[-1]


def interrupt_small_operations(kind: str, directory: str, rounds: int, existing: bool, again: float) -> dict[str, Any]:
    """Interrupts an operation of a few milliseconds, most of them the steps of publishing."""
    df = frame(100)
    target = os.path.join(directory, "x.pkl" if kind == "pickle" else "x.parquet")

    def operation() -> None:
        if kind == "restore":
            atio.restore(target)
        elif kind == "open_writer":
            with atio.open_writer(target) as w:
                w.write(df)
        else:
            atio.write(df, target, backup=kind == "backup")

    def prepare() -> None:
        for path in Path(directory).iterdir():
            path.unlink()
        if existing:
            atio.write(df[:10], target, durable=False)
            atio.write(df[:20], target, durable=False, backup=True)

    timings = []
    for _ in range(20):
        prepare()
        began = time.perf_counter()
        operation()
        timings.append(time.perf_counter() - began)
    took = statistics.median(timings)

    timer = Timer(operation)
    prepare()
    old, returned, final = 0, 0, 0
    before = state(directory)
    for i in range(rounds):
        stopped = False
        try:
            timer.start(took * 1.2 * (i + random.random()) / rounds, again)
            operation()
        except KeyboardInterrupt as error:
            stopped = True
            assert error is timer.raised[-1]
        timer.stop()
        now = state(directory)
        if now == before:
            assert stopped
            old += 1
            continue
        for name in set(now) - set(before):
            assert ".bak." in name or not existing, f"left over: {name}"
        assert ".atio" not in " ".join(now), sorted(now)
        atio.verify(target)
        returned += not stopped
        final += stopped
        prepare()
        before = state(directory)
    closes_all(directory)
    operation()
    return {"took": took, "old": old, "returned": returned, "final": final}


def check_small(answer: dict[str, Any], what: str) -> None:
    old, final = answer["old"], answer["final"]
    share = final / (old + final)
    print(f"{what}: took {answer['took'] * 1000:.2f} ms, interrupted {old}, of finished calls {final} ({share:.2%})")
    assert old >= 100, answer
    assert share < 0.05, answer


@pytest.mark.parametrize("existing", [True, False], ids=["existing", "new"])
@pytest.mark.parametrize("kind", ["write", "pickle", "open_writer", "backup"])
def test_interrupted_while_publishing(kind: str, existing: bool, tmp_path: Path) -> None:
    check_small(apart(interrupt_small_operations, kind, str(tmp_path), 400, existing, 0, timeout=60), kind)


def test_interrupted_while_restoring(tmp_path: Path) -> None:
    check_small(apart(interrupt_small_operations, "restore", str(tmp_path), 400, True, 0, timeout=60), "restore")


@pytest.mark.parametrize("kind", ["write", "pickle", "open_writer"])
def test_interrupted_again_and_again(kind: str, tmp_path: Path) -> None:
    """Whoever presses Ctrl+C once more hits the clean-up."""
    answer = apart(interrupt_small_operations, kind, str(tmp_path), 300, True, 0.0003, timeout=60)
    check_small(answer, f"{kind}, again and again")


def interrupt_waiting_writer(directory: str) -> list[float]:
    target = os.path.join(directory, "x.parquet")
    df = frame(100)
    atio.write(df[:10], target)
    before = state(directory)
    lock = os.open(directory, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    interrupter = Interrupter()
    delays = []
    for _ in range(5):
        try:
            interrupter.send(signal.SIGINT, 0.1)
            atio.write(df, target)
        except KeyboardInterrupt:
            came = time.monotonic()
        delays.append(came - interrupter.sent())
        assert state(directory) == before
    os.close(lock)
    interrupter.close()
    atio.write(df, target)
    return delays


def test_interrupted_while_waiting_for_another_writer(tmp_path: Path) -> None:
    delays = apart(interrupt_waiting_writer, str(tmp_path), timeout=30)
    assert statistics.median(delays) < 0.1, delays


def interrupt_beside_threads(directory: str) -> int:
    df = frame(200_000)
    done = itertools.count()
    stop = threading.Event()
    failures: list[BaseException] = []

    def work(name: str) -> None:
        target = os.path.join(directory, name)
        try:
            while not stop.is_set():
                atio.write(df[:1000], target, durable=False)
                atio.verify(target)
                next(done)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"{i}.csv",)) for i in range(2)]
    for thread in threads:
        thread.start()
    interrupter = Interrupter()
    for i in range(20):
        with contextlib.suppress(KeyboardInterrupt):
            interrupter.send(signal.SIGINT, i * 0.005)
            atio.write(df, os.path.join(directory, "main.parquet"))
            while True:
                time.sleep(1)
        interrupter.sent()
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures, failures
    interrupter.close()
    assert names(directory) - files_of("main.parquet") == files_of("0.csv", "1.csv")
    return next(done)


def test_threads_go_on_when_the_main_thread_is_interrupted(tmp_path: Path) -> None:
    assert apart(interrupt_beside_threads, str(tmp_path), timeout=60) >= 20
