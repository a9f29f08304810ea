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
from atio._job import Job
from support import apart, files_of, names, open_files, state

ROWS = 250_000
ROUNDS = 12


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
    "csv, by pandas": ("x.csv", lambda df, target: atio.write(df[:30_000], target, quotechar="'", doublequote=False)),
    "parquet, chunks": ("x.parquet", lambda df, target: atio.write(chunks(df), target)),
    "csv, chunks": ("x.csv", lambda df, target: atio.write(chunks(df), target)),
    "csv, chunks by pandas": ("x.csv", lambda df, target: atio.write(chunks(df[:30_000]), target, decimal=";")),
    "parquet, open_writer": ("x.parquet", by_open_writer),
    "csv, open_writer": ("x.csv", by_open_writer),
    "parquet, reader": ("x.parquet", by_reader),
    "parquet, validated": ("x.parquet", lambda df, target: atio.write(df, target, validate=lambda _: time.sleep(0.05))),
    "parquet, backup": ("x.parquet", lambda df, target: atio.write(df, target, backup=2)),
    "parquet, brotli": ("x.parquet", lambda df, target: atio.write(df, target, compression="brotli")),
    "parquet, zstd 19": (
        "x.parquet",
        lambda df, target: atio.write(df, target, compression="zstd", compression_level=19),
    ),
    "pickle": ("x.pkl", lambda df, target: atio.write(df, target)),
    "json, polars": ("x.json", lambda df, target: atio.write(pl.from_pandas(df), target)),
}

#: Whose writer is a few long calls into C, in which Python handles no signals: how long is theirs to say.
SLOW_LIBRARIES = ("csv, by pandas", "csv, chunks by pandas", "pickle", "json, polars")


class Stopped(Exception):
    """What a signal handler of the caller's own raises."""


class Interrupter:
    """Sends signals to this process at moments of a write, and says when.

    It is a process of its own, as whoever presses Ctrl+C, so it waits for no lock of this one.
    """

    PROGRAM = (
        "import os, sys, time\n"
        "for line in sys.stdin:\n"
        "    time.sleep(float(line))\n"
        "    sent = time.monotonic()\n"
        "    os.kill(os.getppid(), int(sys.argv[1]))\n"
        "    print(sent, flush=True)\n"
    )

    def __init__(self, number: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", self.PROGRAM, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def send(self, moment: float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{moment}\n")
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


def interrupt_large_writes(cases: list[str], directory: str, number: int, existing: bool) -> list[dict[str, Any]]:
    """Interrupts each write again and again, at moments spread over the whole time that it takes."""
    expected = raises_on(number)
    df = frame()
    interrupter = Interrupter(number)
    answers = []
    for case in cases:
        place = os.path.join(directory, case)
        os.mkdir(place)
        answers.append({"case": case} | interrupt_a_large_write(case, df, place, interrupter, expected, existing))
    interrupter.close()
    return answers


def interrupt_a_large_write(
    case: str,
    df: pd.DataFrame,
    directory: str,
    interrupter: Interrupter,
    expected: type[BaseException],
    existing: bool,
) -> dict[str, Any]:
    name, write = WRITES[case]
    target = os.path.join(directory, name)

    def prepare() -> None:
        for path in Path(directory).iterdir():
            path.unlink()
        if existing:
            atio.write(df[:10], target)
            atio.write(df[:20], target, backup=True)

    timings = []
    for _ in range(2):
        prepare()
        began = time.perf_counter()
        write(df, target)
        timings.append(time.perf_counter() - began)
    took = min(timings)
    prepare()

    delays, final, lost = [], [], 0
    for i in range(ROUNDS):
        before = state(directory)
        try:
            interrupter.send(took * (i + random.random()) / ROUNDS)
            write(df, target)
            time.sleep(10)  # faster than the signal, which comes now
            lost += 1
            interrupter.sent()
            prepare()
            continue
        except expected as error:
            came = time.monotonic()
            frames = [f.f_code for f, _ in traceback.walk_tb(error.__traceback__)]
            where = "".join(traceback.format_tb(error.__traceback__))
        delay = came - interrupter.sent()
        if state(directory) == before:
            if write.__code__ in frames:  # else it came before the write began
                delays.append(delay)
        else:
            left = names(directory) - {f".{name}.bak.{i}" for i in (1, 2)}
            assert left == files_of(name), f"left: {left}"
            atio.verify(target)
            if write.__code__ in frames:
                final.append(where)
            prepare()
    closes_all(directory)

    write(df, target)
    atio.verify(target)
    assert names(directory) - {f".{name}.bak.{i}" for i in (1, 2)} == files_of(name)
    return {"took": took, "delays": delays, "final": final, "lost": lost}


def check_large(cases: list[str], directory: Path, number: int, existing: bool) -> None:
    late = cases
    for attempt in range(3):  # whatever else the machine does can only make it later
        place = directory / str(attempt)
        place.mkdir()
        arguments = (late, str(place), int(number), existing)
        answers = apart(interrupt_large_writes, *arguments, timeout=200, lost_exceptions=True)
        late = [answer["case"] for answer in answers if not in_time(answer)]
        if not late:
            return
    raise AssertionError(f"late: {late}")


def in_time(answer: dict[str, Any]) -> bool:
    case, delays = answer["case"], answer["delays"]
    assert len(delays) >= ROUNDS / 3, answer
    median, longest = statistics.median(delays), max(delays)
    print(
        f"{case}: took {answer['took']:.2f}s, interrupted {len(delays)} of {ROUNDS} times: "
        f"median {median * 1000:.0f} ms, max {longest * 1000:.0f} ms; {len(answer['final'])} came when it was final"
    )
    # A write can be told to stop when it has just become final.
    assert len(answer["final"]) <= ROUNDS / 4, answer["final"]
    # Python loses an exception of a signal handler that it calls while it collects an object.
    assert answer["lost"] <= 1, answer
    slow = case in SLOW_LIBRARIES
    return median < (0.5 if slow else 0.1) and longest < (3 if slow else 1)


GROUPS = {
    "whole": ["parquet", "csv", "parquet, polars", "parquet, validated", "parquet, backup"],
    "chunks": ["parquet, chunks", "csv, chunks", "parquet, open_writer", "csv, open_writer", "parquet, reader"],
    "slow codecs": ["parquet, brotli", "parquet, zstd 19"],
    "libraries": list(SLOW_LIBRARIES),
}


def test_all_writes_are_in_a_group() -> None:
    assert sorted(case for cases in GROUPS.values() for case in cases) == sorted(WRITES)


@pytest.mark.parametrize("group", GROUPS)
def test_ctrl_c(group: str, tmp_path: Path) -> None:
    check_large(GROUPS[group], tmp_path, signal.SIGINT, existing=True)


def test_ctrl_c_of_a_new_file(tmp_path: Path) -> None:
    check_large(["parquet", "csv, chunks", "pickle"], tmp_path, signal.SIGINT, existing=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGALRM], ids=lambda s: s.name)
def test_other_signals(number: signal.Signals, tmp_path: Path) -> None:
    check_large(["parquet", "csv, open_writer"], tmp_path, number, existing=True)


class Timer:
    """Raises KeyboardInterrupt in the main thread at set moments, as long as it is in a given function."""

    def __init__(self, inside: Callable[..., object]) -> None:
        self._code = inside.__code__
        self.raised: list[KeyboardInterrupt] = []
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
    timer = Timer(operation)
    prepare()
    old, returned, final = 0, 0, 0
    before = state(directory)
    for i in range(rounds):
        stopped = False
        try:
            # As long as it took lately: other work on the machine comes and goes.
            took = statistics.median(timings[-20:])
            began = time.perf_counter()
            timer.start(took * 1.2 * (i + random.random()) / rounds, again)
            operation()
            timings.append(time.perf_counter() - began)
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
    assert old >= 30, answer
    # What is left to do when a write becomes final, removing the old file above all, is a good part of a small one.
    assert share < 0.4, answer


@pytest.mark.parametrize(
    ("kind", "existing"),
    [("write", True), ("write", False), ("pickle", True), ("pickle", False), ("open_writer", True), ("backup", True)],
)
def test_interrupted_while_publishing(kind: str, existing: bool, tmp_path: Path) -> None:
    check_small(apart(interrupt_small_operations, kind, str(tmp_path), 100, existing, 0, timeout=60), kind)


def test_interrupted_while_restoring(tmp_path: Path) -> None:
    check_small(apart(interrupt_small_operations, "restore", str(tmp_path), 100, True, 0, timeout=60), "restore")


@pytest.mark.parametrize("kind", ["write", "pickle", "open_writer"])
def test_interrupted_again_and_again(kind: str, tmp_path: Path) -> None:
    """Whoever presses Ctrl+C once more hits the clean-up."""
    arguments = (kind, str(tmp_path), 120, True, 0.001)
    check_small(apart(interrupt_small_operations, *arguments, timeout=60, lost_exceptions=True), kind)


def interrupt_waiting_writer(directory: str) -> list[float]:
    target = os.path.join(directory, "x.parquet")
    df = frame(100)
    atio.write(df[:10], target)
    before = state(directory)
    lock = os.open(directory, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    interrupter = Interrupter(signal.SIGINT)
    delays = []
    for _ in range(5):
        try:
            interrupter.send(0.1)
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
    interrupter = Interrupter(signal.SIGINT)
    for i in range(20):
        with contextlib.suppress(KeyboardInterrupt):
            interrupter.send(i * 0.005)
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


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.pkl", "chunks.csv", "restored.parquet"])
def test_interrupted_when_all_is_done_but_the_last_word(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file is there already, and the old one comes back."""
    target = tmp_path / name
    df = frame(100)
    atio.write(df[:10], target)
    atio.write(df[:20], target, backup=True)
    before = state(tmp_path)

    def finish(_: Job) -> None:
        assert state(tmp_path)[name].inode != before[name].inode
        raise KeyboardInterrupt

    monkeypatch.setattr(Job, "finish", finish)
    operation: Callable[[], object] = lambda: atio.write(df, target, backup=2)  # noqa: E731
    if name.startswith("restored"):
        operation = lambda: atio.restore(target)  # noqa: E731
    elif name.startswith("chunks"):
        operation = lambda: atio.write(iter([df, df]), target)  # noqa: E731
    with pytest.raises(KeyboardInterrupt):
        operation()
    assert state(tmp_path) == before
    assert not open_files(tmp_path)
