"""The code of docs/databases.md that needs a server runs too, and the table that the page has."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import polars as pl
import sqlalchemy as sa

from postgres_server import Server

PAGE = Path(__file__).parents[1] / "docs" / "databases.md"


def test_the_page(postgres: Server) -> None:
    blocks = re.findall(r"```py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 2
    df = pd.DataFrame({"order": [1, 2, 3], "city": ["Oslo", "Lima", None]})
    engine = sa.create_engine(postgres.url())
    with engine.begin() as con:
        con.exec_driver_sql('DROP TABLE IF EXISTS orders; CREATE TABLE orders ("order" bigint PRIMARY KEY, city text)')
    names = {"df": df, "engine": engine, "frame": pl.from_pandas(df), "url": postgres.url()}
    exec("import atio\n" + "\n".join(blocks), names)
    with engine.connect() as con:
        assert con.exec_driver_sql("SELECT count(*) FROM orders").scalar() == 3
    engine.dispose()
