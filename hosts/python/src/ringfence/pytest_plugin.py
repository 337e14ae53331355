"""The pytest plugin: graphs that end with the test that opened them, and the assertion that their fence refused nothing.

Pytest loads it wherever ringfence is installed; it imports nothing of the host until a test asks for a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ringfence.graph import Graph

MARKER = "ringfence_nothing_denied"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", f"{MARKER}: fail the test if a graph of `ringfence_graph` was refused anything")


@pytest.fixture
def ringfence_graph(request: pytest.FixtureRequest) -> Iterator[Callable[..., Graph]]:
    """`ringfence_graph(path, ...)` loads a graph, with all that `Graph.load` takes; it is closed after the test.

    With the marker `ringfence_nothing_denied` the test fails where one of them was refused something.
    """
    opened: list[Graph] = []

    def load(path: Any, **options: Any) -> Graph:
        from ringfence.graph import Graph

        opened.append(Graph.load(path, **options))
        return opened[-1]

    yield load
    for graph in reversed(opened):
        graph.close()
    if request.node.get_closest_marker(MARKER):
        from ringfence.testing import assert_nothing_denied

        assert_nothing_denied(*opened)
