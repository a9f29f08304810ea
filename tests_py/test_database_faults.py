"""Whatever dies in the middle of a write to PostgreSQL: the table is the old or the new, whole, and nothing is left."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

import atio
from atio._database import _write as database_write
from postgres_server import PASSWORD, Server, running_server
from tcp_proxy import Proxy

ROWS = 60_000


def frame(number: int, rows: int = ROWS) -> pd.DataFrame:
    """Rows that say which write they are of."""
    return pd.DataFrame(
        {"w": np.full(rows, number), "i": np.arange(rows), "t": [f"row {i % 1000}" for i in range(rows)]}
    )


def content(server: Server, table: str = "t") -> tuple[int, int] | None:
    """The number of the write whose rows the table holds, and how many; fails if they are not of one write."""
    with server.connect() as con:
        if con.execute("SELECT to_regclass(%s)", [table]).fetchone() == (None,):
            return None
        found = con.execute(f"SELECT w, count(*), count(DISTINCT i) FROM {table} GROUP BY w").fetchall()
    assert len(found) == 1, found
    number, rows, different = found[0]
    assert rows == different
    return number, rows


def check_nothing_left(server: Server) -> None:
    """No session of a write and no hidden table."""
    deadline = time.monotonic() + 20
    with server.connect() as con:
        while con.execute(
            "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall():
            assert time.monotonic() < deadline, con.execute("SELECT state, query FROM pg_stat_activity").fetchall()
            time.sleep(0.02)
        names = con.execute("SELECT relname FROM pg_class WHERE relname LIKE '.atio%'").fetchall()
    assert names == []


@pytest.fixture
def server(postgres: Server) -> Iterator[Server]:
    with postgres.connect() as con:
        con.execute("DROP TABLE IF EXISTS t")
    atio.write(frame(0), format="sql", name="t", con=postgres.url(), index=False, if_exists="replace")
    yield postgres
    check_nothing_left(postgres)


def replace(number: int, url: str, mode: str = "replace", obj: Any = None, table: str = "t") -> None:
    obj = frame(number) if obj is None else obj
    atio.write(obj, format="sql", name=table, con=url, index=False, if_exists=mode)


def duration(server: Server) -> float:
    began = time.perf_counter()
    replace(1, server.url())
    return time.perf_counter() - began


def attempt(number: int, url: str, server: Server, old: tuple[int, int], fault: threading.Timer) -> tuple[int, int]:
    """Write while something happens, and check that the table holds what the outcome says."""
    fault.start()
    try:
        replace(number, url)
    except ConnectionError as e:
        fault.join()
        assert "as before" in str(e) or "cannot connect" in str(e), e
        assert PASSWORD not in str(e)
        assert content(server) == old
        return old
    fault.join()
    assert content(server) == (number, ROWS)
    return number, ROWS


def test_backends_killed_at_random_moments(server: Server) -> None:
    took = duration(server)
    old, failed = (1, ROWS), 0
    for number in range(2, 22):
        killed = threading.Timer(took * random.random(), kill_backends, [server])
        new = attempt(number, server.url(), server, old, killed)
        failed += new == old
        old = new
    assert failed >= 5


def kill_backends(server: Server) -> None:
    with server.connect() as con:
        con.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def test_sockets_cut_at_random_moments(server: Server) -> None:
    took = duration(server)
    old, failed = (1, ROWS), 0
    with Proxy(server.port) as proxy:
        for number in range(2, 22):
            cut = threading.Timer(took * random.random(), proxy.cut)
            new = attempt(number, server.url(port=proxy.port), server, old, cut)
            failed += new == old
            old = new
    assert failed >= 5


CLIENT = """
import sys
sys.path.insert(0, {tests!r})
from test_database_faults import frame, replace
df = [frame(n) for n in (1, 2)]
replace(1, {url!r}, obj=df[0])
print("ready", flush=True)
for i in range(1000):
    replace(0, {url!r}, obj=df[i % 2])
"""


def test_clients_killed_at_random_moments(server: Server) -> None:
    program = CLIENT.format(tests=str(Path(__file__).parent), url=server.url())
    for _ in range(4):
        client = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert client.stdout is not None
        assert client.stdout.readline() == b"ready\n"
        time.sleep(random.uniform(0, 0.4))
        client.kill()
        client.wait()
        client.stdout.close()
        found = content(server)
        assert found is not None and found[0] in (1, 2) and found[1] == ROWS
    check_nothing_left(server)


def test_the_server_killed_at_random_moments() -> None:
    """An immediate shutdown is as a crash: the server recovers when it starts again."""
    with running_server() as server:
        replace(0, server.url())
        took, old = duration(server), (1, ROWS)
        for number in range(2, 8):
            stopped = threading.Timer(took * random.random(), server.stop, [signal.SIGQUIT])
            stopped.start()
            try:
                replace(number, server.url())
                done = True
            except ConnectionError:
                done = False
            except atio.CommitUnknownError:
                done = None
            stopped.join()
            server.start()
            found = content(server)
            assert found in ([(number, ROWS)] if done else [old] if done is False else [old, (number, ROWS)])
            assert found is not None
            old = found
            check_nothing_left(server)


def on_commit(act: Callable[[Proxy], None]) -> Callable[[Proxy, bool, bytes], None]:
    def watch(proxy: Proxy, from_client: bool, data: bytes) -> None:
        if from_client and b"COMMIT\0" in data:
            act(proxy)

    return watch


def test_a_commit_that_does_not_arrive(server: Server) -> None:
    with (
        Proxy(server.port, on_commit(Proxy.cut)) as proxy,
        pytest.raises(ConnectionError, match=r"trying to commit.*nothing was committed, the table is as before"),
    ):
        replace(5, server.url(port=proxy.port))
    assert content(server) == (0, ROWS)


def answer_lost(committing: list[Proxy]) -> Callable[[Proxy, bool, bytes], None]:
    def watch(proxy: Proxy, from_client: bool, data: bytes) -> None:
        if from_client and b"COMMIT\0" in data:
            committing.append(proxy)
        elif not from_client and committing and data.startswith(b"C"):
            proxy.cut()

    return watch


def test_a_commit_whose_answer_is_lost(server: Server) -> None:
    with Proxy(server.port, answer_lost([])) as proxy:
        replace(5, server.url(port=proxy.port))
    assert content(server) == (5, ROWS)


def test_a_commit_whose_outcome_cannot_be_found(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = database_write._CONNECT["postgresql"]
    monkeypatch.setitem(
        database_write._CONNECT, "postgresql", lambda target: connect(target) | {"outcome_timeout": 10**9}
    )

    def cut(proxy: Proxy) -> None:
        proxy.refuse.set()
        proxy.cut()

    with (
        Proxy(server.port, on_commit(cut)) as proxy,
        pytest.raises(atio.CommitUnknownError, match="pg_xact_status") as e,
    ):
        replace(5, server.url(port=proxy.port))
    assert PASSWORD not in str(e.value)
    assert content(server) in ((0, ROWS), (5, ROWS))


def test_a_client_that_seems_to_be_there(server: Server) -> None:
    """The server has not noticed that its client is gone, and waits for a COMMIT that never comes."""
    held: list[socket.socket] = []

    def watch(proxy: Proxy, from_client: bool, data: bytes) -> None:
        if from_client and b"COMMIT\0" in data:
            held.append(proxy.drop_client())
            raise OSError  # this one is not passed on

    with Proxy(server.port, watch) as proxy, pytest.raises(ConnectionError, match="nothing was committed"):
        replace(5, server.url(port=proxy.port))
    for s in held:
        s.close()
    assert content(server) == (0, ROWS)


def test_twenty_writers_replace(server: Server) -> None:
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: replace(n, server.url(), obj=frame(n, 3000)), range(1, 21)))
    found = content(server)
    assert found is not None and 1 <= found[0] <= 20 and found[1] == 3000


@pytest.mark.parametrize("existing", [True, False])
def test_twenty_writers_append(server: Server, existing: bool) -> None:
    """Whatever the isolation that the server has by default."""
    with server.connect() as con:
        con.execute("TRUNCATE t" if existing else "DROP TABLE t")
    url = server.url() + "?options=-cdefault_transaction_isolation%3Dserializable"
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: replace(n, url, "append", frame(n, 1000)), range(1, 21)))
    with server.connect() as con:
        found = con.execute("SELECT w, count(*) FROM t GROUP BY w ORDER BY w").fetchall()
    assert found == [(n, 1000) for n in range(1, 21)]


def test_twenty_writers_and_one_may(server: Server) -> None:
    with server.connect() as con:
        con.execute("DROP TABLE t")

    def write(number: int) -> bool:
        try:
            replace(number, server.url(), "fail", frame(number, 1000))
        except ValueError as e:
            assert str(e) == "Table 't' already exists."
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(write, range(1, 21))) == 1
    assert content(server) is not None


def test_readers_see_old_or_new_and_hardly_wait(server: Server) -> None:
    done, waits, seen = threading.Event(), [], set()

    def read() -> None:
        with server.connect() as con:
            while not done.is_set():
                began = time.perf_counter()
                found = con.execute("SELECT w, count(*) FROM t GROUP BY w").fetchall()
                waits.append(time.perf_counter() - began)
                assert len(found) == 1 and found[0][1] == ROWS
                seen.add(found[0][0])

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        began = time.perf_counter()
        for number in range(1, 6):
            replace(number, server.url())
        took = (time.perf_counter() - began) / 5
        done.set()
        reader.result()
    assert len(seen) >= 3
    print(f"a write took {took:.3f} s, the longest wait was {max(waits):.3f} s, the median {np.median(waits):.3f} s")
    assert np.median(waits) < took / 2


def test_new_readers_do_not_wait_behind_an_old_one(server: Server) -> None:
    """A swap waits for a reader who is in a transaction, but not so that all others wait behind it."""
    with server.connect() as old, ThreadPoolExecutor(1) as pool:
        old.autocommit = False
        old.execute("SELECT count(*) FROM t")
        write = pool.submit(replace, 1, server.url())
        time.sleep(0.5)
        longest = 0.0
        with server.connect() as new:
            for _ in range(30):
                began = time.perf_counter()
                assert new.execute("SELECT count(*) FROM t WHERE i = 0").fetchone() == (1,)
                longest = max(longest, time.perf_counter() - began)
                time.sleep(0.02)
        assert not write.done()
        old.commit()
        write.result()
    assert longest < 1
    assert content(server) == (1, ROWS)


def test_a_snapshot_that_is_older_than_the_swap_sees_all_rows(server: Server) -> None:
    with server.connect() as con:
        con.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        con.execute("SELECT 1")
        replace(1, server.url())
        assert con.execute("SELECT count(*), min(w) FROM t").fetchone() == (ROWS, 1)


def test_an_iterator_that_raises(server: Server) -> None:
    error = RuntimeError("mine")

    def chunks() -> Iterator[pd.DataFrame]:
        yield frame(1)
        yield frame(1)
        raise error

    for mode in ("replace", "append"):
        with pytest.raises(RuntimeError) as raised:
            replace(1, server.url(), mode, chunks())
        assert raised.value is error
        assert content(server) == (0, ROWS)


def test_chunks_in_one_transaction(server: Server) -> None:
    parts = [frame(7)[i * 20_000 : (i + 1) * 20_000] for i in range(3)]

    def chunks() -> Iterator[pd.DataFrame]:
        for part in parts:
            assert content(server) == (0, ROWS)
            yield part

    replace(7, server.url(), obj=chunks())
    assert content(server) == (7, ROWS)


def test_a_row_that_the_server_refuses(server: Server) -> None:
    with server.connect() as con:
        con.execute("DELETE FROM t WHERE i = 50000")
        con.execute("ALTER TABLE t ADD CHECK (i <> 50000)")
    with pytest.raises(sa.exc.IntegrityError, match="t_i_check"):
        replace(0, server.url(), "append", frame(0))
    assert content(server) == (0, ROWS - 1)


def silent() -> socket.socket:
    """A server that takes connections and says nothing."""
    return socket.create_server(("127.0.0.1", 0))


def test_a_server_that_says_nothing() -> None:
    with silent() as s:
        url = sa.make_url(
            f"postgresql+psycopg://u:p@127.0.0.1:{s.getsockname()[1]}/d?connect_timeout=1&sslmode=disable"
        )
        began = time.monotonic()
        with pytest.raises(TimeoutError, match="cannot connect"):
            replace(1, url)  # type: ignore[arg-type]
        assert time.monotonic() - began < 5


INTERRUPTED = """
import sys, time
sys.path.insert(0, {tests!r})
from test_database_faults import frame, replace
df = frame(9)
replace(9, {url!r}, "append", df[:0], table="warm")
print("ready", flush=True)
for mode in sys.stdin:
    said = "interrupted"
    try:
        replace(9, {url!r}, mode.strip(), df)
        said = "written"
        time.sleep(20)
    except KeyboardInterrupt:
        print(said, flush=True)
"""


class Writer:
    """Another process that writes, and is interrupted."""

    def __init__(self, url: str) -> None:
        program = INTERRUPTED.format(tests=str(Path(__file__).parent), url=url)
        self._process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, bufsize=1
        )
        assert self._said() == "ready"

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def interrupted(self, mode: str, wait: float) -> tuple[str, float]:
        """What it says when it is interrupted after that time, and how long it took to say it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{mode}\n")
        time.sleep(wait)
        began = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        return self._said(), time.monotonic() - began


def test_ctrl_c(server: Server) -> None:
    took = duration(server)
    replace(0, server.url())
    said = []
    with Writer(server.url()) as writer:
        for _ in range(20):
            before = content(server)
            answer, delay = writer.interrupted("replace", 0.01 + took * random.random())
            said.append(answer)
            assert content(server) == (before if answer == "interrupted" else (9, ROWS))
            assert delay < 2
            check_nothing_left(server)
    assert said.count("interrupted") >= 5


def test_ctrl_c_while_the_table_is_locked(server: Server) -> None:
    """The server is told, so that it waits no longer."""
    with server.connect() as con, Writer(server.url()) as writer:
        con.autocommit = False
        for mode, lock in {"replace": "ROW EXCLUSIVE", "delete_rows": "ACCESS EXCLUSIVE"}.items():
            con.execute(f"LOCK TABLE t IN {lock} MODE")
            answer, delay = writer.interrupted(mode, 1.5)
            assert (answer, delay < 2) == ("interrupted", True)
        con.rollback()
    assert content(server) == (0, ROWS)


def test_ctrl_c_when_the_server_does_not_answer(server: Server) -> None:
    with Proxy(server.port, freeze_after(1 << 20)) as proxy, Writer(server.url(port=proxy.port)) as writer:
        answer, delay = writer.interrupted("replace", 1.5)
    assert answer == "interrupted"
    assert delay < 8
    assert content(server) == (0, ROWS)


def freeze_after(limit: int) -> Callable[[Proxy, bool, bytes], None]:
    passed = 0

    def watch(proxy: Proxy, from_client: bool, data: bytes) -> None:
        nonlocal passed
        passed += len(data) if from_client else 0
        if passed > limit:
            proxy.frozen.set()

    return watch
