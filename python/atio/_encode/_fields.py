"""Single columns as the fields that pandas or polars make of them, quoted if need be.

A frame may have a column that Go does not write as the library does: its fields are made by the library, and Go writes
them with the others.
"""

from __future__ import annotations

from typing import Any

_END = "\x1e"
"""Ends a line where the fields of one column are taken apart: no text that has it is taken."""


def of_pandas(column: Any, kwargs: dict[str, Any]) -> Any:
    """The fields of a Series or Index as an Arrow array; ``None`` if they cannot be had.

    ``kwargs`` are those of ``to_csv``.
    """
    import pandas as pd
    import pyarrow as pa

    # A second column, because the only field of a line is written in a way of its own.
    frame = pd.DataFrame({0: column.array, 1: 0}, copy=False)
    quote = kwargs["quotechar"] if kwargs["quoting"] == 1 else ""
    end = f"{kwargs['sep']}{quote}0{quote}{_END}"
    try:
        text = frame.to_csv(index=False, header=False, lineterminator=_END, **kwargs)
        fields = text.split(end)
        if fields.pop() != "" or len(fields) != len(column) or any(_END in f for f in fields):
            return None
        return pa.array(fields, pa.large_string())
    except Exception:  # whatever it is, pandas raises it again when it writes the frame
        return None


def header_of_pandas(frame: Any, kwargs: dict[str, Any]) -> str | None:
    """The lines above a frame's rows; ``None`` if they cannot be had. ``kwargs`` are those of ``to_csv``."""
    try:
        text: str = frame.iloc[:0].to_csv(**kwargs)
        text.encode()
    except Exception:  # pandas raises it again
        return None
    return text


def of_polars(df: Any, name: str, kwargs: dict[str, Any]) -> Any:
    """The fields of a column as a Series; ``None`` if they cannot be had. ``kwargs`` are those of ``write_csv``."""
    import polars as pl

    try:
        text = df.select(name).write_csv(include_header=False, **kwargs)
    except BaseException as e:  # polars panics with one that is no Exception, and raises it again
        if isinstance(e, (KeyboardInterrupt, SystemExit)):
            raise
        return None
    fields = text.split("\n")
    if fields.pop() != "" or len(fields) != df.height:
        return None
    return pl.Series(name, fields, dtype=pl.String)
