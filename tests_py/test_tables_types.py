"""What is stored in a table comes back as it went in: every type of pandas, polars and NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pyarrow as pa
import pytest

import atio
from table_cases import NUMPY_OBJECTS, PANDAS_COLUMNS, PANDAS_INDEXES, POLARS_COLUMNS


@pytest.mark.parametrize("name", PANDAS_COLUMNS)
def test_pandas_column(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"c": PANDAS_COLUMNS[name], "n": [1, 2, 3]})
    atio.write_snapshot(frame, tmp_path / "t")
    got = atio.read_table(tmp_path / "t")
    assert list(got.dtypes) == list(frame.dtypes)
    pd.testing.assert_frame_equal(got, frame)
    if frame.dtypes["c"] == "category":
        assert list(got["c"].cat.categories) == list(frame["c"].cat.categories)
        assert got["c"].cat.ordered == frame["c"].cat.ordered
    assert atio.read_table(tmp_path / "t", output_as="arrow").schema.equals(pa.Table.from_pandas(frame).schema)
    eager = atio.read_table(tmp_path / "t", output_as="polars")
    polars.testing.assert_frame_equal(atio.read_table(tmp_path / "t", output_as="lazy").collect(), eager)
    assert atio.read_table(tmp_path / "t", output_as="reader").read_all().num_rows == 3
    assert len(atio.read_table(tmp_path / "t", output_as="numpy")["c"]) == 3
    atio.write_snapshot(frame, tmp_path / "t", mode="append")
    pd.testing.assert_frame_equal(atio.read_table(tmp_path / "t"), pd.concat([frame, frame], ignore_index=True))


@pytest.mark.parametrize("name", PANDAS_INDEXES)
def test_pandas_index(name: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"v": [1, 2, 3], "w": [4, 5, 6]}, index=PANDAS_INDEXES[name])
    frame.attrs = {"unit": "m"}
    atio.write_snapshot(frame, tmp_path / "t")
    got = atio.read_table(tmp_path / "t")
    pd.testing.assert_frame_equal(got, frame, check_freq=False)
    assert got.attrs == frame.attrs
    pd.testing.assert_frame_equal(atio.read_table(tmp_path / "t", columns=["w"]), frame[["w"]], check_freq=False)
    some = atio.read_table(tmp_path / "t", filters=[("v", ">", 1)])
    expected = frame[frame["v"] > 1]
    if isinstance(frame.index, pd.RangeIndex):
        expected = expected.reset_index(drop=True).rename_axis(frame.index.name)
    pd.testing.assert_frame_equal(some, expected, check_freq=False)
    atio.write_snapshot(frame, tmp_path / "t", mode="append")
    twice = pd.concat([frame, frame])
    if isinstance(frame.index, pd.RangeIndex):
        twice = twice.reset_index(drop=True)
    pd.testing.assert_frame_equal(atio.read_table(tmp_path / "t"), twice, check_freq=False, check_names=name != "range")


@pytest.mark.parametrize(
    "columns",
    [pd.Index([0, 1]), pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]), pd.Index(["ä b", "c,d"], name="names")],
    ids=["int", "multi", "named"],
)
def test_pandas_columns_of_columns(columns: pd.Index, tmp_path: Path) -> None:
    frame = pd.DataFrame([[1, 2.5], [3, 4.5]], columns=columns)
    atio.write_snapshot(frame, tmp_path / "t")
    pd.testing.assert_frame_equal(atio.read_table(tmp_path / "t"), frame)


def test_pandas_series_and_no_rows(tmp_path: Path) -> None:
    atio.write_snapshot(pd.Series([1, 2], name="s"), tmp_path / "s")
    assert atio.read_table(tmp_path / "s")["s"].tolist() == [1, 2]
    frame = pd.DataFrame({"a": pd.Series([], dtype="int32"), "b": pd.Series([], dtype="str")})
    atio.write_snapshot(frame, tmp_path / "t")
    pd.testing.assert_frame_equal(atio.read_table(tmp_path / "t"), frame)
    for output in ("polars", "arrow", "lazy", "reader", "numpy"):
        got = atio.read_table(tmp_path / "t", output_as=output)
        names = (
            got.schema.names if output in ("arrow", "reader") else got if output == "numpy" else got.collect_schema()
        )
        assert set(names) == {"a", "b"}


@pytest.mark.parametrize("name", POLARS_COLUMNS)
def test_polars_column(name: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"c": POLARS_COLUMNS[name], "n": [1, 2, 3]})
    atio.write_snapshot(frame, tmp_path / "t")
    for output in ("polars", "lazy"):
        got = atio.read_table(tmp_path / "t", output_as=output).lazy().collect()
        assert got.schema == frame.schema, output
        polars.testing.assert_frame_equal(got, frame)
    for output in ("pandas", "arrow", "numpy"):
        assert len(atio.read_table(tmp_path / "t", output_as=output)) in (2, 3)
    atio.write_snapshot(frame, tmp_path / "t", mode="append")
    got = atio.read_table(tmp_path / "t", output_as="polars")
    assert got.schema == frame.schema
    polars.testing.assert_frame_equal(got, pl.concat([frame, frame]))


def test_all_polars_columns_at_once(tmp_path: Path) -> None:
    frame = pl.DataFrame(POLARS_COLUMNS)
    atio.write_snapshot(frame, tmp_path / "t")
    polars.testing.assert_frame_equal(atio.read_table(tmp_path / "t", output_as="polars"), frame)
    polars.testing.assert_frame_equal(
        atio.read_table(tmp_path / "t", output_as="polars", columns=["Enum", "Int128"]), frame.select("Enum", "Int128")
    )


@pytest.mark.parametrize("name", NUMPY_OBJECTS)
def test_numpy(name: str, tmp_path: Path) -> None:
    written = NUMPY_OBJECTS[name]
    atio.write_snapshot(written, tmp_path / "t")
    same(atio.read_table(tmp_path / "t", output_as="numpy"), written)


def same(got: Any, written: Any) -> None:
    assert type(got) is type(written)
    if isinstance(written, dict):
        assert list(got) == list(written)
        for key in written:
            same(got[key], written[key])
        return
    assert (got.dtype, got.shape) == (written.dtype, written.shape)
    assert got.flags.writeable
    np.testing.assert_array_equal(got, written)
    if isinstance(written, np.ma.MaskedArray):
        assert got.mask.tolist() == written.mask.tolist()


def test_numpy_appended(tmp_path: Path) -> None:
    matrix, cube = np.arange(6).reshape(2, 3), np.arange(24.0).reshape(2, 3, 4)
    for name, array in ("m", matrix), ("c", cube):
        atio.write_snapshot(array, tmp_path / name)
        atio.write_snapshot(array + 100, tmp_path / name, mode="append")
        got = atio.read_table(tmp_path / name, output_as="numpy")
        np.testing.assert_array_equal(got, np.concatenate([array, array + 100]))
    np.testing.assert_array_equal(atio.read_table(tmp_path / "m").to_numpy()[:2], matrix)
    np.testing.assert_array_equal(atio.read_table(tmp_path / "m", output_as="numpy", columns=["2"])[:2], matrix[:, 2:])


UNION = pa.UnionArray.from_dense(pa.array([0], "int8"), pa.array([0], "int32"), [pa.array([1])])


@pytest.mark.parametrize(
    ("frame", "column"),
    [
        (pd.DataFrame({"ok": [1, 2], "mixed": [1, "a"]}), "mixed"),
        (pd.DataFrame({"mixed": [1, 2.5]}, dtype=object), "mixed"),
        (pd.DataFrame({"mixed": ["a", b"b"]}), "mixed"),
        (pd.DataFrame({"complex": [1j]}), "complex"),
        (pd.DataFrame({"objects": [object()]}), "objects"),
        (pd.DataFrame({"a": [1], "A": [2]}), "A"),
        (pl.DataFrame({"objects": pl.Series([object()], dtype=pl.Object)}), "objects"),
        (
            pa.table(
                {"union": pa.UnionArray.from_dense(pa.array([0], "int8"), pa.array([0], "int32"), [pa.array([1])])}
            ),
            "union",
        ),
        (pa.table({"huge": pa.array([1], pa.decimal256(50, 0))}), "huge"),
        ({"ok": np.arange(2), "long": np.zeros(2, "longdouble")}, "long"),
        (np.array([(1, b"x")], [("n", "i4"), ("raw", "V3")]), "raw"),
    ],
    ids=str,
)
def test_refused_by_column(frame: Any, column: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=f"['\" ]{column}['\" ]"):
        atio.write_snapshot(frame, tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"big": pl.Series([10**38], dtype=pl.Int128)}),
        pd.DataFrame({"big": [10**30]}),
        pa.table({"big": pa.array([2**62], pa.timestamp("s"))}),
    ],
    ids=["128 bits", "Python's int", "seconds"],
)
def test_values_that_do_not_fit(frame: Any, tmp_path: Path) -> None:
    with pytest.raises((ValueError, OverflowError), match=r"big|too large"):
        atio.write_snapshot(frame, tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_rounded(tmp_path: Path) -> None:
    """Nanoseconds after whole microseconds, units after other units, integers with nulls beyond 2**53."""
    whole = pa.table({"t": pa.array([1_000, 2_000], pa.timestamp("ns"))})
    fine = pa.table({"t": pa.array([1_001], pa.timestamp("ns"))})
    atio.write_snapshot(whole, tmp_path / "t")
    try:
        atio.write_snapshot(fine, tmp_path / "t", mode="append")
    except ValueError:
        assert atio.read_table(tmp_path / "t", output_as="arrow")["t"].to_pylist() == whole["t"].to_pylist()
    else:
        expected = [*whole["t"].to_pylist(), *fine["t"].to_pylist()]
        assert atio.read_table(tmp_path / "t", output_as="arrow")["t"].to_pylist() == expected

    atio.write_snapshot(pa.table({"d": pa.array([1], pa.duration("ns"))}), tmp_path / "d")
    milliseconds = pa.table({"d": pa.array([1], pa.duration("ms"))})
    try:
        atio.write_snapshot(milliseconds, tmp_path / "d", mode="append")
    except ValueError as e:
        assert "d" in str(e)
    else:
        got = atio.read_table(tmp_path / "d", output_as="arrow")["d"].cast(pa.int64())
        assert got.to_pylist() == [1, 1_000_000]

    atio.write_snapshot(pd.DataFrame({"i": [2**60 + 1]}), tmp_path / "i")
    atio.write_snapshot(pd.DataFrame({"j": [2**60 + 3]}), tmp_path / "i", mode="append", schema_mode="merge")
    got = atio.read_table(tmp_path / "i")
    assert got["i"].dropna().tolist() == [2**60 + 1]
    assert got["j"].dropna().tolist() == [2**60 + 3]


def test_between_libraries(tmp_path: Path) -> None:
    written = pd.DataFrame(
        {
            "n": [1, 2, 3],
            "s": ["a", None, "c"],
            "c": pd.Categorical(["x", "y", "x"]),
            "t": pd.date_range("2024", periods=3, tz="UTC", unit="us"),
        },
        index=pd.Index([7, 8, 9], name="key"),
    )
    atio.write_snapshot(written, tmp_path / "pandas")
    got = atio.read_table(tmp_path / "pandas", output_as="polars")
    polars.testing.assert_frame_equal(got, pl.from_pandas(written, include_index=True).select(got.columns))

    frame = pl.DataFrame({"n": [1, None], "s": ["a", None], "e": pl.Series(["y", "x"], dtype=pl.Enum(["y", "x"]))})
    atio.write_snapshot(frame, tmp_path / "polars")
    got = atio.read_table(tmp_path / "polars")
    pd.testing.assert_frame_equal(got, frame.to_pandas())
    assert atio.read_table(tmp_path / "polars", output_as="arrow").schema.field("s").type == pa.large_string()

    # Texts, wider and narrower numbers, and nothing but nulls are appended to what they fit.
    atio.write_snapshot(written.astype({"n": "int8", "c": "str"}), tmp_path / "pandas", mode="append")
    got = atio.read_table(tmp_path / "pandas")
    assert got.dtypes["n"] == "int64"
    assert got["c"].tolist() == ["x", "y", "x"] * 2
    empty = pd.DataFrame({"n": [4], "s": [None], "c": [None], "t": [None]}, index=pd.Index([1], name="key"))
    atio.write_snapshot(empty, tmp_path / "pandas", mode="append")
    assert atio.read_table(tmp_path / "pandas")["s"].isna().sum() == 3


def test_categories_that_come_later(tmp_path: Path) -> None:
    for values in ["b", "a"], ["c", "a"], ["d", "b"]:
        atio.write_snapshot(pd.DataFrame({"c": pd.Categorical(values, values)}), tmp_path / "t", mode="append")
    got = atio.read_table(tmp_path / "t")["c"]
    assert got.tolist() == ["b", "a", "c", "a", "d", "b"]
    assert list(got.cat.categories) == ["b", "a", "c", "d"]
    many = pd.DataFrame({"c": pd.Categorical([f"{i}" for i in range(300)])})
    atio.write_snapshot(many, tmp_path / "t", mode="append")
    assert atio.read_table(tmp_path / "t")["c"].tolist()[6:] == many["c"].tolist()
