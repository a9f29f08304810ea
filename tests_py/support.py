"""What several test modules need: the whole state of a directory, and functions run in a process of their own."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent


class Entry(NamedTuple):
    """What there is under a name."""

    inode: int
    mode: int  # kind and permissions
    content: bytes | str  # of a file, or where a symbolic link leads to


def state(directory: str | os.PathLike[str]) -> dict[str, Entry]:
    """Everything in a directory and below, hidden or not: the same again only if nothing was touched."""
    found = {}
    for path in sorted(Path(directory).rglob("*")):
        status = path.lstat()
        content: bytes | str = b""
        if stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        found[str(path.relative_to(directory))] = Entry(status.st_ino, status.st_mode, content)
    return found


def names(directory: str | os.PathLike[str]) -> set[str]:
    return set(state(directory))


def files_of(*targets: str) -> set[str]:
    """The names that there are after writes to these targets."""
    return {name for target in targets for name in (target, flag_of(target))}


def flag_of(target: str) -> str:
    return f".{target}._SUCCESS"


def open_files(directory: str | os.PathLike[str]) -> list[str]:
    """What this process holds open in a directory, the directory itself included."""
    inside = os.path.realpath(directory)
    paths = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            paths.append(str(descriptor.readlink()))
    return [path for path in paths if path == inside or path.startswith(inside + "/")]


def apart(
    function: Callable[..., Any],
    *arguments: Any,
    timeout: float,
    env: Mapping[str, str] | None = None,
    lost_exceptions: bool = False,
) -> Any:
    """Call a function of a test module in a Python of its own, and return what it returns, both by way of JSON.

    It must end in time, with exit code 0, and unless it may lose exceptions without one that Python could only print.
    All processes that it has started are ended with it.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    with tempfile.TemporaryDirectory() as directory:
        answer, output = Path(directory, "answer"), Path(directory, "output")
        command = [
            sys.executable,
            "-X",
            "faulthandler",
            __file__,
            name,
            json.dumps(arguments),
            str(answer),
        ]
        path = os.pathsep.join(p for p in (str(HERE), os.environ.get("PYTHONPATH")) if p)
        with output.open("wb") as stream:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                env={**os.environ, **(env or {}), "PYTHONPATH": path},
            )
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                code = None
                process.send_signal(signal.SIGABRT)  # has it say where it is
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        said = output.read_text(errors="replace")
        print(said, end="")
        assert code == 0, f"{name}: {'it hung' if code is None else f'exit code {code}'}\n{said}"
        assert lost_exceptions or "Exception ignored" not in said, said
        return json.loads(answer.read_text())


def _main(name: str, arguments: str, answer: str) -> None:
    module, _, attribute = name.partition(":")
    value = getattr(importlib.import_module(module), attribute)(*json.loads(arguments))
    Path(answer).write_text(json.dumps(value))


if __name__ == "__main__":
    _main(*sys.argv[1:])
