"""Avro's own reader, the Java one that Spark brings along, reads what atio writes."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

import atio
from spark_session import session


def read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The schema and the records, whose bytes are texts of Latin-1."""
    jvm = session().sparkContext._jvm
    assert jvm is not None
    reader = jvm.org.apache.avro.file.DataFileReader(
        jvm.java.io.File(str(path)), jvm.org.apache.avro.generic.GenericDatumReader()
    )
    try:
        records = []
        while reader.hasNext():
            records.append(json.loads(reader.next().toString()))
        return json.loads(reader.getSchema().toString()), records
    finally:
        reader.close()


@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "deflate"])
def test_java_reads_frames(tmp_path: Path, compression: Any) -> None:
    rows = 30_000
    frame = pl.DataFrame(
        {
            "i": pl.Series([None if i % 7 == 0 else i - 9 for i in range(rows)], dtype=pl.Int32),
            "l": [2**63 - 1 - i for i in range(rows)],
            "x": [i / 7 for i in range(rows)],
            "b": [[True, False, None][i % 3] for i in range(rows)],
            "s": [None if i % 5 == 0 else "é" * (i % 20) for i in range(rows)],
            "a": [[i, None][: i % 3] for i in range(rows)],
            "t": [None if i % 4 == 0 else {"y": i, "z": "text"} for i in range(rows)],
        }
    )
    assert atio.write(frame, tmp_path / "x.avro", compression=compression, name="a.Row").engine == "go"
    schema, records = read(tmp_path / "x.avro")
    assert (schema["name"], schema["namespace"]) == ("Row", "a")
    assert records == frame.to_dicts()


def test_java_reads_logical_types(tmp_path: Path) -> None:
    values = [Decimal(s) for s in ("0.00", "1.28", "-1.28", "327.68", "-327.68", "655.35", "-0.01", "99999999.99")]
    frame = pl.DataFrame({"d": pl.Series(values, dtype=pl.Decimal(10, 2))})
    atio.write(frame, tmp_path / "x.avro", name="Row")
    _, records = read(tmp_path / "x.avro")
    units = [int.from_bytes(r["d"].encode("latin-1"), "big", signed=True) for r in records]
    assert [Decimal(u).scaleb(-2) for u in units] == values
    table = pa.table(
        {
            "d": [date(1970, 1, 3)],
            "u": pa.array([datetime(1970, 1, 1, 0, 0, 1)], pa.timestamp("us")),
            "z": pa.array([datetime(1970, 1, 1, 0, 0, 1)], pa.timestamp("ms", "Asia/Seoul")),
            "n": pa.array([datetime(1970, 1, 1, 0, 0, 1)], pa.timestamp("ns", "UTC")),
            "m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())),
            "f": pa.array([b"abc"], pa.binary(3)),
        }
    )
    atio.write(table, tmp_path / "y.avro", name="Row")
    schema, records = read(tmp_path / "y.avro")
    kinds = [f["type"][1].get("logicalType", f["type"][1]["type"]) for f in schema["fields"]]
    assert kinds == ["date", "local-timestamp-micros", "timestamp-millis", "timestamp-nanos", "map", "fixed"]
    assert records == [{"d": 2, "u": 10**6, "z": 1000, "n": 10**9, "m": {"k": 1}, "f": [97, 98, 99]}]


def test_java_reads_names_that_avro_has_not(tmp_path: Path) -> None:
    """polars' default, the empty one, and those of columns."""
    frame = pl.DataFrame({"a b": [1], "é.ü": [2]})
    atio.write(frame, tmp_path / "x.avro")
    schema, records = read(tmp_path / "x.avro")
    assert schema["name"] == "" and records == frame.to_dicts()
