"""What the engines' tests share: a small context, components from text, and an echo component for any WIT type.

Whatever uses `link`, `start` or `echo` runs once on each engine (the fixture `lane`).
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import wasmtime
from ringfence.contract.errors import DeadlineExceeded, LimitExceeded
from ringfence.contract.limits import Limits
from ringfence.contract.names import digest_of
from ringfence.contract.types import EnumOf, FlagsOf, ListOf, OptionOf, Primitive, RecordOf, ResultOf, TupleOf, VariantOf
from ringfence.engine.component import ComponentEngine
from ringfence.engine.component.lift import memory_size
from ringfence.engine.core import CoreEngine
from ringfence.engine.seam import Artifacts
from ringfence_composer.decompose import Decomposed, decompose
from ringfence_composer.toolchain import Toolchain

LANES = {"component": ComponentEngine, "core": CoreEngine}


class Call:
    """A context as the seam wants it: a deadline, a count of output, a reason to stop."""

    def __init__(self, seconds: float = 20.0, output: int = 1 << 30):
        self.until = time.monotonic() + seconds
        self.output, self.spent, self.checks = output, 0, 0
        self.reason: BaseException | None = None

    def check(self) -> None:
        self.checks += 1
        if self.reason is not None:
            raise self.reason
        if time.monotonic() >= self.until:
            raise DeadlineExceeded("node", "deadline", "?")

    def interrupt(self, reason: BaseException) -> None:
        self.reason = self.reason or reason

    def spend(self, count: int) -> None:
        self.spent += count
        if self.spent > self.output:
            raise LimitExceeded("node", "output", str(self.output))


@pytest.fixture
def call():
    return Call()


@pytest.fixture
def new_call():
    return Call


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session", params=LANES)
def lane(request):
    """The name of the engine that runs."""
    return request.param


@pytest.fixture(scope="session")
def assemble(tmp_path_factory, cache):
    """`assemble(text)`: a component from its text, with what each engine needs of it."""
    folder, toolchain = Path(tmp_path_factory.mktemp("components")), Toolchain()

    def assembled(text: str | bytes) -> Artifacts:
        binary = text if isinstance(text, bytes) else bytes(wasmtime.wat2wasm(text))
        digest = digest_of(binary)
        component, module, plan = (folder / f"{digest[7:]}.{kind}" for kind in ("wasm", "module", "plan"))
        component.write_bytes(binary)
        if not plan.exists():
            made = decompose(toolchain, component)
            assert isinstance(made, Decomposed), made
            module.write_bytes(made.module)
            plan.write_bytes(made.plan)
        digests = {"module_digest": digest_of(module.read_bytes()), "plan_digest": digest_of(plan.read_bytes())}
        return Artifacts(component=component, digest=digest, cache=cache, module=module, plan=plan, **digests)

    return assembled


@pytest.fixture(scope="session")
def link(lane, assemble):
    """`link(text, imports)`: a component from its text, linked."""
    engine = LANES[lane]()

    def linked(text: str, imports=None):
        return engine.link(engine.load(assemble(text)), imports or {})

    return linked


@pytest.fixture
def start(link):
    """`start(text, imports)`: an instance of a component from its text; closed after the test."""
    opened = []

    def started(text: str, imports=None, *, limits: Limits | None = None, context=None):
        instance = link(text, imports).instantiate(limits or Limits(), context or Call())
        opened.append(instance)
        return instance

    yield started
    for instance in opened:
        instance.close()


# A component that passes what it gets to the host and what it gets back to its caller, through its own memory


class _Text:
    """Component text for types; records and the like are imported by name, as the component model demands."""

    def __init__(self):
        self.lines: list[str] = []

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
        case EnumOf() | FlagsOf():
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
      (local.get $at))
    (func (export "reset") (global.set $top (i32.const 1024))))
  (core instance $libc (instantiate $libc_module))
"""


def echo_text(kind) -> str:
    """A component whose `echo: func(x: T) -> T` answers what its import `host: func(x: T) -> T` answers."""
    types = _Text()
    text = types.of(kind)
    cores = flat(kind)
    params = cores if len(cores) <= 16 else ["i32"]
    indirect = len(cores) > 1
    results = ["i32"] if indirect else cores
    size = memory_size(kind)[0]
    passed = " ".join(f"(local.get {index})" for index in range(len(params)))
    if indirect:
        host = f"(param {' '.join(params)} i32)"
        body = f"(local $to i32) (local.set $to (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const {size})))"
        body += f" (call $host {passed} (local.get $to)) (local.get $to)"
    else:
        host = f"(param {' '.join(params)}) (result {' '.join(results)})"
        body = f"(call $host {passed})"
    return f"""(component
  {" ".join(types.lines)}
  (import "host" (func $host (param "x" {text}) (result {text})))
  {LIBC}
  (core func $lowered (canon lower (func $host) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $shim_module
    (import "" "host" (func $host {host}))
    (import "" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "" "reset" (func $reset))
    (func (export "echo") (param {" ".join(params)}) (result {" ".join(results)}) {body})
    (func (export "after") (param {" ".join(results)}) (call $reset)))
  (core instance $shim (instantiate $shim_module (with "" (instance
    (export "host" (func $lowered)) (export "realloc" (func $libc "realloc")) (export "reset" (func $libc "reset"))))))
  (func (export "echo") (param "x" {text}) (result {text})
    (canon lift (core func $shim "echo") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))
      (post-return (core func $shim "after")))))"""


class Echo:
    """An echo component for one type; `seen` is what the host function got last, `answer` what it gives instead of that."""

    def __init__(self, start, kind, **options):
        self.seen = None
        self.answer = lambda value: value

        def host(_context, value):
            self.seen = value
            return self.answer(value)

        self.instance = start(echo_text(kind), {("", "host"): host}, **options)

    def __call__(self, value, context=None):
        return self.instance.call(("", "echo"), (value,), context or Call())


@pytest.fixture
def echo(start):
    """`echo(type)`: an Echo of it."""
    return lambda kind, **options: Echo(start, kind, **options)


@pytest.fixture(scope="session")
def text():
    """`text(name)`: a component of `fixtures/`, with the memory and allocator of `libc` where it says {LIBC}."""
    return lambda name: (Path(__file__).parent / "fixtures" / f"{name}.wat").read_text().replace("{LIBC}", LIBC)


@pytest.fixture(scope="session")
def libc():
    """Text of a core instance `$libc` with `memory`, `realloc` and `reset`."""
    return LIBC
