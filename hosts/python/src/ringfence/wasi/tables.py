"""Tables of host functions: WIT name to a plain Python function `f(call, *arguments)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeAlias

from ringfence.call import Call
from ringfence.contract.names import snake

HostFunction: TypeAlias = Callable[..., Any]
Table: TypeAlias = dict[str, HostFunction]


def methods(resource: str, kind: type, names: Iterable[str]) -> Table:
    """The methods of a resource, by their WIT names: `[method]input-stream.read` is `kind.read(this, call, …)`."""
    return {f"[method]{resource}.{name}": _method(kind, snake(name)) for name in names}


def _method(kind: type, attribute: str) -> HostFunction:
    @wraps(getattr(kind, attribute))  # a name without a method is found when the table is made
    def call_method(call: Call, this: Any, *arguments: Any) -> Any:
        expect(this, kind)
        return getattr(this, attribute)(call, *arguments)

    return call_method


def expect(value: object, kind: type) -> None:
    """The engine has checked every handle; a mistake there must not become a guest's."""
    if not isinstance(value, kind):
        raise TypeError(f"expected a {kind.__name__}, found {type(value).__name__}")
