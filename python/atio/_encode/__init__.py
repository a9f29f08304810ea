"""Frames and keyword arguments -> what the Go encoders take, one module for each format.

Each module has ``from_pandas(df, ..., kwargs)``, ``from_polars(df, ..., kwargs)`` and ``from_arrow(table, kwargs)``,
``savetxt`` has ``from_numpy(array, target, kwargs)``, ``numpy`` ``from_numpy(arrays, format, kwargs)``. They return an
:class:`atio._plan.EncodeInGo`, or ``None`` where the library's own writer has to make the bytes: a keyword argument or
a type of column that Go does not write exactly as the library does. They raise what the library would raise for an
argument it refuses, or leave that to the library by returning ``None``.
"""

from . import avro, csv, excel, ipc, json, numpy, parquet, savetxt

__all__ = ["avro", "csv", "excel", "ipc", "json", "numpy", "parquet", "savetxt"]
