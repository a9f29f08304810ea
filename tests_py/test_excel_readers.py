"""Workbooks as other programs read them: fastexcel (calamine) through polars, and LibreOffice."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import atio
from excel_cases import LEVELS, PANDAS, POLARS


def test_polars_reads_it(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "i": [1, -2, None],
            "f": [0.1, None, 1e300],
            "s": ["=1+1", " <&>\n", "ü\U0001f600"],
            "b": [True, False, None],
            "d": [dt.date(2020, 1, 1), None, dt.date(1999, 12, 31)],
            "t": [dt.datetime(2020, 1, 1, 3, 4, 5), None, dt.datetime(2021, 1, 1, 12)],
        }
    )
    path = tmp_path / "x.xlsx"
    for given in (frame, frame.to_pandas()):
        atio.write(given, path, **({"index": False} if isinstance(given, pd.DataFrame) else {}))
        back = pl.read_excel(path, engine="calamine")
        assert_frame_equal(back.cast(dict(frame.schema)), frame)
    atio.write({"one": frame, "two": frame.head(1)}, path)
    assert pl.read_excel(path, sheet_name="two", engine="calamine").height == 1


def test_control_characters_come_back(tmp_path: Path) -> None:
    """Excel's own escapes, which openpyxl does not undo."""
    texts = ["a\x01b", "c\rd", "_x0041_", "_x0000\x1f", "\ufffe"]
    path = tmp_path / "x.xlsx"
    atio.write(pl.DataFrame({"s": texts}), path)
    assert pl.read_excel(path, engine="calamine")["s"].to_list()[:3] == texts[:3]


@pytest.fixture(scope="module")
def office() -> str:
    """The program of LibreOffice."""
    for name in ("soffice", "libreoffice"):
        if found := shutil.which(name):
            return found
    pytest.fail("LibreOffice is missing: apt-get install --no-install-recommends libreoffice-calc")


def test_libreoffice_reads_it(office: str, tmp_path: Path) -> None:
    """It shows the same as of the libraries' files. It is started once, as that takes long."""
    cases: dict[str, tuple[Any, dict[str, Any]]] = {
        "numbers": (PANDAS["numbers"], {}),
        "texts": (PANDAS["texts"], {"index": False}),
        "moments": (PANDAS["moments"], {"startrow": 1, "na_rep": "NA"}),
        "both": (LEVELS["both"], {"freeze_panes": (1, 1)}),
        "table": (
            POLARS["numbers"],
            {"column_totals": {"i": "sum", "f": "average"}, "table_style": "Table Style Light 9"},
        ),
        "days": (POLARS["moments"], {"position": "B3", "dtype_formats": {pl.Date: "dd.mm.yyyy"}}),
    }
    for name, (frame, kwargs) in cases.items():
        atio.write(frame, tmp_path / f"ours_{name}.xlsx", **kwargs)
        theirs = tmp_path / f"theirs_{name}.xlsx"
        if isinstance(frame, pd.DataFrame):
            frame.to_excel(theirs, **kwargs)
        else:
            frame.write_excel(theirs, **kwargs)
    atio.write({"a": PANDAS["numbers"], "b c": POLARS["one"]}, tmp_path / "sheets.xlsx")
    (tmp_path / "out").mkdir()
    # The last part of the options asks for all sheets, each in a file of its own.
    done = subprocess.run(
        [
            office, "--headless", "--norestore", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", "--outdir",
            str(tmp_path / "out"), *map(str, sorted(tmp_path.glob("*.xlsx"))),
        ],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert len(made) == 2 * len(cases) + 2, done.stderr
    for name in cases:
        assert made[f"ours_{name}-Sheet1.csv"] == made[f"theirs_{name}-Sheet1.csv"], name
    assert made["sheets-b c.csv"] == "a\n1\n"
