"""``atio.verify`` of a table: the files are what the log says."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .._errors import CorruptError
from .._first_use import use
from . import requests
from .diff import reading
from .source import Source

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class TableReport:
    """What :func:`atio.verify` has found out about a table.

    Attributes:
        path: the table's directory.
        version: the version that was looked at.
        files: number of its data files; all are there, of the right size, and have the right number of rows.
        rows: number of rows in them.
        bytes: size of them.
        checksums: how many of the files have the checksum that they were written with; other writers keep none.
        statistics: how many bounds and counts of nulls in the log were compared with the values.
    """

    path: str
    version: int
    files: int
    rows: int
    bytes: int
    checksums: int
    statistics: int


def is_table(path: object) -> bool:
    """Whether something is the path of a table."""
    if not isinstance(path, (str, os.PathLike)):
        return False
    return os.path.isdir(os.path.join(os.path.expanduser(os.fsdecode(path)), "_delta_log"))


def verify_table(path: str, version: int | None = None) -> TableReport:
    """Read all data files of a version back, and compare them with the log.

    Raises:
        CorruptError: naming the files that are missing, damaged, or other than the log says.
    """
    answer = requests.call("verify", path, requests.at(version))
    problems = [f"{requests.decode(one['path'])}: {one['reason']}" for one in answer["problems"] or ()]
    if problems:
        raise CorruptError(_told(path, answer["version"], problems))
    compared = reading(path, answer["version"], _compare_statistics, stats=True)
    if isinstance(compared, list):
        raise CorruptError(_told(path, answer["version"], compared))
    return TableReport(
        path=path,
        version=answer["version"],
        files=answer["files"],
        rows=answer["rows"],
        bytes=answer["bytes"],
        checksums=answer["checksums"],
        statistics=compared,
    )


def _told(path: str, version: int, problems: list[str]) -> str:
    shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
    return (
        f"table {path!r}, version {version}: {len(problems)} problems: {shown}. "
        "Bring the files back from a backup, or roll back to a version that does not need them"
    )


def _compare_statistics(source: Source, answer: dict[str, Any]) -> int | list[str]:
    """How many statistics were compared, or those that are wrong."""
    use("pyarrow.parquet")
    import pyarrow.parquet as pq

    compared, problems = 0, []
    for file, said in zip(source.files, answer["files"] or (), strict=True):
        if not said.get("stats"):
            continue
        stats = json.loads(said["stats"])
        bounds = {
            name: (stats.get("minValues", {}).get(name), stats.get("maxValues", {}).get(name), count)
            for name, count in stats.get("nullCount", {}).items()
            if not isinstance(count, dict)
        }
        with pq.ParquetFile(file.path) as opened:
            there = set(opened.schema_arrow.names)
            table = opened.read([name for name in bounds if name in there])
        for name, (low, high, nulls) in bounds.items():
            if name not in there:
                continue
            column = table[name]
            compared += 1
            if nulls is not None and column.null_count != nulls:
                problems.append(f"{said['path']}: column {name!r} has {column.null_count} nulls, not {nulls}")
            for bound, upper in ((low, False), (high, True)):
                if bound is not None and (wrong := _beyond(column, bound, upper=upper)) is not None:
                    side = "above" if upper else "below"
                    where = os.path.relpath(file.path, source.path)
                    problems.append(f"{where}: column {name!r} has {wrong!r}, {side} the bound {bound!r} in the log")
                compared += bound is not None
    return problems or compared


def _beyond(column: pa.ChunkedArray, bound: Any, *, upper: bool) -> Any:
    """A value that is beyond a bound of the log, ``None`` if there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    kind = column.type
    if t.is_floating(kind):
        column = column.filter(pc.invert(pc.is_nan(column)))  # which is no bound
    elif not (t.is_integer(kind) or t.is_decimal(kind) or t.is_date(kind) or t.is_timestamp(kind) or _is_text(kind)):
        return None
    found = pc.min_max(column)["max" if upper else "min"].as_py()
    if found is None:
        return None
    if _is_text(kind):
        # Bounds are cut off: a lower one is a prefix or less, an upper one was made larger.
        return found if (found > bound if upper else found < bound) else None
    if t.is_date(kind):
        limit: Any = pa.scalar(bound).cast(pa.date32()).as_py()
    elif t.is_timestamp(kind):
        # Milliseconds, cut off: a value may be above an upper bound by less than one.
        zone = kind.tz
        text = bound[:-1] if bound.endswith("Z") else bound
        limit = pa.scalar(text).cast(pa.timestamp("us")).as_py()
        if zone is not None:
            limit = limit.replace(tzinfo=dt.timezone.utc)
        if upper:
            limit += dt.timedelta(milliseconds=1)
    elif t.is_decimal(kind):
        limit = Decimal(str(bound))
        if isinstance(bound, float):
            # The log has decimals as JSON numbers, which Python reads as doubles.
            slack = abs(limit) * Decimal("1e-15")
            limit = limit + slack if upper else limit - slack
    else:
        limit = bound
    return found if (found > limit if upper else found < limit) else None


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as t

    return bool(t.is_string(kind) or t.is_large_string(kind))
