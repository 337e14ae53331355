"""Pictures of graphs: nothing overlaps, nothing of a graph is left out, and no text of anyone's can act on what shows it."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence import Graph
from ringfence.contract.lock import Lock, LockedEdge, LockedExpose, LockedNode, LockedParameter
from ringfence.picture.layout import Box, Size, laid_out
from ringfence.picture.mermaid import mermaid
from ringfence.picture.model import Picture, picture_of, to_data
from ringfence.picture.svg import svg
from ringfence.picture.text import drawn

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "a\x1b[31m\"'<script>alert(1)</script>&lt;`]\u202e"


def node(name: str, **more: object) -> LockedNode:
    return LockedNode(name=name, world=f"acme:{name}/{name}@1.0.0", lane="core", reason="the default", **more)  # type: ignore[arg-type]


def edge(consumer: str, provider: str, **more: object) -> LockedEdge:
    return LockedEdge(consumer=consumer, provider=provider, line=9, **more)  # type: ignore[arg-type]


def shop(**more: object) -> Picture:
    """Two nodes that call a third, one grant with a wildcard, one node that nobody reaches."""
    lock = Lock(
        graph="shop",
        manifest="graph.yaml",
        inputs={},
        parameters=(LockedParameter(name="db", type="endpoint", within=("10.0.0.0/8:5432",)),),
        nodes=tuple(map(node, ("end", "vendor", "json", "lonely"))),
        edges=(
            edge("end", "json", interfaces={"a:j/decoder@0.1.0": "a:j/decoder@0.1.2"}, calls=("decode",), limits={"deadline": "1s"}),
            edge("vendor", "json", interfaces={"a:j/decoder@0.1.0": "a:j/decoder@0.1.2"}),
            edge("vendor", "host", grant={"tcp": ["*.vendor.example:443", "${db}"], "env": [{"TZ": HOSTILE}]}),
            edge("end", "host", grant={"stdout": "log"}),
        ),
        expose=(LockedExpose(node="end"), LockedExpose(node="vendor", calls=("get-order",), line=12)),
        **more,  # type: ignore[arg-type]
    )
    return picture_of(lock)


# Layout

NAMES = [f"n{index}" for index in range(8)]
SIZES = st.builds(Size, width=st.floats(1, 300), height=st.floats(1, 120))
EDGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.one_of(st.just(Size(width=0, height=0)), SIZES)), max_size=18)


@settings(max_examples=150, deadline=None)
@given(st.lists(SIZES, min_size=8, max_size=8), EDGES)
def test_no_two_boxes_of_any_graph_touch_and_every_edge_leads_to_the_right(sizes: list[Size], links: list[tuple[int, int, Size]]) -> None:
    nodes = dict(zip(NAMES, sizes, strict=True))
    edges = [(NAMES[min(a, b)], NAMES[max(a, b)], size) for a, b, size in links if a != b]
    layout = laid_out(nodes, edges, last="n7")
    solid = [*layout.nodes.values(), *(box for way in layout.ways for box in way[:1] if box.size.height)]
    assert not any(_touch(one, two) for one, two in combinations(solid, 2))
    for box in solid:
        assert box.x >= 0
        assert box.y >= 0
        assert box.right <= layout.size.width + 0.01
        assert box.y + box.size.height <= layout.size.height + 0.01
    for (left, right, _), way in zip(edges, layout.ways, strict=True):
        stops = [layout.nodes[left], *way, layout.nodes[right]]
        assert all(one.right < two.x for one, two in pairwise(stops))
    assert layout == laid_out(nodes, edges, last="n7")


def _touch(one: Box, two: Box) -> bool:
    beside = one.right <= two.x or two.right <= one.x
    return not beside and one.y < two.y + two.size.height and two.y < one.y + one.size.height


def test_the_host_stands_in_the_last_layer() -> None:
    small = Size(width=1, height=1)
    nodes = dict.fromkeys(("a", "b", "c", "host"), small)
    places = laid_out(nodes, [("a", "host", small), ("a", "b", small), ("b", "c", small)], last="host").nodes
    assert places["host"].x == places["c"].x > places["b"].x > places["a"].x


def test_an_empty_graph_has_a_picture() -> None:
    assert "nothing" in svg(Picture(name="nothing", file="graph.yaml", nodes=(), edges=()))


# SVG


def test_an_svg_shows_every_node_edge_and_label() -> None:
    root = ET.fromstring(svg(shop()))
    words = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    for expected in (
        *("application", "host", "end", "vendor", "json", "lonely", "a:j/decoder@0.1.2", "only decode", "deadline 1s"),
        *("connect to *.vendor.example, port 443 (can", "(the range", "stdout to the log", "nothing granted", "exposed", "core lane"),
    ):
        assert expected in words, expected
    tips = [path for path in root.iter(f"{SVG}path") if "tip" in path.get("class", "")]
    assert len(tips) == len(shop().edges) == 6


def test_what_can_exfiltrate_is_marked_in_every_form() -> None:
    """The reader's eye must be led there; the mark is on the node, the edge and the grant."""
    root = ET.fromstring(svg(shop()))
    leaky = [one.get("class") for one in root.iter() if "leaky" in (one.get("class") or "")]
    assert leaky == ["edge leaky", "tip edge leaky", "node exposed leaky"]
    assert next(one.text for one in root.iter(f"{SVG}text") if "exfiltrates" in one.get("class", "")).startswith("connect to *.vendor")
    assert "! connect to *.vendor.example, port 443 (can exfiltrate)" in drawn(shop())
    assert re.search(r"n_vendor\[.*:::exfiltrates$", mermaid(shop()), re.MULTILINE)
    assert [name for name, one in to_data(shop())["nodes"].items() if one["exfiltrates"]] == ["vendor"]


def test_text_in_an_svg_is_text_and_its_style_stays_inside() -> None:
    """In a notebook the picture is part of a page: neither scripts nor style of ours may reach the rest of it."""
    picture = shop()
    hostile = Picture(name=HOSTILE, file=HOSTILE, nodes=picture.nodes, edges=picture.edges)
    text = svg(hostile)
    root = ET.fromstring(text)
    assert {one.tag for one in root.iter()} == {f"{SVG}{tag}" for tag in ("svg", "title", "style", "rect", "text", "g", "path")}
    assert not [name for one in root.iter() for name in one.attrib if name.startswith("on") or "href" in name]
    assert "\x1b" not in text
    assert "\u202e" not in text
    (style,) = root.iter(f"{SVG}style")
    selectors = re.findall(r"([^{}]+)\{", (style.text or "").replace("@media (prefers-color-scheme: dark) {", ""))
    assert selectors
    assert all(one.startswith(".ringfence ") for one in selectors)


def test_the_dark_rules_name_every_colour_that_the_light_ones_do() -> None:
    style = re.search(r"<style>(.*)</style>", svg(shop()))[1]  # type: ignore[index]
    light, dark = style.split("@media (prefers-color-scheme: dark) {")
    assert re.findall(r"(\.ringfence [^{]+)\{", light) == re.findall(r"(\.ringfence [^{]+)\{", dark)
    assert set(re.findall(r"#[0-9a-f]{6}", light)).isdisjoint(re.findall(r"#[0-9a-f]{6}", dark))


# Text and Mermaid


def test_the_tree_shows_a_node_whole_once_and_tells_of_those_nobody_reaches() -> None:
    assert drawn(shop()).splitlines() == [
        "shop  graph.yaml",
        "application",
        "├─ end  acme:end/end@1.0.0 · core lane · fresh",
        "│  ├─ json  acme:json/json@1.0.0 · core lane · fresh · nothing granted",
        "│  │     a:j/decoder@0.1.2  graph.yaml:9",
        "│  │     only decode  graph.yaml:9",
        "│  │     at most deadline 1s  graph.yaml:9",
        "│  └─ host",
        "│        + stdout to the log  graph.yaml:9",
        "└─ vendor  acme:vendor/vendor@1.0.0 · core lane · fresh",
        "   │  only get-order  graph.yaml:12",
        "   ├─ json  (above)",
        "   │     a:j/decoder@0.1.2  graph.yaml:9",
        "   └─ host",
        "         ! connect to *.vendor.example, port 443 (can exfiltrate)  graph.yaml:9",
        "         + connect to 10.0.0.0/8, port 5432 (the range of parameter db)  graph.yaml:9",
        "         + variable TZ, set in the graph  graph.yaml:9",
        "lonely  acme:lonely/lonely@1.0.0 · core lane · fresh · nothing granted · the application reaches it by no way",
    ]


def test_values_of_variables_stand_in_no_picture() -> None:
    """They may be secrets."""
    for form in (svg(shop()), drawn(shop()), mermaid(shop()), str(to_data(shop()))):
        assert "alert" not in form


def test_mermaid_gets_no_character_that_it_might_act_on() -> None:
    picture = shop()
    hostile = Picture(name=HOSTILE, file=HOSTILE, nodes=(*picture.nodes, picture_node(HOSTILE)), edges=picture.edges)
    for label in re.findall(r'"([^"]*)"', mermaid(hostile)):
        assert not re.search(r"[<>\"`\[\]{}|;&]", re.sub(r"<br/>|#\d+;", "", label)), label
    assert "n_end --" in mermaid(hostile)  # `end` alone would end a block


def picture_node(world: str) -> object:
    (found,) = picture_of(
        Lock(graph="g", manifest="g", inputs={}, nodes=(LockedNode(name="x", world=world, lane="core", reason=""),))
    ).nodes
    return found


# A loaded graph


def test_a_loaded_graph_shows_itself_in_a_notebook_and_in_print(shop_file: Path) -> None:
    with Graph.load(shop_file) as graph:
        root = ET.fromstring(graph._repr_svg_())
        words = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
        for expected in ("vendor", "json", "host", "connect to 127.0.0.1", "VENDOR_TOKEN"):
            assert expected in words
            assert expected in str(graph)
        assert repr(graph).startswith("<graph shop: vendor")
