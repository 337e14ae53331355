"""How many calls of a node are under way at once: in all, and through one edge."""

from __future__ import annotations

import threading
from typing import Self

from ringfence.contract.errors import LimitExceeded
from ringfence.contract.limits import ENDLESS


class Turns:
    """The calls that a node, or an edge into it, has room for. A context manager: a call is under way inside.

    What waits for an instance counts, so that a queue is bounded, too. Safe in threads.
    """

    __slots__ = ("_allowed", "_free", "_node", "_outer")

    def __init__(self, node: str, allowed: int, outer: Turns | None = None) -> None:
        """`outer` is where each call through an edge counts as well: its node."""
        self._node, self._allowed, self._outer = node, allowed, outer
        self._free = threading.Semaphore(allowed)

    def within(self, outer: Turns | None) -> Turns:
        """The same turns, of which each counts elsewhere as well."""
        if outer is None:
            return self
        both = Turns(self._node, self._allowed, outer)
        both._free = self._free
        return both

    def __enter__(self) -> Self:
        """Take a turn.

        Raises:
            LimitExceeded: there is none.
        """
        if self._outer is not None:
            self._outer.__enter__()
        if not self._free.acquire(blocking=False):
            if self._outer is not None:
                self._outer.__exit__()
            raise LimitExceeded(self._node, "concurrent", str(self._allowed))
        return self

    def __exit__(self, *_: object) -> None:
        self._free.release()
        if self._outer is not None:
            self._outer.__exit__()


def turns(node: str, of_node: Turns | None, allowed_by_node: int, allowed: int) -> Turns | None:
    """The turns of an edge into a node that lets so many calls in; None where nobody counts."""
    if allowed < allowed_by_node:
        return Turns(node, allowed, of_node)
    return of_node


def node_turns(node: str, allowed: int) -> Turns | None:
    """The turns of a node; None where it lets in any number of calls."""
    return None if allowed == ENDLESS else Turns(node, allowed)
