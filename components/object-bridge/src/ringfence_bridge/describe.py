"""What a library offers, read from its loaded modules: the content of api.json, and the records of single classes.

It runs in the fence. What it writes is data: the host checks every name in it before one is used, and takes the rest as text.
"""

import abc
import collections.abc
import datetime as dt
import inspect
import sys
import types
import typing

from .agreed import standard
from .agreed.codec import Codec
from .agreed.terms import OPERATORS, Uncrossable

VERSION = 1
_TEXT = 20_000
"""Characters of a docstring that are kept."""

_ABCS = tuple(getattr(collections.abc, name) for name in collections.abc.__all__)
_DROPPED = frozenset({abc.ABC, typing.Generic, typing.Protocol})
_LIVE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type, types.ModuleType)
_LOADERS = frozenset(f"__{name}__" for name in ["all", "builtins", "cached", "doc", "file", "loader", "name", "package", "path", "spec"])
_writer = Codec()


class Names:
    """The names by which the host knows a library's functions and classes: `module:qualified.name`.

    `modules` are the library's; what else they show is not theirs.
    """

    def __init__(self, modules):
        self.modules = tuple(modules)
        self._keys = {}  # id -> key, object
        self._values = {}
        for name in self.modules:
            for attribute, value in list(vars(sys.modules[name]).items()):
                if isinstance(value, types.FunctionType | type):
                    self._note(value, f"{name}:{attribute}")

    def _note(self, value, place):
        if id(value) in self._keys or not self.owns(value):
            return
        named = f"{value.__module__}:{value.__qualname__}"
        key = named if find(named) is value else place
        self._keys[id(value)] = (key, value)
        self._values[key] = value
        if isinstance(value, type):
            for name, inner in list(vars(value).items()):
                if isinstance(inner, type):
                    self._note(inner, f"{key}.{name}")

    def owns(self, value):
        """Whether a function or class is the library's own."""
        return getattr(value, "__module__", None) in self.modules

    def key(self, value):
        """The key of a function or class of the library; None of others."""
        found = self._keys.get(id(value))
        return found[0] if found is not None and found[1] is value else None

    def value(self, key):
        """The function or class of a key, whatever its module has under that name by now."""
        return self._values[key] if key in self._values else find(key)

    def items(self):
        """Every key, with what it names."""
        return list(self._keys.values())


def find(key):
    """What a key leads to; None where it leads nowhere."""
    module, _, path = key.partition(":")
    found = sys.modules.get(module)
    for name in path.split("."):
        found = inspect.getattr_static(found, name, None) if isinstance(found, type) else getattr(found, name, None)
    return found


def api(names):
    """api.json, as plain data."""
    classes, functions, keyed = {}, {}, {}
    pending = []

    def refer(cls):
        key = names.key(cls) or _foreign_key(cls)
        while not _both_have(cls) and keyed.setdefault(key, cls) is not cls:
            key += "'"  # a decorator that derives a class has it be called as the one that it was given
        if key not in classes and not _both_have(cls):
            classes[key] = None
            pending.append((key, cls))
        return key

    modules = {name: _module(sys.modules[name], name, names) for name in names.modules}
    for key, value in names.items():
        if isinstance(value, type):
            refer(value)
        else:
            functions[key] = _function(value)
    while pending:
        key, cls = pending.pop()
        classes[key] = class_record(cls, refer, names)
    return {"ringfence_api": VERSION, "modules": modules, "functions": functions, "classes": classes}


def _foreign_key(cls):
    """The key of a class that is not the library's."""
    return (standard.exception_key(cls) if issubclass(cls, BaseException) else None) or f"{cls.__module__}:{cls.__qualname__}"


def _both_have(cls):
    """Whether the host has the very class."""
    return cls.__module__ == "builtins" or cls is dt.tzinfo or (issubclass(cls, BaseException) and standard.exception_key(cls))


def _module(module, name, names):
    listed = getattr(module, "__all__", None)
    listed = [str(one) for one in listed] if isinstance(listed, list | tuple) else None
    members = {
        attribute: _module_member(value, names)
        for attribute, value in sorted(vars(module).items())
        if attribute.isidentifier() and (not attribute.startswith("__") or attribute in (listed or ()) or _is_told(attribute, value))
    }
    return {"doc": _text(module.__doc__), "package": hasattr(module, "__path__"), "all": listed, "members": members}


def _is_told(attribute, value):
    """Whether a module says something of itself by this: `__version__`, `__license__`; its loader's names say nothing."""
    return attribute not in _LOADERS and isinstance(value, str | int | tuple)


def _module_member(value, names):
    if isinstance(value, types.ModuleType):
        return {"kind": "module", "of": value.__name__} if value.__name__ in names.modules else {"kind": "value"}
    key = names.key(value) if isinstance(value, types.FunctionType | type) else None
    if key is not None:
        return {"kind": "class" if isinstance(value, type) else "function", "of": key}
    constant = None if isinstance(value, _LIVE) else _constant(value)
    return {"kind": "value"} if constant is None else {"kind": "constant", "value": constant}


def _constant(value):
    """The text of a value that never changes; None for others."""
    if isinstance(value, bool | int | float | complex | str | bytes | tuple | frozenset | type(None)):
        try:
            return _writer.dumps(value)
        except (Uncrossable, RecursionError):
            return None
    return None


def _function(value):
    return {"doc": _text(value.__doc__), "signature": signature(value), "async": inspect.iscoroutinefunction(value)}


def signature(value):
    """A signature as data; None where there is none.

    A parameter is its name, its kind (0 to 4, as `inspect` counts them) and what of default and annotation it has: a default of data as
    the text that stands for it, of anything else as text to show.
    """
    try:
        found = inspect.signature(value)
    except (ValueError, TypeError, NameError, AttributeError):
        return None
    parameters = []
    for one in found.parameters.values():
        record = {"name": one.name, "kind": int(one.kind)}
        if one.default is not one.empty:
            constant = _constant(one.default)
            record |= {"shown": _text(_shown(one.default))} if constant is None else {"default": constant}
        if one.annotation is not one.empty:
            record["annotation"] = _text(_annotation(one.annotation))
        parameters.append(record)
    returns = {} if found.return_annotation is found.empty else {"returns": _text(_annotation(found.return_annotation))}
    return {"parameters": parameters, **returns}


def _annotation(value):
    return value if isinstance(value, str) else inspect.formatannotation(value)


def _shown(value):
    try:
        return getattr(value, "__qualname__", None) or repr(value)
    except Exception:
        return "..."


def class_record(cls, refer, names, *, brief=False):
    """A class as data; `refer` gives what stands for another class. `brief`: without docstrings and signatures."""
    record = {
        "name": cls.__name__,
        "qualname": cls.__qualname__,
        "module": str(cls.__module__),
        "bases": [refer(base) for base in cls.__bases__ if base not in _DROPPED],
        "members": {},
    }
    if not brief:
        record |= {"doc": _text(cls.__doc__ if isinstance(cls.__doc__, str) else None), "signature": signature(cls)}
    fields = getattr(cls, "_fields", None)
    if issubclass(cls, tuple) and isinstance(fields, tuple) and all(isinstance(one, str) for one in fields):
        record["fields"] = list(fields)
    record["abcs"] = [one.__name__ for one in _ABCS if _is_abc(cls, one)]
    for name, value in list(vars(cls).items()):
        if name.isidentifier() and (not name.startswith("__") or not name.endswith("__") or name in OPERATORS):
            record["members"][name] = _member(cls, name, value, names, brief)
    return record


def _is_abc(cls, one):
    """Whether a class says itself that it is one of these; what only its methods say is found on the other side as well."""
    try:
        return one in cls.__mro__ or (issubclass(cls, one) and not any(issubclass(base, one) for base in cls.__bases__))
    except Exception:
        return False


def _member(cls, name, value, names, brief):
    if name == "__hash__" and value is None:
        return {"kind": "none"}
    if isinstance(value, type):
        key = names.key(value)
        return {"kind": "value"} if key is None else {"kind": "class", "of": key}
    kind = "class" if isinstance(value, classmethod) else "static" if isinstance(value, staticmethod) else None
    if kind is None:
        if not (callable(value) and hasattr(type(value), "__get__")):
            return {"kind": "value"}
        kind = "method"
    record = {"kind": f"{kind}method" if kind != "method" else kind}
    if not brief:
        inner = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        record |= {"doc": _text(getattr(inner, "__doc__", None)), "signature": signature(inner)}
    return record


def _text(value):
    return str(value)[:_TEXT] if isinstance(value, str) else None
