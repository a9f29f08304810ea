"""A child of a process that has used atio can use it: forked, at any depth, from a busy parent, in pools."""

from __future__ import annotations

import concurrent.futures
import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import atio
from support import apart, files_of, names

FRAME = pd.DataFrame({"x": range(1000), "s": ["text"] * 1000})


def write_and_check(path: str) -> int:
    """Write two formats and read them back."""
    atio.write(FRAME, path + ".parquet", durable=False)
    atio.write(FRAME, path + ".csv", index=False, durable=False)
    assert pd.read_csv(path + ".csv").equals(FRAME)
    return int(atio.verify(path + ".parquet").rows or 0)


def fork(work: Any, *arguments: Any, seconds: float = 60) -> int:
    """The exit code of a forked child that does some work: 0 if it went well, -9 if it hung."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work(*arguments)
            code = 0
        finally:
            os._exit(code)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -9


def _busy_parent(directory: str, forks: int) -> list[int]:
    """Forks while threads write and hold whatever locks they hold."""
    stop = threading.Event()

    def busy(number: int) -> None:
        while not stop.is_set():
            atio.write(FRAME, f"{directory}/busy-{number}.parquet", durable=False)

    threads = [threading.Thread(target=busy, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    codes = [fork(write_and_check, f"{directory}/child-{i}", seconds=60) for i in range(forks)]
    stop.set()
    for thread in threads:
        thread.join()
    return codes


def test_children_of_a_busy_parent(tmp_path: Path) -> None:
    codes = apart(_busy_parent, str(tmp_path), 100, timeout=280)
    assert codes == [0] * 100
    assert not [name for name in names(tmp_path) if "atio-" in name]
    for i in (0, 99):
        assert atio.verify(tmp_path / f"child-{i}.parquet").rows == 1000


def _nested(path: str, depth: int) -> None:
    write_and_check(f"{path}-{depth}")
    if depth:
        assert fork(_nested, path, depth - 1) == 0
        write_and_check(f"{path}-{depth}-after")


def test_nested_forks(tmp_path: Path) -> None:
    apart(_nested, str(tmp_path / "x"), 5, timeout=120)
    assert len([name for name in names(tmp_path) if name.endswith(".parquet")]) == 11


def _unused_in_parent(path: str) -> int:
    return fork(write_and_check, path)


def test_parent_that_has_not_used_it(tmp_path: Path) -> None:
    assert apart(_unused_in_parent, str(tmp_path / "x"), timeout=60) == 0


def _child_does_not_use_it(path: str) -> int:
    write_and_check(path)
    held = atio.open_writer(path + "-held.csv")
    held.write(FRAME)
    code = fork(lambda: None)
    held.close()
    return code


def test_child_that_does_not_use_it(tmp_path: Path) -> None:
    assert apart(_child_does_not_use_it, str(tmp_path / "x"), timeout=60) == 0
    assert atio.verify(tmp_path / "x-held.csv").rows == 1000


def _writer_across_fork(directory: str) -> int:
    writer = atio.open_writer(f"{directory}/x.csv")
    writer.write(FRAME)

    def child() -> None:
        with pytest.raises(ValueError, match="forked"):
            writer.write(FRAME)
        with pytest.raises(ValueError, match="forked"):
            writer.close()
        writer.abort()  # of the child's copy only
        write_and_check(f"{directory}/child")

    code = fork(child)
    writer.close()
    return code


def test_a_writer_belongs_to_its_process(tmp_path: Path) -> None:
    assert apart(_writer_across_fork, str(tmp_path), timeout=60) == 0
    assert atio.verify(tmp_path / "x.csv").rows == 1000
    assert atio.verify(tmp_path / "child.csv").rows == 1000


def _pool(directory: str, method: str, kind: str) -> list[int]:
    write_and_check(f"{directory}/parent")
    context = multiprocessing.get_context(method)
    paths = [f"{directory}/{i}" for i in range(24)]
    workers = 8 if method == "fork" else 4
    if kind == "Pool":
        with context.Pool(workers) as pool:
            return pool.map(write_and_check, paths, chunksize=1)
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as executor:
        return list(executor.map(write_and_check, paths))


@pytest.mark.parametrize("kind", ["Pool", "ProcessPoolExecutor"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools(tmp_path: Path, method: str, kind: str) -> None:
    assert apart(_pool, str(tmp_path), method, kind, timeout=120) == [1000] * 24
    assert not [name for name in names(tmp_path) if "atio-" in name]


def _fork_in_the_middle(directory: str, where: str) -> list[int]:
    """Forks in the middle of a write, in code of the caller's, which the child leaves by an exception or goes on."""
    codes = []

    def fork_here(leave: bool) -> None:
        child = os.fork()
        if child == 0 and leave:
            raise SystemExit(7)
        if child:
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    def chunks(leave: bool) -> Iterator[pd.DataFrame]:
        yield FRAME
        fork_here(leave)
        yield FRAME

    parent = os.getpid()
    for leave in (True, False):
        try:
            if where == "validate":
                atio.write(FRAME, f"{directory}/x.parquet", validate=lambda _, leave=leave: fork_here(leave))
            else:
                atio.write(chunks(leave), f"{directory}/x.parquet")
        except (atio.AtioError, ValueError) as e:
            os._exit(8 if "forked" in str(e) and os.getpid() != parent else 9)
    return codes


@pytest.mark.parametrize("where", ["validate", "chunks"])
def test_fork_in_the_middle_of_a_write(where: str, tmp_path: Path) -> None:
    """The write is the parent's; the child can neither go on with it nor hang at it."""
    assert apart(_fork_in_the_middle, str(tmp_path), where, timeout=60) == [7, 8]
    assert names(tmp_path) == files_of("x.parquet")
    assert atio.verify(tmp_path / "x.parquet").rows == (1000 if where == "validate" else 2000)


def _child_collects(directory: str, what: str) -> int:
    told = {"show_progress": True, "verbose": True}
    held: list[Any] = []
    if what == "file":
        held.append(atio.open_writer(f"{directory}/x.csv", **told))
    else:
        held.append(atio.Table(directory).open_writer(**told))
    held[0].write(FRAME)
    print("<child>", flush=True)

    def collect() -> None:
        held.clear()
        gc.collect()

    code = fork(collect)
    print("</child>", flush=True)
    held[0].close()
    return code


@pytest.mark.parametrize("what", ["file", "table"])
def test_a_child_that_collects_a_writer_says_nothing(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apart(_child_collects, str(tmp_path), what, timeout=60) == 0
    said = capsys.readouterr().out
    assert "<child>\n</child>\n" in said, said
    if what == "file":
        assert said.count("✅ File writing completed") == 1
        assert atio.verify(tmp_path / "x.csv").rows == 1000
    else:
        assert len(atio.read_table(tmp_path)) == 1000


def _exits(directory: str) -> int:
    writer = atio.open_writer(f"{directory}/x.csv")
    writer.write(FRAME)
    child = os.fork()
    if child == 0:
        raise SystemExit(0)  # through all that Python does at its end
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    writer.close()
    return code


def test_a_child_that_ends_like_any_program(tmp_path: Path) -> None:
    assert apart(_exits, str(tmp_path), timeout=60) == 0
    assert atio.verify(tmp_path / "x.csv").rows == 1000


def _fork_while_loading(path: str, children: int, in_thread: bool) -> list[int]:
    """Each child is to atio a new process; it forks at some moment while another of its threads loads the library."""

    def load_and_fork(i: int) -> None:
        codes: list[int] = []

        def forks() -> None:
            time.sleep(0.003 * i)
            codes.append(fork(write_and_check, f"{path}-{i}-child", seconds=30))

        def loads() -> None:
            write_and_check(f"{path}-{i}-thread")

        thread = threading.Thread(target=forks if in_thread else loads)
        thread.start()
        (loads if in_thread else forks)()
        thread.join()
        assert codes == [0]

    return [fork(load_and_fork, i) for i in range(children)]


@pytest.mark.parametrize("in_thread", [False, True], ids=["main", "thread"])
def test_fork_while_another_thread_loads_the_library(tmp_path: Path, in_thread: bool) -> None:
    assert apart(_fork_while_loading, str(tmp_path / "x"), 20, in_thread, timeout=200) == [0] * 20
