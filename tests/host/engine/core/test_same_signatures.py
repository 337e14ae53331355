"""Both engines, random signatures: any number of parameters, all string encodings, resources of the host, wide flags and enums.

What `test_same_answers.py` leaves out: there one value crosses, in UTF-8, without a resource. Here is also a proof that calls arrive.
"""

from random import Random

import pytest
from host.engine.relay import THING, relay_text
from host.engine.suite.values import exact
from host.engine.test_any_type import SHAPES, Maker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.contract.types import Borrow, EnumOf, FlagsOf, ListOf, OptionOf, Own, Primitive, RecordOf, ResultOf, TupleOf, VariantOf
from ringfence.contract.values import Err, WitError

from .test_same_answers import CASES, everything, spoiled

ENCODINGS = ["utf8", "utf16", "latin1+utf16"]
PROPERTY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
TEXTS = ["", "a", "é" * 40, "a" * 50 + "漢", "😀\0\uffff", "\u00ff\u0100", "ß" * 300]
FLOATS = [0.0, -0.0, float("inf"), float("nan"), 2.0**-149, -1.5]


class Thing:
    """A resource of the host; the same object goes into both engines."""

    def __init__(self, number):
        self.number, self.closed = number, 0

    def close(self):
        self.closed += 1

    def __repr__(self):
        return f"thing {self.number}"


class Signatures(Maker):
    """Makes signatures and arguments. Things are few, so that one may be given twice in a call."""

    def __init__(self, seed):
        super().__init__(seed)
        self.things, self.borrows = [Thing(number) for number in range(4)], True

    def signature(self):
        many = self.random.choice([0, 1, 2, 3, 5, 17, 24])
        params = [(f"p{index}", self.type(self.random.randint(0, 2 if many < 6 else 1))) for index in range(many)]
        self.borrows = False  # nothing may be lent to a caller
        result = None if self.random.random() < 0.1 else self.type(2, self.random.choice([*SHAPES, ResultOf, None]))
        return params, result, self.random.choice(ENCODINGS)

    def type(self, depth, shape=None):
        if shape is None and self.random.random() < 0.15:
            return Borrow(THING) if self.borrows and self.random.random() < 0.5 else Own(THING)
        if shape is FlagsOf:
            return FlagsOf(tuple(f"f{index}" for index in range(self.random.choice([1, 8, 9, 16, 17, 32]))))
        return super().type(depth, shape or (self.random.choice(SHAPES) if depth else Primitive))

    def value(self, kind):
        return self.random.choice(self.things) if isinstance(kind, (Own, Borrow)) else super().value(kind)

    def primitive(self, name):
        if name == "string":
            return self.random.choice(TEXTS)
        return self.random.choice(FLOATS) if name == "f64" else super().primitive(name)


class Run:
    """One signature on both engines; `answer` is what the host functions answer."""

    def __init__(self, sides, params, result, encoding):
        self.unwraps, self.answer = isinstance(result, ResultOf), None
        self.pair = sides(relay_text(params, result, encoding), self._imports)

    def _imports(self, side):
        def host(_context, *arguments):
            side.seen.append(exact(arguments))
            if not self.unwraps or not hasattr(self.answer, "value"):
                return self.answer
            if isinstance(self.answer, Err):
                raise WitError(self.answer.value)
            return self.answer.value

        return {("", "host"): host}

    def outcomes(self, things, arguments):
        """What each engine's call ends in, with what its host function got and which things were closed; equal if all is well."""
        found = []
        for side in self.pair:
            side.seen.clear()
            before = [thing.closed for thing in things]
            kind, value, trapped = side.outcome("echo", *arguments)
            if trapped:
                side.renew()
            closed = [thing.closed - count for thing, count in zip(things, before, strict=True)]
            found.append((kind, exact(value), trapped, list(side.seen), closed))
        return found

    def close(self):
        for side in self.pair:
            side.instance.close()


def expected(answer, unwraps):
    """What a call ends in where the host's answer is right."""
    if not unwraps:
        return "value", exact(answer)
    return ("WitError", str(WitError(answer.value))) if isinstance(answer, Err) else ("value", exact(answer.value))


@PROPERTY
@given(seed=st.integers(0, 1 << 40))
def test_random_signatures(sides, seed):
    maker = Signatures(seed)
    params, result, encoding = maker.signature()
    run = Run(sides, params, result, encoding)
    for _ in range(10):
        arguments = [maker.value(kind) for _, kind in params]
        run.answer = None if result is None else maker.value(result)
        one, other = run.outcomes(maker.things, arguments)
        assert one == other
        if arguments:
            at = maker.random.randrange(len(arguments))
            wrong = [*arguments[:at], spoiled(maker, arguments[at]), *arguments[at + 1 :]]
            one, other = run.outcomes(maker.things, wrong)
            assert one == other, "a wrong argument"
        run.answer = spoiled(maker, run.answer)
        one, other = run.outcomes(maker.things, arguments)
        assert one == other, "a host function's wrong answer"
    run.close()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "kind",
    [
        EnumOf(tuple(f"e{index}" for index in range(257))),
        VariantOf(tuple((f"c{index}", Primitive("u64") if index % 2 else None) for index in range(257))),
        FlagsOf(tuple(f"f{index}" for index in range(32))),
        OptionOf(OptionOf(OptionOf(Primitive("string")))),
        ResultOf(ResultOf(None, OptionOf(Primitive("u8"))), ResultOf(OptionOf(Primitive("char")), None)),
        TupleOf(tuple([Primitive("u8"), Primitive("f64")] * 12)),
        RecordOf(tuple((f"r{index}", OptionOf(Primitive("s64"))) for index in range(9))),
        ListOf(TupleOf((Primitive("string"), FlagsOf(("a", "b")), Own(THING)))),
        Own(THING),
        Borrow(THING),
    ],
)
def test_what_is_right_arrives_on_both_engines_and_comes_back(sides, kind, encoding):
    """The proof that the property above compares answers and not refusals: here each call must end well."""
    maker, params = Signatures(7), [("a", Primitive("string")), ("b", kind), *((f"p{index}", Primitive("u8")) for index in range(16))]
    result = Primitive("string") if isinstance(kind, Borrow) else kind
    run = Run(sides, params, result, encoding)
    for _ in range(20):
        maker.things[:] = [Thing(number) for number in range(9)]
        arguments = [maker.value(kind) for _, kind in params]
        if isinstance(kind, ListOf):  # each thing is given once
            arguments[1] = [(text, flags, thing) for (text, flags, _), thing in zip(arguments[1], maker.things, strict=False)]
        run.answer = arguments[1] if result is kind else maker.value(result)
        ends = run.outcomes(maker.things, arguments)
        for found, value, trapped, seen, closed in ends:
            assert (found, value if found == "value" else value[1]) == expected(run.answer, run.unwraps)
            assert (trapped, seen, set(closed)) == (False, [exact(tuple(arguments))], {0})
    run.close()


def test_a_loan_inside_another_value_must_be_given_back(sides):
    """The guest keeps it, which is its fault and a trap on either engine; the next instance is as good as new."""
    run = Run(sides, [("a", ListOf(Borrow(THING)))], None, "utf8")
    things = [Thing(1), Thing(2)]
    for given_things, trapped in ((things, True), ([], False), (things[:1], True)):
        one, other = run.outcomes(things, [given_things])
        assert one == other
        assert (one[2], "borrow handles still remain" in str(one[1])) == (trapped, trapped)
        assert len(one[3]) == 1, "the call arrived"
    assert [thing.closed for thing in things] == [0, 0], "what is lent is not closed"
    run.close()


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text("aé漢😀", max_size=300)


@settings(PROPERTY, max_examples=40)
@given(text=WORDS)
def test_any_text_passes_between_instances_in_every_pair_of_encodings(sides, composed, text):
    """The twelve transcoders with whatever hypothesis comes up with."""
    pair, names = composed
    for side in pair:
        side.renew()  # its allocator never frees
    for name in names:
        one, other = (side.outcome(("test:composed/user", name), text) for side in pair)
        assert one == other == ("value", text, False), name


@pytest.fixture
def composed(sides):
    pair = sides((CASES / "composed.wat").read_text())
    functions = pair[0].loaded.exports["test:composed/user"].functions
    names = [name for name, kind in functions.items() if kind.result == Primitive("string")]
    assert len(names) == 9
    return pair, names


# Lives of resources that the guest defines

COUNTERS = "test:guest/counters"


class Lives:
    """Counters by number, on both engines at once."""

    def __init__(self, pair):
        self.pair, self.held = pair, [{} for _ in pair]

    def both(self, function, *numbers, keep=None):
        """What a call ends in on each engine; where it gives a counter, that is kept by this number."""
        found = []
        for side, held in zip(self.pair, self.held, strict=True):
            arguments = [held[number] if isinstance(number, str) else number for number in numbers]
            kind, value, trapped = side.outcome((COUNTERS, function), *arguments)
            if kind == "value" and keep is not None:
                held[keep], value = value, "a counter"
            found.append((kind, value, trapped, side.instance.lent, [side.instance.owns(one) for one in held.values()]))
        assert found[0] == found[1], (function, numbers)
        return found[0]

    def close(self, number):
        for held in self.held:
            held[number].close()


@settings(PROPERTY, max_examples=50)
@given(seed=st.integers(0, 1 << 40))
def test_random_lives_of_a_guests_resources(sides, seed):
    """Made, lent, given away, dropped, used after that: equal answers, equal accounts of what is lent, equal destructors run."""
    pick, made = Random(seed), 0
    lives = Lives(sides((CASES / "resources.wat").read_text(), everything))
    for _ in range(30):
        held = list(lives.held[0])
        action = pick.choice(["make", "value", "merge", "merge", "take", "close", "wrong"]) if held else "make"
        one, two = (pick.choice(held), pick.choice(held)) if held else ("", "")
        if action in ("make", "merge"):
            made += 1
        match action:
            case "make":
                lives.both("[constructor]counter", pick.getrandbits(31), keep=f"c{made}")
            case "value":
                lives.both("[method]counter.value", one)
            case "merge":
                lives.both("[method]counter.merge", one, two, keep=f"c{made}")
            case "take":
                lives.both("take", one)
            case "close":
                lives.close(one)
            case "wrong":
                lives.both("take", pick.choice([None, 5, Thing(1)]))
        lives.both("dropped")
    assert lives.both("dropped")[0] == "value", "no accident ended the instance"
    for side in lives.pair:
        side.instance.close()
