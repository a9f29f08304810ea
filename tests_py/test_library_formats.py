"""Formats that the libraries' own writers make in the stage: pickle and html, with each of their arguments."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import atio
from support import names, state

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "<ü>"], "c": [0.5, None]}, index=pd.Index(["i", "j"], name="key"))


# --- pickle ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [0, 2, 4, 5, -1])
def test_pickle_protocols(tmp_path: Path, protocol: int) -> None:
    for obj in (FRAME, FRAME["a"], FRAME.T, pd.Series([object], name="classes")):
        result = atio.write(obj, tmp_path / "x.pkl", protocol=protocol)
        assert (result.engine, result.rows) == ("pandas", len(obj))
        obj.to_pickle(tmp_path / "theirs.pkl", protocol=protocol)
        assert (tmp_path / "x.pkl").read_bytes() == (tmp_path / "theirs.pkl").read_bytes()


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zip", ".tar", ".tar.gz"])
def test_pickle_compressed_by_suffix(tmp_path: Path, suffix: str) -> None:
    result = atio.write(FRAME, tmp_path / f"x.pkl{suffix}")
    assert result.format == "pickle"
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / f"x.pkl{suffix}"), FRAME)


@pytest.mark.parametrize("compression", ["gzip", {"method": "gzip", "compresslevel": 1, "mtime": 1}, "xz", "zip", None])
def test_pickle_compressed_by_argument(tmp_path: Path, compression: Any) -> None:
    atio.write(FRAME, tmp_path / "x.pkl", compression=compression)
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / "x.pkl", compression=compression), FRAME)


def test_pickle_of_what_cannot_be_pickled(tmp_path: Path) -> None:
    atio.write(FRAME, tmp_path / "x.pkl")
    before = state(tmp_path)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        atio.write(pd.DataFrame({"a": [lambda: None]}), tmp_path / "x.pkl")
    with pytest.raises(ValueError, match="compression"):
        atio.write(FRAME, tmp_path / "x.pkl", compression="rar")
    assert state(tmp_path) == before


# --- html -----------------------------------------------------------------------------------------------------------

HTML: list[dict[str, Any]] = [
    {},
    {"index": False, "columns": ["b", "a"]},
    {"header": False, "na_rep": "-", "escape": False},
    {"classes": ["wide", "dark"], "table_id": "t", "border": 0, "justify": "left"},
    {"float_format": "{:.3f}".format, "formatters": {"a": "n{}".format}},
    {"max_rows": 1, "show_dimensions": True, "decimal": ",", "bold_rows": False},
    {"encoding": "latin-1"},
    {"encoding": "utf-16"},
]


@pytest.mark.parametrize("kwargs", HTML, ids=str)
def test_html(tmp_path: Path, kwargs: dict[str, Any]) -> None:
    result = atio.write(FRAME, tmp_path / "x.html", **kwargs)
    assert (result.engine, result.rows, result.format) == ("pandas", 2, "html")
    FRAME.to_html(tmp_path / "theirs.html", **kwargs)
    assert (tmp_path / "x.html").read_bytes() == (tmp_path / "theirs.html").read_bytes()


def test_html_of_a_series(tmp_path: Path) -> None:
    atio.write(FRAME["b"], tmp_path / "x.htm")
    assert (tmp_path / "x.htm").read_text(encoding="utf-8") == FRAME[["b"]].to_html()


@pytest.mark.parametrize("arguments", [{"buf": io.StringIO()}, {"nonsense": 1}, {"path": "elsewhere.html"}])
def test_html_goes_to_the_target_only(
    tmp_path: Path, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError):
        atio.write(FRAME, tmp_path / "x.html", **arguments)
    assert names(tmp_path) == set()


def test_characters_that_an_encoding_has_not(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        atio.write(pd.DataFrame({"a": ["数"]}), tmp_path / "x.html", encoding="latin-1")
    assert names(tmp_path) == set()


# --- every cell -----------------------------------------------------------------------------------------------------

OBJECTS: dict[str, Any] = {
    "pandas": FRAME,
    "polars": pl.DataFrame({"a": [1, 2]}),
    "numpy": np.arange(3),
    "pyarrow": pa.table({"a": [1]}),
    "dict": {"a": np.arange(3)},
}


@pytest.mark.parametrize(
    ("kind", "formats"),
    [
        ("pandas", "ndjson avro npy npz npz_compressed bin"),
        ("polars", "pickle html npy npz npz_compressed bin"),
        ("numpy", "parquet excel json ndjson pickle html ipc avro"),
        ("pyarrow", "excel json ndjson pickle html npy npz bin"),
        ("dict", "csv npy bin parquet json ipc avro"),
    ],
)
def test_cells_that_are_empty(tmp_path: Path, kind: str, formats: str) -> None:
    """A ValueError that names the formats there are."""
    for format in formats.split():
        with pytest.raises(ValueError, match=r"can be written as|npz or npz_compressed"):
            atio.write(OBJECTS[kind], tmp_path / "x", format)
    assert names(tmp_path) == set()
