"""What becomes of tables in PostgreSQL: modes, schemas, names of every kind, keys."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

import atio
from postgres_server import Server
from test_database_types import described

FRAME = pd.DataFrame({"k": [1, 2, 3], "v": ["a", None, "c"]})


@pytest.fixture(scope="module")
def engine(postgres: Server) -> Iterator[sa.Engine]:
    engine = sa.create_engine(postgres.url())
    yield engine
    engine.dispose()


def clean(engine: sa.Engine) -> None:
    with engine.begin() as con:
        con.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS other CASCADE")


@pytest.fixture(autouse=True)
def _clean(engine: sa.Engine) -> Iterator[None]:
    clean(engine)
    yield
    with engine.connect() as con:
        hidden = con.exec_driver_sql("SELECT relname FROM pg_class WHERE starts_with(relname, '.atio')").all()
    clean(engine)
    assert not hidden


def write(engine: sa.Engine, df: Any = FRAME, name: str = "t", writer: str = "go", **kwargs: Any) -> atio.WriteResult:
    if isinstance(df, pd.DataFrame):
        kwargs = {"index": False} | kwargs
    result = atio.write(df, format="sql", name=name, con=engine, **kwargs)
    assert result.engine == writer
    return result


def rows(engine: sa.Engine, table: str = "t", order: str = "1") -> list[tuple[Any, ...]]:
    with engine.connect() as con:
        return [tuple(r) for r in con.exec_driver_sql(f"SELECT * FROM {table} ORDER BY {order}")]


HOSTILE = [
    'a"b', "a'b", "a b", "a;DROP TABLE x;--", "a%sb", "a%(x)sb", "a%%b", "SELECT", "ünï😀", "A", "a.b", "a\\b", "a:b",
    "$1", "a\nb", "{a}", "/*", "1", "é" * 31, "x" * 63, "a,b", "(", "?", "a`b", '"', "''", " ",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_names(engine: sa.Engine, name: str) -> None:
    df = pd.DataFrame({name: [1, 2], "x" if name != "x" else "y": ["a", "b"]})
    with engine.begin() as con:
        con.execute(sa.schema.CreateSchema("other"))
    for schema, mode in itertools.product([None, "other"], ["fail", "append", "replace"]):
        write(engine, df, name, schema=schema, if_exists=mode, index=True)
        ours = described(engine, name, schema or "public")
        if mode == "replace":
            df.to_sql(name, engine, schema=schema, if_exists="replace")
            assert ours == described(engine, name, schema or "public")
    inspector = sa.inspect(engine)
    assert inspector.get_table_names(schema="public") == [name]
    assert [c["name"] for c in inspector.get_columns(name)][1] == name


def test_the_schema_has_a_hostile_name(engine: sa.Engine) -> None:
    schema = 'o"th;er'
    with engine.begin() as con:
        con.execute(sa.schema.CreateSchema(schema))
    write(engine, schema=schema)
    write(engine, schema=schema, if_exists="replace", index=True)
    assert sa.inspect(engine).get_table_names(schema=schema) == ["t"]
    with engine.begin() as con:
        con.execute(sa.schema.DropSchema(schema, cascade=True))


@pytest.mark.parametrize("name", ["x" * 64, "ü" * 32])
def test_names_that_the_server_would_cut(engine: sa.Engine, name: str) -> None:
    cut = name.encode()[:63].decode(errors="ignore")
    write(engine, FRAME, cut)
    for mode in ("fail", "replace", "append", "delete_rows"):
        for table, df in (
            (name, FRAME),
            ("t", FRAME.rename(columns={"v": name})),
            ("t", FRAME.rename_axis(name)),
            (name, pl.from_pandas(FRAME)),
            ("t", pl.from_pandas(FRAME.rename(columns={"v": name}))),
            (name, pa.Table.from_pandas(FRAME)),
            ("t", pa.Table.from_pandas(FRAME.rename(columns={"v": name}))),
        ):
            with engine.connect() as con:
                for given in (engine, con):  # Go's writer, and the library's
                    with pytest.raises((sa.exc.IdentifierError, ValueError), match=r"6[34]|64 bytes"):
                        atio.write(df, format="sql", name=table, con=given, if_exists=mode)
    with pytest.raises((sa.exc.IdentifierError, ValueError)):
        atio.write(FRAME, format="sql", name="t", schema=name, con=engine)
    assert sa.inspect(engine).get_table_names() == [cut]
    assert len(rows(engine, f'"{cut}"')) == len(FRAME)


def test_a_name_with_a_nul(engine: sa.Engine) -> None:
    for table, df in (("a\0b", FRAME), ("t", FRAME.rename(columns={"v": "a\0b"}))):
        with pytest.raises((ValueError, sa.exc.DBAPIError)):
            write(engine, df, table)
    assert not sa.inspect(engine).get_table_names()


@pytest.mark.parametrize("frame", ["pandas", "polars", "arrow"])
def test_modes(engine: sa.Engine, frame: str) -> None:
    make = {
        "pandas": lambda d: d,
        "polars": pl.from_pandas,
        "arrow": lambda d: pa.Table.from_pandas(d, preserve_index=False),
    }
    first, second = make[frame](FRAME), make[frame](FRAME.assign(k=[4, 5, 6]))
    old = [(1, "a"), (2, None), (3, "c")]
    new = [(4, "a"), (5, None), (6, "c")]
    write(engine, first)
    assert rows(engine) == old
    with pytest.raises(ValueError, match=r"^Table 't' already exists.$"):
        write(engine, second)
    assert rows(engine) == old
    write(engine, second, if_exists="append")
    assert rows(engine) == old + new
    write(engine, second, if_exists="replace")
    assert rows(engine) == new
    write(engine, first, if_exists="append")
    if frame != "pandas" or "delete_rows" in pd.DataFrame.to_sql.__annotations__["if_exists"]:
        write(engine, second, if_exists="delete_rows")
        assert rows(engine) == new
    write(engine, first, "new", if_exists="append")
    assert rows(engine, "new") == old


def test_upsert(engine: sa.Engine) -> None:
    first = pd.DataFrame({"k": [1, 2, 3], "l": ["x", "y", "z"], "v": [1.5, None, 3.5]})
    write(engine, first, if_exists="upsert", key=["k", "l"])
    assert sa.inspect(engine).get_pk_constraint("t")["constrained_columns"] == ["k", "l"]
    second = pd.DataFrame({"v": [20.5, 40.5], "l": ["y", "y"], "k": [2, 4]})
    assert write(engine, second, if_exists="upsert", key=["k", "l"]).rows == 2
    assert rows(engine) == [(1, "x", 1.5), (2, "y", 20.5), (3, "z", 3.5), (4, "y", 40.5)]
    write(engine, iter([second, second.assign(k=[7, 8])]), if_exists="upsert", key=["k", "l"], index=False)
    assert len(rows(engine)) == 6
    # Some of the columns, and nothing but the key.
    write(engine, pd.DataFrame({"k": [9], "l": ["x"]}), if_exists="upsert", key=["k", "l"])
    write(engine, pd.DataFrame({"k": [1], "l": ["x"]}), if_exists="upsert", key=["k", "l"])
    assert rows(engine)[0] == (1, "x", 1.5)
    assert rows(engine)[-1] == (9, "x", None)


def test_upsert_for_polars_and_arrow(engine: sa.Engine) -> None:
    frame = pl.DataFrame({"k": [1, 2], "v": ["a", "b"]})
    atio.write(frame, format="database", table_name="t", connection=engine, if_table_exists="upsert", key="k")
    changed = frame.with_columns(v=pl.lit("c"))
    atio.write(changed, format="database", table_name="t", connection=engine, if_table_exists="upsert", key="k")
    assert rows(engine) == [(1, "c"), (2, "c")]
    atio.write(frame.to_arrow(), format="sql", name="t", con=engine, if_exists="upsert", key=["k"])
    assert rows(engine) == [(1, "a"), (2, "b")]


def test_upserts_that_cannot_be(engine: sa.Engine) -> None:
    write(engine)
    before = described(engine, "t")
    with pytest.raises(sa.exc.ProgrammingError, match="needs a primary key or a unique index"):
        write(engine, if_exists="upsert", key=["k"])
    with engine.begin() as con:
        con.exec_driver_sql("CREATE UNIQUE INDEX u ON t (k)")
    with pytest.raises(sa.exc.DBAPIError, match="two rows of the data have the same key"):
        write(engine, pd.DataFrame({"k": [1, 1], "v": ["x", "y"]}), if_exists="upsert", key=["k"])
    for key in ("nothing", ["k", "nothing"]):
        with pytest.raises(ValueError, match="no such column"):
            write(engine, if_exists="upsert", key=key)
    with pytest.raises(TypeError, match="list of names"):
        write(engine, if_exists="upsert", key=5)
    assert described(engine, "t")["rows"] == before["rows"]


def test_append_finds_columns_by_name(engine: sa.Engine) -> None:
    with engine.begin() as con:
        con.exec_driver_sql(
            "CREATE TABLE t (v varchar(5), d int DEFAULT 7, k numeric(5, 1), g int GENERATED ALWAYS AS (1) STORED)"
        )
    write(engine, if_exists="append")
    assert rows(engine, order="3") == [("a", 7, 1, 1), (None, 7, 2, 1), ("c", 7, 3, 1)]
    with pytest.raises(sa.exc.DataError, match="too long"):
        write(engine, FRAME.assign(v="longer than five"), if_exists="append")
    with pytest.raises(sa.exc.ProgrammingError, match='"w"'):
        write(engine, FRAME.assign(w=1), if_exists="append")
    write(engine, pd.DataFrame({"k": np.array([1, 2], dtype="i2")}), "small")
    with pytest.raises(ValueError, match='column "k", row 1: the value cannot be written as smallint: out of range'):
        write(engine, pd.DataFrame({"k": [1, 70000]}), "small", if_exists="append")
    assert len(rows(engine)) == 3


def test_append_to_types_that_users_made(engine: sa.Engine) -> None:
    with engine.begin() as con:
        con.exec_driver_sql(
            "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN small AS int CHECK (VALUE < 10); "
            "CREATE DOMAIN less AS small; CREATE TABLE t (m mood, s less, a mood[], u uuid, j jsonb, i interval)"
        )
    df = pl.DataFrame(
        {
            "m": ["ok", None], "s": [1, 2], "a": [["sad", "ok"], []],
            "u": ["00000000-0000-0000-0000-000000000005", None], "j": ['{"a": 1}', None],
        }
    )  # fmt: skip
    atio.write(df.to_arrow(), format="sql", name="t", con=engine, if_exists="append")
    assert [r[:3] for r in rows(engine)] == [("ok", 1, "{sad,ok}"), (None, 2, "{}")]
    with pytest.raises(sa.exc.IntegrityError, match="small"):
        write(engine, pd.DataFrame({"s": [11]}), if_exists="append")
    with pytest.raises(sa.exc.DataError, match="mood"):
        write(engine, pd.DataFrame({"m": ["happy"]}), if_exists="append")
    duration = pa.table({"i": pa.array([90_061_000_001, -1, None], pa.duration("us"))})
    atio.write(duration, format="sql", name="t", con=engine, if_exists="append")
    with engine.connect() as con:
        found = con.exec_driver_sql("SELECT i::text FROM t WHERE i IS NOT NULL ORDER BY i").scalars().all()
    assert found == ["-00:00:00.000001", "1 day 01:01:01.000001"]


def test_partitions_and_views(engine: sa.Engine) -> None:
    with engine.begin() as con:
        con.exec_driver_sql(
            "CREATE TABLE t (k bigint, v text) PARTITION BY RANGE (k); "
            "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (2); "
            "CREATE TABLE high PARTITION OF t FOR VALUES FROM (2) TO (9); CREATE VIEW w AS SELECT * FROM t"
        )
    write(engine, if_exists="append")
    assert (len(rows(engine, "low")), len(rows(engine, "high"))) == (1, 2)
    write(engine, name="w", writer="pandas", if_exists="append")
    assert len(rows(engine)) == 6
    with pytest.raises(sa.exc.InternalError, match="depend"):  # the view does
        write(engine, if_exists="replace")
    assert len(rows(engine)) == 6


def test_columns_that_do_not_fit_leave_nothing(engine: sa.Engine) -> None:
    write(engine)
    with pytest.raises(sa.exc.DBAPIError):
        write(engine, pd.DataFrame({"v": ["a\0b"]}), if_exists="replace")
    assert len(rows(engine)) == 3
    write(engine, name="keyed", if_exists="upsert", key=["k"])
    for arguments in ({"if_exists": "append"}, {"if_exists": "upsert", "key": ["k"]}):
        with pytest.raises(sa.exc.ProgrammingError, match='no column "surplus"'):
            write(engine, FRAME.assign(surplus=1), "keyed", **arguments)
    assert len(rows(engine, "keyed")) == 3
    with engine.begin() as con:
        con.exec_driver_sql("DROP TABLE keyed")
    with pytest.raises(sa.exc.ArgumentError):  # as pandas
        write(engine, pd.DataFrame({"a": ["x"], "b": ["y"]}).set_axis(["a", "a"], axis=1), "dup")
    assert sa.inspect(engine).get_table_names() == ["t"]


def test_many_columns_and_rows(engine: sa.Engine) -> None:
    wide = pd.DataFrame(np.arange(3 * 900).reshape(3, 900)).add_prefix("c")
    write(engine, wide)
    assert rows(engine)[2][899] == 3 * 900 - 1
    long = pl.DataFrame({"i": np.arange(300_000), "t": pl.Series(["ä" * (i % 50) for i in range(1000)] * 300)})
    atio.write(long, format="database", table_name="long", connection=engine)
    with engine.connect() as con:
        found = con.exec_driver_sql("SELECT count(*), sum(i), sum(length(t)), min(t), max(length(t)) FROM long").one()
    assert tuple(found) == (300_000, sum(range(300_000)), sum(i % 50 for i in range(1000)) * 300, "", 49)


def test_no_rows(engine: sa.Engine) -> None:
    write(engine, FRAME[:0])
    assert rows(engine) == []
    with pytest.raises(ValueError, match="nothing to write"):
        write(engine, iter([]))


def test_chunks_that_do_not_fit(engine: sa.Engine) -> None:
    write(engine)
    for second, error in (
        (FRAME.rename(columns={"v": "w"}), ValueError),
        (FRAME[["k"]], ValueError),
        (FRAME.assign(v=[[1], 2, "a"]), ValueError),
        (pl.from_pandas(FRAME), TypeError),
        (5, TypeError),
    ):
        with pytest.raises(error):
            write(engine, iter([FRAME, second]), if_exists="append", index=False)
        assert len(rows(engine)) == 3
    write(engine, iter([FRAME, FRAME.assign(k=[1.0, 2.0, np.nan])[["v", "k"]]]), if_exists="append", index=False)
    assert len(rows(engine)) == 9


def test_what_is_told(engine: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    shown = io.StringIO()
    df = pd.DataFrame({"i": range(200_000)})
    with contextlib.redirect_stderr(shown), caplog.at_level("INFO", "atio"):
        result = write(engine, df, show_progress=True, verbose=True)
    assert "done" in shown.getvalue()
    assert "Writer: Go" in caplog.text
    assert "✅ File writing completed" in caplog.text
    assert result.rows == 200_000
    assert 200_000 * 14 <= result.bytes <= 200_000 * 14 + 100
    assert (result.format, result.checksum, result.engine) == ("sql", "", "go")


def test_without_waiting_for_the_disk(engine: sa.Engine) -> None:
    write(engine, durable=False)
    assert len(rows(engine)) == 3
