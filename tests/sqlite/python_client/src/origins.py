"""The declared types of a query's columns, which CPython's `sqlite3` does not tell.

SQLite tells them of a view's columns. So the schema is copied, without a row, to a database in memory, and the query is made a view there.
"""

import re
import sqlite3

_VIEW = '"the query"'
_QUERY = re.compile(r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*(select|with|values)\b", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|[A-Za-z_\x80-\U0010ffff][\w$]*)"""
    r"""|\?\d*|[:@$][\w$]+(?:::[\w$]+)*(?:\([^)]*\))?""",
    re.DOTALL,
)
_CREATED = re.compile(r"CREATE (VIRTUAL )?(TABLE|VIEW) ", re.IGNORECASE)


class Origins:
    """The twin of a connection's schema, made anew when that has changed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._versions: list[tuple[str, int]] = []
        self._twin = sqlite3.connect(":memory:", isolation_level=None)

    def declared_types(self, sql: str) -> list[str | None]:
        """For each column, in order; empty where `sql` is no query that a view could be made of."""
        if not _QUERY.match(sql):
            return []
        self._follow()
        query = _PARAMETER.sub(lambda found: found[1] or "NULL", sql).rstrip().rstrip(";")
        try:
            self._twin.execute(f"CREATE TEMP VIEW {_VIEW} AS {query}\n")
        except sqlite3.Error:
            return []  # it is wrong, or not made for views; running it will tell
        try:
            return [row[2] or None for row in self._twin.execute(f"PRAGMA temp.table_xinfo({_VIEW})")]
        except sqlite3.Error:
            return []
        finally:
            self._twin.execute(f"DROP VIEW temp.{_VIEW}")

    def _follow(self) -> None:
        names = [_text(row[1]) for row in self._connection.execute("PRAGMA database_list")]
        if "temp" not in names:
            names.append("temp")
        versions = [(name, self._connection.execute(f"PRAGMA {_quoted(name)}.schema_version").fetchone()[0]) for name in names]
        if versions == self._versions:
            return
        self._twin.close()
        self._twin = sqlite3.connect(":memory:", isolation_level=None)
        for name in names:
            self._copy(name)
        self._versions = versions

    def _copy(self, name: str) -> None:
        if name not in ("main", "temp"):
            self._twin.execute(f"ATTACH ':memory:' AS {_quoted(name)}")
        schema = f"SELECT sql FROM {_quoted(name)}.sqlite_schema WHERE type IN ('table', 'view') AND sql IS NOT NULL ORDER BY type"
        for (sql,) in self._connection.execute(schema).fetchall():
            made = _CREATED.sub(lambda found: f"{found[0]}{_quoted(name)}.", _text(sql), count=1)
            try:
                self._twin.execute(made)
            except sqlite3.Error:
                continue  # sqlite's own tables, and what its build no longer knows


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: bytearray) -> str:
    return text.decode(errors="replace")
