"""atio.write(frame, "x.parquet", **kw) against the file of the library's own writer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import atio
import parquet_cases as cases
from parquet_compare import differences


def library_of(frame: Any) -> str:
    if isinstance(frame, pd.DataFrame):
        return "pandas"
    return "polars" if isinstance(frame, pl.DataFrame) else "pyarrow"


def write_by_library(frame: Any, path: Path, **kwargs: Any) -> None:
    if isinstance(frame, pd.DataFrame):
        frame.to_parquet(path, **kwargs)
    elif isinstance(frame, pl.DataFrame):
        frame.write_parquet(path, **kwargs)
    else:
        pq.write_table(frame if isinstance(frame, pa.Table) else pa.Table.from_batches([frame]), path, **kwargs)


def check(frame: Any, tmp_path: Path, by: str | None = "go", /, **kwargs: Any) -> tuple[Path, Path]:
    """Both write the same, or both refuse."""
    ours, theirs = (Path(tempfile.mkdtemp(dir=tmp_path)) / "x.parquet" for _ in range(2))
    try:
        write_by_library(frame, theirs, **kwargs)
    except Exception as e:
        with pytest.raises(type(e)):
            atio.write(frame, ours, **kwargs)
        assert list(ours.parent.iterdir()) == []
        return ours, theirs
    result = atio.write(frame, ours, **kwargs)
    if by is not None:
        assert result.engine == by
    # polars cuts row groups to its liking unless told a size.
    same = library_of(frame) != "polars" or "row_group_size" in kwargs or len(frame) < 50_000
    assert differences(ours, theirs, same_row_groups=same) == []
    return ours, theirs


def engine_for(library: str, name: str) -> str:
    return library if (library, name) in cases.LEFT_TO_THE_LIBRARY else "go"


@pytest.mark.parametrize("name", cases.PANDAS_COLUMNS)
def test_pandas_dtype(name: str, tmp_path: Path) -> None:
    check(cases.pandas_column(name), tmp_path, engine_for("pandas", name))


@pytest.mark.parametrize("name", cases.POLARS_COLUMNS)
def test_polars_dtype(name: str, tmp_path: Path) -> None:
    check(cases.polars_column(name), tmp_path, engine_for("polars", name))


@pytest.mark.parametrize("name", cases.ARROW_COLUMNS)
def test_arrow_type(name: str, tmp_path: Path) -> None:
    check(cases.arrow_column(name), tmp_path, engine_for("pyarrow", name))


@pytest.mark.parametrize("name", cases.PANDAS_FRAMES)
def test_pandas_frame(name: str, tmp_path: Path) -> None:
    check(cases.PANDAS_FRAMES[name](), tmp_path, engine_for("pandas", name))


@pytest.mark.parametrize("name", cases.POLARS_FRAMES)
def test_polars_frame(name: str, tmp_path: Path) -> None:
    check(cases.POLARS_FRAMES[name](), tmp_path, engine_for("polars", name))


@pytest.mark.parametrize("name", cases.ARROW_FRAMES)
def test_arrow_frame(name: str, tmp_path: Path) -> None:
    check(cases.ARROW_FRAMES[name](), tmp_path, engine_for("pyarrow", name))


PYARROW_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    *[({"compression": c}, "go") for c in ("snappy", "zstd", "gzip", "brotli", "lz4", "ZSTD", "none", None, "LZ4_RAW")],
    *[({"compression": "zstd", "compression_level": n}, "go") for n in (1, 3, 9, 22)],
    *[({"compression": "gzip", "compression_level": n}, "go") for n in (1, 9)],
    *[({"compression": "brotli", "compression_level": n}, "go") for n in (0, 5, 11)],
    ({"compression": "lz4", "compression_level": 5}, "library"),
    ({"compression": "zstd", "compression_level": -3}, "library"),
    ({"compression": {"not there": "zstd"}}, "library"),
    ({"row_group_size": 1}, "go"),
    ({"row_group_size": 7}, "go"),
    ({"row_group_size": 64}, "go"),
    ({"row_group_size": 10**12}, "go"),
    ({"write_statistics": False}, "go"),
    ({"use_dictionary": False}, "go"),
    ({"write_page_index": True}, "go"),
    ({"write_page_checksum": True}, "go"),
    ({"data_page_size": 100}, "go"),
    ({"store_decimal_as_integer": True}, "go"),
    ({"version": "2.6"}, "go"),
    ({"version": "1.0"}, "library"),
    ({"coerce_timestamps": "ms"}, "library"),
    ({"data_page_version": "2.0"}, "go"),
    ({"store_schema": False}, "library"),
    ({"use_byte_stream_split": True, "use_dictionary": False}, "library"),
]
COLUMN_ARGUMENTS: list[dict[str, Any]] = [
    {"compression": {"i": "zstd", "s": "gzip", "f": "snappy"}},
    {"compression": {"i": "zstd", "s": "gzip"}, "compression_level": {"i": 7}},
    {"write_statistics": ["i"]},
    {"use_dictionary": ["s"]},
    {"use_dictionary": ["s"], "column_encoding": {"i": "DELTA_BINARY_PACKED", "f": "BYTE_STREAM_SPLIT"}},
    {"use_dictionary": False, "column_encoding": {"i": "PLAIN", "s": "DELTA_BYTE_ARRAY"}},
    {"use_dictionary": False, "column_encoding": {"i": "BYTE_STREAM_SPLIT", "s": "DELTA_LENGTH_BYTE_ARRAY"}},
    {"use_dictionary": False, "column_encoding": "PLAIN"},
    {"use_dictionary": ["i", "s"], "use_byte_stream_split": ["f"]},
]
REFUSED_BY_PYARROW: list[dict[str, Any]] = [
    {"compression": "foo"},
    {"compression": "uncompressed"},
    {"compression": "lzo"},
    {"compression": 5},
    {"compression": "snappy", "compression_level": 3},
    {"compression": None, "compression_level": 3},
    {"compression": "gzip", "compression_level": 10},
    {"compression": "zstd", "compression_level": "high"},
    {"row_group_size": 0},
    {"row_group_size": "many"},
    {"no_such_argument": 1},
    {"version": "9"},
]


def _id(value: Any) -> str | None:
    return str(value) if isinstance(value, dict) else None


@pytest.mark.parametrize(("kwargs", "engine"), PYARROW_ARGUMENTS, ids=_id)
@pytest.mark.parametrize("library", ["pandas", "pyarrow"])
def test_pyarrow_arguments(library: str, kwargs: dict[str, Any], engine: str, tmp_path: Path) -> None:
    frame = cases.PANDAS_FRAMES["sliced"]() if library == "pandas" else cases.ARROW_FRAMES["sliced"]()
    check(frame, tmp_path, engine if engine == "go" else library, **kwargs)


@pytest.mark.parametrize("kwargs", COLUMN_ARGUMENTS, ids=_id)
@pytest.mark.parametrize("library", ["pandas", "pyarrow"])
def test_arguments_of_columns(library: str, kwargs: dict[str, Any], tmp_path: Path) -> None:
    table = pa.table(
        {"i": list(range(3000)), "s": [f"text {n % 50}" for n in range(3000)], "f": [n / 7 for n in range(3000)]}
    )
    paths = check(table if library == "pyarrow" else table.to_pandas(), tmp_path, "go", **kwargs)
    ours, theirs = (pq.read_metadata(path).row_group(0) for path in paths)
    encoding = kwargs.get("column_encoding") or {}
    for n, name in enumerate(table.column_names):
        ours_of, theirs_of = ours.column(n), theirs.column(n)
        assert ours_of.compression == theirs_of.compression
        assert ours_of.is_stats_set == theirs_of.is_stats_set
        wanted = encoding if isinstance(encoding, str) else encoding.get(name)
        if wanted or name in kwargs.get("use_byte_stream_split", ()):
            assert set(ours_of.encodings) == set(theirs_of.encodings)


@pytest.mark.parametrize("rows", [3, 200_000])
def test_auto_compression(rows: int, tmp_path: Path) -> None:
    random = np.random.default_rng(rows)
    columns = {
        "noise": np.frombuffer(random.bytes(8 * rows), "int64"),
        "few": random.integers(0, 5, rows),
        "sorted": np.cumsum(random.integers(0, 3, rows)),
        "prices": random.integers(0, 10_000, rows) / 100,
    }
    table = pa.table(columns)
    auto, fast = tmp_path / "auto.parquet", tmp_path / "fast.parquet"
    assert atio.write(table, auto, compression="auto").engine == "go"
    atio.write(table, fast, compression="zstd", compression_level=1)
    assert pq.read_table(auto).equals(table)
    assert auto.stat().st_size <= 1.005 * fast.stat().st_size


@pytest.mark.parametrize("kwargs", REFUSED_BY_PYARROW, ids=_id)
@pytest.mark.parametrize("library", ["pandas", "pyarrow"])
def test_refused_by_pyarrow(library: str, kwargs: dict[str, Any], tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1]}) if library == "pandas" else pa.table({"a": [1]})
    with pytest.raises(Exception) as e:
        write_by_library(frame, tmp_path / "library.parquet", **kwargs)
    check(frame, tmp_path, **kwargs)
    assert e.type is not AssertionError


@pytest.mark.parametrize("index", [None, True, False])
@pytest.mark.parametrize("name", ["named index", "range index", "MultiIndex", "datetime index", "mixed"])
def test_pandas_index(name: str, index: bool | None, tmp_path: Path) -> None:
    check(cases.PANDAS_FRAMES[name](), tmp_path, index=index)


def test_pandas_engine(tmp_path: Path) -> None:
    check(pd.DataFrame({"a": [1]}), tmp_path, engine="pyarrow")


def test_pandas_schema(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("a", pa.int16(), nullable=False), pa.field("s", pa.large_string())])
    check(pd.DataFrame({"a": [1], "s": ["x"]}), tmp_path, schema=schema)
    check(pd.DataFrame({"a": ["no number"], "s": ["x"]}), tmp_path, schema=schema)
    check(pd.DataFrame({"a": [1]}), tmp_path, schema=schema)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1, "x"]}),
        pd.DataFrame({"a": [1, object()]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({"a": [1 + 2j]}),
        pd.DataFrame({"a": [2**70]}),
    ],
    ids=["mixed", "objects", "same names", "complex", "huge ints"],
)
def test_refused_frames(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(Exception):  # noqa: B017  whatever pandas raises; check compares
        frame.to_parquet(tmp_path / "library.parquet")
    check(frame, tmp_path)


def test_attrs_that_json_does_not_know(tmp_path: Path) -> None:
    df = pd.DataFrame({"a": [1]})
    df.attrs = {"x": object()}
    check(df, tmp_path)


class Frame(pd.DataFrame):
    """A frame with a writer of its own, as geopandas has."""

    def to_parquet(self, path: Any, **kwargs: Any) -> None:  # type: ignore[override]
        pd.DataFrame({"own": [1]}).to_parquet(path, **kwargs)


def test_subclass_with_its_own_writer(tmp_path: Path) -> None:
    check(Frame({"a": [1]}), tmp_path, "pandas")


def test_subclass_without_its_own_writer(tmp_path: Path) -> None:
    class Plain(pd.DataFrame):
        pass

    check(Plain({"a": [1]}), tmp_path)


POLARS_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    *[({"compression": c}, "go") for c in ("snappy", "zstd", "gzip", "brotli", "lz4", "uncompressed")],
    *[({"compression": "zstd", "compression_level": n}, "go") for n in (1, 22)],
    *[({"compression": "gzip", "compression_level": n}, "go") for n in (0, 9)],
    *[({"compression": "brotli", "compression_level": n}, "go") for n in (0, 11)],
    ({"compression": "snappy", "compression_level": 3}, "polars"),
    ({"row_group_size": 1}, "go"),
    ({"row_group_size": 7}, "go"),
    ({"row_group_size": 64}, "go"),
    ({"row_group_size": 10**9}, "go"),
    ({"statistics": False}, "go"),
    ({"statistics": "full"}, "polars"),
    ({"statistics": {"min": False}}, "polars"),
    ({"data_page_size": 1000}, "go"),
    ({"use_pyarrow": True}, "polars"),
    ({"metadata": {"k": "v"}}, "polars"),
    ({"use_pyarrow": False, "mkdir": False}, "go"),
]
REFUSED_BY_POLARS: list[dict[str, Any]] = [
    {"compression": "foo"},
    {"compression": "ZSTD"},
    {"compression": 5},
    {"compression": "zstd", "compression_level": 0},
    {"compression": "zstd", "compression_level": 23},
    {"compression": "gzip", "compression_level": 10},
    {"compression": "brotli", "compression_level": 12},
    {"row_group_size": -1},
    {"row_group_size": "many"},
    {"statistics": "some"},
    {"no_such_argument": 1},
]


@pytest.mark.parametrize(("kwargs", "engine"), POLARS_ARGUMENTS, ids=_id)
def test_polars_arguments(kwargs: dict[str, Any], engine: str, tmp_path: Path) -> None:
    check(cases.POLARS_FRAMES["sliced"](), tmp_path, engine, **kwargs)
    check(cases.POLARS_FRAMES["chunked"](), tmp_path, engine, **kwargs)


@pytest.mark.parametrize("kwargs", REFUSED_BY_POLARS, ids=_id)
def test_refused_by_polars(kwargs: dict[str, Any], tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1]})
    with pytest.raises(Exception):  # noqa: B017  whatever polars raises; check compares
        frame.write_parquet(tmp_path / "library.parquet", **kwargs)
    check(frame, tmp_path, **kwargs)


def test_several_row_groups_of_default_size(tmp_path: Path) -> None:
    rows = 2**20 + 5
    check(pd.DataFrame({"a": range(rows)}), tmp_path)
    check(pl.DataFrame({"a": range(rows)}), tmp_path)


def test_null_where_the_schema_forbids_it(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False)])
    check(pa.table([pa.array([1, None])], schema=schema), tmp_path)
