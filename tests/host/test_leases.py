"""Which instance a call gets: nobody may see another caller's state, enter a trapped instance, or leave one behind."""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from ringfence.call import Call, Root
from ringfence.contract.errors import DeadlineExceeded, GuestTrap, ShapeError
from ringfence.contract.limits import Limits
from ringfence.leases import Leases


@dataclass
class Handle:
    instance: "Instance"
    closed: bool = False

    def close(self, context=None):
        assert context is not None, "a destructor has no call to run in"
        assert not self.instance.entered, "a resource was dropped while somebody was inside"
        if not self.closed:
            self.closed = True
            self.instance.lent -= 1


@dataclass(eq=False)
class Instance:
    trapped: bool = False
    lent: int = 0
    entered: bool = False
    closed: bool = False

    def close(self):
        self.closed = True

    def lend(self):
        self.lent += 1
        return Handle(self)


@dataclass
class State:
    closed: bool = False

    def close(self):
        self.closed = True


@dataclass
class House:
    """Leases over instances that only remember what happened to them."""

    mode: str
    made: list = field(default_factory=list)

    def __post_init__(self):
        self.leases = Leases("node", self.mode, new_state=State, opener=self._open, new_call=a_call)

    @contextmanager
    def taken(self, key, call):
        lease = self.leases.take(key, call)
        try:
            yield lease
        finally:
            self.leases.give_back(lease)

    @contextmanager
    def held(self, lease, call):
        self.leases.hold(lease, call)
        try:
            yield lease
        finally:
            self.leases.give_back(lease)

    def _open(self, call):
        self.made.append(Instance())
        return self.made[-1]


def a_call(seconds=5.0):
    return Call(
        root=Root(),
        node="node",
        edge="application -> node",
        limits=Limits(),
        deadline=time.monotonic() + seconds,
        deadline_owner=("node", seconds),
    )


def use(house, key="e"):
    with house.taken(key, a_call()) as lease:
        return lease.instance


def test_a_fresh_instance_serves_one_call_and_ends():
    house = House("fresh")
    first, second = use(house), use(house)
    assert first is not second
    assert first.closed
    assert len(house.leases) == 0


def test_a_fresh_instance_lives_on_until_its_last_resource_is_dropped():
    house = House("fresh")
    with house.taken("e", a_call()) as lease:
        handles = [lease.instance.lend(), lease.instance.lend()]
    house.leases.drop(lease, handles[0])
    assert not lease.ended
    house.leases.drop(lease, handles[1])
    assert lease.ended
    assert house.made[0].closed
    assert len(house.leases) == 0


def test_a_resource_the_collector_dropped_is_dropped_by_the_next_call():
    house = House("fresh")
    with house.taken("e", a_call()) as lease:
        handle = lease.instance.lend()
    lease.later(handle)
    use(house)
    assert handle.closed
    assert len(house.leases) == 0


def test_a_resource_dropped_from_outside_during_a_call_waits_for_its_end():
    house = House("fresh")
    with house.taken("e", a_call()) as lease:
        handle = lease.instance.lend()
    with house.held(lease, a_call()):
        lease.instance.entered = True
        house.leases.drop(lease, handle)
        assert not handle.closed
        lease.instance.entered = False
    assert handle.closed
    assert lease.ended


def test_a_pooled_instance_is_reused_within_its_edge_only():
    house = House("pooled")
    assert use(house, "a") is use(house, "a")
    assert use(house, "b") is not use(house, "a")


def test_a_trapped_instance_is_never_entered_again():
    house = House("pooled")
    use(house).trapped = True
    fresh = use(house)
    assert fresh is not house.made[0] or not fresh.trapped
    with house.taken("e", a_call()) as lease:
        lease.instance.trapped = True
    assert lease.ended
    assert use(house) is not lease


def test_concurrent_pooled_calls_have_an_instance_each():
    house = House("pooled")
    with house.taken("e", a_call()) as one, house.taken("e", a_call()) as other:
        assert one.instance is not other.instance


def test_callers_of_a_single_instance_queue_and_the_queue_counts_to_the_deadline():
    house = House("single")
    with house.taken("e", a_call()), pytest.raises(DeadlineExceeded), house.taken("e", a_call(0.1)):
        pass
    assert use(house) is house.made[0]


def test_many_threads_make_one_single_instance():
    house = House("single")
    inside = threading.Semaphore(1)
    overlaps = []

    def work():
        for _ in range(50):
            with house.taken("e", a_call()):
                if not inside.acquire(blocking=False):
                    overlaps.append(1)
                    continue
                inside.release()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(house.made), overlaps) == (1, [])


def test_a_single_instance_that_trapped_is_replaced_for_those_in_the_queue():
    house = House("single")
    seen = []

    def queued():
        seen.append(use(house))

    with house.taken("e", a_call()) as lease:
        waiter = threading.Thread(target=queued)
        waiter.start()
        time.sleep(0.05)
        lease.instance.trapped = True
    waiter.join()
    assert seen == [house.made[1]]


def test_a_resource_of_an_ended_instance_is_refused():
    house = House("fresh")
    with house.taken("e", a_call()) as lease:
        lease.instance.lend()
        lease.instance.trapped = True
    with pytest.raises(ShapeError, match="has ended"), house.held(lease, a_call()):
        pass
    assert not lease.lock.locked()


def test_an_instance_that_cannot_be_opened_leaves_nothing_behind():
    house = House("fresh")

    def fail(call):
        raise MemoryError

    house.leases = Leases("node", "single", new_state=State, opener=fail, new_call=a_call)
    for _ in range(2):
        with pytest.raises(MemoryError):
            use(house)
    assert len(house.leases) == 0


def test_a_closed_graph_ends_all_and_opens_no_more():
    house = House("pooled")
    use(house)
    house.leases.close()
    assert house.made[0].closed
    with pytest.raises(GuestTrap, match="closed"):
        use(house)


def slow_handles(instance, count, seconds):
    class Slow(Handle):
        def close(self, context=None):
            ran.append(self)
            time.sleep(min(seconds, context.remaining()))
            super().close()

    ran = []
    instance.lent += count
    return [Slow(instance) for _ in range(count)], ran


def test_all_destructors_of_an_instance_share_the_time_of_one_call():
    """A guest may give away a thousand resources, each with a destructor that takes nearly as long as a call may."""
    house = House("single")
    house.leases._new_call = lambda: a_call(0.2)
    with house.taken("e", a_call()) as lease:
        handles, _ = slow_handles(lease.instance, 50, 0.15)
    for handle in handles:
        lease.later(handle)
    started = time.monotonic()
    use(house)
    assert time.monotonic() - started < 0.6
    assert lease.ended
    assert use(house) is not lease


def test_what_others_left_to_drop_does_not_use_up_a_calls_time():
    house = House("fresh")
    house.leases._new_call = lambda: a_call(0.2)
    for _ in range(5):
        with house.taken("e", a_call()) as lease:
            handles, _ = slow_handles(lease.instance, 1, 1.0)
        lease.later(handles[0])
    call = a_call(0.1)
    with house.taken("e", call):
        assert call.remaining() > 0.05
    assert len(house.leases) == 0 or len(house.leases) >= 3, "a sweep leaves the rest to the next"


def test_closing_runs_no_destructors():
    house = House("fresh")
    with house.taken("e", a_call()) as lease:
        handles, ran = slow_handles(lease.instance, 5, 1.0)
    for handle in handles:
        lease.later(handle)
    house.leases.close()
    assert (lease.ended, ran) == (True, [])


def test_an_instance_that_was_being_tidied_at_ctrl_c_is_not_used_again():
    class Interrupted(Handle):
        def close(self, context=None):
            raise KeyboardInterrupt

    house = House("single")
    with house.taken("e", a_call()) as lease:
        lease.instance.lent += 1
    lease.later(Interrupted(lease.instance))
    with pytest.raises(KeyboardInterrupt):
        use(house)
    assert lease.ended
    assert not lease.lock.locked()
    assert use(house) is not house.made[0]
