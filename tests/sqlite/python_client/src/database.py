"""The resources of `ringfence:sqlite/database`, by the `sqlite3` that CPython carries."""

import sqlite3
import sys
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any, Self
from urllib.parse import quote

import batches
from errors import wit_errors
from origins import Origins
from wit_world.exports.database import (
    Batch,
    OpenMode,
    Options,
    Outcome,
    Parameters,
    Parameters_Positional,
    Status,
    Transaction,
)

LARGE = 1 << 18
"""Bytes of values, as Python objects, after which a batch ends, whatever was asked for."""

_MODES = {OpenMode.READ_ONLY: "ro", OpenMode.READ_WRITE: "rw", OpenMode.CREATE: "rwc"}
_BEGIN = {
    Transaction.DEFERRED: "BEGIN DEFERRED",
    Transaction.IMMEDIATE: "BEGIN IMMEDIATE",
    Transaction.EXCLUSIVE: "BEGIN EXCLUSIVE",
}
_IN_MEMORY = ("", ":memory:")


class Connection:
    """The resource `connection`. Transactions begin and end only where the caller says so."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._origins: Origins | None = None
        self._cursor = connection.cursor()

    @classmethod
    def open(cls, path: str, options: Options) -> Self:
        """A connection; what it keeps only for a while it keeps in memory."""
        uri = options.uri
        if not uri and path not in _IN_MEMORY and options.mode is not OpenMode.CREATE:
            path, uri = f"file:{quote(path)}?mode={_MODES[options.mode]}", True
        with wit_errors:
            connection = sqlite3.connect(path, options.busy_timeout / 1000, isolation_level=None, uri=uri)
            connection.text_factory = bytearray
            connection.execute("PRAGMA temp_store = MEMORY")
        return cls(connection)

    def prepare(self, sql: str) -> "Statement":
        """A statement; SQLite sees it when it is run."""
        return Statement(self, self._connection, sql)

    def run_script(self, sql: str) -> Status:
        with wit_errors:
            self._cursor.executescript(sql)
        return self.status()

    def begin(self, mode: Transaction) -> Status:
        return self._do(_BEGIN[mode])

    def commit(self) -> Status:
        return self._do("COMMIT")

    def rollback(self) -> Status:
        return self._do("ROLLBACK")

    def disconnect(self) -> None:
        self._connection.close()

    def set_busy_timeout(self, milliseconds: int) -> None:
        self._do(f"PRAGMA busy_timeout = {min(milliseconds, 2**31 - 1)}")

    def set_limit(self, category: int, value: int) -> int:
        with wit_errors:
            return self._connection.setlimit(category, value)

    def serialize(self, schema: str) -> bytes:
        with wit_errors:
            return self._connection.serialize(name=schema)

    def deserialize(self, schema: str, data: bytes) -> None:
        with wit_errors:
            self._connection.deserialize(data, name=schema)

    def declared_types(self, sql: str) -> list[str | None]:
        """Those of a query's columns."""
        if self._origins is None:
            self._origins = Origins(self._connection)
        return self._origins.declared_types(sql)

    def status(self) -> Status:
        connection = self._connection
        return Status(0, connection.total_changes, self.last_rowid(), connection.in_transaction)

    def after(self, cursor: sqlite3.Cursor) -> Status:
        """What there is to tell after this cursor's last act."""
        connection = self._connection
        return Status(max(cursor.rowcount, 0), connection.total_changes, cursor.lastrowid or 0, connection.in_transaction)

    def _do(self, sql: str) -> Status:
        with wit_errors:
            self._cursor.execute(sql)
        return self.after(self._cursor)

    def last_rowid(self) -> int:
        """The last that an INSERT has made; 0 where SQLite can't be asked now."""
        try:
            return int(self._cursor.execute("SELECT last_insert_rowid()").fetchone()[0])
        except sqlite3.Error:
            return 0


class Statement:
    """The resource `statement`."""

    def __init__(self, home: Connection, connection: sqlite3.Connection, sql: str) -> None:
        self._home, self._connection, self._sql = home, connection, sql
        self._cursor = connection.cursor()
        self._told: tuple[str, ...] = ()
        self._late: sqlite3.Error | None = None

    def run(self, parameters: Parameters, rows: int) -> Outcome:
        with wit_errors:
            self._late = None
            self._cursor.execute(self._sql, _parameters(parameters))
            return self._outcome(rows)

    def run_many(self, parameters: Batch) -> Status:
        with wit_errors:
            self._cursor.executemany(self._sql, batches.rows_of(parameters))
            status = self._home.after(self._cursor)
            status.last_insert_rowid = self._home.last_rowid()
            return status

    def fetch(self, rows: int) -> Outcome:
        with wit_errors:
            late, self._late = self._late, None
            if late is not None:
                raise late
            return self._outcome(rows)

    def reset(self) -> None:
        self._cursor.close()
        self._cursor = self._connection.cursor()
        self._late = None

    def declared_types(self) -> list[str | None]:
        with wit_errors:
            return self._home.declared_types(self._sql)

    def _outcome(self, most: int) -> Outcome:
        cursor = self._cursor
        names = tuple(column[0] for column in cursor.description or ())
        changed, self._told = names != self._told, names
        rows, more = self._take(most) if names else ([], False)
        return Outcome(list(names) if changed else None, batches.batch_of(rows), more, self._home.after(cursor))

    def _take(self, most: int) -> tuple[list[Sequence[Any]], bool]:
        """The next rows, and whether there may be more: in pieces that grow, so that few large ones are not read ahead."""
        rows: list[Sequence[Any]] = []
        size, step = 0, 1
        try:
            while len(rows) < most and size < LARGE:
                wanted = min(len(rows) + step, most)
                before = len(rows)
                rows.extend(islice(self._cursor, wanted - before))
                if len(rows) < wanted:
                    return rows, False
                size += sum(map(sys.getsizeof, chain.from_iterable(rows[before:])))
                step = max(1, min(step * 4, (LARGE - size) * len(rows) // max(size, 1)))
        except sqlite3.Error as error:
            if not rows:
                raise
            self._late = error
        return rows, True


def _parameters(given: Parameters) -> list[Any] | dict[str, Any]:
    if isinstance(given, Parameters_Positional):
        return batches.unwrap(given.value)
    return dict(zip((name for name, _ in given.value), batches.unwrap(value for _, value in given.value), strict=True))
