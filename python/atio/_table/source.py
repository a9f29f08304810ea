"""A version of a table as the library describes it -> a dataset of pyarrow's, and its columns as they were written."""

from __future__ import annotations

import base64
import copy
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._errors import CorruptError
from .._first_use import use
from .frames import REMEMBERED

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds


@dataclass(frozen=True)
class DataFile:
    """A data file: its path, its size, its values of the partition columns, and its statistics as JSON."""

    path: str
    size: int
    partitions: dict[str, str | None]
    stats: str


class Source:
    """One version of a table, whose files stay as long as the job that described it waits."""

    def __init__(self, path: str, answer: dict[str, Any]) -> None:
        import pyarrow as pa

        self.path = path
        self.version: int = answer["version"]
        self.time: int = answer["time"]
        self.rows: int = answer["rows"]
        self.partition_by: list[str] = answer["partition_by"] or []
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(answer["schema"])))
        metadata = dict(schema.metadata or {})
        self.remembered: dict[str, Any] = json.loads(metadata.pop(REMEMBERED.encode(), b"{}"))
        #: The columns as they were written, and the metadata that came with them.
        self.schema: pa.Schema = self._as_written(schema.with_metadata(metadata or None))
        #: The fields of the Delta schema, by name.
        self.stored: dict[str, dict[str, Any]] = {field["name"]: field for field in answer["delta"]["fields"]}
        self.files = [
            DataFile(
                os.path.join(path, os.fsdecode(base64.b64decode(file["path"]))),
                file["size"],
                file.get("partitions") or {},
                file.get("stats", ""),
            )
            for file in answer["files"] or ()
        ]

    def _as_written(self, schema: pa.Schema) -> pa.Schema:
        """What polars exports by views it calls large strings everywhere else."""
        import pyarrow as pa

        if self.remembered.get("library") != "polars":
            return schema
        return pa.schema([f.with_type(without_views(f.type)) for f in schema], schema.metadata)

    def only(self, paths: Collection[str]) -> Source:
        """The same with some of its files, given by their paths below the table."""
        part = copy.copy(self)
        wanted = {os.path.join(self.path, path) for path in paths}
        part.files = [file for file in self.files if file.path in wanted]
        return part

    def categories(self, name: str) -> pa.Array | None:
        """The categories that a column was created with, in their order, if they are known."""
        import pyarrow as pa

        text = self.stored.get(name, {}).get("metadata", {}).get("atio.categories")
        if text is not None:
            return pa.array(json.loads(text) if isinstance(text, str) else text, pa.string())
        kept = self.remembered.get("categories", {}).get(name)
        if kept is None:
            return None
        return pa.ipc.open_stream(base64.b64decode(kept)).read_all().column(0).combine_chunks()

    def dataset(self, schema: pa.Schema, *, stats: bool = False) -> ds.FileSystemDataset:
        """The files as a dataset that reads these columns; those that a file lacks are null.

        With ``stats`` files that a filter rules out are left out.
        """
        use("pyarrow.compute", "pyarrow.dataset")
        import pyarrow.dataset as ds
        from pyarrow.fs import LocalFileSystem

        texts = [f.name for f in schema if _is_dictionary(f.type)]
        options = ds.ParquetReadOptions(dictionary_columns=texts) if texts else None
        parquet = ds.ParquetFileFormat(
            read_options=options, default_fragment_scan_options=ds.ParquetFragmentScanOptions(pre_buffer=True)
        )
        local = LocalFileSystem()
        known = set(schema.names)
        fragments = []
        for file in self.files:
            expression = None
            for part in self._known(file, schema, known, stats):
                expression = part if expression is None else expression & part
            fragments.append(parquet.make_fragment(file.path, local, expression))
        return ds.FileSystemDataset(fragments, schema, parquet, local)

    def _known(self, file: DataFile, schema: pa.Schema, known: set[str], stats: bool) -> list[pc.Expression]:
        """What is known of all rows of a file."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = []
        for name in self.partition_by:
            if name in known:
                dtype = schema.field(name).type
                text = file.partitions.get(name)
                if text is None:
                    found.append(pc.field(name).is_null())
                else:
                    found.append(pc.field(name) == _partition_value(text, self._stored_type(name), dtype))
        if not stats or not file.stats:
            return found
        said = json.loads(file.stats)
        for name, low in said.get("minValues", {}).items():
            high = said.get("maxValues", {}).get(name)
            if name not in known or high is None or not _is_ordered(schema.field(name).type):
                continue
            dtype = schema.field(name).type
            try:
                bounds = [pa.scalar(value).cast(dtype) for value in (low, high)]
            except (pa.ArrowException, TypeError):
                continue
            # One by one, and each with the nulls: the form in which pyarrow understands bounds.
            found.append((pc.field(name) >= bounds[0]) | pc.field(name).is_null())
            found.append((pc.field(name) <= bounds[1]) | pc.field(name).is_null())
        return found

    def _stored_type(self, name: str) -> Any:
        return self.stored[name]["type"]

    def is_read_as_stored(self, name: str) -> bool:
        """Whether pyarrow compares a column with what statistics of the data files say, without a cast in between."""
        import pyarrow.types as t

        kind = self.schema.field(name).type
        return not (t.is_duration(kind) or t.is_time(kind) or t.is_uint64(kind) or t.is_timestamp(kind)) or (
            t.is_timestamp(kind) and self.stored[name]["type"] in ("timestamp", "timestamp_ntz")
        )

    def explain(self, error: BaseException) -> BaseException:
        """A better exception for one that was raised while the files were read, if some of them are damaged."""
        for file in self.files:
            try:
                size = os.stat(file.path).st_size
            except FileNotFoundError:
                problem = "is missing: it was removed by other means than atio.expire_snapshots"
            except OSError:
                continue
            else:
                if size == file.size:
                    continue
                problem = f"has {size} bytes and not the {file.size} that were written"
            return CorruptError(
                f"table {self.path!r}, version {self.version}: the data file {file.path!r} {problem}. "
                "Bring it back from a backup, or roll back to a version that does not need it"
            )
        return error


def without_views(dtype: pa.DataType) -> pa.DataType:
    """A type with large strings and binaries in the place of views."""
    import pyarrow as pa
    import pyarrow.types as t

    if t.is_string_view(dtype):
        return pa.large_string()
    if t.is_binary_view(dtype):
        return pa.large_binary()
    return rebuilt(dtype, without_views)


def rebuilt(dtype: pa.DataType, change: Any) -> pa.DataType:
    """A type whose inner types have been changed by a function."""
    import pyarrow as pa
    import pyarrow.types as t

    def inner(field: pa.Field) -> pa.Field:
        return field.with_type(change(field.type))

    if t.is_dictionary(dtype):
        return pa.dictionary(dtype.index_type, change(dtype.value_type), dtype.ordered)
    if t.is_fixed_size_list(dtype):
        return pa.list_(inner(dtype.value_field), dtype.list_size)
    if t.is_large_list(dtype):
        return pa.large_list(inner(dtype.value_field))
    if t.is_list(dtype):
        return pa.list_(inner(dtype.value_field))
    if t.is_struct(dtype):
        return pa.struct([inner(dtype.field(i)) for i in range(dtype.num_fields)])
    if t.is_map(dtype):
        return pa.map_(inner(dtype.key_field), inner(dtype.item_field), dtype.keys_sorted)
    return dtype


def plain_type(dtype: pa.DataType) -> pa.DataType:
    """The type by which a column is read: that which was written, without what is put on afterwards."""
    import pyarrow as pa
    import pyarrow.types as t

    if isinstance(dtype, pa.BaseExtensionType):
        return plain_type(dtype.storage_type)
    if t.is_dictionary(dtype):
        return plain_type(dtype.value_type)
    if t.is_null(dtype):
        return pa.string()
    if _is_list_view(dtype):
        return pa.large_list(dtype.value_field.with_type(plain_type(dtype.value_type)))
    return rebuilt(dtype, plain_type)


def _is_list_view(dtype: pa.DataType) -> bool:
    return str(dtype).startswith(("list_view", "large_list_view"))


def _is_dictionary(dtype: pa.DataType) -> bool:
    import pyarrow.types as t

    return bool(t.is_dictionary(dtype))


def _is_ordered(dtype: pa.DataType) -> bool:
    """Whether bounds hold for all values: not for floats, whose NaN is not counted, nor for times, which are cut."""
    import pyarrow.types as t

    return bool(t.is_integer(dtype) or t.is_string(dtype) or t.is_large_string(dtype) or t.is_date32(dtype))


def _partition_value(text: str, stored: Any, dtype: pa.DataType) -> pa.Scalar:
    """A partition's value, which the log has as text."""
    import pyarrow as pa

    value: pa.Scalar
    if stored == "boolean":
        value = pa.scalar(text == "true")
    elif stored in ("timestamp", "timestamp_ntz"):
        import datetime as dt

        moment = dt.datetime.fromisoformat(text[:-1] if text.endswith("Z") else text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(dt.timezone.utc).replace(tzinfo=None)
        value = pa.scalar(moment, pa.timestamp("us", "UTC" if stored == "timestamp" else None))
    elif stored == "binary":
        value = pa.scalar(text.encode("utf-8"), pa.binary())
    elif stored in ("byte", "short", "integer", "long"):
        value = pa.scalar(int(text), pa.int64())
    elif stored in ("float", "double"):
        value = pa.scalar(float(text))
    elif isinstance(stored, str) and stored.startswith("decimal"):
        import decimal

        value = pa.scalar(decimal.Decimal(text))
    else:
        value = pa.scalar(text)
    return value.cast(dtype)
