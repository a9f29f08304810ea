"""polars' write_json and write_ndjson, byte for byte."""

from __future__ import annotations

import datetime as dt
import gzip
import inspect
import io
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import atio
from support import names

D = dt.datetime
HARD = [
    *(0.0, -0.0, 1.0, 0.1, 1 / 3, 1e15, 1e16, 123456789012345680.0, 1e17, 1e20, 1e21, 1e22, 1e300, 5e-324, 2.5e-308),
    *(1e-4, 1e-5, 1.5e-5, 1e-6, 1e-7, 0.00012345, 9007199254740993.0, 1.7976931348623157e308, 12.5, 99.99, -7e-10),
    *(math.nan, math.inf, -math.inf),
]
TEXTS = [
    *("", "a", 'quote " and \\ and /', "\n\r\t\b\f", "\x00\x01\x1f\x7f", "é", "中文", "🦆", "\u2028\u2029", "'", "<&>"),
    *("x" * 5000, "\ud7ff\ue000", "a,b;c", "line\nend", '"', "\\"),
]
MOMENTS = [D(2020, 1, 2, 3, 4, 5, 6), D(1969, 12, 31, 23, 59, 59, 999999), D(1, 1, 1), D(9999, 12, 31), D(2020, 1, 1)]
INTS = {f"{kind}{bits}": (kind == "Int", bits) for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)}


def _columns() -> dict[str, pl.Series]:
    found = {
        "floats": pl.Series(HARD),
        "narrow floats": pl.Series([*HARD[:11], *HARD[15:22], *HARD[24:]], dtype=pl.Float32),
        "random floats": pl.Series(np.random.default_rng(0).normal(size=20_000)),
        "random bits": pl.Series(np.random.default_rng(1).integers(0, 2**63, 20_000).view("float64")),
        "narrow bits": pl.Series(np.random.default_rng(2).integers(0, 2**31, 20_000, dtype="int32").view("float32")),
        "prices": pl.Series(np.random.default_rng(3).integers(0, 100_000, 20_000) / 100),
        "booleans": pl.Series([True, False, None] * 5),
        "texts": pl.Series([*TEXTS, None]),
        "many texts": pl.Series(TEXTS * 500),
        "dates": pl.Series(
            [dt.date(2020, 2, 29), None, dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1969, 12, 31)]
        ),
        "far dates": pl.Series([-1_000_000, 3_000_000, -719_529, 0], dtype=pl.Int32).cast(pl.Date),
        "times": pl.Series([dt.time(0), dt.time(23, 59, 59, 999999), dt.time(1, 2, 3, 4000), None]),
        "nanosecond times": pl.Series([1, 1000, 86_399_999_999_999]).cast(pl.Time),
        "categories": pl.Series([*TEXTS[:5], None], dtype=pl.Categorical),
        "enum": pl.Series(["a", 'b"', None], dtype=pl.Enum(["a", 'b"', "unused"])),
        "lists": pl.Series([[1, None, 3], [], None, [4]]),
        "lists of texts": pl.Series([TEXTS, [], None, [None]]),
        "lists of lists": pl.Series([[[1.5], [], None], None, [[math.nan, None]]]),
        "structs": pl.Series([{"a": 1, 'b"': TEXTS[2]}, {"a": None, 'b"': None}, None]),
        "structs in lists": pl.Series([[{"a": D(2020, 1, 2), "b": [True]}, None], [], None]),
        "only null": pl.Series([None, None], dtype=pl.Int64),
        "null type": pl.Series([None, None]),
        "universal times": pl.Series([*MOMENTS, None]).dt.replace_time_zone("UTC"),
        "durations": pl.Series(
            [dt.timedelta(1, 2, 3), None, dt.timedelta(0), dt.timedelta(microseconds=-1), dt.timedelta(-9999, 1)]
        ),
        "durations in ms": pl.Series([0, 1, -1, 60_000, 90_061_001, None]).cast(pl.Duration("ms")),
        "durations in ns": pl.Series([0, 1, -1, 10**9, 2**62, -(2**62), None]).cast(pl.Duration("ns")),
        "decimals": pl.Series(
            [Decimal("1.50"), None, Decimal("-0.05"), Decimal(0), Decimal("12345678901234567890.01")]
        ),
        "whole decimals": pl.Series([Decimal(1), None, Decimal(-(10**37))], dtype=pl.Decimal(38, 0)),
        "small decimals": pl.Series([Decimal("0.00000001"), None, Decimal("-1.5")], dtype=pl.Decimal(20, 8)),
        "arrays": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int8, 2)),
        "arrays of arrays": pl.Series([[["a", None]], None, [None]], dtype=pl.Array(pl.Array(pl.String, 2), 1)),
        "lists of durations": pl.Series([[dt.timedelta(1), None], None, []]),
        "lists of categories": pl.Series([["a", None], None, []], dtype=pl.List(pl.Categorical)),
        "structs of amounts": pl.Series([{"d": Decimal("1.5"), "t": dt.timedelta(1), "c": dt.time(1)}, None]),
        # Left to polars:
        "zoned": pl.Series(MOMENTS[:2]).dt.replace_time_zone("Europe/Paris"),
        "lists of nulls": pl.Series([[None], None, []]),
        "lists of zoned": pl.Series([[MOMENTS[0]], None]).cast(pl.List(pl.Datetime("us", "Asia/Seoul"))),
        "bytes": pl.Series([b"a"]),
        "lists of bytes": pl.Series([[b"a"]]),
        "empty structs": pl.Series([{}], dtype=pl.Struct([])),
    }
    for name, (is_signed, bits) in INTS.items():
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed else (0, 2**bits - 1)
        found[name] = pl.Series([low, high, 0, 1, None, 10, 99, 100], dtype=getattr(pl, name))
    for unit in ("ms", "us", "ns"):
        inside = MOMENTS if unit != "ns" else [MOMENTS[0], MOMENTS[1], MOMENTS[4]]
        found[f"moments in {unit}"] = pl.Series([*inside, None], dtype=pl.Datetime(unit))
    found["nanoseconds"] = pl.Series([1, 1001, -1, 10**9, 1_577_934_245_000_001_000]).cast(pl.Datetime("ns"))
    return found


COLUMNS = _columns()
BY_POLARS = {"zoned", "lists of nulls", "lists of zoned", "bytes", "lists of bytes", "empty structs"}
for name, kind, value in (("wide integers", "Int128", 2**100), ("wide naturals", "UInt128", 2**100)):
    if hasattr(pl, kind):
        COLUMNS[name] = pl.Series([value, None], dtype=getattr(pl, kind))
        BY_POLARS.add(name)
if hasattr(pl, "Float16"):
    COLUMNS["half floats"] = pl.Series(np.arange(65536).astype(np.uint16).view(np.float16).astype(float)).cast(
        pl.Float16
    )


def outcome(call: Callable[[], object]) -> type[BaseException] | None:
    try:
        call()
    except BaseException as e:
        if isinstance(e, (KeyboardInterrupt, SystemExit)):
            raise
        return type(e)
    return None


def check(frame: pl.DataFrame, directory: Path, engine: str | None = "go") -> None:
    for format in ("json", "ndjson"):
        text = io.BytesIO()
        refused = outcome(lambda text=text, format=format: getattr(frame, f"write_{format}")(text))
        target = directory / f"x.{format}"
        target.unlink(missing_ok=True)
        if refused is not None:
            before = names(directory)
            assert outcome(lambda target=target: atio.write(frame, target)) is refused
            assert names(directory) == before
            continue
        result = atio.write(frame, target)
        assert target.read_bytes() == text.getvalue()
        assert engine is None or result.engine == engine


@pytest.mark.parametrize("name", COLUMNS)
def test_column(name: str, tmp_path: Path) -> None:
    check(pl.DataFrame({"x": COLUMNS[name]}), tmp_path, "polars" if name in BY_POLARS else "go")


@pytest.mark.parametrize("name", sorted(BY_POLARS))
def test_column_beside_others(name: str, tmp_path: Path) -> None:
    """Go puts what polars makes of a column into its place."""
    series = COLUMNS[name]
    by_polars = series.dtype in (pl.Struct([]),)
    frame = pl.DataFrame({"i": range(len(series)), "x": series, "s": TEXTS[3]})
    check(frame, tmp_path, None if by_polars else "go")


@pytest.mark.skipif("compression" not in inspect.signature(pl.DataFrame.write_ndjson).parameters, reason="older polars")
@pytest.mark.parametrize(
    ("name", "kwargs", "engine"),
    [
        ("x.ndjson.gz", {"compression": "gzip"}, "go"),
        ("x.ndjson.gz", {"compression": "gzip", "compression_level": 1}, "go"),
        ("x.ndjson.zst", {"compression": "zstd"}, "go"),
        ("x.ndjson", {"compression": "zstd", "compression_level": 9, "check_extension": False}, "go"),
        ("x.ndjson", {"compression": "uncompressed"}, "go"),
        ("x.ndjson", {"compression": "gzip"}, None),
        ("x.ndjson.gz", {}, None),
        ("x.ndjson.gz", {"compression": "zstd"}, None),
        ("x.ndjson.gz", {"compression": "gzip", "compression_level": 100}, None),
        ("x.ndjson", {"compression": "nonsense"}, None),
    ],
)
def test_compression(name: str, kwargs: dict[str, Any], engine: str | None, tmp_path: Path) -> None:
    frame = FRAMES["many rows"].head(20_000)
    theirs = tmp_path / "theirs" / name
    theirs.parent.mkdir()
    ours = tmp_path / "ours" / name
    ours.parent.mkdir()
    refused = outcome(lambda: frame.write_ndjson(theirs, **kwargs))
    if refused is not None:
        assert outcome(lambda: atio.write(frame, ours, **kwargs)) is refused
        assert names(ours.parent) == set()
        return
    assert atio.write(frame, ours, **kwargs).engine == (engine or "polars")
    read = {"gzip": gzip.decompress, "zstd": zstd_decompress}.get(kwargs.get("compression", ""), bytes)
    assert read(ours.read_bytes()) == read(theirs.read_bytes())


def zstd_decompress(data: bytes) -> bytes:
    return bytes(pa.CompressedInputStream(pa.BufferReader(data), "zstd").read())


FRAMES: dict[str, pl.DataFrame] = {
    "names": pl.DataFrame({'a"\\\n': [1], "é🦆": ["x"], "": [None], "b": [2.5]}, schema_overrides={"": pl.Int8}),
    "700 columns": pl.DataFrame({f"c{i}": [i, None, i / 2] for i in range(700)}, strict=False),
    "no rows": pl.DataFrame({"a": [], "b": []}, schema={"a": pl.Int64, "b": pl.String}),
    "no columns": pl.DataFrame(),
    "one row": pl.DataFrame({"a": [1]}),
    "chunked": pl.concat([pl.DataFrame({"a": [i], "s": [TEXTS[i]]}) for i in range(10)], rechunk=False),
    "sliced": pl.DataFrame({"a": [*range(100)], "b": [True, None] * 50, "s": TEXTS[:10] * 10})[7:93],
    "sliced lists": pl.DataFrame({"a": [[i, i + 1] for i in range(50)], "s": [{"x": i, "y": [i]} for i in range(50)]})[
        9:
    ],
    "many rows": pl.DataFrame({"i": range(100_000), "s": [f"text {i}" for i in range(100_000)]}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frame(name: str, tmp_path: Path) -> None:
    check(FRAMES[name], tmp_path, "polars" if name == "no columns" else "go")


def test_lazy_and_series(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, 2]})
    for obj in (frame.lazy(), frame["a"]):
        atio.write(obj, tmp_path / "x.ndjson")
        assert (tmp_path / "x.ndjson").read_bytes() == b'{"a":1}\n{"a":2}\n'


def test_chunks(tmp_path: Path) -> None:
    """Lines behind one another, also of other columns; an array of all."""
    chunks = [pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [], "b": []}), pl.DataFrame({"a": ["x"], "b": [None]})]
    chunks[2] = chunks[2].cast({"b": pl.Int8})
    chunks[1] = chunks[1].cast({"a": pl.Int8, "b": pl.Int8})
    atio.write(iter(chunks), tmp_path / "x.ndjson")
    assert (tmp_path / "x.ndjson").read_bytes() == b'{"a":1}\n{"a":2}\n{"a":"x","b":null}\n'
    result = atio.write(iter(chunks), tmp_path / "x.json")
    assert (tmp_path / "x.json").read_bytes() == b'[{"a":1},{"a":2},{"a":"x","b":null}]'
    assert (result.engine, result.rows) == ("go", 3)


def test_arguments_are_left_to_polars(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1]})
    with pytest.raises(TypeError):
        atio.write(frame, tmp_path / "x.ndjson", nonsense=1)
    assert names(tmp_path) == set()


values = st.one_of(
    st.lists(st.none() | st.floats(), max_size=30).map(lambda v: pl.Series(v, dtype=pl.Float64)),
    st.lists(st.none() | st.floats(width=32), max_size=30).map(lambda v: pl.Series(v, dtype=pl.Float32)),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=30).map(lambda v: pl.Series(v, dtype=pl.Int64)),
    st.lists(st.none() | st.text(st.characters(codec="utf-8")), max_size=30).map(
        lambda v: pl.Series(v, dtype=pl.String)
    ),
    st.lists(st.none() | st.datetimes(), max_size=30).map(lambda v: pl.Series(v, dtype=pl.Datetime("us"))),
    st.lists(st.none() | st.dates(), max_size=30).map(lambda v: pl.Series(v, dtype=pl.Date)),
    st.lists(st.none() | st.lists(st.none() | st.integers(0, 255), max_size=4), max_size=30).map(
        lambda v: pl.Series(v, dtype=pl.List(pl.UInt8))
    ),
)


@settings(max_examples=150, deadline=None)
@given(series=values, name=st.text(st.characters(codec="utf-8")))
def test_random(series: pl.Series, name: str, tmp_path_factory: Any) -> None:
    engine = "go" if "\0" not in name else "polars"  # see test_names_with_nul
    check(pl.DataFrame({name: series}), tmp_path_factory.mktemp("random"), engine)
