"""Loading flights into MariaDB: atio, the server's own LOAD DATA of a CSV, and pandas, in turns within one run.

The server is started here, from Debian's package, on loopback.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pymysql
import sqlalchemy as sa
from frames import flights

import atio

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests_py"))
from mariadb_server import PASSWORD, Server, running_server


def writers(server: Server, csv: str) -> dict[str, Callable[[], object]]:
    """Each replaces a table of its own."""
    df = flights().to_pandas()
    df.to_csv(csv, index=False, na_rep="\\N")
    engine = sa.create_engine(server.url())
    schema = pd.io.sql.get_schema(df, "by_load", con=engine)

    def by_pandas() -> None:
        df.to_sql("by_pandas", engine, if_exists="replace", index=False)

    def by_atio() -> None:
        assert atio.write(df, format="sql", name="by_atio", con=engine, if_exists="replace", index=False).engine == "go"

    def by_load() -> None:
        con = pymysql.connect(
            host="127.0.0.1", port=server.port, user="tester", password=PASSWORD, database="test", local_infile=True
        )
        with contextlib.closing(con), con.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS by_load")
            cursor.execute(schema)
            cursor.execute(
                f"LOAD DATA LOCAL INFILE '{csv}' INTO TABLE by_load CHARACTER SET utf8mb4"
                " FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' IGNORE 1 LINES"
            )
            con.commit()

    return {"atio": by_atio, "LOAD DATA of a CSV": by_load, "pandas to_sql": by_pandas}


def main() -> None:
    """Print each turn, and the shortest of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--slow-turns", type=int, default=1, help="of pandas")
    options = parser.parse_args()
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as directory, running_server() as server:
        todo = writers(server, str(Path(directory, "flights.csv")))
        for turn in range(options.turns):
            for name, write in todo.items():
                if "pandas" in name and turn >= options.slow_turns:
                    continue
                began = time.perf_counter()
                write()
                seconds = time.perf_counter() - began
                best[name] = min(seconds, best.get(name, seconds))
                print(f"{turn + 1}  {name:20} {seconds:8.3f} s", flush=True)
    for name, seconds in best.items():
        print(f"{name:20} {seconds:8.3f} s  atio takes {best['atio'] / seconds:.3f} of it")


if __name__ == "__main__":
    main()
