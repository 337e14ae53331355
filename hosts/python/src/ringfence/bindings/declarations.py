"""The base of generated resources, and the decorator of generated functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar

from ringfence.contract.errors import Failure

F = TypeVar("F", bound=Callable[..., Any])


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
