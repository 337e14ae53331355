"""Text of components that pass what they get to the host and what they get back to their caller, through their own memory."""

from ringfence.contract.types import (
    Borrow,
    EnumOf,
    FlagsOf,
    ListOf,
    OptionOf,
    Own,
    Primitive,
    RecordOf,
    ResourceName,
    ResultOf,
    TupleOf,
    VariantOf,
)
from ringfence.engine.component.lift import memory_size

THING = ResourceName("test:host/things", "thing")
"""The one resource that these components know: the host's."""

_THINGS = """(import "test:host/things" (instance $things (export "thing" (type (sub resource)))))
  (alias export $things "thing" (type $thing))
  (core func $drop (canon resource.drop $thing))"""


class _Text:
    """Component text for types; records and the like are imported by name, as the component model demands."""

    def __init__(self):
        self.lines = [_THINGS]

    def of(self, kind) -> str:
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
                good = "" if ok is None else f" {self.of(ok)}"
                bad = "" if err is None else f" (error {self.of(err)})"
                return f"(result{good}{bad})"
            case RecordOf(fields):
                inner = " ".join(f'(field "{name}" {self.of(field)})' for name, field in fields)
                return self._named(f"(record {inner})")
            case VariantOf(cases):
                inner = " ".join(f'(case "{name}"{"" if payload is None else " " + self.of(payload)})' for name, payload in cases)
                return self._named(f"(variant {inner})")
            case EnumOf(labels):
                return self._named("(enum " + " ".join(f'"{label}"' for label in labels) + ")")
            case FlagsOf(labels):
                return self._named("(flags " + " ".join(f'"{label}"' for label in labels) + ")")
            case Own():
                return "(own $thing)"
            case Borrow():
                return "(borrow $thing)"
        raise AssertionError(kind)

    def _named(self, text: str) -> str:
        number = len(self.lines)
        self.lines.append(f'(type $d{number} {text}) (import "t{number}" (type $t{number} (eq $d{number})))')
        return f"$t{number}"


def flat(kind) -> list[str]:
    """The core types of a value (Canonical ABI, *Flattening*)."""
    match kind:
        case Primitive("string") | ListOf():
            return ["i32", "i32"]
        case Primitive(name):
            return [{"s64": "i64", "u64": "i64", "f32": "f32", "f64": "f64"}.get(name, "i32")]
        case RecordOf(fields):
            return [core for _, field in fields for core in flat(field)]
        case TupleOf(elements):
            return [core for element in elements for core in flat(element)]
        case EnumOf() | FlagsOf() | Own() | Borrow():
            return ["i32"]
        case OptionOf(some):
            return _joined([None, some])
        case ResultOf(ok, err):
            return _joined([ok, err])
        case VariantOf(cases):
            return _joined([payload for _, payload in cases])
    raise AssertionError(kind)


def _joined(kinds) -> list[str]:
    found: list[str] = []
    for kind in kinds:
        for index, core in enumerate([] if kind is None else flat(kind)):
            if index == len(found):
                found.append(core)
            elif found[index] != core:
                found[index] = "i32" if {found[index], core} == {"i32", "f32"} else "i64"
    return ["i32", *found]


LIBC = """
  (core module $libc_module
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1))))
      (local.set $at (i32.and (local.get $at) (i32.sub (i32.const 0) (local.get 2))))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (block $enough
        (br_if $enough (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $enough (i32.ne (i32.const -1) (memory.grow (i32.add (i32.const 1) (i32.div_u
          (i32.sub (global.get $top) (i32.mul (memory.size) (i32.const 65536))) (i32.const 65536))))))
        unreachable)
      (memory.copy (local.get $at) (local.get 0)
        (select (local.get 1) (local.get 3) (i32.lt_u (local.get 1) (local.get 3))))
      (local.get $at))
    (func (export "reset") (global.set $top (i32.const 1024))))
  (core instance $libc (instantiate $libc_module))
"""


def echo_text(kind) -> str:
    """A component whose `echo: func(x: T) -> T` answers what its import `host: func(x: T) -> T` answers."""
    return relay_text([("x", kind)], kind)


def relay_text(params, result, encoding="utf8") -> str:
    """A component whose `echo` answers what its import `host`, of the same type, answers to the same arguments.

    What is lent to it as an argument of its own it gives back before it answers; what is lent inside another value it keeps.
    """
    types = _Text()
    declared = " ".join(f'(param "{name}" {types.of(kind)})' for name, kind in params)
    declared += "" if result is None else f" (result {types.of(result)})"
    given = [core for _, kind in params for core in flat(kind)]
    spilled = len(given) > 16
    given = ["i32"] if spilled else given
    answer = [] if result is None else flat(result)
    indirect = len(answer) > 1
    answer = ["i32"] if indirect else answer
    passed = " ".join(f"(local.get {index})" for index in range(len(given)))
    call = f"(call $host {passed})"
    if indirect:
        size = memory_size(result)[0]
        room = f"(local.set $to (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const {size})))"
        call = f"{room} (call $host {passed} (local.get $to)) (local.get $to)"
    local = "(local $to i32)" if indirect else ""
    host = f"{_cores('param', given + ['i32'] * indirect)} {_cores('result', [] if indirect else answer)}"
    options = f'(memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) string-encoding={encoding}'
    return f"""(component
  {" ".join(types.lines)}
  (import "host" (func $host {declared}))
  {LIBC}
  (core func $lowered (canon lower (func $host) {options}))
  (core module $shim_module
    (import "" "host" (func $host {host}))
    (import "" "drop" (func $drop (param i32)))
    (import "" "memory" (memory 1))
    (import "" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "" "reset" (func $reset))
    (func (export "echo") {_cores("param", given)} {_cores("result", answer)} {local} {call} {_give_back(params, spilled=spilled)})
    (func (export "after") {_cores("param", answer)} (call $reset)))
  (core instance $shim (instantiate $shim_module (with "" (instance
    (export "host" (func $lowered)) (export "drop" (func $drop)) (export "memory" (memory $libc "memory"))
    (export "realloc" (func $libc "realloc")) (export "reset" (func $libc "reset"))))))
  (func (export "echo") {declared} (canon lift (core func $shim "echo") {options} (post-return (core func $shim "after")))))"""


def _cores(what: str, kinds: list[str]) -> str:
    return f"({what} {' '.join(kinds)})" if kinds else ""


def _give_back(params, *, spilled: bool) -> str:
    """Drops the handles among the arguments that are borrowed; they lie in memory where the arguments do."""
    drops, place, offset = [], 0, 0
    for _, kind in params:
        size, alignment = memory_size(kind)
        offset = -(-offset // alignment) * alignment
        if isinstance(kind, Borrow):
            handle = f"(i32.load offset={offset} (local.get 0))" if spilled else f"(local.get {place})"
            drops.append(f"(call $drop {handle})")
        place, offset = place + len(flat(kind)), offset + size
    return " ".join(drops)


BORDER = """
(component
  (component $taker
    (core module $m
      (memory (export "memory") 6)
      (global $top (mut i32) (i32.const 1024))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (local i32) (local.set 4 (global.get $top))
        (global.set $top (i32.add (global.get $top) (local.get 3))) (local.get 4))
      (func (export "take") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
      (func (export "reset") (param i32) (global.set $top (i32.const 1024))))
    (core instance $i (instantiate $m))
    (func (export "take") (param "text" string) (result (list u8)) (canon lift (core func $i "take")
      (memory (core memory $i "memory")) (realloc (core func $i "realloc")) (post-return (core func $i "reset")))))
  (component $giver
    (import "take" (func $take (param "text" string) (result (list u8))))
    (core module $libc
      (memory (export "memory") 6)
      (global $top (mut i32) (i32.const 1024))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (local i32) (local.set 4 (global.get $top))
        (global.set $top (i32.add (global.get $top) (local.get 3))) (local.get 4))
      (func (export "reset") (param i32) (global.set $top (i32.const 1024))))
    (core instance $libc (instantiate $libc))
    (core func $take' (canon lower (func $take) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (core module $m
      (import "libc" "memory" (memory 6))
      (import "taker" "take" (func $take (param i32 i32 i32)))
      (func (export "give") (param i32 i32) (result i32)
        (call $take (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))
    (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "taker" (instance (export "take" (func $take'))))))
    (func (export "give") (param "bytes" (list u8)) (result (list u8)) (canon lift (core func $i "give")
      (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) (post-return (core func $libc "reset")))))
  (instance $t (instantiate $taker))
  (instance $g (instantiate $giver (with "take" (func $t "take"))))
  (export "give" (func $g "give")))
"""
"""Two instances: the host gives the one bytes, which it hands to the other as a string; what that got comes back."""
