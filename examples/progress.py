"""Watch a large file being written: ``show_progress`` draws a line, ``verbose`` says what happens."""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import atio

ROWS = 2_000_000

random = np.random.default_rng(0)
frame = pl.DataFrame({f"column_{i}": random.random(ROWS) for i in range(8)})

with tempfile.TemporaryDirectory() as directory:
    result = atio.write(frame, Path(directory, "big_data.parquet"), show_progress=True, verbose=True)

print(f"{result.rows:,} rows, {result.bytes / 1e6:.1f} MB, checksum {result.checksum}")
