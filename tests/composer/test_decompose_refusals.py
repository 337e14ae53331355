"""What the Decomposer refuses, with which reasons, and what it takes for an error."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from ringfence.engine.code import USUAL
from ringfence.engine.core import machine
from ringfence.engine.core.configuration import wasm_engine
from ringfence.engine.core.machine import Module
from ringfence_composer.decompose import Decomposed, Refused, decompose
from ringfence_composer.errors import InputInvalid
from ringfence_composer.toolchain import Toolchain

CASES = Path(__file__).parent / "decompose"
IMPORTED = 'it imports the core module "m" of "a:b/c"'
ASYNC = """(component
  (core module $m (func (export "f") (result i32) unreachable) (func (export "c") (param i32 i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $m))
  (func (export "f") async (canon lift (core func $i "f") async (callback (core func $i "c")))))"""


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
def refused(toolchain, component):
    """The reasons against a component in text."""

    def answer(text):
        result = decompose(toolchain, component(text))
        assert isinstance(result, Refused), "it was decomposed"
        return [(reason.hazard, reason.message) for reason in result.reasons]

    return answer


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (ASYNC, [("async", "it has functions of an async type"), ("async", "it lifts or lowers functions asynchronously")]),
        ('(component (import "f" (func (param "s" (stream u8)))))', [("async", "it has `stream` types")]),
        ('(component (import "f" (func (result (future string)))))', [("async", "it has `future` types")]),
        ("(component (core func (canon task.cancel)))", [("async", "it uses the built-in `task.cancel`")]),
        ("(component (core func (canon waitable-set.new)))", [("async", "it uses the built-in `waitable-set.new`")]),
        ("(component (core func (canon context.get i32 0)))", [("async", "it uses the built-in `context.get`")]),
        ("(component (core module (memory 1 1 shared)))", [("threads", "a module in it has a shared memory")]),
        ('(component (import "m" (core module)))', [("core-modules", 'it imports the core module "m"')]),
        ('(component (core module $m) (export "m" (core module $m)))', [("core-modules", 'it exports the core module "m"')]),
        (
            '(component (import "a:b/c" (instance (export "m" (core module)))))',
            [("core-modules", 'it imports the core module "m" of "a:b/c"')],
        ),
        ('(component (import "c" (component)))', [("world", 'it imports the component "c"')]),
        ('(component (import "a:b/c" (instance (export "i" (instance)))))', [("world", 'it imports the instance "i" of "a:b/c"')]),
        (
            '(component (import "f" (func $f)) (export "g" (func $f)))',
            [("translator", "it can't be translated: component export `g` is a reexport of an imported function which is not implemented")],
        ),
    ],
)
def test_what_the_lane_cannot_carry_is_refused_with_the_reason(refused, text, reasons):
    """Such a node runs on the component interface, and `compose plan` says why; never half on this lane."""
    assert refused(text) == reasons


ENTERED = """(component
  (core module $m
    (import "" "f" (func $f (result i32)))
    (func (export "g") (result i32) (call $f)))
  {inner}
  (core func $lowered (canon lower (func $f)))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $lowered))))))
  (func (export "g") (result u32) (canon lift (core func $i "g"))))"""
FIVE = """(core module $five (func (export "f") (result i32) (i32.const 5)))
  (core instance $five (instantiate $five))
  (func $f (export "f") (result u32) (canon lift (core func $five "f")))"""
APART = f"""(component
  (component $C {FIVE})
  (component $D (import "f" (func $f (result u32))) {ENTERED.format(inner="").removeprefix("(component")}
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "f" (func $c "f"))))
  (func (export "g") (alias export $d "g")))"""


@pytest.mark.parametrize("inner", [FIVE, f'(component $C {FIVE}) (instance $c (instantiate $C)) (alias export $c "f" (func $f))'])
def test_calls_that_only_the_translator_forbids_are_refused(refused, inner):
    """From a component into one inside it, or into itself: the specification lets them through, the translator makes them traps."""
    (reason,) = refused(ENTERED.format(inner=inner))
    assert reason == ("translator", "it has calls between a component and itself or one inside it, which the translator makes a trap")


def test_calls_between_components_side_by_side_are_carried(toolchain, component):
    """The positive control."""
    assert isinstance(decompose(toolchain, component(APART)), Decomposed)


# What the core engine has switched off, and something that it has on, each in a function or a memory of a module
CODE = {
    "64-bit memory": "(memory i64 1)",
    "64-bit table": "(table i64 1 funcref)",
    "struct": "(type $s (struct)) (func (drop (struct.new $s)))",
    "typed reference": "(type $f (func)) (func (param (ref null $f)))",
    "relaxed SIMD": "(func (param v128 v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 1))))",
    "wide arithmetic": "(func (param i64) (i64.add128 (local.get 0) (local.get 0) (local.get 0) (local.get 0)) drop drop)",
    "SIMD": "(func (param v128) (drop (i8x16.neg (local.get 0))))",
    "exception": "(tag $t) (func (throw $t))",
    "reference": "(func (param externref))",
    "memories": "(memory 1) (memory 1)",
    "tail call": "(func $f return_call $f)",
}


@pytest.mark.parametrize("code", CODE)
def test_what_is_carried_is_code_that_the_core_engine_runs(toolchain, component, code):
    """Else a graph is composed that can't be loaded."""
    made = decompose(toolchain, component(f"(component (core module $m {CODE[code]}) (core instance (instantiate $m)))"))
    try:
        Module.compile(wasm_engine(USUAL), bytes(wasmtime.wat2wasm(f"(module {CODE[code]})")))
    except machine.Refused:
        assert isinstance(made, Refused)
        assert [reason.hazard for reason in made.reasons] == ["features"]
        assert made.reasons[0].message.startswith("its code needs what the core engine has switched off: ")
    else:
        assert isinstance(made, Decomposed), made


def test_reasons_are_told_together(refused):
    """One round of repairs, not three."""
    text = '(component (import "m" (core module)) (import "f" (func (param "s" (stream u8)))) (core module (memory 1 1 shared)))'
    assert [hazard for hazard, _ in refused(text)] == ["async", "threads", "core-modules"]


def test_a_bug_of_the_translator_is_a_refusal(refused):
    """Its older parser has bugs that ours has not: this component is valid, and panics it."""
    text = """(component
      (component $c
        (type $t (instance (type $u u32) (export "t" (type (eq $u)))))
        (import "a" (instance (type $t)))
        (import "b" (instance (type $t))))
      (type $u u32)
      (instance $i (export "t" (type $u)))
      (instance (instantiate $c (with "a" (instance $i)) (with "b" (instance $i)))))"""
    assert refused(text) == [("translator", "it breaks the translator: assertion failed: prev.is_none()")]


def test_a_bomb_of_instances_is_refused(toolchain, component, refused):
    """A module may be instantiated often: what would be merged is bounded before anything is."""
    data = "x" * (4 << 20)
    instances = "(core instance (instantiate $m))" * 200
    assert refused(f'(component (core module $m (memory 100) (data (i32.const 0) "{data}")) {instances})') == [
        ("limits", "its core instances have more than 512 MiB of code and data")
    ]


def test_what_no_single_module_may_have_is_refused(refused):
    """The merged module is validated as engines validate it."""
    instances = "(core instance (instantiate $m))" * 101
    (reason,) = refused(f"(component (core module $m (memory 1)) {instances})")
    assert reason[0] == "limits"
    assert "memories" in reason[1]


@pytest.mark.parametrize(
    "text",
    [
        "(module)",
        "(component (core module (func i32.add)) (core instance (instantiate 0)))",
        '(component (import "f" (func (param "a" u8) (param "a" u8))))',
    ],
)
def test_what_is_no_valid_component_is_an_error(toolchain, component, text):
    """A refusal would send it to the other engine."""
    with pytest.raises(InputInvalid):
        decompose(toolchain, component(text))


def test_damaged_components_end_in_an_answer_or_an_error(toolchain, component, tmp_path):
    """Its input is a stranger's: no bytes break the toolchain or hang it."""
    good = component((CASES / "composed.wat").read_text()).read_bytes()
    path, refused = tmp_path / "damaged.wasm", 0
    for at in range(8, len(good), 97):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        try:
            decompose(toolchain, path)
        except InputInvalid:
            refused += 1
    assert refused > 0
