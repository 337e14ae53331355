"""Loads and links components: `seam.Engine` on the wheel's component interface."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from wasmtime import Engine, WasmtimeError
from wasmtime.component import Component

from ringfence.contract.errors import IntegrityError
from ringfence.contract.limits import Limits
from ringfence.contract.types import InterfaceType, ResourceName
from ringfence.engine.cache import compile_component
from ringfence.engine.component.configuration import SETTINGS, wasm_engine
from ringfence.engine.component.functions import ExportPlan, ImportPlan
from ringfence.engine.component.instance import ComponentInstance
from ringfence.engine.component.linking import Code
from ringfence.engine.component.store import Store, host_function
from ringfence.engine.component.types import ComponentTypes, read_types
from ringfence.engine.footprint import Footprint, footprint
from ringfence.engine.seam import Artifacts, Context, FunctionName, Imports, Loaded

_USUAL_STACK = Limits().stack


class ComponentEngine:
    """Runs components as they are, by wasmtime's own component support: simple and right, the reference for faster engines."""

    def load(self, artifacts: Artifacts) -> LoadedComponent:
        """Compile (or take from the cache) and read the types.

        Raises:
            IntegrityError: it is no component, or one that this engine can't run.
        """
        return LoadedComponent(artifacts)

    def link(self, loaded: Loaded, imports: Imports) -> LinkedComponent:
        """Raises LookupError naming every import that `imports` lacks."""
        if not isinstance(loaded, LoadedComponent):
            raise TypeError(f"expected a component that this engine loaded, found {type(loaded).__name__}")
        return LinkedComponent(loaded, imports)


class LoadedComponent:
    """`seam.Loaded`: the types, what an instance makes, and the compiled code for each stack size that was asked for."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._compiled: dict[int, Component] = {}
        self._lock = threading.Lock()
        first = self.compiled(_USUAL_STACK)
        self.types: ComponentTypes = read_types(first, wasm_engine(_USUAL_STACK))
        self.made: Footprint = footprint(memoryview(artifacts.component.read_bytes()))
        self.resource_ids: Mapping[ResourceName, int] = {
            resource: number for number, resource in enumerate(dict.fromkeys(self.types.named.values()), start=1)
        }

    @property
    def imports(self) -> Mapping[str, InterfaceType]:
        return self.types.imports

    @property
    def exports(self) -> Mapping[str, InterfaceType]:
        return self.types.exports

    def compiled(self, stack: int) -> Component:
        """The compiled component for guests with this much stack; compiled once, whatever the stack."""
        with self._lock:
            found = self._compiled.get(stack)
            if found is None:
                engine = wasm_engine(stack)
                if self._compiled:
                    code = next(iter(self._compiled.values())).serialize()
                    found = Component.deserialize(engine, code)
                else:
                    found = _compile(engine, self._artifacts)
                self._compiled[stack] = found
            return found


def _compile(engine: Engine, artifacts: Artifacts) -> Component:
    try:
        return compile_component(engine, artifacts.component, digest=artifacts.digest, settings=SETTINGS, cache=artifacts.cache)
    except WasmtimeError as error:
        reason = str(error).splitlines()[0]
        raise IntegrityError(f"{artifacts.component.name} is no component that this engine can run: {reason}") from error


class LinkedComponent:
    """`seam.Linked`: the host functions as C functions, made once, and a linker for each stack size that was asked for."""

    def __init__(self, loaded: LoadedComponent, imports: Imports) -> None:
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
            (interface, name): ExportPlan(name, kind, loaded.resource_ids)
            for interface, declared in loaded.exports.items()
            for name, kind in declared.functions.items()
        }
        self._codes: dict[int, Code] = {}
        self._lock = threading.Lock()

    def instantiate(self, limits: Limits, context: Context) -> ComponentInstance:
        """See `seam.Linked.instantiate`.

        Raises:
            LimitExceeded: it needs more memory than its limits allow.
            GuestTrap: its start code trapped.
            BaseException: what a host function or the context raised, unchanged.
        """
        code = self._code(limits.stack)
        instance = ComponentInstance(Store(code.engine, limits, self._loaded.made, code), code)
        try:
            instance.start(context)
        except BaseException:
            instance.close()
            raise
        return instance

    def _code(self, stack: int) -> Code:
        with self._lock:
            code = self._codes.get(stack)
            if code is None:
                loaded = self._loaded
                code = Code(wasm_engine(stack), loaded.compiled(stack), self._exports)
                code.define(loaded.types, loaded.resource_ids, self._callbacks)
                self._codes[stack] = code
            return code
