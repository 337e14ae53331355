"""What a Python object offers of a node's exports: found and checked when the graph is loaded, never called for that.

The object has the functions itself, or an attribute for each interface (`orders`), or it is a mapping from the interfaces' full names to
objects. `contract/members.py` says what the functions are called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import FunctionType as PythonFunction
from typing import Any

from ringfence.bindings.double import Serving
from ringfence.contract.errors import Problem
from ringfence.contract.members import OF_EVERY_RESOURCE, member, members, methods
from ringfence.contract.names import parse_interface, snake
from ringfence.contract.types import FunctionType, InterfaceType

_ABSENT = object()
_CODE = (PythonFunction, staticmethod, classmethod)
_LONGEST = 160


class Offer:
    """A double, seen as the interfaces that a node exports."""

    def __init__(self, double: object, exports: Mapping[str, InterfaceType]) -> None:
        self._double, self._exports = double, exports
        self._names = {interface: members(kind.functions) for interface, kind in exports.items()}
        self._homes = {interface: self._home(interface) for interface in exports}

    def _home(self, interface: str) -> object:
        """The object that has an interface's functions. An attribute that is made up when it is asked for (a Mock's) is none."""
        if isinstance(self._double, Mapping):
            found = self._double.get(interface, _ABSENT)
            return found.typed(self._exports[interface]) if isinstance(found, Serving) else found
        parsed = parse_interface(interface)
        name = snake(parsed.name if parsed else interface)
        unique = sum(snake(one.name) == name for one in map(parse_interface, self._exports) if one) == 1
        function = any(name in names.values() for names in self._names.values())
        found = inspect.getattr_static(self._double, name, _ABSENT) if unique and not function else _ABSENT
        return self._double if found is _ABSENT else getattr(self._double, name)

    def function(self, interface: str, name: str) -> Callable[..., Any]:
        """The function that stands for an exported one, which is no method."""
        found: Callable[..., Any] = getattr(self._homes[interface], self._names[interface][name])
        return found

    def method(self, held: object, interface: str, name: str) -> Callable[..., Any]:
        """The function that stands for a method of this object."""
        found: Callable[..., Any] = getattr(held, methods(self._exports[interface].functions, member(name).resource)[name])
        return found

    def problems(self, node: str, needed: Callable[[str, str], bool]) -> Iterator[Problem]:
        """Everything that is wrong with the double; `needed(interface, function)` tells what somebody may call."""
        place = f"substitutes.{node}"
        if inspect.isclass(self._double):
            name = self._double.__name__
            yield Problem(path=place, message=f"expected an object, found the class {name}", hint=f"write {name}()")
            return
        if isinstance(self._double, Mapping):
            for key in self._double:
                if key not in self._exports:
                    yield Problem(path=place, message=f"{node} exports no interface {_shown(repr(key))}", hint=_nearest(key, self._exports))
        for interface, kind in self._exports.items():
            asked = [name for name in self._names[interface] if needed(interface, name)]
            if asked and self._homes[interface] is _ABSENT:
                yield Problem(path=place, message=f"there is nothing for the interface {interface}", hint="add it to the mapping")
            elif asked:
                yield from self._lacking(place, interface, kind, asked)
        yield from self._clashes(place, needed)
        yield from self._extras(place)

    def _lacking(self, place: str, interface: str, kind: InterfaceType, asked: list[str]) -> Iterator[Problem]:
        home, names = self._homes[interface], self._names[interface]
        for name in asked:
            yield from _unfit(place, home, names[name], [one for one, _ in kind.functions[name].params])
            made = getattr(home, names[name], None)
            if member(name).kind == "constructor" and inspect.isclass(made):
                resource = member(name).resource
                yield from resource_problems(f"{place}.{names[name]}", made, kind.functions, resource)
                yield from _unknown(f"{place}.{names[name]}", made, {*methods(kind.functions, resource).values(), *OF_EVERY_RESOURCE})

    def _clashes(self, place: str, needed: Callable[[str, str], bool]) -> Iterator[Problem]:
        """One function cannot stand for two of different interfaces, unless a mapping says so."""
        if isinstance(self._double, Mapping):
            return
        seen: dict[tuple[int, str], str] = {}
        for interface, names in self._names.items():
            for name, spelled in names.items():
                first = seen.setdefault((id(self._homes[interface]), spelled), interface)
                if first != interface and needed(interface, name):
                    message = f"{spelled} is a function of {first} and of {interface}"
                    yield Problem(path=place, message=message, hint="give a mapping from the interfaces' names to objects")

    def _extras(self, place: str) -> Iterator[Problem]:
        homes = {id(home): home for home in self._homes.values() if home is not _ABSENT}
        for home in homes.values():
            wanted = {name for interface, names in self._names.items() if self._homes[interface] is home for name in names.values()}
            yield from _unknown(place, home, wanted)


def resource_problems(place: str, held: object, functions: Mapping[str, FunctionType], resource: str) -> Iterator[Problem]:
    """What an object, or the class of such objects, lacks of a resource's methods."""
    unbound = inspect.isclass(held)
    for wit, name in methods(functions, resource).items():
        params = [one for one, _ in functions[wit].params]
        yield from _unfit(place, held, name, params if unbound else params[1:])


def _unfit(place: str, home: object, name: str, params: list[str]) -> Iterator[Problem]:
    """Why an attribute can't stand for a function of these parameters."""
    path, found = f"{place}.{name}", getattr(home, name, _ABSENT)
    wanted = f"{name}({', '.join(snake(one) for one in params)})"
    if found is _ABSENT:
        yield Problem(path=path, message=f"missing; expected {wanted}")
    elif not callable(found):
        yield Problem(path=path, message=f"expected the function {wanted}, found {type(found).__name__}")
    elif inspect.iscoroutinefunction(found):
        hint = "nodes are plain functions; the graph calls them in threads of their own"
        yield Problem(path=path, message=f"expected the plain function {wanted}, found an async one", hint=hint)
    elif not _takes(found, len(params)):
        yield Problem(path=path, message=f"expected {wanted}, found {name}{_shown(str(inspect.signature(found)))}")


def _takes(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # written in C: nobody knows
        return True
    return True


def _functions(home: object) -> list[str]:
    """The public functions that are written in Python for this object or its class."""
    own = {**vars(home)} if hasattr(home, "__dict__") else {}
    return [
        name
        for name in dict.fromkeys([*dir(home if inspect.isclass(home) else type(home)), *own])
        if not name.startswith("_") and isinstance(inspect.getattr_static(home, name, None), _CODE)
    ]


def _unknown(place: str, home: object, wanted: set[str]) -> Iterator[Problem]:
    """Functions that stand for nothing: a typing error, or one that the interface lost. Objects that make up their attributes have none."""
    if hasattr(home if inspect.isclass(home) else type(home), "__getattr__"):
        return
    for name in _functions(home):
        if name not in wanted:
            close = get_close_matches(name, wanted, n=1)
            hint = f"did you mean {close[0]}?" if close else "begin the name of a function that is only the double's own with _"
            yield Problem(path=f"{place}.{name}", message="stands for no function of the node", hint=hint)


def _nearest(name: object, known: Iterable[str]) -> str | None:
    close = get_close_matches(str(name), list(known), n=1)
    return f"did you mean {close[0]}?" if close else None


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
