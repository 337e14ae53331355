"""Merging keeps the order of a component's instantiation: random components, run merged and by the wheel's own component interface.

The components have a few core modules, each with start functions that note what they see, and segments that write to its own or an
earlier module's memory and table, some out of bounds.
"""

from __future__ import annotations

import json

import pytest
import wasmtime
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence_composer.decompose import Decomposed, decompose
from ringfence_composer.toolchain import Toolchain
from wasmtime import component as reference

CELLS = 4  # bytes of memory, and elements of table, that anything looks at
LAST = 65536 - CELLS


@pytest.fixture(scope="module")
def toolchain():
    return Toolchain()


@pytest.fixture(scope="module")
def engine():
    return wasmtime.Engine()


segments = st.lists(
    st.tuples(
        st.sampled_from(["data", "elem"]),
        st.booleans(),  # its own memory or table, or that of the first module
        st.integers(0, CELLS),  # where: one beyond the end, too
        st.booleans(),  # by way of a global
    ),
    max_size=3,
)
module = st.fixed_dictionaries({"segments": segments, "starts": st.booleans(), "writes": st.booleans(), "twice": st.booleans()})


def text(modules):
    """A component of these modules; every number that is written is another one."""
    parts = ['(component (import "note" (func $note (param "n" u32))) (core func $note (canon lower (func $note)))']
    parts.append(f"""(core module $base (memory (export "memory") 1 1) (table (export "table") {CELLS} funcref)
        (global (export "memory-base") i32 (i32.const {LAST})) (global (export "table-base") i32 (i32.const 0)))
      (core instance $base (instantiate $base))""")
    for number, one in enumerate(modules):
        parts.append(core_module(number, one))
        copies = 2 if one["twice"] else 1
        parts += [
            f'(core instance (instantiate $m{number} (with "base" (instance $base)) (with "" (instance (export "note" (func $note))))))'
        ] * copies
    parts.append("""(core module $look (import "base" "memory" (memory 1 1))
        (func (export "look") (param i32) (result i32) (i32.load8_u (local.get 0))))
      (core instance $look (instantiate $look (with "base" (instance $base))))
      (func (export "look") (param "at" u32) (result u8) (canon lift (core func $look "look"))))""")
    return "\n".join(parts)


def core_module(number, one):
    parts = [
        f"""(core module $m{number}
      (import "" "note" (func $note (param i32)))
      (import "base" "memory" (memory $theirs 1 1)) (import "base" "table" (table $their-table {CELLS} funcref))
      (import "base" "memory-base" (global $memory-base i32)) (import "base" "table-base" (global $table-base i32))
      (memory $own 1 1) (table $own-table {CELLS} funcref) (type $f (func (result i32)))"""
    ]
    for index, (kind, own, at, by_global) in enumerate(one["segments"]):
        value = 16 * (number + 1) + index
        if kind == "data":
            offset = f"(i32.add (global.get $memory-base) (i32.const {at}))" if by_global else f"(i32.const {LAST + at})"
            parts.append(f'(data (memory {"$own" if own else "$theirs"}) (offset {offset}) "\\{value:02x}")')
        else:
            offset = f"(i32.add (global.get $table-base) (i32.const {at}))" if by_global else f"(i32.const {at})"
            parts.append(f"(func $f{index} (type $f) (i32.const {value}))")
            parts.append(f"(elem (table {'$own-table' if own else '$their-table'}) (offset {offset}) func $f{index})")
    if one["starts"]:
        parts.append("(start $start) (func $start")
        for at in range(CELLS):
            parts += [f"(call $note (i32.load8_u {memory} (i32.const {LAST + at})))" for memory in ("$own", "$theirs")]
            parts += [
                f"(if (ref.is_null (table.get {table} (i32.const {at}))) (then (call $note (i32.const 0)))"
                f" (else (call $note (call_indirect {table} (type $f) (i32.const {at})))))"
                for table in ("$own-table", "$their-table")
            ]
        if one["writes"]:
            parts.append(f"(i32.store8 $theirs (i32.const {LAST}) (i32.const {200 + number}))")
            parts.append("(table.set $their-table (i32.const 1) (ref.null func))")
        parts.append(")")
    return "\n".join([*parts, ")"])


def by_component(engine, binary):
    """What was noted, and then the shared memory, or None where instantiation trapped."""
    noted = []
    linker = reference.Linker(engine)
    with linker.root() as root:
        root.add_func("note", lambda _, number: noted.append(number))
    store = wasmtime.Store(engine)
    try:
        instance = linker.instantiate(store, reference.Component(engine, binary))
    except (wasmtime.Trap, wasmtime.WasmtimeError):
        return noted, None
    look = instance.get_func(store, "look")
    memory = []
    for at in range(CELLS):
        memory.append(look(store, LAST + at))
        if hasattr(look, "post_return"):
            look.post_return(store)
    return noted, memory


def by_module(engine, module, plan):
    """The same of the merged module."""
    noted = []
    linker = wasmtime.Linker(engine)
    for index, entry in enumerate(plan["trampolines"]):
        assert entry["function"] == "note"
        linker.define_func("t", str(index), wasmtime.FuncType([wasmtime.ValType.i32()], []), noted.append)
    store = wasmtime.Store(engine)
    try:
        exports = linker.instantiate(store, wasmtime.Module(engine, module)).exports(store)
        if plan["start"] is not None:
            exports[plan["start"]](store)
    except (wasmtime.Trap, wasmtime.WasmtimeError):
        return noted, None
    look = exports[plan["exports"][0]["functions"][0]["core"]]
    return noted, [look(store, LAST + at) for at in range(CELLS)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(modules=st.lists(module, min_size=1, max_size=4))
def test_what_start_functions_see_is_what_the_component_shows_them(toolchain, engine, tmp_path, modules):
    """The merge hazard, looked for: every read, write and trap in the component's order."""
    binary = toolchain.parse(text(modules))
    path = tmp_path / "component.wasm"
    path.write_bytes(binary)
    result = decompose(toolchain, path)
    assert isinstance(result, Decomposed)
    assert by_module(engine, result.module, json.loads(result.plan)) == by_component(engine, binary)
