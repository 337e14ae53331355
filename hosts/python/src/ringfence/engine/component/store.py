"""One store of wasmtime: an instance's memory, the call that runs in it, and how it ends.

A callback finds its own store as the one that runs on its thread, so that no two stores can meet each other's exceptions.
"""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any

from wasmtime import Engine

from ringfence.contract.errors import LimitExceeded
from ringfence.contract.limits import Limits, show_size
from ringfence.engine import library
from ringfence.engine.callbacks import CFunction, current
from ringfence.engine.code import Build
from ringfence.engine.component import ffi
from ringfence.engine.component.faults import fault
from ringfence.engine.component.functions import ImportPlan
from ringfence.engine.component.resources import HandleOwner, ResourceTable
from ringfence.engine.component.scopes import Lifting, Lowering, nothing
from ringfence.engine.footprint import Footprint
from ringfence.engine.seam import Context


class Store:
    """A store and what runs in it. Its C memory is freed by `free`, or with the object."""

    def __init__(self, engine: Engine, limits: Limits, made: Footprint, keep: object) -> None:
        """A store for an instance that makes `made`. `keep` lives as long: the C functions that the guest can call.

        Raises:
            LimitExceeded: the instance's memories do not fit into its limits from the start.
        """
        self.engine, self.limits, self._keep = engine, limits, keep
        memory = made.bound(limits.memory)
        if memory is None:
            needed = f"its memories need {show_size(made.least())} from the start"
            raise LimitExceeded("", "memory", show_size(limits.memory), needed)
        self.table = ResourceTable()
        self.running: Context | None = None  # what host functions get
        self.guard: Context | None = None  # what is asked for the time
        self.reason: BaseException | None = None
        self.pending: BaseException | None = None
        self.trapped = False
        self.at: int | None = None  # where the thread's stack was when the guest last called the host
        self.owner: weakref.ref[HandleOwner] | None = None
        self._pointer: int | None = library.store_new(engine.ptr(), None, None)
        self.context: int = library.store_context(self._pointer)
        elements = made.table_elements(limits.memory)
        library.store_limiter(self._pointer, memory, elements, -1, -1, sum(made.memories.values()))
        library.store_epoch_callback(self._pointer, on_tick.address, None, None)
        library.set_epoch_deadline(self.context, 1)
        self.metered = Build.of(limits).metered

    @property
    def freed(self) -> bool:
        return self._pointer is None

    def end(self) -> list[Any]:
        """Nothing runs here any more; the host objects that the guest still held."""
        held = self.table.end()
        self.free()
        return held

    def free(self) -> None:
        """Give back the C memory; twice is harmless. No wasm runs here."""
        pointer, self._pointer = self._pointer, None
        if pointer is not None:
            library.store_delete(pointer)

    def __del__(self) -> None:
        if hasattr(self, "_pointer"):
            self.free()

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

    def keep(self, error: BaseException) -> int:
        """Keep an exception until wasm has unwound; the C error that makes it unwind."""
        self.pending = error
        return library.stopped_by_host()

    def settle(self, error: int | None) -> None:
        """Raise what ended the guest's call: a kept exception, a reason to end it that came too late to be met inside, or a trap."""
        why, self.pending = self.reason if self.pending is None else self.pending, None
        if not error and why is None:
            return
        self.trapped = True
        if why is None:
            raise fault(error or 0, self.limits)
        if error:
            library.error_delete(error)
        try:
            raise why
        finally:
            del why  # no cycle through this frame

    def answer(self, plan: ImportPlan, context: int, arguments: int, results: int) -> None:
        """Serve the guest's call of a host function."""
        self.check()
        owner = self.owner() if self.owner is not None else None
        assert owner is not None  # noqa: S101 (wasm runs only inside its methods)
        lifting = Lifting(self.table, owner, context, nothing, self.check)
        values = plan.arguments(arguments, lifting)
        lowering = Lowering(self.table, context)
        plan.answer(self.running, values, results, lowering)


def _on_tick(_context: int, _data: int, delta: Any, _kind: Any) -> int:
    """A tick has passed while wasm runs: on for another, or stop."""
    store: Store = current.store
    try:
        delta[0] = 1
        store.check()
    except BaseException as error:  # noqa: BLE001 (re-raised outside)
        return store.keep(error)
    return 0


on_tick = CFunction(library.EPOCH_CALLBACK, _on_tick, library.stopped_by_host)


def _serve(plan: ImportPlan, _data: int, context: int, kind: int, arguments: int, _count: int, results: int, _results_count: int) -> int:
    """The guest calls a host function."""
    store: Store = current.store
    try:
        store.at = kind  # its type lies on the stack
        store.answer(plan, context, arguments, results)
    except BaseException as error:  # noqa: BLE001 (re-raised outside)
        return store.keep(error)
    return 0


def host_function(plan: ImportPlan) -> CFunction:
    """The C function that serves this import. It must outlive the linker it is defined in."""
    return CFunction(ffi.HOST_FUNCTION, partial(_serve, plan), library.stopped_by_host)


def _drop_object(_data: int, _context: int, rep: int) -> int:
    """The guest has dropped a host object that it owned."""
    store: Store = current.store
    try:
        store.table.objects.pop(rep).close()
    except BaseException as error:  # noqa: BLE001 (re-raised outside)
        return store.keep(error)
    return 0


drop_object = CFunction(ffi.DESTRUCTOR, _drop_object, library.stopped_by_host)
