"""CSV is what the libraries' own writers make, byte for byte; they are asked at test time."""

from __future__ import annotations

import contextlib
import datetime as dt
import warnings
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import atio
from csv_cases import PANDAS_ARGUMENTS, POLARS_ARGUMENTS, pandas_frames, polars_frames

PANDAS = pandas_frames()
POLARS = polars_frames()
WRITERS = {"pandas": "to_csv", "polars": "write_csv"}

Write = Callable[..., object]


@contextlib.contextmanager
def library_warnings_ignored() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check(frame: Any, kwargs: dict[str, Any], directory: Path, engine: str | None) -> None:
    """Compare atio with the library; ``engine`` is who has to make the bytes, if the library can."""
    library = type(frame).__module__.partition(".")[0]
    expected, actual = directory / "library" / "x.csv", directory / "atio" / "x.csv"
    expected.parent.mkdir(exist_ok=True)
    actual.parent.mkdir(exist_ok=True)
    with library_warnings_ignored():
        try:
            getattr(frame, WRITERS[library])(expected, **kwargs)
        except BaseException as e:  # polars panics with one that is no Exception
            with pytest.raises(type(e)):
                atio.write(frame, actual, **kwargs)
            assert list(actual.parent.iterdir()) == []
            return
        result = atio.write(frame, actual, **kwargs)
    got, want = actual.read_bytes(), expected.read_bytes()
    if got != want:
        at = next((i for i, (g, w) in enumerate(zip(got, want, strict=False)) if g != w), min(len(got), len(want)))
        window = slice(max(0, at - 40), at + 40)
        pytest.fail(f"at byte {at}: {got[window]!r}, but {library} has {want[window]!r} ({kwargs})")
    assert result.rows == len(frame)
    assert result.bytes == len(want)
    if engine is not None:
        assert result.engine == engine


def engine_of(frame: bool | None, arguments: bool | None, library: str) -> str | None:
    """Who writes; ``None`` where that depends on what other columns there are."""
    if frame is False or arguments is False:
        return library
    return "go" if frame and arguments else None


def takes_long(frame: str, arguments: str) -> bool:
    """Whether a long frame has been written in this way before, by another case."""
    if len(PANDAS[frame][0]) < 10_000 or arguments in ("plain", "no_index", "float_format"):
        return False
    return "times" not in frame or arguments == "chunksize" or not PANDAS_ARGUMENTS[arguments][1]


@pytest.mark.parametrize(
    ("frame", "arguments"), [(f, a) for f in PANDAS for a in PANDAS_ARGUMENTS if not takes_long(f, a)]
)
def test_pandas(frame: str, arguments: str, tmp_path: Path) -> None:
    df, go_takes_frame = PANDAS[frame]
    kwargs, go_takes_arguments = PANDAS_ARGUMENTS[arguments]
    if frame == "no_columns":
        go_takes_frame = kwargs.get("index", True)  # then the index is a column
    check(df, kwargs, tmp_path, engine_of(go_takes_frame, go_takes_arguments, "pandas"))


@pytest.mark.parametrize("arguments", POLARS_ARGUMENTS)
@pytest.mark.parametrize("frame", POLARS)
def test_polars(frame: str, arguments: str, tmp_path: Path) -> None:
    df, go_takes_frame = POLARS[frame]
    kwargs, go_takes_arguments = POLARS_ARGUMENTS[arguments]
    check(df, kwargs, tmp_path, engine_of(go_takes_frame, go_takes_arguments, "polars"))


@pytest.mark.parametrize(
    "kwargs",
    [
        {"columns": ["s", "i"]},
        {"columns": ("f",), "index": False},
        {"columns": []},
        {"header": ["A", "B,", "", "D"]},
        {"header": ["A", "B", "C", "D"], "index": False},
        {"columns": ["f", "b"], "header": ["x", "y"]},
        {"index_label": ["id"]},
        {"index_label": ["id", "more"]},
        {"index_label": []},
        {"index_label": ""},
        {"encoding": "UTF-8"},
        {"na_rep": "x" * 32},
        {"sep": "|", "na_rep": "|"},
        {"float_format": "%d"},
        {"index_label": 7},
        {"header": [1, 2, 3, 4]},
        {"float_format": "nonsense"},
    ],
)
def test_pandas_arguments_of_one_frame(kwargs: dict[str, Any], tmp_path: Path) -> None:
    check(PANDAS["base"][0], kwargs, tmp_path, "go")


@pytest.mark.parametrize(
    "kwargs",
    [
        {"columns": ["nowhere"]},
        {"columns": "s"},
        {"header": ["too", "few"]},
        {"sep": ""},
        {"sep": "ab"},
        {"sep": "\n"},
        {"sep": '"'},
        {"sep": "é"},
        {"chunksize": 0},
        {"na_rep": 5},
        {"na_rep": "x" * 40},
        {"na_rep": "\ud800"},
        {"index": 0},
        {"quoting": 3},
        {"encoding": "nonsense"},
        {"compression": "nonsense"},
        {"nonsense": 1},
        {"errors": "ignore"},
        {"mode": "nonsense"},
    ],
)
def test_pandas_arguments_left_to_pandas(kwargs: dict[str, Any], tmp_path: Path) -> None:
    check(PANDAS["base"][0], kwargs, tmp_path, "pandas")


@pytest.mark.parametrize(
    "kwargs",
    [
        {"separator": ""},
        {"separator": "ab"},
        {"separator": "é"},
        {"batch_size": 0},
        {"null_value": 5},
        {"float_precision": -1},
        {"quote_style": "nonsense"},
        {"quote_char": "ab"},
        {"nonsense": 1},
        {"include_header": 0},
    ],
)
def test_polars_arguments_left_to_polars(kwargs: dict[str, Any], tmp_path: Path) -> None:
    check(POLARS["base"][0], kwargs, tmp_path, "polars")


def test_polars_dates_beyond_its_calendar(tmp_path: Path) -> None:
    check(pl.DataFrame({"t": pl.Series([2**62]).cast(pl.Datetime("ms"))}), {}, tmp_path, "polars")


def test_a_frame_with_its_own_to_csv(tmp_path: Path) -> None:
    class Odd(pd.DataFrame):
        def to_csv(self, path: Any, **_: object) -> None:
            Path(path).write_text("odd\n")

    atio.write(Odd({"a": [1]}), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "odd\n"


def test_chunks_have_each_their_own_types(tmp_path: Path) -> None:
    chunks = [
        pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2024-01-01", "2024-01-02"])}),
        pd.DataFrame({"a": [0.5, np.nan], "t": pd.to_datetime(["2024-01-01 10:00", None])}),
        pd.DataFrame({"a": ["x", None], "t": ["y", "z"]}),
    ]
    result = atio.write(iter(chunks), tmp_path / "x.csv", index=False)
    want = "".join(c.to_csv(index=False, header=i == 0) for i, c in enumerate(chunks))
    assert (tmp_path / "x.csv").read_text() == want
    assert (result.engine, result.rows) == ("go", 6)


def test_chunks_with_columns_that_pandas_formats(tmp_path: Path) -> None:
    odd = pd.DataFrame({"a": [1, 2], "o": [Decimal("1.5"), 'a,"b']})
    plain = pd.DataFrame({"a": [1, 2], "o": ["x,", "y"]})
    result = atio.write(iter([odd, plain]), tmp_path / "x.csv", index=False)
    want = odd.to_csv(index=False) + plain.to_csv(index=False, header=False)
    assert ((tmp_path / "x.csv").read_text(), result.engine) == (want, "pandas")
    with pytest.raises(ValueError, match="does not fit"):
        atio.write(iter([plain, odd]), tmp_path / "y.csv", index=False)


TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
MOMENT = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))
ROWS = st.lists(
    st.tuples(
        st.none() | st.floats(),
        st.none() | st.floats(width=32),
        st.none() | TEXT | st.text('",\r\n ab', max_size=10),
        st.integers(-(2**63), 2**63 - 1),
        st.none() | st.integers(0, 2**64 - 1),
        st.none() | MOMENT,
        st.none() | st.booleans(),
    ),
    max_size=12,
)
FREELY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FREELY
@given(
    rows=ROWS,
    unit=st.sampled_from(["s", "ms", "us", "ns"]),
    sep=st.sampled_from([",", ";", " ", "-", "0"]),
    index=st.booleans(),
)
def test_any_pandas_frame(rows: list[Any], unit: str, sep: str, index: bool, tmp_path: Path) -> None:
    f, g, s, i, u, t, b = ([r[k] for r in rows] for k in range(7))
    df = pd.DataFrame(
        {
            "f": np.array(f, np.float64),
            "g": np.array(g, np.float32),
            "s": np.array(s, object),
            "i": np.array(i, np.int64),
            "u": pd.array(u, dtype="UInt64"),
            "t": np.array(t, f"M8[{unit}]"),
            "b": pd.array(b, dtype="boolean"),
        }
    )
    check(df, {"sep": sep, "index": index}, tmp_path, "go")
    check(df[["s"]], {"index": False}, tmp_path, "go")


@FREELY
@given(rows=ROWS, unit=st.sampled_from(["ms", "us", "ns"]), sep=st.sampled_from([",", ";", " ", "-", "0"]), null=TEXT)
def test_any_polars_frame(rows: list[Any], unit: Any, sep: str, null: str, tmp_path: Path) -> None:
    f, g, s, i, u, t, b = ([r[k] for r in rows] for k in range(7))
    df = pl.DataFrame(
        {
            "f": pl.Series(f, dtype=pl.Float64),
            "g": pl.Series(g, dtype=pl.Float32),
            "s": pl.Series(s, dtype=pl.String),
            "i": pl.Series(i, dtype=pl.Int64),
            "u": pl.Series(u, dtype=pl.UInt64),
            "t": pl.Series(t, dtype=pl.Datetime(unit)),
            "b": pl.Series(b, dtype=pl.Boolean),
        }
    )
    check(df, {"separator": sep, "null_value": null}, tmp_path, "go")
