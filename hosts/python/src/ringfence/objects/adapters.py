"""What of the application's own objects a library may use: nothing, unless the application has registered it.

    ringfence.objects.register(User, attributes=["name", "email"], methods=["greet"])

The rule is kept per class, and holds for its subclasses. Names with a leading underscore are never given, but for the special methods that
are listed here.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Collection
from typing import Any, NamedTuple

SPECIAL = frozenset(
    f"__{name}__"
    for name in (
        *("call", "iter", "next", "len", "getitem", "setitem", "contains", "eq", "hash", "str", "bool", "int", "float"),
        *("lt", "le", "gt", "ge", "enter", "exit", "html"),
    )
)


class Adapter(NamedTuple):
    """What a library may read, call and set of an object."""

    attributes: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    writable: frozenset[str] = frozenset()


OPAQUE = Adapter()
"""It may be kept and given back."""
_registered: dict[type, Adapter] = {
    enum.Enum: Adapter(frozenset({"name", "value"}), frozenset({"__str__"})),
    json.JSONDecoder: Adapter(methods=frozenset({"decode", "raw_decode"})),
    json.JSONEncoder: Adapter(methods=frozenset({"default", "encode", "iterencode"})),
}
_DECISIVE = frozenset({"__bool__", "__enter__", "__exit__", "__html__", "__iter__", "__len__", "__str__"})
"""Special methods without which an object would still be taken, as something else than it is."""


def register(cls: type, *, attributes: Collection[str] = (), methods: Collection[str] = (), writable: Collection[str] = ()) -> None:
    """Let libraries use these of the objects of a class, wherever one is given to them; once more: instead of before.

    What an attribute's value is, or a method returns, crosses by the same rules.

    Raises:
        TypeError: it is no class.
        ValueError: a name is none, or begins with an underscore and is no special method.
    """
    if not isinstance(cls, type):
        raise TypeError(f"expected a class, found {cls!r}")
    for name in (*attributes, *methods, *writable):
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"{name!r} is no name")
        if name.startswith("_") and not (name in SPECIAL and name in methods):
            hint = f"special methods that can are {', '.join(sorted(SPECIAL))}"
            raise ValueError(f"{name!r} cannot be given: names with a leading underscore are the object's own; {hint}")
    _registered[cls] = Adapter(frozenset(attributes) | frozenset(writable), frozenset(methods), frozenset(writable))


def adapter_of(value: Any) -> Adapter | None:
    """The adapter of an object's class; None where none is registered."""
    return next((found for cls in type(value).__mro__ if (found := _registered.get(cls)) is not None), None)


def withheld(cls: type) -> frozenset[str]:
    """The special methods of a class that a library must know of even where it is not given them."""
    own = {name for one in cls.__mro__ if one.__module__ != "builtins" for name in vars(one)}
    return _DECISIVE & ((own | {"__str__"}) if "__repr__" in own else own)  # which `str` takes where there is nothing else
