"""All that can be done with a table, in any order and by several processes, against a plain model in memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import atio

Rows = list[tuple[int, str]]

ROWS = st.lists(st.tuples(st.integers(0, 99), st.sampled_from("abc")), min_size=1, max_size=4)
WHO = st.integers(0, 1)
PICK = st.integers(0, 1 << 30)


def frame(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame({"n": [n for n, _ in rows], "s": [s for _, s in rows]})


def read(path: str, version: int | None = None) -> Rows:
    found = atio.read_table(path, version)
    return sorted(zip(found["n"].tolist(), found["s"].tolist(), strict=True))


# What the processes do.


def write(path: str, rows: Rows, mode: str) -> int:
    return atio.write_snapshot(frame(rows), path, mode, durable=False).version


def stream(path: str, batches: list[tuple[int, Rows]], *, spool: bool, abort: bool) -> tuple[int | None, int | None]:
    s = atio.stream(path, "model", max_rows=3, max_seconds=None, spool=spool, durable=False)
    begun = s.last_offset
    for offset, rows in batches:
        s.append(frame(rows), offset=offset)
    done = s.last_offset
    if abort:
        s.abort()
        return begun, done
    s.close()
    return begun, batches[-1][0] if batches else done


def part(txn: atio.Transaction, rows: Rows) -> atio.Part:
    return txn.write_part(frame(rows))


def call(name: str, path: str, *arguments: Any, **more: Any) -> Any:
    found = getattr(atio, name)(path, *arguments, **more)
    return getattr(found, "version", None), getattr(found, "versions", None)


class LivingTable(RuleBasedStateMachine):
    """A table, and what should be in it."""

    pools: list[ProcessPoolExecutor]

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp(prefix="living-")
        self.path = str(Path(self.directory, "t"))
        self.versions: dict[int, Rows] = {}
        self.newest = 0
        self.tags: dict[str, int] = {}
        self.offset = -1
        self.spooled: list[tuple[int, Rows]] = []

    def teardown(self) -> None:
        shutil.rmtree(self.directory)

    def by(self, who: int, what: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return self.pools[who].submit(what, *arguments, **more).result(60)

    def committed(self, rows: Rows, version: int | None = None) -> None:
        self.newest += 1
        assert version in (None, self.newest)
        self.versions[self.newest] = sorted(rows)

    def content(self) -> Rows:
        return self.versions[self.newest] if self.newest else []

    @rule(who=WHO, rows=ROWS, mode=st.sampled_from(["append", "overwrite"]))
    def write(self, who: int, rows: Rows, mode: str) -> None:
        version = self.by(who, write, self.path, rows, mode)
        self.committed(rows if mode == "overwrite" else self.content() + rows, version)

    @rule(who=WHO, batches=st.lists(ROWS, max_size=4), spool=st.booleans(), abort=st.booleans())
    def stream(self, who: int, batches: list[Rows], spool: bool, abort: bool) -> None:
        if spool and self.spooled:  # those come first, when the stream is opened
            self.commit_batches(self.spooled)
            self.spooled = []
        elif self.spooled:
            return  # a stream of the same name without the journal would take their offsets
        given = [(self.offset + 1 + i, rows) for i, rows in enumerate(batches)]
        begun, done = self.by(who, stream, self.path, given, spool=spool, abort=abort)
        assert begun == (None if self.offset < 0 else self.offset)
        held: list[tuple[int, Rows]] = []
        for offset, rows in given:
            held.append((offset, rows))
            if sum(len(rows) for _, rows in held) >= 3:
                self.commit_batches(held)
                held = []
        if not abort:
            self.commit_batches(held)
            held = []
        if spool:
            self.spooled = held
        assert done == (None if self.offset < 0 else self.offset)

    def commit_batches(self, batches: list[tuple[int, Rows]]) -> None:
        if batches:
            self.committed(self.content() + [row for _, rows in batches for row in rows])
            self.offset = batches[-1][0]

    @rule(
        parts=st.lists(ROWS, min_size=1, max_size=3), mode=st.sampled_from(["append", "overwrite"]), end=st.booleans()
    )
    def transaction(self, parts: list[Rows], mode: str, end: bool) -> None:
        txn = atio.begin(self.path, mode, durable=False)
        written = [self.by(i % 2, part, txn, rows) for i, rows in enumerate(parts)]
        if not end:
            txn.abort(written)
            return
        rows = [row for rows in parts for row in rows]
        self.committed(rows if mode == "overwrite" else self.content() + rows, txn.commit(written).version)

    @precondition(lambda self: self.newest)
    @rule(who=WHO, pick=PICK)
    def rollback(self, who: int, pick: int) -> None:
        version = sorted(self.versions)[pick % len(self.versions)]
        made, _ = self.by(who, call, "rollback", self.path, version)
        self.committed(self.versions[version], made)

    @precondition(lambda self: self.newest)
    @rule(who=WHO, sort=st.booleans())
    def optimize(self, who: int, sort: bool) -> None:
        made, _ = self.by(who, call, "optimize", self.path, sort_by="n" if sort else None, durable=False)
        if made is not None:
            self.committed(self.content(), made)

    @precondition(lambda self: self.newest)
    @rule(who=WHO, pick=PICK, name=st.sampled_from(["gold", "x y/z"]))
    def tag(self, who: int, pick: int, name: str) -> None:
        version = sorted(self.versions)[pick % len(self.versions)]
        taken = self.tags.get(name, version) != version
        with pytest.raises(ValueError, match="tag") if taken else contextlib.nullcontext():
            self.by(who, call, "tag_version", self.path, version, name)
        self.tags.setdefault(name, version)

    @precondition(lambda self: self.tags)
    @rule(who=WHO)
    def delete_tag(self, who: int) -> None:
        name, _ = self.tags.popitem()
        self.by(who, call, "delete_tag", self.path, name)

    @precondition(lambda self: self.newest)
    @rule(who=WHO, keep=st.integers(1, 3))
    def expire(self, who: int, keep: int) -> None:
        _, gone = self.by(who, call, "expire_snapshots", self.path, timedelta(0), False, keep_last=keep)
        kept = {*sorted(self.versions)[-keep:], *self.tags.values()}
        assert set(gone) == set(self.versions) - kept
        self.versions = {version: rows for version, rows in self.versions.items() if version in kept}

    @precondition(lambda self: len(self.versions) > 1)
    @rule(pick=PICK)
    def diff(self, pick: int) -> None:
        old = sorted(self.versions)[pick % len(self.versions)]
        found = atio.diff(self.path, old, self.newest)
        assert (found.rows_added or 0) - (found.rows_removed or 0) == len(self.content()) - len(self.versions[old])

    @precondition(lambda self: self.newest)
    @rule(pick=PICK)
    def time_travel(self, pick: int) -> None:
        version = sorted(self.versions)[pick % len(self.versions)]
        assert read(self.path, version) == self.versions[version]

    @precondition(lambda self: self.newest)
    @rule()
    def verify(self) -> None:
        assert atio.verify(self.path).rows == len(self.content())

    @invariant()
    def is_as_it_should_be(self) -> None:
        if self.newest:
            assert read(self.path) == self.content()
            history = atio.list_snapshots(self.path)
            assert [one["version_id"] for one in history] == sorted(self.versions)
            assert {tag: one["version_id"] for one in history for tag in one["tags"]} == self.tags


@pytest.fixture
def pools() -> Iterator[list[ProcessPoolExecutor]]:
    context = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(ProcessPoolExecutor(1, mp_context=context)) for _ in range(2)]


def test_living_table(pools: list[ProcessPoolExecutor]) -> None:
    LivingTable.pools = pools
    run_state_machine_as_test(
        LivingTable,
        settings=settings(
            max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
