"""``atio.begin`` and ``atio.transaction``: many writes, also of many processes, become visible as one version."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from .._report import reporting
from .._target import PathLike
from . import requests
from .results import Snapshot
from .write import check_choice, columns_of, commit_fields, schema_mode_of, write_data

MODES = ("append", "overwrite", "error")


@dataclass(frozen=True)
class Part:
    """Data files that are complete and on the disk, but in no version yet. It can be pickled.

    Attributes:
        rows: number of rows.
        bytes: size of the files.
        transaction: the id of the transaction that it was written for.
    """

    rows: int
    bytes: int
    transaction: str
    _files: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Transaction:
    """A version in the making; made by :func:`atio.begin`. It can be pickled, and used in any process.

    Attributes:
        path: the table's directory, absolute.
        mode: ``"append"``, ``"overwrite"`` or ``"error"``.
        id: names the transaction in the table, so that committing it again does nothing.
    """

    path: str
    mode: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _fields: dict[str, Any] = field(default_factory=dict, repr=False)
    _kwargs: dict[str, Any] = field(default_factory=dict, repr=False)
    _durable: bool = True

    def write_part(self, obj: Any) -> Part:
        """Write an object's data files, in this process. They are in no version before :meth:`commit`.

        Args:
            obj: what :func:`atio.write` takes.

        Returns:
            What is to be given to ``commit``; send it to the process that commits.

        Raises:
            ValueError: if the columns are not those of the table.
        """
        with reporting(self.path, show_progress=False, verbose=False) as report:
            fields = {"mode": self.mode, **self._fields}
            files = write_data(obj, self.path, "part", fields, self._kwargs, durable=self._durable, report=report)
        return Part(files["rows"], files["bytes"], self.id, files)

    def commit(self, parts: Iterable[Part], *, message: str | None = None, metadata: Any = None) -> Snapshot:
        """Make all parts visible at once, as one version, or none of them.

        It may be called again if it is not known whether it succeeded, as after a kill: then the version that is
        there already is returned, and nothing is doubled.

        Raises:
            ValueError: if a part is of another transaction, or is given twice.
            ConflictError: if another writer has changed the table in between so that the parts do not fit any more.
                Its message says what the other has done. The parts can be committed still, or aborted.
        """
        began = time.perf_counter()
        parts = list(parts)
        self._check(parts)
        if not parts:
            raise ValueError("there is nothing to commit: no parts are given")
        fields = {
            "mode": self.mode,
            **self._fields,
            **commit_fields(message, metadata),
            "parts": [part._files for part in parts],
            "txn": {"appId": f"atio-transaction-{self.id}", "version": 1},
        }
        answer = requests.call("commit", self.path, fields, skip_sync=not self._durable)
        return Snapshot.of(answer, self.path, time.perf_counter() - began, message, metadata)

    def abort(self, parts: Iterable[Part] = ()) -> None:
        """Remove the files of parts that will not be committed.

        Those of parts that are not known here, of workers that were killed, go with ``atio.Table(path).clean()``
        after its time of grace.
        """
        parts = list(parts)
        self._check(parts)
        if parts:
            requests.call("discard", self.path, {"parts": [part._files for part in parts]})

    def _check(self, parts: Sequence[Part]) -> None:
        seen: set[int] = set()
        for number, part in enumerate(parts, 1):
            if not isinstance(part, Part):
                raise TypeError(f"part {number} is a {type(part).__name__}: give what write_part has returned")
            if part.transaction != self.id:
                raise ValueError(
                    f"part {number} was written for another transaction: {part.transaction}, not {self.id}"
                )
            if id(part) in seen:
                raise ValueError(f"part {number} is given twice")
            seen.add(id(part))


def begin(
    table_path: PathLike,
    mode: str = "append",
    *,
    partition_by: str | Sequence[str] | None = None,
    schema_mode: str | None = None,
    expected_version: int | None = None,
    durable: bool = True,
    storage_options: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Transaction:
    """Begin a version that many processes or machines write together, and one of them commits.

    The transaction can be pickled: send it to the workers, have each call ``write_part`` and send back what it
    returns, and ``commit`` all of that. Nothing is in the table before, and nothing of it is if a worker or the whole
    job dies: then the files are removed by ``atio.Table(path).clean()`` after a day.

    The arguments are those of :func:`write_snapshot`.

    Example:
        >>> import pandas as pd
        >>> txn = atio.begin("numbers", mode="append")
        >>> parts = [txn.write_part(pd.DataFrame({"x": [i]})) for i in range(3)]   # in any process
        >>> txn.commit(parts, message="all three").rows
        3
    """
    path = requests.path_of_table(table_path, storage_options)
    check_choice("mode", mode, MODES)
    fields = {
        "partition_by": columns_of(partition_by),
        "schema_mode": schema_mode_of(schema_mode, mode),
        **commit_fields(None, None, expected_version),
    }
    return Transaction(path, mode, _fields=fields, _kwargs=kwargs, _durable=durable)


class transaction:  # noqa: N801 - used like a function
    """Several writes in one version, by this process.

    A context manager: when the block ends all that was written is committed; if it raises, nothing is.
    The arguments are those of :func:`begin`, and ``message`` and ``metadata``.

    Example:
        >>> import pandas as pd
        >>> with atio.transaction("sums", message="two at once") as t:
        ...     t.write(pd.DataFrame({"x": [1]}))
        ...     t.write(pd.DataFrame({"x": [2]}))
        >>> t.result.version, t.result.rows
        (1, 2)
    """

    def __init__(
        self,
        table_path: PathLike,
        mode: str = "append",
        *,
        message: str | None = None,
        metadata: Any = None,
        **more: Any,
    ) -> None:
        self._transaction = begin(table_path, mode, **more)
        commit_fields(message, metadata)  # to refuse them now, not at the end
        self._message, self._metadata = message, metadata
        self._parts: list[Part] = []
        self._result: Snapshot | None = None
        self._ended = False

    @property
    def result(self) -> Snapshot:
        """The version that was made, once the block has ended."""
        if self._result is None:
            raise ValueError("the transaction has not been committed, so there is no result yet")
        return self._result

    def write(self, obj: Any) -> None:
        """Add an object: what :func:`atio.write` takes."""
        if self._ended:
            raise ValueError("the transaction has ended")
        self._parts.append(self._transaction.write_part(obj))

    def __enter__(self) -> transaction:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended = True
        if kind is None and not self._parts:
            return
        try:
            if kind is None:
                self._result = self._transaction.commit(self._parts, message=self._message, metadata=self._metadata)
        finally:
            if self._result is None:
                self._transaction.abort(self._parts)
