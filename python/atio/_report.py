"""Telling the user how a write goes: the progress line and the log."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, TextIO

from ._fork import undisturbed
from ._lib import Counts

logger = logging.getLogger("atio")

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PHASES = ("starting", "encoding", "syncing", "validating", "publishing", "done")


class Progress:
    """The line ``⠋ Writing big_data.parquet... [ 45.2 MB | 12.3 MB/s | 00:15 ]``.

    In a terminal and in a notebook it is drawn over itself; in a log file there is a line at the beginning, one every
    ten seconds, and one at the end. A stream that fails is left alone: progress never fails a write.
    """

    def __init__(self, path: str, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._name = os.path.basename(path)
        self._live = _is_live(self._stream)
        self._unicode = _can_show(self._stream, _FRAMES + "✅❌")
        self._began = time.monotonic()
        self._drawn = 0.0
        self._width = 0
        self._frame = 0
        self._bytes = self._rows = self._total = 0
        self._draw()

    def update(self, bytes_: int, rows: int = 0, total: int = 0) -> None:
        """Tell how many bytes are written and how many rows, of a total if it is known, are encoded."""
        self._bytes, self._rows, self._total = bytes_, rows, total
        if time.monotonic() - self._drawn >= (0.1 if self._live else 10.0):
            self._draw()

    def done(self, bytes_: int) -> None:
        """Draw the last line of a write that succeeded."""
        self._bytes, self._total = bytes_, 0
        mark = "✅" if self._unicode else "OK"
        self._put(f"{mark} Writing {self._name}... done {self._figures()}", last=True)

    def failed(self) -> None:
        """Draw the last line of a write that did not."""
        mark = "❌" if self._unicode else "FAILED"
        self._put(f"{mark} Writing {self._name}... stopped, nothing was changed {self._figures()}", last=True)

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        spinner = (_FRAMES if self._unicode else "|/-\\" * 3)[self._frame % len(_FRAMES)]
        self._frame += 1
        self._put(f"{spinner} Writing {self._name}... {self._figures()}", last=False)

    def _figures(self) -> str:
        seconds = time.monotonic() - self._began
        parts = [_size(self._bytes), f"{_size(self._bytes / seconds if seconds > 0 else 0)}/s", _clock(seconds)]
        if self._total > 0:
            share = min(1.0, self._rows / self._total)
            parts.append(f"{share:.0%}")
            if 0 < share < 1 and seconds >= 1:
                parts.append(f"{_clock(seconds / share - seconds)} left")
        return f"[ {' | '.join(parts)} ]"

    def _put(self, line: str, *, last: bool) -> None:
        if self._live:
            padded = line.ljust(self._width)
            self._width = len(line)
            text = f"\r{padded}" + ("\n" if last else "")
        else:
            text = line + "\n"
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._stream.write(text)
            self._stream.flush()


class Report:
    """What one call tells its user, by a progress line and by the log, as far as it was asked for."""

    def __init__(self, path: str, *, show_progress: bool, verbose: bool) -> None:
        self._path = path
        self._verbose = verbose
        self._progress = Progress(path) if show_progress else None
        self._began = time.perf_counter()
        self._process = os.getpid()

    @property
    def wanted(self) -> bool:
        """Whether there is anybody to tell."""
        return self._verbose or self._progress is not None

    def log(self, message: str) -> None:
        """Log a line, if ``verbose``."""
        # A closed stream comes as an exception out of logging, and a log never fails a write either.
        with contextlib.suppress(OSError, ValueError):
            if self._verbose:
                logger.info("[INFO] %s", message)

    def observe(self, counts: Counts) -> None:
        """Take the library's counters."""
        if self._progress is not None:
            self._progress.update(counts.bytes, counts.rows, counts.total)

    @contextlib.contextmanager
    def watching(self, path: str) -> Iterator[None]:
        """Follow the size of a file while a library's own writer, which has no counters, writes it."""
        if self._progress is None:
            yield
            return
        progress, stop = self._progress, threading.Event()

        def watch() -> None:
            while not stop.wait(0.1):
                with contextlib.suppress(OSError):
                    progress.update(os.stat(path).st_size)

        thread = threading.Thread(target=watch, name="atio-progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def succeeded(self, answer: dict[str, Any], published: str | None = None) -> None:
        """Draw and log the end of a write; ``published`` says what there is now, if it is no file."""
        if self._progress is not None:
            self._progress.done(answer["bytes"])
        if not self._verbose:
            return
        phases = answer.get("phases", {})
        for phase in _PHASES:
            if phase in phases:
                self.log(f"Phase {phase}: {phases[phase]:.4f}s")
        if published is None:
            rows = "" if answer["rows"] is None else f"{answer['rows']} rows, "
            checksum = f", {answer['checksum']}" if answer["checksum"] else ""
            published = f"Published {self._path}: {rows}{answer['bytes']} bytes{checksum}"
        self.log(published)
        self.log(f"✅ File writing completed (total time: {time.perf_counter() - self._began:.4f}s)")

    def failed(self, error: BaseException) -> None:
        """Draw and log the end of a write that did not succeed."""
        if self._process != os.getpid():
            return  # in a forked child: it goes on in the parent
        if self._progress is not None:
            self._progress.failed()
        self.log(f"❌ File writing failed after {time.perf_counter() - self._began:.4f}s: {type(error).__name__}")


@contextlib.contextmanager
def reporting(path: str, *, show_progress: bool, verbose: bool) -> Iterator[Report]:
    """A report that ends with the block, and a log that is seen even where logging was not set up."""
    with contextlib.ExitStack() as stack:
        if verbose:
            stack.enter_context(_visible_log)
        report = Report(path, show_progress=show_progress, verbose=verbose)
        try:
            yield report
        except BaseException as e:
            report.failed(e)
            raise


class _VisibleLog:
    """Has INFO lines of the logger shown: by the handlers that are there, or else by one of our own.

    What it changes is put back when the last of the writes that want it, in whatever thread, has ended.
    """

    def __init__(self) -> None:
        self._users = 0
        self._level = logging.NOTSET
        self._own: logging.Handler | None = None

    def __enter__(self) -> None:
        with undisturbed:
            self._users += 1
            if self._users > 1:
                return
            self._level = logger.level
            if not logger.hasHandlers():
                self._own = logging.StreamHandler()
                self._own.setFormatter(logging.Formatter("%(message)s"))
                logger.addHandler(self._own)
            if not logger.isEnabledFor(logging.INFO):
                logger.setLevel(logging.INFO)

    def __exit__(self, *exception: object) -> None:
        with undisturbed:
            self._users -= 1
            if self._users > 0:
                return
            logger.setLevel(self._level)
            if self._own is not None:
                logger.removeHandler(self._own)
                self._own = None


_visible_log = _VisibleLog()


def _is_live(stream: TextIO) -> bool:
    """Whether a line can be drawn over itself: a terminal, or the output of a notebook's cell."""
    if type(stream).__module__.startswith("ipykernel."):
        return True
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def _can_show(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _size(n: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} TB"


def _clock(seconds: float) -> str:
    minutes, s = divmod(int(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m:02}:{s:02}"
