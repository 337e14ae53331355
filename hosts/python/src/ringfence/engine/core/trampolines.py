"""The functions that a merged module imports, each made once per linked component; the store is the one that runs on this thread.

Source: `docs/core-plan.md`, TRAMPOLINE; the Canonical ABI explainer, *Canonical Definitions*.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import memmove, string_at
from struct import Struct

from ringfence.contract.errors import GuestTrap, IntegrityError
from ringfence.engine.callbacks import CFunction, current
from ringfence.engine.core.ffi import HOST_FUNCTION
from ringfence.engine.core.functions import ImportPlan
from ringfence.engine.core.handles import Scope
from ringfence.engine.core.layout import SLOT
from ringfence.engine.core.plan import Plan, Table, Trampoline
from ringfence.engine.core.store import Store, stop
from ringfence.engine.core.transcode import TRANSCODERS, transcode

Builtin = Callable[..., tuple[int, ...]]
"""`builtin(store, *values)`: the core results."""


def host_function(plan: Callable[[], ImportPlan]) -> CFunction:
    """The C function that serves this import, whose plan is made when the guest first calls it: of a hundred imports, most use ten.

    It must outlive the linker it is defined in.
    """
    answer: Callable[[Store, int], None] | None = None

    def serve(_data: int, _caller: int, values: int, _count: int) -> int:
        nonlocal answer
        store: Store = current.store
        try:
            store.at = values
            if answer is None:
                answer = plan().answer
            answer(store, values)
        except BaseException as error:  # noqa: BLE001 (re-raised outside)
            return store.keep(error)
        return 0

    return CFunction(HOST_FUNCTION, serve, stop)


def builtin_function(trampoline: Trampoline, plan: Plan) -> CFunction:
    """The C function that serves this built-in."""
    run = _builtin(trampoline, plan)
    if any(core != "i32" for core in (*trampoline.params, *trampoline.results)):
        raise IntegrityError(f"the plan gives {trampoline.kind} core types that it does not have")
    size = SLOT * len(trampoline.params)
    read = Struct("<" + "I12x" * len(trampoline.params)).unpack
    write = Struct("<" + "I12x" * len(trampoline.results)).pack
    answers = len(trampoline.results)

    def serve(_data: int, _caller: int, values: int, _count: int) -> int:
        store: Store = current.store
        try:
            store.at = values
            found = run(store, *read(string_at(values, size)))
            if answers:
                memmove(values, write(*found), SLOT * answers)
        except BaseException as error:  # noqa: BLE001 (re-raised outside)
            return store.keep(error)
        return 0

    return CFunction(HOST_FUNCTION, serve, stop)


def _builtin(trampoline: Trampoline, plan: Plan) -> Builtin:
    match trampoline.kind:
        case "resource-new" | "resource-rep" | "resource-drop":
            table = plan.tables[trampoline.table]
            if table is None:
                raise IntegrityError(f"the plan's table {trampoline.table} has no resource")
            makers = {"resource-new": _resource_new, "resource-rep": _resource_rep, "resource-drop": _resource_drop}
            return makers[trampoline.kind](table, trampoline.instance)
        case "resource-transfer-own":
            return _transfer_own
        case "resource-transfer-borrow":
            return _transfer_borrow
        case "enter-sync-call":
            return _enter_call
        case "exit-sync-call":
            return _exit_call
        case "trap":
            return _trap
        case "transcode" if trampoline.operation in TRANSCODERS:
            return _transcode(trampoline)
        case _:
            raise IntegrityError(f"this engine can't run it: its plan has a trampoline {trampoline.kind} {trampoline.operation}")


def _leave(store: Store, instance: int) -> None:
    if not store.flags[instance].get():
        raise GuestTrap("cannot leave component instance")


def _resource_new(table: Table, instance: int) -> Builtin:
    def new(store: Store, rep: int) -> tuple[int, ...]:
        _leave(store, instance)
        return (store.handles[table.instance].add(table.resource, rep),)

    return new


def _resource_rep(table: Table, _instance: int) -> Builtin:
    def rep(store: Store, index: int) -> tuple[int, ...]:
        return (store.handles[table.instance].get(index, table.resource).rep,)

    return rep


def _resource_drop(table: Table, instance: int) -> Builtin:
    def drop(store: Store, index: int) -> tuple[int, ...]:
        _leave(store, instance)
        entry = store.handles[table.instance].remove(index, table.resource)
        if entry.scope is None:
            store.drop_rep(table.resource, entry.rep)
        return ()

    return drop


def _tables(store: Store, from_table: int, to_table: int) -> tuple[Table, Table]:
    tables = store.plan.tables
    source = tables[from_table] if from_table < len(tables) else None
    target = tables[to_table] if to_table < len(tables) else None
    if source is None or target is None or source.resource != target.resource:
        raise GuestTrap("an adapter passes a resource between tables that do not have it")
    return source, target


def _transfer_own(store: Store, index: int, from_table: int, to_table: int) -> tuple[int, ...]:
    source, target = _tables(store, from_table, to_table)
    rep = store.handles[source.instance].take(index, source.resource)
    return (store.handles[target.instance].add(target.resource, rep),)


def _transfer_borrow(store: Store, index: int, from_table: int, to_table: int) -> tuple[int, ...]:
    source, target = _tables(store, from_table, to_table)
    entry = store.handles[source.instance].get(index, source.resource)
    if entry.scope is None:
        store.scope.lend(entry)
    if store.plan.resources[target.resource].instance == target.instance:
        return (entry.rep,)
    return (store.handles[target.instance].add(target.resource, entry.rep, store.scope),)


def _enter_call(store: Store, _caller: int, _is_async: int, _callee: int) -> tuple[int, ...]:
    store.scopes.append(store.scope)
    store.scope = Scope()
    return ()


def _exit_call(store: Store) -> tuple[int, ...]:
    if not store.scopes:
        raise GuestTrap("an adapter ends a call that it has not begun")
    store.scope.end()
    store.scope = store.scopes.pop()
    return ()


def _trap(store: Store, code: int) -> tuple[int, ...]:
    raise GuestTrap(store.plan.traps.get(code, f"an adapter trapped with code {code}"))


def _transcode(trampoline: Trampoline) -> Builtin:
    operation, source, target = trampoline.operation, trampoline.source, trampoline.target

    def run(store: Store, *values: int) -> tuple[int, ...]:
        return transcode(operation, store.memory(source), store.memory(target), values)

    return run
