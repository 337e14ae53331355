"""Work side by side: threads that end together, and the cores of this machine, shared out among the programs they run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

STEP = 0.1
"""Seconds after which something that waits looks whether it should go on waiting."""
_stopped: ContextVar[threading.Event | None] = ContextVar("stopped", default=None)


def check() -> None:
    """For what waits or runs long in a thread of `side_by_side`. Raises KeyboardInterrupt where whoever waits for it was interrupted."""
    stopped = _stopped.get()
    if stopped is not None and stopped.is_set():
        raise KeyboardInterrupt


def side_by_side(work: Callable[[T], R], items: Sequence[T], at_most: int) -> list[R]:
    """What `work` gives for each item, in their order, by as many threads as `at_most` says.

    An exception of one does not end the others; the first one, in order of the items, is raised when all have ended. Where the caller
    is interrupted (Ctrl-C), those that run are ended at their next `check`, and no more are begun.
    """
    if len(items) == 1:
        return [work(items[0])]
    stopped = _stopped.get() or threading.Event()

    def begin(item: T) -> R:
        _stopped.set(stopped)
        check()
        return work(item)

    with ThreadPoolExecutor(max_workers=max(1, at_most)) as pool:
        futures: list[Future[R]] = [pool.submit(copy_context().run, begin, item) for item in items]
        try:
            wait(futures)
        except BaseException:
            stopped.set()
            raise
    return [future.result() for future in futures]


class Cores:
    """Cores to be had by programs that keep them busy. Whoever holds some must not ask for more."""

    def __init__(self, count: int) -> None:
        self.count = max(1, count)
        self._free = self.count
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, at_most: int = 1) -> Iterator[int]:
        """As many as are free, one at least and no more than `at_most`, until the end of the block; waits for the first."""
        with self._changed:
            while not self._free:
                self._changed.wait(STEP)
                check()
            number = min(self._free, max(1, at_most))
            self._free -= number
        try:
            yield number
        finally:
            with self._changed:
                self._free += number
                self._changed.notify_all()


def _usable() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


MACHINE = Cores(_usable())
"""Those of this machine, for all builds of this process."""
