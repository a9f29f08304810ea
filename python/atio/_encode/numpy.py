"""``np.save``, ``savez``, ``savez_compressed`` and ``ndarray.tofile``: arrays whose memory Go writes as NumPy does."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

from .._plan import EncodeInGo, EncodePartsInGo

_CHUNK = 8 * 1024 * 1024
"""About how many bytes are copied at a time of an array that does not lie in one piece."""

_MOST_COPIED = 16 * 1024 * 1024
"""How much may be copied as a whole, for archives that have the checksum of an array before it."""

_KINDS = "biufcmMSUV"
"""Kinds of elements that are their memory. Objects, and strings of any length, are pickled."""


def from_numpy(
    members: Mapping[str, Any], format: str, kwargs: Mapping[str, Any]
) -> EncodeInGo | EncodePartsInGo | None:
    """Arrays by their names, or a single one, whose name does not count.

    What does not lie in one piece is copied, some megabytes at a time.
    """
    if not _takes(format, kwargs):
        return None
    described, arrays = [], []
    for name, array in members.items():
        description = _description(array, format)
        if description is None or (_is_archive(format) and not _is_member(name)):
            return None
        described.append({"name": name, **description} if _is_archive(format) else description)
        arrays.append(_plain(array))
    in_fortran_order = format != "bin"  # which has the order of C always
    pieces = [_in_one_piece(array, in_fortran_order) for array in arrays]
    scattered = [array for array, piece in zip(arrays, pieces, strict=True) if piece is None]
    options = {"layout": format, "arrays": described}
    size = sum(array.nbytes for array in arrays)
    if format == "npz" and scattered:
        if sum(array.nbytes for array in scattered) > _MOST_COPIED:
            return None
        pieces = [_copy(a) if piece is None else piece for a, piece in zip(arrays, pieces, strict=True)]
    elif scattered:
        return EncodePartsInGo((_stream([part]) for part in _parts(arrays, pieces)), size, options)
    return EncodeInGo(_stream(pieces), size, options, whole=True)


def _takes(format: str, kwargs: Mapping[str, Any]) -> bool:
    """Whether the arguments of NumPy's function change nothing for arrays without objects."""
    if format == "bin":
        return kwargs.keys() <= {"sep", "format"} and kwargs.get("sep", "") == ""
    return kwargs.keys() <= {"allow_pickle"}


def _is_archive(format: str) -> bool:
    return format in ("npz", "npz_compressed")


def _is_member(name: str) -> bool:
    """Whether a name stays as it is in a zip archive."""
    try:
        return "\0" not in name and len(name.encode()) < 65000
    except UnicodeEncodeError:
        return False


def _description(array: Any, format: str) -> dict[str, Any] | None:
    """What Go has to know of an array; ``None`` if NumPy has to write it."""
    import numpy as np

    dtype = array.dtype
    if type(array) not in (np.ndarray, np.memmap, np.matrix, np.recarray):
        return None  # with ways of its own, as masked arrays
    if dtype.kind not in _KINDS or dtype.hasobject or dtype.isbuiltin == 2 or dtype.metadata:
        return None
    description = {"shape": array.shape, "bytes": array.nbytes}
    if format == "bin":
        return description
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    return {**description, "fortran": fortran, "descr": _type(dtype)}


def _type(dtype: Any) -> str:
    """A type as it stands in the header."""
    if dtype.names is None:
        return repr(dtype.str)
    import numpy as np

    # For what NumPy warns of or refuses: which version the header has, metadata, fields that overlap.
    np.lib.format.write_array(io.BytesIO(), np.empty(0, dtype))
    return repr(dtype.descr)


def _plain(array: Any) -> Any:
    """The array as elements that are nothing but bytes, so that a copy has those between the fields too."""
    import numpy as np

    array = np.asarray(array)
    return array.view(np.dtype((np.void, array.itemsize))) if array.dtype.kind == "V" and array.itemsize else array


def _in_one_piece(array: Any, in_fortran_order: bool) -> Any:
    """The elements as they lie in memory; ``None`` if there is something between them."""
    if array.flags.c_contiguous:
        return array.reshape(-1)
    if array.flags.f_contiguous and in_fortran_order:
        return array.T.reshape(-1)
    return None


def _parts(arrays: list[Any], pieces: list[Any]) -> Iterator[Any]:
    for array, piece in zip(arrays, pieces, strict=True):
        if piece is not None:
            yield piece
        else:
            yield from _chunks(array)


def _chunks(array: Any) -> Iterator[Any]:
    """The elements in the order of C, some at a time."""
    if array.flags.c_contiguous:
        yield array.reshape(-1)
    elif array.nbytes <= _CHUNK:
        yield _copy(array)
    elif (rows := _CHUNK // (array.nbytes // len(array))) > 0:
        for i in range(0, len(array), rows):
            yield _copy(array[i : i + rows])
    else:
        for row in array:
            yield from _chunks(row)


def _copy(array: Any) -> Any:
    import numpy as np

    return np.ascontiguousarray(array).reshape(-1)


def _stream(pieces: list[Any]) -> Any:
    """The memory of arrays in one piece each, as Go takes it."""
    import numpy as np
    import pyarrow as pa

    chunks = []
    for piece in pieces:
        if piece.nbytes:
            memory = pa.py_buffer(piece.view(np.uint8))
            chunks.append(pa.Array.from_buffers(pa.uint8(), piece.nbytes, [None, memory]))
    return pa.Table.from_arrays([pa.chunked_array(chunks, pa.uint8())], names=["memory"])
