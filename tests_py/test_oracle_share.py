"""How many of the oracles' cases Go itself encodes, of those that the libraries do not refuse."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from atio._library import library_of
from atio._plan import EncodeInGo
from csv_cases import PANDAS_ARGUMENTS, POLARS_ARGUMENTS, pandas_frames, polars_frames
from json_cases import JSON_ARGUMENTS, json_frames
from test_csv_oracle import takes_long
from test_json_oracle import COLUMNS, FRAMES

Case = tuple[Any, str, dict[str, Any], str]
"""Frame, format, arguments, and the library's method."""


def csv_cases() -> Iterator[Case]:
    for name, (frame, _) in pandas_frames().items():
        for arguments, (kwargs, _) in PANDAS_ARGUMENTS.items():
            if not takes_long(name, arguments):
                yield frame, "csv", kwargs, "to_csv"
    for frame, _ in polars_frames().values():
        for kwargs, _ in POLARS_ARGUMENTS.values():
            yield frame, "csv", kwargs, "write_csv"


def json_cases() -> Iterator[Case]:
    for frame in json_frames().values():
        for kwargs in JSON_ARGUMENTS.values():
            yield frame, "json", kwargs, "to_json"
    for frame in (*FRAMES.values(), *(pl.DataFrame({"x": series}) for series in COLUMNS.values())):
        for format in ("json", "ndjson"):
            yield frame, format, {}, f"write_{format}"


def encoded_by_go(cases: Iterator[Case]) -> list[bool]:
    made = []
    for frame, format, kwargs, method in cases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                # A short one will do, but for what all labels of an index say.
                getattr(frame if format == "json" else frame.head(50), method)(io.BytesIO(), **kwargs)
            except BaseException:  # polars panics with one that is no Exception
                continue
            library = library_of(frame)
            assert library is not None
            made.append(isinstance(library.plan(frame, format, f"x.{format}", kwargs), EncodeInGo))
    return made


@pytest.fixture(scope="module")
def made() -> dict[str, list[bool]]:
    return {"csv": encoded_by_go(csv_cases()), "json": encoded_by_go(json_cases())}


def test_nine_of_ten_cases_are_encoded_by_go(made: dict[str, list[bool]]) -> None:
    everything = [go for of_format in made.values() for go in of_format]
    for what, cases in {**made, "csv and json": everything}.items():
        print(f"{what}: Go encodes {sum(cases) / len(cases):.1%} of {len(cases)} cases")
    assert len(made["csv"]) > 2000
    assert len(made["json"]) > 2000
    assert sum(everything) >= 0.9 * len(everything)
