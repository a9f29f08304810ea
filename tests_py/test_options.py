"""success_flag, durable, validate, backup, checksum; verify and restore; progress and log."""

from __future__ import annotations

import io
import json
import logging
import os
import pickle
import pty
import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import atio
from atio._report import Progress

OLD = pd.DataFrame({"x": [1, 2, 3]})
NEW = pd.DataFrame({"x": [4, 5]})

ONE_WRITE = "import atio, pandas as pd; atio.write(pd.DataFrame({{'x': [1]}}), {path!r}, {argument}=True)"


def names(directory: Path) -> list[str]:
    return sorted(p.name for p in directory.iterdir())


def contents(directory: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in directory.iterdir()}


# --- the flag -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.json"])
def test_flag_describes_the_file(tmp_path: Path, name: str) -> None:
    result = atio.write(OLD, tmp_path / name)
    assert names(tmp_path) == [f".{name}._SUCCESS", name]
    flag = json.loads((tmp_path / f".{name}._SUCCESS").read_bytes())
    assert flag["rows"] == result.rows == 3
    assert flag["bytes"] == result.bytes == (tmp_path / name).stat().st_size
    assert flag["format"] == result.format
    assert flag["checksum"] == result.checksum
    assert flag["engine"] == result.engine
    assert flag["version"] == 1
    age = datetime.now().astimezone() - datetime.fromisoformat(flag["time"].replace("Z", "+00:00"))
    assert abs(age.total_seconds()) < 60


def test_without_flag(tmp_path: Path) -> None:
    atio.write(OLD, tmp_path / "x.csv", success_flag=False)
    assert names(tmp_path) == ["x.csv"]


def test_a_flag_of_other_data_does_not_stay(tmp_path: Path) -> None:
    atio.write(OLD, tmp_path / "x.csv")
    atio.write(NEW, tmp_path / "x.csv", success_flag=False)
    assert names(tmp_path) == ["x.csv"]


def test_result(tmp_path: Path) -> None:
    result = atio.write(OLD, str(tmp_path / "x.parquet"))
    assert result.path == str(tmp_path / "x.parquet")
    assert (result.format, result.rows, result.engine) == ("parquet", 3, "go")
    assert 0 < result.seconds < 60
    assert re.fullmatch(r"xxh3-128:[0-9a-f]{32}", result.checksum)
    assert pickle.loads(pickle.dumps(result)) == result


def test_not_durable_is_the_same_file(tmp_path: Path) -> None:
    durable = atio.write(OLD, tmp_path / "a.parquet")
    fast = atio.write(OLD, tmp_path / "b.parquet", durable=False)
    assert durable.checksum == fast.checksum
    assert atio.verify(tmp_path / "b.parquet").checksum == fast.checksum


def test_sha256(tmp_path: Path) -> None:
    import hashlib

    for name in ("x.csv", "x.json"):
        result = atio.write(OLD, tmp_path / name, checksum="sha256")
        assert result.checksum == "sha256:" + hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert atio.verify(tmp_path / name).checksum == result.checksum
    with pytest.raises(ValueError, match="md5"):
        atio.write(OLD, tmp_path / "x.csv", checksum="md5")


# --- validate -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.parquet", "x.csv.gz", "x.json"])
def test_validate_sees_the_complete_new_file(tmp_path: Path, name: str) -> None:
    seen: list[object] = []

    def validate(path: Path) -> None:
        assert path.name == name  # so that readers know the format
        seen.append(path.read_bytes())
        assert not (tmp_path / name).exists()

    atio.write(OLD, tmp_path / name, validate=validate)
    assert seen == [(tmp_path / name).read_bytes()]
    assert names(tmp_path) == sorted([f".{name}._SUCCESS", name])


@pytest.mark.parametrize("name", ["x.parquet", "x.json"])
def test_what_validate_raises_aborts(tmp_path: Path, name: str) -> None:
    atio.write(OLD, tmp_path / name)
    before = contents(tmp_path)
    error = RuntimeError("too few rows")

    def validate(_: Path) -> None:
        raise error

    with pytest.raises(RuntimeError) as raised:
        atio.write(NEW, tmp_path / name, validate=validate)
    assert raised.value is error
    assert contents(tmp_path) == before


def test_validate_of_chunks(tmp_path: Path) -> None:
    rows: list[int] = []
    atio.write(iter([OLD, NEW]), tmp_path / "x.parquet", validate=lambda path: rows.append(len(pd.read_parquet(path))))
    assert rows == [5]


@pytest.mark.parametrize("validate", ["yes", None, 1])
def test_validate_is_a_bool_or_a_function(tmp_path: Path, validate: object) -> None:
    with pytest.raises(TypeError, match="validate"):
        atio.write(OLD, tmp_path / "x.csv", validate=validate)  # type: ignore[arg-type]
    assert names(tmp_path) == []


def test_seconds_are_those_of_the_whole_call(tmp_path: Path) -> None:
    slow = pl.LazyFrame({"x": [1]}).map_batches(lambda frame: time.sleep(0.2) or frame)
    assert atio.write(slow, tmp_path / "x.parquet").seconds >= 0.2


def test_without_validation(tmp_path: Path) -> None:
    assert atio.write(OLD, tmp_path / "x.parquet", validate=False).rows == 3


# --- backup and restore ---------------------------------------------------------------------------------------------


def test_backup_is_the_old_file_itself(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    atio.write(OLD, target, index=False)
    inode = target.stat().st_ino
    atio.write(NEW, target, index=False, backup=True)
    backup = tmp_path / ".x.csv.bak.1"
    assert backup.stat().st_ino == inode  # a hard link, no copy
    assert backup.read_text() == "x\n1\n2\n3\n"
    assert names(tmp_path) == [".x.csv._SUCCESS", ".x.csv.bak.1", "x.csv"]


def test_first_write_needs_no_backup(tmp_path: Path) -> None:
    atio.write(OLD, tmp_path / "x.csv", backup=True)
    assert names(tmp_path) == [".x.csv._SUCCESS", "x.csv"]


def test_number_of_backups(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    for i in range(6):
        atio.write(pd.DataFrame({"x": [i]}), target, index=False, backup=3)
    kept = {n: (tmp_path / f".x.csv.bak.{n}").read_text() for n in (1, 2, 3)}
    assert kept == {1: "x\n4\n", 2: "x\n3\n", 3: "x\n2\n"}
    assert len(names(tmp_path)) == 5


def test_fewer_backups_than_before(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    for i in range(5):
        atio.write(pd.DataFrame({"x": [i]}), target, index=False, backup=3)
    atio.write(NEW, target, index=False, backup=2)
    assert names(tmp_path) == [".x.csv._SUCCESS", ".x.csv.bak.1", ".x.csv.bak.2", "x.csv"]
    for i in (4, 3):
        atio.restore(target)
        assert target.read_text() == f"x\n{i}\n"
        assert atio.verify(target).rows == 1
    with pytest.raises(FileNotFoundError, match="backup"):
        atio.restore(target)


@pytest.mark.parametrize("backup", [-1, 1.5, "yes"])
def test_backup_must_be_a_number(tmp_path: Path, backup: object) -> None:
    with pytest.raises(ValueError, match="backup"):
        atio.write(OLD, tmp_path / "x.csv", backup=backup)  # type: ignore[arg-type]
    assert names(tmp_path) == []


def test_restore(tmp_path: Path) -> None:
    target = tmp_path / "x.parquet"
    first = atio.write(OLD, target)
    atio.write(NEW, target, backup=True)
    restored = atio.restore(target)
    assert (restored.rows, restored.checksum, restored.format) == (3, first.checksum, "parquet")
    assert pd.read_parquet(target).equals(OLD)
    assert atio.verify(target).rows == 3
    assert names(tmp_path) == [".x.parquet._SUCCESS", "x.parquet"]
    with pytest.raises(FileNotFoundError, match="backup"):
        atio.restore(target)
    assert pd.read_parquet(target).equals(OLD)


def test_restore_goes_back_step_by_step(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    for i in range(3):
        atio.write(pd.DataFrame({"x": [i]}), target, index=False, backup=2)
    for i in (1, 0):
        atio.restore(target)
        assert target.read_text() == f"x\n{i}\n"
        assert atio.verify(target).rows == 1


def test_restore_of_a_file_without_flag_sets_none(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    atio.write(OLD, target, success_flag=False)
    atio.write(NEW, target, success_flag=False, backup=True)
    atio.restore(target)
    assert names(tmp_path) == ["x.csv"]


# --- verify ---------------------------------------------------------------------------------------------------------


def test_verify(tmp_path: Path) -> None:
    result = atio.write(OLD, tmp_path / "x.parquet")
    verified = atio.verify(tmp_path / "x.parquet")
    assert (verified.rows, verified.bytes, verified.checksum) == (result.rows, result.bytes, result.checksum)


def test_verify_finds_one_flipped_bit(tmp_path: Path) -> None:
    target = tmp_path / "x.parquet"
    atio.write(OLD, target)
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(data)
    with pytest.raises(atio.CorruptError, match="checksum"):
        atio.verify(target)


def test_verify_finds_a_truncated_file(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    atio.write(OLD, target)
    os.truncate(target, 3)
    with pytest.raises(atio.CorruptError, match="size"):
        atio.verify(target)


def test_verify_without_file_or_flag(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        atio.verify(tmp_path / "x.csv")
    assert raised.value.filename == str(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("x\n")
    with pytest.raises(FileNotFoundError, match="flag"):
        atio.verify(tmp_path / "x.csv")
    (tmp_path / ".x.csv._SUCCESS").write_text("")  # as another tool would touch it
    with pytest.raises(atio.CorruptError, match="not a flag"):
        atio.verify(tmp_path / "x.csv")


# --- progress -------------------------------------------------------------------------------------------------------


def test_progress_in_a_log_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    atio.write(OLD, tmp_path / "big_data.parquet", show_progress=True)
    first, last = capsys.readouterr().err.splitlines()
    pattern = r"%s Writing big_data.parquet\.\.\. %s\[ [\d.]+ [KMG]?B \| [\d.]+ [KMG]?B/s \| \d\d:\d\d( \| \d+%%)? \]"
    assert re.fullmatch(pattern % ("⠋", ""), first)
    assert re.fullmatch(pattern % ("✅", "done "), last)


def test_progress_of_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FileNotFoundError):
        atio.write(OLD, tmp_path / "no" / "x.csv", show_progress=True)
    assert "nothing was changed" in capsys.readouterr().err.splitlines()[-1]


def test_progress_shows_share_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("atio._report.time.monotonic", lambda: now[0])

    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    stream = Terminal()
    progress = Progress("/data/big_data.parquet", stream)
    now[0] += 15
    progress.update(45_200_000, rows=25, total=100)
    assert stream.getvalue().split("\r")[-1] == (
        "⠙ Writing big_data.parquet... [ 45.2 MB | 3.0 MB/s | 00:15 | 25% | 00:45 left ]"
    )
    progress.done(180_000_000)
    assert stream.getvalue().endswith("\n")


def test_progress_in_a_terminal(tmp_path: Path) -> None:
    """On a real pseudo terminal the line is drawn over itself and ends with a done line."""
    code = (
        "import atio, pandas as pd, time\n"
        "def chunks():\n"
        "    for i in range(4):\n"
        "        time.sleep(0.15)\n"
        "        yield pd.DataFrame({'x': range(1000)})\n"
        f"atio.write(chunks(), {str(tmp_path / 'x.parquet')!r}, show_progress=True)\n"
    )
    terminal, other = pty.openpty()
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    child = subprocess.Popen([sys.executable, "-c", code], stderr=other, stdout=other, env=env)
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # how Linux ends a pseudo terminal
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    assert child.wait(timeout=60) == 0
    text = shown.decode()
    assert len(re.findall(r"\r. Writing x\.parquet\.\.\. \[", text)) >= 3
    assert "✅ Writing x.parquet... done" in text
    assert text.count("\n") == 1


def test_progress_where_only_ascii_can_be_shown(tmp_path: Path) -> None:
    code = ONE_WRITE.format(path=str(tmp_path / "x.csv"), argument="show_progress")
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, timeout=60, check=True)
    assert b"OK Writing x.csv... done" in done.stderr


def test_progress_never_fails_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    assert atio.write(OLD, tmp_path / "x.csv", show_progress=True).rows == 3
    monkeypatch.setattr(sys, "stderr", None)  # as under pythonw
    assert atio.write(OLD, tmp_path / "x.csv", show_progress=True).rows == 3


# --- log ------------------------------------------------------------------------------------------------------------


def test_verbose_is_shown_without_any_set_up(tmp_path: Path) -> None:
    code = ONE_WRITE.format(path=str(tmp_path / "x.parquet"), argument="verbose")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    lines = done.stderr.splitlines()
    assert all(line.startswith("[INFO] ") for line in lines)
    assert re.fullmatch(r"\[INFO\] ✅ File writing completed \(total time: \d+\.\d{4}s\)", lines[-1])
    text = done.stderr
    assert "Stage:" in text
    assert "writer: Go" in text
    assert "format: parquet" in text
    for phase in ("encoding", "syncing", "validating", "publishing"):
        assert re.search(rf"Phase {phase}: \d+\.\d{{4}}s", text)


def test_verbose_goes_through_logging(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("atio")
    handlers, level = list(logger.handlers), logger.level
    atio.write(pl.DataFrame(), tmp_path / "x.avro", verbose=True)
    assert "writer: polars" in caplog.text
    assert "✅ File writing completed" in caplog.messages[-1]
    assert all(record.name == "atio" and record.levelno == logging.INFO for record in caplog.records)
    assert (logger.handlers, logger.level) == (handlers, level)  # as it was


def test_a_log_never_fails_a_write(tmp_path: Path) -> None:
    code = (
        "import sys, atio, pandas as pd\n"
        "sys.stderr.close()\n"
        "for name in 'x.csv', 'x.json':\n"
        "    print(atio.write(pd.DataFrame({'x': [1]}), sys.argv[1] + name, verbose=True, show_progress=True).rows)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, f"{tmp_path}/"], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"1\n1\n"


def test_log_of_many_threads(tmp_path: Path) -> None:
    """Each write has all its lines, and the logger is as before when the last has ended."""
    code = (
        "import sys, atio, logging, threading, pandas as pd\n"
        "frame = pd.DataFrame({'x': range(1000)})\n"
        "def work(i):\n"
        "    for k in range(10):\n"
        "        atio.write(frame, f'{sys.argv[1]}/{i}-{k}.csv', verbose=True)\n"
        "threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
        "logger = logging.getLogger('atio')\n"
        "print(logger.handlers, logger.level)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.count("✅ File writing completed") == 80
    assert done.stderr.count("[INFO] Writing pandas DataFrame") == 80
    assert done.stdout == "[] 0\n"


def test_quiet_by_default(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    atio.write(OLD, tmp_path / "x.csv")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
