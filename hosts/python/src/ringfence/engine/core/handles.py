"""Resources: the handles of component instances, what is lent and to whom, and the handles that the host holds.

Source: the Canonical ABI explainer, sections *Table State*, *Resource State*, *Call Context* (borrow scopes), `canon resource.new`, `.rep`
and `.drop`. A component instance has one table of handles for all its resource types. A handle of an imported resource has the host's own
object as its representation: a guest sees only the index.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from ringfence.contract.errors import GuestTrap
from ringfence.contract.fit import Path, wrong
from ringfence.contract.mismatch import describe
from ringfence.contract.types import ResourceName
from ringfence.engine.core.plan import Resource
from ringfence.engine.seam import Context

MAX_HANDLES = 1 << 20
"""Handles of all component instances of a store at most; the explainer allows each 2^28-1, which would be as many Python objects."""


class Scope:
    """A call that borrows: how many handles were lent into it, and what it was lent from (*Call Context*, `num_borrows`, `lenders`)."""

    __slots__ = ("borrows", "lenders")

    def __init__(self) -> None:
        self.borrows = 0
        self.lenders: list[Entry | GuestHandle] = []

    def lend(self, lender: Entry | GuestHandle) -> None:
        """Lend this until the scope ends."""
        lender.lends += 1
        self.lenders.append(lender)

    def end(self) -> None:
        """The call has ended.

        Raises:
            GuestTrap: something that it borrowed is still there.
        """
        if self.borrows:
            raise GuestTrap("borrow handles still remain at the end of the call")
        for lender in self.lenders:
            lender.lends -= 1
        self.lenders.clear()


class Entry:
    """One handle in a table (`ResourceHandle`); `scope` is that of the call which borrows, None for an owned one."""

    __slots__ = ("lends", "rep", "resource", "scope")

    def __init__(self, resource: int, rep: Any, scope: Scope | None) -> None:
        self.resource, self.rep, self.scope = resource, rep, scope
        self.lends = 0


class Handles:
    """The handles of one component instance (*Table State*); index 0 is never used."""

    __slots__ = ("_count", "_entries", "_free", "_resources")

    def __init__(self, resources: tuple[Resource, ...], count: Callable[[], int]) -> None:
        """`count` gives the next number, counting up for all instances of a store."""
        self._count = count
        self._entries: list[Entry | None] = [None]
        self._free: list[int] = []
        self._resources = resources

    def add(self, resource: int, rep: Any, scope: Scope | None = None) -> int:
        """Enter a handle; its index."""
        entry = Entry(resource, rep, scope)
        if scope is not None:
            scope.borrows += 1
        if self._free:
            index = self._free.pop()
            self._entries[index] = entry
        else:
            index = len(self._entries)
            if self._count() > MAX_HANDLES:
                raise GuestTrap(f"the guest holds more than {MAX_HANDLES} handles")
            self._entries.append(entry)
        return index

    def get(self, index: int, resource: int) -> Entry:
        """The handle with this index.

        Raises:
            GuestTrap: there is none, or it is one of another resource.
        """
        entry = self._entries[index] if index < len(self._entries) else None
        if entry is None:
            raise GuestTrap(f"unknown handle index {index}")
        if entry.resource != resource:
            kinds = ["guest-defined" if self._resources[one].instance is not None else "host" for one in (resource, entry.resource)]
            raise GuestTrap(
                f"handle index {index} used with the wrong type, expected {kinds[0]} resource but found a different {kinds[1]} resource"
            )
        return entry

    def remove(self, index: int, resource: int) -> Entry:
        """Take this handle out, to drop it or (an owned one) to give it away.

        Raises:
            GuestTrap: there is none, or it is lent.
        """
        entry = self.get(index, resource)
        if entry.lends:
            raise GuestTrap("cannot remove owned resource while borrowed")
        self._entries[index] = None
        self._free.append(index)
        if entry.scope is not None:
            entry.scope.borrows -= 1
        return entry

    def take(self, index: int, resource: int) -> Any:
        """Take an owned handle out and give away what it stands for (`lift_own`)."""
        if self.get(index, resource).scope is not None:
            raise GuestTrap("cannot lift own resource from a borrow")
        return self.remove(index, resource).rep

    def end(self) -> list[Any]:
        """No handle can be used any more; the host's objects that were owned here."""
        held = [entry.rep for entry in self._entries if entry and entry.scope is None and self._resources[entry.resource].instance is None]
        self._entries, self._free = [None], []
        return held


class HandleOwner(Protocol):
    """What a handle asks of the instance it belongs to."""

    def drop_soon(self, context: Context | None) -> None:
        """Drop what is queued as soon as no call runs."""


class HostHandles:
    """The handles of one store that the host holds."""

    __slots__ = ("__weakref__", "dropped", "live", "next")

    def __init__(self) -> None:
        self.live: set[int] = set()
        self.dropped: deque[tuple[int, int]] = deque()
        self.next = 1

    def handle(self, name: ResourceName, resource: int, rep: int, owner: HandleOwner) -> GuestHandle:
        """A new handle of a resource that the guest has just given away."""
        handle = GuestHandle.__new__(GuestHandle)
        handle._name, handle._what, handle._table, handle._owner = name, (resource, rep), self, owner
        handle._serial = self.next
        handle.lends = 0
        self.next += 1
        self.live.add(handle._serial)
        return handle


class GuestHandle:
    """A resource that a guest defines, as the host holds it. Made by the engine only; good for its own instance only."""

    __slots__ = ("__weakref__", "_name", "_owner", "_serial", "_table", "_what", "lends")
    _name: ResourceName
    _what: tuple[int, int]
    _table: HostHandles
    _owner: HandleOwner
    _serial: int
    lends: int

    def __init__(self) -> None:
        raise TypeError("a handle is made by the engine only")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a handle can't be copied or pickled")

    @property
    def resource(self) -> ResourceName:
        return self._name

    @property
    def alive(self) -> bool:
        """Whether it may still be used: not closed, not given away, its instance not ended."""
        return self._serial in self._table.live

    def close(self, context: Context | None = None) -> None:
        """Drop it: now, or at the end of the call its instance is in. Closing twice is harmless.

        What the guest's destructor calls of the host gets `context` (a running call's own, if it is dropped in one).
        """
        if self._let_go():
            self._table.dropped.append(self._what)
            self._owner.drop_soon(context)

    def _let_go(self) -> bool:
        try:
            self._table.live.remove(self._serial)
        except KeyError:
            return False
        return True

    def __del__(self) -> None:
        # On whichever thread collects it, so no wasm runs here: the next call drops it, or the end of the store.
        if hasattr(self, "_serial") and self._let_go():
            self._table.dropped.append(self._what)

    def __repr__(self) -> str:
        state = "" if self.alive else ", closed"
        return f"<handle of {self._name.interface} {self._name.name}{state}>"


class Giving:
    """The resources among the values of one crossing: each is of the right kind, and none is given away and used again."""

    __slots__ = ("_table", "_used", "moving")

    def __init__(self, table: HostHandles) -> None:
        self._table = table
        self.moving: list[Any] = []  # the host's objects that are given away
        self._used: dict[int, tuple[Any, bool]] = {}

    def give(self, value: Any, resource: ResourceName, path: Path) -> Any:
        """The value, which is to move."""
        return self._use(value, resource, path, moves=True)

    def lend(self, value: Any, resource: ResourceName, path: Path) -> Any:
        """The value, which is to be lent."""
        return self._use(value, resource, path, moves=False)

    def _use(self, value: Any, resource: ResourceName, path: Path, *, moves: bool) -> Any:
        if resource.guest:
            fault = self._unusable(value, resource, moves=moves)
            if fault:
                wrong(f"expected a handle of {resource.name}, found {fault}", path)
        elif not callable(getattr(value, "close", None)):
            wrong(f"expected a host resource for {resource.name}, an object with close(), found {describe(value)}", path)
        _, moved = self._used.get(id(value), (None, False))
        if moved or (moves and id(value) in self._used):
            wrong("the same resource is given away and used again in one call", path)
        if moves and not resource.guest:
            self.moving.append(value)
        self._used[id(value)] = value, moves  # keeps it: its id must not become another's meanwhile
        return value

    def _unusable(self, value: Any, resource: ResourceName, *, moves: bool) -> str:
        if type(value) is not GuestHandle:
            return type(value).__name__
        if value._table is not self._table:
            return "one of another instance"
        if not value.alive:
            return "one that was closed or given away"
        if (value._name.interface, value._name.name) != (resource.interface, resource.name):
            return f"one of {value._name.name}"
        return "one that is lent to a running call" if moves and value.lends else ""
