"""A double that was written against a generated Protocol, in a node's place: it gets the declared classes in place of plain WIT values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any

from ringfence.bindings.classes import Classes
from ringfence.bindings.client import functions_of
from ringfence.contract.members import member, members, methods
from ringfence.contract.types import InterfaceType, ResourceName, ResultOf
from ringfence.contract.values import WitError
from ringfence.resources import mapper


def substitute(served: Mapping[str, tuple[Any, object]]) -> Mapping[str, object]:
    """A double for a node: by interface, the Protocol and the object that serves it."""
    return {interface: Serving(protocol, double) for interface, (protocol, double) in served.items()}


class Serving:
    """An object and the Protocol that it was written against."""

    def __init__(self, protocol: type, double: object) -> None:
        self._protocol, self._double = protocol, double

    def typed(self, kind: InterfaceType) -> object:
        """The object as one whose functions take and return what a component's do.

        Raises:
            UsageError: the Protocol is not of these types.
        """
        return _Border(kind).dressed(self._protocol, self._double, members(kind.functions))


class _Border:
    """What one interface's objects have in common."""

    def __init__(self, kind: InterfaceType) -> None:
        self._kind = kind
        self._classes = Classes(lambda _, value: value.inner if isinstance(value, _Served) else value)

    def dressed(self, protocol: type, inner: object, names: Mapping[str, str]) -> object:
        """The double's object with the functions that its Protocol declares, by their WIT names, turning what goes in and out."""
        served: _Served = type(type(inner).__name__, (_Served,), {})()
        served.inner = inner
        declared = functions_of(protocol)
        for wit, name in names.items():
            function = getattr(inner, name, None)
            if name in declared and callable(function):
                served.__dict__[name] = self._turning(function, protocol, wit, name)
        return served

    def _turning(self, function: Callable[..., Any], protocol: type, wit: str, name: str) -> Callable[..., Any]:
        kind = self._kind.functions[wit]
        takes = self._classes.function(protocol, name, kind, method=member(wit).kind == "method").takes
        ok, err = (kind.result.ok, kind.result.err) if isinstance(kind.result, ResultOf) else (kind.result, None)
        gives, fails = mapper(ok), mapper(err)

        def turned(*arguments: Any) -> Any:
            try:
                answer = function(*[one if step is None else step(one) for step, one in zip(takes, arguments, strict=True)])
            except WitError as error:
                raise error if fails is None else WitError(fails(error.value, self._outward)) from error
            return answer if gives is None else gives(answer, self._outward)

        return update_wrapper(turned, function)

    def _outward(self, value: Any, resource: ResourceName) -> Any:
        """A resource on its way out."""
        return self.dressed(self._classes.resources[resource.name], value, methods(self._kind.functions, resource.name))


class _Served:
    """A double's object; whatever the Protocol does not declare is asked of the object itself."""

    inner: object

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)
