"""A graph with the WIT worlds of its nodes: which edge satisfies which import, in which order to build, who reaches whom.

Nothing is built for it: worlds come from WIT text (or, for a prebuilt node, from its binary). The plan repeats the linking on the built
binaries with `join`, so that what was checked here is what runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import networkx as nx
from ringfence.contract import grants
from ringfence.contract.errors import Problem
from ringfence.contract.lock import HOST
from ringfence.contract.names import parse_interface

from ringfence_composer.delegation import authority_problems
from ringfence_composer.errors import InputInvalid
from ringfence_composer.groups import group_problems
from ringfence_composer.manifest.binary import binary_fault
from ringfence_composer.manifest.component import ComponentManifest
from ringfence_composer.manifest.graph import EdgeManifest, GraphManifest, NodeManifest
from ringfence_composer.manifest.kept import changeable_files
from ringfence_composer.manifest.shape import closest
from ringfence_composer.manifest.source import PathSteps, Problems, quoted
from ringfence_composer.manifest.wit import world_problem
from ringfence_composer.tools import Fit, Item, World


class Facts(Protocol):
    """What the official WIT tools say of a node's world."""

    def world(self, node: NodeManifest) -> World:
        """The node's world. Raises InputInvalid where its WIT or binary can't be read."""

    def fits(self, consumer: NodeManifest, provider: NodeManifest, interface: str) -> Fit:
        """Whether what the provider exports fits the consumer's import of this name, and if not, the two types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One import, satisfied through an edge: both names as their own side spells them."""

    edge: EdgeManifest
    wanted: str
    given: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedGraph:
    """A graph whose imports are all accounted for. `order` has providers before consumers; `reach` is transitive, through edges."""

    manifest: GraphManifest
    worlds: Mapping[str, World]
    links: tuple[Link, ...]
    order: tuple[str, ...]
    reach: Mapping[str, tuple[str, ...]]


def resolve(manifest: GraphManifest, facts: Facts, problems: Problems) -> ResolvedGraph:
    """The graph with its worlds; whatever does not fit is added to `problems`, and what is known already is not said twice."""
    worlds = dict(_worlds(manifest, facts, problems))
    links = join(manifest, worlds, facts, problems)
    _check_exposed(manifest, worlds, problems)
    problems.extend(authority_problems(manifest))
    problems.extend(group_problems(manifest))
    problems.extend(changeable_files(manifest))
    graph: nx.DiGraph[str] = nx.DiGraph([(one.consumer, one.provider) for one in inner_edges(manifest)])
    graph.add_nodes_from(node.name for node in manifest.nodes)
    cyclic = [*_cycles(manifest, graph)]
    problems.extend(cyclic)
    order = () if cyclic else tuple(nx.lexicographical_topological_sort(graph.reverse(copy=False)))
    reach = {name: tuple(sorted(nx.descendants(graph, name))) for name in graph}
    return ResolvedGraph(manifest=manifest, worlds=worlds, links=links, order=order, reach=reach)


def inner_edges(manifest: GraphManifest) -> list[EdgeManifest]:
    """The edges between nodes."""
    return [edge for edge in manifest.edges if edge.provider != HOST]


def join(manifest: GraphManifest, worlds: Mapping[str, World], facts: Facts, problems: Problems, *, idle: bool = True) -> tuple[Link, ...]:
    """Every import that an edge satisfies, by name and semver; types are compared across each link.

    Missing and double satisfaction, edges that satisfy nothing (where `idle`: compilers leave out imports that are not used), unknown
    interfaces, unknown `calls` and types that do not fit become problems.
    """
    links = [link for edge in inner_edges(manifest) for link in _links_of(edge, worlds)]
    if idle:
        problems.extend(_idle_edges(manifest, worlds, links))
    problems.extend(_doubles(manifest, links))
    problems.extend(_missing(manifest, worlds, links))
    fitting = _Fitting(manifest, worlds, facts, links)
    problems.extend(problem for link in links for problem in fitting.check(link))
    for edge in inner_edges(manifest):
        if edge.provider in worlds:
            given = {link.given for link in links if link.edge is edge}
            items = [item for item in worlds[edge.provider].exports if item.name in given]
            problems.extend(_unknown_calls(manifest, (*edge.path, "grant", "calls"), edge.calls, items, edge.provider))
    return tuple(links)


def satisfies(wanted: str, given: str) -> bool:
    """Whether an export of this name satisfies an import of that: WIT's rule for versions; plain names must be equal."""
    left, right = parse_interface(wanted), parse_interface(given)
    return left.accepts(right) if left and right else wanted == given


def base(name: str) -> str:
    """An interface's name without its version."""
    parsed = parse_interface(name)
    return parsed.base if parsed else name


def served_by_host(name: str) -> bool:
    """Whether the host serves this interface (granted or denied)."""
    return base(name) in grants.INERT or grants.kind_of(base(name)) is not None


def needs_nobody(item: Item) -> bool:
    """Whether nothing is in an import that could be called or held, but types only. WASI's interfaces are decided by their names."""
    return not item.functions and not item.resources and not item.name.startswith("wasi:")


def _worlds(manifest: GraphManifest, facts: Facts, problems: Problems) -> Iterator[tuple[str, World]]:
    for node in manifest.nodes:
        if node.component is None:
            continue
        try:
            yield node.name, facts.world(node)
        except InputInvalid as error:
            problems.add(_unreadable(manifest, node, error))


def _unreadable(manifest: GraphManifest, node: NodeManifest, error: InputInvalid) -> Problem:
    if isinstance(node.component, ComponentManifest):
        return world_problem(node.component, error)
    message, hint = binary_fault(node.component.file, node.component.shown, error) if node.component else (error.message, error.hint)
    return manifest.document.problem((*node.path, "component"), message, hint=hint)


def _links_of(edge: EdgeManifest, worlds: Mapping[str, World]) -> Iterator[Link]:
    if edge.consumer not in worlds or edge.provider not in worlds:
        return
    for wanted in worlds[edge.consumer].imports:
        for given in worlds[edge.provider].exports:
            if wanted.kind == given.kind == "interface" and satisfies(wanted.name, given.name):
                yield Link(edge=edge, wanted=wanted.name, given=given.name)


def _idle_edges(manifest: GraphManifest, worlds: Mapping[str, World], links: list[Link]) -> Iterator[Problem]:
    """Edges that satisfy no import: at best a misunderstanding."""
    busy = {id(link.edge) for link in links}
    for edge in inner_edges(manifest):
        if id(edge) in busy or edge.consumer not in worlds or edge.provider not in worlds:
            continue
        wanted = [item.name for item in worlds[edge.consumer].imports if not served_by_host(item.name)]
        given = [item.name for item in worlds[edge.provider].exports]
        near = [(one, other) for one in wanted for other in given if base(one) == base(other)]
        if near:
            (one, other) = near[0]
            message = f"{edge.consumer} imports {one}, {edge.provider} exports {other}: these versions are not compatible"
            hint = "build both against compatible versions of the interface"
        else:
            message = f"{edge.consumer} imports nothing that {edge.provider} exports"
            hint = f"{edge.consumer} imports {_listed(wanted)}; {edge.provider} exports {_listed(given)}"
        yield manifest.document.problem(edge.path, message, hint=hint)


def _doubles(manifest: GraphManifest, links: list[Link]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], Link] = {}
    for link in links:
        first = seen.setdefault((link.edge.consumer, link.wanted), link)
        if first.edge.provider != link.edge.provider:
            line = manifest.document.mark(first.edge.path).line
            message = (
                f"{link.edge.provider} exports {link.given}, but {link.edge.consumer}'s import of it is satisfied "
                f"by {first.edge.provider} (line {line}) already"
            )
            yield manifest.document.problem(link.edge.path, message, hint="keep one of the two edges")


def _missing(manifest: GraphManifest, worlds: Mapping[str, World], links: list[Link]) -> Iterator[Problem]:
    """Imports that neither an edge nor the host satisfies."""
    met = {(link.edge.consumer, link.wanted) for link in links}
    for node in manifest.nodes:
        if node.name not in worlds:
            continue
        for item in worlds[node.name].imports:
            if (node.name, item.name) in met or needs_nobody(item) or served_by_host(item.name):
                continue
            if item.kind == "function":
                hint = "move the function into an interface"
                yield manifest.document.problem(
                    node.path, f"imports the function {quoted(item.name)} outside any interface", hint=hint, at_key=True
                )
            elif node.name not in manifest.torn and not _near_miss(manifest, worlds, node, item):
                yield _unsatisfied(manifest, worlds, node, item)


def _near_miss(manifest: GraphManifest, worlds: Mapping[str, World], node: NodeManifest, item: Item) -> bool:
    """Whether an edge is there whose provider has the interface in another version, or is not known: that was, or will be, said there."""
    providers = [edge.provider for edge in inner_edges(manifest) if edge.consumer == node.name]
    return any(
        provider not in worlds or any(base(given.name) == base(item.name) for given in worlds[provider].exports) for provider in providers
    )


def _unsatisfied(manifest: GraphManifest, worlds: Mapping[str, World], node: NodeManifest, item: Item) -> Problem:
    able = [name for name, world in worlds.items() if name != node.name and any(satisfies(item.name, one.name) for one in world.exports)]
    if item.name.startswith("wasi:"):
        message, hint = f"imports {item.name}, which this program does not know", "build it without, or upgrade ringfence"
    else:
        message = f"imports {item.name}, which no edge satisfies"
        hint = f"add an edge: {{ from: {node.name}, to: {able[0]} }}" if able else "add a node that exports it, and an edge to it"
    return manifest.document.problem(node.path, message, hint=hint, at_key=True)


class _Fitting:
    """Compares types across links."""

    def __init__(self, manifest: GraphManifest, worlds: Mapping[str, World], facts: Facts, links: list[Link]) -> None:
        self._manifest, self._worlds, self._facts = manifest, worlds, facts
        self._providers = {(link.edge.consumer, link.wanted): link.edge.provider for link in links}

    def check(self, link: Link) -> Iterator[Problem]:
        edge, document = link.edge, self._manifest.document
        try:
            fit = self._facts.fits(self._manifest.node(edge.consumer), self._manifest.node(edge.provider), link.wanted)
        except InputInvalid as error:
            yield document.problem(edge.path, f"the types of {link.wanted} cannot be compared: {error.message}", hint=error.hint)
            return
        if not fit.fits:
            item = f".{fit.item}" if fit.item else ""
            message = f"{edge.consumer} and {edge.provider} mean different types by {link.wanted}{item}: {fit.reason}"
            sides = [(f"{edge.consumer} imports", fit.expected), (f"{edge.provider} exports", fit.found)]
            yield document.problem(edge.path, message, hint=side_by_side(sides))
            return
        for shared in fit.shared:
            origin, other = self._origin(edge.consumer, shared), self._origin(edge.provider, shared)
            if origin != other:
                message = f"{link.wanted} hands over resources of {shared}, which {edge.consumer} gets from {origin}"
                hint = f"both must get {shared} from the same node"
                yield document.problem(edge.path, f"{message} and {edge.provider} from {other}", hint=hint)

    def _origin(self, node: str, interface: str) -> str:
        """The node (or the host, with the node whose view of it it is) where a node's resources of this interface live."""
        seen: set[str] = set()
        while node not in seen:
            seen.add(node)
            if any(satisfies(interface, item.name) for item in self._worlds[node].exports):
                return node
            found = (self._providers.get((node, item.name)) for item in self._worlds[node].imports if satisfies(interface, item.name))
            provider = next(found, None)
            if provider is None or provider not in self._worlds:
                return f"the {HOST} (as {node} sees it)"
            node = provider
        return node


def side_by_side(sides: Iterable[tuple[str, str | None]]) -> str:
    """Two types, each under its heading, next to each other where they are narrow enough."""
    columns = [[title, *(text or "(nothing)").splitlines()] for title, text in sides]
    widths = [max(len(line) for line in column) for column in columns]
    if sum(widths) + 3 > 116:
        return "\n".join(line if index == 0 else f"  {line}" for column in columns for index, line in enumerate(column)).replace(
            "\n", "\n  "
        )
    height = max(len(column) for column in columns)
    padded = [[*column, *[""] * (height - len(column))] for column in columns]
    return "\n  ".join(
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in zip(*padded, strict=True)
    )


def _check_exposed(manifest: GraphManifest, worlds: Mapping[str, World], problems: Problems) -> None:
    for one in manifest.expose:
        if one.node not in worlds:
            continue
        items = [item for item in worlds[one.node].exports if item.functions]
        if not items:
            message = f"{one.node} exports no function that an application could call"
            problems.add(manifest.document.problem(one.path, message, hint="remove it from expose"))
        else:
            problems.extend(_unknown_calls(manifest, (*one.path, "calls"), one.calls, items, one.node))


def short_name(function: str) -> str:
    """`[method]cursor.next` as people write it: `cursor.next`."""
    return function.rpartition("]")[2]


def _unknown_calls(
    manifest: GraphManifest, path: PathSteps, calls: tuple[str, ...] | None, items: list[Item], provider: str
) -> Iterator[Problem]:
    homes: dict[str, list[str]] = {}
    for item in items:
        for function in item.functions:
            homes.setdefault(short_name(function), []).append(item.name)
    for index, call in enumerate(calls or ()):
        if call not in homes:
            message = f"{provider} has no function {quoted(call)} here"
            yield manifest.document.problem((*path, index), message, hint=closest(call, homes))
        elif len(set(homes[call])) > 1:
            message = f"{call} is ambiguous: it is a function of {_listed(homes[call])}"
            yield manifest.document.problem((*path, index), message, hint="leave calls out, or give the interfaces to nodes of their own")


def _cycles(manifest: GraphManifest, graph: nx.DiGraph[str]) -> Iterator[Problem]:
    """One cycle of each knot, beginning at the edge that is written first."""
    for knot in nx.strongly_connected_components(graph):
        if len(knot) < 2:
            continue
        inside = [edge for edge in inner_edges(manifest) if edge.consumer in knot and edge.provider in knot]
        first = next(edge for edge in inside if nx.has_path(graph, edge.provider, edge.consumer))
        way = nx.shortest_path(graph, first.provider, first.consumer)
        text = " -> ".join([first.consumer, *way])
        message = f"the edges go in a circle: {text}"
        yield manifest.document.problem(first.path, message, hint="components cannot import each other in a circle; remove one edge")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names))) or "nothing"
