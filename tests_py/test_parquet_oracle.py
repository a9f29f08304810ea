"""atio.write(frame, "x.parquet", **kw) against the file of the library's own writer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

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


def check(frame: Any, tmp_path: Path, by: str | None = "go", /, **kwargs: Any) -> None:
    """Both write the same, or both refuse."""
    ours, theirs = (Path(tempfile.mkdtemp(dir=tmp_path)) / "x.parquet" for _ in range(2))
    try:
        write_by_library(frame, theirs, **kwargs)
    except Exception as e:
        with pytest.raises(type(e)):
            atio.write(frame, ours, **kwargs)
        assert list(ours.parent.iterdir()) == []
        return
    result = atio.write(frame, ours, **kwargs)
    if by is not None:
        assert result.engine == by
    # polars cuts row groups to its liking unless told a size.
    same = library_of(frame) != "polars" or "row_group_size" in kwargs or len(frame) < 50_000
    assert differences(ours, theirs, same_row_groups=same) == []


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
    ({"compression": {"i": "zstd"}}, "library"),
    ({"row_group_size": 1}, "go"),
    ({"row_group_size": 7}, "go"),
    ({"row_group_size": 64}, "go"),
    ({"row_group_size": 10**12}, "go"),
    ({"write_statistics": False}, "go"),
    ({"write_statistics": ["i"]}, "library"),
    ({"use_dictionary": False}, "go"),
    ({"use_dictionary": ["s"]}, "library"),
    ({"data_page_size": 100}, "go"),
    ({"store_decimal_as_integer": True}, "go"),
    ({"version": "2.6"}, "go"),
    ({"version": "1.0"}, "library"),
    ({"coerce_timestamps": "ms"}, "library"),
    ({"data_page_version": "2.0"}, "library"),
    ({"store_schema": False}, "library"),
    ({"use_byte_stream_split": True, "use_dictionary": False}, "library"),
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
    ({"data_page_size": 1000}, "polars"),
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
