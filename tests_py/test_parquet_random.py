"""Random frames: atio.write against the library's own writer."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import atio
from parquet_compare import differences

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

Values = st.SearchStrategy[Any]


def _ints(bits: int, signed: bool) -> Values:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


FEW = st.sampled_from(["", "a", "bb", "é", "中" * 5])
# Years that pandas' nanoseconds hold, and that every reader takes.
MOMENTS = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))
MILLISECONDS = MOMENTS.map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))

FLAT: list[tuple[pa.DataType, Values]] = [
    (pa.bool_(), st.booleans()),
    *[(getattr(pa, f"int{b}")(), _ints(b, True)) for b in (8, 16, 32, 64)],
    *[(getattr(pa, f"uint{b}")(), _ints(b, False)) for b in (8, 16, 32, 64)],
    (pa.float16(), st.floats(width=16).map(np.float16)),
    (pa.float32(), st.floats(width=32)),
    (pa.float64(), st.floats()),
    (pa.string(), st.text(st.characters(codec="utf-8"), max_size=20)),
    (pa.large_string(), FEW),
    (pa.string_view(), st.text(st.characters(codec="utf-8"), max_size=30)),
    (pa.binary(), st.binary(max_size=20)),
    (pa.binary_view(), st.binary(max_size=30)),
    (pa.binary(4), st.binary(min_size=4, max_size=4)),
    (pa.date32(), st.dates()),
    (pa.time64("us"), st.times()),
    (pa.time32("ms"), st.times().map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))),
    (pa.timestamp("us"), MOMENTS),
    (pa.timestamp("ms", "UTC"), MILLISECONDS),
    (pa.timestamp("ns", "Europe/Berlin"), MOMENTS),
    (pa.duration("us"), st.timedeltas(dt.timedelta(-1000), dt.timedelta(1000))),
    (pa.decimal128(9, 2), st.decimals(-9999999, 9999999, places=2)),
    (pa.decimal128(30, 5), st.decimals(-(10**24), 10**24, places=5)),
    (pa.dictionary(pa.int8(), pa.string()), FEW),
    (pa.null(), st.none()),
]


def _typed(flat: list[tuple[pa.DataType, Values]]) -> st.SearchStrategy[tuple[pa.DataType, Values]]:
    def nest(inner: st.SearchStrategy[tuple[pa.DataType, Values]]) -> st.SearchStrategy[tuple[pa.DataType, Values]]:
        def list_of(make: Callable[[pa.DataType], pa.DataType]) -> Callable[[Any], Any]:
            return lambda t: (make(t[0]), st.lists(st.none() | t[1], max_size=4))

        def array_of(t: Any) -> Any:
            return pa.list_(t[0], 2), st.lists(st.none() | t[1], min_size=2, max_size=2)

        def struct_of(ts: list[Any]) -> Any:
            fields = {f"f{i}": t for i, t in enumerate(ts)}
            values = st.fixed_dictionaries({k: st.none() | v for k, (_, v) in fields.items()})
            return pa.struct([(k, t) for k, (t, _) in fields.items()]), values

        return (
            inner.map(list_of(pa.list_))
            | inner.map(list_of(pa.large_list))
            | inner.map(array_of)
            | st.lists(inner, min_size=1, max_size=3).map(struct_of)
        )

    return st.recursive(st.sampled_from(flat), nest, max_leaves=3)


@st.composite
def tables(draw: st.DrawFn, flat: list[tuple[pa.DataType, Values]]) -> pa.Table:
    """Tables of some columns in some chunks, perhaps a slice of a larger one."""
    kinds = draw(st.lists(_typed(flat), min_size=1, max_size=4))
    chunks = []
    for _ in range(draw(st.integers(1, 3))):
        n = draw(st.integers(0, 12))
        nulls = draw(st.sampled_from(["some", "none", "all"]))
        columns = []
        for dtype, values in kinds:
            cell = {"some": st.none() | values, "none": values, "all": st.none()}[nulls]
            columns.append(pa.array(draw(st.lists(cell, min_size=n, max_size=n)), dtype))
        chunks.append(pa.table(columns, names=[f"c{i}" for i in range(len(kinds))]))
    table = pa.concat_tables(chunks)
    first = draw(st.integers(0, table.num_rows))
    return table[first:] if draw(st.booleans()) else table


PYARROW = st.fixed_dictionaries(
    {},
    optional={
        "compression": st.sampled_from(["snappy", "zstd", "gzip", "lz4", None]),
        "row_group_size": st.integers(1, 30),
        "use_dictionary": st.booleans(),
        "write_statistics": st.booleans(),
        "data_page_size": st.sampled_from([300, 1000]),  # with pages of some bytes pyarrow loses rows of lists
    },
)
POLARS = st.fixed_dictionaries(
    {},
    optional={
        "compression": st.sampled_from(["snappy", "zstd", "gzip", "lz4", "uncompressed"]),
        "row_group_size": st.integers(1, 30),
        "statistics": st.booleans(),
    },
)
# pandas makes objects of these, which are compared by the other tests.
NOT_IN_PANDAS = (pa.float16(), pa.null())
NOT_IN_POLARS = (pa.time32("ms"), pa.binary(4), pa.time64("us"), pa.float16())


def _compare(frame: Any, write: Callable[..., None], kwargs: dict[str, Any], *, same_row_groups: bool = True) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "atio.parquet"), Path(folder, "library.parquet")
        try:
            write(theirs, **kwargs)
        except (pa.ArrowNotImplementedError, pa.ArrowIndexError):
            # What Arrow C++ stumbles over although nothing is wrong with it: slices of nested views, and
            # indices into an empty dictionary below null structs.
            if not isinstance(frame, pa.Table):
                raise
            atio.write(frame, ours, **kwargs)
            assert repr(pq.read_table(ours).to_pylist()) == repr(frame.to_pylist())
            return
        result = atio.write(frame, ours, **kwargs)
        assert result.engine == "go"
        assert differences(ours, theirs, same_row_groups=same_row_groups) == []


@SETTINGS
@given(tables(FLAT), PYARROW)
def test_pyarrow(table: pa.Table, kwargs: dict[str, Any]) -> None:
    _compare(table, lambda path, **kw: pq.write_table(table, path, **kw), kwargs)


@SETTINGS
@given(tables([t for t in FLAT if t[0] not in NOT_IN_PANDAS]), PYARROW)
def test_pandas(table: pa.Table, kwargs: dict[str, Any]) -> None:
    try:
        df = table.to_pandas()
        df.to_parquet(io.BytesIO())
    except (pa.ArrowException, decimal.InvalidOperation, ValueError, TypeError, NotImplementedError):
        return  # what pandas cannot hold
    _compare(df, df.to_parquet, kwargs)


@SETTINGS
@given(tables([t for t in FLAT if t[0] not in NOT_IN_POLARS]), POLARS)
def test_polars(table: pa.Table, kwargs: dict[str, Any]) -> None:
    try:
        df = pl.DataFrame(table)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return  # arrays polars does not import, such as an empty dictionary below nulls
    # A row group of polars begins at each chunk unless it is told a size.
    _compare(df, df.write_parquet, kwargs, same_row_groups="row_group_size" in kwargs or df.n_chunks() == 1)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 1023, 1024, 1025, 8191, 8192, 8193, 16384, 16385])
def test_block_edges(rows: int) -> None:
    """Row counts around the sizes at which the encoder cuts its work."""
    r = np.random.default_rng(rows)
    mask = r.random(rows) < 0.3
    table = pa.table(
        {
            "i": pa.array(np.arange(rows), mask=mask),
            "f": r.normal(size=rows),
            "b": pa.array(r.random(rows) < 0.5, mask=mask),
            "s": pa.array([f"v{k}" for k in r.integers(0, 50, rows)], mask=mask),
            "l": pa.array([None if k % 5 == 0 else list(range(k % 4)) for k in range(rows)], pa.list_(pa.int32())),
            "c": pa.array([f"c{k % 7}" for k in range(rows)], mask=mask).dictionary_encode(),
        }
    )
    for kwargs in ({}, {"row_group_size": 8192}, {"row_group_size": 1000}, {"data_page_size": 1000}):
        _compare(table, lambda path, **kw: pq.write_table(table, path, **kw), kwargs)
    df = pl.DataFrame(table)
    _compare(df, df.write_parquet, {"row_group_size": 1000})
