"""Two revisions of a graph to the authority that grew between them, and that which shrank.

What counts is what the grants mean: `covers` decides, so that another spelling is no growth, nor is a part of what was there. A parameter
stands for its whole range, to which somebody agreed already. A node's own grants are held against those that it had itself; what it
reaches through others against all that it could reach before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringfence.contract.grants import KINDS
from ringfence.contract.lock import HOST, LockedEdge, edge_name
from ringfence.contract.parameters import references
from ringfence.contract.span import items, span
from ringfence.contract.wording import EXFILTRATES, worded

from ringfence_composer.manifest.graph import APPLICATION
from ringfence_composer.reach import shortest
from ringfence_composer.revisions import Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that somebody may do in one of two revisions only. `exposed` are the nodes by which an application reaches it."""

    who: str
    what: str
    line: int = 0
    exfiltrates: bool = False
    exposed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The difference of two revisions' authority."""

    old: str
    new: str
    grew: tuple[Change, ...]
    shrank: tuple[Change, ...]


def growth(old: Revision, new: Revision) -> Growth:
    """What grew and what shrank from one revision to the other."""
    before, after = _View(old), _View(new)
    return Growth(old=old.name, new=new.name, grew=_gained(before, after), shrank=_gained(after, before))


@dataclass(frozen=True, slots=True)
class _Given:
    """One grant at a node: its own ('') or through an edge. `key` is equal for grants written alike, `spanned` what it may stand for."""

    node: str
    through: str
    kind: str
    key: str
    spanned: tuple[Any, ...] | None = field(compare=False)
    words: str = field(compare=False)
    line: int = field(compare=False)
    exfiltrates: bool = field(compare=False)


class _View:
    """A revision, looked up."""

    def __init__(self, revision: Revision) -> None:
        lock = revision.lock
        self.lines, self.lock = revision.lines, lock
        self.inner = [edge for edge in lock.edges if edge.provider != HOST]
        self.exposed: Mapping[str, tuple[str, ...] | None] = {one.node: one.calls for one in lock.expose}
        self.given = [*self._given()]
        self.ways = {node.name: shortest(self.inner, node.name) for node in lock.nodes}

    def _given(self) -> Iterator[_Given]:
        for node in self.lock.nodes:
            yield from self._grants(node.runtime, node.name, "", None, " (language runtime)")
        for edge in self.lock.edges:
            own = edge.provider == HOST
            yield from self._grants(edge.grant, edge.consumer if own else edge.provider, "" if own else edge.name, edge)

    def _grants(self, forms: Mapping[str, Any], node: str, through: str, edge: LockedEdge | None, remark: str = "") -> Iterator[_Given]:
        parameters = self.lock.parameters
        for kind, index, form in items(forms):
            names = set(references(form))
            key = repr((form, sorted((one.name, one.type, one.within) for one in parameters if one.name in names)))
            words, spanned = [*worded({kind: form}, parameters)], span(kind, form, parameters)
            told = [one.words for one in words]
            if names and spanned:  # all that it may stand for, not what it does by default
                told = [KINDS[kind].wording(one) for one in spanned]
                told[-1] += f" (parameter {', '.join(sorted(names))})"
            yield _Given(
                node,
                through,
                kind,
                key,
                spanned,
                ", ".join(told) + remark,
                self.lines.get((edge.name, kind, index), edge.line) if edge else 0,
                any(EXFILTRATES in one for one in told),
            )

    def reach(self, start: str) -> list[_Given]:
        """What a node can reach: its own grants, and those of all that its edges lead to, in whatever role."""
        ways = self.ways.get(start, {})
        edges = {"", *(edge.name for edge in self.inner if edge.consumer in ways)}
        return [one for one in self.given if one.node in ways and one.through in edges]

    def exposing(self, node: str) -> tuple[str, ...]:
        """The exposed nodes by which an application reaches a node."""
        return tuple(one for one in self.exposed if node in self.ways[one])


def _gained(old: _View, new: _View) -> tuple[Change, ...]:
    """What may be done in the new revision only; what lets data out to anybody first."""
    held = defaultdict[tuple[str, str], list[_Given]](list)
    for one in old.given:
        held[one.node, one.through].append(one)
    direct = [one for one in new.given if not _covered(one, held[one.node, ""] + held[one.node, one.through])]
    found = [
        Change(
            who=f"{one.node} (through {one.through} only)" if one.through else one.node,
            what=one.words,
            line=one.line,
            exfiltrates=one.exfiltrates,
            exposed=new.exposing(one.node),
        )
        for one in direct
    ]
    found += [*_by_new_ways(old, new, set(direct)), *_calls(old, new)]
    return tuple(sorted(found, key=lambda one: (not one.exfiltrates, not one.exposed)))


def _covered(given: _Given, held: Iterable[_Given]) -> bool:
    """Whether what is held allows all that this may stand for."""
    held = list(held)
    if any((one.kind, one.key) == (given.kind, given.key) for one in held):
        return True
    bounds = [bound for one in held for bound in _of_kind(one, given.kind)]
    covers = KINDS[given.kind].covers
    return given.spanned is not None and all(any(covers(bound, one) for bound in bounds) for one in given.spanned)


def _of_kind(given: _Given, kind: str) -> Iterator[Any]:
    """What it gives of a kind, what it brings along included."""
    for one in given.spanned or ():
        if given.kind == kind:
            yield one
        yield from KINDS[given.kind].implies(one).get(kind, ())


def _by_new_ways(old: _View, new: _View, direct: set[_Given]) -> Iterator[Change]:
    """What nodes reach through others though those have nothing new. Of several on a way, only the one nearest to it is told of."""
    gained = {
        (start, one)
        for start in new.ways
        for one in new.reach(start)
        if one.node != start and one not in direct and not _covered(one, old.reach(start))
    }
    for start in new.ways:
        for one in new.given:
            if (start, one) in gained and not any((other, one) in gained for other in new.ways[start] if other != start):
                way = " -> ".join([start, *(edge.provider for edge in new.ways[start][one.node])])
                yield Change(who=way, what=one.words, line=one.line, exfiltrates=one.exfiltrates, exposed=new.exposing(start))


def _calls(old: _View, new: _View) -> Iterator[Change]:
    """Functions that a node, or the application, may call."""
    before = {edge.name: edge.calls for edge in old.inner} | {edge_name(APPLICATION, node): calls for node, calls in old.exposed.items()}
    lines = {edge.name: edge.line for edge in new.inner} | {edge_name(APPLICATION, one.node): one.line for one in new.lock.expose}
    after = {edge.name: (edge.consumer, edge.calls) for edge in new.inner}
    after |= {edge_name(APPLICATION, node): ("", calls) for node, calls in new.exposed.items()}
    for name, (consumer, calls) in after.items():
        had: Sequence[str] | None = before.get(name, ())
        more = None if calls is None else [one for one in calls if had is not None and one not in had]
        if had is not None and more != []:
            what = f"may call {'all functions' if more is None else ', '.join(more)}"
            yield Change(who=name, what=what, line=lines[name], exposed=new.exposing(consumer) if consumer else ())
