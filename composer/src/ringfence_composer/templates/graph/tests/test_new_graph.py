"""The graph as an application calls it. The first run builds its components."""

from pathlib import Path

import pytest
from ringfence import Graph


@pytest.fixture(scope="module")
def graph():
    with Graph.load(Path(__file__).parents[1] / "graph.yaml", compose=True) as graph:
        yield graph


def test_it_greets(graph):
    assert graph.call("hello.greet", "Ada") == "Hello, Ada!"


def test_no_call_was_refused_anything(graph):
    assert not graph.denials
