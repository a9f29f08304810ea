"""What ``con`` may be, and that Go connects as it does."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa
import sqlalchemy.orm

import atio
from postgres_server import PASSWORD, Server, running_server

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})


@pytest.fixture
def table(postgres: Server) -> Iterator[str]:
    yield "connected"
    with postgres.connect() as con:
        for schema in ("public", "other"):
            con.execute(
                f'DROP TABLE IF EXISTS "{schema}".connected'
                if schema == "public"
                else "DROP SCHEMA IF EXISTS other CASCADE"
            )


def rows(server: Server, table: str = "connected") -> list[tuple[Any, ...]]:
    with server.connect() as con:
        found: list[tuple[Any, ...]] = con.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
        return found


EXPECTED = [(1, "x"), (2, None), (3, "z")]


def write(con: Any, writer: str = "go", **kwargs: Any) -> atio.WriteResult:
    kwargs = {"index": False, "if_exists": "replace"} | kwargs
    result = atio.write(FRAME, format="sql", name="connected", con=con, **kwargs)
    assert result.engine == writer
    assert PASSWORD not in repr(result)
    return result


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "pg8000", "asyncpg"])
@pytest.mark.usefixtures("table")
def test_urls(postgres: Server, driver: str) -> None:
    write(postgres.url(driver))
    assert rows(postgres) == EXPECTED
    result = write(sa.make_url(postgres.url(driver)), if_exists="append")
    assert rows(postgres) == sorted(EXPECTED * 2, key=str)
    assert result.path == f"postgresql://127.0.0.1:{postgres.port}/postgres#connected"


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "pg8000"])
@pytest.mark.usefixtures("table")
def test_engines(postgres: Server, driver: str) -> None:
    engine = sa.create_engine(postgres.url(driver))
    write(engine)
    assert rows(postgres) == EXPECTED
    assert engine.pool.status().startswith("Pool size: 5  Connections in pool: 1")
    engine.dispose()


@pytest.mark.usefixtures("table")
def test_an_engine_that_the_url_says_nothing_of(postgres: Server) -> None:
    """The password and all else comes with connect_args, a creator or an event, the search path by a statement."""
    with postgres.connect() as con:
        con.execute("CREATE SCHEMA other")
    arguments = {
        "host": "127.0.0.1",
        "port": postgres.port,
        "user": "tester",
        "password": PASSWORD,
        "dbname": "postgres",
    }
    first = sa.create_engine("postgresql+psycopg://", connect_args={**arguments, "options": "-csearch_path=other"})
    write(first)
    assert rows(postgres, "other.connected") == EXPECTED
    first.dispose()

    second = sa.create_engine("postgresql+psycopg2://nobody:wrong@192.0.2.1/nothing")

    @sa.event.listens_for(second, "do_connect")
    def connect(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        parameters.clear()
        parameters.update(arguments)

    @sa.event.listens_for(second, "connect")
    def settle(con: Any, _record: Any) -> None:
        with con.cursor() as cursor:
            cursor.execute("SET search_path = other, public; SET work_mem = '12MB'; SET application_name = '100%'")
        con.commit()

    write(second, if_exists="append")
    assert rows(postgres, "other.connected") == sorted(EXPECTED * 2, key=str)
    second.dispose()


@pytest.mark.usefixtures("table")
def test_a_role(postgres: Server) -> None:
    with postgres.connect() as con:
        con.execute("CREATE ROLE writer; GRANT CREATE, USAGE ON SCHEMA public TO writer")
    engine = sa.create_engine(postgres.url())

    @sa.event.listens_for(engine, "connect")
    def settle(con: Any, _record: Any) -> None:
        con.execute("SET ROLE writer")
        con.commit()

    write(engine)
    engine.dispose()
    with postgres.connect() as con:
        owner = con.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'connected'").fetchone()
        con.execute("DROP OWNED BY writer; DROP ROLE writer")
    assert owner == ("writer",)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.usefixtures("table")
def test_unix_sockets(postgres: Server, driver: str) -> None:
    url = sa.URL.create(
        f"postgresql+{driver}",
        "tester",
        PASSWORD,
        database="postgres",
        query={"host": str(postgres.directory), "port": str(postgres.port)},
    )
    write(url)
    assert rows(postgres) == EXPECTED
    engine = sa.create_engine(url)
    write(engine, if_exists="append")
    assert len(rows(postgres)) == 6
    engine.dispose()


@pytest.mark.usefixtures("table")
def test_the_environment(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is now, and not as it was when Python began."""
    for name, value in {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "PGUSER": "tester",
        "PGPASSWORD": PASSWORD,
    }.items():
        monkeypatch.setenv(name, value)
    write("postgresql+psycopg:///postgres")
    assert rows(postgres) == EXPECTED


@pytest.mark.usefixtures("table")
def test_several_hosts(postgres: Server) -> None:
    url = sa.make_url(postgres.url()).set(host=None, port=None)
    url = url.update_query_dict({"host": [f"127.0.0.1:{closed_port()}", f"127.0.0.1:{postgres.port}"]})
    write(url)
    assert rows(postgres) == EXPECTED


def closed_port() -> int:
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@pytest.mark.usefixtures("table")
def test_what_go_cannot_connect_with(postgres: Server) -> None:
    for query in ({"requirepeer": "somebody"}, {"keepalives": "1"}):
        engine = sa.create_engine(sa.make_url(postgres.url()).update_query_dict(query))
        write(engine, "pandas" if "requirepeer" in query else "go")
        assert rows(postgres) == EXPECTED
        engine.dispose()


@pytest.mark.usefixtures("table")
def test_an_open_connection_that_is_in_no_transaction(postgres: Server) -> None:
    engine = sa.create_engine(postgres.url())
    with engine.connect() as con:
        write(con, "pandas")
    assert rows(postgres) == EXPECTED
    engine.dispose()


@pytest.mark.usefixtures("table")
def test_an_open_connection_stays_in_the_callers_transaction(postgres: Server) -> None:
    engine = sa.create_engine(postgres.url())
    with engine.connect() as con:
        con.exec_driver_sql("CREATE TABLE connected (mine int)")
        with pytest.raises(ValueError, match="already exists"):
            write(con, "pandas", if_exists="fail")
        with pytest.raises((sa.exc.DBAPIError, pd.errors.DatabaseError)):  # and the transaction goes on
            write(con, "pandas", if_exists="append")
        con.exec_driver_sql("INSERT INTO connected VALUES (7)")
        assert con.exec_driver_sql("SELECT * FROM connected").all() == [(7,)]
        write(con, "pandas")
        assert len(con.exec_driver_sql("SELECT a FROM connected").all()) == 3
        con.rollback()
    assert not sa.inspect(engine).has_table("connected")
    with sa.orm.Session(engine) as session:
        write(session.connection(), "pandas")
        session.commit()
    assert rows(postgres) == EXPECTED
    engine.dispose()


@pytest.mark.usefixtures("table")
def test_engines_and_connections_that_commit_by_themselves(postgres: Server) -> None:
    bad = pd.DataFrame({"a": [6, 7], "b": ["new", {"no": "type"}]})
    engine = sa.create_engine(postgres.url(), isolation_level="AUTOCOMMIT")
    write(engine)
    with sa.create_engine(postgres.url()).connect() as plain:
        con = plain.execution_options(isolation_level="AUTOCOMMIT")
        for each in (engine, con):
            with pytest.raises((sa.exc.DBAPIError, pd.errors.DatabaseError)):
                atio.write(bad, format="sql", name="connected", con=each, if_exists="replace", index=False)
            assert rows(postgres) == EXPECTED
        write(con, "pandas", if_exists="append")
        assert con.get_execution_options()["isolation_level"] == "AUTOCOMMIT"
    plain.engine.dispose()
    engine.dispose()
    assert len(rows(postgres)) == 6


@pytest.mark.usefixtures("table")
def test_polars_and_arrow(postgres: Server) -> None:
    engine = sa.create_engine(postgres.url())
    frame = pl.from_pandas(FRAME)
    cases: list[tuple[Any, dict[str, Any]]] = [
        (
            frame,
            {
                "format": "database",
                "table_name": "public.connected",
                "connection": engine,
                "if_table_exists": "replace",
            },
        ),
        (
            frame,
            {
                "format": "database",
                "table_name": "connected",
                "connection_uri": postgres.url(),
                "if_table_exists": "replace",
            },
        ),
        (
            frame.lazy(),
            {"format": "database", "table_name": "connected", "connection": engine, "if_table_exists": "replace"},
        ),
        (frame, {"format": "sql", "name": "connected", "con": engine, "if_exists": "replace", "index": False}),
        (pa.Table.from_pandas(FRAME), {"format": "sql", "name": "connected", "con": engine, "if_exists": "replace"}),
        (
            pa.RecordBatch.from_pandas(FRAME),
            {"format": "sql", "name": "connected", "con": engine, "if_exists": "replace"},
        ),
        (
            pa.Table.from_pandas(FRAME).to_reader(1),
            {"format": "sql", "name": "connected", "con": engine, "if_exists": "replace"},
        ),
    ]
    for obj, kwargs in cases:
        result = atio.write(obj, **kwargs)
        assert (result.engine, result.rows) == ("go", 3), kwargs
        assert rows(postgres) == EXPECTED
        with postgres.connect() as con:
            con.execute("TRUNCATE connected")
    with engine.connect() as con:
        result = atio.write(frame, format="database", table_name="connected", connection=con, if_table_exists="append")
        assert result.engine == "polars"
    assert rows(postgres) == EXPECTED
    engine.dispose()


@pytest.mark.parametrize(
    ("kwargs", "error", "text"),
    [
        ({"con": None}, TypeError, "con is missing"),
        ({"con": 5}, TypeError, "con is a builtins.int"),
        ({"con": "no url"}, ValueError, "no URL"),
        ({"con": "http//user:secret@host/x"}, ValueError, "no URL"),
        ({"con": "postgresql+psycopg://user:an@secret@host/x"}, ValueError, "write %40"),
        ({"con": sa.make_url("mysql+pymysql://user:an@secret@host/x")}, ValueError, "write %40"),
        ({"con": sa.create_engine("postgresql+psycopg://user:an@secret@host/x")}, ValueError, "write %40"),
        ({"name": None}, TypeError, "name is missing"),
        ({"name": 5}, TypeError, "must be a str"),
        ({"name": ""}, ValueError, "Empty table name"),
        ({"target_path": "other"}, TypeError, "two names"),
        ({"if_exists": "always"}, ValueError, "'always' is not valid for if_exists"),
        ({"if_exists": "upsert"}, ValueError, "key"),
        ({"key": ["a"]}, ValueError, "key"),
        ({"chunksize": 0}, ValueError, "chunksize"),
        ({"method": "bulk"}, ValueError, "Invalid parameter `method`: bulk"),
        ({"dtype": {"a": "int"}}, ValueError, "not a SQLAlchemy type"),
        ({"nonsense": 1}, TypeError, "nonsense"),
        ({"index_label": ["a", "b"]}, ValueError, "Length of 'index_label'"),
        ({"backup": True}, ValueError, "backup is for files"),
        ({"validate": print}, ValueError, "validate is for files"),
        ({"storage_options": {"a": 1}}, ValueError, "storage_options is for files"),
    ],
)
def test_wrong_arguments(postgres: Server, kwargs: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as raised:
        atio.write(FRAME, **{"format": "sql", "name": "never", "con": postgres.url(), **kwargs})
    assert "secret" not in str(raised.value)


def test_passwords_are_never_shown(
    postgres: Server, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "hunter2'\" %:/"
    url = sa.URL.create("postgresql+psycopg", "tester", secret, "127.0.0.1", postgres.port, "postgres")
    texts = []
    with caplog.at_level(logging.INFO):
        for con in (
            url,
            url.render_as_string(hide_password=False),
            url.set(port=closed_port()),
            url.set(host="nowhere.invalid"),
            url.set(query={"sslmode": "nonsense"}),
            url.set(query={"sslcert": "/nowhere", "sslkey": "/nowhere", "sslpassword": secret}),
        ):
            with pytest.raises(ConnectionError) as raised:
                atio.write(FRAME, format="sql", name="t", con=con, verbose=True, show_progress=True)
            texts += [str(raised.value), repr(raised.value)]
        atio.write(
            FRAME, format="sql", name="shown", con=postgres.url(), verbose=True, show_progress=True, if_exists="replace"
        )
    captured = capsys.readouterr()
    for text in (*texts, caplog.text, captured.err, captured.out):
        assert "hunter2" not in text
        assert "%:/" not in text
        assert "s3cret" not in text
    assert "password authentication failed" in texts[0]


def test_tls(tmp_path: Path) -> None:
    with running_server(tls=True) as server:
        root = server.directory / "server.crt"
        url = sa.make_url(server.url()).set(host="localhost")
        for query in ({"sslmode": "require"}, {"sslmode": "verify-full", "sslrootcert": str(root)}):
            write(url.update_query_dict(query))
            engine = sa.create_engine(url, connect_args=query)
            write(engine)
            engine.dispose()
            with server.connect() as con:
                assert con.execute("SELECT count(*) FROM connected").fetchone() == (3,)
        other = tmp_path / "other.crt"
        with running_server(tls=True) as stranger:
            shutil.copy(stranger.directory / "server.crt", other)
        with pytest.raises(ConnectionError, match="certificate"):
            write(url.update_query_dict({"sslmode": "verify-full", "sslrootcert": str(other)}))
        with pytest.raises(ConnectionError):
            write(url.set(host="127.0.0.1").update_query_dict({"sslmode": "verify-full", "sslrootcert": str(root)}))
