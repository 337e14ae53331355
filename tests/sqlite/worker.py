"""A process that uses a database, fenced or natively, as it is told on standard input: a line of SQL, answered by a line.

python worker.py fenced GRAPH NAME | native FOLDER NAME
    `count N` commits rows by N until it is killed, and says how many there are
    `add N` reads a number, thinks, and writes the next one, N times, whoever else does; it says how often it had to begin again
"""

import random
import sqlite3
import sys
import time
from itertools import count

from ringfence import Graph
from ringfence.dbapi.sqlite import module


def main():
    kind, where, name = sys.argv[1:]
    if kind == "fenced":
        graph = Graph.load(where)
        connection = module(graph["sqlite"]).connect(f"/data/{name}", timeout=0.3, isolation_level=None)
    else:
        connection = sqlite3.connect(f"{where}/{name}", timeout=0.3, isolation_level=None)
    print("ready", flush=True)
    for line in sys.stdin:
        if line.startswith("count "):
            go_on(connection, int(line.split()[1]))
        if line.startswith("add "):
            print(add(connection, int(line.split()[1])), flush=True)
            continue
        try:
            answer = repr(connection.execute(line).fetchall())
        except Exception as error:  # it is the answer
            answer = f"{type(error).__name__}: {error}"
        print(answer, flush=True)


def add(connection, times):
    again = done = 0
    while done < times:
        try:
            connection.execute("BEGIN")
            (number,) = connection.execute("SELECT a FROM t").fetchone()
            time.sleep(random.random() / 100)
            connection.execute("UPDATE t SET a = ?", (number + 1,))
            connection.execute("COMMIT")
            done += 1
        except Exception as error:
            if "database is locked" not in str(error):
                raise
            again += 1
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    return again


def go_on(connection, rows):
    connection.execute("PRAGMA cache_size = 5")
    for number in count(1):
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO t VALUES (randomblob(?))", [(400,)] * rows)
        connection.execute("COMMIT")
        print(number * rows, flush=True)


main()
