"""A function's plan: its types made into lifts and lowers once, and how arguments and results pass through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import string_at
from functools import cached_property
from typing import Any

from ringfence.contract.errors import ShapeError
from ringfence.contract.mismatch import miscounted
from ringfence.contract.types import FunctionType, ResultOf, show_function
from ringfence.contract.values import Err, Ok, WitError
from ringfence.engine.component import ffi
from ringfence.engine.component.ffi import VAL
from ringfence.engine.component.lift import Lift, ResourceIds, lift_of
from ringfence.engine.component.lower import Lower
from ringfence.engine.component.lower_compound import lower_of, write_result
from ringfence.engine.component.scopes import Lifting, Lowering


class ExportPlan:
    """How a call of an exported function is made. Plans are built at their first use and hold no state of a call."""

    def __init__(self, name: str, kind: FunctionType, ids: ResourceIds, *, arrays: bool) -> None:
        self.name, self.kind, self._ids, self._arrays = name, kind, ids, arrays
        self.results = 0 if kind.result is None else 1

    @cached_property
    def _params(self) -> list[tuple[str, Lower]]:
        return [(name, lower_of(param, self._ids)) for name, param in self.kind.params]

    @cached_property
    def _result(self) -> Lift | None:
        return None if self.kind.result is None else lift_of(self.kind.result, self._ids, arrays=self._arrays)

    def lower(self, arguments: Sequence[Any], scope: Lowering) -> int:
        """The address of the arguments as C values, in memory of the scope.

        Raises:
            ShapeError: their number or one of them does not fit; the path begins with the parameter's name.
        """
        params = self._params
        if len(arguments) != len(params):
            raise miscounted(self.name, self.kind, len(arguments))
        view, at, address = scope.alloc(VAL * len(params))
        for (name, lower), value in zip(params, arguments, strict=True):
            try:
                lower(value, view, at, scope)
            except ShapeError as error:
                raise error.within(name) from None
            at += VAL
        return address

    def lift(self, result: bytes, scope: Lifting) -> Any:
        """The result, `Ok` or `Err` where the function returns a `result`."""
        return None if self._result is None else self._result(result, 0, scope)


class ImportPlan:
    """How the guest's call of a host function is answered."""

    def __init__(self, name: str, kind: FunctionType, ids: ResourceIds, function: Callable[..., Any]) -> None:
        self.name, self.kind, self._ids, self._function = name, kind, ids, function

    @cached_property
    def _params(self) -> list[tuple[int, Lift]]:
        return [(index * VAL, lift_of(param, self._ids)) for index, (_, param) in enumerate(self.kind.params)]

    @cached_property
    def _result(self) -> tuple[Lower | None, Lower | None]:
        """The lowers of the result (or its ok side), and of the err side."""
        kind = self.kind.result
        if isinstance(kind, ResultOf):
            ok, err = kind.ok, kind.err
        else:
            ok, err = kind, None
        lower, other = (None if side is None else lower_of(side, self._ids, filled=True) for side in (ok, err))
        return lower, other

    def arguments(self, address: int, scope: Lifting) -> list[Any]:
        """The arguments, lifted from the C values at this address."""
        params = self._params
        if not params:
            return []
        memory = string_at(address, VAL * len(params))
        try:
            return [lift(memory, at, scope) for at, lift in params]
        except BaseException:
            scope.undo()
            raise

    def answer(self, context: Any, arguments: list[Any], results: int, scope: Lowering) -> None:
        """Call the host function and write what it answers to the C value at `results`.

        Raises:
            ShapeError: what it returned, or the err case it raised, does not fit the function's type.
            BaseException: whatever else it raised.
        """
        view, at, address = scope.alloc(VAL)
        try:
            try:
                value = self._function(context, *arguments)
                self._write(value, view, at, scope)
            except WitError as error:  # by the function, or by a Fill that it returned
                self._write_error(error, view, at, scope)
        except BaseException:
            scope.undo()
            raise
        scope.commit()
        if self.kind.result is not None:
            ffi.val_clone(address, results)

    def _write(self, value: Any, view: memoryview, at: int, scope: Lowering) -> None:
        lower, other = self._result
        try:
            if isinstance(self.kind.result, ResultOf):
                write_result(Ok(value), lower, other, view, at, scope)
            elif lower is not None:
                lower(value, view, at, scope)
            elif value is not None:
                raise ShapeError(f"expected None, found {type(value).__name__}")
        except ShapeError as error:
            raise self._blamed(f"returned what does not fit: {error}") from error

    def _write_error(self, error: WitError, view: memoryview, at: int, scope: Lowering) -> None:
        if not isinstance(self.kind.result, ResultOf):
            raise self._blamed("raised WitError, but has no err case") from error
        try:
            write_result(Err(error.value), *self._result, view, at, scope)
        except ShapeError as misfit:
            raise self._blamed(f"raised a WitError that does not fit: {misfit}") from error

    def _blamed(self, what: str) -> ShapeError:
        return ShapeError(f"host function {show_function(self.name, self.kind)} {what}")
