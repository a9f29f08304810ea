"""atio.aio: the same as coroutines, and cancelling a task cancels its write."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import atio
from support import files_of, names, open_files, state

FRAME = pd.DataFrame({"x": [1, 2, 3]})


def test_same_names() -> None:
    for name in atio.aio.__all__:
        assert hasattr(atio, name.removeprefix("Async"))
        assert getattr(atio.aio, name).__doc__


def test_it_is_imported_when_wanted() -> None:
    code = "import sys, atio; assert 'asyncio' not in sys.modules; atio.aio.write; assert 'asyncio' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_write_verify_restore(tmp_path: Path) -> None:
    async def main() -> list[Any]:
        both = [atio.aio.write(FRAME, tmp_path / f"{i}.parquet", backup=True) for i in range(4)]
        rows = [result.rows for result in await asyncio.gather(*both)]
        await atio.aio.write(FRAME[:1], tmp_path / "0.parquet", backup=True)
        await atio.aio.restore(tmp_path / "0.parquet")
        return [*rows, (await atio.aio.verify(tmp_path / "0.parquet")).rows]

    assert asyncio.run(main()) == [3] * 5


def test_exceptions_are_the_same(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="papyrus"):
        asyncio.run(atio.aio.write(FRAME, tmp_path / "x", "papyrus"))
    with pytest.raises(FileNotFoundError):
        asyncio.run(atio.aio.write(FRAME, tmp_path / "no" / "x.csv"))


def test_tables(tmp_path: Path) -> None:
    async def main() -> list[int]:
        for mode in ("overwrite", "append"):
            await atio.aio.write_snapshot(FRAME, tmp_path / "t", mode)
        frame = await atio.aio.read_table(tmp_path / "t")
        return [len(frame), len(await atio.aio.list_snapshots(tmp_path / "t"))]

    assert asyncio.run(main()) == [6, 2]


async def _cancelled(work: Any, after: float) -> None:
    task = asyncio.create_task(work)
    await asyncio.sleep(after)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()  # while it cleans up
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("name", ["x.npz", "x.csv", "x.parquet"])
def test_cancelling_cancels_the_write(tmp_path: Path, name: str) -> None:
    """In Go, which stops at once: everything is as before when CancelledError is raised."""
    target = tmp_path / name
    atio.write(FRAME if name != "x.npz" else FRAME["x"].to_numpy(), target)
    before = state(tmp_path)
    large: Any = np.random.default_rng(1).random((3_000_000, 8))
    if name != "x.npz":
        large = pd.DataFrame(large, columns=list("abcdefgh"))
    validated = threading.Event()
    asyncio.run(_cancelled(atio.aio.write(large, target, validate=lambda _: validated.set()), 0.05))
    assert not validated.is_set()
    assert state(tmp_path) == before
    assert not open_files(tmp_path)


def test_cancelling_a_librarys_writer(tmp_path: Path) -> None:
    """It goes on to its end, but nothing is published."""

    class Slow:
        pass

    began = time.perf_counter()

    def write(_obj: Slow, path: str) -> None:
        time.sleep(0.5)
        Path(path).write_text("done")

    atio.register_writer(Slow, "slow", write)
    asyncio.run(_cancelled(atio.aio.write(Slow(), tmp_path / "x.slow"), 0.1))
    assert time.perf_counter() - began >= 0.5
    assert names(tmp_path) == set()


def test_the_loop_goes_on(tmp_path: Path) -> None:
    async def main() -> int:
        ticks = 0
        task = asyncio.create_task(atio.aio.write(np.random.default_rng(1).random(5_000_000), tmp_path / "x.csv"))
        while not task.done():
            await asyncio.sleep(0.01)
            ticks += 1
        await task
        return ticks

    assert asyncio.run(main()) >= 3


def test_open_writer(tmp_path: Path) -> None:
    async def main() -> Any:
        async with atio.aio.open_writer(tmp_path / "x.parquet") as writer:
            for _ in range(3):
                await writer.write(FRAME)
        return writer.result

    assert asyncio.run(main()).rows == 9
    before = state(tmp_path)

    async def fails() -> None:
        async with atio.aio.open_writer(tmp_path / "x.parquet") as writer:
            await writer.write(FRAME)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        asyncio.run(fails())

    async def is_cancelled() -> None:
        async with atio.aio.open_writer(tmp_path / "x.parquet") as writer:
            while True:
                await writer.write(FRAME)

    asyncio.run(_cancelled(is_cancelled(), 0.1))

    async def is_cancelled_at_the_end() -> None:
        async with atio.aio.open_writer(tmp_path / "x.parquet", validate=lambda _: time.sleep(0.5)) as writer:
            await writer.write(FRAME)

    asyncio.run(_cancelled(is_cancelled_at_the_end(), 0.4))
    assert state(tmp_path) == before
    assert names(tmp_path) == files_of("x.parquet")


def test_streams_and_transactions(tmp_path: Path) -> None:
    async def main() -> None:
        async with atio.aio.stream(tmp_path / "t", "a") as s:
            assert await s.last_offset() is None
            assert await s.append(pd.DataFrame({"x": [1]}), offset=4)
            assert await s.flush() == [1]
            assert await s.last_offset() == 4
            await s.append(pd.DataFrame({"x": [2]}))
            assert await s.discard() == 1
            await s.append(pd.DataFrame({"x": [3]}))
        with pytest.raises(ZeroDivisionError):  # noqa: PT012
            async with atio.aio.stream(tmp_path / "t", "a") as s:
                await s.append(pd.DataFrame({"x": [4]}))
                raise ZeroDivisionError
        txn = await atio.aio.begin(tmp_path / "t")
        parts = [await txn.write_part(pd.DataFrame({"x": [n]})) for n in (5, 6)]
        assert (await txn.commit(parts)).version == 3
        await txn.abort([await txn.write_part(pd.DataFrame({"x": [7]}))])
        assert (await atio.aio.read_table(tmp_path / "t"))["x"].tolist() == [1, 3, 5, 6]
        with pytest.raises(ValueError, match="async with"):
            await atio.aio.stream(tmp_path / "t", "b").append(pd.DataFrame({"x": [1]}))

    asyncio.run(main())
