"""One store of wasmtime with one merged module in it: its memories, handles and flags, the call that runs in it, and how it ends."""

from __future__ import annotations

import ctypes
import itertools
import weakref
from ctypes import addressof, byref, c_void_p
from sys import getrefcount
from typing import Any, Protocol

from ringfence.contract.errors import GuestTrap, LimitExceeded
from ringfence.contract.limits import Limits, show_size
from ringfence.engine import library
from ringfence.engine.callbacks import CFunction, current
from ringfence.engine.core import ffi
from ringfence.engine.core.faults import discard, fault, part_of
from ringfence.engine.core.handles import HandleOwner, Handles, HostHandles, Scope
from ringfence.engine.core.machine import Engine
from ringfence.engine.core.memory import Border, Memory
from ringfence.engine.core.plan import Options, Plan
from ringfence.engine.footprint import Footprint
from ringfence.engine.room import leave_room
from ringfence.engine.store import BaseStore


class Flag(Protocol):
    """A component instance's `may_leave` (*Component Instance State*)."""

    def get(self) -> bool: ...
    def set(self, value: bool) -> None: ...  # noqa: FBT001


class _OwnFlag:
    """One that only the host looks at."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = True

    def get(self) -> bool:
        return self.value

    def set(self, value: bool) -> None:  # noqa: FBT001
        self.value = value


class _SharedFlag:
    """One that adapters in the module look at, too: a global of it."""

    __slots__ = ("_context", "_item", "_value")

    def __init__(self, context: int, item: int) -> None:
        self._context, self._item = context, item
        self._value: Any = ffi.GlobalValue()
        ffi.global_get(context, item, byref(self._value))  # it knows its type from here on

    def get(self) -> bool:
        ffi.global_get(self._context, self._item, byref(self._value))
        return bool(self._value.i32)

    def set(self, value: bool) -> None:  # noqa: FBT001
        self._value.i32 = int(value)
        if error := ffi.global_set(self._context, self._item, byref(self._value)):
            library.error_delete(error)
            raise GuestTrap("a flag of the module can't be set")


class Store(BaseStore):
    """A store and what runs in it. Its C memory is freed by `free`, or with the object."""

    def __init__(self, engine: Engine, limits: Limits, made: Footprint, plan: Plan, keep: object) -> None:
        """See `BaseStore`."""
        super().__init__(engine, limits, made, keep, on_tick)
        self.plan = plan
        self.owner: weakref.ref[HandleOwner] | None = None
        self.host = HostHandles()
        count = itertools.count(1).__next__
        self.handles = [Handles(plan.resources, count) for _ in plan.flags]
        self.scope = Scope()
        self.scopes: list[Scope] = []
        self.orphans: list[Any] = []  # objects on their way across, whom nobody else would close if they do not arrive
        self.flags: list[Flag] = []
        self._items: dict[str, Any] = {}
        self._memories: dict[str, Memory] = {}
        self._borders: dict[Options, Border] = {}
        self.seen: list[object] = []  # what views that host functions kept were made of, while they do
        self.instance = ffi.RawInstance()

    def begin(self, pre: int) -> None:
        """Make the module's instance; nothing of the guest runs."""
        trap = c_void_p()
        error = ffi.pre_instantiate(pre, self.context, byref(self.instance), byref(trap))
        self.settle(error, trap.value)
        self.flags += [_OwnFlag() if name is None else _SharedFlag(self.context, self._item(name, ffi.GLOBAL)) for name in self.plan.flags]

    # Items of the instance

    def _item(self, name: str, kind: int) -> int:
        """The address of a handle of this export."""
        item: Any = self._items.get(name)
        if item is None:
            data = name.encode()
            item = ffi.Item()
            if not ffi.export_get(self.context, byref(self.instance), data, len(data), byref(item)) or item.kind != kind:
                raise GuestTrap(f"the module has no export {name!r} of the kind that its plan says")
            self._items[name] = item
        return addressof(item) + ffi.ITEM

    def function(self, name: str) -> int:
        """The address of this exported function's handle."""
        return self._item(name, ffi.FUNCTION)

    def memory(self, name: str) -> Memory:
        """This exported memory."""
        found = self._memories.get(name)
        if found is None:
            found = self._memories[name] = Memory(self.context, self._item(name, ffi.MEMORY))
        return found

    def border(self, options: Options) -> Border:
        """The border for these options."""
        found = self._borders.get(options)
        if found is None:
            found = self._borders[options] = Border(self, options)
        return found

    # Resources

    def received(self, resource: int, rep: Any) -> Any:
        """What the host gets for an owned resource that the guest gave away."""
        found = self.plan.resources[resource]
        if found.instance is None:
            self.orphans.append(rep)
            return rep
        owner = self.owner() if self.owner is not None else None
        assert owner is not None  # noqa: S101 (wasm runs only inside its methods)
        return self.host.handle(found.name, resource, rep, owner)

    def given(self, resource: int, value: Any) -> Any:
        """The representation of what the host gives away."""
        if self.plan.resources[resource].instance is None:
            return value
        if not value._let_go():
            raise GuestTrap("a handle was closed while it was given away")
        return value._what[1]

    def drop_rep(self, resource: int, rep: Any) -> None:
        """The end of an owned resource: the host's object is closed, the guest's destructor runs (`canon resource.drop`)."""
        found = self.plan.resources[resource]
        if found.instance is None:
            rep.close()
        elif found.dtor is not None:
            block = (ctypes.c_uint64 * 2)(rep, 0)
            self.enter(self.function(found.dtor), addressof(block), 1)

    # Calls

    def enter(self, function: int, block: int, count: int) -> None:
        """Call a core function that is no lifted one: a destructor (perhaps of what another drops, and so on), or the start code.

        Raises:
            LimitExceeded: the interpreter has no room for one more inside the others.
        """
        try:
            leave_room()
        except RecursionError as full:
            raise LimitExceeded("", "stack", show_size(self.limits.stack), "its destructors are nested too deeply") from full
        trap = c_void_p()
        error = ffi.caller(self.context, function, block, count, trap)()
        if error or trap.value or self.reason is not None or self.pending is not None:
            self.settle(error, trap.value)

    def keep(self, error: BaseException) -> int:
        """Keep an exception until wasm has unwound; the C trap that makes it unwind."""
        if self.pending is None:
            self.pending = error
        return stop()

    def settle(self, error: int | None, trap: int | None) -> None:
        """Raise what ended the guest's call: a kept exception, a reason to end it that came too late to be met inside, or a trap."""
        why, self.pending = self.reason if self.pending is None else self.pending, None
        if not error and not trap and why is None:
            return
        self.trapped = True
        if why is None:
            raise fault(error, trap, self.limits, self.plan.code)
        if trap and isinstance(why, GuestTrap) and not why.node and why.part is None:
            why.part = part_of(trap, self.plan.code)
        discard(error, trap)
        try:
            raise why
        finally:
            del why  # no cycle through this frame

    # The end

    def end(self) -> list[Any]:
        """Nothing runs here any more; the host objects that the guest still held."""
        held = [value for handles in self.handles for value in handles.end()]
        entered = set(map(id, held))  # some of the orphans may have become the guest's before the others' way there failed
        held += [value for value in self.orphans if id(value) not in entered]
        self.orphans = []
        self.host.live.clear()
        self.host.dropped.clear()
        self.free()
        return held

    def free(self) -> None:
        """Give back the C memory; twice is harmless. No wasm runs here, and no view of ours is left."""
        if not self.freed:
            self.freed = True
            self._borders.clear()
            for memory in self._memories.values():
                memory.release()
            self._memories.clear()
            _unseen.append(self)
            _delete_unseen()

    def delete(self) -> bool:
        """Give back the C memory, unless somebody still has a view of it."""
        if any(getrefcount(shared) > _LISTED for shared in self.seen):
            return False
        library.store_delete(self._pointer)
        return True

    def __del__(self) -> None:
        if hasattr(self, "_pointer"):  # it was made
            self.free()


_LISTED = 3
"""References to what views share, where there are a list, a loop's variable and the question, and no view."""
_unseen: list[Store] = []
"""Stores that have ended, whose C memory goes when no view of it is left. Only a Fill that keeps a part of its view, be it in the traceback
of an exception, leaves one: it is told of that, and reading there is not the end of the process."""


def _delete_unseen() -> None:
    still = []
    while _unseen:
        store = _unseen.pop()
        if not store.delete():
            still.append(store)
    _unseen.extend(still)


def stop() -> int:
    """A C trap that ends the guest's call; what it stands for is kept in Python."""
    trap: int = ffi.trap_new(b"stopped by the host", 19)
    return trap


def _on_tick(_context: int, _data: int, delta: Any, _kind: Any) -> int:
    """A tick has passed while wasm runs: on for another, or stop."""
    store: Store = current.store
    try:
        delta[0] = 1
        store.check()
    except BaseException as error:  # noqa: BLE001 (re-raised outside)
        store.pending = error
        return library.stopped_by_host()
    return 0


on_tick = CFunction(library.EPOCH_CALLBACK, _on_tick, library.stopped_by_host)
