"""A running call: who acts, on whose behalf, until when, and what it has used. One per node on the stack; `Root` is the application's."""

from __future__ import annotations

import atexit
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ringfence.contract.errors import DeadlineExceeded, Denial, LimitExceeded
from ringfence.contract.limits import ENTRY, Limits, show_size, show_time

if TYPE_CHECKING:
    from ringfence.wasi.state import WasiState

Source: TypeAlias = socket.socket | int
"""What one can wait for: a socket or a descriptor."""

_DENIALS = 256
"""Denials kept per application's call: a guest that keeps trying must not fill the host's memory."""

_LONGEST = 600.0
"""Seconds of one wait at most; poll counts milliseconds in an int."""

_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""poll has no upper bound on descriptors, as select has (1,024), and no descriptor of its own, as epoll has."""


class Waker:
    """A socket that becomes readable when it is poked, from any thread."""

    def __init__(self) -> None:
        self.near, self._far = socket.socketpair()
        self.near.settimeout(0)
        self._far.settimeout(0)

    def poke(self) -> None:
        with suppress(OSError):  # full: it is readable already
            self._far.send(b"\0")

    def reset(self) -> None:
        with suppress(BlockingIOError):
            while self.near.recv(64):
                pass

    def close(self) -> None:
        self.near.close()
        self._far.close()


class _Wakers:
    """Spare wakers: making one costs more than most waits."""

    _SPARE = 8

    def __init__(self) -> None:
        self._spare: deque[Waker] = deque()
        atexit.register(self.close)

    def take(self) -> Waker:
        with suppress(IndexError):
            return self._spare.pop()
        return Waker()

    def give_back(self, waker: Waker) -> None:
        waker.reset()
        if len(self._spare) < self._SPARE:
            self._spare.append(waker)
        else:
            waker.close()

    def close(self) -> None:
        with suppress(IndexError):
            while True:
                self._spare.pop().close()


_WAKERS = _Wakers()


_waking = threading.RLock()
"""Guards the wakers of every root: a lock for each would cost more than all else of a root. Re-entrant: a signal's handler may interrupt
the very thread that holds it."""


class Root:
    """One call by the application: its denials in order, and the one switch that ends it from outside.

    `started`: when the application asked, in monotonic seconds; a wait for a thread counts to the deadline. `reason`: why it must end.
    """

    __slots__ = ("_wakers", "denials", "reason", "started")

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.denials: list[Denial] = []
        self.reason: BaseException | None = None
        self._wakers: list[Waker] = []

    def deny(self, denial: Denial) -> None:
        """Record a denial; an equal one is recorded once, and no more than a bounded number."""
        if len(self.denials) < _DENIALS and denial not in self.denials:
            self.denials.append(denial)

    def interrupt(self, reason: BaseException) -> None:
        """End the call soon, from any thread: it raises `reason`. The first reason stays."""
        with _waking:
            self.reason = self.reason or reason
            for waker in self._wakers:
                waker.poke()

    @contextmanager
    def waking(self) -> Iterator[socket.socket]:
        """A socket that becomes readable on interrupt."""
        waker = _WAKERS.take()
        with _waking:
            self._wakers.append(waker)
            if self.reason:
                waker.poke()
        try:
            yield waker.near
        finally:
            with _waking:
                self._wakers.remove(waker)
            _WAKERS.give_back(waker)


@dataclass(slots=True, kw_only=True)
class Call:
    """One node's part of a call. `edge` is the inbound edge (`application -> vendor`), `state` the instance's WASI state."""

    root: Root
    node: str
    edge: str
    limits: Limits
    deadline: float  # monotonic seconds
    deadline_owner: tuple[str, float]  # node and limit that set the deadline, for the message
    state: WasiState = field(init=False, repr=False)  # of the instance that serves the call, once there is one
    output: int = field(default=0, init=False)
    written: int = field(default=0, init=False)

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

    def interrupt(self, reason: BaseException) -> None:
        """End the whole call of the application soon; see `Root.interrupt`."""
        self.root.interrupt(reason)

    def spend(self, count: int) -> None:
        """Count bytes of output. Raises LimitExceeded past the limit."""
        self.output += count
        if self.output > self.limits.output:
            raise LimitExceeded(self.node, "output", show_size(self.limits.output))

    def spend_written(self, count: int) -> None:
        """Count bytes that are about to be written to files. Raises LimitExceeded past the limit: then they must not be."""
        if self.written + count > self.limits.written:
            raise LimitExceeded(self.node, "written", show_size(self.limits.written))
        self.written += count

    def spend_entry(self) -> None:
        """Count a file, folder or link that is about to be made. Raises LimitExceeded past the limit: then it must not be."""
        self.spend_written(ENTRY)

    def wait(self, readers: Iterable[Source], writers: Iterable[Source], seconds: float | None) -> None:
        """Return when one of these is ready (broken and closed ones are), at the latest after `seconds`; other threads run meanwhile.

        It may return early: look again.

        Raises:
            DeadlineExceeded, Interrupted: whatever `check` finds, before or after waiting.
        """
        self.check()
        events: dict[Source, int] = dict.fromkeys(readers, selectors.EVENT_READ)
        for writer in writers:
            events[writer] = events.get(writer, 0) | selectors.EVENT_WRITE
        if all(_is_open(source) for source in events):
            with self.root.waking() as waking, _Selector() as selector:
                selector.register(waking, selectors.EVENT_READ)
                _register(selector, events)
                selector.select(min(self.remaining(), _LONGEST if seconds is None else max(0.0, seconds), _LONGEST))
        self.check()


def _is_open(source: Source) -> bool:
    return source >= 0 if isinstance(source, int) else source.fileno() >= 0


def _register(selector: selectors.BaseSelector, events: dict[Source, int]) -> None:
    """Register each descriptor once, though sources may name it twice (a socket, and its number)."""
    numbers: dict[int, int] = {}
    for source, mask in events.items():
        number = source if isinstance(source, int) else source.fileno()
        numbers[number] = numbers.get(number, 0) | mask
    for number, mask in numbers.items():
        selector.register(number, mask)
