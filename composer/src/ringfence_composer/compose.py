"""The stages in their order, and the one exit: a plan into `graph.lock.json` with its artifacts beside it.

manifest -> resolved -> built -> plan -> lock. Nothing is written before all of them succeeded; the lock itself comes last, by one rename.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
from ringfence.contract.errors import ManifestError
from ringfence.contract.layout import artifact_path, lock_path, user_cache
from ringfence.contract.lock import (
    Lane,
    Lock,
    LockedArtifact,
    LockedEdge,
    LockedExpose,
    LockedGroup,
    LockedNode,
    Role,
)
from ringfence.contract.names import Digest, digest_of
from ringfence.contract.schemas import schema

from ringfence_composer.build import BuiltGraph, BuiltNode, build, build_component, source_problems
from ringfence_composer.builders.base import Artifact, BuildContext
from ringfence_composer.errors import DigestMismatch, InputInvalid
from ringfence_composer.facts import BinaryFacts, SourceFacts, wit_of
from ringfence_composer.fuse import fuse
from ringfence_composer.groups import EdgeMode, in_mode
from ringfence_composer.lanes import with_lanes
from ringfence_composer.manifest.component import FILE, ComponentManifest, load_component
from ringfence_composer.manifest.graph import EdgeManifest, ExposeManifest, GraphManifest, read_graph
from ringfence_composer.manifest.source import Problems
from ringfence_composer.manifest.wit import world_problem
from ringfence_composer.plan import Plan, PlannedNode, plan
from ringfence_composer.replace import replace_file
from ringfence_composer.resolve import Link, ResolvedGraph, resolve, short_name
from ringfence_composer.second_reading import agree
from ringfence_composer.toolchain import Toolchain


def _silent(_message: str) -> None:
    """Reports to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What the stages work with: the cache folder, whom to tell of each step and what to read afterwards.

    `lane` is every node's, and `edges` how all nodes are joined, whatever graph.yaml says.
    """

    cache: Path = field(default_factory=user_cache)
    report: Callable[[str], None] = _silent
    note: Callable[[str], None] = _silent
    lane: Lane | None = None
    edges: EdgeMode | None = None

    @property
    def context(self) -> BuildContext:
        return BuildContext(cache=self.cache, report=self.report, note=self.note, toolchain=_toolchain(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What compose wrote: the plan, the lock, and where it lies."""

    plan: Plan
    lock: Lock
    file: Path


def check_file(manifest: Path, workshop: Workshop, *, raw: bytes | None = None) -> ResolvedGraph:
    """The graph with its worlds, nothing built. `raw` is read as if it were the file's content.

    Raises:
        ManifestError: everything wrong in graph.yaml and its components, at once.
        ComposerError: a tool is missing or failed.
    """
    problems = Problems()
    workshop.report(f"checking {manifest.name}")
    graph = in_mode(read_graph(manifest, problems, show_as=str(manifest), raw=raw), workshop.edges)
    resolved = resolve(graph, SourceFacts(_toolchain(workshop)), problems)
    readable = [node.component for node in graph.nodes if node.name in resolved.worlds]
    problems.extend(source_problems(one for one in readable if isinstance(one, ComponentManifest)))
    problems.raise_any()
    return resolved


def plan_file(manifest: Path, workshop: Workshop, *, raw: bytes | None = None) -> Plan:
    """The graph decided; what is missing is built. Raises like `check_file`, and PlanRefused."""
    resolved = check_file(manifest, workshop, raw=raw)
    toolchain, context = _toolchain(workshop), workshop.context
    built = build(resolved, context)
    facts = BinaryFacts(toolchain, {name: node.path for name, node in built.nodes.items()})
    agree(built, facts)
    joined = with_lanes(fuse(built, facts, toolchain, context), toolchain, context, workshop.lane)
    workshop.report(f"planning {manifest.name}")
    return plan(joined, facts)


def compose_file(manifest: Path, workshop: Workshop | None = None) -> Composed:
    """Check, build, plan, and write the lock with its artifacts beside the manifest. Raises like `plan_file`; then nothing is changed."""
    workshop = workshop or Workshop()
    planned = plan_file(manifest, workshop)
    lock = lock_of(planned, tools=_toolchain(workshop).digest)
    file = lock_path(manifest)
    workshop.report(f"writing {file.name}")
    write(lock, planned.built, file)
    return Composed(plan=planned, lock=lock, file=file)


def build_folder(folder: Path, workshop: Workshop) -> Artifact:
    """One component's artifact, from the cache or made. Raises ManifestError, ComposerError."""
    target = folder.parent if folder.name == FILE else folder
    manifest = load_component(target, show_as=str(target))
    workshop.report(f"checking {manifest.name}")
    try:
        _toolchain(workshop).world(wit_of(manifest))
    except InputInvalid as error:
        raise ManifestError([world_problem(manifest, error)]) from error
    if problems := [*source_problems([manifest])]:
        raise ManifestError(problems)
    return build_component(manifest, workshop.context)


def lock_of(planned: Plan, *, tools: Digest) -> Lock:
    """The lock that says what the plan decided; equal for equal plans. `tools` is the digest of the toolchain."""
    manifest, built = planned.manifest, planned.built
    mark = manifest.document.mark
    return Lock(
        graph=manifest.name,
        manifest=manifest.file.name,
        inputs={
            "manifest": manifest.document.digest,
            "nodes": {name: node.inputs for name, node in built.nodes.items()},
            "tools": {"toolchain": tools},
        },
        parameters=manifest.parameters,
        nodes=tuple(_locked_node(planned, node) for node in planned.nodes),
        edges=tuple(locked_edge(manifest, planned.links, edge) for edge in manifest.edges),
        expose=tuple(
            LockedExpose(node=one.node, calls=_exposed_calls(planned, one), limits=one.limits, line=mark(one.path).line)
            for one in manifest.expose
        ),
        artifacts=tuple(
            LockedArtifact(node=name, role=role, digest=digest, size=path.stat().st_size, of=node.digest, by=by)
            for name, node in built.units.items()
            for role, path, digest, by in _files(node)
        ),
        groups=tuple(
            LockedGroup(name=one.group.name, nodes=one.group.nodes, imports=one.imports, exports=one.exports) for one in built.groups
        ),
    )


def _exposed_calls(planned: Plan, one: ExposeManifest) -> tuple[str, ...] | None:
    """The functions the application may call: None for all; those of the world, by name, where the binary has doors besides it."""
    if one.calls is not None or not planned.surplus(one.node):
        return one.calls
    exports = planned.built.resolved.worlds[one.node].exports
    return tuple(sorted({short_name(function) for item in exports for function in item.functions}))


def _files(node: BuiltNode) -> Iterator[tuple[Role, Path, Digest, str]]:
    """Every file of a node: its role, where it is, its digest, and who made it."""
    yield "component", node.path, node.digest, node.by
    if node.core is not None:
        yield "core-module", node.core.module, node.core.module_digest, node.core.by
        yield "core-plan", node.core.plan, node.core.plan_digest, node.core.by


def _locked_node(planned: Plan, node: PlannedNode) -> LockedNode:
    written = planned.manifest.node(node.name)
    return LockedNode(
        name=node.name,
        world=node.world,
        lane=node.lane,
        reason=node.reason,
        instances=written.instances,
        shared=written.shared,
        limits=written.limits,
        runtime=node.runtime,
        imports=node.imports,
        line=planned.manifest.document.mark(written.path).line,
    )


def locked_edge(manifest: GraphManifest, links: Sequence[Link], edge: EdgeManifest) -> LockedEdge:
    """An edge as the lock has it: with the interfaces that it satisfies."""
    return LockedEdge(
        consumer=edge.consumer,
        provider=edge.provider,
        interfaces={link.wanted: link.given for link in links if link.edge == edge},
        grant=edge.grant,
        expected=edge.expected,
        calls=edge.calls,
        limits=edge.limits,
        line=manifest.document.mark(edge.path).line,
        fused=edge.fused,
    )


def write(lock: Lock, built: BuiltGraph, file: Path) -> None:
    """Put the artifacts into the store beside `file`, then the lock into its place.

    Raises:
        InputInvalid: the folder can't be written. DigestMismatch: an artifact is not what was planned. The old lock is untouched then.
    """
    data = lock.to_bytes()
    content: Any = json.loads(data)
    jsonschema.Draft202012Validator(schema("lock")).validate(content)
    try:
        for name, node in sorted(built.units.items()):
            for role, path, digest, _ in _files(node):
                target = artifact_path(file, digest)
                target.parent.mkdir(parents=True, exist_ok=True)
                _store(target, path, digest, f"{role} of {name}")
        replace_file(file, data)
    except OSError as error:
        raise InputInvalid(f"cannot write {file.name} or its artifacts: {error.strerror}", hint="is the folder writable?") from error


def _store(target: Path, source: Path, digest: Digest, name: str) -> None:
    if target.is_file() and digest_of(target.read_bytes()) == digest:
        return
    data = source.read_bytes()
    if (found := digest_of(data)) != digest:
        raise DigestMismatch(f"the {name}", expected=digest, found=found, hint="it changed while composing; compose again")
    replace_file(target, data)


def _toolchain(workshop: Workshop) -> Toolchain:
    """The tools; always from the user's cache, since they are part of the installation and take minutes to build."""
    return Toolchain(report=workshop.report)
