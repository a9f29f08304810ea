"""Arrow IPC files beside those of polars, pyarrow and pandas: content, types, metadata and codec."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

import atio
import parquet_cases as cases
from support import files_of, names, state

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries on their own writers


def _codec(path: Path) -> str:
    """That of the first batch, as its message says: none, lz4 or zstd."""
    data = path.read_bytes()
    return "lz4" if b"\x04\x22\x4d\x18" in data else "zstd" if b"\x28\xb5\x2f\xfd" in data else "none"


def _values(table: pa.Table) -> Any:
    """Values that are equal if they are NaN at the same places."""
    return [[_plain(v) for v in column.to_pylist()] for column in table.columns]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _same(ours: Path, theirs: Path) -> None:
    a, b = pa.ipc.open_file(ours), pa.ipc.open_file(theirs)
    assert a.schema.equals(b.schema, check_metadata=True), f"{a.schema}\n{b.schema}"
    left, right = a.read_all(), b.read_all()
    if not left.equals(right):
        assert str(_values(left)) == str(_values(right))
    assert _codec(ours) == _codec(theirs)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("name", cases.POLARS_COLUMNS)
def test_types_of_polars(tmp_path: Path, name: str, compression: Any) -> None:
    frame = cases.polars_column(name)
    try:
        frame.write_ipc(tmp_path / "theirs", compression=compression)
    except BaseException as expected:
        with pytest.raises(type(expected)):
            atio.write(frame, tmp_path / "ours", "ipc", compression=compression)
        assert not (tmp_path / "ours").exists()
        return
    result = atio.write(frame, tmp_path / "ours", "ipc", compression=compression)
    of_polars = compression == "zstd" or "128" in name or "Null" in name
    assert (result.engine, result.rows) == ("polars" if of_polars else "go", frame.height)
    if "128" in name:  # which only polars reads
        assert_frame_equal(pl.read_ipc(tmp_path / "ours"), pl.read_ipc(tmp_path / "theirs"))
        return
    _same(tmp_path / "ours", tmp_path / "theirs")


@pytest.mark.parametrize("compression", ["uncompressed", None, "zstd"])
@pytest.mark.parametrize("name", cases.ARROW_COLUMNS)
def test_types_of_arrow(tmp_path: Path, name: str, compression: Any) -> None:
    table = cases.arrow_column(name).replace_schema_metadata({"who": "ü"})
    try:
        pa.feather.write_feather(table, str(tmp_path / "theirs"), compression=compression)
    except Exception as expected:
        with pytest.raises(type(expected)):
            atio.write(table, tmp_path / "ours", "ipc", compression=compression)
        return
    atio.write(table, tmp_path / "ours", "ipc", compression=compression)
    _same(tmp_path / "ours", tmp_path / "theirs")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    frame=dataframes(max_cols=4, max_size=12, allow_null=True, excluded_dtypes=[pl.Object, pl.Int128, pl.Null]),
    compression=st.sampled_from(["uncompressed", "lz4"]),
    rows=st.sampled_from([None, 1, 5]),
)
def test_random_frames_of_polars(tmp_path: Path, frame: pl.DataFrame, compression: Any, rows: int | None) -> None:
    frame.write_ipc(tmp_path / "theirs", compression=compression, record_batch_size=rows)
    atio.write(frame, tmp_path / "ours", "ipc", compression=compression, record_batch_size=rows, durable=False)
    assert_frame_equal(pl.read_ipc(tmp_path / "ours"), pl.read_ipc(tmp_path / "theirs"))


def test_sizes_of_batches(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": range(1000), "b": [f"text {i}" for i in range(1000)]})
    for rows in (1, 300, 5000):
        atio.write(frame, tmp_path / "x.arrow", record_batch_size=rows)
        file = pa.ipc.open_file(tmp_path / "x.arrow")
        counts = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
        assert max(counts) == min(rows, 1000) and sum(counts) == 1000
    table = frame.to_arrow()
    for kwargs in ({}, {"chunksize": 300}):
        pa.feather.write_feather(table, str(tmp_path / "theirs"), compression="uncompressed", **kwargs)
        assert atio.write(table, tmp_path / "ours", "ipc", compression="uncompressed", **kwargs).engine == "go"
        ours, theirs = pa.ipc.open_file(tmp_path / "ours"), pa.ipc.open_file(tmp_path / "theirs")
        assert ours.num_record_batches == theirs.num_record_batches


@pytest.mark.parametrize(
    "kwargs",
    [
        {"compat_level": pl.CompatLevel.oldest()},
        {"compat_level": pl.CompatLevel.newest()},
        {"compression": None},
        {"compression": "zstd", "record_batch_size": 2},
    ],
)
def test_arguments_of_polars(tmp_path: Path, kwargs: dict[str, Any]) -> None:
    frame = pl.DataFrame({"a": [1, 2, 3], "s": ["a longer text than fits", "b", None]})
    frame.write_ipc(tmp_path / "theirs", **kwargs)
    atio.write(frame, tmp_path / "ours", "ipc", **kwargs)
    _same(tmp_path / "ours", tmp_path / "theirs")


@pytest.mark.parametrize(
    "kwargs",
    [{}, {"compression": "zstd", "compression_level": 5}, {"chunksize": 2}, {"compression": "uncompressed"}],
)
def test_frames_of_pandas(tmp_path: Path, kwargs: dict[str, Any]) -> None:
    """As to_feather, with pandas' metadata."""
    for name in cases.PANDAS_COLUMNS:
        frame = cases.pandas_column(name)
        try:
            frame.to_feather(tmp_path / "theirs", **kwargs)
        except Exception as expected:
            with pytest.raises(type(expected)):
                atio.write(frame, tmp_path / "ours.feather", **kwargs)
            assert names(tmp_path) <= {"theirs", *files_of("ours.feather")}
            continue
        result = atio.write(frame, tmp_path / "ours.feather", **kwargs)
        assert (result.engine, result.format, result.rows) == ("pandas", "ipc", len(frame))
        assert (tmp_path / "ours.feather").read_bytes() == (tmp_path / "theirs").read_bytes()


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1, 2]}, index=[5, 6]),
        pd.DataFrame({"a": [1, 2]}, index=pd.Index([0, 1], name="i")),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({0: [1]}),
        pd.DataFrame({"a": [1, "x"]}),
    ],
)
def test_what_pandas_makes_of_odd_frames(tmp_path: Path, frame: pd.DataFrame) -> None:
    """An index of its own, say, which some versions refuse."""
    try:
        frame.to_feather(tmp_path / "theirs")
    except Exception as expected:
        with pytest.raises(type(expected)):
            atio.write(frame, tmp_path / "ours.feather")
        assert names(tmp_path) <= {"theirs"}
    else:
        atio.write(frame, tmp_path / "ours.feather")
        _same(tmp_path / "ours.feather", tmp_path / "theirs")


def test_series(tmp_path: Path) -> None:
    atio.write(pd.Series([1, 2], name="a"), tmp_path / "x.feather")
    assert pd.read_feather(tmp_path / "x.feather")["a"].tolist() == [1, 2]
    assert atio.write(pl.Series("a", [1, 2]), tmp_path / "x.arrow").engine == "go"
    assert pl.read_ipc(tmp_path / "x.arrow")["a"].to_list() == [1, 2]
    assert atio.write(pl.LazyFrame({"a": [1, 2]}), tmp_path / "x.arrow").rows == 2


STREAMS: dict[str, Callable[[pa.Table], Any]] = {
    "reader": lambda t: t.to_reader(max_chunksize=100),
    "duckdb": lambda t: duckdb.from_arrow(t),
    "generator of polars": lambda t: (pl.DataFrame(t[i : i + 100]) for i in range(0, 1000, 100)),
    "generator of tables": lambda t: (t[i : i + 100] for i in range(0, 1000, 100)),
}


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("kind", STREAMS)
def test_chunks(tmp_path: Path, kind: str, compression: str) -> None:
    """By Go, since the libraries cannot add to a file."""
    table = pa.table({"a": range(1000), "s": [f"some text {i % 7}" for i in range(1000)]})
    result = atio.write(STREAMS[kind](table), tmp_path / "x.arrow", compression=compression)
    assert (result.engine, result.rows) == ("go", 1000)
    assert pa.feather.read_table(tmp_path / "x.arrow").cast(table.schema).equals(table)
    assert _codec(tmp_path / "x.arrow") == compression.replace("uncompressed", "none")


def test_chunks_that_cannot_be(tmp_path: Path) -> None:
    dictionary = pa.table({"c": pa.array(["a", "b"]).dictionary_encode()})
    for chunks, kwargs in (
        ([dictionary, dictionary], {}),
        ([pl.DataFrame({"a": [1]})], {"compat_level": pl.CompatLevel.oldest()}),
        ([pd.DataFrame({"a": [1]})], {}),
        ([np.arange(3)], {}),
    ):
        with pytest.raises(ValueError, match=r"as ipc|'ipc'"):
            atio.write(iter(chunks), tmp_path / "x.arrow", **kwargs)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("frame", "kwargs"),
    [
        (pl.DataFrame({"a": [1]}), {"compression": "gzip"}),
        (pl.DataFrame({"a": [1]}), {"nonsense": 1}),
        (pl.DataFrame({"a": [1]}), {"record_batch_size": "x"}),
        (pa.table({"a": [1]}), {"compression": "gzip"}),
        (pa.table({"a": [1]}), {"nonsense": 1}),
        (pa.table({"a": [1]}), {"version": 1, "compression": "lz4"}),
        (pd.DataFrame({"a": [1]}), {"compression": "gzip"}),
    ],
)
def test_what_the_library_refuses(tmp_path: Path, frame: Any, kwargs: dict[str, Any]) -> None:
    atio.write(pl.DataFrame({"a": [9]}), tmp_path / "x.arrow")
    before = state(tmp_path)
    with pytest.raises(BaseException) as expected:
        _by_the_library(frame, tmp_path / "theirs", kwargs)
    (tmp_path / "theirs").unlink(missing_ok=True)
    with pytest.raises(type(expected.value)):
        atio.write(frame, tmp_path / "x.arrow", **kwargs)
    assert state(tmp_path) == before


def _by_the_library(frame: Any, path: Path, kwargs: dict[str, Any]) -> None:
    if isinstance(frame, pl.DataFrame):
        frame.write_ipc(path, **kwargs)
    elif isinstance(frame, pd.DataFrame):
        frame.to_feather(path, **kwargs)
    else:
        pa.feather.write_feather(frame, str(path), **kwargs)


def test_an_empty_frame(tmp_path: Path) -> None:
    for frame in (pl.DataFrame(schema={"a": pl.Int64, "s": pl.String}), pl.DataFrame()):
        atio.write(frame, tmp_path / "ours", "ipc")
        frame.write_ipc(tmp_path / "theirs")
        with warnings.catch_warnings():
            assert_frame_equal(pl.read_ipc(tmp_path / "ours"), pl.read_ipc(tmp_path / "theirs"))
