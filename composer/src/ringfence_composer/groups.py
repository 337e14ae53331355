"""A graph's fused edges to groups of nodes that become one component, and what of the graph cannot hold inside one.

Two nodes are in one group where a way of fused edges joins them. A group has one instance in one store, and inside it no host looks on:
what a graph says of such an edge or node is either held by the whole group, or held when composing, or an error here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import networkx as nx
from ringfence.contract.errors import Problem
from ringfence.contract.limits import OF_CALLS, Limits, of_group, show_limit
from ringfence.contract.lock import HOST

from ringfence_composer.manifest.graph import EdgeManifest, GraphManifest, NodeManifest

EdgeMode: TypeAlias = Literal["store", "fused"]
APART = "write fused: false on the edge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Nodes that become one component, providers first. `entries` are those that are called from outside it."""

    nodes: tuple[str, ...]
    entries: frozenset[str]

    @property
    def name(self) -> str:
        """Of the group: its nodes, callers first."""
        return "+".join(reversed(self.nodes))


def in_mode(manifest: GraphManifest, mode: EdgeMode | None) -> GraphManifest:
    """The graph with all edges between nodes in this mode, whatever it says of them."""
    if mode is None:
        return manifest
    edges = (replace(edge, fused=mode == "fused") if edge.provider != HOST else edge for edge in manifest.edges)
    return replace(manifest, edges=tuple(edges))


def groups(manifest: GraphManifest, order: Sequence[str]) -> tuple[Group, ...]:
    """The groups of a graph, by the order in which its nodes are built."""
    exposed = {one.node for one in manifest.expose}
    found = []
    for names in _joined(manifest):
        called = {edge.provider for edge in manifest.edges if edge.consumer not in names}
        found.append(Group(nodes=tuple(name for name in order if name in names), entries=frozenset(names & (exposed | called))))
    return tuple(sorted(found, key=lambda one: one.nodes))


def _joined(manifest: GraphManifest) -> list[set[str]]:
    graph: nx.Graph[str] = nx.Graph((edge.consumer, edge.provider) for edge in manifest.edges if edge.fused)
    return [set(names) for names in nx.connected_components(graph)]


def entry_limits(manifest: GraphManifest, group: Group, entry: str) -> dict[str, str]:
    """What a call that comes into a group by one of its nodes may use, as limits are written: all that hold for the group as a whole."""
    graph: nx.DiGraph[str] = nx.DiGraph([(edge.consumer, edge.provider) for edge in manifest.edges if edge.fused])
    within = nx.descendants(graph, entry)
    beside = [name for name in group.nodes if name != entry and name not in within]
    written = {name: manifest.node(name).limits for name in group.nodes}
    found = of_group(written[entry], [written[name] for name in within], [written[name] for name in beside])
    usual = Limits()
    shown = ("memory", "stack", *(name for name in OF_CALLS if getattr(found, name) != getattr(usual, name)))
    return {name: show_limit(name, getattr(found, name)) for name in shown}


def group_problems(manifest: GraphManifest) -> Iterator[Problem]:
    """Everything that the graph says and no group could hold, each with what to do instead."""
    known = {node.name for node in manifest.nodes}
    for edge in manifest.edges:
        if edge.fused:
            yield from _of_edge(manifest, edge)
    for names in _joined(manifest):
        nodes = [node for node in manifest.nodes if node.name in names & known]
        yield from _unlike(manifest, nodes)
        yield from _ways_out_and_in(manifest, names)
        yield from _passed_in(manifest, names)


def _of_edge(manifest: GraphManifest, edge: EdgeManifest) -> Iterator[Problem]:
    if edge.limits:
        message = f"{edge} is fused: calls through it are no border at which limits could hold"
        hint = f"write them under nodes.{edge.provider}.limits, where they hold for the whole group; or {APART}"
        yield manifest.document.problem((*edge.path, "limits"), message, hint=hint, at_key=True)
    for kind in edge.grant:
        message = f"{edge} is fused: a node in a group acts with its own grants, whoever calls it"
        hint = f"grant it on the edge from {edge.provider} to {HOST}, or {APART}"
        yield manifest.document.problem((*edge.path, "grant", kind), message, hint=hint, at_key=True)


def _unlike(manifest: GraphManifest, nodes: Sequence[NodeManifest]) -> Iterator[Problem]:
    """A group's nodes have one instance and one lane, so they must agree on both."""
    for key in ("instances", "shared"):
        yield from _differing(manifest, nodes, key, "live and die together")
    asked = [node for node in nodes if node.lane is not None]
    yield from _differing(manifest, asked, "lane", "have one lane")


def _differing(manifest: GraphManifest, nodes: Sequence[NodeManifest], key: str, what: str) -> Iterator[Problem]:
    for node in nodes[1:]:
        mine, first = _written(getattr(node, key)), _written(getattr(nodes[0], key))
        if mine != first:
            path = (*node.path, key)
            place = path if path in manifest.document.marks else node.path
            message = f"fused nodes {what}: {nodes[0].name} has {key}: {first}, {node.name} has {key}: {mine}"
            hint = f"write the same for both, or take {node.name} out of the group (fused: false on its edges)"
            yield manifest.document.problem(place, message, hint=hint, at_key=place == node.path)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ways_out_and_in(manifest: GraphManifest, names: set[str]) -> Iterator[Problem]:
    """Edges by which calls leave a group that come back to it: it would be called while it is in a call."""
    graph: nx.DiGraph[str] = nx.DiGraph([(edge.consumer, edge.provider) for edge in manifest.edges if edge.provider != HOST])
    for edge in manifest.edges:
        if edge.fused or edge.consumer not in names or edge.provider == HOST:
            continue
        back = {edge.provider, *nx.descendants(graph, edge.provider)} & names
        if back:
            listed = ", ".join(sorted(names))
            if edge.provider in names:
                message = f"{listed} are one component, so that no edge between two of them can lead through the host"
                hint = "fuse this edge, too, or leave apart what joins the two"
            else:
                way = " -> ".join([edge.consumer, *nx.shortest_path(graph, edge.provider, min(back))])
                message = f"{listed} are one component, and this edge leads out of it and back: {way}"
                hint = "fuse every edge on this way, too, or leave apart what joins the two ends"
            yield manifest.document.problem(edge.path, message, hint=hint)


def _passed_in(manifest: GraphManifest, names: set[str]) -> Iterator[Problem]:
    """Grants passed on to a node that others in its group call as well: they would act with them, too."""
    callers: Mapping[str, str] = {edge.provider: edge.consumer for edge in manifest.edges if edge.fused}
    for edge in manifest.edges:
        if not edge.fused and edge.provider in names and edge.grant and edge.provider in callers:
            message = f"{edge.provider} would get this for calls of {callers[edge.provider]}, too: they are fused"
            hint = f"grant it on the edge from {edge.provider} to {HOST}, or take {edge.provider} out of the group (fused: false)"
            yield manifest.document.problem((*edge.path, "grant"), message, hint=hint, at_key=True)
