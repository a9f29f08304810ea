"""Compressed CSV holds what the libraries' own writers put into theirs; they are asked at test time."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import atio

RNG = np.random.default_rng(3)
ROWS = 60_000  # several blocks
COLUMNS = {
    "i": np.arange(ROWS),
    "x": RNG.normal(size=ROWS),
    "p": RNG.uniform(0, 1000, ROWS).round(2),
    "s": RNG.choice(["alpha", "beta,", 'ga"mma', "δ"], ROWS),
}
FRAMES = {"pandas": pd.DataFrame(COLUMNS), "polars": pl.DataFrame(COLUMNS)}
EMPTY = {"pandas": pd.DataFrame({"a": []}), "polars": pl.DataFrame({"a": []})}
WRITERS = {"pandas": "to_csv", "polars": "write_csv"}


def inflated(data: bytes) -> bytes:
    """The content of one gzip member, as by a reader that takes no second one."""
    reader = zlib.decompressobj(wbits=31)
    text = reader.decompress(data)
    assert reader.eof
    assert reader.unused_data == b""
    return text


def from_zstd(data: bytes) -> bytes:
    """The content of Zstandard frames."""
    return bytes(pa.CompressedInputStream(pa.BufferReader(data), "zstd").read())


def from_zip(data: bytes) -> bytes:
    """The content of the only file in an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(archive.namelist()[0])


def from_tar(data: bytes) -> bytes:
    """The content of the only file in an archive."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = archive.extractfile(archive.getmembers()[0])
        assert member is not None
        return member.read()


CASES: list[tuple[str, str, dict[str, Any], str, Callable[[bytes], bytes]]] = [
    ("pandas", "x.csv.gz", {}, "go", inflated),
    ("pandas", "X.CSV.GZ", {}, "go", inflated),
    ("pandas", "x.csv.gz", {"compression": "infer"}, "go", inflated),
    ("pandas", "x.csv", {"compression": "gzip"}, "go", inflated),
    *(
        ("pandas", "x.csv", {"compression": {"method": "gzip", "compresslevel": n}}, "go", inflated)
        for n in (0, 1, 5, 6, 9)
    ),
    ("pandas", "x.csv.gz", {"compression": {"method": "infer", "compresslevel": 1}}, "go", inflated),
    ("pandas", "x.csv.gz", {"compression": None}, "go", bytes),
    ("pandas", "x.csv.bz2", {}, "pandas", bz2.decompress),
    ("pandas", "x.csv.xz", {}, "pandas", lzma.decompress),
    ("pandas", "x.csv.zip", {}, "pandas", from_zip),
    ("pandas", "x.csv.tar", {}, "pandas", from_tar),
    ("pandas", "x.csv.tar.gz", {}, "pandas", from_tar),
    ("pandas", "x.csv", {"compression": "bz2"}, "pandas", bz2.decompress),
    ("pandas", "x.csv.gz", {"compression": {"method": "gzip", "mtime": 1}}, "pandas", gzip.decompress),
    ("pandas", "x.csv.gz", {"quoting": 1}, "go", inflated),
    *(
        ("polars", "x.csv.gz", {"compression": "gzip", "compression_level": n}, "go", inflated)
        for n in (None, 0, 1, 6, 9)
    ),
    *(
        ("polars", "x.csv.zst", {"compression": "zstd", "compression_level": n}, "go", from_zstd)
        for n in (None, 1, 9, 22)
    ),
    ("polars", "x.csv", {"compression": "zstd", "check_extension": False}, "go", from_zstd),
    ("polars", "x.csv", {"compression_level": 3}, "go", bytes),
    ("polars", "x.csv.xz", {}, "polars", bytes),
    ("polars", "x.csv.zst", {"compression": "zstd", "compression_level": 0}, "polars", from_zstd),
    ("polars", "x.csv.gz", {"compression": "gzip", "quote_style": "always"}, "go", inflated),
]  # fmt: skip


@pytest.mark.parametrize(("library", "name", "kwargs", "engine", "read"), CASES)
def test_content(
    library: str, name: str, kwargs: dict[str, Any], engine: str, read: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    for frame in (FRAMES[library], EMPTY[library]):
        if kwargs.get("compression_level") == 22 and len(frame):
            frame = frame.head(5_000)
        expected, actual = tmp_path / "library" / name, tmp_path / "atio" / name
        for path in (expected, actual):
            path.parent.mkdir(exist_ok=True)
        getattr(frame, WRITERS[library])(expected, **kwargs)
        result = atio.write(frame, actual, format="csv", **kwargs)
        assert result.engine == engine
        assert read(actual.read_bytes()) == read(expected.read_bytes())
        if len(frame) > 1 and kwargs.get("compression_level", 1) != 0:
            assert actual.stat().st_size <= expected.stat().st_size * 1.04


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # pandas leaves the file open that it cannot compress
@pytest.mark.parametrize(
    ("library", "name", "kwargs"),
    [
        ("pandas", "x.csv.gz", {"compression": "nonsense"}),
        ("pandas", "x.csv.gz", {"compression": {"compresslevel": 1}}),
        ("pandas", "x.csv.gz", {"compression": {"method": "gzip", "compresslevel": 10}}),
        ("pandas", "x.csv.gz", {"compression": {"method": "gzip", "nonsense": 1}}),
        ("polars", "x.csv.gz", {}),
        ("polars", "x.csv.zst", {}),
        ("polars", "x.csv", {"compression": "gzip"}),
        ("polars", "x.csv.gz", {"compression": "zstd"}),
        ("polars", "x.csv.gz", {"compression": "gzip", "compression_level": -1}),
        ("polars", "x.csv.gz", {"compression": "gzip", "compression_level": 10}),
        ("polars", "x.csv.gz", {"compression": "nonsense"}),
        ("polars", "x.csv.gz", {"compression": 5}),
    ],
)
def test_refused(library: str, name: str, kwargs: dict[str, Any], tmp_path: Path) -> None:
    frame = FRAMES[library].head(3)
    with pytest.raises(BaseException) as expected:  # polars panics
        getattr(frame, WRITERS[library])(tmp_path / name, **kwargs)
    (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(expected.type):
        atio.write(frame, tmp_path / name, format="csv", **kwargs)
    assert list(tmp_path.iterdir()) == []
    del expected
    gc.collect()


def test_chunks_make_one_member(tmp_path: Path) -> None:
    frame = FRAMES["pandas"]
    parts = (frame[at : at + 20_000] for at in range(0, ROWS, 20_000))
    result = atio.write(parts, tmp_path / "x.csv.gz", index=False)
    assert (result.engine, result.rows) == ("go", ROWS)
    assert inflated((tmp_path / "x.csv.gz").read_bytes()) == frame.to_csv(index=False).encode()


def test_the_same_frame_makes_the_same_file(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        atio.write(FRAMES["pandas"], tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_appending_to_a_compressed_file_is_left_to_pandas(tmp_path: Path) -> None:
    frame = FRAMES["pandas"].head(10)
    for _ in range(2):
        atio.write(frame, tmp_path / "x.csv.gz", mode="a", header=False)
    assert gzip.decompress((tmp_path / "x.csv.gz").read_bytes()) == 2 * frame.to_csv(header=False).encode()
