"""Where a write goes, and how it is published there."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

PathLike = str | os.PathLike[str]


def path_of(target: object, *, storage_options: object = None, directory: bool = False) -> str:
    """The absolute path that a target stands for: ``~`` is expanded, a ``file://`` URL is its path.

    It may end with a slash if it is to be a directory.

    Raises:
        TypeError: if the target is no path.
        ValueError: if it is a URL of a store that this version cannot write to.
    """
    if target is None:
        raise TypeError("target_path is missing: name the file to write, such as atio.write(df, 'x.parquet')")
    if not isinstance(target, (str, os.PathLike)):
        raise TypeError(f"target_path must be a str or a path, not {type(target).__name__}")
    path = os.fsdecode(target)
    if "\0" in path:
        raise ValueError("embedded null byte in target_path")
    scheme, separator, _ = path.partition("://")
    if separator and scheme.isalnum():
        if scheme != "file":
            raise ValueError(f"{_without_secrets(path)!r}: this version writes to local paths and file:// URLs only")
        url = urlsplit(path)
        if url.netloc not in ("", "localhost"):
            raise ValueError(f"{path!r}: a file:// URL must name a file of this machine, such as file:///tmp/x.csv")
        path = os.fsdecode(unquote_to_bytes(os.fsencode(url.path)))
    if storage_options:
        raise ValueError("storage_options are for stores such as s3://, but the target is a local file")
    if path.endswith(("/", os.sep)) and not directory:
        raise IsADirectoryError(21, "Is a directory; name a file in it", path)
    try:
        return os.path.abspath(os.path.expanduser(path))
    except FileNotFoundError as e:
        text = "the current directory is gone; change to another one or pass an absolute path"
        raise FileNotFoundError(e.errno, text, path) from e


def _without_secrets(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


@dataclass(frozen=True)
class Publishing:
    """The arguments of :func:`atio.write` that say how the target is published."""

    success_flag: bool = True
    durable: bool = True
    validate: bool | Callable[[Path], object] = True
    backup: bool | int = False
    checksum: str | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.validate, bool) or callable(self.validate)):
            raise TypeError(f"validate={self.validate!r}: it is True, False or a function of the new file's path")
        if not isinstance(self.backup, int) or self.backup < 0:
            raise ValueError(f"backup={self.backup!r}: it is True, False or the number of backups to keep")
        if self.checksum not in (None, "xxh3-128", "sha256"):
            raise ValueError(f"checksum={self.checksum!r}: there is 'xxh3-128' and 'sha256'")

    @property
    def validator(self) -> Callable[[Path], object] | None:
        """The caller's own check, if there is one."""
        return self.validate if callable(self.validate) else None

    def request(self, target: str, format: str) -> dict[str, Any]:
        """The fields of a request to write that are the same for every input."""
        return {
            "op": "write",
            "target": encode_path(target),
            "format": format,
            "skip_flag": not self.success_flag,
            "skip_sync": not self.durable,
            "skip_check": self.validate is False,
            "validate": self.validator is not None,
            "backups": int(self.backup),
            "checksum": self.checksum or "",
        }


def encode_path(path: str) -> str:
    """A path as the library takes it: base64, since a path need not be UTF-8."""
    return base64.b64encode(os.fsencode(path)).decode()
