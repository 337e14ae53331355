"""SQLAlchemy on a fenced PostgreSQL client: `create_engine("postgresql+ringfence://", creator=lambda: connect(graph, user="ada"))`.

SQLAlchemy finds this dialect by the entry point of the distribution. It is a matter of whoever uses it: nothing else here imports it.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from sqlalchemy.dialects.postgresql.base import PGCompiler, PGIdentifierPreparer
from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000, PGExecutionContext_pg8000, ServerSideCursor

from ringfence.dbapi import postgres


class _ServerSideCursor(ServerSideCursor):
    """What SQLAlchemy reads through where rows are to be streamed: a cursor that is declared in SQL."""

    def execute(self, operation: str, args: Any = (), stream: None = None) -> _ServerSideCursor:  # noqa: ARG002 (pg8000's)
        self.cursor.execute(f"DECLARE {self.ident} NO SCROLL CURSOR FOR {operation}", args)
        return self


class _ExecutionContext(PGExecutionContext_pg8000):
    def create_server_side_cursor(self) -> Any:
        made = super().create_server_side_cursor()  # type: ignore[no-untyped-call]
        return _ServerSideCursor(made.cursor, made.ident)  # type: ignore[no-untyped-call]


class Dialect(PGDialect_pg8000):
    """That of pg8000, whose values this face has, without what reaches into that driver's own objects; a percent sign is always doubled."""

    driver = "ringfence"
    supports_statement_cache = True
    execution_ctx_cls = _ExecutionContext
    statement_compiler = PGCompiler  # type: ignore[assignment]  # the base of what pg8000's is, which differs in percent signs only
    preparer = PGIdentifierPreparer  # type: ignore[assignment]  # likewise

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """The module that is spoken to."""
        return postgres

    def on_connect(self) -> None:
        """Nothing to set: the face knows the types that SQLAlchemy sends, and decodes JSON."""

    def is_disconnect(self, e: Exception, connection: Any, cursor: Any) -> bool:  # noqa: ARG002 (SQLAlchemy's)
        """Whether an error means that the connection is gone, and the pool's others with it."""
        return isinstance(e, postgres.Error) and connection is not None and connection.closed
