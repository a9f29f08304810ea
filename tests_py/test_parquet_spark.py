"""parquet-mr, through Spark with its default (vectorized) reader, reads atio's files as it reads pyarrow's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from pyspark.sql import DataFrame, SparkSession

import atio
import parquet_cases as cases
import test_parquet_filters as filters
import test_parquet_random as random_tables
import test_parquet_testing as testing
from spark_session import session

# It says so whatever is asked of it; that of Delta Lake's jars needs a PySpark that does.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def spark() -> SparkSession:
    return session()


def plain(value: Any) -> Any:
    """A value that equals itself, also NaN, bytes of any class and what they are in."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else (value, math.copysign(1, value))
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def read(spark: SparkSession, path: Path) -> tuple[str, Any]:
    """What Spark reads, or the name of its error."""
    try:
        frame: DataFrame = spark.read.parquet(str(path))
        return str(frame.dtypes), [plain(row) for row in frame.collect()]
    except Exception as e:
        if type(e).__module__.startswith(("pyspark", "py4j")):
            return type(e).__name__, None
        # A value that Python has no place for, like a year beyond 9999.
        return type(e).__name__, str(e)


# What Spark 4 does not read, whoever wrote it.
REFUSED_BY_SPARK = {
    "decimal256(60, 2)",
    "halffloat",
    "struct<m: map<string, list<item: int64>>, t: timestamp[ns, tz=UTC]>",
    "time32[ms]",
    "time32[s]",
    "time64[ns]",
    "time64[us]",
    "timestamp[ns, tz=+05:30]",
    "timestamp[ns, tz=UTC]",
    "timestamp[ns]",
    "uuid",
}


def test_every_type(spark: SparkSession, tmp_path: Path) -> None:
    wrong, refused = [], set()
    for name in cases.ARROW_COLUMNS:
        table = cases.arrow_column(name)
        ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
        try:
            pq.write_table(table, theirs)
        except Exception:  # what pyarrow refuses is the matter of test_parquet_oracle
            continue
        atio.write(table, ours)
        a, b = read(spark, ours), read(spark, theirs)
        if a != b:
            wrong.append((name, a, b))
        refused |= {name} if b[1] is None else set()
    assert wrong == []
    assert refused == REFUSED_BY_SPARK


# Not brotli, whose codec Spark does not come with.
CODECS = [
    ("snappy", None),
    ("zstd", 1),
    ("zstd", 3),
    ("zstd", 19),
    ("gzip", 9),
    ("lz4", None),
    ("none", None),
    ("auto", None),
]


def large(rows: int, seed: int = 0) -> pa.Table:
    """A frame whose columns take every encoding there is by default."""
    random = np.random.default_rng(seed)
    nulls = random.random(rows) < 0.1
    runs = np.arange(rows) // 700 % 3 == 1
    words = np.array([f"word {i}" for i in range(3000)], dtype=object)
    return pa.table(
        {
            "sequence": np.arange(rows),
            "steps": pa.array(np.cumsum(random.integers(-5, 60, rows)), mask=nulls),
            "extremes": random.choice([-(2**63), 2**63 - 1, 0, 1], rows),
            "ints": pa.array(random.integers(-(2**31), 2**31, rows), "int32", mask=runs),
            "shorts": pa.array(random.integers(-300, 300, rows), "int16"),
            "noise": random.normal(size=rows),
            "prices": pa.array(random.integers(0, 5000, rows) / 100, mask=nulls),
            "halves": (random.integers(0, 9, rows) / 2).astype("float32"),
            "few": pa.array(words[random.integers(0, 7, rows)], mask=nulls),
            "many": pa.array(words[random.integers(0, 3000, rows)], mask=runs),
            "unique": [f"{n:x}-{i}" for i, n in enumerate(random.integers(0, 2**62, rows))],
            "paths": [f"/data/2024/{i // 1000:05d}/part-{i:08d}.parquet" for i in range(rows)],
            "bytes": pa.array([bytes([i % 256]) * (i % 9) for i in range(rows)], "binary"),
            "flags": pa.array(random.random(rows) < 0.3, mask=nulls),
            "days": pa.array(random.integers(0, 20_000, rows), "int32").cast("date32"),
            "times": pa.array(
                1_700_000_000_000_000 + np.cumsum(random.integers(0, 10**7, rows)), pa.timestamp("us", "UTC")
            ),
            "money": pa.array(random.integers(-(10**9), 10**9, rows), "int64")
            .cast(pa.decimal128(21, 0))
            .cast(pa.decimal128(23, 2)),
            "category": pa.array(words[random.integers(0, 50, rows)], mask=runs).dictionary_encode(),
            "lists": pa.array([list(range(i % 5)) if i % 7 else None for i in range(rows)], pa.list_(pa.int64())),
            "structs": pa.array([{"a": i, "b": f"b{i % 10}"} if i % 11 else None for i in range(rows)]),
        }
    )


@pytest.mark.parametrize(("compression", "level"), CODECS)
def test_every_encoding(spark: SparkSession, compression: str, level: int | None, tmp_path: Path) -> None:
    table = large(20_000)
    path = tmp_path / "x.parquet"
    result = atio.write(table, path, compression=compression, compression_level=level, row_group_size=9_000)
    assert result.engine == "go"
    frame = spark.read.parquet(str(path))
    rows = sorted((plain(row.asDict(recursive=True)) for row in frame.collect()), key=lambda row: row["sequence"])
    want = table.set_column(table.schema.get_field_index("times"), "times", table["times"].cast(pa.timestamp("us")))
    assert rows == [plain(row) for row in want.to_pylist()]
    group = pq.read_metadata(path).row_group(0)
    used = {e for i in range(group.num_columns) for e in group.column(i).encodings}
    assert used >= {"PLAIN", "RLE_DICTIONARY", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"}


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_pages_and_filters(spark: SparkSession, version: str, tmp_path: Path) -> None:
    table = large(20_000, 1).drop_columns(["times"])
    path = tmp_path / "x.parquet"
    atio.write(
        table, path, data_page_size=2000, row_group_size=6_000, data_page_version=version, write_page_checksum=True
    )
    frame = spark.read.parquet(str(path))
    for where in [
        "sequence BETWEEN 100 AND 140",
        "steps > 500000",
        "few = 'word 3'",
        "unique < '1'",
        "prices IS NULL",
        "ints = 7",
    ]:
        got = sorted(row.sequence for row in frame.where(where).select("sequence").collect())
        want = [
            row.sequence
            for row in spark.createDataFrame(table.select(["sequence", "steps", "few", "unique", "prices", "ints"]))
            .where(where)
            .select("sequence")
            .collect()
        ]
        assert got == sorted(want)


def test_predicates(spark: SparkSession, tmp_path: Path) -> None:
    """Spark finds in atio's file what it finds in pyarrow's without any statistics."""
    data = filters.table()
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    atio.write(data, ours, row_group_size=1700, data_page_size=400)
    pq.write_table(data, theirs, write_statistics=False)
    mine, other = spark.read.parquet(str(ours)), spark.read.parquet(str(theirs)).cache()
    wrong = []
    for where in [*filters.PREDICATES, "isnan(f)", "f = double('NaN')", "f > 1e300", "s <=> NULL", "n <=> 77"]:
        rows = [sorted(row.row for row in frame.where(where).select("row").collect()) for frame in (mine, other)]
        if rows[0] != rows[1]:
            wrong.append(where)
    assert wrong == []


# Pages of few rows and of many; with nothing asked for, too.
LAYOUTS: list[tuple[int, dict[str, Any]]] = [
    (150_000, {}),
    (20_000, {"data_page_size": 1000}),
    (20_000, {"data_page_size": 8192, "row_group_size": 12_000}),
    (40_000, {"data_page_size": 32_768, "compression": "zstd"}),
    (40_000, {"data_page_size": 65_536, "row_group_size": 30_000}),
    (40_000, {"data_page_size": 65_536, "data_page_version": "2.0"}),
]
DELTAS = ["key", "i16", "i32", "i64", "day", "time", "lists.list.element", "struct.x"]


def deltas(rows: int, nulls: str, random: np.random.Generator) -> pa.Table:
    """Columns that become DELTA_BINARY_PACKED, and columns to filter by, on whose pages other numbers of rows fit."""
    mask = {
        "none": None,
        "some": random.random(rows) < 0.1,
        "blocks": np.arange(rows) // 9000 % 2 == 0,
    }[nulls]
    many = random.integers(0, 4, rows)
    values = pa.array(random.integers(0, 2**30, many.sum()))
    return pa.table(
        {
            "key": np.arange(rows),
            "text": [f"{i:07d}{'x' * (i // 64 % 40)}" for i in range(rows)],
            "small": pa.array(np.arange(rows) // 7, "float32"),
            "i16": pa.array(random.integers(-99, 99, rows), "int16", mask=mask),
            "i32": pa.array(random.integers(-99, 1000, rows).cumsum(), "int32", mask=mask),
            "i64": pa.array(random.integers(0, 2**40, rows).cumsum(), mask=mask),
            "day": pa.array(random.integers(0, 20_000, rows), "int32", mask=mask).cast("date32"),
            "time": pa.array(10**15 + random.integers(0, 10**9, rows).cumsum(), pa.timestamp("us"), mask=mask),
            "lists": pa.ListArray.from_arrays(np.concatenate([[0], many.cumsum()]).astype("int32"), values),
            "struct": pa.StructArray.from_arrays([pa.array(random.integers(0, 2**20, rows), mask=mask)], ["x"]),
        }
    )


@pytest.mark.parametrize("nulls", ["none", "some", "blocks"])
@pytest.mark.parametrize(("rows", "options"), LAYOUTS, ids=lambda value: str(value))
def test_skipping_by_another_column(
    spark: SparkSession, rows: int, options: dict[str, Any], nulls: str, tmp_path: Path
) -> None:
    """Before 4.3 Spark goes astray where it skips within a page of DELTA_BINARY_PACKED: here it never needs to."""
    seed = f"{rows} {options} {nulls}".encode()
    random = np.random.default_rng(list(seed))
    table, path = deltas(rows, nulls, random), tmp_path / "x.parquet"
    assert atio.write(table, path, use_dictionary=False, **options).engine == "go"
    chunks = [pq.read_metadata(path).row_group(0).column(i) for i in range(10)]
    assert all(c.has_column_index and c.has_offset_index for c in chunks)
    assert {c.path_in_schema for c in chunks if "DELTA_BINARY_PACKED" in c.encodings} == set(DELTAS)

    frame = spark.read.parquet(str(path))
    assert spark.conf.get("spark.sql.parquet.enableVectorizedReader") == "true"
    batch = int(spark.conf.get("spark.sql.parquet.columnarReaderBatchSize") or 0)
    multiple = batch * int(random.integers(1, rows // batch))
    # What is skipped goes to where a batch would be full, a case in which Spark went astray, or anywhere.
    for column, first, second in [
        ("key", 0, batch),
        ("key", multiple, rows - 1),
        ("text", *random.integers(0, rows, 2)),
        ("small", *random.integers(0, rows, 2)),
    ]:
        values = table[column].to_pylist()
        ranges = [(values[i], values[min(i + 99, rows - 1)]) for i in (first, second)]
        where = " OR ".join(f"{column} BETWEEN {low!r} AND {high!r}" for low, high in ranges)
        got = [row.asDict(recursive=True) for row in frame.where(where).collect()]
        want = [i for i, value in enumerate(values) if any(low <= value <= high for low, high in ranges)]
        assert sorted(got, key=lambda row: row["key"]) == table.take(want).to_pylist(), where


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(table=random_tables.tables(random_tables.FLAT))
def test_random_tables(spark: SparkSession, table: pa.Table, tmp_path_factory: Any) -> None:
    directory = tmp_path_factory.mktemp("random")
    ours, theirs = directory / "ours.parquet", directory / "theirs.parquet"
    try:
        pq.write_table(table, theirs)
    except pa.ArrowException:  # the matter of test_parquet_random
        return
    atio.write(table, ours)
    assert read(spark, ours) == read(spark, theirs)


@pytest.mark.parametrize("file", testing.FILES, ids=lambda file: file.stem)
def test_files_of_parquet_testing(spark: SparkSession, file: Path, tmp_path: Path) -> None:
    if file.name in testing.REFUSED_BY_PYARROW:
        return
    table = pq.read_table(file)
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    try:
        pq.write_table(table, theirs)
    except (OSError, pa.ArrowException):  # the matter of test_parquet_testing
        return
    atio.write(table, ours)
    assert read(spark, ours) == read(spark, theirs)
