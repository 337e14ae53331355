"""The resources of the interface `client`, in the module where componentize-py looks for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Self

from errors import wit_errors
from pg8000 import core
from server import server_of
from session import Prepared, Session, open_session
from wit_world.exports.client import Column, Reply, Settings, TransactionState, Value

_STATES = {
    core.IDLE: TransactionState.IDLE,
    core.IN_TRANSACTION: TransactionState.ACTIVE,
    core.IN_FAILED_TRANSACTION: TransactionState.FAILED,
}


SizedRow = tuple[int, list[Value]]
"""A row, and about how many bytes it takes on its way out."""

_ENOUGH = 4 * 1024 * 1024
"""Bytes after which no more rows come at once: a graph bounds what a call gives out."""


class Rows:
    """The resource `rows`: those of one answer that were not taken yet. componentize-py keeps this object when its handle is dropped."""

    def __init__(self, rows: Iterator[SizedRow]) -> None:
        self._rows = rows

    def next(self, count: int) -> list[list[Value]]:
        taken, total = [], 0
        for size, row in islice(self._rows, count):
            taken.append(row)
            total += size
            if total >= _ENOUGH:
                break
        return taken

    def discard(self) -> None:
        self._rows = iter(())


class Statement:
    """The resource `statement`."""

    def __init__(self, session: Session, prepared: Prepared) -> None:
        self._session, self._prepared = session, prepared

    def parameters(self) -> list[int]:
        return list(self._prepared.parameters)

    def columns(self) -> list[Column]:
        return _columns(self._prepared.columns)

    def execute(self, parameters: list[Value], batch: int) -> Reply:
        with wit_errors():
            return _reply(self._session, self._prepared.run(parameters), batch)

    def deallocate(self) -> None:
        with wit_errors():
            self._prepared.deallocate()


class Connection:
    """The resource `connection`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def open(cls, settings: Settings) -> Self:
        with wit_errors():
            return cls(open_session(server_of(settings)))

    def execute(self, sql: str, parameters: list[Value], batch: int) -> Reply:
        with wit_errors():
            return _reply(self._session, self._session.run(sql, parameters), batch)

    def execute_many(self, sql: str, parameters: list[list[Value]]) -> int:
        with wit_errors(), self._whole():
            return self._session.run_many(sql, parameters)

    def prepare(self, sql: str, types: list[int]) -> Statement:
        with wit_errors():
            return Statement(self._session, self._session.prepare(sql, types))

    def copy_in(self, sql: str, data: bytes) -> int:
        with wit_errors():
            return self._session.copy(sql, data)[0]

    def copy_out(self, sql: str) -> bytes:
        with wit_errors():
            return self._session.copy(sql)[1]

    def begin(self) -> None:
        with wit_errors():
            self._session.run("BEGIN")

    def commit(self) -> None:
        with wit_errors():
            self._session.commit()

    def rollback(self) -> None:
        with wit_errors():
            self._session.run("ROLLBACK")

    def transaction(self) -> TransactionState:
        return _STATES[self._session.transaction]

    def parameter_status(self, name: str) -> str | None:
        return self._session.parameter_statuses.get(name)

    def disconnect(self) -> None:
        self._session.close()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """A transaction of its own, unless there is one."""
        if self._session.transaction != core.IDLE:
            yield
            return
        self._session.run("BEGIN")
        try:
            yield
        except Exception:
            if not self._session.ended:
                self._session.run("ROLLBACK")
            raise
        self._session.commit()


def _reply(session: Session, context: core.Context, batch: int) -> Reply:
    rows = Rows(iter(context.rows or ()))
    first = rows.next(batch)
    return Reply(
        command=getattr(context, "command", ""),
        affected=None if context.row_count < 0 else context.row_count,
        columns=_columns(context.columns or []),
        rows=first,
        more=rows if len(first) < len(context.rows or ()) else None,
        transaction=_STATES[session.transaction],
    )


def _columns(columns: list[dict[str, object]]) -> list[Column]:
    return [Column(one["name"], one["type_oid"] & 0xFFFFFFFF, one["type_size"], one["type_modifier"]) for one in columns]
