"""The writes that are spoiled, and what must hold after whatever happened to them."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

import atio

from .disk import Content
from .subject import Write, frame, made_into
from .tracing import Call

#: Mode of a target that is there already: one that a new file does not get by itself.
OLD_MODE = 0o640


def _arrays(path: Path) -> pd.DataFrame:
    with np.load(path) as arrays:
        return pd.DataFrame(dict(arrays))


READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".xlsx": lambda path: pd.read_excel(path, index_col=0),
    ".parquet": pd.read_parquet,
    ".csv": pd.read_csv,
    ".pkl": pd.read_pickle,
    ".npy": lambda path: pd.DataFrame(np.load(path)),
    ".npz": _arrays,
    ".bin": lambda path: pd.DataFrame(np.fromfile(path, made_into("rows", frame("new")).dtype)),
    ".arrow": lambda path: pd.DataFrame(pl.read_ipc(path).to_dict(as_series=False)),
    ".avro": lambda path: pd.DataFrame(pl.read_avro(path).to_dict(as_series=False)),
    ".feather": pd.read_feather,
    ".html": lambda path: _cells(path.read_text()),
    ".rows": pd.read_pickle,
}


def _cells(html: str) -> pd.DataFrame:
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in html.split("<tr>")[1:]]
    return pd.DataFrame([row for row in rows if row], columns=frame("new").columns)


#: O_TMPFILE without the bit that it shares with O_DIRECTORY.
NAMELESS = os.O_TMPFILE & ~os.O_DIRECTORY


@dataclass(frozen=True)
class Case:
    """A write to a target, and what is there before."""

    name: str
    target: str
    options: dict[str, Any] = field(default_factory=dict)
    before: int = 1  # writes to the target before, the last one of "old"
    file_system: dict[str, Any] = field(default_factory=dict)  # fields of Spoil: what it refuses
    stride: int = 1  # of its calls, which are many, only each so many-th is spoiled
    kind: str = "pandas"  # what is written
    many_states: bool = False  # after a power cut, too many to go through (core/publish/tree_test.go counts the syncs)

    def __str__(self) -> str:
        return self.name

    @property
    def thorough(self) -> bool:
        """Whether every call fails with every error, which takes long."""
        return not self.options and not self.file_system and bool(self.before) and self.stride == 1

    @property
    def flagged(self) -> bool:
        return bool(self.options.get("success_flag", True))

    @property
    def durable(self) -> bool:
        return bool(self.options.get("durable", True))

    @property
    def power_cuts(self) -> bool:
        """Whether it is tried what a power cut leaves."""
        return self.durable and not self.many_states

    @property
    def backups(self) -> int:
        return int(self.options.get("backup", 0))

    @property
    def plain_options(self) -> dict[str, Any]:
        """Of the next write, which replaces the target whatever it is."""
        kept = ("backup", "success_flag", "durable", "partition_cols", "basename_template", "format")
        return {key: value for key, value in self.options.items() if key in kept}


# With the same names in every write, so that a mixture of old and new cannot go unnoticed.
PARTITIONED = {"partition_cols": ["part"], "basename_template": "part-{i}.parquet"}

CASES = [
    Case("parquet", "file.parquet"),
    Case("csv", "file.csv"),
    Case("pickle, written by pandas", "file.pkl"),
    Case("excel", "file.xlsx"),
    Case("parquet, new", "file.parquet", before=0),
    Case("pickle, new", "file.pkl", before=0),
    Case("parquet with backups", "file.parquet", {"backup": 2}, before=4),
    Case("pickle with a backup", "file.pkl", {"backup": True}),
    Case("csv without a flag", "file.csv", {"success_flag": False}),
    Case("csv, appended to", "file.csv", {"mode": "a", "header": False}),
    Case("parquet, not durable", "file.parquet", {"durable": False}),
    Case("parquet without O_TMPFILE", "file.parquet", file_system={"refuse_nameless": errno.EOPNOTSUPP}),
    Case("csv without hard links", "file.csv", file_system={"refuse_links": errno.EPERM}),
    # Publishing is the same for all formats: few calls of each, and a power cut in one that Go writes.
    Case("npy", "file.npy", kind="rows", stride=4),
    Case("npz", "file.npz", kind="arrays", many_states=True, stride=6),
    Case("npz_compressed", "file.npz", {"format": "npz_compressed"}, kind="arrays", many_states=True, stride=6),
    Case("bin", "file.bin", kind="rows", many_states=True, stride=6),
    Case("ipc", "file.arrow", {"compression": "lz4"}, kind="polars", many_states=True, stride=5),
    Case("avro", "file.avro", {"compression": "deflate"}, kind="polars", many_states=True, stride=6),
    Case("feather, written by pandas", "file.feather", many_states=True, stride=6),
    Case("html, written by pandas", "file.html", {"index": False, "justify": "left"}, many_states=True, stride=6),
    Case("a registered writer", "file.rows", kind="registered", many_states=True, stride=5),
    Case("partitioned", "dataset.parquet", PARTITIONED),
    Case("partitioned, new", "dataset.parquet", PARTITIONED, before=0, stride=3),
    Case("partitioned, with backups", "dataset.parquet", PARTITIONED | {"backup": 2}, before=4, stride=4),
    Case(
        "partitioned, written by pyarrow",
        "dataset.parquet",
        PARTITIONED | {"write_batch_size": 512},
        stride=5,
        many_states=True,
    ),
]


class Prepared:
    """A case with a directory to begin from, and what the write makes of it."""

    def __init__(self, case: Case, scratch: Path) -> None:
        self.case = case
        self._template = scratch / "template"
        self._template.mkdir()
        self._scratch = scratch
        self._labels = itertools.count()
        #: What the target may hold, and what a flag says of it: checksum and size.
        self.flags: dict[bytes, tuple[str, int]] = {}
        target = self._template / case.target
        self._previous: list[bytes] = []  # contents of the target, the newest first
        for i in range(case.before):
            content = "old" if i == case.before - 1 else "new" if i % 2 else "old"
            # Appending is what the spoiled write does; the others make the target to append to.
            plain: dict[str, Any] = {"index": False} if target.suffix == ".csv" else {}
            plain |= {key: value for key, value in case.options.items() if key in PARTITIONED}
            plain |= {key: value for key, value in case.options.items() if key == "format"}
            data = made_into(case.kind, frame(content))
            result = atio.write(data, target, **{"backup": case.backups} | plain)
            if not target.is_dir():
                target.chmod(OLD_MODE)
            written = self._content(self._template)
            self.flags[written] = result.checksum, result.bytes
            self._previous.insert(0, written)
        self.old = self._previous[0] if self._previous else None
        self.before = tree_of(self._template)

        done = self.fresh()
        result = self.write_in(done).run()
        self.new = self._content(done)
        self.flags[self.new] = result.checksum, result.bytes
        self.engine: str = result.engine
        self.after = tree_of(done)
        if "mode" not in case.options:
            # Text, such as that of html, has fewer digits.
            digits = 1e-6 if target.suffix == ".html" else 0
            pd.testing.assert_frame_equal(read(done / case.target), frame("new"), rtol=digits, atol=digits)
        self.check_whole(self.after)
        self.check_complete(self.after)

    def _content(self, directory: Path) -> bytes:
        content = whole(tree_of(directory), self.target)
        assert content is not None
        return content.data

    def fresh(self) -> Path:
        """A new directory in which everything is as it is before the write."""
        directory = self._scratch / f"{next(self._labels)}"
        shutil.copytree(self._template, directory)
        return directory

    def write_in(self, directory: Path) -> Write:
        options = dict(self.case.options)
        if self.case.target.endswith(".csv"):
            options["index"] = False
        return Write(str(directory / self.case.target), "new", options, kind=self.case.kind)

    @property
    def target(self) -> str:
        return self.case.target

    @property
    def flag(self) -> str:
        return f".{self.case.target}._SUCCESS"

    def backup(self, number: int) -> str:
        return f".{self.case.target}.bak.{number}"

    @property
    def names_after(self) -> set[str]:
        """What is there after a write, and nothing else."""
        kept = min(self.case.backups, self.case.before)
        return {self.target, *([self.flag] if self.case.flagged else []), *(self.backup(i + 1) for i in range(kept))}

    def check_whole(self, tree: Mapping[str, Content | None]) -> None:
        """What holds at every instant: the target is old or new, its flag right, nothing temporary visible."""
        visible = {name for name in names_in(tree) if not name.startswith(".")}
        assert visible <= {self.target}, f"visible: {visible}"
        there = whole(tree, self.target)
        if there is None:
            assert self.old is None, "the target is missing"
            assert self.flag not in tree, "a flag without a target"
            return
        assert there.data in (self.old, self.new), f"the target is neither old nor new: {len(there.data)} bytes"
        if self.old is not None and tree[self.target] is not None:
            assert there.mode == OLD_MODE, f"the target's mode is {there.mode:o}"
        flag = tree.get(self.flag)
        if flag is not None:
            said = json.loads(flag.data)
            assert (said["checksum"], said["bytes"]) == self.flags[there.data], "the flag is of other data"
        for name in names_in(tree):
            if name.startswith(f".{self.target}.bak."):
                content = whole(tree, name)
                assert content is not None
                assert content.data in self._previous, f"{name} is no former content of the target"
        if self.case.backups and self.old is not None and there.data == self.new:
            others = {whole(tree, name) for name in (*names_in(tree), *stages_in(tree)) if name != self.target}
            assert self.old in {content.data for content in others if content}, (
                "the content to be kept as a backup is gone"
            )

    def check_complete(self, tree: Mapping[str, Content | None], leftovers: bool = False) -> None:
        """What holds after the write, whole and final. `leftovers`: hidden ones are there, of another kind."""
        there = whole(tree, self.target)
        assert there is not None and there.data == self.new, "the target is not the new one"
        assert (self.flag in tree) == self.case.flagged, "the flag is missing, or was not asked for"
        names = {name for name in names_in(tree) if not leftovers or ".atio-" not in name}
        assert names == self.names_after, f"there are {sorted(tree)}"
        for i in range(min(self.case.backups, self.case.before)):
            backup = whole(tree, self.backup(i + 1))
            assert backup is not None and backup.data == self._previous[i], f"backup {i + 1} has other data"

    def check_as_before(self, tree: Mapping[str, Content | None]) -> None:
        assert tree.keys() == self.before.keys(), f"there are {sorted(tree)}, and were {sorted(self.before)}"
        for name, content in tree.items():
            assert content == self.before[name], f"{name} was changed"

    def check_next_write(self, directory: Path) -> None:
        """A write to the target succeeds and leaves nothing but the target, its flag and backups."""
        target = directory / self.target
        replaced = whole(tree_of(directory), self.target)
        result = atio.write(made_into(self.case.kind, frame("new")), target, **self.case.plain_options)
        tree = tree_of(directory)
        names = names_in(tree)
        allowed = {self.target, self.flag, *(self.backup(i + 1) for i in range(self.case.backups))}
        assert names <= allowed, f"left over: {sorted(names - allowed)}"
        size = sum(len(content.data) for name, content in tree.items() if content and inside(name, self.target))
        assert result.bytes == size
        assert (self.flag in names) == self.case.flagged, f"there are {sorted(names)}"
        if self.case.flagged:
            atio.verify(target)
        if self.case.backups and replaced is not None:
            backup = whole(tree, self.backup(1))
            assert backup is not None
            assert backup.data == replaced.data, "the backup is not what was replaced"


def read(path: Path) -> pd.DataFrame:
    found = READERS[path.suffix](path)
    return found.astype(frame("new").dtypes)  # read from a path, "part" is a category; not all have one type of text


def inside(name: str, top: str) -> bool:
    return name == top or name.startswith(top + "/")


def names_in(tree: Mapping[str, Content | None]) -> set[str]:
    """The names in a directory itself."""
    return {name.partition("/")[0] for name in tree}


def stages_in(tree: Mapping[str, Content | None]) -> set[str]:
    """What is in the hidden directories of stages with a name."""
    return {name for name in tree if ".atio-stage/" in name and name.count("/") == 2}


def whole(tree: Mapping[str, Content | None], name: str) -> Content | None:
    """A file, or all files of a directory as one."""
    if name not in tree or tree[name] is not None:
        return tree.get(name)
    below = {n[len(name) :]: c for n, c in tree.items() if c is not None and n.startswith(name + "/")}
    return Content(repr(sorted((n, c.digest) for n, c in below.items())).encode(), 0)


def tree_of(directory: Path) -> dict[str, Content | None]:
    """Everything in a directory by its relative path; None is a directory."""
    found: dict[str, Content | None] = {}
    for path in directory.rglob("*"):
        status = path.lstat()
        is_directory = stat.S_ISDIR(status.st_mode)
        found[str(path.relative_to(directory))] = (
            None if is_directory else Content(path.read_bytes(), stat.S_IMODE(status.st_mode))
        )
    return found


WRITING = ("write", "pwrite", "sendfile", "copy_file_range", "splice", "truncate", "ftruncate", "fallocate")
NAMING = ("rename", "link", "mkdir", "symlink", "mknod")


def errors_for(call: Call) -> list[int]:
    """The errors with which a call may well fail."""
    full = [errno.EIO, errno.ENOSPC, errno.EDQUOT]
    if "open" in call.name or call.name == "creat":
        if call.fields["flags"] & (os.O_CREAT | NAMELESS):
            return [*full, errno.EMFILE, errno.EACCES]
        return [errno.EIO, errno.EMFILE, errno.EACCES]
    if call.name.startswith(WRITING) or call.name in ("fsync", "fdatasync", "sync_file_range"):
        return full
    if call.name.startswith(NAMING):
        return [*full, errno.EACCES]
    return [errno.EIO, errno.EACCES]


def may_be_harmless(call: Call) -> bool:
    """Whether the write may succeed all the same.

    Removing what is no longer needed can be left to the next write; early write-back, the owner and giving back a
    lock that ends with its descriptor are no more than attempts; what cannot be opened for reading may be looked at
    in order to tidy up.
    """
    if call.name.startswith(("unlink", "rmdir", "sync_file_range", "flock")) or "chown" in call.name:
        return True
    return "open" in call.name and "/." in call.path and not call.fields["flags"] & (os.O_CREAT | NAMELESS)
