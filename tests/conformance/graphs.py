"""The graphs: each language's guest alone on each lane, and each pair of languages with an edge between, of each kind."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from host.engine.suite.values import exact
from places import ROOT
from ringfence import Graph, GuestError
from ringfence.contract.types import FunctionType, ResultOf
from ringfence.contract.values import Err, Ok
from ringfence_composer.compose import compose_file

HERE = ROOT / "tests" / "conformance"
LANGUAGES = ("python", "rust", "c")
ALONE = ("core", "component")
"""The lanes, on each of which the guests are asked one by one."""
EDGES = ("store", "fused")
"""The kinds of edges, of which each pair of guests has one between them."""
MODES = (*ALONE, *EDGES)
LIMITS = "limits: { memory: 512MiB, deadline: 60s }, instances: single"


def functions(interface: str) -> list[str]:
    """The names of an interface's functions as the WIT has them, in order; known before anything is built."""
    return re.findall(r"^    %?([a-z0-9-]+): func\b", _wit(interface), re.MULTILINE)


_PARAMETERS = {
    "echo-16": "16 parameters",
    "echo-17": "17 parameters, in memory",
    "echo-mixed": "11 parameters of all kinds, in memory",
    "echo-named": "parameters called `fn`, `type`, `class`, `ret`, `err`",
}


def signature(name: str) -> str:
    """What an echo takes, as the table shows it: its type as the WIT writes it, of a named one what it is."""
    if name in _PARAMETERS:
        return _PARAMETERS[name]
    found = re.search(rf"^    {name}: func\(\s*x: (.*?),?\s*\)\s*->", _wit("echoes"), re.MULTILINE | re.DOTALL)
    assert found is not None, name
    written = found[1].replace(",>", ">")
    if kind := re.search(rf"^    (record|variant|enum|flags) {written} \{{(.*?)\}}", _wit("shapes"), re.MULTILINE | re.DOTALL):
        members = len(re.sub(r"<[^<>]*>|\([^()]*\)", "", kind[2]).strip().rstrip(",").split(","))
        return f"`{written}`, {kind[1]} of {members}"
    return f"`{written}`"


def _wit(name: str) -> str:
    return (HERE / "wit" / f"{name}.wit").read_text("utf-8")


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way of values through guests: `column` names it in the table, `node` is the first on it."""

    column: str
    node: str

    @property
    def first(self) -> str:
        """The language of the guest that the application asks."""
        return self.node.partition("-")[0]

    @property
    def pair(self) -> bool:
        """Whether there are two guests on it."""
        return "-" in self.node

    @property
    def last(self) -> str:
        """The language of the guest that answers."""
        return self.node.rpartition("-")[2]


def ways(mode: str) -> list[Way]:
    """All ways of a mode."""
    if mode in ALONE:
        return [Way(column=one, node=one) for one in LANGUAGES]
    return [Way(column=f"{caller} → {callee}", node=f"{caller}-{callee}") for caller in LANGUAGES for callee in LANGUAGES]


def text(mode: str) -> str:
    """The graph.yaml of a mode; `ROOT` leads to the checkout."""
    nodes, edges = [], []
    if mode in ALONE:
        nodes = [f"  {one}: {{ component: ROOT/tests/conformance/{one}/leaf, lane: {mode}, {LIMITS} }}" for one in LANGUAGES]
    else:
        for way in ways(mode):
            caller, callee = way.node.split("-")
            nodes += [f"  {way.node}: {{ component: ROOT/tests/conformance/{caller}/relay, {LIMITS} }}"]
            nodes += [f"  {way.node}-callee: {{ component: ROOT/tests/conformance/{callee}/leaf, {LIMITS} }}"]
            edges += [f"  - {{ from: {way.node}, to: {way.node}-callee, fused: {str(mode == 'fused').lower()} }}"]
    exposed = ", ".join(way.node for way in ways(mode))
    listed = "\n".join(["nodes:", *nodes, "edges:" if edges else "edges: []", *edges])
    return f"ringfence: 1\ngraph: types\n{listed}\nexpose: [{exposed}]\n"


def compose(mode: str, folder: Path) -> Path:
    """The composed graph of a mode, in this folder."""
    folder.mkdir(parents=True)
    file = folder / "graph.yaml"
    file.write_text(text(mode).replace("ROOT", os.path.relpath(ROOT, folder)), "utf-8")
    compose_file(file)
    return file


class Guests:
    """The loaded graph of a mode."""

    def __init__(self, mode: str, graph: Graph) -> None:
        self.mode, self.graph, self.ways = mode, graph, ways(mode)

    def function(self, name: str) -> FunctionType:
        """The type of a function that all first nodes export."""
        found = {self._types[way.node, name] for way in self.ways}
        assert len(found) == 1, f"the guests have {name} with several types: {found}"
        return found.pop()

    @cached_property
    def _types(self) -> dict[tuple[str, str], FunctionType]:
        return {(target.node.name, target.function[1]): target.type for target in self.graph if "echoes" in target.function[0]}

    def outcome(self, way: Way, name: str, given: Sequence[Any]) -> tuple[str, Any]:
        """What a call ends in, as something that is equal for equal values only."""
        try:
            return "ok", exact(self.graph.call(f"{way.node}.echoes.{name}", *given))
        except GuestError as error:
            return "err", exact(error.value)


def expected(kind: FunctionType, given: Sequence[Any]) -> tuple[str, Any]:
    """What an echo of this type answers; of several parameters it makes a tuple."""
    value = given[0] if len(given) == 1 else tuple(given)
    if isinstance(kind.result, ResultOf):
        assert isinstance(value, Ok | Err)
        return ("ok" if isinstance(value, Ok) else "err"), exact(value.value)
    return "ok", exact(value)
