"""Avro files beside those of polars: the same schema, metadata and codec, and records that are the same bytes.

They are read by polars and by fastavro. Decimals are other bytes, and right.
"""

from __future__ import annotations

import io
import json
import math
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

import atio
import parquet_cases as cases
from support import files_of, names, state

CODECS: tuple[Any, ...] = ("uncompressed", "snappy", "deflate")


@dataclass
class Container:
    """An object container file taken apart by the specification, without a library."""

    metadata: dict[str, Any]
    counts: list[int]
    blocks: list[bytes]  # decompressed

    @property
    def records(self) -> bytes:
        return b"".join(self.blocks)


def _long(data: io.BytesIO) -> int:
    n = shift = 0
    while True:
        (byte,) = data.read(1)
        n |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return n >> 1 ^ -(n & 1)


def _decompressed(block: bytes, codec: str) -> bytes:
    if codec == "deflate":
        reader = zlib.decompressobj(-15)
        out = reader.decompress(block)
        assert reader.eof and not reader.unused_data
        return out
    if codec == "snappy":
        size = shift = 0
        for byte in block:
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        out = pa.decompress(block[:-4], size, "snappy", asbytes=True) if size else b""
        assert int.from_bytes(block[-4:], "big") == zlib.crc32(out)
        return out
    assert codec == "null"
    return block


def container(path: Path) -> Container:
    data = io.BytesIO(path.read_bytes())
    assert data.read(4) == b"Obj\x01"
    metadata: dict[str, bytes] = {}
    while count := _long(data):
        for _ in range(count):
            key = data.read(_long(data)).decode()
            metadata[key] = data.read(_long(data))
    marker = data.read(16)
    found = Container({}, [], [])
    codec = metadata.get("avro.codec", b"null").decode()
    while data.tell() < len(data.getvalue()):
        rows, size = _long(data), _long(data)
        block = data.read(size)
        assert len(block) == size and data.read(16) == marker
        if rows:  # polars writes a block for no rows
            found.counts.append(rows)
            found.blocks.append(_decompressed(block, codec))
    found.metadata = {k: json.loads(v) if k == "avro.schema" else v for k, v in metadata.items()}
    return found


def compare(frame: pl.DataFrame, directory: Path, **kwargs: Any) -> Container:
    """Write a frame in both ways; return ours, which is the same."""
    ours, theirs = directory / "ours.avro", directory / "theirs.avro"
    # polars panics if columns are cut into chunks in different ways.
    frame.rechunk().write_avro(theirs, **kwargs)
    result = atio.write(frame, ours, durable=False, **kwargs)
    assert (result.engine, result.format, result.rows) == ("go", "avro", frame.height)
    a, b = container(ours), container(theirs)
    assert a.metadata == b.metadata
    assert sum(a.counts) == frame.height
    # polars writes some decimals as others, 32768 as -32768, and zero as no byte at all.
    if "Decimal" not in str(frame.schema):
        assert a.records == b.records
    return a


def read_by_polars(path: Path, frame: pl.DataFrame, compression: str) -> pl.DataFrame:
    """polars reads no compressed file without rows, neither its own nor any other."""
    if frame.height == 0 and compression != "uncompressed":
        assert read(path) == []
        return frame
    return pl.read_avro(path)


def read(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as f:
        return list(fastavro.reader(f))  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


@pytest.mark.parametrize("compression", CODECS)
@pytest.mark.parametrize("name", cases.POLARS_COLUMNS)
def test_types_of_polars(tmp_path: Path, name: str, compression: Any) -> None:
    """The same file, or the same refusal."""
    frame = cases.polars_column(name)
    arguments = {"compression": compression, "name": "record"}
    try:
        frame.write_avro(io.BytesIO(), **arguments)
    except BaseException as expected:
        with pytest.raises(type(expected)):
            atio.write(frame, tmp_path / "x.avro", **arguments)
        assert names(tmp_path) == set()
        return
    compare(frame, tmp_path, **arguments)
    # NaN is none that == finds.
    assert_frame_equal(pl.read_avro(tmp_path / "ours.avro"), frame)
    rows = [_plain(row) for row in read(tmp_path / "ours.avro")]
    assert rows == [_plain(row) for row in frame.to_dicts()]


WRITABLE = [
    *(pl.Boolean, pl.Int32, pl.Int64, pl.Float32, pl.Float64, pl.String, pl.Binary, pl.Date),
    *(pl.Datetime("ms"), pl.Datetime("us"), pl.Decimal(38, 10), pl.Decimal(9, 0), pl.List, pl.Struct),
]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    frame=dataframes(max_cols=5, max_size=20, allow_null=True, allow_chunks=True, allowed_dtypes=WRITABLE),
    compression=st.sampled_from(CODECS),
    name=st.sampled_from(["", "record", "a.b.c"]),
    cut=st.tuples(st.integers(0, 20), st.integers(0, 20)),
)
def test_random_frames(tmp_path: Path, frame: pl.DataFrame, compression: Any, name: str, cut: tuple[int, int]) -> None:
    frame = frame.slice(*cut)
    try:
        frame.rechunk().write_avro(io.BytesIO())
    except BaseException as expected:  # of types within lists
        with pytest.raises(type(expected)):
            atio.write(frame, tmp_path / "ours.avro", durable=False)
        return
    if frame.width == 0:
        return
    compare(frame, tmp_path, compression=compression, name=name)
    assert_frame_equal(read_by_polars(tmp_path / "ours.avro", frame, compression), frame)


FRAMES: dict[str, Callable[[], pl.DataFrame]] = {
    "no rows": lambda: pl.DataFrame(schema={"a": pl.Int64, "s": pl.String, "l": pl.List(pl.String), "b": pl.Boolean}),
    "one row": lambda: pl.DataFrame({"a": [1]}),
    "nulls": lambda: pl.DataFrame({"a": [None] * 5, "s": [None] * 5}, schema={"a": pl.Boolean, "s": pl.String}),
    "chunked": lambda: pl.concat([pl.DataFrame({"a": [i], "s": ["x" * i]}) for i in range(40)], rechunk=False),
    "empty chunks": lambda: pl.concat(
        [pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [3]}).clear(), pl.DataFrame({"a": [4]})], rechunk=False
    ),
    "sliced": lambda: pl.DataFrame(
        {"a": range(99), "s": [None if i % 3 else "x" * i for i in range(99)], "l": [[i] * (i % 4) for i in range(99)]}
    ).with_columns(b=pl.col("a") % 2 == 0, t=pl.struct("a", "s"))[13:77],
    "masked": lambda: pl.DataFrame({"l": [[1, 2], [3], [4]], "t": [{"x": 1}, {"x": 2}, {"x": 3}]}).with_columns(
        pl.when(pl.Series([True, False, True])).then(pl.all())
    ),
    "names": lambda: pl.DataFrame({n: [1] for n in ("a b", "a.b", "é", 'q"', "\\", "\n\x01\x7f\u2028", "", "<&>")}),
    "wide": lambda: pl.DataFrame({f"c{i}": [i, None] for i in range(1000)}),
    "huge strings": lambda: pl.DataFrame({"s": ["x" * 3_000_000, "", "y" * 5_000_000, None], "a": range(4)}),
    "one huge string among small ones": lambda: pl.DataFrame({"s": ["x"] * 5000 + ["y" * 4_000_000] + ["z"] * 5000}),
    "long ones at the end": lambda: pl.DataFrame({"s": ["x"] * 20_000 + ["y" * 20_000] * 500}),
    "blocks of every size": lambda: pl.DataFrame({"a": range(300_000), "s": [str(i) for i in range(300_000)]}),
    "nested": lambda: pl.DataFrame(
        {
            "l": [[[1, None], []], None, [None, [2]]],
            "t": [{"x": {"y": [1.5]}, "z": "a"}, {"x": None, "z": None}, None],
            "o": [[{"x": 1}, None], [], [{"x": None}]],
        }
    ),
    "numbers": lambda: pl.DataFrame(
        {
            "l": [0, -1, 63, 64, -64, -65, 2**31, -(2**31), 2**63 - 1, -(2**63)],
            "i": pl.Series([0, -1, 63, 64, -64, -65, 8191, 8192, 2**31 - 1, -(2**31)], dtype=pl.Int32),
            "f": [0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 5e-324, 1.7e308, None, 1 / 3],
        }
    ),
    "decimals": lambda: pl.DataFrame(
        {
            "d": pl.Series(
                [Decimal(sign * (2**k + j)) for sign in (1, -1) for k in range(127) for j in (-1, 0, 1)],
                dtype=pl.Decimal(38, 0),
            )
        }
    ),
    "decimals that are zero": lambda: pl.DataFrame({"d": [Decimal("0.00"), None, Decimal("-0.01"), Decimal("1.00")]}),
    "times": lambda: pl.DataFrame(
        {
            "d": [date(1, 1, 1), date(9999, 12, 31), None],
            "m": pl.Series([datetime(1, 1, 1), datetime(9999, 12, 31, 23), None], dtype=pl.Datetime("ms")),
            "u": [datetime(1, 1, 1, 0, 0, 0, 1), datetime(9999, 12, 31), None],
        }
    ),
}


@pytest.mark.parametrize("compression", CODECS)
@pytest.mark.parametrize("name", FRAMES)
def test_frames(tmp_path: Path, name: str, compression: Any) -> None:
    frame = FRAMES[name]()
    ours = compare(frame, tmp_path, compression=compression)
    assert_frame_equal(read_by_polars(tmp_path / "ours.avro", frame, compression), frame)
    with localcontext() as context:
        context.prec = 50
        assert [_plain(r) for r in read(tmp_path / "ours.avro")] == [_plain(r) for r in frame.to_dicts()]
    sizes = [len(block) for block in ours.blocks]
    largest = max((len(str(row)) for row in frame[:1].rows()), default=0) if "huge" in name else 0
    assert max(sizes, default=0) <= max((1 << 20) + 100_000, 5_000_100 if largest else 0)


def test_many_rows(tmp_path: Path) -> None:
    """A million, in blocks that readers can hold, and files no larger than polars'."""
    random = np.random.default_rng(0)
    n = 1_000_000
    frame = pl.DataFrame({"id": range(n), "x": random.normal(size=n), "k": random.integers(0, 9, n)}).with_columns(
        city=pl.Series(["Oslo", "Rome", None, "a city with a longer name"] * (n // 4)),
        u=pl.from_epoch("id", time_unit="s").cast(pl.Datetime("us")),
    )
    for compression in ("uncompressed", "snappy"):
        found = compare(frame, tmp_path, compression=compression)
        assert len(found.counts) > 50
        assert max(map(len, found.blocks)) < 400_000
        size = (tmp_path / "theirs.avro").stat().st_size
        assert (tmp_path / "ours.avro").stat().st_size <= size * 1.01
    assert_frame_equal(pl.read_avro(tmp_path / "ours.avro"), frame)
    part = frame[:100_000]
    compare(part, tmp_path, compression="deflate")
    assert (tmp_path / "ours.avro").stat().st_size <= (tmp_path / "theirs.avro").stat().st_size
    assert len(read(tmp_path / "ours.avro")) == 100_000


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"name": None},
        {"compression": None},
        {"name": "r1"},
        {"name": 'a "quoted" name'},
        {"name": "ns.é", "compression": "deflate"},
        *({"name": name} for name in (".", "..", "a.", ".a", " ", "record", "a\0b", "1")),
    ],
)
def test_arguments(tmp_path: Path, kwargs: dict[str, Any]) -> None:
    frame = pl.DataFrame({"a": [1, 2, 3], "s": ["a longer text than fits", "b", None]})
    compare(frame, tmp_path, **kwargs)


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    """polars calls two records r1, which fastavro refuses to read: ours has another name for the second."""
    frame = pl.DataFrame({"t": [{"x": 1}, None]})
    atio.write(frame, tmp_path / "x.avro", name="r1")
    assert read(tmp_path / "x.avro") == frame.to_dicts()
    assert_frame_equal(pl.read_avro(tmp_path / "x.avro"), frame)


@pytest.mark.parametrize(
    ("frame", "kwargs"),
    [
        (pl.DataFrame({"a": [1]}), {"compression": "gzip"}),
        (pl.DataFrame({"a": [1]}), {"compression": "zstd"}),
        (pl.DataFrame({"a": [1]}), {"compression": 1}),
        (pl.DataFrame({"a": [1]}), {"name": 1}),
        (pl.DataFrame({"a": [1]}), {"nonsense": 1}),
        (pl.DataFrame({"a": [clock(1)]}), {}),
        (pl.DataFrame({"a": [timedelta(1)]}), {}),
        (pl.DataFrame({"a": [[1, 2]]}, schema={"a": pl.Array(pl.Int64, 2)}), {}),
        (pl.DataFrame({"a": ["x"]}, schema={"a": pl.Categorical}), {}),
        (pl.DataFrame({"a": [[None]]}), {}),
        (pl.DataFrame({"a": [{"x": 1}]}, schema={"a": pl.Struct({"x": pl.UInt8})}), {}),
        (pl.DataFrame({"a": [datetime(2020, 1, 1)]}, schema={"a": pl.Datetime("us", "UTC")}), {}),
    ],
)
def test_what_polars_refuses(tmp_path: Path, frame: pl.DataFrame, kwargs: dict[str, Any]) -> None:
    atio.write(pl.DataFrame({"a": [9]}), tmp_path / "x.avro")
    before = state(tmp_path)
    with pytest.raises(BaseException) as expected:
        frame.write_avro(io.BytesIO(), **kwargs)
    with pytest.raises(type(expected.value)):
        atio.write(frame, tmp_path / "x.avro", **kwargs)
    assert state(tmp_path) == before


def test_frames_that_polars_writes(tmp_path: Path) -> None:
    """Without columns, which Arrow streams lose; by a writer of the user's own; with names that Avro forbids."""

    class Frame(pl.DataFrame):
        def write_avro(self, file: Any, compression: Any = "uncompressed", name: str = "mine") -> None:
            super().write_avro(file, compression, name)

    one = pl.DataFrame({"a": [1]})
    for frame, kwargs in (
        (pl.DataFrame(), {}),
        (Frame({"a": [1]}), {}),
        (one.rename({"a": "a\0b"}), {}),
        *((one, {"name": name}) for name in ("null", "long", "string")),
    ):
        assert atio.write(frame, tmp_path / "ours.avro", **kwargs).engine == "polars"
        frame.write_avro(tmp_path / "theirs.avro", **kwargs)
        assert (tmp_path / "ours.avro").read_bytes() == (tmp_path / "theirs.avro").read_bytes()


def test_other_objects_of_polars(tmp_path: Path) -> None:
    for obj in (pl.Series("a", [1, 2]), pl.LazyFrame({"a": [1, 2]})):
        assert atio.write(obj, tmp_path / "x.avro").engine == "go"
        assert pl.read_avro(tmp_path / "x.avro")["a"].to_list() == [1, 2]


# --- chunks and Arrow -----------------------------------------------------------------------------------------------

STREAMS: dict[str, Callable[[pa.Table], Any]] = {
    "table": lambda t: t,
    "batch": lambda t: t.combine_chunks().to_batches()[0],
    "reader": lambda t: t.to_reader(max_chunksize=100),
    "duckdb": lambda t: duckdb.from_arrow(t),
    "generator of polars": lambda t: (pl.DataFrame(t[i : i + 100]) for i in range(0, 1000, 100)),
    "generator of tables": lambda t: (t[i : i + 100] for i in range(0, 1000, 100)),
}


@pytest.mark.parametrize("compression", CODECS)
@pytest.mark.parametrize("kind", STREAMS)
def test_streams(tmp_path: Path, kind: str, compression: Any) -> None:
    table = pa.table({"a": range(1000), "s": [f"some text {i % 7}" for i in range(1000)]})
    result = atio.write(STREAMS[kind](table), tmp_path / "x.avro", compression=compression, name="x")
    assert (result.engine, result.rows) == ("go", 1000)
    assert read(tmp_path / "x.avro") == table.to_pylist()
    expected = io.BytesIO()
    pl.DataFrame(table).write_avro(expected, compression=compression, name="x")
    (tmp_path / "theirs.avro").write_bytes(expected.getvalue())
    a, b = container(tmp_path / "x.avro"), container(tmp_path / "theirs.avro")
    assert (a.metadata, a.records) == (b.metadata, b.records)


def test_open_writer(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, None], "s": ["x", None]})
    with atio.open_writer(tmp_path / "x.avro", compression="deflate") as w:
        for _ in range(3):
            w.write(frame)
        w.write(frame.clear())
    assert w.result.rows == 6
    assert_frame_equal(pl.read_avro(tmp_path / "x.avro"), pl.concat([frame] * 3))
    assert atio.verify(tmp_path / "x.avro").rows == 6


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": ["x"]}), "chunk 2 .*column 'a' is String, not Int64"),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]}), "chunk 2 .*'a' is missing"),
        (pl.DataFrame({"a": [1], "b": [1]}), pl.DataFrame({"b": [1], "a": [1]}), "chunk 2 .*another order"),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [clock(1)]}), "chunk 2 "),
        (pa.table({"a": [1]}), pa.table({"a": ["x"]}), "chunk 2 .*column 'a' is string, not int64"),
        (pl.DataFrame({"a": [clock(1)]}), pl.DataFrame({"a": [clock(1)]}), "as avro"),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}), "'avro'"),
    ],
)
def test_chunks_that_do_not_fit(tmp_path: Path, first: Any, second: Any, message: str) -> None:
    atio.write(pl.DataFrame({"a": [9]}), tmp_path / "x.avro")
    before = state(tmp_path)
    with pytest.raises(ValueError, match=message):
        atio.write(iter([first, second]), tmp_path / "x.avro")
    assert state(tmp_path) == before


def test_types_of_arrow(tmp_path: Path) -> None:
    """All that have an exact counterpart, which no other library writes from Arrow."""
    moment = datetime(2020, 1, 2, 3, 4, 5, 678000)
    columns: dict[str, tuple[pa.Array, Any]] = {
        "i1": (pa.array([-1, None], pa.int8()), "int"),
        "i2": (pa.array([-300, None], pa.int16()), "int"),
        "u1": (pa.array([255, None], pa.uint8()), "int"),
        "u2": (pa.array([65535, None], pa.uint16()), "int"),
        "u4": (pa.array([2**32 - 1, None], pa.uint32()), "long"),
        "f2": (pa.array(np.array([1.5, 2], "f2")), "float"),
        "s": (pa.array(["é", None], pa.large_string()), "string"),
        "v": (pa.array(["a text that is not inline", None], pa.string_view()), "string"),
        "w": (pa.array([b"\xff", None], pa.binary_view()), "bytes"),
        "c": (pa.array(["x", None]).dictionary_encode(), "string"),
        "n": (pa.nulls(2), None),
        "t3": (pa.array([clock(1, 2, 3, 4000), None], pa.time32("ms")), "time-millis"),
        "t6": (pa.array([clock(1, 2, 3, 4), None], pa.time64("us")), "time-micros"),
        "z3": (pa.array([moment, None], pa.timestamp("ms", "Asia/Seoul")), "timestamp-millis"),
        "z6": (pa.array([moment, None], pa.timestamp("us", "UTC")), "timestamp-micros"),
        "m6": (pa.array([moment, None], pa.timestamp("us")), "local-timestamp-micros"),
        "x": (pa.array([Decimal("-1.50"), None], pa.decimal128(5, 2)), "decimal"),
        "b": (pa.array([b"abc", None], pa.binary(3)), "fixed"),
        "l": (pa.array([[1, None], None], pa.list_(pa.int32())), "array"),
        "a": (pa.array([[1, 2], None], pa.list_(pa.int64(), 2)), "array"),
        "m": (pa.array([[("k", 1), ("j", None)], None], pa.map_(pa.string(), pa.int32())), "map"),
        "r": (pa.array([{"x": 1}, None]), "record"),
    }
    table = pa.table({name: array for name, (array, _) in columns.items()})
    atio.write(table, tmp_path / "x.avro", name="all")
    schema = container(tmp_path / "x.avro").metadata["avro.schema"]
    for field in schema["fields"]:
        kind = columns[field["name"]][1]
        if kind is None:
            assert field["type"] == "null"
            continue
        null, of = field["type"]
        assert null == "null"
        assert kind in ((of,) if isinstance(of, str) else (of["type"], of.get("logicalType")))
    rows = read(tmp_path / "x.avro")
    expected = table.set_column(table.column_names.index("m"), "m", pa.nulls(2)).to_pylist()
    for row, maps in zip(expected, [{"k": 1, "j": None}, None], strict=True):
        row["m"] = maps
    assert rows == expected


def test_required_columns_of_arrow(tmp_path: Path) -> None:
    """They are no unions."""
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("s", pa.string(), nullable=False)])
    table = pa.table({"a": [1, 2], "s": ["x", "y"]}, schema)
    atio.write(table, tmp_path / "x.avro")
    made = container(tmp_path / "x.avro").metadata["avro.schema"]
    assert made["name"] == "record"
    assert [f["type"] for f in made["fields"]] == ["long", "string"]
    assert read(tmp_path / "x.avro") == table.to_pylist()


def _struct(values: pa.Array, mask: list[bool] | None = None) -> pa.Array:
    field = pa.field("x", values.type, nullable=False)
    return pa.StructArray.from_arrays([values], fields=[field], mask=None if mask is None else pa.array(mask))


def _list(values: pa.Array, offsets: list[int | None]) -> pa.Array:
    kind = pa.list_(pa.field("item", values.type, nullable=False))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=kind)


_LACKS = pa.array([1, None, 3])
_NULL_VALUE = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array(["a", None]))


@pytest.mark.parametrize(
    ("array", "nullable", "path"),
    [
        (_LACKS, False, "c"),
        (_NULL_VALUE, False, "c"),
        (_struct(_LACKS), True, "c.x"),
        (_struct(_NULL_VALUE), True, "c.x"),
        (_list(_LACKS, [0, 1, 2, 3]), True, "c.item"),
        (_struct(_list(_LACKS, [0, 1, 2, 3])), True, "c.x.item"),
        (_list(_struct(_LACKS), [0, 1, 2, 3]), False, "c.item.x"),
    ],
    ids=str,
)
@pytest.mark.parametrize("sliced", [False, True])
def test_nulls_where_the_schema_has_none(
    tmp_path: Path, array: pa.Array, nullable: bool, path: str, sliced: bool
) -> None:
    """There is no way to write them, and a zero in their place would be wrong."""
    table = pa.table([array], schema=pa.schema([pa.field("c", array.type, nullable=nullable)]))
    with pytest.raises(ValueError, match=rf'column "{path}".*it is null'):
        atio.write(table[1:] if sliced else table, tmp_path / "x.avro")
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    "array",
    [
        _struct(_LACKS, [False, True, False]),
        _list(_LACKS, [0, 1, 1, 1]),
        pa.ListArray.from_arrays(pa.array([0, None, 2, 3], pa.int32()), _struct(pa.array([None, 2, 3]))).slice(1),
    ],
    ids=str,
)
def test_nulls_that_nothing_reaches(tmp_path: Path, array: pa.Array) -> None:
    """Below a null there may be anything."""
    table = pa.table({"c": array})
    atio.write(table, tmp_path / "x.avro")
    assert read(tmp_path / "x.avro") == table.to_pylist()


@pytest.mark.parametrize(
    "dtype",
    [
        *(pa.uint64(), pa.duration("us"), pa.time64("ns"), pa.time32("s"), pa.timestamp("s"), pa.date64()),
        *(pa.map_(pa.int32(), pa.int32()), pa.list_(pa.struct([("x", pa.uint64())])), pa.decimal256(50, 2)),
    ],
)
@pytest.mark.parametrize("chunks", [False, True])
def test_types_that_avro_has_not(tmp_path: Path, dtype: pa.DataType, chunks: bool) -> None:
    table = pa.table({"fine": [1], "column": pa.nulls(1, dtype)})
    with pytest.raises(TypeError, match=r'column "column.*cannot be written'):
        atio.write(iter([table, table]) if chunks else table, tmp_path / "x.avro")
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"compression": "zstd"}, ValueError),
        ({"name": "long"}, ValueError),
        ({"nonsense": 1}, TypeError),
        ({"name": 1}, TypeError),
    ],
)
def test_arguments_of_arrow(tmp_path: Path, kwargs: dict[str, Any], error: type[Exception]) -> None:
    for obj in (pa.table({"a": [1]}), pa.table({"a": [1]}).to_reader()):
        with pytest.raises(error, match=str(next(iter(kwargs)))):
            atio.write(obj, tmp_path / "x.avro", **kwargs)
    assert names(tmp_path) == set()


def test_names_of_arrow_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NUL"):
        atio.write(pa.table({"a\0b": [1]}), tmp_path / "x.avro")
    with pytest.raises(ValueError, match='column "a": another column has the same name'):
        atio.write(pa.table([[1], [2]], ["a", "a"]), tmp_path / "x.avro")
    assert names(tmp_path) == set()


def test_an_exception_between_chunks(tmp_path: Path) -> None:
    def chunks() -> Any:
        yield pl.DataFrame({"a": range(100_000)})
        raise KeyError("mine")

    before = threading.active_count()
    with pytest.raises(KeyError, match="mine"):
        atio.write(chunks(), tmp_path / "x.avro")
    assert names(tmp_path) == set() and threading.active_count() == before


def test_memory_of_chunks_is_bounded(tmp_path: Path) -> None:
    """Chunks are given back as they are written."""
    chunk = pl.DataFrame({"x": np.random.default_rng(0).random(500_000), "s": ["some text"] * 500_000})
    size = chunk.estimated_size()

    def peak() -> int:
        return int(next(s for s in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in s).split()[1])

    def chunks() -> Any:
        for i in range(30):
            if i == 5:
                Path("/proc/self/clear_refs").write_text("5")
                marks.append(peak())
            yield chunk.with_columns(pl.col("x") + i)
            time.sleep(0)

    marks: list[int] = []
    atio.write(chunks(), tmp_path / "x.avro", durable=False)
    assert (peak() - marks[0]) * 1024 < 8 * size
    assert (tmp_path / "x.avro").stat().st_size > 25 * size // 2


def test_files_that_there_are(tmp_path: Path) -> None:
    atio.write(pl.DataFrame({"a": [1]}), tmp_path / "x.avro")
    assert names(tmp_path) == files_of("x.avro")
