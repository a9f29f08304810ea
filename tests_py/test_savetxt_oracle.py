"""NumPy's CSV is what ``np.savetxt`` makes, byte for byte; it is asked at test time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import atio
from csv_cases import FLOATS

RNG = np.random.default_rng(11)
HARD = np.array([0.0 if x is None else x for x in FLOATS])
FINITE = HARD[np.isfinite(HARD)]
ARRAYS = {
    "floats": HARD,
    "finite": FINITE[np.abs(FINITE) < 1e18],
    "table": RNG.normal(size=(50, 3)),
    "long": RNG.normal(size=(30_000, 3)) * 10.0 ** RNG.integers(-300, 300, (30_000, 3)),
    "fortran": np.asfortranarray(RNG.normal(size=(20, 3))),
    "strided": RNG.normal(size=(40, 9))[::3, ::3],
    "reversed": np.arange(10.0)[::-1],
    "integers": RNG.integers(-(10**6), 10**6, (30, 3)),
    "limits": np.array([np.iinfo("i8").min, np.iinfo("i8").max, 0]),
    "unsigned": np.array([0, np.iinfo("u8").max, 2**63], dtype="u8"),
    **{k: np.array([np.iinfo(k).min, np.iinfo(k).max, 7], dtype=k) for k in ("i1", "i2", "i4", "u1", "u2", "u4")},
    "singles": RNG.normal(size=(30, 3)).astype("f4"),
    "halves": RNG.normal(size=(30, 3)).astype("f2"),
    "no_rows": np.zeros((0, 3)),
    "subclass": np.arange(6.0).reshape(2, 3).view(np.recarray),
    "masked": np.ma.masked_less(np.arange(3.0), 1),
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "comma": {"delimiter": ","},
    "fixed": {"fmt": "%.3f"},
    "whole": {"fmt": "%.0f"},
    "many_decimals": {"fmt": "%.25f"},
    "exponent": {"fmt": "%.5e"},
    "exponent_whole": {"fmt": "%.0e"},
    "seventeen": {"fmt": "%.17e"},
    "twenty": {"fmt": "%.20e"},
    "general": {"fmt": "%g"},
    "general_long": {"fmt": "%.17g"},
    "general_none": {"fmt": "%.0g"},
    "text": {"fmt": "%s"},
    "integer": {"fmt": "%d"},
    "integer_i": {"fmt": "%i"},
    "width": {"fmt": "%12.4f"},
    "width_left": {"fmt": "%-12.4e"},
    "plus": {"fmt": "%+.3f"},
    "space": {"fmt": "% d"},
    "around": {"fmt": "<%6.2f>", "delimiter": "; "},
    "header": {"header": "a b c\nsecond", "footer": "end"},
    "comments": {"header": "x", "comments": "", "footer": "y\n"},
    "newline": {"newline": "\r\n", "header": "h"},
    "encoding": {"encoding": "utf-8", "header": "h"},
}
OF_THREE: dict[str, dict[str, Any]] = {
    "each": {"fmt": ["%d", "%.2f", "%s"]},
    "each_tuple": {"fmt": ("%.1e", "%5.1f", "%g"), "delimiter": "\t"},
    "row": {"fmt": "%d: %.3f (%g)"},
}
TO_NUMPY: list[tuple[Any, dict[str, Any]]] = [
    (np.arange(3.0), {"fmt": "%05.1f"}),
    (np.arange(3.0), {"fmt": "%.3E"}),
    (np.arange(3), {"fmt": "%x"}),
    (np.arange(3), {"fmt": "%d%%"}),
    (np.arange(3), {"fmt": "%.3d"}),
    (np.arange(3.0), {"header": "é", "encoding": "utf-8"}),
    (np.arange(3) * 1j, {}),
    (np.array([True, False]), {"fmt": "%d"}),
    (np.array(["a", "b"]), {"fmt": "%s"}),
    (np.array([1, 2], dtype=">i4"), {}),
    (np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), {}),
    (np.array([1.5], dtype="f4"), {"fmt": "%s"}),
    (np.array([1e300]), {"fmt": "%d"}),
    (np.arange(3.0).astype(np.longdouble), {}),
    (np.zeros((3, 0)), {}),
    # What NumPy refuses.
    (np.float64(3), {}),
    (np.zeros((2, 2, 2)), {}),
    (np.arange(6.0).reshape(2, 3), {"fmt": ["%d"]}),
    (np.arange(6.0).reshape(2, 3), {"fmt": "%d %d"}),
    (np.arange(3.0), {"fmt": "none"}),
    (np.arange(3.0), {"fmt": 5}),
    (np.array([np.nan]), {"fmt": "%d"}),
    (np.array([np.inf]), {"fmt": "%d"}),
    (np.arange(3.0), {"nonsense": 1}),
    (np.arange(3.0), {"encoding": "nonsense"}),
    (np.arange(3.0), {"delimiter": 1}),
]


def check(array: Any, kwargs: dict[str, Any], directory: Path, engine: str | None) -> None:
    expected, actual = directory / "numpy" / "x.csv", directory / "atio" / "x.csv"
    for path in (expected, actual):
        path.parent.mkdir(exist_ok=True)
    try:
        np.savetxt(expected, array, **kwargs)
    except Exception as e:
        with pytest.raises(type(e)):
            atio.write(array, actual, **kwargs)
        assert list(actual.parent.iterdir()) == []
        return
    result = atio.write(array, actual, **kwargs)
    got, want = actual.read_bytes(), expected.read_bytes()
    if got != want:
        at = next((i for i, (g, w) in enumerate(zip(got, want, strict=False)) if g != w), min(len(got), len(want)))
        window = slice(max(0, at - 40), at + 40)
        pytest.fail(f"at byte {at}: {got[window]!r}, but NumPy has {want[window]!r} ({kwargs})")
    if engine is not None:
        assert result.engine == engine


def left_to_numpy(array: str, arguments: str) -> bool:
    kind = ARRAYS[array].dtype
    whole = arguments in ("integer", "integer_i", "space")
    return (arguments == "text" and kind in ("f4", "f2")) or (whole and array in ("floats", "long"))


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("array", ARRAYS)
def test_savetxt(array: str, arguments: str, tmp_path: Path) -> None:
    engine = "numpy" if left_to_numpy(array, arguments) else "go"
    check(ARRAYS[array], ARGUMENTS[arguments], tmp_path, engine)


@pytest.mark.parametrize("arguments", OF_THREE)
@pytest.mark.parametrize("array", ["table", "fortran", "strided", "integers", "no_rows"])
def test_a_format_for_each_column(array: str, arguments: str, tmp_path: Path) -> None:
    check(ARRAYS[array], OF_THREE[arguments], tmp_path, "go")


@pytest.mark.parametrize(("array", "kwargs"), TO_NUMPY)
def test_left_to_numpy(array: Any, kwargs: dict[str, Any], tmp_path: Path) -> None:
    check(array, kwargs, tmp_path, "numpy")


def test_chunks(tmp_path: Path) -> None:
    parts = [np.arange(6.0).reshape(2, 3), np.arange(3).reshape(1, 3)]
    result = atio.write(iter(parts), tmp_path / "x.csv", fmt="%.2f", header="h")
    assert (tmp_path / "x.csv").read_text() == "# h\n0.00 1.00 2.00\n3.00 4.00 5.00\n0.00 1.00 2.00\n"
    assert (result.engine, result.rows) == ("go", 3)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    array=arrays.arrays(
        st.sampled_from(["f8", "f4", "i8", "u8", "i2"]), arrays.array_shapes(min_dims=1, max_dims=2, max_side=6)
    ),
    verb=st.sampled_from("efg"),
    precision=st.none() | st.integers(0, 22),
    width=st.sampled_from(["", "8", "+", "-30", " "]),
)
def test_any_array(array: Any, verb: str, precision: int | None, width: str, tmp_path: Path) -> None:
    decimals = "" if precision is None else f".{precision}"
    check(array, {"fmt": f"%{width}{decimals}{verb}"}, tmp_path, "go")
