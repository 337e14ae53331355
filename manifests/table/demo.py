"""The table: three libraries that everybody uses, what each may do, real work by each, and what their fences refuse.

python manifests/table/demo.py
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from postgres_server import PostgresServer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from ringfence import CapabilityDenied, Graph, GuestError
from ringfence.contract.lock import Lock
from ringfence.contract.wording import worded
from ringfence.dbapi import postgres
from ringfence.dbapi.exceptions import DatabaseError
from ringfence_composer.compose import Workshop, compose_file

HERE = Path(__file__).parent
DATA = HERE / "data"
ORDERS = """[
  {"id": "A-17", "customer": "Ada", "total": 2000},
  {"id": "A-18", "customer": "Grace", "total": 1250},
  {"id": "A-19", "customer": "Ada", "total": 795}
]"""
COLUMNS = {"files": ("files",), "network": ("tcp", "udp", "listen", "dns"), "environment": ("env",)}
console = Console(highlight=False)


def show_plan(lock: Lock) -> None:
    """The plan's rows: what each node's edges to the host grant; all else is denied."""
    table = Table("library", *COLUMNS, show_lines=True)
    for node in ("json", "sqlite", "postgres"):
        given = [one for edge in lock.edges if edge.consumer == node for one in worded(edge.grant, lock.parameters)]
        table.add_row(node, *("\n".join(escape(one.words) for one in given if one.kind in kinds) or "deny" for kinds in COLUMNS.values()))
    console.print(table)


def refused(what: str, attempt: Callable[[], Any], otherwise: str) -> None:
    """Make an attempt that has to fail, and say why it did and what it would need; exits where the fence lets it through.

    `otherwise` is what it would need where the guest never got as far as asking the host.
    """
    try:
        attempt()
    except (CapabilityDenied, GuestError, DatabaseError) as error:
        denied = error.__cause__ if isinstance(error, DatabaseError) else error
        asked = denied.denials[0] if isinstance(denied, CapabilityDenied) else None
        if asked is not None:
            why, needs = f"denied: {asked.operation} {asked.value}, {asked.reason}", asked.allow or otherwise
        else:
            why, needs = getattr(getattr(error, "value", None), "message", str(error)), otherwise
        console.print(f"[bold]{escape(what)}[/]\n    {escape(why)}\n    it would need: {escape(needs)}", soft_wrap=True)
        return
    sys.exit(f"{what}: the fence let it through")


def work(graph: Graph, server: PostgresServer) -> None:
    """A JSON document, kept in a SQLite file and in PostgreSQL."""
    import fenced
    import ledger

    orders = fenced.loads(ORDERS)
    console.print(f"json      decoded {len(orders)} orders")
    console.print(f"sqlite    kept {ledger.keep(orders)} of them in data/ledger.sqlite3; {ledger.totals()}")
    with closing(sqlite3.connect(DATA / "ledger.sqlite3")) as native:
        total, check = native.execute("SELECT sum(total) FROM orders").fetchone()[0], native.execute("PRAGMA integrity_check").fetchone()[0]
    console.print(f"          the ordinary sqlite3 reads the same file: {total}, integrity {check}")
    with postgres.connect(graph, user=server.user) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE orders (id text PRIMARY KEY, customer text, total bigint)")
        cursor.executemany("INSERT INTO orders VALUES (%(id)s, %(customer)s, %(total)s)", orders)
        cursor.execute("SELECT customer, sum(total) FROM orders GROUP BY customer ORDER BY customer")
        console.print(f"postgres  {', '.join(f'{customer}: {total}' for customer, total in cursor)}")


NOTHING = "nothing can be granted that allows it"


def attempts_by_json(server: PostgresServer) -> None:
    """By a decoder that somebody has got at."""
    read, connect, variable = '{"read": "/data/ledger.sqlite3"}', f'{{"connect": "{server.address}"}}', '{"variable": "PGPASSWORD"}'
    with Graph.load(HERE / "turncoat.yaml") as graph:
        for errand, grant in (
            (read, 'files: [{ path: data, match: ["ledger.sqlite3"] }]'),
            (connect, f'tcp: ["{server.address}"]'),
            (variable, "env: [PGPASSWORD]"),
        ):
            refused(f"json: {errand}", lambda errand=errand: graph.call("json.decode", errand), grant)


def attempts_by_sqlite() -> None:
    """By SQL: on what is not the database's, on other names, by links, by code."""
    from fenced import sqlite3 as fenced_sqlite3

    (DATA / "link.sqlite3").symlink_to("/etc/passwd")
    (DATA / "notes.txt").write_text("not a database\n")
    for sql, grant in (
        ("ATTACH '/etc/passwd' AS x", "files: [{ path: …/etc, as: /etc, match: [passwd], access: [read, write] }]"),
        ("ATTACH '/data/notes.txt' AS x", NOTHING),
        ("VACUUM INTO '/data/copy.txt'", NOTHING),
        ("ATTACH '/data/link.sqlite3' AS x", f"{NOTHING}: links stay in their folder"),
        ("SELECT load_extension('/data/ledger.sqlite3')", f"{NOTHING}: a component loads no code"),
    ):
        with closing(fenced_sqlite3.connect("/data/ledger.sqlite3", isolation_level=None)) as connection:
            refused(f"sqlite: {sql}", lambda sql=sql, connection=connection: connection.execute(sql), grant)


def attempts_by_postgres(graph: Graph, server: PostgresServer) -> None:
    """At another address and by another way."""
    other = server.port - 1 if server.port > 1024 else server.port + 1
    for what, place, grant in (
        ("another port", {"port": other}, NOTHING),
        ("a name for the same address", {"host": "localhost"}, NOTHING),
        ("a unix socket", {"host": server.socket_folder}, f"{NOTHING}: WASI has no such sockets"),
    ):
        refused(f"postgres: {what}", lambda place=place: postgres.connect(graph, user=server.user, **place), grant)


def main() -> None:
    """Run all acts; exit 0 when each went as it must."""
    planned = compose_file(HERE / "graph.yaml", Workshop())
    compose_file(HERE / "turncoat.yaml", Workshop())
    sys.path.insert(0, str(HERE / "app"))
    for path in DATA.glob("[!.]*"):
        path.unlink()
    console.rule("what each library may do", align="left")
    show_plan(planned.lock)
    with PostgresServer() as server:
        os.environ["PGPASSWORD"] = server.password
        with Graph.load(HERE / "graph.yaml", parameters={"postgres": server.address}) as graph:
            console.rule("what they do", align="left")
            work(graph, server)
            console.rule("what their fences refuse, and what it would need", align="left")
            attempts_by_json(server)
            attempts_by_sqlite()
            attempts_by_postgres(graph, server)


if __name__ == "__main__":
    main()
