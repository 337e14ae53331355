"""A component's instance: one call at a time, what its calls leave behind, and its end."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from ctypes import addressof, byref, c_char
from typing import Any

from wasmtime import _ffi

from ringfence.contract.errors import ShapeError, UsageError
from ringfence.contract.types import ResultOf
from ringfence.contract.values import Err, WitError
from ringfence.engine.component import ffi
from ringfence.engine.component.functions import ExportPlan
from ringfence.engine.component.linking import LinkedCode
from ringfence.engine.component.resources import GuestHandle
from ringfence.engine.component.scopes import Lifting, Lowering
from ringfence.engine.component.store import Store
from ringfence.engine.exclusive import DropContext, Exclusive, Unfit
from ringfence.engine.seam import Context, FunctionName, Parts


class ComponentInstance(Exclusive):
    """`seam.Instance` on the wheel's component interface."""

    def __init__(self, store: Store, code: LinkedCode) -> None:
        super().__init__(store)
        self._store, self._code = store, code
        self._raw = _ffi.wasmtime_component_instance_t()
        self._functions: dict[FunctionName, Any] = {}
        store.owner = weakref.ref(self)

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

        self._alone(begin, context, context)

    def call(self, function: FunctionName, arguments: Sequence[Any] | Parts, context: Context) -> Any:
        """See `seam.Instance.call`.

        Raises:
            UsageError: there is no such export.
            GuestTrap: also where the instance has trapped before, was closed, or is in a call already (a host function calls back into it).
            ShapeError, WitError, LimitExceeded, Exception: as the seam says.
        """
        if isinstance(arguments, Parts):
            raise TypeError("parts are another engine's")
        plan = self._code.plan(function)

        def run() -> Any:
            self._drop_queued()
            result = self._call(self._function(function), plan, arguments, context)
            self._drop_queued()
            return result

        result = self._alone(run, context, context)
        if isinstance(plan.kind.result, ResultOf):
            if isinstance(result, Err):
                raise WitError(result.value)
            return result.value
        return result

    def _call(self, raw: Any, plan: ExportPlan, arguments: Sequence[Any], context: Context) -> Any:
        store = self._store
        lowering = Lowering(store.table, store.context)
        try:
            address = plan.lower(arguments, lowering)
        except ShapeError as error:
            lowering.undo()
            raise Unfit(error) from None
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

    def drop_soon(self, context: Context | None = None) -> None:
        """Drop what is queued: now, or at the end of the call that runs."""
        while self._store.table.dropped and not self._store.freed and not self._store.trapped:
            if self._store.guard is not None:
                return
            self._alone(self._drop_queued, context, context or DropContext(self._store.limits.deadline))

    def _drop_queued(self) -> None:
        dropped = self._store.table.dropped
        while dropped:
            box = dropped.popleft()
            self._store.settle(ffi.any_drop(self._store.context, box.address))
