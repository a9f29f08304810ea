"""Columns of every pattern and size come back as they were: the frame itself is the oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

import atio

# Around a byte, a word, a miniblock, a block, a sample, a block of rows.
SIZES = [0, 1, 2, 7, 8, 9, 31, 33, 63, 64, 65, 127, 128, 129, 1023, 1025, 2047, 2049, 4097, 8191, 8193, 30_000]
PATTERNS = ["constant", "few", "some", "sorted", "sequence", "random", "extremes", "runs"]
NULLS = ["none", "all", "alternating", "random", "runs"]
TYPES: dict[str, Any] = {
    "int8": pa.int8(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint16": pa.uint16(),
    "uint64": pa.uint64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "string": pa.string(),
    "large_string": pa.large_string(),
    "string_view": pa.string_view(),
    "binary": pa.binary(),
    "fixed": pa.binary(5),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "decimal": pa.decimal128(30, 3),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "list": pa.list_(pa.int64()),
}


def numbers(random: np.random.Generator, pattern: str, rows: int, bits: int) -> np.ndarray:
    """Integers of so many bits, with sign."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    match pattern:
        case "constant":
            return np.full(rows, random.integers(low, high), "int64")
        case "few":
            return random.integers(low, high, 5)[random.integers(0, 5, rows)]
        case "some":  # more than half of them distinct: a dictionary that does not pay
            return random.integers(low, high, rows // 2 + 1)[random.integers(0, rows // 2 + 1, rows)]
        case "sorted":
            return np.sort(random.integers(low, high, rows))
        case "sequence":
            return (np.arange(rows) % high).astype("int64")
        case "extremes":  # differences that overflow
            return random.choice(np.array([low, high, 0, -1], "int64"), rows)
        case "runs":
            return random.integers(low, high, rows // 50 + 1)[np.arange(rows) // 50]
    return random.integers(low, high, rows, endpoint=True)


def column(name: str, pattern: str, nulls: str, rows: int, seed: int) -> pa.Array:
    """A column, made without looking at how it will be written."""
    random = np.random.default_rng(seed)
    mask = {
        "none": np.zeros(rows, bool),
        "all": np.ones(rows, bool),
        "alternating": np.arange(rows) % 2 == 0,
        "random": random.random(rows) < 0.2,
        "runs": np.arange(rows) // 100 % 2 == 0,
    }[nulls]
    dtype = TYPES[name]
    bits = {"int8": 8, "int32": 32, "uint16": 16}.get(name, 64)
    raw = numbers(random, pattern, rows, bits)
    if name in ("int8", "int32", "int64"):
        return pa.array(raw, dtype, mask=mask)
    if name in ("uint16", "uint64"):
        return pa.array(raw.astype(name), dtype, mask=mask)
    if name in ("float32", "float64"):  # all bit patterns: NaN with payloads, infinities, subnormals, both zeros
        values = raw.view("float64") if name == "float64" else raw.astype("int32").view("float32")
        return pa.array(values, dtype, mask=mask)
    if name == "timestamp":
        return pa.array(raw, "int64", mask=mask).cast(dtype)
    if name == "bool":
        return pa.array(raw % 2 == 0, mask=mask)
    if name == "decimal":
        return pa.array(raw, "int64", mask=mask).cast(pa.decimal128(19, 0)).cast(pa.decimal128(22, 3)).cast(dtype)
    if name == "fixed":
        return pa.array([int(v).to_bytes(8, "little", signed=True)[:5] for v in raw], dtype, mask=mask)
    if name == "list":
        lists = [None if m else [int(v)] * (i % 4) for i, (v, m) in enumerate(zip(raw, mask, strict=True))]
        return pa.array(lists, dtype)
    # Common beginnings, empty ones, long ones.
    texts = [f"{'common/beginning/' * (int(v) % 3)}{v}" if v % 7 else "" for v in raw]
    if rows:
        texts[rows // 2] = "long " * 2000
    if name == "binary":
        return pa.array([text.encode() + b"\xff" for text in texts], dtype, mask=mask)
    if name == "dictionary":
        return pa.array(texts, "string", mask=mask).dictionary_encode()
    return pa.array(texts, "string", mask=mask).cast(dtype)


columns = st.tuples(st.sampled_from(list(TYPES)), st.sampled_from(PATTERNS), st.sampled_from(NULLS))


@settings(max_examples=150, deadline=None)
@given(
    rows=st.sampled_from(SIZES),
    seed=st.integers(0, 2**32 - 1),
    kinds=st.lists(columns, min_size=1, max_size=4),
    options=st.fixed_dictionaries(
        {},
        optional={
            "compression": st.sampled_from(["snappy", "zstd", "none", "lz4", "gzip", "brotli", "auto"]),
            "use_dictionary": st.booleans(),
            "row_group_size": st.sampled_from([1000, 8192, 10_000]),
            "data_page_size": st.sampled_from([64, 1000, 100_000]),
            "data_page_version": st.sampled_from(["1.0", "2.0"]),
        },
    ),
    cut=st.integers(0, 100),
)
def test_values_come_back(
    rows: int, seed: int, kinds: list[tuple[str, str, str]], options: dict[str, Any], cut: int, tmp_path_factory: Any
) -> None:
    path: Path = tmp_path_factory.mktemp("values") / "x.parquet"
    whole = pa.table({f"c{i}": column(*kind, rows, seed + i) for i, kind in enumerate(kinds)})
    # A slice that begins anywhere, and then all again: several chunks, offsets in their arrays.
    table = pa.concat_tables([whole.slice(min(cut, rows)), whole])
    assert atio.write(table, path, **options).engine == "go"
    read = pq.read_table(path)
    assert read.schema.equals(table.schema)
    for name in table.column_names:
        assert same(read[name], table[name]), name
    assert pl.read_parquet(path).equals(pl.DataFrame(table), null_equal=True)
    connection = duckdb.connect()
    counted = connection.execute(
        f"SELECT {', '.join(f'count({n})' for n in table.column_names)} FROM '{path}'"
    ).fetchone()
    assert counted == tuple(len(c) - c.null_count for c in table.columns)


def same(a: pa.ChunkedArray, b: pa.ChunkedArray) -> bool:
    """Equal bit for bit: NaN too, and zeros with their sign."""
    if pa.types.is_floating(a.type):
        word = f"uint{a.type.bit_width}"
        a, b = (pa.chunked_array([bits(c, word) for c in x.chunks], word) for x in (a, b))
    elif pa.types.is_dictionary(a.type):
        a, b = a.cast(a.type.value_type), b.cast(b.type.value_type)
    return bool(a.equals(b))


def bits(array: pa.Array, word: str) -> pa.Array:
    """The bit patterns of floats."""
    return pa.Array.from_buffers(pa.type_for_alias(word), len(array), array.buffers(), offset=array.offset)
