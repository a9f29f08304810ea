"""The changes of a table that are spoiled, and what must hold after whatever happened to them."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import atio

if TYPE_CHECKING:
    from .subject import Write


def spool(path: str, frame: pd.DataFrame) -> None:
    """Gives rows to a stream, whose journal has them when ``append`` returns, and ends it without a commit."""
    stream = atio.stream(path, "spooled", spool=True, max_seconds=None)
    try:
        stream.append(frame, offset=1)
    finally:
        stream.abort()


OPERATIONS: dict[str, Callable[[str, pd.DataFrame], Any]] = {
    "create": lambda path, frame: atio.write_snapshot(frame, path, mode="append"),
    "append": lambda path, frame: atio.write_snapshot(frame, path, mode="append", message="spoiled"),
    "overwrite": lambda path, frame: atio.write_snapshot(frame, path),
    "rollback": lambda path, _: atio.rollback(path, 1),
    "tag": lambda path, _: atio.tag_version(path, 2, "second"),
    "spool": spool,
    "optimize": lambda path, _: atio.optimize(path),
    "expire": lambda path, _: atio.expire_snapshots(path, dt.timedelta(0), dry_run=False),
}


def make(path: str, versions: int, frame: pd.DataFrame) -> None:
    """A table of so many versions, the first of them with a tag."""
    for _ in range(versions):
        atio.write_snapshot(frame, path, mode="append")
    if versions:
        atio.tag_version(path, 1, "first")


@dataclass(frozen=True)
class Case:
    name: str
    operation: str
    versions: int = 3  # that are there before

    def __str__(self) -> str:
        return self.name


CASES = [
    Case("create", "create", 0),
    Case("append", "append"),
    Case("overwrite", "overwrite"),
    Case("rollback", "rollback"),
    Case("tag", "tag"),
    Case("expire", "expire"),
    Case("append with a checkpoint", "append", 9),
    Case("append to a journal", "spool", 1),
    Case("optimize", "optimize"),
]

#: Everything that a table shows: each version with its operation, its tags, its number of rows and their sum.
Seen = tuple[tuple[Any, ...], ...]


def seen(table: Path) -> Seen:
    """What a table shows, all of it read; nothing if there is none."""
    try:
        history = atio.list_snapshots(table)
    except FileNotFoundError:
        return ()
    found = []
    for snapshot in history:
        ids = atio.read_table(table, version=snapshot["version_id"], output_as="arrow", columns=["id"])["id"].to_numpy()
        assert snapshot["rows"] == len(ids)
        found.append(
            (snapshot["version_id"], snapshot["operation"], tuple(snapshot["tags"]), len(ids), int((ids + 1).sum()))
        )
    newest = atio.read_table(table, output_as="arrow", columns=["id"])
    assert newest.num_rows == found[-1][3]
    return tuple(found)


class Prepared:
    """A case with a table to begin from, and what the operation makes of it."""

    def __init__(self, case: Case, scratch: Path, old: pd.DataFrame, new: pd.DataFrame) -> None:
        self.case = case
        self._new = new
        self._scratch = scratch
        self._labels = itertools.count()
        self._template = scratch / "template"
        self._template.mkdir()
        make(str(self._template / "table"), case.versions, old)
        self.before = seen(self._template / "table")
        done = self.fresh()
        OPERATIONS[case.operation](str(done / "table"), new)
        self.after = self.seen(done / "table")
        assert self.after != self.before

    def seen(self, table: Path) -> Seen:
        """What the table shows, after the next stream has committed what is in the journal."""
        if self.case.operation == "spool":
            atio.stream(table, "spooled", spool=True).close()
        return seen(table)

    def fresh(self) -> Path:
        directory = self._scratch / f"{next(self._labels)}"
        shutil.copytree(self._template, directory)
        return directory

    def write_in(self, directory: Path, write: type[Write]) -> Write:
        return write(str(directory / "table"), "new", operation=self.case.operation)

    def check(self, directory: Path, *, finished: bool = False) -> None:
        """The table is as before or as after, with nothing half."""
        table = directory / "table"
        now = self.seen(table)
        if finished:
            assert now == self.after, f"it is {now}, and was acknowledged"
        elif self.case.operation == "expire":  # one version goes after the other
            assert set(self.after) <= set(now) <= set(self.before), f"it is {now}"
        else:
            assert now in (self.before, self.after), f"it is {now}"
        flag = table / "_SUCCESS"
        if flag.exists():
            assert json.loads(flag.read_text())["version"] <= now[-1][0], "the flag names a version that is not there"

    def check_next(self, directory: Path) -> None:
        """Whatever was left lying about, the next commits work, and the same operation does."""
        table = directory / "table"
        before = seen(table)
        made = atio.write_snapshot(self._new, table, mode="append")
        assert made.version == (before[-1][0] if before else 0) + 1
        now = seen(table)
        assert now[:-1] == before
        assert now[-1][3] == (before[-1][3] if before else 0) + len(self._new)
        assert json.loads((table / "_SUCCESS").read_text())["version"] == made.version
        OPERATIONS[self.case.operation](str(table), self._new)
        seen(table)
