"""CPython's own tests of sqlite3, with the fenced one in its place: python cpython_suite.py GRAPH, in the folder that the graph grants.

Prints, as JSON, how many ran and were skipped, and of each that did not pass the last line of its error.
"""

import importlib
import json
import os
import sys
import types
import unittest

from ringfence import Graph
from ringfence.dbapi.sqlite import module

PARTS = ("dbapi", "dump", "factory", "hooks", "regression", "transactions", "types", "userfunctions", "backup")


def main():
    fenced = module(Graph.load(sys.argv[1])["sqlite"])
    fenced.__path__ = []
    fenced.dbapi2 = types.ModuleType("sqlite3.dbapi2")
    fenced.dbapi2.__dict__.update(fenced.__dict__)
    sys.modules.update({"sqlite3": fenced, "sqlite3.dbapi2": fenced.dbapi2})
    suite = unittest.TestSuite(
        unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(f"test.test_sqlite3.test_{part}")) for part in PARTS
    )
    with open(os.devnull, "w") as silence:
        result = unittest.TextTestRunner(stream=silence).run(suite)
    wrong = {}
    for test, trace in result.failures + result.errors:
        wrong.setdefault(test.id().split()[0].removeprefix("test.test_sqlite3.test_"), trace.strip().splitlines()[-1])
    print(json.dumps({"run": result.testsRun, "skipped": len(result.skipped), "wrong": wrong}))


main()
