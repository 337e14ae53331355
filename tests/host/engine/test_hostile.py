"""A hostile guest: whatever it does ends in a typed error in time, and its instance with it."""

import sys
import threading
import time

import pytest
from ringfence.contract.errors import DeadlineExceeded, GuestExit, GuestTrap, Interrupted, LimitExceeded, UsageError
from ringfence.contract.limits import STACK_MAX, Limits

MEMORY = "(component (core module $m (memory {first})) (core instance (instantiate $m)) {more})"


class Guest:
    def __init__(self, start, text, new_call, limits=None):
        self.poke, self.new_call = lambda context, number: None, new_call
        self.instance = start(text("hostile"), {("", "poke"): lambda context, number: self.poke(context, number)}, limits=limits)

    def __call__(self, name, *arguments, call=None):
        return self.instance.call(("", name), arguments, call or self.new_call())


@pytest.fixture
def new_guest(start, text, new_call):
    return lambda **limits: Guest(start, text, new_call, Limits(**limits))


@pytest.fixture
def guest(new_guest):
    return new_guest()


def refused(instance, new_call):
    with pytest.raises(GuestTrap, match="it has trapped before"):
        instance.call(("", "fine"), (), new_call())


def test_a_loop_ends_at_the_deadline(guest, new_call):
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        guest("loop", call=new_call(0.2))
    assert 0.2 <= time.monotonic() - began < 1
    assert guest.instance.trapped
    refused(guest.instance, new_call)


def test_a_loop_in_start_code_ends_at_the_deadline(start, new_call):
    text = "(component (core module $m (func $f (loop $on (br $on))) (start $f)) (core instance (instantiate $m)))"
    with pytest.raises(DeadlineExceeded):
        start(text, context=new_call(0.1))


def test_an_expired_call_does_not_begin(guest, new_call):
    with pytest.raises(DeadlineExceeded):
        guest("fine", call=new_call(0))
    assert not guest.instance.trapped
    assert guest("fine") == 1


def test_endless_recursion_is_a_stack_limit(guest, new_call):
    with pytest.raises(LimitExceeded) as caught:
        guest("recurse", 0)
    assert (caught.value.limit, caught.value.allowed, caught.value.node) == ("stack", "512KiB", "")
    refused(guest.instance, new_call)


def test_the_stack_limit_is_the_instances(new_guest):
    """Each size has its own engine; the code is compiled once and shared."""

    reached = []
    for stack in (64 << 10, 1 << 20, STACK_MAX):
        guest, depths = new_guest(stack=stack), []
        guest.poke = lambda context, number, depths=depths: depths.append(number)
        with pytest.raises(LimitExceeded, match=r"limits\.stack"):
            guest("recurse-and-poke", 0)
        reached.append(depths[-1])
    assert reached[0] * 8 < reached[1]
    assert reached[1] * 2 < reached[2]
    with pytest.raises(ValueError, match="stack of at most"):
        new_guest(stack=STACK_MAX + 1)


def test_recursion_on_a_thread_with_the_largest_stack_is_still_a_limit(new_guest):
    """It must not meet the end of the thread's own stack."""
    seen = []

    def run():
        try:
            new_guest(stack=STACK_MAX)("recurse", 0)
        except LimitExceeded as error:
            seen.append(error.limit)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == ["stack"]


def test_a_trap_tells_what_and_where_innermost_first(guest):
    with pytest.raises(GuestTrap) as caught:
        guest("trap")
    assert caught.value.message == "wasm `unreachable` instruction executed"
    *named, outermost = [frame.split("!")[-1] for frame in caught.value.backtrace]
    assert named == ["inner-most", "middle"]
    assert outermost.startswith("function "), "one without a name has its index"


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("divide", (), "integer divide by zero"),
        ("outside", (), "out of bounds memory access"),
        ("text", (1 << 30,), "out of bounds"),
        ("bytes", (1 << 30,), "out of bounds"),
        ("option", (7,), "discriminant"),
        ("char", (0xD800,), "char"),
        ("char", (0x110000,), "char"),
    ],
)
def test_what_the_engine_finds_wrong_is_a_trap(guest, new_call, name, arguments, message):
    with pytest.raises(GuestTrap, match=message):
        guest(name, *arguments)
    refused(guest.instance, new_call)


def test_memory_grows_to_the_limit_and_no_further(new_guest):
    for pages, reached in ((16, 1), (17, 17), (320, 305)):  # it asks for 16 pages at a time and begins with one
        assert new_guest(memory=pages * 65536)("eat") == reached


def test_giving_up_for_want_of_memory_is_a_memory_limit(new_guest):
    """Known by the allocator's own function among the frames; without names it is a plain trap."""
    with pytest.raises(LimitExceeded) as caught:
        new_guest(memory=4 << 20)("eat-and-give-up")
    assert caught.value.limit == "memory"


def test_memory_that_is_too_large_from_the_start_is_refused(start):
    for first in ("33", "33 33"):
        with pytest.raises(LimitExceeded, match=r"limits\.memory of 2MiB exceeded"):
            start(MEMORY.format(first=first, more=""), limits=Limits(memory=2 << 20))
    start(MEMORY.format(first="32", more=""), limits=Limits(memory=2 << 20))


def test_the_limit_holds_for_all_memories_together(start, new_call):
    """wasmtime's own limiter bounds each one alone."""
    grow = '(func (export "grow") (result i32) (loop $on (br_if $on (i32.ne (i32.const -1) (memory.grow (i32.const 1))))) (memory.size))'
    text = f"""(component
      (core module $m (memory 1) {grow})
      (component $c (core module $n (memory 2) {grow}) (core instance $a (instantiate $n)) (core instance $b (instantiate $n))
        (alias outer 1 $m (core module $o)) (core instance $d (instantiate $o))
        (func (export "a") (result u32) (canon lift (core func $a "grow")))
        (func (export "b") (result u32) (canon lift (core func $b "grow")))
        (func (export "d") (result u32) (canon lift (core func $d "grow"))))
      (instance $x (instantiate $c))
      (core instance $e (instantiate $m))
      (export "a" (func $x "a")) (export "b" (func $x "b")) (export "d" (func $x "d"))
      (func (export "e") (result u32) (canon lift (core func $e "grow"))))"""
    instance = start(text, limits=Limits(memory=4 << 20))
    sizes = [instance.call(("", name), (), new_call()) for name in "abde"]
    assert sum(sizes) <= 64
    assert sum(sizes) >= 60
    with pytest.raises(LimitExceeded, match="need 384KiB from the start"):
        start(text, limits=Limits(memory=5 * 65536))


def test_a_table_cannot_grow_beyond_its_bound(start, new_call):
    text = """(component (core module $m (table 1 funcref)
      (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))
      (core instance $i (instantiate $m))
      (func (export "grow") (param "n" u32) (result s32) (canon lift (core func $i "grow"))))"""
    instance = start(text)
    assert instance.call(("", "grow"), (1000,), new_call()) == 1
    assert instance.call(("", "grow"), (100_000_000,), new_call()) == -1


def test_output_is_counted_by_its_bytes_in_the_guests_memory(new_guest, new_call):
    for name, count, cost in [("bytes", 1000, 1000), ("text", 1000, 1000), ("units", 1000, 1000), ("lists", 10, 80)]:
        call = new_call()
        new_guest()(name, count, call=call)
        assert call.spent == cost


@pytest.mark.parametrize("name", ["bytes", "text", "units", "lists"])
def test_output_beyond_the_limit_ends_the_call(guest, new_call, name):
    with pytest.raises(LimitExceeded, match=r"limits\.output"):
        guest(name, 100_000, call=new_call(output=5_000))
    assert guest.instance.trapped


def test_more_than_the_engine_converts_at_once_is_an_output_limit(guest, lane):
    """wasmtime builds a value for each element before any Python runs; it stops at 128 MiB of them by itself."""
    if lane == "core":
        pytest.skip("this engine converts without building C values first")
    with pytest.raises(LimitExceeded, match=r"limits\.output of 16MiB exceeded: more than the engine converts at once"):
        guest("units", 12_000_000)


def test_a_long_result_asks_for_the_time_while_it_is_converted(guest, new_call):
    call = new_call()
    guest("units", 100_000, call=call)
    assert call.checks > 100_000 / 256


def test_interrupt_ends_a_loop_from_another_thread(guest):
    reason = Interrupted("enough")
    threading.Timer(0.1, guest.instance.interrupt, [reason]).start()
    with pytest.raises(Interrupted) as caught:
        guest("loop")
    assert caught.value is reason
    assert guest.instance.trapped


def test_interrupting_what_does_not_run_does_nothing(guest):
    guest.instance.interrupt(Interrupted("enough"))
    assert guest("fine") == 1


def test_an_interrupt_in_a_host_function_takes_effect_after_it(guest):
    reason = Interrupted("enough")
    guest.poke = lambda context, number: guest.instance.interrupt(reason)
    with pytest.raises(Interrupted):
        guest("poke-and-loop", 1)


def test_exit_is_an_exception_like_any_other(guest):
    def leave(context, number):
        raise GuestExit(number)

    guest.poke = leave
    with pytest.raises(GuestExit) as caught:
        guest("poke", 1)
    assert caught.value.status == 1


def test_calling_back_into_the_instance_is_refused(guest):
    seen = []

    def again(context, number):
        try:
            guest("fine")
        except GuestTrap as error:
            seen.append(str(error))

    guest.poke = again
    guest("poke", 1)
    assert seen == ["cannot enter the instance: it is in a call already"]
    assert guest("fine") == 1, "the refused call has not harmed the one that ran"


def test_a_second_thread_is_refused_while_a_call_runs(guest):
    seen = []

    def other():
        try:
            guest("fine")
        except GuestTrap as error:
            seen.append(str(error))

    def poke(context, number):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    guest.poke = poke
    guest("poke", 1)
    assert seen == ["cannot enter the instance: it is in a call already"]


def test_closing_inside_a_call_takes_effect_when_it_has_ended(guest):
    guest.poke = lambda context, number: guest.instance.close()
    guest("poke", 1)
    with pytest.raises(GuestTrap, match="it was closed"):
        guest("fine")


def test_an_export_that_is_not_there_is_a_usage_error(guest):
    with pytest.raises(UsageError, match="no function 'none'"):
        guest("none")


def test_what_a_call_meets_does_not_depend_on_the_recursion_limit_of_python(guest):
    """A host function deep in Python's own recursion still gets its error out."""

    def deep(context, number):
        def down():
            return down()

        return down()

    guest.poke = deep
    with pytest.raises(RecursionError):
        guest("poke", 1)
    assert sys.getrecursionlimit() > 100
