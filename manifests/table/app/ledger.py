"""A ledger of orders in a SQLite file. Written for the module `sqlite3`; one import was changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fenced import sqlite3  # it was: import sqlite3

PATH = "/data/ledger.sqlite3"
"""As the component knows the file: its folder is granted as /data."""


def keep(orders: Iterable[Mapping[str, Any]], path: str = PATH) -> int:
    """Add orders that are not there yet; how many they were."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, customer TEXT NOT NULL, total INTEGER NOT NULL)")
        before = connection.total_changes
        connection.executemany("INSERT OR IGNORE INTO orders VALUES (:id, :customer, :total)", orders)
        added = connection.total_changes - before
    connection.close()
    return int(added)


def totals(path: str = PATH) -> dict[str, int]:
    """What each customer's orders come to."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    rows = connection.execute("SELECT customer, sum(total) AS total FROM orders GROUP BY customer ORDER BY customer").fetchall()
    connection.close()
    return {row["customer"]: row["total"] for row in rows}
