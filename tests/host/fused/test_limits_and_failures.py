"""What a group may use in all, and that it ends as a whole: the error says so, and names the node whose code failed."""

import threading
import time

import pytest
from ringfence import DeadlineExceeded, GuestTrap, LimitExceeded


@pytest.mark.parametrize(("behind", "node"), [(False, "right"), (True, "left")])
def test_a_trap_names_the_node_in_whose_code_it_happened(bank, mode, compose, behind, node):
    """Also of twins. On the component lane the engine's backtrace does not tell which it was; then the group is named."""
    graph = bank()
    with pytest.raises(GuestTrap) as trap:
        graph.call("front.trap", behind)
    core = graph._composed.runs.nodes[0].lane == "core"
    assert trap.value.node == (node if mode == "store" or core else "front+middle+vault+right+left")
    assert "told to" in trap.value.last_words
    assert ("all of front+middle+vault+right+left has ended" in str(trap.value)) == (mode == "fused")
    assert str(trap.value).startswith(f"{trap.value.node}: wasm `unreachable`")


def test_a_trap_ends_every_instance_on_the_stack_and_the_next_call_works(bank, mode):
    """Between stores, those that were in the call; in a group, all."""
    graph = bank()
    assert [graph.call("front.counters") for _ in range(2)] == [(0, 0, 0), (1, 1, 1)]
    with pytest.raises(GuestTrap):
        graph.call("front.trap", True)
    assert graph.call("front.counters") == ((0, 0, 0) if mode == "fused" else (0, 2, 0))


@pytest.mark.parametrize("behind", [False, True])
def test_the_deadline_ends_a_loop_in_any_node(bank, behind):
    graph = bank(front="deadline: 700ms")
    graph.call("front.add", 1, 1)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded) as late:
        graph.call("front.spin", behind)
    assert time.monotonic() - began < 5
    assert (late.value.node, late.value.allowed) == ("front", "700ms")
    assert graph.call("front.add", 1, 1) == (2, 2)


def test_the_deadline_of_a_node_inside_is_kept_and_named(bank):
    """Nothing can end that node's calls alone, so in a group it ends the whole call: nobody's limit is passed."""
    graph = bank(front="deadline: 20s", right="deadline: 700ms")
    graph.call("front.add", 1, 1)
    with pytest.raises(DeadlineExceeded) as late:
        graph.call("front.spin", False)
    assert (late.value.node, late.value.allowed) == ("right", "700ms")


def test_the_memory_of_a_group_is_that_of_its_nodes_together(bank, mode):
    """Here 1,216 MiB are too much for one node and little enough for five, so only between stores it fails."""
    graph = bank(front="memory: 128MiB", left="memory: 64MiB", right="memory: 48MiB")
    assert graph.call("front.hoard", 20 << 20) == 20 << 20
    if mode == "store":
        with pytest.raises((LimitExceeded, GuestTrap)):
            graph.call("front.hoard", 40 << 20)
    else:
        assert graph.call("front.hoard", 40 << 20) == 60 << 20
        with pytest.raises((LimitExceeded, GuestTrap)):
            for _ in range(40):
                graph.call("front.hoard", 40 << 20)
    assert graph.call("front.add", 1, 1) == (2, 2)


def test_output_is_counted_for_the_node_that_prints(bank, mode):
    """In a group for the whole of it: the smallest that is written holds."""
    graph = bank(right="output: 64KiB")
    graph.call("front.print", "x" * 1023, 10)
    with pytest.raises(LimitExceeded) as much:
        graph.call("front.print", "x" * 1023, 100)
    assert (much.value.node, much.value.limit, much.value.allowed) == ("front" if mode == "fused" else "right", "output", "64KiB")


def test_calls_at_once_are_counted_for_a_node_inside(bank):
    """One is under way in it for as long as one is in the group that could reach it."""
    graph = bank(instances="fresh", front="deadline: 5s", right="concurrent: 1")
    graph.call("front.add", 1, 1)
    late: list[BaseException] = []

    def spin() -> None:
        while not late:
            try:
                graph.call("front.spin", False)
            except LimitExceeded as error:  # a deadline is one; the other call may just be inside
                late.extend([error] if isinstance(error, DeadlineExceeded) else [])

    busy, full = threading.Thread(target=spin), None
    busy.start()
    while busy.is_alive() and full is None:
        time.sleep(0.05)
        try:
            graph.call("front.add", 1, 1)
        except LimitExceeded as error:
            full = error
    assert full is not None
    assert (full.node, full.limit, full.allowed) == ("right", "concurrent", "1")
    busy.join()
    assert graph.call("front.add", 1, 1) == (2, 2)


def test_the_stack_of_a_group_is_that_of_its_nodes_together(bank, mode):
    """What each may have by itself they share: none gets less than it has alone."""
    graph = bank(front="stack: 1MiB")
    assert graph.call("front.add", 1, 1) == (2, 2)
    if mode == "fused":
        assert next(iter(graph._running.nodes.values())).members["front"].limits.stack == 3 << 20
