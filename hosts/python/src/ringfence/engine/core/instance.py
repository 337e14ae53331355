"""A merged module's instance: one call at a time, what its calls leave behind, and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.contract.errors import GuestTrap, ShapeError, UsageError
from ringfence.contract.values import Err, WitError
from ringfence.engine.callbacks import current
from ringfence.engine.core.functions import Call, ExportPlan
from ringfence.engine.core.handles import Giving, GuestHandle
from ringfence.engine.core.store import Store
from ringfence.engine.exclusive import BUSY, DropContext, Exclusive
from ringfence.engine.seam import Context, FunctionName, Parts
from ringfence.engine.ticker import ticking

_OUTSIDE, _BEGUN, _FITS = range(3)
"""How far a call has come: its arguments fit where the guest has seen something of it."""


class CoreInstance(Exclusive):
    """`seam.Instance` on one merged core module."""

    def __init__(self, store: Store, exports: Mapping[FunctionName, ExportPlan]) -> None:
        super().__init__(store)
        self._store, self._exports = store, exports
        self._calls: dict[FunctionName, Call] = {}

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

    def call(self, function: FunctionName, arguments: Sequence[Any] | Parts, context: Context) -> Any:
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
        store, turn, outer = self._store, self._turn, current.store
        stage, inside = _OUTSIDE, False
        if store.guard is not None:  # of this very thread, perhaps, which could take its turn again
            raise GuestTrap(BUSY)
        try:
            inside = turn.acquire(False)  # noqa: FBT003
            self._begin(inside, context, context)
            stage = _BEGUN
            if call is None:
                call = self._calls[function] = Call(self._exports[function], store)
            if store.host.dropped:
                self._drop_queued()
            result: Any
            if isinstance(arguments, Parts):
                stage = _FITS
                result = call.carry(arguments, context)
            else:
                giving = Giving(store.host) if call.gives else None
                parts = call.fit(giving, arguments)
                if giving is not None:
                    store.orphans = giving.moving
                stage = _FITS
                result = call.run(parts, context)
            if store.host.dropped:
                self._drop_queued()
            if store.reason is not None:  # it came too late to end the guest, and must not be lost
                raise store.reason
            store.orphans.clear()  # what the guest gave away is the caller's from here on
        except BaseException as error:
            if stage is _FITS or (stage is _BEGUN and not isinstance(error, ShapeError)):
                store.trapped = True
            raise
        finally:  # as in `_alone`, which this is, without the price of one more call
            if inside or turn._is_owned():
                store.running = store.guard = None
                current.store = outer
                if store in ticking:
                    del ticking[store]
                turn.release()
                if self._ending:
                    self._afterwards()
        if call.unwraps and type(result) is not Parts:
            if type(result) is Err:
                raise WitError(result.value)
            return result.value
        return result

    def drop_soon(self, context: Context | None = None) -> None:
        """Drop what is queued: now, or at the end of the call that runs."""
        while self._store.host.dropped and not self._store.freed and not self._store.trapped:
            if self._store.guard is not None:
                return
            self._alone(self._drop_queued, context, context or DropContext(self._store.limits.deadline))

    def _drop_queued(self) -> None:
        dropped = self._store.host.dropped
        while dropped:
            self._store.drop_rep(*dropped.popleft())
