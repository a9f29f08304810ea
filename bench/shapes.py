"""Parquet of tables at which a writer may be bad: ``python bench/shapes.py --help``.

Narrow and wide, short and long, of one type each. All contenders write a frame of their own in turns, with the same
codec; a figure is the shortest of several times. The fastest other one is what atio is compared with, and its size.
"""

from __future__ import annotations

import argparse
import decimal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet
from frames import CITIES
from run import Contender, Write, measure

import atio

CODECS = {
    "snappy": {"compression": "snappy"},
    "zstd 3": {"compression": "zstd", "compression_level": 3},
    "zstd 10": {"compression": "zstd", "compression_level": 10},
    "zstd 19": {"compression": "zstd", "compression_level": 19},
    "gzip": {"compression": "gzip", "compression_level": 6},
    "lz4": {"compression": "lz4"},
    "none": {"compression": None},
}
TEXT = "the quick brown fox jumps over a lazy dog and writes down what it has seen in an old log"
USUAL = ("snappy", "zstd 3")


def event_log(rows: int) -> pa.Table:
    """What many write: ids, times, prices, few and many texts, flags, nulls."""
    random = np.random.default_rng(rows)
    return pa.table(
        {
            "id": np.arange(rows),
            "time": np.datetime64("2024-01-01", "us") + np.cumsum(random.integers(1, 10**6, rows)).astype("m8[us]"),
            "value": pa.array(random.normal(size=rows), mask=random.random(rows) < 0.1),
            "price": random.integers(100, 10**5, rows) / 100,
            "city": pa.array(np.array(CITIES, object)[random.integers(0, 20, rows)], pa.large_string()),
            "user": pa.array([f"user-{i}" for i in random.integers(0, rows, rows)], pa.large_string()),
            "flag": random.random(rows) < 0.3,
        }
    )


def wide(columns: int, rows: int, dtype: str = "f8") -> pa.Table:
    """Columns of random numbers."""
    random = np.random.default_rng(1)
    return pa.table({f"c{i}": random.random(rows).astype(dtype) for i in range(columns)})


def one(values: object, dtype: pa.DataType | None = None) -> pa.Table:
    """A single column."""
    return pa.table({"x": pa.array(values, dtype)})


def texts(rows: int, size: int, kinds: int) -> pa.Table:
    """Texts of about a size, so many of them different."""
    random = np.random.default_rng(2)
    words = np.array(TEXT.split())
    made = [" ".join(words[random.integers(0, len(words), size // 5 + 1)]) + f" {i}" for i in range(kinds)]
    which = random.permutation(rows) if rows == kinds else random.integers(0, kinds, rows)
    return one(np.array(made, object)[which], pa.large_string())


def digits(rows: int) -> pa.Table:
    """Texts that are all different and do not compress well."""
    raw = np.random.default_rng(3).bytes(16 * rows).hex()
    return one([raw[i : i + 32] for i in range(0, 32 * rows, 32)], pa.large_string())


def categories(rows: int, kinds: int) -> pa.Table:
    """A dictionary of many categories."""
    codes = np.random.default_rng(4).integers(0, kinds, rows).astype("u4")
    names = pa.array([f"category {i:07}" for i in range(kinds)], pa.large_string())
    return one(pa.DictionaryArray.from_arrays(codes, names))


def lists(rows: int) -> pa.Table:
    """Lists of up to nine numbers, and of texts."""
    random = np.random.default_rng(5)
    ends = np.concatenate([[0], np.cumsum(random.integers(0, 10, rows))])
    numbers = pa.LargeListArray.from_arrays(ends, random.integers(0, 1000, ends[-1]))
    names = pa.array(np.array(CITIES, object)[random.integers(0, 20, ends[-1])], pa.large_string())
    return pa.table({"numbers": numbers, "names": pa.LargeListArray.from_arrays(ends, names)})


def structs(rows: int) -> pa.Table:
    """Structs in structs, and a list of them."""
    log = event_log(rows)
    point = pa.StructArray.from_arrays([log["value"].combine_chunks(), log["price"].combine_chunks()], ["a", "b"])
    outer = pa.StructArray.from_arrays([point, log["city"].combine_chunks()], ["point", "city"])
    ends = np.arange(0, rows + 1, 4)
    return pa.table({"s": outer[: len(ends) - 1], "l": pa.LargeListArray.from_arrays(ends, point)})


def decimals(rows: int) -> pa.Table:
    """Prices as decimals of 18 digits, and of 38."""
    cents = np.random.default_rng(6).integers(0, 10**7, rows)
    values = pa.array([decimal.Decimal(int(c)) / 100 for c in cents[:1000]] * (rows // 1000), pa.decimal128(38, 2))
    return pa.table({"short": pa.array(cents, pa.int64()).cast(pa.decimal128(21, 2)), "long": values})


_random = np.random.default_rng(7)
SHAPES: dict[str, tuple[Callable[[], pa.Table], tuple[str, ...]]] = {
    "100 rows": (lambda: event_log(100), USUAL),
    "1,000 rows": (lambda: event_log(1000), USUAL),
    "10,000 rows": (lambda: event_log(10_000), (*USUAL, "gzip", "lz4", "none")),
    "100,000 rows": (lambda: event_log(100_000), (*USUAL, "zstd 10", "zstd 19", "gzip", "lz4", "none")),
    "1,000 columns x 100 rows": (lambda: wide(1000, 100), USUAL),
    "1,000 columns x 1,000 rows": (lambda: wide(1000, 1000), USUAL),
    "200 float32 x 20,000 rows": (lambda: wide(200, 20_000, "f4"), USUAL),
    "one sorted int64 x 5M": (lambda: one(np.arange(5_000_000)), USUAL),
    "one random int64 x 5M": (lambda: one(_random.integers(0, 2**62, 5_000_000)), USUAL),
    "one int32 of 1,000 values x 5M": (lambda: one(_random.integers(0, 1000, 5_000_000).astype("i4")), USUAL),
    "one double x 5M": (lambda: one(_random.random(5_000_000)), USUAL),
    "one bool x 5M": (lambda: one(_random.random(5_000_000) < 0.5), USUAL),
    "all null x 5M": (lambda: one(pa.nulls(5_000_000, pa.float64())), USUAL),
    "texts of 20 bytes, 1M different": (lambda: texts(1_000_000, 20, 1_000_000), USUAL),
    "texts of 20 bytes, 1,000 different x 1M": (lambda: texts(1_000_000, 20, 1000), USUAL),
    "hexadecimal digits x 1M": (lambda: digits(1_000_000), USUAL),
    "texts of 10 kB x 10,000": (lambda: texts(10_000, 10_000, 10_000), USUAL),
    "texts of 1 MB x 100": (lambda: texts(100, 1_000_000, 100), USUAL),
    "100,000 categories x 1M": (lambda: categories(1_000_000, 100_000), USUAL),
    "1M categories x 1M": (lambda: categories(1_000_000, 1_000_000), USUAL),
    "lists x 300,000": (lambda: lists(300_000), USUAL),
    "structs x 300,000": (lambda: structs(300_000), USUAL),
    "decimals x 1M": (lambda: decimals(1_000_000), USUAL),
}


def contenders(table: pa.Table, codec: str, row_group: int | None) -> dict[str, Contender]:
    """The ways to write a table."""
    frame = pl.DataFrame(table)
    connection = duckdb.connect()
    connection.register("frame", table)
    options = dict(CODECS[codec])
    settings = ", ".join(f"{name} {value or 'uncompressed'}" for name, value in options.items())
    if not codec.startswith("zstd"):
        settings = settings.partition(",")[0]
    more: dict[str, object] = {}
    if row_group:
        more["row_group_size"] = row_group
        settings += f", row_group_size {row_group}"
    for_polars = {"compression": options["compression"] or "uncompressed", **{k: v for k, v in options.items() if v}}
    writes: dict[str, Write] = {
        "atio": lambda path: atio.write(frame, path, durable=False, **for_polars, **more),
        "polars": lambda path: frame.write_parquet(path, **for_polars, **more),
        "pyarrow": lambda path: pa.parquet.write_table(table, path, **options, **more),
        "duckdb": lambda path: connection.execute(f"COPY frame TO '{path}' (FORMAT parquet, {settings})"),
    }
    return {name: Contender(write) for name, write in writes.items()}


def line(shape: str, codec: str, runners: dict[str, Contender]) -> str:
    """One line of the table."""
    others = {name: of for name, of in runners.items() if name != "atio"}
    name, fastest = min(others.items(), key=lambda item: item[1].best)
    mine = runners["atio"]
    engine = "" if mine.engine == "go" else f" by {mine.engine}"
    return (
        f"| {shape} | {codec} | {mine.best * 1e3:,.2f} ms{engine} | {fastest.best * 1e3:,.2f} ms, {name} "
        f"| **{mine.best / fastest.best:.2f}** | {mine.size / 1e6:,.3f} MB | {mine.size / fastest.size:.2f} |"
    )


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="shapes whose name holds this")
    parser.add_argument("--codecs", nargs="+", choices=CODECS, help="instead of each shape's own")
    parser.add_argument("--row-group", type=int, help="rows of a row group")
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--patience", type=float, default=2, help="seconds after which a contender has run enough")
    parser.add_argument("--memory", type=Path, default="/dev/shm", help="directory in memory")
    options = parser.parse_args()
    print("| table | codec | atio (polars frame) | fastest other | ratio | size | of the fastest other's |")
    print("|---" * 7 + "|")
    for shape, (make, codecs) in SHAPES.items():
        if options.only not in shape:
            continue
        table = make()
        for codec in options.codecs or codecs:
            runners = contenders(table, codec, options.row_group)
            with tempfile.TemporaryDirectory(dir=options.memory) as directory:
                path = Path(directory, "x.parquet")
                measure(runners, path, False, options.repetitions, options.patience)
            print(line(shape, codec, runners), flush=True)


if __name__ == "__main__":
    sys.exit(main())
