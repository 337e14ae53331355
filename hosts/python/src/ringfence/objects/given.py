"""What the application gave an instance of a library: by number, with what the library may do with it, and for as long as it needs it.

A value is given as a callable (which may be called), as a file (by its mode), through an adapter that lists attributes and methods, or
as it stands (it may be kept and given back). An instance can name what it was given, and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, TypeAlias

Way: TypeAlias = Literal["call", "class", "file", "object", "exception", "kind"]
"""A `kind` is the class of an object that was given, or a base of a class: it is told apart from others, and never called."""

MOST = 100_000
"""Values that an instance may hold at once."""


class Gift:
    """One value: the way it was given, what of it, and how often it was written."""

    __slots__ = ("attributes", "count", "methods", "number", "value", "way", "writable")

    def __init__(
        self, value: Any, number: int, way: Way, attributes: Collection[str], methods: Collection[str], writable: Collection[str]
    ) -> None:
        self.value, self.number, self.way, self.count = value, number, way, 0
        self.attributes, self.methods, self.writable = attributes, methods, writable


class Given:
    """Everything that one instance was given and may still hold."""

    def __init__(self) -> None:
        self._by_number: dict[int, Gift] = {}
        self._by_id: dict[int, Gift] = {}
        self._next = 1

    def __len__(self) -> int:
        return len(self._by_number)

    def add(
        self, value: Any, way: Way, attributes: Collection[str] = (), methods: Collection[str] = (), writable: Collection[str] = ()
    ) -> Gift:
        """The gift for a value: the one there is, or a new one. It is counted.

        Raises:
            TypeError: the library holds too many.
        """
        gift = self._by_id.get(id(value))
        if gift is None:
            if len(self._by_number) >= MOST:
                raise TypeError(f"the library holds {MOST} of the application's values already")
            gift = Gift(value, self._next, way, attributes, methods, writable)
            self._next += 1
            self._by_number[gift.number] = self._by_id[id(value)] = gift
        elif gift.way == "kind":
            gift.way = way  # now it is given itself
        gift.count += 1
        return gift

    def of(self, value: Any) -> Gift | None:
        """The gift that a value is."""
        gift = self._by_id.get(id(value))
        return gift if gift is not None and gift.value is value else None

    def value(self, number: Any) -> Any:
        """What a number names.

        Raises:
            LookupError: nothing.
        """
        return self._by_number[number].value

    def release(self, numbers: Any) -> None:
        """The library let go of these, each once; unknown ones are ignored."""
        for number in numbers:
            gift = self._by_number.get(number)
            if gift is not None:
                gift.count -= 1
                if gift.count <= 0:
                    del self._by_number[number], self._by_id[id(gift.value)]
