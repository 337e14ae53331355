"""WIT values in Python.

| WIT | Python, coming out | accepted going in |
|---|---|---|
| bool, integers, floats, char, string | bool, int, float, str | the same, in range; a bool is no integer; no lone surrogates |
| list<u8> | bytes | bytes, bytearray, memoryview; on a host function's way back also `Fill` |
| list<T>, tuple | list, tuple | any list or tuple |
| record | `Record`: frozen, fields in snake_case | a Record, mapping (WIT or snake names) or any object with the attributes |
| variant | `Case(name, value)` | `Case`; a bare str for a case without payload; an object whose class says its `__case__` |
| enum, flags | a `Label` member, a frozenset of them | members or their WIT labels |
| option | the value or None (`Some(value)` where the payload may itself be None) | the same |
| result inside a value | `Ok(value)`, `Err(value)` | the same |
| result of a function | the ok value, or an exception | the ok value, or raise `WitError(value)` |
| own, borrow | a handle (guest's) or the host's own object | the same |
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from ringfence.contract.names import snake

T = TypeVar("T")
_NOTHING: Any = None


class Record:
    """A WIT record: frozen, compared by fields, unpackable, printable. Each set of fields has one generated subclass."""

    __slots__ = ()
    __fields__: tuple[str, ...] = ()
    __wit__: tuple[str, ...] = ()

    def __init__(self, *values: object) -> None:
        if len(values) != len(self.__fields__):
            raise TypeError(f"expected {len(self.__fields__)} fields {self.__fields__}, found {len(values)}")
        for name, value in zip(self.__fields__, values, strict=True):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a WIT record is frozen: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a WIT record is frozen: cannot delete {name}")

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__fields__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return self.__fields__ == other.__fields__ and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((self.__fields__, self._values()))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no field {name!r}; fields are {', '.join(self.__fields__)}")

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__fields__)
        return f"record({inner})"


@lru_cache(maxsize=4096)
def record_class(wit_names: tuple[str, ...]) -> type[Record]:
    """The Record subclass for these WIT field names, in order."""
    fields = tuple(snake(name) for name in wit_names)
    body = {"__slots__": fields, "__fields__": fields, "__wit__": wit_names, "__match_args__": fields}
    return type("record", (Record,), body)


class Label(enum.StrEnum):
    """A label of a WIT enum or of flags: its value is the WIT name, so it compares equal to that text."""


@lru_cache(maxsize=4096)
def label_class(labels: tuple[str, ...]) -> type[Label]:
    """The Label enum for these WIT labels; members are named in UPPER_SNAKE."""
    members: Any = [(snake(label).upper(), label) for label in labels]
    return Label("Label", members)  # type: ignore[return-value, call-arg]  # the functional API of an enum base


@dataclass(frozen=True, slots=True)
class Case:
    """A variant's case by its WIT name, with its payload or None."""

    name: str
    value: Any = None


def case_of(value: Any) -> tuple[Any, Any] | None:
    """The name and payload of the case that a value stands for; None where it stands for none.

    Objects of the application's own classes stand for the case that their class names as `__case__`, with the payload in `value`.
    """
    if isinstance(value, Case):
        return value.name, value.value
    if isinstance(value, str):
        return value, None
    name = getattr(type(value), "__case__", None)
    return None if name is None else (name, getattr(value, "value", None))


@dataclass(frozen=True, slots=True)
class Some(Generic[T]):
    """The present case of an option whose payload may itself be None."""

    value: T


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """The ok case of a result that lies inside a value."""

    value: T = _NOTHING


@dataclass(frozen=True, slots=True)
class Err(Generic[T]):
    """The err case of a result that lies inside a value."""

    value: T = _NOTHING


class WitError(Exception):
    """Raised by a host function to return the err case of its result; also how an engine reports a guest's."""

    def __init__(self, value: Any = None) -> None:
        super().__init__(value)
        self.value = value


class Fill:
    """A `list<u8>` result made in place: `fill(view) -> int` runs once on guest memory of at most `length` bytes, then the view dies.

    It returns how many bytes it wrote; it may raise WitError. Where it writes nothing or raises, the guest keeps `length` bytes that it
    never frees: so make one where there is something. One is made for each read, and a frozen dataclass takes three times as long.
    """

    __slots__ = ("fill", "length")

    def __init__(self, length: int, fill: Callable[[memoryview], int]) -> None:
        self.length, self.fill = length, fill


class Handle(Protocol):
    """A resource a guest owns, as the host holds it. Unforgeable: made by the engine only, good for its own instance only."""

    @property
    def alive(self) -> bool:
        """Whether it may still be used: not closed, not given away, its instance not ended."""

    def close(self, context: Any = None) -> None:
        """Drop it; the guest's destructor runs, under `context`, when its instance is in no call. Closing twice is harmless."""


class HostResource(Protocol):
    """A host object behind a resource handle of a guest; `close` runs when the guest drops what it owns, or with its store."""

    def close(self) -> None: ...
