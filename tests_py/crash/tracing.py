"""Runs programs under ``tracer.c``, which this builds with the C compiler at hand."""

from __future__ import annotations

import atexit
import ctypes
import errno as errno_names
import functools
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCES = ["tracer.c", "calls.c", "filter.c", "process.c", "record.c", "log.c"]
LIBRARY_SOURCES = ["calls.c", "filter.c"]
FLAGS = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Wno-override-init"]

#: ``os.access(START_MARKER, 0)`` in the traced program starts the counting, ``STOP_MARKER`` ends it.
START_MARKER = "/crash-test-start"
STOP_MARKER = "/crash-test-stop"

KILLED_STATUS = 128 + signal.SIGKILL


class TracerError(Exception):
    """The tracer itself failed."""


@dataclass(frozen=True)
class Built:
    tracer: Path
    library: Path  # crash_install_filter, for a process that lets itself be traced


@functools.cache
def build() -> Built:
    """Compiles the tracer, once for each process, into a directory that goes away at its end."""
    directory = Path(tempfile.mkdtemp(prefix="crash-tracer-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    built = Built(directory / "tracer", directory / "libfilter.so")
    compiler = os.environ.get("CC", "gcc").split()
    for output, sources, extra in [
        (built.tracer, SOURCES, []),
        (built.library, LIBRARY_SOURCES, ["-shared", "-fPIC"]),
    ]:
        command = [*compiler, *FLAGS, "-Werror", *extra, *(str(HERE / name) for name in sources), "-o", str(output)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise TracerError(f"{' '.join(command)}:\n{done.stderr}")
    return built


def unavailable() -> str | None:
    """Why programs cannot be traced here, or None if they can."""
    if os.uname().sysname != "Linux" or os.uname().machine not in ("x86_64", "aarch64"):
        return "the tracer knows Linux on x86_64 and aarch64"
    if shutil.which(os.environ.get("CC", "gcc").split()[0]) is None:
        return "no C compiler"
    with tempfile.TemporaryDirectory() as directory:
        try:
            trace(["true"], directory)
        except TracerError as error:
            return f"programs cannot be traced here: {error}"
    return None


@dataclass(frozen=True)
class Call:
    """One call that was let through, skipped, or killed."""

    number: int  # among the counted calls, from 1; 0 if it was only recorded
    name: str
    path: str
    path2: str
    result: int
    fields: dict[str, Any] = field(repr=False)

    @property
    def injected(self) -> bool:
        return "injected" in self.fields

    @property
    def error(self) -> int:
        return -self.result if -4096 < self.result < 0 else 0

    def __str__(self) -> str:
        result = errno_names.errorcode.get(self.error, str(self.result))
        paths = " -> ".join(path for path in (self.path, self.path2) if path)
        return f"{self.number}: {self.name}({paths}) = {result}{' (injected)' if self.injected else ''}"


@dataclass(frozen=True)
class Trace:
    """What came of a traced run."""

    status: int  # of the first process, 128 + signal if a signal ended it
    reason: str  # "exit", "killed" or "timeout"
    counted: int  # calls seen; the killed one is the last
    events: list[dict[str, Any]]  # the whole log
    data: bytes  # what the calls wrote, if that was recorded
    stdout: str = ""
    stderr: str = ""

    @property
    def calls(self) -> list[Call]:
        return [call_of(event) for event in self.events if event["event"] == "call"]

    @property
    def counted_calls(self) -> list[Call]:
        return [call for call in self.calls if call.number]

    @property
    def killed_call(self) -> Call | None:
        for event in self.events:
            if event["event"] == "killed":
                return call_of(event)
        return None

    def listing(self) -> str:
        return "\n".join(map(str, self.calls))


def call_of(event: dict[str, Any]) -> Call:
    return Call(event["n"], event["call"], event["path"], event.get("path2", ""), event.get("res", 0), event)


@dataclass(frozen=True)
class Spoil:
    """What is done to a run. The default does nothing but record."""

    kill_at: int = 0  # SIGKILL everything before this call takes effect
    fail_at: int = 0  # this call is not made and returns `error`
    fail_count: int = 1  # so many calls fail; 0: all from the first one on
    error: int = 0
    refuse_nameless: int = 0  # the error of every O_TMPFILE, as on a file system that has none; not counted
    refuse_links: int = 0  # the error of every link of a file that has a name; not counted
    count: str = "change,sync"  # classes of calls that count: change, sync, open, lock, close

    def arguments(self) -> list[str]:
        arguments = ["--count", self.count]
        if self.kill_at:
            arguments += ["--kill-at", str(self.kill_at)]
        if self.fail_at:
            arguments += ["--fail-at", str(self.fail_at), "--fail-count", str(self.fail_count)]
            arguments += ["--errno", str(self.error)]
        if self.refuse_nameless:
            arguments += ["--refuse-nameless", str(self.refuse_nameless)]
        if self.refuse_links:
            arguments += ["--refuse-links", str(self.refuse_links)]
        return arguments


RECORD = Spoil()


class Log:
    """The files a tracer writes, and what is in them afterwards."""

    def __init__(self, with_data: bool) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="crash-log-")
        self.log = Path(self._directory.name, "log")
        self.data = Path(self._directory.name, "data")
        self.arguments = ["--log", str(self.log), *(["--data", str(self.data)] if with_data else [])]

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self._directory.cleanup()

    def read(self, stdout: str = "", stderr: str = "") -> Trace:
        """The log as a :class:`Trace`."""
        lines = self.log.read_bytes().decode("utf-8", "surrogateescape").splitlines() if self.log.exists() else []
        events = [json.loads(line) for line in lines]
        if not events or events[-1]["event"] != "end":
            raise TracerError(stderr.strip() or "the log has no end")
        end = events[-1]
        data = self.data.read_bytes() if self.data.exists() else b""
        return Trace(end["status"], end["reason"], end["counted"], events, data, stdout, stderr)


def trace(
    command: Sequence[str | os.PathLike[str]],
    directory: str | os.PathLike[str],
    spoil: Spoil = RECORD,
    *,
    markers: bool = False,
    with_data: bool = False,
    timeout: int = 60,
    env: dict[str, str] | None = None,
) -> Trace:
    """Runs a command; its calls about files in `directory` are recorded, and spoiled as `spoil` says.

    With `markers` only calls between the start and the stop marker count.
    """
    with Log(with_data) as log:
        done = subprocess.run(
            [
                build().tracer,
                *tracer_arguments(directory, spoil, log, markers=markers, timeout=timeout),
                "--",
                *command,
            ],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout + 30,
            env=env,
        )
        return log.read(done.stdout, done.stderr)


def attach(
    pid: int,
    directory: str | os.PathLike[str],
    spoil: Spoil,
    log: Log,
    *,
    timeout: int,
) -> tuple[subprocess.Popen[str], int]:
    """Attaches a tracer to a process that then calls :func:`install_filter`. Counting starts at the marker.

    Returns the tracer and a descriptor from which a byte can be read when it is attached.
    """
    ready, told = os.pipe()
    arguments = tracer_arguments(directory, spoil, log, markers=True, timeout=timeout)
    tracer = subprocess.Popen(
        [build().tracer, *arguments, "--pid", str(pid), "--ready", str(told)],
        pass_fds=[told],
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(told)
    return tracer, ready


def tracer_arguments(
    directory: str | os.PathLike[str], spoil: Spoil, log: Log, *, markers: bool, timeout: int
) -> list[str]:
    arguments = ["--dir", os.fspath(directory), "--timeout", str(timeout), *log.arguments, *spoil.arguments()]
    if markers:
        arguments += ["--start-marker", START_MARKER, "--stop-marker", STOP_MARKER]
    return arguments


def install_filter(library: str, all_opens: bool) -> None:
    """Called in the process to be traced, once a tracer is attached to it, while it has one thread."""
    result = ctypes.CDLL(library).crash_install_filter(int(all_opens))
    if result != 0:
        raise OSError(-result, os.strerror(-result), "seccomp filter")
