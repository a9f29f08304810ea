"""NumPy arrays and dicts of arrays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .. import _encode
from .._plan import EncodeInLibrary, Plan
from . import Append, SameColumns

NAME = "numpy"
FORMATS = ("csv", "npy", "npz", "npz_compressed", "bin")


def plan(obj: Any, format: str, target: str, kwargs: dict[str, Any]) -> Plan:
    """Have Go encode the array if it writes what NumPy would, else NumPy."""
    in_go = None
    if format == "csv" and not isinstance(obj, Mapping):
        in_go = _encode.savetxt.from_numpy(obj, target, kwargs)
    return in_go or plan_in_library(obj, format, kwargs)


def plan_in_library(obj: Any, format: str, kwargs: dict[str, Any]) -> Plan:
    """Have NumPy write it."""
    import numpy as np

    unnamed: tuple[Any, ...]
    if isinstance(obj, Mapping):
        if format not in ("npz", "npz_compressed"):
            raise ValueError(f"a dict of arrays can be written as npz or npz_compressed, not as {format}")
        unnamed, named, rows = (), {str(k): np.asanyarray(v) for k, v in obj.items()}, None
        if taken := named.keys() & inspect.signature(np.savez).parameters.keys() - {"args", "kwds"}:
            raise ValueError(f"an array cannot be named {min(taken)!r} in an npz file: NumPy takes it for an argument")
    else:
        obj = np.asanyarray(obj)
        unnamed, named, rows = (obj,), {}, int(obj.shape[0]) if obj.ndim else None

    def write(path: str) -> None:
        if format == "csv":
            np.savetxt(path, obj, **kwargs)
        elif format == "bin":
            obj.tofile(path, **kwargs)
        else:
            # A handle, because save and savez put a suffix behind a path that has another.
            with open(path, "wb") as f:
                if format == "npy":
                    np.save(f, obj, **kwargs)
                else:
                    save = np.savez if format == "npz" else np.savez_compressed
                    save(f, *unnamed, **named, **kwargs)

    return EncodeInLibrary(NAME, write, rows)


def append_in_library(format: str, kwargs: dict[str, Any]) -> Append:
    """Chunks of csv and of raw bytes behind one another."""
    if format not in ("csv", "bin"):
        raise ValueError(f"NumPy chunks cannot be written as {format}: pass one array")
    import numpy as np

    same = SameColumns()

    def append(path: str, obj: Any, first: bool) -> int:
        obj = np.asanyarray(obj)
        # savetxt makes a column of an array with one dimension.
        same.check([obj.dtype if format == "bin" else (*obj.shape[1:], 1)[:1]])
        with open(path, "wb" if first else "ab") as f:
            if format == "csv":
                more = {} if first else {"header": ""}
                np.savetxt(f, obj, **{**kwargs, **more})
            else:
                obj.tofile(f, **kwargs)
        return len(obj)

    return append
