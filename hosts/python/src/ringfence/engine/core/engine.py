"""Loads and links components as merged core modules: `seam.Engine` on the wheel's core interface."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ringfence.contract.errors import IntegrityError
from ringfence.contract.limits import Limits
from ringfence.contract.names import digest_of
from ringfence.contract.types import Borrow, FunctionType, InterfaceType, Own
from ringfence.engine.cache import Kind
from ringfence.engine.callbacks import CFunction
from ringfence.engine.code import Build, Code
from ringfence.engine.core.configuration import settings, wasm_engine
from ringfence.engine.core.functions import Compilers, ExportPlan, ImportPlan
from ringfence.engine.core.instance import CoreInstance
from ringfence.engine.core.layout import holds
from ringfence.engine.core.machine import Engine, Linker, Module, Refused
from ringfence.engine.core.plan import Plan, Trampoline, read_plan
from ringfence.engine.core.store import Store
from ringfence.engine.core.trampolines import builtin_function, host_function
from ringfence.engine.faults import plain
from ringfence.engine.footprint import BinaryReader, Footprint, module_footprint
from ringfence.engine.seam import Artifacts, Context, Edge, FunctionName, HostFunction, Imports, Loaded

_TAGS, _MOST_PAGES = 13, 1 << 16


class CoreEngine:
    """Runs components from their merged core module and plan: the fast engine, and the usual one."""

    def load(self, artifacts: Artifacts) -> LoadedCore:
        """Compile (or take from the cache) and read the plan.

        Raises:
            IntegrityError: there is no module or plan, they do not belong together, or this engine can't run them.
        """
        return LoadedCore(artifacts)

    def link(self, loaded: Loaded, imports: Imports, *, arrays: bool = False) -> LinkedCore:
        """Raises LookupError naming every import that `imports` lacks."""
        if not isinstance(loaded, LoadedCore):
            raise TypeError(f"expected a component that this engine loaded, found {type(loaded).__name__}")
        return LinkedCore(loaded, imports, arrays=arrays)


class LoadedCore:
    """`seam.Loaded`: the plan, what an instance makes, and the compiled code for each build that was asked for."""

    def __init__(self, artifacts: Artifacts) -> None:
        if artifacts.module is None or artifacts.plan is None or artifacts.module_digest is None:
            raise IntegrityError(f"{artifacts.component.name} has no core module and plan; compose the graph again")
        data = artifacts.plan.read_bytes()
        if artifacts.plan_digest is not None and digest_of(data) != artifacts.plan_digest:
            raise IntegrityError(f"{artifacts.plan.name}: expected {artifacts.plan_digest}, found {digest_of(data)}")
        self.plan: Plan = read_plan(data)
        if (self.plan.component, self.plan.module) != (artifacts.digest, artifacts.module_digest):
            raise IntegrityError(f"{artifacts.plan.name} is the plan of another component or module")
        self.code = Code(_kind, artifacts.module, artifacts.module_digest, artifacts.cache)
        self.made = Footprint.from_data(self.code.note)
        self.compilers = Compilers()

    @property
    def imports(self) -> Mapping[str, InterfaceType]:
        return self.plan.imports

    @property
    def exports(self) -> Mapping[str, InterfaceType]:
        return self.plan.exports

    @property
    def cached(self) -> bool:
        return self.code.cached

    @property
    def kept(self) -> list[Path | None]:
        return self.code.kept


def _kind(build: Build) -> Kind[Module]:
    return module_kind(wasm_engine(build), settings(build))


def module_kind(engine: Engine, settings: str) -> Kind[Module]:
    """How merged modules are compiled for this engine, which has these settings; what is noted is their footprint."""
    return Kind(
        name="module",
        settings=settings,
        compile=partial(Module.compile, engine),
        load=partial(Module.deserialize_file, engine),
        revive=partial(Module.deserialize, engine),
        refusal=Refused,
        note=lambda binary: _footprint(memoryview(binary)).to_data(),
    )


def _footprint(binary: memoryview) -> Footprint:
    """The memories and tables of one instance; where it throws exceptions, the heap that these live in counts as another memory."""
    made, reader = module_footprint(BinaryReader(binary)), BinaryReader(binary)
    made.instances = 1
    reader.preamble()
    while not reader.done:
        section, _ = reader.byte(), reader.piece(reader.number())
        if section == _TAGS:
            made.memories[0, _MOST_PAGES] += 1
    return made


class LinkedCode:
    """A module and what it imports, ready to instantiate on one engine. Kept alive by every store it runs in."""

    def __init__(self, engine: Engine, module: Module, callbacks: list[tuple[Trampoline, CFunction]]) -> None:
        self.engine, self._keep = engine, (module, callbacks)
        linker = Linker(engine)
        try:
            for index, (trampoline, callback) in enumerate(callbacks):
                linker.define(b"t", str(index).encode(), trampoline.params, trampoline.results, callback.address)
            self._prepared = linker.prepared(module)
        except Refused as error:
            raise IntegrityError(f"the core module does not fit its plan: {plain(str(error))}") from error
        self.pre = self._prepared.ptr()


def _carries(function: HostFunction, kind: FunctionType) -> bool:
    """Whether this host function hands calls on to a guest of this engine, in whose types nothing differs and nothing is a resource."""
    if not isinstance(function, Edge) or not isinstance(function.loaded, LoadedCore):
        return False
    plan, (interface, name) = function.loaded.plan, function.function
    same = plan.functions[interface, name].options.encoding == "utf8" and plan.exports[interface].functions[name] == kind
    return same and not any(holds(one, (Own, Borrow)) for one in (*[param for _, param in kind.params], kind.result))


class LinkedCore:
    """`seam.Linked`: the host functions as C functions, made once, and a linker for each build that was asked for."""

    def __init__(self, loaded: LoadedCore, imports: Imports, *, arrays: bool) -> None:
        functions = {(interface, name): kind for interface, declared in loaded.imports.items() for name, kind in declared.functions.items()}
        missing = [f"{interface}.{name}" if interface else name for interface, name in functions if (interface, name) not in imports]
        if missing:
            raise LookupError(f"no host function for {', '.join(missing)}")
        self._loaded = loaded
        plan, compilers = loaded.plan, loaded.compilers
        self._callbacks: list[tuple[Trampoline, CFunction]] = []
        for one in plan.trampolines:
            if one.kind == "lower" and one.type is not None and one.options is not None:
                interface, name = one.function
                shown, function = functions[one.function], imports[one.function]
                carries = one.options.encoding == "utf8" and _carries(function, shown)
                planned = partial(ImportPlan, f"{interface}.{name}", one.type, shown, one.options, function, compilers, carries=carries)
                self._callbacks.append((one, host_function(planned)))
            else:
                self._callbacks.append((one, builtin_function(one, plan)))
        self._exports: dict[FunctionName, ExportPlan] = {
            (interface, name): ExportPlan(name, export, plan.exports[interface].functions[name], compilers, arrays=arrays)
            for (interface, name), export in plan.functions.items()
        }
        self._codes: dict[Build, LinkedCode] = {}
        self._lock = threading.Lock()

    def prepare(self, limits: Limits) -> None:
        """See `seam.Linked.prepare`."""
        self._code(Build.of(limits))

    def instantiate(self, limits: Limits, context: Context) -> CoreInstance:
        """See `seam.Linked.instantiate`.

        Raises:
            LimitExceeded: it needs more memory than its limits allow.
            GuestTrap: its start code trapped.
            BaseException: what a host function or the context raised, unchanged.
        """
        code = self._code(Build.of(limits))
        store = Store(code.engine, limits, self._loaded.made, self._loaded.plan, code)
        instance = CoreInstance(store, self._exports)
        store.owner = weakref.ref(instance)
        try:
            instance.start(code.pre, context)
        except BaseException:
            instance.close()
            raise
        return instance

    def _code(self, build: Build) -> LinkedCode:
        with self._lock:
            code = self._codes.get(build)
            if code is None:
                code = self._codes[build] = LinkedCode(wasm_engine(build), self._loaded.code.of(build), self._callbacks)
            return code
