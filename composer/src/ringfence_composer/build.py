"""A resolved graph with a binary for each node: folders built by their language's builder, .wasm files taken as they are."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from ringfence.contract.errors import ManifestError, Problem, RingfenceError
from ringfence.contract.lock import Lane
from ringfence.contract.names import Digest, digest_of

from ringfence_composer.builders.base import Archive, Artifact, BuildContext, Builder, ComponentSource, Requirement
from ringfence_composer.builders.c import CBuilder
from ringfence_composer.builders.python import PythonBuilder
from ringfence_composer.builders.rust import RustBuilder
from ringfence_composer.crew import side_by_side
from ringfence_composer.errors import BuildsFailed, DigestMismatch, InputInvalid, SourceInvalid
from ringfence_composer.groups import Group
from ringfence_composer.manifest.component import ComponentManifest
from ringfence_composer.manifest.graph import Prebuilt
from ringfence_composer.resolve import ResolvedGraph

_ALL: tuple[Builder, ...] = (PythonBuilder(), RustBuilder(), CBuilder())
BUILDERS: Mapping[str, Builder] = {builder.language: builder for builder in _ALL}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreForm:
    """A component taken apart for the core lane: one merged core module and its plan (docs/core-plan.md)."""

    module: Path
    module_digest: Digest
    plan: Path
    plan_digest: Digest
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltNode:
    """A node's binary, how its calls cross the border and why, and its core form where that lane is core.

    `inputs` is equal on every machine for equal sources; `by` names what made it.
    """

    path: Path
    digest: Digest
    inputs: Digest
    size: int
    runtime_needs: frozenset[str]
    by: str
    lane: Lane = "component"
    lane_reason: str = "not decided yet"
    core: CoreForm | None = None


Names: TypeAlias = Mapping[str, tuple[str, str]]
"""Names of a group's component, each with the node that it belongs to and that node's own name for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltGroup:
    """A group of fused nodes as one component: `node` is what a node's binary is, `imports` and `exports` say what in it is whose."""

    group: Group
    node: BuiltNode
    imports: Names
    exports: Names


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltGraph:
    """A graph with all its binaries, by node; and those of its groups of fused nodes, which run in place of their nodes' own."""

    resolved: ResolvedGraph
    nodes: Mapping[str, BuiltNode]
    groups: tuple[BuiltGroup, ...] = ()

    def runs(self, node: str) -> BuiltNode:
        """What runs for a node: its own binary, or its group's."""
        return next((one.node for one in self.groups if node in one.group.nodes), self.nodes[node])

    @property
    def units(self) -> dict[str, BuiltNode]:
        """All that runs in a store of its own, by name: groups, and nodes that are in none."""
        fused = {name for one in self.groups for name in one.group.nodes}
        alone = {name: node for name, node in self.nodes.items() if name not in fused}
        return alone | {one.group.name: one.node for one in self.groups}


def build(resolved: ResolvedGraph, context: BuildContext) -> BuiltGraph:
    """The graph with its binaries, each component built once: side by side, as many as there are cores.

    Raises:
        ManifestError: what is wrong in sources, of all components at once.
        ComposerError: what a builder raises; BuildsFailed with the errors of all components that failed, where those are several.
    """
    written = {name: resolved.manifest.node(name).component for name in resolved.order}
    components = list({one.folder: one for one in written.values() if isinstance(one, ComponentManifest)}.values())
    progress = _Progress(context.report)

    def attempt(component: ComponentManifest) -> BuiltNode | RingfenceError:
        with progress.of(component.name) as report:
            try:
                return _built(build_component(component, replace(context, report=report)))
            except RingfenceError as error:
                return error

    made = side_by_side(attempt, components, context.cores.count)
    _refuse([one for one in made if isinstance(one, RingfenceError)])
    built = {component.folder: one for component, one in zip(components, made, strict=True) if isinstance(one, BuiltNode)}
    nodes = {name: _taken(one) if isinstance(one, Prebuilt) else built[one.folder] for name, one in written.items() if one is not None}
    return BuiltGraph(resolved=resolved, nodes=nodes)


class _Progress:
    """What is going on in several builds at once: a line for each, all of them told whenever one changes."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report, self._lines, self._lock = report, dict[str, str](), threading.Lock()

    @contextmanager
    def of(self, name: str) -> Iterator[Callable[[str], None]]:
        """Tells of the one build, as long as it lasts."""
        key = f"{name} {threading.get_ident()}"

        def tell(message: str) -> None:
            with self._lock:
                self._lines[key] = message
                self._report("\n".join(self._lines.values()))

        try:
            yield tell
        finally:
            with self._lock:
                if self._lines.pop(key, None) and self._lines:
                    self._report("\n".join(self._lines.values()))


def _refuse(failures: Sequence[RingfenceError]) -> None:
    """Raises what the failed builds have to say, as one error."""
    wrong = [problem for one in failures if isinstance(one, ManifestError) for problem in one.problems]
    errors = [*([ManifestError(wrong)] if wrong else []), *(one for one in failures if not isinstance(one, ManifestError))]
    if len(errors) == 1:
        raise errors[0] from (failures[0] if len(failures) == 1 else None)
    if errors:
        raise BuildsFailed(errors)


def source_problems(components: Iterable[ComponentManifest]) -> Iterator[Problem]:
    """What the builders would refuse of the components' files before they ran anything."""
    for component in dict.fromkeys(components):
        try:
            BUILDERS[component.language].check(source_of(component))
        except SourceInvalid as error:
            yield from (_placed(component, one) for one in (error, *error.further))
        except InputInvalid as error:
            message = error.message.removeprefix(f"{component.name}: ")
            path = ("wit",) if message.startswith("WIT: ") else ("source",)
            message = message.removeprefix("WIT: ").removeprefix("source: ")
            yield component.document.problem(path, message, hint=error.hint)


def build_component(manifest: ComponentManifest, context: BuildContext) -> Artifact:
    """One component's artifact, from the cache or made. Raises ComposerError; ManifestError where its source is wrong."""
    try:
        return BUILDERS[manifest.language].build(source_of(manifest), context)
    except SourceInvalid as error:
        raise ManifestError([_placed(manifest, one) for one in (error, *error.further)]) from error
    except DigestMismatch as error:
        pinned = {"requirements": [one.name for one in manifest.requirements], "archives": [one.name for one in manifest.archives]}
        places = [(key, names.index(error.requirement), "sha256") for key, names in pinned.items() if error.requirement in names]
        if not places:
            raise
        path, message = places[0], f"{error.requirement}: expected {error.expected}, found {error.found}"
        raise ManifestError([manifest.document.problem(path, message, hint=error.hint)]) from error


def _placed(manifest: ComponentManifest, error: SourceInvalid) -> Problem:
    """The error with its file named as people know it: from where they stand."""
    source = Path(os.path.relpath(manifest.source, manifest.folder))
    place = os.path.normpath(Path(manifest.document.file).parent / source / error.file)
    return Problem(file=place, line=error.line, column=error.column, message=error.reason, hint=error.hint)


def source_of(manifest: ComponentManifest) -> ComponentSource:
    """What a builder needs of a component.yaml."""
    return ComponentSource(
        name=manifest.name,
        language=manifest.language,
        wit=manifest.wit,
        wit_deps=manifest.wit_deps,
        world=manifest.world,
        source=manifest.source,
        module=manifest.module,
        requirements=tuple(Requirement(name=one.name, version=one.version, sha256=one.sha256) for one in manifest.requirements),
        packages=manifest.packages,
        preload=manifest.preload,
        trusted=manifest.trusted,
        sources=manifest.sources,
        archives=tuple(
            Archive(registry=one.registry, name=one.name, version=one.version, sha256=one.sha256, patches=one.patches)
            for one in manifest.archives
        ),
        defines=manifest.defines,
        include=manifest.include,
    )


def _built(artifact: Artifact) -> BuiltNode:
    return BuiltNode(
        path=artifact.path,
        digest=artifact.digest,
        inputs=artifact.inputs,
        size=artifact.path.stat().st_size,
        runtime_needs=artifact.runtime_needs,
        by=", ".join(artifact.producers),
    )


def _taken(component: Prebuilt) -> BuiltNode:
    data = component.file.read_bytes()
    found = digest_of(data)
    if found != component.digest:
        raise DigestMismatch(component.shown, expected=component.digest, found=found, hint="the file changed while composing")
    return BuiltNode(path=component.file, digest=found, inputs=found, size=len(data), runtime_needs=frozenset(), by="prebuilt")
