"""A guest that does with files whatever it is told."""

import os
import sqlite3

from componentize_py_types import Err
from wit_world import exports


def _attempt(action):
    try:
        return action()
    except (OSError, sqlite3.Error, ValueError) as error:
        raise Err(f"{type(error).__name__}: {error}") from error


class Files(exports.Files):
    def read(self, path):
        def read():
            with open(path, "rb") as file:
                return file.read()

        return _attempt(read)

    def write(self, path, mode, data):
        def write():
            with open(path, mode) as file:
                return file.write(data)

        return _attempt(write)

    def names(self, folder):
        return _attempt(lambda: sorted(os.listdir(folder)))  # noqa: PTH208 -- the call that a guest's library makes

    def walk(self, folder):
        found = []
        for place, folders, names in os.walk(folder):
            found += [f"{place}/{name}" for name in [*folders, *names]]
        return sorted(found)

    def os(self, function, arguments):
        return _attempt(lambda: str(getattr(os, function)(*arguments)))

    def query(self, database, statements):
        def query():
            connection = sqlite3.connect(database, uri=True)
            rows = []
            try:
                for statement in statements:
                    rows = connection.execute(statement).fetchall()
                connection.commit()
            finally:
                connection.close()
            return [repr(row) for row in rows]

        return _attempt(query)

    def query_and_die(self, database, statements):
        connection = sqlite3.connect(database, uri=True)
        connection.execute("PRAGMA cache_size = 1")
        for statement in statements:
            connection.execute(statement)
        raise RuntimeError("in the middle")

    def read_in_pieces(self, path, size):
        def read():
            total = 0
            with open(path, "rb", buffering=0) as file:
                while piece := file.read(size):
                    total += len(piece)
            return total

        return _attempt(read)

    def open_often(self, path, times):
        def repeat():
            for _ in range(times):
                os.close(os.open(path, os.O_RDONLY))

        return _attempt(repeat)

    def stat_often(self, path, times):
        def repeat():
            for _ in range(times):
                os.stat(path)

        return _attempt(repeat)
