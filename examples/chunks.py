"""Write more than fits into memory, chunk by chunk, into one file that is there at the end or not at all."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import atio

CHUNKS, ROWS = 10, 50_000


def measurements() -> Iterator[pd.DataFrame]:
    """Make the chunks one after the other, as a database cursor or a sensor would."""
    random = np.random.default_rng(0)
    for number in range(CHUNKS):
        yield pd.DataFrame({"id": np.arange(ROWS) + number * ROWS, "value": random.normal(size=ROWS)})


with tempfile.TemporaryDirectory() as directory:
    # Any iterator of frames can be written.
    first = Path(directory, "iterator.parquet")
    result = atio.write(measurements(), first)
    print(f"{first.name}: {result.rows:,} rows")

    # A writer takes the chunks as they come. An exception inside the block leaves the target as it was.
    second = Path(directory, "writer.parquet")
    with atio.open_writer(second) as writer:
        for chunk in measurements():
            writer.write(chunk)
    print(f"{second.name}: {pq.read_metadata(second).num_rows:,} rows")

    assert pq.read_table(first).equals(pq.read_table(second))
