"""What many tests share: graphs composed once, a vendor server, and the probe, a guest that tries whatever it is told."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from places import ROOT, SHOP
from postgres_server import PostgresServer
from vendor_server import VendorServer

if TYPE_CHECKING:
    from ringfence import Graph

TOKEN = "test-token"
Composer = Callable[[str], Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite the expected messages in tests/cases, and the suite's counts")


_LONG = "documents hostile_inputs reproducible mutants oracle library_wheel demo wheels memory soak scripts over_http real_libraries"
LONG = {f"test_{name}.py" for name in _LONG.split()}
"""Files of tests that take minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that in the end no core is left waiting for another."""
    items.sort(key=lambda item: item.path.name not in LONG)


def in_lane(text: str, lane: str) -> str:
    """The graph with this lane asked for by every node of the checkout's."""
    text = re.sub(r"\{ component: (ROOT/[\w/.-]+)", rf"{{ component: \1, lane: {lane}", text)
    return re.sub(r"^( *)component: (ROOT/[\w/.-]+)$", rf"\1component: \2\n\1lane: {lane}", text, flags=re.MULTILINE)


@pytest.fixture(scope="session", params=["component", "core"])
def compose(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Composer:
    """Writes a graph.yaml (`ROOT` in it leads to the checkout) into a folder of its own and composes it; each text once a session.

    Whatever uses it runs twice, in both lanes.
    """
    from ringfence_composer.compose import compose_file

    done: dict[str, Path] = {}

    def composed(text: str) -> Path:
        if text not in done:
            folder = tmp_path_factory.mktemp("graph")
            manifest = folder / "graph.yaml"
            manifest.write_text(in_lane(text, request.param).replace("ROOT", os.path.relpath(ROOT, folder)))
            compose_file(manifest)
            done[text] = manifest
        return done[text]

    return composed


GUEST = """
ringfence: 1
graph: denials
{parameters}
nodes:
  {name}: {{ component: ROOT/tests/denials/{name}, limits: {{ {limits} }}, instances: {instances} }}
edges: [{edges}]
expose: [{name}]
"""


def _guests(name: str, compose: Composer) -> Iterator[Callable[..., Graph]]:
    """Makes a graph of one guest alone, with this grant and these limits, as YAML flow text."""
    from ringfence import Graph

    opened: list[Graph] = []

    def make(grant: str = "", *, limits: str = "deadline: 10s", instances: str = "fresh", parameters: str = "", **given: object) -> Graph:
        edges = f"{{ from: {name}, to: host, grant: {{ {grant} }} }}" if grant else ""
        text = GUEST.format(name=name, limits=limits, instances=instances, edges=edges, parameters=parameters)
        opened.append(Graph.load(compose(text), **given))
        return opened[-1]

    yield make
    for graph in opened:
        graph.close()


@pytest.fixture
def probe(compose: Composer) -> Iterator[Callable[..., Graph]]:
    """Makes graphs of the probe, which tries whatever it is told."""
    yield from _guests("probe", compose)


@pytest.fixture
def speaker(compose: Composer) -> Iterator[Callable[..., Graph]]:
    """Makes graphs of the speaker, which speaks on the network as it is told."""
    yield from _guests("speaker", compose)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[VendorServer]:
    """A vendor server on loopback; its token is in the environment."""
    monkeypatch.setenv("VENDOR_TOKEN", TOKEN)
    with VendorServer(token=TOKEN) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL on loopback, which asks for a password."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def shop_file(compose: Composer) -> Path:
    """The shop graph, composed outside the checkout."""
    text = (SHOP / "graph.yaml").read_text().replace("../../components", "ROOT/components")
    return compose(text)


@pytest.fixture
def shop(shop_file: Path, vendor: VendorServer) -> Iterator[Graph]:
    """The shop graph against the vendor server."""
    from ringfence import Graph

    with Graph.load(shop_file, parameters={"vendor": vendor.address}) as graph:
        yield graph


WORDS = """package demo:words;

interface words {
    count: func(text: string) -> u32;
}

world plain {
    export words;
}
"""
CORE = """(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "demo:words/words#count") (param i32 i32) (result i32) (local.get 1)))
"""


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real component without imports, made by the official tools, small enough to be composed at once."""
    from ringfence_composer.toolchain import Toolchain, Wit

    wit = tmp_path_factory.mktemp("wit") / "words.wit"
    wit.write_text(WORDS)
    tools = Toolchain()
    return tools.new(tools.embed(Wit(path=wit, world="plain"), tools.parse(CORE)))
