"""NumPy's formats beside NumPy: npy, npz and bin byte for byte, deflated archives member by member."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import atio
from support import names, state

POINT = np.dtype([("x", "<f4"), ("label", "<U3"), ("when", "<M8[us]"), ("box", "<i2", (2, 2))])
ALIGNED = np.dtype([("a", "i1"), ("b", "f8"), ("c", "i2")], align=True)


def _points(dtype: np.dtype[Any], n: int = 7) -> np.ndarray[Any, Any]:
    array = np.zeros(n, dtype)
    first = dtype.names[0] if dtype.names else None
    array[first] = np.arange(n)
    return array


CUBE = np.arange(24.0).reshape(2, 3, 4)

ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "float": CUBE,
    "one element": np.array(1.5),
    "no element": np.zeros((0, 3)),
    "no element, many": np.zeros((3, 0, 2), "i2"),
    "Fortran": np.asfortranarray(CUBE),
    "Fortran, one column": np.asfortranarray(np.arange(3).reshape(3, 1)),
    "strided": np.arange(100)[::3],
    "reversed": np.arange(100)[::-1],
    "transposed": CUBE.transpose(1, 0, 2),
    "part": np.arange(100.0).reshape(10, 10)[2:7, 3:9],
    "broadcast": np.broadcast_to(np.arange(3), (4, 3)),
    "big-endian": np.arange(5, dtype=">i4"),
    "big-endian, Fortran": np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3)),
    "half": np.arange(5, dtype="f2"),
    "long double": np.arange(5, dtype=np.longdouble),
    "complex": np.arange(5) * 1j,
    "bool": np.array([True, False]),
    "strings": np.array(["", "ü", "𝄞x"]),
    "bytes": np.array([b"a", b"bcd", b""]),
    "datetime": np.array(["2020-01-01", "NaT"], "M8[ns]"),
    "timedelta": np.array([1, 2], "m8[h]"),
    "void": np.array([b"abc", b"def"], "V3"),
    "structured": _points(POINT),
    "structured, strided": _points(POINT)[::2],
    "with padding": _points(ALIGNED),
    "nested": np.zeros(2, [("p", POINT), ("q", ">c8")]),
    "with a title": np.zeros(2, [(("the title", "t"), "i4")]),
    "many dimensions": np.zeros((1,) * 32, "u1"),
    "read-only": np.frombuffer(b"12345678", "i4"),
    "matrix": np.arange(4).reshape(2, 2).view(np.matrix),
    "matrix, transposed": np.arange(4).reshape(2, 2).view(np.matrix).T,
    "recarray": _points(np.dtype([("x", "f4"), ("y", "i8")])).view(np.recarray),
    "numpy scalar": np.float32(2.5),  # type: ignore[dict-item]
}


def _saved(save: Callable[..., None], *arrays: Any, **kwargs: Any) -> bytes:
    out = io.BytesIO()
    save(out, *arrays, **kwargs)
    return out.getvalue()


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def _check(folder: Path, array: Any) -> None:
    rows = np.asanyarray(array).shape[0] if np.ndim(array) else None
    npy = _saved(np.save, array)
    for format in ("npy", "npz", "npz_compressed", "bin"):
        result = atio.write(array, folder / "x", format, durable=False)
        assert (result.engine, result.rows) == ("go", None if format.startswith("npz") else rows), format
        written = (folder / "x").read_bytes()
        if format == "npy":
            assert written == npy
        elif format == "npz":
            assert written == _saved(np.savez, array)
        elif format == "npz_compressed":
            assert _members(folder / "x") == {"arr_0.npy": npy}
        else:
            np.asanyarray(array).tofile(folder / "theirs")
            assert written == (folder / "theirs").read_bytes()


@pytest.mark.parametrize("name", ARRAYS)
def test_kinds_of_arrays(tmp_path: Path, name: str) -> None:
    _check(tmp_path, ARRAYS[name])


_orders: dict[str, Callable[[Any], Any]] = {
    "C": lambda a: a,
    "F": np.asfortranarray,
    "transposed": lambda a: a.T,
    "stepped": lambda a: a[::2] if a.ndim else a,
    "backwards": lambda a: a[..., ::-1] if a.ndim else a,
    "swapped": lambda a: np.swapaxes(a, 0, -1) if a.ndim else a,
}


@pytest.mark.filterwarnings("ignore:Stored array in format")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_arrays(tmp_path: Path, data: st.DataObject) -> None:
    dtype = data.draw(
        st.one_of(
            hnp.scalar_dtypes(),
            hnp.array_dtypes(subtype_strategy=hnp.scalar_dtypes(), max_size=4, allow_subarrays=True),
        )
    )
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6))
    array = np.zeros(shape, dtype)
    if array.nbytes:
        raw = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 127, array.nbytes, "u1")
        array = (
            np.frombuffer(raw.tobytes(), dtype).reshape(shape) if dtype.kind not in "U" and not dtype.names else array
        )
    _check(tmp_path, _orders[data.draw(st.sampled_from(sorted(_orders)))](array))


def test_headers_of_all_versions(tmp_path: Path) -> None:
    """NumPy warns of the newer ones, and so does atio."""
    versions = {
        b"\x01": np.zeros(1, [("ä", "i4")]),
        b"\x02": np.zeros(1, [(f"a_rather_long_name_of_a_field_{i}", "i1") for i in range(2000)]),
        b"\x03": np.zeros(1, [("数", "i4")]),
    }
    for version, array in versions.items():
        with warnings.catch_warnings(record=True) as theirs:
            warnings.simplefilter("always")
            expected = _saved(np.save, array)
        with warnings.catch_warnings(record=True) as ours:
            warnings.simplefilter("always")
            assert atio.write(array, tmp_path / "x.npy").engine == "go"
        assert (tmp_path / "x.npy").read_bytes() == expected
        assert expected[6:7] == version
        assert [str(w.message) for w in ours] == [str(w.message) for w in theirs]


def test_header_at_the_limit_of_a_version(tmp_path: Path) -> None:
    for last in range(1, 90, 7):
        array = np.zeros(1, [(f"{i:060}", "i1") for i in range(880)] + [("x" * last, "i1")])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            atio.write(array, tmp_path / "x.npy", durable=False)
            assert (tmp_path / "x.npy").read_bytes() == _saved(np.save, array)


def test_large_arrays_that_do_not_lie_in_one_piece(tmp_path: Path) -> None:
    """They are copied some megabytes at a time."""
    whole = np.random.default_rng(1).integers(0, 9, (150, 40, 1000)).astype("i4")
    for array in (
        whole.transpose(2, 0, 1),
        whole[:, ::3],
        whole.reshape(-1)[::5],
        whole.reshape(2, -1)[:, ::2],
        whole[1:, 1:, 1:],
    ):
        assert not array.flags.forc
        for format in ("npy", "bin", "npz", *(["npz_compressed"] if array.ndim == 1 else [])):
            result = atio.write(array, tmp_path / "x", format, durable=False)
            assert result.engine == ("numpy" if format == "npz" and array.nbytes > 16 << 20 else "go")
            if format == "bin":
                assert (tmp_path / "x").read_bytes() == array.tobytes()
            elif format == "npy":
                assert (tmp_path / "x").read_bytes() == _saved(np.save, array)
            else:
                with np.load(tmp_path / "x") as loaded:
                    assert np.array_equal(loaded["arr_0"], array)


def test_memory_maps(tmp_path: Path) -> None:
    mapped = np.lib.format.open_memmap(tmp_path / "m.npy", "w+", "f8", (100, 10))
    mapped[:] = np.arange(1000).reshape(100, 10)
    _check(tmp_path, mapped)
    atio.write(mapped, tmp_path / "m.npy")  # onto the file that it maps
    assert (tmp_path / "m.npy").read_bytes() == _saved(np.save, mapped)
    assert isinstance(np.load(tmp_path / "m.npy", mmap_mode="r"), np.memmap)


def test_objects_are_pickled_by_numpy(tmp_path: Path) -> None:
    array = np.array([1, "x", None, {"a": [2]}], dtype=object)
    for name, load in (
        ("x.npy", lambda p: np.load(p, allow_pickle=True)),
        ("x.npz", lambda p: np.load(p, allow_pickle=True)["arr_0"]),
    ):
        assert atio.write(array, tmp_path / name).engine == "numpy"
        assert load(tmp_path / name).tolist() == array.tolist()
    before = state(tmp_path)
    for arguments in ({}, {"allow_pickle": False}):
        with (
            pytest.raises(ValueError, match="allow_pickle=False") if arguments else pytest.raises((TypeError, OSError))
        ):
            atio.write(array, tmp_path / ("x.npy" if arguments else "x.bin"), **arguments)
    assert state(tmp_path) == before


def test_masked_arrays_as_numpy_has_them(tmp_path: Path) -> None:
    masked = np.ma.masked_array([1, 2, 3], [0, 1, 0])
    for format in ("npy", "bin"):
        with pytest.raises(NotImplementedError):
            atio.write(masked, tmp_path / "x", format)
    atio.write(masked, tmp_path / "x.npz")
    assert _members(tmp_path / "x.npz") == {"arr_0.npy": _saved(np.save, np.array([1, 2, 3]))}


def test_names_of_an_archive(tmp_path: Path) -> None:
    arrays = {"u": CUBE, "größe": np.arange(3), "a/b": np.zeros(0), "": np.array(7), "../up": np.ones(2)}
    for format, save in (("npz", np.savez), ("npz_compressed", np.savez_compressed)):
        result = atio.write(arrays, tmp_path / "x.npz", format)
        assert (result.engine, result.rows) == ("go", None)
        (tmp_path / "theirs").write_bytes(_saved(save, **arrays))
        assert _members(tmp_path / "x.npz") == _members(tmp_path / "theirs")
        with zipfile.ZipFile(tmp_path / "x.npz") as archive:
            methods = {info.compress_type for info in archive.infolist()}
        assert methods == {zipfile.ZIP_STORED if format == "npz" else zipfile.ZIP_DEFLATED}
    atio.write({1: CUBE, "two": [1, 2]}, tmp_path / "x.npz")
    assert sorted(_members(tmp_path / "x.npz")) == ["1.npy", "two.npy"]
    atio.write({}, tmp_path / "x.npz")
    assert (tmp_path / "x.npz").read_bytes() == _saved(np.savez)


def test_arrays_by_keyword_arguments(tmp_path: Path) -> None:
    atio.write(CUBE, tmp_path / "x.npz", more=np.arange(3), allow_pickle=False)
    assert (tmp_path / "x.npz").read_bytes() == _saved(np.savez, CUBE, more=np.arange(3))
    for obj, kwargs in (
        (CUBE, {"arr_0": CUBE}),
        ({"a": CUBE}, {"a": CUBE}),
        ({1: CUBE, "1": CUBE}, {}),
        ({"file": CUBE}, {}),
    ):
        before = state(tmp_path)
        with pytest.raises(ValueError, match="array"):
            atio.write(obj, tmp_path / "x.npz", **kwargs)
        assert state(tmp_path) == before


def test_columns_of_frames_in_an_archive(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    atio.write({"a": frame["a"], "b": pl.Series([0.5, 1.5]), "c": frame}, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as loaded:
        assert loaded["a"].tolist() == [1, 2] and loaded["b"].tolist() == [0.5, 1.5] and loaded["c"].shape == (2, 2)


@pytest.mark.parametrize("sep", [",", " ", "\n"])
def test_text_by_tofile(tmp_path: Path, sep: str) -> None:
    assert atio.write(CUBE, tmp_path / "x.bin", sep=sep).engine == "numpy"
    CUBE.tofile(tmp_path / "y.bin", sep=sep)
    assert (tmp_path / "x.bin").read_bytes() == (tmp_path / "y.bin").read_bytes()


# --- chunks ---------------------------------------------------------------------------------------------------------


def _pieces(array: Any) -> Iterator[Any]:
    yield from (array[i : i + 3] for i in range(0, len(array), 3))


@pytest.mark.parametrize("name", ["float", "strided", "strings", "structured", "datetime", "part", "no element"])
def test_chunks_of_one_array(tmp_path: Path, name: str) -> None:
    """The file is that of the whole array."""
    array = np.concatenate([ARRAYS[name]] * 4)
    chunks = _pieces(array) if len(array) else iter([array])
    result = atio.write(chunks, tmp_path / "x.npy")
    assert (result.rows, result.engine) == (len(array), "numpy")
    assert (tmp_path / "x.npy").read_bytes() == _saved(np.save, array)


def test_chunks_of_an_archive(tmp_path: Path) -> None:
    for format in ("npz", "npz_compressed"):
        result = atio.write([CUBE, np.arange(3), {"named": np.zeros(2)}, np.ones(1)], tmp_path / "x.npz", format)
        assert result.rows is None
        (tmp_path / "theirs").write_bytes(
            _saved(np.savez, arr_0=CUBE, arr_1=np.arange(3), named=np.zeros(2), arr_2=np.ones(1))
        )
        assert _members(tmp_path / "x.npz") == _members(tmp_path / "theirs")


@pytest.mark.parametrize(
    ("name", "chunks"),
    [
        ("x.npy", [np.arange(3), np.arange(3.0)]),
        ("x.npy", [np.ones((2, 2)), np.ones((2, 3))]),
        ("x.npy", [np.array(1)]),
        ("x.npy", [np.array([None])]),
        ("x.npz", [{"a": CUBE}, {"a": CUBE}]),
        ("x.npz", [CUBE, {"arr_0": CUBE}]),
    ],
)
def test_chunks_that_do_not_fit(tmp_path: Path, name: str, chunks: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"same columns|pass one array|comes twice"):
        atio.write(iter(chunks), tmp_path / name)
    assert names(tmp_path) == set()


# --- what it takes --------------------------------------------------------------------------------------------------

_MEMORY = """
import resource, sys
import numpy as np, pyarrow
import atio
format, order, folder = sys.argv[1:]
array = np.zeros((20_000, 1_000))  # 160 MB
array[:] = np.arange(1_000)
if order == "strided":
    array = array.T.reshape(10, 100, 20_000)
atio.write(np.arange(3), folder + "/warm-up", format)
most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = most()
result = atio.write(array, folder + "/x", format)
print(most() - before, result.engine)
"""


@pytest.mark.parametrize("order", ["in one piece", "strided"])
@pytest.mark.parametrize("format", ["npy", "npz", "npz_compressed", "bin"])
def test_no_copy_is_made(tmp_path: Path, format: str, order: str) -> None:
    """Memory beyond the array does not depend on its size: 160 MB here."""
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, format, order, str(tmp_path)], capture_output=True, text=True, check=True
    )
    megabytes, engine = done.stdout.split()
    assert float(megabytes) < 60, done.stdout
    assert engine == ("numpy" if (format, order) == ("npz", "strided") else "go")
