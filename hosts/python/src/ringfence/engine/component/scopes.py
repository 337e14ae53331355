"""What one crossing of the border needs: the store it happens in, and what is to be undone when it fails in the middle.

Lowering writes C values into memory that Python owns (an arena): nothing of it is ever freed by hand, so a value that turns out
not to fit half-way leaves nothing behind. wasmtime copies arguments; a host function's result is copied over by one `val_clone`.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import addressof, c_char
from typing import Any

from ringfence.contract.errors import ShapeError
from ringfence.contract.types import ResourceName
from ringfence.engine import library
from ringfence.engine.component import ffi
from ringfence.engine.component.resources import AnyBox, GuestHandle, HandleOwner, ResourceTable, lend_to_c, rep_from_c, usable

_BLOCK = 2048


def nothing(_count: int = 0) -> None:
    """Stands where output is not counted, or no context asks for the time."""


class Lifting:
    """C values on their way to Python. `spend` counts output bytes, `check` raises when the call must end."""

    __slots__ = ("_context", "_owner", "_taken", "check", "spend", "table")

    def __init__(
        self, table: ResourceTable, owner: HandleOwner, context: int, spend: Callable[[int], None], check: Callable[[], None]
    ) -> None:
        self.table, self._owner, self._context = table, owner, context
        self.spend, self.check = spend, check
        self._taken: list[tuple[int, Any]] = []

    def take_object(self, resource_any: int, type_id: int) -> Any:
        """The host object that the guest gives back."""
        rep = rep_from_c(self._context, resource_any, type_id)
        value = self.table.objects.pop(rep)
        self._taken.append((rep, value))
        return value

    def borrow_object(self, resource_any: int, type_id: int) -> Any:
        """The host object that the guest lends."""
        return self.table.objects[rep_from_c(self._context, resource_any, type_id)]

    def handle(self, resource_any: int, resource: ResourceName) -> GuestHandle:
        """A handle of the guest's own resource."""
        return self.table.handle(AnyBox(ffi.any_clone(resource_any)), resource, self._owner)

    def undo(self) -> None:
        """Give the objects taken so far back to the table, whose end closes them."""
        self.table.objects.update(self._taken)


class Lowering:
    """Python values on their way to C. End it with `commit` or `undo`, then, when the callee has returned, `release`."""

    __slots__ = ("_address", "_blocks", "_boxes", "_context", "_end", "_lent", "_moved", "_owned", "_used", "_view", "table")

    def __init__(self, table: ResourceTable, context: int) -> None:
        self.table, self._context = table, context
        self._blocks: list[Any] = []
        self._boxes: list[AnyBox] = []
        self._owned: list[tuple[AnyBox, int]] = []
        self._lent: list[int] = []
        self._moved: list[GuestHandle] = []
        self._used: dict[int, tuple[Any, bool]] = {}
        self._view: memoryview = memoryview(b"")
        self._address = self._end = 0

    def alloc(self, size: int) -> tuple[memoryview, int, int]:
        """Zeroed memory, aligned to 8: a view, the offset in it, and the address for C."""
        at = (self._end + 7) & ~7
        if at + size > len(self._view):
            block = (c_char * max(size, _BLOCK))()
            self._blocks.append(block)
            view, address = memoryview(block).cast("B"), addressof(block)
            if size >= _BLOCK:
                return view, 0, address
            self._view, self._address, at = view, address, 0
        self._end = at + size
        return self._view, at, self._address + at

    def data(self, data: bytes | bytearray | memoryview) -> int:
        """The address of a copy of these bytes; 0 where there are none."""
        size = len(data)
        if not size:
            return 0
        view, at, address = self.alloc(size)
        view[at : at + size] = data
        return address

    def give_object(self, value: Any, type_id: int) -> int:
        """A host object becomes the guest's; the address of its `ResourceAny`."""
        self._use(value, moves=True)
        rep = self.table.put(value)
        box = lend_to_c(self._context, rep, type_id, owned=True)
        self._owned.append((box, rep))
        return box.address

    def lend_object(self, value: Any, type_id: int) -> int:
        """A host object is lent until the callee returns."""
        self._use(value, moves=False)
        rep = self.table.put(value)
        self._lent.append(rep)
        box = lend_to_c(self._context, rep, type_id, owned=False)
        self._boxes.append(box)
        return box.address

    def pass_handle(self, value: Any, resource: ResourceName, *, moves: bool) -> int:
        """The guest's own resource goes back to it, for good or until it returns."""
        handle = usable(value, resource, self.table)
        self._use(handle, moves=moves)
        self._boxes.append(handle._box)
        if moves:
            self._moved.append(handle)
        return handle._box.address

    def _use(self, value: Any, *, moves: bool) -> None:
        _, moved = self._used.get(id(value), (None, False))
        if moved or (moves and id(value) in self._used):
            raise ShapeError("the same resource is given away and used again in one call")
        self._used[id(value)] = value, moves  # keeps it: its id must not become another's meanwhile

    def commit(self) -> None:
        """All values fitted: what moves has moved."""
        for handle in self._moved:
            handle._let_go()

    def undo(self) -> None:
        """A value did not fit: every resource stays where it was."""
        for box, rep in self._owned:
            self.table.objects.pop(rep, None)
            if error := ffi.any_drop(self._context, box.address):
                library.error_delete(error)
        self.release()

    def release(self) -> None:
        """The callee has returned: what was lent is no longer reachable."""
        for rep in self._lent:
            self.table.objects.pop(rep, None)
