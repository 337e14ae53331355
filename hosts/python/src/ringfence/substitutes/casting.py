"""Which nodes of a graph run, and which doubles stand in the places of the others.

Doubles come from the argument `substitutes` and from nowhere else. They change no grant: the nodes that run have the policies and edges
that the lock gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from ringfence.contract.errors import IntegrityError, Problem, SubstituteError
from ringfence.contract.layout import artifact_path
from ringfence.contract.limits import Limits
from ringfence.contract.lock import Lane, Lock, LockedGroup, LockedNode
from ringfence.contract.names import digest_of
from ringfence.contract.types import InterfaceType
from ringfence.engine.core.plan import read_plan
from ringfence.engine.seam import Engine
from ringfence.instance import Inbound
from ringfence.loading import Composed, check_artifacts, sound
from ringfence.renaming import interface, renaming
from ringfence.substitutes.node import Substitute


def running(lock: Lock, doubles: Mapping[str, object]) -> Lock:
    """The part of the lock that runs: without the nodes that have doubles, and without those that only these would call.

    Raises:
        SubstituteError: a double stands for a node that is one component with others which would run.
    """
    out = set(doubles)
    exposed = {one.node for one in lock.expose}
    callers = {node.name: {edge.consumer for edge in lock.edges if edge.provider == node.name} for node in lock.nodes}
    while idle := {name for name, by in callers.items() if by and by <= out and name not in out | exposed}:
        out |= idle
    if problems := [*_torn(lock, out)]:
        raise SubstituteError(problems)
    gone = {*out, *(group.name for group in lock.groups if group.nodes[0] in out)}
    return lock._replace(
        nodes=tuple(node for node in lock.nodes if node.name not in out),
        edges=tuple(edge for edge in lock.edges if edge.consumer not in out),
        artifacts=tuple(artifact for artifact in lock.artifacts if artifact.node not in gone),
        groups=tuple(group for group in lock.groups if group.name not in gone),
    )


def _torn(lock: Lock, out: set[str]) -> Iterator[Problem]:
    """Groups of which only a part would run: there is no such component."""
    for group in lock.groups:
        lacking, kept = [name for name in group.nodes if name in out], [name for name in group.nodes if name not in out]
        if lacking and kept:
            message = f"{', '.join(lacking)} would be doubled, and {', '.join(kept)} would run: they are fused into one component"
            hint = f"test with a store each (compose --edges store {lock.manifest}), or double all of {group.name}"
            yield Problem(path="substitutes", message=message, hint=hint)


def stand_ins(composed: Composed, doubles: Mapping[str, object], engines: Mapping[Lane, Callable[[], Engine]]) -> dict[str, Substitute]:
    """The doubles in their nodes' places.

    Raises:
        IntegrityError: a node's types can't be read.
        SubstituteError: doubles stand for no node, or don't offer what may be called there: everything that is wrong.
    """
    file = composed.file
    with sound(file):
        standing = {
            node.name: Substitute(node.name, doubles[node.name], _exports(composed, node, engines), Limits().narrowed(node.limits))
            for node in file.lock.nodes
            if node.name in doubles
        }
    problems = [_unknown(name, file.lock) for name in doubles if name not in standing]
    for name, one in standing.items():
        problems += one.offer.problems(name, _needed(composed.runs, name))
    if problems:
        raise SubstituteError(problems)
    return standing


def _unknown(name: str, lock: Lock) -> Problem:
    names = sorted(node.name for node in lock.nodes)
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names)}"
    return Problem(path="substitutes", message=f"the graph {lock.graph} has no node {name!r}", hint=hint)


def _exports(composed: Composed, node: LockedNode, engines: Mapping[Lane, Callable[[], Engine]]) -> Mapping[str, InterfaceType]:
    """The types of what a node exports. The core lane's plan has them; else the component must be loaded, which takes an engine."""
    file = composed.file
    group = next((one for one in file.lock.groups if node.name in one.nodes), None)
    if group is not None:
        return _of_group(_exports_of(composed, group.name, node, engines), group, node.name)
    return _exports_of(composed, node.name, node, engines)


def _of_group(exports: Mapping[str, InterfaceType], group: LockedGroup, node: str) -> Mapping[str, InterfaceType]:
    """What one node of a group exports, by its own names; of a node that nobody calls from outside, nothing."""
    rename = renaming({**group.imports, **group.exports})
    return {inner: interface(exports[outer], rename) for outer, (owner, inner) in group.exports.items() if owner == node}


def _exports_of(
    composed: Composed, unit: str, node: LockedNode, engines: Mapping[Lane, Callable[[], Engine]]
) -> Mapping[str, InterfaceType]:
    """The types of what a node's component, or its group's, exports."""
    file, cache = composed.file, composed.cache
    own = [artifact for artifact in file.lock.artifacts if artifact.node == unit]
    plan = next((artifact for artifact in own if artifact.role == "core-plan"), None)
    if plan is None:
        alone = file.lock._replace(nodes=(node._replace(name=unit),), artifacts=tuple(own), groups=())
        return engines[node.lane]().load(check_artifacts(file, alone, cache)[unit]).exports
    check_artifacts(file, file.lock._replace(nodes=(), artifacts=(plan,), groups=()), cache)
    data = artifact_path(file.path, plan.digest).read_bytes()
    if digest_of(data) != plan.digest:
        raise IntegrityError(f"{unit}: its plan was changed just now", hint=f"run: compose {file.lock.manifest}")
    return read_plan(data).exports


def _needed(runs: Lock, name: str) -> Callable[[str, str], bool]:
    """Whether the application, or a node that runs, may call a function of this node."""
    doors = [(set(edge.interfaces.values()), _door(edge.calls)) for edge in runs.edges if edge.provider == name]
    front = [_door(one.calls) for one in runs.expose if one.node == name]
    return lambda interface, function: (
        any(door.allows(function) for door in front) or any(interface in interfaces and door.allows(function) for interfaces, door in doors)
    )


def _door(calls: tuple[str, ...] | None) -> Inbound:
    return Inbound(name="", limits=Limits(), calls=None if calls is None else frozenset(calls))
