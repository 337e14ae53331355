"""The library's classes, as classes of the host: `isinstance`, `except`, attributes, methods and operators work as they do natively.

An object of such a class is a reference; what it holds stays in the library. Where the library's class derives from `str`, a number or
a tuple, its objects hold that as well, so that C code sees it; where from an exception, they can be raised.
"""

from __future__ import annotations

import collections.abc
import copyreg
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ringfence.last_words import harmless
from ringfence.objects.agreed.terms import FROZEN, Uncrossable
from ringfence.objects.containers import LiveDeque, LiveDict, LiveList, LiveSet
from ringfence.objects.errors import NotCarried, StaleObject
from ringfence.objects.references import Reference, perform, reference_of, unpicklable

if TYPE_CHECKING:
    from ringfence.objects.subclasses import Definition

_LIVE = {list: LiveList, dict: LiveDict, set: LiveSet, collections.deque: LiveDeque}
_USABLE = frozenset({*_LIVE.values(), dt.tzinfo})
"""Built-in bases that the host's classes have as well; of those of values, exceptions too."""
_LOCAL = frozenset({"__doc__", "__module__", "__qualname__", "__name__", "__abstractmethods__", "__annotations__", "__firstlineno__"})
_ASKED = frozenset({"__dict__", "__wrapped__", "__version__", "__slots__"})
_COMPARING = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"})


class Home(Protocol):
    """Where a class's operations go: the library's present connection, or the instance that the class is of."""

    def perform(self, name: str, *operands: Any) -> Any: ...


class ClassInfo:
    """What is known of a class: its key in the library's API, if it has one, or what the application defined; and where it lives."""

    __slots__ = ("definition", "home", "key")

    def __init__(self, home: Home, key: str | None, definition: Definition | None = None) -> None:
        self.home, self.key, self.definition = home, key, definition

    def importable(self, cls: type) -> bool:
        """Whether the class is found where its module and name say, in its library's package."""
        names = getattr(self.home, "names", None)
        return names is not None and bool(names(cls))


def info_of(cls: type) -> ClassInfo:
    """What is known of a library's class, or of one that the application derived from it."""
    found: ClassInfo = type.__getattribute__(cls, "__dict__")["_ringfence_class_"]
    return found


def defined_here(cls: type) -> bool:
    """Whether the application defined a class."""
    return info_of(cls).definition is not None


class RemoteMeta(type):
    """The class of the library's classes."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], info: ClassInfo | None = None, **given: Any) -> Any:
        if info is not None:
            return super().__new__(mcs, name, bases, {**namespace, "_ringfence_class_": info})
        if bases:
            from ringfence.objects import subclasses  # -- the application derives a class

            return subclasses.derived(mcs, name, bases, namespace, given)
        return super().__new__(mcs, name, bases, namespace)

    def __init__(cls, *_: Any, **__: Any) -> None:
        """Everything was done by `__new__`."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return info_of(cls).home.perform("call", cls, list(arguments), named)

    def __getattr__(cls, name: str) -> Any:
        if (name.startswith("__") and name.endswith("__") and name not in _ASKED) or "_ringfence_class_" not in cls.__dict__:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return info_of(cls).home.perform("get", cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        if name in _LOCAL or name.startswith(("_abc_", "_ringfence_")):
            type.__setattr__(cls, name, value)
            return
        info_of(cls).home.perform("set", cls, name, value)
        if name in cls.__dict__:
            type.__delattr__(cls, name)
        if isinstance(value, property):
            type.__setattr__(cls, name, value)

    def __delattr__(cls, name: str) -> None:
        info_of(cls).home.perform("delete", cls, name)
        if name in cls.__dict__:
            type.__delattr__(cls, name)

    def __dir__(cls) -> list[str]:
        return sorted({name for one in cls.__mro__ for name in one.__dict__ if not name.startswith("_ringfence_")})

    def __iter__(cls) -> Iterator[Any]:
        return iter(info_of(cls).home.perform("iterate", cls))

    def __len__(cls) -> int:
        found: int = info_of(cls).home.perform("operator", cls, "__len__", [])
        return found

    def __bool__(cls) -> bool:
        return True

    def __contains__(cls, item: object) -> bool:
        return bool(info_of(cls).home.perform("operator", cls, "__contains__", [item]))

    def __getitem__(cls, item: Any) -> Any:
        return info_of(cls).home.perform("subscript", cls, item)


def _by_name(cls: RemoteMeta) -> str:
    """How a class is pickled: by its name, as every class is. But pickle would import whatever module the library says it is of."""
    if "_ringfence_class_" in cls.__dict__ and not defined_here(cls) and not info_of(cls).importable(cls):
        raise unpicklable(cls)
    return cls.__qualname__


copyreg.pickle(RemoteMeta, _by_name)


class Remote(metaclass=RemoteMeta):
    """Base of the library's classes."""

    _ringfence_: Reference
    _ringfence_class_: ClassVar[ClassInfo]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in _ASKED:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return perform(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__") and name.endswith("__"):
            object.__setattr__(self, name, value)
            return
        if _is_builtin_data(type(self), name):
            object.__setattr__(self, name, value)
        perform(self, "set", name, value)

    def __delattr__(self, name: str) -> None:
        perform(self, "delete", name)

    def __dir__(self) -> list[str]:
        try:
            theirs = perform(self, "dir")
        except ReferenceError:
            theirs = []
        theirs = theirs if type(theirs) is list else []
        return sorted({*type.__dir__(type(self)), *(one for one in theirs if type(one) is str)})

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return perform(self, "get", "__dict__")

    def __copy__(self) -> Any:
        return perform(self, "clone", False)  # noqa: FBT003 -- an operand

    def __deepcopy__(self, _: Any) -> Any:
        return perform(self, "clone", True)  # noqa: FBT003 -- an operand

    def __reduce_ex__(self, _: Any) -> Any:
        from ringfence.objects.pickling import reduced

        return reduced(self)

    def __repr__(self) -> str:
        base = solid_base(type(self))
        if base is not object:
            found: str = base.__repr__(self)  # type: ignore[call-arg]
            return found
        return f"<{type(self).__module__}.{type(self).__qualname__} object of a wrapped library>"


def _is_builtin_data(cls: type, name: str) -> bool:
    """Whether an attribute is one that the built-in base of a class keeps (an exception's `args`)."""
    return any(name in base.__dict__ for base in cls.__mro__ if not isinstance(base, RemoteMeta) and base is not object)


class Attribute:
    """Data of a class, or a property: read from the library, from the object where there is one, else from the class."""

    __slots__ = ("_name", "_owner")

    def __init__(self, name: str) -> None:
        self._name = name

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return info_of(owner).home.perform("get", owner, self._name)
        if defined_here(type(instance)) and _asked_by_super(type(instance), self._owner, self._name):
            return perform(instance, "property", self._owner, self._name)
        return perform(instance, "get", self._name)

    def __set__(self, instance: Any, value: Any) -> None:
        perform(instance, "set", self._name, value)

    def __delete__(self, instance: Any) -> None:
        perform(instance, "delete", self._name)


def _asked_by_super(cls: type, owner: type, name: str) -> bool:
    """Whether a class of the application's has the name itself, so that only `super()` can have led to the library's."""
    for one in cls.__mro__:
        if one is owner:
            return False
        if name in one.__dict__:
            return True
    return False


class Field:
    """A field of a named tuple."""

    __slots__ = ("_index",)

    def __init__(self, index: int) -> None:
        self._index = index

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else tuple.__getitem__(instance, self._index)


def method(name: str) -> Callable[..., Any]:
    """A method: performed in the library. Where the application derived the object's class, the library's own is meant."""

    def remote(self: Any, /, *arguments: Any, **named: Any) -> Any:
        if defined_here(type(self)):
            return perform_own(remote, name, self, arguments, named)
        return perform(self, "method", name, list(arguments), named)

    return remote


def operator(name: str) -> Callable[..., Any]:
    """A special method."""
    comparing = name in _COMPARING

    def remote(self: Any, /, *arguments: Any, **named: Any) -> Any:
        try:
            if named or name == "__init__" or defined_here(type(self)):
                return perform_own(remote, name, self, arguments, named)
            found = perform(self, "operator", name, list(arguments))
            return harmless(found) if type(found) is str and isinstance(self, BaseException) else found  # tracebacks print it
        except (Uncrossable, NotCarried):
            if comparing:
                return NotImplemented
            raise
        except StaleObject:
            if name != "__str__" or not isinstance(self, BaseException):
                raise
            return object.__getattribute__(self, "_ringfence_said_")  # an exception outlives its instance, and says what it said

    return remote


def perform_own(function: Any, name: str, target: Any, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """What the method of the class that a function stands in gives, whatever subclasses make of it."""
    owner = function.__ringfence_owner__
    home = target if isinstance(target, type) else reference_of(target).guest.connection
    performer = info_of(home).home if isinstance(home, type) else home
    return performer.perform("own", owner, name, target, list(arguments), dict(named))


def class_method(name: str) -> Any:
    """A classmethod."""

    def remote(cls: Any, /, *arguments: Any, **named: Any) -> Any:
        if defined_here(cls):
            return perform_own(remote, name, cls, arguments, named)
        return info_of(cls).home.perform("method", cls, name, list(arguments), named)

    return classmethod(remote)


class StaticMethod:
    """A staticmethod: reached through whichever class."""

    __slots__ = ("_functions", "_name", "_record")

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        name = self._name

        def remote(*arguments: Any, **named: Any) -> Any:
            return info_of(owner).home.perform("method", owner, name, list(arguments), named)

        remote.__name__ = name
        return remote


def bases_of(found: Sequence[Any]) -> tuple[type, ...]:
    """The host's bases for a class with these: built-in ones as they are, or as what stays in the library."""
    if any(not isinstance(one, type) for one in found):
        raise TypeError("a base that is no class")
    bases = [_LIVE.get(one, one) for one in found if one is not object]
    usable = [one for one in bases if isinstance(one, RemoteMeta) or one in FROZEN or one in _USABLE or issubclass(one, BaseException)]
    if not any(isinstance(one, RemoteMeta) for one in usable):
        usable.insert(0, Remote)
    return tuple(dict.fromkeys(_tamed(one) for one in usable))


def _tamed(base: type) -> type:
    """Exceptions that end programs are no bases of a library's: they would pass `except Exception`."""
    return base if not issubclass(base, BaseException) or issubclass(base, Exception) else Exception


def solid_base(cls: type) -> type:
    """The built-in class whose content objects of a class hold."""
    for one in cls.__mro__:
        if one in FROZEN or one in _LIVE.values() or (issubclass(one, BaseException) and not isinstance(one, RemoteMeta)):
            return one
    return object


def register_abcs(cls: type, names: Any) -> None:
    """Let a class count as what the library says that it is, of the abstract classes in `collections.abc`."""
    for name in names:
        if name in collections.abc.__all__:
            getattr(collections.abc, name).register(cls)
