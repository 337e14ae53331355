"""Loads and links components as merged core modules: `seam.Engine` on the wheel's core interface."""

from __future__ import annotations

import mmap
import threading
import weakref
from collections.abc import Mapping
from ctypes import byref as reference
from ctypes import c_void_p

from wasmtime import Engine, FuncType, Linker, Module, ValType, WasmtimeError

from ringfence.contract.errors import IntegrityError
from ringfence.contract.limits import Limits
from ringfence.contract.names import digest_of
from ringfence.contract.types import Borrow, FunctionType, InterfaceType, Own
from ringfence.engine.cache import compile_module
from ringfence.engine.callbacks import CFunction
from ringfence.engine.component.faults import plain
from ringfence.engine.component.ffi import take_message
from ringfence.engine.core import ffi
from ringfence.engine.core.configuration import SETTINGS, wasm_engine
from ringfence.engine.core.functions import Compilers, ExportPlan, ImportPlan
from ringfence.engine.core.instance import CoreInstance
from ringfence.engine.core.layout import holds
from ringfence.engine.core.plan import Plan, Trampoline, read_plan
from ringfence.engine.core.store import Store
from ringfence.engine.core.trampolines import builtin_function, host_function
from ringfence.engine.footprint import BinaryReader, Footprint, module_footprint
from ringfence.engine.seam import Artifacts, Context, Edge, FunctionName, HostFunction, Imports, Loaded

_USUAL_STACK = Limits().stack
_TAGS, _MOST_PAGES = 13, 1 << 16
_VALUES = {"i32": ValType.i32, "i64": ValType.i64, "f32": ValType.f32, "f64": ValType.f64}


class CoreEngine:
    """Runs components from their merged core module and plan: the fast engine, and the usual one."""

    def load(self, artifacts: Artifacts) -> LoadedCore:
        """Compile (or take from the cache) and read the plan.

        Raises:
            IntegrityError: there is no module or plan, they do not belong together, or this engine can't run them.
        """
        return LoadedCore(artifacts)

    def link(self, loaded: Loaded, imports: Imports) -> LinkedCore:
        """Raises LookupError naming every import that `imports` lacks."""
        if not isinstance(loaded, LoadedCore):
            raise TypeError(f"expected a component that this engine loaded, found {type(loaded).__name__}")
        return LinkedCore(loaded, imports)


class LoadedCore:
    """`seam.Loaded`: the plan, what an instance makes, and the compiled code for each stack size that was asked for."""

    def __init__(self, artifacts: Artifacts) -> None:
        if artifacts.module is None or artifacts.plan is None or artifacts.module_digest is None:
            raise IntegrityError(f"{artifacts.component.name} has no core module and plan; compose the graph again")
        data = artifacts.plan.read_bytes()
        if artifacts.plan_digest is not None and digest_of(data) != artifacts.plan_digest:
            raise IntegrityError(f"{artifacts.plan.name}: expected {artifacts.plan_digest}, found {digest_of(data)}")
        self.plan: Plan = read_plan(data)
        if (self.plan.component, self.plan.module) != (artifacts.digest, artifacts.module_digest):
            raise IntegrityError(f"{artifacts.plan.name} is the plan of another component or module")
        self._artifacts = artifacts
        self._compiled: dict[int, Module] = {}
        self._lock = threading.Lock()
        self.compiled(_USUAL_STACK)
        with (
            artifacts.module.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as binary,
            memoryview(binary) as view,
        ):
            self.made: Footprint = _footprint(view)  # reads the pages it needs only
        self.compilers = Compilers()

    @property
    def imports(self) -> Mapping[str, InterfaceType]:
        return self.plan.imports

    @property
    def exports(self) -> Mapping[str, InterfaceType]:
        return self.plan.exports

    def compiled(self, stack: int) -> Module:
        """The compiled module for guests with this much stack; compiled once, whatever the stack."""
        with self._lock:
            found = self._compiled.get(stack)
            if found is None:
                engine = wasm_engine(stack)
                if self._compiled:
                    found = Module.deserialize(engine, next(iter(self._compiled.values())).serialize())
                else:
                    found = _compile(engine, self._artifacts)
                self._compiled[stack] = found
            return found


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


def _compile(engine: Engine, artifacts: Artifacts) -> Module:
    assert artifacts.module is not None  # noqa: S101 (asked by the only caller)
    assert artifacts.module_digest is not None  # noqa: S101
    try:
        return compile_module(engine, artifacts.module, digest=artifacts.module_digest, settings=SETTINGS, cache=artifacts.cache)
    except WasmtimeError as error:
        reason = str(error).splitlines()[0]
        raise IntegrityError(f"{artifacts.module.name} is no module that this engine can run: {reason}") from error


class _Code:
    """A module and what it imports, ready to instantiate on one engine. Kept alive by every store it runs in."""

    def __init__(self, engine: Engine, module: Module, callbacks: list[tuple[Trampoline, CFunction]]) -> None:
        self.engine, self._module, self._callbacks = engine, module, callbacks
        linker = Linker(engine)
        for index, (trampoline, callback) in enumerate(callbacks):
            kind = FuncType([_VALUES[core]() for core in trampoline.params], [_VALUES[core]() for core in trampoline.results])
            name = str(index).encode()
            _done(ffi.linker_define(linker.ptr(), b"t", 1, name, len(name), kind.ptr(), callback.address, None, None))
        pre = c_void_p()
        _done(ffi.instance_pre(linker.ptr(), module.ptr(), reference(pre)))
        self.pre = pre.value or 0
        weakref.finalize(self, ffi.pre_delete, self.pre).atexit = False


def _carries(function: HostFunction, kind: FunctionType) -> bool:
    """Whether this host function hands calls on to a guest of this engine, in whose types nothing differs and nothing is a resource."""
    if not isinstance(function, Edge) or not isinstance(function.loaded, LoadedCore):
        return False
    plan, (interface, name) = function.loaded.plan, function.function
    same = plan.functions[interface, name].options.encoding == "utf8" and plan.exports[interface].functions[name] == kind
    return same and not any(holds(one, (Own, Borrow)) for one in (*[param for _, param in kind.params], kind.result))


def _done(error: int | None) -> None:
    if error:
        raise IntegrityError(f"the core module does not fit its plan: {plain(take_message(error))}")


class LinkedCore:
    """`seam.Linked`: the host functions as C functions, made once, and a linker for each stack size that was asked for."""

    def __init__(self, loaded: LoadedCore, imports: Imports) -> None:
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
                shown = functions[one.function]
                function = imports[one.function]
                carries = one.options.encoding == "utf8" and _carries(function, shown)
                served = ImportPlan(f"{interface}.{name}", one.type, shown, one.options, function, compilers, carries=carries)
                self._callbacks.append((one, host_function(served)))
            else:
                self._callbacks.append((one, builtin_function(one, plan)))
        self._exports: dict[FunctionName, ExportPlan] = {
            (interface, name): ExportPlan(name, export, plan.exports[interface].functions[name], compilers)
            for (interface, name), export in plan.functions.items()
        }
        self._codes: dict[int, _Code] = {}
        self._lock = threading.Lock()

    def instantiate(self, limits: Limits, context: Context) -> CoreInstance:
        """See `seam.Linked.instantiate`.

        Raises:
            LimitExceeded: it needs more memory than its limits allow.
            GuestTrap: its start code trapped.
            BaseException: what a host function or the context raised, unchanged.
        """
        code = self._code(limits.stack)
        store = Store(code.engine, limits, self._loaded.made, self._loaded.plan, code)
        instance = CoreInstance(store, self._exports)
        store.owner = weakref.ref(instance)
        try:
            instance.start(code.pre, context)
        except BaseException:
            instance.close()
            raise
        return instance

    def _code(self, stack: int) -> _Code:
        with self._lock:
            code = self._codes.get(stack)
            if code is None:
                code = self._codes[stack] = _Code(wasm_engine(stack), self._loaded.compiled(stack), self._callbacks)
            return code
