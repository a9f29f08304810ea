"""A MariaDB server of the tests' own, from Debian's package: on loopback, on a free port, stopped by its number."""

from __future__ import annotations

import contextlib
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
from typing import Any

INSTALL = "install MariaDB's server: apt-get install mariadb-server"
PASSWORD = "s3cret'pass word%"


def program(name: str) -> str:
    """The path of one of its programs; fails, and says what to install, if there is none."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    assert found is not None, f"{name} was not found: {INSTALL}"
    return found


class Server:
    """A server with the user ``tester`` and the database ``test``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port: int = s.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self._user = pwd.getpwnam("mysql").pw_name if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            shutil.chown(directory, self._user)
        done = subprocess.run(
            [program("mariadb-install-db"), "--no-defaults", f"--datadir={self.data}", f"--user={self._user}",
             "--skip-test-db", "--auth-root-authentication-method=normal", "--innodb-flush-log-at-trx-commit=0"],
            capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def socket(self) -> Path:
        return self.directory / "socket"

    def start(self) -> None:
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                [program("mariadbd"), "--no-defaults", f"--datadir={self.data}", f"--user={self._user}",
                 "--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.socket}",
                 f"--pid-file={self.directory}/pid", "--innodb-buffer-pool-size=128M", "--character-set-server=utf8mb4",
                 "--max-connections=100"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/",
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                with self.connect("root", "", None) as con, con.cursor() as cursor:
                    cursor.execute("CREATE DATABASE IF NOT EXISTS test")
                    cursor.execute("CREATE USER IF NOT EXISTS tester@'%%' IDENTIFIED BY %s", (PASSWORD,))
                    cursor.execute("GRANT ALL ON *.* TO tester@'%'")
                return
            except Exception as e:
                assert time.monotonic() < deadline, f"{e}\n{(self.directory / 'log').read_text()[-2000:]}"
                assert self._process.poll() is None, (self.directory / "log").read_text()[-3000:]
                time.sleep(0.05)

    def connect(self, user: str = "tester", password: str = PASSWORD, database: str | None = "test") -> Any:
        import pymysql

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=user, password=password, database=database, autocommit=True
        )

    def query(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(self.connect()) as con, con.cursor() as cursor:
            cursor.execute(sql, args or None)
            return list(cursor.fetchall())

    def url(self, port: int | None = None, dialect: str = "mysql+pymysql") -> str:
        from sqlalchemy import URL

        url = URL.create(dialect, "tester", PASSWORD, "127.0.0.1", port or self.port, "test")
        return url.render_as_string(hide_password=False)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    directory = Path(tempfile.mkdtemp(prefix="atio-my-", dir="/tmp"))
    directory.chmod(0o755)
    server = Server(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)
        shutil.rmtree(directory, ignore_errors=True)
