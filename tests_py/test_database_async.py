"""Asynchronous engines and drivers: refused with what to pass, or written over by ``run_sync``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import pandas as pd
import polars as pl
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

import atio
from postgres_server import PASSWORD, Server

OLD = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})
NEW = pd.DataFrame({"a": [4, 5], "b": ["new", "new"]})


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///{}", "postgresql+asyncpg://me:s3cret@127.0.0.1:1/x"])
def test_refused_before_anything_is_done(tmp_path: Path, url: str) -> None:
    path = tmp_path / "x.db"
    engine = create_async_engine(url.format(path))
    cases = [
        (TypeError, "AsyncEngine", lambda: engine),
        (TypeError, "AsyncConnection", engine.connect),
        (TypeError, "AsyncSession", lambda: AsyncSession(engine)),
        (TypeError, "coroutine, AsyncSession.connection", AsyncSession(engine).connection),
        (sa.exc.MissingGreenlet, "is asynchronous", lambda: engine.sync_engine),
    ]
    if "sqlite" in url:
        cases.append((sa.exc.MissingGreenlet, "is asynchronous", lambda: engine.url))
        cases.append((sa.exc.MissingGreenlet, "is asynchronous", lambda: str(engine.url)))
    for error, what, con in cases:
        with pytest.raises(error, match=f"{what}.*Pass an engine or URL of a driver that waits") as e:
            atio.write(OLD, format="sql", name="t", con=con())
        with pytest.raises(error, match=what):
            asyncio.run(atio.aio.write(OLD, format="sql", name="t", con=con()))
        with pytest.raises(error, match=what):
            atio.write(pl.from_pandas(OLD), format="database", table_name="t", connection=con())
        assert "s3cret" not in str(e.value)
    assert not path.exists()


def test_raw_asynchronous_connections(postgres: Server, tmp_path: Path) -> None:
    server = {"host": "127.0.0.1", "port": postgres.port, "user": "tester", "password": PASSWORD}

    async def refused(con: Any) -> None:
        with pytest.raises(TypeError, match="con is a "):
            atio.write(OLD, format="sql", name="t", con=con)

    async def main() -> None:
        async with aiosqlite.connect(tmp_path / "x.db") as con:
            await refused(con)
        async with await psycopg.AsyncConnection.connect(**server, dbname="postgres") as con:
            await refused(con)
        con = await asyncpg.connect(**server, database="postgres")
        await refused(con)
        await con.close()

    asyncio.run(main())


@pytest.fixture(params=["aiosqlite", "asyncpg", "psycopg"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "aiosqlite":
        yield create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
        return
    postgres: Server = request.getfixturevalue("postgres")
    with postgres.connect() as con:
        con.execute("DROP TABLE IF EXISTS asynchronous")
    yield create_async_engine(postgres.url(request.param))


def interrupted() -> Iterator[pd.DataFrame]:
    yield NEW
    raise KeyError("mine")


def test_over_a_connection_by_run_sync(engine: Any) -> None:
    def write(frame: Any, mode: str) -> Any:
        options = {"name": "asynchronous", "if_exists": mode, "index": False}
        return lambda con: atio.write(frame, format="sql", con=con, **options)

    async def main() -> None:
        async with engine.begin() as con:
            assert (await con.run_sync(write(OLD, "fail"))).rows == 3
        for mode in ("replace", "append"):
            async with engine.begin() as con:
                with pytest.raises(KeyError, match="mine"):
                    await con.run_sync(write(interrupted(), mode))
            assert await rows() == [1, 2, 3]
        async with engine.connect() as con:  # a transaction of atio's
            await con.run_sync(write(iter([NEW, NEW]), "append"))
        assert await rows() == [1, 2, 3, 4, 4, 5, 5]
        async with engine.connect() as con:
            await con.execute(sa.text("DELETE FROM asynchronous"))
            await con.run_sync(write(NEW, "append"))
            await con.rollback()
        assert len(await rows()) == 7
        async with engine.connect() as con:
            await con.run_sync(lambda c: write(NEW, "replace")(c.engine))
        assert await rows() == [4, 5]
        await engine.dispose()

    async def rows() -> list[int]:
        async with engine.connect() as con:
            return list((await con.execute(sa.text("SELECT a FROM asynchronous ORDER BY a"))).scalars())

    asyncio.run(main())


def test_the_url_of_an_asynchronous_driver(postgres: Server) -> None:
    url = postgres.url("asyncpg")
    result = asyncio.run(atio.aio.write(OLD, format="sql", name="by_url", con=url, if_exists="replace", index=False))
    assert (result.engine, result.rows) == ("go", 3)
    mixed = pd.DataFrame({"a": [1, 2], "b": [("a", 1), 5]})
    with pytest.raises(sa.exc.MissingGreenlet, match="asyncpg is asynchronous"):
        atio.write(mixed, format="sql", name="by_url", con=url, if_exists="replace", index=False)
    with postgres.connect() as con:
        assert con.execute("SELECT count(*) FROM by_url").fetchone() == (3,)
