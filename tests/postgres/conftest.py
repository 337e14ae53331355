"""A real PostgreSQL, and the fenced client of manifests/table in front of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from places import ROOT, TABLE
from postgres_server import PostgresServer
from ringfence import Graph
from ringfence.dbapi import postgres

TEXT = """
ringfence: 1
graph: client
PARAMETERS
nodes:
  postgres: { component: ROOT/components/postgres-client, limits: { deadline: LIMIT } }
edges:
  - { from: postgres, to: host, grant: { GRANT } }
expose: [postgres]
"""
PARAMETERS = 'parameters: { postgres: { type: endpoint, default: "127.0.0.1:5432", within: "127.0.0.1:*" } }'
GRANT = 'tcp: ["${postgres}"], env: [PGPASSWORD, { DATABASE_URL: "postgresql://${postgres}" }]'


@pytest.fixture(scope="session")
def server(postgres_server: PostgresServer) -> PostgresServer:
    return postgres_server


@pytest.fixture(scope="session")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Composes a graph of the client alone with this grant, as YAML flow text; each once a session."""
    from ringfence_composer.compose import compose_file

    done: dict[tuple[str, str], Path] = {}

    def compose(grant: str = GRANT, deadline: str = "60s") -> Path:
        if (grant, deadline) not in done:
            folder = tmp_path_factory.mktemp("graph")
            (folder / "home").mkdir()  # for grants of files
            file = done[grant, deadline] = folder / "graph.yaml"
            parameters = PARAMETERS if "${postgres}" in grant else ""
            text = (
                TEXT.replace("PARAMETERS", parameters)
                .replace("GRANT", grant)
                .replace("LIMIT", deadline)
                .replace("ROOT", os.path.relpath(ROOT, folder))
            )
            file.write_text(text)
            compose_file(file)
        return done[grant, deadline]

    return compose


@pytest.fixture(scope="session")
def table_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graph of manifests/table, composed outside the checkout."""
    from ringfence_composer.compose import compose_file

    folder = tmp_path_factory.mktemp("table")
    (folder / "data").mkdir()
    file = folder / "graph.yaml"
    file.write_text((TABLE / "graph.yaml").read_text().replace("../../components", os.path.relpath(ROOT / "components", folder)))
    compose_file(file)
    return file


@pytest.fixture
def password(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server's password, which is in the environment, too."""
    monkeypatch.setenv("PGPASSWORD", server.password)
    return server.password


@pytest.fixture
def graph(composed: Callable[..., Path], server: PostgresServer, password: str) -> Iterator[Graph]:
    with Graph.load(composed(), parameters={"postgres": server.address}) as graph:
        yield graph


@pytest.fixture
def connect(graph: Graph, server: PostgresServer) -> Iterator[Callable[..., postgres.Connection]]:
    """Makes connections, which are closed in the end."""
    made: list[postgres.Connection] = []

    def connect(**settings: Any) -> postgres.Connection:
        made.append(postgres.connect(graph, **{"user": server.user, **settings}))
        return made[-1]

    yield connect
    for one in made:
        one.close()


@pytest.fixture
def connection(connect: Callable[..., postgres.Connection]) -> postgres.Connection:
    return connect()


@pytest.fixture
def cursor(connection: postgres.Connection) -> postgres.Cursor:
    """A cursor in a transaction that nobody commits."""
    return connection.cursor()


@pytest.fixture
def client(graph: Graph, server: PostgresServer) -> Iterator[Any]:
    """A connection as WIT has it, without a face."""
    settings = dict.fromkeys(("host", "port", "database", "password", "application_name"))
    with graph["postgres"].connection.open({**settings, "user": server.user, "ssl": "prefer"}) as opened:
        yield opened
        opened.disconnect()
