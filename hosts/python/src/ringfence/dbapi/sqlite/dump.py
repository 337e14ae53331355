"""A database as SQL text that makes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_SCHEMA = "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND type {} ORDER BY {}"


def dump(connection: Any) -> Iterator[str]:
    """The statements, in an order in which they can be run; each ends with a semicolon."""
    cursor = connection.cursor()
    cursor.row_factory = None
    virtual = False
    after: list[str] = []
    yield "BEGIN TRANSACTION;"
    for name, sql in cursor.execute(_SCHEMA.format("= 'table'", "name")).fetchall():
        if name == "sqlite_sequence":
            after = ['DELETE FROM "sqlite_sequence";', *_inserts(cursor, name)]
            continue
        if name == "sqlite_stat1":
            yield 'ANALYZE "sqlite_master";'
        elif name.startswith("sqlite_"):
            continue
        elif sql.startswith("CREATE VIRTUAL TABLE"):
            if not virtual:
                virtual = True
                yield "PRAGMA writable_schema=ON;"
            yield f"INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES('table',{_text(name)},{_text(name)},0,{_text(sql)});"
            continue
        else:
            yield f"{sql};"
        yield from _inserts(cursor, name)
    for _, sql in cursor.execute(_SCHEMA.format("IN ('index', 'trigger', 'view')", "rowid")).fetchall():
        yield f"{sql};"
    if virtual:
        yield "PRAGMA writable_schema=OFF;"
    yield from after
    yield "COMMIT;"


def _inserts(cursor: Any, table: str) -> Iterator[str]:
    columns = [str(row[1]) for row in cursor.execute(f"PRAGMA table_info({_name(table)})").fetchall()]
    values = "||','||".join(f"quote({_name(column)})" for column in columns)
    into = _text(f"INSERT INTO {_name(table)} VALUES(")
    for (statement,) in cursor.execute(f"SELECT {into}||{values}||')' FROM {_name(table)}"):  # noqa: S608 -- names are quoted
        yield f"{statement};"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
