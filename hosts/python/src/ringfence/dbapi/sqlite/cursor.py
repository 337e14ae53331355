"""`Cursor`: statements run, and their rows fetched a batch ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from ringfence.dbapi.exceptions import ProgrammingError
from ringfence.dbapi.sqlite import parameters as given
from ringfence.dbapi.sqlite.errors import asked
from ringfence.dbapi.sqlite.rows import Convert, rows_of
from ringfence.dbapi.sqlite.statements import Sql, Statement

if TYPE_CHECKING:
    from ringfence.dbapi.sqlite.connection import Connection

FIRST, MOST = 64, 8192
"""Rows of the first batch, and of the largest."""
MANY = 50_000
"""Rows of parameters that cross at once."""
PARSE_DECLTYPES, PARSE_COLNAMES = 1, 2
_RECURSIVE = "Recursive use of cursors not allowed."

Description = tuple[tuple[str, None, None, None, None, None, None], ...]


class Cursor:
    """A cursor of PEP 249, as sqlite3 has it. Rows come in batches: the first with the statement itself."""

    connection: Connection
    arraysize: int
    row_factory: Callable[[Any, tuple[Any, ...]], Any] | None
    _ready = _locked = False

    def __init__(self, connection: Connection, /) -> None:
        from ringfence.dbapi.sqlite.connection import Connection

        if self._ready and self._locked:
            raise ProgrammingError(_RECURSIVE)
        if not issubclass(type(connection), Connection):
            raise TypeError(f"Cursor() argument 1 must be sqlite3.Connection, not {type(connection).__name__}")
        connection._check()
        self.connection = connection
        self.arraysize = 1
        self.row_factory = None
        self.description: Description | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._statement: Statement | None = None
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self._converters: list[Convert | None] = []
        self._more = self._closed = False
        self._batch = FIRST
        self._ready = True
        connection._cursors.add(self)

    # Running

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        """Run one statement.

        Raises:
            Error: of PEP 249; see `ringfence.dbapi.sqlite`.
        """
        with self._used():
            statement = self._begun(sql, "execute")
            if statement.sql.mixed and not isinstance(parameters, Mapping):
                statement = self._numbered(statement)
            values = given.of_one(statement.sql, parameters, self.connection._types)
            if self.connection._detect_types & PARSE_DECLTYPES and statement.declared is None:
                statement.declared = tuple(asked(statement.resource.declared_types))
            self.connection._begin_before(statement.sql)
            outcome = self.connection._ask(statement.resource.run, values, FIRST)
            if outcome.columns is not None:
                statement.columns = tuple(outcome.columns)
            self.lastrowid = outcome.status.last_insert_rowid
            self.rowcount = outcome.status.changes if statement.sql.changes else -1
            self._describe(statement)
            self._take(outcome)
        return self

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        """Run a statement that changes rows with each of these parameters."""
        with self._used():
            statement = self._begun(sql, "executemany")
            if not statement.sql.changes:
                raise ProgrammingError("executemany() can only execute DML statements.")
            self.description = None
            self.rowcount = 0
            rows, read = iter(parameters), statement.sql
            self.connection._begin_before(read)
            if any(name is not None for name in read.parameters):
                statement = self._numbered(statement)
            self._run_many(statement, read, rows)
            self._rest()
        return self

    def _run_many(self, statement: Statement, sql: Sql, rows: Iterator[Any]) -> None:
        """In pieces. What an iterator gave before it failed has been run when its error is raised, as row by row."""
        failure: Exception | None = None
        while failure is None:
            piece: list[Any] = []
            try:
                piece.extend(islice(rows, MANY))
            except Exception as error:  # noqa: BLE001 -- the application's own, raised below
                failure = error
            if not piece:
                break
            self._run_piece(statement, sql, piece)
        if failure is not None:
            raise failure

    def _run_piece(self, statement: Statement, sql: Sql, rows: list[Any]) -> None:
        """Run all rows; where one does not fit, those before it."""
        types = self.connection._types
        try:
            batches: Iterable[Any] = [given.of_many(sql, rows, types)]
        except Exception:  # noqa: BLE001 -- raised again by the row that it is of
            batches = (given.of_many(sql, [row], types) for row in rows)
        for batch in batches:
            status = self.connection._ask(statement.resource.run_many, batch)
            self.rowcount += status.changes

    def executescript(self, sql_script: str, /) -> Self:
        """Commit what is pending, then run all commands of a script."""
        with self._used():
            if not isinstance(sql_script, str):
                raise TypeError(f"executescript() argument must be str, not {type(sql_script).__name__}")
            sql_script.encode()
            if "\0" in sql_script:
                raise ValueError("embedded null character")
            self._rest()
            self.connection._run_script(sql_script)
        return self

    def _begun(self, sql: str, function: str) -> Statement:
        if not isinstance(sql, str):
            raise TypeError(f"{function}() argument 1 must be str, not {type(sql).__name__}")
        self._rest()
        self._statement = self.connection._statements.take(sql)
        return self._statement

    def _numbered(self, statement: Statement) -> Statement:
        """The same command with numbers for names, for parameters by position."""
        self._end()
        self._statement = self.connection._statements.take(statement.sql.numbered)
        return self._statement

    def _describe(self, statement: Statement) -> None:
        names, detect = statement.columns, self.connection._detect_types
        self._converters = []
        self.description = None
        if not names:
            return
        self.description = tuple((_shown(name, detect), None, None, None, None, None, None) for name in names)
        if detect:
            declared = statement.declared or ()
            self._converters = [
                self._converter(name, declared[index] if index < len(declared) else None) for index, name in enumerate(names)
            ]

    def _converter(self, name: str, declared: str | None) -> Convert | None:
        detect, types = self.connection._detect_types, self.connection._types
        found = None
        if detect & PARSE_COLNAMES and "[" in name:
            found = types.converters.get(name[name.rindex("[") + 1 :].partition("]")[0].upper())
        if found is None and detect & PARSE_DECLTYPES:
            found = types.converter(declared)
        return found

    # Fetching

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        with self._used():
            while True:
                for row in self._rows:
                    return row if self.row_factory is None else self.row_factory(self, row)
                if not self._more:
                    break
                self._fetch()
            self._rest()
        raise StopIteration

    def fetchone(self) -> Any:
        """The next row; None where there are no more."""
        return next(self, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows, at most `size` (default: arraysize)."""
        return list(islice(self, self.arraysize if size is None else max(size, 0)))

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        rows: list[Any] = []
        with self._used():
            while True:
                rows.extend(self._rows if self.row_factory is None else map(self._made, self._rows))
                if not self._more:
                    break
                self._fetch()
            self._rest()
        return rows

    def _fetch(self) -> None:
        if self._statement is not None:
            outcome = self.connection._ask(self._statement.resource.fetch, self._batch)
            self._batch = min(self._batch * 4, MOST)
            self._take(outcome)

    def _take(self, outcome: Any) -> None:
        names = [column[0] for column in self.description or ()]
        self._rows = rows_of(outcome.rows, self.connection.text_factory, self._converters, names)
        self._more = outcome.more
        if not self._more:
            self._end()

    def _made(self, row: tuple[Any, ...]) -> Any:
        return row if self.row_factory is None else self.row_factory(self, row)

    # Ending

    def _end(self) -> None:
        """Give the statement back, which has no more rows."""
        statement, self._statement = self._statement, None
        if statement is not None:
            self.connection._statements.give_back(statement)

    def _rest(self) -> None:
        """Forget the last statement and its rows."""
        self._rows = iter(())
        if self._more and self._statement is not None:
            asked(self._statement.resource.reset)
        self._more = False
        self._batch = FIRST
        self._end()

    def close(self) -> None:
        """Let go of the statement; nothing can be done with the cursor any more."""
        self._check(closing=True)
        if not self._closed and not self.connection._closed:
            self._rest()
        self._closed = True

    def end_with_connection(self) -> None:
        """Drop the statement; the connection is closing."""
        statement, self._statement = self._statement, None
        self._more = False
        if statement is not None:
            statement.resource.close()

    def setinputsizes(self, sizes: Any, /) -> None:
        """Required by PEP 249; does nothing."""

    def setoutputsize(self, size: Any, column: Any = None, /) -> None:
        """Required by PEP 249; does nothing."""

    def _check(self, *, closing: bool = False) -> None:
        if not self._ready:
            raise ProgrammingError("Base Cursor.__init__ not called.")
        if self._locked:
            raise ProgrammingError(_RECURSIVE)
        if self._closed and not closing:
            raise ProgrammingError("Cannot operate on a closed cursor.")
        self.connection._check(thread=True, closed=not closing)

    @contextmanager
    def _used(self) -> Iterator[None]:
        """The application's own functions may be called inside; they must not come back to this cursor."""
        self._check()
        self._locked = True
        try:
            yield
        finally:
            self._locked = False


def _shown(name: str, detect: int) -> str:
    """A column's name without the ` [type]` that chose its converter."""
    if detect & PARSE_COLNAMES and "[" in name:
        return name[: name.index("[")].removesuffix(" ") if " [" in name else name
    return name
