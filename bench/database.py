"""Loading flights into PostgreSQL: atio, ADBC, psql's copy, and the libraries' own writers, in turns within one run.

The server is started here, from Debian's package, on loopback; with ``fsync=off``, as the disk is not what is measured.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import polars as pl
import sqlalchemy as sa
from frames import flights

import atio

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests_py"))
from postgres_server import PASSWORD, Server, programs, running_server


def writers(server: Server, csv: str) -> dict[str, Callable[[], object]]:
    """Each replaces a table of its own."""
    table = flights()
    df = table.to_pandas()
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    engine = sa.create_engine(server.url())
    uri = server.url().replace("+psycopg", "").replace(" ", "%20")
    columns = pd.io.sql.get_schema(df, "by_psql", con=engine)

    # The driver decides how long it takes: psycopg2 was SQLAlchemy's own choice until 2.1, psycopg 3 is since.
    def to_sql(driver: str) -> Callable[[], object]:
        through = sa.create_engine(server.url(driver))
        return lambda: df.to_sql(f"by_{driver}", through, if_exists="replace", index=False)

    def by_atio() -> None:
        assert atio.write(df, format="sql", name="a", con=engine, if_exists="replace", index=False).engine == "go"

    def by_atio_polars() -> None:
        atio.write(frame, format="database", table_name="b", connection=engine, if_table_exists="replace")

    def by_adbc() -> None:
        with adbc.connect(uri) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest("by_adbc", table, mode="replace")
            connection.commit()

    def by_psql() -> None:
        script = f"BEGIN; DROP TABLE IF EXISTS by_psql; {columns};\n\\copy by_psql from '{csv}' csv header\nCOMMIT;\n"
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        command = [programs() / "psql", "-qX", "-h", "127.0.0.1", "-p", str(server.port), "-U", "tester", "postgres"]
        subprocess.run(command, input=script.encode(), check=True, env=environment)

    return {
        "atio (pandas)": by_atio,
        "atio (polars)": by_atio_polars,
        "ADBC": by_adbc,
        "psql \\copy": by_psql,
        "pandas to_sql, psycopg 3": to_sql("psycopg"),
        "pandas to_sql, psycopg2": to_sql("psycopg2"),
    }


def main() -> None:
    """Print a table of times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--slow", type=int, default=1, help="repetitions of to_sql, which takes ten to twenty seconds")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with running_server() as server, tempfile.TemporaryDirectory(dir="/tmp") as directory:
        csv = os.path.join(directory, "flights.csv")
        flights().to_pandas().to_csv(csv, index=False)
        os.chmod(directory, 0o755)
        todo = writers(server, csv)
        times: dict[str, list[float]] = {name: [] for name in todo}
        for i in range(options.repetitions):
            for name, write in todo.items():
                if name.startswith("pandas to_sql") and i >= options.slow:
                    continue
                began = time.perf_counter()
                write()
                times[name].append(time.perf_counter() - began)
    ours = min(times["atio (pandas)"])
    print("| writer | shortest s | all | atio (pandas) / it |\n|---|---|---|---|")
    for name, taken in times.items():
        if taken:
            listed = " ".join(f"{t:.2f}" for t in taken)
            print(f"| {name} | {min(taken):.3f} | {listed} | {ours / min(taken):.3f} |")


if __name__ == "__main__":
    main()
