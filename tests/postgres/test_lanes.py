"""The client's component on either engine: the same answers."""

from decimal import Decimal

import pytest
from ringfence import Graph
from ringfence.dbapi import postgres

GRAPH = """
ringfence: 1
graph: lanes
parameters:
  postgres: { type: endpoint, within: "127.0.0.1:*" }
nodes:
  postgres: { component: ROOT/components/postgres-client, limits: { deadline: 60s } }
edges:
  - { from: postgres, to: host, grant: { tcp: ["${postgres}"], env: [PGPASSWORD, { DATABASE_URL: "postgresql://${postgres}" }] } }
expose: [postgres]
"""


def test_the_client_answers_alike_on_both_lanes(compose, server, password):
    """Resources, nested variants and flat arrays cross by two different programs."""
    given = [None, True, -5, 2.5, Decimal("1.10"), "ü", b"\0\xff", [[1, None], [3, 4]], {"a": [1]}]
    with Graph.load(compose(GRAPH), parameters={"postgres": server.address}) as graph:
        cursor = postgres.connect(graph, user=server.user).cursor()
        cursor.execute(f"SELECT {', '.join(['%s'] * len(given))}", given)
        assert cursor.fetchall() == [tuple(given)]
        cursor.batch = 100
        assert cursor.execute("SELECT n FROM generate_series(1, 250) n", prepare=True).fetchall() == [(n,) for n in range(1, 251)]
        with pytest.raises(postgres.DataError) as failed:
            cursor.execute("SELECT 1 / 0")
        assert failed.value.sqlstate == "22012"
