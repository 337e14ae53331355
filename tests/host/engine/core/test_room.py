"""Near the ends of the interpreter's recursion and of the thread's stack: a typed error, no callback that could not begin."""

import threading
from functools import partial

import pytest
from host.engine.conftest import LANES, LIBC, Call, echo_text
from ringfence.contract.errors import LimitExceeded
from ringfence.contract.limits import STACK_MAX, Limits
from ringfence.contract.types import ListOf, Primitive, ResultOf, TupleOf
from ringfence.contract.values import Ok

TEXTS = ListOf(TupleOf((Primitive("string"),)))
NESTED = ListOf(ListOf(ListOf(ListOf(ListOf(ListOf(TupleOf((ResultOf(TEXTS, None),))))))))
SLOW = LIBC.replace(
    "(local $at i32)",
    "(local $at i32) (local $n i32) (loop $on (br_if $on (i32.lt_u (local.tee $n"
    " (i32.add (local.get $n) (i32.const 1))) (i32.const 9000000))))",
)


def nested():
    return [[[[[[(Ok([("x",)]),)]]]]]]


def at(depth, work):
    """Do this with so many calls of Python below."""
    return work() if depth == 0 else at(depth - 1, work)


def deepest():
    """How many calls can be nested here."""
    try:
        return 1 + deepest()
    except RecursionError:
        return 0


@pytest.mark.parametrize("slow", [False, True], ids=["quick", "allocator-meets-the-clock"])
def test_a_call_is_refused_wherever_a_callback_would_have_no_room(assemble, capfd, slow):
    """Deep types need more of it: their lowering is nested, and the clock strikes in the allocator at its innermost."""
    engine = LANES["core"]()
    text = echo_text(NESTED).replace(LIBC, SLOW) if slow else echo_text(NESTED)
    linked = engine.link(engine.load(assemble(text)), {("", "host"): lambda _, value: value})
    instance, outcomes = linked.instantiate(Limits(), Call()), []
    assert instance.call(("", "echo"), (nested(),), Call()) == nested()
    limit = deepest()
    for depth in range(limit - 90, limit - 5, 3 if slow else 1):
        try:
            outcomes.append(at(depth, partial(instance.call, ("", "echo"), (nested(),), Call())))
        except RecursionError:
            outcomes.append(None)
            if instance.trapped:
                instance.close()
                instance = linked.instantiate(Limits(), Call())
    instance.close()
    assert outcomes[0] == nested()
    assert outcomes[-1] is None
    assert all(outcome in (None, nested()) for outcome in outcomes)
    assert capfd.readouterr().err == ""


CHAIN = """(component
  (core module $table (table (export "t") 1 funcref)
    (func (export "dtor") (param i32) (call_indirect (param i32) (local.get 0) (i32.const 0))))
  (core instance $table (instantiate $table))
  (type $r (resource (rep i32) (dtor (core func $table "dtor"))))
  (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r))
  (core module $m (import "" "new" (func $new (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
    (import "" "t" (table 1 funcref)) (global $dropped (mut i32) (i32.const 0))
    (func $dtor (param i32) (global.set $dropped (i32.add (global.get $dropped) (i32.const 1)))
      (if (local.get 0) (then (call $drop (local.get 0)))))
    (elem (i32.const 0) func $dtor)
    (func (export "go") (param i32) (result i32) (local $h i32)
      (loop $on (local.set $h (call $new (local.get $h))) (br_if $on (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (call $drop (local.get $h)) (global.get $dropped)))
  (core instance $i (instantiate $m (with "" (instance
    (export "new" (func $new)) (export "drop" (func $drop)) (export "t" (table $table "t"))))))
  (func (export "go") (param "n" u32) (result u32) (canon lift (core func $i "go"))))"""


@pytest.mark.parametrize("stack", [Limits().stack, STACK_MAX])
@pytest.mark.parametrize("count", [3, 30, 3000])
def test_a_resource_whose_end_is_anothers_end_and_so_on(core, capfd, count, stack):
    """Each destructor is a call of the guest inside a call of the host: the guest's stack or the interpreter's ends first."""
    instance = core(CHAIN, limits=Limits(stack=stack))
    if count < 3000:
        assert instance.call(("", "go"), (count,), Call()) == count
    else:
        with pytest.raises(LimitExceeded, match=r"limits\.stack"):
            instance.call(("", "go"), (count,), Call())
        assert instance.trapped
    assert capfd.readouterr().err == ""


@pytest.fixture(params=LANES)
def pokers(request, assemble, text):
    """`pokers(poke, stack, count)`: instances of the hostile guest on either engine; their host function is `poke(context, n)`."""
    engine, opened = LANES[request.param](), []

    def made(poke, stack, count):
        linked = engine.link(engine.load(assemble(text("hostile"))), {("", "poke"): poke})
        opened.extend(linked.instantiate(Limits(stack=stack), Call()) for _ in range(count))
        return opened[-count:]

    yield made
    for instance in opened:
        instance.close()


def in_thread(work, size=8 << 20):
    """What this ends in, on a thread with so much stack."""
    outcome, before = [], threading.stack_size(size)

    def run():
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    return outcome[0]


def test_instances_that_wait_for_each_other_share_the_threads_stack(pokers):
    """Each uses nearly all that it may before it calls the next: three of the largest are more than there is."""
    depths = []
    (alone,) = pokers(lambda _, depth: depths.append(depth), STACK_MAX, 1)
    assert isinstance(in_thread(lambda: alone.call(("", "recurse-and-poke"), (0,), Call())), LimitExceeded)
    entered = []

    def poke(context, depth):
        if depth == depths[-1] // 256 * 9 // 10 * 256:
            context.next += 1
            entered.append(context.next)
            chain[context.next].call(("", "recurse-and-poke"), (0,), context)

    chain, call = pokers(poke, STACK_MAX, 4), Call()
    call.next = 0
    error = in_thread(lambda: chain[0].call(("", "recurse-and-poke"), (0,), call))
    assert isinstance(error, LimitExceeded)
    assert "the calls that wait for this one have left it less" in str(error)
    assert entered in ([1], [1, 2])
    assert [instance.trapped for instance in chain] == [True] * len(entered) + [False] * (4 - len(entered))


def test_two_instances_that_may_use_much_but_do_not_can_wait_for_each_other(pokers):
    def poke(context, _depth):
        return None if context.inner else inner.call(("", "poke"), (setattr(context, "inner", True) or 1,), context)

    outer, inner = pokers(poke, STACK_MAX, 2)
    call = Call()
    call.inner = False
    assert in_thread(lambda: outer.call(("", "poke"), (1,), call)) is None
    assert call.inner


def test_a_thread_with_too_little_stack_is_told_so(pokers):
    """It would end at its end; applications do make such threads. The C library may give it the stack of a thread that ended, of up to four
    times the size: so the guest may use more than that."""
    (greedy,) = pokers(lambda _, depth: None, STACK_MAX, 1)
    error = in_thread(lambda: greedy.call(("", "recurse"), (0,), Call()), 512 << 10)
    assert isinstance(error, LimitExceeded)
    assert "this thread has less" in str(error)
    (modest,) = pokers(lambda _, depth: None, Limits().stack, 1)
    assert in_thread(lambda: modest.call(("", "fine"), (), Call()), 1 << 20) == 1
