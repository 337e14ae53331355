"""Classes that the application derives from a library's: defined a second time in the library, with the application's functions as methods.

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node, deep=False): ...

The library calls such a method as it calls any of its own; the application's function then runs here, with an object of this class. What
cannot be carried that way is refused when the class is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any

from ringfence.objects.classes import Attribute, ClassInfo, RemoteMeta, info_of
from ringfence.objects.errors import SubclassRefused

_REFUSED: Mapping[str, str] = {
    "__new__": "objects of it are made in the library",
    "__getattribute__": "each look at an object would have to leave the library",
    "__setattr__": "objects of it live in the library, which sets their attributes itself",
    "__delattr__": "objects of it live in the library, which deletes their attributes itself",
    "__del__": "objects of it are freed in the library",
    "__reduce__": "objects of it cannot be pickled here",
    "__reduce_ex__": "objects of it cannot be pickled here",
    "__prepare__": "its body was run here",
    "__instancecheck__": "the library decides by its own classes",
    "__subclasscheck__": "the library decides by its own classes",
}
_HERE = frozenset(
    f"__{name}__"
    for name in (
        *("module", "qualname", "doc", "classdictcell", "annotations", "annotate", "annotate_func", "conditional_annotations"),
        *("firstlineno", "static_attributes", "slots", "init_subclass", "set_name", "class_getitem", "type_params", "orig_bases"),
        *("weakref", "dict", "parameters"),
    )
) | {"__classcell__"}


class Definition:
    """What a class of the application's is made of, for the library. `bases` are what it derives from, `named` the class statement's."""

    __slots__ = ("bases", "name", "named", "namespace")

    def __init__(self, name: str, bases: tuple[type, ...], namespace: Mapping[str, Any], named: Mapping[str, Any]) -> None:
        self.name, self.bases, self.namespace, self.named = name, bases, namespace, named

    def operands(self) -> tuple[Any, ...]:
        """Those of the operation that defines it."""
        return self.name, [Base(one) for one in self.bases], dict(self.namespace), dict(self.named)


class Base:
    """A class as a base of another: one of the application's must be defined in the library as well."""

    __slots__ = ("cls",)

    def __init__(self, cls: type) -> None:
        self.cls = cls


class Value(Attribute):
    """Data that the application's class sets: of the class what was set, of an object what the library has."""

    __slots__ = ("_value",)

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(name)
        self._value = value

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self._value if instance is None else super().__get__(instance, owner)


def derived(mcs: type, name: str, bases: tuple[type, ...], namespace: dict[str, Any], named: Mapping[str, Any]) -> type:
    """The class, here and in the library.

    Raises:
        SubclassRefused: it has something that cannot be carried.
    """
    for attribute, reason in _REFUSED.items():
        if attribute in namespace:
            raise SubclassRefused(
                f"class {name} cannot define {attribute}: {reason}", hint="leave it out, or do that in a function beside the class"
            )
    carried, here = _parted(namespace)
    remote = [base for base in bases if isinstance(base, RemoteMeta) and "_ringfence_class_" in base.__dict__]
    if not remote:
        made: type = type.__new__(mcs, name, bases, namespace)
        return made
    info = ClassInfo(info_of(remote[0]).home, None, Definition(name, bases, carried, named))
    here["_ringfence_class_"] = info
    made = type.__new__(mcs, name, bases, here)
    info.home.perform("ready", made)
    return made


def _parted(namespace: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What goes to the library of a class's body, and what stays here."""
    carried: dict[str, Any] = {
        "__module__": str(namespace.get("__module__", "application")),
        "__qualname__": namespace.get("__qualname__", ""),
    }
    here: dict[str, Any] = {}
    for name, value in namespace.items():
        if name in _HERE:
            if name not in ("__slots__", "__dict__", "__weakref__"):
                here[name] = value
            continue
        carried[name] = value
        here[name] = (
            value if isinstance(value, FunctionType | classmethod | staticmethod | property) or value is None else Value(name, value)
        )
    return carried, here


def definition_of(cls: type) -> Definition:
    """What a class of the application's is made of: one derived from a library's, or one that is mixed into such a class."""
    if isinstance(cls, RemoteMeta):
        found = info_of(cls).definition
        if found is not None:
            return found
    carried, _ = _parted(cls.__dict__)
    return Definition(cls.__name__, cls.__bases__, carried, {})
