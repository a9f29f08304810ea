"""Every kind of object that can be written, every format of every library, every way to name a target."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

import atio

PANDAS = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 2.5], "c": ["x", "ü", None]})
POLARS = pl.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 2.5], "c": ["x", "ü", None]})
ARROW = pa.table({"a": [1, 2, 3], "b": [0.5, None, 2.5], "c": ["x", "ü", None]})


class OnlyStream:
    """Has nothing but the PyCapsule interface."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class OnlyArray:
    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: object | None = None) -> object:
        return self._batch.__arrow_c_array__(requested_schema)


def names(directory: Path) -> list[str]:
    return sorted(p.name for p in directory.iterdir())


# --- whole objects --------------------------------------------------------------------------------------------------

TABLES: dict[str, Callable[[], Any]] = {
    "pandas": lambda: PANDAS,
    "polars": lambda: POLARS,
    "polars lazy": lambda: POLARS.lazy().filter(pl.col("a") > 0),
    "pyarrow table": lambda: ARROW,
    "pyarrow batch": lambda: ARROW.to_batches()[0],
    "pyarrow reader": lambda: ARROW.to_reader(max_chunksize=1),
    "duckdb": lambda: duckdb.from_arrow(ARROW),
    "only a stream": lambda: OnlyStream(ARROW),
    "only an array": lambda: OnlyArray(ARROW.to_batches()[0]),
    "iterator of pandas": lambda: (PANDAS.iloc[i : i + 1].reset_index(drop=True) for i in range(3)),
    "iterator of polars": lambda: iter([POLARS[:1], POLARS[1:]]),
    "iterator of batches": lambda: iter(ARROW.to_batches(max_chunksize=1)),
    "iterator of streams": lambda: iter([OnlyStream(ARROW[:1]), OnlyStream(ARROW[1:])]),
    "list": lambda: [ARROW[:2], ARROW[2:]],
    "tuple": lambda: (POLARS[:2], POLARS[2:]),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_as_parquet(tmp_path: Path, kind: str) -> None:
    result = atio.write(TABLES[kind](), tmp_path / "x.parquet")
    assert (result.rows, result.engine) == (3, "go")
    assert_frame_equal(pl.read_parquet(tmp_path / "x.parquet").select("a", "b", "c"), POLARS)
    assert names(tmp_path) == [".x.parquet._SUCCESS", "x.parquet"]


@pytest.mark.parametrize("kind", TABLES)
def test_tables_as_csv(tmp_path: Path, kind: str) -> None:
    result = atio.write(TABLES[kind](), tmp_path / "x.csv")
    assert result.rows == 3
    assert_frame_equal(pl.read_csv(tmp_path / "x.csv").select("a", "b", "c"), POLARS)
    assert names(tmp_path) == [".x.csv._SUCCESS", "x.csv"]


def test_series(tmp_path: Path) -> None:
    atio.write(PANDAS["a"], tmp_path / "x.csv")
    PANDAS["a"].to_csv(tmp_path / "y.csv")
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()
    atio.write(PANDAS["a"], tmp_path / "x.parquet")
    assert pd.read_parquet(tmp_path / "x.parquet").equals(PANDAS[["a"]])
    atio.write(POLARS["c"], tmp_path / "z.csv")
    assert (tmp_path / "z.csv").read_text(encoding="utf-8") == POLARS["c"].to_frame().write_csv()


@pytest.mark.parametrize(
    ("library", "frame"),
    [
        ("pandas", pd.DataFrame()),
        ("pandas", pd.DataFrame({"a": pd.Series([], dtype="int64"), "b": pd.Series([], dtype="str")})),
        ("pandas", pd.DataFrame(index=[1, 2])),
        ("polars", pl.DataFrame()),
        ("polars", pl.DataFrame(schema={"a": pl.Int64, "b": pl.String})),
    ],
)
def test_empty_frames(tmp_path: Path, library: str, frame: Any) -> None:
    for suffix in ("csv", "parquet"):
        ours, theirs = tmp_path / f"ours.{suffix}", tmp_path / f"theirs.{suffix}"
        result = atio.write(frame, ours)
        assert result.rows == len(frame)
        getattr(frame, f"{'to' if library == 'pandas' else 'write'}_{suffix}")(theirs)
        if suffix == "csv":
            assert ours.read_bytes() == theirs.read_bytes()
        elif library == "pandas":
            pd.testing.assert_frame_equal(pd.read_parquet(ours), pd.read_parquet(theirs))
        else:
            assert_frame_equal(pl.read_parquet(ours), pl.read_parquet(theirs))


def test_a_frame_is_not_changed(tmp_path: Path) -> None:
    frame = PANDAS.copy()
    frame.attrs["source"] = "test"
    before = frame.copy(deep=True)
    for name in ("x.parquet", "x.csv", "x.json"):
        atio.write(frame, tmp_path / name)
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == {"source": "test"}


# --- formats --------------------------------------------------------------------------------------------------------

ARRAY = np.arange(6.0).reshape(2, 3)


def test_pandas_formats(tmp_path: Path) -> None:
    for name, read in {
        "x.xlsx": lambda p: pd.read_excel(p, index_col=0),
        "x.json": pd.read_json,
        "x.pkl": pd.read_pickle,
        "x.parquet": pd.read_parquet,
        "x.csv": lambda p: pd.read_csv(p, index_col=0),
        "x.html": lambda p: PANDAS if "<td>ü</td>" in p.read_text(encoding="utf-8") else None,
    }.items():
        assert atio.write(PANDAS, tmp_path / name).rows == 3
        pd.testing.assert_frame_equal(read(tmp_path / name), PANDAS)


def test_polars_formats(tmp_path: Path) -> None:
    for name, read in {
        "x.parquet": pl.read_parquet,
        "x.csv": pl.read_csv,
        "x.json": pl.read_json,
        "x.ndjson": pl.read_ndjson,
        "x.jsonl": pl.read_ndjson,
        "x.arrow": pl.read_ipc,
        "x.avro": pl.read_avro,
    }.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # polars on its own readers
            assert atio.write(POLARS, tmp_path / name).rows == 3
            assert_frame_equal(read(tmp_path / name), POLARS)
    atio.write(POLARS, tmp_path / "x.xlsx", worksheet="one")
    assert pd.read_excel(tmp_path / "x.xlsx", sheet_name="one")["a"].tolist() == [1, 2, 3]


def test_numpy_formats(tmp_path: Path) -> None:
    def same(name: str, save: Callable[[Path], object], **kwargs: Any) -> None:
        result = atio.write(ARRAY, tmp_path / name, **kwargs)
        assert (result.engine, result.rows) == ("go", 2)
        save(tmp_path / "theirs")
        theirs = next(p for p in tmp_path.glob("theirs*"))
        assert (tmp_path / name).read_bytes() == theirs.read_bytes()
        theirs.unlink()

    same("x.csv", lambda p: np.savetxt(p, ARRAY))
    same("y.csv", lambda p: np.savetxt(p, ARRAY, delimiter=",", fmt="%.3f"), delimiter=",", fmt="%.3f")
    same("x.npy", lambda p: np.save(p, ARRAY))
    same("x.dat", lambda p: np.save(p, ARRAY), format="npy")
    same("x.bin", lambda p: ARRAY.tofile(p))
    atio.write(ARRAY, tmp_path / "x.npz")
    assert np.array_equal(np.load(tmp_path / "x.npz")["arr_0"], ARRAY)
    for format in ("npz", "npz_compressed"):
        result = atio.write({"u": ARRAY, "v": [1, 2]}, tmp_path / "d.npz", format)
        with np.load(tmp_path / "d.npz") as loaded:
            assert sorted(loaded) == ["u", "v"]
            assert np.array_equal(loaded["u"], ARRAY)
        assert (result.rows, result.format) == (None, format)


def test_arrow_formats(tmp_path: Path) -> None:
    atio.write(ARROW, tmp_path / "x.feather")
    assert pa.feather.read_table(tmp_path / "x.feather").equals(ARROW)
    atio.write(ARROW, tmp_path / "x.csv", include_header=False)
    pa.csv.write_csv(ARROW, tmp_path / "y.csv", pa.csv.WriteOptions(include_header=False))
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()
    atio.write(ARROW.to_reader(max_chunksize=1), tmp_path / "z.csv", include_header=False)
    assert (tmp_path / "z.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zip"])
@pytest.mark.parametrize("inner", ["csv", "json"])
def test_compression_by_suffix(tmp_path: Path, inner: str, suffix: str) -> None:
    target = tmp_path / f"x.{inner}.{suffix}"
    assert atio.write(PANDAS, target).format == inner
    getattr(PANDAS, f"to_{inner}")(tmp_path / f"plain.{inner}")
    read = pd.read_csv if inner == "csv" else pd.read_json
    pd.testing.assert_frame_equal(read(target), read(tmp_path / f"plain.{inner}"))
    if suffix == "zip":
        import zipfile

        assert zipfile.ZipFile(target).namelist() == [f"x.{inner}"]


@pytest.mark.parametrize(
    ("obj", "format"),
    [
        (PANDAS, "avro"),
        (PANDAS, "npy"),
        (POLARS, "pickle"),
        (ARRAY, "parquet"),
        (ARROW, "excel"),
        ({"a": ARRAY}, "csv"),
    ],
)
def test_format_that_a_library_has_not(tmp_path: Path, obj: Any, format: str) -> None:
    with pytest.raises(ValueError, match=format):
        atio.write(obj, tmp_path / "x", format)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["x", "x.foo", "x.gz", ".csv.gz"])
def test_unknown_suffix(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"csv.*parquet.*excel"):
        atio.write(PANDAS, tmp_path / name)


def test_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'papyrus' is unknown.*parquet"):
        atio.write(PANDAS, tmp_path / "x.csv", "papyrus")


@pytest.mark.parametrize("obj", [None, "text", b"bytes", 3, object(), {1, 2}])
def test_objects_that_cannot_be_written(tmp_path: Path, obj: object) -> None:
    with pytest.raises(TypeError):
        atio.write(obj, tmp_path / "x.csv")
    assert names(tmp_path) == []


# --- arguments of the libraries -------------------------------------------------------------------------------------

REFUSED: list[tuple[str, Any, dict[str, Any]]] = [
    ("to_csv", PANDAS, {"nonsense": 1}),
    ("to_csv", PANDAS, {"columns": ["nope"]}),
    ("to_csv", PANDAS, {"sep": "ab"}),
    ("to_csv", PANDAS, {"compression": "rar"}),
    ("to_parquet", PANDAS, {"compression": "rar"}),
    ("to_parquet", PANDAS, {"nonsense": 1}),
    ("to_parquet", PANDAS, {"engine": "rar"}),
    ("to_parquet", pd.DataFrame({"a": [1, "x"]}), {}),
    ("to_parquet", pd.DataFrame([[1, 2]], columns=["a", "a"]), {}),
    ("to_json", PANDAS, {"orient": "nope"}),
    ("write_csv", POLARS, {"nonsense": 1}),
    ("write_csv", POLARS, {"separator": "ab"}),
    ("write_csv", POLARS.with_columns(l=pl.lit([1])), {}),
    ("write_parquet", POLARS, {"compression": "rar"}),
    ("write_parquet", POLARS, {"compression_level": 99}),
]


@pytest.mark.parametrize(("method", "frame", "kwargs"), REFUSED)
def test_what_the_library_refuses(tmp_path: Path, method: str, frame: Any, kwargs: dict[str, Any]) -> None:
    suffix = method.split("_")[1]
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    with pytest.raises(Exception) as expected:
        getattr(frame, method)(theirs / f"x.{suffix}", **kwargs)
    ours = tmp_path / "ours"
    ours.mkdir()
    atio.write(PANDAS, ours / f"x.{suffix}")
    before = {p.name: p.read_bytes() for p in ours.iterdir()}
    with pytest.raises(type(expected.value)):
        atio.write(frame, ours / f"x.{suffix}", **kwargs)
    assert {p.name: p.read_bytes() for p in ours.iterdir()} == before


def test_mode_a_appends(tmp_path: Path) -> None:
    for _ in range(2):
        atio.write(PANDAS, tmp_path / "x.csv", mode="a", header=False)
        PANDAS.to_csv(tmp_path / "y.csv", mode="a", header=False)
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()
    assert atio.verify(tmp_path / "x.csv").bytes == (tmp_path / "y.csv").stat().st_size


def test_mode_x_does_not_replace(tmp_path: Path) -> None:
    atio.write(PANDAS, tmp_path / "x.csv", mode="x")
    before = (tmp_path / "x.csv").read_bytes()
    with pytest.raises(FileExistsError):
        atio.write(PANDAS[:1], tmp_path / "x.csv", mode="x")
    assert (tmp_path / "x.csv").read_bytes() == before


@pytest.mark.parametrize("mode", ["w", "wb", "wt", "w+", "a", "ab", "at", "a+", "r+", "x", "xb", "xt"])
def test_modes_of_pandas(tmp_path: Path, mode: str) -> None:
    """To a file that is there and to one that is not: the same file as pandas leaves, or the same refusal."""
    for there in (True, False):
        outcomes = []
        for name, write in (("ours.csv", atio.write), ("theirs.csv", pd.DataFrame.to_csv)):
            target = tmp_path / name
            target.unlink(missing_ok=True)
            if there:
                target.write_text("long enough to be overwritten in part only, by what begins at its beginning\n" * 9)
            try:
                write(PANDAS, target, mode=mode)  # type: ignore[operator]
            except OSError as e:
                outcomes.append((type(e), target.read_bytes() if there else None))
            else:
                outcomes.append((None, target.read_bytes()))
        assert outcomes[0] == outcomes[1]


def test_mode_of_libraries_that_have_none(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("old")
    for obj in (POLARS, ARRAY, ARROW):
        for mode in ("a", "x"):
            with pytest.raises(TypeError, match="mode"):
                atio.write(obj, tmp_path / "x.csv", mode=mode)
    with pytest.raises(ValueError, match="mode"):
        atio.write(PANDAS, tmp_path / "x.json", mode="x")
    assert (tmp_path / "x.csv").read_text() == "old"


def test_rows_after_appending_are_not_those_of_the_last_part(tmp_path: Path) -> None:
    assert atio.write(PANDAS, tmp_path / "x.csv", mode="a").rows == 3
    assert atio.write(PANDAS, tmp_path / "x.csv", mode="a").rows is None
    assert json.loads((tmp_path / ".x.csv._SUCCESS").read_bytes())["rows"] is None


def test_names_in_npz_files(tmp_path: Path) -> None:
    """NumPy would drop an array of that name, or fail."""
    for name in ("allow_pickle", "file"):
        with pytest.raises(ValueError, match=name):
            atio.write({name: ARRAY, "other": ARRAY}, tmp_path / "x.npz")
    assert names(tmp_path) == []


def test_subclass_with_a_writer_of_its_own(tmp_path: Path) -> None:
    class Special(pd.DataFrame):
        def to_parquet(self, path: Any = None) -> None:  # type: ignore[override]
            Path(path).write_text("special")

    assert atio.write(Special({"a": [1]}), tmp_path / "x.parquet").engine == "pandas"
    assert (tmp_path / "x.parquet").read_text() == "special"


# --- chunks ---------------------------------------------------------------------------------------------------------


def test_exception_of_a_generator_arrives_unchanged(tmp_path: Path) -> None:
    atio.write(PANDAS, tmp_path / "x.parquet")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    error = RuntimeError("the sensor is gone")

    def chunks() -> Iterator[pd.DataFrame]:
        yield PANDAS
        raise error

    for suffix in ("parquet", "csv"):
        with pytest.raises(RuntimeError) as raised:
            atio.write(chunks(), tmp_path / f"x.{suffix}")
        assert raised.value is error
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_chunks_are_read_in_the_callers_thread(tmp_path: Path) -> None:
    """A cursor of sqlite3 may only be used in the thread that made it."""
    connection = sqlite3.connect(":memory:")
    PANDAS.to_sql("t", connection, index=False)
    for suffix in ("parquet", "csv"):
        atio.write(pd.read_sql("select * from t", connection, chunksize=1), tmp_path / f"x.{suffix}", index=False)
    connection.close()
    assert pd.read_parquet(tmp_path / "x.parquet")["a"].tolist() == [1, 2, 3]
    assert pd.read_csv(tmp_path / "x.csv")["a"].tolist() == [1, 2, 3]


def test_csv_of_chunks_is_that_of_the_whole(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": range(10), "b": [f"v{i}" for i in range(10)]})
    atio.write((frame[i : i + 3] for i in range(0, 10, 3)), tmp_path / "x.csv")
    frame.to_csv(tmp_path / "y.csv")
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()
    atio.write((frame[i : i + 3] for i in range(0, 10, 3)), tmp_path / "x.csv", quoting=1)  # by pandas
    frame.to_csv(tmp_path / "y.csv", quoting=1)
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()


def test_no_chunk_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no chunk"):
        atio.write(iter([]), tmp_path / "x.parquet")
    assert names(tmp_path) == []


def test_reader_without_batches(tmp_path: Path) -> None:
    atio.write(pa.RecordBatchReader.from_batches(ARROW.schema, []), tmp_path / "x.parquet")
    assert pq.read_table(tmp_path / "x.parquet").schema.names == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("first", "second", "error", "text"),
    [
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": ["x"]}), ValueError, "column 'a'"),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), ValueError, "column 'b'"),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1.5]}), ValueError, "column 'a'"),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": ["x"]}), ValueError, "column 'a'"),
        (pd.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), TypeError, "polars"),
        (pd.DataFrame({"a": [1]}), 3, TypeError, "int"),
    ],
)
def test_chunks_that_do_not_fit(tmp_path: Path, first: Any, second: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        atio.write(iter([first, second]), tmp_path / "x.parquet")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "chunks", "kwargs"),
    [
        ("x.csv", [pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"c": [3]})], {}),
        ("x.csv", [pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"c": [3]})], {"quoting": 1}),
        ("x.csv", [pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"b": [3], "a": [4]})], {}),
        ("x.csv", [pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"b": [3], "a": [4]})], {"quoting": 1}),
        ("x.csv", [PANDAS, PANDAS.set_index(["a", "b"])], {"quoting": 1}),
        ("x.csv", [pl.DataFrame({"a": [1], "b": [2]}), pl.DataFrame({"c": [3]})], {}),
        ("x.csv", [pl.DataFrame({"a": [1], "b": [2]}), pl.DataFrame({"b": [3], "a": [4]})], {"quote_style": "always"}),
        ("x.csv", [pa.table({"a": [1], "b": [2]}), pa.table({"b": [3], "a": [4]})], {}),
        ("x.csv", [np.ones((2, 2)), np.ones((2, 3))], {}),
        ("x.bin", [np.arange(3), np.arange(3.0)], {}),
    ],
)
def test_chunks_with_other_columns(tmp_path: Path, name: str, chunks: list[Any], kwargs: dict[str, Any]) -> None:
    """They would stand under the headings of the first."""
    with pytest.raises(ValueError, match="same columns"):
        atio.write(iter(chunks), tmp_path / name, **kwargs)
    assert names(tmp_path) == []


def test_chunks_of_which_some_columns_are_written(tmp_path: Path) -> None:
    chunks = [pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"c": [3], "a": [4]})]
    atio.write(iter(chunks), tmp_path / "x.csv", columns=["a"], index=False, quoting=1)
    assert (tmp_path / "x.csv").read_text() == '"a"\n"1"\n"4"\n'


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_compressed_chunks(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"x.csv.{suffix}"
    atio.write((PANDAS[i : i + 1] for i in range(3)), target)
    pd.testing.assert_frame_equal(pd.read_csv(target, index_col=0), PANDAS)


@pytest.mark.parametrize(
    ("suffix", "chunk"),
    [("zip", PANDAS), ("tar", PANDAS), ("tar.gz", PANDAS), ("gz", POLARS), ("gz", ARROW), ("gz", ARRAY)],
)
def test_chunks_that_cannot_be_compressed(tmp_path: Path, suffix: str, chunk: Any) -> None:
    with pytest.raises(ValueError, match=rf"suffix \.{suffix}"):
        atio.write(iter([chunk, chunk]), tmp_path / f"x.csv.{suffix}")
    assert names(tmp_path) == []


def test_chunks_are_cast_if_nothing_is_lost(tmp_path: Path) -> None:
    atio.write(iter([pd.DataFrame({"a": [0.5]}), pd.DataFrame({"a": [1]})]), tmp_path / "x.parquet")
    assert pd.read_parquet(tmp_path / "x.parquet")["a"].tolist() == [0.5, 1.0]


def test_open_writer(tmp_path: Path) -> None:
    with atio.open_writer(tmp_path / "x.parquet", compression="zstd") as writer:
        for i in range(4):
            writer.write(pl.DataFrame({"i": [i]}))
            assert names(tmp_path) == []
    assert writer.result.rows == 4
    assert pq.ParquetFile(tmp_path / "x.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    with pytest.raises(ValueError, match="closed"):
        writer.write(POLARS)
    with pytest.raises(ValueError, match="closed"):
        writer.close()


def test_writer_that_is_still_open_when_python_ends(tmp_path: Path) -> None:
    code = (
        "import sys, atio, pandas as pd\n"
        "writer = atio.open_writer(sys.argv[1])\n"
        "writer.write(pd.DataFrame({'x': range(1000)}))\n"
    )
    for _ in range(4):  # it went wrong two times in five
        done = subprocess.run([sys.executable, "-c", code, tmp_path / "x.csv"], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert names(tmp_path) == []


def test_open_writer_aborts(tmp_path: Path) -> None:
    error = KeyboardInterrupt()
    writer = atio.open_writer(tmp_path / "x.csv")

    def use() -> None:
        with writer:
            writer.write(PANDAS)
            raise error

    with pytest.raises(KeyboardInterrupt) as raised:
        use()
    assert raised.value is error
    with pytest.raises(ValueError, match="no result"):
        _ = writer.result
    forgotten = atio.open_writer(tmp_path / "x.csv")
    forgotten.write(PANDAS)
    del forgotten
    assert names(tmp_path) == []


# --- targets --------------------------------------------------------------------------------------------------------


def test_ways_to_name_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for target, path in {
        "relative.csv": "relative.csv",
        "~/home.csv": "home.csv",
        f"file://{tmp_path}/a%20url.csv": "a url.csv",
        f"file://{tmp_path}/%FF.csv": os.fsdecode(b"\xff.csv"),
        "ümläut und leer.csv": "ümläut und leer.csv",
        os.fsdecode(b"not-\xff-utf8.csv"): os.fsdecode(b"not-\xff-utf8.csv"),
        "UPPER.CSV": "UPPER.CSV",
        "new\nline.csv": "new\nline.csv",
    }.items():
        result = atio.write(PANDAS, target, index=False)
        assert result.path == str(tmp_path / path)
        assert len(pd.read_csv(tmp_path / path)) == 3
        assert atio.verify(target).rows == 3


class Named(os.PathLike[str]):
    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)


def test_path_like(tmp_path: Path) -> None:
    assert atio.write(PANDAS, Named(tmp_path / "x.csv")).path == str(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (None, TypeError),
        (3, TypeError),
        ("", ValueError),
        ("a\0b.csv", ValueError),
        ("dir/", IsADirectoryError),
        ("s3://key:secret@bucket/x.csv", ValueError),
        ("file://elsewhere/x.csv", ValueError),
    ],
)
def test_targets_that_are_none(target: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        atio.write(PANDAS, target)
    assert "secret" not in str(raised.value)


def test_storage_options_of_a_local_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="storage_options"):
        atio.write(PANDAS, tmp_path / "x.csv", storage_options={"key": "secret"})
