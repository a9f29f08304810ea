"""The formats, and the suffixes they are inferred from."""

from __future__ import annotations

import os

SUFFIXES = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".npy": "npy",
    ".npz": "npz",
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".html": "html",
    ".htm": "html",
    ".arrow": "ipc",
    ".feather": "ipc",
    ".ipc": "ipc",
    ".avro": "avro",
    ".bin": "bin",
}

FORMATS = (
    "csv", "parquet", "excel", "json", "ndjson", "npy", "npz", "npz_compressed", "bin", "pickle", "html", "ipc", "avro",
)  # fmt: skip

DATABASES = ("sql", "database", "mongodb")

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz")
"""Suffixes by which pandas infers a compression, behind the format's own."""

_COMPRESSIBLE = ("csv", "json", "ndjson", "pickle")


# Those above and what users have registered.
_known = dict.fromkeys(FORMATS)
_suffixes = dict(SUFFIXES)


def known() -> tuple[str, ...]:
    """The names of all formats."""
    return tuple(_known)


def suffixes() -> dict[str, str]:
    """The suffixes, with the formats that they stand for."""
    return _suffixes


def add(format: str, its_suffixes: list[str]) -> None:
    """Make a format known, and suffixes that stand for it."""
    _known[format] = None
    _suffixes.update(dict.fromkeys(its_suffixes, format))


def compression_suffix(path: str) -> str | None:
    """The suffix of ``path`` that stands for a compression, the longest that fits."""
    name = os.path.basename(path).lower()
    fitting = [s for s in COMPRESSED if name.endswith(s)]
    return max(fitting, key=len, default=None)


def has_suffix(path: str) -> bool:
    """Whether the suffix of ``path`` stands for a format."""
    return os.path.splitext(path)[1].lower() in _suffixes


def format_of(path: str, wanted: str | None) -> str:
    """The format that is wanted, or that the suffix of ``path`` stands for.

    Raises:
        ValueError: if the format is unknown, or the suffix stands for none.
    """
    names = ", ".join(known())
    if wanted is not None:
        if wanted in _known:
            return wanted
        if wanted in DATABASES:
            raise ValueError(f"format {wanted!r}: open_writer is for files; give atio.write an iterator of the chunks")
        raise ValueError(f"format {wanted!r} is unknown; there is {names}, {', '.join(DATABASES)}")
    name = os.path.basename(path).lower()
    inner = compression_suffix(path)
    if inner is not None:
        stem, suffix = os.path.splitext(name[: -len(inner)])
        if stem and SUFFIXES.get(suffix) in _COMPRESSIBLE:
            return SUFFIXES[suffix]
    suffix = os.path.splitext(name)[1]
    if suffix in _suffixes:
        return _suffixes[suffix]
    what = f"the suffix {suffix!r} stands for no format" if suffix else "it has no suffix that tells its format"
    raise ValueError(f"{path!r}: {what}; pass format= one of {names}, or use one of {', '.join(_suffixes)}")
