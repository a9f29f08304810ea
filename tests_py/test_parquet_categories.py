"""More categories than rows in a row group: later row groups hold those in use, and all come back all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

import atio


def column(kinds: int, rows: int, values: list[object]) -> pd.Categorical:
    """Codes of all but the last five categories, and some nulls."""
    codes = np.random.default_rng(kinds).integers(-1, kinds - 5, rows)
    return pd.Categorical.from_codes(codes, values, ordered=True)


@pytest.mark.parametrize("per_group", [1000, 4000])
@pytest.mark.parametrize("kinds", [900, 1500, 5000, 20_000])
def test_texts(tmp_path: Path, kinds: int, per_group: int) -> None:
    frame = pd.DataFrame({"c": column(kinds, 10_000, [f"v{i * 7 % kinds}" for i in range(kinds)])})
    if kinds == 20_000:
        frame["c"] = frame["c"].cat.as_unordered()
    path = tmp_path / "x.parquet"
    atio.write(frame, path, row_group_size=per_group)
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame)  # order, and categories that no row has
    assert pl.read_parquet(path)["c"].cast(pl.String).to_list() == [None if v != v else v for v in frame["c"]]
    metadata = pq.ParquetFile(path).metadata
    assert metadata.num_row_groups == 10_000 // per_group + (10_000 % per_group > 0)
    texts = [None if v != v else v for v in frame["c"]]
    for group in range(metadata.num_row_groups):
        there = [v for v in texts[group * per_group : (group + 1) * per_group] if v is not None]
        statistics = metadata.row_group(group).column(0).statistics
        assert (statistics.min, statistics.max) == (min(there), max(there))
    if kinds > per_group:
        first, second = (metadata.row_group(g).column(0).total_uncompressed_size for g in (0, 1))
        assert second < first


@pytest.mark.parametrize("values", [np.arange(3000)[::-1] * 3, np.arange(3000) / 7], ids=["integers", "floats"])
def test_numbers(tmp_path: Path, values: np.ndarray) -> None:
    frame = pd.DataFrame({"c": column(3000, 10_000, list(values))})
    path = tmp_path / "x.parquet"
    atio.write(frame, path, row_group_size=1000)
    pd.testing.assert_series_equal(pd.read_parquet(path)["c"].astype(float), frame["c"].astype(float))


def test_chunks_with_their_own_dictionaries(tmp_path: Path) -> None:
    chunks = [pl.DataFrame({"c": [f"{n}-{i}" for i in range(100)]}, schema={"c": pl.Categorical}) for n in range(30)]
    path = tmp_path / "x.parquet"
    atio.write(pl.concat(chunks, rechunk=False), path, row_group_size=70)
    assert pl.read_parquet(path).equals(pl.concat(chunks))
