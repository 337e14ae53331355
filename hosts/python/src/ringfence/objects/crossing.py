"""Values as they cross, seen from the host: objects of the library come as what stands for them, the application's go as it gives them.

Nothing that comes is trusted. A number must be one of this instance's, a class must have come before, a value must fit its class.
"""

from __future__ import annotations

import builtins
import enum
import errno
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ringfence.objects import adapters, files, parameters
from ringfence.objects.agreed import standard
from ringfence.objects.agreed.reading import as_text
from ringfence.objects.agreed.terms import COMMON, FROZEN, NOT_COMMON, Malformed, Uncrossable
from ringfence.objects.bounds import BoundedCodec
from ringfence.objects.building import build_class, listed
from ringfence.objects.classes import ClassInfo, Remote, RemoteMeta, info_of, solid_base
from ringfence.objects.containers import LIVE, Live
from ringfence.objects.errors import ForeignObject, NotCarried, StaleObject
from ringfence.objects.given import Way
from ringfence.objects.proxies import RemoteFunction, RemoteGenerator, RemoteIterator, RemoteModule
from ringfence.objects.raised import arriving, nearest, number_of
from ringfence.objects.references import Guest, Held, Reference, bind, reference_of
from ringfence.objects.subclasses import Base

if TYPE_CHECKING:
    from ringfence.objects.library import Library

_CLASSES = 20_000
"""Classes of one instance that are known here, at most."""
EXCEPTIONS: dict[str, type[BaseException]] = {
    name: value for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}
_EXCEPTION_NAMES = {value: name for name, value in EXCEPTIONS.items()}


def exception_of(name: str) -> Any:
    """A built-in exception, or one of the standard library that both sides have.

    Raises:
        LookupError: there is none of that name.
    """
    return EXCEPTIONS.get(name) or standard.exception_of(name)


def exception_name(cls: type) -> str | None:
    """Its name; None for every other class."""
    return _EXCEPTION_NAMES.get(cls) or (standard.exception_key(cls) if issubclass(cls, BaseException) else None)


_ATOMS = tuple(FROZEN)
_ASYNC = (types.CoroutineType, types.AsyncGeneratorType)
_COPIED: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_VIEWS: dict[str, Callable[[list[Any]], Any]] = {
    "keys": lambda items: dict.fromkeys(items).keys(),
    "values": lambda items: dict(enumerate(items)).values(),
    "items": lambda items: {key: value for key, value in items}.items(),  # noqa: C416 -- pairs, each of two
}


class Undefined(Exception):
    """A class of the application's that this instance does not have yet."""

    def __init__(self, cls: type) -> None:
        super().__init__(cls)
        self.cls = cls


class Key:
    """A function of the library's, by its key."""

    __slots__ = ("json", "key")

    def __init__(self, key: str) -> None:
        self.key, self.json = key, {"$": "A", "v": key}


class Crossing(BoundedCodec):
    """The codec of one instance."""

    def __init__(self, guest: Guest, library: Library) -> None:
        super().__init__()
        self._guest, self._library = guest, library
        self._written[Key] = lambda value, _: value.json
        self._written[Base] = lambda value, _: self._base(value.cls)
        self.kinds |= {
            "o": self._read_object,
            "v": self._read_frozen,
            "w": lambda found: self._known(found, lambda: _made(LIVE[as_text(found["k"])])),
            "i": lambda found: self._known(found, RemoteGenerator if found["g"] is True else RemoteIterator),
            "f": self._read_function,
            "A": lambda found: library.function(as_text(found["v"])),
            "C": lambda found: guest.classes[number_of(found)],
            "K": self._read_class,
            "E": lambda found: exception_of(as_text(found["v"])),
            "G": standard.read_tree,
            "V": standard.read_value,
            "m": lambda found: library.module(found["v"], guest.connection),
            "h": lambda found: guest.given.value(number_of(found)),
            "y": lambda found: self._view(as_text(found["k"]), self._items(found)),
        }

    # reading

    def _known(self, found: dict[str, Any], make: Callable[[], Any]) -> Any:
        """What stands for an object already, or now does."""
        number = number_of(found)
        there = self._guest.objects.get(number)
        if there is not None:
            reference_of(there).count += 1
            return there
        made = make()
        bind(made, Reference(self._guest, number))
        self._guest.objects[number] = made
        return made

    def _read_object(self, found: dict[str, Any]) -> Any:
        cls = found["c"]
        if not isinstance(cls, type):
            raise Malformed("an object of no class")
        if issubclass(cls, BaseException):
            return arriving(self, self._guest, found, cls)
        if not isinstance(cls, RemoteMeta) or solid_base(cls) in FROZEN:
            raise Malformed("an object of a class that is not the library's")
        return self._known(found, lambda: _made(cls))

    def known(self, found: dict[str, Any], make: Callable[[], Any]) -> Any:
        """See `_known`; for exceptions."""
        return self._known(found, make)

    def _read_frozen(self, found: dict[str, Any]) -> Any:
        cls, value, number = found["c"], found["v"], number_of(found)
        base = solid_base(cls) if isinstance(cls, RemoteMeta) else None
        if base not in FROZEN or type(value) is not base:
            raise Malformed("a value that does not fit its class")
        there = self._guest.frozen.pop(number, None)
        if type(there) is cls:
            reference_of(there).count += 1
            made = there
        else:
            made = base.__new__(cls, value)
            bind(made, Reference(self._guest, number))
        self._guest.keep(number, made)
        return made

    def _view(self, kind: str, items: list[Any]) -> Any:
        if kind == "items" and not all(type(one) is tuple and len(one) == 2 for one in items):
            raise Malformed("expected keys and values")
        self.hashable(items if kind == "keys" else [key for key, _ in items] if kind == "items" else [])
        return _VIEWS[kind](items)

    def _read_function(self, found: dict[str, Any]) -> Any:
        name = found["n"]
        made = self._known(found, lambda: RemoteFunction.__new__(RemoteFunction))
        made.__name__ = name if type(name) is str and name.isidentifier() else "function"
        return made

    def _read_class(self, found: dict[str, Any]) -> Any:
        number, key = number_of(found), found["k"]
        if number in self._guest.classes or len(self._guest.classes) >= _CLASSES:
            raise Malformed("a class that came before, or one too many")
        cls = self._library.class_of(key) if type(key) is str else None
        if cls is None:
            record = found["r"]
            info = ClassInfo(self._guest.connection, None)
            cls = build_class(record, listed(record["bases"]), info, self._library.needed_class)
        self._guest.classes[number], self._guest.numbers[cls] = cls, number
        return cls

    # writing

    def take_back(self, sent: list[Any]) -> None:
        self._guest.given.release(sent)

    def _add(self, value: Any, way: Way, adapter: adapters.Adapter = adapters.OPAQUE) -> int:
        """The number under which a value is given."""
        number = self._guest.given.add(value, way, *adapter).number
        self._sent.append(number)
        return number

    def _base(self, cls: type) -> Any:
        """JSON for a class as a base of another."""
        if isinstance(cls, RemoteMeta):
            return self._class(cls)
        if cls in self._guest.numbers:
            return {"$": "C", "i": self._guest.numbers[cls]}
        if self.shared_type(cls) is None and exception_name(cls) is None:
            raise Undefined(cls)
        return self._host_class(cls)

    def other(self, value: Any, depth: int) -> Any:
        if isinstance(value, RemoteMeta):
            return self._class(value)
        if isinstance(value, Remote | Held | Live):
            return {"$": "o", "i": self._own(value).number}
        if isinstance(value, type):
            return self._host_class(value)
        written = standard.write_value(value, self.apart, depth)
        if written is not None:
            return written
        for kinds, write in _OTHERS:
            if isinstance(value, kinds):
                return write(self, value, depth)
        tree = standard.write_tree(value, self.apart, depth) if standard.is_tree(value) else None
        return self._given(value) if tree is None else tree

    def factory(self, value: Any, depth: int) -> Any:
        return None if value is None else self.apart(value, depth)

    def stays(self, zone: Any) -> bool:
        return isinstance(zone, Remote) and reference_of(zone).guest is self._guest

    def _own(self, value: Any) -> Reference:
        """The reference behind an object of this very instance.

        Raises:
            StaleObject, ForeignObject: it is another's.
        """
        reference = reference_of(value)
        if reference.guest is self._guest:
            return reference
        what = f"this {type(value).__name__}"
        if not reference.guest.alive:
            raise StaleObject(f"{what} lived in an instance of {self._library.name} that has ended", hint="make it anew")
        hint = "objects of one connection, thread or process cannot be given to another"
        raise ForeignObject(f"{what} lives in another instance than the one it is given to", hint=hint)

    def _class(self, cls: Any) -> Any:
        if "_ringfence_class_" not in cls.__dict__:
            raise Uncrossable(f"the class {cls.__name__} cannot cross")
        number = self._guest.numbers.get(cls)
        if number is not None:
            return {"$": "C", "i": number}
        info = info_of(cls)
        if info.key is not None and info.home is self._library:
            return {"$": "C", "v": info.key}
        if info.definition is not None:
            raise Undefined(cls)
        if info.home is not self._library and getattr(info.home, "library", None) is self._library:
            raise StaleObject(f"the class {cls.__name__} lived in an instance of {self._library.name} that has ended")
        raise ForeignObject(f"the class {cls.__name__} is another library's")

    def _host_class(self, cls: type) -> Any:
        shared = self.shared_type(cls) or common(cls)
        if shared is not None:
            return shared
        name = exception_name(cls)
        if name is not None:
            return {"$": "E", "v": name}
        return self._kind(cls, "class")

    def _kind(self, cls: type, way: Way = "kind") -> Any:
        """JSON for a class of the application's: a name, and which others of its classes it derives from.

        One that is itself given may be called. The class of an object that is given, and every base, may not: who gives a log's handler has
        not given the making of others.
        """
        bases = [self._kind(base) for base in cls.__bases__ if base.__module__ != "builtins"]
        shape = parameters.told(cls) if way == "class" else {}
        if isinstance(cls, enum.EnumMeta) and not issubclass(cls, _ATOMS):
            members: Mapping[str, Any] = cls.__members__  # type: ignore[attr-defined]
            shape["v"] = [[name, self._given(one)] for name, one in members.items()] if way == "class" else []
        return {"$": "h", "i": self._add(cls, way), "k": "class", "n": cls.__name__, "b": bases, **shape}

    def _given(self, value: Any) -> Any:
        """What the application gives: through its adapter, as a file, as a callable, or as it stands."""
        adapter = adapters.adapter_of(value)
        if adapter is None:
            if files.is_file(value):
                return {"$": "h", "i": self._add(value, "file"), "k": "file", **files.described(value)}
            if callable(value):
                named = str(getattr(value, "__name__", "callback"))
                return {"$": "h", "i": self._add(value, "call"), "k": "call", "n": named, **parameters.told(value)}
            adapter = _adapter(value)
        number = self._add(value, "object", adapter)
        kept = {
            "a": sorted(adapter.attributes),
            "m": sorted(adapter.methods),
            "w": sorted(adapter.writable),
            "s": sorted(adapters.withheld(type(value)) - adapter.methods),
            "x": adapter is not adapters.OPAQUE,
            "g": isinstance(value, types.GeneratorType),
        }
        return {"$": "h", "i": number, "k": "object", "c": self._kind(type(value)), **kept}

    def exception(self, value: BaseException, depth: int) -> Any:
        """JSON for an exception: the library's own object, or one that stands there for the application's."""
        held = value.__dict__.get("_ringfence_") if hasattr(value, "__dict__") else None
        if type(held) is Reference and held.guest is self._guest:
            return {"$": "o", "i": held.number}
        arguments = []
        numbered = isinstance(value, OSError) and isinstance(value.errno, int)
        for one in (value.errno, value.strerror, value.filename) if numbered else value.args:  # type: ignore[attr-defined]
            try:
                arguments.append(self.apart(one, depth))
            except (Uncrossable, RecursionError):
                arguments.append(ascii(one)[:200])
        base = nearest(type(value))
        written = {"$": "X", "i": self._add(value, "exception"), "n": type(value).__name__, "c": self._class_of(base), "a": arguments}
        if type(value) is base and standard.exception_key(base):  # then its attributes are the standard library's, too
            written["v"] = {name: self.apart(one, depth) for name, one in vars(value).items() if type(one) in (str, int, type(None))}
        return {**written, "o": errno.errorcode.get(value.errno, "")} if numbered else written  # type: ignore[attr-defined]

    def _class_of(self, base: type) -> Any:
        return self._class(base) if isinstance(base, RemoteMeta) else self._host_class(base)


def common(value: Any) -> Any:
    """JSON for a class or function of the standard library that the library has as well; None for others."""
    module = getattr(value, "__module__", None) or getattr(getattr(value, "__objclass__", None), "__module__", None)
    name = getattr(value, "__qualname__", None)
    if type(module) is not str or type(name) is not str:
        return None
    name = name.removeprefix("openssl_")  # as CPython calls what `hashlib` has of it
    for place in (module, module.removeprefix("_"), *_ALSO.get(module, ())):
        key = f"{place}:{name}"
        if place in COMMON and key not in NOT_COMMON and _found(place, name) is value:
            return {"$": "S", "v": key}
    return None


_ALSO = {"_collections_abc": ("collections.abc",), **dict.fromkeys(("_blake2", "_md5", "_sha1", "_sha2", "_sha3"), ("hashlib",))}


_PULLED = frozenset({"__iter__", "__next__"})


def _adapter(value: Any) -> adapters.Adapter:
    """Of what has none registered: iterators are pulled, all others kept and given back."""
    if isinstance(value, types.GeneratorType):
        return adapters.Adapter(methods=_PULLED | {"send", "throw", "close"})
    return adapters.Adapter(methods=_PULLED) if isinstance(value, Iterator) else adapters.OPAQUE


def _found(module: str, path: str) -> Any:
    found: Any = sys.modules.get(module)
    for name in path.split("."):
        found = getattr(found, name, None)
    return found


def _common(codec: Crossing, value: Any, _: int) -> Any:
    return common(value) or codec._given(value)  # noqa: SLF001 -- this file's


def _member(codec: Crossing, value: Any, depth: int) -> Any:
    """A property, classmethod or staticmethod of a class that the application defines."""
    kind = next(one for one in _MEMBERS if isinstance(value, one))
    parts = [value.fget, value.fset, value.fdel, value.__doc__] if isinstance(value, property) else [value.__func__]
    return {"$": "M", "k": kind.__name__, "v": [codec.apart(one, depth) for one in parts]}


def _made(cls: type) -> Any:
    """An object of a class, without running anything of it."""
    make: Any = solid_base(cls).__new__
    return make(cls)


def _function(codec: Crossing, value: Any, depth: int) -> Any:
    key = getattr(value, "__ringfence_key__", None)
    if type(key) is Key:
        return key.json
    return _common(codec, value, depth)


def _bound(codec: Crossing, value: types.MethodType, depth: int) -> Any:
    owner = value.__self__
    name = getattr(value.__func__, "__name__", "")
    if hasattr(value.__func__, "__ringfence_owner__") and isinstance(owner, Remote | RemoteMeta):
        return {"$": "g", "o": codec.apart(owner, depth), "n": name}
    return codec._given(value)  # noqa: SLF001 -- this file's


def _enum(codec: Crossing, value: enum.Enum, depth: int) -> Any:
    if isinstance(value, _ATOMS):
        return _frozen(codec, value, depth)
    return codec._given(value)  # noqa: SLF001 -- this file's


def _frozen(codec: Crossing, value: Any, depth: int) -> Any:
    """A subclass of text, numbers, bytes or tuples of the application's: as what it holds; of a named tuple with its fields."""
    fields = getattr(type(value), "_fields", ())
    if isinstance(value, tuple) and type(fields) is tuple and len(fields) == tuple.__len__(value) > 0:
        held = [codec.apart(one, depth) for one in tuple.__iter__(value)]
        return {"$": "j", "n": type(value).__name__, "f": [str(one) for one in fields], "v": held}
    return codec.apart(next(plain for base, plain in FROZEN.items() if isinstance(value, base))(value), depth)


def _refused(_: Crossing, value: Any, __: int) -> Any:
    raise NotCarried(f"a {type(value).__name__} cannot be given to a wrapped library: asynchronous code runs on one side only")


_BASES = (dict, list, set)
_MEMBERS = (property, classmethod, staticmethod)
_BUILT_IN = (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType)
_OTHERS: tuple[tuple[Any, Callable[[Crossing, Any, int], Any]], ...] = (
    (types.FunctionType, _function),
    (types.MethodType, _bound),
    (_BUILT_IN, _common),
    (_MEMBERS, _member),
    (enum.Enum, _enum),
    (BaseException, lambda codec, value, depth: codec.exception(value, depth)),
    (types.TracebackType, lambda *_: None),
    (PurePath, lambda codec, value, _: codec.path(value)),
    (_ATOMS, _frozen),
    (re.Pattern, lambda codec, value, depth: {"$": "x", "v": codec.apart(value.pattern, depth), "f": value.flags}),
    (_COPIED, lambda codec, value, depth: codec.apart(list(value), depth)),
    (_BASES, lambda codec, value, depth: codec.apart(next(one for one in _BASES if isinstance(value, one))(value), depth)),
    (RemoteModule, lambda _, value, __: {"$": "m", "v": value.__name__}),
    (types.ModuleType, lambda codec, value, _: codec._library.module_json(value)),  # noqa: SLF001 -- this file's
    (Mapping, lambda codec, value, depth: codec._given(value) if adapters.adapter_of(value) else codec.apart(dict(value), depth)),  # noqa: SLF001 -- this file's
    (_ASYNC, _refused),
)
