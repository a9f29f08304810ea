"""``partition_cols`` and ``partition_by``: the directories that pyarrow and polars make, published as one."""

from __future__ import annotations

import datetime as dt
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import atio
from support import flag_of, names, state

TEXTS = ["a", "b/c", "d e", 'é%:="', "", "a", "🦆", "a\nb", "..", "x" * 60, "\u2028", "~!&'()*+,;@[]\\^`{|}<>?#$"]
DAY = dt.date(2020, 1, 2)
MOMENT = dt.datetime(2020, 1, 2, 3, 4, 5, 6)

KEYS: dict[str, Any] = {
    "texts": TEXTS,
    "texts and none": ["a", None, "b", "a", None],
    "integers": [1, -3, 2**62, 0, 1],
    "integers and none": pd.array([1, None, -3], dtype="Int64"),
    "unsigned": np.array([1, 2**64 - 1, 1], dtype="uint64"),
    "small integers": np.array([-128, 127, 0, 0], dtype="int8"),
    "floats": [1.5, float("nan"), -0.0, 0.0, 1e20, 1e-7, float("inf")],
    "small floats": np.array([1.5, 0.1], dtype="float32"),
    "booleans": [True, False, True],
    "booleans and none": [True, None, False],
    "dates": [DAY, None, dt.date(1, 1, 1)],
    "moments": pd.to_datetime([MOMENT, None, dt.datetime(1969, 1, 1)]),
    "moments in nanoseconds": pd.to_datetime([MOMENT]).astype("datetime64[ns]"),
    "moments with a zone": pd.to_datetime(["2020-01-02", "2020-07-02"]).tz_localize("Europe/Paris"),
    "decimals": [Decimal("1.50"), None, Decimal("2")],
    "categories": pd.Categorical(["a", "b", None, "a"], categories=["b", "unused", "a"]),
    "categories of integers": pd.Categorical([1, 2, 1]),
    "nothing but none": [None] * 3,
}
IN_LIBRARY: dict[str, Any] = {
    "times": [dt.time(1, 2, 3), None, dt.time(0)],
    "bytes": [b"a", b"b", None],
    "durations": pd.to_timedelta([1, 2, 3]),
}
REFUSED: dict[str, Any] = {
    "lists": [[1], [2], None],
    "periods": pd.period_range("2020-01", periods=3, freq="M"),
}


def with_key(key: Any) -> pd.DataFrame:
    rows = len(key)
    return pd.DataFrame({"k": key, "v": np.arange(rows) * 1.5, "s": [f"row {i}" for i in range(rows)]})


def parts(directory: Path) -> dict[str, list[pa.Table]]:
    """The files of each partition, those with rows, by their rows."""
    found: dict[str, list[pa.Table]] = {}
    for path in directory.rglob("*.parquet"):
        found.setdefault(str(path.parent.relative_to(directory)), []).append(pq.ParquetFile(path).read())
    return found


def assert_same(ours: Path, theirs: Path, order: str | None = None) -> None:
    mine, other = parts(ours), parts(theirs)
    assert mine.keys() == other.keys()
    for directory, tables in mine.items():
        (one,), (another,) = tables, other[directory]
        assert one.schema.equals(another.schema, check_metadata=True), directory
        if order is not None:
            one, another = one.sort_by(order), another.sort_by(order)
        # A NaN is not equal to another, but looks the same.
        assert one.equals(another) or repr(one.to_pylist()) == repr(another.to_pylist()), directory


def raised_by(call: Callable[[], object]) -> type[BaseException]:
    with pytest.raises(BaseException) as raised:
        call()
    return raised.type


@pytest.mark.parametrize("name", [*KEYS, *IN_LIBRARY])
def test_as_pandas(name: str, tmp_path: Path) -> None:
    df = with_key(KEYS.get(name, IN_LIBRARY.get(name)))
    df.to_parquet(tmp_path / "theirs", partition_cols=["k"])
    result = atio.write(df, tmp_path / "ours", partition_cols=["k"])
    assert_same(tmp_path / "ours", tmp_path / "theirs")
    assert (result.engine, result.rows, result.format) == ("go" if name in KEYS else "pandas", len(df), "parquet")
    assert result.bytes == sum(p.stat().st_size for p in (tmp_path / "ours").rglob("*.parquet"))
    atio.verify(tmp_path / "ours")


@pytest.mark.parametrize("name", [*KEYS, *IN_LIBRARY])
def test_as_polars(name: str, tmp_path: Path) -> None:
    df = pl.from_pandas(with_key(KEYS.get(name, IN_LIBRARY.get(name))), nan_to_null=False)
    if name == "durations":
        wanted = raised_by(lambda: df.write_parquet(tmp_path / "theirs", partition_by="k"))
        (tmp_path / "there").mkdir()
        assert raised_by(lambda: atio.write(df, tmp_path / "there" / "ours", partition_by="k")) is wanted
        assert names(tmp_path / "there") == set()
        return
    df.write_parquet(tmp_path / "theirs", partition_by="k")
    result = atio.write(df, tmp_path / "ours", partition_by="k")
    assert_same(tmp_path / "ours", tmp_path / "theirs")
    assert result.engine == ("go" if name not in ("bytes",) else "polars")


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_by_pandas(name: str, tmp_path: Path) -> None:
    df = with_key(REFUSED[name])
    wanted = raised_by(lambda: df.to_parquet(tmp_path / "theirs", partition_cols=["k"]))
    directory = tmp_path / "there"
    directory.mkdir()
    assert raised_by(lambda: atio.write(df, directory / "ours", partition_cols=["k"])) is wanted
    assert names(directory) == set()


PANDAS_ARGUMENTS: list[dict[str, Any]] = [
    {"partition_cols": "k"},
    {"partition_cols": ["k", "l"]},
    {"partition_cols": ["l", "k"], "compression": "zstd"},
    {"partition_cols": ["k"], "index": False},
    {"partition_cols": ["i"]},
    {"partition_cols": ["k"], "row_group_size": 2},
    {"partition_cols": ["k"], "basename_template": "part-{i}.parquet"},
    {"partition_cols": ["k"], "use_dictionary": ["s"]},
    {"partition_cols": ["k"], "compression": {"s": "gzip", "v": "snappy"}},
    {"partition_cols": ["k"], "write_batch_size": 10},
    {"partition_cols": ["k"], "max_rows_per_group": 100},
    {"partition_cols": ("k",)},
    {"partition_cols": ["k", "l", "v", "s", "many"]},
]


@pytest.mark.parametrize("arguments", PANDAS_ARGUMENTS, ids=str)
def test_arguments_of_pandas(arguments: dict[str, Any], tmp_path: Path) -> None:
    rows = 1000
    rng = np.random.default_rng(0)
    df = pd.DataFrame(
        {
            "k": rng.integers(0, 4, rows),
            "l": rng.choice(["x", "y"], rows),
            "v": rng.random(rows),
            "s": [f"row {i}" for i in range(rows)],
            "many": rng.choice(["p", "q"], rows),
        },
        index=pd.Index(np.arange(rows) % 7, name="i"),
    )
    if len(arguments["partition_cols"]) == 5:
        df = df[:20].round(1)
    df.to_parquet(tmp_path / "theirs", **arguments)
    atio.write(df, tmp_path / "ours", "parquet", **arguments)
    assert_same(tmp_path / "ours", tmp_path / "theirs", "s" if "s" not in arguments["partition_cols"] else None)


WRONG: list[tuple[Any, dict[str, Any]]] = [
    (with_key([1, 2]), {"partition_cols": ["nope"]}),
    (with_key([1, 2]), {"partition_cols": ["k", "k"]}),
    (with_key([1, 2]), {"partition_cols": ["k"], "nonsense": 1}),
    (with_key([1, 2]), {"partition_cols": 5}),
    (pl.DataFrame({"k": [1], "v": [2]}), {"partition_by": ["nope"]}),
]


@pytest.mark.parametrize(("frame", "arguments"), WRONG, ids=str)
def test_wrong_arguments(frame: Any, arguments: dict[str, Any], tmp_path: Path) -> None:
    library = frame.to_parquet if isinstance(frame, pd.DataFrame) else frame.write_parquet
    wanted = raised_by(lambda: library(tmp_path / "theirs", **arguments))
    directory = tmp_path / "there"
    directory.mkdir()
    atio.write(with_key([7]), directory / "ours", partition_cols=["k"])
    before = state(directory)
    assert raised_by(lambda: atio.write(frame, directory / "ours", "parquet", **arguments)) is wanted
    assert state(directory) == before


def test_as_pyarrow_with_chunks(tmp_path: Path) -> None:
    rows = 10_000
    table = pa.table({"k": [i % 5 for i in range(rows)], "s": [f"row {i}" for i in range(rows)]})
    chunked = pa.concat_tables([table.slice(i, 1000) for i in range(0, rows, 1000)])
    dictionaries = pa.concat_tables(
        [pa.table({"k": pa.array([t, t + "2"]).dictionary_encode(), "s": ["1", "2"]}) for t in "abca"]
    )
    for i, one in enumerate((chunked, dictionaries)):
        pq.write_to_dataset(one, tmp_path / f"theirs{i}", partition_cols=["k"], preserve_order=True)
        result = atio.write(one, tmp_path / f"ours{i}", partition_cols=["k"])
        assert result.engine == "go"
        mine, other = parts(tmp_path / f"ours{i}"), parts(tmp_path / f"theirs{i}")
        assert {d: pa.concat_tables(t) for d, t in mine.items()} == {d: pa.concat_tables(t) for d, t in other.items()}


def test_picking_from_chunks_that_are_not_combined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atio._encode._partition._COMBINED_BYTES", 0)
    test_as_pyarrow_with_chunks(tmp_path)


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(rows: int, tmp_path: Path) -> None:
    df = with_key([1])[:rows]
    atio.write(with_key([1, 2]), tmp_path / "d", partition_cols=["k"])
    result = atio.write(df, tmp_path / "d", partition_cols=["k"])
    assert result.rows == rows
    assert len(list((tmp_path / "d").rglob("*.parquet"))) == rows
    atio.verify(tmp_path / "d")


def test_replaces_the_whole_dataset(tmp_path: Path) -> None:
    target = tmp_path / "d"
    atio.write(with_key([1, 2, 3]), target, partition_cols=["k"])
    old = {p.name for p in target.rglob("*.parquet")}
    atio.write(with_key([3, 4]), f"{target}/", partition_cols=["k"], backup=True)
    assert sorted(p.name for p in target.iterdir()) == ["k=3", "k=4"]
    assert not old & {p.name for p in target.rglob("*.parquet")}, "a reader could take new files for old ones"
    assert {name.partition("/")[0] for name in names(tmp_path)} == {"d", flag_of("d"), ".d.bak.1"}
    atio.restore(target)
    assert len(pd.read_parquet(target)) == 3
    atio.verify(target)


def test_readers_of_all_kinds(tmp_path: Path) -> None:
    import duckdb

    df = with_key([1, 2, 3, 1])
    atio.write(df, tmp_path / "d", partition_cols=["k"])
    wanted = df.sort_values("v").reset_index(drop=True)
    for found in (
        pd.read_parquet(tmp_path / "d").astype({"k": "int64"}),
        pl.read_parquet(tmp_path / "d").to_pandas(),
        duckdb.sql(f"SELECT * FROM read_parquet('{tmp_path}/d/**/*.parquet', hive_partitioning=true)").df(),
        ds.dataset(tmp_path / "d", partitioning="hive").to_table().to_pandas(),
    ):
        found = found.sort_values("v").reset_index(drop=True)[["k", "v", "s"]].astype({"s": wanted["s"].dtype})
        pd.testing.assert_frame_equal(found, wanted, check_dtype=False)


def test_chunks_add_files(tmp_path: Path) -> None:
    with atio.open_writer(tmp_path / "d", partition_cols=["k"]) as w:
        for i in range(3):
            w.write(with_key([i, 1, i]))
    assert w.result.rows == 9
    assert pd.read_parquet(tmp_path / "d")["k"].astype(int).value_counts().to_dict() == {0: 2, 1: 5, 2: 2}
    atio.write((pl.DataFrame({"k": [i], "v": [1]}) for i in range(3)), tmp_path / "e", partition_by="k")
    assert pl.read_parquet(tmp_path / "e").height == 3
    before = state(tmp_path)
    with pytest.raises(ZeroDivisionError), atio.open_writer(tmp_path / "d", partition_cols=["k"]) as w:  # noqa: PT012
        w.write(with_key([8]))
        raise ZeroDivisionError
    assert state(tmp_path) == before


def test_validated_as_a_directory(tmp_path: Path) -> None:
    seen: list[int] = []

    def look(path: Path) -> None:
        seen.append(len(pd.read_parquet(path)))
        if seen[-1] != 3:
            raise ValueError("three rows are wanted")

    atio.write(with_key([1, 2, 1]), tmp_path / "d", partition_cols=["k"], validate=look)
    before = state(tmp_path)
    with pytest.raises(ValueError, match="three rows"):
        atio.write(with_key([1, 2]), tmp_path / "d", partition_cols=["k"], validate=look)
    assert state(tmp_path) == before
    assert seen == [3, 2]


@pytest.mark.parametrize("existing", ["delete_matching", "overwrite_or_ignore"])
def test_other_behaviors_are_refused(existing: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="whole dataset"):
        atio.write(with_key([1]), tmp_path / "d", partition_cols=["k"], existing_data_behavior=existing)


def test_existing_data_is_an_error_if_wanted(tmp_path: Path) -> None:
    write: Callable[[], object] = lambda: atio.write(  # noqa: E731
        with_key([1]), tmp_path / "d", partition_cols=["k"], existing_data_behavior="error"
    )
    write()
    before = state(tmp_path)
    with pytest.raises(pa.ArrowInvalid, match="not empty"):
        write()
    assert state(tmp_path) == before


@pytest.mark.parametrize("stray", ["notes.txt", "k=1/notes.txt", ".env", "src/a.parquet", "_delta_log/0.json"])
def test_does_not_replace_anything_else(stray: str, tmp_path: Path) -> None:
    target = tmp_path / "d"
    atio.write(with_key([1]), target, partition_cols=["k"])
    path = target / stray
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    before = state(tmp_path)
    with pytest.raises(OSError, match="write_snapshot" if "delta" in stray else stray.partition("/")[0]) as raised:
        atio.write(with_key([2]), target, partition_cols=["k"])
    assert raised.value.errno == errno.ENOTEMPTY
    assert raised.value.filename == str(target)
    assert state(tmp_path) == before


def test_files_and_directories_do_not_replace_each_other(tmp_path: Path) -> None:
    atio.write(with_key([1]), tmp_path / "f.parquet")
    atio.write(with_key([1]), tmp_path / "d.parquet", partition_cols=["k"])
    with pytest.raises(NotADirectoryError):
        atio.write(with_key([1]), tmp_path / "f.parquet", partition_cols=["k"])
    with pytest.raises(IsADirectoryError):
        atio.write(with_key([1]), tmp_path / "d.parquet")


def test_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to("far/d")
    for rows in 1, 2:
        atio.write(with_key([1] * rows), tmp_path / "link", partition_cols=["k"])
        assert len(pd.read_parquet(tmp_path / "link")) == rows
    assert (tmp_path / "link").is_symlink()
    assert {name for name in names(tmp_path / "far") if "/" not in name} == {"d", flag_of("d")}


def test_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    try:
        atio.write(with_key([1, 2]), disk / "d", partition_cols=["k"])
        before = state(disk)
        large = pd.DataFrame({"k": np.arange(400_000) % 7, "x": np.random.default_rng(1).random(400_000)})
        for frame, arguments in (
            (large, {"partition_cols": ["k"]}),
            (large, {"partition_cols": ["k"], "write_batch_size": 512}),
            (pl.from_pandas(large), {"partition_by": "k"}),
        ):
            with pytest.raises(OSError, match="No space left") as raised:
                atio.write(frame, disk / "d", "parquet", **arguments)
            assert raised.value.errno == errno.ENOSPC
            assert state(disk) == before
    finally:
        subprocess.run(["umount", str(disk)], check=True)


WRITER = """
import sys, pandas as pd, atio
print("ready", flush=True)
i = 0
while True:
    i += 1
    df = pd.DataFrame({"k": [j for j in range(i % 3, i % 3 + 3)] * 2, "i": i, "w": sys.argv[2]})
    atio.write(df, sys.argv[1], partition_cols=["k"], durable=False)
"""


def start_writer(target: Path, name: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(target), name], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def end_writer(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def read_by_descriptor(target: Path) -> tuple[int, set[tuple[str, int]]]:
    """Who wrote the files, and in which round, read from the directory that was there when this began.

    And how many partitions there were, which are fewer if it has been replaced and is being removed.
    """
    said, directories = set(), 0
    top = os.open(target, os.O_RDONLY)
    try:
        for key in os.listdir(top):
            directories += 1
            below = os.open(key, os.O_RDONLY, dir_fd=top)
            try:
                for name in os.listdir(below):
                    with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=below), "rb") as f:
                        table = pq.read_table(f)
                    said |= {(w, i) for w, i in zip(table["w"].to_pylist(), table["i"].to_pylist(), strict=True)}
            finally:
                os.close(below)
    finally:
        os.close(top)
    return directories, said


def read_if_there(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def test_readers_and_killed_writers(tmp_path: Path) -> None:
    """Two processes write without end, killed now and then; who reads sees one of their writes, or is too late.

    The flag tells which: if it is the same before and after, what was read between is whole.
    """
    target = tmp_path / "d"
    atio.write(pd.DataFrame({"k": [1, 2, 3], "i": 0, "w": "first"}), target, partition_cols=["k"])
    seen, killed = set(), 0
    writers = [start_writer(target, str(n)) for n in range(2)]
    end = time.monotonic() + 8
    try:
        while time.monotonic() < end:
            flag = read_if_there(tmp_path / flag_of("d"))
            try:
                directories, found = read_by_descriptor(target)
            except FileNotFoundError:  # it was replaced, and the old files removed
                continue
            assert len(found) <= 1, f"a mixture: {found}"
            if flag is not None and flag == read_if_there(tmp_path / flag_of("d")):
                assert (directories, len(found)) == (3, 1), "it is not whole"
                seen |= found
            if len(seen) > 30 * (killed + 1) and killed < 6:
                end_writer(writers[killed % 2])
                killed += 1
                writers[(killed - 1) % 2] = start_writer(target, f"{killed + 1}")
    finally:
        for writer in writers:
            end_writer(writer)
    assert len(seen) > 20, "there was hardly anything to be seen"
    assert killed, "none was killed"
    if (tmp_path / flag_of("d")).exists():
        atio.verify(target)
    atio.write(with_key([1]), target, partition_cols=["k"])
    assert {name.partition("/")[0] for name in names(tmp_path)} == {"d", flag_of("d")}


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl+C at any moment: as before, or (if it came at the end) as after."""
    target = tmp_path / "d"
    atio.write(with_key([0]), target, partition_cols=["k"])
    rng, before = np.random.default_rng(0), state(tmp_path)
    large = pd.DataFrame({"k": rng.integers(0, 50, 300_000), "v": rng.random(300_000)})
    interrupted = late = 0
    for _ in range(30):
        delay = float(rng.random()) * 0.15
        timer = threading.Timer(delay, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        try:
            atio.write(large, target, partition_cols=["k"])
            done = True
        except KeyboardInterrupt:
            done = False
        try:
            timer.join()
            time.sleep(0.001)
        except KeyboardInterrupt:
            assert done
        if done:
            atio.write(with_key([0]), target, partition_cols=["k"])
            before = state(tmp_path)
        else:
            interrupted += 1
            if state(tmp_path) != before:  # it came when the write was final, and the old files were being removed
                late += 1
                assert atio.verify(target).rows == len(large)
                assert {name.partition("/")[0] for name in names(tmp_path)} == {"d", flag_of("d")}
                before = state(tmp_path)
    assert interrupted >= 5
    assert late < interrupted / 2
