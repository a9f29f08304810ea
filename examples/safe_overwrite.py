"""What is left when writing over a file fails in the middle: the old file, whole. And how to take a good write back."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import atio


def chunks_from_a_broken_source() -> Iterator[pd.DataFrame]:
    yield pd.DataFrame({"day": [1, 2, 3], "sales": [90.0, 75.5, 110.25]})
    raise ConnectionError("the source went away")


with tempfile.TemporaryDirectory() as directory:
    report = Path(directory, "report.csv")
    atio.write(pd.DataFrame({"day": [1, 2], "sales": [10.5, 12.0]}), report, index=False)

    try:
        atio.write(chunks_from_a_broken_source(), report, index=False)
    except ConnectionError as error:
        print(f"the write failed ({error}); the report is as it was:\n{report.read_text()}")

    # backup=True keeps what is replaced, without a copy.
    atio.write(pd.DataFrame({"day": [9], "sales": [-1.0]}), report, index=False, backup=True)
    print(f"written over:\n{report.read_text()}")
    atio.restore(report)
    print(f"restored:\n{report.read_text()}")
    atio.verify(report)

    print("in the directory:", sorted(path.name for path in report.parent.iterdir()))
