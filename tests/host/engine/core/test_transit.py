"""Values pass from guest to guest as parts, which nobody looks at: unchanged, and checked as strictly as those that somebody does."""

import random

import pytest
from host.engine.conftest import LANES, Call, echo_text
from host.engine.core.test_lies import KINDS, liar
from host.engine.test_any_type import SHAPES, Maker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.contract.errors import GuestTrap, LimitExceeded
from ringfence.contract.limits import Limits
from ringfence.contract.types import ListOf, Primitive, ResultOf, TupleOf
from ringfence.contract.values import Err, Ok, WitError
from ringfence.engine.seam import Edge, Parts

PROPERTY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
SPILLED = TupleOf(tuple([Primitive("string"), ListOf(Primitive("u8")), Primitive("u64")] * 6))
NUMBERS = [ListOf(Primitive(name)) for name in ("bool", "s8", "u16", "s32", "u64", "f32", "f64", "char", "string")]


class Relay:
    """An echo component whose host function is another's `echo`; `passed` is what crossed, `seen` what came out at the far end."""

    def __init__(self, assemble, kind):
        engine, self.passed, self.seen, self.unwraps = LANES["core"](), [], [], isinstance(kind, ResultOf)
        artifacts = assemble(echo_text(kind))
        loaded = engine.load(artifacts)
        inner = engine.link(loaded, {("", "host"): self._answer}).instantiate(Limits(), Call())

        def carry(context, *arguments):
            self.passed.append(arguments)
            return inner.call(("", "echo"), arguments[0], context)

        outer = engine.link(engine.load(artifacts), {("", "host"): Edge(carry, loaded, ("", "echo"))})
        self.inner, self.instance = inner, outer.instantiate(Limits(), Call())

    def _answer(self, _context, value):
        self.seen.append(value)
        if self.unwraps and isinstance(value, Err):
            raise WitError(value.value)
        return value.value if self.unwraps else value

    def __call__(self, value):
        try:
            return self.instance.call(("", "echo"), (value,), Call())
        except WitError as error:
            return Err(error.value)


@pytest.fixture
def relay(assemble):
    opened = []

    def made(kind):
        opened.append(Relay(assemble, kind))
        return opened[-1]

    yield made
    for one in opened:
        one.instance.close()
        one.inner.close()


def checked(relay, kind, value):
    found = relay(value)
    assert found == (value.value if relay.unwraps and isinstance(value, Ok) else value)
    assert relay.seen.pop() == value
    assert [type(one) for one in relay.passed.pop()] == [Parts], f"{kind} did not pass as parts"


@PROPERTY
@given(seed=st.integers(0, 1 << 40))
def test_any_value_of_any_type_passes_unchanged(relay, seed):
    maker = Maker(seed)
    kind = maker.type(3, SHAPES[seed % len(SHAPES)])
    pair = relay(kind)
    for _ in range(8):
        checked(pair, kind, maker.value(kind))
    pair.instance.close()
    pair.inner.close()


@pytest.mark.parametrize("kind", [SPILLED, ResultOf(SPILLED, Primitive("string")), *NUMBERS], ids=str)
def test_what_is_passed_in_memory_and_in_blocks(relay, kind):
    """More than 16 core values, errors, and lists that are copied all at once."""
    maker, pair = Maker(3), relay(kind)
    for _ in range(40):
        checked(pair, kind, maker.value(kind))


@pytest.mark.parametrize("name", ["f32", "f64"])
def test_every_nan_is_the_same(relay, name):
    """*Loading*, `canonicalize_nan`: a payload in a NaN would be a channel that no type shows."""
    pair = relay(ListOf(Primitive(name)))
    assert str(pair([1.0, float("nan"), float("inf"), -float("inf")])) == "[1.0, nan, inf, -inf]"
    assert str(pair.seen) == "[[1.0, nan, inf, -inf]]"


def test_views_die_with_the_call(relay):
    """The far side reads the near one's memory while the call runs, and never again."""
    pair = relay(ListOf(Primitive("u8")))
    assert pair(b"x" * 100_000) == b"x" * 100_000
    (parts,) = pair.passed.pop()
    with pytest.raises(ValueError, match="released"):
        bytes(parts.values[0])


def test_a_nan_far_behind_is_found(relay):
    """Only what has one is copied, and piece by piece."""
    pair = relay(ListOf(Primitive("f64")))
    for at in (0, 20_000, 49_999):
        value = [float(number) for number in range(50_000)]
        value[at] = float("nan")
        found = pair(value)
        assert (found[at] != found[at], found[:at], found[at + 1 :]) == (True, value[:at], value[at + 1 :])


def test_the_clock_is_looked_at_while_much_passes(relay):
    """A guest decides how much it passes: a call that is late ends in the middle of it. It passes twice, and twice it is looked at."""
    pair, short, long = relay(ListOf(Primitive("f64"))), Call(), Call()
    pair.instance.call(("", "echo"), ([0.5] * 10,), short)
    pair.instance.call(("", "echo"), ([0.5] * 1_000_000,), long)
    assert long.checks >= short.checks + 4 * (1_000_000 >> 14)


def taker():
    """Takes every type that the liar passes."""
    lifts, core = [], []
    for name, (kind, _) in KINDS.items():
        core.append(f'(func (export "{name}") (param i32 i32))')
        options = '(memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))'
        lifts.append(f'(func (export "host-{name}") (param "x" {kind}) (canon lift (core func $i "{name}") {options}))')
    return f"""(component
      (core module $l (memory (export "memory") 1) (global $top (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
          (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
          (global.set $top (i32.add (local.get $at) (local.get 3)))
          (loop $more
            (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))) (then
              (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)) (br $more))))
          (local.get $at)))
      (core instance $libc (instantiate $l))
      (core module $m {" ".join(core)}) (core instance $i (instantiate $m)) {" ".join(lifts)})"""


@pytest.mark.parametrize("seed", range(4))
def test_a_liar_gains_nothing_by_passing_to_another_guest(assemble, seed):
    """Whatever it passes ends as it ends where the host looks at it: in a trap, or not."""
    engine, pick = LANES["core"](), random.Random(seed)
    far = engine.load(assemble(taker()))
    near = engine.load(assemble(liar()))
    inner = engine.link(far, {}).instantiate(Limits(), Call())
    carried = []

    def carry(name):
        def on(context, parts):
            nonlocal inner
            carried.append(type(parts))
            if inner.trapped:
                inner = engine.link(far, {}).instantiate(Limits(), Call())
            return inner.call(("", name), parts if type(parts) is Parts else (parts,), context)

        return on

    names = [f"host-{name}" for name in KINDS]
    passing = engine.link(near, {("", name): Edge(carry(name), far, ("", name)) for name in names})
    looking = engine.link(near, {("", name): lambda _, value: None for name in names})
    ends = [0, 1, 3, 8, 65528, 65535, 65536, 65537, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF]
    trapped = fine = 0
    for _ in range(150):
        name = pick.choice([name for name, (_, encoding) in KINDS.items() if encoding == "utf8"])
        steps = [("set", pick.randrange(65536), pick.choice([0, 1, 2, 0xC0, 0xD8, 0xFF])) for _ in range(3)]
        length = pick.choice([*ends, *range(12)])
        steps.append((f"in-{name}", pick.choice([*ends, pick.randrange(65536), pick.randrange(65536)]), length))
        outcomes = []
        for linked in (passing, looking):
            instance = linked.instantiate(Limits(), Call())
            try:
                for step in steps:
                    instance.call(("", step[0]), step[1:], Call())
                outcomes.append("fine")
            except (GuestTrap, LimitExceeded) as error:
                outcomes.append(f"{type(error).__name__} {error}")
                assert instance.trapped
            instance.close()
        assert outcomes[0] == outcomes[1], steps
        trapped, fine = trapped + (outcomes[0] != "fine"), fine + (outcomes[0] == "fine")
    assert trapped > 20 < fine
    assert set(carried) == {Parts}
    inner.close()
