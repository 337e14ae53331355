"""What the functions of a WIT interface are called where a Python object has them: generated bindings and test doubles.

| WIT | Python |
|---|---|
| `get-order: func(…)` | `get_order(…)` |
| `constructor` of `cursor` | `cursor(…)` |
| `open: static func(…)` of `cursor` | `cursor_open(…)` |
| `next: func()` of `cursor` | `next()` of what `cursor(…)` returned |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ringfence.contract.names import snake

FunctionKind: TypeAlias = Literal["function", "constructor", "static", "method"]

OF_EVERY_RESOURCE = frozenset({"close"})
"""What every resource has in Python; a WIT method of that name gets an underscore behind it."""


@dataclass(frozen=True, slots=True)
class Member:
    """A function's name taken apart: `[method]cursor.next` is the method `next` of the resource `cursor`."""

    kind: FunctionKind
    resource: str
    name: str


def member(function: str) -> Member:
    """The parts of a function's name as a binary spells it."""
    tag, _, rest = function.rpartition("]")
    if tag == "[constructor":
        return Member("constructor", rest, "")
    if tag in ("[static", "[method"):
        resource, _, name = rest.partition(".")
        return Member("static" if tag == "[static" else "method", resource, name)
    return Member("function", "", function)


def members(functions: Iterable[str]) -> dict[str, str]:
    """The Python names of an interface's functions, methods left out, by their WIT names."""
    return dict(_distinct((name, _spelled(member(name))) for name in sorted(functions) if member(name).kind != "method"))


def methods(functions: Iterable[str], resource: str) -> dict[str, str]:
    """The Python names of a resource's methods, by their WIT names."""
    own = ((name, member(name)) for name in sorted(functions))
    found = ((name, snake(one.name)) for name, one in own if one.kind == "method" and one.resource == resource)
    return dict(_distinct(found, OF_EVERY_RESOURCE))


def _spelled(one: Member) -> str:
    return snake("-".join(part for part in (one.resource, one.name) if part))


def _distinct(names: Iterable[tuple[str, str]], taken: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Each with a Python name of its own; of `cursor-open` and the static `open` of `cursor` the function gets an underscore behind it."""
    used = set(taken)
    for wit, name in names:
        while name in used:
            name += "_"
        used.add(name)
        yield wit, name
