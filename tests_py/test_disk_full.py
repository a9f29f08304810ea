"""A disk that is full, a directory that may not be written, and whatever else a file system refuses."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import atio
from support import apart, files_of, names, open_files, state

SMALL = pd.DataFrame({"x": [1, 2, 3]})
LARGE = pd.DataFrame({"x": np.random.default_rng(1).random(400_000), "s": "some text"})
CHUNK = LARGE[:50_000]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of one megabyte."""
    where = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)], capture_output=True, text=True, check=False
    )
    assert mounted.returncode == 0, f"these tests need to mount a tmpfs, as root: {mounted.stderr}"
    yield where
    subprocess.run(["umount", str(where)], check=True)


class OwnAvro(pl.DataFrame):
    """Has polars write it, since it has a writer of its own."""

    def write_avro(self, *args: Any, **kwargs: Any) -> None:
        super().write_avro(*args, **kwargs)


class Text(str):
    """Written by a registered writer."""


atio.register_writer(Text, "registered", lambda text, path: Path(path).write_text(text))

FULL: dict[str, Callable[[Path], Any]] = {
    "x.parquet": lambda p: atio.write(LARGE, p),
    "x.csv": lambda p: atio.write(LARGE, p),
    "y.csv": lambda p: atio.write(pl.from_pandas(LARGE), p),
    "y.parquet": lambda p: atio.write(pl.from_pandas(LARGE), p, durable=False),
    "x.json": lambda p: atio.write(LARGE, p),
    "y.json": lambda p: atio.write(pl.from_pandas(LARGE), p),
    "x.pkl": lambda p: atio.write(LARGE, p),
    "x.npy": lambda p: atio.write(LARGE["x"].to_numpy(), p),
    "x.npz": lambda p: atio.write({"x": LARGE["x"].to_numpy()}, p),
    "c.npz": lambda p: atio.write({"x": LARGE["x"].to_numpy()}, p, "npz_compressed"),
    "t.npy": lambda p: atio.write(np.random.default_rng(1).random((400, 1000)).T[::2], p),
    "z.npy": lambda p: atio.write((CHUNK["x"].to_numpy() for _ in range(8)), p),
    "z.npz": lambda p: atio.write((CHUNK["x"].to_numpy() for _ in range(8)), p),
    "x.bin": lambda p: atio.write(LARGE["x"].to_numpy(), p),
    "z.bin": lambda p: atio.write((CHUNK["x"].to_numpy() for _ in range(8)), p),
    "x.html": lambda p: atio.write(CHUNK[:20_000], p),
    "x.csv.gz": lambda p: atio.write(LARGE, p),
    "x.avro": lambda p: atio.write(OwnAvro(pl.from_pandas(LARGE)), p),
    "y.avro": lambda p: atio.write(pl.from_pandas(LARGE), p),
    "z.avro": lambda p: atio.write((pl.from_pandas(CHUNK) for _ in range(8)), p, compression="snappy"),
    "y.arrow": lambda p: atio.write(pl.from_pandas(LARGE), p),
    "z.arrow": lambda p: atio.write((pl.from_pandas(CHUNK) for _ in range(8)), p, compression="zstd"),
    "x.feather": lambda p: atio.write(LARGE, p),
    "x.registered": lambda p: atio.write(Text("x" * 2_000_000), p),
    "y.ndjson": lambda p: atio.write((pl.from_pandas(CHUNK) for _ in range(8)), p),
    "w.feather": lambda p: atio.write(pa.Table.from_pandas(LARGE), p),
    "w.csv": lambda p: atio.write(pa.Table.from_pandas(LARGE), p),
    "z.parquet": lambda p: atio.write((CHUNK for _ in range(8)), p),
    "z.csv": lambda p: atio.write((CHUNK for _ in range(8)), p, quoting=1),
    "v.parquet": lambda p: atio.write(LARGE, p, validate=lambda _: None),
    "a.csv": lambda p: atio.write(LARGE, p, mode="a"),
}


@pytest.mark.parametrize("name", FULL)
def test_full_disk(disk: Path, name: str) -> None:
    for left in disk.iterdir():
        left.unlink()
    target = disk / name
    target.write_bytes(b"of another program")
    atio.write(SMALL, target, "pickle")
    before = state(disk)
    with pytest.raises(OSError, match=r"No space left.*free some space") as raised:
        FULL[name](target)
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(target))
    assert state(disk) == before
    assert not open_files(disk)
    assert atio.verify(target).bytes == target.stat().st_size


@pytest.mark.parametrize(
    "write",
    [
        "atio.write(df, p, engine='xlsxwriter')",
        "atio.write(df, p, engine='openpyxl')",
        "atio.write(df, p, engine='openpyxl', engine_kwargs={'iso_dates': True})",
        "atio.write(df, p, engine='xlsxwriter', engine_kwargs={'options': {'default_row_height': 20}})",
        "atio.write(pl.DataFrame(df), p)",
        "atio.write(pl.DataFrame(df), p, row_heights=20)",
        "atio.write({'a': df, 'b': pl.DataFrame(df)}, p)",
    ],
)
def test_full_disk_and_excel(disk: Path, write: str) -> None:
    """In a process of its own: what the libraries leave open fails once more when it is collected."""
    for left in disk.iterdir():
        left.unlink()
    target = disk / "x.xlsx"
    atio.write(SMALL, target, "pickle")
    before = state(disk)
    code = (
        "import atio, sys, numpy as np, pandas as pd, polars as pl\n"
        "p, df = sys.argv[1], pd.DataFrame(np.random.rand(5000, 40))\n"
        f"try: {write}\n"
        "except OSError as e: assert (e.errno, e.filename) == (28, p) and 'free some space' in str(e), e\n"
        "else: print('it had room')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, target], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert state(disk) == before


def test_disk_that_is_full_before(disk: Path) -> None:
    """Not even the flag has room: the target stays as it is."""
    for left in disk.iterdir():
        left.unlink()
    target = disk / "x.csv"
    atio.write(SMALL, target)
    with (disk / "filler").open("wb", buffering=0) as f, contextlib.suppress(OSError):
        while True:
            f.write(b"\0" * 4096)
    assert os.statvfs(disk).f_bavail == 0
    before = state(disk)
    with pytest.raises(OSError, match=r"full.*free some space") as raised:
        atio.write(SMALL[:1], target)
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(target))
    assert state(disk) == before
    (disk / "filler").unlink()
    atio.write(SMALL[:1], target)
    assert names(disk) == files_of("x.csv")


def test_read_only_file_system(disk: Path) -> None:
    target = disk / "x.parquet"
    atio.write(SMALL, target)
    before = state(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        for name in ("x.parquet", "x.json"):
            with pytest.raises(OSError, match="read-only") as raised:
                atio.write(SMALL, disk / name)
            assert (raised.value.errno, raised.value.filename) == (errno.EROFS, str(disk / name))
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert state(disk) == before


# --- permissions ----------------------------------------------------------------------------------------------------


NOBODY = 65534


def _as_nobody(directory: str, targets: list[str]) -> list[list[Any]]:
    """What a process that was root's and has given that up is told when it writes."""
    answer, question = os.pipe()
    if os.fork() == 0:
        code = 1
        try:
            for target in targets:  # loads all that it may not be allowed to read later
                atio.write(SMALL, Path(directory, "warm-up" + Path(target).suffix), success_flag=False)
                Path(directory, "warm-up" + Path(target).suffix).unlink()
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            told = []
            for target in targets:
                try:
                    atio.write(SMALL, Path(directory, target))
                except PermissionError as e:
                    told.append([e.errno, e.filename, str(e)])
                else:
                    told.append([0, "", ""])
            os.write(question, json.dumps(told).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(question)
    with os.fdopen(answer, "rb") as f:
        return list(json.loads(f.read()))


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that others can reach: those of pytest are their owner's only, and every session sees to that."""
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        where = Path(outer, "place")
        where.mkdir(mode=0o755)
        yield where


def test_no_permission(reachable: Path) -> None:
    atio.write(SMALL, reachable / "x.csv")
    before = state(reachable)
    targets = ["x.csv", "new.parquet", "new.json"]
    told = apart(_as_nobody, str(reachable), targets, timeout=60)
    assert [t[:2] for t in told] == [[errno.EACCES, str(reachable / target)] for target in targets]
    assert all("permission to create files there is needed" in text for _, _, text in told)
    assert state(reachable) == before


def test_process_that_gave_up_being_root(reachable: Path) -> None:
    """It may not look at itself in /proc, by which a file without a name would get one."""
    os.chown(reachable, NOBODY, NOBODY)
    targets = ["x.csv", "x.parquet", "x.json"]
    told = apart(_as_nobody, str(reachable), targets, timeout=60)
    assert [t[0] for t in told] == [0, 0, 0], told
    assert names(reachable) == files_of(*targets)
    assert {p.stat().st_uid for p in reachable.iterdir()} == {NOBODY}


def test_directory_that_may_not_be_read(reachable: Path) -> None:
    """It can be neither locked nor synced."""
    reachable.chmod(0o733)
    targets = ["x.csv", "x.json"]
    told = apart(_as_nobody, str(reachable), targets, timeout=60)
    assert [t[:2] for t in told] == [[errno.EACCES, str(reachable / target)] for target in targets]
    assert names(reachable) == set()


def test_file_of_another_user_in_a_directory_like_tmp(reachable: Path) -> None:
    reachable.chmod(0o1777)
    for target in ("x.csv", "x.json"):
        atio.write(SMALL, reachable / target)
        (reachable / target).chmod(0o666)
    before = state(reachable)
    told = apart(_as_nobody, str(reachable), ["x.csv", "x.json", "new.csv"], timeout=60)
    assert [t[0] for t in told] == [errno.EPERM, errno.EPERM, 0], told
    assert all("another user's" in text for _, _, text in told[:2])
    assert {name: entry for name, entry in state(reachable).items() if "new" not in name} == before
    assert names(reachable) == files_of("x.csv", "x.json", "new.csv")


def _without_descriptors(directory: str) -> list[list[Any]]:
    atio.write(SMALL, Path(directory, "x.csv"))  # loads everything
    atio.write(SMALL, Path(directory, "x.parquet"))
    low = max(int(n) for n in os.listdir("/proc/self/fd")) + 1
    taken = []
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    caught = []
    for free in range(6):
        resource.setrlimit(resource.RLIMIT_NOFILE, (low + 20, most))
        try:
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        for _ in range(free):
            os.close(taken.pop())
        for name in ("x.csv", "x.parquet"):
            try:
                atio.write(SMALL, Path(directory, name))
            except OSError as e:
                caught.append([e.errno, e.filename])
        while taken:
            os.close(taken.pop())
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    atio.write(SMALL, Path(directory, "x.csv"))
    return caught


def test_no_descriptors(tmp_path: Path) -> None:
    caught = apart(_without_descriptors, str(tmp_path), timeout=60)
    assert len(caught) >= 4
    for number, filename in caught:
        assert number == errno.EMFILE
        assert filename in (str(tmp_path / "x.csv"), str(tmp_path / "x.parquet"))
    assert names(tmp_path) == files_of("x.csv", "x.parquet")


# --- what a path can be ---------------------------------------------------------------------------------------------


def _refused(target: Path, error: type[OSError], number: int, text: str) -> None:
    before = state(target.parent) if target.parent.is_dir() and target.parent != Path("/dev") else None
    for frame in (SMALL, pl.from_pandas(SMALL)):
        for format in ("csv", "parquet", "json"):
            with pytest.raises(error, match=text) as raised:
                atio.write(frame, target, format)
            assert (raised.value.errno, raised.value.filename) == (number, str(target))
    assert before is None or state(target.parent) == before


def test_missing_directory(tmp_path: Path) -> None:
    _refused(tmp_path / "no" / "x", FileNotFoundError, errno.ENOENT, "create it first")


def test_a_file_as_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    _refused(tmp_path / "file" / "x", NotADirectoryError, errno.ENOTDIR, "not a directory")


def test_directory(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    _refused(tmp_path / "d", IsADirectoryError, errno.EISDIR, "name a file")


def test_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    _refused(tmp_path / "p", OSError, errno.ENOTSUP, "named pipe")


def test_device() -> None:
    _refused(Path("/dev/null"), OSError, errno.ENOTSUP, "device")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the names of sockets are short
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("s")
        _refused(tmp_path / "s", OSError, errno.ENOTSUP, "socket")


def test_long_names(tmp_path: Path) -> None:
    _refused(tmp_path / ("n" * 256), OSError, errno.ENAMETOOLONG, "shorter")
    _refused(tmp_path / ("n" * 246), OSError, errno.ENAMETOOLONG, "leave the flag out")
    for length in (200, 245):
        for format in ("csv", "json"):
            atio.write(SMALL, tmp_path / ("n" * length), format, backup=length < 240)
    atio.write(SMALL, tmp_path / ("n" * 255), "csv", success_flag=False)
    atio.write(SMALL, tmp_path / ("n" * 255), "json", success_flag=False)


def test_symbolic_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.csv").symlink_to("middle")
    (tmp_path / "middle").symlink_to(tmp_path / "real" / "x.csv")  # where there is nothing yet
    for _ in range(2):
        atio.write(SMALL, tmp_path / "link.csv", index=False)
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "middle").is_symlink()
        assert names(tmp_path / "real") == files_of("x.csv")
        assert atio.verify(tmp_path / "link.csv").rows == 3
    (tmp_path / "loop").symlink_to("loop")
    _refused(tmp_path / "loop", OSError, errno.ELOOP, "circle")


def test_mode_and_owner_of_the_old_file_are_kept(tmp_path: Path) -> None:
    for name in ("x.csv", "x.json"):
        target = tmp_path / name
        atio.write(SMALL, target)
        os.chown(target, 1234, 2345)
        target.chmod(0o2640)
        atio.write(SMALL[:1], target)
        now = target.stat()
        assert (stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid) == (0o2640, 1234, 2345)


def _under_umask(directory: str) -> list[int]:
    os.umask(0o027)
    for name in ("x.csv", "x.json"):
        atio.write(SMALL, Path(directory, name))
    return [stat.S_IMODE(p.stat().st_mode) for p in sorted(Path(directory).iterdir())]


def test_new_files_follow_the_umask(tmp_path: Path) -> None:
    assert apart(_under_umask, str(tmp_path), timeout=60) == [0o640] * 4


def test_other_hard_links_keep_the_old_content(tmp_path: Path) -> None:
    atio.write(SMALL, tmp_path / "x.csv", index=False)
    os.link(tmp_path / "x.csv", tmp_path / "other")
    atio.write(SMALL[:1], tmp_path / "x.csv", index=False)
    assert (tmp_path / "other").read_text() == "x\n1\n2\n3\n"
    assert (tmp_path / "x.csv").read_text() == "x\n1\n"
