"""Transactions: parts of many processes become one version, or nothing."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

import atio
from support import names

ROWS = 50


def write(txn: atio.Transaction, number: int, kill: bool) -> atio.Part:
    frame = pd.DataFrame({"part": [number] * ROWS, "row": range(ROWS)})
    if kill:
        part = txn.write_part(frame)
        del part
        os.kill(os.getpid(), signal.SIGKILL)  # after the files are there, and before anybody knows of them
    return txn.write_part(frame)


def test_200_parts_by_workers_that_are_killed(tmp_path: Path) -> None:
    table = tmp_path / "t"
    atio.write_snapshot(pd.DataFrame({"part": [-1], "row": [0]}), table)
    txn = pickle.loads(pickle.dumps(atio.begin(table, durable=False)))
    chance, parts, broken = random.Random(1), {}, 0
    context = multiprocessing.get_context("fork")
    while len(parts) < 200:
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            wanted = [n for n in range(200) if n not in parts][:40]
            futures = {n: pool.submit(write, txn, n, broken < 4 and chance.random() < 0.1) for n in wanted}
            for n, future in futures.items():
                try:
                    parts[n] = future.result()
                except BrokenProcessPool:
                    broken += 1
                    break
            for n, future in futures.items():  # what was done before the pool broke
                if n not in parts and future.done() and not future.cancelled() and future.exception() is None:
                    parts[n] = future.result()
    assert broken > 0
    assert atio.read_table(table)["part"].tolist() == [-1]
    made = txn.commit(parts.values(), message="all of them")
    assert made.version == 2
    read = atio.read_table(table)
    assert len(read) == 200 * ROWS + 1
    assert not read.duplicated().any()
    assert atio.list_snapshots(table)[-1]["message"] == "all of them"
    # What the killed workers left goes after the time of grace.
    live = set(atio.Table(table).files())
    atio.Table(table).clean(timedelta(0), dry_run=False)
    left = {name for name in names(table) if name.endswith(".parquet") and not name.startswith("_delta_log")}
    assert {Path(name).name for name in left} == {Path(name).name for name in live}


def test_commit_again_does_nothing(tmp_path: Path) -> None:
    txn = atio.begin(tmp_path / "t")
    part = txn.write_part(pd.DataFrame({"x": [1]}))
    assert txn.commit([part]).version == 1
    assert pickle.loads(pickle.dumps(txn)).commit([part]).version == 1
    assert len(atio.read_table(tmp_path / "t")) == 1


def test_abort_leaves_nothing(tmp_path: Path) -> None:
    atio.write_snapshot(pd.DataFrame({"x": [1]}), tmp_path / "t")
    before = names(tmp_path / "t")
    txn = atio.begin(tmp_path / "t", mode="overwrite")
    parts = [txn.write_part(pd.DataFrame({"x": [i]})) for i in range(3)]
    assert names(tmp_path / "t") > before
    txn.abort(parts)
    assert names(tmp_path / "t") == before


def test_overwrite(tmp_path: Path) -> None:
    atio.write_snapshot(pd.DataFrame({"x": [1]}), tmp_path / "t")
    txn = atio.begin(tmp_path / "t", mode="overwrite")
    parts = [txn.write_part(pd.DataFrame({"x": [i]})) for i in (2, 3)]
    atio.write_snapshot(pd.DataFrame({"x": [9]}), tmp_path / "t", mode="append")
    txn.commit(parts)
    assert atio.read_table(tmp_path / "t")["x"].tolist() == [2, 3]


def test_a_conflict_names_what_the_other_did(tmp_path: Path) -> None:
    atio.write_snapshot(pd.DataFrame({"x": [1]}), tmp_path / "t")
    txn = atio.begin(tmp_path / "t", expected_version=1)
    part = txn.write_part(pd.DataFrame({"x": [2]}))
    atio.write_snapshot(pd.DataFrame({"x": [9]}), tmp_path / "t", mode="append", message="I was first")
    with pytest.raises(atio.ConflictError, match="I was first"):
        txn.commit([part])
    txn.abort([part])
    assert atio.read_table(tmp_path / "t")["x"].tolist() == [1, 9]


def test_parts_of_others_are_refused(tmp_path: Path) -> None:
    one, other = atio.begin(tmp_path / "t"), atio.begin(tmp_path / "t")
    part = one.write_part(pd.DataFrame({"x": [1]}))
    with pytest.raises(ValueError, match="another transaction"):
        other.commit([part])
    with pytest.raises(ValueError, match="twice"):
        one.commit([part, part])
    with pytest.raises(ValueError, match="nothing to commit"):
        one.commit([])
    with pytest.raises(TypeError, match="write_part"):
        one.commit([1])  # type: ignore[list-item]


def test_several_writes_in_one_version(tmp_path: Path) -> None:
    with atio.transaction(tmp_path / "t", message="both") as t:
        t.write(pd.DataFrame({"x": [1]}))
        t.write(pd.DataFrame({"x": [2]}))
    assert (t.result.version, t.result.rows) == (1, 2)
    before = names(tmp_path / "t")
    with pytest.raises(ZeroDivisionError), atio.transaction(tmp_path / "t") as t:  # noqa: PT012
        t.write(pd.DataFrame({"x": [3]}))
        raise ZeroDivisionError
    assert names(tmp_path / "t") == before
    assert atio.read_table(tmp_path / "t")["x"].tolist() == [1, 2]
