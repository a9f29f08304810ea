"""pandas' to_json, byte for byte; it is asked at test time."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import atio
from json_cases import JSON_ARGUMENTS, ORIENTS, OTHER_ARGUMENTS, json_frames
from support import names

FRAMES = json_frames()


def check(frame: pd.DataFrame, kwargs: dict[str, Any], directory: Path, engine: str | None = None) -> None:
    """Compare atio with pandas; ``engine`` is who has to make the bytes, if pandas can."""
    expected, actual = directory / "pandas" / "x.json", directory / "atio" / "x.json"
    for path in (expected, actual):
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
    before = names(actual.parent)
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        try:
            frame.to_json(expected, **kwargs)
        except Exception as e:
            with pytest.raises(Exception, match="") as raised:
                atio.write(frame, actual, **kwargs)
            assert raised.type is type(e)
            assert names(actual.parent) == before
            return
    with warnings.catch_warnings(record=True) as ours:
        warnings.simplefilter("always")
        result = atio.write(frame, actual, **kwargs)
    got, want = actual.read_bytes(), expected.read_bytes()
    if got != want:
        at = next((i for i, (g, w) in enumerate(zip(got, want, strict=False)) if g != w), min(len(got), len(want)))
        window = slice(max(0, at - 40), at + 40)
        pytest.fail(f"at byte {at}: {got[window]!r}, but pandas has {want[window]!r} ({kwargs})")
    assert {(w.category, str(w.message)) for w in ours} == {(w.category, str(w.message)) for w in theirs}
    assert (result.rows, result.bytes) == (len(frame), len(want))
    assert engine is None or result.engine == engine


@pytest.mark.parametrize("arguments", JSON_ARGUMENTS)
@pytest.mark.parametrize("frame", FRAMES)
def test_frame(frame: str, arguments: str, tmp_path: Path) -> None:
    check(FRAMES[frame], JSON_ARGUMENTS[arguments], tmp_path)


@pytest.mark.parametrize("arguments", OTHER_ARGUMENTS)
@pytest.mark.parametrize("frame", ["base", "times", "empty", "nested_beside", "index_duplicates"])
def test_other_arguments(frame: str, arguments: str, tmp_path: Path) -> None:
    check(FRAMES[frame], OTHER_ARGUMENTS[arguments], tmp_path, "pandas")


@pytest.mark.parametrize("arguments", JSON_ARGUMENTS)
@pytest.mark.parametrize(
    "frame", ["base", "floats", "texts", "nullable", "multi_index", "zones_beside", "dates_beside"]
)
def test_encoded_by_go(frame: str, arguments: str, tmp_path: Path) -> None:
    kwargs = JSON_ARGUMENTS[arguments]
    without = kwargs.get("orient") == "split" and kwargs.get("index") is False  # made of Python objects
    nested = kwargs.get("orient") == "split" and kwargs.get("indent", 0) > 0 and frame == "multi_index"  # its labels
    by_pandas = nested or (without and frame == "zones_beside")
    check(FRAMES[frame], kwargs, tmp_path, "pandas" if by_pandas else "go")


def test_many_rows(tmp_path: Path) -> None:
    """Tasks of several cores, in order."""
    rows = 50_000
    frame = pd.DataFrame(
        {
            "x": np.random.default_rng(0).normal(size=rows),
            "s": [f"text {i}/é" for i in range(rows)],
            "c": pd.Categorical([f"category {i % 1000}" for i in range(rows)]),
            "t": pd.date_range("2000-01-01", periods=rows, freq="37min"),
        }
    )
    for orient in ORIENTS:
        check(frame, {"orient": orient}, tmp_path, "go")


def test_every_precision(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=20_000) * 10.0 ** random.integers(-17, 18, 20_000)
    ties = np.array([n + f for n in range(50) for f in (0.5, 0.25, 0.125, 0.0625, 0.375)])
    frame = pd.DataFrame({"x": np.concatenate([x, ties, -ties, ties / 1e5])})
    for precision in range(16):
        check(frame, {"orient": "values", "double_precision": precision}, tmp_path, "go")


def test_a_frame_with_its_own_to_json(tmp_path: Path) -> None:
    class Odd(pd.DataFrame):
        def to_json(self, path: Any, **_: object) -> None:
            Path(path).write_text("odd\n")

    atio.write(Odd({"a": [1]}), tmp_path / "x.json")
    assert (tmp_path / "x.json").read_text() == "odd\n"


def test_series(tmp_path: Path) -> None:
    series = pd.Series([1, 2], name="a", index=["x", "y"])
    result = atio.write(series, tmp_path / "x.json")
    assert (tmp_path / "x.json").read_text() == series.to_json()
    assert result.engine == "pandas"


def test_chunks(tmp_path: Path) -> None:
    """Each has labels and types of its own."""
    chunks = [pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"b/": ["x"], "a": [None]}), pd.DataFrame({"a": [1.5]})]
    result = atio.write(iter(chunks), tmp_path / "x.json", orient="records", lines=True)
    assert (result.engine, result.rows) == ("go", 4)
    want = "".join(c.to_json(orient="records", lines=True) for c in chunks)
    assert (tmp_path / "x.json").read_text() == want
    result = atio.write(iter(chunks), tmp_path / "y.json", orient="records")
    assert (tmp_path / "y.json").read_text() == "[" + want.strip().replace("\n", ",") + "]"
    for orient in ("columns", "index", "split", "table"):
        with pytest.raises(ValueError, match="pass one frame"):
            atio.write(iter(chunks), tmp_path / "z.json", orient=orient)
    assert names(tmp_path) == {"x.json", ".x.json._SUCCESS", "y.json", ".y.json._SUCCESS"}


def test_chunks_of_objects(tmp_path: Path) -> None:
    chunks = [pd.DataFrame({"a": [{"k": 1}], "i": [1]}), pd.DataFrame({"a": [[2]], "i": [2]})]
    result = atio.write(iter(chunks), tmp_path / "x.json", orient="records", lines=True)
    assert (tmp_path / "x.json").read_text() == '{"a":{"k":1},"i":1}\n{"a":[2],"i":2}\n'
    assert result.engine == "pandas"


def test_appending_lines(tmp_path: Path) -> None:
    """What is there stays, and what comes is whole or not there."""
    frame = FRAMES["base"]
    kwargs: dict[str, Any] = {"orient": "records", "lines": True, "mode": "a"}
    for _ in range(3):
        atio.write(frame, tmp_path / "x.json", **kwargs)
        frame.to_json(tmp_path / "y.json", **kwargs)
    assert (tmp_path / "x.json").read_bytes() == (tmp_path / "y.json").read_bytes()
    atio.verify(tmp_path / "x.json")
    with pytest.raises(ValueError, match="reject"):
        atio.write(frame, tmp_path / "x.json", validate=_reject, **kwargs)
    assert (tmp_path / "x.json").read_bytes() == (tmp_path / "y.json").read_bytes()


def _reject(_: object) -> None:
    raise ValueError("reject")


@pytest.mark.parametrize(
    ("name", "kwargs", "engine"),
    [
        ("x.json.gz", {}, "go"),
        ("x.json.gz", {"orient": "records", "lines": True}, "go"),
        ("x.json", {"compression": "gzip"}, "go"),
        ("x.json.gz", {"compression": None}, "go"),
        ("x.json.gz", {"compression": {"method": "gzip", "compresslevel": 1}, "orient": "table"}, "go"),
        ("x.json.bz2", {}, "pandas"),
        ("x.json.xz", {"orient": "split"}, "pandas"),
        ("x.json.zip", {}, "pandas"),
        ("x.json.tar", {}, "pandas"),
        ("x.json.tar.gz", {}, "pandas"),
    ],
)
def test_compressed(name: str, kwargs: dict[str, Any], engine: str, tmp_path: Path) -> None:
    for frame in (FRAMES["random"], FRAMES["empty"]):
        expected, actual = tmp_path / f"theirs-{name}", tmp_path / name
        frame.to_json(expected, **kwargs)
        assert atio.write(frame, actual, **kwargs).engine == engine
        codec = kwargs.get("compression", "infer")
        if engine == "go" and codec is not None:
            assert gzip.decompress(actual.read_bytes()) == gzip.decompress(expected.read_bytes())
        reading = {"orient": kwargs.get("orient"), "lines": kwargs.get("lines", False), "compression": codec}
        pd.testing.assert_frame_equal(pd.read_json(actual, **reading), pd.read_json(expected, **reading))


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
COLUMN = st.one_of(
    st.lists(st.floats() | st.none(), min_size=6, max_size=6).map(lambda v: pd.Series(v, dtype="float64")),
    st.lists(st.floats(width=32), min_size=6, max_size=6).map(lambda v: pd.Series(v, dtype="float32")),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=6, max_size=6).map(lambda v: pd.Series(v, dtype="int64")),
    st.lists(st.integers(0, 2**64 - 1) | st.none(), min_size=6, max_size=6).map(lambda v: pd.Series(v, dtype="UInt64")),
    st.lists(TEXT | st.none(), min_size=6, max_size=6).map(lambda v: pd.Series(v, dtype=object)),
    st.lists(TEXT | st.none(), min_size=6, max_size=6).map(lambda v: pd.Series(pd.Categorical(v))),
    st.lists(st.booleans() | st.none(), min_size=6, max_size=6).map(lambda v: pd.Series(v, dtype="boolean")),
    st.lists(st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)) | st.none(), min_size=6, max_size=6).map(
        lambda v: pd.Series(np.array(v, "M8[us]"))
    ),
    st.lists(st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)), min_size=6, max_size=6).map(
        lambda v: pd.Series(np.array(v, "M8[us]")).dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    ),
    st.lists(st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999)), min_size=6, max_size=6).map(
        lambda v: pd.Series(np.array(v, "m8[us]"))
    ),
    st.lists(
        st.recursive(
            st.one_of(
                st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), TEXT, st.dates()
            ),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
            max_leaves=6,
        ),
        min_size=6,
        max_size=6,
    ).map(lambda v: pd.Series(v, dtype=object)),
)  # fmt: skip
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "date_format": st.sampled_from(["iso", "epoch"]),
        "date_unit": st.sampled_from(["s", "ms", "us", "ns"]),
        "double_precision": st.integers(0, 15),
        "force_ascii": st.booleans(),
        "indent": st.sampled_from([None, 0, 1, 3]),
    },
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.dictionaries(TEXT, COLUMN, max_size=5),
    index=st.none() | st.lists(TEXT, min_size=6, max_size=6),
    orient=st.sampled_from([None, *ORIENTS]),
    kwargs=ARGUMENTS,
)
def test_any_frame(
    columns: dict[str, pd.Series], index: list[str] | None, orient: str | None, kwargs: dict[str, Any], tmp_path: Path
) -> None:
    frame = pd.DataFrame(columns)
    if index is not None and len(frame):
        frame.index = pd.Index(index)
    check(frame, {"orient": orient, **kwargs}, tmp_path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.dictionaries(TEXT.filter(lambda s: "\0" not in s), COLUMN, min_size=1, max_size=4), plain=st.booleans()
)
def test_lines_are_json(columns: dict[str, pd.Series], plain: bool, tmp_path: Path) -> None:
    """Each line is read by another reader, and holds the labels."""
    frame = pd.DataFrame(columns)
    kwargs = {"orient": "records", "lines": True, "force_ascii": plain}
    check(frame, kwargs, tmp_path)
    written = tmp_path / "atio" / "x.json"
    for line in written.read_text().split("\n")[:-1] if written.exists() else []:
        assert list(json.loads(line)) == list(columns)


def test_floats_read_back(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.round(np.random.default_rng(1).normal(size=1000), 6)})
    atio.write(frame, tmp_path / "x.json", orient="values")
    got = pd.read_json(tmp_path / "x.json")[0].to_numpy()
    assert all(math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-10) for a, b in zip(got, frame["x"], strict=True))


def test_dictionary_with_strings_of_arrow(tmp_path: Path) -> None:
    kind = pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))
    check(pd.DataFrame({"c": pd.Series(["a", None, "a"], dtype=kind), "i": [1, 2, 3]}), {}, tmp_path)
