"""What a disk holds, and what it has only been told: the model of files that ``powercut`` uses.

Each file has durable content and operations that came since; each directory has durable entries and operations on
names that came since. The rules are those that POSIX gives and ext4, xfs and btrfs keep:

* fsync of a file makes its data, its size and its mode durable, fdatasync its data and size; neither does anything
  about its names.
* fsync of a directory makes durable which names it holds. sync and syncfs make everything durable.
* Rename is atomic: its two names change together or not at all. (Between two directories: it becomes durable when
  either of them is synced. The operations it builds on come with it.)
* Nothing else becomes durable by itself for certain; any of it may.
* sync_file_range promises nothing. O_SYNC is not looked at, as if it did not help.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

FALLOC_FL_KEEP_SIZE = 1
FALLOC_FL_PUNCH_HOLE = 2
FALLOC_FL_ZERO_RANGE = 16
RENAME_EXCHANGE = 2
O_TMPFILE_BIT = 0o20000000


class ModelError(Exception):
    """The recording holds what the model cannot follow. A state made of it would prove nothing."""


@dataclass(frozen=True)
class Content:
    """What a regular file or a symbolic link holds."""

    data: bytes
    mode: int  # permission bits

    @functools.cached_property
    def digest(self) -> bytes:
        return hashlib.blake2b(self.data + b"%o" % self.mode, digest_size=16).digest()


@dataclass(frozen=True)
class Write:
    offset: int
    data: bytes

    def apply(self, content: Content) -> Content:
        old = content.data.ljust(self.offset, b"\0")
        return Content(old[: self.offset] + self.data + old[self.offset + len(self.data) :], content.mode)


@dataclass(frozen=True)
class Resize:
    size: int

    def apply(self, content: Content) -> Content:
        return Content(content.data[: self.size].ljust(self.size, b"\0"), content.mode)


@dataclass(frozen=True)
class SetMode:
    mode: int

    def apply(self, content: Content) -> Content:
        return Content(content.data, self.mode)


@dataclass(frozen=True)
class Grow:
    """A write of which only the size reached the disk: old data stays, and where there was none are zeros."""

    size: int

    def apply(self, content: Content) -> Content:
        return Content(content.data.ljust(self.size, b"\0"), content.mode)


DataOperation = Write | Resize | SetMode | Grow


@dataclass(eq=False)
class File:
    """A regular file, or a symbolic link, which is whole whenever it is there."""

    durable: Content
    pending: list[DataOperation] = field(default_factory=list)
    current: Content = field(init=False)
    is_link: bool = False

    def __post_init__(self) -> None:
        self.current = self.durable

    def do(self, operation: DataOperation) -> None:
        self.pending.append(operation)
        self.current = operation.apply(self.current)

    def sync(self) -> None:
        self.pending.clear()
        self.durable = self.current

    def sync_data(self) -> None:
        self.pending = [operation for operation in self.pending if isinstance(operation, SetMode)]
        self.durable = Content(self.current.data, self.durable.mode)


@dataclass(eq=False)
class Directory:
    durable: dict[str, Node] = field(default_factory=dict)
    current: dict[str, Node] = field(default_factory=dict)


Node = File | Directory


@dataclass(frozen=True)
class Slot:
    """A name in a directory gets another file, or none."""

    directory: Directory
    name: str
    node: Node | None

    def apply(self, entries: dict[str, Node]) -> None:
        if self.node is None:
            entries.pop(self.name, None)
        else:
            entries[self.name] = self.node


@dataclass(frozen=True)
class NameOperation:
    """Names that change together."""

    slots: tuple[Slot, ...]
    label: str

    def touches(self, directory: Directory) -> bool:
        return any(slot.directory is directory for slot in self.slots)

    def shares_a_name(self, other: NameOperation) -> bool:
        names = {(id(slot.directory), slot.name) for slot in other.slots}
        return any((id(slot.directory), slot.name) in names for slot in self.slots)


#: The method of Disk that follows a call, where it is not named after the call.
METHODS = {
    **dict.fromkeys(("open", "creat", "openat", "openat2"), "open"),
    **dict.fromkeys(("write", "writev", "pwrite64", "pwritev", "pwritev2"), "write"),
    **dict.fromkeys(("sendfile", "copy_file_range", "splice"), "write"),
    **dict.fromkeys(("truncate", "ftruncate"), "truncate"),
    **dict.fromkeys(("rename", "renameat", "renameat2"), "rename"),
    **dict.fromkeys(("link", "linkat"), "link"),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), "unlink"),
    **dict.fromkeys(("symlink", "symlinkat"), "symlink"),
    **dict.fromkeys(("mkdir", "mkdirat"), "mkdir"),
    **dict.fromkeys(("chmod", "fchmod", "fchmodat", "fchmodat2"), "chmod"),
    **dict.fromkeys(("sync", "syncfs"), "sync"),
    # Promises nothing; and attributes that the states do not show.
    **dict.fromkeys(("sync_file_range", "chown", "fchown", "lchown", "fchownat"), "nothing"),
    **dict.fromkeys(("utime", "utimes", "futimesat", "utimensat"), "nothing"),
    **dict.fromkeys(("setxattr", "lsetxattr", "fsetxattr"), "nothing"),
    **dict.fromkeys(("removexattr", "lremovexattr", "fremovexattr"), "nothing"),
}


class Disk:
    """Follows a recording, call by call."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Starts with what `root` holds now, all of it durable."""
        self.path = PurePosixPath(os.path.realpath(root))
        self.root = Directory()
        self.pending: list[NameOperation] = []
        self._by_inode: dict[int, Node] = {}
        self._load(Path(self.path), self.root)

    def _load(self, path: Path, directory: Directory) -> None:
        self._by_inode[path.stat().st_ino] = directory
        for child in path.iterdir():
            status = child.lstat()
            node = self._by_inode.get(status.st_ino)
            if node is None:
                node = self._load_one(child, status)
            directory.durable[child.name] = directory.current[child.name] = node

    def _load_one(self, path: Path, status: os.stat_result) -> Node:
        if stat.S_ISDIR(status.st_mode):
            directory = Directory()
            self._load(path, directory)
            return directory
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            node = File(Content(os.fsencode(path.readlink()), mode), is_link=True)
        elif stat.S_ISREG(status.st_mode):
            node = File(Content(path.read_bytes(), mode))
        else:
            raise ModelError(f"{path} is neither a file nor a directory")
        self._by_inode[status.st_ino] = node
        return node

    def follow(self, event: dict[str, Any], data: bytes) -> None:
        """Does what one line of the log says. `data` is the tracer's side file."""
        if event["event"] != "call" or event["res"] < 0 or event["call"] in ("close", "flock"):
            return
        name = event["call"]
        follow = getattr(self, f"_{METHODS.get(name, name)}", None)
        if follow is None:
            raise ModelError(f"the model does not know {name}: {event}")
        follow(event, data)
        node = self._by_inode.get(event.get("ino", 0))
        if isinstance(node, File) and not node.is_link and len(node.current.data) != event["size"]:
            raise ModelError(f"after {event} the model has {len(node.current.data)} bytes")

    def _place(self, path: str) -> tuple[Directory, str]:
        """The directory and the name in it that a path of the log means."""
        try:
            parts = PurePosixPath(path).relative_to(self.path).parts
        except ValueError:
            raise ModelError(f"{path} is outside of {self.path}") from None
        directory = self.root
        for part in parts[:-1]:
            child = directory.current.get(part)
            if not isinstance(child, Directory):
                raise ModelError(f"{path}: the model has no directory {part}")
            directory = child
        if not parts:
            raise ModelError(f"{path} is the directory itself")
        return directory, parts[-1]

    def _node(self, event: dict[str, Any]) -> Node:
        node = self._by_inode.get(event["ino_before"] or event.get("ino", 0))
        if node is None:
            raise ModelError(f"the model does not know the file of {event}")
        return node

    def _file(self, event: dict[str, Any]) -> File:
        node = self._node(event)
        if isinstance(node, Directory):
            raise ModelError(f"a directory where a file is expected: {event}")
        return node

    def _change(self, event: dict[str, Any], *slots: Slot) -> None:
        names = [path.removeprefix(f"{self.path}/") for path in (event["path"], event.get("path2")) if path]
        self.pending.append(NameOperation(slots, f"{event['call']} {' -> '.join(names)}"))
        for slot in slots:
            slot.apply(slot.directory.current)

    def _open(self, event: dict[str, Any], _data: bytes) -> None:
        flags = event["flags"]
        if flags & O_TMPFILE_BIT:
            self._by_inode[event["ino"]] = File(Content(b"", stat.S_IMODE(event["mode"])))
        elif not event["existed"]:
            # Its inode number may be that of a file that is gone: this is a new one.
            file = self._by_inode[event["ino"]] = File(Content(b"", stat.S_IMODE(event["mode"])))
            self._change(event, Slot(*self._place(event["path"]), file))
        elif flags & os.O_TRUNC and (file := self._file(event)).current.data:
            file.do(Resize(0))

    def _write(self, event: dict[str, Any], data: bytes) -> None:
        if event["res"] > 0:
            start = event["data"]
            self._file(event).do(Write(event["off"], data[start : start + event["res"]]))

    def _truncate(self, event: dict[str, Any], _data: bytes) -> None:
        self._file(event).do(Resize(event["value"]))

    def _fallocate(self, event: dict[str, Any], _data: bytes) -> None:
        file, flags = self._file(event), event["flags"]
        end = event["off"] + event["value"]
        size = len(file.current.data)
        if flags & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE):
            raise ModelError(f"the model does not know this kind of fallocate: {event}")
        if not flags & FALLOC_FL_KEEP_SIZE and end > size:
            file.do(Resize(end))
            size = end
        if flags & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) and event["off"] < size:
            file.do(Write(event["off"], bytes(min(end, size) - event["off"])))

    def _chmod(self, event: dict[str, Any], _data: bytes) -> None:
        node = self._node(event)
        if isinstance(node, File):
            node.do(SetMode(stat.S_IMODE(event["mode"])))

    def _rename(self, event: dict[str, Any], _data: bytes) -> None:
        source, target = self._place(event["path"]), self._place(event["path2"])
        node = source[0].current.get(source[1])
        if node is None:
            raise ModelError(f"the model does not know the file of {event}")
        other = target[0].current.get(target[1])
        if node is other:
            return  # two names of one file: POSIX has nothing happen
        exchanged = other if event.get("flags", 0) & RENAME_EXCHANGE else None
        self._change(event, Slot(*source, exchanged), Slot(*target, node))

    def _link(self, event: dict[str, Any], _data: bytes) -> None:
        self._change(event, Slot(*self._place(event["path2"]), self._node(event)))

    def _unlink(self, event: dict[str, Any], _data: bytes) -> None:
        self._change(event, Slot(*self._place(event["path"]), None))

    def _symlink(self, event: dict[str, Any], _data: bytes) -> None:
        link = self._by_inode[event["ino"]] = File(Content(os.fsencode(event["text"]), 0o777), is_link=True)
        self._change(event, Slot(*self._place(event["path"]), link))

    def _mkdir(self, event: dict[str, Any], _data: bytes) -> None:
        directory = self._by_inode[event["ino"]] = Directory()
        self._change(event, Slot(*self._place(event["path"]), directory))

    def _fsync(self, event: dict[str, Any], _data: bytes) -> None:
        node = self._node(event)
        if isinstance(node, File):
            node.sync()
        else:
            self._sync_names({i for i, operation in enumerate(self.pending) if operation.touches(node)})

    def _fdatasync(self, event: dict[str, Any], data: bytes) -> None:
        node = self._node(event)
        if isinstance(node, File):
            node.sync_data()
        else:
            self._fsync(event, data)

    def _sync(self, _event: dict[str, Any], _data: bytes) -> None:
        for node in self._by_inode.values():
            if isinstance(node, File):
                node.sync()
        self._sync_names(set(range(len(self.pending))))

    def _nothing(self, _event: dict[str, Any], _data: bytes) -> None:
        pass

    def _sync_names(self, chosen: set[int]) -> None:
        # What a chosen operation builds on goes with it, or it would undo a later one when its turn comes.
        for later in reversed(range(len(self.pending))):
            if later in chosen:
                chosen |= {i for i in range(later) if self.pending[i].shares_a_name(self.pending[later])}
        for i in sorted(chosen):
            for slot in self.pending[i].slots:
                slot.apply(slot.directory.durable)
        self.pending = [operation for i, operation in enumerate(self.pending) if i not in chosen]

    def now(self) -> dict[str, Content | None]:
        """What there is while the power is on, by relative path; None is a directory."""
        tree = self.tree(self.pending)
        return {name: node.current if isinstance(node, File) else None for name, node in tree.items()}

    def tree(self, kept: list[NameOperation]) -> dict[str, Node]:
        """The relative path of everything, had just these pending operations reached the disk."""
        changed: dict[int, dict[str, Node]] = {}
        for operation in kept:
            for slot in operation.slots:
                entries = changed.setdefault(id(slot.directory), dict(slot.directory.durable))
                slot.apply(entries)

        def walk(directory: Directory, prefix: str, above: tuple[Directory, ...]) -> Iterator[tuple[str, Node]]:
            for name, node in changed.get(id(directory), directory.durable).items():
                yield prefix + name, node
                if isinstance(node, Directory) and node not in above:
                    yield from walk(node, f"{prefix}{name}/", (*above, node))

        return dict(walk(self.root, "", (self.root,)))
