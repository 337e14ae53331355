"""A fenced PostgreSQL client behind the Python Database API 2.0 (PEP 249): code for psycopg or pg8000 runs on it by another import.

    from ringfence import Graph
    from ringfence.dbapi import postgres

    with Graph.load("graph.yaml") as graph, postgres.connect(graph, user="ada") as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, total FROM orders WHERE customer = %s", ["ada"])
            for id, total in cursor: ...

Values are Python's own: Decimal, date, datetime, time, timedelta, UUID, bytes, dict and list for json, list for arrays.
"""

from datetime import date as Date  # noqa: N812 (PEP 249's names)
from datetime import datetime as Timestamp  # noqa: N812
from datetime import time as Time  # noqa: N812

from ringfence.dbapi.exceptions import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004 (PEP 249's names)
)
from ringfence.dbapi.postgres.connection import Connection, connect
from ringfence.dbapi.postgres.cursor import Column, Cursor
from ringfence.dbapi.postgres.kinds import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    DateFromTicks,
    TimeFromTicks,
    TimestampFromTicks,
)
from ringfence.dbapi.postgres.values import Interval, Json

apilevel = "2.0"
threadsafety = 2
"""Threads may share the module and connections, not cursors. What they do on one connection happens in turn, in one transaction."""
paramstyle = "format"
"""`%s`; and `%(name)s` where the parameters are a mapping. Where parameters are given, a percent sign is `%%`."""

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Column",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "Interval",
    "Json",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]
