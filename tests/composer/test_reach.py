"""What a node can reach through others: a grant that nobody sees on the node itself is authority all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from composer_doubles import FakeFacts, built, resolved, world
from rich.console import Console
from ringfence_composer.plan import Plan, plan
from ringfence_composer.reach import Reach, reach
from ringfence_composer.reports.data import text_of
from ringfence_composer.reports.reach import print_reach, reach_data
from ringfence_composer.reports.terminal import Terminal

A, B, C = "demo:a/a@1.0.0", "demo:b/b@1.0.0", "demo:c/c@1.0.0"
TCP = "wasi:sockets/tcp@0.2.9"
WORLDS = {
    "front": world([A, B], {"demo:f/f": ["go"]}),
    "left": world([C, TCP], {A: ["one", "two"]}),
    "right": world([C], {B: ["one"]}),
    "bottom": world([TCP, "wasi:random/random@0.2.9"], {C: ["deep"]}),
    "apart": world([TCP], {"demo:x/x": ["run"]}),
}
REST = """edges:
  - { from: front, to: left, grant: { calls: [one] } }
  - { from: front, to: right }
  - { from: left, to: bottom }
  - { from: right, to: bottom }
  - { from: left, to: host, grant: { tcp: ["db.internal:5432"] } }
  - { from: bottom, to: host, grant: { tcp: ["*.vendor.example:443"], env: [SECRET] } }
  - { from: apart, to: host, grant: { tcp: ["10.0.0.1:1"] } }
expose: [{ node: front, calls: [go] }]
"""


@pytest.fixture
def planned(tmp_path: Path) -> Plan:
    """front calls left and right, both call bottom; apart has nobody."""
    graph = resolved(tmp_path, WORLDS, REST)
    return plan(built(graph, {"bottom": frozenset({"wasi:random/random"})}), FakeFacts(WORLDS))


@pytest.fixture
def found(planned: Plan) -> dict[str, Reach]:
    return {one.node: one for one in reach(planned)}


def test_a_node_reaches_what_those_it_calls_were_granted(found: dict[str, Reach]) -> None:
    words = {place.node: [grant.words for grant in place.grants] for place in found["front"].places}
    assert words == {
        "front": [],
        "left": ["connect to db.internal, port 5432"],
        "right": [],
        "bottom": [
            "connect to *.vendor.example, port 443 (can exfiltrate)",
            "variable SECRET, the host's value",
            "random bytes (language runtime)",
        ],
    }


def test_nothing_is_reached_against_the_edges_or_without_one(found: dict[str, Reach]) -> None:
    """The control for the test above: reach is no more than the ways there are."""
    assert [place.node for place in found["bottom"].places] == ["bottom"]
    assert [place.node for place in found["left"].places] == ["left", "bottom"]
    assert [place.node for place in found["apart"].places] == ["apart"]


def test_the_way_is_the_shortest_and_says_by_which_functions(found: dict[str, Reach]) -> None:
    bottom = found["front"].places[-1]
    assert [(step.node, step.calls, step.line) for step in bottom.way] == [("left", ("one",), 10), ("bottom", None, 12)]
    assert bottom.ways == 2
    assert [place.ways for place in found["front"].places] == [1, 1, 1, 2]


def test_a_node_that_reaches_an_open_door_can_exfiltrate(found: dict[str, Reach]) -> None:
    """Its own edges show nothing of it: that is what this report is for."""
    assert {name: one.exfiltrates for name, one in found.items()} == {
        "front": True, "left": True, "right": True, "bottom": True, "apart": False,
    }  # fmt: skip


def test_the_terminal_shows_exposed_nodes_and_json_all(planned: Plan) -> None:
    terminal = Terminal()
    terminal.out = Console(width=200, soft_wrap=True, highlight=False)
    with terminal.out.capture() as shown:
        print_reach(terminal, planned, reach(planned))
    assert shown.get().splitlines() == [
        "front (only go)  can exfiltrate (bottom)",
        "  itself",
        "    nothing granted",
        "  through front -> left (only one)",
        "    + connect to db.internal, port 5432  graph.yaml:14",
        "  through front -> right",
        "    nothing granted",
        "  through front -> left (only one) -> bottom  (and by 1 more way)",
        "    ! connect to *.vendor.example, port 443 (can exfiltrate)  graph.yaml:15",
        "    + variable SECRET, the host's value  graph.yaml:15",
        "    language runtime: random bytes",
    ]
    data = json.loads(text_of(reach_data(planned, reach(planned))))["reach"]
    assert set(data) == set(WORLDS)
    assert [name for name, one in data.items() if one["exposed"]] == ["front"]
    assert data["front"]["places"][3]["way"] == [
        {"node": "left", "calls": ["one"], "line": 10},
        {"node": "bottom", "calls": None, "line": 12},
    ]


def test_many_ways_are_counted_without_walking_them_all(tmp_path: Path) -> None:
    """Twenty diamonds in a row have a million ways."""
    names = [name for level in range(20) for name in (f"n{level}", f"l{level}", f"r{level}")] + ["n20"]
    edges = [(f"n{level}", f"{side}{level}") for level in range(20) for side in "lr"]
    edges += [(f"{side}{level}", f"n{level + 1}") for level in range(20) for side in "lr"]
    export = {name: f"demo:{name}/{name}@1.0.0" for name in names}
    worlds = {name: world([export[to] for start, to in edges if start == name], {export[name]: ["f"]}) for name in names}
    rest = "edges:\n" + "".join(f"  - {{ from: {start}, to: {to} }}\n" for start, to in edges)
    graph = resolved(tmp_path, worlds, rest)
    (first, *_) = reach(plan(built(graph), FakeFacts(worlds)))
    assert first.places[-1].ways == 2**20


def test_what_an_edge_passes_on_is_reached_by_that_edge_only(tmp_path: Path) -> None:
    rest = REST.replace("{ from: left, to: bottom }", '{ from: left, to: bottom, grant: { tcp: ["db.internal:5432"] } }')
    graph = resolved(tmp_path, WORLDS, rest)
    found = {one.node: one for one in reach(plan(built(graph), FakeFacts(WORLDS)))}
    passed = {
        start: [grant.through for place in found[start].places if place.node == "bottom" for grant in place.grants if grant.through]
        for start in ("front", "left", "right", "bottom")
    }
    assert passed == {"front": ["left -> bottom"], "left": ["left -> bottom"], "right": [], "bottom": []}
