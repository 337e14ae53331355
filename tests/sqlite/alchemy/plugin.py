"""SQLAlchemy's own test plugin, its dialect for the fence on the graph that the environment names, and each test's outcome in a file."""

import json
import os
import re
from pathlib import Path

from ringfence import Graph
from ringfence.dbapi.sqlite import module
from ringfence.dbapi.sqlite.sqlalchemy import Dialect
from sqlalchemy.dialects import registry
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: F403 -- the hooks

registry.register("sqlite.fenced", __name__, "FencedDialect")
outcomes = {}


class FencedDialect(Dialect):
    """`sqlite+fenced`: the suite makes its engines by URL alone, so that the module has to be found here."""

    supports_statement_cache = True
    _module = None

    @classmethod
    def import_dbapi(cls):
        if cls._module is None:
            cls._module = module(Graph.load(os.environ["FENCED_GRAPH"])["sqlite"])
        return cls._module


def pytest_runtest_logreport(report):
    name = re.sub(r"_sqlite\+\w+", "", report.nodeid.partition("::")[2])
    if report.when == "call" or report.outcome != "passed":
        outcomes[name] = report.outcome


def pytest_unconfigure():
    Path(os.environ["OUTCOMES"]).write_text(json.dumps(outcomes, indent=1, sort_keys=True))
