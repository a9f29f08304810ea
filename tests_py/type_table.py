"""Writes docs/types.md: what becomes of each type of column. ``python tests_py/type_table.py --write``.

Every cell is found out by writing a frame with such a column.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import atio
import parquet_cases as cases
from atio._library import library_of
from atio._plan import EncodeInGo

PAGE = Path(__file__).parent.parent / "docs" / "types.md"
FORMATS = ("parquet", "csv")

HEAD = """\
# Types

What `atio.write` makes of a column, by its type and the format. This page is made by
`python tests_py/type_table.py --write`, which writes a frame for each line; a test fails when it is out of date.

- **go**: encoded by atio's Go core. For parquet the file says the same as that of the library's own writer: values,
  types, metadata, as pandas, polars, pyarrow and DuckDB read them.
- **go**, fields by **pandas** or **polars**: the library makes the fields, and Go writes them beside others.
- **pandas**, **polars**, **pyarrow**: the library's own writer makes the bytes; publishing is just as safe.
- *refused*: the library cannot write it either. atio raises the library's exception and leaves everything as before.

The column *stored as* names the physical and logical type in the parquet file. Where there is more to a type than
that (time zones, durations, dictionaries and their order, large and view types), the Arrow schema in the file's
metadata says so.
"""


def outcome(frame: Any, format: str, folder: Path) -> tuple[str, Path | None]:
    path = folder / f"x.{format}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = atio.write(frame, path, durable=False, success_flag=False)
    except Exception as e:
        return f"*refused*: `{type(e).__name__}`", None
    if format == "csv" and result.engine == "go":
        library = library_of(frame)
        assert library is not None
        how = library.plan(frame, format, str(path), {})
        if isinstance(how, EncodeInGo) and how.options["verbatim"]:
            return f"go, fields by {library.NAME}", path
    return result.engine, path


def stored_as(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        schema = pq.ParquetFile(path).schema
    except Exception:
        return "a type only polars reads"
    leaves = []
    for i in range(len(schema)):
        column = schema.column(i)
        if column.path.split(".")[0] == "column":
            logical = str(column.logical_type).split(", is_from")[0]
            logical += ")" * (logical.count("(") - logical.count(")"))
            leaves.append(column.physical_type + ("" if logical == "None" else f" {logical}"))
    return ", ".join(leaves)


def lines(title: str, kind: str, names: Any, frame_of: Any) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield f"| {kind} | parquet | stored as | csv |"
    yield "|---|---|---|---|"
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            parquet, path = outcome(frame_of(name), "parquet", Path(folder))
            csv, _ = outcome(frame_of(name), "csv", Path(folder))
            yield f"| {name} | {parquet} | {stored_as(path)} | {csv} |"


def page() -> str:
    body = [
        HEAD.rstrip("\n"),
        *lines("pandas", "dtype, or what an object column holds", cases.PANDAS_COLUMNS, cases.pandas_column),
        *lines("polars", "dtype", cases.POLARS_COLUMNS, cases.polars_column),
        *lines("Arrow", "type", cases.ARROW_COLUMNS, cases.arrow_column),
    ]
    return "\n".join(body) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page())
    else:
        print(page(), end="")
