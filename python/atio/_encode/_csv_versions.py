"""Where the installed versions of Python, NumPy, pandas and polars write CSV otherwise than the newest ones.

Each is tried, once, instead of knowing the numbers of versions. What comes out are fields of ``Compat`` of the Go
encoder's options.
"""

from __future__ import annotations

import csv
import io
from functools import cache
from typing import Any


@cache
def of_pandas() -> dict[str, Any]:
    """For the pandas dialect."""
    import numpy as np
    import pandas as pd

    year_one = pd.DataFrame({"t": np.array(["0001-01-01"], "M8[s]")})
    return {
        "bare_cr": _written("\r") == "\r\n",
        "bare_year": not year_one.to_csv(index=False, header=False).startswith("0001"),
        "float32_digits": _whole_digits(np.float32, 16),
        "float16_digits": _whole_digits(np.float16, 4),
    }


@cache
def of_polars() -> dict[str, Any]:
    """For the polars dialect."""
    import polars as pl

    return {"bare_exponent": "+" not in pl.DataFrame({"x": [1e20]}).write_csv()}


@cache
def refuses_nul() -> bool:
    """Whether ``csv.writer`` raises for a NUL character, as it did up to Python 3.10."""
    return _written("\0") is None


@cache
def widens_arrow_floats() -> bool:
    """Whether pandas writes an Arrow-backed float32 as the float64 it is equal to, as it does since 3.0."""
    import pandas as pd
    import pyarrow as pa

    tenth = pd.array([0.1], dtype=pd.ArrowDtype(pa.float32()))
    return bool(pd.DataFrame({"x": tenth}).to_csv(index=False, header=False) == "0.10000000149011612\n")


def _written(field: str) -> str | None:
    out = io.StringIO(newline="")
    try:
        csv.writer(out, lineterminator="\n").writerow([field])
    except csv.Error:
        return None
    return out.getvalue()


def _whole_digits(kind: Any, most: int) -> int:
    """How many digits of a whole number NumPy writes in a float of this kind before it changes to an exponent."""
    import numpy as np

    for digits in range(1, most + 1):
        if "e" in str(np.array([10.0**digits], kind).astype(str)[0]):
            return digits
    return 16
