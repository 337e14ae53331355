"""`Connection`: what sqlite3's is, over a connection that a fenced component holds."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, ClassVar, Final, Literal, NoReturn, Self, TypeVar
from weakref import WeakSet

from ringfence.contract.errors import RingfenceError
from ringfence.dbapi import exceptions
from ringfence.dbapi.exceptions import ProgrammingError
from ringfence.dbapi.sqlite.adapters import Types
from ringfence.dbapi.sqlite.cursor import Cursor
from ringfence.dbapi.sqlite.dump import dump
from ringfence.dbapi.sqlite.errors import asked, unsupported
from ringfence.dbapi.sqlite.statements import Sql, Statements

T = TypeVar("T")

LEGACY_TRANSACTION_CONTROL: Final = -1
_LEVELS = ("", "DEFERRED", "IMMEDIATE", "EXCLUSIVE")
_CALLBACK = "the fence lets no function of the application be called from inside"


class Connection:
    """A connection to a fenced database. Of a class that a `module` made, which knows the node; never of this one itself."""

    _node: ClassVar[Any]
    _types: ClassVar[Types]

    Warning, Error, InterfaceError, DatabaseError = (
        exceptions.Warning,
        exceptions.Error,
        exceptions.InterfaceError,
        exceptions.DatabaseError,
    )
    DataError, OperationalError, IntegrityError = exceptions.DataError, exceptions.OperationalError, exceptions.IntegrityError
    InternalError, ProgrammingError, NotSupportedError = exceptions.InternalError, ProgrammingError, exceptions.NotSupportedError

    _ready = False

    def __init__(
        self,
        database: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        timeout: float = 5.0,
        detect_types: int = 0,
        isolation_level: str | None = "",
        check_same_thread: bool = True,  # noqa: FBT001, FBT002 -- sqlite3's signature
        factory: Any = None,
        cached_statements: int = 128,
        uri: bool = False,  # noqa: FBT001, FBT002
        *,
        autocommit: bool | int = LEGACY_TRANSACTION_CONTROL,
    ) -> None:
        del factory  # `connect` has used it
        path = _path(database)
        level, mode = _level(isolation_level), _autocommit(autocommit)
        if self._ready:
            self._let_go()
        self._ready = False
        options = {"mode": "create", "uri": bool(uri), "busy-timeout": min(max(int(timeout * 1000), 0), (1 << 31) - 1)}
        self._resource = asked(self._node.connection.open, path, options)
        self._statements = Statements(self._resource.prepare, cached_statements)
        self._cursors: WeakSet[Cursor] = WeakSet()
        self._detect_types, self._level, self._autocommit = detect_types, level, mode
        self._thread = threading.get_ident() if check_same_thread else None
        self._in_transaction, self._total_changes, self._asking = False, 0, 0
        self._closed = False
        self.row_factory: Callable[[Any, tuple[Any, ...]], Any] | None = None
        self.text_factory: Callable[[bytes], Any] = str
        self._ready = True
        if mode is False:
            self._begin("deferred")

    # Its state

    def _check(self, *, thread: bool = True, closed: bool = True) -> None:
        if not self._ready:
            raise ProgrammingError("Base Connection.__init__ not called.")
        if thread and self._thread not in (None, threading.get_ident()):
            raise ProgrammingError(
                "SQLite objects created in a thread can only be used in that same thread. "
                f"The object was created in thread id {self._thread} and this is thread id {threading.get_ident()}."
            )
        if closed and self._closed:
            raise ProgrammingError("Cannot operate on a closed database.")

    def _ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function answers that tells the connection's state; that is asked for where it fails, since that may end a transaction."""
        self._asking += 1
        try:
            answer = asked(function, *arguments)
        except Exception:
            self._look()
            raise
        finally:
            self._asking -= 1
        status = getattr(answer, "status", answer)
        self._in_transaction, self._total_changes = status.in_transaction, status.total_changes
        return answer

    def _look(self) -> None:
        try:
            status = self._resource.status()
        except RingfenceError:
            return  # it is lost; whatever is asked next says so
        self._in_transaction, self._total_changes = status.in_transaction, status.total_changes

    @property
    def in_transaction(self) -> bool:
        """Whether there are changes that are not committed."""
        self._check(thread=False)
        return self._in_transaction

    @property
    def total_changes(self) -> int:
        """Rows changed since the connection was opened."""
        self._check(thread=False)
        return self._total_changes

    @property
    def isolation_level(self) -> str | None:
        """How a transaction begins before a statement that changes rows; None where none does."""
        self._check(thread=False)
        return self._level

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        self._check(thread=False)
        wanted = _level(level)
        if wanted is None and self._autocommit == LEGACY_TRANSACTION_CONTROL:
            self.commit()
        self._level = wanted

    @isolation_level.deleter
    def isolation_level(self) -> NoReturn:
        raise AttributeError("cannot delete attribute")

    @property
    def autocommit(self) -> bool | int:
        """Whether transactions are PEP 249's (False), the application's own (True), or begin with changes (LEGACY_TRANSACTION_CONTROL)."""
        self._check(thread=False)
        return self._autocommit

    @autocommit.setter
    def autocommit(self, wanted: bool | int) -> None:
        self._check()
        mode = _autocommit(wanted)
        if mode is True and self._in_transaction:
            self._ask(self._resource.commit)
        if mode is False and not self._in_transaction:
            self._begin("deferred")
        self._autocommit = mode

    # Transactions

    def _begin(self, mode: str) -> None:
        self._ask(self._resource.begin, mode)

    def _begin_before(self, sql: Sql) -> None:
        if sql.changes and self._level is not None and self._autocommit == LEGACY_TRANSACTION_CONTROL and not self._in_transaction:
            self._begin(self._level.lower() or "deferred")

    def commit(self) -> None:
        """Keep what was changed."""
        self._check()
        self._finish("commit")

    def rollback(self) -> None:
        """Undo what was changed since the transaction began."""
        self._check()
        self._finish("rollback")

    def _finish(self, how: Literal["commit", "rollback"]) -> None:
        if self._in_transaction and self._autocommit is not True:
            self._ask(getattr(self._resource, how))
            if self._autocommit is False:
                self._begin("deferred")

    def _run_script(self, script: str) -> None:
        if self._in_transaction and self._autocommit == LEGACY_TRANSACTION_CONTROL:
            self._ask(self._resource.commit)
        self._ask(self._resource.run_script, script)

    # Statements

    def cursor(self, factory: Callable[[Self], Any] = Cursor) -> Any:
        """A new cursor."""
        self._check()
        made = factory(self)
        if not issubclass(type(made), Cursor):
            raise TypeError(f"factory must return a cursor, not {type(made).__name__}")
        if self.row_factory is not None:
            made.row_factory = self.row_factory
        return made

    def execute(self, sql: str, parameters: Any = (), /) -> Cursor:
        """Run a statement by a cursor of its own."""
        return self.cursor().execute(sql, parameters)  # type: ignore[no-any-return]

    def executemany(self, sql: str, parameters: Any, /) -> Cursor:
        """Run a statement for each of the parameters, likewise."""
        return self.cursor().executemany(sql, parameters)  # type: ignore[no-any-return]

    def executescript(self, sql_script: str, /) -> Cursor:
        """Run a script, likewise."""
        return self.cursor().executescript(sql_script)  # type: ignore[no-any-return]

    def __call__(self, sql: str, /) -> Any:
        """A prepared statement, of which nothing more can be asked; `execute` makes its own."""
        self._check()
        if not isinstance(sql, str):
            raise TypeError(f"argument 1 must be str, not {type(sql).__name__}")
        return self._statements.take(sql)

    def iterdump(self) -> Iterator[str]:
        """The database as SQL text."""
        self._check()
        return dump(self)

    # Ending

    def close(self) -> None:
        """Close it; what was not committed is undone. Twice is harmless."""
        self._check(closed=False)
        if not self._closed:
            self._closed = True
            self._let_go()

    def _let_go(self) -> None:
        for cursor in list(self._cursors):
            cursor.end_with_connection()
        self._statements.close()
        with suppress(RingfenceError):  # its instance has ended, and everything with it
            self._resource.disconnect()
        self._resource.close()

    def __enter__(self) -> Self:
        self._check()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> Literal[False]:
        """Commit; roll back where the block failed."""
        self._check()
        if kind is None:
            try:
                self.commit()
            except Exception:
                self.rollback()
                raise
        else:
            self.rollback()
        return False

    # What SQLite can do besides

    def serialize(self, *, name: str = "main") -> bytes:
        """The database as the bytes of its file."""
        self._check()
        return asked(self._resource.serialize, name)  # type: ignore[no-any-return]

    def deserialize(self, data: Any, /, *, name: str = "main") -> None:
        """Replace the database by one in memory with these bytes."""
        self._check()
        if isinstance(data, str):
            data = data.encode()
        view = memoryview(data)
        if not view.contiguous:
            raise BufferError("memoryview: underlying buffer is not C-contiguous")
        asked(self._resource.deserialize, name, bytes(view))

    def setlimit(self, category: int, limit: int, /) -> int:
        """Set one of SQLite's limits; what it was."""
        self._check()
        return asked(self._resource.set_limit, category, limit)  # type: ignore[no-any-return]

    def getlimit(self, category: int, /) -> int:
        """One of SQLite's limits."""
        return self.setlimit(category, -1)

    def interrupt(self) -> None:
        """Nothing where no statement runs.

        Raises:
            NotSupportedError: one does; a deadline ends it, or cancelling `Graph.acall`, and the connection with it.
        """
        self._check(thread=False)
        if self._asking:
            raise unsupported("interrupt", "nothing reaches into a running component; a deadline on its node ends it")

    def set_authorizer(self, authorizer_callback: Any) -> None:
        """Only None, which is no function, can be set."""
        self._only_none("set_authorizer", authorizer_callback)

    def set_progress_handler(self, progress_handler: Any, n: int) -> None:
        """Likewise."""
        del n
        self._only_none("set_progress_handler", progress_handler)

    def set_trace_callback(self, trace_callback: Any) -> None:
        """Likewise."""
        self._only_none("set_trace_callback", trace_callback)

    def _only_none(self, what: str, callback: Any) -> None:
        self._check()
        if callback is not None:
            raise unsupported(what, _CALLBACK)

    def _no_callbacks(what: str) -> Callable[..., NoReturn]:  # type: ignore[misc]  # noqa: N805 -- makes methods, below
        def refuse(self: Connection, *_: Any, **__: Any) -> NoReturn:
            """Raise NotSupportedError."""
            self._check()
            raise unsupported(what, _CALLBACK)

        refuse.__name__ = refuse.__qualname__ = what
        return refuse

    create_function = _no_callbacks("create_function")
    create_aggregate = _no_callbacks("create_aggregate")
    create_window_function = _no_callbacks("create_window_function")
    create_collation = _no_callbacks("create_collation")

    def backup(self, *_: Any, **__: Any) -> NoReturn:
        """Raise NotSupportedError."""
        self._check()
        raise unsupported("backup", "two connections are two components; use serialize and deserialize, or VACUUM INTO")

    def blobopen(self, *_: Any, **__: Any) -> NoReturn:
        """Raise NotSupportedError."""
        self._check()
        raise unsupported("blobopen", "read and write the value with SELECT, substr and UPDATE")

    def enable_load_extension(self, enable: Any, /) -> None:
        """Raise NotSupportedError, but for False."""
        self._check()
        if enable:
            raise unsupported("enable_load_extension", "a component loads no code")

    def load_extension(self, *_: Any, **__: Any) -> NoReturn:
        """Raise NotSupportedError."""
        self._check()
        raise unsupported("load_extension", "a component loads no code")


def _path(database: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> str:
    path = os.fsdecode(database)
    try:
        path.encode()
    except UnicodeEncodeError:
        raise exceptions.OperationalError(
            "unable to open database file: its path is no Unicode text, and others name no file in a fence"
        ) from None
    return path


def _level(level: object) -> str | None:
    if level is None:
        return None
    if not isinstance(level, str):
        raise TypeError("isolation_level must be str or None")
    if str.upper(level) not in _LEVELS:
        raise ValueError("isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'")
    return str.upper(level)


def _autocommit(wanted: object) -> bool | int:
    if wanted is True or wanted is False:
        return wanted
    if type(wanted) is int and wanted == LEGACY_TRANSACTION_CONTROL:
        return wanted
    raise ValueError("autocommit must be True, False, or sqlite3.LEGACY_TRANSACTION_CONTROL")
