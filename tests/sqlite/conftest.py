"""A fenced SQLite in a folder of its own, and the native one beside it: the same code is asked of both."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from places import ROOT
from ringfence import Graph
from ringfence.dbapi.sqlite import module
from ringfence_composer.compose import compose_file

GRAPH = """
ringfence: 1
graph: database
nodes:
  sqlite: {{ component: {component}, limits: {{ memory: 512MiB, deadline: 60s, output: 8MiB, written: 1GiB }} }}
edges:
  - from: sqlite
    to: host
    grant:
      files:
        - {{ path: data, match: ["*.sqlite3", "*.sqlite3-journal"], access: [read, write, create, delete], lock: ["*.sqlite3"] }}
expose: [sqlite]
"""


@pytest.fixture(scope="session")
def composed(tmp_path_factory):
    """The graph's file; its folder `data` is granted as /data."""
    folder = tmp_path_factory.mktemp("sqlite")
    (folder / "data").mkdir()
    (folder / "graph.yaml").write_text(GRAPH.format(component=os.path.relpath(ROOT / "components/sqlite-client", folder)))
    compose_file(folder / "graph.yaml")
    return folder / "graph.yaml"


@pytest.fixture(scope="session")
def graph(composed):
    with Graph.load(composed) as loaded:
        yield loaded


@pytest.fixture
def data(composed):
    """The folder of the databases, empty."""
    folder = composed.parent / "data"
    for path in folder.iterdir():
        path.unlink()
    return folder


@dataclass
class Database:
    """A module, and where a database of this name is for it."""

    module: ModuleType
    folder: Path | str

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}"


@pytest.fixture
def fenced(graph, data):
    return Database(module(graph["sqlite"]), "/data")


@pytest.fixture(params=["fenced", "native"])
def either(request, data):
    """Each test with it says what sqlite3 does, and that the fenced one does the same."""
    if request.param == "native":
        return Database(sqlite3, data)
    return request.getfixturevalue("fenced")


@pytest.fixture
def memory(either):
    """A connection to a database in memory."""
    connection = either.module.connect(":memory:")
    yield connection
    connection.close()
