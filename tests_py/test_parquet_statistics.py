"""Statistics and page index of atio's Parquet files against the data, to the letter of parquet.thrift."""

from __future__ import annotations

import decimal
import math
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import atio
import test_parquet_filters as filters
from parquet_pages import ColumnPages, read_pages

D = decimal.Decimal
UTC = timezone.utc
LONG = "längst " * 30

COLUMNS: dict[str, pa.Array] = {
    "int8": pa.array([5, -128, None, 127], "int8"),
    "int64": pa.array([0, -(2**63), 2**63 - 1, None], "int64"),
    "uint8": pa.array([200, 3, None], "uint8"),
    "uint32": pa.array([1, 2**32 - 1, 2**31], "uint32"),
    "uint64": pa.array([2**64 - 1, 2**63, 1], "uint64"),
    "float32": pa.array([1.5, float("nan"), -2.25, None], "float32"),
    "float64": pa.array([math.inf, -1.0, float("nan"), 5e-324], "float64"),
    "infinities": pa.array([math.inf, math.inf], "float64"),
    "negative infinity": pa.array([-math.inf], "float64"),
    "positive zero": pa.array([0.0, 1.0], "float64"),
    "negative zero": pa.array([-0.0, -1.0], "float64"),
    "float16": pa.array(np.array([1.5, np.nan, -2.0], "float16")),
    "float16 zero": pa.array(np.array([0.0, 2.0], "float16")),
    "bool": pa.array([True, None, False]),
    "true": pa.array([True, True]),
    "date": pa.array([date(1969, 12, 31), date(2024, 2, 29), None]),
    "time": pa.array([time(23, 59, 59, 999999), time(0)], "time64[us]"),
    "timestamp": pa.array([datetime(1900, 1, 1), datetime(2100, 1, 1)], "timestamp[us]"),
    "zoned": pa.array(
        [datetime(2000, 1, 1, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC)], pa.timestamp("ns", "Asia/Tokyo")
    ),
    "duration": pa.array([timedelta(-1), timedelta(1)], "duration[us]"),
    "decimal": pa.array([D("-1.25"), D("99.75"), None], pa.decimal128(20, 2)),
    "decimal minus": pa.array([D("-1.25"), D("-99.75")], pa.decimal128(5, 2)),
    "decimal256": pa.array([D("-1.25"), D(10) ** 60], pa.decimal256(76, 2)),
    "string": pa.array(["b", "", None, "ä", "zz"]),
    "large string": pa.array(["b", "a" * 63, "a" * 64], "large_string"),
    "binary": pa.array([b"\xff", b"\x00", b"\x7f"]),
    "fixed": pa.array([b"\xff\x00", b"\x00\xff"], pa.binary(2)),
    "category": pa.array(["b", "c", None, "b"]).dictionary_encode(),
    "repeated": pa.array(["x", "m"] * 3000),
    "many": pa.array(range(10_000), "int32"),
}


def chunk_of(path: Path) -> Any:
    return pq.read_metadata(path).row_group(0).column(0)


def expected(values: pa.Array) -> tuple[Any, Any]:
    """The bounds as Python values, NaN left out."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    items = [v for v in values.to_pylist() if v is not None and v == v]
    return min(items), max(items)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("dictionary", [True, False])
def test_bounds(name: str, dictionary: bool, tmp_path: Path) -> None:
    values = COLUMNS[name]
    table = pa.table({"x": values})
    path = tmp_path / "x.parquet"
    assert atio.write(table, path, use_dictionary=dictionary).engine == "go"
    column = chunk_of(path)
    assert column.statistics.null_count == values.null_count
    assert column.statistics.has_min_max
    low, high = expected(values)
    stored = pq.read_metadata(path).row_group(0).column(0).statistics
    got = stored.min, stored.max
    if pa.types.is_float16(values.type):  # pyarrow gives them as bytes
        got = tuple(float(np.frombuffer(v, "float16")[0]) if isinstance(v, bytes) else float(v) for v in got)
    elif pa.types.is_decimal(values.type):
        got = tuple(D(v) for v in got)
    elif pa.types.is_timestamp(values.type):
        assert [pd_free(v) for v in got] == [pd_free(v) for v in (low, high)]
        return
    elif pa.types.is_duration(values.type):
        low, high = (v // timedelta(microseconds=1) for v in (low, high))
    elif (
        pa.types.is_string(values.type) or pa.types.is_large_string(values.type) or pa.types.is_dictionary(values.type)
    ):
        # Bytewise, which is the order of code points.
        assert got == (low, high)
        return
    assert got == (low, high)


def pd_free(value: Any) -> float:
    """A timestamp as a number, whatever class it has."""
    return value.replace(tzinfo=value.tzinfo or UTC).timestamp()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_zeros_and_nothing_but_nan(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"

    def bounds(*values: float) -> tuple[bytes, bytes] | None:
        atio.write(pa.table({"x": pa.array(np.array(values, dtype))}), path)
        pages = read_pages(path)[0]
        return (pages.minimum, pages.maximum) if pages.minimum is not None else None

    zero, minus = np.array([0.0], dtype).tobytes(), np.array([-0.0], dtype).tobytes()
    assert bounds(0.0) == bounds(-0.0) == bounds(0.0, -0.0) == (minus, zero)
    one = np.array([1.0], dtype).tobytes()
    assert bounds(0.0, 1.0, float("nan")) == (minus, one)
    assert bounds(-1.0, -0.0) == (np.array([-1.0], dtype).tobytes(), zero)
    assert bounds(float("nan"), float("nan")) is None
    assert read_pages(path)[0].column_index is None  # it has no place for a page of nothing but NaN


def test_nulls_only(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    atio.write(pa.table({"x": pa.nulls(5, "int64"), "n": pa.nulls(5)}), path)
    for i in range(2):
        statistics = pq.read_metadata(path).row_group(0).column(i).statistics
        assert not statistics.has_min_max
        assert statistics.null_count == 5
        assert read_pages(path)[i].column_index.null_pages == [True]


@pytest.mark.parametrize(
    "text", [LONG, "\U0010ffff" * 40, "a" * 70 + "z", "\ud7ff" * 50, "x" * 64, "\x7f" * 70, "\u07ff" * 70]
)
def test_long_strings_are_shortened(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    atio.write(pa.table({"s": [text, "\U0010ffff" * 10 if text[0] != "\U0010ffff" else "a"], "t": [text, "a"]}), path)
    for name, values in pq.read_table(path).to_pydict().items():
        pages = next(p for p in read_pages(path) if p.name == name)
        encoded = sorted(v.encode() for v in values)
        assert pages.minimum <= encoded[0]
        assert pages.maximum >= encoded[-1]
        assert pages.min_exact == (pages.minimum == encoded[0])
        assert pages.max_exact == (pages.maximum == encoded[-1])
        pages.minimum.decode(), pages.maximum.decode()
        assert len(pages.minimum) <= 64
        if "\U0010ffff" * 40 not in values:
            assert len(pages.maximum) <= 64


def test_long_binaries_are_shortened(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    atio.write(pa.table({"b": [b"\x01" * 63 + b"\xff" * 30], "f": [b"\xff" * 100]}), path)
    b, f = read_pages(path)
    assert (b.minimum, b.maximum) == (b"\x01" * 63 + b"\xff", b"\x01" * 62 + b"\x02")
    assert (f.minimum, f.maximum) == (b"\xff" * 64, b"\xff" * 100)
    assert (f.min_exact, f.max_exact) == (False, True)


def check_pages(path: Path, table: pa.Table) -> None:
    """Every page lies where the offset index says, and holds what the column index says."""
    row = 0
    groups = pq.read_metadata(path)
    for group in range(groups.num_row_groups):
        rows = groups.row_group(group).num_rows
        for pages in read_pages(path, group):
            values = table.column(pages.name).slice(row, rows).combine_chunks()
            check_column(pages, values, rows)
        row += rows


def check_column(pages: ColumnPages, values: pa.Array, rows: int) -> None:
    assert [p.offset for p in pages.data_pages] == [at.offset for at in pages.offset_index]
    assert [p.size for p in pages.data_pages] == [at.size for at in pages.offset_index]
    starts = [at.first_row for at in pages.offset_index]
    assert starts[0] == 0
    index = pages.column_index
    lows, highs = [], []
    for i, (start, end) in enumerate(zip(starts, [*starts[1:], rows], strict=True)):
        assert start < end
        page = values.slice(start, end - start)
        assert pages.data_pages[i].values == len(page)
        if index is None:
            continue
        assert index.null_counts[i] == page.null_count
        assert index.null_pages[i] == (page.null_count == len(page))
        if index.null_pages[i]:
            assert index.minima[i] == index.maxima[i] == b""
            continue
        low, high = expected(page)
        decode = decoder(values.type)
        assert decode(index.minima[i]) == low
        assert decode(index.maxima[i]) == high
        lows.append(low)
        highs.append(high)
    if index is not None:
        ascending = lows == sorted(lows) and highs == sorted(highs)
        descending = lows[::-1] == sorted(lows) and highs[::-1] == sorted(highs)
        assert index.boundary_order == (1 if ascending else 2 if descending else 0)


def decoder(dtype: pa.DataType) -> Any:
    if pa.types.is_string(dtype):
        return bytes.decode
    kind = np.dtype(dtype.to_pandas_dtype())
    return lambda raw: np.frombuffer(raw, kind)[0]


numbers = st.one_of(st.none(), st.integers(-1000, 1000))
patterns = st.sampled_from(["random", "sorted", "reversed", "few", "blocks of nulls"])


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    seed = draw(st.integers(0, 2**32))
    rows = draw(st.sampled_from([1, 2, 7, 8, 9, 63, 64, 65, 1000, 5000]))
    random = np.random.default_rng(seed)
    columns = {}
    for name, dtype in [("i", "int64"), ("u", "uint32"), ("f", "float64"), ("s", "string"), ("g", "float32")]:
        pattern = draw(patterns)
        raw = random.integers(0, 20 if pattern == "few" else 10_000, rows)
        if pattern in ("sorted", "reversed"):
            raw = np.sort(raw)[:: 1 if pattern == "sorted" else -1]
        mask = np.zeros(rows, bool)
        if pattern == "blocks of nulls":
            mask = np.arange(rows) // max(1, rows // 5) % 2 == 1
        elif draw(st.booleans()):
            mask = random.random(rows) < 0.2
        values: Any = [f"text {v:05d}" for v in raw] if dtype == "string" else raw / 8 if dtype[0] == "f" else raw
        columns[name] = pa.array(values, dtype, mask=mask)
    return pa.table(columns)


@settings(max_examples=40, deadline=None)
@given(
    table=tables(),
    page=st.sampled_from([16, 100, 1000, None]),
    group=st.sampled_from([1000, 1024, None]),
    v=st.sampled_from(["1.0", "2.0"]),
)
def test_page_index(table: pa.Table, page: int | None, group: int | None, v: str, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("pages") / "x.parquet"
    result = atio.write(table, path, data_page_size=page, row_group_size=group, data_page_version=v, compression="zstd")
    assert result.engine == "go"
    check_pages(path, table)


@pytest.mark.parametrize("v", ["1.0", "2.0"])
@pytest.mark.parametrize("page", [60, 200])
def test_page_index_of_every_kind(v: str, page: int, tmp_path: Path) -> None:
    """Bounds of each page, in the order of the column, as they are stored for the type."""
    data = filters.table()
    # A page of nothing but NaN has no bounds, and then the column has no index; here every page has a number.
    f = np.where(np.arange(len(data)) % 3 == 0, 1.5, data["f"].to_numpy())
    lists = pa.array([list(range(i % 5)) if i % 7 else None for i in range(len(data))], pa.list_(pa.int64()))
    data = data.set_column(
        data.schema.get_field_index("f"), "f", pa.array(f, mask=data["f"].is_null().to_numpy())
    ).append_column("lists", lists)
    path = tmp_path / "x.parquet"
    assert atio.write(data, path, data_page_size=page, row_group_size=1700, data_page_version=v).engine == "go"
    several, row = set(), 0
    for group in range(pq.read_metadata(path).num_row_groups):
        rows = pq.read_metadata(path).row_group(group).num_rows
        for pages in read_pages(path, group):
            name = pages.name.partition(".")[0]
            values = data[name].slice(row, rows).combine_chunks()
            check_bounds(pages, values, rows)
            several |= {name} if len(pages.data_pages) > 1 else set()
        row += rows
    assert several >= {"n", "sorted", "f", "s", "long", "d", "lists"}


def check_bounds(pages: ColumnPages, values: pa.Array, rows: int) -> None:
    starts = [at.first_row for at in pages.offset_index]
    index = pages.column_index
    assert index is not None, pages.name
    assert [p.offset for p in pages.data_pages] == [at.offset for at in pages.offset_index]
    bounds = []
    for i, (start, end) in enumerate(zip(starts, [*starts[1:], rows], strict=True)):
        page = values.slice(start, end - start)
        if pa.types.is_list(page.type):
            # A value for each element, and one for each list without any.
            empty = sum(1 for v in page.to_pylist() if not v)
            page = page.flatten()
            assert pages.data_pages[i].values == len(page) + empty
            assert index.null_counts[i] == empty
            assert index.null_pages[i] == (len(page) == 0)
        else:
            assert pages.data_pages[i].values == len(page)
            assert index.null_counts[i] == page.null_count
            assert index.null_pages[i] == (page.null_count == len(page))
        if index.null_pages[i]:
            assert index.minima[i] == index.maxima[i] == b""
            continue
        low, high = (stored(v, page.type) for v in expected(page))
        decode = raw_decoder(page.type)
        got = decode(index.minima[i]), decode(index.maxima[i])
        if isinstance(low, str):
            assert got[0] <= low and got[1] >= high, pages.name
            assert len(index.minima[i]) <= 64 and len(index.maxima[i]) <= 64
            assert low.startswith(got[0])
        else:
            assert got == (low, high), pages.name
        bounds.append(got)
    lows, highs = [b[0] for b in bounds], [b[1] for b in bounds]
    ascending = lows == sorted(lows) and highs == sorted(highs)
    descending = lows[::-1] == sorted(lows) and highs[::-1] == sorted(highs)
    assert index.boundary_order == (1 if ascending else 2 if descending else 0), pages.name


def stored(value: Any, dtype: pa.DataType) -> Any:
    """A value as its type's number, or as it is."""
    if pa.types.is_decimal(dtype):
        return int(value.scaleb(dtype.scale))
    if pa.types.is_date(dtype):
        return (value - date(1970, 1, 1)).days
    if pa.types.is_timestamp(dtype):
        return (value - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    return value


def raw_decoder(dtype: pa.DataType) -> Any:
    """From PLAIN, as bounds are stored (parquet.thrift, Statistics)."""
    if pa.types.is_dictionary(dtype) or pa.types.is_string(dtype):
        return bytes.decode
    if pa.types.is_decimal(dtype):
        return lambda raw: int.from_bytes(raw, "big", signed=True)
    if pa.types.is_boolean(dtype):
        return lambda raw: raw != b"\0"
    if pa.types.is_floating(dtype):
        return lambda raw: np.frombuffer(raw, "float64")[0]
    unsigned = pa.types.is_unsigned_integer(dtype)
    return lambda raw: int.from_bytes(raw, "little", signed=not unsigned)


def test_the_parser_itself(tmp_path: Path) -> None:
    """On files of pyarrow's, whose page index the checks above must find right too."""
    path = tmp_path / "x.parquet"
    table = pa.table(
        {"i": pa.array([*range(500), None, *range(700)], "int64"), "s": [f"text {i % 90:03d}" for i in range(1201)]}
    )
    pq.write_table(table, path, write_page_index=True, data_page_size=100, write_batch_size=50, row_group_size=600)
    assert len(read_pages(path)[0].data_pages) > 1
    check_pages(path, table)


@settings(max_examples=25, deadline=None)
@given(table=tables(), page=st.sampled_from([100, 1000]), low=st.integers(-10, 10_010), width=st.integers(0, 3000))
def test_filters(table: pa.Table, page: int, low: int, width: int, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("filters") / "x.parquet"
    atio.write(table, path, data_page_size=page, row_group_size=max(1, table.num_rows // 3))
    high = low + width
    for name, (a, b) in {
        "i": (low, high),
        "u": (max(0, low), high),
        "f": (low / 8, high / 8),
        "s": (f"text {max(0, low):05d}", f"text {high:05d}"),
    }.items():
        mask = pc.and_(pc.greater_equal(table[name], a), pc.less(table[name], b))
        want = table.filter(mask)
        assert pq.read_table(path, filters=[(name, ">=", a), (name, "<", b)]).equals(want)
        lazy = pl.scan_parquet(path).filter((pl.col(name) >= a) & (pl.col(name) < b)).collect()
        assert lazy.equals(pl.DataFrame(want), null_equal=True)
        query = f"SELECT i FROM read_parquet('{path}') WHERE {name} >= ? AND {name} < ?"
        assert [i for (i,) in duckdb.execute(query, [a, b]).fetchall()] == want.column("i").to_pylist()
