"""A resolved graph with a binary for each node: folders built by their language's builder, .wasm files taken as they are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ringfence.contract.errors import ManifestError, Problem
from ringfence.contract.lock import Lane
from ringfence.contract.names import Digest, digest_of

from ringfence_composer.builders.base import Archive, Artifact, BuildContext, Builder, ComponentSource, Requirement
from ringfence_composer.builders.c import CBuilder
from ringfence_composer.builders.python import PythonBuilder
from ringfence_composer.builders.rust import RustBuilder
from ringfence_composer.errors import DigestMismatch, InputInvalid, SourceInvalid
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltGraph:
    """A graph with all its binaries, by node."""

    resolved: ResolvedGraph
    nodes: Mapping[str, BuiltNode]


def build(resolved: ResolvedGraph, context: BuildContext) -> BuiltGraph:
    """The graph with its binaries, each component built once, providers first.

    Raises:
        ComposerError: what a builder raises; the other components stay in the cache.
    """
    done: dict[Path, BuiltNode] = {}
    nodes: dict[str, BuiltNode] = {}
    for name in resolved.order:
        component = resolved.manifest.node(name).component
        if isinstance(component, Prebuilt):
            nodes[name] = _taken(component)
        elif component is not None:
            if component.folder not in done:
                done[component.folder] = _built(build_component(component, context))
            nodes[name] = done[component.folder]
    return BuiltGraph(resolved=resolved, nodes=nodes)


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
