"""The types of the Delta protocol (its section "Schema Serialization Format") -> Arrow's, as readers have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_type(stored: Any) -> pa.DataType | None:
    """The Arrow type of values in the data files, ``None`` if the Delta type is not known here."""
    import pyarrow as pa

    if isinstance(stored, str):
        if found := re.fullmatch(r"decimal\((\d+), ?(\d+)\)", stored):
            return pa.decimal128(int(found[1]), int(found[2]))
        return _primitive().get(stored)
    kind = stored["type"]
    if kind == "array":
        element = arrow_type(stored["elementType"])
        return None if element is None else pa.list_(element)
    if kind == "struct":
        fields = [(field["name"], arrow_type(field["type"])) for field in stored["fields"]]
        return None if any(dtype is None for _, dtype in fields) else pa.struct(fields)
    if kind == "map":
        key, value = arrow_type(stored["keyType"]), arrow_type(stored["valueType"])
        return None if key is None or value is None else pa.map_(key, value)
    return None


def _primitive() -> dict[str, pa.DataType]:
    import pyarrow as pa

    return {
        "byte": pa.int8(),
        "short": pa.int16(),
        "integer": pa.int32(),
        "long": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "string": pa.string(),
        "binary": pa.binary(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
        "timestamp_ntz": pa.timestamp("us"),
    }
