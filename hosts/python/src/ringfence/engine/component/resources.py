"""Resources on both sides of a store: host objects that a guest holds, and handles of a guest's own resources.

A host object passes as a number (its rep) under which the store's table keeps it; the guest never sees more than its own index of that.
A guest's resource passes as wasmtime's `ResourceAny`, kept here in a box of C memory and given to Python as a `GuestHandle`.
"""

from __future__ import annotations

from collections import deque
from ctypes import byref, c_void_p
from typing import Any, NoReturn, Protocol

from ringfence.contract.errors import GuestTrap, ShapeError
from ringfence.contract.types import ResourceName
from ringfence.engine.component import ffi
from ringfence.engine.library import take_message
from ringfence.engine.seam import Context


class AnyBox:
    """Owns the C memory of one `ResourceAny`, not the resource it denotes. Freed with the Python object, by any thread."""

    __slots__ = ("address",)

    def __init__(self, address: int) -> None:
        self.address = address

    def __del__(self) -> None:
        ffi.any_delete(self.address)


class HandleOwner(Protocol):
    """What a handle asks of the instance it belongs to."""

    def drop_soon(self, context: Context | None) -> None:
        """Drop what is queued as soon as no call runs."""


class ResourceTable:
    """The resources of one store."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.live: set[int] = set()
        self.dropped: deque[AnyBox] = deque()
        self.ended = False
        self._next_rep = 1
        self._next_handle = 1

    def put(self, value: Any) -> int:
        """Keep a host object; the rep under which it is found."""
        rep = self._next_rep
        self._next_rep = rep % 0xFFFFFFFE + 1
        if rep in self.objects:  # only after four thousand million resources
            return self.put(value)
        self.objects[rep] = value
        return rep

    def handle(self, box: AnyBox, resource: ResourceName, owner: HandleOwner) -> GuestHandle:
        """A new handle of a resource that the guest has just given away."""
        handle = GuestHandle.__new__(GuestHandle)
        handle._box, handle._table, handle._owner, handle._resource = box, self, owner, resource
        handle._serial = self._next_handle
        self._next_handle += 1
        self.live.add(handle._serial)
        return handle

    def end(self) -> list[Any]:
        """Nothing can be used any more; the host objects that the guest still held."""
        self.ended = True
        held = list(self.objects.values())
        self.objects.clear()
        self.live.clear()
        self.dropped.clear()
        return held


class GuestHandle:
    """A resource that a guest defines, as the host holds it. Made by the engine only; good for its own instance only."""

    __slots__ = ("__weakref__", "_box", "_owner", "_resource", "_serial", "_table")
    _box: AnyBox
    _table: ResourceTable
    _owner: HandleOwner
    _resource: ResourceName
    _serial: int

    def __init__(self) -> None:
        raise TypeError("a handle is made by the engine only")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a handle can't be copied or pickled")

    @property
    def resource(self) -> ResourceName:
        return self._resource

    @property
    def alive(self) -> bool:
        """Whether it may still be used: not closed, not given away, its instance not ended."""
        return self._serial in self._table.live

    def close(self, context: Context | None = None) -> None:
        """Drop it: now, or at the end of the call its instance is in. Closing twice is harmless.

        What the guest's destructor calls of the host gets `context` (a running call's own, if it is dropped in one).
        """
        if self._let_go():
            self._table.dropped.append(self._box)
            self._owner.drop_soon(context)

    def _let_go(self) -> bool:
        try:
            self._table.live.remove(self._serial)
        except KeyError:
            return False
        return True

    def __del__(self) -> None:
        # On whichever thread collects it, so no wasm runs here: the next call, or the end of the store, drops it.
        if hasattr(self, "_serial") and self._let_go():
            self._table.dropped.append(self._box)

    def __repr__(self) -> str:
        state = "" if self.alive else ", closed"
        return f"<handle of {self._resource.interface} {self._resource.name}{state}>"


def usable(value: Any, resource: ResourceName, table: ResourceTable) -> GuestHandle:
    """The value as a live handle of this resource in this store.

    Raises:
        ShapeError: it is something else; the message says what.
    """
    if type(value) is not GuestHandle:
        raise ShapeError(f"expected a handle of {resource.name}, found {type(value).__name__}")
    if value._table is not table:
        raise ShapeError(f"expected a handle of {resource.name}, found one of another instance")
    if not value.alive:
        raise ShapeError(f"expected a handle of {resource.name}, found one that was closed or given away")
    if value._resource != resource:
        raise ShapeError(f"expected a handle of {resource.name}, found one of {value._resource.name}")
    return value


def lend_to_c(context: int, rep: int, type_id: int, *, owned: bool) -> AnyBox:
    """A `ResourceAny` for the host object with this rep. An owned one is entered in the store: use it or `any_drop` it."""
    host = ffi.host_new(owned, rep, type_id)
    found = c_void_p()
    try:
        error = ffi.host_to_any(context, host, byref(found))
    finally:
        ffi.host_delete(host)
    if error:
        raise _unexpected(error)
    return AnyBox(found.value or 0)


def rep_from_c(context: int, resource_any: int, type_id: int) -> int:
    """The rep of the host object that the guest passed. To be asked exactly once for each value: it ends a borrow.

    Raises:
        GuestTrap: it is no host resource of that type.
    """
    found = c_void_p()
    error = ffi.any_to_host(context, resource_any, byref(found))
    if error:
        raise _unexpected(error)
    try:
        if ffi.host_type(found) != type_id:
            raise GuestTrap("the guest passed a resource of another type")
        rep: int = ffi.host_rep(found)
        return rep
    finally:
        ffi.host_delete(found)


def _unexpected(error: int) -> GuestTrap:
    message = take_message(error)
    return GuestTrap(message.splitlines()[0] if message else "a resource could not be converted")
