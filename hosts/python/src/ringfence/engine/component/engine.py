"""Loads and links components: `seam.Engine` on the wheel's component interface."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from wasmtime.component import Component

from ringfence.contract.limits import Limits
from ringfence.contract.types import InterfaceType, ResourceName
from ringfence.engine.cache import Kind
from ringfence.engine.code import USUAL, Build, Code
from ringfence.engine.component.compiling import component_kind
from ringfence.engine.component.configuration import settings, wasm_engine
from ringfence.engine.component.functions import ExportPlan, ImportPlan
from ringfence.engine.component.instance import ComponentInstance
from ringfence.engine.component.linking import LinkedCode
from ringfence.engine.component.store import Store, host_function
from ringfence.engine.component.types import ComponentTypes, read_types
from ringfence.engine.footprint import Footprint, footprint
from ringfence.engine.seam import Artifacts, Context, FunctionName, Imports, Loaded


class ComponentEngine:
    """Runs components as they are, by wasmtime's own component support: simple and right, the reference for faster engines."""

    def load(self, artifacts: Artifacts) -> LoadedComponent:
        """Compile (or take from the cache) and read the types.

        Raises:
            IntegrityError: it is no component, or one that this engine can't run.
        """
        return LoadedComponent(artifacts)

    def link(self, loaded: Loaded, imports: Imports, *, arrays: bool = False) -> LinkedComponent:
        """Raises LookupError naming every import that `imports` lacks."""
        if not isinstance(loaded, LoadedComponent):
            raise TypeError(f"expected a component that this engine loaded, found {type(loaded).__name__}")
        return LinkedComponent(loaded, imports, arrays=arrays)


class LoadedComponent:
    """`seam.Loaded`: the types, what an instance makes, and the compiled code for each build that was asked for."""

    def __init__(self, artifacts: Artifacts) -> None:
        self.code = Code(_kind, artifacts.component, artifacts.digest, artifacts.cache)
        first = self.code.of(USUAL)
        self.types: ComponentTypes = read_types(first, wasm_engine(USUAL))
        self.made = Footprint.from_data(self.code.note)
        self.resource_ids: Mapping[ResourceName, int] = {
            resource: number for number, resource in enumerate(dict.fromkeys(self.types.named.values()), start=1)
        }

    @property
    def imports(self) -> Mapping[str, InterfaceType]:
        return self.types.imports

    @property
    def exports(self) -> Mapping[str, InterfaceType]:
        return self.types.exports

    @property
    def cached(self) -> bool:
        return self.code.cached

    @property
    def kept(self) -> list[Path | None]:
        return self.code.kept


def _kind(build: Build) -> Kind[Component]:
    return component_kind(wasm_engine(build), settings(build), note=lambda binary: footprint(memoryview(binary)).to_data())


class LinkedComponent:
    """`seam.Linked`: the host functions as C functions, made once, and a linker for each build that was asked for."""

    def __init__(self, loaded: LoadedComponent, imports: Imports, *, arrays: bool) -> None:
        functions = {(interface, name): kind for interface, declared in loaded.imports.items() for name, kind in declared.functions.items()}
        missing = [f"{interface}.{name}" if interface else name for interface, name in functions if (interface, name) not in imports]
        if missing:
            raise LookupError(f"no host function for {', '.join(missing)}")
        self._loaded = loaded
        self._callbacks = {
            (interface, name): host_function(ImportPlan(f"{interface}.{name}", kind, loaded.resource_ids, imports[interface, name]))
            for (interface, name), kind in functions.items()
        }
        self._exports: dict[FunctionName, ExportPlan] = {
            (interface, name): ExportPlan(name, kind, loaded.resource_ids, arrays=arrays)
            for interface, declared in loaded.exports.items()
            for name, kind in declared.functions.items()
        }
        self._codes: dict[Build, LinkedCode] = {}
        self._lock = threading.Lock()

    def prepare(self, limits: Limits) -> None:
        """See `seam.Linked.prepare`."""
        self._code(Build.of(limits))

    def instantiate(self, limits: Limits, context: Context) -> ComponentInstance:
        """See `seam.Linked.instantiate`.

        Raises:
            LimitExceeded: it needs more memory than its limits allow.
            GuestTrap: its start code trapped.
            BaseException: what a host function or the context raised, unchanged.
        """
        code = self._code(Build.of(limits))
        instance = ComponentInstance(Store(code.engine, limits, self._loaded.made, code), code)
        try:
            instance.start(context)
        except BaseException:
            instance.close()
            raise
        return instance

    def _code(self, build: Build) -> LinkedCode:
        with self._lock:
            code = self._codes.get(build)
            if code is None:
                loaded = self._loaded
                code = LinkedCode(wasm_engine(build), loaded.code.of(build), self._exports)
                code.define(loaded.types, loaded.resource_ids, self._callbacks)
                self._codes[build] = code
            return code
