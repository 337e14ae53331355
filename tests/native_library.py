"""The guest's half in this process, in the place of a component: what it answers is the same, and it is there at once."""

from __future__ import annotations

import importlib
import itertools
import json
import sys
from pathlib import Path
from typing import Any

from places import ROOT
from ringfence.objects import agreed
from ringfence.objects.agreed import codec, reading, standard, terms, writing
from ringfence.objects.api import Api, checked
from ringfence.objects.connection import Connection
from ringfence.objects.library import Library
from ringfence.objects.proxies import RemoteModule

BRIDGE = ROOT / "components" / "object-bridge" / "src"
TOYS = ROOT / "tests" / "host" / "objects" / "toys"
for place in (BRIDGE, TOYS):
    if str(place) not in sys.path:
        sys.path.append(str(place))
for one in (agreed, codec, reading, standard, terms, writing):
    sys.modules[one.__name__.replace("ringfence.objects", "ringfence_bridge")] = one
bridge = importlib.import_module("ringfence_bridge.bridge")
_tokens = itertools.count()


class Here(bridge.Bridge):
    """The bridge, which leaves this process's event loops, warnings and logs alone."""

    def still_event_loops(self) -> None:
        pass

    def move_in(self) -> None:
        pass


class Call:
    """A call that may ask, and never ends."""

    node = "library"

    def __init__(self, root: Any) -> None:
        self.root = root

    def remaining(self) -> float:
        return 10.0

    def check(self) -> None:
        if self.root.reason is not None:
            raise self.root.reason


class NativeGraph:
    """What a connection needs of a graph. `perform` may be given: a guest that lies."""

    def __init__(self, modules: list[str], perform: Any = None) -> None:
        self._call: Any = None
        self.bridge = Here(modules, self._ask, lambda record: None)
        self._perform = perform or self.bridge.perform
        self.all_denials: list[Any] = []
        self.asked: list[str] = []

    def _ask(self, request: str) -> str:
        self.asked.append(request)
        return self._call.root.answer(self._call, request)

    def call_as(self, root: Any, name: str, text: str) -> str:
        self._call = Call(root)
        return self._perform(text)

    def close(self) -> None:
        pass


def api_of(modules: list[str]) -> Api:
    """The API of modules, as the guest's half tells it."""
    found = json.loads(NativeGraph(modules).bridge.perform(f'[{next(_tokens)},[],"hello",{{"api":false,"level":30}}]'))
    assert found == [0, None]
    one = NativeGraph(modules)
    one.bridge.perform('[1,[],"hello",{"api":false,"level":30}]')
    return Api(checked(json.loads(one.bridge.perform('[1,[],"describe"]'))[1], "here"))


class NativeLibrary(Library):
    """A library whose instances live in this process."""

    def __init__(self, name: str, modules: list[str], *, api: bool = True, perform: Any = None) -> None:
        super().__init__(name, "1.0", "library", Path("nowhere"), api_of(modules) if api else None)
        self.modules, self.perform_instead = modules, perform
        self.graphs: list[NativeGraph] = []

    def connect(self, **_: Any) -> Connection:
        return Connection(self, self._native)

    def _native(self) -> NativeGraph:
        self.graphs.append(NativeGraph(self.modules, self.perform_instead))
        return self.graphs[-1]


class Names:
    """A library's module, by its API: what a shim module is, without a file."""

    def __init__(self, library: Library, module: str) -> None:
        self._library, self._module = library, module

    def __getattr__(self, name: str) -> Any:
        member = self._library.api.modules[self._module]["members"].get(name, {"kind": "value"})
        match member["kind"]:
            case "function":
                return self._library.function(member["of"])
            case "class":
                return self._library.needed_class(member["of"])
        return self._library.perform("get", RemoteModule(self._module, self._library), name)
