"""``atio.write_snapshot``: one object becomes a version of a table."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from .._chunks import cast_to_first
from .._job import Job
from .._library import chunks_of, not_writable
from .._plan import ArrowStream
from .._report import Report, reporting
from .._target import PathLike
from . import requests
from .frames import Frame, frame_of
from .results import Snapshot

MODES = ("overwrite", "append", "error")


def write_snapshot(
    obj: Any,
    table_path: PathLike,
    mode: str = "overwrite",
    format: str = "parquet",
    *,
    message: str | None = None,
    metadata: Any = None,
    partition_by: str | Sequence[str] | None = None,
    schema_mode: str | None = None,
    expected_version: int | None = None,
    commit_every: int | None = None,
    resume: bool = False,
    app_id: str | None = None,
    show_progress: bool = False,
    verbose: bool = False,
    durable: bool = True,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Snapshot:
    """Write an object as the next version of a table. The versions before stay.

    A table is a directory in the open Delta Lake format, which Spark, Trino, DuckDB, Polars and others read and write.
    The new version is there as a whole or not at all, whatever dies; any number of processes may write at once.

    Args:
        obj: what :func:`atio.write` takes: a pandas or polars frame or Series, a LazyFrame, Arrow data, a NumPy array,
            a dict of arrays, or an iterator of these, which is written chunk by chunk in bounded memory.
        table_path: the table's directory. Where there is none, the first write creates it.
        mode: ``"overwrite"`` replaces the table's content, ``"append"`` adds to it, ``"error"`` creates the table and
            raises ``FileExistsError`` if there is one.
        format: of the data files: ``"parquet"``.
        message: a note for :func:`list_snapshots`.
        metadata: anything that JSON can hold, kept with the version.
        partition_by: columns by whose values the data files are put into directories, so that readers skip those
            that they do not need. It is given when the table is created; later writes go by it.
        schema_mode: what happens if the columns are not those of the table. ``None``: a ``ValueError`` that names
            them. ``"merge"``: new columns are added, and are null in older rows. ``"overwrite"``, with
            ``mode="overwrite"``: the table gets the columns and the partitioning of this write.
        expected_version: the newest version as far as the caller knows, 0 for a table that is not there. If another
            one is, nothing is written.
        commit_every: of an iterator: make a version of every so many chunks, instead of one at the end. If one raises,
            the versions before it stay.
        resume: go on behind the last chunk that was committed by a call with ``resume``: as many chunks of the
            iterator, which has to yield the same ones, are passed over. ``commit_every`` is 1 if it is not given.
        app_id: with ``resume``, the name under which the table keeps how many chunks are committed, for tables into
            which several such iterators are written.
        show_progress: draw a progress line on standard error.
        verbose: log what is done through ``logging.getLogger("atio")``.
        durable: have the version on the disk when the call returns, safe from a power cut.
        storage_options: for stores other than the local file system; refused for a local path.
        **kwargs: of the library's own Parquet writer, such as ``compression="zstd"``.

    Returns:
        The version that was made.

    Raises:
        FileExistsError: with ``mode="error"``, if there is a table.
        ValueError: if the columns are not those of the table, or a value cannot be held.
        TypeError: for a column of a type that no table holds; it is named.
        atio.ConflictError: if ``expected_version`` is not the newest, or another writer has changed the schema.
        atio.CorruptError: if the table is damaged. It is never overwritten.

        After any exception the table is as it was before the call. Only an interrupt in the instant of the commit
        itself, which nothing can take back, is raised after it: the version is there, as a whole.

    Example:
        >>> import pandas as pd
        >>> atio.write_snapshot(pd.DataFrame({"x": [1, 2]}), "numbers", message="the first").version
        1
        >>> atio.write_snapshot(pd.DataFrame({"x": [3]}), "numbers", mode="append").rows
        3
        >>> atio.read_table("numbers", version=1)["x"].tolist()
        [1, 2]
    """
    began = time.perf_counter()
    path = requests.path_of_table(table_path, storage_options)
    check_choice("mode", mode, MODES)
    check_choice("format", format, ("parquet",))
    if commit_every is not None or resume or app_id is not None:
        from .chunks import write_chunks

        return write_chunks(
            obj,
            path,
            mode,
            commit_every=commit_every,
            resume=resume,
            app_id=app_id,
            message=message,
            metadata=metadata,
            partition_by=partition_by,
            schema_mode=schema_mode,
            expected_version=expected_version,
            show_progress=show_progress,
            verbose=verbose,
            durable=durable,
            **kwargs,
        )
    fields = {
        "mode": mode,
        "partition_by": columns_of(partition_by),
        "schema_mode": schema_mode_of(schema_mode, mode),
        **commit_fields(message, metadata, expected_version),
    }
    with reporting(path, show_progress=show_progress, verbose=verbose) as report:
        answer = write_data(obj, path, "write", fields, kwargs, durable=durable, report=report)
        report.succeeded(answer, committed(answer, path))
    return Snapshot.of(answer, path, time.perf_counter() - began, message, metadata)


def write_data(
    obj: Any,
    path: str,
    op: str,
    fields: dict[str, Any],
    kwargs: Mapping[str, Any],
    *,
    durable: bool,
    report: Report,
) -> Any:
    """Write an object's data files, and with ``op="write"`` commit them; ``op="part"`` answers what to commit."""
    frame = frame_of(obj, kwargs)
    kind = f"{type(obj).__module__.partition('.')[0]} {type(obj).__name__}"
    report.log(f"Writing {kind} to the table {path}, mode {fields.get('mode')}")
    observe = report.observe if report.wanted else None
    if frame is not None:
        more = encoding_request(frame, durable)
        fields = {**fields, "schema_metadata": frame.metadata}
        return requests.call(op, path, fields, stream=frame.stream, observe=observe, input="stream", **more)
    chunks = chunks_of(obj)
    if chunks is None:
        raise TypeError(not_writable(obj))
    following = frames_of(chunks, kwargs)
    first = next(following, None)
    if first is None:
        raise ValueError("there is nothing to write: no chunk came, so the columns are not known")
    more = {**encoding_request(first, durable), "rows": 0}
    fields = {**fields, "schema_metadata": first.metadata}
    return requests.call(op, path, fields, steps=_pushing(first, following), observe=observe, input="push", **more)


def encoding_request(frame: Frame, durable: bool) -> dict[str, Any]:
    """The fields of a request that say how a frame's data files are written."""
    more: dict[str, Any] = {"rows": frame.rows, "skip_sync": not durable}
    if frame.encoding is not None:
        more["encoding"] = frame.encoding
    return more


def frames_of(chunks: Iterator[Any], kwargs: Mapping[str, Any]) -> Iterator[Frame]:
    """The frames of an iterator, and of iterators that it yields."""
    for chunk in chunks:
        frame = frame_of(chunk, kwargs)
        if frame is not None:
            yield frame
            continue
        arrow = hasattr(chunk, "__arrow_c_stream__") or hasattr(chunk, "__arrow_c_array__")
        inner = chunks_of(chunk) if arrow else None
        if inner is None:
            raise TypeError(not_writable(chunk))
        yield from frames_of(inner, kwargs)


def _pushing(first: Frame, following: Iterator[Frame]) -> Iterator[Callable[[Job], None]]:
    yield partial(Job.push, stream=first.stream)
    for number, frame in enumerate(following, 2):
        if frame.library != first.library:
            raise TypeError(
                f"chunk {number} is of {frame.library}, but the first was of {first.library}: all must be of one "
                "library"
            )
        yield partial(Job.push, stream=fitting(frame.stream, first.stream, number))
    yield lambda job: job.resume()


def fitting(stream: Any, first: Any, number: int) -> ArrowStream:
    """A chunk with the types of the first, which a version has throughout."""
    schema, wanted = stream.schema, first.schema
    same = schema == wanted if not hasattr(schema, "equals") else schema.equals(wanted, check_metadata=False)
    return stream if same else cast_to_first(stream, schema, wanted, number)


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise a ``ValueError`` if an argument is none of the choices."""
    if value not in choices:
        raise ValueError(f"{name}={value!r}: there is {', '.join(map(repr, choices))}")


def schema_mode_of(schema_mode: str | None, mode: str) -> str:
    """The library's name of a ``schema_mode``."""
    if schema_mode is None:
        return ""
    check_choice("schema_mode", schema_mode, ("merge", "overwrite"))
    if schema_mode == "overwrite" and mode == "append":
        raise ValueError('schema_mode="overwrite" is for mode="overwrite": appended rows cannot change the older ones')
    return schema_mode


def columns_of(names: str | Sequence[str] | None) -> list[str] | None:
    """The columns that an argument names."""
    if names is None:
        return None
    listed = [names] if isinstance(names, str) else list(names)
    if not all(isinstance(name, str) for name in listed):
        raise TypeError(f"partition_by={names!r}: it is the name of a column, or a list of names")
    return listed


def commit_fields(message: str | None, metadata: Any, expected_version: int | None = None) -> dict[str, Any]:
    """The fields of a request that are kept with the version, or say on which one it is to be built."""
    fields: dict[str, Any] = {}
    if message is not None:
        if not isinstance(message, str):
            raise TypeError(f"message={message!r}: it is a str; metadata= takes what JSON can hold")
        fields["message"] = message
    if metadata is not None:
        try:
            # As JSON within JSON: what is kept is what json.dumps makes of it.
            fields["metadata"] = json.loads(json.dumps(metadata, allow_nan=False))
        except (TypeError, ValueError) as e:
            raise type(e)(f"metadata is kept as JSON: {e}") from None
    if expected_version is not None:
        fields["expected_version"] = requests.version_of(expected_version, "expected_version")
    return fields


def committed(answer: dict[str, Any], path: str) -> str:
    """The line of the log for a commit."""
    return (
        f"Committed version {answer['version']} of {path}: {answer['rows']} rows, {answer['bytes']} bytes "
        f"in {answer['files']} files"
    )
