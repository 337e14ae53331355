"""graph.yaml, and the component.yaml of each node, into one record; everything wrong in them is collected, nothing is guessed.

What is broken is left out of the record, so that later checks can go on and report their own findings together with these.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from ringfence.contract.errors import ManifestError
from ringfence.contract.files import read_regular, why
from ringfence.contract.limits import OF_INSTANCE, Limits, parse_limit
from ringfence.contract.lock import HOST, Instances, Lane, LockedParameter, edge_name
from ringfence.contract.names import Digest, digest_of

from ringfence_composer.manifest.component import ComponentManifest, read_component, unportable
from ringfence_composer.manifest.grants import GrantReader
from ringfence_composer.manifest.paths import COMPONENT, exists, is_file, is_folder, meant, refuse_other_than_graph
from ringfence_composer.manifest.shape import closest, shape_problems
from ringfence_composer.manifest.source import Document, PathSteps, Problems, parse_document, quoted, read_document

APPLICATION = "application"
MAX_BINARY = 1 << 30
"""Bytes of a .wasm file that are read at most."""
WITHDRAWABLE = ("clocks", "random")
_RESERVED = {HOST: "the outside world", APPLICATION: "the program that loads the graph"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prebuilt:
    """A node that is a .wasm file already."""

    file: Path
    shown: str
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeManifest:
    """A node. `component` is None where it can't be used (the reasons are problems); `withdrawn` are kinds its runtime must do without."""

    name: str
    component: ComponentManifest | Prebuilt | None
    limits: Mapping[str, str] = field(default_factory=dict)
    instances: Instances = "fresh"
    shared: bool = False
    lane: Lane | None = None
    withdrawn: tuple[str, ...] = ()
    path: PathSteps


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeManifest:
    """An edge. `grant` maps kinds to forms, parameters still symbolic; `calls` None: all functions.

    To the host, `grant` is what the consumer may do, and `expected` what it tries in vain; to a node, what the consumer passes on to it.
    `fused`: the two nodes are parts of one component.
    """

    consumer: str
    provider: str
    grant: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[str, ...] | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    fused: bool = False
    path: PathSteps

    def __str__(self) -> str:
        return edge_name(self.consumer, self.provider)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposeManifest:
    """A node that the application may call."""

    node: str
    calls: tuple[str, ...] | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    path: PathSteps


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphManifest:
    """A graph.yaml with its components. `torn` are nodes one of whose edges could not be read: what they lack is not known."""

    file: Path
    name: str
    document: Document
    parameters: tuple[LockedParameter, ...] = ()
    nodes: tuple[NodeManifest, ...] = ()
    edges: tuple[EdgeManifest, ...] = ()
    expose: tuple[ExposeManifest, ...] = ()
    torn: frozenset[str] = frozenset()

    @property
    def folder(self) -> Path:
        return self.file.parent

    def node(self, name: str) -> NodeManifest:
        """The node of this name."""
        return next(node for node in self.nodes if node.name == name)


def read_graph(file: Path, problems: Problems, *, show_as: str | None = None, raw: bytes | None = None) -> GraphManifest:
    """The graph in a file; what is wrong with it or its components is added to `problems`. `raw` is read as if it were the file's content.

    Raises:
        ManifestError: the file can't be read as YAML, or is of another version; nothing more can be said about it.
    """
    shown = show_as or str(file)
    refuse_other_than_graph(file, shown)
    document = read_document(file, show_as=shown) if raw is None else parse_document(raw, shown)
    shape = shape_problems(document, "graph")
    if not isinstance(document.data, Mapping) or document.data.get("ringfence") != 1:
        raise ManifestError(shape)
    problems.extend(shape)
    return _Reader(file.resolve(), document, problems).read()


class _Reader:
    """Reads the parts of one graph. Wherever a value's type is wrong, the schema has said so already."""

    def __init__(self, file: Path, document: Document, problems: Problems) -> None:
        self.file, self.document, self.problems = file, document, problems
        self.grants = GrantReader(document, problems)
        self.names: list[str] = [*_mapping(document.data.get("nodes"))]
        self.torn: set[str] = set()
        self._components: dict[Path, ComponentManifest | None] = {}

    def read(self) -> GraphManifest:
        data = self.document.data
        name = data.get("graph")
        edges = [edge for index, one in enumerate(_list(data.get("edges"))) if (edge := self._edge(index, one))]
        self._twice(edges, str, "edge")
        expose = [one for index, raw in enumerate(_list(data.get("expose"))) if (one := self._expose(index, raw))]
        self._twice(expose, lambda one: one.node, "entry for")
        nodes = [self._node(name, _mapping(raw)) for name, raw in _mapping(data.get("nodes")).items()]
        self._limits_of_shared(
            {node.name for node in nodes if node.shared}, [(one.provider, one) for one in edges] + [(one.node, one) for one in expose]
        )
        return GraphManifest(
            file=self.file,
            name=name if isinstance(name, str) else "",
            document=self.document,
            parameters=self.grants.parameters,
            nodes=tuple(nodes),
            edges=tuple(edges),
            expose=tuple(expose),
            torn=frozenset(self.torn),
        )

    def _say(self, path: PathSteps, message: str, hint: str | None = None, *, at_key: bool = False) -> None:
        self.problems.add(self.document.problem(path, message, hint=hint, at_key=at_key))

    def _twice(self, items: Iterable[Any], name_of: Any, noun: str) -> None:
        seen: dict[str, int] = {}
        for one in items:
            name, line = name_of(one), self.document.mark(one.path).line
            if name in seen:
                self._say(one.path, f"a second {noun} {name}; the first is in line {seen[name]}", "write them as one")
            seen.setdefault(name, line)

    def _limits_of_shared(self, shared: set[str], entries: Iterable[tuple[str, EdgeManifest | ExposeManifest]]) -> None:
        """Limits of one edge that an instance shared by several cannot keep: it is made with them."""
        for name, entry in entries:
            for limit in OF_INSTANCE:
                if name in shared and limit in entry.limits:
                    hint = f"write it under nodes.{name}.limits"
                    self._say((*entry.path, "limits", limit), f"edges share the instances of {name}, and it belongs to an instance", hint)

    def _known(self, path: PathSteps, name: Any) -> bool:
        """Whether a node of this name exists; says so where not."""
        if not isinstance(name, str) or not name:
            return False
        if name not in self.names:
            self._say(path, f"there is no node {quoted(name)}", closest(name, [*self.names, HOST] if path[-1] == "to" else self.names))
        return name in self.names

    # Nodes

    def _node(self, name: str, data: Mapping[str, Any]) -> NodeManifest:
        path: PathSteps = ("nodes", name)
        if name in _RESERVED:
            self._say(path, f"the name {name} is taken: it means {_RESERVED[name]}", "choose another name", at_key=True)
        instances: Any = data.get("instances", "fresh")
        lane, shared = data.get("lane"), data.get("shared") is True
        if shared and instances == "fresh":
            hint = "add instances: pooled (or single), or leave shared out"
            self._say((*path, "shared"), "a fresh instance serves one call, so it can't be shared", hint)
        return NodeManifest(
            name=name,
            component=self._component(path, data),
            limits=self._limits((*path, "limits"), data.get("limits")),
            instances=instances if instances in get_args(Instances) else "fresh",
            shared=shared,
            lane=lane if lane in get_args(Lane) else None,
            withdrawn=tuple(kind for kind in WITHDRAWABLE if data.get(kind) == "deny"),
            path=path,
        )

    def _component(self, path: PathSteps, data: Mapping[str, Any]) -> ComponentManifest | Prebuilt | None:
        written, digest = data.get("component"), data.get("digest")
        if not isinstance(written, str) or not written:
            return None
        path = (*path, "component")
        target = Path(os.path.normpath(self.file.parent / written))
        shown = os.path.normpath(Path(self.document.file).parent / written)
        if bad := unportable(written):
            self._say(path, bad)
        elif written.endswith(".wasm"):
            return self._prebuilt(path, written, target, shown, digest)
        elif digest is not None:
            self._say((*path[:-1], "digest"), "a digest belongs to a .wasm file; a folder's is computed", "remove it")
        elif is_file(target):
            hint = f"did you mean {Path(written).parent}?" if target.name == COMPONENT else "name the component's folder"
            self._say(path, f"expected a folder, {quoted(shown)} is a file", hint)
        elif not is_folder(target):
            self._say(path, f"there is no folder {quoted(shown)}", self._meant(written))
        elif not exists(target / COMPONENT):
            self._say(path, f"there is no {COMPONENT} in {quoted(shown)}")
        else:
            if target not in self._components:
                self._components[target] = read_component(target, self.problems, show_as=shown)
            return self._components[target]
        return None

    def _prebuilt(self, path: PathSteps, written: str, target: Path, shown: str, digest: Any) -> Prebuilt | None:
        try:
            found = digest_of(read_regular(target, MAX_BINARY))
        except OSError as error:
            hint = self._meant(written) if isinstance(error, FileNotFoundError) else None
            self._say(path, f"cannot read the file {quoted(shown)}: {why(error)}", hint)
            return None
        if digest is None:
            self._say(path, "a .wasm file needs its digest", f"if this is the file you mean, add digest: {found}")
            return None
        if digest != found:
            if isinstance(digest, str) and digest.startswith("sha256:"):
                self._say((*path[:-1], "digest"), f"{quoted(shown)} has the digest {found}, not this one")
            return None
        return Prebuilt(file=target, shown=shown, digest=found)

    def _meant(self, written: str) -> str:
        return meant(self.file.name, self.file.parent, written, _buildable)

    # Edges

    def _edge(self, index: int, data: Any) -> EdgeManifest | None:
        path: PathSteps = ("edges", index)
        if not isinstance(data, Mapping):
            self.torn.update(self.names)
            return None
        consumer: Any = data.get("from")
        provider: Any = data.get("to")
        if consumer == HOST:
            self._say((*path, "from"), "the host calls no one; an edge begins at a node", "to expose a node, use expose")
            return None
        starts = self._known((*path, "from"), consumer)
        if not starts or not (provider == HOST or self._known((*path, "to"), provider)):
            self.torn.update([consumer] if starts else self.names)
            return None
        if consumer == provider:
            self.torn.add(consumer)
            self._say(path, f"{consumer} has an edge to itself", "a component cannot import its own export; remove the edge")
            return None
        grant, expected = _mapping(data.get("grant")), _mapping(data.get("expected"))
        calls = None if provider == HOST else self.grants.calls(grant)
        if provider == HOST:
            if "fused" in data:
                self._say((*path, "fused"), "the host is no component that a node could be joined with", "remove it", at_key=True)
            grant, expected = self.grants.to_host((*path, "grant"), grant), self.grants.to_host((*path, "expected"), expected)
            if "limits" in data:
                hint = f"write them under nodes.{consumer}.limits"
                self._say((*path, "limits"), "limits belong to nodes and to edges between them", hint, at_key=True)
        else:
            grant, expected = self.grants.to_node((*path, "grant"), grant), {}
            if "expected" in data:
                hint = f"write it on the edge from {provider} to {HOST}"
                self._say((*path, "expected"), "what a node tries in vain stands on its own edge to the host", hint, at_key=True)
        limits = self._limits((*path, "limits"), data.get("limits"))
        return EdgeManifest(
            consumer=consumer,
            provider=provider,
            grant=grant,
            expected=expected,
            calls=calls,
            limits=limits,
            fused=provider != HOST and data.get("fused", self.document.data.get("fused")) is True,
            path=path,
        )

    def _expose(self, index: int, data: Any) -> ExposeManifest | None:
        path: PathSteps = ("expose", index)
        if isinstance(data, str):
            node, dot, function = data.partition(".")
            if dot and function and node in self.names and data not in self.names:
                hint = f"to expose only some functions of it, write {{ node: {node}, calls: [{function}] }}"
                self._say(path, f"there is no node {quoted(data)}", hint)
                return None
            return ExposeManifest(node=data, path=path) if self._known(path, data) else None
        if not isinstance(data, Mapping) or not self._known((*path, "node"), data.get("node")):
            return None
        return ExposeManifest(
            node=data["node"],
            calls=_names(data.get("calls")),
            limits=self._limits((*path, "limits"), data.get("limits")),
            path=path,
        )

    def _limits(self, path: PathSteps, data: Any) -> Mapping[str, str]:
        """The limits that are written right."""
        good: dict[str, str] = {}
        for name, text in _mapping(data).items():
            if isinstance(text, bool) or not isinstance(text, str | int) or name not in Limits.__slots__:
                continue
            try:
                parse_limit(name, str(text))
                good[name] = str(text)
            except ValueError as error:
                self.problems.add_unless_known(self.document.problem((*path, name), str(error)))
        return good


def _buildable(path: Path) -> bool:
    return is_file(path / COMPONENT) or (path.suffix == ".wasm" and is_file(path))


def _mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, Mapping) else {}


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []


def _names(data: Any) -> tuple[str, ...] | None:
    return tuple(one for one in data if isinstance(one, str)) if isinstance(data, list) else None
