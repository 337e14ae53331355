"""A guest that loops, hoards, recurses, floods or returns without end: a typed error in time, and the next call is right."""

import threading
import time

import pytest
from ringfence import DeadlineExceeded, GuestExit, GuestTrap, Interrupted, LimitExceeded


def still_right(graph):
    assert graph.call("probe.counter") == 0


def test_a_loop_ends_at_the_deadline(probe):
    graph = probe(limits="deadline: 500ms")
    still_right(graph)
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="probe: limits.deadline of 500ms exceeded"):
        graph.call("probe.spin")
    assert time.monotonic() - started < 1.5
    still_right(graph)


def test_sleeping_in_the_host_ends_at_the_deadline(probe):
    graph = probe(limits="deadline: 500ms")
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        graph.call("probe.sleep", 30.0)
    assert time.monotonic() - started < 1.5
    still_right(graph)


def test_a_sleep_within_the_deadline_is_no_error(probe):
    graph = probe()
    started = time.monotonic()
    graph.call("probe.sleep", 0.2)
    assert 0.2 <= time.monotonic() - started < 2


def test_memory_has_an_end(probe):
    graph = probe(limits="memory: 64MiB, deadline: 10s")
    assert graph.call("probe.hoard", 1 << 20) == 1 << 20
    with pytest.raises(LimitExceeded, match="probe: limits.memory of 64MiB exceeded"):
        graph.call("probe.hoard", 100 << 20)
    still_right(graph)


def test_the_same_guest_may_hoard_where_the_limit_allows_it(probe):
    assert probe(limits="memory: 256MiB, deadline: 10s").call("probe.hoard", 100 << 20) == 100 << 20


def test_fuel_is_counted_where_it_is_asked_for(probe):
    """Instructions, not time: the same call ends at the same place however busy the machine is."""
    graph = probe(limits="fuel: 300M, deadline: 20s")
    still_right(graph)
    with pytest.raises(LimitExceeded, match="probe: limits.fuel of 300M exceeded"):
        graph.call("probe.spin")
    still_right(graph)


def test_each_call_has_its_own_fuel(probe):
    """A pooled instance does not run dry by many small calls."""
    graph = probe(limits="fuel: 300M, deadline: 20s", instances="pooled")
    for count in range(200):
        assert graph.call("probe.counter") == count


def test_recursion_in_native_frames_ends(probe):
    graph = probe()
    with pytest.raises((LimitExceeded, GuestTrap)):
        graph.call("probe.recurse", 1_000_000)
    still_right(graph)
    assert graph.call("probe.recurse", 10) == 22


@pytest.mark.parametrize("stream", ["stdout: log", ""])
def test_printing_has_an_end(probe, stream):
    graph = probe(stream, limits="output: 64KiB, deadline: 10s")
    if stream:
        graph.call("probe.print", "x" * 1024, 32)
        with pytest.raises(LimitExceeded, match="probe: limits.output of 64KiB exceeded"):
            graph.call("probe.print", "x" * 1024, 1000)
    still_right(graph)


def test_returning_has_an_end(probe):
    graph = probe(limits="output: 1MiB, deadline: 10s")
    assert len(graph.call("probe.flood", 100)) == 100
    with pytest.raises(LimitExceeded, match="probe: limits.output of 1MiB exceeded"):
        graph.call("probe.flood", 10_000)
    still_right(graph)


def test_exit_and_trap_are_typed_and_cost_one_instance(probe):
    graph = probe(instances="pooled")
    with pytest.raises(GuestExit):
        graph.call("probe.exit", 3)
    with pytest.raises(GuestTrap) as trapped:
        graph.call("probe.trap")
    assert trapped.value.backtrace
    assert "RuntimeError: the probe was told to trap" in trapped.value.last_words
    assert "told to trap" not in str(trapped.value)
    still_right(graph)


def test_a_pooled_instance_keeps_its_state_and_a_fresh_one_has_none(probe):
    pooled, fresh, single = probe(instances="pooled"), probe(), probe(instances="single")
    assert [pooled.call("probe.counter") for _ in range(3)] == [0, 1, 2]
    assert [single.call("probe.counter") for _ in range(3)] == [0, 1, 2]
    assert [fresh.call("probe.counter") for _ in range(3)] == [0, 0, 0]


def test_closing_the_graph_ends_a_running_call(probe):
    graph = probe()
    caught = []

    def work():
        try:
            graph.call("probe.spin")
        except Interrupted as error:
            caught.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(0.5)
    graph.close()
    worker.join(5)
    assert len(caught) == 1
