"""Linear memories as the host sees them, and the border between a call's values and one of them.

A view has exactly the memory's length, so Python itself refuses what lies outside. Memory never shrinks and never moves
(`configuration.py`): a view that was exact once stays inside. Before values are lifted the length is asked for anew; after `realloc` only
where the pointer lies beyond what is known.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from ctypes import addressof, c_char, c_uint32, c_void_p
from functools import partial
from struct import Struct
from sys import getrefcount
from typing import TYPE_CHECKING, Any, NoReturn

from ringfence.contract.errors import GuestTrap, LimitExceeded, ShapeError
from ringfence.contract.limits import show_size
from ringfence.contract.mismatch import describe
from ringfence.contract.values import Fill
from ringfence.engine.core import ffi
from ringfence.engine.core.plan import Options
from ringfence.engine.core.strings import UTF16_TAG, put_text, text_at

if TYPE_CHECKING:
    from ringfence.engine.core.store import Store

_REALLOC = Struct("<I12xI12xI12xI12x")


_NOTHING = memoryview(b"")
_SOME = 4096
"""Elements lowered between two looks at the clock."""
_HEAVIEST = 256 << 20
"""What may be lifted at once, in bytes of memory and of the Python objects made of it, roughly: a list may name one text many times."""


class Memory:
    """One linear memory of a store."""

    __slots__ = ("_data", "_size", "address", "borders", "shared", "size", "view")

    def __init__(self, context: int, item: int) -> None:
        self._size = partial(ffi.memory_size, context, item)
        self._data = partial(ffi.memory_data, context, item)
        self.borders: list[Border] = []
        self.view, self.size, self.address = _NOTHING, -1, 0
        self.shared: object = None
        """What `view` and all parts of it are made of: references to it tell whether somebody keeps a part."""
        self.refresh()

    def refresh(self) -> None:
        """Make the view as long as the memory is now, for all its borders: the one that was is dead."""
        size = self._size()
        if size != self.size:
            self.release()
            self.address = self._data() or 0
            self.view = ffi.view_at(self.address, size)
            (self.shared,) = gc.get_referents(self.view)
            self.size = size
            for border in self.borders:
                border.view, border.size = self.view, size

    def reach(self, pointer: int, size: int, what: str = "") -> None:
        """Raise GuestTrap unless these bytes, of a `what`, are in memory."""
        if pointer + size > self.size:
            raise GuestTrap(f"{what}pointer/length out of bounds of memory")

    def release(self) -> None:
        """The view dies."""
        self.view.release()
        self.view, self.shared, self.size = _NOTHING, None, -1
        for border in self.borders:
            border.view, border.size = _NOTHING, 0


class Border:
    """What compiled lifts and lowers work on: one component instance's memory, allocator and handles, as one set of options says."""

    __slots__ = (
        "_ask",
        "_block",
        "_flag",
        "_handles",
        "_invoke",
        "_memory",
        "_pointer",
        "_store",
        "_tables",
        "_trap",
        "check",
        "closed",
        "lent",
        "options",
        "put_text",
        "size",
        "spend",
        "view",
        "weight",
    )

    def __init__(self, store: Store, options: Options) -> None:
        self._store, self.options = store, options
        self.view, self.size = memoryview(b""), 0
        self.spend: Callable[[int], None] = self.weigh
        self.check = store.check
        self.put_text = put_text(self, options.encoding)
        self.closed, self.weight = False, 0
        self.lent: list[memoryview] | None = None  # views that another guest may read; None: it gets copies
        self._tables = store.plan.tables
        self._handles = store.handles[options.instance]
        self._memory = None if options.memory is None else store.memory(options.memory)
        self._flag = store.flags[options.instance]
        if options.realloc is not None:
            self._block, self._trap = (c_char * 64)(), c_void_p()
            self._ask, self._pointer = partial(_REALLOC.pack_into, self._block, 0, 0, 0), c_uint32.from_buffer(self._block)
            function = store.function(options.realloc)
            self._invoke = ffi.caller(store.context, function, addressof(self._block), 4, self._trap)
        if self._memory is not None:
            self._memory.borders.append(self)
            self._memory.refresh()
            self.view, self.size = self._memory.view, self._memory.size

    def refresh(self) -> None:
        """Values are about to be lifted: see memory as it is now."""
        if self._memory is not None:
            self._memory.refresh()

    def reach(self, pointer: int, size: int, what: str = "") -> None:
        """Raise GuestTrap unless these bytes, of a `what`, are in memory."""
        if pointer + size > self.size:
            raise GuestTrap(f"{what}pointer/length out of bounds of memory")

    def weigh(self, count: int) -> None:
        """Count what is made in Python of the guest's values, whoever pays for it; `weight` is set to 0 before each crossing.

        Raises:
            LimitExceeded: it is more than is converted at once.
        """
        self.weight += count
        if self.weight > _HEAVIEST:
            allowed = show_size(self._store.limits.output)
            raise LimitExceeded("", "output", allowed, f"more than the engine converts at once ({show_size(_HEAVIEST)})")

    def place(self, pointer: int, size: int, alignment: int) -> int:
        """A pointer to so many bytes, checked (*Loading*: what parameters and results in memory are loaded from and stored to)."""
        if pointer % alignment:
            raise GuestTrap("pointer not aligned")
        self.reach(pointer, size)
        return pointer

    def alloc(self, size: int, alignment: int) -> int:
        """Memory of the guest's own allocator (`cx.opts.realloc`); while it runs, it can't call out.

        Raises:
            GuestTrap: the allocator trapped, or what it returned is not aligned or not all in memory.
        """
        if size > 0xFFFFFFFF:
            raise GuestTrap("value is too large for the guest's memory")
        if not self.closed:
            self.closed = True
            self._flag.set(False)
        self._ask(alignment, size)
        error = self._invoke()
        if error or self._trap.value:
            self._fail(error)
        pointer = self._pointer.value
        if pointer % alignment:
            raise GuestTrap("realloc return: result not aligned")
        if pointer + size > self.size:
            self.refresh()
            if pointer + size > self.size:
                raise GuestTrap("realloc return: beyond end of memory")
        return pointer

    def opened(self) -> None:
        """Lowering has ended: the guest may call out again."""
        if self.closed:
            self.closed = False
            self._flag.set(True)

    def _fail(self, error: int | None) -> NoReturn:
        trap, self._trap.value = self._trap.value, None
        self._store.settle(error, trap)
        raise GuestTrap("the guest's allocator failed")

    # What passes to another guest

    def lend(self, pointer: int, size: int) -> Any:
        """These bytes, which are in memory: as a view while views may be lent, else as a copy."""
        view = self.view[pointer : pointer + size]
        if self.lent is None:
            return bytes(view)
        self.lent.append(view)
        return view

    def carry_text(self, pointer: int, size: int) -> bytes:
        """The bytes of a string of UTF-8, checked (*Loading*, `load_string_from_range`)."""
        self.reach(pointer, size, "string ")
        self.spend(size)
        data = bytes(self.view[pointer : pointer + size])
        if not data.isascii():
            data.decode()
        return data

    # Lists and bytes

    def put_data(self, part: Any) -> tuple[int, int]:
        """Store a `list<u8>`: one copy, or what a Fill makes in place."""
        if type(part) is Fill:
            return self._fill(part)
        size = len(part)
        pointer = self.alloc(size, 1)
        self.view[pointer : pointer + size] = part
        return pointer, size

    def put_numbers(self, part: Any, width: int) -> tuple[int, int]:
        """Store a list of numbers that are packed already."""
        size = len(part)
        pointer = self.alloc(size, width)
        self.view[pointer : pointer + size] = part
        return pointer, size // width

    def put_list(self, parts: list[Any], size: int, alignment: int, stores: Callable[[Any, int, Any], None]) -> tuple[int, int]:
        """Store a list of anything else (*Storing*, `store_list_into_range`)."""
        pointer, count = self.alloc(len(parts) * size, alignment), len(parts)
        if count <= _SOME:
            stores(self, pointer, parts)
            return pointer, count
        for start in range(0, count, _SOME):
            self.check()
            stores(self, pointer + start * size, parts[start : start + _SOME])
        return pointer, count

    def _fill(self, fill: Fill) -> tuple[int, int]:
        pointer = self.alloc(fill.length, 1)
        assert self._memory is not None  # noqa: S101 (a list lies in one)
        shared = self._memory.shared
        view = self.view[pointer : pointer + fill.length]
        alone = getrefcount(shared)
        try:
            written = fill.fill(view)
        finally:
            view.release()
            kept = getrefcount(shared) > alone
            if kept:
                self._store.seen.append(shared)
        if kept:
            raise BufferError("a Fill kept a part of its view, which dies with the call")
        if type(written) is not int or not 0 <= written <= fill.length:
            raise ShapeError(f"expected Fill to write at most {fill.length} bytes, found {describe(written)}")
        return pointer, written

    # Strings

    def text_utf16(self, pointer: int, units: int) -> str:
        """Lift a string of UTF-16."""
        return text_at(self, pointer, units * 2, "utf-16-le")

    def text_compact(self, pointer: int, length: int) -> str:
        """Lift a string of Latin-1 or UTF-16, as the tag in its length says."""
        if length & UTF16_TAG:
            return text_at(self, pointer, (length ^ UTF16_TAG) * 2, "utf-16-le")
        return text_at(self, pointer, length, "latin-1")

    # Handles

    def _resource(self, table: int) -> int:
        found = self._tables[table]
        assert found is not None  # noqa: S101 (the plan's reader refuses types of such tables)
        return found.resource

    def lift_own(self, index: int, table: int) -> Any:
        """*Lifting*, `lift_own`: the resource moves to the host."""
        resource = self._resource(table)
        rep = self._handles.take(index, resource)
        return self._store.received(resource, rep)

    def lift_borrow(self, index: int, table: int) -> Any:
        """*Lifting*, `lift_borrow`: the host object that the guest lends."""
        resource = self._resource(table)
        entry = self._handles.get(index, resource)
        if entry.scope is None:
            self._store.scope.lend(entry)
        if self._store.plan.resources[resource].instance is not None:
            raise GuestTrap("a guest's own resource is lent to the host")
        return entry.rep

    def lower_own(self, value: Any, table: int) -> int:
        """*Lowering*, `lower_own`: the resource becomes the guest's."""
        resource = self._resource(table)
        return self._handles.add(resource, self._store.given(resource, value))

    def lower_borrow(self, value: Any, table: int) -> int:
        """*Lowering*, `lower_borrow`: lent until the call ends; to the instance that defines it as its representation."""
        found = self._tables[table]
        assert found is not None  # noqa: S101 (see `_resource`)
        store, rep = self._store, value
        if found.instance == store.plan.resources[found.resource].instance:
            store.scope.lend(value)
            return int(value._what[1])
        if store.plan.resources[found.resource].instance is not None:
            store.scope.lend(value)
            rep = value._what[1]
        return self._handles.add(found.resource, rep, store.scope)
