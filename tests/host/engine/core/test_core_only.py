"""What only the core engine does: numbers in bulk from buffers, plans that it refuses, exceptions in guests, weights."""

import json
from array import array

import pytest
from host.engine.conftest import LANES, LIBC, Call, echo_text
from ringfence.contract.errors import GuestTrap, IntegrityError, LimitExceeded, ShapeError
from ringfence.contract.limits import Limits
from ringfence.contract.types import ListOf, Primitive
from ringfence.engine.core.plan import read_plan
from ringfence.engine.core.transcode import TRANSCODERS, transcode


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("u16", "H"),
        ("s16", "h"),
        ("u32", "I"),
        ("s32", "i"),
        ("s64", "q"),
        ("u64", "Q"),
        ("f32", "f"),
        ("f64", "d"),
        ("s8", "b"),
        ("u64", "L"),
    ],
)
def test_numbers_come_from_buffers(core, name, code):
    instance = core(echo_text(ListOf(Primitive(name))), {("", "host"): lambda _, value: array(code, value)})
    values = array(code, range(100))
    for given in (values, memoryview(values), memoryview(values)[::2]):
        assert instance.call(("", "echo"), (given,), Call()) == list(given)
    for wrong in (array("d" if code != "d" else "q", [1]), memoryview(b"ab").cast("c"), b"abcdefgh", bytearray(8)):
        with pytest.raises(ShapeError, match=f"expected list<{name}>, found"):
            instance.call(("", "echo"), (wrong,), Call())


def test_bytes_come_from_buffers(core):
    instance = core(echo_text(ListOf(Primitive("u8"))), {("", "host"): lambda _, value: value})
    for given in (array("B", b"abc"), memoryview(b"xabcx")[1:4], memoryview(b"cba")[::-1], bytearray(b"abc"), memoryview(b"abc").cast("b")):
        assert instance.call(("", "echo"), (given,), Call()) == b"abc"
    with pytest.raises(ShapeError):
        instance.call(("", "echo"), (array("I", [1]),), Call())


THROWS = """(component
  (core module $m (tag $t (param i32))
    (func $throw (param i32) (throw $t (local.get 0)))
    (func (export "caught") (param i32) (result i32)
      (block $got (result i32) (try_table (catch $t $got) (call $throw (local.get 0))) (i32.const -1)))
    (func (export "uncaught") (param i32) (call $throw (local.get 0))))
  (core instance $i (instantiate $m))
  (func (export "caught") (param "n" u32) (result u32) (canon lift (core func $i "caught")))
  (func (export "uncaught") (param "n" u32) (canon lift (core func $i "uncaught"))))"""


def test_a_guest_that_catches_by_tag_is_compiled_and_runs(core):
    """Without a heap for exceptions wasmtime's compiler would end the whole process here."""
    instance = core(THROWS)
    assert instance.call(("", "caught"), (7,), Call()) == 7
    with pytest.raises(GuestTrap):
        instance.call(("", "uncaught"), (7,), Call())
    assert instance.trapped


MANY = f"""(component
  (import "take" (func $take (param "x" (list string))))
  {LIBC}
  (core func $take-core (canon lower (func $take) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m (import "" "memory" (memory 1)) (import "" "take" (func $take (param i32 i32)))
    (func (export "go") (param i32) (local $n i32)
      (drop (memory.grow (i32.const 64)))
      (loop $on
        (i32.store (i32.add (i32.const 65536) (i32.mul (i32.const 8) (local.get $n))) (i32.const 8))
        (i32.store offset=4 (i32.add (i32.const 65536) (i32.mul (i32.const 8) (local.get $n))) (i32.const 4000000))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $on (i32.lt_u (local.get $n) (local.get 0))))
      (call $take (i32.const 65536) (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "memory" (memory $libc "memory")) (export "take" (func $take-core))))))
  (func (export "go") (param "n" u32) (canon lift (core func $i "go"))))"""


def test_one_text_named_a_thousand_times_does_not_fill_the_host(core):
    """What a guest passes to a host function is no output, but the host's memory is at stake."""
    taken = []
    instance = core(MANY, {("", "take"): lambda _, texts: taken.append(len(texts))})
    instance.call(("", "go"), (10,), Call())
    assert taken == [10]
    with pytest.raises(LimitExceeded, match="more than the engine converts at once"):
        instance.call(("", "go"), (1000,), Call())


def test_a_view_is_given_back_with_the_store(core):
    instance = core(echo_text(Primitive("string")), {("", "host"): lambda _, value: value})
    instance.call(("", "echo"), ("x",), Call())
    views = [memory.view for memory in instance._store._memories.values()]
    assert views
    instance.close()
    for view in views:
        with pytest.raises(ValueError, match="released"):
            view[0]


@pytest.fixture
def plan(assemble):
    return json.loads(assemble(echo_text(ListOf(Primitive("u32")))).plan.read_bytes())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plan: plan.update(format=2),
        lambda plan: plan.pop("types"),
        lambda plan: plan["types"].append(["stream", "u8"]) or plan["functions"][0].update(result=len(plan["types"]) - 1),
        lambda plan: plan["types"].append(["list", "u8", 4]) or plan["functions"][0].update(result=len(plan["types"]) - 1),
        lambda plan: plan["functions"][0].update(result="u128"),
        lambda plan: plan["exports"][0]["functions"][0]["options"].update(encoding="utf32"),
        lambda plan: plan["exports"][0]["functions"][0]["options"].update(memory="memory:7"),
        lambda plan: plan["exports"][0]["functions"][0]["options"].update(instance=9),
        lambda plan: plan["exports"][0]["functions"][0].update(type=99),
        lambda plan: plan.update(trampolines=5),
    ],
)
def test_a_plan_that_is_not_understood_is_refused(plan, spoil):
    assert read_plan(json.dumps(plan).encode()).functions
    spoil(plan)
    with pytest.raises(IntegrityError):
        read_plan(json.dumps(plan).encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff"])
def test_what_is_no_plan_is_refused(data):
    with pytest.raises(IntegrityError):
        read_plan(data)


def test_module_and_plan_of_different_components_are_refused(assemble):

    one, other = assemble(echo_text(Primitive("u32"))), assemble(echo_text(Primitive("f64")))
    for mixed in (
        one._replace(plan=other.plan, plan_digest=other.plan_digest),
        one._replace(module=other.module, module_digest=other.module_digest),
        one._replace(plan_digest=other.plan_digest),
        one._replace(plan=None),
    ):
        with pytest.raises(IntegrityError):
            LANES["core"]().load(mixed)


def test_a_stack_of_another_size_shares_the_code(core):
    assert (
        core(echo_text(Primitive("u32")), {("", "host"): lambda _, value: value}, limits=Limits(stack=1 << 20)).call(
            ("", "echo"), (5,), Call()
        )
        == 5
    )


class Bytes:
    """A memory for transcoders."""

    def __init__(self, size=4096):
        self.view, self.size = memoryview(bytearray(size)), size

    def refresh(self):
        pass

    def reach(self, pointer, size):
        if pointer + size > self.size:
            raise GuestTrap("out of bounds")


def test_transcoders_check_their_ranges_and_their_source():
    source, target = Bytes(), Bytes()
    source.view[:4] = b"\xff\xd8\xd8\xd8"
    for name in TRANSCODERS:
        more = {"utf16-to-utf8": (9, 0), "latin1-to-utf8": (9, 0)}.get(name, (9, 0) if name.endswith("-to-compact-utf16") else ())
        for pointer, units, to in ((4095, 1 << 30, 0), (0, 1, 4096), (0xFFFFFFFE, 2, 0)):
            with pytest.raises(GuestTrap):
                transcode(name, source, target, (pointer, units, to, *more))
        if not name.startswith("latin1"):
            with pytest.raises(GuestTrap, match="invalid utf-"):
                transcode(name, source, target, (0 if "utf8-to" in name else 2, 1, 0, *more))


def test_a_transcoder_stops_before_a_character_that_does_not_fit():
    source, target = Bytes(), Bytes()
    text = "aé漢😀"
    source.view[: len(text.encode("utf-16-le"))] = text.encode("utf-16-le")
    for room, read, written in ((0, 0, 0), (1, 1, 1), (2, 1, 1), (3, 2, 3), (5, 2, 3), (6, 3, 6), (9, 3, 6), (10, 5, 10)):
        assert transcode("utf16-to-utf8", source, target, (0, 5, 0, room, 1)) == (read, written)


GROWS = f"""(component {LIBC}
  (core module $m (import "" "memory" (memory 1))
    (func (export "grow") (result i32) (drop (memory.grow (i32.const 1))) (i32.const 8))
    (func (export "after") (param i32))
    (func (export "take") (param i32 i32) (result i32) (i32.load8_u (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "memory" (memory $libc "memory"))))))
  (func (export "grow") (result string)
    (canon lift (core func $i "grow") (memory (core memory $libc "memory")) (post-return (core func $i "after"))))
  (func (export "take") (param "x" string) (result u32)
    (canon lift (core func $i "take") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))"""


def test_memory_that_grew_under_one_border_is_seen_by_the_others(core):
    """Functions with other options have borders of their own on the same memory: the view that one renews is dead for all."""
    instance = core(GROWS)
    assert instance.call(("", "take"), ("a",), Call()) == 97
    for letter in "bc":
        assert instance.call(("", "grow"), (), Call()) == ""
        assert instance.call(("", "take"), (letter,), Call()) == ord(letter)


def test_generated_code_is_forgotten_with_its_component(assemble):
    """Its lines are kept for tracebacks, as long as there can be any."""
    import gc
    import linecache

    def used():
        engine = LANES["core"]()
        linked = engine.link(engine.load(assemble(echo_text(ListOf(Primitive("string"))))), {("", "host"): lambda _, value: value})
        instance = linked.instantiate(Limits(), Call())
        assert instance.call(("", "echo"), (["x"],), Call()) == ["x"]
        instance.close()
        return len(linecache.cache)

    used()
    gc.collect()
    before = len(linecache.cache)
    assert used() > before
    gc.collect()
    assert len(linecache.cache) == before


TAKES = f"""(component {LIBC}
  (core module $m (func (export "take") (param i32 i32) (result i32) (local.get 1)))
  (core instance $i (instantiate $m))
  (func (export "take") (param "x" (list (tuple u8 u16))) (result u32)
    (canon lift (core func $i "take") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))"""


def test_the_clock_is_looked_at_while_a_long_list_is_lowered(core):
    """What a host function gives, or another guest passes, may be as long as it likes."""
    instance, short, long = core(TAKES), Call(), Call()
    assert instance.call(("", "take"), ([(1, 2)] * 10,), short) == 10
    assert instance.call(("", "take"), ([(1, 2)] * 1_000_000,), long) == 1_000_000
    assert long.checks >= short.checks + 200
