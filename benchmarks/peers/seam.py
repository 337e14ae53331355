"""An instance of a guest at the engine's seam, below `Graph`."""

from __future__ import annotations

import time
from typing import Any

from ringfence.contract.limits import Limits
from ringfence.engine.seam import Linked

LIMITS = Limits(memory=256 << 20, output=256 << 20, deadline=600.0)


class Context:
    """A running call as the seam wants it, with what the host's own does on the way: a look at the clock, a sum."""

    __slots__ = ("output", "until")

    def __init__(self) -> None:
        self.until, self.output = time.monotonic() + 3600, 0

    def check(self) -> None:
        if time.monotonic() >= self.until:
            raise TimeoutError

    def interrupt(self, reason: BaseException) -> None:
        raise reason

    def spend(self, count: int) -> None:
        self.output += count
        if self.output < 0:
            raise OverflowError


class Seam:
    """An instance of a guest, to be called by the names of its functions."""

    def __init__(self, linked: Linked, interface: str) -> None:
        self.context, self.interface = Context(), interface
        self.instance = linked.instantiate(LIMITS, self.context)

    def __call__(self, name: str, *arguments: Any) -> Any:
        return self.instance.call((self.interface, name), arguments, self.context)

    def close(self) -> None:
        self.instance.close()
