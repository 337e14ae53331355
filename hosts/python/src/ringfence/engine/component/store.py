"""One store of wasmtime: an instance's memory, the call that runs in it, and how it ends.

Everything that belongs to a running call is here, under a number that wasmtime keeps as the store's data: a callback finds its own store by it,
whatever thread it is on, so that no two stores can meet each other's exceptions.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

from wasmtime import Engine

from ringfence.contract.errors import GuestTrap, ShapeError
from ringfence.contract.limits import Limits
from ringfence.engine.component import ffi
from ringfence.engine.component.faults import fault
from ringfence.engine.component.functions import ImportPlan
from ringfence.engine.component.resources import HandleOwner, ResourceTable
from ringfence.engine.component.scopes import Lifting, Lowering, nothing
from ringfence.engine.seam import Context

_stores: weakref.WeakValueDictionary[int, Store] = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


class Store:
    """A store and what runs in it. Its C memory is freed by `free`, or with the object."""

    def __init__(self, engine: Engine, limits: Limits, memory: int, memories: int, table_elements: int) -> None:
        self.engine, self.limits = engine, limits
        self.table = ResourceTable()
        self.running: Context | None = None
        self.reason: BaseException | None = None
        self.pending: BaseException | None = None
        self.trapped = False
        self.owner: HandleOwner | None = None
        number = next(_numbers)
        self._pointer: int | None = ffi.store_new(engine.ptr(), number, None)
        self.context: int = ffi.store_context(self._pointer)
        ffi.store_limiter(self._pointer, memory, table_elements, -1, -1, memories)
        ffi.store_epoch_callback(self._pointer, _on_tick, None, None)
        ffi.set_epoch_deadline(self.context, 1)
        _stores[number] = self

    @property
    def freed(self) -> bool:
        return self._pointer is None

    def free(self) -> None:
        """Give back the C memory; twice is harmless. No wasm runs here."""
        pointer, self._pointer = self._pointer, None
        if pointer is not None:
            ffi.store_delete(pointer)

    def __del__(self) -> None:
        if hasattr(self, "_pointer"):
            self.free()

    def check(self) -> None:
        """Raise when the running call must end."""
        if self.reason is not None:
            raise self.reason
        if self.running is not None:
            self.running.check()

    def keep(self, error: BaseException) -> int:
        """Keep an exception until wasm has unwound; the C error that makes it unwind."""
        self.pending = error
        return stop()

    def settle(self, error: int | None) -> None:
        """Raise what a C function's error, if there is one, stands for; the store is never entered again."""
        if not error:
            return
        self.trapped = True
        pending, self.pending = self.pending, None
        if pending is None:
            raise fault(error, self.limits)
        ffi.error_delete(error)
        try:
            raise pending
        finally:
            del pending  # no cycle through this frame

    def answer(self, plan: ImportPlan, context: int, arguments: int, results: int) -> None:
        """Serve the guest's call of a host function."""
        self.check()
        assert self.owner is not None  # noqa: S101 (set before the first wasm runs)
        lifting = Lifting(self.table, self.owner, context, nothing, self.check)
        values = plan.arguments(arguments, lifting)
        lowering = Lowering(self.table, context)
        plan.answer(self.running, values, results, lowering)


def stop() -> int:
    """A C error that ends the guest's call; what it stands for is kept in Python."""
    error: int = ffi.error_new(b"stopped by the host")
    return error


def _store_of(context: int) -> Store:
    return _stores[ffi.context_data(context)]


@ffi.EPOCH_CALLBACK
def _on_tick(context: int, _data: int, delta: Any, _kind: Any) -> int:
    """A tick has passed while wasm runs: on for another, or stop."""
    store = None
    try:
        delta[0] = 1
        store = _store_of(context)
        store.check()
    except BaseException as error:  # noqa: BLE001 (re-raised outside)
        return stop() if store is None else store.keep(error)
    return 0


def host_function(plan: ImportPlan) -> Any:
    """The C function that serves this import. It must outlive the linker it is defined in."""

    @ffi.HOST_FUNCTION
    def callback(
        _data: int, context: int, _type: int, arguments: int, _count: int, results: int, _results_count: int  # noqa: PLR0917
    ) -> int:
        store = None
        try:
            store = _store_of(context)
            store.answer(plan, context, arguments, results)
        except BaseException as error:  # noqa: BLE001 (re-raised outside)
            return stop() if store is None else store.keep(error)
        return 0

    return callback


@ffi.DESTRUCTOR
def drop_object(_data: int, context: int, rep: int) -> int:
    """The guest has dropped a host object that it owned."""
    store = None
    try:
        store = _store_of(context)
        store.table.objects.pop(rep).close()
    except BaseException as error:  # noqa: BLE001 (re-raised outside)
        return stop() if store is None else store.keep(error)
    return 0
