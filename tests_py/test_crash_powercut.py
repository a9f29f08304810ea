"""The model of power cuts: what it holds possible, and that it catches writers that do not sync."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from crash import powercut, tracing
from crash.disk import Disk, ModelError
from crash.powercut import Limits, State
from crash.tracing import STOP_MARKER, Trace

OLD, NEW = b"old data", b"NEW DATA, longer"


class Log:
    """A recording written by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.disk = Disk(root)
        self.events: list[dict[str, Any]] = []
        self.data = b""
        self.sizes = {path.stat().st_ino: path.stat().st_size for path in root.rglob("*")}
        self.next_inode = 10**9  # far from those of the files that are there

    def call(self, call: str, path: str = "", **fields: Any) -> None:
        number = sum(event["event"] == "call" for event in self.events) + 1
        event = {"event": "call", "n": number, "call": call, "path": self.path(path), "res": 0, **fields}
        if "path2" in event:
            event["path2"] = self.path(event["path2"])
        event.setdefault("ino_before", event.get("ino", 0))
        if event.get("ino") in self.sizes:
            event["size"] = self.sizes[event["ino"]]
        self.events.append(event)

    def path(self, name: str) -> str:
        return os.path.realpath(self.root) + (f"/{name}" if name else "")

    def inode(self, name: str) -> int:
        return (self.root / name).stat().st_ino

    def create(self, name: str, inode: int = 0) -> int:
        if not inode:
            self.next_inode += 1
            inode = self.next_inode
        self.sizes[inode] = 0
        self.call("openat", name, ino=inode, ino_before=0, existed=0, flags=os.O_CREAT | os.O_WRONLY, mode=0o100644)
        return inode

    def nameless(self) -> int:
        self.next_inode += 1
        self.sizes[self.next_inode] = 0
        flags = os.O_TMPFILE | os.O_WRONLY
        self.call("openat", "#1 (deleted)", ino=self.next_inode, ino_before=0, existed=0, flags=flags, mode=0o100600)
        return self.next_inode

    def write(self, inode: int, data: bytes, offset: int = 0) -> None:
        self.sizes[inode] = max(self.sizes[inode], offset + len(data))
        self.call("write", ino=inode, off=offset, res=len(data), data=len(self.data))
        self.data += data

    def fsync(self, inode: int) -> None:
        self.call("fsync", ino=inode)

    def fsync_directory(self, name: str = "") -> None:
        self.call("fsync", name, ino=self.inode(name))

    def rename(self, old: str, new: str) -> None:
        self.call("rename", old, path2=new)

    def link(self, inode: int, new: str) -> None:
        self.call("linkat", path2=new, ino=inode)

    def unlink(self, name: str) -> None:
        self.call("unlink", name)

    def stop(self) -> None:
        self.events.append({"event": "stop"})

    def states(self, limits: Limits = powercut.DEFAULT_LIMITS) -> list[State]:
        events = [*self.events, {"event": "end"}]
        return list(powercut.states(Trace(0, "exit", 0, events, self.data), self.disk, limits))

    def last_states(self) -> list[dict[str, bytes | None]]:
        """What there may be once all calls of the log were made."""
        # Being finished makes a state new, even if the same files were seen before.
        self.stop()
        return [shown(state) for state in self.states() if state.finished]


def shown(state: State) -> dict[str, bytes | None]:
    return {name: None if content is None else content.data for name, content in state.files.items()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(OLD)
    return root


def test_nothing_was_done(root: Path) -> None:
    (root / "sub").mkdir()
    (root / "sub" / "inner").write_bytes(b"x")
    assert [shown(state) for state in Log(root).states()] == [{"file": OLD, "sub": None, "sub/inner": b"x"}]


def test_a_file_synced_without_its_directory_may_be_missing_but_not_torn(root: Path) -> None:
    log = Log(root)
    log.fsync(log_written(log, "new"))
    states = log.last_states()
    assert {"file": OLD} in states and {"file": OLD, "new": NEW} in states and len(states) == 2


def log_written(log: Log, name: str) -> int:
    inode = log.create(name)
    log.write(inode, NEW[:6])
    log.write(inode, NEW[6:], 6)
    return inode


def test_data_that_was_not_synced_may_be_lost_in_every_part(root: Path) -> None:
    log = Log(root)
    log_written(log, "new")
    log.fsync_directory()
    left = {state["new"] for state in log.last_states()}
    size = len(NEW)
    assert left >= {b"", NEW, NEW[:6], NEW[:3], NEW[:11], bytes(size), bytes(6) + NEW[6:], NEW[:6] + bytes(size - 6)}
    assert NEW[:8] + bytes(8) in left


def test_what_was_synced_before_stays(root: Path) -> None:
    log = Log(root)
    inode = log.create("new")
    log.write(inode, b"safe")
    log.fsync(inode)
    log.fsync_directory()
    log.write(inode, b"lost", 4)
    left = {state["new"] for state in log.last_states()}
    assert left == {b"safe", b"safelo", b"safelo\0\0", b"safelost", b"safe\0\0\0\0"}


def test_overwriting_in_place_mixes_old_and_new(root: Path) -> None:
    log = Log(root)
    log.write(log.inode("file"), b"NEW")
    log.write(log.inode("file"), b"MORE", 6)
    left = {state["file"] for state in log.last_states()}
    assert left >= {OLD, b"NEW data", b"NEW daMORE", b"old daMORE", b"old data\0\0"}


def test_truncation_may_come_through_alone(root: Path) -> None:
    log = Log(root)
    inode = log.inode("file")
    log.sizes[inode] = 0
    log.call("openat", "file", ino=inode, existed=1, flags=os.O_TRUNC | os.O_WRONLY, mode=0o100644)
    log.write(inode, b"NEW")
    assert {state["file"] for state in log.last_states()} == {OLD, b"", b"N", b"NEW", bytes(3)}


def test_names_come_through_in_any_order_unless_synced(root: Path) -> None:
    log = Log(root)
    a, b = log.create("a"), log.create("b")
    log.fsync(a)
    log.fsync(b)
    assert {frozenset(state) - {"file"} for state in log.last_states()} == {
        frozenset(),
        frozenset("a"),
        frozenset("b"),
        frozenset("ab"),
    }


def test_names_stay_once_their_directory_was_synced(root: Path) -> None:
    log = Log(root)
    log.create("a")
    log.fsync_directory()
    log.create("b")
    assert {frozenset(state) - {"file"} for state in log.last_states()} == {frozenset("a"), frozenset("ab")}


def test_renames_are_atomic(root: Path) -> None:
    log = Log(root)
    log.fsync(log_written(log, ".stage"))
    log.fsync_directory()
    log.rename(".stage", "file")
    assert sorted(map(sorted, (state.items() for state in log.last_states()))) == [
        [(".stage", NEW), ("file", OLD)],
        [("file", NEW)],
    ]


def test_renames_between_directories_are_atomic(root: Path) -> None:
    (root / "sub").mkdir()
    log = Log(root)
    log.rename("file", "sub/file")
    assert sorted(sorted(state) for state in log.last_states()) == [["file", "sub"], ["sub", "sub/file"]]
    log = Log(root)
    log.rename("file", "sub/file")
    log.create("file")
    log.fsync_directory("sub")
    assert {(state.get("file"), state["sub/file"]) for state in log.last_states()} == {(None, OLD), (b"", OLD)}


def test_a_synced_name_takes_with_it_what_it_builds_on(root: Path) -> None:
    (root / "sub").mkdir()
    log = Log(root)
    log.rename("file", "sub/file")
    log.create("file")
    log.fsync_directory()  # both renames and creations of "file" are on disk, and in this order
    assert log.last_states() == [{"file": b"", "sub": None, "sub/file": OLD}]


def test_directories(root: Path) -> None:
    log = Log(root)
    log.call("mkdir", "sub", ino=5, ino_before=0)
    inode = log.create("sub/inner")
    log.fsync(inode)
    assert sorted(sorted(state) for state in log.last_states()) == [
        ["file"],
        ["file", "sub"],
        ["file", "sub", "sub/inner"],
    ]
    log = Log(root)
    log.call("mkdir", "sub", ino=5, ino_before=0)
    log.create("sub/inner")
    log.call("fsync", "sub", ino=5)
    assert sorted(sorted(state) for state in log.last_states()) == [["file"], ["file", "sub", "sub/inner"]]


def test_files_without_a_name_leave_nothing(root: Path) -> None:
    log = Log(root)
    inode = log.nameless()
    log.write(inode, NEW)
    assert log.last_states() == [{"file": OLD}]
    log = Log(root)
    inode = log.nameless()
    log.write(inode, NEW)
    log.fsync(inode)
    log.link(inode, "named")
    assert {state.get("named") for state in log.last_states()} == {None, NEW}


def test_a_reused_inode_number_is_a_new_file(root: Path) -> None:
    log = Log(root)
    inode = log.inode("file")
    log.unlink("file")
    log.create("other", inode)
    log.write(inode, b"x")
    log.fsync(inode)
    left = {(state.get("file"), state.get("other")) for state in log.last_states()}
    assert left == {(OLD, None), (OLD, b"x"), (None, None), (None, b"x")}


def test_mode_bits(root: Path) -> None:
    log = Log(root)
    inode = log.inode("file")
    log.call("fchmod", ino=inode, mode=0o100600, value=0o600)
    log.call("fdatasync", ino=inode)
    modes = {content.mode for state in log.states() for content in state.files.values() if content}
    assert modes == {(root / "file").stat().st_mode & 0o7777, 0o600}
    log.fsync(inode)
    log.stop()
    modes = {c.mode for state in log.states() if state.finished for c in state.files.values() if c}
    assert modes == {0o600}


def test_sync_makes_everything_durable(root: Path) -> None:
    log = Log(root)
    log_written(log, "new")
    log.call("sync")
    assert log.last_states() == [{"file": OLD, "new": NEW}]


def test_failed_calls_do_nothing(root: Path) -> None:
    log = Log(root)
    inode = log.create("new")
    log.write(inode, b"x")
    log.call("fsync", ino=inode, res=-5)
    log.call("unlink", "file", res=-13)
    assert {state.get("new") for state in log.last_states()} == {None, b"", b"x", b"\0"}
    assert all(state["file"] == OLD for state in log.last_states())


def test_the_number_of_states_is_bounded(root: Path) -> None:
    log = Log(root)
    for i in range(16):
        log.write(log.create(f"f{i}"), b"some data")
    limits = Limits(all_subsets=3, random_subsets=5, combinations=10)
    states = log.states(limits)
    assert 1000 < len(states) < 32 * (3 * 16 + 5) * (2 * 16 * 4)
    at_the_end = [state for state in states if state.point == 32]
    assert any(len(state.files) == 1 for state in states) and any(len(state.lost) == 1 for state in at_the_end)


def test_what_the_model_does_not_know_is_refused(root: Path) -> None:
    for call in (
        {"call": "mmap", "ino": 1},
        {"call": "write", "ino": 424242, "off": 0, "res": 1, "data": 0},
        {"call": "rename", "path2": "file"},
        {"call": "fallocate", "ino": (root / "file").stat().st_ino, "flags": 8, "off": 0, "value": 4096},
    ):
        log = Log(root)
        log.call(**call)
        with pytest.raises(ModelError):
            log.states()
    log = Log(root)
    log.call("fchmod", ino=log.inode("file"), mode=0o100644, value=0o644)
    log.events[-1]["size"] = 999
    with pytest.raises(ModelError, match="has 8 bytes"):
        log.states()


# Writers, right and wrong, that replace a file and then set a flag that says which data the file holds.


def flag_is_right(state: State) -> None:
    files = shown(state)
    assert files.get("file") in (OLD, NEW), "torn"
    if "flag" in files:
        assert files["flag"] == {OLD: b"old", NEW: b"new"}[files["file"] or b""], "the flag is wrong"
    if state.finished:
        assert files["file"] == NEW and "flag" in files, "lost after the end"


GOOD = """
stage(d + "/.stage", NEW, sync=True)
os.unlink(d + "/flag")
sync_directory()
os.rename(d + "/.stage", d + "/file")
sync_directory()
stage(d + "/.flag", b"new", sync=True)
os.rename(d + "/.flag", d + "/flag")
sync_directory()
"""

HELPERS = f"""
import os, sys
d, NEW = sys.argv[1], {NEW!r}

def stage(path, data, sync):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(fd, data[:4])
    os.write(fd, data[4:])
    if sync:
        os.fsync(fd)
    os.close(fd)

def sync_directory():
    fd = os.open(d, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)

os.access({tracing.START_MARKER!r}, 0)
"""


def drop(number: int) -> str:
    """The good writer without its nth sync of the directory."""
    lines = GOOD.splitlines()
    syncs = [i for i, line in enumerate(lines) if "sync_directory" in line]
    del lines[syncs[number]]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("program", "caught"),
    [
        (GOOD, None),
        ('os.link(d + "/file", d + "/.backup")' + GOOD, None),
        (GOOD.replace("NEW, sync=True", "NEW, sync=False"), "torn"),
        (GOOD.replace('b"new", sync=True', 'b"new", sync=False'), "the flag is wrong"),
        (drop(0), "the flag is wrong"),  # the old flag beside new data
        (drop(1), "the flag is wrong"),  # the new flag beside old data
        (drop(2), "lost after the end"),
        (GOOD.replace('os.unlink(d + "/flag")\n', ""), "the flag is wrong"),
        ('stage(d + "/file", NEW, sync=True)', "torn"),  # in place
        ('os.unlink(d + "/file")' + GOOD, "torn"),  # at an instant nothing is there
    ],
)
def test_writers(root: Path, program: str, caught: str | None) -> None:
    reason = tracing.unavailable()
    if reason is not None:
        pytest.fail(reason)
    (root / "flag").write_bytes(b"old")
    disk = Disk(root)
    program = HELPERS + program + f"\nos.access({STOP_MARKER!r}, 0)"
    command = [sys.executable, "-I", "-S", "-c", program, str(root)]
    recording = tracing.trace(command, root, markers=True, with_data=True)
    assert recording.status == 0, recording.stderr
    assert (root / "file").read_bytes() == NEW
    if caught is None:
        assert powercut.check(recording, disk, flag_is_right) > 10
    else:
        with pytest.raises(AssertionError, match=caught):
            powercut.check(recording, disk, flag_is_right)


def test_states_are_made_into_real_files(root: Path) -> None:
    log = Log(root)
    log.call("mkdir", "sub", ino=5, ino_before=0)
    inode = log.create("sub/inner")
    log.write(inode, b"x")
    log.call("fchmod", ino=inode, mode=0o100640, value=0o640)
    log.call("symlink", "link", text="sub/inner", ino=6, ino_before=0, mode=0o120777)
    log.call("sync")
    log.stop()
    (last,) = (state for state in log.states() if state.finished)
    with last.on_disk() as made:
        assert sorted(str(path.relative_to(made)) for path in made.rglob("*")) == ["file", "link", "sub", "sub/inner"]
        assert (made / "link").read_bytes() == b"x"
        assert (made / "sub/inner").stat().st_mode & 0o777 == 0o640
    assert not made.exists()


def test_a_missed_call_is_noticed(root: Path) -> None:
    disk = Disk(root)
    program = f"import os\nos.mkdir({str(root / 'a')!r})\nos.mkdir({str(root / 'b')!r})"
    recording = tracing.trace([sys.executable, "-I", "-S", "-c", program], root, with_data=True)
    recording.events.pop(1)
    with pytest.raises(ModelError, match="at the end"):
        powercut.check(recording, disk, lambda _: None)
