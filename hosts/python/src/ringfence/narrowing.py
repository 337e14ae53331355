"""A lock with less authority: what an application takes away from what the lock grants. It can never add any.

What is given for a node is all that the node may do then; kinds that are not named are taken away. What a node passed on to others, and may
no longer do itself, goes as well. The needs of language runtimes stay: `deny` in graph.yaml withdraws those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.contract.errors import ManifestError, Problem
from ringfence.contract.grants import KINDS, Policy
from ringfence.contract.grants.base import GrantSyntaxError, shown
from ringfence.contract.grants.delegation import excess
from ringfence.contract.lock import HOST, Lock, LockedEdge
from ringfence.contract.parameters import settle, substitute
from ringfence.contract.span import items


def narrowed(lock: Lock, wanted: Mapping[str, Any], parameters: Mapping[str, object], place: str = "grants") -> Lock:
    """The lock in which each node of `wanted` has exactly the grants that stand for it there: kinds to forms, as in graph.yaml.

    `place` names, in errors, where they were written.

    Raises:
        ManifestError: a node that is not there, grants that are none, or that the lock's don't cover: all of them.
    """
    values = settle(lock.parameters, parameters)
    problems = [*_unknown(lock, wanted, place)]
    edges = []
    for edge in lock.edges:
        grants = wanted.get(edge.consumer)
        if edge.provider == HOST and isinstance(grants, Mapping):
            problems += _wider(edge, grants, values, place)
            edge = edge._replace(grant=dict(grants))
        edges.append(edge)
    if problems:
        raise ManifestError(problems)
    held = {edge.consumer: Policy.bind(substitute(edge.grant, values)) for edge in edges if edge.provider == HOST}
    return lock._replace(edges=tuple(_passing(edge, held, wanted, values) for edge in edges))


def _unknown(lock: Lock, wanted: Mapping[str, Any], place: str) -> Iterator[Problem]:
    nodes = {node.name for node in lock.nodes}
    reaching = {edge.consumer for edge in lock.edges if edge.provider == HOST}
    for name, grants in wanted.items():
        if name not in nodes:
            yield Problem(file=place, path=str(name), message="there is no such node", hint=f"nodes are {', '.join(sorted(nodes))}")
        elif not isinstance(grants, Mapping):
            hint = 'such as {"env": ["TZ"]}'
            yield Problem(file=place, path=name, message=f"expected a mapping of grants, found {shown(grants)}", hint=hint)
        elif grants and name not in reaching:
            yield Problem(file=place, path=name, message="it is granted nothing, of which there is no part", hint="leave it out")


def _wider(edge: LockedEdge, grants: Mapping[str, Any], values: Mapping[str, str], place: str) -> Iterator[Problem]:
    """Every grant that the edge's own do not cover, and every one that is none."""
    maximum = Policy.bind(substitute(edge.grant, values))
    for kind in grants.keys() - KINDS.keys():
        hint = f"kinds are {', '.join(KINDS)}"
        yield Problem(file=place, path=f"{edge.consumer}.{ascii(kind)[1:-1][:40]}", message="a grant nothing can enforce", hint=hint)
    grants = {kind: form for kind, form in grants.items() if kind in KINDS}
    for kind, index, form in items(grants):
        path = f"{edge.consumer}.{kind}" + (f"[{index}]" if isinstance(grants[kind], list | tuple) else "")
        try:
            asked = Policy.bind(substitute({kind: form}, values))
        except (ExceptionGroup, KeyError) as error:
            yield from _misread(error, f"{edge.consumer}.", place)
            continue
        if any(True for _ in excess(maximum, asked)):
            allowed = "; ".join(KINDS[kind].wording(one) for one in maximum.of(kind)) if kind in KINDS else ""
            hint = "an application takes away from what was granted when this was composed, and never adds to it"
            yield Problem(file=place, path=path, message=f"more than was granted, which is {allowed or 'nothing of this kind'}", hint=hint)


def _misread(error: BaseException, prefix: str, place: str) -> Iterator[Problem]:
    if isinstance(error, ExceptionGroup):
        for one in error.exceptions:
            yield from _misread(one, prefix, place)
    elif isinstance(error, GrantSyntaxError):
        yield Problem(file=place, path=f"{prefix}{error.path.removeprefix('.')}", message=error.message, hint=error.hint)
    else:
        yield Problem(file=place, path=prefix.removesuffix("."), message=f"it refers to a parameter that is not there: {error}")


def _passing(edge: LockedEdge, held: Mapping[str, Policy], wanted: Mapping[str, Any], values: Mapping[str, str]) -> LockedEdge:
    """The edge without what its consumer passed on and may no longer do itself."""
    if edge.provider == HOST or not edge.grant or edge.consumer not in wanted:
        return edge
    kept: dict[str, Any] = {}
    for kind, _, form in items(edge.grant):
        if any(True for _ in excess(held.get(edge.consumer, Policy()), Policy.bind(substitute({kind: form}, values)))):
            continue
        if isinstance(edge.grant[kind], list | tuple) and kind != "args":
            kept.setdefault(kind, []).extend(form)
        else:
            kept[kind] = form
    return edge._replace(grant=kept)
