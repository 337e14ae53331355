"""The clock of every engine: one daemon thread that advances the epochs of engines in which calls are running.

A store whose epoch deadline has passed calls back into Python, where the running call is asked whether it may go on. Without a
running call nothing ticks; the thread lingers for a moment, so that one short call after another need not wake it each time.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import Protocol

PERIOD = 0.005
"""Seconds from one tick to the next."""

_LINGER = 200
"""Idle ticks before the thread goes to sleep."""


class Ticking(Protocol):
    """An engine, as far as the ticker knows it."""

    def increment_epoch(self) -> None: ...


class Ticker:
    """Counts running calls per engine and ticks while there are any. Thread-safe."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._condition = threading.Condition(threading.Lock())
        self._running: dict[Ticking, int] = {}
        self._thread: threading.Thread | None = None
        self._asleep = False
        self._stopped = False

    @property
    def running(self) -> int:
        """How many calls are counted now."""
        with self._condition:
            return sum(self._running.values())

    def enter(self, engine: Ticking) -> None:
        """A call begins in this engine."""
        with self._condition:
            self._running[engine] = self._running.get(engine, 0) + 1
            if self._thread is None:
                self._stopped = False
                self._thread = threading.Thread(target=self._tick, name="ringfence-ticker", daemon=True)
                self._thread.start()
            elif self._asleep:
                self._condition.notify()

    def leave(self, engine: Ticking) -> None:
        """A call that was entered ends."""
        with self._condition:
            left = self._running[engine] - 1
            if left:
                self._running[engine] = left
            else:
                del self._running[engine]

    def stop(self) -> None:
        """End the thread; the next call starts another. Run at exit, so that no tick meets an engine that is being freed."""
        with self._condition:
            thread, self._thread, self._stopped = self._thread, None, True
            self._condition.notify()
        if thread is not None:
            thread.join(timeout=1)

    def _tick(self) -> None:
        idle = 0
        me = threading.current_thread()
        while True:
            time.sleep(PERIOD)
            with self._condition:
                idle = 0 if self._running else idle + 1
                while idle > _LINGER and not self._running and self._thread is me:
                    self._asleep = True
                    self._condition.wait()
                    self._asleep = False
                if self._thread is not me:
                    return
                engines = tuple(self._running)
            for engine in engines:
                engine.increment_epoch()


ticker = Ticker()
"""The one of this process."""

atexit.register(ticker.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ticker._reset)  # the thread does not cross a fork
