"""The command ``atio``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import atio
from atio._cli import main


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = str(tmp_path / "t")
    atio.write_snapshot(pd.DataFrame({"id": [1, 2], "x": ["a", "b"]}), path, message="first")
    atio.write_snapshot(pd.DataFrame({"id": [2, 3], "x": ["B", "c"]}), path)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_log_and_show(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "log", table).splitlines()
    assert [line.split()[0] for line in lines] == ["VERSION", "2", "1"]
    assert lines[2].endswith("first")
    assert len(run(capsys, "log", table, "-n", "1").splitlines()) == 2
    assert json.loads(run(capsys, "log", table, "--json"))[0]["version_id"] == 2
    assert run(capsys, "show", table).splitlines()[1].split() == ["2", "B"]
    assert json.loads(run(capsys, "show", table, "--at", "1", "-n", "1", "--json")) == [{"id": 1, "x": "a"}]


def test_diff(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "1 rows inserted, 1 deleted, 1 updated" in run(capsys, "diff", table, "1", "2", "--key", "id")
    assert json.loads(run(capsys, "diff", table, "1", "2", "--json"))["rows_added"] == 2


def test_tags_rollback_expiry(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "tag", table, "gold", "1")
    assert run(capsys, "tag", table).splitlines()[1].split() == ["gold", "1"]
    assert run(capsys, "show", table, "--tag", "gold").splitlines()[1].split() == ["1", "a"]
    run(capsys, "tag", table, "gold", "-d")
    assert len(run(capsys, "tag", table).splitlines()) == 1
    assert "version 3" in run(capsys, "rollback", table, "1")
    assert atio.read_table(table)["id"].tolist() == [1, 2]
    assert "would remove 2 versions" in run(capsys, "expire", table, "--keep-for", "0s")
    assert len(atio.list_snapshots(table)) == 3
    assert "removed 2 versions" in run(capsys, "expire", table, "--keep-for", "0s", "--yes")
    assert len(atio.list_snapshots(table)) == 1


def test_upkeep(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(3):
        atio.write_snapshot(pd.DataFrame({"id": [i], "x": ["d"]}), table, mode="append")
    assert "is whole" in run(capsys, "verify", table)
    assert "4 files are 1 now" in run(capsys, "optimize", table)
    assert "nothing to do" in run(capsys, "optimize", table, "--target-size", "64MB")
    assert "would remove" in run(capsys, "clean", table, "--older-than", "0s")


def test_mistakes(tmp_path: Path, table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(tmp_path / "nothing")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert main(["show", table, "--at", "9"]) == 1
    assert "9" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["expire", table, "--keep-for", "soon"])
    assert ended.value.code == 2
    assert "12h" in capsys.readouterr().err


def test_as_a_program(table: str) -> None:
    said = subprocess.run([sys.executable, "-m", "atio", "log", table], capture_output=True, text=True, check=True)
    assert "first" in said.stdout
    program = Path(sys.executable).with_name("atio")
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True)
    assert said.stdout == f"atio {atio.__version__}\n"
