"""A wrapped library as it is installed: its lock, its API, and the connections through which this process uses it."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import re
import sys
import threading
import weakref
from collections.abc import Mapping
from contextvars import ContextVar, Token
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ringfence.contract.errors import IntegrityError, UsageError
from ringfence.contract.files import read_regular
from ringfence.objects.agreed.terms import COMMON, Malformed
from ringfence.objects.api import MODULE, Api
from ringfence.objects.building import build_class, checked, dress
from ringfence.objects.classes import ClassInfo
from ringfence.objects.crossing import Key, exception_of
from ringfence.objects.doubles import doubled
from ringfence.objects.proxies import RemoteModule

if TYPE_CHECKING:
    from ringfence.graph import Graph
    from ringfence.objects.connection import Connection

Instances: TypeAlias = Literal["process", "thread"]
"""Which callers share an instance of a library: all of the process, or those of one thread."""

APPLICATION = "application"
_MODULES = COMMON | {"xml", "xml.dom", "xml.dom.minidom", "xml.etree", "xml.etree.ElementTree", "xml.sax.saxutils"}
"""Modules that can be given to a library, which then takes its own: what they do outside of the process, it does with its own grants."""
_libraries: dict[str, Library] = {}
_open: weakref.WeakSet[Connection] = weakref.WeakSet()


class Library:
    """One wrapped library. Its connections are made when they are first needed."""

    def __init__(self, name: str, version: str, node: str, lock: Path, api: Api | None) -> None:
        self.name, self.version, self.lock, self.api = name, version, lock, api
        self._distribution = re.sub(r"[-_.]+", "-", name).lower()  # as the policy file names it
        self._root = lock.parent.parent  # where its packages lie
        self.node = node
        self.function_name = f"{node}.perform"
        self.has_api = api is not None
        self.instances: Instances = "process"
        self.options: dict[str, Any] = {}
        self.warned: dict[Any, Any] = {}  # as `__warningregistry__` of its modules
        self._present: ContextVar[Connection | None] = ContextVar(f"ringfence {name}", default=None)
        self._shared: Connection | None = None
        self._own = threading.local()
        self._guard = threading.Lock()
        self._functions: dict[str, Any] = {}
        self._classes: dict[str, Any] = {}
        self._modules: dict[str, RemoteModule] = {}

    @classmethod
    def at(cls, folder: Path) -> Library:
        """The library whose data lies in a folder; one for each folder.

        Raises:
            IntegrityError: what is there is none.
        """
        key = os.fspath(folder)
        found = _libraries.get(key)
        if found is None:
            about = _about(folder / "library.json")
            made = cls(about["name"], about["version"], about["node"], folder / "graph.lock.json", Api.read(folder / "api.json"))
            found = _libraries.setdefault(key, made)
        return found

    # connections

    def connection(self) -> Connection:
        """The present connection: the one whose `with` block runs, else that of the process or the thread."""
        present = self._present.get()
        if present is not None:
            return present
        if self.instances == "thread":
            own: Connection | None = getattr(self._own, "connection", None)
            if own is None:
                own = self._own.connection = self.connect()
            return own
        if self._shared is None:
            with self._guard:
                if self._shared is None:
                    self._shared = self.connect()
        return self._shared

    def connect(self, *, substitutes: Mapping[str, Any] | None = None, **options: Any) -> Connection:
        """A new connection, to an instance of its own; see `ringfence.objects.connect`."""
        from ringfence.objects.connection import Connection

        chosen = {name: value for name, value in options.items() if value is not None}
        made = Connection(self, lambda: self._graph(**{**self.options, **chosen}), substitutes or {})
        _open.add(made)
        return made

    def _graph(self, *, grants: Mapping[str, Any] | None = None, parameters: Mapping[str, object] | None = None) -> Graph:
        from ringfence import packaged

        by_node = None if grants is None else {self.node: self._with_values(grants)}
        return packaged.load(self.lock.parent, self._distribution, parameters=parameters, grants=by_node)

    def _with_values(self, grants: Mapping[str, Any]) -> Mapping[str, Any]:
        """The grants, and the use of what the application passes, which it gives each time anyway; `application: None` takes that away."""
        from ringfence.contract.lock import HOST  # -- not by an import of the library: it comes with the graph
        from ringfence.loading import read_lock

        lock = read_lock(self.lock, None).lock
        given = any(edge.consumer == self.node and edge.provider == HOST and APPLICATION in edge.grant for edge in lock.edges)
        chosen = {APPLICATION: "values", **grants} if given else grants
        return {kind: form for kind, form in chosen.items() if kind != APPLICATION or form is not None}

    def configure(self, instances: Instances | None, **options: Any) -> None:
        """See `ringfence.objects.configure`."""
        with self._guard:
            if self._shared is not None or getattr(self._own, "connection", None) is not None:
                raise UsageError(f"{self.name} is in use already", hint="configure it before its first use")
            if instances not in (None, "process", "thread"):
                raise UsageError(f"instances: expected 'process' or 'thread', found {instances!r}")
            chosen = {name: value for name, value in options.items() if value is not None}
            self._graph(**{**self.options, **chosen}).close()  # what is wrong is said now
            self.instances, self.options = instances or self.instances, {**self.options, **chosen}

    def enter(self, connection: Connection) -> Token[Connection | None]:
        """Make a connection the present one."""
        return self._present.set(connection)

    def leave(self, token: Token[Connection | None]) -> None:
        """The one before is the present one again."""
        self._present.reset(token)

    def perform(self, name: str, *operands: Any) -> Any:
        """What an operation gives, in the present connection."""
        connection = self._present.get() or self._shared or self.connection()
        if connection.substitutes:
            return doubled(connection.substitutes, name, operands)
        return connection.perform(name, *operands)

    def end(self) -> None:
        """End the instances of the process's and this thread's connections; the next call gets new ones."""
        for one in (self._shared, getattr(self._own, "connection", None)):
            if one is not None:
                one.end()

    def forked(self) -> None:
        """In a child process: the connections are the parent's."""
        self._guard = threading.Lock()
        self._shared = None
        self._own = threading.local()

    # what it offers

    def function(self, key: Any) -> Any:
        """The function of a key.

        Raises:
            LookupError: there is none.
        """
        found = self._functions.get(key)
        if found is None:
            if self.api is None or key not in self.api.functions:
                raise LookupError(f"no function {ascii(key)[:80]}")
            found = self._functions.setdefault(key, self._made(key, self.api.functions[key]))
        return found

    def _made(self, key: str, record: Mapping[str, Any]) -> Any:
        target, perform = Key(key), self.perform

        def remote(*arguments: Any, **named: Any) -> Any:
            return perform("call", target, list(arguments), named) if named else perform("call", target, list(arguments))

        module, _, qualname = key.partition(":")
        dress(
            remote,
            checked(qualname.rpartition(".")[2]) if qualname.rpartition(".")[2].isidentifier() else "function",
            qualname,
            module,
            record,
        )
        remote.__ringfence_key__ = target  # type: ignore[attr-defined]
        return remote

    def class_of(self, key: str) -> Any:
        """The class of a key; None where the API has none."""
        found = self._classes.get(key)
        if found is None and self.api is not None and key in self.api.classes:
            record = self.api.classes[key]
            bases = [self._base(base) for base in record["bases"]]
            made = build_class(record, bases, ClassInfo(self, key), self.needed_class)
            found = self._classes.setdefault(key, made)
        return found

    def _base(self, key: Any) -> Any:
        module, _, name = key.partition(":")
        if module == "builtins" and name in _BUILTINS:
            return _BUILTINS[name]
        if key == "datetime:tzinfo":
            return dt.tzinfo
        try:
            return exception_of(name if module == "builtins" else key)
        except LookupError:
            return object if module == "builtins" else self.needed_class(key)

    def needed_class(self, key: str) -> Any:
        """The class of a key, which must be there."""
        found = self.class_of(key)
        if found is None:
            raise Malformed(f"no class {ascii(key)[:80]}")
        return found

    def module(self, name: Any, performer: Any) -> Any:
        """A module by its name: the package's own, or one that only the library has."""
        if type(name) is not str:
            raise Malformed("a module without a name")
        if self.api is not None and name in self.api.modules and self._installed(name):
            return importlib.import_module(name)
        found = self._modules.get(name)
        if found is None:
            found = self._modules[name] = RemoteModule(name, performer or self)
        return found

    def names(self, value: Any) -> bool:
        """Whether a class or function is found in this package where its module and name say."""
        module = value.__module__
        if self.api is None or module not in self.api.modules or not self._installed(module):
            return False
        found: Any = importlib.import_module(module)
        for name in value.__qualname__.split("."):
            found = getattr(found, name, None)
        return found is value

    def _installed(self, name: str) -> bool:
        """Whether importing a module gives this library's, and nothing else of that name."""
        top = name.partition(".")[0]
        loaded = sys.modules.get(top)
        if loaded is not None:
            return getattr(loaded, "__ringfence__", None) is self
        found = importlib.util.find_spec(top)
        if found is None or found.origin not in (os.fspath(self._root / f"{top}.py"), os.fspath(self._root / top / "__init__.py")):
            return False
        try:  # beside it there is all that is installed
            return read_regular(Path(found.origin), 1000) == MODULE % self.lock.parent.name.encode()
        except (OSError, ValueError):
            return False

    def module_json(self, module: ModuleType) -> Any:
        """JSON for one of the package's modules."""
        from ringfence.objects.errors import NotCarried

        name = module.__name__
        if sys.modules.get(name) is module and (name in _MODULES or (self.api is not None and name in self.api.modules)):
            return {"$": "m", "v": name}
        what = f"the module {name} cannot be given to {self.name}"
        raise NotCarried(what, hint="give it the functions that it needs; of the standard library, it has what stays in the process")


_BUILTINS: dict[str, type] = {
    one.__name__: one for one in (bool, int, float, complex, str, bytes, bytearray, tuple, frozenset, list, dict, set, object, type)
}


def _about(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_regular(path, 1 << 20))
        if found["ringfence_library"] != 1 or not all(isinstance(found[name], str) for name in ("name", "version", "node")):
            raise ValueError("fields")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise IntegrityError(f"{path}: not a wrapped library's", hint="install the package again") from error
    return dict(found)


def library_of(name: str) -> Library:
    """The wrapped library that gives an import name.

    Raises:
        UsageError: that is no wrapped library's.
    """
    module = sys.modules.get(name)
    if module is None:
        module = importlib.import_module(name)
    found = getattr(module, "__ringfence__", None)
    if not isinstance(found, Library):
        raise UsageError(f"{name} is no wrapped library", hint="wrap it with: compose wrap")
    return found


def _forked() -> None:
    for one in list(_open):
        one.forked()
    for library in _libraries.values():
        library.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
