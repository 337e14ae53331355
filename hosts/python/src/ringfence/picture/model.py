"""What all drawings draw: the nodes of a graph, the application and the host as nodes too, and edges with all that is written on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ringfence.contract.lock import HOST, Decision, Lock, LockedEdge, LockedExpose, LockedNode, LockedParameter
from ringfence.contract.wording import worded

APPLICATION = "application"
"""The program that loads the graph. No node may bear this name, nor that of the host."""

FUSED = "fused: one component, one store"

GrantPlace: TypeAlias = tuple[str, str, int]
"""Where a grant stands: the edge by its name, the kind, its index."""

Meaning: TypeAlias = Literal["interface", "fused", "calls", "grant", "limits", "exfiltrates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One thing that is written on an edge. A grant that lets data out to whoever the guest likes means `exfiltrates`.

    `line` is that of graph.yaml, 0 where it isn't known.
    """

    text: str
    meaning: Meaning
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureNode:
    """A node. What isn't known before a build is empty: `lane`, `made` (by which tools), `imports` (how many of each decision)."""

    name: str
    world: str = ""
    language: str = ""
    made: str = ""
    lane: str = ""
    instances: str = "fresh"
    group: str = ""
    exposed: bool = False
    exfiltrates: bool = False
    granted: bool = False
    imports: Mapping[Decision, int] = field(default_factory=dict)

    @property
    def remarks(self) -> tuple[str, ...]:
        """How it is made and run, in a few words each."""
        lane, group = f"{self.lane} lane" if self.lane else "", f"in {self.group}" if self.group else ""
        return tuple(text for text in (self.language or self.made, lane, self.instances, group) if text)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureEdge:
    """An edge, the application's included, and what is written on it."""

    consumer: str
    provider: str
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A graph to be drawn. `file` is the graph.yaml that lines count in; `nodes` has neither the application nor the host."""

    name: str
    file: str
    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]

    def node(self, name: str) -> PictureNode | None:
        """The node of this name; None for the application and the host."""
        return next((one for one in self.nodes if one.name == name), None)

    def out(self, name: str) -> tuple[PictureEdge, ...]:
        """The edges that begin there."""
        return tuple(edge for edge in self.edges if edge.consumer == name)


def picture_of(lock: Lock, lines: Mapping[GrantPlace, int] | None = None) -> Picture:
    """The picture of what a lock says. `lines` are those of single grants, where they are known; a lock has only those of edges."""
    makers = {one.node: one.by for one in lock.artifacts if one.role == "component"}
    groups = {node: one.name for one in lock.groups for node in one.nodes}
    return Picture(
        name=lock.graph,
        file=lock.manifest,
        nodes=tuple(_node(lock, one, makers.get(one.name, ""), groups.get(one.name, "")) for one in lock.nodes),
        edges=(*map(_exposing, lock.expose), *(_edge(one, lock.parameters, lines or {}) for one in lock.edges)),
    )


def _node(lock: Lock, node: LockedNode, made: str, group: str) -> PictureNode:
    grants = next((edge.grant for edge in lock.edges if edge.consumer == node.name and edge.provider == HOST), {})
    return PictureNode(
        name=node.name,
        world=node.world,
        made=made,
        lane=node.lane,
        instances=node.instances,
        group=group,
        exposed=any(one.node == node.name for one in lock.expose),
        exfiltrates=any(one.exfiltrates for one in worded(grants, lock.parameters)),
        granted=bool(grants),
        imports=_decisions(node),
    )


def _decisions(node: LockedNode) -> dict[Decision, int]:
    """How many of a node's imports were decided in which way."""
    found = [one.decision for one in node.imports]
    return {decision: found.count(decision) for decision in sorted(set(found))}


def _exposing(one: LockedExpose) -> PictureEdge:
    """The application's edge to a node that it may call."""
    return PictureEdge(consumer=APPLICATION, provider=one.node, labels=tuple(_bounds(one.calls, one.limits, one.line)))


def _edge(edge: LockedEdge, parameters: Sequence[LockedParameter], lines: Mapping[GrantPlace, int]) -> PictureEdge:
    """An edge with its interfaces, grants in words, calls and limits."""
    interfaces = (Label(text=given, meaning="interface", line=edge.line) for given in sorted(set(edge.interfaces.values())))
    grants = (
        Label(
            text=one.words,
            meaning="exfiltrates" if one.exfiltrates else "grant",
            line=lines.get((edge.name, one.kind, one.index), edge.line),
        )
        for one in worded(edge.grant, parameters)
    )
    fused = [Label(text=FUSED, meaning="fused", line=edge.line)] if edge.fused else []
    labels = (*interfaces, *fused, *grants, *_bounds(edge.calls, edge.limits, edge.line))
    return PictureEdge(consumer=edge.consumer, provider=edge.provider, labels=labels)


def _bounds(calls: Sequence[str] | None, limits: Mapping[str, str], line: int) -> Iterator[Label]:
    if calls is not None:
        yield Label(text=f"only {', '.join(calls)}", meaning="calls", line=line)
    if limits:
        yield Label(text=", ".join(f"{name} {value}" for name, value in limits.items()), meaning="limits", line=line)


def to_data(picture: Picture) -> dict[str, Any]:
    """The picture as JSON data; what isn't known is left out."""
    return {
        "graph": picture.name,
        "file": picture.file,
        "nodes": {one.name: _node_data(one) for one in picture.nodes},
        "edges": [
            {"from": one.consumer, "to": one.provider, "labels": [_label_data(label) for label in one.labels]} for one in picture.edges
        ],
    }


def _node_data(node: PictureNode) -> dict[str, Any]:
    words = {"world": node.world, "language": node.language, "made": node.made, "lane": node.lane, "group": node.group}
    known: dict[str, Any] = words | {"imports": dict(node.imports)}
    flags = {"instances": node.instances, "exposed": node.exposed, "granted": node.granted, "exfiltrates": node.exfiltrates}
    return {key: value for key, value in known.items() if value} | flags


def _label_data(label: Label) -> dict[str, Any]:
    return {"text": label.text, "meaning": label.meaning} | ({"line": label.line} if label.line else {})
