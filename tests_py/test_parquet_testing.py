"""The files of apache/parquet-testing, read by pyarrow, written by atio and read again by everybody."""

from __future__ import annotations

import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import atio
from parquet_compare import differences

FILES = sorted(Path(__file__).parent.joinpath("data", "parquet-testing").glob("*.parquet"))

# Files that pyarrow does not read, and what it says.
REFUSED_BY_PYARROW = {
    "incorrect_map_schema.parquet": "Map keys must be annotated as required",
    "large_string_map.brotli.parquet": "Nested data conversions not implemented",
}
# Bounds of more than 64 bytes are shortened, so their statistics are others than pyarrow's.
LONG_TEXTS = ["nation.dict-malformed.parquet"]


def test_the_files_are_there() -> None:
    assert len(FILES) == 60


def same(ours: pa.Table, table: pa.Table) -> bool:
    """Whether two tables are equal, NaN being equal to NaN."""
    return ours.schema.equals(table.schema) and (
        ours.equals(table) or repr(ours.to_pylist()) == repr(table.to_pylist())
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rewritten(file: Path, tmp_path: Path) -> None:
    try:
        table = pq.read_table(file)
        table.validate(full=True)
    except (OSError, pa.ArrowException) as e:
        assert REFUSED_BY_PYARROW.get(file.name, "nothing") in str(e)
        return
    assert file.name not in REFUSED_BY_PYARROW
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    try:
        pq.write_table(table, theirs)
    except (OSError, pa.ArrowException) as e:
        with pytest.raises(type(e)):
            atio.write(table, ours)
        return
    atio.write(table, ours)
    assert same(pq.read_table(ours), pq.read_table(theirs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of readers about types, alike for both files
        assert differences(ours, theirs, same_row_groups=file.name not in LONG_TEXTS) == []
