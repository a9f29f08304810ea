"""Writers that users register for types and formats of their own."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from . import _formats
from ._plan import EncodeInLibrary

Writer = Callable[..., object]
"""``function(obj, path, **kwargs)``: writes ``obj`` to the new file ``path``."""


@dataclass
class Registered:
    """One registered writer. To the code that writes it is what the module of a library is."""

    kind: type[Any] | str
    format: str
    function: Writer

    def __post_init__(self) -> None:
        #: Whose writer it is: the package that the function comes from.
        module = getattr(self.function, "__module__", None) or type(self.function).__module__
        self.NAME = str(module).partition(".")[0]
        self.FORMATS: tuple[str, ...] = (self.format,)

    def plan(self, obj: Any, format: str, target: str, kwargs: dict[str, Any]) -> EncodeInLibrary:  # noqa: ARG002
        """Have the function write into the stage."""
        return self.plan_in_library(obj, format, kwargs)

    def plan_in_library(self, obj: Any, format: str, kwargs: dict[str, Any]) -> EncodeInLibrary:  # noqa: ARG002
        """Have the function write into the stage."""
        return EncodeInLibrary(self.NAME, lambda path: self.function(obj, path, **kwargs), None)

    def append_in_library(self, format: str, kwargs: dict[str, Any]) -> NoReturn:  # noqa: ARG002
        """Refuse chunks."""
        raise ValueError(
            f"a registered writer writes one object to one file, so {format} cannot be written chunk by chunk: "
            "pass one object"
        )

    def is_of(self, base: type[Any]) -> bool:
        """Whether ``base`` is the type."""
        if not isinstance(self.kind, str):
            return base is self.kind
        if f"{base.__module__}.{base.__qualname__}" == self.kind:
            return True
        # Packages show their types under other names than those of the modules that define them.
        module, _, name = self.kind.rpartition(".")
        return getattr(sys.modules.get(module), name, None) is base


_registered: dict[tuple[Any, str], Registered] = {}
_lock = threading.Lock()


def register_writer(
    type: type[Any] | str,  # noqa: A002 - the public name of the argument
    format: str,
    function: Writer,
    *,
    suffixes: str | Iterable[str] | None = None,
    replace: bool = False,
) -> None:
    """Let :func:`atio.write` write objects of a type in a format of your own, as safely as those it knows.

    The function writes into a hidden stage beside the target; atio then syncs, validates and publishes the file as
    any other: with its flag, backups, progress, and everything as before if the function raises or is interrupted.
    It does not divide an object: what is registered gets no iterator's chunks, but may be an iterator itself.

    Args:
        type: the class whose objects, and those of its subclasses, are written; or its name with dots, such as
            ``"matplotlib.figure.Figure"``, so that its package need not be imported. The nearest class counts if
            several fit. A registered writer comes before what atio has for the type itself.
        format: name of the format: a new one, or one that there is, for this type. ``object`` needs a new one.
        function: called as ``function(obj, path, **kwargs)``: ``path`` is a ``str``, the name of a file to create,
            which ends like the target; ``kwargs`` are the further arguments of :func:`atio.write`. What it returns
            is not looked at, what it raises reaches the caller.
        suffixes: such as ``".pt"`` or ``[".pt", ".pth"]``: suffixes that the format is inferred from; that of its
            name if ``None`` and the format is new. ``[]`` for none.
        replace: whether a writer that is registered for the same type and format is replaced.

    Raises:
        ValueError: if there is a writer for the type and format already, if a suffix stands for another format, or
            if a name cannot be one.
        TypeError: if an argument is of another type than is said here.

    Example:
        >>> class Note(str): pass
        >>> def write_note(note, path, end=""):
        ...     with open(path, "w") as f:
        ...         f.write(note + end)
        >>> atio.register_writer(Note, "note", write_note)
        >>> atio.write(Note("buy milk"), "list.note", end="!").bytes
        9
    """
    entry = Registered(_checked_type(type), _checked_format(format), function)
    if not callable(function):
        raise TypeError(f"function={function!r}: it is called as function(obj, path, **kwargs)")
    if entry.kind is object and format in _formats.FORMATS:
        raise ValueError(f"type=object would take the format {format!r} from everything: name a class, or a new format")
    with _lock:
        if suffixes is None:
            own = f".{format}"
            wanted = [] if format in _formats.known() or own in _formats.suffixes() else [own]
        else:
            wanted = [_checked_suffix(s) for s in ([suffixes] if isinstance(suffixes, str) else suffixes)]
        for suffix in wanted:
            if (other := _formats.suffixes().get(suffix, format)) != format:
                raise ValueError(f"suffixes: {suffix!r} stands for the format {other!r} already; leave it out")
        key = entry.kind, format
        if key in _registered and not replace and _registered[key].function is not function:
            raise ValueError(
                f"there is a writer of {_name(entry.kind)} as {format!r} already; pass replace=True to replace it"
            )
        _formats.add(format, wanted)
        _registered[key] = entry


def writer_of(obj: object, format: str) -> Registered | None:
    """The registered writer of an object in a format."""
    if not _registered:
        return None
    return next((r for r in _fitting(obj) if r.format == format), None)


def formats_of(obj: object) -> list[str]:
    """The formats that writers are registered for that take an object."""
    return list(dict.fromkeys(r.format for r in _fitting(obj)))


def _fitting(obj: object) -> Iterator[Registered]:
    """The registered writers that take an object, those of the nearest class first."""
    entries = list(_registered.values())
    bases = type(obj).__mro__
    for base in bases:
        yield from (r for r in entries if r.is_of(base))
    # Abstract classes such as collections.abc.Mapping.
    yield from (r for r in entries if isinstance(r.kind, type) and r.kind not in bases and isinstance(obj, r.kind))


def _checked_type(wanted: object) -> type[Any] | str:
    if isinstance(wanted, type):
        return wanted
    if not isinstance(wanted, str):
        raise TypeError(f"type={wanted!r}: it is a class, or the name of one, such as 'matplotlib.figure.Figure'")
    parts = wanted.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ValueError(f"type={wanted!r}: the name of a class begins with its module, as 'matplotlib.figure.Figure'")
    return wanted


def _checked_format(wanted: object) -> str:
    if not isinstance(wanted, str):
        raise TypeError(f"format={wanted!r}: it is a name, such as 'torch'")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.+-]*", wanted):
        raise ValueError(f"format={wanted!r}: a name has small letters, digits and any of '_.+-' behind the first")
    if wanted in _formats.DATABASES:
        raise ValueError(f"format={wanted!r} is for databases, which are no files")
    return wanted


def _checked_suffix(wanted: object) -> str:
    if not isinstance(wanted, str):
        raise TypeError(f"suffixes: {wanted!r} is not a suffix, such as '.pt'")
    suffix = wanted.lower()
    if not re.fullmatch(r"\.[^./\\\0\s]+", suffix):
        raise ValueError(f"suffixes: {wanted!r} is not a suffix: it is a dot and what stands behind it, such as '.pt'")
    if suffix in _formats.COMPRESSED:
        raise ValueError(f"suffixes: {wanted!r} stands for a compression of other formats")
    return suffix


def _name(wanted: type[Any] | str) -> str:
    return wanted if isinstance(wanted, str) else f"{wanted.__module__}.{wanted.__qualname__}"
