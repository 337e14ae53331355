"""What CPython's `sqlite3` raises, as the error case of a WIT result."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from componentize_py_types import Err
from wit_world.exports.database import Error_Database, Error_Usage, Failure


@contextmanager
def wit_errors() -> Iterator[None]:
    """Errors raised inside leave as `Err`: SQLite's own with its codes, what CPython's module finds wrong itself as a wrong use."""
    try:
        yield
    except MemoryError:
        raise Err(Error_Database(Failure(sqlite3.SQLITE_NOMEM, "SQLITE_NOMEM", "out of memory", None))) from None
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        raise Err(_of(error)) from None


def _of(error: Exception) -> Error_Database | Error_Usage:
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.DataError) and code is None:
        return Error_Database(Failure(sqlite3.SQLITE_TOOBIG, "SQLITE_TOOBIG", str(error), None))
    if code is None:
        return Error_Usage(str(error))
    return Error_Database(Failure(code, getattr(error, "sqlite_errorname", "SQLITE_ERROR"), str(error), None))
