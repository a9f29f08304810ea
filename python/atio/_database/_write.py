"""Writing to a database: frames -> Go's transaction, or the library's writer in one."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from .._errors import NotConnected, Unsupported
from .._fork import undisturbed
from .._job import FAILED, Job, run
from .._library import Library, chunks_of, library_of, not_writable
from .._report import Report, reporting
from .._result import WriteResult
from . import _duckdb, _identifiers, _libpq, _mongodb, _mysql, _swap
from ._failures import as_sqlalchemy
from ._plan import LibraryArguments, Load
from ._target import Target, adbc_target, target_of
from ._transaction import transaction

Step = Callable[[Job], None]

_CONNECT: dict[str, Callable[[Target], dict[str, Any]]] = {
    "mariadb": _mysql.connect,
    "mongodb": _mongodb.connect,
    "mysql": _mysql.connect,
    "postgresql": _libpq.connect,
}
"""For each dialect that Go writes into, what tells it how to connect as the caller does."""


def write(
    obj: Any,
    target_path: object,
    format: str,
    show_progress: bool,
    verbose: bool,
    durable: bool,
    kwargs: dict[str, Any],
) -> WriteResult:
    """Write an object, or the chunks of an iterator, to a table in one transaction."""
    began = time.perf_counter()
    frames = _frames(obj)
    first = next(frames, None)
    if first is None:
        raise ValueError("there is nothing to write: no chunk came, so the columns are not known")
    library = library_of(first)
    assert library is not None
    with undisturbed:
        arguments = _arguments(library, format, target_path, kwargs)
        if isinstance(arguments.con, Target):
            target = arguments.con
        else:
            target = adbc_target(arguments.con) if arguments.uses_adbc else target_of(arguments.con)
    label = target.label(arguments.table if arguments.schema is None else f"{arguments.schema}.{arguments.table}")
    whole = library_of(obj) is not None
    with reporting(label, show_progress=show_progress, verbose=verbose) as report:
        report.log(f"Writing {type(first).__module__.partition('.')[0]} {type(first).__name__} to {label}")
        chunks = _same(first, frames, library)
        answer = _Write(arguments, target, durable, whole, report).run(chunks)
        answer |= {"format": format, "checksum": ""}
        report.succeeded(answer)
    return WriteResult.of(answer, label, began)


def _frames(obj: Any) -> Iterator[Any]:
    """The frames that an object is or yields."""
    if library_of(obj) is not None:
        yield _collected(obj)
        return
    chunks = chunks_of(obj)
    if chunks is None:
        raise not_writable(obj)
    for chunk in chunks:
        yield from _frames(chunk)


def _collected(obj: Any) -> Any:
    """A frame of what is to become one: a LazyFrame, a Series."""
    if hasattr(obj, "collect") and hasattr(obj, "lazy"):
        return obj.collect()
    if type(obj).__name__ == "Series":
        return obj.to_frame()
    return obj


def _same(first: Any, rest: Iterator[Any], library: Library) -> Iterator[Any]:
    yield first
    for number, frame in enumerate(rest, 2):
        if library_of(frame) is not library:
            raise TypeError(
                f"chunk {number} is a {type(frame).__module__}.{type(frame).__name__}, "
                f"but the first was made by {library.NAME}: all must be of one library"
            )
        yield frame


def _arguments(
    library: Library, format: str, target_path: object, kwargs: dict[str, Any]
) -> LibraryArguments | _mongodb.MongoArguments:
    if format == "mongodb":
        return _mongodb.arguments(library, target_path, kwargs)
    if library.NAME == "pandas" and format == "sql":
        from ._pandas import PandasArguments

        return PandasArguments(target_path, kwargs)
    if library.NAME == "polars":
        from ._polars import PolarsArguments, PolarsSqlArguments

        return (PolarsSqlArguments if format == "sql" else PolarsArguments)(target_path, kwargs)
    if library.NAME == "pyarrow" and format == "sql":
        from ._arrow import ArrowArguments

        return ArrowArguments(target_path, kwargs)
    raise ValueError(f"format {format!r}: {library.NAME} objects cannot be written to a database by it; use 'sql'")


class _Write:
    """One call."""

    def __init__(
        self,
        arguments: LibraryArguments | _mongodb.MongoArguments,
        target: Target,
        durable: bool,
        whole: bool,
        report: Report,
    ) -> None:
        self._arguments = arguments
        self._target = target
        self._durable = durable
        self._whole = whole
        self._report = report
        self._taken: Any = None
        self._count = 0

    def run(self, frames: Iterator[Any]) -> dict[str, Any]:
        """Write the frames: by Go if it would do what the library does, else by the library."""
        first, arguments = next(frames), self._arguments
        try:
            connection = self._connect()
            load = self._arguments.load(first, self._dialect)
            self._report.log(f"Writer: Go, into {self._target.dialect}, in one transaction")
            with as_sqlalchemy(self._target.dialect):
                return self._in_go(connection, load, frames)
        except (Unsupported, NotConnected) as e:
            if isinstance(arguments, _mongodb.MongoArguments):  # no library writes these
                raise ValueError(str(e)) if isinstance(e, Unsupported) else e from None
            # An engine has connected before, in a way that Go does not know.
            if self._count or (isinstance(e, NotConnected) and self._target.kind != "engine"):
                raise
            self._report.log(f"Go leaves it to {arguments.engine}: {e}")
            if arguments.mode == "upsert":
                raise self._no_upsert(e) from None
        return self._in_library(arguments, first, frames)

    def _no_upsert(self, reason: Exception) -> ValueError:
        """An upsert is Go's alone."""
        target = self._target
        if target.dialect not in _CONNECT or target.kind not in ("engine", "url"):
            return ValueError(
                "if_exists='upsert' is for PostgreSQL, MySQL and MariaDB by an engine or URL, "
                f"not for {target.dialect} by this {target.kind}: write to another table and merge it there"
            )
        return ValueError(
            f"if_exists='upsert' cannot be done here: {reason}. Write to another table and merge it by a statement"
        )

    def _connect(self) -> dict[str, Any]:
        """The options of Go's dialect that say how to connect."""
        connect = _CONNECT.get(self._target.dialect)
        if connect is None:
            raise Unsupported(f"{self._target.dialect} is written to by the library")
        return connect(self._target)

    @property
    def _dialect(self) -> Any:
        """SQLAlchemy's dialect."""
        con = self._target.con
        if isinstance(con, _mongodb.Address):
            return None
        if self._target.kind == "dbapi":
            from sqlalchemy import make_url

            con = make_url(f"postgresql+{type(con).__module__.partition('.')[0]}://")
        return con.dialect if hasattr(con, "dialect") else con.get_dialect()()

    def _options(self, connection: dict[str, Any], load: Load) -> dict[str, Any]:
        """The fields of the option struct of Go's dialect."""
        arguments = self._arguments
        if isinstance(arguments, _mongodb.MongoArguments):
            return arguments.options
        return connection | {
            "schema": arguments.schema or "",
            "table": arguments.table,
            "mode": arguments.mode,
            "key": arguments.key,
            "columns": load.columns,
            "indexes": load.indexes,
            "nan_is_null": load.nan_is_null,
            "skip_sync": not self._durable,
        }

    def _in_go(self, connection: dict[str, Any], load: Load, frames: Iterator[Any]) -> dict[str, Any]:
        options = self._options(connection, load)
        request: dict[str, Any] = {"op": "database", "database": {"dialect": self._target.dialect, "options": options}}
        observe = self._report.observe if self._report.wanted else None
        if self._whole:
            request |= {"input": "stream", "rows": load.rows}
            answer = run(request, load.stream, steps=iter([_consent]), observe=observe)
        else:
            request |= {"input": "push"}
            answer = run(request, steps=self._pushing(load, frames), observe=observe)
        return answer | {"engine": "go"}

    def _pushing(self, first: Load, frames: Iterator[Any]) -> Iterator[Step]:
        yield lambda job: job.push(first.stream)
        for number, frame in enumerate(frames, 2):
            self._count = number
            try:
                stream = self._arguments.load(frame, self._dialect).stream
            except Unsupported as e:
                raise ValueError(f"chunk {number} does not fit the first: {e}. Give all chunks the same types") from e
            yield lambda job, stream=stream: job.push(stream)  # type: ignore[misc]
        yield lambda job: job.resume()
        yield _consent

    def _in_library(self, arguments: LibraryArguments, first: Any, frames: Iterator[Any]) -> dict[str, Any]:
        if self._target.kind == "adbc" and not self._whole:
            raise ValueError("ADBC commits each chunk by itself: pass one frame, or a SQLAlchemy engine or URL")
        if self._target.dialect == "duckdb" and self._target.kind != "adbc":
            self._report.log("Writer: DuckDB, in one transaction")
            rows, engine = _duckdb.write(self._target, arguments, itertools.chain([first], frames))
            return {"rows": rows, "bytes": 0, "engine": engine}
        self._report.log(f"Writer: {arguments.engine}, in one transaction")
        rows = arguments.rows(first)
        _identifiers.check(self._target, arguments, first)
        _swap.check(self._target, arguments)
        with transaction(self._target) as con, _swap.new_table(self._target, con, arguments) as (into, how):
            into.write(first, con, how)
            for frame in frames:
                into.write(frame, con, "append")
                rows += arguments.rows(frame)
        return {"rows": rows, "bytes": 0, "engine": arguments.engine}


def _consent(job: Job) -> None:
    """Have the job commit."""
    assert job.status != FAILED
    job.resume()
