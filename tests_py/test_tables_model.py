"""Random histories of a table against a model of lists, and other readers of it."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import hypothesis.strategies as st
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import atio

Row = tuple[int, str | None, str | None]
COLUMNS = ["n", "s", "p"]
rows = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
        st.sampled_from(["a", "b/c", None, " =%"]),
    ),
    max_size=6,
)
libraries = st.sampled_from(["pandas", "polars", "arrow", "iterator"])


def made(library: str, some: list[Row]) -> Any:
    table = pa.table(
        {name: pa.array([row[i] for row in some], pa.string() if i else pa.int64()) for i, name in enumerate(COLUMNS)}
    )
    if library == "pandas":
        return table.to_pandas()
    if library == "polars":
        return pl.from_arrow(table)
    if library == "iterator":
        half = len(some) // 2
        return iter([table.slice(0, half), table.slice(half)])
    return table


def sorted_rows(table: pa.Table) -> list[Row]:
    return by_value(list(zip(*(table[name].to_pylist() for name in COLUMNS), strict=True)))


def by_value(some: list[Row]) -> list[Row]:
    return sorted(some, key=lambda row: (row[0], row[1] or "", row[1] is None, row[2] or "", row[2] is None))


class Tables(RuleBasedStateMachine):
    """A table and what each version of it must hold."""

    partitioned = False

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="atio-model-"))
        self.path = self.directory / "table"
        self.versions: dict[int, list[Row]] = {}
        self.last = 0
        self.tags: dict[str, int] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.directory)

    def committed(self, snapshot: atio.Snapshot, content: list[Row]) -> None:
        self.last += 1
        self.versions[self.last] = content
        assert snapshot.version == self.last
        assert snapshot.rows in (len(content), None)

    @initialize(some=rows, library=libraries, mode=st.sampled_from(["append", "overwrite", "error"]))
    def create(self, some: list[Row], library: str, mode: str) -> None:
        keys = ["p"] if self.partitioned else None
        self.committed(
            atio.write_snapshot(made(library, some), self.path, mode, partition_by=keys, durable=False), some
        )

    @rule(some=rows, library=libraries)
    def append(self, some: list[Row], library: str) -> None:
        snapshot = atio.write_snapshot(made(library, some), self.path, "append", durable=False)
        self.committed(snapshot, [*self.versions[self.last], *some])

    @rule(some=rows, library=libraries)
    def overwrite(self, some: list[Row], library: str) -> None:
        self.committed(atio.write_snapshot(made(library, some), self.path, durable=False), some)

    @rule(some=rows)
    def append_by_delta_rs(self, some: list[Row]) -> None:
        if not some:
            return  # it makes no version of nothing
        deltalake.write_deltalake(self.path, made("arrow", some), mode="append")
        self.last += 1
        self.versions[self.last] = [*self.versions[self.last - 1], *some]

    @rule(data=st.data())
    def rollback(self, data: st.DataObject) -> None:
        to = data.draw(st.sampled_from(sorted(self.versions)))
        self.committed(atio.rollback(self.path, to, durable=False), self.versions[to])

    @rule(data=st.data(), name=st.sampled_from(["gold", "silver", "b/c"]))
    def tag(self, data: st.DataObject, name: str) -> None:
        version = data.draw(st.sampled_from(sorted(self.versions)))
        if self.tags.get(name, version) != version:
            with pytest.raises(ValueError, match=name):
                atio.tag_version(self.path, version, name)
            return
        atio.tag_version(self.path, version, name)
        self.tags[name] = version

    @precondition(lambda self: self.tags)
    @rule(data=st.data())
    def delete_tag(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.tags)))
        atio.delete_tag(self.path, name)
        del self.tags[name]

    @rule(keep_last=st.integers(1, 4), dry_run=st.booleans())
    def expire(self, keep_last: int, dry_run: bool) -> None:
        report = atio.expire_snapshots(self.path, dt.timedelta(0), dry_run, keep_last=keep_last)
        old = [v for v in sorted(self.versions) if v <= self.last - keep_last and v not in self.tags.values()]
        assert list(report.versions) == old
        if not dry_run:
            for version in old:
                del self.versions[version]

    @rule(data=st.data())
    def delete_version(self, data: st.DataObject) -> None:
        version = data.draw(st.sampled_from(sorted(self.versions)))
        if version == self.last or version in self.tags.values():
            with pytest.raises(ValueError, match=str(version)):
                atio.delete_version(self.path, version)
            return
        assert atio.delete_version(self.path, version).versions == (version,)
        del self.versions[version]

    @rule(data=st.data())
    def read_old(self, data: st.DataObject) -> None:
        version = data.draw(st.sampled_from(sorted(self.versions)))
        got = atio.read_table(self.path, version=version, output_as="arrow")
        assert sorted_rows(got) == by_value(self.versions[version])
        for name, tagged in self.tags.items():
            got = atio.read_table(self.path, tag=name, output_as="arrow")
            assert sorted_rows(got) == by_value(self.versions[tagged])

    @rule(limit=st.integers(-(2**63), 2**63 - 1))
    def read_filtered(self, limit: int) -> None:
        got = atio.read_table(self.path, output_as="arrow", filters=[("n", ">=", limit)])
        assert sorted_rows(got) == by_value([row for row in self.versions[self.last] if row[0] >= limit])

    @rule()
    def read_by_others(self) -> None:
        content = by_value(self.versions[self.last])
        theirs = deltalake.DeltaTable(self.path)
        assert theirs.version() == self.last
        arrow = theirs.to_pyarrow_table()
        assert sorted_rows(arrow) == content
        assert sorted_rows(pl.scan_delta(str(self.path)).collect().to_arrow()) == content
        assert duckdb.sql("SELECT count(*), min(n), max(n) FROM arrow").fetchall()[0] == (
            len(content),
            content[0][0] if content else None,
            content[-1][0] if content else None,
        )
        for version in list(self.versions)[-3:]:
            try:
                old = deltalake.DeltaTable(self.path, version=version)
            except Exception:  # its log may have been cleaned up
                assert version != self.last
                continue
            assert sorted_rows(old.to_pyarrow_table()) == by_value(self.versions[version])

    @invariant()
    def newest(self) -> None:
        if not self.last:
            return
        got = atio.read_table(self.path, output_as="arrow")
        content = self.versions[self.last]
        assert sorted_rows(got) == by_value(content)
        if not self.partitioned:  # in the order in which they were written
            assert list(zip(*(got[name].to_pylist() for name in COLUMNS), strict=True)) == content
        history = atio.list_snapshots(self.path)
        assert [s["version_id"] for s in history] == sorted(self.versions)
        assert [s["rows"] for s in history] == [len(self.versions[v]) for v in sorted(self.versions)]
        tags = {tag: s["version_id"] for s in history for tag in s["tags"]}
        assert tags == self.tags


class PartitionedTables(Tables):
    partitioned = True


@pytest.mark.parametrize("machine", [Tables, PartitionedTables])
def test_histories(machine: type[Tables]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )


def test_a_table_that_delta_rs_made(tmp_path: Path) -> None:
    """Its first write is version 0."""
    deltalake.write_deltalake(tmp_path / "t", pa.table({"x": [1]}))
    deltalake.write_deltalake(tmp_path / "t", pa.table({"x": [2]}), mode="append")
    assert [s["version_id"] for s in atio.list_snapshots(tmp_path / "t")] == [0, 1]
    assert atio.read_table(tmp_path / "t", version=0)["x"].tolist() == [1]
    assert atio.write_snapshot(pd.DataFrame({"x": [3]}), tmp_path / "t", "append").version == 2
    assert sorted(deltalake.DeltaTable(tmp_path / "t").to_pyarrow_table()["x"].to_pylist()) == [1, 2, 3]
    assert atio.rollback(tmp_path / "t", 0).version == 3
    assert deltalake.DeltaTable(tmp_path / "t").to_pyarrow_table()["x"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("configuration", "feature"),
    [
        ({"delta.enableDeletionVectors": "true"}, r"feature (deletionVectors|variantType)"),
        ({"delta.columnMapping.mode": "name"}, "columnMapping"),
    ],
)
def test_features_that_are_not_kept(configuration: dict[str, str], feature: str, tmp_path: Path) -> None:
    """What cannot be kept is refused by its name, and the table left alone."""
    schema = pa.schema({"x": pa.int64()})
    try:
        deltalake.DeltaTable.create(tmp_path / "t", schema, configuration=configuration)
    except Exception as e:
        pytest.fail(f"delta-rs does not create such a table any more: {e}")
    with pytest.raises(NotImplementedError, match=feature):
        atio.write_snapshot(pd.DataFrame({"x": [1]}), tmp_path / "t", "append")
