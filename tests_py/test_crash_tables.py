"""Changes of a table, killed and left without power at each of their system calls."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crash import powercut, tracing
from crash.disk import Disk
from crash.powercut import Limits, State
from crash.runner import Run, Runner
from crash.subject import Write, frame
from crash.tables import CASES, Case, Prepared
from crash.tracing import Call, Spoil

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ptrace of Linux")

#: There are many states, and looking at one means to read a whole table.
FEW = Limits(all_subsets=3, random_subsets=2, prefixes=2, combinations=4)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    reason = tracing.unavailable()
    if reason is not None:
        pytest.fail(reason)
    runner = Runner(tmp_path_factory.mktemp("crash"))
    yield runner
    runner.close()


@pytest.fixture(scope="module", params=CASES, ids=str)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    case: Case = request.param
    return Prepared(case, tmp_path_factory.mktemp("case"), frame("old"), frame("new"))


def run(runner: Runner, prepared: Prepared, directory: Path, spoil: Spoil, *, with_data: bool = False) -> Run:
    made = runner.run(prepared.write_in(directory, Write), spoil, with_data=with_data)
    assert made.trace.reason != "timeout", f"it hung\n{made}"
    return made


def test_killed_before_each_call(runner: Runner, prepared: Prepared) -> None:
    """As before or as after; and the next run works."""
    whole = run(runner, prepared, prepared.fresh(), tracing.RECORD)
    assert whole.report is not None and whole.report.ok, whole
    assert not whole.report.still_open

    def kill(call: Call) -> None:
        directory = prepared.fresh()
        killed = run(runner, prepared, directory, Spoil(kill_at=call.number))
        assert killed.trace.reason == "killed", f"not killed\n{killed}"
        try:
            prepared.check(directory)
            prepared.check_next(directory)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n{killed}") from error
        shutil.rmtree(directory)

    calls = runner.for_each(whole.trace.counted_calls, kill)
    assert calls >= 3
    print(f"{prepared.case}: killed at {calls} calls")


def test_power_cut_at_each_call(runner: Runner, prepared: Prepared) -> None:
    """As before or as after; once the call has returned: as after."""
    directory = prepared.fresh()
    disk = Disk(directory)
    recorded = run(runner, prepared, directory, tracing.RECORD, with_data=True)
    assert recorded.report is not None and recorded.report.ok, recorded

    def check(state: State) -> None:
        with state.on_disk() as after:
            prepared.check(after, finished=state.finished)

    states = powercut.check(recorded.trace, disk, check, FEW)
    assert states >= 3
    print(f"{prepared.case}: {states} states after a power cut")
