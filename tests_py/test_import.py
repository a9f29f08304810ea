"""``import atio`` is cheap, and has the names of the contract."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import atio

NAMES = ("write", "open_writer", "verify", "restore", "WriteResult", "AtioError", "ConflictError", "CorruptError")


def _in_a_fresh_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_import_brings_in_no_library() -> None:
    code = (
        "import sys, atio\n"
        "heavy = {'pandas', 'polars', 'numpy', 'pyarrow', 'sqlalchemy', 'openpyxl', 'duckdb'} & set(sys.modules)\n"
        "loaded = any('libatio' in line for line in open('/proc/self/maps'))\n"
        "print(sorted(heavy), loaded)"
    )
    assert _in_a_fresh_python(code) == "[] False\n"


def test_writing_a_polars_frame_does_not_import_pandas(tmp_path: Path) -> None:
    code = (
        "import sys, atio, polars as pl\n"
        f"atio.write(pl.DataFrame({{'x': [1]}}), {str(tmp_path / 'x.csv')!r})\n"
        f"atio.write(pl.DataFrame({{'x': [1]}}), {str(tmp_path / 'x.parquet')!r})\n"
        "print('pandas' in sys.modules)"
    )
    assert _in_a_fresh_python(code) == "False\n"


def test_public_names() -> None:
    assert set(NAMES) <= set(atio.__all__)
    for name in atio.__all__:
        assert inspect.getdoc(getattr(atio, name)), name


def test_signature_of_write() -> None:
    parameters = inspect.signature(atio.write).parameters
    defaults = {name: p.default for name, p in parameters.items() if p.default is not inspect.Parameter.empty}
    expected = {
        "target_path": None,
        "format": None,
        "show_progress": False,
        "verbose": False,
        "success_flag": True,
        "durable": True,
        "validate": True,
        "backup": False,
        "storage_options": None,
    }
    assert expected.items() <= defaults.items()
    assert list(parameters)[:5] == ["obj", "target_path", "format", "show_progress", "verbose"]
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in list(expected)[4:])


def test_go_has_the_same_version(tmp_path: Path) -> None:
    import pandas as pd
    import pyarrow.parquet as pq

    atio.write(pd.DataFrame({"x": [1]}), tmp_path / "x.parquet")
    assert pq.ParquetFile(tmp_path / "x.parquet").metadata.created_by == f"atio version {atio.__version__}"


def test_the_package_is_typed() -> None:
    assert Path(atio.__file__).with_name("py.typed").is_file()
