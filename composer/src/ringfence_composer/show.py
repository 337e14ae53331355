"""A checked graph to its picture. Nothing is built for it; what only a build knows comes from the lock, if there is one of this graph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ringfence.contract.errors import IntegrityError, StaleLock
from ringfence.contract.lock import Lock, LockedExpose, LockedGroup, LockedNode
from ringfence.contract.wording import worded
from ringfence.loading import read_lock
from ringfence.picture.model import GrantPlace, Picture, PictureNode, picture_of

from ringfence_composer.compose import Workshop, check_file, locked_edge
from ringfence_composer.groups import groups
from ringfence_composer.manifest.component import ComponentManifest
from ringfence_composer.manifest.graph import GraphManifest, NodeManifest
from ringfence_composer.plan import world_name
from ringfence_composer.resolve import ResolvedGraph

PREBUILT = "prebuilt"


def show_file(manifest: Path, workshop: Workshop) -> Picture:
    """The picture of a graph. Raises like `check_file`."""
    return picture(check_file(manifest, workshop), lock_of_this(manifest))


def lock_of_this(manifest: Path) -> Lock | None:
    """The lock beside a graph.yaml, where there is one that was made from it as it is, and whole."""
    try:
        return read_lock(manifest, None).lock
    except (StaleLock, IntegrityError):
        return None


def picture(graph: ResolvedGraph, lock: Lock | None) -> Picture:
    """The picture of a graph; its lock, where there is one, adds lanes, makers and decisions."""
    manifest = graph.manifest
    mark = manifest.document.mark
    locked = {one.name: one for one in lock.nodes} if lock else {}
    draft = Lock(
        graph=manifest.name,
        manifest=manifest.file.name,
        inputs={},
        parameters=manifest.parameters,
        nodes=tuple(locked.get(node.name) or _unbuilt(graph, node) for node in manifest.nodes),
        edges=tuple(locked_edge(manifest, graph.links, edge) for edge in manifest.edges),
        expose=tuple(LockedExpose(node=one.node, calls=one.calls, limits=one.limits, line=mark(one.path).line) for one in manifest.expose),
        artifacts=lock.artifacts if lock else (),
        groups=tuple(LockedGroup(name=one.name, nodes=one.nodes) for one in groups(manifest, graph.order)),
    )
    drawn = picture_of(draft, grant_lines(manifest))
    return replace(drawn, nodes=tuple(_told(one, manifest.node(one.name), built=one.name in locked) for one in drawn.nodes))


def _unbuilt(graph: ResolvedGraph, node: NodeManifest) -> LockedNode:
    """A node as far as it is known before a build; the lane is taken out again where nobody asked for one."""
    world = world_name(graph.worlds[node.name])
    return LockedNode(name=node.name, world=world, lane=node.lane or "core", reason="", instances=node.instances)


def _told(drawn: PictureNode, node: NodeManifest, *, built: bool) -> PictureNode:
    language = node.component.language if isinstance(node.component, ComponentManifest) else PREBUILT
    return replace(drawn, language=language, lane=drawn.lane if built or node.lane else "")


def grant_lines(manifest: GraphManifest) -> dict[GrantPlace, int]:
    """The line of each single grant."""
    return {
        (str(edge), one.kind, one.index): manifest.document.mark((*edge.path, "grant", one.kind, one.index)).line
        for edge in manifest.edges
        for one in worded(edge.grant, manifest.parameters)
    }
