"""What the calls of tables do, one process at a time."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import pickle
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import atio
from support import open_files, state

HOUR = dt.timedelta(hours=1)


def frame(*values: int) -> pd.DataFrame:
    return pd.DataFrame({"x": list(values)})


def content(table: Path, **kwargs: Any) -> list[int]:
    return atio.read_table(table, **kwargs)["x"].tolist()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Versions 1: [1], 2: [1, 2], 3: [3]."""
    path = tmp_path / "table"
    atio.write_snapshot(frame(1), path, message="one", metadata={"run": 1})
    atio.write_snapshot(frame(2), path, mode="append")
    atio.write_snapshot(frame(3), path)
    return path


def test_versions(table: Path) -> None:
    assert content(table) == [3]
    assert [content(table, version=v) for v in (1, 2, 3)] == [[1], [1, 2], [3]]
    history = atio.list_snapshots(table)
    assert [s["version_id"] for s in history] == [1, 2, 3]
    assert [s["rows"] for s in history] == [1, 2, 1]
    assert [s["is_latest"] for s in history] == [False, False, True]
    assert [s["message"] for s in history] == ["one", None, None]
    assert [s["metadata"] for s in history] == [{"run": 1}, None, None]
    assert all(s["tags"] == [] and s["bytes"] > 0 and s["operation"] == "WRITE" for s in history)
    now = dt.datetime.now(dt.timezone.utc)
    assert all(now - HOUR < s["timestamp"] <= now + HOUR / 60 for s in history)
    assert history[0].keys() == {
        *("version_id", "timestamp", "operation", "message", "metadata", "tags", "rows", "bytes", "is_latest")
    }


def test_snapshot(tmp_path: Path) -> None:
    made = atio.write_snapshot(frame(1, 2), tmp_path / "t", message="m", metadata=[1, {"a": None}])
    assert (made.version, made.version_id, made.rows, made.files) == (1, 1, 2, 1)
    assert (made.path, made.message, made.metadata) == (str(tmp_path / "t"), "m", [1, {"a": None}])
    assert made.timestamp.tzinfo is not None and made.seconds > 0
    again = atio.write_snapshot(frame(3), tmp_path / "t", mode="append")
    assert (again.version, again.rows, again.added_rows, again.files, again.added_files) == (2, 3, 1, 2, 1)
    assert pickle.loads(pickle.dumps(again)) == again
    files = [p for p in (tmp_path / "t").rglob("*.parquet") if "_delta_log" not in p.parts]
    assert again.bytes == sum(p.stat().st_size for p in files)


def test_success_flag_names_the_version(table: Path) -> None:
    assert json.loads((table / "_SUCCESS").read_text())["version"] == 3


def test_modes(table: Path, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match="table"):
        atio.write_snapshot(frame(4), table, mode="error")
    assert content(table) == [3]
    for mode in ("overwrite", "append", "error"):
        assert atio.write_snapshot(frame(1), tmp_path / mode, mode=mode).version == 1
    with pytest.raises(ValueError, match="'overwrite', 'append', 'error'"):
        atio.write_snapshot(frame(1), table, mode="replace")
    with pytest.raises(ValueError, match="format"):
        atio.write_snapshot(frame(1), table, format="csv")


def test_order_of_rows(tmp_path: Path) -> None:
    """As they were written, also from many appends, over a checkpoint, and after a rollback."""
    path = tmp_path / "t"
    for i in range(25):
        atio.write_snapshot(frame(2 * i, 2 * i + 1), path, mode="append", durable=False)
    assert content(path) == list(range(50))
    atio.write_snapshot(frame(-1), path)
    atio.rollback(path, 25)
    for output in ("pandas", "polars", "numpy"):
        assert list(atio.read_table(path, output_as=output)["x"]) == list(range(50)), output
    assert content(path, version=7) == list(range(14))


def test_version_tag_and_timestamp(table: Path) -> None:
    atio.tag_version(table, 1, "gold")
    assert content(table, tag="gold") == [1]
    history = atio.list_snapshots(table)
    assert history[0]["tags"] == ["gold"]
    first, second = history[0]["timestamp"], history[1]["timestamp"]
    assert content(table, timestamp=second) == [1, 2]
    assert content(table, timestamp=first.isoformat()) == [1]
    assert content(table, timestamp=first.isoformat().replace("+00:00", "Z")) == [1]
    local = second.astimezone().replace(tzinfo=None)
    assert content(table, timestamp=local) == [1, 2]
    assert content(table, timestamp=dt.datetime.now(dt.timezone.utc) + HOUR) == [3]
    assert content(table, version=np.int64(2)) == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"version": 9}, ValueError, "version 9.*3"),
        ({"version": 0}, ValueError, "version 0"),
        ({"version": -1}, ValueError, "1, 2, 3"),
        ({"version": "1"}, TypeError, "version='1'"),
        ({"version": True}, TypeError, "version=True"),
        ({"tag": "silver"}, KeyError, "silver.*gold"),
        ({"tag": "silver"}, ValueError, "silver.*gold"),
        ({"timestamp": "2001-01-01"}, ValueError, "2001"),
        ({"timestamp": "yesterday"}, ValueError, "ISO 8601"),
        ({"timestamp": 17}, TypeError, "timestamp=17"),
        ({"version": 1, "tag": "gold"}, ValueError, "version and tag"),
        ({"columns": ["y"]}, ValueError, "'y'.*'x'"),
        ({"columns": [1]}, TypeError, "columns"),
        ({"output_as": "spark"}, ValueError, "'pandas', 'polars', 'arrow'"),
        ({"filters": [("y", "=", 1)]}, ValueError, "y"),
        ({"storage_options": {"key": 1}}, ValueError, "storage_options"),
    ],
    ids=str,
)
def test_read_errors(table: Path, arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    atio.tag_version(table, 1, "gold")
    with pytest.raises(error, match=said):
        atio.read_table(table, **arguments)


@pytest.mark.parametrize(
    "call",
    [
        atio.read_table,
        atio.list_snapshots,
        atio.expire_snapshots,
        lambda path: atio.rollback(path, 1),
        lambda path: atio.tag_version(path, 1, "a"),
        lambda path: atio.delete_tag(path, "a"),
        lambda path: atio.delete_version(path, 1),
    ],
)
def test_no_table(call: Callable[[Path], Any], tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(FileNotFoundError) as caught:
            call(path)
        assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_other_things_are_no_table(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")
    before = state(tmp_path)
    with pytest.raises(OSError, match=r"mine\.txt"):
        atio.write_snapshot(frame(1), tmp_path / "notes")
    with pytest.raises(NotADirectoryError):
        atio.write_snapshot(frame(1), tmp_path / "file")
    with pytest.raises(ValueError, match="storage_options"):
        atio.write_snapshot(frame(1), tmp_path / "t", storage_options={"a": 1})
    with pytest.raises(ValueError, match="local paths"):
        atio.write_snapshot(frame(1), "s3://bucket/table")
    assert state(tmp_path) == before


def test_damaged_tables(table: Path) -> None:
    """An error, for reading and for writing, and never an overwrite."""
    for number, text in (2, None), (3, '{"add": {"path'), (0, None), (3, ""):
        copy = shutil.copytree(table, table.with_name(f"{number} {text}"))  # not known to the library yet
        spoiled = copy / "_delta_log" / f"{number:020}.json"
        if text is None:
            spoiled.unlink()
        else:
            spoiled.write_text(text)
        with pytest.raises(atio.CorruptError):
            atio.read_table(copy)
        before = state(copy)
        for mode in ("overwrite", "append"):
            with pytest.raises(atio.CorruptError):
                atio.write_snapshot(frame(4), copy, mode=mode)
        with pytest.raises((atio.CorruptError, FileExistsError)):
            atio.write_snapshot(frame(4), copy, mode="error")
        assert state(copy) == before
    data = next(p for p in table.glob("*.parquet"))
    for path in table.glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(atio.CorruptError, match=r"\.parquet.* bytes"):
        atio.read_table(table)
    for path in table.glob("*.parquet"):
        path.unlink()
    for output in ("pandas", "polars"):
        with pytest.raises(atio.CorruptError, match="missing"):
            atio.read_table(table, output_as=output)
    assert not data.exists()


def test_schema_modes(table: Path) -> None:
    wider = pd.DataFrame({"x": [4], "y": ["new"]})
    with pytest.raises(ValueError, match='"y"'):
        atio.write_snapshot(wider, table, mode="append")
    with pytest.raises(ValueError, match='"x"'):
        atio.write_snapshot(pd.DataFrame({"x": ["text"]}), table, mode="append")
    with pytest.raises(ValueError, match='"x"'):
        atio.write_snapshot(pd.DataFrame({"z": [1]}), table)
    atio.write_snapshot(wider, table, mode="append", schema_mode="merge")
    got = atio.read_table(table)
    assert got["x"].tolist() == [3, 4]
    assert got["y"].isna().tolist() == [True, False]
    assert atio.read_table(table, output_as="polars")["y"].to_list() == [None, "new"]
    assert list(atio.read_table(table, version=3)) == ["x"]
    # Rows that lack a column have nulls in it.
    atio.write_snapshot(frame(5), table, mode="append", schema_mode="merge")
    assert atio.read_table(table, output_as="arrow")["y"].to_pylist() == [None, "new", None]
    atio.write_snapshot(pd.DataFrame({"z": [1.5]}), table, schema_mode="overwrite")
    assert atio.read_table(table).to_dict("list") == {"z": [1.5]}
    with pytest.raises(ValueError, match="overwrite"):
        atio.write_snapshot(frame(1), table, mode="append", schema_mode="overwrite")
    with pytest.raises(ValueError, match="'merge', 'overwrite'"):
        atio.write_snapshot(frame(1), table, schema_mode="add")


def test_expected_version(table: Path, tmp_path: Path) -> None:
    with pytest.raises(atio.ConflictError, match="3"):
        atio.write_snapshot(frame(4), table, expected_version=2)
    assert content(table) == [3]
    assert atio.write_snapshot(frame(4), table, expected_version=3).version == 4
    with pytest.raises(atio.ConflictError):
        atio.rollback(table, 1, expected_version=3)
    assert atio.write_snapshot(frame(1), tmp_path / "new", expected_version=0).version == 1
    with pytest.raises(atio.ConflictError):
        atio.write_snapshot(frame(1), tmp_path / "new", expected_version=0)
    assert not [p for p in (tmp_path / "new").glob("*.parquet") if not p.stat().st_size]
    assert len(list((tmp_path / "new").glob("*.parquet"))) == 1


def test_rollback(table: Path) -> None:
    made = atio.rollback(table, 2, message="undo", metadata={"why": "bad"})
    assert (made.version, made.operation, made.rows) == (4, "RESTORE", 2)
    assert content(table) == [1, 2]
    assert [s["message"] for s in atio.list_snapshots(table)] == ["one", None, None, "undo"]
    assert content(table, version=3) == [3]
    assert atio.revert(table, 3).version == 5
    with pytest.raises(ValueError, match="9"):
        atio.rollback(table, 9)
    # Also over a change of the columns.
    atio.write_snapshot(pd.DataFrame({"z": ["a"]}), table, schema_mode="overwrite")
    atio.rollback(table, 1)
    assert content(table) == [1]


def test_tags(table: Path) -> None:
    atio.tag_version(table, 2, "v1.0 / März")
    atio.tag_version(table, 2, "also")
    atio.tag_version(table, 2, "also")  # is there already
    assert sorted(atio.list_snapshots(table)[1]["tags"]) == ["also", "v1.0 / März"]
    with pytest.raises(ValueError, match="also"):
        atio.tag_version(table, 1, "also")
    with pytest.raises(ValueError, match="9"):
        atio.tag_version(table, 9, "nine")
    atio.delete_tag(table, "also")
    with pytest.raises(KeyError, match="also"):
        atio.delete_tag(table, "also")
    for wrong in ("", "../outside", "a\0b"):
        try:
            atio.tag_version(table, 1, wrong)
        except ValueError:
            continue
        assert atio.list_snapshots(table)[0]["tags"] == [wrong]
        atio.delete_tag(table, wrong)
    assert not (table.parent / "outside").exists()


def data_files(table: Path) -> set[str]:
    return {p.name for p in table.rglob("*.parquet") if "_delta_log" not in p.parts}


def test_expire(table: Path) -> None:
    atio.tag_version(table, 1, "gold")
    before = state(table)
    report = atio.expire_snapshots(table, dt.timedelta(0))
    assert report.dry_run and report.versions == (2,)
    assert "gold" in report.kept[1]
    assert state(table) == before
    assert atio.expire_snapshots(table).versions == ()  # none is a week old
    assert atio.expire_snapshots(table, dt.timedelta(0), keep_last=3).versions == ()
    files = data_files(table)
    report = atio.expire_snapshots(table, dt.timedelta(0), dry_run=False)
    assert report.versions == (2,) and not report.dry_run
    gone = files - data_files(table)
    assert {os.path.basename(f) for f in report.files} == gone and len(gone) == 1
    assert report.bytes > 0
    assert content(table) == [3] and content(table, tag="gold") == [1]
    assert [s["version_id"] for s in atio.list_snapshots(table)] == [1, 3]
    with pytest.raises(ValueError, match="version 2"):
        atio.read_table(table, version=2)
    assert atio.write_snapshot(frame(4), table).version == 4
    atio.delete_tag(table, "gold")
    assert atio.expire_snapshots(table, dt.timedelta(0), dry_run=False).versions == (1, 3)
    assert len(data_files(table)) == 1
    assert content(table) == [4]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"keep_for": 7}, TypeError),
        ({"keep_for": dt.timedelta(days=-1)}, ValueError),
        ({"keep_last": 0}, ValueError),
        ({"keep_last": 1.5}, TypeError),
    ],
)
def test_expire_arguments(table: Path, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        atio.expire_snapshots(table, **arguments)


def test_files_in_use_stay(tmp_path: Path) -> None:
    path = tmp_path / "t"
    atio.write_snapshot(pd.DataFrame({"x": np.arange(300_000)}), path, row_group_size=10_000)
    reader = atio.read_table(path, output_as="reader")
    got = [reader.read_next_batch()["x"].to_pylist()]
    atio.write_snapshot(frame(1), path)
    report = atio.expire_snapshots(path, dt.timedelta(0), dry_run=False)
    assert report.files == ()
    got += [batch["x"].to_pylist() for batch in reader]
    assert sum(map(len, got)) == 300_000 and [x for part in got for x in part] == list(range(300_000))
    reader.close()
    del reader
    report = atio.expire_snapshots(path, dt.timedelta(0), dry_run=False)
    assert data_files(path) and len(data_files(path)) == 1
    assert open_files(path) == []


def test_delete_version(table: Path) -> None:
    atio.tag_version(table, 1, "gold")
    with pytest.raises(ValueError, match="gold"):
        atio.delete_version(table, 1)
    with pytest.raises(ValueError, match="3"):
        atio.delete_version(table, 3)
    with pytest.raises(ValueError, match="9"):
        atio.delete_version(table, 9)
    report = atio.delete_version(table, 2, dry_run=True)
    assert report.dry_run and report.versions == (2,) and content(table, version=2) == [1, 2]
    report = atio.delete_version(table, 2)
    assert report.versions == (2,) and len(report.files) == 1
    assert [s["version_id"] for s in atio.list_snapshots(table)] == [1, 3]
    assert content(table) == [3] and content(table, version=1) == [1]


def test_table(table: Path) -> None:
    t = atio.Table(table)
    assert (t.path, os.fspath(t), t) == (str(table), str(table), atio.Table(str(table)))
    assert "table" in repr(t)
    assert t.read()["x"].tolist() == [3]
    assert t.append(frame(4), message="m").version == 4
    assert t.read(4, "polars", columns=["x"])["x"].to_list() == [3, 4]
    assert t.write(frame(5)).version == 5
    assert t.rollback(1).version == 6
    t.tag(6, "t")
    assert t.history()[-1]["tags"] == ["t"]
    t.delete_tag("t")
    assert t.delete_version(5, dry_run=True).versions == (5,)
    assert t.expire().versions == ()


def test_inputs(tmp_path: Path) -> None:
    relation = duckdb.sql("SELECT 1 AS x UNION ALL SELECT 2")
    arrow = pa.table({"x": [1, 2]})

    def generate() -> Iterator[pd.DataFrame]:
        yield frame(1)
        yield frame(2)

    inputs: list[Any] = [
        *(frame(1, 2), frame(1, 2)["x"], pl.DataFrame({"x": [1, 2]}), pl.LazyFrame({"x": [1, 2]})),
        *(pl.Series("x", [1, 2]), arrow, arrow.to_batches()[0], arrow.to_reader(), relation, {"x": np.array([1, 2])}),
        *(generate(), [pl.DataFrame({"x": [1]}), pl.DataFrame({"x": [2]})], iter([arrow.to_reader()])),
    ]
    for i, obj in enumerate(inputs):
        made = atio.write_snapshot(obj, tmp_path / f"{i}", mode="append")
        assert made.rows == 2, type(obj)
        assert sorted(content(tmp_path / f"{i}")) == [1, 2], type(obj)
    for wrong in ("text", 1, object(), [1], [frame(1), pl.DataFrame({"x": [1]})], []):
        with pytest.raises((TypeError, ValueError)):
            atio.write_snapshot(wrong, tmp_path / "wrong")
        assert not (tmp_path / "wrong").exists()


def test_a_failing_iterator(table: Path) -> None:
    class Mine(Exception):
        pass

    def generate() -> Iterator[pd.DataFrame]:
        yield frame(4)
        yield pd.DataFrame({"x": np.arange(1_000_000)})
        raise Mine("from the iterator")

    before = state(table)
    with pytest.raises(Mine, match="from the iterator"):
        atio.write_snapshot(generate(), table)
    assert state(table) == before
    assert open_files(table) == []


def test_partitions(tmp_path: Path) -> None:
    data = pd.DataFrame({"day": ["mon", "tue", None, "a/b=c %"] * 3, "n": range(12), "v": np.arange(12) / 2})
    atio.write_snapshot(data, tmp_path / "t", partition_by="day")
    atio.write_snapshot(data, tmp_path / "t", mode="append")
    expected = pd.concat([data, data])

    def rows(got: pd.DataFrame) -> list[tuple[Any, ...]]:
        return sorted(got.fillna({"day": ""}).itertuples(index=False, name=None))

    got = atio.read_table(tmp_path / "t")
    assert list(got) == list(data)
    assert rows(got) == rows(expected)
    assert rows(atio.read_table(tmp_path / "t", output_as="polars").to_pandas()) == rows(expected)
    assert rows(atio.read_table(tmp_path / "t", output_as="lazy").collect().to_pandas()) == rows(expected)
    monday = atio.read_table(tmp_path / "t", filters=[("day", "=", "mon")])
    assert rows(monday) == rows(expected[expected["day"] == "mon"])
    assert rows(atio.read_table(tmp_path / "t", filters=pc.field("day").is_null())) == rows(
        expected[expected["day"].isna()]
    )
    with pytest.raises(ValueError, match="partition"):
        atio.write_snapshot(data, tmp_path / "t", mode="append", partition_by="n")
    with pytest.raises(TypeError, match="partition_by"):
        atio.write_snapshot(data, tmp_path / "t", partition_by=[1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="nothing"):
        atio.write_snapshot(data, tmp_path / "other", partition_by="nothing")
    typed = pd.DataFrame(
        {
            "b": [True, False],
            "d": [dt.date(2024, 1, 2), dt.date(1969, 12, 31)],
            "t": np.array(["2024-01-02T03:04:05.123456", "1969-12-31"], "M8[us]"),
            "i": np.array([1, -2], "int16"),
            "u": np.array([2**64 - 1, 0], "uint64"),
            "c": pd.Categorical(["q", "p"]),
            "v": [1, 2],
        }
    )
    for key in list(typed)[:-1]:
        atio.write_snapshot(typed, tmp_path / f"by {key}", partition_by=[key])
        got = atio.read_table(tmp_path / f"by {key}").sort_values("v", ignore_index=True)
        pd.testing.assert_frame_equal(got, typed)


FILTERS: list[Any] = [
    [("n", "=", 7)],
    [("n", "==", 7), ("s", "=", "s1")],
    [("n", "!=", 7)],
    [("n", ">", 50), ("n", "<=", 60)],
    [[("n", "<", 3)], [("s", "=", "s2"), ("n", ">=", 90)]],
    [("s", "in", ["s1", "s3"])],
    [("s", "not in", {"s1", "s3"})],
    [("f", "<", 0.5)],
    [("t", ">=", dt.datetime(2024, 2, 1)), ("t", "<", dt.datetime(2024, 2, 10))],
    [("d", "=", dt.date(2024, 1, 5))],
    [("z", ">", dt.datetime(2024, 3, 1, tzinfo=dt.timezone.utc))],
    [("c", "=", "c4")],
    [("u", ">", 95)],
    [("b", "=", True)],
    [("td", ">", dt.timedelta(minutes=80))],
    [("n", ">", 1_000)],
]


def conditions(data: pd.DataFrame, filters: Any) -> pd.Series:
    import operator

    compare = {"=": operator.eq, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le}
    compare |= {">": operator.gt, ">=": operator.ge, "in": lambda s, v: s.isin(list(v))}
    compare |= {"not in": lambda s, v: ~s.isin(list(v))}
    found = pd.Series(False, data.index)
    for terms in filters if isinstance(filters[0], list) else [filters]:
        branch = pd.Series(True, data.index)
        for name, op, value in terms:
            branch &= compare[op](data[name].astype("str") if name == "c" else data[name], value)
        found |= branch
    return found


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Ten files, of which filters rule out most."""
    n = np.arange(100)
    data = pd.DataFrame(
        {
            "n": n,
            "s": [f"s{i // 25}" for i in n],
            "f": n / 100,
            "t": pd.date_range("2024-01-01", periods=100, freq="D", unit="us"),
            "z": pd.date_range("2024-01-01", periods=100, freq="D", tz="UTC", unit="ns"),
            "d": [dt.date(2024, 1, 1) + dt.timedelta(days=int(i)) for i in n],
            "c": pd.Categorical([f"c{i // 20}" for i in n]),
            "u": n.astype("uint8"),
            "b": n % 40 < 3,
            "td": pd.to_timedelta(n, unit="min"),
        }
    )
    path = tmp_path_factory.mktemp("filtered") / "t"
    for i in range(0, 100, 10):
        atio.write_snapshot(data.iloc[i : i + 10].reset_index(drop=True), path, mode="append", durable=False)
    return path, data


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_filters(filtered: tuple[Path, pd.DataFrame], filters: Any) -> None:
    path, data = filtered
    expected = data[conditions(data, filters)]["n"].tolist()
    for output in ("pandas", "polars", "lazy", "arrow", "reader", "numpy"):
        got = atio.read_table(path, output_as=output, filters=filters, columns=["n"])
        got = got.collect() if output == "lazy" else got.read_all() if output == "reader" else got
        values = got["n"].to_pylist() if output in ("arrow", "reader") else list(got["n"])
        assert values == expected, output
    import pyarrow.parquet as pq

    expression = pq.filters_to_expression(filters)
    for output in ("pandas", "polars", "lazy"):
        got = atio.read_table(path, output_as=output, filters=expression, columns=["n"])
        assert list((got.collect() if output == "lazy" else got)["n"]) == expected


def test_files_are_skipped(filtered: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    """What cannot match is not opened: it may as well be broken."""
    path = shutil.copytree(filtered[0], tmp_path / "t")
    kept = atio.read_table(path, output_as="lazy", filters=[("n", "=", 55)])
    names = [p for p in path.glob("*.parquet") if p.name in kept.explain()]
    assert len(names) == 1
    for file in path.glob("*.parquet"):
        if file not in names:
            file.write_bytes(b"broken")
    for filters in (
        [("n", "=", 55)],
        [("n", ">", 53), ("n", "<", 58)],
        pc.field("n") == 55,
        [("s", "=", "s2"), ("n", "=", 55)],
    ):
        assert 55 in atio.read_table(path, filters=filters)["n"].tolist()
    with pytest.raises(atio.CorruptError):
        atio.read_table(path, filters=[("n", "=", 45)])


def test_parquet_options(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    data = pd.DataFrame({"x": np.arange(10_000), "s": ["text"] * 10_000})
    for i, (obj, options) in enumerate(
        [
            (data, {"compression": "zstd", "compression_level": 5}),
            (pl.from_pandas(data), {"compression": "zstd", "compression_level": 5}),
            (pa.Table.from_pandas(data), {"compression": "ZSTD", "row_group_size": 1000}),
            (iter([data, data]), {"compression": "zstd"}),
        ]
    ):
        atio.write_snapshot(obj, tmp_path / f"{i}", **options)
        file = pq.ParquetFile(next((tmp_path / f"{i}").glob("*.parquet")))
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        if "row_group_size" in options:
            assert file.metadata.num_row_groups == 10
    for wrong in ({"compression": "best"}, {"partition_cols": ["x"]}, {"nonsense": 1}):
        with pytest.raises((TypeError, ValueError)):
            atio.write_snapshot(data, tmp_path / "wrong", **wrong)
        assert not (tmp_path / "wrong").exists()


def test_arguments(tmp_path: Path) -> None:
    for wrong, error in [
        ({"message": 1}, TypeError),
        ({"metadata": {1, 2}}, TypeError),
        ({"metadata": float("nan")}, ValueError),
        ({"expected_version": "1"}, TypeError),
        ({"expected_version": -1}, ValueError),
    ]:
        with pytest.raises(error):
            atio.write_snapshot(frame(1), tmp_path / "t", **wrong)
    with pytest.raises(TypeError, match="table_path"):
        atio.write_snapshot(frame(1), 7)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_relative_path_and_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (
        atio.write_snapshot(frame(1), "a/b/t" if (tmp_path / "a" / "b").mkdir(parents=True) is None else "").version
        == 1
    )
    assert content(Path("~/a/b/t")) == [1]
    assert atio.read_table((tmp_path / "a/b/t").as_uri())["x"].tolist() == [1]
    assert atio.read_table("a/b/t/")["x"].tolist() == [1]


def test_log_and_progress(tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.INFO, logger="atio"):
        atio.write_snapshot(frame(1, 2), tmp_path / "table", verbose=True, show_progress=True)
    lines = [record.getMessage() for record in caplog.records]
    assert all(line.startswith("[INFO] ") for line in lines)
    assert any("version 1" in line and "2 rows" in line for line in lines)
    assert "✅ File writing completed (total time: " in lines[-1]
    assert "Writing table..." in capsys.readouterr().err


def test_interrupted(table: Path) -> None:
    """Ctrl+C while data is written leaves nothing, and the table as it was."""
    import signal

    big = pd.DataFrame({"x": np.arange(3_000_000), "r": np.random.default_rng(0).normal(size=3_000_000)})
    before = state(table)
    for delay in (0.05, 0.15, 0.3):
        timer = threading.Timer(delay, signal.raise_signal, [signal.SIGINT])
        began = time.monotonic()
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            atio.write_snapshot((big for _ in range(1000)), table, schema_mode="overwrite")
        timer.join()
        assert time.monotonic() - began < delay + 2
        assert state(table) == before
    assert open_files(table) == []
    assert content(table) == [3]


def test_copies(table: Path, tmp_path: Path) -> None:
    """A table may be copied, moved, and made again under the name of one that was removed."""
    shutil.copytree(table, tmp_path / "copy")
    assert atio.write_snapshot(frame(9), tmp_path / "copy", mode="append").version == 4
    assert content(tmp_path / "copy") == [3, 9] and content(table) == [3]
    shutil.rmtree(table)
    assert atio.write_snapshot(frame(7), table, mode="append").version == 1
    assert content(table) == [7]
    shutil.rmtree(table)
    with pytest.raises(FileNotFoundError):
        atio.read_table(table)
    (tmp_path / "copy").rename(table)
    assert content(table) == [3, 9]
    assert len(atio.list_snapshots(table)) == 4
