"""Each check of the core engine, by a guest that needs it: what no allocator, pointer, tag, number, handle or moment may be.

The guests are those of `hostile/`, told what to do by hand. Whatever a script can say is compared with the reference engine elsewhere; here
each case is one lie, and what must come of it is written down, so that `mutants.py` finds quickly who misses a check.
"""

from __future__ import annotations

import struct
import threading
from ctypes import CFUNCTYPE, c_size_t
from functools import cache

import pytest
from host.engine.conftest import Call
from host.engine.core.hostile.play import Side, Thing
from host.engine.core.hostile.script import Script, Step, Told
from host.engine.core.hostile.stage import artifacts
from host.engine.core.hostile.world import BODY, DTOR, IMAGE, POST, REALLOC, RESOURCES, World
from ringfence.contract.errors import GuestTrap
from ringfence.contract.types import EnumOf, FlagsOf, ListOf, OptionOf, Primitive, ResultOf, TupleOf, VariantOf
from ringfence.engine.callbacks import CFunction, current
from ringfence.engine.core import CoreEngine
from ringfence.engine.core.transcode import transcode

TEXT, U8 = Primitive("string"), Primitive("u8")
KINDS = {
    "text": TEXT,
    "bytes": ListOf(U8),
    "words": ListOf(Primitive("u32")),
    "texts": ListOf(TEXT),
    "truths": ListOf(Primitive("bool")),
    "doubles": ListOf(Primitive("f64")),
    "pairs": ListOf(TupleOf((U8, Primitive("u16")))),
    "many": TupleOf((TEXT,) * 9),
    "option": ListOf(OptionOf(U8)),
    "variant": ListOf(VariantOf((("a", U8), ("b", None)))),
    "enum": ListOf(EnumOf(("a", "b", "c"))),
    "flags": ListOf(FlagsOf(("a", "b", "c"))),
    "flag": FlagsOf(("a", "b", "c")),
    "chars": ListOf(Primitive("char")),
    "char": Primitive("char"),
    "byte": U8,
    "short": Primitive("u16"),
    "truth": Primitive("bool"),
    "label": EnumOf(("a", "b", "c")),
    "result": ResultOf(TEXT, None),
}
SMALL = ("byte", "short", "truth", "char", "label", "flag")
"""Whose result is a core value; that of others is a pointer."""
NAMES = [*KINDS, *[name for name, _, _ in RESOURCES]]
OUTSIDE, SLOT = 0x7FFFFFF0, 0x7000


def name_of(function):
    return f"f{NAMES.index(function)}" if function in KINDS else function


def world(one="utf8", two="utf8"):
    return World(types=tuple(KINDS.values()), encodings=(one, two))


@cache
def made(encodings):
    return artifacts(world(*encodings).text)


@cache
def side_of(encodings):
    return Side(CoreEngine(), made(encodings), world(*encodings))


class Play:
    """One instance and its script; `guest` is what it is told."""

    def __init__(self, encodings, far=""):
        self.script, self.side = Script(far=far), side_of(encodings)
        assert self.side.begin(self.script) == ("value", None)

    def __call__(self, function, argument="", told=None, *, guest="one", host=(), seconds=20.0, output=1 << 30, **others):
        """What a call ends in; `argument` is an expression."""
        self.script.seconds, self.script.output = seconds, output
        step = Step(guest, name_of(function), f"({argument or default(function)},)", **{guest: told or Told(), **others}, host=list(host))
        outcome, self.dead, self.seen = self.side.play(step)
        return outcome


def default(function):
    return {"text": "''", "byte": "7", "words": "[]", "bytes": "b''", "make": "5", "truth": "False"}.get(function, "[]")


@pytest.fixture
def play():
    plays = []

    def start(one="utf8", two="utf8", **more):
        plays.append(Play((one, two), **more))
        return plays[-1]

    yield start
    for one in plays:
        one.side.end()


def told(function, *actions, event=None, data=b""):
    """A guest that does this when the function is called, with these bytes at `IMAGE`."""
    made = Told()
    event = BODY + NAMES.index(function) if event is None else event
    if data:
        made.add(event, ["write", len(data), IMAGE, made.put(data)])
    for action, *operands in actions:
        if action == "call":  # of an import, with these words
            callee, *words = operands
            operands = [NAMES.index(callee), made.put(struct.pack(f"<{len(words) + 1}Q", *words, SLOT))]
        elif action == "drop-inner":  # of the resource that it imports
            action, operands = "drop", [1, *operands]
        elif action in ("give", "drop", "rep", "new", "grow"):
            operands = [0, *operands]
        made.add(event, [action, *operands, *[0] * (3 - len(operands))])
    if event >= BODY and not any(action[0] == "give" for action in actions):
        made.add(event, ["give", 0, {"char": 97}.get(function, 0) if function in SMALL else SLOT, 0])
    return made


def list_of(*numbers, code="B"):
    """A list's words at `IMAGE`, and its elements behind."""
    return struct.pack("<II", IMAGE + 8, len(numbers)) + struct.pack(f"<{len(numbers)}{code}", *numbers)


LIFTED = [
    # what it is, the function, the bytes at IMAGE, whether that is good
    ("an option", "option", list_of(1, 7, 0, 9), True),
    ("an option's tag", "option", list_of(1, 7, 2, 9), False),
    ("a variant", "variant", list_of(0, 7, 1, 9), True),
    ("a variant's tag", "variant", list_of(0, 7, 2, 9), False),
    ("an enum's label", "enum", list_of(0, 1, 2), True),
    ("an enum's label that it lacks", "enum", list_of(0, 1, 3), False),
    ("a char", "chars", list_of(0x10FFFF, 0xD7FF, code="I"), True),
    ("a char beyond the last", "chars", list_of(0x110000, code="I"), False),
    ("a surrogate", "chars", list_of(0xDFFF, code="I"), False),
    ("a text", "text", struct.pack("<II", IMAGE + 8, 2) + b"ab", True),
    ("a text that is not UTF-8", "text", struct.pack("<II", IMAGE + 8, 2) + b"\xc3\x28", False),
    ("a text outside", "text", struct.pack("<II", OUTSIDE, 2), False),
    ("a text of no bytes outside", "text", struct.pack("<II", OUTSIDE, 0), False),
    ("bytes outside", "bytes", struct.pack("<II", OUTSIDE, 2), False),
    ("no bytes, outside", "bytes", struct.pack("<II", OUTSIDE, 0), False),
    ("numbers outside", "words", struct.pack("<II", OUTSIDE, 2), False),
    ("numbers that are not aligned", "words", struct.pack("<II", IMAGE + 9, 0), False),
    ("truths outside", "truths", struct.pack("<II", OUTSIDE, 2), False),
    ("records outside", "pairs", struct.pack("<II", OUTSIDE, 2), False),
    ("records that are not aligned", "pairs", struct.pack("<II", IMAGE + 9, 1), False),
    ("records that end outside", "pairs", struct.pack("<II", IMAGE + 8, 0x10000000), False),
]


@pytest.mark.parametrize("way", ["result", "argument", "far"])
@pytest.mark.parametrize(("function", "data", "good"), [one[1:] for one in LIFTED], ids=[one[0] for one in LIFTED])
def test_what_lies_in_memory(play, way, function, data, good):
    """As a result, as an argument of a host function, as one of another guest that is reached by parts."""
    one = play(far="one" if way == "far" else "")
    lie = ["give", IMAGE] if way == "result" else ["call", function, *struct.unpack_from("<II", data)]
    outcome = one(function, told=told(function, lie, data=data))
    assert outcome[0] == ("value" if good else "trap"), outcome
    assert one.dead[0] != good
    if way != "result":
        assert len(one.seen) == good
    if way == "far":
        assert one.side.carried == good


FLAT = [
    ("byte", 0xFFFFFF07, "7"),
    ("byte", 0xABCDEF00000107, "7"),
    ("short", 0xFFFF0007, "7"),
    ("truth", 2, "True"),
    ("truth", 0xABCDEF00000000, "False"),
    ("char", 97, "'a'"),
    ("char", 0xD800, None),
    ("char", 0x110000, None),
    ("label", 3, None),
]


@pytest.mark.parametrize("way", ["result", "argument", "far"])
@pytest.mark.parametrize(("function", "word", "meaning"), FLAT)
def test_what_is_passed_without_memory(play, way, function, word, meaning):
    """Upper halves mean nothing, narrow numbers are cut, whatever is not zero is true."""
    one = play(far="one" if way == "far" else "")
    argument = {"char": "'x'", "label": "'a'", "truth": "False"}.get(function, "1")
    if way == "result":
        outcome = one(function, argument, told(function, ["give", word]))
        assert outcome == (("trap",) if meaning is None else ("value", meaning))
        return
    outcome = one(function, argument, told(function, ["call", function, word]))
    assert outcome[0] == ("trap" if meaning is None else "value")
    assert one.seen == ([] if meaning is None else [("tuple", [meaning])])


@pytest.mark.parametrize("far", ["", "one"])
def test_flags_that_the_type_does_not_have(play, far):
    """Nobody sees them, not even the guest at the far end."""
    one = play(far=far)
    outcome = one("flag", "[]", told("flag", ["call", "flag", 0xFFFFFFFD]))
    assert outcome[0] == "value"
    assert one.seen == [("tuple", [("flags", ["a", "c"])])]
    if far:
        assert one.side.log()[2][0] == 5


@pytest.mark.parametrize(
    ("function", "given", "found"),
    [
        ("truths", 0xFF00010002, 0x0100010001),
        ("doubles", 0xFFF0_0000_0000_0001, 0x7FF8_0000_0000_0000),
        ("doubles", 0x7FF0_0000_0000_0000, 0x7FF0_0000_0000_0000),
    ],
)
def test_what_a_guest_at_the_far_end_sees_of_packed_numbers(play, function, given, found):
    """As canonical as if the host had looked at them."""
    one = play(far="one")
    data = struct.pack("<Q", given)
    far = told(function, ["note", 0, 0x10000])
    outcome = one(function, told=told(function, ["call", function, IMAGE, 1 if function == "doubles" else 5], data=data), far_one=far)
    assert outcome[0] == "value"
    assert found in one.side.log()[2]


def test_what_passes_between_guests_is_counted(play):
    """Once where it leaves the far one, once where it leaves the near one."""
    for output, good in ((16, True), (15, False)):
        outcome = play(far="one")("words", host=[["answer", "[1, 2]"]], output=output)
        assert outcome[0] == ("value" if good else "limit")


WIDE = [("a text that is not aligned", IMAGE + 1, 2), ("a text outside", OUTSIDE, 2), ("half a surrogate", IMAGE, 1)]


@pytest.mark.parametrize("encoding", ["utf16", "latin1+utf16"])
@pytest.mark.parametrize(("pointer", "units"), [one[1:] for one in WIDE], ids=[one[0] for one in WIDE])
def test_a_text_of_16_bit_units(play, encoding, pointer, units):
    tag = 0 if encoding == "utf16" else 1 << 31
    one = play(encoding)
    data = b"\x00\xd8a\0"
    assert one("text", told=told("text", ["call", "text", pointer, units | tag], data=data)) == ("trap",)
    one = play(encoding)
    assert one("text", told=told("text", ["call", "text", IMAGE + 2, 1 | tag], data=data))[0] == "value"
    assert one.seen == [("tuple", ["'a'"])]


PLACES = [
    ("spilled arguments", "many", [["call", "many", IMAGE + 2]]),
    ("spilled arguments outside", "many", [["call", "many", OUTSIDE]]),
    ("a result", "text", [["give", IMAGE + 2]]),
    ("a result outside", "text", [["give", OUTSIDE]]),
]


@pytest.mark.parametrize(("function", "actions"), [one[1:] for one in PLACES], ids=[one[0] for one in PLACES])
def test_a_pointer_to_what_does_not_fit_in_core_values(play, function, actions):
    one, argument = play(), "['', '', '', '', '', '', '', '', '']" if function == "many" else ""
    assert one(function, argument, told(function, *actions)) == ("trap",)
    assert one.dead == [True]


@pytest.mark.parametrize("place", [SLOT + 2, OUTSIDE])
def test_a_pointer_for_what_a_host_function_returns(play, place):
    step = Told()
    words = step.put(struct.pack("<3Q", IMAGE, 0, place))
    step.add(BODY, ["call", 0, words, 0])
    assert play()("text", told=step) == ("trap",)


@pytest.mark.parametrize(("answer", "good"), [(0x8000, True), (0x8001, False), (OUTSIDE & ~3, False), (0xFFFFFFF0, False)])
@pytest.mark.parametrize("way", ["argument", "answer"])
def test_what_an_allocator_answers(play, way, answer, good):
    one = play()
    if way == "argument":
        step = told("words", ["give", SLOT])
        step.add(REALLOC, ["give", 0, answer | 0xF00D << 32, 0])
        outcome = one("words", "[1, 2]", step)
    else:
        outcome = one("words", "[]", told("words", ["give", 0x9000], ["give", answer], event=REALLOC), host=[["answer", "[1, 2]"]])
    assert outcome[0] == ("value" if good else "trap")


def test_more_than_a_memory_can_hold_is_not_asked_for(play):
    assert play()("bytes", told=None, host=[["fill", 1 << 33, 0]]) == ("trap",)


@pytest.mark.parametrize("written", [-1, 7])
def test_a_fill_that_says_it_wrote_what_it_could_not(play, written):
    assert play()("bytes", host=[["fill", 6, written]]) == ("shape",)


@pytest.mark.parametrize("action", [["trap"], ["throw"], ["recurse"]])
@pytest.mark.parametrize("event", [REALLOC, POST])
def test_a_guest_that_fails_in_between(play, action, event):
    one = play()
    assert one("text", "'x'", told("text", action, event=event))[0] in ("trap", "limit")
    assert one.dead == [True]


@pytest.mark.parametrize("event", [REALLOC, POST])
@pytest.mark.parametrize("action", [["call", "byte", 1], ["new", 1], ["drop-inner", 1]], ids=lambda action: action[0])
def test_nothing_may_be_called_from_there(play, event, action):
    """And when that is over it may be again."""
    one = play()
    assert one("make")[0] == "value"
    assert one("text", "'x'", told("text", action, event=event)) == ("trap",)
    assert one.seen == ([] if event == REALLOC else [("tuple", ["'x'"])])
    other = play()
    for _ in range(2):
        assert other("text", "'x'", told("text", ["call", "byte", 1])) == ("value", "''")
    for _ in range(2):  # with nothing between them, not even a script
        assert other.side.instance.call(("h:one/api", name_of("byte")), (7,), Call()) == 7


def test_a_view_is_as_long_as_the_memory_and_dies_when_it_grows(play):
    one = play()
    one("text", "'x'")
    old = {memory: memory.view for memory in one.side.instance._store._memories.values()}
    assert all(len(view) == memory._size() == memory.size for memory, view in old.items())
    assert one("text", "'x'", told("text", ["grow", 1]))[0] == "value"
    one("text", "'x'")
    (grown,) = [memory for memory in old if memory.size == 3 << 16]
    assert len(grown.view) == grown._size()
    with pytest.raises(ValueError, match="released"):
        old[grown][0]


@pytest.mark.parametrize("way", ["result", "argument"])
def test_memory_that_has_just_grown_is_seen(play, way):
    """What lies there is good as a result and as an argument."""
    one, place = play(), 2 << 16
    lie = ["give", place] if way == "result" else ["call", "text", place + 8, 1]
    grown = ["call", "byte", 1], ["grow", 1], ["store", 0, place, place + 8 | 1 << 32], ["store", 0, place + 8, ord("a")]
    assert one("text", told=told("text", *grown, lie)) == ("value", "'a'")


# Handles


HANDLES = [
    ("forged", ["rep", 77]),
    ("the one that never is", ["drop", 0]),
    ("of another resource", ["rep", 1]),
    ("dropped", ["drop", 2], ["rep", 2]),
    ("dropped twice", ["drop", 2], ["drop", 2]),
]


@pytest.mark.parametrize("actions", [one[1:] for one in HANDLES], ids=[one[0] for one in HANDLES])
def test_a_handle_that_is_none(play, actions):
    """Index 1 is the thing of the host's, 2 the guest's own behind which it lies."""
    one = play()
    assert one("byte", told=told("byte", ["call", "make", 3], ["new", 1], ["rep", 2], ["drop", 2]))[0] == "value"
    other = play()
    assert other("byte", told=told("byte", ["call", "make", 3], ["new", 1], *actions)) == ("trap",)


def test_a_thing_that_is_lent_is_not_given_away(play):
    """In one and the same call, the loan first."""
    one = play()
    step = told("byte", ["call", "make", 3], ["call", "mix", 1, 1, IMAGE, 0])
    assert one("byte", told=step) == ("trap",)
    other = play()
    step = told("byte", ["call", "make", 3], ["call", "make", 4], ["call", "mix", 1, 2, IMAGE, 0], ["call", "peek", 1], ["call", "eat", 1])
    assert other("byte", told=step)[0] == "value"


def test_a_thing_is_given_away_once(play):
    assert play()("byte", told=told("byte", ["call", "make", 3], ["call", "eat", 1], ["call", "eat", 1])) == ("trap",)


@pytest.mark.parametrize("action", [["trap"], ["drop", 1], ["drop", 2]])
def test_a_destructor_that_fails(play, action):
    one = play()
    step = told("byte", ["call", "make", 3], ["new", 1], ["drop", 2])
    step.add(DTOR, [action[0], 0, *action[1:], *[0] * (3 - len(action))])
    assert one("byte", told=step) == ("trap",)


# Time, output, order


def test_the_time_is_asked_for_when_the_host_is_called(play):
    """The first call makes it late, the second does not begin."""
    one = play()
    step = told("byte", ["call", "byte", 1], ["call", "byte", 2])
    assert one("byte", told=step, host=[["late"]]) == ("deadline",)
    assert one.seen == [("tuple", ["1"])]


def test_an_interruption_that_came_while_wasm_ran_is_met_before_its_result(play):
    step = told("text", ["call", "byte", 1], ["give", OUTSIDE])
    assert play()("text", told=step, host=[["interrupt"]]) == ("planned", "interrupted")


class Spending(Call):
    """A call that is interrupted when its result is counted."""

    def __init__(self, instance, error):
        super().__init__()
        self._instance, self._error = instance, error

    def spend(self, count):
        self._instance.interrupt(self._error)


def test_an_interruption_that_came_too_late_is_not_lost(core):
    from host.engine.core.test_lies import KINDS as LYING
    from host.engine.core.test_lies import liar

    instance = core(liar(), {("", f"host-{name}"): lambda _, value: None for name in LYING})
    error = LookupError("late")
    with pytest.raises(LookupError) as caught:
        instance.call(("", "out-bytes"), (16, 0, 1), Spending(instance, error))
    assert caught.value is error


COUNTED = [
    ("text", "'abcdefgh'", 8),
    ("bytes", "b'abcdefgh'", 8),
    ("words", "[1, 2]", 8),
    ("pairs", "[(1, 2), (3, 4)]", 8),
]


@pytest.mark.parametrize(("function", "argument", "size"), COUNTED)
@pytest.mark.parametrize("encoding", ["utf8", "utf16"])
def test_what_comes_out_is_counted(play, function, argument, size, encoding):
    if function == "text" and encoding == "utf16":
        size *= 2
    assert play(encoding)(function, argument, output=size)[0] == "value"
    assert play(encoding)(function, argument, output=size - 1) == ("limit", "output")


def big(function, count):
    """A guest that passes so many elements of zeros to the host."""
    return told(function, ["grow", 20], ["call", function, 0x30000, count])


@pytest.mark.parametrize(("function", "size"), [("words", 4), ("truths", 1), ("pairs", 4)])
@pytest.mark.parametrize("far", ["", "one"])
def test_the_time_is_asked_for_while_much_is_lifted(play, monkeypatch, function, size, far):
    """A guest decides how much."""
    calls = []
    monkeypatch.setattr("host.engine.core.hostile.play.plain", len)
    monkeypatch.setattr(Side, "_call", lambda self: calls.append(Call()) or calls[-1])
    count = 0x40000 // size
    if far and function != "pairs":
        pytest.skip("these are views")
    for number in (10, count):
        one = play(far=far)
        assert one(function, told=big(function, number), host=[["answer", "[]"]])[0] == "value"
    assert calls[-1].checks >= calls[1 + bool(far)].checks + count // 20_000


@pytest.mark.parametrize("function", ["words", "pairs", "texts"])
def test_what_is_made_of_little_memory_weighs(play, monkeypatch, function):
    """Each element is an object of Python's."""
    from ringfence.engine.core import memory

    monkeypatch.setattr(memory, "_HEAVIEST", 100_000)
    assert play()(function, told=big(function, 100))[0] == "value"
    assert play()(function, told=big(function, 3_000)) == ("limit", "output")


@pytest.mark.parametrize(
    ("how", "outcome"),
    [(["raise"], ("planned", "raised")), (["reenter"], ("trap",)), (["wrong"], ("shape",)), (["wit", "1"], ("shape",))],
    ids=lambda one: one[0],
)
def test_after_a_failure_of_the_host_the_instance_is_dead(play, how, outcome):
    one = play()
    assert one("byte", host=[how]) == outcome
    assert one.dead == [True]
    assert one("byte") == ("trap",)


def test_a_closed_instance_is_not_entered(play):
    one = play()
    one.side.instance.close()
    assert one("byte") == ("trap",)


def test_after_another_instance_was_called_meanwhile_the_first_goes_on(play):
    """What it passes then is read from its own memory."""
    one, step = play(), told("text", ["call", "text", IMAGE, 1], ["call", "text", IMAGE, 1], data=b"a")
    assert one("text", told=step, host=[["sibling"]]) == ("value", "'a'")
    assert one.seen == [("tuple", ["'a'"])] * 2


def test_a_turn_that_another_thread_has_is_its_own(play):
    """Also in the moment before it has told that it is inside."""
    one, taken, done = play(), threading.Event(), threading.Event()

    def hold():
        with one.side.instance._turn:
            taken.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    try:
        with pytest.raises(GuestTrap, match="in a call already"):
            one.side.instance.call(("", "log-one"), (), Call())
    finally:
        done.set()
        thread.join()


def test_a_callback_that_can_not_begin_ends_the_guest_and_tells_why(monkeypatch):
    """Whatever its function raises by itself is as if it had not begun."""

    class Store:
        told = None

        def interrupted(self, reason):
            Store.told = reason
            raise RecursionError

    error = RecursionError("at its entry")
    monkeypatch.setattr(current, "store", Store())
    function = CFunction("size_t(size_t)", lambda _: (_ for _ in ()).throw(error), lambda: 42)
    assert CFUNCTYPE(c_size_t, c_size_t)(function.address)(1) == 42
    assert Store.told is error


@pytest.mark.parametrize(("pointer", "units", "to"), [(OUTSIDE, 4, 0x8000), (0x8000, 4, OUTSIDE), (0x8001, 4, 0x8000), (0x8000, 4, 0x8001)])
def test_a_transcoder_looks_for_itself(play, pointer, units, to):
    """An adapter has checked both ranges."""
    one = play()
    one("byte")
    store = one.side.instance._store
    memory = store.memory("memory:0")
    with pytest.raises(GuestTrap):
        transcode("utf16-to-utf16", memory, memory, (pointer, units, to))


def test_a_transcoder_sees_memory_that_has_just_grown(play):
    place = 2 << 16
    one = play("utf16", "utf8")
    early = ["call", "text", IMAGE, 1]
    grown = ["grow", 1], ["store", 0, place, ord("a")], ["call", "text", place, 1]
    assert one("text", told=None, guest="two", two=told("text", early, *grown)) == ("value", "'a'")


def test_cases_that_are_met_in_an_adapter(play):
    """Two guests: what the one passes to the other is checked in the module itself, which tells by a trap."""
    one = play()
    assert one("char", "'x'", guest="two", two=told("char", ["call", "char", 0xD800])) == ("trap",)
    other = play()
    assert other("text", "'x'", guest="two", two=told("text", ["call", "text", OUTSIDE, 4])) == ("trap",)
    lent = play()
    step = told("byte", ["call", "make", 1], ["call", "mix", 1, 1, IMAGE, 0])
    assert lent("byte", two=step, guest="two", one=told("mix", ["give", 0])) == ("trap",)
    assert play()("byte", guest="two", two=told("byte", ["call", "make", 1], ["call", "peek", 1], ["call", "eat", 1]))[0] == "value"


LENT = """(component
  (import "host" (instance $host (export "thing" (type $t (sub resource))) (export "eat" (func (param "x" (own $t))))))
  (alias export $host "thing" (type $thing))
  (core func $drop (canon resource.drop $thing)) (core func $eat (canon lower (func $host "eat")))
  (component $Far (import "thing" (type $t (sub resource)))
    (core func $drop (canon resource.drop $t))
    (core module $m (import "" "drop" (func $drop (param i32))) (func (export "see") (param i32) (call $drop (local.get 0)))
      (func (export "keep") (param i32)))
    (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
    (func (export "see") (param "x" (borrow $t)) (canon lift (core func $i "see")))
    (func (export "keep") (param "x" (borrow $t)) (canon lift (core func $i "keep"))))
  (instance $far (instantiate $Far (with "thing" (type $thing))))
  (component $Near (import "thing" (type $t (sub resource))) (import "see" (func $see (param "x" (borrow $t))))
    (import "keep" (func $keep (param "x" (borrow $t)))) (import "eat" (func $eat (param "x" (own $t))))
    (core func $drop (canon resource.drop $t)) (core func $l-see (canon lower (func $see))) (core func $l-eat (canon lower (func $eat)))
    (core func $l-keep (canon lower (func $keep)))
    (core module $m (import "" "drop" (func $drop (param i32))) (import "" "see" (func $see (param i32)))
      (import "" "eat" (func $eat (param i32))) (import "" "keep" (func $keep (param i32)))
      (func (export "pass") (param i32) (call $see (local.get 0)) (call $see (local.get 0)) (call $drop (local.get 0)))
      (func (export "idle") (param i32)) (func (export "kept") (param i32) (call $see (local.get 0)))
      (func (export "far-kept") (param i32) (call $keep (local.get 0)) (call $drop (local.get 0)))
      (func (export "eat") (param i32) (call $eat (local.get 0))))
    (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop)) (export "see" (func $l-see))
      (export "keep" (func $l-keep)) (export "eat" (func $l-eat))))))
    (func (export "pass") (param "x" (borrow $t)) (canon lift (core func $i "pass")))
    (func (export "kept") (param "x" (borrow $t)) (canon lift (core func $i "kept")))
    (func (export "idle") (param "x" (borrow $t)) (canon lift (core func $i "idle")))
    (func (export "far-kept") (param "x" (borrow $t)) (canon lift (core func $i "far-kept")))
    (func (export "eat") (param "x" (borrow $t)) (canon lift (core func $i "eat"))))
  (instance $near (instantiate $Near (with "thing" (type $thing)) (with "see" (func $far "see")) (with "keep" (func $far "keep"))
    (with "eat" (func $host "eat"))))
  (export "pass" (func $near "pass")) (export "kept" (func $near "kept")) (export "idle" (func $near "idle"))
  (export "far-kept" (func $near "far-kept"))
  (export "eat" (func $near "eat")))"""


@pytest.mark.parametrize(("name", "good"), [("pass", True), ("idle", False), ("kept", False), ("far-kept", False), ("eat", False)])
def test_what_may_be_done_with_a_thing_that_the_host_lends(sides, name, good):
    """It is lent on, each time for one call, and given back; not kept, by either of two guests, and not given away."""
    for side in sides(LENT, lambda side: {("host", "eat"): lambda _, thing: None}):
        assert side.outcome(name, Thing(1))[0] == ("value" if good else "GuestTrap"), side.lane
