"""A server that speaks MongoDB's protocol, from Maven Central: on loopback, on a free port, stopped by its number."""

from __future__ import annotations

import contextlib
import functools
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BUILT = HERE.parent / "build" / "mongo-server"


@functools.cache
def programs() -> Path:
    """The directory with the server's classes; fails, and says what to install, if it cannot be made."""
    for tool, package in (("java", "default-jdk-headless"), ("javac", "default-jdk-headless"), ("mvn", "maven")):
        assert shutil.which(tool), (
            f"{tool} was not found, which the server of these tests needs: apt-get install {package}"
        )
    source = HERE / "mongo" / "MongoServerLauncher.java"
    made = BUILT / "made"
    inputs = (source, HERE / "mongo" / "pom.xml")
    if not made.exists() or made.stat().st_mtime < max(p.stat().st_mtime for p in inputs):
        shutil.rmtree(BUILT, ignore_errors=True)
        _run(
            "mvn",
            "-q",
            "-B",
            "-f",
            HERE / "mongo" / "pom.xml",
            "dependency:copy-dependencies",
            f"-DoutputDirectory={BUILT}",
        )
        _run("javac", "-cp", f"{BUILT}/*", "-d", BUILT, source)
        made.touch()
    return BUILT


def _run(*command: object) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


class Server:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, on the same port as before if it was started before."""
        classes = programs()
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", "-cp", f"{classes}:{classes}/*",
                 "MongoServerLauncher", str(self.directory / "data"), str(self.port)],
                stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], 60)
        line = self._process.stdout.readline().decode() if ready else ""
        assert line.startswith("port "), line + (self.directory / "log").read_text()
        self.port = int(line.split()[1])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def uri(self, database: str, port: int | None = None) -> str:
        return f"mongodb://127.0.0.1:{port or self.port}/{database}?serverSelectionTimeoutMS=3000"

    def client(self) -> Any:
        import pymongo

        return pymongo.MongoClient("127.0.0.1", self.port, serverSelectionTimeoutMS=20_000)


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    directory = Path(tempfile.mkdtemp(prefix="atio-mongo-"))
    server = Server(directory)
    server.start()
    try:
        deadline = time.monotonic() + 30
        with server.client() as client:
            client.admin.command("ping")
        assert time.monotonic() < deadline
        yield server
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)
