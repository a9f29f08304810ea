"""Types and values in PostgreSQL: whatever pandas' and polars' own writers make, atio makes the same."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

import atio
from postgres_server import Server

UTC = dt.timezone.utc
_names = (f"table {i}" for i in itertools.count())


@pytest.fixture(scope="module")
def engine(postgres: Server) -> Iterator[sa.Engine]:
    engine = sa.create_engine(postgres.url())
    yield engine
    engine.dispose()


def described(engine: sa.Engine, table: str, schema: str = "public") -> dict[str, Any]:
    """All that can be seen of a table: its columns, its indexes, its rows as the server writes them."""
    with engine.connect() as con:
        columns = con.execute(
            sa.text(
                "SELECT column_name, ordinal_position, data_type, udt_name, is_nullable, column_default, "
                "character_maximum_length, numeric_precision, numeric_scale, datetime_precision "
                "FROM information_schema.columns WHERE table_name = :t AND table_schema = :s ORDER BY ordinal_position"
            ),
            {"t": table, "s": schema},
        ).all()
        indexes = con.execute(
            sa.text("SELECT replace(indexdef, :t, 'TABLE') FROM pg_indexes WHERE tablename = :t AND schemaname = :s"),
            {"t": table, "s": schema},
        ).all()
        where = ".".join('"' + name.replace('"', '""') + '"' for name in (schema, table))
        text = "t::text || E'\\n' || array_to_json(ARRAY[t])::text"
        rows = con.execute(sa.text(f"SELECT {text} FROM {where} t".replace(":", "\\:"))).all()
    return {"columns": columns, "indexes": sorted(indexes), "rows": sorted(map(str, rows))}


def check_pandas(engine: sa.Engine, df: pd.DataFrame, writer: str = "go", **kwargs: Any) -> None:
    name = next(_names)  # the same, as names of indexes are made of it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        df.to_sql(name, engine, **kwargs)
        theirs = described(engine, name)
        with engine.begin() as con:
            con.exec_driver_sql(f'DROP TABLE "{name}"')
        result = atio.write(df, format="sql", name=name, con=engine, **kwargs)
    assert described(engine, name) == theirs
    assert (result.engine, result.rows) == (writer, len(df))


NUMPY = {
    kind: np.array([0, 1, 100], dtype=kind) for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "f2", "f4", "f8")
}
COLUMNS: dict[str, Any] = {
    **NUMPY,
    "int limits": np.array([-(2**63), 2**63 - 1, 0]),
    "float limits": np.array([np.nan, np.inf, -np.inf, 5e-324, 1.7976931348623157e308, -0.0, 0.1]),
    "float32 limits": np.array([np.nan, np.inf, -np.inf, 1e-45, 3.4028235e38, -0.0, 0.1], dtype="f4"),
    "bool": [True, False],
    "object bool": [True, None, False],
    "object int": pd.Series([1, None, 2**40], dtype=object),
    "object float": pd.Series([1.5, None, float("nan")], dtype=object),
    "text": ["a", "", "ä€😀", None, "a\\b\t\n'\"", "NULL", "\\N"],
    "object text": pd.Series(["a", None, np.nan, pd.NA, "b"], dtype=object),
    "arrow text": pd.Series(["a", None, "ß"], dtype="string[pyarrow]"),
    "python text": pd.Series(["a", None, "ß"], dtype="string[python]"),
    "Int8": pd.Series([1, None, -128], dtype="Int8"),
    "Int64": pd.Series([1, None, 2**62], dtype="Int64"),
    "UInt32": pd.Series([1, None, 2**32 - 1], dtype="UInt32"),
    "Float32": pd.Series([1.5, None, -2], dtype="Float32"),
    "Float64": pd.Series([1.5, None, -2], dtype="Float64"),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "datetime ns": pd.to_datetime(
        ["1677-09-22 00:00:00.123456789", None, "2262-04-11", "1969-12-31 23:59:59.999999999"], format="ISO8601"
    ),
    "datetime s": np.array(["0001-01-01", "9999-12-31T23:59:59", "NaT"], dtype="M8[s]"),
    "datetime us": np.array(["0001-01-01", "9999-12-31T23:59:59.999999", "NaT"], dtype="M8[us]"),
    "datetime tz": pd.to_datetime(["2020-03-29 00:30", None, "2020-10-25 01:30"])
    .tz_localize("UTC")
    .tz_convert("Europe/Paris"),
    "objects of datetime": pd.Series([dt.datetime(2020, 1, 2, 3, 4, 5, 6), None], dtype=object),
    "date": [dt.date(1, 1, 1), None, dt.date(9999, 12, 31), dt.date(2020, 2, 29)],
    "time": [dt.time(0), None, dt.time(23, 59, 59, 999999)],
    "timedelta": pd.to_timedelta([1, None, -(10**15)]),
    "timedelta s": np.array([1, -5], dtype="m8[s]"),
    "decimal": [Decimal("1.10"), None, Decimal("-0.001"), Decimal("12345678901234567890"), Decimal("0")],
    "bytes": [b"", b"\x00\xff\\", None],
    "uuid": [uuid.UUID(int=5), None],
    "category": pd.Categorical(["b", "a", None, "b"]),
    "category of int": pd.Categorical([10, 20, None, 10]),
    "nothing": [None, None],
    "nan": [np.nan, np.nan],
    "arrow int": pd.Series([1, None], dtype="int16[pyarrow]"),
    "arrow double": pd.Series([1.5, None, float("nan")], dtype="double[pyarrow]"),
    "arrow date": pd.Series([dt.date(2020, 1, 1), None], dtype=pd.ArrowDtype(pa.date32())),
    "arrow timestamp": pd.Series([dt.datetime(2020, 1, 1), None], dtype=pd.ArrowDtype(pa.timestamp("ms"))),
    "arrow timestamp tz": pd.Series(
        [dt.datetime(2020, 1, 1, tzinfo=UTC), None], dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))
    ),
    "arrow decimal": pd.Series([Decimal("1.50"), None], dtype=pd.ArrowDtype(pa.decimal128(10, 2))),
    "arrow binary": pd.Series([b"a", None], dtype=pd.ArrowDtype(pa.binary())),
    "arrow time": pd.Series([dt.time(1, 2), None], dtype=pd.ArrowDtype(pa.time64("us"))),
    "arrow duration": pd.Series([dt.timedelta(1), None], dtype=pd.ArrowDtype(pa.duration("us"))),
    "arrow bool": pd.Series([True, None], dtype="bool[pyarrow]"),
}
BY_PANDAS = {
    "mixed": [1, "a", None],
    "list": [[1, 2], None, []],
    "aware objects": pd.Series([dt.datetime(2020, 1, 1, tzinfo=UTC), None], dtype=object),
    "period": pd.period_range("2020", periods=2, freq="M"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_each_type_of_pandas(engine: sa.Engine, name: str) -> None:
    check_pandas(engine, pd.DataFrame({"k": range(len(COLUMNS[name])), "v": COLUMNS[name]}), index=False)


@pytest.mark.parametrize("name", BY_PANDAS)
def test_what_go_leaves_to_pandas(engine: sa.Engine, name: str) -> None:
    df = pd.DataFrame({"v": BY_PANDAS[name]})
    try:
        df.to_sql("probe", engine, if_exists="replace")
    except Exception as e:
        with pytest.raises(type(e)):
            atio.write(df, format="sql", name="probe2", con=engine)
        assert not sa.inspect(engine).has_table("probe2")
    else:
        check_pandas(engine, df, "pandas")


@pytest.mark.parametrize("kind", ["u8", "c16"])
def test_what_pandas_refuses(engine: sa.Engine, kind: str) -> None:
    df = pd.DataFrame({"v": np.array([1], dtype=kind)})
    with pytest.raises(ValueError) as theirs:
        df.to_sql("refused", engine)
    with pytest.raises(ValueError) as ours:
        atio.write(df, format="sql", name="refused", con=engine)
    assert str(ours.value) == str(theirs.value)


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})
INDEXES: dict[str, tuple[pd.DataFrame, dict[str, Any]]] = {
    "default": (FRAME, {}),
    "without": (FRAME, {"index": False}),
    "named": (FRAME.set_index("a"), {}),
    "labelled": (FRAME, {"index_label": "the id"}),
    "of several": (FRAME.assign(c=1.5).set_index(["a", "b"]), {}),
    "of several, unnamed": (pd.DataFrame({"v": [1, 2]}, index=[["a", "b"], [1, 2]]), {}),
    "of several, labelled": (FRAME.assign(c=1.5).set_index(["a", "b"]), {"index_label": ["x", "y"]}),
    "a column called index": (FRAME.rename(columns={"a": "index"}), {}),
    "of dates": (pd.DataFrame({"v": [1, 2]}, index=pd.date_range("2020", periods=2, tz="UTC")), {}),
    "of text": (FRAME.set_index("b"), {}),
    "numbers as names": (pd.DataFrame([[1, 2.5]]), {}),
    "no rows": (FRAME[:0], {}),
    "a Series": (FRAME["b"], {}),
    "a long name": (FRAME.rename_axis("an index with a name that is almost too long for the server"), {}),
}


@pytest.mark.parametrize("name", INDEXES)
def test_indexes(engine: sa.Engine, name: str) -> None:
    df, kwargs = INDEXES[name]
    check_pandas(engine, df, **kwargs)


DTYPES: dict[str, tuple[list[Any], Any, str]] = {
    "integer": ([1, 2, None], sa.Integer(), "go"),
    "integer of floats": ([1.5, 2.5, -2.5], sa.BigInteger, "go"),
    "smallint": ([1, 2], sa.SmallInteger, "go"),
    "numeric": ([1.125, 1e10, None], sa.Numeric(20, 2), "go"),
    "numeric of ints": ([1, 2], sa.Numeric, "go"),
    "numeric of decimals": ([Decimal("1.005"), None], sa.Numeric(10, 2), "go"),
    "numeric without scale": ([0.1, 1e-300, 123456789012345678.0, -1e300], sa.Numeric, "go"),
    "real": ([0.1, None], sa.REAL, "go"),
    "double": ([1, 2], sa.Double, "go"),
    "varchar": (["a", None], sa.String(10), "go"),
    "char": (["a", None], sa.CHAR(3), "go"),
    "unicode": (["ä", None], sa.UnicodeText, "go"),
    "bytea": ([b"a\x00", None], sa.LargeBinary, "go"),
    "uuid": ([uuid.UUID(int=2**127 + 5), None], sa.Uuid, "go"),
    "json": ([{"a": [1, "ü"]}, None, [1]], sa.JSON, "go"),
    "jsonb": ([{"b": 1, "a": None}, None], pg.JSONB, "go"),
    "array": ([[1, 2], None, []], pg.ARRAY(sa.Integer), "go"),
    "array of text": ([["a", None, "b,c\"'{}"], None], pg.ARRAY(sa.Text), "go"),
    "date of datetimes": (list(pd.to_datetime(["2020-01-01 10:00", None])), sa.Date, "go"),
    "timestamptz": (
        list(pd.to_datetime(["2020-01-01 10:00"]).tz_localize("Asia/Tokyo")),
        sa.TIMESTAMP(timezone=True),
        "go",
    ),
    "date": ([dt.date(2020, 1, 1), None], sa.Date, "go"),
    "timestamp of dates": ([dt.date(2020, 1, 1), None], sa.DateTime, "go"),
    "text of ints": ([1, 2], sa.Text, "go"),
    "text of floats": ([1.5, 2], sa.Text, "pandas"),
    "enum": (["a", "b"], sa.Enum("a", "b", name="letters"), "pandas"),
    "boolean": ([True, None], sa.Boolean, "go"),
}


@pytest.mark.parametrize("name", DTYPES)
def test_dtype(engine: sa.Engine, name: str) -> None:
    values, kind, writer = DTYPES[name]
    check_pandas(engine, pd.DataFrame({"v": values}), writer, dtype={"v": kind})


def test_dtype_for_all(engine: sa.Engine) -> None:
    check_pandas(engine, pd.DataFrame({"a": ["x"], "b": ["y"]}), dtype=sa.String(5), index=False)


@pytest.mark.parametrize("kwargs", [{"method": "multi"}, {"chunksize": 2}, {"chunksize": 2, "method": "multi"}])
def test_arguments_that_change_nothing(engine: sa.Engine, kwargs: dict[str, Any]) -> None:
    check_pandas(engine, FRAME, **kwargs)


POLARS: dict[str, pl.Series] = {
    **{
        str(t): pl.Series([0, 1, None, 100], dtype=t)
        for t in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
    },
    "Float32": pl.Series([0.1, None, float("nan"), float("inf")], dtype=pl.Float32),
    "Float64": pl.Series([0.1, None, float("nan"), float("inf")]),
    "Boolean": pl.Series([True, None, False]),
    "String": pl.Series(["a", None, "", "ä€😀" * 10, "a\\b\t'\""]),
    "Categorical": pl.Series(["b", None, "a", "b"], dtype=pl.Categorical),
    "Enum": pl.Series(["b", None, "a", "b"], dtype=pl.Enum(["a", "b"])),
    "Date": pl.Series([dt.date(2020, 1, 1), None, dt.date(1, 1, 1)]),
    "Time": pl.Series([dt.time(1, 2, 3, 4), None]),
    "Datetime us": pl.Series([dt.datetime(1, 1, 1), None, dt.datetime(9999, 12, 31)]),
    "Datetime ms": pl.Series([dt.datetime(2020, 1, 1, 1), None], dtype=pl.Datetime("ms")),
    "Datetime ns": pl.Series([1, None, -1], dtype=pl.Int64).cast(pl.Datetime("ns")),
    "Datetime tz": pl.Series([dt.datetime(2020, 7, 1, tzinfo=UTC), None]).dt.convert_time_zone("Europe/Paris"),
    "Duration": pl.Series([dt.timedelta(1), None]),
    "Decimal": pl.Series([Decimal("1.50"), None, Decimal("-0.01")], dtype=pl.Decimal(10, 2)),
    "Binary": pl.Series([b"a\x00", None, b"a long one, not inlined"]),
    "Null": pl.Series([None, None], dtype=pl.Null),
}


@pytest.mark.parametrize("name", POLARS)
def test_each_type_of_polars(engine: sa.Engine, name: str) -> None:
    theirs, ours = next(_names), next(_names)
    df = pl.DataFrame({"k": range(len(POLARS[name])), "v": POLARS[name]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        df.write_database(theirs, engine)
        result = atio.write(df, format="database", table_name=ours, connection=engine)
        assert described(engine, ours) == described(engine, theirs)
        assert result.engine == "go"
        result = atio.write(df, format="sql", name=ours, con=engine, if_exists="replace")
    assert described(engine, ours) == described(engine, theirs)
    assert result.engine == "go"
