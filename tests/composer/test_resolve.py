"""Who satisfies whom is decided once, by names and semver, and everything that is wrong is told."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest
from composer_doubles import FakeFacts, manifest, resolved, world
from hypothesis import given
from hypothesis import strategies as st
from ringfence_composer.resolve import resolve, satisfies, side_by_side
from ringfence_composer.tools import Fit, Item

STORE = "demo:store/store@1.0.0"


def problems(folder: Path, facts: FakeFacts, rest: str) -> list[str]:
    found, noted = manifest(folder, dict.fromkeys(facts.worlds, ""), rest)
    resolve(found, facts, noted)
    return [str(one) for one in noted.in_order()]


@pytest.mark.parametrize(
    ("wanted", "given_", "meets"),
    [
        ("a:b/c@1.0.0", "a:b/c@1.9.3", True),
        ("a:b/c@1.9.3", "a:b/c@1.0.0", True),
        ("a:b/c@1.0.0", "a:b/c@2.0.0", False),
        ("a:b/c@0.2.0", "a:b/c@0.2.6", True),
        ("a:b/c@0.2.0", "a:b/c@0.3.0", False),
        ("a:b/c@0.0.1", "a:b/c@0.0.2", False),
        ("a:b/c@1.0.0", "a:b/c", False),
        ("a:b/c@1.0.0", "a:b/d@1.0.0", False),
        ("plain", "plain", True),
        ("plain", "other", False),
    ],
)
def test_names_meet_by_semver(wanted: str, given_: str, meets: bool) -> None:
    assert satisfies(wanted, given_) is meets


def test_links_order_and_reach(tmp_path: Path) -> None:
    """Providers are built before consumers, and reach goes through others: that is what a review of authority must see."""
    worlds = {
        "app": world([STORE]),
        "cache": world([STORE], {STORE: ["get"]}),
        "disk": world(["wasi:filesystem/types@0.2.6"], {"demo:store/store@1.4.0": ["get"]}),
    }
    graph = resolved(tmp_path, worlds, "edges:\n  - { from: app, to: cache }\n  - { from: cache, to: disk }\nexpose: []\n")
    assert [(str(link.edge), link.wanted, link.given) for link in graph.links] == [
        ("app -> cache", STORE, STORE),
        ("cache -> disk", STORE, "demo:store/store@1.4.0"),
    ]
    assert graph.order == ("disk", "cache", "app")
    assert graph.reach == {"app": ("cache", "disk"), "cache": ("disk",), "disk": ()}


def test_an_interface_of_types_needs_nobody_who_exports_it(tmp_path: Path) -> None:
    """Whoever exports an interface that uses another's types imports that other. There is nothing in it to ask for."""
    app = world([], {STORE: ["get"]})
    shapes = Item(name="demo:store/shapes@1.0.0", kind="interface")
    held = dataclasses.replace(shapes, resources=("cursor",))
    told = "imports demo:store/shapes@1.0.0, which no edge satisfies"
    assert problems(tmp_path, FakeFacts({"app": dataclasses.replace(app, imports=(shapes,))}), "") == []
    (found,) = problems(tmp_path, FakeFacts({"app": dataclasses.replace(app, imports=(held,))}), "")
    assert told in found, "the control: a resource somebody must have"


def test_a_resource_must_come_from_one_place_on_both_sides(tmp_path: Path) -> None:
    """Otherwise a handle would be used in a node that never made it."""
    things, use = "demo:things/things@1.0.0", "demo:use/use@1.0.0"
    worlds = {
        "app": world([things, use]),
        "one": world([], {things: ["make"]}),
        "two": world([], {things: ["make"]}),
        "user": world([things], {use: ["take"]}),
    }
    facts = FakeFacts(worlds, {use: Fit(fits=True, shared=(things,))})
    edges = "edges:\n  - { from: app, to: one }\n  - { from: app, to: user }\n  - { from: user, to: %s }\n"
    assert problems(tmp_path, facts, edges % "one") == []
    (found,) = problems(tmp_path, facts, edges % "two")
    message = f"{use} hands over resources of {things}, which app gets from one and user from two"
    assert found == f"graph.yaml:10:5: edges[1]: {message}\n  both must get {things} from the same node"


def test_a_broken_edge_is_not_reported_twice_as_a_missing_one(tmp_path: Path) -> None:
    facts = FakeFacts({"app": world([STORE]), "store": world([], {STORE: ["get"]})})
    assert [one.split("\n")[0] for one in problems(tmp_path, facts, "edges:\n  - { from: app, to: stroe }\n")] == [
        "graph.yaml:7:22: edges[0].to: there is no node 'stroe'"
    ]


def test_a_node_whose_world_cannot_be_read_hides_no_other_problem(tmp_path: Path) -> None:
    facts = FakeFacts({"app": world(["demo:gone/gone@1.0.0"])})
    found, noted = manifest(tmp_path, {"app": "", "store": ""}, "edges:\n  - { from: app, to: app }\n")
    resolve(found, facts, noted)
    store, edge = (one.message for one in noted.in_order())
    assert store.startswith("store.wasm: expected a component as a WebAssembly binary, found text")
    assert edge == "app has an edge to itself"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12, unique=True))
def test_a_circle_is_found_exactly_where_there_is_one(pairs: list[tuple[int, int]]) -> None:
    """Against networkx's own answer, and the message must show a real circle."""
    import tempfile

    pairs = [(a, b) for a, b in pairs if a != b]
    names = [f"n{index}" for index in range(6)]
    worlds = {
        name: world(
            [f"demo:i/n{b}@1.0.0" for a, b in pairs if f"n{a}" == name],
            {f"demo:i/{name}@1.0.0": ["f"]},
        )
        for name in names
    }
    edges = "edges: [" + ", ".join(f"{{ from: n{a}, to: n{b} }}" for a, b in pairs) + "]\n"
    with tempfile.TemporaryDirectory() as folder:
        found = problems(Path(folder), FakeFacts(worlds), edges)
    acyclic = nx.is_directed_acyclic_graph(nx.DiGraph(pairs))
    assert (not found) is acyclic
    for one in found:
        way = one.split("\n")[0].rpartition(": ")[2].split(" -> ")
        assert way[0] == way[-1]
        assert all((int(a[1]), int(b[1])) in pairs for a, b in pairwise(way))


def test_types_stand_side_by_side_where_they_are_narrow_enough() -> None:
    assert side_by_side([("a imports", "u32"), ("b exports", "record r {\n  x: u8,\n}")]) == (
        "a imports | b exports\n  u32       | record r {\n            |   x: u8,\n            | }"
    )
    assert " | " not in side_by_side([("a imports", "x" * 90), ("b exports", "y" * 90)])
