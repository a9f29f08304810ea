"""Reads the test tables of other Delta implementations and says which load, which are refused, and why.

    python bench/golden_tables.py DIRECTORY ... > docs/delta-compatibility.md

The directories hold checkouts of delta-io/delta, delta-io/delta-kernel-rs and delta-io/delta-rs (their test tables,
with archives unpacked). Every directory with a ``_delta_log`` is read by atio and by the deltalake package, and the
rows are compared, whatever their order.
"""

from __future__ import annotations

import argparse
import collections
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa

import atio

SAME, REFUSED, BOTH, ONLY_ATIO, ONLY_RS, DIFFERENT = (
    "read, rows as by delta-rs",
    "refused by its feature",
    "an error by both",
    "read; delta-rs does not read it",
    "not read; delta-rs reads it",
    "DIFFERENT ROWS",
)


def tables(directories: list[Path]) -> Iterator[tuple[str, Path]]:
    """All tables below the directories, with names to list them by."""
    for directory in directories:
        for log in sorted(directory.rglob("_delta_log")):
            if log.is_dir():
                yield f"{directory.name}: {_short(log.parent.relative_to(directory))}", log.parent


def _short(path: Path) -> str:
    """The path without the folders that all tables of a project share."""
    parts = [
        part
        for part in path.parts
        if part not in {"src", "main", "test", "tests", "resources", "connectors", "kernel", "crates", "spark", "core"}
    ]
    return "/".join(dict.fromkeys(parts))


def rows_of(table: pa.Table) -> collections.Counter[str]:
    """The rows of a table, whatever their order and that of the columns."""
    names = sorted(table.column_names)
    columns = [[_plain(value) for value in table[name].to_pylist()] for name in names]
    return collections.Counter(map(repr, zip(*columns, strict=True)) if columns else [])


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, dict):
        return tuple(sorted((key, _plain(inner)) for key, inner in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(_plain(inner) for inner in value)
    if hasattr(value, "tzinfo") and value.tzinfo is not None and hasattr(value, "timestamp"):
        return ("UTC", value.timestamp())
    return value


def by_atio(path: Path) -> tuple[pa.Table | None, str]:
    """What atio reads, or why it does not."""
    try:
        return atio.read_table(path, output_as="arrow"), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def by_delta_rs(path: Path) -> tuple[pa.Table | None, str]:
    """What deltalake reads, or why it does not."""
    try:
        read = deltalake.DeltaTable(str(path))
        try:
            return read.to_pyarrow_table(), ""
        except Exception:  # what that path does not know, its query engine may
            return pa.table(deltalake.QueryBuilder().register("t", read).execute("select * from t").read_all()), ""
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return None, f"{type(error).__name__}: {error}"


def compare(path: Path) -> tuple[str, str]:
    """What becomes of a table, and why."""
    mine, why = by_atio(path)
    theirs, why_not = by_delta_rs(path)
    said = _said(why or why_not, path)
    if mine is None:
        if "feature" in why:
            return REFUSED, said
        return (BOTH if theirs is None else ONLY_RS), said
    if theirs is None:
        return ONLY_ATIO, said
    if mine.num_rows == theirs.num_rows and rows_of(mine) == rows_of(theirs):
        return SAME, f"{mine.num_rows} rows"
    return DIFFERENT, f"{mine.num_rows} rows, delta-rs has {theirs.num_rows}"


def _said(text: str, path: Path) -> str:
    text = text.replace(str(path.resolve()), "...").replace(str(path), "...")
    text = re.sub(r"\s+", " ", text)
    return (text if len(text) <= 160 else text[:157] + "...").replace("|", "\\|")


def main() -> int:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directories", nargs="+", type=Path)
    found = collections.defaultdict(list)
    for name, path in tables([one.resolve() for one in parser.parse_args().directories]):
        kind, why = compare(path)
        found[kind].append((name, why))
        print(kind, name, why, file=sys.stderr)
    print("# Test tables of other Delta implementations\n")
    print(f"""Made by `bench/golden_tables.py` from the test tables of delta-io/delta, delta-io/delta-kernel-rs and
delta-io/delta-rs. atio {atio.__version__}, deltalake {deltalake.__version__}, {sum(map(len, found.values()))} tables.
Some of them are broken on purpose, and some are logs without their data files.
""")
    print("| what becomes of it | tables |\n|---|---|")
    kinds = (SAME, ONLY_ATIO, REFUSED, BOTH, ONLY_RS, DIFFERENT)
    for kind in kinds:
        print(f"| {kind} | {len(found[kind])} |")
    for kind in kinds:
        if found[kind]:
            print(f"\n## {kind[0].upper()}{kind[1:]}\n\n| table | |\n|---|---|")
            for name, why in found[kind]:
                print(f"| {name} | {why} |")
    return bool(found[DIFFERENT])


if __name__ == "__main__":
    sys.exit(main())
