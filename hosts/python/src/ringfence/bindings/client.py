"""The client of an interface: an object of its Protocol whose functions call the graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, update_wrapper
from typing import TYPE_CHECKING, Any

from ringfence.bindings.classes import Classes, Declared, stale
from ringfence.contract.errors import CapabilityDenied, GuestError
from ringfence.contract.members import member, members, methods
from ringfence.contract.names import snake
from ringfence.resources import Resource

if TYPE_CHECKING:
    from ringfence.graph import Graph


def bind(graph: Graph, node: str, interface: str, protocol: Any) -> Any:
    """An object of this Protocol that calls an interface of a node (`""`: the functions of its world itself).

    Raises:
        UsageError: the graph exposes no such functions, or of other types: the file was generated from another graph.
    """
    return _Binding(graph).client(node, interface, protocol)


class _Binding:
    """What one client and its resources have in common."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._classes = Classes(self._proxy)
        self._methods: dict[tuple[str, type], list[tuple[str, str, Declared]]] = {}

    def client(self, node: str, interface: str, protocol: type) -> Any:
        targets = {one.function[1]: one for one in self._graph if (one.node.name, one.function[0]) == (node, interface)}
        exported = next(iter(targets.values())).node.exports[interface].functions if targets else ()
        names = {name: wit for wit, name in members(exported).items() if wit in targets}
        client = instance(protocol)
        for name in functions_of(protocol):
            if name not in names:
                raise stale(f"{node} exposes no {name}" + (f" of {interface}" if interface else ""))
            target = targets[names[name]]
            declared = self._classes.function(protocol, name, target.type, method=False)
            client.__dict__[name] = calling(getattr(protocol, name), declared, self._through(target.name))
        return client

    def _through(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: self._graph.call(name, *arguments)

    def _proxy(self, protocol: type, resource: Resource) -> Any:
        """A resource with the methods that its Protocol declares."""
        proxy = instance(protocol)
        proxy.__dict__ |= {"__resource__": resource, "close": resource.close}
        for name, attribute, declared in self._methods_of(protocol, resource):
            # asked for by hand: the resource may have an attribute of that name itself
            proxy.__dict__[name] = calling(getattr(protocol, name), declared, resource.__getattr__(attribute))
        return proxy

    def _methods_of(self, protocol: type, resource: Resource) -> list[tuple[str, str, Declared]]:
        """The name, the attribute of the plain resource, and the values of each method."""
        key = (resource.node.name, protocol)
        if key not in self._methods:
            functions = resource.node.exports[resource.kind.interface].functions
            names = {name: wit for wit, name in methods(functions, resource.kind.name).items()}
            if lacking := [name for name in functions_of(protocol) if name not in names]:
                raise stale(f"{resource.kind.name} has no {', '.join(lacking)}")
            found = [(name, names[name]) for name in functions_of(protocol)]
            self._methods[key] = [
                (name, snake(member(wit).name), self._classes.function(protocol, name, functions[wit], method=True)) for name, wit in found
            ]
        return self._methods[key]


def calling(function: Callable[..., Any], declared: Declared, run: Callable[..., Any]) -> Callable[..., Any]:
    """The declared function: `run` with the arguments; its result and its error in the classes that are declared."""

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            result = run(*declared.positional(arguments, named))
        except GuestError as error:
            raise _failure(declared, error) from None
        except CapabilityDenied as denied:
            if isinstance(denied.__cause__, GuestError):
                denied.__cause__ = _failure(declared, denied.__cause__)
            raise
        return result if declared.gives is None else declared.gives(result)

    update_wrapper(call, function)
    del call.__dict__["__wrapped__"]  # that takes `self`, which is bound here
    return call


def _failure(declared: Declared, error: GuestError) -> GuestError:
    if declared.fails is None:
        return error
    failure = declared.fails(error.value)
    failure.tell(error.function)
    return failure.with_traceback(error.__traceback__)


@lru_cache(maxsize=256)
def _concrete(protocol: type) -> type:
    return type(protocol.__name__, (protocol,), {"__module__": protocol.__module__, "__doc__": protocol.__doc__})


def instance(protocol: type) -> Any:
    """An object of a Protocol with nothing in it yet."""
    return object.__new__(_concrete(protocol))


def functions_of(protocol: type) -> list[str]:
    """The functions that a generated Protocol declares itself."""
    return [name for name, value in vars(protocol).items() if not name.startswith("_") and callable(value)]
