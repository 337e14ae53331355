"""What is asked of a SQLite database, by code for the module `sqlite3`: of the module itself, and of the fenced one in its place."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from benchmarks.work import Work

Row = tuple[int, str, float]
Make = Callable[[ModuleType, str, int], Work]


def _rows(count: int) -> list[Row]:
    return [(number, f"customer {number % 1000}", number * 0.25) for number in range(count)]


def inserts(module: ModuleType, path: str, count: int) -> Work:
    """A table emptied and filled with so many rows in one transaction; answers how many there are."""
    connection = module.connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS inserted (id INTEGER PRIMARY KEY, name TEXT, total REAL)")
    rows = _rows(count)

    def run() -> int:
        with connection:
            connection.execute("DELETE FROM inserted")
            return int(connection.executemany("INSERT INTO inserted VALUES (?, ?, ?)", rows).rowcount)

    return Work(run=run, per=count, close=connection.close)


def reads(module: ModuleType, path: str, count: int) -> Work:
    """A tenth of so many rows, each by its key in a statement of its own, in one transaction; answers how many."""
    return _reads(module, path, max(1, count // 10), "BEGIN", "COMMIT")


def lone_reads(module: ModuleType, path: str, count: int) -> Work:
    """The same without a transaction around them: each takes the database's lock and lets it go; a fiftieth of so many."""
    return _reads(module, path, max(1, count // 50))


def _reads(module: ModuleType, path: str, count: int, *around: str) -> Work:
    connection = _filled(module, path, count)
    connection.isolation_level = None

    def run() -> int:
        found = -1
        for statement in around[:1]:
            connection.execute(statement)
        for number in range(count):
            found = connection.execute("SELECT id, name, total FROM rows WHERE id = ?", (number,)).fetchone()[0]
        for statement in around[1:]:
            connection.execute(statement)
        return found + 1

    return Work(run=run, per=count, close=connection.close)


def scan(module: ModuleType, path: str, count: int) -> Work:
    """So many rows by one query; answers how many came."""
    connection = _filled(module, path, count)
    return Work(run=lambda: len(connection.execute("SELECT id, name, total FROM rows").fetchall()), per=count, close=connection.close)


def _filled(module: ModuleType, path: str, count: int) -> Any:
    connection = module.connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, name TEXT, total REAL)")
    with connection:
        connection.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?)", _rows(count))
    return connection


WORKLOADS: dict[str, Make] = {"inserts": inserts, "reads": reads, "lone-reads": lone_reads, "scan": scan}
