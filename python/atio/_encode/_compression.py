"""Which compressions of text files Go makes: gzip and zstd, as pandas and polars ask for them.

Each function returns the options ``compression`` and ``compression_level`` of a Go encoder, none for a file without
compression, and ``None`` where the library has to write.
"""

from __future__ import annotations

import importlib.util
import inspect
from functools import cache
from typing import Any

from .._formats import compression_suffix

_INFERRED = {None: None, ".gz": "gzip", ".zst": "zstd"}


def of_pandas(target: str, compression: Any) -> dict[str, Any] | None:
    """What pandas makes of its argument ``compression`` for a target."""
    arguments: dict[str, Any] = {}
    if isinstance(compression, dict):
        arguments = dict(compression)
        compression = arguments.pop("method", "")
    if compression == "infer":
        suffix = compression_suffix(target)
        if suffix not in _INFERRED:
            return None
        compression = _INFERRED[suffix]
    if compression is None:
        return None if arguments else {}
    if compression == "gzip" and arguments.keys() <= {"compresslevel"}:
        return _options("gzip", arguments.get("compresslevel", _gzip_level()), range(10))
    if compression == "zstd" and arguments.keys() <= {"level"} and importlib.util.find_spec("zstandard") is not None:
        return _options("zstd", arguments.get("level", 3), range(1, 23))
    return None  # also what pandas refuses, zstd without its package for one


def of_polars(target: str, compression: Any, level: Any, check_extension: bool) -> dict[str, Any] | None:
    """What polars makes of its arguments ``compression``, ``compression_level`` and ``check_extension``."""
    if compression == "uncompressed":
        return {} if compression_suffix(target) is None else None
    levels = {"gzip": range(10), "zstd": range(1, 23)}.get(compression) if isinstance(compression, str) else None
    if levels is None or (check_extension and not target.endswith(".gz" if compression == "gzip" else ".zst")):
        return None
    return _options(compression, level, levels)


def _options(codec: str, level: Any, levels: range) -> dict[str, Any] | None:
    if level is None:
        return {"compression": codec}
    if not isinstance(level, int) or isinstance(level, bool) or level not in levels:
        return None
    return {"compression": codec, "compression_level": level}


@cache
def _gzip_level() -> int:
    """The level of Python's gzip files, which pandas leaves to them."""
    import gzip

    level: int = inspect.signature(gzip.GzipFile).parameters["compresslevel"].default
    return level
