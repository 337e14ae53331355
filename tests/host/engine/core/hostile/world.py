"""A component whose guests do whatever a script tells them, with functions of types that are made at random.

Two instances of one guest, `one` and `two`, lie in it: what the host calls in `two` may call `one`, what it calls in `one` may call the
host, so that every value crosses the host's border, an adapter's, or both. A guest that is told nothing is honest: it passes on what it
gets.

A guest looks at its script at every *event*: each call of its allocator, of post-return, of a destructor, of an exported function. A script
is a list of actions for each event (`ACTIONS`), which it reads from a memory of its own, the desk, where values never lie.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cached_property

from host.engine.relay import flat
from host.engine.test_any_type import SHAPES, Maker
from ringfence.contract.types import EnumOf, FlagsOf, ListOf, OptionOf, Primitive, RecordOf, ResultOf, TupleOf, VariantOf
from ringfence.engine.component.lift import memory_size

U32, TEXT = Primitive("u32"), Primitive("string")
ENCODINGS = ("utf8", "utf16", "latin1+utf16")
ACTIONS = (
    "end",
    "give",
    "trap",
    "store",
    "grow",
    "call",
    "new",
    "drop",
    "rep",
    "throw",
    "loop",
    "recurse",
    "note",
    "write",
    "guard",
    "fill",
)
REALLOC, POST, DTOR, BODY = range(4)
"""Events; the body of function *k* is `BODY + k`."""
RESOURCES = (("make", "u32", "own"), ("eat", "own", "u32"), ("peek", "borrow", "u32"), ("mix", "mix", "u32"), ("pair", "own", "owns"))
"""Functions on the resource `thing`: name, what they take, what they return."""

LAST = 1 << 16
"""Added to an action's number: its first operand is what the last action found."""
IMAGE, SLOTS, HEAP = 0x1000, 0x7000, 0x10000
"""In a guest's memory: where a script writes values; nine places of 4 KiB for results of imports and answers of the allocator, each used
once; and where the allocator begins, which leaves the last 4 KiB of the first two pages alone. The places and the heap are zero at each
step, and no two values share a byte: so what an engine does with padding, and in which order it writes, can't be told by a guest."""
SCRIPT_MOST = 0x8000

FIXED = (
    TEXT,
    ListOf(Primitive("u8")),
    ListOf(TEXT),
    ListOf(Primitive("f64")),
    ListOf(Primitive("char")),
    VariantOf((("a", Primitive("u64")), ("b", Primitive("f32")), ("c", Primitive("u8")), ("d", TEXT), ("e", None))),
    ResultOf(ListOf(Primitive("s16")), TEXT),
    ListOf(TupleOf((Primitive("u8"), TEXT, FlagsOf(tuple(f"f{n}" for n in range(11)))))),
    TupleOf(tuple([TEXT, Primitive("bool"), Primitive("f64")] * 6)),
    TupleOf((Primitive("bool"), Primitive("char"), Primitive("s8"), EnumOf(tuple(f"e{n}" for n in range(300))), Primitive("f32"))),
)


@dataclass(frozen=True)
class World:
    """One component: the types of its functions `f0`, `f1` …, each of which takes and returns one, and its guests' encodings."""

    types: tuple[object, ...]
    encodings: tuple[str, str]

    @classmethod
    def of(cls, seed: int) -> World:
        """The world of this seed."""
        pick = random.Random(seed)
        maker = Maker(seed)
        found = [maker.type(3, pick.choice(SHAPES)) for _ in range(4)]
        fixed = [*FIXED] if seed % 3 == 0 else pick.sample(FIXED, 6)
        encodings = ("utf8", "utf8") if pick.random() < 0.3 else (pick.choice(ENCODINGS), pick.choice(ENCODINGS))
        return cls(types=(*fixed, *found), encodings=encodings)

    @cached_property
    def text(self) -> str:
        """The component, as text."""
        return _component(self)


class _Types:
    """Text of types; records and the like get names of their own."""

    def __init__(self) -> None:
        self.definitions: list[str] = []

    def of(self, kind: object) -> str:
        match kind:
            case Primitive(name):
                return name
            case ListOf(element):
                return f"(list {self.of(element)})"
            case TupleOf(elements):
                return f"(tuple {' '.join(self.of(element) for element in elements)})"
            case OptionOf(some):
                return f"(option {self.of(some)})"
            case ResultOf(ok, err):
                return "(result" + ("" if ok is None else f" {self.of(ok)}") + ("" if err is None else f" (error {self.of(err)})") + ")"
            case RecordOf(fields):
                return self._named("record", [f'(field "{name}" {self.of(field)})' for name, field in fields])
            case VariantOf(cases):
                return self._named("variant", [f'(case "{name}"{"" if one is None else " " + self.of(one)})' for name, one in cases])
            case EnumOf(labels):
                return self._named("enum", [f'"{label}"' for label in labels])
            case FlagsOf(labels):
                return self._named("flags", [f'"{label}"' for label in labels])
        raise AssertionError(kind)

    def _named(self, kind: str, parts: list[str]) -> str:
        self.definitions.append(f"({kind} {' '.join(parts)})")
        return f"$t{len(self.definitions) - 1}"


def _resource_type(part: str, thing: str) -> str:
    """The parameters or the result of a function on things."""
    own, borrow = f"(own {thing})", f"(borrow {thing})"
    return {
        "u32": "u32", "own": own, "borrow": borrow, "owns": f"(list {own})", "mix": f"(tuple {borrow} {own} (list {borrow}))",
    }[part]  # fmt: skip


def signatures(world: World, thing: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Definitions of named types, and each function's name and type."""
    types = _Types()
    functions = []
    for index, kind in enumerate(world.types):
        text = types.of(kind)
        functions.append((f"f{index}", f'(func (param "x" {text}) (result {text}))'))
    for name, given, found in RESOURCES:
        functions.append((name, f'(func (param "x" {_resource_type(given, thing)}) (result {_resource_type(found, thing)}))'))
    return types.definitions, functions


def cores(world: World) -> list[tuple[str, list[str], list[str], int]]:
    """Each function's name, its parameters and results in core types, and the size of what it returns in memory."""
    found = []
    for index, kind in enumerate(world.types):
        params, results = flat(kind), flat(kind)
        found.append((f"f{index}", params if len(params) <= 16 else ["i32"], results, memory_size(kind)[0]))
    sizes = {"u32": (["i32"], 4), "own": (["i32"], 4), "borrow": (["i32"], 4), "owns": (["i32", "i32"], 8), "mix": (["i32"] * 4, 16)}
    for name, given, result in RESOURCES:
        found.append((name, sizes[given][0], sizes[result][0], sizes[result][1]))
    return [(name, params, results if len(results) <= 1 else [], size if len(results) > 1 else 0) for name, params, results, size in found]


_TO_I64 = {
    "i32": "(i64.extend_i32_u {})",
    "i64": "{}",
    "f32": "(i64.extend_i32_u (i32.reinterpret_f32 {}))",
    "f64": "(i64.reinterpret_f64 {})",
}
_FROM_I64 = {"i32": "(i32.wrap_i64 {})", "i64": "{}", "f32": "(f32.reinterpret_i32 (i32.wrap_i64 {}))", "f64": "(f64.reinterpret_i64 {})"}

LIBC = f"""
(core module $libc
  (memory (export "memory") 2 30) (memory (export "desk") 2 2)
  (table (export "hooks") 2 funcref)
  (type $realloc (func (param i32 i32 i32 i32) (result i32)))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (call_indirect (type $realloc) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 0)))
  (func (export "dtor") (param i32) (call_indirect (param i32) (local.get 0) (i32.const 1)))
  (func (export "desk-realloc") (param i32 i32 i32 i32) (result i32)
    (if (i32.gt_u (local.get 3) (i32.const {SCRIPT_MOST})) (then unreachable)) (i32.const 0)))
(core instance $libc (instantiate $libc))
(alias core export $libc "memory" (core memory $memory)) (alias core export $libc "desk" (core memory $desk))
(alias core export $libc "realloc" (core func $realloc)) (alias core export $libc "desk-realloc" (core func $desk-realloc))
"""

# n, x and y are the operands of an action; `$last` is what the last call, handle or growth gave
INTERPRETER = """
  (func $note (param i64)
    (if (i32.lt_u (global.get $notes) (i32.const 512)) (then
      (i64.store $desk (i32.add (i32.const 0x9000) (i32.mul (i32.const 8) (global.get $notes))) (local.get 0))
      (global.set $notes (i32.add (global.get $notes) (i32.const 1))))))
  (func $found (param i64) (global.set $last (local.get 0)) (call $note (local.get 0)))
  (func $recurse (param i32) (result i32) (i32.add (i32.const 1) (call $recurse (i32.add (local.get 0) (i32.const 1)))))
  (func $block (param i32) (result i32) (i32.and (i32.add (local.get 0) (i32.const 1024)) (i32.const -1024)))
  (func $bump (param $size i32) (result i32) (local $at i32)
    (local.set $at (global.get $top))
    (if (i32.gt_u (local.get $size) (i32.const 0x1000000)) (then unreachable))
    (if (i32.and (i32.lt_u (local.get $at) (i32.const 0x20000))
        (i32.gt_u (i32.add (local.get $at) (call $block (local.get $size))) (i32.const 0x1f000)))
      (then (local.set $at (i32.const 0x20000))))
    (global.set $top (i32.add (local.get $at) (call $block (local.get $size))))
    (block $enough (loop $more
      (br_if $enough (i32.le_u (global.get $top) (i32.mul (memory.size $memory) (i32.const 65536))))
      (if (i32.eq (memory.grow $memory (i32.const 1)) (i32.const -1)) (then unreachable))
      (br $more)))
    (local.get $at))
  (func $run (param $event i32) (result i32)
    (local $at i32) (local $action i32) (local $n i32) (local $x i64) (local $y i64)
    (loop $next
      (local.set $at (i32.load $desk (i32.mul (local.get $event) (i32.const 4))))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
      (local.set $action (i32.load $desk (local.get $at)))
      (local.set $n (i32.load $desk offset=4 (local.get $at)))
      (local.set $x (i64.load $desk offset=8 (local.get $at)))
      (local.set $y (i64.load $desk offset=16 (local.get $at)))
      (if (i32.eqz (local.get $action)) (then (return (i32.const 0))))
      (i32.store $desk (i32.mul (local.get $event) (i32.const 4)) (i32.add (local.get $at) (i32.const 24)))
      (if (i32.and (local.get $n) (i32.const {LAST})) (then (local.set $x (global.get $last))))
      (local.set $n (i32.and (local.get $n) (i32.const 0xffff)))
      (if (i32.eq (local.get $action) (i32.const 1)) (then (global.set $value (local.get $x)) (return (i32.const 1))))
      (if (i32.eq (local.get $action) (i32.const 2)) (then unreachable))
      (if (i32.eq (local.get $action) (i32.const 3)) (then (i64.store $memory (i32.wrap_i64 (local.get $x)) (local.get $y))))
      (if (i32.eq (local.get $action) (i32.const 4)) (then
        (call $found (i64.extend_i32_u (memory.grow $memory (i32.wrap_i64 (local.get $x)))))))
      (if (i32.eq (local.get $action) (i32.const 5)) (then
        (call $found (call $call (local.get $n) (i32.wrap_i64 (local.get $x))))))
      (if (i32.eq (local.get $action) (i32.const 6)) (then
        (call $found (i64.extend_i32_u (call $new (i32.wrap_i64 (local.get $x)))))))
      (if (i32.eq (local.get $action) (i32.const 7)) (then
        (if (local.get $n) (then (call $drop-inner (i32.wrap_i64 (local.get $x)))) (else (call $drop (i32.wrap_i64 (local.get $x)))))))
      (if (i32.eq (local.get $action) (i32.const 8)) (then
        (call $found (i64.extend_i32_u (call $rep (i32.wrap_i64 (local.get $x)))))))
      (if (i32.eq (local.get $action) (i32.const 9)) (then (throw $tag)))
      (if (i32.eq (local.get $action) (i32.const 10)) (then (loop $on (br $on))))
      (if (i32.eq (local.get $action) (i32.const 11)) (then (drop (call $recurse (i32.const 0)))))
      (if (i32.eq (local.get $action) (i32.const 12)) (then (call $note (i64.load $memory (i32.wrap_i64 (local.get $x))))))
      (if (i32.eq (local.get $action) (i32.const 13)) (then
        (memory.copy $memory $desk (i32.wrap_i64 (local.get $x)) (i32.wrap_i64 (local.get $y)) (local.get $n))))
      (if (i32.eq (local.get $action) (i32.const 14)) (then
        (block $done (block $caught
          (try_table (catch_all $caught) (drop (call $run (local.get $event))))
          (br $done)) (call $note (i64.const 0xca)))))
      (if (i32.eq (local.get $action) (i32.const 15)) (then
        (memory.fill $memory (i32.wrap_i64 (local.get $x)) (i32.wrap_i64 (local.get $y)) (local.get $n))))
      (br $next))
    (unreachable))
  (func $realloc-event (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (if (i32.const {exact}) (then
      (call $note (i64.or (i64.shl (i64.extend_i32_u (local.get $align)) (i64.const 32)) (i64.extend_i32_u (local.get $size))))))
    (if (call $run (i32.const {REALLOC})) (then (return (i32.wrap_i64 (global.get $value)))))
    (if (local.get $old) (then
      (if (i32.eq (call $block (local.get $had)) (call $block (local.get $size))) (then (return (local.get $old))))))
    (call $moved-block (local.get $old) (local.get $had) (local.get $size)))
  (func $moved-block (param $old i32) (param $had i32) (param $size i32) (result i32) (local $to i32)
    (local.set $to (call $bump (local.get $size)))
    (memory.copy $memory $memory (local.get $to) (local.get $old)
      (select (local.get $had) (local.get $size) (i32.lt_u (local.get $had) (local.get $size))))
    (local.get $to))
  (func $dtor-event (param i32)
    (call $note (i64.or (i64.const 0xd0000000000) (i64.extend_i32_u (local.get 0))))
    (if (call $run (i32.const {DTOR})) (then (return)))
    (if (global.get $moved) (then (global.set $moved (i32.const 0))) (else (call $drop-inner (local.get 0)))))
  (func $inner (param i32) (result i32) (local $rep i32)
    (local.set $rep (call $rep (local.get 0))) (global.set $moved (i32.const 1)) (call $drop (local.get 0)) (local.get $rep))
  (elem (table $hooks) (i32.const 0) func $realloc-event $dtor-event)
  (func $begin-event (local $what i32)
    (local.set $what (call $begin))
    (if (i32.eq (local.get $what) (i32.const 2)) (then unreachable))
    (if (i32.eq (local.get $what) (i32.const 4)) (then (drop (memory.grow $memory (i32.const 3)))))
    (if (i32.eq (local.get $what) (i32.const 5)) (then (drop (call $call (i32.const 0) (i32.const 0x8000)))))
    (if (i32.eq (local.get $what) (i32.const 6)) (then (drop (call $new (i32.const 7)))))
    (if (i32.eq (local.get $what) (i32.const 9)) (then (throw $tag)))
    (if (i32.eq (local.get $what) (i32.const 10)) (then (loop $on (br $on))))
    (if (i32.eq (local.get $what) (i32.const 11)) (then (drop (call $recurse (i32.const 0))))))
  (start $begin-event)
  (func (export "load") (param i32 i32) (global.set $notes (i32.const 0))
    (memory.fill $memory (i32.const {SLOTS}) (i32.const 0) (i32.sub (global.get $top) (i32.const {SLOTS})))
    (global.set $top (i32.const {HEAP}))
    (global.set $last (i64.const 0)) (global.set $moved (i32.const 0)))
  (func (export "log") (result i32)
    (i32.store $desk (i32.const 0x8ff0) (i32.const 0x9000)) (i32.store $desk (i32.const 0x8ff4) (global.get $notes)) (i32.const 0x8ff0))
"""

# What a function on things does unless it is told otherwise: the thing behind a thing of `two` is one of `one`, behind that is the host's
HONEST = {
    "make": "(return (call $new (call $i-make (local.get 0))))",
    "eat": "(return (call $i-eat (call $inner (local.get 0))))",
    "peek": "(return (call $i-peek (local.get 0)))",
    "mix": """(local $list i32) (local $n i32)
      (local.set $list (call $bump (i32.mul (i32.const 4) (local.get 3))))
      (memory.copy $memory $memory (local.get $list) (local.get 2) (i32.mul (i32.const 4) (local.get 3)))
      (return (call $i-mix (local.get 0) (call $inner (local.get 1)) (local.get $list) (local.get 3)))""",
    "pair": """(local $to i32) (local $n i32) (local $at i32)
      (local.set $to (call $bump (i32.const 8)))
      (call $i-pair (call $inner (local.get 0)) (local.get $to))
      (loop $on (if (i32.lt_u (local.get $n) (i32.load $memory offset=4 (local.get $to))) (then
        (local.set $at (i32.add (i32.load $memory (local.get $to)) (i32.mul (i32.const 4) (local.get $n))))
        (i32.store $memory (local.get $at) (call $new (i32.load $memory (local.get $at))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $on))))
      (return (local.get $to))""",
}


def _interpreter(encoding: str) -> str:
    """Only in UTF-8 do the two engines ask for exactly the same memory: elsewhere how much they ask for is not noted."""
    values = {"LAST": LAST, "REALLOC": REALLOC, "DTOR": DTOR, "SLOTS": SLOTS, "HEAP": HEAP, "exact": int(encoding == "utf8")}
    return INTERPRETER.format(**values)


def _main(world: World, encoding: str) -> str:
    """The guest's main module."""
    imports, dispatch, bodies = [], [], []
    for index, (name, params, results, size) in enumerate(cores(world)):
        taken = [*params, *(["i32"] if size else [])]
        kind = " ".join([f"(param {' '.join(taken)})" if taken else "", f"(result {results[0]})" if results else ""])
        imports.append(f'(import "api" "{name}" (func $i-{name} {kind}))')
        words = [_FROM_I64[core].format(f"(i64.load $desk offset={8 * at} (local.get 1))") for at, core in enumerate(taken)]
        call = f"(call $i-{name} {' '.join(words)})"
        answer = f"(return {_TO_I64[results[0]].format(call)})" if results else f"{call} (return (i64.const 0))"
        dispatch.append(f"(if (i32.eq (local.get 0) (i32.const {index})) (then {answer}))")
        bodies.append(_body(index, name, params, results, size))
    return f"""(core module $main
  (import "libc" "memory" (memory $memory 2 30)) (import "libc" "desk" (memory $desk 2 2)) (import "libc" "hooks" (table $hooks 2 funcref))
  (import "host" "begin" (func $begin (result i32)))
  (import "own" "new" (func $new (param i32) (result i32))) (import "own" "rep" (func $rep (param i32) (result i32)))
  (import "own" "drop" (func $drop (param i32))) (import "api" "drop" (func $drop-inner (param i32)))
  {" ".join(imports)}
  (tag $tag) (global $value (mut i64) (i64.const 0)) (global $last (mut i64) (i64.const 0)) (global $moved (mut i32) (i32.const 0))
  (global $notes (mut i32) (i32.const 0)) (global $top (mut i32) (i32.const {HEAP}))
  (func $call (param i32 i32) (result i64) {" ".join(dispatch)} (i64.const -1))
  {_interpreter(encoding)} {" ".join(bodies)})"""


def _body(index: int, name: str, params: list[str], results: list[str], size: int) -> str:
    """An exported function: it notes what it got, does what it is told, and is honest where it is told nothing; and its post-return."""
    core = results[0] if results else "i32"
    notes = " ".join([f"(call $note {_TO_I64[kind].format(f'(local.get {at})')})" for at, kind in enumerate(params)])
    told = f"(if (call $run (i32.const {BODY + index})) (then (return {_FROM_I64[core].format('(global.get $value)')})))"
    passed = " ".join([f"(local.get {at})" for at in range(len(params))])
    if name in HONEST:
        locals_, honest = HONEST[name], ""
        declared = (
            locals_[: locals_.rindex("(local $") + locals_[locals_.rindex("(local $") :].index(")") + 1] if "(local $" in locals_ else ""
        )
        honest = locals_[len(declared) :]
    elif size:
        declared = "(local $to i32)"
        honest = f"(local.set $to (call $bump (i32.const {size}))) (call $i-{name} {passed} (local.get $to)) (return (local.get $to))"
    else:
        declared, honest = "", f"(return (call $i-{name} {passed}))"
    taken = f"(param {' '.join(params)})" if params else ""
    return f"""
  (func (export "{name}") {taken} (result {core}) {declared} {notes} {told} {honest} unreachable)
  (func (export "after-{name}") (param {core}) (call $note (i64.const 0xaf)) (drop (call $run (i32.const {POST}))))"""


def _api(world: World) -> str:
    """The interface that a guest imports and exports, as an instance type's declarations."""
    definitions, functions = signatures(world, "$thing")
    lines = ['(export "thing" (type $thing (sub resource)))']
    lines += [f'(type $d{index} {text}) (export "t{index}" (type $t{index} (eq $d{index})))' for index, text in enumerate(definitions)]
    lines += [f'(export "{name}" {kind})' for name, kind in functions]
    return "\n".join(lines)


def _guest(world: World, encoding: str) -> str:
    """A guest: it imports the interface, and exports it again."""
    definitions, functions = signatures(world, "$mine")
    options = f"(memory $memory) (realloc $realloc) string-encoding={encoding}"
    types = range(len(definitions))
    lowered = " ".join([f'(core func $l-{name} (canon lower (func $api "{name}") {options}))' for name, _ in functions])
    given = " ".join([f'(export "{name}" (func $l-{name}))' for name, _ in functions])
    lifted = "\n".join([
        f'(func $e-{name} {kind[6:-1]} (canon lift (core func $i "{name}") {options} (post-return (core func $i "after-{name}"))))'
        for name, kind in functions
    ])  # fmt: skip
    inner = " ".join([f'(import "{name}" (func $e-{name} {kind[6:-1]}))' for name, kind in signatures(world, "$mine")[1]])
    outer = " ".join([f'(export "{name}" (func $e-{name}) {kind})' for name, kind in _renamed(world)])
    return f"""
  (import "api" (instance $api {_api(world)}))
  (import "begin" (func $begin (result u32)))
  (alias export $api "thing" (type $thing))
  {" ".join([f'(alias export $api "t{index}" (type $t{index}))' for index in types])}
  {LIBC}
  (type $mine (resource (rep i32) (dtor (core func $libc "dtor"))))
  (core func $new (canon resource.new $mine)) (core func $rep (canon resource.rep $mine)) (core func $drop (canon resource.drop $mine))
  (core func $drop-inner (canon resource.drop $thing))
  (core func $l-begin (canon lower (func $begin)))
  {lowered}
  {_main(world, encoding)}
  (core instance $i (instantiate $main
    (with "libc" (instance $libc)) (with "host" (instance (export "begin" (func $l-begin))))
    (with "own" (instance (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))
    (with "api" (instance (export "drop" (func $drop-inner)) {given}))))
  {lifted}
  (component $shim
    (import "thing" (type $mine (sub resource)))
    {" ".join([f'(type $d{index} {text}) (import "t{index}" (type $t{index} (eq $d{index})))' for index, text in enumerate(definitions)])}
    {inner}
    (export $thing "thing" (type $mine))
    {" ".join([f'(export $x{index} "t{index}" (type $t{index}))' for index in types])}
    {outer})
  (instance $out (instantiate $shim (with "thing" (type $mine))
    {" ".join([f'(with "t{index}" (type $t{index}))' for index in types])}
    {" ".join([f'(with "{name}" (func $e-{name}))' for name, _ in functions])}))
  (export "api" (instance $out))
  (func (export "load") (param "script" (list u8)) (canon lift (core func $i "load") (memory $desk) (realloc $desk-realloc)))
  (func (export "log") (result (list u64)) (canon lift (core func $i "log") (memory $desk)))"""


def _renamed(world: World) -> list[tuple[str, str]]:
    """The functions as the shim exports them: of the exported types."""
    return [(name, re.sub(r"\$t(\d+)", r"$x\1", kind)) for name, kind in signatures(world, "$thing")[1]]


def _component(world: World) -> str:
    one, two = (_guest(world, encoding) for encoding in world.encodings)
    return f"""(component
(import "h:host/api" (instance $host {_api(world)}))
(import "begin" (func $begin (result u32)))
(component $One {one})
(component $Two {two})
(instance $one (instantiate $One (with "api" (instance $host)) (with "begin" (func $begin))))
(instance $two (instantiate $Two (with "api" (instance $one "api")) (with "begin" (func $begin))))
(export "h:one/api" (instance $one "api"))
(export "h:two/api" (instance $two "api"))
{" ".join([f'(export "{name}-{which}" (func ${which} "{name}"))' for which in ("one", "two") for name in ("load", "log")])}
)"""
