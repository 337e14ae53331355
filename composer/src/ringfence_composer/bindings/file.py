"""A graph's bindings as a file: made, written, and compared with what is there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.contract.errors import ManifestError, Problem

from ringfence_composer.bindings.merge import merge
from ringfence_composer.bindings.model import Model
from ringfence_composer.bindings.module import module
from ringfence_composer.bindings.read import NodeTypes, read_node
from ringfence_composer.compose import Workshop, check_file
from ringfence_composer.errors import BindingsStale, InputInvalid
from ringfence_composer.facts import SourceFacts
from ringfence_composer.manifest.graph import ExposeManifest
from ringfence_composer.replace import replace_file
from ringfence_composer.resolve import ResolvedGraph, short_name
from ringfence_composer.toolchain import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """What an exposed node's bindings are made of: the official JSON of its WIT, package and name of its world, what it exposes."""

    node: str
    document: Mapping[str, Any]
    world: tuple[str, str]
    calls: tuple[str, ...] | None

    def allows(self, function: str) -> bool:
        """Whether an application may call a function, by its WIT name."""
        return self.calls is None or function in self.calls or short_name(function) in self.calls


def bindings_of(manifest: Path, workshop: Workshop) -> str:
    """A graph's bindings: the same bytes for the same graph.yaml and WIT. Nothing is built for it. Raises like `exposed_of`."""
    graph, exposed = exposed_of(manifest, workshop)
    return module(model_of(graph, exposed))


def exposed_of(manifest: Path, workshop: Workshop) -> tuple[str, list[Exposed]]:
    """A graph's name, and its exposed nodes.

    Raises:
        ManifestError: everything wrong in graph.yaml and its components, and every exposed node for which there can be no bindings.
        ComposerError: a tool is missing or failed.
    """
    resolved = check_file(manifest, workshop)
    workshop.report(f"reading the interfaces of {manifest.name}")
    found: list[Exposed] = []
    problems: list[Problem] = []
    toolchain = Toolchain(report=workshop.report)
    for exposed in resolved.manifest.expose:
        try:
            found.append(_exposed(resolved, exposed, toolchain))
        except InputInvalid as error:
            problems.append(resolved.manifest.document.problem(exposed.path, f"{exposed.node}: {error.message}", hint=error.hint))
    if not resolved.manifest.expose:
        problems.append(
            Problem(file=str(manifest), message="the graph exposes no node", hint="expose the nodes that the application calls")
        )
    if problems:
        raise ManifestError(problems)
    return resolved.manifest.name, found


def model_of(graph: str, exposed: Iterable[Exposed]) -> Model:
    """The model of a graph's bindings. Raises InputInvalid where they can't express a node's types."""
    return merge(graph, [_read(one) for one in exposed])


def _exposed(resolved: ResolvedGraph, exposed: ExposeManifest, toolchain: Toolchain) -> Exposed:
    """One exposed node. Raises InputInvalid where there can be no bindings for it."""
    world = resolved.worlds[exposed.node]
    source = SourceFacts(toolchain).wit(resolved.manifest.node(exposed.node))
    found = Exposed(node=exposed.node, document=toolchain.wit(source), world=(world.package, world.name), calls=exposed.calls)
    _read(found)
    return found


def _read(one: Exposed) -> NodeTypes:
    return read_node(one.node, one.document, one.world, one.allows)


def write_bindings(manifest: Path, file: Path, workshop: Workshop) -> None:
    """Write a graph's bindings. Raises like `bindings_of`, and InputInvalid where the file can't be written; it is as before then."""
    data = bindings_of(manifest, workshop).encode()
    try:
        replace_file(file, data)
    except OSError as error:
        raise InputInvalid(f"cannot write {file}: {error.strerror}", hint="is the folder there, and writable?") from error


def check_bindings(manifest: Path, file: Path, workshop: Workshop) -> None:
    """Compare a file of bindings with what would be written now.

    Raises:
        BindingsStale: they differ; with the difference. Else like `bindings_of`, and InputInvalid where the file can't be read.
    """
    wanted = bindings_of(manifest, workshop)
    try:
        found = file.read_bytes()
    except OSError as error:
        raise InputInvalid(f"cannot read {file}: {error.strerror}", hint=f"run: compose bindings {manifest} -o {file}") from error
    if found != wanted.encode():
        before, now = (text.splitlines() for text in (found.decode(errors="backslashreplace"), wanted))
        difference = difflib.unified_diff(before, now, str(file), "what would be written now", lineterm="")
        raise BindingsStale(file, "\n".join(difference), hint=f"run: compose bindings {manifest} -o {file}")
