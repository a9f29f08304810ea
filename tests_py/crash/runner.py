"""Runs ``subject`` under the tracer, two at a time."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from . import tracing
from .subject import Report, Request, Write
from .tracing import Log, Spoil, Trace

#: The machines the tests run on have two processors.
PARALLEL = 2
TIMEOUT = 40

Item = TypeVar("Item")


@dataclass(frozen=True)
class Run:
    trace: Trace
    report: Report | None  # None if the process was killed

    def __str__(self) -> str:
        return f"{self.report}\nended by {self.trace.reason}, calls:\n{self.trace.listing()}"


class Subject:
    """A process that forks children to be traced."""

    def __init__(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            # Less threads to start, and a child has only the thread that forked it.
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crash.subject"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def run(self, write: Write, warm_up: Path, spoil: Spoil, with_data: bool) -> Run:
        directory = Path(write.target).parent
        request = Request(write, str(warm_up), str(directory), str(tracing.build().library), "open" in spoil.count)
        with Log(with_data) as log:
            child = int(self._ask(json.dumps(asdict(request))))
            tracer, ready = tracing.attach(child, directory, spoil, log, timeout=TIMEOUT)
            attached = os.read(ready, 1) != b""
            os.close(ready)
            said = self._ask("go" if attached else "never mind")
            _, errors = tracer.communicate(timeout=TIMEOUT)
            trace = log.read(stderr=errors)
        return Run(trace, Report(**json.loads(said)) if said else None)

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise tracing.TracerError(f"the subject ended with status {self._process.wait()}")
        return answer.strip()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


class Runner:
    """Several subjects, one for each that calls at once."""

    def __init__(self, scratch: Path) -> None:
        self._free: queue.SimpleQueue[tuple[Subject, Path]] = queue.SimpleQueue()
        self._subjects = [Subject() for _ in range(PARALLEL)]
        for i, subject in enumerate(self._subjects):
            warm_up = scratch / f"warm-up-{i}"
            warm_up.mkdir()
            self._free.put((subject, warm_up))

    def run(self, write: Write, spoil: Spoil = tracing.RECORD, *, with_data: bool = False) -> Run:
        """Makes a write in a process of its own that is spoiled."""
        with self._subject() as (subject, warm_up):
            return subject.run(write, warm_up, spoil, with_data)

    @contextlib.contextmanager
    def _subject(self) -> Iterator[tuple[Subject, Path]]:
        taken = self._free.get()
        try:
            yield taken
        finally:
            self._free.put(taken)

    def for_each(self, items: Iterable[Item], work: Callable[[Item], None]) -> int:
        """Does the work for all items, several at a time; returns how many. All failures are told at once."""
        failures: list[str] = []
        count = 0

        def attempt(item: Item) -> None:
            try:
                work(item)
            except AssertionError as error:
                failures.append(f"{item}:\n{error}")

        with ThreadPoolExecutor(PARALLEL) as pool:
            for _ in pool.map(attempt, items):
                count += 1
        if failures:
            told = "\n\n".join(failures[:5])
            raise AssertionError(f"{len(failures)} of {count} failed, the first of them:\n{told}")
        return count

    def close(self) -> None:
        for subject in self._subjects:
            subject.close()
