"""What goes wrong in a fenced database, as the exceptions of PEP 249: which class is for which of SQLite's codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from ringfence.contract.errors import CapabilityDenied, GuestError, RingfenceError
from ringfence.dbapi.exceptions import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

T = TypeVar("T")

_CLASSES: dict[int, type[Exception]] = {
    **dict.fromkeys((2, 12), InternalError),  # INTERNAL, NOTFOUND
    7: MemoryError,  # NOMEM
    **dict.fromkeys((1, 3, 4, 5, 6, 8, 9, 10, 13, 14, 15, 16, 17), OperationalError),
    18: DataError,  # TOOBIG
    **dict.fromkeys((19, 20), IntegrityError),  # CONSTRAINT, MISMATCH
    **dict.fromkeys((21, 25), InterfaceError),  # MISUSE, RANGE
}
"""By the primary code, as CPython's sqlite3 has it; DatabaseError for all others."""


def asked(function: Callable[..., T], *arguments: Any) -> T:
    """What a function of the fenced database gives.

    Raises:
        Error: of PEP 249, as CPython's sqlite3 raises it. Where the fence refused something, the denial is its cause, and a note says it.
    """
    try:
        return function(*arguments)
    except GuestError as error:
        _raise(error, error)
    except CapabilityDenied as denied:
        inner = denied.__cause__
        if isinstance(inner, GuestError):
            _raise(inner, denied)
        raise OperationalError(f"the fence refused it: {denied}") from denied
    except RingfenceError as error:
        raise OperationalError(f"the connection is lost: {error}") from error


def _raise(error: GuestError, cause: RingfenceError) -> NoReturn:
    raised = of(error.value)
    if isinstance(cause, CapabilityDenied):
        raised.add_note(str(cause))
        raise raised from cause
    raise raised from None


def of(value: Any) -> Exception:
    """The exception for the WIT's error variant."""
    if value.name == "usage":
        return ProgrammingError(value.value)
    failure = value.value
    made = _CLASSES.get(failure.code & 0xFF, DatabaseError)(failure.message)
    if isinstance(made, Error):
        made.sqlite_errorcode = failure.code  # type: ignore[attr-defined]  # as CPython sets them: only where SQLite told them
        made.sqlite_errorname = failure.name  # type: ignore[attr-defined]
    return made


def unsupported(what: str, why: str) -> NotSupportedError:
    """For what sqlite3 has and a fenced database has not."""
    return NotSupportedError(f"{what} is not to be had on a fenced database: {why}")
