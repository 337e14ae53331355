"""The exceptions of PEP 249, by which code tells one database error from another, whichever client it came from."""

from __future__ import annotations

from typing import Any


class Warning(Exception):  # noqa: A001 (PEP 249's names)
    """Something worth knowing, which did not end the operation."""


class Error(Exception):
    """The base of all errors of a database client.

    `sqlstate` is the database's five-character code, where it has such codes and gave one; `diag` everything it said.
    """

    sqlstate: str | None = None
    diag: Any = None


class InterfaceError(Error):
    """The client was used in a way it does not allow."""


class DatabaseError(Error):
    """The database refused or failed."""


class DataError(DatabaseError):
    """A value does not fit: out of range, or not what it is said to be."""


class OperationalError(DatabaseError):
    """The database could not do what was right to ask: it is locked, full, unreachable, or went away."""


class IntegrityError(DatabaseError):
    """A constraint would be broken."""


class InternalError(DatabaseError):
    """The database is in a state it should not be in."""


class ProgrammingError(DatabaseError):
    """What was asked is wrong: SQL, the count of parameters, an object that is not there or is closed."""


class NotSupportedError(DatabaseError):
    """The database or its client can't do this."""
