"""atio.write, killed, failed and left without power at each of its system calls.

The real library runs under the tracer (``crash/tracer.c``), with a directory that holds old data and its flag.
"""

from __future__ import annotations

import errno
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crash import powercut, tracing
from crash.cases import CASES, Case, Prepared, errors_for, may_be_harmless, tree_of
from crash.disk import Disk
from crash.powercut import State
from crash.runner import Run, Runner
from crash.subject import Write, frame
from crash.tracing import Call, Spoil

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ptrace of Linux")

#: For failing calls also those that only look or lock: they can fail as well.
EVERYTHING = "change,sync,open,lock"


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    reason = tracing.unavailable()
    if reason is not None:
        pytest.fail(reason)
    runner = Runner(tmp_path_factory.mktemp("crash"))
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    case: Case = request.param
    return Prepared(case, tmp_path_factory.mktemp("case"))


def for_cases(*names: str, durable: bool = False) -> pytest.MarkDecorator:
    """Runs a test with the cases of these names, or all; if `durable`, only with those that survive power cuts."""
    cases = [case for case in CASES if (not names or case.name in names) and (case.power_cuts or not durable)]
    return pytest.mark.parametrize("prepared", cases, ids=str, indirect=True, scope="module")


class Harness:
    """Spoils one case's write again and again."""

    def __init__(self, runner: Runner, prepared: Prepared) -> None:
        self.runner = runner
        self.prepared = prepared

    def run(self, directory: Path, *, with_data: bool = False, **spoil: Any) -> Run:
        """Makes the write in a directory, spoiled as the arguments say (they are fields of Spoil)."""
        spoiled = Spoil(**self.prepared.case.file_system, **spoil)
        run = self.runner.run(self.prepared.write_in(directory), spoiled, with_data=with_data)
        assert run.trace.reason != "timeout", f"it hung\n{run}"
        return run

    def calls(self, directory: Path | None = None, **spoil: Any) -> list[Call]:
        """The calls of a write that is left alone."""
        run = self.run(directory or self.prepared.fresh(), **spoil)
        assert run.report is not None and run.report.ok, run
        assert run.report.engine == self.prepared.engine
        return run.trace.counted_calls

    def some_calls(self, **spoil: Any) -> list[Call]:
        """Those that are spoiled, one after the other."""
        return self.calls(**spoil)[:: self.prepared.case.stride]

    def killed(self, directory: Path, call: Call) -> Run:
        run = self.run(directory, kill_at=call.number)
        assert run.trace.reason == "killed", f"not killed\n{run}"
        return run


def told(run: Run, check: Callable[[], None]) -> None:
    """Does the check, and tells the run with what it raises."""
    try:
        check()
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{run}") from error


@for_cases()
def test_killed_before_each_call(runner: Runner, prepared: Prepared) -> None:
    """Old or new, whole; a flag that is there is right; the next write leaves nothing else."""
    harness = Harness(runner, prepared)

    def kill(call: Call) -> None:
        directory = prepared.fresh()
        run = harness.killed(directory, call)

        def check() -> None:
            prepared.check_whole(tree_of(directory))
            prepared.check_next_write(directory)

        told(run, check)
        shutil.rmtree(directory)

    killed = runner.for_each(harness.some_calls(), kill)
    assert killed * prepared.case.stride >= 10
    print(f"{prepared.case}: killed at {killed} calls")


@for_cases("parquet", "pickle with a backup")
def test_killed_while_tidying_up_after_a_kill(runner: Runner, prepared: Prepared) -> None:
    """The same, with what a killed writer left lying about from the beginning."""
    harness = Harness(runner, prepared)
    # Most is left before the old flag is set aside, and when the target has just been replaced.
    replacing = [call for call in harness.calls() if call.name.startswith("rename")][:2]
    killed = 0
    for first in replacing:
        left = prepared.fresh()
        harness.killed(left, first)
        assert any(".atio-" in name for name in tree_of(left))
        again = shutil.copytree(left, left.with_name(f"{left.name}-again"))
        calls = harness.calls(again)

        def kill(call: Call, left: Path = left) -> None:
            directory = shutil.copytree(left, left.with_name(f"{left.name}-{call.number}"))
            run = harness.killed(directory, call)

            def check() -> None:
                prepared.check_whole(tree_of(directory))
                prepared.check_next_write(directory)

            told(run, check)
            shutil.rmtree(directory)

        killed += runner.for_each(calls, kill)
    print(f"{prepared.case}: killed at {killed} calls while tidying up")


@for_cases(durable=True)
def test_power_cut_at_each_call(runner: Runner, prepared: Prepared) -> None:
    """Old or new, whole; a flag that is there is right; once the call has returned: new, with its flag."""
    harness = Harness(runner, prepared)
    directory = prepared.fresh()
    disk = Disk(directory)
    recorded = harness.run(directory, with_data=True)
    assert recorded.report is not None and recorded.report.ok, recorded

    def check(state: State) -> None:
        prepared.check_whole(state.files)
        if state.finished:
            prepared.check_complete(state.files, leftovers=True)
        with state.on_disk() as after:
            prepared.check_next_write(after)

    states = powercut.check(recorded.trace, disk, check)
    assert states >= 10
    print(f"{prepared.case}: {states} states after a power cut")


@for_cases()
def test_each_call_fails(runner: Runner, prepared: Prepared) -> None:
    """OSError with its number and the target's name, and everything as before; or the write succeeds completely."""
    harness = Harness(runner, prepared)
    calls = harness.some_calls(count=EVERYTHING)

    def fail(item: tuple[Call, int]) -> None:
        call, error = item
        directory = prepared.fresh()
        run = harness.run(directory, fail_at=call.number, error=error, count=EVERYTHING)
        told(run, lambda: check_failure(prepared, run, directory, call, error))
        shutil.rmtree(directory)

    if prepared.case.thorough:
        failures = [(call, error) for call in calls for error in errors_for(call)]
    else:  # every call with one error, in turn
        failures = [(call, errors_for(call)[call.number % len(errors_for(call))]) for call in calls]
    failed = runner.for_each(failures, fail)
    print(f"{prepared.case}: {failed} failures of {len(calls)} calls")


def check_failure(prepared: Prepared, run: Run, directory: Path, call: Call, error: int) -> None:
    report, tree = run.report, tree_of(directory)
    assert report is not None, "the process died"
    assert run.trace.counted >= call.number, "the call was not made"
    assert not report.still_open, f"still open: {report.still_open}"
    if report.ok:
        assert may_be_harmless(call), "the failure was not told"
        prepared.check_whole(tree)
        prepared.check_complete(tree, leftovers=True)
        prepared.check_next_write(directory)
        return
    assert report.is_os_error and report.errno == error, f"{report.error} {report.errno}: {report.message}"
    assert report.filename == str(directory / prepared.target), f"filename is {report.filename}"
    prepared.check_as_before(tree)


@for_cases()
def test_the_disk_dies_at_each_call(runner: Runner, prepared: Prepared) -> None:
    """From some call on all fail, those on the way back as well: an error, no hang, nothing torn."""
    fail_at_each_call(runner, prepared, fail_count=0)


@pytest.mark.parametrize("fail_count", [2, 3])
@for_cases("parquet", "parquet, new", "pickle with a backup")
def test_calls_on_the_way_back_fail_too(runner: Runner, prepared: Prepared, fail_count: int) -> None:
    """Some calls fail, and later ones do not: an error, nothing torn, and no flag that is wrong."""
    fail_at_each_call(runner, prepared, fail_count)


def fail_at_each_call(runner: Runner, prepared: Prepared, fail_count: int) -> None:
    harness = Harness(runner, prepared)

    def fail(call: Call) -> None:
        directory = prepared.fresh()
        run = harness.run(directory, fail_at=call.number, fail_count=fail_count, error=errno.EIO)
        report = run.report

        def check() -> None:
            assert report is not None, "the process died"
            tree = tree_of(directory)
            prepared.check_whole(tree)
            if report.ok:
                assert may_be_harmless(call), "the failure was not told"
                prepared.check_complete(tree, leftovers=True)
            else:
                assert report.is_os_error and report.errno == errno.EIO, f"{report.error}: {report.message}"
            prepared.check_next_write(directory)

        told(run, check)
        shutil.rmtree(directory)

    runner.for_each(harness.some_calls(), fail)


@for_cases(durable=True)
def test_power_cut_on_the_way_back(runner: Runner, prepared: Prepared) -> None:
    """A call fails, and at some instant of undoing what was done, the power does too: old or new, and whole."""
    harness = Harness(runner, prepared)
    counts: list[int] = []

    def fail(call: Call) -> None:
        directory = prepared.fresh()
        disk = Disk(directory)
        run = harness.run(directory, with_data=True, fail_at=call.number, error=errno.EIO)
        counts.append(powercut.check(run.trace, disk, lambda state: prepared.check_whole(state.files)))
        shutil.rmtree(directory)

    runner.for_each(harness.some_calls(), fail)
    print(f"{prepared.case}: {sum(counts)} states after a power cut on the way back")


def test_killed_while_writing_much(runner: Runner, tmp_path: Path) -> None:
    """A file of many writes, with early write-back: killed at some of them."""
    template = tmp_path / "template"
    template.mkdir()
    (template / "big.csv").write_bytes(b"old")
    write = Write(str(template / "big.csv"), "big")
    shutil.copytree(template, tmp_path / "reference")
    calls = runner.run(replace(write, target=str(tmp_path / "reference" / "big.csv"))).trace.counted_calls
    writes = [call for call in calls if call.name == "write"]
    hints = [call for call in calls if call.name == "sync_file_range"]
    assert len(writes) >= 4 and hints
    assert (tmp_path / "reference" / "big.csv").read_bytes() == frame("big").to_csv().encode()

    def kill(call: Call) -> None:
        directory = shutil.copytree(template, tmp_path / f"{call.number}")
        run = runner.run(replace(write, target=str(directory / "big.csv")), Spoil(kill_at=call.number))
        assert run.trace.reason == "killed"
        assert {path.name: path.read_bytes() for path in directory.iterdir()} == {"big.csv": b"old"}, run

    runner.for_each([writes[1], writes[len(writes) // 2], hints[0], writes[-2]], kill)


def test_a_failing_hint_does_no_harm(runner: Runner, tmp_path: Path) -> None:
    """Early write-back may fail; the sync at the end tells what matters."""
    directory = tmp_path / "d"
    directory.mkdir()
    write = Write(str(directory / "big.csv"), "big")
    hints = [call for call in runner.run(write).trace.counted_calls if call.name == "sync_file_range"]
    assert hints
    expected = (directory / "big.csv").read_bytes()
    for error in errno.EIO, errno.ENOSPC, errno.ESPIPE:
        (directory / "big.csv").unlink()
        run = runner.run(write, Spoil(fail_at=hints[0].number, error=error))
        assert run.report is not None and run.report.ok, run
        assert (directory / "big.csv").read_bytes() == expected
