"""What can go wrong, in the one form of WIT's `db-error`: the server's error as it came, or this client's own with a state of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from componentize_py_types import Err
from pg8000.exceptions import DatabaseError, InterfaceError
from wit_world.exports.client import DbError

UNABLE_TO_CONNECT = "08001"
NOT_CONNECTED = "08003"
BROKEN = "08006"
PROTOCOL = "08P01"
NO_PASSWORD = "28P01"
UNSUPPORTED = "0A000"
UNFIT = "22P02"
TOO_MANY = "54000"
IN_FAILED_TRANSACTION = "25P02"

_FATAL = ("FATAL", "PANIC")


class ClientError(Exception):
    """An error that this client found itself; `disconnected` where the connection can't be used after it."""

    def __init__(self, sqlstate: str, message: str, *, hint: str | None = None, disconnected: bool = False) -> None:
        super().__init__(message)
        self.sqlstate, self.hint, self.disconnected = sqlstate, hint, disconnected


def is_fatal(fields: dict[str, str]) -> bool:
    """Whether the server ends the connection with this error."""
    return fields.get("V", fields.get("S")) in _FATAL


@contextmanager
def wit_errors() -> Iterator[None]:
    """Turns every exception of the driver and of this client into the error case of the WIT result."""
    try:
        yield
    except ClientError as error:
        raise Err(_own(error)) from None
    except DatabaseError as error:
        raise Err(_servers(error.args[0])) from None
    except (InterfaceError, OSError) as error:
        raise Err(_own(ClientError(BROKEN, f"the connection broke: {error}", disconnected=True))) from None


def _own(error: ClientError) -> DbError:
    fields = {"V": "FATAL" if error.disconnected else "ERROR", "C": error.sqlstate, "M": str(error)}
    return _servers(fields | ({"H": error.hint} if error.hint else {}))


def _servers(fields: dict[str, str]) -> DbError:
    """The fields by the letters of the protocol (PostgreSQL's manual, 55.8)."""
    position = fields.get("P", "")
    return DbError(
        sqlstate=fields.get("C", PROTOCOL),
        severity=fields.get("V", fields.get("S", "ERROR")),
        message=fields.get("M", ""),
        detail=fields.get("D"),
        hint=fields.get("H"),
        position=int(position) if position.isascii() and position.isdigit() and len(position) < 10 else None,
        context=fields.get("W"),
        schema=fields.get("s"),
        table=fields.get("t"),
        column=fields.get("c"),
        data_type=fields.get("d"),
        constraint=fields.get("n"),
        disconnected=is_fatal(fields),
    )
