"""NumPy arrays and dicts of arrays."""

from __future__ import annotations

import inspect
import io
from collections.abc import Mapping
from functools import cache
from typing import Any

from .. import _encode
from .._first_use import use
from .._plan import EncodeInLibrary, Plan
from . import Append, SameColumns

NAME = "numpy"
FORMATS = ("csv", "npy", "npz", "npz_compressed", "bin")

_ARCHIVES = ("npz", "npz_compressed")


def plan(obj: Any, format: str, target: str, kwargs: dict[str, Any]) -> Plan:
    """Have Go encode the array if it writes what NumPy would, else NumPy."""
    in_go: Plan | None = None
    if format in _ARCHIVES:
        members, options = _members(obj, kwargs)
        in_go = _encode.numpy.from_numpy(members, format, options)
    elif isinstance(obj, Mapping):
        raise ValueError(f"a dict of arrays can be written as {' or '.join(_ARCHIVES)}, not as {format}")
    elif format == "csv":
        in_go = _encode.savetxt.from_numpy(obj, target, kwargs)
    else:
        import numpy as np

        in_go = _encode.numpy.from_numpy({"": np.asanyarray(obj)}, format, kwargs)
    return in_go or plan_in_library(obj, format, kwargs)


def plan_in_library(obj: Any, format: str, kwargs: dict[str, Any]) -> EncodeInLibrary:
    """Have NumPy write it."""
    import numpy as np

    if format in _ARCHIVES:
        members, options = _members(obj, kwargs)
        save = np.savez if format == "npz" else np.savez_compressed

        def archive(path: str) -> None:
            # A handle, because NumPy puts a suffix behind a path that has another.
            with open(path, "wb") as f:
                save(f, **members, **options)

        return EncodeInLibrary(NAME, archive)

    array = np.asanyarray(obj)

    def write(path: str) -> None:
        if format == "csv":
            np.savetxt(path, array, **kwargs)
        elif format == "bin":
            array.tofile(path, **kwargs)
        else:
            with open(path, "wb") as f:
                np.save(f, array, **kwargs)

    return EncodeInLibrary(NAME, write, int(array.shape[0]) if array.ndim else None)


def _members(obj: Any, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays of an archive by their names, and the other arguments of ``np.savez``.

    As there, further arrays may come as keyword arguments, and one without a name is ``arr_0``.
    """
    import numpy as np

    reserved = _arguments_of_savez()
    options = {name: value for name, value in kwargs.items() if name in reserved}
    more = {name: value for name, value in kwargs.items() if name not in reserved}
    # In NumPy's order: first those with names.
    sources = [obj, more] if isinstance(obj, Mapping) else [more, {"arr_0": obj}]
    members: dict[str, Any] = {}
    for key, value in (item for source in sources for item in source.items()):
        name = str(key)
        if name in members:
            raise ValueError(f"two arrays are named {name!r}: each array of an npz file needs a name of its own")
        if name in reserved:
            raise ValueError(f"an array cannot be named {name!r} in an npz file: NumPy takes it for an argument")
        members[name] = np.asanyarray(value)
    return members, options


@cache
def _arguments_of_savez() -> frozenset[str]:
    import numpy as np

    return frozenset(inspect.signature(np.savez).parameters) - {"args", "kwds"}


def append_in_library(format: str, kwargs: dict[str, Any]) -> Append:
    """Chunks of one array behind one another, or arrays of an archive."""
    if format in _ARCHIVES:
        return _append_members(format, kwargs)
    if format == "npy":
        return _append_rows(kwargs)
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


def _append_rows(kwargs: dict[str, Any]) -> Append:
    """One npy file of arrays along the first dimension, as ``np.save`` of their concatenation writes it.

    The header has room for any number of rows, and is written again with each chunk.
    """
    import numpy as np

    if kwargs.keys() - {"allow_pickle"}:
        raise ValueError("NumPy chunks cannot be written as npy with these arguments: pass one array")
    same = SameColumns()
    total = 0

    def append(path: str, obj: Any, first: bool) -> int:
        nonlocal total
        obj = np.asanyarray(obj)
        if obj.ndim == 0 or obj.dtype.hasobject or type(obj.dtype).__name__ == "StringDType":
            raise ValueError(
                "NumPy chunks can be written as npy if they have rows, and elements that need no pickle: pass one array"
            )
        same.check([obj.dtype, *obj.shape[1:]])
        rows = len(obj)
        total += rows
        header = io.BytesIO()
        descr = np.lib.format.dtype_to_descr(obj.dtype)
        shape = (total, *obj.shape[1:])
        np.lib.format.write_array_header_1_0(header, {"descr": descr, "fortran_order": False, "shape": shape})
        with open(path, "wb" if first else "r+b") as f:
            f.write(header.getvalue())
            f.seek(0, io.SEEK_END)
            obj.tofile(f)
        return rows

    return append


def _append_members(format: str, kwargs: dict[str, Any]) -> Append:
    """An archive of arrays one after the other, as ``np.savez`` names and writes its arguments."""
    use("encodings.cp437")  # which zipfile looks up
    import zipfile

    import numpy as np

    options = {name: value for name, value in kwargs.items() if name in _arguments_of_savez()}
    if kwargs.keys() - options.keys():
        raise ValueError("arrays by keyword arguments come with one array or dict, not with chunks: put them in a dict")
    method = zipfile.ZIP_STORED if format == "npz" else zipfile.ZIP_DEFLATED
    names: set[str] = set()
    count = 0

    def append(path: str, obj: Any, first: bool) -> None:
        nonlocal count
        named = obj if isinstance(obj, Mapping) else {f"arr_{count}": obj}
        count += not isinstance(obj, Mapping)
        members, _ = _members(named, {})
        if again := names & members.keys():
            raise ValueError(
                f"an array named {min(again)!r} comes twice: each array of an npz file needs a name of its own"
            )
        names.update(members)
        with zipfile.ZipFile(path, "w" if first else "a", method, allowZip64=True) as archive:
            for name, array in members.items():
                with archive.open(name + ".npy", "w", force_zip64=True) as f:
                    np.lib.format.write_array(f, array, **options)

    return append
