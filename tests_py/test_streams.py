"""Streams: every offset is in the table once, whoever is killed."""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import atio
from support import apart


def collect(table: str, total: int, spool: bool, say: int) -> None:
    """What a collector does, in a process of its own: it says where it begins and how far it has come."""
    with atio.stream(table, "collector", max_rows=700, max_seconds=0.05, spool=spool, durable=False) as s:
        begin = 0 if s.last_offset is None else s.last_offset + 1
        os.write(say, f"from {begin}\n".encode())
        for offset in range(begin, total, 100):
            end = min(offset + 100, total)
            s.append(pd.DataFrame({"offset": np.arange(offset, end)}), offset=end - 1)
            os.write(say, f"took {end - 1}\n".encode())


def offsets(table: Path) -> list[int]:
    return sorted(atio.read_table(table)["offset"].tolist())


def collector(table: str, total: int, spool: bool) -> None:
    """Has forked children collect, and kills them again and again, until one has done all."""
    chance, kills, told, code = random.Random(4), 0, -1, None
    while code != 0:
        read, say = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            try:
                collect(table, total, spool, say)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(say)
        # So that the work is done after about 50 kills.
        wanted = chance.randrange(1, 40) if kills < 50 else None
        with os.fdopen(read) as lines:
            for number, line in enumerate(lines):
                word, offset = line.split()
                if word == "from" and spool:
                    assert int(offset) > told, f"an append of offset {told} had returned"
                told = int(offset) if word == "took" else told
                if number == wanted:
                    os.kill(child, signal.SIGKILL)  # what it has said before counts still
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        kills += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL)
    assert kills >= 30
    assert offsets(Path(table)) == list(range(total))
    assert atio.verify(table).rows == total


@pytest.mark.parametrize("spool", [False, True])
def test_collector_that_is_killed_again_and_again(tmp_path: Path, spool: bool) -> None:
    apart(collector, str(tmp_path / "table"), 100_000, spool, timeout=200)


def test_all_kinds_of_input(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1, 2]})
    with atio.stream(tmp_path / "t", "a") as s:
        assert s.append(frame)
        assert s.append(pa.table({"x": [3]}), offset=7)
        assert s.append(pl.DataFrame({"x": [4]}))
        assert s.append(iter([pd.DataFrame({"x": [5]}), pd.DataFrame({"x": [6]})]))
        assert s.append(pa.table({"x": [7]}).to_reader())
        assert not s.append(frame, offset=10)
    assert sorted(atio.read_table(tmp_path / "t")["x"]) == [1, 2, 3, 4, 5, 6, 7]
    with atio.stream(tmp_path / "t", "a") as s:
        assert s.last_offset == 10
        assert not s.append(frame, offset=9)


def test_what_is_appended_is_a_copy(tmp_path: Path) -> None:
    values = np.arange(5)
    with atio.stream(tmp_path / "t", "a") as s:
        s.append(pd.DataFrame({"x": values}, copy=False))
        values[:] = 99
    assert atio.read_table(tmp_path / "t")["x"].tolist() == [0, 1, 2, 3, 4]


def test_an_exception_gives_up_what_is_not_committed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), atio.stream(tmp_path / "t", "a", max_seconds=None) as s:  # noqa: PT012
        s.append(pd.DataFrame({"x": [1]}), offset=1)
        assert s.flush() == [1]
        s.append(pd.DataFrame({"x": [2]}), offset=2)
        raise ZeroDivisionError
    assert atio.read_table(tmp_path / "t")["x"].tolist() == [1]
    with atio.stream(tmp_path / "t", "a") as s:
        assert s.last_offset == 1


def test_the_journal_keeps_it(tmp_path: Path) -> None:
    journal = {"spool": True, "max_seconds": None}
    with pytest.raises(ZeroDivisionError), atio.stream(tmp_path / "t", "a/b", **journal) as s:  # noqa: PT012
        s.append(pd.DataFrame({"x": [1]}, index=pd.Index([5], name="key")), offset=1)
        raise ZeroDivisionError
    with atio.stream(tmp_path / "t", "a/b", spool=True) as s:
        assert s.last_offset == 1
    read = atio.read_table(tmp_path / "t")
    assert read["x"].tolist() == [1]
    assert read.index.tolist() == [5]


def test_one_process_at_a_time_has_the_journal(tmp_path: Path) -> None:
    with atio.stream(tmp_path / "t", "a", spool=tmp_path / "journal"):
        with pytest.raises(atio.ConflictError, match="in use"):
            atio.stream(tmp_path / "t", "a", spool=tmp_path / "journal")
        atio.stream(tmp_path / "t", "b", spool=tmp_path / "journal").close()


def test_two_streams_of_one_name(tmp_path: Path) -> None:
    with atio.stream(tmp_path / "t", "a") as one:
        other = atio.stream(tmp_path / "t", "a")
        one.append(pd.DataFrame({"x": [1]}))
        one.flush()
        other.append(pd.DataFrame({"x": [2]}))
        with pytest.raises(atio.ConflictError):
            other.flush()
        other.abort()
    assert atio.read_table(tmp_path / "t")["x"].tolist() == [1]


def test_rows_that_do_not_fit_are_refused_at_once(tmp_path: Path) -> None:
    atio.write_snapshot(pd.DataFrame({"x": [1]}), tmp_path / "t")
    with atio.stream(tmp_path / "t", "a", spool=True) as s:
        with pytest.raises(ValueError, match="y"):
            s.append(pd.DataFrame({"y": [2]}))
        s.append(pd.DataFrame({"x": [3]}))
    assert atio.read_table(tmp_path / "t")["x"].tolist() == [1, 3]


def test_in_the_background(tmp_path: Path) -> None:
    with atio.stream(tmp_path / "t", "a", max_seconds=0.1) as s:
        s.append(pd.DataFrame({"x": [1]}), offset=5)
        end = time.monotonic() + 30
        while s.last_offset is None:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert s.last_offset == 5
        assert atio.read_table(tmp_path / "t")["x"].tolist() == [1]


def test_usual_mistakes(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="app_id"):
        atio.stream(tmp_path / "t", "")
    with pytest.raises(ValueError, match="max_rows"):
        atio.stream(tmp_path / "t", "a", max_rows=0)
    with atio.stream(tmp_path / "t", "a") as s:
        with pytest.raises(TypeError, match="offset"):
            s.append(pd.DataFrame({"x": [1]}), offset="1")  # type: ignore[arg-type]
        s.append(pd.DataFrame({"x": [1]}), offset=2)
        s.append(pd.DataFrame({"x": [1]}), offset=4)
        with pytest.raises(ValueError, match="increase"):
            s.append(pd.DataFrame({"x": [1]}), offset=3)
        with pytest.raises(TypeError, match="cannot write"):
            s.append("no frame")
    with pytest.raises(ValueError, match="closed"):
        s.append(pd.DataFrame({"x": [1]}))
    assert "closed" in repr(s)


def test_a_forked_process_has_no_stream(tmp_path: Path) -> None:
    with atio.stream(tmp_path / "t", "a") as s:
        s.append(pd.DataFrame({"x": [1]}))
        child = os.fork()
        if child == 0:
            try:
                s.append(pd.DataFrame({"x": [2]}))
            except ValueError:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert atio.read_table(tmp_path / "t")["x"].tolist() == [1]
