"""A line of a graph.yaml to what is written there: whom it lets do what, and what would be denied without it. Nothing is built for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.contract import grants
from ringfence.contract.lock import HOST
from ringfence.contract.parameters import references
from ringfence.contract.wording import Worded, worded

from ringfence_composer.compose import Workshop, check_file
from ringfence_composer.errors import InputInvalid
from ringfence_composer.groups import groups
from ringfence_composer.manifest.component import ComponentManifest
from ringfence_composer.manifest.graph import EdgeManifest, ExposeManifest, GraphManifest, NodeManifest
from ringfence_composer.manifest.source import PathSteps, show_path
from ringfence_composer.plan import world_name
from ringfence_composer.resolve import ResolvedGraph, inner_edges, short_name

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>[0-9]{1,7})(:[0-9]{1,7})?")
_INSTANCES = {
    "fresh": "each call gets a new instance, so no caller meets another's state",
    "pooled": "instances are reused, one call after another, within one edge",
    "single": "one instance serves all callers, who queue for it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldGrant:
    """One grant: what it allows in words, the interfaces it opens, and what its absence would mean for the guest."""

    kind: str
    words: str
    line: int
    exfiltrates: bool
    opens: tuple[str, ...]
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one thing on a line means."""

    subject: str
    path: str
    sentences: tuple[str, ...]
    grants: tuple[ToldGrant, ...] = ()


def place_of(word: str) -> tuple[Path, int] | None:
    """File and line of `graph.yaml:23` (a column may follow); None where the word is no such place."""
    found = _PLACE.fullmatch(word)
    return (Path(found["file"]), int(found["line"])) if found else None


def explain_line(file: Path, line: int, workshop: Workshop) -> tuple[Told, ...]:
    """What is written on that line, each thing once.

    Raises:
        ManifestError, ComposerError: the graph does not hold, like `check_file`.
        InputInvalid: nothing is written there.
    """
    graph = check_file(file, workshop)
    document = graph.manifest.document
    # What has a key stands where its key does: the value of `edges:` begins in the line after it.
    lines = {path: document.keys.get(path, mark).line for path, mark in document.marks.items() if path}
    told = _Teller(graph).told([path for path in lines if lines[path] == line])
    if not told:
        later = min(((at, show_path(path)) for path, at in lines.items() if at > line), default=None)
        hint = f"line {later[0]} holds {later[1]}" if later else "the file ends before"
        raise InputInvalid(f"{file}:{line}: nothing is written there that could be explained", hint=hint)
    return told


class _Teller:
    """Explains the parts of one graph."""

    def __init__(self, graph: ResolvedGraph) -> None:
        self._graph, self._manifest = graph, graph.manifest

    def told(self, paths: Sequence[PathSteps]) -> tuple[Told, ...]:
        """What is at these paths, which are those of one line."""
        manifest, told = self._manifest, dict[PathSteps, Told]()
        for path in paths:
            match path:
                case ("nodes", str(name), *_):
                    told[path[:2]] = self._node(manifest.node(name))
                case ("edges", int(), *_):
                    edge = next(one for one in manifest.edges if one.path == path[:2])
                    told[path[:2]] = self._edge(edge, _chosen(paths, edge.path))
                case ("expose", int(), *_):
                    told[path[:2]] = self._expose(next(one for one in manifest.expose if one.path == path[:2]))
                case ("parameters", str(name), *_):
                    told[path[:2]] = self._parameter(name)
                case (str(key),) if key in _SECTIONS:
                    told[path] = Told(subject=key, path=key, sentences=(_SECTIONS[key],))
        sections = len(told) > 1  # `expose: [vendor]` is about vendor
        return tuple(one for path, one in told.items() if len(path) > 1 or not sections)

    # Edges

    def _edge(self, edge: EdgeManifest, chosen: frozenset[tuple[str, int]] | None) -> Told:
        told = self._to_host(edge, chosen) if edge.provider == HOST else self._to_node(edge)
        return Told(subject=f"edge {edge}", path=show_path(edge.path), sentences=tuple(told[0]), grants=tuple(told[1]))

    def _to_host(self, edge: EdgeManifest, chosen: frozenset[tuple[str, int]] | None) -> tuple[list[str], list[ToldGrant]]:
        found = list(worded(edge.grant, self._manifest.parameters))
        shown = [one for one in found if chosen is None or (one.kind, one.index) in chosen or (one.kind, -1) in chosen]
        sentences = [f"{edge.consumer} may reach the outside world, by what is granted here and by nothing else."]
        if len(shown) < len(found):
            sentences.append(f"{len(found) - len(shown)} more on this edge: name its first line to see all.")
        tried = [one.words for one in worded(edge.expected, self._manifest.parameters)]
        if tried and chosen is None:
            sentences.append(f"Known to be tried in vain, and denied without further notice: {'; '.join(tried)}.")
        return sentences, [self._grant(edge, one) for one in shown]

    def _grant(self, edge: EdgeManifest, one: Worded) -> ToldGrant:
        kind = grants.KINDS[one.kind]
        return ToldGrant(
            kind=one.kind,
            words=one.words,
            line=self._manifest.document.mark((*edge.path, "grant", one.kind, one.index)).line,
            exfiltrates=one.exfiltrates,
            opens=tuple(sorted(kind.interfaces)),
            without=kind.denied,
        )

    def _to_node(self, edge: EdgeManifest) -> tuple[list[str], list[ToldGrant]]:
        links = [link for link in self._graph.links if link.edge == edge]
        names = ", ".join(sorted({link.given for link in links}))
        sentences = [f"{edge.consumer} may call {edge.provider}, which gives it {names}."]
        if edge.fused:
            sentences.append("The two are parts of one component in one store: they call each other directly, and what ends one ends both.")
        if edge.calls is not None:
            other = f"compose refuses a binary of {edge.consumer} that imports any other" if edge.fused else "calling any other"
            sentences.append(f"Only {', '.join(edge.calls)}; {other} function of it{'' if edge.fused else ' is denied'}.")
        sentences += _limits(edge.limits, "A call through this edge")
        sentences.append(f"{edge.provider} acts with its own grants: compose plan --reach shows what that opens to {edge.consumer}.")
        passed = [one.words for one in worded(edge.grant, self._manifest.parameters)]
        if passed:
            sentences.append(f"Called through this edge, and only then, it also has of {edge.consumer}'s: {'; '.join(passed)}.")
        sentences.append(f"Without this edge nothing satisfies {edge.consumer}'s import of {names}, and compose refuses the graph.")
        return sentences, []

    # Nodes

    def _node(self, node: NodeManifest) -> Told:
        return Told(subject=f"node {node.name}", path=show_path(node.path), sentences=tuple(self._about(node)))

    def _about(self, node: NodeManifest) -> Iterator[str]:
        component, manifest = node.component, self._manifest
        made = f"built from {component.language}" if isinstance(component, ComponentManifest) else "a prebuilt file"
        yield f"An instance of {world_name(self._graph.worlds[node.name])}, {made}."
        yield f"instances: {node.instances}: {_INSTANCES[node.instances]}" + ("; edges share them." if node.shared else ".")
        group = next((one for one in groups(manifest, self._graph.order) if node.name in one.nodes), None)
        if group is not None:
            yield f"It is fused with {', '.join(name for name in group.nodes if name != node.name)}: one component, one instance, one end."
        yield from _limits(node.limits, "An instance, or a call of it," if group is None else GROUPED)
        if node.lane:
            yield f"lane: {node.lane} was asked for."
        for kind in node.withdrawn:
            yield f"{kind}: deny takes away what its language runtime would get: {grants.KINDS[kind].denied.partition(', unless')[0]}."
        callers = [edge.consumer for edge in inner_edges(manifest) if edge.provider == node.name]
        callers += ["the application"] if any(one.node == node.name for one in manifest.expose) else []
        yield f"Called by {', '.join(callers)}." if callers else "Nobody calls it."
        if called := [edge.provider for edge in inner_edges(manifest) if edge.consumer == node.name]:
            yield f"It calls {', '.join(called)}."
        host = next((edge for edge in manifest.edges if edge.consumer == node.name and edge.provider == HOST), None)
        given = [one.words for one in worded(host.grant, manifest.parameters)] if host else []
        yield f"Granted: {'; '.join(given)}." if given else "Nothing is granted to it: no files, no network, no environment."

    # What the application may call, and parameters

    def _expose(self, one: ExposeManifest) -> Told:
        items = [item for item in self._graph.worlds[one.node].exports if item.functions]
        names = one.calls or tuple(dict.fromkeys(short_name(function) for item in items for function in item.functions))
        sentences = [f"An application may call {one.node}: {', '.join(names)}."]
        if one.calls is not None:
            sentences.append("No other function of it.")
        sentences += _limits(one.limits, "Such a call")
        sentences.append(f"Without this line the application cannot call {one.node} at all.")
        return Told(subject=f"expose {one.node}", path=show_path(one.path), sentences=tuple(sentences))

    def _parameter(self, name: str) -> Told:
        one = next(one for one in self._manifest.parameters if one.name == name)
        sentences = [f"A value of type {one.type} that is given when the graph is loaded; the lock keeps it open."]
        sentences.append(f"Where none is given it is {one.default}." if one.default else "It has no default, so a value must be given.")
        if one.within:
            sentences.append(f"It must lie within {' or '.join(one.within)}; any other value is refused.")
        users = [f"{edge}: {words}" for edge, words in _uses(self._manifest, name)]
        sentences.append(f"It stands in {'; '.join(users)}." if users else "No grant uses it.")
        return Told(subject=f"parameter {name}", path=show_path(("parameters", name)), sentences=tuple(sentences))


GROUPED = "Memory and stack are counted for the whole group; a deadline, output or fuel holds for its whole call. It"
_SECTIONS: Mapping[str, str] = {
    "fused": "Whether edges between nodes are fused where they do not say: nodes joined into one component, in which calls are direct.",
    "ringfence": "The version of this file's form. A newer one is refused.",
    "graph": "The graph's name. It stands in logs and in pictures.",
    "parameters": "What differs from place to place; each has a type, and a range that it cannot leave.",
    "nodes": "The components of the graph, by name. None may do anything that no edge grants.",
    "edges": "Who may call whom, and what the outside world (host) gives to whom. What no edge grants is denied.",
    "expose": "What the application that loads the graph may call.",
}


def _chosen(paths: Sequence[PathSteps], edge: PathSteps) -> frozenset[tuple[str, int]] | None:
    """The grants of an edge that these paths of one line are about: kind and index (-1: all of the kind); None: the whole edge."""
    inside = [path[len(edge) :] for path in paths if path[: len(edge)] == edge]
    if any((len(path) < 3 and path[:1] != ("grant",)) or path == ("grant",) for path in inside):
        return None
    single = {(str(path[1]), path[2]) for path in inside if len(path) > 2 and isinstance(path[2], int)}
    kinds = {str(path[1]) for path in inside} - {kind for kind, _ in single}
    return frozenset({*single, *((kind, -1) for kind in kinds)})


def _limits(limits: Mapping[str, str], what: str) -> list[str]:
    words = ", ".join(f"{name} {value}" for name, value in limits.items())
    return [f"{what} may use at most: {words}."] if words else []


def _uses(manifest: GraphManifest, name: str) -> Iterator[tuple[EdgeManifest, str]]:
    for edge in manifest.edges:
        for one in worded(edge.grant, manifest.parameters):
            if name in references(one.form):
                yield edge, one.words
