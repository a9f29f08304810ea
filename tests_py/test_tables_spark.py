"""Spark with Delta Lake reads atio's tables and appends to them."""

from __future__ import annotations

import datetime as dt
import random
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

import atio
from spark_session import session

# It says so whatever is asked of it; that of Delta Lake's jars needs a PySpark that does.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def spark() -> SparkSession:
    return session()


def load(spark: SparkSession, path: Path, **options: Any) -> DataFrame:
    return spark.read.format("delta").options(**options).load(str(path))


def values(frame: DataFrame) -> list[Any]:
    return sorted(row.x for row in frame.select("x").collect())


def test_a_random_history(spark: SparkSession, tmp_path: Path) -> None:
    """With a checkpoint in it, and commits of Spark's in between."""
    path, chance = tmp_path / "t", random.Random(7)
    state: dict[int, list[int]] = {}
    next_value = 0
    for version in range(1, 25):
        what = "append" if version < 3 else chance.choice(["append", "append", "overwrite", "rollback", "spark"])
        new = [next_value, next_value + 1]
        time.sleep(0.02)  # Spark goes by the times of the log's files, which the kernel takes from a coarse clock
        next_value += 2
        frame = pd.DataFrame({"x": new, "part": [f"p{version % 3}"] * 2})
        before = state.get(version - 1, [])
        if what == "rollback":
            to = chance.choice(list(state))
            atio.rollback(path, to, message="back")
            state[version] = state[to]
        elif what == "spark":
            rows = list(frame.itertuples(index=False, name=None))
            spark.createDataFrame(rows, "x long, part string").write.format("delta").mode("append").save(str(path))
            state[version] = before + new
        else:
            atio.write_snapshot(frame, path, what, partition_by="part" if version == 1 else None, message=f"m{version}")
            state[version] = (before if what == "append" else []) + new
    last = max(state)
    assert list((path / "_delta_log").glob("*.checkpoint*.parquet"))
    assert values(load(spark, path)) == sorted(state[last])
    assert sorted(atio.read_table(path)["x"]) == sorted(state[last])
    for version in chance.sample(list(state), 6):
        assert values(load(spark, path, versionAsOf=version)) == sorted(state[version]), version
        assert sorted(atio.read_table(path, version=version)["x"]) == sorted(state[version]), version
    moment = atio.list_snapshots(path)[4]["timestamp"] + dt.timedelta(milliseconds=10)
    newest = max(s["version_id"] for s in atio.list_snapshots(path) if s["timestamp"] <= moment)
    text = moment.strftime("%Y-%m-%d %H:%M:%S.%f")
    assert values(load(spark, path, timestampAsOf=text)) == sorted(state[newest])
    half = sorted(state[last])[len(state[last]) // 2]
    assert values(load(spark, path).where(f"x >= {half}")) == [x for x in sorted(state[last]) if x >= half]
    assert values(load(spark, path).where("part = 'p1'")) == sorted(
        atio.read_table(path, filters=[("part", "=", "p1")])["x"]
    )
    history = spark.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()
    assert [row.version for row in history] == list(range(last, -1, -1))
    assert {"WRITE", "RESTORE"} <= {row.operation for row in history}
    operations = {s["version_id"]: s["operation"] for s in atio.list_snapshots(path)}
    assert operations == {row.version: row.operation for row in history if row.version}


def test_types(spark: SparkSession, tmp_path: Path) -> None:
    """What Delta Lake has a type for is that type in Spark."""
    moment = dt.datetime(2024, 1, 2, 3, 4, 5, 678901)
    table = pa.table(
        {
            "byte": pa.array([1, None], "int8"),
            "short": pa.array([1, None], "uint8"),
            "int": pa.array([1, None], "int32"),
            "long": pa.array([2**62, None], "int64"),
            "unsigned": pa.array([2**64 - 1, None], "uint64"),
            "float": pa.array([1.5, None], "float32"),
            "double": pa.array([1.5, None], "float64"),
            "flag": pa.array([True, None]),
            "text": pa.array(["ä", None]),
            "category": pa.array(["a", None]).dictionary_encode(),
            "raw": pa.array([b"x", None]),
            "day": pa.array([dt.date(2024, 1, 2), None]),
            "local": pa.array([moment, None], pa.timestamp("us")),
            "nanos": pa.array([moment, None], pa.timestamp("ns")),
            "zoned": pa.array([moment, None], pa.timestamp("us", "UTC")),
            "money": pa.array([12345, None], "int64").cast(pa.decimal128(19, 0)).cast(pa.decimal128(21, 2)),
            "list": pa.array([[1, None], None], pa.list_(pa.int64())),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "struct": pa.array([{"a": 1, "b": "x"}, None]),
        }
    )
    atio.write_snapshot(table, tmp_path / "t")
    frame = load(spark, tmp_path / "t")
    assert dict(frame.dtypes) == {
        "byte": "tinyint",
        "short": "smallint",
        "int": "int",
        "long": "bigint",
        "unsigned": "decimal(20,0)",
        "float": "float",
        "double": "double",
        "flag": "boolean",
        "text": "string",
        "category": "string",
        "raw": "binary",
        "day": "date",
        "local": "timestamp_ntz",
        "nanos": "timestamp_ntz",
        "zoned": "timestamp",
        "money": "decimal(21,2)",
        "list": "array<bigint>",
        "map": "map<string,bigint>",
        "struct": "struct<a:bigint,b:string>",
    }
    first, second = frame.collect()
    if first.long is None:
        first, second = second, first
    assert all(value is None for value in second)
    expected = {name: table[name][0].as_py() for name in table.column_names}
    for name in (
        "byte",
        "short",
        "int",
        "long",
        "float",
        "double",
        "flag",
        "text",
        "category",
        "day",
        "local",
        "money",
    ):
        assert first[name] == expected[name], name
    assert first.nanos == moment
    assert (int(first.unsigned), first.list, first.map) == (2**64 - 1, [1, None], {"k": 1})
    assert first.struct.asDict() == {"a": 1, "b": "x"}


def test_a_table_that_spark_made(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "t"
    spark.createDataFrame([(1, "a"), (2, None)], "x long, s string").write.format("delta").save(str(path))
    spark.createDataFrame([(3, "c")], "x long, s string").write.format("delta").mode("append").save(str(path))
    assert sorted(atio.read_table(path)["x"]) == [1, 2, 3]
    assert atio.write_snapshot(pd.DataFrame({"x": [4], "s": ["d"]}), path, "append").version == 2
    assert atio.rollback(path, 0).version == 3
    assert values(load(spark, path)) == [1, 2]
    atio.write_snapshot(pd.DataFrame({"x": [5], "s": ["e"], "y": [1.5]}), path, "append", schema_mode="merge")
    assert load(spark, path).columns == ["x", "s", "y"]
    assert values(load(spark, path)) == [1, 2, 5]


def test_what_spark_knows_and_atio_does_not(spark: SparkSession, tmp_path: Path) -> None:
    """A table with deletion vectors is refused by that name."""
    path = tmp_path / "t"
    frame = spark.range(10).withColumnRenamed("id", "x").coalesce(1)
    frame.write.format("delta").option("delta.enableDeletionVectors", "true").save(str(path))
    spark.sql(f"DELETE FROM delta.`{path}` WHERE x = 3")
    for call in (
        lambda: atio.read_table(path),
        lambda: atio.write_snapshot(pd.DataFrame({"x": [1]}), path, "append"),
    ):
        with pytest.raises(NotImplementedError, match="deletionVectors"):
            call()
