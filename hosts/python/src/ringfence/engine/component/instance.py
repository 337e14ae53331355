"""A component's instance: one call at a time, what its calls leave behind, and its end."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from ctypes import addressof, byref, c_char
from typing import Any, TypeVar

from wasmtime import _ffi

from ringfence.contract.errors import DeadlineExceeded, GuestTrap, ShapeError, UsageError
from ringfence.contract.limits import show_time
from ringfence.contract.types import ResultOf
from ringfence.contract.values import Err, WitError
from ringfence.engine.component import ffi
from ringfence.engine.component.functions import ExportPlan
from ringfence.engine.component.linking import Code
from ringfence.engine.component.resources import GuestHandle
from ringfence.engine.component.scopes import Lifting, Lowering
from ringfence.engine.component.store import Store
from ringfence.engine.seam import Context, FunctionName
from ringfence.engine.signals import current, defer, leave_room, undefer
from ringfence.engine.ticker import ticker

_T = TypeVar("_T")


class DropContext:
    """Stands in for a call while a handle is dropped outside any: the guest's destructor has as long as a call would have."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._until = seconds, time.monotonic() + seconds

    def check(self) -> None:
        """Raise DeadlineExceeded when the time is up."""
        if time.monotonic() >= self._until:
            raise DeadlineExceeded("", "deadline", show_time(self._seconds), "in a resource's destructor")

    def spend(self, count: int) -> None:
        """A destructor gives nothing back."""

    def interrupt(self, reason: BaseException) -> None:
        """Nothing here waits."""


class ComponentInstance:
    """`seam.Instance` on the wheel's component interface."""

    def __init__(self, store: Store, code: Code) -> None:
        self._store, self._code = store, code
        self._raw = _ffi.wasmtime_component_instance_t()
        self._functions: dict[FunctionName, Any] = {}
        self._turn = threading.Lock()
        self._ending = False
        store.owner = weakref.ref(self)

    @property
    def trapped(self) -> bool:
        return self._store.trapped

    @property
    def lent(self) -> int:
        return len(self._store.table.live)

    def owns(self, handle: object) -> bool:
        return type(handle) is GuestHandle and handle._table is self._store.table and handle.alive

    def start(self, context: Context) -> None:
        """Instantiate; the component's start code runs here."""
        linker, component = self._code.linker.ptr(), self._code.component.ptr()

        def begin() -> None:
            self._store.settle(ffi.linker_instantiate(linker, self._store.context, component, byref(self._raw)))

        self._alone(begin, context)

    def call(self, function: FunctionName, arguments: Sequence[Any], context: Context) -> Any:
        """See `seam.Instance.call`.

        Raises:
            UsageError: there is no such export.
            GuestTrap: also where the instance has trapped before, was closed, or is in a call already (a host function calls back into it).
            ShapeError, WitError, LimitExceeded, Exception: as the seam says.
        """
        plan = self._code.plan(function)

        def run() -> Any:
            self._drop_queued()
            result = self._call(self._function(function), plan, arguments, context)
            self._drop_queued()
            return result

        result = self._alone(run, context)
        if isinstance(plan.kind.result, ResultOf):
            if isinstance(result, Err):
                raise WitError(result.value)
            return result.value
        return result

    def _alone(self, work: Callable[[], _T], context: Context | None) -> _T:
        """Do what enters wasm while nobody else does; the ticker runs meanwhile, and whatever goes wrong ends the instance."""
        store = self._store
        if not self._turn.acquire(blocking=False):
            raise GuestTrap("cannot enter the instance: it is in a call already")
        try:
            if store.trapped or store.freed:
                raise GuestTrap("cannot enter the instance: " + ("it was closed" if store.freed else "it has trapped before"))
            store.reason = store.pending = None
            store.running, store.guard = context, context or DropContext(store.limits.deadline)
            store.check()
            leave_room()
            outer, deferred = current.store, defer(store.interrupted)
            current.store = store
            ticker.enter(store, store.engine)
            try:
                result = work()
                if store.reason is not None:  # it came too late to end the guest, and must not be lost
                    raise store.reason
            except _Unfit as unfit:
                raise unfit.error from None
            except BaseException:
                store.trapped = True
                raise
            else:
                return result
            finally:
                store.running = store.guard = None
                current.store = outer
                ticker.leave(store)
                if deferred:
                    undefer()
        finally:
            self._turn.release()
            self._afterwards()

    def _call(self, raw: Any, plan: ExportPlan, arguments: Sequence[Any], context: Context) -> Any:
        store = self._store
        lowering = Lowering(store.table, store.context)
        try:
            address = plan.lower(arguments, lowering)
        except ShapeError as error:
            lowering.undo()
            raise _Unfit(error) from None
        except BaseException:
            lowering.undo()
            raise
        lowering.commit()
        result = (c_char * ffi.VAL)()  # zeros are a valid value, so that it may be deleted whatever happens
        try:
            store.settle(ffi.call(byref(raw), store.context, address, len(arguments), addressof(result), plan.results))
            return plan.lift(bytes(result), Lifting(store.table, self, store.context, context.spend, store.check))
        finally:
            ffi.val_delete(addressof(result))
            lowering.release()

    def _function(self, name: FunctionName) -> Any:
        raw = self._functions.get(name)
        if raw is None:
            raw, index = _ffi.wasmtime_component_func_t(), self._code.index(name)
            if not ffi.instance_function(byref(self._raw), self._store.context, index.ptr(), byref(raw)):
                raise UsageError(f"the component exports no function {name[1]!r} of {name[0]!r}")
            self._functions[name] = raw
        return raw

    def interrupt(self, reason: BaseException) -> None:
        """See `seam.Instance.interrupt`. The next tick of the clock raises it."""
        if self._turn.locked():
            self._store.reason = reason

    def drop_soon(self, context: Context | None = None) -> None:
        """Drop what is queued: now, or at the end of the call that runs."""
        while self._store.table.dropped and not self._store.freed and not self._store.trapped:
            if self._turn.locked():
                return
            self._alone(self._drop_queued, context)

    def _drop_queued(self) -> None:
        dropped = self._store.table.dropped
        while dropped:
            box = dropped.popleft()
            self._store.settle(ffi.any_drop(self._store.context, box.address))

    def close(self) -> None:
        """See `seam.Instance.close`. Inside a call, even from another thread, it takes effect when that call has ended."""
        self._ending = True
        self._afterwards()

    def _afterwards(self) -> None:
        if self._ending and not self._store.freed and self._turn.acquire(blocking=False):
            try:
                held = self._store.end()
            finally:
                self._turn.release()
            close_all(held)


class _Unfit(Exception):
    """An argument that does not fit: the one failure of a call that leaves the instance as it was."""

    def __init__(self, error: ShapeError) -> None:
        super().__init__(error)
        self.error = error


def close_all(held: list[Any]) -> None:
    """Close each, whatever the others raise; then raise the first of that."""
    first: BaseException | None = None
    for value in held:
        try:
            value.close()
        except BaseException as error:  # noqa: BLE001 (raised below)
            first = first or error
    if first is not None:
        raise first
