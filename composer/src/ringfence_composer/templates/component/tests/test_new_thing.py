"""new-thing in its fence, called as an application calls it. The first run builds it."""

from pathlib import Path

import pytest
from ringfence import Graph


@pytest.fixture(scope="module")
def graph():
    with Graph.load(Path(__file__).with_name("graph.yaml"), compose=True) as graph:
        yield graph


def test_it_greets(graph):
    assert graph.call("new-thing.greet", "Ada") == "Hello, Ada!"
