"""diff, optimize, verify, watch, chunks, and what a table shows of itself."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path
from typing import Any

import deltalake
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import atio
from support import names

KEYS = st.dictionaries(st.integers(0, 8), st.one_of(st.none(), st.sampled_from([0.5, float("nan"), 2.0])), max_size=6)


@settings(max_examples=25, deadline=None)
@given(KEYS, KEYS)
def test_diff_of_rows_is_that_of_dicts(tmp_path_factory: Any, old: dict[int, Any], new: dict[int, Any]) -> None:
    table = tmp_path_factory.mktemp("diff") / "t"
    for rows in (old, new):
        frame = pa.table({"id": pa.array(list(rows), pa.int64()), "x": pa.array(list(rows.values()), pa.float64())})
        atio.write_snapshot(frame, table)
    found = atio.diff(table, 1, 2, key="id", output_as="arrow")

    def same(a: Any, b: Any) -> bool:
        return a == b or (a is not None and b is not None and a != a and b != b)

    expected = {("delete", k) for k in old.keys() - new.keys()} | {("insert", k) for k in new.keys() - old.keys()}
    for k in old.keys() & new.keys():
        if not same(old[k], new[k]):
            expected |= {("update_preimage", k), ("update_postimage", k)}
    rows = found.rows.to_pylist()
    assert {(row["_change_type"], row["id"]) for row in rows} == expected
    assert len(rows) == len(expected)
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    for row in rows:
        assert same(row["x"], (old if row["_change_type"] in ("delete", "update_preimage") else new)[row["id"]])


def test_diff_of_columns_and_files(tmp_path: Path) -> None:
    table = tmp_path / "t"
    atio.write_snapshot(pd.DataFrame({"a": [1], "b": ["x"]}), table)
    atio.write_snapshot(pd.DataFrame({"a": [2], "b": ["y"]}), table, mode="append")
    grown = atio.diff(table, 1, 2)
    assert (grown.rows_added, grown.rows_removed, len(grown.files_added)) == (1, 0, 1)
    assert not grown.columns_added
    assert grown
    assert not atio.diff(table, 2, 2)
    atio.write_snapshot(pd.DataFrame({"a": [2.5], "c": ["y"]}), table, schema_mode="overwrite")
    found = atio.diff(table, 2, 3)
    assert list(found.columns_added) == ["c"]
    assert list(found.columns_removed) == ["b"]
    assert found.columns_changed == {"a": ("int64", "double")}
    assert (found.rows_added, found.rows_removed) == (1, 2)
    atio.write_snapshot(pd.DataFrame({"a": [1.0, 1.0], "c": ["y", "z"]}), table)
    with pytest.raises(ValueError, match="not unique"):
        atio.diff(table, 3, 4, key="a")
    with pytest.raises(ValueError, match="nope"):
        atio.diff(table, 3, 4, key="nope")
    with pytest.raises(ValueError, match="17"):
        atio.diff(table, 1, 17)


def appender(table: str, number: int, count: int, until: Any) -> None:
    for i in range(count):
        atio.write_snapshot(pd.DataFrame({"who": [number], "i": [i]}), table, mode="append", durable=False)
        if until.is_set():
            return


def test_optimize_beside_appenders(tmp_path: Path) -> None:
    table = str(tmp_path / "t")
    atio.write_snapshot(pd.DataFrame({"who": [-1], "i": [0]}), table, durable=False)
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    workers = [context.Process(target=appender, args=(table, n, 30, stop)) for n in range(4)]
    for worker in workers:
        worker.start()
    optimized, seen = 0, 0
    while any(worker.is_alive() for worker in workers) or optimized == 0:
        optimized += atio.optimize(table, durable=False).version is not None
        rows = len(atio.read_table(table))
        assert rows >= seen
        seen = rows
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert optimized > 0
    read = atio.read_table(table)
    assert sorted(zip(read["who"], read["i"], strict=True)) == sorted(
        [(-1, 0), *((n, i) for n in range(4) for i in range(30))]
    )
    assert atio.verify(table).rows == len(read)
    assert len(deltalake.DeltaTable(table).to_pyarrow_table()) == len(read)


def test_optimize_keeps_types_order_and_partitions(tmp_path: Path) -> None:
    table = tmp_path / "t"
    for i in range(6):
        frame = pl.DataFrame(
            {
                "p": ["a", "b"],
                "n": pl.Series([i, 10 - i], dtype=pl.UInt64),
                "c": pl.Series(["x", "y"], dtype=pl.Categorical),
                "d": pl.Series([i, None], dtype=pl.Duration("ms")),
            }
        )
        atio.write_snapshot(frame, table, mode="append", partition_by="p")
    before = atio.read_table(table, output_as="polars")
    report = atio.optimize(table)
    assert (report.files_removed, report.files_added, report.rows) == (12, 2, 12)
    after = atio.read_table(table, output_as="polars")
    assert after.schema == before.schema
    assert after.sort("p", "n").equals(before.sort("p", "n"))
    assert atio.optimize(table).version is None
    atio.optimize(table, sort_by="n")
    for part in ("a", "b"):
        values = atio.read_table(table, filters=[("p", "==", part)], output_as="polars")["n"].to_list()
        assert values == sorted(values)
    assert atio.diff(table, 6, 8, key=["p", "n"]).rows.empty
    with pytest.raises(ValueError, match="partition"):
        atio.optimize(table, sort_by="p")
    with pytest.raises(ValueError, match="nope"):
        atio.optimize(table, sort_by="nope")


def test_optimize_leaves_nothing_when_another_writer_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "t"
    for i in range(3):
        atio.write_snapshot(pd.DataFrame({"i": [i]}), table, mode="append")
    from atio._table import requests

    call = requests.call

    def late(op: str, *arguments: Any, **more: Any) -> Any:
        if op == "apply":
            atio.write_snapshot(pd.DataFrame({"i": [9]}), table, message="in between")
        return call(op, *arguments, **more)

    monkeypatch.setattr(requests, "call", late)
    with pytest.raises(atio.ConflictError, match="in between"):
        atio.optimize(table)
    monkeypatch.undo()
    assert atio.read_table(table)["i"].tolist() == [9]
    files = {name for name in names(table) if name.endswith(".parquet")}
    assert len(files) == 4


def test_verify_finds_what_is_wrong(tmp_path: Path) -> None:
    table = tmp_path / "t"
    atio.write_snapshot(
        pd.DataFrame({"i": range(100), "s": [f"text {i}" for i in range(100)], "f": np.linspace(-1, 1, 100)}), table
    )
    report = atio.verify(table)
    assert (report.version, report.files, report.rows, report.checksums) == (1, 1, 100, 1)
    assert report.statistics >= 9
    (file,) = table.glob("*.parquet")
    whole = file.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    file.write_bytes(changed)
    with pytest.raises(atio.CorruptError, match="checksum"):
        atio.verify(table)
    file.write_bytes(whole[:-1])
    with pytest.raises(atio.CorruptError, match="bytes"):
        atio.verify(table)
    file.unlink()
    with pytest.raises(atio.CorruptError, match="missing"):
        atio.verify(table)
    file.write_bytes(whole)
    assert atio.verify(table) == report
    log = table / "_delta_log" / "00000000000000000001.json"
    text = log.read_text()
    assert text.count('\\"i\\":99') == 1
    log.write_text(text.replace('\\"i\\":99', '\\"i\\":98'))
    with pytest.raises(atio.CorruptError, match="above the bound"):
        atio.verify(table)


def test_verify_of_a_table_of_delta_rs(tmp_path: Path) -> None:
    table = pa.table(
        {
            "i": pa.array([1, None, 3]),
            "t": pa.array([0, 1_234_567, None], pa.timestamp("us", "UTC")),
            "d": pa.array([1, 2, 3], pa.date32()),
            "m": pa.array([None, 1, 2], pa.decimal128(10, 2)),
        }
    )
    deltalake.write_deltalake(str(tmp_path / "t"), table)
    report = atio.verify(tmp_path / "t")
    assert (report.rows, report.checksums) == (3, 0)
    assert report.statistics > 4


def test_watch(tmp_path: Path) -> None:
    table = tmp_path / "t"
    atio.write_snapshot(pd.DataFrame({"x": [1]}), table)

    def write() -> None:
        for i in range(3):
            time.sleep(0.05)
            atio.write_snapshot(pd.DataFrame({"x": [i]}), table, mode="append", message=f"number {i}")

    seen = []
    thread = threading.Thread(target=write)
    thread.start()
    for one in atio.Table(table).watch(timeout=30):
        seen.append((one["version_id"], one["message"]))
        if len(seen) == 3:
            break
    thread.join()
    assert seen == [(2, "number 0"), (3, "number 1"), (4, "number 2")]
    assert [one["version_id"] for one in atio.Table(table).watch(from_version=1, timeout=0)] == [1, 2, 3, 4]
    assert list(atio.Table(table).watch(timeout=0.05)) == []


def test_watch_waits_for_a_table(tmp_path: Path) -> None:
    thread = threading.Timer(0.2, lambda: atio.write_snapshot(pd.DataFrame({"x": [1]}), tmp_path / "t"))
    thread.start()
    assert next(iter(atio.Table(tmp_path / "t").watch(timeout=30)))["version_id"] == 1
    thread.join()


def test_a_version_for_every_few_chunks(tmp_path: Path) -> None:
    table = tmp_path / "t"

    def chunks(fail_at: int | None = None) -> Any:
        for i in range(10):
            if i == fail_at:
                raise ZeroDivisionError
            yield pd.DataFrame({"i": [i]})

    with pytest.raises(ZeroDivisionError):
        atio.write_snapshot(chunks(7), table, mode="append", commit_every=3, resume=True)
    assert atio.read_table(table)["i"].tolist() == [0, 1, 2, 3, 4, 5]
    made = atio.write_snapshot(chunks(), table, mode="append", commit_every=3, resume=True)
    assert made.version == 4
    assert atio.read_table(table)["i"].tolist() == list(range(10))
    again = atio.write_snapshot(chunks(), table, mode="append", commit_every=3, resume=True)
    assert again.version == 4
    assert len(atio.read_table(table)) == 10
    assert atio.write_snapshot(chunks(), table, mode="append", commit_every=5).version == 6


def test_open_writer_of_a_table(tmp_path: Path) -> None:
    table = atio.Table(tmp_path / "t")
    with table.open_writer() as writer:
        for i in range(3):
            writer.write(pd.DataFrame({"i": [i]}))
        assert not (tmp_path / "t" / "_SUCCESS").exists()
    assert (writer.result.version, writer.result.rows) == (1, 3)
    with pytest.raises(ZeroDivisionError), table.open_writer("overwrite") as writer:  # noqa: PT012
        writer.write(pd.DataFrame({"i": [7]}))
        raise ZeroDivisionError
    assert table.read()["i"].tolist() == [0, 1, 2]
    with table.open_writer(commit_every=2) as writer:
        for i in range(3):
            writer.write(pd.DataFrame({"i": [i]}))
    assert [(one["version_id"], one["rows"]) for one in table.history()] == [(1, 3), (2, 5), (3, 6)]
    with pytest.raises(ValueError, match="no chunk"), table.open_writer():
        pass
    with atio.open_writer(table.path) as writer:
        writer.write(pd.DataFrame({"i": [8]}))
    assert (writer.result.version, writer.result.rows) == (4, 7)
    with atio.open_writer(tmp_path / "new", format="delta", commit_every=1) as writer:
        for i in range(2):
            writer.write(pd.DataFrame({"i": [i]}))
    assert writer.result.version == 2
    with pytest.raises(ValueError, match="for files"):
        atio.open_writer(table.path, backup=True)


def test_what_a_notebook_shows(tmp_path: Path) -> None:
    table = atio.Table(tmp_path / "t<b>")
    table.write(pd.DataFrame({"x": range(1000)}), message="first <i>")
    table.tag(1, "gold")
    html = table._repr_html_()
    assert "1,000" in html
    assert "gold" in html
    assert "first &lt;i&gt;" in html
    assert "<b>atio table</b>" in html
    assert "t<b>" not in html
    figure = table.plot()
    assert len(figure.axes) == 2
