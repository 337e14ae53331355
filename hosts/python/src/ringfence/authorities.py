"""What each node of a lock may do, parameters in their places: by itself, and through each edge that passes something on to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringfence.contract.authority import Authority
from ringfence.contract.errors import ManifestError, Problem
from ringfence.contract.grants import Policy
from ringfence.contract.grants.base import GrantSyntaxError
from ringfence.contract.lock import HOST, Lock, LockedEdge, LockedNode
from ringfence.contract.parameters import substitute


def authorities(lock: Lock, values: Mapping[str, str]) -> tuple[dict[str, Authority], dict[str, str]]:
    """Each node's authority, and the line that gives it. `values` are those of the parameters.

    Raises:
        ManifestError: with these values, what is granted or passed on is nothing that can be.
        ValueError: an edge passes on what no plan lets through, such as more than its consumer has.
    """
    binder, found, places = _Binder(lock, values), {}, {}
    for node in lock.nodes:
        edge = binder.to_host.get(node.name)
        places[node.name] = f"{lock.manifest}:{edge.line if edge else node.line}"
        found[node.name] = binder.authority(node)
    return found, places


class _Binder:
    """Makes the policies of one lock's nodes."""

    def __init__(self, lock: Lock, values: Mapping[str, str]) -> None:
        self._lock, self._values = lock, values
        self.to_host = {edge.consumer: edge for edge in lock.edges if edge.provider == HOST}

    def authority(self, node: LockedNode) -> Authority:
        edge = self.to_host.get(node.name)
        line, grant, expected = (edge.line, edge.grant, edge.expected) if edge else (node.line, {}, {})
        own = self._policy({**node.runtime, **grant}, line, f"{node.name} -> {HOST}: grant")
        tried = self._policy(expected, line, f"{node.name} -> {HOST}: expected") if expected else Policy()
        passing = [one for one in self._lock.edges if one.provider == node.name and one.grant]
        if passing and node.shared:
            raise ValueError(f"{node.name}: instances that edges share cannot act with what single edges pass on")
        return Authority(own, {one.name: self._through(one, node, grant) for one in passing}, tried)

    def _through(self, edge: LockedEdge, node: LockedNode, grant: Mapping[str, Any]) -> Policy:
        """What the node may do when it is called through an edge that passes something on to it."""
        from ringfence.contract.grants.delegation import excess, joined  # -- for graphs that delegate, as few do

        where = f"{edge.name}: grant"
        passed, own = substitute(edge.grant, self._values), substitute(grant, self._values)
        giver = self.to_host.get(edge.consumer)
        held = self._policy(giver.grant if giver else {}, edge.line, where)
        for one in excess(held, self._policy(edge.grant, edge.line, where)):
            raise ValueError(f"{edge.name}: it passes on more {one.kind} than {edge.consumer} has")
        try:
            return Policy.bind(joined(own, passed, node.runtime))
        except ExceptionGroup as group:
            raise self._wrong(group, edge.line, where) from group

    def _policy(self, forms: Mapping[str, Any], line: int, where: str) -> Policy:
        try:
            return Policy.bind(substitute(forms, self._values))
        except ExceptionGroup as group:
            raise self._wrong(group, line, where) from group

    def _wrong(self, group: ExceptionGroup[Exception], line: int, where: str) -> ManifestError:
        return ManifestError(
            [
                Problem(file=self._lock.manifest, line=line, path=f"{where}{one.path}", message=one.message, hint=one.hint)
                for one in _leaves(group)
            ]
        )


def _leaves(group: ExceptionGroup[Exception]) -> list[GrantSyntaxError]:
    leaves: list[GrantSyntaxError] = []
    for one in group.exceptions:
        if isinstance(one, ExceptionGroup):
            leaves.extend(_leaves(one))
        elif isinstance(one, GrantSyntaxError):
            leaves.append(one)
        else:
            raise one
    return leaves
