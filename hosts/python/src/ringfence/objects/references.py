"""What the host holds of an instance of a library: references to its objects, which free them when nobody holds them any more."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from ringfence.objects.given import Given


_KEPT = 4096
"""Objects of classes derived from text, numbers or tuples that are kept of an instance, though nobody here holds them."""


class Performer(Protocol):
    """A connection: performs operations in its instance."""

    def perform(self, name: str, *operands: Any) -> Any:
        """What an operation gives."""


class Guest:
    """One instance of a library, as long as it lives: which of its objects are held here, and what it was given.

    `token` tells it from others of the same connection.
    """

    def __init__(self, token: int, connection: Performer, given: Given) -> None:
        self.token, self.connection, self.given = token, connection, given
        self.alive = True
        self.dropped: deque[tuple[int, int]] = deque()
        self.objects: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self.frozen: dict[int, Any] = {}
        self.classes: dict[int, type] = {}
        self.numbers: dict[type, int] = {}

    def keep(self, number: int, value: Any) -> None:
        """Have the same object stand for an object of the library's the next time.

        Tuples and numbers know no weak references, and a library may tell those of its own apart by identity (`token.ttype is Keyword`).
        The ones that came last are kept.
        """
        self.frozen[number] = value
        if len(self.frozen) > _KEPT:
            del self.frozen[next(iter(self.frozen))]

    def released(self) -> list[int]:
        """What has been let go since: number and count in turns."""
        found: list[int] = []
        while self.dropped:
            found += self.dropped.popleft()
        return found


class Reference:
    """An object of a library: the instance it lives in, its number, and how often it came."""

    __slots__ = ("count", "guest", "number")

    def __init__(self, guest: Guest, number: int) -> None:
        self.guest, self.number, self.count = guest, number, 1

    def __del__(self) -> None:
        self.guest.dropped.append((self.number, self.count))  # one step, safe wherever the collector strikes


class Held:
    """Base of what stands for an object of a library without being of a class of the library's."""

    __slots__ = ("__weakref__", "_ringfence_")
    _ringfence_: Reference

    def __reduce_ex__(self, _: object) -> Any:
        raise unpicklable(self)


def unpicklable(value: object) -> TypeError:
    """The error of who would pickle an object of a library."""
    from ringfence.objects.errors import NotCarried

    hint = "pickle what it is made of: text, numbers, lists"
    return NotCarried(f"a {type(value).__name__} lives in an instance of its library, and cannot be pickled", hint=hint)


_get = object.__getattribute__


def reference_of(value: object) -> Reference:
    """The reference behind what stands for an object of a library.

    Raises:
        TypeError: it stands for none.
    """
    try:
        found = _get(value, "_ringfence_")
    except AttributeError:
        found = None
    if type(found) is not Reference:
        raise TypeError(f"a {type(value).__name__} is no object of the library")
    return found


def perform(value: object, name: str, *operands: Any) -> Any:
    """What an operation on an object gives; the object is its first operand."""
    return reference_of(value).guest.connection.perform(name, value, *operands)


def bind(value: object, reference: Reference) -> None:
    """Have an object that was just made stand for one of a library."""
    object.__setattr__(value, "_ringfence_", reference)
