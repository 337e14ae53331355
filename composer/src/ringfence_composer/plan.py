"""A built graph with a decision for every import of every binary: linked, granted, runtime (the language's own need) or denied.

The plan is total: an import that nothing here knows is an error, never allowed and never silently dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ringfence.contract import grants
from ringfence.contract.errors import Problem
from ringfence.contract.lock import HOST, Lane, LockedImport
from ringfence.contract.parameters import substitute
from ringfence.contract.wording import usual_values, worded

from ringfence_composer.build import BuiltGraph
from ringfence_composer.errors import PlanRefused
from ringfence_composer.manifest.graph import EdgeManifest, GraphManifest, NodeManifest
from ringfence_composer.manifest.source import Problems
from ringfence_composer.resolve import Facts, Link, base, join, needs_nobody
from ringfence_composer.tools import World

NO_AUTHORITY = "no authority of its own"
NO_GRANT = "no grant"

_RUNTIME_FORMS: Mapping[str, tuple[str, Any]] = {
    "wasi:clocks/monotonic-clock": ("clocks", ["monotonic"]),
    "wasi:clocks/wall-clock": ("clocks", ["wall"]),
    "wasi:random/random": ("random", "secure"),
    "wasi:random/insecure": ("random", "secure"),
    "wasi:random/insecure-seed": ("random", "secure"),
}
"""What a language runtime's need of an interface is, written as a grant: (kind, form). Lists of one kind are joined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGrant:
    """One thing given: by which kind, in plain words, by which line of graph.yaml; whether it lets data out to whoever the guest likes.

    `through` names the edge between nodes that passes it on: it counts in calls through that edge alone.
    """

    kind: str
    words: str
    line: int
    exfiltrates: bool = False
    through: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNode:
    """A node, decided. `runtime` holds the grant forms its language runtime needs and may keep; `idle` grants that no import asks for."""

    name: str
    world: str
    lane: Lane
    reason: str
    imports: tuple[LockedImport, ...]
    runtime: Mapping[str, Any] = field(default_factory=dict)
    grants: tuple[PlannedGrant, ...] = ()
    idle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A graph, decided. `worlds` are those of the binaries."""

    built: BuiltGraph
    nodes: tuple[PlannedNode, ...]
    links: tuple[Link, ...]
    worlds: Mapping[str, World]

    @property
    def manifest(self) -> GraphManifest:
        return self.built.resolved.manifest

    def surplus(self, node: str) -> frozenset[str]:
        """What the binary exports beyond its world: a language runtime's own doors (componentize-py's `exports.init`)."""
        written = {item.name for item in self.built.resolved.worlds[node].exports}
        return frozenset(item.name for item in self.worlds[node].exports if item.functions) - written


def plan(built: BuiltGraph, facts: Facts) -> Plan:
    """The decisions for every import of every binary; links and types are checked again, on the binaries.

    Raises:
        PlanRefused: an interface that nothing here knows, an import or a type that fits no longer; all of them.
    """
    manifest, problems = built.resolved.manifest, Problems()
    worlds = {node.name: facts.world(node) for node in manifest.nodes}
    links = join(manifest, worlds, facts, problems, idle=False)
    problems.extend(_changed_exports(built, worlds))
    if problems:
        raise PlanRefused(problems.in_order())
    nodes = tuple(_Decider(built, node, worlds[node.name], links).planned() for node in manifest.nodes)
    return Plan(built=built, nodes=nodes, links=links, worlds=worlds)


def _changed_exports(built: BuiltGraph, worlds: Mapping[str, World]) -> Iterator[Problem]:
    """Exports of a world that its binary lacks: the builder and its WIT disagree."""
    manifest = built.resolved.manifest
    for node in manifest.nodes:
        found = {item.name for item in worlds[node.name].exports}
        for item in built.resolved.worlds[node.name].exports:
            if item.name not in found and item.kind != "type":
                message = f"its world exports {item.name}, its binary does not"
                yield manifest.document.problem(node.path, message, hint="report this: it is an error of the builder", at_key=True)


def runtime_forms(needs: frozenset[str], withdrawn: tuple[str, ...]) -> dict[str, Any]:
    """The grants, by kind, that a language runtime needs for these interfaces (names without versions), less those withdrawn."""
    forms: dict[str, Any] = {}
    for interface in sorted(needs):
        kind, form = _RUNTIME_FORMS[interface]
        if kind in withdrawn:
            continue
        forms[kind] = sorted({*forms.get(kind, []), *form}) if isinstance(form, list) else form
    return forms


class _Decider:
    """Decides the imports of one node."""

    def __init__(self, built: BuiltGraph, node: NodeManifest, world: World, links: tuple[Link, ...]) -> None:
        self._manifest, self._node, self._world = built.resolved.manifest, node, world
        self._runs, self._source = built.runs(node.name), built.resolved.worlds[node.name]
        self._linked = {link.wanted: link for link in links if link.edge.consumer == node.name}
        self._host: EdgeManifest | None = next(
            (edge for edge in self._manifest.edges if edge.consumer == node.name and edge.provider == HOST), None
        )
        self._granted: Mapping[str, Any] = self._host.grant if self._host else {}
        passing = [edge for edge in self._manifest.edges if edge.provider == node.name and edge.grant]
        self._given_by = [*([self._host] if self._host else []), *passing]
        self._opening = [(edge, kind, _Opening(kind, form, self._manifest)) for edge in self._given_by for kind, form in edge.grant.items()]
        # A runtime's needs are those of any component in that language; this one has those that its binary asks for.
        imported = {base(item.name) for item in world.imports}
        needs = runtime_forms(built.nodes[node.name].runtime_needs & imported, node.withdrawn)
        self._runtime = {kind: form for kind, form in needs.items() if kind not in self._granted}

    def planned(self) -> PlannedNode:
        imports = tuple(
            sorted((self._decided(item.name, free=needs_nobody(item)) for item in self._world.imports), key=lambda one: one.name)
        )
        bases = {base(item.name) for item in self._world.imports}
        return PlannedNode(
            name=self._node.name,
            world=world_name(self._source),
            lane=self._runs.lane,
            reason=self._runs.lane_reason,
            imports=imports,
            runtime=self._runtime,
            grants=tuple(self._given()),
            idle=tuple(dict.fromkeys(kind for _, kind, opening in self._opening if not any(opening.opens(one) for one in bases))),
        )

    def _decided(self, name: str, *, free: bool) -> LockedImport:
        mark = self._manifest.document.mark
        if link := self._linked.get(name):
            return LockedImport(name=name, decision="linked", by=str(link.edge), line=mark(link.edge.path).line)
        if free or base(name) in grants.INERT:
            return LockedImport(name=name, decision="granted", by=NO_AUTHORITY)
        kinds = grants.kinds_of(base(name))
        openers = [(edge, kind) for edge, kind, opening in self._opening if opening.opens(base(name))]
        if any(kind in self._runtime for kind in kinds) and not any(edge is self._host for edge, _ in openers):
            return LockedImport(name=name, decision="runtime", by="language runtime")
        for edge, kind in openers:
            return LockedImport(name=name, decision="granted", by=f"{edge}: {kind}", line=mark((*edge.path, "grant", kind)).line)
        if found := next((kind for kind in kinds if kind in self._node.withdrawn), None):
            return LockedImport(name=name, decision="denied", by=f"{found}: deny", line=mark((*self._node.path, found)).line)
        return LockedImport(name=name, decision="denied", by=NO_GRANT)

    def _given(self) -> Iterator[PlannedGrant]:
        for edge in self._given_by:
            through = "" if edge is self._host else str(edge)
            for one in worded(edge.grant, self._manifest.parameters):
                line = self._manifest.document.mark((*edge.path, "grant", one.kind, one.index)).line
                yield PlannedGrant(kind=one.kind, words=one.words, line=line, exfiltrates=one.exfiltrates, through=through)
        for one in worded(self._runtime):
            yield PlannedGrant(kind=one.kind, words=f"{one.words} (language runtime)", line=0)


class _Opening:
    """Which interfaces a grant form opens, whatever values its parameters may take within their ranges."""

    def __init__(self, kind: str, form: Any, manifest: GraphManifest) -> None:
        usual = usual_values(manifest.parameters)
        ranges = [usual | {one.name: text} for one in manifest.parameters for text in one.within]
        self._policies = [grants.Policy.bind({kind: substitute(form, usual)})]
        for values in ranges:
            # A range (`*.vendor.example:443`) mostly reads as a grant itself; where it does not, it opens nothing new.
            with suppress(ExceptionGroup):
                self._policies.append(grants.Policy.bind({kind: substitute(form, values)}))

    def opens(self, interface: str) -> bool:
        return any(policy.opens(interface) for policy in self._policies)


def world_name(world: World) -> str:
    """`acme:vendor/vendor-client@0.1.0`, as an interface would be written."""
    package, _, version = world.package.partition("@")
    return f"{package}/{world.name}@{version}" if version else f"{package}/{world.name}"
