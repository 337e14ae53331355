"""The Decomposer: a component as one core module and a plan, the same each time.

The modules are run here with the wheel's core interface and trampolines of a few lines; the core engine has its own tests.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import wasmtime
from ringfence_composer.decompose import FORMAT, Decomposed, decompose
from ringfence_composer.toolchain import Toolchain, Wit
from wasmtime import component as reference

CASES = Path(__file__).parent / "decompose"
NAMES = sorted(path.stem for path in CASES.glob("*.wat"))
PRIMITIVES = {"bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"}
CORE_TYPES = {"i32": wasmtime.ValType.i32, "i64": wasmtime.ValType.i64, "f32": wasmtime.ValType.f32, "f64": wasmtime.ValType.f64}


@pytest.fixture(scope="session")
def toolchain():
    return Toolchain()


@pytest.fixture
def component(toolchain, tmp_path):
    """The file of a component, from its text."""

    def assemble(text):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.wasm"
        path.write_bytes(toolchain.parse(text))
        return path

    return assemble


@pytest.fixture
def decomposed(toolchain, component):
    """Module and plan of a component in text."""

    def answer(text):
        result = decompose(toolchain, component(text))
        assert isinstance(result, Decomposed), result
        return result.module, json.loads(result.plan)

    return answer


def case(name):
    return (CASES / f"{name}.wat").read_text()


class Running:
    """A merged module in a store of its own; `trampoline(plan entry, *arguments)` serves all its imports."""

    def __init__(self, module, plan, trampoline=None):
        engine = wasmtime.Engine()
        compiled = wasmtime.Module(engine, module)
        self.plan, self.store = plan, wasmtime.Store(engine)
        linker = wasmtime.Linker(engine)
        for index, (wanted, entry) in enumerate(zip(compiled.imports, plan["trampolines"], strict=True)):
            assert (wanted.module, wanted.name) == ("t", str(index))
            parameters, results = ([CORE_TYPES[name]() for name in names] for names in entry["signature"])
            kind = wasmtime.FuncType(parameters, results)
            linker.define_func("t", str(index), kind, lambda *arguments, entry=entry: trampoline(entry, *arguments))
        self.exports = linker.instantiate(self.store, compiled).exports(self.store)
        self.names = {name.name: name.type for name in compiled.exports}

    def start(self):
        if self.plan["start"] is not None:
            self.exports[self.plan["start"]](self.store)

    def function(self, interface, name):
        return next(
            function
            for item in self.plan["exports"]
            for function in item["functions"]
            if (item["interface"], function["name"]) == (interface, name)
        )

    def call(self, interface, name, *arguments):
        return self.exports[self.function(interface, name)["core"]](self.store, *arguments)


# The format


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_is_canonical_json_bound_to_its_component_and_module(toolchain, component, name):
    """The lock tells artifacts apart by digest: one spelling only, and no plan beside another's module."""
    path = component(case(name))
    result = decompose(toolchain, path)
    plan = json.loads(result.plan)
    assert (json.dumps(plan, sort_keys=True, separators=(",", ":")) + "\n").encode("ascii") == result.plan
    assert plan["format"] == FORMAT == 1
    assert plan["component"] == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert plan["module"] == "sha256:" + hashlib.sha256(result.module).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_equal_components_give_equal_bytes(toolchain, component, name):
    """A lock must not differ because a build ran twice."""
    assert decompose(toolchain, component(case(name))) == decompose(toolchain, component(case(name)))


def test_names_outside_ascii_are_escaped_as_python_does(decomposed):
    """The names of a module are its own; canonical JSON must be what `json.dumps` makes."""
    text = """(component
      (core module $"\\7fé☃😀" (func (export "f"))) (core instance $i (instantiate 0))
      (func (export "f") (canon lift (core func $i "f"))))"""
    _, plan = decomposed(text)
    assert plan["code"][0]["module"] == "\x7fé☃😀"


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_in_a_plan_leads_somewhere(decomposed, name):
    """An engine compiles the tables in one pass and asks the instance for exports by name only."""
    module, plan = decomposed(case(name))
    running = Running(module, plan)
    for index, entry in enumerate(plan["types"]):
        for part in value_types(entry):
            assert part in PRIMITIVES or 0 <= part < index, entry
        if entry[0] in ("own", "borrow"):
            assert plan["tables"][entry[1]] is not None
    for function in plan["functions"]:
        for kind in [kind for _, kind in function["params"]] + [function["result"]]:
            assert kind is None or kind in PRIMITIVES or kind < len(plan["types"])
    for table in filter(None, plan["tables"]):
        assert table["resource"] < len(plan["resources"])
        assert table["instance"] < len(plan["instances"])
    named = set(plan["memories"]) | {plan["start"]} | {instance["flags"] for instance in plan["instances"]}
    named |= {resource.get("dtor") for resource in plan["resources"]}
    for item in plan["exports"]:
        for function in item["functions"]:
            assert function["type"] < len(plan["functions"])
            named |= {function["core"]} | set(pointers(function["options"]))
            kind = running.names[function["core"]]
            assert [[str(t) for t in kind.params], [str(t) for t in kind.results]] == function["signature"]
    for trampoline in plan["trampolines"]:
        named |= set(pointers(trampoline.get("options", {}))) | {trampoline.get("from"), trampoline.get("to")}
    assert named - {None} == set(running.names)


def value_types(entry):
    """The types that a type is made of."""
    match entry:
        case ["list" | "option", part, *_]:
            return [part]
        case ["record" | "variant", parts]:
            return [part for _, part in parts if part is not None]
        case ["tuple", parts]:
            return parts
        case ["result", *parts]:
            return [part for part in parts if part is not None]
        case ["enum" | "flags", _] | ["own" | "borrow", _]:
            return []
    raise AssertionError(entry)


def pointers(options):
    return [options.get("memory"), options.get("realloc"), options.get("post_return")]


@pytest.mark.parametrize("name", ["resources", "starts"])
def test_imports_and_exports_are_those_of_the_world(toolchain, component, name):
    """The plan and the world are read by two libraries; a difference would be an edge that the composer's plan does not know."""
    path = component(case(name))
    plan = json.loads(decompose(toolchain, path).plan)
    world = toolchain.world(Wit(path=path))
    for items, wanted in ((plan["imports"], world.imports), (plan["exports"], world.exports)):
        found = {(item["interface"], function["name"]) for item in items for function in item["functions"]}
        expected = {("" if item.kind == "function" else item.name, function) for item in wanted for function in item.functions}
        assert found == expected
        resources = {(item["interface"], resource["name"]) for item in items for resource in item["resources"]}
        assert resources >= {(item.name, resource) for item in wanted for resource in item.resources}


# The module


def test_values_pass_through_the_merged_module(decomposed):
    """The positive control of all that follows: what the plan names is the guest's code and memory."""
    running = Running(*decomposed(case("echo")))
    assert running.call("", "s64", -5) == -5
    options = running.function("", "string")["options"]
    memory, realloc = (running.exports[options[name]] for name in ("memory", "realloc"))
    pointer = realloc(running.store, 0, 0, 1, 3)
    memory.write(running.store, b"abc", pointer)
    result = running.call("", "string", pointer, 3)
    assert memory.read(running.store, result, result + 8) == pointer.to_bytes(4, "little") + (3).to_bytes(4, "little")


def test_a_module_that_is_instantiated_twice_is_there_twice(decomposed):
    """State that two instances shared would be state that one can learn from the other."""
    running = Running(*decomposed(case("twice")))
    assert [running.call("", name) for name in "aabab"] == [43, 44, 43, 45, 44]


def test_start_functions_see_what_the_component_s_order_shows_them(toolchain, component, decomposed):
    """The merge hazard: one module writes all segments before any start function; a component writes them in between."""
    digits = []
    engine = wasmtime.Engine()
    linker = reference.Linker(engine)
    with linker.root() as root:
        root.add_func("note", lambda _, digit: digits.append(digit))
    store = wasmtime.Store(engine)
    instance = linker.instantiate(store, reference.Component.from_file(engine, str(component(case("starts")))))
    get = instance.get_func(store, "get")
    expected = (digits, [get(store, at) for at in range(99, 104)])

    noted = []
    running = Running(*decomposed(case("starts")), lambda _, digit: noted.append(digit))
    assert noted == [], "nothing runs before `start` is called"
    running.start()
    assert (noted, [running.call("", "get", at) for at in range(99, 104)]) == expected
    assert noted == [5, 9, 6, 3, 2, 1, 8, 4]


def test_a_segment_out_of_bounds_traps_in_its_turn(decomposed):
    """A start function that has run before it has run, whatever comes then."""
    text = """(component
      (import "note" (func $note))
      (core func $note (canon lower (func $note)))
      (core module $a (import "" "note" (func $note)) (memory (export "m") 1) (start $note))
      (core instance $a (instantiate $a (with "" (instance (export "note" (func $note))))))
      (core module $b (import "a" "m" (memory 1)) (data (i32.const 65536) "x"))
      (core instance $b (instantiate $b (with "a" (instance $a)))))"""
    noted = []
    running = Running(*decomposed(text), lambda _: noted.append(True))
    with pytest.raises(wasmtime.Trap, match="out of bounds memory access"):
        running.start()
    assert noted == [True]


def test_offsets_that_are_known_become_plain_numbers(toolchain, decomposed):
    """Engines lay out a memory ahead of time only then; dynamic linking (as in CPython guests) takes them from globals of other modules."""
    text = """(component
      (core module $a (global (export "base") i32 (i32.const 16)) (memory (export "m") 1))
      (core instance $a (instantiate $a))
      (core module $b
        (import "a" "base" (global $base i32)) (import "a" "m" (memory 1))
        (data (offset (i32.add (global.get $base) (i32.const 4))) "x")
        (func (export "f") (result i32) (i32.load8_u (i32.const 20))))
      (core instance $b (instantiate $b (with "a" (instance $a))))
      (func (export "f") (result u8) (canon lift (core func $b "f"))))"""
    module, plan = decomposed(text)
    assert '(data (;0;) (i32.const 20) "x")' in toolchain.wat(module)
    assert Running(module, plan).call("", "f") == ord("x")


def test_references_to_exported_functions_stay_valid(decomposed):
    """An export declares a function for `ref.func`, and the merged module has none of the modules' exports. Found by fuzzing."""
    text = """(component
      (core module $m
        (type $t (func (result i32)))
        (table 1 funcref)
        (func $one (export "one") (type $t) (i32.const 1))
        (func (export "f") (result i32)
          (table.set (i32.const 0) (ref.func $one))
          (call_indirect (type $t) (i32.const 0))))
      (core instance $i (instantiate $m))
      (func (export "f") (result u32) (canon lift (core func $i "f"))))"""
    assert Running(*decomposed(text)).call("", "f") == 1


def test_calls_between_instances_are_in_the_module(decomposed):
    """A composed component: resources move through trampolines, strings through transcoders, the rest in wasm alone."""
    module, plan = decomposed(case("composed"))
    calls, handles = [], {}

    def host(trampoline, *arguments):
        calls.append(trampoline["kind"])
        match trampoline["kind"], arguments:
            case "resource-new", (rep,):
                handles[len(handles) + 1] = rep
                return len(handles)
            case "resource-transfer-own", (handle, _, _):
                return handle
            case "resource-transfer-borrow", (handle, _, to):
                assert plan["tables"][to]["instance"] == plan["resources"][0]["instance"]
                return handles[handle]
            case "resource-drop", (handle,):
                dtor = running.exports[plan["resources"][0]["dtor"]]
                dtor(running.store, handles[handle])
        return None

    running = Running(module, plan, host)
    assert running.call("test:composed/user", "resource", 7) == 7 + 1000 * (7 + 1)
    assert calls.count("enter-sync-call") == calls.count("exit-sync-call") == 1
    assert {trampoline["operation"] for trampoline in plan["trampolines"] if trampoline["kind"] == "transcode"} == {
        *("utf8-to-utf8", "utf16-to-utf16", "latin1-to-latin1", "latin1-to-utf16", "utf8-to-utf16", "utf16-to-utf8", "latin1-to-utf8"),
        *("utf16-to-compact-probably-utf16", "utf8-to-latin1", "utf16-to-latin1", "utf8-to-compact-utf16", "utf16-to-compact-utf16"),
    }


@pytest.mark.parametrize(
    ("function", "message"), [("bad-char", "invalid `char` bit pattern"), ("bad-string", "string content out-of-bounds")]
)
def test_an_adapter_says_why_it_traps(decomposed, function, message):
    """A trap's message comes from the plan, since an adapter knows codes only."""

    class Told(Exception):
        pass

    def host(trampoline, code):
        assert trampoline["kind"] == "trap"
        raise Told(plan["traps"][str(code)])

    module, plan = decomposed(case("composed"))
    with pytest.raises(Told, match=message):
        Running(module, plan, host).call("test:composed/user", function)


def test_an_adapter_looks_at_the_caller_s_flag(decomposed):
    """May-leave is a global of the module where an adapter checks it: the host reads and writes it there."""
    codes = []
    module, plan = decomposed(case("composed"))
    running = Running(module, plan, lambda trampoline, code: codes.append(plan["traps"][str(code)]))
    caller = running.function("test:composed/user", "fail")["options"]["instance"]
    flag = running.exports[plan["instances"][caller]["flags"]]
    assert flag.value(running.store) == 1
    flag.set_value(running.store, 0)
    with pytest.raises(wasmtime.Trap, match="unreachable"):
        running.call("test:composed/user", "fail")
    assert codes == ["cannot leave component instance"]


def test_a_trap_in_the_guest_is_told_by_names_and_places(decomposed):
    """A backtrace of the merged module leads to the core instance that a function comes from."""
    module, plan = decomposed(case("composed"))
    with pytest.raises(wasmtime.Trap, match="unreachable") as caught:
        Running(module, plan).call("test:composed/user", "fail")
    places = []
    for frame in caught.value.frames:
        code = next(code for code in plan["code"] if 0 <= frame.func_index - code["functions"][0] < code["functions"][1])
        places.append((code["kind"], code["instance"], code["module"]))
    assert places == [("guest", 1, "guest"), ("adapter", None, None), ("guest", 2, "guest")]
