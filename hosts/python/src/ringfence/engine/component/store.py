"""One store of wasmtime: an instance's memory, the call that runs in it, and how it ends.

A callback finds its own store as the one that runs on its thread, so that no two stores can meet each other's exceptions.
"""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any

from wasmtime import Engine

from ringfence.contract.limits import Limits
from ringfence.engine import library
from ringfence.engine.callbacks import CFunction, current
from ringfence.engine.component import ffi
from ringfence.engine.component.faults import fault
from ringfence.engine.component.functions import ImportPlan
from ringfence.engine.component.resources import HandleOwner, ResourceTable
from ringfence.engine.component.scopes import Lifting, Lowering, nothing
from ringfence.engine.footprint import Footprint
from ringfence.engine.store import BaseStore


class Store(BaseStore):
    """A store and what runs in it. Its C memory is freed by `free`, or with the object."""

    def __init__(self, engine: Engine, limits: Limits, made: Footprint, keep: object) -> None:
        """See `BaseStore`."""
        super().__init__(engine, limits, made, keep, on_tick)
        self.table = ResourceTable()
        self.owner: weakref.ref[HandleOwner] | None = None

    def end(self) -> list[Any]:
        """Nothing runs here any more; the host objects that the guest still held."""
        held = self.table.end()
        self.free()
        return held

    def free(self) -> None:
        """Give back the C memory; twice is harmless. No wasm runs here."""
        if not self.freed:
            self.freed = True
            library.store_delete(self._pointer)

    def __del__(self) -> None:
        if hasattr(self, "_pointer"):  # it was made
            self.free()

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
