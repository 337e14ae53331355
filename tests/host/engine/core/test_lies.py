"""Guests that lie about pointers, lengths, handles and discriminants: nothing outside memory is touched; wasmtime is told the same lies.

The host's own memory is at stake: one view longer than the guest's memory, and a pointer of 0xfffffff0 ends the process.
"""

import random
import threading

import pytest
from host.engine.conftest import LIBC, Call
from ringfence.contract.errors import GuestTrap, LimitExceeded
from ringfence.contract.limits import Limits
from ringfence.contract.values import Fill
from ringfence.engine.core import handles
from ringfence.engine.core import store as ended

KINDS = {
    "text": ("string", "utf8"),
    "wide": ("string", "utf16"),
    "compact": ("string", "latin1+utf16"),
    "bytes": ("(list u8)", "utf8"),
    "shorts": ("(list u16)", "utf8"),
    "doubles": ("(list f64)", "utf8"),
    "chars": ("(list char)", "utf8"),
    "options": ("(list (option u32))", "utf8"),
    "texts": ("(list string)", "utf8"),
    "nested": ("(list (tuple u8 (list (result string))))", "utf8"),
    "results": ("(list (result u64 (error string)))", "utf8"),
}


def liar():
    """`out-K(at, pointer, length)` writes pointer and length at `at` and returns `at`; `in-K` passes them to the host."""
    imports, lowers, core_imports, core, lifts, given = [], [], [], [], [], []
    for name, (kind, encoding) in KINDS.items():
        options = f'(memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) string-encoding={encoding}'
        imports.append(f'(import "host-{name}" (func $host-{name} (param "x" {kind})))')
        lowers.append(f"(core func $low-{name} (canon lower (func $host-{name}) {options}))")
        core_imports.append(f'(import "" "{name}" (func $h-{name} (param i32 i32)))')
        core.append(f'(func (export "in-{name}") (param i32 i32) (call $h-{name} (local.get 0) (local.get 1)))')
        given.append(f'(export "{name}" (func $low-{name}))')
        lifts.append(f'(func (export "out-{name}") (param "at" u32) (param "p" u32) (param "n" u32) (result {kind})')
        lifts.append(f'(canon lift (core func $i "out") {options}))')
        lifts.append(f'(func (export "in-{name}") (param "p" u32) (param "n" u32) (canon lift (core func $i "in-{name}")))')
    return f"""(component {" ".join(imports)} {LIBC} {" ".join(lowers)}
      (core module $m (import "" "memory" (memory 1)) {" ".join(core_imports)}
        (func (export "out") (param i32 i32 i32) (result i32)
          (if (i32.lt_u (local.get 0) (i32.const 65520)) (then
            (i32.store (local.get 0) (local.get 1)) (i32.store offset=4 (local.get 0) (local.get 2))))
          (local.get 0))
        (func (export "set") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
        (func (export "grow") (drop (memory.grow (i32.const 1))))
        {" ".join(core)})
      (core instance $i (instantiate $m (with "" (instance (export "memory" (memory $libc "memory")) {" ".join(given)}))))
      (func (export "set") (param "at" u32) (param "v" u32) (canon lift (core func $i "set")))
      (func (export "grow") (canon lift (core func $i "grow")))
      {" ".join(lifts)})"""


def meaning(outcome):
    """What is to be equal: the value, or the kind of error."""
    kind, value, trapped = outcome
    return kind, value if kind == "value" else None, trapped


@pytest.mark.parametrize("seed", range(8))
def test_whatever_pointer_and_length_a_guest_passes(sides, seed):
    """Equal outcomes on both engines: the same value, or a trap; and no process that dies."""
    pick = random.Random(seed)
    imports = {f"host-{name}" for name in KINDS}
    pair = sides(liar(), lambda side: {("", name): lambda _, value: side.seen.append(value) for name in imports})
    ends = [
        0,
        1,
        2,
        3,
        7,
        8,
        65528,
        65532,
        65535,
        65536,
        65537,
        131072,
        0x7FFFFFFF,
        0x80000000,
        0x80000001,
        0xFFFFFFF0,
        0xFFFFFFF8,
        0xFFFFFFFF,
    ]
    wrong = right = 0
    for _ in range(120):
        name, at = pick.choice(list(KINDS)), pick.choice([16, 16, 16, 16, 18, 17, *ends])
        pointer, length = (pick.choice(ends) if pick.random() < 0.5 else pick.randrange(70000) for _ in range(2))
        length = pick.choice([length, pick.randrange(12)])
        steps = [("set", pick.randrange(65536), pick.choice([0, 1, 2, 0xC0, 0xD8, 0xFF])) for _ in range(3)]
        steps.append(pick.choice([(f"out-{name}", at, pointer, length), (f"in-{name}", pointer, length)]))
        if pick.random() < 0.05:
            steps.insert(0, ("grow",))
        for step in steps:
            found = [side.outcome(*step) for side in pair]
            assert meaning(found[0]) == meaning(found[1]), (step, found)
        assert repr(pair[0].seen) == repr(pair[1].seen)
        wrong, right = wrong + found[0][2], right + (not found[0][2])
        for side in pair:
            side.seen.clear()
            if side.instance.trapped:
                side.renew()
    assert wrong > 5 < right


@pytest.mark.parametrize("name", ["options", "results", "nested"])
@pytest.mark.parametrize("tag", [0, 1, 2, 3, 127, 255])
def test_whatever_discriminant(sides, name, tag):
    """In memory, both ways; a list of one element at 1024, whose own list (of `nested`) is one element at 2048."""
    pair = sides(liar(), lambda side: {("", f"host-{one}"): lambda _, value: side.seen.append(value) for one in KINDS})
    for step in ((f"out-{name}", 16, 1024, 1), (f"in-{name}", 1024, 1)):
        found = []
        for side in pair:
            side.renew()
            side.outcome("set", 1029, 8)  # the inner list's pointer and count, where there is one
            side.outcome("set", 1032, 1)
            side.outcome("set", 2048 if name == "nested" else 1024, tag)
            found.append(meaning(side.outcome(*step)))
        assert found[0] == found[1]
        assert (found[0][0] == "GuestTrap") == (tag > 1), found
    assert repr(pair[0].seen) == repr(pair[1].seen)


REALLOC = """(component
  (import "text" (func $text (result string)))
  (import "fill" (func $fill (result (list u8))))
  (core module $libc_module (memory (export "memory") 1)
    (global $answer (mut i32) (i32.const 0)) (global $grow (mut i32) (i32.const 0))
    (func (export "set") (param i32 i32) (global.set $answer (local.get 0)) (global.set $grow (local.get 1)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (drop (memory.grow (global.get $grow)))
      (if (i32.eq (global.get $answer) (i32.const 13)) (then unreachable))
      (global.get $answer)))
  (core instance $libc (instantiate $libc_module))
  (core func $text-core (canon lower (func $text) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $fill-core (canon lower (func $fill) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m (import "" "text" (func $text (param i32))) (import "" "fill" (func $fill (param i32)))
    (func (export "take") (param i32 i32) (result i32) (local.get 0))
    (func (export "text") (param i32) (call $text (local.get 0)))
    (func (export "fill") (param i32) (call $fill (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "text" (func $text-core)) (export "fill" (func $fill-core))))))
  (func (export "set") (param "p" u32) (param "n" u32) (canon lift (core func $libc "set")))
  (func (export "bytes") (param "x" (list u8)) (result u32) (canon lift (core func $i "take")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (func (export "words") (param "x" (list u32)) (result u32) (canon lift (core func $i "take")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (func (export "records") (param "x" (list (tuple string u64))) (result u32) (canon lift (core func $i "take")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (func (export "text") (param "to" u32) (canon lift (core func $i "text")))
  (func (export "fill") (param "to" u32) (canon lift (core func $i "fill"))))"""


def host_side(_side):
    def fill(view):
        view[:] = b"y" * len(view)
        return len(view)

    return {("", "text"): lambda _: "abcdef", ("", "fill"): lambda _: Fill(6, fill)}


@pytest.mark.parametrize("answer", [0, 1, 2, 4, 8, 13, 65530, 65531, 65532, 65536, 131066, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF])
@pytest.mark.parametrize("grow", [0, 1])
def test_whatever_realloc_answers(sides, answer, grow):
    """Its pointer may be unaligned, outside memory, or in memory that it has just grown; it may trap."""
    calls = [("bytes", b"abcdef"), ("words", [1, 2]), ("records", [("a", 1)]), ("text", 8), ("fill", 8), ("text", 9), ("fill", 0xFFFFFFF8)]
    for call in calls:
        pair = sides(REALLOC, host_side)
        found = []
        for side in pair:
            side.outcome("set", answer, grow)
            found.append(meaning(side.outcome(*call)))
        assert found[0] == found[1], (call, answer, grow)


LEAVES = """(component
  (import "out" (func $out))
  (core func $out-core (canon lower (func $out)))
  (core module $libc_module (import "" "out" (func $out)) (memory (export "memory") 1)
    (global $when (mut i32) (i32.const 0))
    (func (export "when") (param i32) (global.set $when (local.get 0)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (if (i32.eq (global.get $when) (i32.const 1)) (then (call $out))) (i32.const 64))
    (func (export "take") (param i32 i32) (result i32) (if (i32.eq (global.get $when) (i32.const 2)) (then (call $out))) (i32.const 8))
    (func (export "after") (param i32) (if (i32.eq (global.get $when) (i32.const 3)) (then (call $out)))
      (if (i32.eq (global.get $when) (i32.const 4)) (then unreachable))))
  (core instance $i (instantiate $libc_module (with "" (instance (export "out" (func $out-core))))))
  (func (export "when") (param "n" u32) (canon lift (core func $i "when")))
  (func (export "take") (param "x" (list u8)) (result string) (canon lift (core func $i "take") (memory (core memory $i "memory"))
    (realloc (core func $i "realloc")) (post-return (core func $i "after")))))"""


@pytest.mark.parametrize(("when", "fine"), [(0, True), (1, False), (2, True), (3, False), (4, False)])
def test_a_guest_may_not_call_out_of_realloc_and_post_return(sides, when, fine):
    """*Component Instance State*, `may_leave`."""
    for side in sides(LEAVES, lambda side: {("", "out"): lambda _: side.seen.append("out")}):
        side.outcome("when", when)
        kind, text, trapped = side.outcome("take", b"x")
        assert (kind == "value", trapped) == (fine, not fine), (side.lane, text)
        assert side.seen == (["out"] if when == 2 else [])
        if when in (1, 3):
            assert "cannot leave component instance" in text


HANDLES = """(component
  (type $r (resource (rep i32))) (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r))
  (core func $rep (canon resource.rep $r))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
    (import "" "rep" (func $rep (param i32) (result i32)))
    (func (export "new") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "drop") (param i32) (call $drop (local.get 0)))
    (func (export "rep") (param i32) (result i32) (call $rep (local.get 0)))
    (func (export "many") (param i32) (loop $on (drop (call $new (i32.const 1)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if $on (local.get 0)))))
  (core instance $i (instantiate $m (with "" (instance
    (export "new" (func $new)) (export "drop" (func $drop)) (export "rep" (func $rep))))))
  (func (export "new") (param "n" u32) (result u32) (canon lift (core func $i "new")))
  (func (export "drop") (param "n" u32) (canon lift (core func $i "drop")))
  (func (export "many") (param "n" u32) (canon lift (core func $i "many")))
  (func (export "rep") (param "n" u32) (result u32) (canon lift (core func $i "rep"))))"""


@pytest.mark.parametrize("seed", range(6))
def test_whatever_index_a_guest_uses_as_a_handle(sides, seed):
    """Indices are given out in the same order as wasmtime does, the smallest free first or last used first."""
    pick = random.Random(seed)
    pair = sides(HANDLES)
    for _ in range(60):
        step = pick.choice(["new", "new", "drop", "rep"]), pick.choice([0, 1, 2, 3, 4, 5, 6, 1 << 20, 0x7FFFFFFF, 0xFFFFFFFF])
        found = [side.outcome(*step) for side in pair]
        assert found[0][0] == found[1][0], (step, found)
        if found[0][0] == "value":
            assert found[0] == found[1], step
        for side in pair:
            if side.instance.trapped:
                side.renew()


@pytest.fixture
def few_handles(monkeypatch):
    """A thousand handles in place of a million, which take five seconds."""
    assert handles.MAX_HANDLES == 1 << 20
    monkeypatch.setattr(handles, "MAX_HANDLES", 1000)


def test_handles_are_not_without_end(core, few_handles):
    with pytest.raises(GuestTrap, match="more than 1000 handles"):
        core(HANDLES).call(("", "many"), (2_000,), Call())


def test_handles_of_several_instances_are_counted_together(core, few_handles):
    """Else a component of a hundred instances could make the host a hundred million objects."""
    inner = HANDLES.replace("(component\n", "(component $part\n", 1)
    instance = core(f"""(component {inner}
      (instance $a (instantiate $part)) (instance $b (instantiate $part))
      (export "a" (func $a "many")) (export "b" (func $b "many")))""")
    instance.call(("", "a"), (700,), Call())
    with pytest.raises(GuestTrap, match="more than 1000 handles"):
        instance.call(("", "b"), (400,), Call())


def test_a_view_that_a_host_function_keeps_is_dead(core):
    kept = []

    def fill(view):
        kept.append(view)
        return 0

    instance = core(REALLOC, {("", "text"): lambda _: "", ("", "fill"): lambda _: Fill(6, fill)})
    instance.call(("", "set"), (64, 0), Call())
    instance.call(("", "fill"), (8,), Call())
    with pytest.raises(ValueError, match="released"):
        kept[0][0] = 1


KEEPS = {
    "a part": lambda view: view[1:3],
    "a copy of the view": lambda view: memoryview(view),
    "a cast": lambda view: view.cast("H"),
}


@pytest.mark.parametrize("how", KEEPS)
def test_a_part_of_a_view_that_a_host_function_keeps_is_told_and_harmless(core, how):
    """No view can be ended from outside; so the memory is there as long as it, and its maker is told."""
    kept = []

    def fill(view):
        view[:] = b"abcdef"
        kept.append(KEEPS[how](view))
        return 6

    instance = core(REALLOC, {("", "text"): lambda _: "", ("", "fill"): lambda _: Fill(6, fill)})
    instance.call(("", "set"), (64, 0), Call())
    with pytest.raises(BufferError, match="kept a part of its view"):
        instance.call(("", "fill"), (8,), Call())
    assert instance.trapped
    pointer = instance._store
    instance.close()
    assert bytes(kept[0]) in (b"bc", b"abcdef")
    assert pointer in ended._unseen
    kept.clear()
    core(HANDLES).close()
    assert pointer not in ended._unseen


def test_a_part_of_a_view_in_the_traceback_of_an_exception_is_harmless(core):
    """The exception comes out as it is, however long it is kept."""

    def fill(view):
        part = view[2:4]
        part[:] = b"yz"
        raise OSError(f"{len(part)} bytes")

    instance = core(REALLOC, {("", "text"): lambda _: "", ("", "fill"): lambda _: Fill(6, fill)})
    instance.call(("", "set"), (64, 0), Call())
    with pytest.raises(OSError, match="2 bytes") as caught:
        instance.call(("", "fill"), (8,), Call())
    instance.close()
    (part,) = [frame.frame.f_locals["part"] for frame in caught.traceback if frame.name == "fill"]
    assert bytes(part) == b"yz"


def test_many_memories_stay_within_the_limit_together(core):
    text = """(component (core module $m (memory 1) (func (export "eat") (result i32)
        (loop $on (br_if $on (i32.ne (i32.const -1) (memory.grow (i32.const 1))))) (memory.size)))
      (core instance $a (instantiate $m)) (core instance $b (instantiate $m)) (core instance $c (instantiate $m))
      (func (export "a") (result u32) (canon lift (core func $a "eat"))) (func (export "b") (result u32) (canon lift (core func $b "eat")))
      (func (export "c") (result u32) (canon lift (core func $c "eat"))))"""
    instance = core(text, limits=Limits(memory=90 << 16))
    assert sum(instance.call(("", name), (), Call()) for name in "abc") <= 90
    with pytest.raises(LimitExceeded, match="memory"):
        core(text, limits=Limits(memory=2 << 16))


def test_instances_in_many_threads_do_not_mix(assemble):
    """Values, exceptions and contexts stay with their call."""
    from host.engine.conftest import LANES, echo_text
    from ringfence.contract.types import ListOf, Primitive

    engine, wrong = LANES["core"](), []

    def host(context, value):
        if value and value[0] == "stop":
            raise LookupError(context.name)
        return value

    linked = engine.link(engine.load(assemble(echo_text(ListOf(Primitive("string"))))), {("", "host"): host})

    def run(number):
        for turn in range(150):
            call = Call()
            call.name = f"{number}-{turn}"
            instance = linked.instantiate(Limits(), call)
            value = [call.name] * (turn % 5)
            if instance.call(("", "echo"), (value,), call) != value:
                wrong.append(call.name)
            try:
                instance.call(("", "echo"), (["stop"],), call)
            except LookupError as error:
                if error.args != (call.name,):
                    wrong.append(error)
            else:
                wrong.append("no error")
            instance.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


LOSES = """(component
  (import "host" (instance $host (export "thing" (type $thing (sub resource)))
    (export "make" (func (result (tuple (own $thing) (list (own $thing)) (list (own $thing)))))))
  )
  (alias export $host "thing" (type $thing))
  (core module $libc (memory (export "memory") 1) (global $left (mut i32) (i32.const 1))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (if (i32.eqz (global.get $left)) (then unreachable))
      (global.set $left (i32.sub (global.get $left) (i32.const 1))) (i32.const 1024)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory)) (alias core export $libc "realloc" (core func $realloc))
  (core func $make (canon lower (func $host "make") (memory $memory) (realloc $realloc)))
  (core module $m (import "" "make" (func $make (param i32)))
    (func (export "make") (call $make (i32.const 8))) (func (export "take") (param i32 i32 i32 i32 i32)))
  (core instance $i (instantiate $m (with "" (instance (export "make" (func $make))))))
  (func (export "make") (canon lift (core func $i "make")))
  (func (export "take") (param "x" (tuple (own $thing) (list (own $thing)) (list (own $thing))))
    (canon lift (core func $i "take") (memory $memory) (realloc $realloc))))"""


@pytest.mark.parametrize("way", ["make", "take"])
def test_what_is_on_its_way_to_a_guest_that_traps_is_closed_once(sides, way):
    """Some of it is the guest's already when its allocator fails, some is nobody's any more."""

    class Thing:
        closed = 0

        def close(self):
            self.closed += 1

    for side in sides(LOSES, lambda side: {("host", "make"): lambda _: side.seen[0]}):
        things = [Thing() for _ in range(4)]
        side.seen.append((things[0], things[1:3], things[3:]))
        assert side.outcome(way, *([] if way == "make" else side.seen))[0] == "GuestTrap"
        assert sum(thing.closed for thing in things) == 0
        side.instance.close()
        assert [thing.closed for thing in things] == [1] * 4, side.lane
