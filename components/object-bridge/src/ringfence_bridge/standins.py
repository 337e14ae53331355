"""What stands in the guest for what the application gave: callables, classes, objects with an adapter, files.

Each holds the number of the host's value, and gives it back when the library lets go of it.
"""

import collections
import contextlib
import errno
import io
import types
import weakref

from . import callables
from .agreed.terms import Malformed

_BUILTINS = vars(__import__("builtins"))


_ALIEN = "its objects live with the application. Libraries that make over the classes they are given cannot do that from inside a fence"


class HostReference:
    """One value of the host's; when nobody needs it any more, its number is handed back."""

    __slots__ = ("_released", "number")

    def __init__(self, number, released):
        self.number, self._released = number, released

    def __del__(self):
        self._released.append(self.number)


class HostClass(type):
    """A class of the application's. Calling it is the application's business, and so is what it is made of.

    A library may leave data on it, for itself. Methods would be missing where objects of the class live.
    """

    def __new__(mcs, name, bases, space, *, made=False, **_):
        if not made:
            raise TypeError(f"{name}: a library cannot make over, or derive from, the application's class: {_ALIEN}")
        return super().__new__(mcs, name, bases, space)

    def __init__(cls, name, bases, space, **_):
        super().__init__(name, bases, space)

    def __setattr__(cls, name, value):
        if (name.startswith("__") and name.endswith("__")) or callable(value) or hasattr(type(value), "__get__"):
            raise TypeError(f"{name}: a library cannot change the application's class {cls.__name__!r}: {_ALIEN}")
        super().__setattr__(name, value)


class HostEnum(HostClass):
    """An enum of the application's, with its members once it was given itself."""

    __members__ = types.MappingProxyType({})

    def _each(cls):
        return dict.fromkeys(cls.__members__.values())  # another name of a member is none

    def __iter__(cls):
        return iter(cls._each())

    def __reversed__(cls):
        return reversed(cls._each())

    def __len__(cls):
        return len(cls._each())

    def __contains__(cls, value):
        return value in cls._each()

    def __getitem__(cls, name):
        return cls.__members__[name]

    def __bool__(cls):
        return True

    def fill(cls, members):
        """It has these, each with its name."""
        if "__members__" not in vars(cls):
            type.__setattr__(cls, "__members__", types.MappingProxyType(dict(members)))
            for name, member in members:
                if not name.startswith("_") and name not in _OF_MEMBERS:
                    type.__setattr__(cls, name, member)


_OF_MEMBERS = ("name", "value")


class HostObject:
    """An object of the application's, of which the library may use what an adapter lists, and nothing else."""

    __slots__ = ("__dict__", "__weakref__", "_ringfence_", "_ringfence_allowed_", "_ringfence_ask_")

    @property
    def __class__(self):
        """What libraries ask for that want to know a generator."""
        return types.GeneratorType if self._ringfence_allowed_["g"] else type(self)

    def __getattr__(self, name):
        get = object.__getattribute__
        allowed = get(self, "_ringfence_allowed_")
        if name in allowed["a"]:
            return get(self, "_ringfence_ask_")(["get", self, name])
        if name in allowed["m"]:
            return _method(self, name)
        if name.startswith("_") or allowed["x"]:
            raise AttributeError(_without(self, name))
        raise TypeError(
            _without(self, name)
        )  # nobody said what the library may use: that must not pass for an object that has no such attribute

    def __reduce_ex__(self, _):
        raise TypeError(f"the application gave its {type(self).__name__!r} as it stands: the library cannot look into it, or copy it")

    def __setattr__(self, name, value):
        if name.startswith("_ringfence_"):
            object.__setattr__(self, name, value)
        elif name in self._ringfence_allowed_["w"]:
            self._ringfence_ask_(["set", self, name, value])
        else:
            raise AttributeError(f"{name}: the application gave its {type(self).__name__!r} so that this cannot be set")


def _without(target, name):
    kind = type(target).__name__
    given = f'methods=["{name}"]' if name.startswith("__") else "attributes=[...], methods=[...]"
    return f"{name}: the application gave its {kind!r} without it; ringfence.objects.register({kind}, {given}) gives more"


def _method(target, name):
    def method(*arguments, **named):
        return target._ringfence_ask_(["method", target, name, list(arguments), named])

    method.__name__ = name
    return method


def _special(name):
    def method(self, *arguments):
        return self._ringfence_ask_(["method", self, name, list(arguments), {}])

    method.__name__ = name
    return method


def _refused(name):
    """A special method that the application's class has, and the library was not given: without any, Python's own would do, and differ."""

    def refused(self, *_):
        raise TypeError(_without(self, name))

    return refused


class StandIns:
    """All stand-ins of an instance, by the host's numbers."""

    def __init__(self, ask):
        self.ask = ask
        self.released = []
        self._live = weakref.WeakValueDictionary()
        self._kept = {}
        self.new = []
        self._exceptions = {}

    def read(self, found):
        """The stand-in for a value of the host's: the one there is, or a new one."""
        number = found["i"]
        made = self._live.get(number)
        if made is None:
            reference = HostReference(number, self.released)
            made = getattr(self, f"_{found['k']}")(reference, found)
            self._live[number] = made
            self.new.append(made)
        else:
            self.released.append(number)  # it was counted once more on the other side
        if found.get("v"):
            made.fill(found["v"])
        return made

    def settle(self):
        """After an operation: a stand-in on which the library has left something (a decorator's mark) stays for good."""
        for made in self.new:
            if not isinstance(made, HostClass) and getattr(made, "__dict__", None):
                self._kept[host_number(made)] = made
        self.new.clear()

    def _call(self, reference, found):
        ask = self.ask
        # the reference, not the function: a cycle would keep it until the collector runs
        standin = callables.standin(found.get("p"), lambda arguments, named: ask(["call", reference, arguments, named]))
        standin.__name__ = standin.__qualname__ = found["n"] or "callback"
        standin.__module__, standin.__doc__ = "application", found.get("d")
        _REFERENCES[standin] = reference
        return standin

    def _class(self, reference, found):
        ask = self.ask
        space = {
            "__slots__": (),
            "__module__": "application",
            "__new__": callables.constructor(found.get("p"), lambda arguments, named: ask(["call", reference, arguments, named])),
            "_ringfence_class_": reference,
        }
        kind = HostClass if found.get("v") is None else HostEnum
        return kind(found["n"], self._bases(found) or (HostObject,), space, made=True)

    def _bases(self, found):
        return tuple(one for one in found.get("b", ()) if isinstance(one, HostClass))

    def _object(self, reference, found):
        cls = found["c"]
        if not isinstance(cls, HostClass):
            raise Malformed("an object of no class of the application's")
        for name in found["m"]:
            if name.startswith("__") and getattr(vars(cls).get(name), "__name__", "") != name:
                type.__setattr__(cls, name, _special(name))
        for name in found.get("s", ()):
            if name not in vars(cls):
                type.__setattr__(cls, name, _refused(name))
        made = object.__new__(cls)
        made._ringfence_, made._ringfence_ask_ = reference, self.ask
        allowed = {kind: frozenset(found[kind]) for kind in "amw"}
        made._ringfence_allowed_ = allowed | {kind: found[kind] for kind in "xg"}
        return made

    def _file(self, reference, found):
        kind = _TextFile if found["t"] else _BinaryFile
        return kind(reference, self.ask, found)

    def read_exception(self, found):
        """An exception of the application's: of a class that `except` clauses here know, and the same again when it gets back."""
        base = found["c"]
        name = found["n"]
        if name == base.__name__:
            cls = base
        else:
            cls = self._exceptions.get((name, base))
            if cls is None:
                cls = self._exceptions[name, base] = type(base)(name, (base,), {"__module__": "application"})
        arguments = found["a"]
        if "o" in found:  # errors have other numbers here
            arguments = [getattr(errno, found["o"], 0), *arguments[1:]]
        made = cls.__new__(cls, *arguments)
        with contextlib.suppress(TypeError, ValueError):  # the interpreter takes for granted what it sets: a StopIteration's value
            next(one for one in cls.__mro__ if one.__module__ == "builtins").__init__(made, *arguments)
        made.args = tuple(arguments[:2]) if "o" in found else tuple(arguments)
        made.__dict__.update(found.get("v", {}))
        if found["i"]:  # else it is the host's own refusal, and stands for nothing there
            made._ringfence_ = HostReference(found["i"], self.released)
        return made


_REFERENCES = weakref.WeakKeyDictionary()


def host_number(value):
    """The host's number of what a stand-in stands for; None where it is none."""
    kind = type(value)
    if issubclass(kind, HostClass):
        return vars(value)["_ringfence_class_"].number
    if issubclass(type(kind), HostClass) or kind in (_TextFile, _BinaryFile):
        return value._ringfence_.number
    if kind is _FUNCTION:
        found = _REFERENCES.get(value)
        return None if found is None else found.number
    if isinstance(value, BaseException):
        found = value.__dict__.get("_ringfence_")
        return found.number if type(found) is HostReference else None
    return None


_FUNCTION = type(host_number)


def read_member(found):
    """A property, classmethod or staticmethod of a class that the application defines."""
    return _BUILTINS[found["k"]](*found["v"])


_NAMED_TUPLES = {}


def read_named_tuple(found):
    """A named tuple of the application's: one with the same fields."""
    key = found["n"], *found["f"]
    made = _NAMED_TUPLES.get(key)
    if made is None:
        made = _NAMED_TUPLES[key] = collections.namedtuple(found["n"], found["f"], rename=True, module="application")  # noqa: PYI024 -- its fields come at run time
    return made._make(found["v"])


class _File:
    """A file of the application's: what it was opened for, one call there for each here."""

    def __init__(self, reference, ask, found):
        super().__init__()
        self._ringfence_, self._ask, self._modes = reference, ask, found["m"]
        if found["n"] is not None:
            self.name = found["n"]

    def _do(self, name, *arguments):
        return self._ask(["file", self, name, list(arguments)])

    def readable(self):
        return "r" in self._modes

    def writable(self):
        return "w" in self._modes

    def seekable(self):
        return "s" in self._modes

    def read(self, size=-1):
        return self._do("read", size)

    def readline(self, size=-1):
        return self._do("readline", size)

    def readlines(self, hint=-1):
        return list(self._do("readlines", hint))

    def write(self, content):
        return self._do("write", content)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def seek(self, offset, whence=0):
        return self._do("seek", offset, whence)

    def tell(self):
        return self._do("tell")

    def truncate(self, size=None):
        return self._do("truncate", size)

    def flush(self):
        if "w" in self._modes and not self.closed:
            self._do("flush")

    def close(self):
        if not self.closed and "c" in self._modes:
            self._do("close")

    @property
    def closed(self):
        return bool(self._do("closed"))

    def __iter__(self):
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        pass  # the file is the application's: letting go of it closes nothing


class _BinaryFile(_File, io.BufferedIOBase):
    def readinto(self, buffer):
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def read1(self, size=-1):
        return self.read(size)


class _TextFile(_File, io.TextIOBase):
    def __init__(self, reference, ask, found):
        super().__init__(reference, ask, found)
        self._encoding = found["e"]

    @property
    def encoding(self):
        return self._encoding
