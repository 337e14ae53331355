"""What ends a call of the client, as PEP 249's exceptions: the server's errors by their SQLSTATE, and what the fence does to a call."""

from __future__ import annotations

from typing import Any

from ringfence.contract.errors import GuestError, RingfenceError, ShapeError
from ringfence.dbapi.exceptions import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

# By class, the first two characters (PostgreSQL's manual, appendix A).
_CLASSES: dict[str, type[DatabaseError]] = {
    "0A": NotSupportedError,
    "21": ProgrammingError,
    "22": DataError,
    "23": IntegrityError,
    **dict.fromkeys(("24", "25", "2B", "2D", "XX"), InternalError),
    **dict.fromkeys(("03", "0B", "20", "26", "34", "3D", "3F", "42", "44", "P0"), ProgrammingError),
    **dict.fromkeys(("08", "09", "0F", "0L", "0P", "27", "28", "2F", "38", "39", "3B"), OperationalError),
    **dict.fromkeys(("40", "53", "54", "55", "57", "58", "F0", "HV"), OperationalError),
}
# Where a state is another's than its class.
_STATES: dict[str, type[DatabaseError]] = {
    "08P01": ProgrammingError,  # the count of parameters does not fit
    "40002": IntegrityError,
}


def failure(error: RingfenceError) -> tuple[Error, bool]:
    """The exception for what ended a call, and whether the connection is gone with it."""
    if isinstance(error, GuestError):
        return _servers(error.value), error.value.disconnected
    if isinstance(error, ShapeError) and error.path:  # an argument that WIT can't hold; nothing ran
        return DataError(str(error)), False
    cause = error.__cause__
    found = OperationalError(str(error))
    if isinstance(cause, GuestError):  # the guest's own words for what it was refused
        found.sqlstate, found.diag = cause.value.sqlstate, cause.value
    return found, True


def _servers(diag: Any) -> DatabaseError:
    kind = _CLASSES.get(diag.sqlstate[:2], DatabaseError)
    if not diag.disconnected:
        kind = _STATES.get(diag.sqlstate, kind)
    further = [f"{name.upper()}: {text}" for name in ("detail", "hint") if (text := getattr(diag, name))]
    error = kind("\n".join([diag.message, *further]))
    error.sqlstate, error.diag = diag.sqlstate, diag
    return error
