"""A store of wasmtime, as far as both engines' are alike: what it may use, the call that runs in it, and why that must end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

from ringfence.contract.errors import LimitExceeded
from ringfence.contract.limits import Limits, show_size
from ringfence.engine import library
from ringfence.engine.callbacks import CFunction
from ringfence.engine.code import Build
from ringfence.engine.footprint import Footprint
from ringfence.engine.seam import Context
from ringfence.engine.ticker import Ticking


class Engine(Ticking, Protocol):
    """wasmtime's, as either engine holds it."""

    def ptr(self) -> Any: ...


class BaseStore(ABC):
    """A store for one instance. How its C memory is freed is its engine's business."""

    def __init__(self, engine: Engine, limits: Limits, made: Footprint, keep: object, on_tick: CFunction) -> None:
        """A store for an instance that makes `made`. `keep` lives as long: the C functions that the guest can call.

        Raises:
            LimitExceeded: the instance's memories do not fit into its limits from the start.
        """
        self.engine, self.limits, self._keep = engine, limits, keep
        memory = made.bound(limits.memory)
        if memory is None:
            raise LimitExceeded("", "memory", show_size(limits.memory), f"its memories need {show_size(made.least())} from the start")
        self.running: Context | None = None  # what host functions get
        self.guard: Context | None = None  # what is asked for the time; None where no call runs
        self.reason: BaseException | None = None  # why the call must end
        self.pending: BaseException | None = None
        self.trapped = False
        self.freed = False
        self.at: int | None = None  # where the thread's stack was when the guest last called the host
        self.metered = Build.of(limits).metered
        self._pointer: int = library.store_new(engine.ptr(), None, None)
        self.context: int = library.store_context(self._pointer)
        library.store_limiter(self._pointer, memory, made.table_elements(limits.memory), -1, -1, sum(made.memories.values()))
        library.store_epoch_callback(self._pointer, on_tick.address, None, None)
        library.set_epoch_deadline(self.context, 1)

    def check(self) -> None:
        """Raise when the running call must end."""
        if self.reason is not None:
            raise self.reason
        if self.guard is not None:
            self.guard.check()

    def refuel(self) -> None:
        """Fill up for a call, where fuel is counted."""
        library.set_fuel(self.context, self.limits.fuel)

    def interrupted(self, reason: BaseException) -> None:
        """End the running call for this reason: at the next tick, or where a host function waits."""
        self.reason = reason
        if self.guard is not None:
            self.guard.interrupt(reason)

    @abstractmethod
    def end(self) -> list[Any]:
        """Free it; the host objects that the guest still held."""
