"""``atio.write``: one object to one file."""

from __future__ import annotations

import errno
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from . import _database
from ._chunks import ChunkWriter
from ._errors import ConflictError, Unsupported, naming_target
from ._fork import undisturbed
from ._formats import format_of, has_suffix
from ._job import Job, run
from ._job import validate as validate_stage
from ._library import Library, check_format, chunks_of, library_of, not_writable, plan
from ._plan import ArrowStream, DatasetFiles, EncodeFilesInGo, EncodeInGo, EncodeInLibrary, EncodePartsInGo
from ._report import Report, reporting
from ._result import WriteResult
from ._table.chunks import TableWriter
from ._table.verify import is_table
from ._target import PathLike, Publishing, path_of

_ATTEMPTS = 20
"""How often an append starts again because another writer came first."""

Step = Callable[[Job], None]


def write(
    obj: Any,
    target_path: PathLike | None = None,
    format: str | None = None,
    show_progress: bool = False,
    verbose: bool = False,
    *,
    success_flag: bool = True,
    durable: bool = True,
    validate: bool | Callable[[Path], object] = True,
    backup: bool | int = False,
    storage_options: dict[str, Any] | None = None,
    checksum: str | None = None,
    **kwargs: Any,
) -> WriteResult:
    """Write an object to a file, so that the file is always the whole old or the whole new data.

    Args:
        obj: a pandas or polars DataFrame or Series, a polars LazyFrame, a pyarrow Table, RecordBatch or
            RecordBatchReader, any object with ``__arrow_c_stream__`` or ``__arrow_c_array__``, a NumPy array, a dict
            of arrays (npz), or an iterator of any of these, which is written chunk by chunk in bounded memory.
        target_path: the file, or the directory of a partitioned dataset; ``~`` is expanded, symbolic links are
            followed, ``file://`` URLs are taken. Of a database it is the table, if ``name`` does not name it.
        format: such as ``"parquet"``; inferred from the suffix if ``None``.
        show_progress: draw a progress line on standard error.
        verbose: log what is done through ``logging.getLogger("atio")``.
        success_flag: set the flag ``.NAME._SUCCESS`` beside the file, which tells that it is complete.
        durable: have the data on the disk when the call returns, safe from a power cut. ``False`` leaves out the
            syncs and nothing else: a killed process still does no harm.
        validate: read back what can be read back cheaply. A function is called in addition, with the path of the
            complete new file before it is published; what it raises aborts the write.
        backup: keep the replaced content as ``.NAME.bak.1``, or as many of them as the number says.
        storage_options: for stores other than the local file system; refused for a local file, as by pandas.
        checksum: ``"xxh3-128"`` (if ``None``) or ``"sha256"``: what the flag says of the bytes.
        **kwargs: those of the library's own writer: ``DataFrame.to_csv`` and so on for pandas, ``write_csv`` and so on
            for polars, ``np.savetxt``, ``save``, ``savez`` for NumPy, ``pyarrow.parquet.write_table`` for pyarrow.
            With ``partition_cols`` or ``partition_by`` the target is a directory, which is replaced as a whole.
            With ``format="sql"`` they are those of ``to_sql`` (``name, con, schema, if_exists`` ...), and with
            ``format="database"`` those of polars' ``write_database``: the table is written in one transaction;
            ``"upsert"`` with ``key=[...]`` replaces the rows whose key is there.

    Returns:
        What was written.

    Raises:
        OSError: with ``errno`` and ``filename``, such as ``FileNotFoundError`` (no such directory),
            ``PermissionError``, ``IsADirectoryError``, or number 28 if the disk is full.
        ValueError: for an unknown format, or a value that the format cannot hold.
        TypeError: for an object that cannot be written, or an argument that the library does not have.
        ConnectionError: if a database cannot be reached, or the connection was lost before the commit.
        atio.CommitUnknownError: if it was lost during the commit, and what became of that cannot be found out.
        atio.AtioError: for what has no built-in type.

        After any exception but ``CommitUnknownError``, everything is as it was before the call.

    Example:
        >>> import pandas as pd
        >>> result = atio.write(pd.DataFrame({"x": [1, 2, 3]}), "numbers.parquet")
        >>> result.rows, result.engine
        (3, 'go')
    """
    if format in _database.FORMATS:
        _refuse_for_databases(validate=validate, backup=backup, storage_options=storage_options, checksum=checksum)
        return _to_database(obj, target_path, format, show_progress, verbose, durable, kwargs)
    began = time.perf_counter()
    target, kind = _target_of(target_path, format, storage_options, kwargs)
    publishing = Publishing(success_flag, durable, validate, backup, checksum)
    library = library_of(obj, kind)
    if library is None:
        chunks = chunks_of(obj)
        if chunks is None:
            raise not_writable(obj, kind)
        with ChunkWriter(target, kind, publishing, kwargs, show_progress=show_progress, verbose=verbose) as w:
            for chunk in chunks:
                w.write(chunk)
        return w.result
    check_format(library, kind, obj)
    with reporting(target, show_progress=show_progress, verbose=verbose) as report:
        report.log(f"Writing {type(obj).__module__.partition('.')[0]} {type(obj).__name__} to {target}")
        answer = _write_whole(obj, library, target, kind, publishing, report, kwargs)
        report.succeeded(answer)
    return WriteResult.of(answer, target, began)


def _to_database(*arguments: Any) -> WriteResult:
    with undisturbed:
        from ._database._write import write as write_to_database

    return write_to_database(*arguments)


def _refuse_for_databases(**arguments: object) -> None:
    """Raise a ``ValueError`` for what only a file has."""
    for name, value in arguments.items():
        if callable(value) or (value and not isinstance(value, bool)) or (value is True and name != "validate"):
            raise ValueError(f"{name} is for files: a database has no staged file, no backup and no checksum of one")


def open_writer(
    target_path: PathLike,
    format: str | None = None,
    show_progress: bool = False,
    verbose: bool = False,
    *,
    success_flag: bool = True,
    durable: bool = True,
    validate: bool | Callable[[Path], object] = True,
    backup: bool | int = False,
    storage_options: dict[str, Any] | None = None,
    checksum: str | None = None,
    **kwargs: Any,
) -> ChunkWriter | TableWriter:
    """A writer that takes a file's data chunk by chunk. The arguments are those of :func:`write`.

    It is a context manager. The file is replaced when the block ends; if the block raises, everything is as before.

    If the target is a table, or ``format`` is ``"delta"``, the chunks are appended to it, as one version, or with
    ``commit_every`` as one for every so many chunks; the arguments then are those of :meth:`atio.Table.open_writer`.

    Example:
        >>> import pandas as pd
        >>> with atio.open_writer("big.parquet") as w:
        ...     for i in range(3):
        ...         w.write(pd.DataFrame({"i": [i]}))
        >>> w.result.rows
        3
    """
    if format == "delta" or (format is None and is_table(target_path)):
        if not success_flag or validate is not True or backup or checksum is not None:
            raise ValueError("success_flag, validate, backup and checksum are for files, and the target is a table")
        kwargs |= {"show_progress": show_progress, "verbose": verbose, "durable": durable}
        return TableWriter(target_path, storage_options=storage_options, **kwargs)
    target, kind = _target_of(target_path, format, storage_options, kwargs)
    publishing = Publishing(success_flag, durable, validate, backup, checksum)
    return ChunkWriter(target, kind, publishing, kwargs, show_progress=show_progress, verbose=verbose)


def _target_of(path: object, format: str | None, storage_options: object, kwargs: dict[str, Any]) -> tuple[str, str]:
    """The path and the format of a target. A partitioned one is a directory of Parquet files, whatever its name."""
    partitioned = any(kwargs.get(name) is not None for name in ("partition_cols", "partition_by"))
    target = path_of(path, storage_options=storage_options, directory=partitioned)
    if partitioned and format is None and not has_suffix(target):
        return target, "parquet"
    return target, format_of(target, format)


def _write_whole(
    obj: Any,
    library: Library,
    target: str,
    format: str,
    publishing: Publishing,
    report: Report,
    kwargs: dict[str, Any],
) -> dict[str, Any]:
    request = publishing.request(target, format)
    observe = report.observe if report.wanted else None
    how = plan(library, obj, format, target, kwargs)
    if not isinstance(how, EncodeInLibrary):
        report.log(f"Stage: hidden beside the target; writer: Go; format: {format}")
        in_go = request | {"encoding": how.options, "rows": how.rows}
        try:
            if isinstance(how, EncodeFilesInGo):
                steps = _steps(publishing, _pushing(how.files))
                return run(in_go | {"input": "files"}, steps=steps, observe=observe)
            if isinstance(how, EncodePartsInGo):
                steps = _steps(publishing, _pushing_parts(how.parts))
                return run(in_go | {"input": "push"}, steps=steps, observe=observe)
            return run(in_go | {"input": "stream"}, how.stream, steps=_steps(publishing), observe=observe)
        except Unsupported as e:
            if isinstance(how, EncodeInGo) and how.alone:
                raise TypeError(str(e)) from None
            report.log(f"Go leaves it to {library.NAME}: {e}")
            how = library.plan_in_library(obj, format, kwargs)
    assert isinstance(how, EncodeInLibrary)
    report.log(f"Stage: hidden beside the target; writer: {how.engine}; format: {format}")
    mode = _mode(library, format, kwargs)
    creates = "x" in mode
    if creates and os.path.lexists(target):
        raise _exists(target, mode)
    # A stage that begins with what the target holds, if that is nothing, is not published over a newer file either.
    extends = creates or "a" in mode or ("r" in mode and os.path.exists(target))
    in_library = request | {"engine": how.engine, "extend": extends}
    in_library["input"] = "directory" if how.directory else "file"
    for attempt in range(_ATTEMPTS):
        try:
            step = _library_writes(how, target, report, mode)
            return run(in_library, steps=_steps(publishing, [step]), observe=observe)
        except ConflictError:
            if creates:
                raise _exists(target, mode) from None
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 5)))
    raise AssertionError  # the loop returns or raises


def _mode(library: Library, format: str, kwargs: dict[str, Any]) -> str:
    """The mode in which the library's own writer opens the file, as for ``open``."""
    modes = {"csv": "rwax+", "json": "wa", "excel": "wa"}.get(format, "")
    if library.NAME not in ("pandas", "dict of frames"):
        modes = ""
    mode = kwargs.get("mode", "w")
    return mode if isinstance(mode, str) and set(mode) <= {*modes, *"bt"} else "w"


def _exists(target: str, mode: str) -> FileExistsError:
    text = f"{os.strerror(errno.EEXIST)}; mode={mode!r} makes a new file and replaces none: remove it first"
    return FileExistsError(errno.EEXIST, text, target)


def _steps(publishing: Publishing, first: Iterable[Step] = ()) -> Iterator[Step]:
    yield from first
    if publishing.validator is not None:
        validator = publishing.validator
        yield lambda job: validate_stage(job, validator)


def _pushing(files: Iterator[DatasetFiles]) -> Iterator[Step]:
    for some in files:
        yield partial(Job.push_files, some=some)
    yield lambda job: job.resume()


def _pushing_parts(parts: Iterator[ArrowStream]) -> Iterator[Step]:
    for part in parts:
        yield partial(Job.push, stream=part)
    yield lambda job: job.resume()


def _library_writes(how: EncodeInLibrary, target: str, report: Report, mode: str) -> Step:
    def step(job: Job) -> None:
        path = job.path()
        extended = os.path.isfile(path) and os.path.getsize(path) > 0
        if "x" in mode:
            if os.path.lexists(target):
                raise _exists(target, mode)
            os.unlink(path)
        with naming_target(target, path), report.watching(path):
            how.write(path)
        # How many rows are in a file that has been added to is not known.
        job.resume(None if extended else how.rows)

    return step
