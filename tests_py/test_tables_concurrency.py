"""Many processes with one table: every acknowledged commit is there once, and readers never fail."""

from __future__ import annotations

import datetime as dt
import os
import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import deltalake
import pandas as pd
import polars as pl

import atio
from support import apart

PROCESSES, APPENDS = 8, 50


def crowd(workers: Sequence[Callable[[], Any]]) -> None:
    """Run each in a process of its own, all at once. None may fail."""
    children = []
    for worker in workers:
        child = os.fork()
        if child == 0:
            try:
                worker()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    failed = [child for child in children if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0]
    assert not failed, f"{len(failed)} of {len(children)} processes failed"


def frame(process: int, number: int) -> pd.DataFrame:
    return pd.DataFrame({"process": [process], "number": [number]})


def pairs(path: str, **kwargs: Any) -> Counter[tuple[int, int]]:
    got = atio.read_table(path, **kwargs)
    return Counter(zip(got["process"], got["number"], strict=True))


def versions(path: str) -> list[int]:
    return [s["version_id"] for s in atio.list_snapshots(path)]


def append_all(by: Callable[[int], Callable[[int], object]]) -> None:
    def worker(process: int) -> Callable[[], None]:
        append = by(process)

        def work() -> None:
            for number in range(APPENDS):
                append(number)

        return work

    crowd([worker(process) for process in range(PROCESSES)])


def appends(path: str) -> dict[str, Any]:
    began = time.monotonic()
    append_all(lambda p: lambda n: atio.write_snapshot(frame(p, n), path, mode="append"))
    seconds = time.monotonic() - began
    assert pairs(path) == Counter((p, n) for p in range(PROCESSES) for n in range(APPENDS))
    assert versions(path) == list(range(1, PROCESSES * APPENDS + 1))
    return {"seconds": seconds}


def test_eight_processes_append(tmp_path: Path) -> None:
    """The first of them create the table, too."""
    took = apart(appends, str(tmp_path / "t"), timeout=120)
    print(f"{PROCESSES * APPENDS / took['seconds']:.0f} durable commits a second")
    # Others read the same.
    theirs = deltalake.DeltaTable(tmp_path / "t")
    assert theirs.version() == PROCESSES * APPENDS
    assert theirs.to_pyarrow_table().num_rows == PROCESSES * APPENDS
    assert pl.scan_delta(str(tmp_path / "t")).collect().height == PROCESSES * APPENDS


def mixture(path: str) -> None:
    """Each process writes down what was acknowledged. Readers look on meanwhile."""
    atio.write_snapshot(frame(-1, 0), path)
    log = Path(path + " log")
    log.mkdir()
    done = Path(path + " done")

    def writer(process: int) -> Callable[[], None]:
        def work() -> None:
            chance = random.Random(process)
            with (log / f"{process}").open("w") as acknowledged:
                for number in range(20):
                    what = chance.choice(["append"] * 5 + ["overwrite", "rollback", "expire", "tag"])
                    if what in ("append", "overwrite"):
                        made = atio.write_snapshot(frame(process, number), path, mode=what)
                        print(made.version, what, process, number, file=acknowledged)
                    elif what == "rollback":
                        try:
                            to = chance.choice(atio.list_snapshots(path)[-5:])["version_id"]
                            made = atio.rollback(path, to)
                        except atio.VersionNotFoundError:
                            continue  # has expired in between
                        print(made.version, what, to, 0, file=acknowledged)
                    elif what == "tag":
                        try:
                            version = atio.list_snapshots(path)[-1]["version_id"]
                            atio.tag_version(path, version, f"{process}-{number}")
                        except atio.VersionNotFoundError:
                            continue
                        print(version, what, process, number, file=acknowledged)
                    else:
                        atio.expire_snapshots(path, dt.timedelta(0), dry_run=False, keep_last=chance.choice([1, 5]))

        return work

    def reader(process: int) -> Callable[[], None]:
        def work() -> None:
            count = 0
            while not done.exists() or count < 3:
                got = pairs(path, output_as=("pandas", "polars")[process])
                assert max(got.values()) == 1
                count += 1

        return work

    def all_writers() -> None:
        try:
            crowd([writer(process) for process in range(6)])
        finally:
            done.touch()

    crowd([all_writers, reader(0), reader(1)])

    lines = sorted(
        (int(a), b, int(c), int(d)) for f in log.iterdir() for a, b, c, d in map(str.split, f.read_text().splitlines())
    )
    commits = [line for line in lines if line[1] != "tag"]
    # Without gaps, each number given once; and what is read is what their order says.
    assert [version for version, *_ in commits] == list(range(2, len(commits) + 2))
    state: dict[int, list[tuple[int, int]]] = {1: [(-1, 0)]}
    for version, what, a, b in commits:
        if what == "rollback":
            state[version] = state[a]
        else:
            state[version] = [*(state[version - 1] if what == "append" else []), (a, b)]
    last = len(commits) + 1
    assert pairs(path) == Counter(state[last])
    history = atio.list_snapshots(path)
    assert history[-1]["version_id"] == last
    for snapshot in history:
        assert pairs(path, version=snapshot["version_id"]) == Counter(state[snapshot["version_id"]])
    for version, what, process, number in lines:
        if what == "tag":  # and nothing has expired under a tag
            assert pairs(path, tag=f"{process}-{number}") == Counter(state[version])


def test_a_mixture(tmp_path: Path) -> None:
    apart(mixture, str(tmp_path / "t"), timeout=120)


def with_delta_rs(path: str) -> None:
    atio.write_snapshot(frame(-1, 0), path)

    def by(process: int) -> Callable[[int], object]:
        if process % 2 == 0:
            return lambda n: atio.write_snapshot(frame(process, n), path, mode="append")

        def append(number: int) -> None:
            deltalake.write_deltalake(path, frame(process, number), mode="append")

        return append

    def worker(process: int) -> Callable[[], None]:
        def work() -> None:
            for number in range(12):
                by(process)(number)

        return work

    crowd([worker(process) for process in range(4)])
    expected = Counter((p, n) for p in range(4) for n in range(12)) + Counter([(-1, 0)])
    assert pairs(path) == expected
    assert versions(path) == list(range(1, 50))

    def read_by_delta_rs() -> None:
        theirs = deltalake.DeltaTable(path).to_pyarrow_table().to_pydict()
        assert Counter(zip(theirs["process"], theirs["number"], strict=True)) == expected

    crowd([read_by_delta_rs])


def test_mixed_with_delta_rs(tmp_path: Path) -> None:
    apart(with_delta_rs, str(tmp_path / "t"), timeout=120)


def test_threads(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def work(process: int) -> None:
        try:
            for number in range(15):
                atio.write_snapshot(frame(process, number), tmp_path / "t", mode="append", durable=number % 2 == 0)
                assert pairs(str(tmp_path / "t"))[process, number] == 1
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=work, args=[process]) for process in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert pairs(str(tmp_path / "t")) == Counter((p, n) for p in range(4) for n in range(15))
