"""Modules at their first use, which no fork may come into.

What is under way in another thread when a process forks stays half-done in the child for ever, and whoever waits for
it there waits for ever. Two such things are hidden in the first call of a function:

- an import;
- the statics of a C++ function, which the first call makes while other callers wait (Itanium C++ ABI, 3.3.3,
  ``__cxa_guard_acquire``). It was ``arrow::ExportSchema``, which the first write calls, that forked children hung in.

So modules are imported here, and those of pyarrow are used once, with next to no data, while no fork can come.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ._fork import undisturbed

_used: set[str] = set()


def use(*names: str) -> None:
    """Import modules and use them for the first time. What cannot be imported is left to whoever needs it."""
    for name in names:
        if name in _used:
            continue
        with undisturbed:
            with contextlib.suppress(ImportError):
                module = importlib.import_module(name)
                if name in _FIRST_USES:
                    _FIRST_USES[name](module)
            _used.add(name)


def use_pyarrow() -> None:
    """Use what any write may use of pyarrow, as far as that has been imported."""
    for name in ("pyarrow", "pyarrow.compute", "pyarrow.pandas_compat"):
        if name not in _used and name in sys.modules:
            use(name)


def _exchange(pa: Any) -> None:
    """Arrow's C interface, the fields of a struct, and a batch's bytes."""
    # Of no Python objects: for these pyarrow would import pandas.
    table = pa.table({"x": pa.StructArray.from_arrays([pa.nulls(1)], ["n"])})
    batch = pa.RecordBatchReader.from_stream(table).read_next_batch()
    batch.column(0).field(0)
    batch.serialize()
    assert table.nbytes >= 0


def _convert(_: Any) -> None:
    import pyarrow as pa

    pa.array([Decimal(1)], from_pandas=True)


def _call(pc: Any) -> None:
    import pyarrow as pa

    pc.is_null(pa.nulls(1))


def _write_csv(csv: Any) -> None:
    import pyarrow as pa

    csv.write_csv(pa.table({"x": pa.nulls(1)}), io.BytesIO())


def _write_feather(feather: Any) -> None:
    import pyarrow as pa

    feather.write_feather(pa.table({"x": pa.nulls(1)}), io.BytesIO())


def _write_parquet(pq: Any) -> None:
    import pyarrow as pa

    pq.write_table(pa.table({"x": pa.nulls(1)}), io.BytesIO())


def _scan(ds: Any) -> None:
    """The scan of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"x": pa.nulls(2, pa.int64()), "l": pa.nulls(2, pa.list_(pa.int64()))})
    file = pa.BufferOutputStream()
    pq.write_table(table, file)
    fragment = ds.ParquetFileFormat().make_fragment(pa.BufferReader(file.getvalue()))
    assert fragment.to_table(use_threads=False).equals(table)


_FIRST_USES: dict[str, Callable[[Any], None]] = {
    "pyarrow": _exchange,
    "pyarrow.compute": _call,
    "pyarrow.pandas_compat": _convert,
    "pyarrow.csv": _write_csv,
    "pyarrow.feather": _write_feather,
    "pyarrow.parquet": _write_parquet,
    "pyarrow.dataset": _scan,
}
