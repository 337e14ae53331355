"""The standard module `sqlite3`, on a fenced SQLite: `module(graph["sqlite"])` is one.

    sqlite3 = module(graph["sqlite"])       # in place of: import sqlite3
    with sqlite3.connect("/data/shop.sqlite3") as connection:
        connection.execute("INSERT INTO orders VALUES (?, ?)", ("A-17", 9.5))

What it does is what CPython's does, exceptions and their texts included; paths are those that the node's files grant gives. Each connection
is a component instance of its own where the node's `instances` are `fresh`. SQLite itself never runs in this process.

What a fence can't have raises NotSupportedError: the application's functions called by SQLite (`create_function` and its kind, authorizer,
progress and trace callbacks), extensions, `backup`, `blobopen`, and `interrupt` while a statement runs. Where the fence refuses something,
the error is the one that sqlite3 would raise, and the denial is its cause.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ringfence.dbapi import exceptions
from ringfence.dbapi.sqlite.adapters import PrepareProtocol, Types
from ringfence.dbapi.sqlite.complete import complete_statement
from ringfence.dbapi.sqlite.connection import LEGACY_TRANSACTION_CONTROL, Connection
from ringfence.dbapi.sqlite.constants import constants
from ringfence.dbapi.sqlite.cursor import PARSE_COLNAMES, PARSE_DECLTYPES, Cursor
from ringfence.dbapi.sqlite.rows import Row

__all__ = ["Connection", "Cursor", "Row", "module"]

_FACTORY = 5
"""Where among the arguments of `connect` the factory stands."""
_ERRORS = (
    *("Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError"),
    *("InternalError", "ProgrammingError", "NotSupportedError"),
)


def module(node: Any, name: str = "sqlite3") -> ModuleType:
    """A module with all names of `sqlite3`, whose databases are those of a node that exports `ringfence:sqlite/database`.

    Each has adapters and converters of its own. The node is asked for SQLite's version.
    """
    types = Types()
    version = node.version()
    made = ModuleType(name, __doc__)
    connection_class = type("Connection", (Connection,), {"_node": node, "_types": types, "__module__": name})
    made.__dict__.update(
        constants(),
        **{error: getattr(exceptions, error) for error in _ERRORS},
        apilevel="2.0",
        paramstyle="qmark",
        threadsafety=1,
        version="2.6.0",
        version_info=(2, 6, 0),
        sqlite_version=version,
        sqlite_version_info=tuple(map(int, version.split("."))),
        Connection=connection_class,
        Cursor=Cursor,
        Row=Row,
        PrepareProtocol=PrepareProtocol,
        connect=_connect(connection_class),
        adapt=types.adapt,
        adapters=types.adapters,
        converters=types.converters,
        register_adapter=types.register_adapter,
        register_converter=types.register_converter,
        complete_statement=complete_statement,
        enable_callback_tracebacks=_no_callbacks,
        LEGACY_TRANSACTION_CONTROL=LEGACY_TRANSACTION_CONTROL,
        PARSE_COLNAMES=PARSE_COLNAMES,
        PARSE_DECLTYPES=PARSE_DECLTYPES,
        Binary=memoryview,
        Date=dt.date,
        Time=dt.time,
        Timestamp=dt.datetime,
        DateFromTicks=lambda ticks: dt.date(*time.localtime(ticks)[:3]),
        TimeFromTicks=lambda ticks: dt.time(*time.localtime(ticks)[3:6]),
        TimestampFromTicks=lambda ticks: dt.datetime(*time.localtime(ticks)[:6]),  # noqa: DTZ001 -- local, as PEP 249 has it
    )
    return made


def _connect(connection_class: type[Connection]) -> Callable[..., Any]:
    def connect(*arguments: Any, **options: Any) -> Any:
        """A connection: `Connection(database, …)`, or what `factory` makes of the same arguments."""
        factory = options.get("factory", arguments[_FACTORY] if len(arguments) > _FACTORY else connection_class)
        return factory(*arguments, **options)

    return connect


def _no_callbacks(flag: bool, /) -> None:  # noqa: FBT001
    """Nothing: there are no callbacks whose tracebacks could be shown."""
    del flag
