"""A connection, as PEP 249 has it: its transaction, its cursors, and the one way in which calls of the client are made."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ringfence.contract.errors import GuestError, RingfenceError
from ringfence.contract.values import Case
from ringfence.dbapi import exceptions
from ringfence.dbapi.postgres.cursor import Cursor
from ringfence.dbapi.postgres.failures import failure
from ringfence.graph import Graph

if TYPE_CHECKING:
    from ringfence.directory import View

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_MOST_PREPARED = 100
_STALE = ("0A000", "26000")
"""What an execution ends with whose tables have changed since it was prepared, or that SQL has deallocated."""
_ROWS_AT_ONCE = 5000


def connect(
    source: Graph | View | Any,
    *,
    user: str,
    password: str | None = None,
    host: str | None = None,
    port: int | None = None,
    database: str | None = None,
    application_name: str | None = None,
    sslmode: str = "prefer",
    autocommit: bool = False,
    node: str = "postgres",
) -> Connection:
    """A connection to a PostgreSQL server through a fenced client.

    `source` is a graph, in which `node` is the client, or that node itself, `graph["postgres"]`; a test gives it an object of that form.
    Whatever is not said is the client's to find: host and port in its variable `DATABASE_URL`, the password in `PGPASSWORD`, as far as the
    graph grants them. The database is by default called as the user is. There is no TLS: an `sslmode` that insists on it is refused.

    Raises:
        OperationalError: there is no server there, it refuses, or the fence does (then the `CapabilityDenied` is the cause).
        NotSupportedError: TLS was asked for.
        InterfaceError: `sslmode` is none of libpq's.
    """
    if sslmode not in SSL_MODES:
        raise exceptions.InterfaceError(f"sslmode: expected one of {', '.join(SSL_MODES)}, found {sslmode!r}")
    client = source[node] if isinstance(source, Graph) else source
    settings = {
        "host": host,
        "port": port,
        "user": user,
        "database": database,
        "password": password,
        "application_name": application_name,
        "ssl": sslmode,
    }
    try:
        opened = client.connection.open(settings)
    except RingfenceError as error:
        raise failure(error)[0] from error
    return Connection(opened, autocommit=autocommit)


class Connection:
    """A connection; made by `connect`. Usable from many threads, whose calls then wait for each other and share one transaction.

    A transaction begins with the first statement and ends with `commit` or `rollback`, unless `autocommit` is set. As a context manager it
    commits at the end, or rolls back where an exception comes through, and closes. When the server has gone it is `closed`, too.
    """

    # PEP 249's optional extension: what a connection raises, found on itself
    Warning = exceptions.Warning
    Error = exceptions.Error
    InterfaceError = exceptions.InterfaceError
    DatabaseError = exceptions.DatabaseError
    DataError = exceptions.DataError
    OperationalError = exceptions.OperationalError
    IntegrityError = exceptions.IntegrityError
    InternalError = exceptions.InternalError
    ProgrammingError = exceptions.ProgrammingError
    NotSupportedError = exceptions.NotSupportedError

    def __init__(self, opened: Any, *, autocommit: bool = False) -> None:
        self._opened: Any = opened
        self._ended: exceptions.Error | None = None
        self._autocommit = autocommit
        self._state = "idle"
        self._guard = threading.RLock()
        self._prepared: dict[str, Any] = {}

    def cursor(self) -> Cursor:
        """A new cursor."""
        self._check()
        return Cursor(self)

    def execute(self, operation: str, parameters: Any = None, *, prepare: bool = False) -> Cursor:
        """A new cursor on which this was executed."""
        return self.cursor().execute(operation, parameters, prepare=prepare)

    def commit(self) -> None:
        """End the transaction, keeping what it did. Where one of its statements failed it is rolled back, which is an InternalError."""
        with self.calling() as opened:
            if self._state != "idle":
                opened.commit()
                self._state = "idle"

    def rollback(self) -> None:
        """End the transaction, undoing what it did."""
        with self.calling() as opened:
            if self._state != "idle":
                opened.rollback()
                self._state = "idle"

    @property
    def autocommit(self) -> bool:
        """Whether each statement is a transaction of its own."""
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        with self._guard:
            if self._state != "idle":
                raise exceptions.ProgrammingError("autocommit can't be changed inside a transaction: commit or roll back first")
            self._autocommit = value

    @property
    def transaction_status(self) -> str:
        """`idle`, `active`, or `failed`: then only a rollback helps."""
        return str(self._state)

    @property
    def closed(self) -> bool:
        """Whether it was closed, or the server has gone."""
        return self._opened is None

    def parameter_status(self, name: str) -> str | None:
        """What the server last said of one of its settings, such as `server_version` or `TimeZone`."""
        with self.calling() as opened:
            status: str | None = opened.parameter_status(name)
            return status

    def close(self) -> None:
        """End the connection; what was not committed is undone. Twice is harmless."""
        with self._guard:
            opened = self._opened
            self._end(exceptions.InterfaceError("the connection is closed"))
            if opened is not None:
                with suppress(RingfenceError):
                    opened.disconnect()
                opened.close()

    def __enter__(self) -> Self:
        self._check()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if not self.closed:
                if kind is None:
                    self.commit()
                else:
                    with suppress(exceptions.Error):  # the exception that comes through is the one that counts
                        self.rollback()
        finally:
            self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'closed' if self.closed else self._state}>"

    # What cursors ask of it

    def run(self, sql: str, values: list[Case], *, batch: int, prepare: bool) -> Any:
        """The client's answer to a statement, in the transaction."""
        with self.calling() as opened:
            self._begin(opened)
            reply = self._run_prepared(opened, sql, values, batch) if prepare else opened.execute(sql, values, batch)
            self._state = reply.transaction
            return reply

    def run_many(self, sql: str, rows: Sequence[list[Case]]) -> int:
        """How many rows were affected by a statement that was run for each row of values: all or nothing."""
        with self.calling() as opened:
            self._begin(opened)
            parts = [rows[at : at + _ROWS_AT_ONCE] for at in range(0, len(rows), _ROWS_AT_ONCE)]
            own = self._state == "idle" and len(parts) > 1  # each part alone is all or nothing by itself
            if own:
                opened.begin()
            try:
                affected: int = sum(opened.execute_many(sql, part) for part in parts)
            except RingfenceError as error:
                if own and not failure(error)[1]:
                    opened.rollback()
                raise
            if own:
                opened.commit()
            return affected

    def copy(self, sql: str, data: bytes | None) -> Any:
        """What COPY answered: the count of rows where data was given, else bytes."""
        with self.calling() as opened:
            self._begin(opened)
            return opened.copy_out(sql) if data is None else opened.copy_in(sql, data)

    def discard(self, rows: Any) -> None:
        """Have the client let go of rows that nobody wants any more."""
        with self._guard, suppress(RingfenceError):
            if not self.closed:
                rows.discard()
            rows.close()

    @contextmanager
    def calling(self) -> Iterator[Any]:
        """The client's connection, for one caller at a time; what its calls end with comes out as PEP 249's exceptions."""
        with self._guard:
            self._check()
            try:
                yield self._opened
            except RingfenceError as error:
                found, gone = failure(error)
                if gone:
                    self._end(exceptions.OperationalError(f"the connection was lost: {found}"))
                else:
                    with suppress(RingfenceError):  # it ended meanwhile: the next call says so
                        self._state = self._opened.transaction()
                raise found from error
            except exceptions.Error:
                raise
            except BaseException:  # Ctrl-C, for one, which ends the guest
                self._end(exceptions.OperationalError("the connection was lost: a call was interrupted"))
                raise

    def _begin(self, opened: Any) -> None:
        if not self._autocommit and self._state == "idle":
            opened.begin()
            self._state = "active"

    def _run_prepared(self, opened: Any, sql: str, values: list[Case], batch: int) -> Any:
        """The same by a statement that the server keeps; the oldest goes where there are too many, and one that has become stale."""
        if sql not in self._prepared:
            if len(self._prepared) >= _MOST_PREPARED:
                self._prepared.pop(next(iter(self._prepared))).deallocate()
            self._prepared[sql] = opened.prepare(sql, [])
        try:
            return self._prepared[sql].execute(values, batch)
        except GuestError as error:
            if error.value.sqlstate in _STALE:
                with suppress(RingfenceError):
                    self._prepared.pop(sql).deallocate()
            raise

    def _check(self) -> None:
        if self._ended is not None:
            raise type(self._ended)(*self._ended.args)

    def _end(self, why: exceptions.Error) -> None:
        self._ended = self._ended or why
        self._opened = None
        self._state = "idle"
        self._prepared.clear()
