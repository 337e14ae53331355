"""Values as they cross, seen from the guest: what is no plain value stays here under a number, and the host gets the number."""

import builtins
import contextlib
import errno
import functools
import importlib
import re
import traceback
import types
from pathlib import Path, PurePath

from . import describe, standins
from .agreed import standard
from .agreed.codec import Codec
from .agreed.terms import FIELDS, FROZEN, Uncrossable

_LIVE = {"list", "dict", "set", "deque", "OrderedDict", "defaultdict", "Counter"}
_CALLABLE = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
    functools.partial,
    type(functools.lru_cache(len)),
)
_ASYNC = (types.CoroutineType, types.AsyncGeneratorType)
_VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
_TRACE = 20
_TEXT = 10_000

EXCEPTIONS = {name: value for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)}
_EXCEPTION_NAMES = {value: name for name, value in EXCEPTIONS.items()}


def exception_of(name):
    """A built-in exception, or one of the standard library that both sides have."""
    return EXCEPTIONS[name] if name in EXCEPTIONS else standard.exception_of(name)


class Live:
    """What is read from an object, on its way out."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Returned:
    """What a function of the library's gave, on its way out: trees of XML in it are the application's from now on."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Handles(Codec):
    """The guest's codec, and its objects that the host holds."""

    def __init__(self, names, ask):
        super().__init__()
        self.names = names
        self.api_known = False
        self.standins = standins.StandIns(ask)
        self._objects = {}  # number -> [object, how often it was sent]
        self._numbers = {}  # id -> number
        self._next = 1
        self._announced = set()
        self._written[standins.HostReference] = lambda value, _: {"$": "h", "i": value.number}
        self._written[Live] = lambda value, depth: self.live(value.value, depth)
        self._written[Returned] = self._returned
        self._trees = False  # whether trees of XML are copied
        self.kinds |= {
            "o": lambda found: self._objects[found["i"]][0],
            "A": lambda found: names.value(found["v"]),
            "C": lambda found: self._objects[found["i"]][0] if "i" in found else names.value(found["v"]),
            "m": lambda found: importlib.import_module(found["v"]),
            "h": self.standins.read,
            "E": lambda found: exception_of(found["v"]),
            "G": standard.read_tree,
            "V": standard.read_value,
            "X": self.standins.read_exception,
            "M": standins.read_member,
            "P": lambda found: Path(self._read_path(found)),  # libraries ask for `isinstance(source, Path)`, and open it
            "j": standins.read_named_tuple,
            "S": lambda found: describe.find(found["v"]),
            "g": lambda found: getattr(found["o"], found["n"]),
            "x": lambda found: re.compile(found["v"], found["f"]),
        }

    # writing

    def take_back(self, sent):
        """Numbers that went nowhere, each with whether it was announced as a class's."""
        for number, announced in sent:
            if announced:
                self._announced.discard(number)
            else:
                self.release((number, 1))

    def live(self, value, depth=1):
        """JSON for what is read from an object: a container stays here, so that changing it changes the library's."""
        if self._is_live(value):
            return {"$": "w", "i": self._number(value), "k": type(value).__name__}
        if type(value) is tuple and any(map(self._is_live, value)):  # `for one, other, data in graph.edges(data=True): data["seen"] = True`
            return {"$": "t", "v": [self.live(one, depth) if self._is_live(one) else self.apart(one, depth) for one in value]}
        return self._plain(value, depth)

    @staticmethod
    def _is_live(value):
        kind = type(value)
        return kind.__name__ in _LIVE and kind.__module__ in ("builtins", "collections")

    def _returned(self, value, depth):
        before, self._trees = self._trees, True
        try:
            return self._plain(value.value, depth)
        finally:
            self._trees = before

    def makes(self, value):
        return callable(value)

    def stays(self, zone):
        return self.names.owns(type(zone))

    def other(self, value, depth):
        kind = type(value)  # and not what it says by `__class__`: proxies of a library's own say they are what they stand for
        if issubclass(kind, type):
            return self._class(value)
        host = standins.host_number(value)
        if host is not None:
            return {"$": "h", "i": host}
        if issubclass(kind, types.ModuleType):
            return {"$": "m", "v": value.__name__}
        if issubclass(kind, BaseException):
            return self._exception(value, depth)
        if issubclass(kind, _CALLABLE):
            key = self.names.key(value)
            return {"$": "A", "v": key} if key else {"$": "f", "i": self._number(value), "n": str(getattr(value, "__name__", ""))[:200]}
        if issubclass(kind, PurePath):
            return self.path(value)
        return self._object(value, depth)

    def _object(self, value, depth):
        kind = type(value)
        written = standard.write_value(value, self.apart, depth)
        if written is not None:
            return written
        if self._trees and standard.is_tree(value) and id(value) not in self._numbers:
            written = standard.write_tree(value, self.apart, depth)
            if written is not None:
                return written
        if kind in _VIEWS:
            return {"$": "y", "k": _VIEWS[kind], "v": [self.apart(one, depth) for one in value]}
        if kind is types.MappingProxyType:
            return self.apart(dict(value), depth)
        if issubclass(kind, _ASYNC):
            if issubclass(kind, types.CoroutineType):
                value.close()
            raise Uncrossable(f"a {kind.__name__} cannot cross: asynchronous code of a wrapped library runs inside it only")
        if issubclass(kind, types.GeneratorType):
            return {"$": "i", "i": self._number(value), "g": True}
        if hasattr(kind, "__next__") and not any(self.names.owns(one) for one in kind.__mro__):
            return {"$": "i", "i": self._number(value), "g": False}
        for base, plain in FROZEN.items():
            if issubclass(kind, base):
                held = self.apart(plain(value), depth)
                return {"$": "v", "i": self._number(value), "c": self._class(kind), "v": held}
        return {"$": "o", "i": self._number(value), "c": self._announced_class(kind)}

    def _class(self, cls):
        return self.shared_type(cls) or self._announced_class(cls)

    def _announced_class(self, cls):
        """JSON for a class that the host has to know by its number; also one that both sides have, of which an object stays here."""
        if issubclass(cls, BaseException) and (name := _EXCEPTION_NAMES.get(cls) or standard.exception_key(cls)):
            return {"$": "E", "v": name}
        host = standins.host_number(cls)
        if host is not None:
            return {"$": "h", "i": host}
        number = self._number(cls)
        if number in self._announced:
            return {"$": "C", "i": number}
        self._announced.add(number)
        self._sent.append((number, True))
        key = self.names.key(cls)
        if key and self.api_known:
            return {"$": "K", "i": number, "k": key}
        record = describe.class_record(cls, self._class, self.names, brief=True)
        return {"$": "K", "i": number, "k": key, "r": record}

    def announce(self, cls):
        """The number of a class that the host knows already: it has just defined it."""
        number = self._number(cls)
        self._announced.add(number)
        return number

    def _exception(self, value, depth):
        cause = value.__cause__ or (None if value.__suppress_context__ else value.__context__)
        written = {
            "$": "o",
            "i": self._number(value),
            "c": self._class(type(value)),
            "a": self._arguments(value, depth),
            "s": _said(value),
            "t": trace_of(value),
            "n": [str(one)[:_TEXT] for one in getattr(value, "__notes__", ())][:20],
            "e": None,
            "d": value.__cause__ is not None,
        }
        for base, names in FIELDS.items():
            if isinstance(value, base):
                written["f"] = {name: self.apart(found, depth) for name in names if (found := _field(value, name)) is not None}
        if standard.exception_key(type(value)):
            written["v"] = dict(self._attributes(value, depth))
        if isinstance(value, OSError) and isinstance(value.errno, int):
            texts = (one if isinstance(one, str) else None for one in (value.strerror, value.filename))
            written["o"] = [errno.errorcode.get(value.errno), *texts]
        if cause is not None and depth < 8:
            written["e"] = self.apart(cause, depth + 1)
        return written

    def _attributes(self, value, depth):
        """What an exception of the standard library's has: it is of the same class there, and has it as well."""
        for name, one in vars(value).items():
            if name.isidentifier():
                with contextlib.suppress(Uncrossable, RecursionError):
                    yield name, self.apart(one, depth)

    def _arguments(self, value, depth):
        try:
            return [self.apart(one, depth) for one in value.args]
        except (Uncrossable, RecursionError):
            return [_said(value)]

    def _number(self, value):
        number = self._numbers.get(id(value))
        if number is None:
            number = self._next
            self._next += 1
            self._numbers[id(value)] = number
            self._objects[number] = [value, 1]
        else:
            self._objects[number][1] += 1
        self._sent.append((number, False))
        return number

    def release(self, released):
        """The host let go of objects: number and how often it had got it, in turns."""
        for number, count in zip(released[::2], released[1::2], strict=True):
            entry = self._objects[number]
            entry[1] -= count
            if entry[1] <= 0:
                del self._objects[number], self._numbers[id(entry[0])]

    def held(self):
        """How many objects the host holds."""
        return len(self._objects)


def _field(value, name):
    found = getattr(value, name, None)
    return found if found is None or isinstance(found, str | bytes | int) else _said(found)


def _said(value):
    try:
        return str(value)[:_TEXT]
    except Exception:
        return ""


def trace_of(value):
    """Where an exception was raised, in the library's code: file, line and function, without the bridge's own."""
    frames = [(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in traceback.walk_tb(value.__traceback__)]
    shown = [f'  File "{file}", line {line}, in {name}' for file, line, name in frames if "/ringfence_bridge/" not in file]
    return "\n".join(shown[-_TRACE:])[:_TEXT]
