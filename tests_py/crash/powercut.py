"""Rebuilds from a recording what a disk may hold after a power cut.

At each point of a recording, which is the instant after each of its calls, the states are made of

* operations on names that were not synced: none, all, every prefix, each single one lost or kept, and every subset
  if there are few enough, else some at random (always the same ones);
* for each file with data that was not synced: none of it, all, every prefix of its writes, half of a write, zeros in
  place of what was written, of its tail, or of a single write.

Both are combined, up to a limit. A state that is equal to one seen before is left out. See ``disk`` for the rules.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .disk import Content, DataOperation, Directory, Disk, File, Grow, ModelError, NameOperation, Node, Write
from .tracing import Trace, call_of


@dataclass(frozen=True)
class Limits:
    all_subsets: int = 8  # so many operations on names are tried in every subset
    random_subsets: int = 64  # if there are more, so many at random
    prefixes: int = 12  # so many writes of a file are cut off after each one, and lost one at a time
    combinations: int = 256  # of what becomes of several files, for one choice of names


DEFAULT_LIMITS = Limits()

#: By the id of a node: what may be left of the file, and what that says.
Variants = dict[int, list[tuple[Content, str]]]


@dataclass(frozen=True)
class State:
    """What a disk may hold."""

    point: int  # number of calls of the recording that had returned
    after: str  # the last of them
    finished: bool  # the program had been told that all is done: the stop marker was passed
    files: dict[str, Content | None] = field(repr=False)  # by relative path; None is a directory
    links: frozenset[str] = field(repr=False)  # those of files that are symbolic links
    lost: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    data: tuple[str, ...] = ()  # what became of data that was not synced

    def __str__(self) -> str:
        lines = [f"power cut after {self.after}{', the program having ended' if self.finished else ''}"]
        for title, items in ("names lost", self.lost), ("names kept", self.kept), ("data", self.data):
            lines += [f"  {title}: {item}" for item in items]
        sizes = {name: "directory" if c is None else f"{len(c.data)} bytes" for name, c in sorted(self.files.items())}
        return "\n".join([*lines, f"  on disk: {sizes}"])

    @contextlib.contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A directory that holds this, for a while."""
        with tempfile.TemporaryDirectory(prefix="power-cut-") as made:
            directory = Path(made)
            for name, content in sorted(self.files.items()):
                path = directory / name
                if content is None:
                    path.mkdir()
                elif name in self.links:
                    path.symlink_to(os.fsdecode(content.data))
                else:
                    path.write_bytes(content.data)
                    path.chmod(content.mode)
            yield directory


def states(recording: Trace, disk: Disk, limits: Limits = DEFAULT_LIMITS) -> Iterator[State]:
    """All states, at every point. `disk` was made before the recorded program ran, and is used up."""
    seen: set[tuple[bool, frozenset[tuple[str, bytes]]]] = set()
    point, after, finished = 0, "nothing", False
    for event in [{"event": "begin"}, *recording.events]:
        if event["event"] == "call":
            disk.follow(event, recording.data)
            if event["n"] == 0:
                continue
            point, after = point + 1, str(call_of(event))
        elif event["event"] == "stop":
            finished = True
        elif event["event"] != "begin":
            continue
        variants: Variants = {}
        for names, described in name_choices(disk.pending, limits):
            tree = disk.tree(names)
            for contents, data in data_choices(tree, variants, limits):
                files = {name: contents.get(id(node)) for name, node in tree.items()}
                print_of_files = frozenset((n, b"" if c is None else c.digest) for n, c in files.items())
                if (finished, print_of_files) in seen:
                    continue
                seen.add((finished, print_of_files))
                links = frozenset(name for name, node in tree.items() if isinstance(node, File) and node.is_link)
                yield State(point, after, finished, files, links, *described, data)


def check(recording: Trace, disk: Disk, checker: Callable[[State], None], limits: Limits = DEFAULT_LIMITS) -> int:
    """Calls `checker` with each state. Returns how many there were.

    What the checker raises becomes an AssertionError that tells the state.
    """
    count = 0
    for state in states(recording, disk, limits):
        count += 1
        try:
            checker(state)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            raise AssertionError(f"{said}\n{state}\nrecorded:\n{recording.listing()}") from error
    # Had a call been missed, the states would prove nothing.
    now, there = disk.now(), Disk(disk.path).now()
    if now != there:
        raise ModelError(f"the model has {sorted(now)} at the end, not {sorted(there)}, or with other data")
    return count


def name_choices(
    pending: list[NameOperation], limits: Limits
) -> Iterator[tuple[list[NameOperation], tuple[tuple[str, ...], tuple[str, ...]]]]:
    """Each choice of operations that reached the disk, in order, and the labels of those lost and those kept."""
    n = len(pending)
    choices: list[tuple[bool, ...]] = [(True,) * n, (False,) * n]
    if n <= limits.all_subsets:
        choices += itertools.product([False, True], repeat=n)
    else:
        choices += [tuple(i < k for i in range(n)) for k in range(1, n)]
        choices += [tuple(i != k for i in range(n)) for k in range(n)]
        choices += [tuple(i == k for i in range(n)) for k in range(n)]
        chance = random.Random(0)
        choices += [tuple(chance.random() < 0.5 for _ in range(n)) for _ in range(limits.random_subsets)]
    for choice in dict.fromkeys(choices):
        kept = [operation for operation, keep in zip(pending, choice, strict=True) if keep]
        lost = [operation for operation, keep in zip(pending, choice, strict=True) if not keep]
        yield kept, (tuple(operation.label for operation in lost), tuple(operation.label for operation in kept))


def data_choices(
    tree: dict[str, Node], variants_of: Variants, limits: Limits
) -> Iterator[tuple[dict[int, Content], tuple[str, ...]]]:
    """Each choice of what the files hold, by the id of the node, and what that says.

    `variants_of` remembers from one choice of names to the next what may be left of a file.
    """
    clean: dict[int, Content] = {}
    unsynced: dict[int, tuple[str, list[tuple[Content, str]]]] = {}
    for name, node in tree.items():
        if isinstance(node, Directory):
            continue
        if node.pending:
            if id(node) not in variants_of:
                variants_of[id(node)] = contents_after_a_cut(node, limits)
            unsynced[id(node)] = (name, variants_of[id(node)])
        else:
            clean[id(node)] = node.durable

    def choice(picked: dict[int, tuple[Content, str]]) -> tuple[dict[int, Content], tuple[str, ...]]:
        contents = {**clean, **{key: content for key, (content, _) in picked.items()}}
        return contents, tuple(f"{unsynced[key][0]}: {said}" for key, (_, said) in picked.items())

    product = 1
    for _, variants in unsynced.values():
        product *= len(variants)
    if product <= limits.combinations:
        for combination in itertools.product(*(variants for _, variants in unsynced.values())):
            yield choice(dict(zip(unsynced, combination, strict=True)))
        return
    # One file after the other in all its variants, the others all lost or all kept: the first two variants.
    for base in 0, 1:
        usual = {key: variants[base] for key, (_, variants) in unsynced.items()}
        for key, (_, variants) in unsynced.items():
            for variant in variants:
                yield choice({**usual, key: variant})


def contents_after_a_cut(file: File, limits: Limits) -> list[tuple[Content, str]]:
    """What may be left of a file with pending operations. The first is none of them, the second all."""
    pending = file.pending
    n = len(pending)
    found: list[tuple[Content, str]] = [(file.durable, "nothing since the last sync"), (file.current, "everything")]
    marks = set(range(1, n)) if n <= limits.prefixes else {1, 2, n // 2, n - 2, n - 1}
    found += [(applied(file, pending[:k]), f"the first {k} of {n} operations") for k in sorted(marks)]
    for k in sorted({*marks, n}):
        write = pending[k - 1]
        if isinstance(write, Write):
            half = Write(write.offset, write.data[: len(write.data) // 2])
            found.append((applied(file, [*pending[: k - 1], half]), f"half of operation {k} of {n}, nothing after it"))
            without = [*pending[: k - 1], without_data(write), *pending[k:]]
            found.append((applied(file, without), f"all but the data of operation {k} of {n}"))
    found.append((applied(file, [without_data(operation) for operation in pending]), "the size, and no data"))
    data, kept = file.current.data, len(file.durable.data)
    if len(data) > kept:
        middle = (kept + len(data)) // 2
        tail = data[:middle].ljust(len(data), b"\0")
        found.append((Content(tail, file.current.mode), "zeros from the middle of what is new on"))
    unique: dict[Content, str] = {}
    for content, said in found:
        unique.setdefault(content, said)
    return list(unique.items())


def applied(file: File, operations: list[DataOperation]) -> Content:
    content = file.durable
    for operation in operations:
        content = operation.apply(content)
    return content


def without_data(operation: DataOperation) -> DataOperation:
    return Grow(operation.offset + len(operation.data)) if isinstance(operation, Write) else operation
