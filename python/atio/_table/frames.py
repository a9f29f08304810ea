"""Objects of the libraries -> Arrow streams, and what has to be remembered to give them back as they were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import _encode
from .._encode import _names, _pandas_table
from .._fork import undisturbed
from .._library import library_of
from .._plan import ArrowStream, EncodeInGo
from . import arrays

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

REMEMBERED = "atio"
"""The key of the table's metadata under which it is kept what Arrow's types do not tell."""


_MOST_CATEGORIES = 1 << 20
"""Bytes of categories that are kept in their order."""


@dataclass(frozen=True)
class Frame:
    """An object on its way into a table.

    Attributes:
        stream: its rows.
        rows: how many there are.
        metadata: of the schema, such as pandas' own; the table keeps that of the frame which creates or overwrites it.
        library: the name of the library that it comes from.
        encoding: options of Go's Parquet encoder, as the keyword arguments say.
    """

    stream: ArrowStream
    rows: int
    library: str
    metadata: dict[str, str] = field(default_factory=dict)
    encoding: dict[str, Any] | None = None


def frame_of(obj: Any, kwargs: Mapping[str, Any]) -> Frame | None:
    """The frame for an object, ``None`` if it is of no library, but perhaps something that yields such objects.

    Raises:
        TypeError: naming the column that no table can hold.
    """
    library = library_of(obj)
    if library is None:
        return None
    with undisturbed:
        made = _MAKERS[library.NAME](obj)
    if not kwargs:
        return made
    return Frame(made.stream, made.rows, made.library, made.metadata, _encoding_of(made, dict(kwargs)))


def _from_pandas(obj: Any) -> Frame:
    import pandas as pd
    import pyarrow as pa

    frame: pd.DataFrame = obj if obj.ndim == 2 else obj.to_frame()
    _refuse_mixed_columns(frame)
    try:
        table = _pandas_table.table_of(frame, None, None)
    except pa.ArrowException as e:
        said = "; ".join(map(str, e.args))
        if isinstance(e, pa.ArrowNotImplementedError) or "did not recognize" in said or "tried to convert" in said:
            raise TypeError(f"{said}: no type of a table holds such values, convert the column") from e
        raise
    remembered = (
        _own_dtypes(frame, table.column_names)
        if any(isinstance(d, (pd.StringDtype, pd.ArrowDtype)) for d in frame.dtypes)
        else {}
    )
    return _from_table(table, "pandas", remembered)


def _refuse_mixed_columns(frame: pd.DataFrame) -> None:
    """Refuse values of several types in one column, of which pyarrow would make one where it can."""
    import numpy as np
    import pandas as pd

    for position, dtype in enumerate(frame.dtypes):
        if not isinstance(dtype, np.dtype) or dtype.kind != "O":
            continue
        column = frame.iloc[:, position]
        if not pd.api.types.infer_dtype(column, skipna=True).startswith("mixed"):
            continue
        missing = (None, pd.NA, pd.NaT)
        kinds = {
            type(v).__name__
            for v in column
            if not any(v is one for one in missing) and not (isinstance(v, float) and v != v)
        }
        if len(kinds) > 1 and not kinds <= {"list", "tuple", "ndarray"}:
            raise TypeError(
                f"column {frame.columns[position]!r} holds values of several types ({', '.join(sorted(kinds))}), and a "
                "table has one type for each column: convert them, such as by .astype(str)"
            )


def _own_dtypes(frame: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    """The columns whose dtypes pandas' metadata does not tell: strings by storage, and Arrow's decimals."""
    import pandas as pd

    default = pd.StringDtype().storage
    strings, decimals = {}, []
    for name, dtype in zip(names, frame.dtypes, strict=False):  # behind the columns comes the index
        if isinstance(dtype, pd.StringDtype):
            if str(dtype) == "string" and dtype.storage != default:
                strings[name] = dtype.storage
        elif isinstance(dtype, pd.ArrowDtype) and "decimal" in str(dtype):
            decimals.append(name)
    return {"strings": strings, "arrow": decimals}


def _from_polars(obj: Any) -> Frame:
    import polars as pl

    from .._library.polars import frame_of as collected

    df: pl.DataFrame = collected(obj)
    casts, remembered = [], {}
    for name, dtype in df.schema.items():
        problem = _polars_problem(dtype)
        if problem is not None:
            raise TypeError(f"column {name!r} is {dtype}: {problem}")
        if str(dtype) in ("Int128", "UInt128"):
            remembered[name] = str(dtype)
            casts.append(pl.col(name).cast(pl.Decimal(38, 0)))
    if casts:
        try:
            df = df.with_columns(casts)
        except pl.exceptions.InvalidOperationError as e:
            raise ValueError(
                f"column {', '.join(map(repr, remembered))}: a table holds integers of at most 38 digits ({e})"
            ) from None
    if not _names.polars_are_exportable(df):
        raise ValueError("a column's name holds a NUL character, which Delta tables cannot hold: rename it")
    stream = _encode.parquet.polars_stream(df)
    return Frame(stream, df.height, "polars", _remembering({"library": "polars", "integers": remembered}))


def _polars_problem(dtype: pl.DataType) -> str | None:
    """Why a table cannot hold a type."""
    import polars as pl

    kind = type(dtype).__name__
    if kind == "Object":
        return "Python objects have no type that a table could hold; convert the column"
    if isinstance(dtype, pl.Struct):
        if not dtype.fields:
            return "a struct without fields"
        inner = [f.dtype for f in dtype.fields]
    elif isinstance(dtype, (pl.List, pl.Array)):
        inner = [dtype.inner]
    else:
        return None
    for one in inner:
        if str(one) in ("Int128", "UInt128"):
            return "integers of 128 bits can be a column, but not in one of lists or structs"
        if problem := _polars_problem(one() if isinstance(one, type) else one):
            return problem
    return None


def _from_arrow(obj: Any) -> Frame:
    import pyarrow as pa

    return _from_table(obj if isinstance(obj, pa.Table) else pa.Table.from_batches([obj]), "pyarrow", {})


def _from_numpy(obj: Any) -> Frame:
    table, remembered = arrays.to_table(obj)
    return _from_table(table, "numpy", {"numpy": remembered})


def _from_table(table: pa.Table, library: str, remembered: dict[str, Any]) -> Frame:
    if not _names.are_exportable(table.schema):
        raise ValueError("a column's name holds a NUL character, which Delta tables cannot hold: rename it")
    metadata = {}
    for key, value in (table.schema.metadata or {}).items():
        try:
            metadata[key.decode()] = value.decode()
        except UnicodeDecodeError:
            raise ValueError(f"the schema's metadata {key!r} is not UTF-8, and a table's are texts") from None
    if kept := _categories(table):
        remembered = {**remembered, "categories": kept}
    return Frame(table, table.num_rows, library, metadata | _remembering(remembered))


def _categories(table: pa.Table) -> dict[str, str]:
    """The categories, in their order, of columns with others than texts, which the library keeps itself."""
    import base64

    import pyarrow as pa
    import pyarrow.types as t

    kept = {}
    for name, column in zip(table.schema.names, table.columns, strict=True):
        if not t.is_dictionary(column.type) or not column.num_chunks:
            continue
        values = column.chunk(0).dictionary
        if "string" in str(values.type) or values.nbytes > _MOST_CATEGORIES:
            continue
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, pa.schema([("", values.type)])) as writer:
            writer.write_batch(pa.record_batch([values], [""]))
        kept[name] = base64.b64encode(sink.getvalue()).decode()
    return kept


def _remembering(remembered: dict[str, Any]) -> dict[str, str]:
    kept = {key: value for key, value in remembered.items() if value}
    return {REMEMBERED: json.dumps(kept)} if kept else {}


def _encoding_of(frame: Frame, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Go's options for keyword arguments of the library's own Parquet writer."""
    # The arguments are looked at with an empty frame of the same columns, which they may name.
    if hasattr(frame.stream, "clear") and frame.library == "polars":
        how = _encode.parquet.from_polars(frame.stream.clear(), kwargs)
    else:
        schema = frame.stream.schema  # type: ignore[attr-defined]
        how = _encode.parquet.from_arrow(schema.empty_table(), kwargs)
    if not isinstance(how, EncodeInGo):
        given = ", ".join(f"{name}={value!r}" for name, value in kwargs.items())
        raise ValueError(
            f"{given}: a table's files cannot be written so. There are compression, compression_level, "
            "row_group_size, data_page_size and the other arguments of the library's Parquet writer that say how "
            "values are encoded"
        )
    return how.options


_MAKERS = {"pandas": _from_pandas, "polars": _from_polars, "pyarrow": _from_arrow, "numpy": _from_numpy}
