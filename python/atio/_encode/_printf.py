"""Formats of floats that Go understands."""

from __future__ import annotations

import re

_PRINTF = re.compile(r"%(\.[0-9]{1,2})?[feg]")


def is_printf(value: object) -> bool:
    """Whether it is ``%f``, ``%e`` or ``%g``, with or without a precision."""
    return isinstance(value, str) and _PRINTF.fullmatch(value) is not None
