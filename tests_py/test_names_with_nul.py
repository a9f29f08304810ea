"""Names with a NUL in them, at which Arrow's C interface ends names: the file is the library's all the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import atio
from support import apart

NAME = "a\0b"
FLAT: dict[str, list[Any]] = {NAME: [1, 2], "a": [3, 4]}
NESTED: dict[str, list[Any]] = {"s": [[{NAME: 1}], None]}

WRITES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "pandas": (lambda: pd.DataFrame(FLAT), "parquet", "to_parquet"),
    "pandas, nested": (lambda: pd.DataFrame(NESTED), "parquet", "to_parquet"),
    "pandas as csv": (lambda: pd.DataFrame(FLAT), "csv", "to_csv"),
    "polars": (lambda: pl.DataFrame(FLAT), "parquet", "write_parquet"),
    "polars, nested": (lambda: pl.DataFrame(NESTED), "parquet", "write_parquet"),
    "polars as csv": (lambda: pl.DataFrame(FLAT), "csv", "write_csv"),
    "polars as ndjson": (lambda: pl.DataFrame(FLAT), "ndjson", "write_ndjson"),
    "polars as json, nested": (lambda: pl.DataFrame(NESTED), "json", "write_json"),
    "pyarrow": (lambda: pa.table(FLAT), "parquet", ""),
    "pyarrow, nested": (lambda: pa.table(NESTED), "parquet", ""),
}


def write_both(name: str, directory: str) -> bool:
    """Whether atio's file is the library's."""
    make, format, method = WRITES[name]
    ours, theirs = Path(directory, f"ours.{format}"), Path(directory, f"theirs.{format}")
    frame = make()
    atio.write(frame, ours)
    if method:
        getattr(frame, method)(theirs)
    else:
        pq.write_table(frame, theirs)
    if format != "parquet":
        return ours.read_bytes() == theirs.read_bytes()
    a, b = pq.read_table(ours), pq.read_table(theirs)
    return bool(a.schema.equals(b.schema) and a.equals(b))


@pytest.mark.parametrize("name", WRITES)
def test_written_as_by_the_library(name: str, tmp_path: Path) -> None:
    # In a process of its own, because polars aborts it if it has to export such a name.
    assert apart(write_both, name, str(tmp_path), timeout=60)


def test_partitioned(tmp_path: Path) -> None:
    atio.write(pd.DataFrame({"k": [1, 2], NAME: [3, 4]}), tmp_path / "d", partition_cols=["k"])
    files = sorted(os.path.join(r, f) for r, _, fs in os.walk(tmp_path / "d") for f in fs)
    assert [pq.ParquetFile(f).schema_arrow.names for f in files] == [[NAME], [NAME]]
