"""What a server refused -> the exception that the library's own writer would have raised."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
from collections.abc import Iterator
from typing import Any

from .._errors import ServerError

# PEP 249's classes by the first two characters of an SQLSTATE, as PostgreSQL's drivers have them.
_CLASSES = {
    "0A": "NotSupportedError",
    "21": "ProgrammingError",
    "22": "DataError",
    "23": "IntegrityError",
    "25": "InternalError",
    "2B": "InternalError",
    "28": "OperationalError",
    "3D": "ProgrammingError",
    "3F": "ProgrammingError",
    "40": "OperationalError",
    "42": "ProgrammingError",
    "44": "ProgrammingError",
    "53": "OperationalError",
    "54": "OperationalError",
    "55": "OperationalError",
    "57": "OperationalError",
    "58": "OperationalError",
    "XX": "InternalError",
}


@contextlib.contextmanager
def as_sqlalchemy(dialect: str) -> Iterator[None]:
    """Raise SQLAlchemy's ``IntegrityError`` and so on, with the driver's own exception in ``orig`` if there is one."""
    try:
        yield
    except ServerError as e:
        if dialect == "mongodb":
            raise
        try:
            from sqlalchemy import exc
        except ImportError:
            raise e from None
        if dialect in ("mysql", "mariadb"):
            raise of_mysql(e.code, e) from None
        kind = getattr(exc, _CLASSES.get(e.code[:2], "DatabaseError"))
        raise _also_of_pandas(kind)(None, None, _of_driver(e)) from None


@contextlib.contextmanager
def also_of_pandas() -> Iterator[None]:
    """Raise what SQLAlchemy raises for those too who catch pandas' ``DatabaseError``."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as e:
        kind: Any = type(e)
        raise _also_of_pandas(kind)(e.statement, e.params, e.orig) from e.orig


@functools.cache
def _also_of_pandas(kind: Any) -> Any:
    """The class for those who catch pandas' ``DatabaseError``: its newer versions put it around SQLAlchemy's."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return kind
    return type(kind.__name__, (pandas.errors.DatabaseError, kind), {"__init__": kind.__init__, "__module__": "atio"})


# The classes that MySQL's drivers raise for numbers of errors, as PyMySQL has them; OperationalError for others.
_NUMBERS = {
    "ProgrammingError": (1007, 1049, 1064, 1102, 1103, 1146, 1110, 1166),
    "DataError": (1265, 1263, 1264, 1230, 1171, 1406, 1367, 1292, 1366),
    "IntegrityError": (1062, 1216, 1452, 1217, 1451, 1215, 1048, 4025),
    "NotSupportedError": (1235, 1196, 1286, 1289),
}


def _of_number(code: str) -> str:
    return next((name for name, numbers in _NUMBERS.items() if code in map(str, numbers)), "OperationalError")


def of_mysql(number: str, error: BaseException) -> BaseException:
    """SQLAlchemy's exception for an error that a server of MySQL would give that number."""
    from sqlalchemy import exc

    name = _of_number(number)
    with contextlib.suppress(ImportError):
        error = getattr(importlib.import_module("pymysql.err"), name)(int(number), str(error))
    made: BaseException = getattr(exc, name)(None, None, error)
    return made


def _of_driver(e: ServerError) -> BaseException:
    for driver in ("psycopg", "psycopg2"):
        with contextlib.suppress(ImportError, KeyError):
            errors = __import__(f"{driver}.errors", fromlist=["lookup"])
            made: BaseException = errors.lookup(e.code)(str(e))
            return made
    return e
