"""A cursor, as PEP 249 has it: executes a statement and hands out the rows it answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ringfence.dbapi.exceptions import InterfaceError, NotSupportedError, ProgrammingError
from ringfence.dbapi.postgres import values
from ringfence.dbapi.postgres.placeholders import Parameters, numbered

if TYPE_CHECKING:
    from ringfence.dbapi.postgres.connection import Connection

Row = tuple[Any, ...]
_NUMERIC, _WITH_LENGTH = 1700, (1042, 1043)
_HEADER = 4
"""What a type modifier counts besides what it says."""


class Column(NamedTuple):
    """What `Cursor.description` tells of a column. `type_code` is its type's OID, which equals `STRING`, `NUMBER` or another kind."""

    name: str
    type_code: int
    display_size: int | None = None
    internal_size: int | None = None
    precision: int | None = None
    scale: int | None = None
    null_ok: bool | None = None


class Cursor:
    """Made by `Connection.cursor`. Iterates over the rows that are left; a context manager that closes it."""

    arraysize = 1
    """How many rows `fetchmany` gives unless it is told."""
    batch = 5000
    """How many rows cross the fence at once; fewer where they are large."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.description: list[Column] | None = None
        self.rowcount = -1
        self.rownumber: int | None = None
        self.lastrowid = None
        self.statusmessage = ""
        self._ready: Iterator[Row] = iter(())
        self._more: Any = None
        self._closed = False

    def execute(self, operation: str, parameters: Parameters | None = None, *, prepare: bool = False) -> Self:
        """Run a statement; gives the cursor itself.

        Without parameters it may be several statements, of which the last one's answer is kept, and percent signs stand for themselves.
        `prepare` has the server keep it, so that the next execution of the same text costs less.
        """
        sql, given = (operation, []) if parameters is None else numbered(operation, parameters)
        arguments = [values.parameter(one) for one in given]
        self._forget()
        reply = self.connection.run(sql, arguments, batch=self.batch, prepare=prepare)
        if reply.columns:
            self.description = [_column(one) for one in reply.columns]
            self.rownumber = 0
            self._ready, self._more = iter([values.row(one) for one in reply.rows]), reply.more
        self.rowcount = -1 if reply.affected is None else reply.affected
        self.statusmessage = reply.command
        return self

    def executemany(self, operation: str, parameters: Iterable[Parameters]) -> Self:
        """Run one statement for each set of parameters, all or nothing; `rowcount` is the sum. It hands out no rows."""
        sql, rows = "", []
        for one in parameters:
            sql, given = numbered(operation, one)
            rows.append([values.parameter(value) for value in given])
        self._forget()
        self.rowcount = self.connection.run_many(sql, rows) if rows else 0
        return self

    def callproc(self, procname: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
        """Select from a function; `procname` is SQL, like all that is executed. Gives the parameters back, unchanged."""
        marks = ", ".join(["%s"] * len(parameters))
        self.execute(f"SELECT * FROM {procname.replace('%', '%%')}({marks})", parameters)  # noqa: S608 (the name is the application's)
        return parameters

    def copy_in(self, operation: str, data: bytes | str) -> int:
        """Run `COPY … FROM STDIN` on this data; gives the count of rows. The quickest way to insert many."""
        self._forget()
        self.rowcount = self.connection.copy(operation, data.encode() if isinstance(data, str) else data)
        return self.rowcount

    def copy_out(self, operation: str) -> bytes:
        """Run `COPY … TO STDOUT`; gives what it wrote."""
        self._forget()
        written: bytes = self.connection.copy(operation, None)
        return written

    def fetchone(self) -> Row | None:
        """The next row, None at the end."""
        self._check_rows()
        return next(self, None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next rows, at most `size` (default: `arraysize`) of them."""
        self._check_rows()
        return list(islice(self, self.arraysize if size is None else size))

    def fetchall(self) -> list[Row]:
        """All rows that are left."""
        self._check_rows()
        return list(self)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Row:
        self._check_rows()
        found = next(self._ready, None)
        if found is None:
            if self._more is None:
                raise StopIteration
            with self.connection.calling():
                rows = self._more.next(self.batch)
            if not rows:
                self._drop_more()
                raise StopIteration
            self._ready = iter([values.row(one) for one in rows])
            found = next(self._ready)
        self.rownumber = (self.rownumber or 0) + 1
        return found

    def nextset(self) -> None:
        """There is never a further set of rows."""
        raise NotSupportedError("a statement answers one set of rows here")

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Does nothing, as PEP 249 allows."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Does nothing, as PEP 249 allows."""

    def close(self) -> None:
        """Let go of what it holds; it can't be used after that. Twice is harmless."""
        if not self._closed:
            self._drop_more()
            self._ready = iter(())
            self._closed = True

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _forget(self) -> None:
        """Make ready for another answer."""
        self._check_open()
        self._drop_more()
        self._ready = iter(())
        self.description, self.rowcount, self.rownumber, self.statusmessage = None, -1, None, ""

    def _drop_more(self) -> None:
        if self._more is not None:
            self.connection.discard(self._more)
            self._more = None

    def _check_open(self) -> None:
        if self._closed:
            raise InterfaceError("the cursor is closed")

    def _check_rows(self) -> None:
        self._check_open()
        if self.description is None:
            raise ProgrammingError("no rows to fetch: no statement was executed, or the last one returns none")


def _column(column: Any) -> Column:
    modifier = column.type_modifier - _HEADER
    numeric = column.type_oid == _NUMERIC and modifier >= 0
    return Column(
        name=column.name,
        type_code=column.type_oid,
        display_size=modifier if column.type_oid in _WITH_LENGTH and modifier >= 0 else None,
        internal_size=column.type_size if column.type_size > 0 else None,
        precision=modifier >> 16 if numeric else None,
        scale=modifier & 0x7FF if numeric else None,
    )
