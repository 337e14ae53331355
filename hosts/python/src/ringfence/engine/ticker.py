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
    """Ticks while calls are running. Thread-safe.

    A store in which a call begins enters its engine in `running` and then, where the clock is `asleep`, wakes it; it takes itself out
    when the call ends. Each is one operation on a dictionary, and needs no lock.
    """

    def __init__(self) -> None:
        self.running: dict[object, Ticking] = {}
        self._reset()

    def _reset(self) -> None:
        self.running.clear()
        self._guard = threading.Lock()
        self._waking = threading.Event()
        self._thread: threading.Thread | None = None
        self.asleep = True

    def wake(self) -> None:
        """Tick again."""
        with self._guard:
            if self._thread is None:
                self.asleep = False
                self._thread = threading.Thread(target=self._tick, name="ringfence-ticker", daemon=True)
                self._thread.start()
            else:
                self._waking.set()

    def stop(self) -> None:
        """End the thread; the next call starts another. Run at exit, so that no tick meets an engine that is being freed."""
        with self._guard:
            thread, self._thread, self.asleep = self._thread, None, True
            self._waking.set()
        if thread is not None:
            thread.join(timeout=1)

    def _tick(self) -> None:
        idle, me = 0, threading.current_thread()
        while self._thread is me:
            time.sleep(PERIOD)
            engines = set(self.running.values())
            for engine in engines:
                engine.increment_epoch()
            idle = 0 if engines else idle + 1
            if idle > _LINGER:
                self._sleep(me)

    def _sleep(self, me: threading.Thread) -> None:
        """Until a call begins. One that began before `asleep` was set is seen here, one that begins later sees it and wakes us."""
        with self._guard:
            if self._thread is not me:
                return
            self._waking.clear()
            self.asleep = True
        if not self.running:
            self._waking.wait()
        with self._guard:
            self.asleep = self._thread is None


ticker = Ticker()
"""The one of this process."""
ticking = ticker.running
"""The stores in which calls are running, and their engines."""

atexit.register(ticker.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ticker._reset)  # the thread does not cross a fork
