"""What the modules of a wrapped library's package consist of: two lines each, the same in all of them.

    from ringfence.objects.shim import load
    load(__name__, __file__, "pyyaml_ringfence")

The last name is the folder beside the package in which the library's lock, artifacts and API lie. The members of a module are made when
they are asked for; what the API does not know is asked of the library.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ringfence.objects.bounds import BoundedCodec
from ringfence.objects.library import Library

_reader = BoundedCodec()
_MACHINERY = frozenset(
    f"__{name}__"
    for name in (
        *("all", "annotations", "builtins", "cached", "class", "conditional_annotations", "dict", "doc", "file", "loader", "name"),
        *("package", "path", "spec", "ringfence", "warningregistry"),
    )
)


class ShimModule(ModuleType):
    """A module of a wrapped library."""

    __ringfence__: Library

    def __getattr__(self, name: str) -> Any:
        if name in _MACHINERY or (name.startswith("__") and name.endswith("__") and name not in _record(self)["members"]):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found, lasting = _member(self, name, _record(self)["members"].get(name))
        if lasting:
            ModuleType.__setattr__(self, name, found)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        ModuleType.__setattr__(self, name, value)
        if name not in _MACHINERY and not isinstance(value, ModuleType):
            self.__ringfence__.perform("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        ModuleType.__delattr__(self, name)
        if name not in _MACHINERY and name not in self.__ringfence__.api.modules:  # type: ignore[union-attr]
            self.__ringfence__.perform("restore", self, name)

    def __dir__(self) -> list[str]:
        record = _record(self)
        return sorted({*self.__dict__, *record["members"]})


def _record(module: ShimModule) -> dict[str, Any]:
    api = module.__ringfence__.api
    assert api is not None  # noqa: S101 -- an installed library has one
    record: dict[str, Any] = api.modules[module.__name__]
    return record


def _member(module: ShimModule, name: str, record: Any) -> tuple[Any, bool]:
    """A member, and whether it stays the same."""
    library = module.__ringfence__
    match record:
        case {"kind": "function", "of": str() as key}:
            return library.function(key), True
        case {"kind": "class", "of": str() as key}:
            return library.needed_class(key), True
        case {"kind": "constant", "value": str() as text}:
            return _reader.loads(text), True
        case {"kind": "module", "of": str() as other}:
            return library.module(other, None), True
    return library.perform("get", module, name), False


def load(name: str, file: str, data: str) -> None:
    """Make the module that calls this one of the wrapped library whose data lies beside it.

    Raises:
        IntegrityError: there are no such data.
        ImportError: the library has no such module.
    """
    module = sys.modules[name]
    path = Path(file)
    depth = name.count(".") + (path.stem == "__init__")
    library = Library.at(path.parents[depth] / data)
    api = library.api
    if api is None or name not in api.modules:
        raise ImportError(f"{library.name} {library.version} has no module {name}", name=name)
    record = api.modules[name]
    space = module.__dict__
    space.pop("load", None)
    space["__ringfence__"] = library
    doc = record.get("doc")
    space["__doc__"] = doc if isinstance(doc, str) else None
    listed = record.get("all")
    space["__all__"] = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else _public(record)
    module.__class__ = ShimModule


def _public(record: dict[str, Any]) -> list[str]:
    """What `from module import *` takes where the library lists nothing."""
    return [name for name in record["members"] if not name.startswith("_")]
