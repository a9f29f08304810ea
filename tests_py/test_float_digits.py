"""Random doubles are printed as Python's ``repr`` and as polars print them.

``ATIO_DOUBLES`` says how many are tried; ``make test-doubles`` tries ten million.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import atio

DOUBLES = int(os.environ.get("ATIO_DOUBLES", "200000"))
BATCH = 500_000


def doubles(count: int, seed: int) -> np.ndarray:
    """A third with random bits, a third of common sizes, a third with few digits."""
    random = np.random.default_rng(seed)
    third = count // 3 + 1
    anything = random.integers(0, 2**64, 2 * third, dtype=np.uint64).view(np.float64)
    anything = anything[np.isfinite(anything)][:third]
    common = random.normal(size=third) * 10.0 ** random.integers(-7, 18, third)
    digits = random.integers(0, 18, third)
    few = random.integers(-(10**digits), 10**digits, endpoint=True) / 10.0 ** random.integers(0, 20, third)
    return random.permutation(np.concatenate([anything, common, few]))[:count]


def differences(got: bytes, want: list[str]) -> list[tuple[str, str]]:
    """Pairs of lines that differ, some of them."""
    lines = got.decode().split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(want)
    return [(g, w) for g, w in zip(lines, want, strict=True) if g != w][:10]


@pytest.mark.timeout(3600)
def test_doubles(tmp_path: Path) -> None:
    path, own = tmp_path / "x.csv", tmp_path / "polars.csv"
    for at in range(0, DOUBLES, BATCH):
        values = doubles(min(BATCH, DOUBLES - at), at)
        result = atio.write(pd.DataFrame({"x": values}), path, index=False, header=False, durable=False)
        assert result.engine == "go"
        got = path.read_bytes()
        want = [repr(x) for x in values.tolist()]
        if got != ("\n".join(want) + "\n").encode():
            pytest.fail(f"not as Python prints them: {differences(got, want)}")

        frame = pl.DataFrame({"x": values})
        assert atio.write(frame, path, include_header=False, durable=False).engine == "go"
        frame.write_csv(own, include_header=False)
        got, polars = path.read_bytes(), own.read_bytes()
        if got != polars:
            pytest.fail(f"not as polars prints them: {differences(got, polars.decode().split(chr(10))[:-1])}")
