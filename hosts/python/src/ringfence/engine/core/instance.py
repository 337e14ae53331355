"""A merged module's instance: one call at a time, what its calls leave behind, and its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ringfence.contract.errors import GuestTrap, ShapeError, UsageError
from ringfence.contract.values import Err, WitError
from ringfence.engine.component.instance import DropContext, close_all
from ringfence.engine.core.functions import Call, ExportPlan
from ringfence.engine.core.handles import GuestHandle
from ringfence.engine.core.store import Store
from ringfence.engine.seam import Context, FunctionName
from ringfence.engine.signals import current, defer, leave_room, undefer
from ringfence.engine.ticker import ticker


class CoreInstance:
    """`seam.Instance` on one merged core module."""

    def __init__(self, store: Store, exports: Mapping[FunctionName, ExportPlan]) -> None:
        self._store, self._exports = store, exports
        self._calls: dict[FunctionName, Call] = {}
        self._turn = threading.Lock()
        self._ending = False

    @property
    def trapped(self) -> bool:
        return self._store.trapped

    @property
    def lent(self) -> int:
        return len(self._store.host.live)

    def owns(self, handle: object) -> bool:
        return type(handle) is GuestHandle and handle._table is self._store.host and handle.alive

    def start(self, pre: int, context: Context) -> None:
        """Instantiate, then run the component's start code (`start` of the plan)."""
        store = self._store

        def begin() -> None:
            store.begin(pre)
            if store.plan.start is not None:
                store.enter(store.function(store.plan.start), 0, 0)

        self._alone(begin, context, context)

    def call(self, function: FunctionName, arguments: Sequence[Any], context: Context) -> Any:
        """See `seam.Instance.call`.

        Raises:
            UsageError: there is no such export.
            GuestTrap: also where the instance has trapped before, was closed, or is in a call already (a host function calls back into it).
            ShapeError, WitError, LimitExceeded, Exception: as the seam says.
        """
        call = self._calls.get(function)
        if call is None and function not in self._exports:
            interface, name = function
            raise UsageError(f"the component exports no function {name!r}" + (f" in {interface!r}" if interface else ""))
        outer = self._enter(context, context)
        store = self._store
        fits = False
        try:
            if call is None:
                call = self._calls[function] = Call(self._exports[function], store)
            if store.host.dropped:
                self._drop_queued()
            parts = call.plan.fit(arguments, store)
            fits = True
            result = call(parts, context)
            if store.host.dropped:
                self._drop_queued()
            if store.reason is not None:  # it came too late to end the guest, and must not be lost
                raise store.reason
        except BaseException as error:
            if fits or not isinstance(error, ShapeError):
                store.trapped = True
            raise
        finally:
            self._leave(outer)
        if call.plan.unwraps:
            if type(result) is Err:
                raise WitError(result.value)
            return result.value
        return result

    def _alone(self, work: Callable[[], None], context: Context | None, guard: Context) -> None:
        """Do what enters wasm, but is no call, while nobody else does; whatever goes wrong ends the instance."""
        outer = self._enter(context, guard)
        try:
            work()
            if self._store.reason is not None:  # it came too late to end the guest, and must not be lost
                raise self._store.reason
        except BaseException:
            self._store.trapped = True
            raise
        finally:
            self._leave(outer)

    def _enter(self, context: Context | None, guard: Context) -> tuple[Any, bool]:
        """From here to `_leave` this thread alone runs wasm in the store, the clock ticks, and Ctrl-C can't spoil its books."""
        store = self._store
        if not self._turn.acquire(False):  # noqa: FBT003
            raise GuestTrap("cannot enter the instance: it is in a call already")
        try:
            if store.trapped or store.freed:
                raise GuestTrap("cannot enter the instance: " + ("it was closed" if store.freed else "it has trapped before"))
            store.reason = store.pending = None
            store.running, store.guard = context, guard
            guard.check()
            leave_room()
            outer = current.store, defer(store.interrupted)
            current.store = store
            ticker.enter(store, store.engine)
        except BaseException:
            store.running = store.guard = None
            self._leave_turn()
            raise
        return outer

    def _leave(self, outer: tuple[Any, bool]) -> None:
        store = self._store
        current.store, deferred = outer
        store.running = store.guard = None
        ticker.leave(store)
        try:
            if deferred:
                undefer()
        finally:  # an exception of a signal's handler may come in any line
            self._leave_turn()

    def _leave_turn(self) -> None:
        self._turn.release()
        if self._ending:
            self._afterwards()

    def interrupt(self, reason: BaseException) -> None:
        """See `seam.Instance.interrupt`. The next tick of the clock raises it."""
        if self._turn.locked():
            self._store.reason = reason

    def drop_soon(self, context: Context | None = None) -> None:
        """Drop what is queued: now, or at the end of the call that runs."""
        while self._store.host.dropped and not self._store.freed and not self._store.trapped:
            if self._turn.locked():
                return
            self._alone(self._drop_queued, context, context or DropContext(self._store.limits.deadline))

    def _drop_queued(self) -> None:
        dropped = self._store.host.dropped
        while dropped:
            self._store.drop_rep(*dropped.popleft())

    def close(self) -> None:
        """See `seam.Instance.close`. Inside a call, even from another thread, it takes effect when that call has ended."""
        self._ending = True
        self._afterwards()

    def _afterwards(self) -> None:
        if not self._store.freed and self._turn.acquire(blocking=False):
            try:
                self._calls.clear()
                held = self._store.end()
            finally:
                self._turn.release()
            close_all(held)
