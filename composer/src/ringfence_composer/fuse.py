"""A built graph with one component for each group of fused nodes, in which they call each other directly.

The toolchain nests the nodes' binaries unchanged. What no node of a group serves stays an import of the whole, under the node's name, so
that the host knows who asks; which is whose is kept, and held against what the nodes' own binaries import, and against a second reading.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ringfence.contract.errors import Problem
from ringfence.contract.names import Digest, digest_of

from ringfence_composer.build import BuiltGraph, BuiltGroup, BuiltNode, Names
from ringfence_composer.builders.base import BuildContext
from ringfence_composer.builders.cache import BuildCache, Stored
from ringfence_composer.errors import InputInvalid, PlanRefused, ToolFailed
from ringfence_composer.groups import APART, Group, groups
from ringfence_composer.manifest.graph import GraphManifest
from ringfence_composer.manifest.source import Problems
from ringfence_composer.resolve import Facts, Link, join, short_name
from ringfence_composer.second_reading import imports_of
from ringfence_composer.toolchain import Desk, Toolchain
from ringfence_composer.tools import World

FORMAT = 1
"""The version of the form in which nodes are joined; part of what says who made an artifact."""


def fuse(built: BuiltGraph, facts: Facts, toolchain: Toolchain, context: BuildContext) -> BuiltGraph:
    """The same graph, with a component for each group.

    Raises:
        PlanRefused: imports or types that fit no longer, calls that a fused edge leaves out and its consumer's binary makes, nodes that
            cannot be joined; all of them.
    """
    manifest, problems = built.resolved.manifest, Problems()
    found = groups(manifest, built.resolved.order)
    if not found:
        return built
    worlds = {node.name: facts.world(node) for node in manifest.nodes}
    links = join(manifest, worlds, facts, problems, idle=False)
    problems.extend(_left_out(manifest, worlds, links))
    if problems:
        raise PlanRefused(problems.in_order())
    made = []
    for group in found:
        inner = [link for link in links if link.edge.fused and link.edge.consumer in group.nodes]
        joining = _Joining(built, group, inner, toolchain, BuildCache(context.cache, context.report))
        context.report(f"{group.name}: joining the components of {len(group.nodes)} nodes")
        try:
            made.append(joining.made(worlds))
        except InputInvalid as error:
            problems.add(_apart(manifest, group, error))
    if problems:
        raise PlanRefused(problems.in_order())
    return BuiltGraph(resolved=built.resolved, nodes=built.nodes, groups=tuple(made))


def _left_out(manifest: GraphManifest, worlds: Mapping[str, World], links: Sequence[Link]) -> Iterator[Problem]:
    """Functions that a consumer's binary imports though the fused edge's `calls` do not list them: nobody is there to refuse a call."""
    for link in links:
        if not link.edge.fused or link.edge.calls is None:
            continue
        wanted = next(item for item in worlds[link.edge.consumer].imports if item.name == link.wanted)
        short = sorted({short_name(one) for one in wanted.functions if {one, short_name(one)}.isdisjoint(link.edge.calls)})
        if short:
            message = f"{link.edge.consumer} imports {', '.join(short)} of {link.wanted}, which these calls leave out"
            hint = f"inside a group nothing refuses a call: list them, build {link.edge.consumer} without them, or {APART}"
            yield manifest.document.problem((*link.edge.path, "grant", "calls"), message, hint=hint)


def _apart(manifest: GraphManifest, group: Group, error: InputInvalid) -> Problem:
    edge = next(edge for edge in manifest.edges if edge.fused and edge.consumer in group.nodes)
    path = (*edge.path, "fused")
    place = path if path in manifest.document.marks else edge.path
    message = f"the components of {', '.join(reversed(group.nodes))} cannot be joined: {error.message}"
    return manifest.document.problem(place, message, hint=f"{APART}: the nodes get a store each")


class _Joining:
    """Joins one group, at most once for equal components."""

    def __init__(self, built: BuiltGraph, group: Group, links: Sequence[Link], toolchain: Toolchain, cache: BuildCache) -> None:
        self._nodes = {name: built.nodes[name] for name in group.nodes}
        self._group, self._toolchain, self._cache = group, toolchain, cache
        self._made: tuple[bytes, bytes] | None = None
        self._spec = [
            {
                "name": name,
                "file": f"{index}.wasm",
                "entry": name in group.entries,
                "links": {link.wanted: [link.edge.provider, link.given] for link in links if link.edge.consumer == name},
            }
            for index, name in enumerate(group.nodes)
        ]

    def made(self, worlds: Mapping[str, World]) -> BuiltGroup:
        """The group's component, and whose its imports and exports are.

        Raises:
            InputInvalid: the components cannot be joined.
            ToolFailed: what came of it imports other than its nodes do.
        """
        names: Mapping[str, Any] = json.loads(self._part("names").path.read_bytes())
        component = self._part("component")
        imports, exports = _names(names["imports"]), _names(names["exports"])
        self._check(imports, component.path, worlds)
        node = BuiltNode(
            path=component.path,
            digest=component.digest,
            inputs=self._inputs("component"),
            size=component.path.stat().st_size,
            runtime_needs=frozenset(),
            by=f"fuse {FORMAT}",
        )
        return BuiltGroup(group=self._group, node=node, imports=imports, exports=exports)

    def _check(self, imports: Names, component: Path, worlds: Mapping[str, World]) -> None:
        """Nobody's import is lost, doubled or another's; and a second program reads the same from the binary."""
        inside = {(one["name"], wanted) for one in self._spec for wanted in one["links"]}  # type: ignore[attr-defined]
        expected = {(name, item.name) for name in self._group.nodes for item in worlds[name].imports} - inside
        read = {name for _, name in imports_of(component.read_bytes())}
        if sorted(imports.values()) != sorted(expected) or read != imports.keys():
            raise ToolFailed("toolchain fuse", f"{self._group.name}: the joined component imports other than its nodes do")

    def _inputs(self, part: str) -> Digest:
        digests = [node.digest for node in self._nodes.values()]
        said = json.dumps({"part": part, "spec": self._spec, "digests": digests}, sort_keys=True)
        return digest_of(f"fuse {FORMAT} {self._toolchain.digest} {said}".encode())

    def _part(self, part: str) -> Stored:
        return self._cache.fetch(self._inputs(part), lambda _: self._bytes(part))

    def _bytes(self, part: str) -> bytes:
        if self._made is None:
            with Desk(self._toolchain) as desk:
                for one, node in zip(self._spec, self._nodes.values(), strict=True):
                    desk.put(str(one["file"]), node.path)
                spec = desk.put("spec.json", json.dumps({"nodes": self._spec}).encode())
                answer = desk.ask("fuse", spec, "fused.wasm", invalid=InputInvalid)
                self._made = (desk.take("fused.wasm"), answer)
        return self._made[0] if part == "component" else self._made[1]


def _names(answer: Mapping[str, Sequence[str]]) -> Names:
    return {outer: (node, inner) for outer, (node, inner) in answer.items()}
