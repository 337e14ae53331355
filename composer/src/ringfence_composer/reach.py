"""A plan to what each node can reach through others (design §4, "Authority").

Callers do not narrow what a callee may do with its own grants: whoever may call a node can make it act. So a node's reach is its own
grants, and those of every node that a way of edges leads to, together with what the edges on such ways pass on to it. `calls` on an edge
choose by which functions, and no more than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ringfence_composer.manifest.graph import EdgeManifest
from ringfence_composer.plan import Plan, PlannedGrant
from ringfence_composer.resolve import inner_edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One edge of a way: the node it leads to, and the functions that may be called there (None: all)."""

    node: str
    calls: tuple[str, ...] | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One node within reach: what it may do there, the shortest way to it (empty: the node itself), and how many ways there are."""

    node: str
    way: tuple[Step, ...]
    ways: int
    grants: tuple[PlannedGrant, ...]

    @property
    def exfiltrates(self) -> bool:
        return any(one.exfiltrates for one in self.grants)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What one node can reach, itself first, then in order of distance; `exposed` where the application may call it, `calls` how."""

    node: str
    exposed: bool
    calls: tuple[str, ...] | None
    places: tuple[Reached, ...]

    @property
    def exfiltrates(self) -> bool:
        return any(one.exfiltrates for one in self.places)


def reach(plan: Plan) -> tuple[Reach, ...]:
    """What each node of a plan can reach, in the order they are written."""
    exposed = {one.node: one.calls for one in plan.manifest.expose}
    return tuple(
        Reach(node=name, exposed=name in exposed, calls=exposed.get(name), places=tuple(_places(plan, name)))
        for name in (node.name for node in plan.nodes)
    )


def _places(plan: Plan, start: str) -> Iterator[Reached]:
    grants = {node.name: node.grants for node in plan.nodes}
    inner = inner_edges(plan.manifest)
    ways, found = _ways(plan, start), shortest(inner, start)
    edges = {"", *(str(edge) for edge in inner if edge.consumer in found)}
    for name, way in found.items():
        steps = tuple(_step(plan, edge) for edge in way)
        yield Reached(node=name, way=steps, ways=ways[name], grants=tuple(one for one in grants[name] if one.through in edges))


class Edge(Protocol):
    """An edge between nodes, authored or locked."""

    @property
    def consumer(self) -> str: ...
    @property
    def provider(self) -> str: ...


E = TypeVar("E", bound=Edge)


def shortest(edges: Sequence[E], start: str) -> dict[str, tuple[E, ...]]:
    """The shortest way to each node within reach, nearest first; of equal ones that whose edges are written first."""
    found: dict[str, tuple[E, ...]] = {start: ()}
    for name in (queue := [start]):
        for edge in edges:
            if edge.consumer == name and edge.provider not in found:
                found[edge.provider] = (*found[name], edge)
                queue.append(edge.provider)
    return found


def _step(plan: Plan, edge: EdgeManifest) -> Step:
    return Step(node=edge.provider, calls=edge.calls, line=plan.manifest.document.mark(edge.path).line)


def _ways(plan: Plan, start: str) -> Mapping[str, int]:
    """How many ways lead to each node; callers come before callees in the resolved order read backwards."""
    counts = {start: 1}
    for name in reversed(plan.built.resolved.order):
        for edge in inner_edges(plan.manifest):
            if edge.consumer == name and name in counts:
                counts[edge.provider] = counts.get(edge.provider, 0) + counts[name]
    return counts
