"""The bank: five nodes in Python, C and Rust, two of them one component, joined in both ways; in both lanes, too.

front (Python) -> vault, middle, right; middle (C) -> vault, left; vault (Rust) owns accounts; left and right are one component (Rust).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from host.fused.small import Bench
from ringfence import Graph

BANK = """
ringfence: 1
graph: bank
fused: {fused}
nodes:
  front: {{ component: ROOT/tests/host/fused/guests/front, instances: {instances}{front} }}
  middle: {{ component: ROOT/tests/host/fused/guests/middle, instances: {instances} }}
  vault: {{ component: ROOT/tests/host/fused/guests/vault, instances: {instances} }}
  left: {{ component: ROOT/tests/host/fused/guests/trier, instances: {instances}{left} }}
  right: {{ component: ROOT/tests/host/fused/guests/trier, instances: {instances}{right} }}
edges:
  - {{ from: front, to: vault }}
  - {{ from: front, to: middle }}
  - {{ from: front, to: right }}
  - {{ from: middle, to: vault }}
  - {{ from: middle, to: left }}
{edges}
expose: {expose}
"""


def written(*, fused: bool, instances: str = "single", edges: str = "", expose: str = "[front]", **limits: str) -> str:
    """The bank as graph.yaml; `limits` of nodes as YAML flow text, `edges` as further lines."""
    of_nodes = {name: f", limits: {{ {limits[name]} }}" if name in limits else "" for name in ("front", "left", "right")}
    return BANK.format(fused=str(fused).lower(), instances=instances, edges=edges, expose=expose, **of_nodes)


@pytest.fixture(params=["store", "fused"])
def mode(request) -> str:
    """How the nodes are joined."""
    return request.param


@pytest.fixture
def bank(compose, mode) -> Iterator[Callable[..., Graph]]:
    """Makes banks in this mode."""
    opened: list[Graph] = []

    def make(**given: object) -> Graph:
        opened.append(Graph.load(compose(written(fused=mode == "fused", **given))))
        return opened[-1]

    yield make
    for graph in opened:
        graph.close()


@pytest.fixture(params=["component", "core"])
def bench(request, tmp_path, mode) -> Bench:
    return Bench(tmp_path, request.param, mode)


@pytest.fixture
def fused(bench) -> Bench:
    """Only in the one mode."""
    if bench.mode == "store":
        pytest.skip("about groups alone")
    return bench
