"""docs/types.md is true."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest

import type_table


def test_types_page() -> None:
    if int(pd.__version__.split(".")[0]) < 3 or int(pl.__version__.split(".")[0]) < 2:
        pytest.skip("the page is about the newest pandas and polars")
    assert type_table.PAGE.read_text() == type_table.page(), "run: python tests_py/type_table.py --write"
