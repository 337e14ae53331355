"""The base classes and the decorator of generated declarations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Protocol, Self, TypeVar

from ringfence.contract.errors import GuestError
from ringfence.contract.values import Case

F = TypeVar("F", bound=Callable[..., Any])


class Failure(GuestError):
    """The err case of a function's result, as an exception; `value` is what the guest gave with it.

    Generated files derive a class for each type of error, and one for each case where that type is a variant. A test double raises them
    to answer with that error. They are compared by class and value.
    """

    value: Any = None

    def __init__(self) -> None:
        self.__post_init__()

    def __post_init__(self) -> None:  # dataclasses below have an __init__ of their own
        self.tell(type(self).__name__)

    def tell(self, function: str) -> None:
        """Say in the message which function failed."""
        value, case = self.value, getattr(type(self), "__case__", None)
        GuestError.__init__(self, function, value if case is None else Case(case, value))
        self.value = value
        self.args = tuple(getattr(self, one.name) for one in fields(self)) if is_dataclass(self) else ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Failure) and self.value == other.value

    def __hash__(self) -> int:
        return hash(type(self))


class Resource(Protocol):
    """What every resource has beside its methods: it is closed once, at the latest at the end of its `with` block.

    A test double that inherits a generated resource class gets these as they are here.
    """

    def close(self) -> None:
        """Drop it. Twice is harmless; to use it afterwards is a ShapeError."""
        return None  # noqa: RET501 (an empty body would be an abstract one)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def raises(error: type[Failure]) -> Callable[[F], F]:
    """Declares which error a function's err case is: the class itself, or the base of the classes of a variant's cases."""

    def noted(function: F) -> F:
        function.__dict__["__raises__"] = error
        return function

    return noted
