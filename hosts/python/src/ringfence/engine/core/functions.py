"""How a lifted function is called and how the guest's call of a host function is answered: plans without state, made once per component.

Source: the Canonical ABI explainer, sections *`canon lift`* and *`canon lower`*, and *Lifting and Lowering Values* for what is passed in
memory because it is too much to be flat (more than 16 parameters, more than one result).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import addressof, c_char, c_void_p, string_at
from functools import cached_property
from struct import Struct
from typing import Any, NoReturn

from ringfence.contract.errors import GuestTrap, ShapeError
from ringfence.contract.mismatch import miscounted
from ringfence.contract.types import (
    Borrow,
    FunctionType,
    Own,
    ResultOf,
    TupleOf,
    Type,
    show_function,
)
from ringfence.contract.values import Err, Ok, WitError
from ringfence.engine.core import apart, ffi, lift, lower, transit
from ringfence.engine.core.compiler import Compiler
from ringfence.engine.core.handles import Giving, Scope
from ringfence.engine.core.layout import MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, SLOT, extent, flat, frames, holds
from ringfence.engine.core.memory import Border
from ringfence.engine.core.plan import Export, Options
from ringfence.engine.core.store import Store
from ringfence.engine.room import ROOM, room
from ringfence.engine.seam import Context, Parts

_POINTER = Struct("<I")
_SHALLOW = 2


class Compilers:
    """The compilers of one plan."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool, bool], Compiler] = {}

    def of(self, options: Options, *, filled: bool = False, arrays: bool = False) -> Compiler:
        """The one for these options."""
        key = options.encoding, filled, arrays
        if key not in self._made:
            self._made[key] = Compiler(options.encoding, filled=filled, arrays=arrays)
        return self._made[key]


def _room(kinds: Sequence[Type]) -> Callable[[], None] | None:
    """Leaves room for lowering values of types that are nested more deeply than the room left for every call allows; None for others."""
    deepest = max([frames(kind) for kind in kinds], default=0)
    return room(ROOM + deepest) if deepest > _SHALLOW else None


def misread(error: UnicodeDecodeError) -> GuestTrap:
    """The trap for a string that is not in its encoding."""
    return GuestTrap(f"invalid {error.encoding} in the guest's memory: {error.reason}")


class ExportPlan:
    """How a call of an exported function is made."""

    def __init__(self, name: str, export: Export, kind: FunctionType, compilers: Compilers, *, arrays: bool) -> None:
        self.name, self.export, self.kind = name, export, kind
        own = export.kind
        self.types = tuple(param for _, param in own.params)
        self._compiler = compilers.of(export.options, arrays=arrays)
        flats = sum(len(flat(param)) for param in self.types)
        self.spilled = TupleOf(self.types) if flats > MAX_FLAT_PARAMS else None
        self.result = own.result
        results = () if own.result is None else flat(own.result)
        self.returned = len(results) > MAX_FLAT_RESULTS
        self.extent = (0, 1) if own.result is None else extent(own.result)  # asked here once: it hashes the whole type
        self.spilled_extent = (0, 1) if self.spilled is None else extent(self.spilled)
        self.count = max(1, 1 if self.spilled else flats, len(results) and 1)
        self.gives = any(holds(param, (Own, Borrow)) for param in self.types)
        self.borrows = any(holds(param, (Borrow,)) for param in self.types)
        self.unwraps = isinstance(own.result, ResultOf)
        self.room = _room(self.types)

    @cached_property
    def parts(self) -> apart.Parts:
        def miscount(found: int) -> NoReturn:
            raise miscounted(self.name, self.kind, found)

        return apart.compile_arguments(self._compiler, self.export.kind.params, miscount)

    @cached_property
    def store(self) -> lower.Store:
        """Writes all parameters: to the block of core values, or to memory where they are spilled."""
        if self.spilled is not None:
            return self._compiler.store(self.spilled, flat=False)
        return lower.compile_flat_store(self._compiler, self.types)

    @cached_property
    def load(self) -> lift.Load | None:
        return None if self.result is None else self._compiler.load(self.result, flat=not self.returned)

    @cached_property
    def load_parts(self) -> lift.Load | None:
        """Reads the result as parts, for another guest."""
        return None if self.result is None else self._compiler.parts(self.result, flat=not self.returned)


class Call:
    """An exported function of one instance, ready to be called again and again.

    `fit(giving, arguments)` gives the arguments' parts, and the guest has seen nothing yet; `giving` keeps account of the resources among
    them where `gives`. `unwraps`: its result is a `result`.
    """

    __slots__ = ("_block", "_border", "_invoke", "_plan", "_post", "_store", "_trap", "fit", "gives", "unwraps")

    def __init__(self, plan: ExportPlan, store: Store) -> None:
        self._plan, self._store = plan, store
        self.fit, self.gives, self.unwraps = plan.parts, plan.gives, plan.unwraps
        export = plan.export
        self._border = store.border(export.options)
        self._block = (c_char * (SLOT * plan.count))()
        self._trap = c_void_p()
        address = addressof(self._block)
        self._invoke = ffi.caller(store.context, store.function(export.core), address, plan.count, self._trap)
        post = export.options.post_return
        self._post = None if post is None else ffi.caller(store.context, store.function(post), address, 1, self._trap)

    def carry(self, parts: Parts, context: Context) -> Parts:
        """Run it with parts that come from another guest, for which the result is."""
        return Parts(self._run(parts.values, context, self._plan.load_parts))

    def run(self, parts: Any, context: Context) -> Any:
        """Run it with these parts; its result, `Ok` or `Err` where it returns a `result`."""
        load = self._plan.load
        if not self._plan.borrows:
            return self._run(parts, context, load)
        store = self._store
        outer = store.scope
        store.scope = Scope()
        try:
            return self._run(parts, context, load)
        finally:
            store.scope = outer

    def _run(self, parts: Any, context: Context, load: lift.Load | None) -> Any:
        plan, border, store = self._plan, self._border, self._store
        if plan.room is not None:
            plan.room()
        if plan.spilled is not None:
            self._spill(parts)
        elif parts:
            plan.store(border, self._block, 0, parts)
        if plan.gives:
            store.orphans = []
        if border.closed:
            border.opened()
        error = self._invoke()
        if error or self._trap.value or store.reason is not None:
            self._fail(error)
        result = None
        if load is not None:
            border.spend, border.weight = context.spend, 0
            try:
                if plan.returned:
                    border.refresh()
                    result = load(border, border.view, border.place(_POINTER.unpack_from(self._block)[0], *plan.extent))
                else:
                    result = load(border, self._block, 0)
            except UnicodeDecodeError as error:
                raise misread(error) from error
        if plan.borrows:
            store.scope.end()
        if self._post is not None:
            self._after()
        return result

    def _spill(self, parts: Any) -> None:
        pointer = self._border.alloc(*self._plan.spilled_extent)
        self._plan.store(self._border, None, pointer, parts[0] if len(parts) == 1 else parts)
        _POINTER.pack_into(self._block, 0, pointer)

    def _after(self) -> None:
        """Post-return: the guest frees what it returned, and can't call out meanwhile."""
        post, store = self._post, self._store
        assert post is not None  # noqa: S101 (asked before)
        flag = store.flags[self._plan.export.options.instance]
        flag.set(False)
        error = post()
        if error or self._trap.value or store.reason is not None or store.pending is not None:
            self._fail(error)
        flag.set(True)

    def _fail(self, error: int | None) -> None:
        trap, self._trap.value = self._trap.value, None
        self._store.settle(error, trap)


class ImportPlan:
    """How the guest's call of a host function is answered."""

    def __init__(
        self,
        name: str,
        kind: FunctionType,
        shown: FunctionType,
        options: Options,
        function: Callable[..., Any],
        compilers: Compilers,
        *,
        carries: bool,
    ) -> None:
        """`carries`: the function hands the call on to another guest of this engine, as parts."""
        self.name, self.kind, self._shown, self.options, self._function, self._carries = name, kind, shown, options, function, carries
        self._compiler = compilers.of(options, filled=True)
        self._types = [param for _, param in kind.params]
        flats = sum(len(flat(param)) for param in self._types)
        self._spilled = TupleOf(tuple(self._types)) if flats > MAX_FLAT_PARAMS else None
        self._params = 1 if self._spilled else flats
        self._spilled_extent = (0, 1) if self._spilled is None else extent(self._spilled)
        self._returned = kind.result is not None and len(flat(kind.result)) > MAX_FLAT_RESULTS
        self._borrows = any(holds(param, (Borrow,)) for param in self._types)
        self._gives = holds(kind.result, (Own,))
        self._unwraps = isinstance(kind.result, ResultOf)
        self._block = SLOT * max(1, self._params + self._returned)
        self._where = SLOT * self._params
        self._extent = (0, 1) if kind.result is None else extent(kind.result)
        self._memory = options.memory is not None
        self._room = _room([] if kind.result is None else [kind.result])

    @cached_property
    def _load(self) -> lift.Load:
        compiler = self._compiler
        if self._carries:
            return compiler.parts(self._spilled, flat=False) if self._spilled else transit.compile_params(compiler, self._types)
        if self._spilled is not None:
            return compiler.load(self._spilled, flat=False)
        return lift.compile_params(compiler, self._types)

    @cached_property
    def _fit(self) -> apart.Parts:
        assert self.kind.result is not None  # noqa: S101 (asked before)
        return self._compiler.fits(self.kind.result)

    @cached_property
    def _put(self) -> lower.Store:
        assert self.kind.result is not None  # noqa: S101 (asked before)
        return self._compiler.store(self.kind.result, flat=not self._returned)

    def answer(self, store: Store, values: int) -> None:
        """Serve the guest's call with the core values at this address.

        Raises:
            GuestTrap: the guest may not leave now, or what it passed is not valid.
            ShapeError: what the function returned, or the err case it raised, does not fit its type.
            BaseException: whatever else it raised.
        """
        store.check()
        if not store.flags[self.options.instance].get():
            raise GuestTrap("cannot leave component instance")
        border = store.border(self.options)
        if self._memory:
            border.refresh()
        if not self._borrows:
            self._answer(store, border, values)
            return
        outer, store.scope = store.scope, Scope()
        try:
            self._answer(store, border, values)
            store.scope.end()
        finally:
            store.scope = outer

    def _answer(self, store: Store, border: Border, values: int) -> None:
        block: Any = string_at(values, self._block) if self._params or self._returned else b""
        if self._carries:
            self._carry(store, border, values, block)
            return
        arguments = self._arguments(border, block) if self._params else ()
        store.orphans.clear()
        try:
            answer = self._function(store.running, *arguments)
            if self.kind.result is None:
                if answer is not None:
                    raise self._blamed(f"returned what does not fit: expected None, found {type(answer).__name__}")
                return
            self._lower(store, border, values, block, Ok(answer) if self._unwraps else answer)
        except WitError as error:  # by the function, or by a Fill that it returned
            self._lower_error(store, border, values, block, error)

    def _arguments(self, border: Border, block: Any) -> Any:
        border.spend, border.weight = border.weigh, 0
        try:
            if self._spilled is None:
                return self._load(border, block, 0)
            at = border.place(_POINTER.unpack_from(block)[0], *self._spilled_extent)
            return self._load(border, border.view, at)
        except UnicodeDecodeError as error:
            raise misread(error) from error

    def _carry(self, store: Store, border: Border, values: int, block: Any) -> None:
        """The other guest gets views of this one's memory, which die with the call."""
        lent: list[memoryview] = []
        border.lent = lent
        try:
            answer = self._function(store.running, Parts(self._arguments(border, block) if self._params else ()))
        finally:
            border.lent = None
            for view in lent:
                view.release()
        if self.kind.result is not None:
            border.refresh()
            self._write(border, values, block, answer.values)

    def _lower(self, store: Store, border: Border, values: int, block: Any, answer: Any) -> None:
        try:
            giving = Giving(store.host) if self._gives else None
            parts = self._fit(giving, answer)
            if giving is not None:
                store.orphans = giving.moving
            self._write(border, values, block, parts)
        except ShapeError as error:
            raise self._blamed(f"returned what does not fit: {error}") from error
        if giving is not None:
            store.orphans = []

    def _write(self, border: Border, values: int, block: Any, parts: Any) -> None:
        if self._room is not None:
            self._room()
        if self._returned:
            at = border.place(_POINTER.unpack_from(block, self._where)[0], *self._extent)
            self._put(border, None, at, parts)
        else:
            self._put(border, ffi.bytes_at(values, SLOT), 0, parts)
        if border.closed:
            border.opened()

    def _lower_error(self, store: Store, border: Border, values: int, block: Any, error: WitError) -> None:
        if not self._unwraps:
            raise self._blamed("raised WitError, but has no err case") from error
        try:
            self._lower(store, border, values, block, Err(error.value))
        except ShapeError as misfit:
            detail = misfit.__cause__ or misfit
            raise self._blamed(f"raised a WitError that does not fit: {detail}") from error

    def _blamed(self, what: str) -> ShapeError:
        return ShapeError(f"host function {show_function(self.name, self._shown)} {what}")
