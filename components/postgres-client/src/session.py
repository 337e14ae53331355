"""One session of the driver, as this client needs it: rows as WIT values, one round trip a statement, no state in which it hangs.

pg8000 writes and reads the messages; what is overridden here is what it does otherwise, and the reason stands with it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from struct import unpack_from

from errors import (
    IN_FAILED_TRANSACTION,
    NO_PASSWORD,
    NOT_CONNECTED,
    PROTOCOL,
    UNABLE_TO_CONNECT,
    UNFIT,
    UNSUPPORTED,
    ClientError,
    is_fatal,
)
from pg8000 import core
from pg8000.exceptions import DatabaseError, InterfaceError
from server import Server
from texts import NULL, Readers, parameters
from wit_world.exports.client import Value

_SETTINGS = {"client_encoding": "UTF8", "DateStyle": "ISO", "IntervalStyle": "iso_8601"}
_COPY_FAIL = b"f"
_UNNAMED = core.NULL_BYTE
_AUTHENTICATED = 0
_AHEAD, _AHEAD_SIZE = 256, 16 * 1024
"""How many executions, and characters of their parameters, are sent before answers are read. It must fit in the server's buffers: while it
can't write it does not read either, and both would wait for ever."""
_DIGITS = 18
_VALUE = 64
"""About what a value takes on its way out, in bytes, beside its text."""


def open_session(server: Server) -> "Session":
    """A session that is authenticated.

    Raises:
        DatabaseError: The server refused.
        ClientError: It can't be reached, wants a password and there is none, or does not speak as it should.
    """
    try:
        return Session(server)
    except (DatabaseError, ClientError):
        raise
    except (OSError, InterfaceError, UnicodeError) as error:
        # UnicodeError: a name that IDNA cannot encode, such as a label of more than 63 characters.
        reason = getattr(error, "strerror", None) or str(error)
        raise ClientError(UNABLE_TO_CONNECT, f"{server.host}, port {server.port}: {reason}", disconnected=True) from error
    except Exception as error:
        raise _not_spoken(error) from error


def _not_spoken(error: Exception) -> ClientError:
    return ClientError(PROTOCOL, f"the server does not speak as it should: {type(error).__name__}", disconnected=True)


class Session(core.CoreConnection):
    """After anything but an error of the server's that ends a statement only, the session is ended."""

    def __init__(self, server: Server) -> None:
        super().__init__(
            server.user,
            database=server.database,
            password=server.password,
            application_name=server.application_name,
            startup_params=_SETTINGS,
            ssl_context=False,
            tcp_keepalive=False,
            **({"unix_sock": server.socket_path} if server.socket_path else {"sock": server.connect()}),
        )
        self.pg_types = Readers()

    # What this client asks for

    def run(self, sql: str, values: Sequence[Value] = ()) -> core.Context:
        """What a statement, or without parameters a text of several, answered."""
        oids, texts = parameters(values)
        context = core.Context(_checked(sql))
        context.simple, context.described = not values, False
        with self.exchange():
            if values:
                self._parse(sql, oids)
                self._bind_and_execute(texts, describe=True)
                self._read_answers(context)
            else:
                self.send_QUERY(sql)
                core._flush(self._sock)
                self.handle_messages(context)
        return context

    def run_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> int:
        """Run a statement for each row of parameters; how many rows were affected in all."""
        texts = [parameters(row)[1] for row in rows]
        affected = 0
        with self.exchange():
            self._parse(_checked(sql))
            self._read_answers(core.Context(sql))
            for part in _parts(texts):
                context = core.Context(sql)
                for one in part:
                    self._bind_and_execute(one)
                self._read_answers(context)
                affected += context.total
        return affected

    def copy(self, sql: str, data: bytes = b"") -> tuple[int, bytes]:
        """Run a COPY that takes `data`, or gives what is returned, beside the count of rows."""
        stream = BytesIO(data)
        context = core.Context(_checked(sql), stream=stream)
        with self.exchange():
            self._parse(sql)
            self._bind_and_execute([], describe=True)
            self._read_answers(context)
        if not context.command.startswith("COPY"):
            raise ClientError(UNFIT, f"expected a COPY, and what was run is {context.command or 'nothing'}")
        return context.row_count, stream.getvalue()

    def prepare(self, sql: str, oids: Sequence[int]) -> "Prepared":
        """A statement that the server keeps."""
        with self.exchange():
            name, columns, readers = self.prepare_statement(_checked(sql), _signed(oids))
            return Prepared(self, name, columns or [], readers, self._parameter_oids)

    def commit(self) -> None:
        if self.run("COMMIT").command == "ROLLBACK":
            raise ClientError(IN_FAILED_TRANSACTION, "the transaction had failed: it was rolled back, not committed")

    @property
    def transaction(self) -> bytes:
        return self._transaction_status or core.IDLE

    @property
    def ended(self) -> bool:
        return self._usock is None

    def close(self) -> None:
        """Also where nobody listens any more, in which case the driver's own raises another error over the one that counts."""
        if not self.ended:
            with suppress(OSError, InterfaceError):
                core._write(self._sock, core.TERMINATE_MSG)
                core._flush(self._sock)
            with suppress(OSError):
                self._sock.close()
            self._usock.close()
            self._sock = self._usock = None

    # How it is exchanged

    @contextmanager
    def exchange(self) -> Iterator[None]:
        """What is done with the connection; ends it where it can't be used after that."""
        if self.ended:
            raise ClientError(NOT_CONNECTED, "this connection was ended", disconnected=True)
        try:
            yield
        except DatabaseError as error:
            if is_fatal(error.args[0]):
                self.close()
            raise
        except ClientError:  # said after all was read
            raise
        except (InterfaceError, OSError):
            self.close()
            raise
        except Exception as error:
            self.close()
            raise _not_spoken(error) from error

    def _parse(self, sql: str, oids: Sequence[int] = ()) -> None:
        self.send_PARSE(_UNNAMED, sql, _signed(oids))

    def _bind_and_execute(self, texts: Sequence[str | None], *, describe: bool = False) -> None:
        self.send_BIND(_UNNAMED, texts)
        if describe:
            self._send_message(core.DESCRIBE, core.PORTAL + core.NULL_BYTE)
        self.send_EXECUTE()

    def _read_answers(self, context: core.Context) -> None:
        core._write(self._sock, core.SYNC_MSG)
        core._flush(self._sock)
        self.handle_messages(context)

    # What the server says

    def handle_AUTHENTICATION_REQUEST(self, data: bytes, context: core.Context) -> None:
        """The driver fails with an error of its own code where SCRAM has no password."""
        if self.password is None and int.from_bytes(data[:4]) != _AUTHENTICATED:
            raise ClientError(NO_PASSWORD, "the server wants a password, and none was given or found", disconnected=True)
        super().handle_AUTHENTICATION_REQUEST(data, context)

    def handle_ERROR_RESPONSE(self, data: bytes, context: core.Context) -> None:
        """A fatal one is the last that comes: the driver would read on and report the end of the connection in its place."""
        super().handle_ERROR_RESPONSE(data, context)
        if is_fatal(context.error.args[0]):
            raise context.error

    def handle_READY_FOR_QUERY(self, data: bytes, context: core.Context) -> None:
        """The driver takes any state."""
        if data not in (core.IDLE, core.IN_TRANSACTION, core.IN_FAILED_TRANSACTION):
            raise ValueError(data)
        super().handle_READY_FOR_QUERY(data, context)

    def handle_PARAMETER_DESCRIPTION(self, data: bytes, context: core.Context) -> None:
        (count,) = unpack_from("!H", data)
        self._parameter_oids = unpack_from(f"!{count}I", data, 2)

    def handle_ROW_DESCRIPTION(self, data: bytes, context: core.Context) -> None:
        """The driver would put the rows of one statement behind those of another before it."""
        context.rows = None
        context.described = True
        super().handle_ROW_DESCRIPTION(data, context)

    def handle_DATA_ROW(self, data: bytes, context: core.Context) -> None:
        """Nulls are values here, and how large a row is counts. One that was not described is an answer that nobody asked for."""
        if context.rows is None:
            return
        row, at = [], 2
        for read in context.input_funcs:
            length = int.from_bytes(data[at : at + 4], signed=True)
            at += 4
            if length < 0:
                row.append(NULL)
            else:
                row.append(read(data[at : at + length].decode(self._client_encoding)))
                at += length
        context.rows.append((len(data) + _VALUE * len(row), row))

    def handle_COMMAND_COMPLETE(self, data: bytes, context: core.Context) -> None:
        """The whole word of the server; the driver keeps the sum of counts only, and calls what ends a failed transaction an error."""
        context.command = data[:-1].decode("ascii", "replace")
        count = context.command.rpartition(" ")[2]
        context.row_count = int(count) if count.isdigit() and len(count) <= _DIGITS else -1
        context.total = getattr(context, "total", 0) + max(context.row_count, 0)
        if getattr(context, "simple", False):  # of several statements, the last one's answer is given
            if not context.described:
                context.columns = context.rows = None
            context.described = False

    def handle_COPY_IN_RESPONSE(self, data: bytes, context: core.Context) -> None:
        """Where there is nothing to copy the server must be told so: the driver leaves it waiting."""
        if context.stream is not None:
            super().handle_COPY_IN_RESPONSE(data, context)
            return
        self._send_message(_COPY_FAIL, b"nothing to copy was given\0")
        if not getattr(context, "simple", False):
            core._write(self._sock, core.SYNC_MSG)  # copying, it has not heard the one that was sent
        core._flush(self._sock)

    def handle_COPY_OUT_RESPONSE(self, data: bytes, context: core.Context) -> None:
        """Where nobody wants what is copied, it is thrown away; the driver leaves it unread."""
        if context.stream is not None:
            super().handle_COPY_OUT_RESPONSE(data, context)
            return
        context.stream_write = len
        context.error = ClientError(UNSUPPORTED, "what COPY writes has no place to go here", hint="run it by copy-out")

    def handle_NOTIFICATION_RESPONSE(self, data: bytes, context: core.Context) -> None:
        """Nothing of this client's listens; the driver fails at a payload that is not ASCII."""


class Prepared:
    """A statement that the server keeps."""

    def __init__(
        self, session: Session, name: bytes, columns: list[dict[str, object]], readers: list[object], parameter_oids: Sequence[int]
    ) -> None:
        self._session, self._name, self.columns, self._readers, self.parameters = session, name, columns, readers, parameter_oids

    def run(self, values: Sequence[Value]) -> core.Context:
        _, texts = parameters(values)
        with self._session.exchange():
            return self._session.execute_named(self._name, texts, self.columns or None, self._readers, None)

    def deallocate(self) -> None:
        with self._session.exchange():
            self._session.close_prepared_statement(self._name)


def _parts(rows: list[list[str | None]]) -> Iterator[list[list[str | None]]]:
    """The rows of parameters in parts of which each may be sent at once; one that is too large for that comes alone."""
    part: list[list[str | None]] = []
    total = 0
    for row in rows:
        size = sum(len(one) for one in row if one is not None)
        if part and (len(part) == _AHEAD or total + size > _AHEAD_SIZE):
            yield part
            part, total = [], 0
        part.append(row)
        total += size
    if part:
        yield part


def _signed(oids: Sequence[int]) -> list[int]:
    """The driver packs OIDs, which have no sign, as if they had one."""
    return [oid - (oid >> 31 << 32) for oid in oids]


def _checked(sql: str) -> str:
    if "\0" in sql:
        raise ClientError(UNFIT, "a NUL character in the SQL text")
    return sql
