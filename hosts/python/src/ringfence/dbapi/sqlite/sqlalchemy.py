"""SQLAlchemy's dialect for fenced SQLite: SQLAlchemy's own for sqlite3, less what a fence can't have.

    create_engine("sqlite+ringfence:////data/shop.sqlite3", module=module(graph["sqlite"]))

SQLAlchemy loads it by its entry point; nothing else here imports SQLAlchemy. Paths are the guest's. Two functions that SQLAlchemy adds to
each connection are Python's own and so not to be had: `regexp` (`regexp_match` is refused by SQLite), and `floor`, which SQLite has itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.engine.interfaces import ConnectArgsType


class Dialect(SQLiteDialect_pysqlite):
    """`sqlite+ringfence`."""

    driver = "ringfence"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> NoReturn:
        raise ArgumentError('give create_engine the module: module=ringfence.dbapi.sqlite.module(graph["sqlite"])')

    def on_connect(self) -> None:  # type: ignore[override]  # no functions are added
        """Nothing is done to a new connection."""

    def create_connect_args(self, url: URL) -> ConnectArgsType:
        arguments, options = super().create_connect_args(url)
        if url.database and not options.get("uri"):
            arguments = [url.database]  # as the guest knows it: nothing of this process's folders
        return arguments, options

    @classmethod
    def load_provisioning(cls) -> Any:
        """SQLAlchemy's own test suite sets databases up as for sqlite3."""
        return SQLiteDialect_pysqlite.load_provisioning()  # type: ignore[no-untyped-call]
