"""Resources that a guest defines: their handles can't be forged, copied, used twice or elsewhere, and are dropped at the right moment."""

import copy
import gc
import pickle
import threading

import pytest
from ringfence.contract.errors import DeadlineExceeded, GuestTrap, ShapeError
from ringfence.contract.limits import Limits


class Guest:
    def __init__(self, start, text, new_call):
        self.dropped, self.contexts, self.between, self.new_call = [], [], lambda: None, new_call

        def note(context, number):
            self.dropped.append(number)
            self.contexts.append(context)

        imports = {("", "dropped"): note, ("", "between"): lambda _: self.between()}
        self.instance = start(text("things"), imports)

    def __call__(self, name, *arguments, call=None):
        return self.instance.call(("acme:api/things@1.2.0", name), arguments, call or self.new_call())

    def make(self, number):
        return self("[constructor]thing", number)


@pytest.fixture
def new_guest(start, text, new_call):
    return lambda: Guest(start, text, new_call)


@pytest.fixture
def guest(new_guest):
    return new_guest()


def test_a_handle_is_used_lent_and_dropped(guest):
    one, two = guest.make(3), guest.make(4)
    assert guest.instance.lent == 2
    assert guest.instance.owns(one)
    assert guest("[method]thing.get", one) == 3
    assert guest("sum", one, two) == 7
    assert guest("sum", one, one) == 6
    one.close()
    one.close()
    assert guest.dropped == [3]
    assert guest.instance.lent == 1
    assert not guest.instance.owns(one)
    with pytest.raises(ShapeError, match="self: expected a handle of thing, found one that was closed or given away"):
        guest("[method]thing.get", one)


def test_own_moves_back_and_the_handle_is_dead(guest):
    one = guest.make(5)
    assert guest("take", one) == 5
    assert guest.dropped == [5]
    assert guest.instance.lent == 0
    one.close()
    assert guest.dropped == [5]
    again = guest("give", guest.make(6))
    assert guest("[method]thing.get", again) == 6


def test_one_handle_is_not_given_away_and_used_in_one_call(guest):
    one = guest.make(1)
    with pytest.raises(ShapeError, match="two: the same resource is given away and used again"):
        guest("both", one, one)
    assert guest("[method]thing.get", one) == 1, "what does not fit leaves every handle where it was"
    assert not guest.instance.trapped


def test_a_handle_is_good_in_its_own_instance_only(guest, new_guest):
    other = new_guest()
    one = other.make(1)
    assert not guest.instance.owns(one)
    with pytest.raises(ShapeError, match="found one of another instance"):
        guest("take", one)
    assert other("take", one) == 1


def test_a_handle_of_one_resource_is_none_of_another(guest):
    with pytest.raises(ShapeError, match="expected a handle of thing, found one of other"):
        guest("take", guest("make-other"))


@pytest.mark.parametrize("value", [5, None, "thing", object()])
def test_nothing_else_is_a_handle(guest, value):
    with pytest.raises(ShapeError, match="expected a handle of thing, found"):
        guest("take", value)


def test_a_handle_is_made_by_the_engine_only(guest):
    one = guest.make(1)
    with pytest.raises(TypeError):
        type(one)()
    for attempt in (copy.copy, pickle.dumps):
        with pytest.raises(TypeError):
            attempt(one)


def test_after_the_instance_has_ended_a_handle_is_dead_and_closing_it_harmless(guest):
    one = guest.make(1)
    guest.instance.close()
    assert not guest.instance.owns(one)
    one.close()
    with pytest.raises(GuestTrap, match="it was closed"):
        guest("[method]thing.get", one)


def test_after_a_trap_closing_a_handle_enters_nothing(guest):
    one = guest.make(1)
    with pytest.raises(GuestTrap):
        guest("stop")
    one.close()
    assert guest.dropped == []


def test_a_drop_inside_a_call_waits_until_it_has_ended(guest):
    """The component model forbids entering an instance that waits for its host function."""
    one, two = guest.make(1), guest.make(2)
    seen = []

    def between():
        two.close()
        seen.append(list(guest.dropped))

    guest.between = between
    assert guest("slow", one) == 1
    assert seen == [[]]
    assert guest.dropped == [2]


def test_a_collected_handle_is_dropped_by_the_next_call_whatever_thread_collects_it(guest):
    held = [guest.make(1), guest.make(2)]
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()
    gc.collect()
    assert guest.dropped == [], "no wasm runs in a finalizer"
    assert guest.instance.lent == 0
    guest("[method]thing.get", guest.make(3))
    assert sorted(guest.dropped) == [1, 2]


def test_handles_in_a_list(guest):
    things = guest("many", 5)
    assert [guest("[method]thing.get", thing) for thing in things] == [0, 1, 2, 3, 4]
    assert guest.instance.lent == 5


def test_a_drop_outside_a_call_has_no_context_and_one_inside_has_the_calls(guest, new_call):
    guest.make(1).close()
    assert guest.contexts == [None]
    held = guest.make(2)
    guest.between = held.close
    call = new_call()
    guest("slow", guest.make(3), call=call)
    assert guest.contexts[1] is call


def test_a_destructor_that_traps_or_hangs_ends_the_instance_only(new_guest):
    guest = new_guest()
    bad = guest.make(666)
    with pytest.raises(GuestTrap, match="unreachable"):
        bad.close()
    assert guest.instance.trapped
    guest = new_guest()
    hanging = guest.make(667)
    guest.instance._store.limits = Limits(deadline=0.1)
    with pytest.raises(DeadlineExceeded):
        hanging.close()
    assert guest.instance.trapped


def test_a_providers_handle_may_be_another_instances_host_resource(guest, start, text, new_call):
    """As an edge does it: the consumer holds the handle as an object with close()."""
    imports = {
        ("acme:db/store", "[method]conn.size"): lambda _, thing: guest("[method]thing.get", thing),
        ("acme:db/store", "[method]other.size"): lambda _, other: 0,
        ("acme:db/store", "open"): lambda _: guest.make(42),
        ("acme:db/store", "consume"): lambda _, conn: None,
        ("acme:db/use", "total"): lambda _, one, two: 0,
    }
    consumer = start(text("store"), imports)
    consumer.call(("", "open-it"), (), new_call())
    assert consumer.call(("", "held-size"), (), new_call()) == 42
    consumer.call(("", "drop-it"), (), new_call())
    assert guest.dropped == [42]
    consumer.call(("", "open-it"), (), new_call())
    consumer.close()
    assert guest.dropped == [42, 42]
