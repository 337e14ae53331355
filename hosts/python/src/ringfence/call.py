"""A running call: who acts, on whose behalf, until when, and what it has used. One per node on the stack; `Root` is the application's."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringfence.contract.errors import DeadlineExceeded, Denial, LimitExceeded
from ringfence.contract.limits import Limits, show_size, show_time

if TYPE_CHECKING:
    from ringfence.wasi.state import WasiState


class Root:
    """One call by the application: its denials in order, and the one switch that ends it from outside."""

    def __init__(self) -> None:
        self.denials: list[Denial] = []
        self._reason: BaseException | None = None
        self._wakers: list[socket.socket] = []
        self._lock = threading.Lock()

    def interrupt(self, reason: BaseException) -> None:
        """End the call soon, from any thread: it raises `reason`. The first reason stays."""
        with self._lock:
            self._reason = self._reason or reason
            for waker in self._wakers:
                waker.send(b"\0")

    @property
    def reason(self) -> BaseException | None:
        return self._reason

    def waker(self) -> tuple[socket.socket, socket.socket]:
        """A socket that becomes readable on interrupt, and its other end; give both back to `release`."""
        near, far = socket.socketpair()
        with self._lock:
            self._wakers.append(far)
            if self._reason:
                far.send(b"\0")
        return near, far

    def release(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._wakers.remove(pair[1])
        for end in pair:
            end.close()


@dataclass(slots=True, kw_only=True)
class Call:
    """One node's part of a call. `edge` is the inbound edge (`application -> vendor`), `state` the instance's WASI state."""

    root: Root
    node: str
    edge: str
    limits: Limits
    deadline: float  # monotonic seconds
    deadline_owner: tuple[str, float]  # node and limit that set the deadline, for the message
    state: WasiState = field(init=False)  # of the instance that serves the call, once there is one
    output: int = field(default=0, init=False)

    def remaining(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def check(self) -> None:
        """Raise when the call must end: interrupted, or past its deadline."""
        if self.root.reason is not None:
            raise self.root.reason
        if time.monotonic() >= self.deadline:
            node, seconds = self.deadline_owner
            raise DeadlineExceeded(node, "deadline", show_time(seconds))

    def spend(self, count: int) -> None:
        """Count bytes of output. Raises LimitExceeded past the limit."""
        self.output += count
        if self.output > self.limits.output:
            raise LimitExceeded(self.node, "output", show_size(self.limits.output))

    def wait(self, readers: Sequence[Any], writers: Sequence[Any], seconds: float | None) -> tuple[list[Any], list[Any]]:
        """Those of the sockets or descriptors that are ready, at the latest after `seconds`; other threads run meanwhile.

        Raises:
            DeadlineExceeded, Interrupted: whatever `check` finds while waiting.
        """
        self.check()
        until = self.deadline if seconds is None else min(self.deadline, time.monotonic() + seconds)
        pair = self.root.waker()
        try:
            left = max(0.0, until - time.monotonic())
            ready, writable, _ = select.select([*readers, pair[0]], writers, [], left)
        finally:
            self.root.release(pair)
        self.check()
        return [one for one in ready if one is not pair[0]], writable
