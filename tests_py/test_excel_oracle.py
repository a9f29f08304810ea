"""Workbooks are what pandas and polars write, cell by cell."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import atio
from excel_cases import (
    BY_POLARS,
    LEVELS,
    PANDAS,
    POLARS,
    TO_EXCEL,
    TO_EXCEL_NUMBERS,
    WRITE_EXCEL,
    WRITE_EXCEL_NUMBERS,
)  # fmt: skip
from excel_compare import content, differences, same

ENGINES = ["openpyxl", "xlsxwriter"]

#: Frames of LEVELS whose rows pandas may merge by texts that differ from values.
TO_PANDAS = {"floats in rows", "empty texts in rows", "missing in rows"}


def compare(frame: Any, kwargs: dict[str, Any], directory: Path, engine: str | None = "go") -> None:
    """Write a frame by atio and by its library, and compare."""
    ours, theirs = directory / "ours.xlsx", directory / "theirs.xlsx"
    theirs.unlink(missing_ok=True)
    pandas = isinstance(frame, pd.DataFrame)
    error: BaseException | None = None
    try:
        frame.to_excel(theirs, **kwargs) if pandas else frame.write_excel(theirs, **kwargs)
    except Exception as e:
        error = e
    if error is not None:
        with pytest.raises(type(error)):
            atio.write(frame, ours, durable=False, **kwargs)
        return
    result = atio.write(frame, ours, durable=False, **kwargs)
    assert result.rows == len(frame)
    if engine is not None:
        assert result.engine == engine, kwargs
    assert not differences(ours, theirs), kwargs


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", PANDAS)
def test_pandas(name: str, engine: str, tmp_path: Path) -> None:
    for kwargs in TO_EXCEL + (TO_EXCEL_NUMBERS if name == "numbers" else []):
        compare(PANDAS[name], kwargs | {"engine": engine}, tmp_path)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", LEVELS)
def test_levels(name: str, engine: str, tmp_path: Path) -> None:
    for kwargs in [*TO_EXCEL, {"merge_cells": "columns"}, {"merge_cells": False, "header": False}]:
        compare(LEVELS[name], kwargs | {"engine": engine}, tmp_path, None if name in TO_PANDAS else "go")


@pytest.mark.parametrize("name", POLARS)
def test_polars(name: str, tmp_path: Path) -> None:
    for kwargs in WRITE_EXCEL + (WRITE_EXCEL_NUMBERS if name == "numbers" else []):
        compare(POLARS[name], kwargs, tmp_path)


@pytest.mark.parametrize("kwargs", BY_POLARS, ids=str)
def test_what_go_leaves_to_polars(kwargs: dict[str, Any], tmp_path: Path) -> None:
    compare(POLARS["numbers"], kwargs, tmp_path, "polars")


def test_engine_is_that_of_pandas(tmp_path: Path) -> None:
    """Without one, it is the one that pandas takes: which makes links of URLs, or does not."""
    urls = pd.DataFrame({"u": ["https://example.org", "x"]})
    compare(urls, {}, tmp_path, None)
    compare(urls, {"engine": "xlsxwriter"}, tmp_path, "pandas")
    compare(urls, {"engine": "openpyxl"}, tmp_path, "go")
    with pd.option_context("io.excel.xlsx.writer", "openpyxl"):
        compare(urls, {}, tmp_path, "go")


def test_autofilter(tmp_path: Path) -> None:
    if "autofilter" not in pd.DataFrame.to_excel.__kwdefaults__:
        pytest.fail("this version of pandas has no autofilter: install that of pyproject.toml")
    for name, frame in (PANDAS | LEVELS).items():
        for kwargs in ({}, {"index": False}, {"startrow": 1, "startcol": 2}, {"merge_cells": False}):
            for engine in ENGINES:
                if name != "many":  # whose columns beyond Z pandas misnames
                    compare(frame, kwargs | {"autofilter": True, "engine": engine}, tmp_path, None)


def test_formats_of_moments(tmp_path: Path) -> None:
    """Those that ExcelWriter takes."""
    ours, theirs = tmp_path / "ours.xlsx", tmp_path / "theirs.xlsx"
    frame = PANDAS["moments"][["t", "d"]]
    for engine in ENGINES:
        formats = {"date_format": "DD.MM.YY", "datetime_format": "YYYY/MM/DD HH:MM"}
        if engine == "openpyxl":
            formats = {}  # pandas drops them there
        with pd.ExcelWriter(theirs, engine=engine, **formats) as writer:
            frame.to_excel(writer)
        assert atio.write(frame, ours, engine=engine, **formats).engine == "go"
        assert not differences(ours, theirs)


def test_floats_come_back_as_they_are(tmp_path: Path) -> None:
    """The libraries write 16 digits, and some floats have 17."""
    import numpy as np

    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": random.random(1000), "y": random.normal(size=1000) * 10.0 ** random.integers(-300, 300, 1000)}
    )
    path = tmp_path / "x.xlsx"
    atio.write(frame, path, index=False)
    back = pd.read_excel(path)
    assert (back.to_numpy() == frame.to_numpy()).all()
    atio.write(pl.from_pandas(frame), path)
    assert (pd.read_excel(path).to_numpy() == frame.to_numpy()).all()


# --- several sheets, and sheets in a workbook that is there ---------------------------------------------------------


def test_sheets_of_pandas(tmp_path: Path) -> None:
    frames = {"One": PANDAS["numbers"], "Two words": PANDAS["texts"], "none": PANDAS["empty"], "Levels": LEVELS["both"]}
    for engine in ENGINES:
        with pd.ExcelWriter(tmp_path / "theirs.xlsx", engine=engine) as writer:
            for name, frame in frames.items():
                frame.to_excel(writer, sheet_name=name, na_rep="?")
        result = atio.write(frames, tmp_path / "ours.xlsx", na_rep="?", engine=engine)
        assert (result.engine, result.rows) == ("go", sum(map(len, frames.values())))
        assert not differences(tmp_path / "ours.xlsx", tmp_path / "theirs.xlsx")


def test_sheets_of_polars(tmp_path: Path) -> None:
    import xlsxwriter

    frames = {name: frame for name, frame in POLARS.items() if name not in ("texts", "empty")}
    with xlsxwriter.Workbook(tmp_path / "theirs.xlsx") as book:
        for name, frame in frames.items():
            frame.write_excel(book, name, table_style="Table Style Medium 4")
    result = atio.write(frames, tmp_path / "ours.xlsx", table_style="Table Style Medium 4")
    assert result.engine == "go"
    assert not differences(tmp_path / "ours.xlsx", tmp_path / "theirs.xlsx")


@pytest.mark.parametrize("left", [False, True])
def test_sheets_of_both(left: bool, tmp_path: Path) -> None:
    """Also if one of them is left to its library, and with it all."""
    frames: dict[str, Any] = {
        "p": PANDAS["numbers"],
        "q": POLARS["numbers"],
        "r": LEVELS["rows"],
        "s": POLARS["one"].lazy(),
    }
    if left:
        frames["u"] = pd.DataFrame({"u": ["https://example.org", "=1+1"]})
    result = atio.write(frames, tmp_path / "x.xlsx")
    assert result.engine == ("pandas" if left else "go")
    sheets = content(tmp_path / "x.xlsx")
    assert list(sheets) == list(frames)
    PANDAS["numbers"].to_excel(tmp_path / "p.xlsx", sheet_name="p")
    POLARS["numbers"].write_excel(tmp_path / "q.xlsx", "q")
    for name in ("p", "q"):
        alone = content(tmp_path / f"{name}.xlsx")[name]
        assert sheets[name]["cells"].keys() == alone["cells"].keys()
        assert all(same(cell[0], alone["cells"][k][0]) for k, cell in sheets[name]["cells"].items())
        assert sheets[name]["tables"] == alone["tables"]
    if left:
        assert sheets["u"]["cells"]["B3"][:2] == ("=1+1", "s")


def test_sheets_of_polars_by_polars(tmp_path: Path) -> None:
    frames = {"a": POLARS["numbers"], "b": POLARS["one"]}
    assert atio.write(frames, tmp_path / "x.xlsx", autofilter=False, row_heights=20).engine == "polars"
    assert list(content(tmp_path / "x.xlsx")) == ["a", "b"]


def test_bad_dicts(tmp_path: Path) -> None:
    one = PANDAS["numbers"]
    target = tmp_path / "x.xlsx"
    with pytest.raises(ValueError, match=r"differ in case"):
        atio.write({"a": one, "A": one}, target)
    with pytest.raises(TypeError, match=r"keys of a dict of frames"):
        atio.write({"a": one}, target, sheet_name="b")
    with pytest.raises(TypeError, match=r"must be a str"):
        atio.write({1: one}, target)
    with pytest.raises(ValueError, match=r"can be written as excel"):
        atio.write({"a": one}, tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"sheet name"):
        atio.write({"a": one, "b/c": one}, target)
    assert not list(tmp_path.iterdir())


def test_into_a_workbook(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.xlsx", tmp_path / "theirs.xlsx"
    first, second = PANDAS["numbers"], PANDAS["texts"]
    for path in (ours, theirs):
        with pd.ExcelWriter(path, engine="openpyxl") as writer:
            first.to_excel(writer, sheet_name="kept", freeze_panes=(1, 1))
            first.to_excel(writer, sheet_name="data")
            writer.book["kept"]["Z1"] = "=1+1"
            writer.book["data"]["Z9"] = "=SUM(B2:B4)"
    for behavior in ("new", "replace", "overlay"):
        how: dict[str, Any] = {"mode": "a", "if_sheet_exists": behavior}
        result = atio.write(second, ours, sheet_name="data", **how)
        assert (result.engine, result.rows) == ("pandas", None)
        with pd.ExcelWriter(theirs, engine="openpyxl", **how) as writer:
            second.to_excel(writer, sheet_name="data")
        assert not differences(ours, theirs), behavior
    before = ours.read_bytes()
    with pytest.raises(ValueError, match="already exists"):
        atio.write(second, ours, sheet_name="data", mode="a")
    assert ours.read_bytes() == before
    atio.verify(ours)
    atio.write({"x": first, "y": second}, ours, mode="a")
    assert list(content(ours))[-2:] == ["x", "y"]
    with pytest.raises(FileNotFoundError):
        atio.write(first, tmp_path / "none.xlsx", mode="a")
    assert not (tmp_path / "none.xlsx").exists()


def test_formulas_of_a_workbook_stay(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        pd.DataFrame({"a": [1]}).to_excel(writer, sheet_name="s")
        writer.book["s"]["D1"] = "=A1"
    atio.write(pd.DataFrame({"a": ["=B1", "=A1"]}), path, mode="a", if_sheet_exists="overlay", sheet_name="s")
    cells = content(path)["s"]["cells"]
    assert cells["D1"][:2] == ("=A1", "f")
    assert cells["B2"][:2] == ("=B1", "s")
    assert cells["B3"][:2] == ("=A1", "s")


# --- chunks ---------------------------------------------------------------------------------------------------------


def test_chunks(tmp_path: Path) -> None:
    frame = pd.concat([PANDAS["numbers"]] * 3, ignore_index=True)
    chunks = [frame.iloc[:2], frame.iloc[2:3], frame.iloc[3:]]
    frame.to_excel(tmp_path / "theirs.xlsx", freeze_panes=(1, 0))
    result = atio.write(iter(chunks), tmp_path / "ours.xlsx", freeze_panes=(1, 0))
    assert (result.engine, result.rows) == ("go", 9)
    assert not differences(tmp_path / "ours.xlsx", tmp_path / "theirs.xlsx")
    polars = pl.concat([POLARS["numbers"]] * 2)
    polars.write_excel(tmp_path / "theirs.xlsx", column_totals=True)
    with atio.open_writer(tmp_path / "ours.xlsx", column_totals=True) as writer:
        writer.write(polars[:4])
        writer.write(polars[4:])
    assert not differences(tmp_path / "ours.xlsx", tmp_path / "theirs.xlsx")


def test_chunks_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"chunk 2 does not fit the first"):
        atio.write(iter([pd.DataFrame({"a": [1]}), pd.DataFrame({"a": ["x"]})]), tmp_path / "x.xlsx")
    with pytest.raises(ValueError, match=r"pass one frame"):
        atio.write(
            iter([pd.DataFrame({"a": [1]})] * 2),
            tmp_path / "x.xlsx",
            engine_kwargs={"options": {}},
            engine="xlsxwriter",
        )
    assert not list(tmp_path.iterdir())


# --- values ---------------------------------------------------------------------------------------------------------

TRICKY = ["=1+1", "{=1}", "+1", "-1", "@x", "=HYPERLINK(1)", "=", "'x"]


OPTIONS: dict[str, Any] = {"engine": "xlsxwriter", "engine_kwargs": {"options": {"default_row_height": 20}}}
"""With which pandas has to write."""


@pytest.mark.parametrize("kwargs", [{"engine": "openpyxl"}, {"engine": "xlsxwriter"}, OPTIONS, {"mode": "a"}], ids=str)
def test_texts_stay_texts(kwargs: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    if "mode" in kwargs:
        pd.DataFrame({"a": [1]}).to_excel(path, sheet_name="other")
    atio.write(pd.DataFrame({"=head": TRICKY}), path, index=False, sheet_name="texts", **kwargs)
    cells = content(path)["texts"]["cells"]
    assert [cells[f"A{i + 1}"][:2] for i in range(len(TRICKY) + 1)] == [(t, "s") for t in ["=head", *TRICKY]]


def test_formulas_if_asked(tmp_path: Path) -> None:
    asked = {"engine": "xlsxwriter", "engine_kwargs": {"options": {"strings_to_formulas": True}}}
    atio.write(pd.DataFrame({"a": ["=1+1"]}), tmp_path / "x.xlsx", index=False, **asked)
    assert content(tmp_path / "x.xlsx")["Sheet1"]["cells"]["A2"][:2] == ("=1+1", "f")


def test_control_characters(tmp_path: Path) -> None:
    """XlsxWriter escapes them as Excel does, openpyxl refuses them."""
    frame = pd.DataFrame({"a": ["x\x01y", "_x004", "\ufffe", "a\rb", "\x00"]})
    compare(frame, {"engine": "xlsxwriter"}, tmp_path)
    compare(frame, {"engine": "openpyxl"}, tmp_path)


def test_what_pandas_refuses(tmp_path: Path) -> None:
    aware = pd.DataFrame({"t": pd.to_datetime(["2020-01-01"]).tz_localize("UTC")})
    for frame, kwargs in (
        (aware, {}),
        (pd.DataFrame({"o": pd.Series([aware["t"][0], 1], dtype=object)}), {}),
        (LEVELS["columns"], {"index": False}),
        (PANDAS["numbers"], {"columns": ["nope"]}),
        (PANDAS["numbers"], {"header": ["one"]}),
        (PANDAS["numbers"], {"freeze_panes": (1,)}),
        (PANDAS["numbers"], {"merge_cells": "rows"}),
        (PANDAS["numbers"], {"unknown": 1}),
        (PANDAS["numbers"], {"engine": "nope"}),
        (PANDAS["numbers"], {"mode": "a", "engine": "xlsxwriter"}),
    ):
        kwargs = kwargs | ({} if "engine" in kwargs else {"engine": "openpyxl"})
        if "mode" in kwargs:
            with pytest.raises((ValueError, FileNotFoundError)):
                atio.write(frame, tmp_path / "ours.xlsx", **kwargs)
        else:
            compare(frame, kwargs, tmp_path)
        assert not (tmp_path / "ours.xlsx").exists(), kwargs


def test_days_before_excels(tmp_path: Path) -> None:
    """The libraries number them in ways of their own."""
    days = pd.to_datetime(["1899-12-31", "1900-01-01", "1900-02-28", "1900-03-01", "1850-06-07"])
    for engine in ENGINES:
        compare(pd.DataFrame({"t": days}), {"engine": engine}, tmp_path, "pandas")
        compare(pd.DataFrame({"t": days[3:4]}), {"engine": engine}, tmp_path, "go")
        compare(pd.DataFrame({"d": [days[0].date(), 1]}), {"engine": engine}, tmp_path, "pandas")
    compare(pl.DataFrame({"t": list(days.to_pydatetime())}), {}, tmp_path, "polars")


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", "x" * 32, "\U0001f600" * 16, "a/b", "a\\b", "[a", "a]", "a:b", "a*", "a?", "'a", "a'", "History"]
)
def test_names_of_sheets(name: str, tmp_path: Path) -> None:
    frame = PANDAS["numbers"]
    for engine in ENGINES:
        with pytest.raises(ValueError, match="sheet name"):
            atio.write(frame, tmp_path / "x.xlsx", sheet_name=name, engine=engine)
    with pytest.raises(ValueError, match="sheet name"):
        atio.write({name: frame}, tmp_path / "x.xlsx")
    if name:
        with pytest.raises(ValueError, match="sheet name"):
            atio.write(POLARS["one"], tmp_path / "x.xlsx", worksheet=name)
    assert not list(tmp_path.iterdir())


def test_limit_errors_are_also_those_of_the_library(tmp_path: Path) -> None:
    from polars.exceptions import InvalidOperationError
    from xlsxwriter.exceptions import InvalidWorksheetName

    with pytest.raises(InvalidWorksheetName):
        atio.write(POLARS["one"], tmp_path / "x.xlsx", worksheet="a/b")
    with pytest.raises(InvalidOperationError):
        atio.write(pl.DataFrame({"a": range(1 << 20)}), tmp_path / "x.xlsx")


def test_too_many_rows_and_columns(tmp_path: Path) -> None:
    target = tmp_path / "x.xlsx"
    long = pd.DataFrame({"a": range(1 << 20)}, dtype="int64")
    for frame, kwargs in (
        (long, {}),
        (long, {"header": False, "startrow": 1}),
        (pl.DataFrame({"a": range(1 << 20)}), {}),
    ):
        with pytest.raises(ValueError, match=r"1,048,57\d rows.*Excel allows 1,048,576"):
            atio.write(frame, target, **kwargs)
    wide = pd.DataFrame([[0] * (1 << 14)])
    with pytest.raises(ValueError, match=r"16,385 columns, the last one being 16383"):
        atio.write(wide, target)
    chunks = (pd.DataFrame({"a": [0] * 300_000}) for _ in range(4))
    with pytest.raises(ValueError, match=r"a sheet has 1048576 rows"):
        atio.write(chunks, target, index=False)
    assert not list(tmp_path.iterdir())
    assert atio.write(wide.iloc[:, 1:], target, durable=False).engine == "go"


@pytest.mark.parametrize("text", ["x" * 32_768, "\U0001f600" * 16_384])
def test_long_texts(text: str, tmp_path: Path) -> None:
    target = tmp_path / "x.xlsx"
    longest = text[:-1] if len(text) > 32_000 else text[:-1] + "x"
    frame = pd.DataFrame({"ok": ["a", "b"], "long": ["c", text]})
    listed = pd.DataFrame({"long": [[], ["x" * 40_000]]})
    for given, kwargs in (
        (frame, {}),
        (frame, OPTIONS),
        (frame.astype("category"), {}),
        (pl.from_pandas(frame), {}),
        (pl.from_pandas(frame), {"row_heights": 20}),
        (listed, {}),
        ({"a": frame}, {}),
    ):
        with pytest.raises(ValueError, match=r"column 'long'|column \"long\", row 1: its text has \d+ characters"):
            atio.write(given, target, **kwargs)
    with pytest.raises(ValueError, match=r"characters"):
        atio.write(frame.rename(columns={"long": text}), target)
    assert not list(tmp_path.iterdir())
    frame["long"] = longest
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(frame, {"engine": "openpyxl"}, tmp_path)
        compare(pl.from_pandas(frame), {}, tmp_path)


def test_columns_that_a_table_cannot_tell_apart(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'a' and 'A' differ in case only"):
        atio.write(pl.DataFrame({"a": [1], "A": [2]}), tmp_path / "x.xlsx")
    assert not list(tmp_path.iterdir())
