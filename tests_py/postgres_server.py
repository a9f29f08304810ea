"""A PostgreSQL server of the tests' own, from Debian's package: on loopback, on a free port, stopped by its number."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

INSTALL = "install PostgreSQL's server: apt-get install postgresql"
PASSWORD = "s3cret'pass word%"


@functools.cache
def programs() -> Path:
    """The directory with initdb and postgres; fails, and says what to install, if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parent.parent.name))
    if found:
        return found[-1].parent
    path = shutil.which("postgres")
    assert path is not None, f"no PostgreSQL server was found: {INSTALL}"
    return Path(path).parent


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


class Server:
    """A server with the user ``tester`` and the database ``test``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self._user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        if self._user is not None:
            os.chown(directory, self._user.pw_uid, self._user.pw_gid)
        password = directory / "password"
        password.write_text(PASSWORD + "\n")
        password.chmod(0o644)
        self._run(
            "initdb", "-D", str(self.data), "-U", "tester", "-A", "scram-sha-256", f"--pwfile={password}",
            "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions",
        )  # fmt: skip

    def url(self, driver: str = "psycopg", port: int | None = None) -> str:
        from sqlalchemy import URL

        url = URL.create(f"postgresql+{driver}", "tester", PASSWORD, "127.0.0.1", port or self.port, "postgres")
        return url.render_as_string(hide_password=False)

    def start(self, *, tls: bool = False) -> None:
        """Start it; with ``tls`` it has a certificate for localhost."""
        if tls:
            self._make_certificate()
        options = {
            "ssl": "on" if tls else "off",
            "ssl_cert_file": self.directory / "server.crt",
            "ssl_key_file": self.directory / "server.key",
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.directory,
            "fsync": "off",
            "max_connections": 60,
            "shared_buffers": "64MB",
            "max_wal_size": "2GB",
            "log_min_messages": "warning",
        }
        arguments = [f"-c{name}={value}" for name, value in options.items()]
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                [programs() / "postgres", "-D", self.data, *arguments],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, **self._identity,
            )  # fmt: skip
        self.wait()

    def _make_certificate(self) -> None:
        self._run_program(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost",
            "-keyout", str(self.directory / "server.key"), "-out", str(self.directory / "server.crt"),
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until it answers."""
        import psycopg

        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.directory / "log").read_text()[-2000:]
                assert self._process is None or self._process.poll() is None, (self.directory / "log").read_text()
                time.sleep(0.05)

    def connect(self):  # type: ignore[no-untyped-def]
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="tester", password=PASSWORD, dbname="postgres", autocommit=True
        )

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it by a signal: SIGINT is a fast, SIGQUIT an immediate shutdown, which leaves a crash to recover from."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def _identity(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> None:
        self._run_program(str(programs() / program), *arguments)

    def _run_program(self, *command: str) -> None:
        done = subprocess.run(command, capture_output=True, cwd="/", **self._identity)  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr.decode()


@contextlib.contextmanager
def running_server(*, tls: bool = False) -> Iterator[Server]:
    directory = Path(tempfile.mkdtemp(prefix="atio-pg-", dir="/tmp"))
    directory.chmod(0o755)
    server = Server(directory)
    server.start(tls=tls)
    try:
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(directory, ignore_errors=True)
