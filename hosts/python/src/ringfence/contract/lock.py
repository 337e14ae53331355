"""The lock: what compose decided and the host obeys. Records, their canonical JSON, and nothing else.

The file is canonical JSON (sorted keys, two-space indent, a final newline, no time stamps, no absolute paths). Its field `digest` is
over the canonical form of everything else, so that an edit by hand is noticed; an application that must not trust the file at all pins
`lock_digest` (the digest of the file's bytes) when it loads.

The records are named tuples, whose making costs a start a third of what dataclasses do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from ringfence.contract.errors import IntegrityError
from ringfence.contract.names import Digest, digest_of

VERSION = 1
HOST = "host"
"""The outside world, as the name of a node that edges may lead to."""
EDGE = " -> "
"""Between the two ends of an edge, where it is named."""

Role: TypeAlias = Literal["component", "core-module", "core-plan"]
Lane: TypeAlias = Literal["core", "component"]
Instances: TypeAlias = Literal["fresh", "pooled", "single"]
Decision: TypeAlias = Literal["linked", "granted", "runtime", "denied"]
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class LockedArtifact(NamedTuple):
    """One file of a node: at `.ringfence/sha256/<hex>` beside the lock.

    `of` is the component it was made from, `by` its producer and format version.
    """

    node: str
    role: Role
    digest: Digest
    size: int
    of: Digest
    by: str


class LockedImport(NamedTuple):
    """What the plan decided for one import of a node, and by which line of graph.yaml (0: by default)."""

    name: str
    decision: Decision
    by: str
    line: int = 0


class LockedNode(NamedTuple):
    """A node as it runs. `runtime` holds the grant forms its language runtime needs; `limits` are as written."""

    name: str
    world: str
    lane: Lane
    reason: str
    instances: Instances = "fresh"
    shared: bool = False
    limits: Mapping[str, str] = _NOTHING
    runtime: Mapping[str, Any] = _NOTHING
    imports: tuple[LockedImport, ...] = ()
    line: int = 0


class LockedEdge(NamedTuple):
    """An edge. `interfaces` maps the consumer's import to the provider's export; `grant` maps kinds to forms, parameters still symbolic.

    To the host, `grant` is what the consumer may do, and `expected` what it tries in vain; to a node, what the consumer passes on to it.
    `fused`: both are parts of one component, and calls through the edge need no host.
    """

    consumer: str
    provider: str
    interfaces: Mapping[str, str] = _NOTHING
    grant: Mapping[str, Any] = _NOTHING
    expected: Mapping[str, Any] = _NOTHING
    calls: tuple[str, ...] | None = None
    limits: Mapping[str, str] = _NOTHING
    line: int = 0
    fused: bool = False

    @property
    def name(self) -> str:
        """The edge as messages name it."""
        return edge_name(self.consumer, self.provider)


def edge_name(consumer: str, provider: str) -> str:
    """An edge as messages name it."""
    return f"{consumer}{EDGE}{provider}"


class LockedExpose(NamedTuple):
    """A node the application may call."""

    node: str
    calls: tuple[str, ...] | None = None
    limits: Mapping[str, str] = _NOTHING
    line: int = 0


class LockedGroup(NamedTuple):
    """Nodes that are one component, whose artifacts are kept under the group's name. `nodes` come in the order in which they are nested.

    `imports` and `exports` map names of that component to a node and its own name for it; what stands at the root of a node's world is
    exported as the interface ''.
    """

    name: str
    nodes: tuple[str, ...]
    imports: Mapping[str, tuple[str, str]] = _NOTHING
    exports: Mapping[str, tuple[str, str]] = _NOTHING


class LockedParameter(NamedTuple):
    """A parameter by name: its type, default and the ranges it must stay within, as written."""

    name: str
    type: str
    default: str | None = None
    within: tuple[str, ...] = ()


class Lock(NamedTuple):
    """A whole lock. `manifest` is the file name of the graph it was made from, `inputs` the digests of all that went in."""

    graph: str
    manifest: str
    inputs: Mapping[str, Any]
    parameters: tuple[LockedParameter, ...] = ()
    nodes: tuple[LockedNode, ...] = ()
    edges: tuple[LockedEdge, ...] = ()
    expose: tuple[LockedExpose, ...] = ()
    artifacts: tuple[LockedArtifact, ...] = ()
    groups: tuple[LockedGroup, ...] = ()

    @property
    def units(self) -> dict[str, LockedNode]:
        """What runs in a store of its own, by the name that its artifacts have: a group, told by one of its nodes, or a node in none."""
        fused = {name for one in self.groups for name in one.nodes}
        nodes = {node.name: node for node in self.nodes}
        return {name: node for name, node in nodes.items() if name not in fused} | {one.name: nodes[one.nodes[0]] for one in self.groups}

    def to_dict(self) -> dict[str, Any]:
        """The lock as JSON data, its digest included."""
        body: dict[str, Any] = {
            "ringfence": VERSION,
            "graph": self.graph,
            "manifest": self.manifest,
            "inputs": _plain(self.inputs),
            "parameters": {one.name: _record(one, "name") for one in self.parameters},
            "nodes": {one.name: _record(one, "name") for one in self.nodes},
            "edges": [_record(one) for one in sorted(self.edges, key=lambda one: (one.consumer, one.provider, one.line))],
            "expose": {one.node: _record(one, "node") for one in self.expose},
            "artifacts": [_record(one) for one in sorted(self.artifacts, key=lambda one: (one.node, one.role))],
        }
        if self.groups:
            body["groups"] = {one.name: _record(one, "name") for one in self.groups}
        return body | {"digest": digest_of(_canonical(body))}

    def to_bytes(self) -> bytes:
        """The file's content: equal locks give equal bytes."""
        return _canonical(self.to_dict())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Lock:
        """The lock of JSON data that its schema has accepted.

        Raises:
            IntegrityError: its digest is not that of its content, or its groups are not made of its nodes, each in one at most.
        """
        body = {key: value for key, value in data.items() if key != "digest"}
        found = digest_of(_canonical(body))
        if data["digest"] != found:
            raise IntegrityError(f"it was changed after compose wrote it: its content has digest {found}, it says {data['digest']}")
        groups = [group["nodes"] for group in data.get("groups", {}).values()]
        fused = [node for nodes in groups for node in nodes]
        if len({*fused}) < len(fused) or not {*fused} <= data["nodes"].keys() or not all(groups):
            raise IntegrityError("its groups are not made of its nodes, each in one at most")
        return cls(
            graph=data["graph"],
            manifest=data["manifest"],
            inputs=data["inputs"],
            parameters=tuple(
                LockedParameter(name=name, **(one | {"within": tuple(one.get("within", ()))})) for name, one in data["parameters"].items()
            ),
            nodes=tuple(_node(name, one) for name, one in data["nodes"].items()),
            edges=tuple(LockedEdge(**_with_calls(one)) for one in data["edges"]),
            expose=tuple(LockedExpose(node=name, **_with_calls(one)) for name, one in data["expose"].items()),
            artifacts=tuple(LockedArtifact(**one) for one in data["artifacts"]),
            groups=tuple(_group(name, one) for name, one in data.get("groups", {}).items()),
        )


def _node(name: str, data: Mapping[str, Any]) -> LockedNode:
    imports = tuple(LockedImport(**one) for one in data.get("imports", ()))
    return LockedNode(name=name, **{**data, "imports": imports})


def _group(name: str, data: Mapping[str, Any]) -> LockedGroup:
    imports, exports = ({outer: (node, inner) for outer, (node, inner) in data.get(key, {}).items()} for key in ("imports", "exports"))
    return LockedGroup(name=name, nodes=tuple(data["nodes"]), imports=imports, exports=exports)


def _with_calls(data: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, "calls": tuple(data["calls"])} if "calls" in data else dict(data)


def _record(record: Any, *left_out: str) -> dict[str, Any]:
    """A record's fields as JSON data; what is empty by default is not written."""
    data = {name: _plain(getattr(record, name)) for name in record._fields if name not in left_out}
    return {name: value for name, value in data.items() if value not in (None, {}, [], False, 0) or name == "size"}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "_fields"):
        return _record(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return cast("Any", value)


def _canonical(data: Any) -> bytes:
    return (json.dumps(data, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")
