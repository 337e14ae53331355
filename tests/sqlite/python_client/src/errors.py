"""What CPython's `sqlite3` raises, as the error case of a WIT result."""

import sqlite3

from componentize_py_types import Err
from wit_world.exports.database import Error_Database, Error_Usage, Failure

ERRORS = (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError)


class _WitErrors:
    """Errors raised inside leave as `Err`: SQLite's own with its codes, what CPython's module finds wrong itself as a wrong use.

    A class, since a generator's context costs a tenth of a short call.
    """

    def __enter__(self) -> None:
        """Nothing is to be done."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ERRORS):
            raise Err(_of(error)) from None


wit_errors = _WitErrors()


def _of(error: Exception) -> Error_Database | Error_Usage:
    if isinstance(error, MemoryError):
        return Error_Database(Failure(sqlite3.SQLITE_NOMEM, "SQLITE_NOMEM", "out of memory", None))
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.DataError) and code is None:
        return Error_Database(Failure(sqlite3.SQLITE_TOOBIG, "SQLITE_TOOBIG", str(error), None))
    if code is None:
        return Error_Usage(str(error))
    return Error_Database(Failure(code, getattr(error, "sqlite_errorname", "SQLITE_ERROR"), str(error), None))
