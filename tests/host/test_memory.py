"""A thousand fresh instances leave the process where it was."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
from ringfence import Graph
from ringfence.call import Root

STATUS = Path("/proc/self/status")
pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="needs Linux's /proc")

JSON = """
ringfence: 1
graph: fresh
nodes:
  json: { component: ROOT/components/json-decoder }
expose: [json]
"""
CALLS = 1000
ALLOWED = 4 << 20
"""Bytes: less than six instances' own pages, where a thousand came and went."""


class Standing:
    """What the process holds: resident bytes, descriptors, threads (Python's and the system's)."""

    def __init__(self):
        gc.collect()
        status = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        self.resident = int(status["VmRSS"].split()[0]) << 10
        self.descriptors = sorted(Path("/proc/self/fd").iterdir())
        self.threads = threading.active_count(), int(status["Threads"])
        self.mappings = len(Path("/proc/self/maps").read_text().splitlines())


def test_a_thousand_fresh_calls_leave_the_process_where_it_was(compose):
    """Each has a CPython of its own, whose pages, tables, descriptors and Python objects go with it; in both lanes."""
    with Graph.load(compose(JSON)) as graph:
        for _ in range(CALLS // 5):  # whatever is made once: compiled lifts, the allocator's arenas, the clock's thread
            assert graph.call("json.decode", "[1]").root == 0
        before = Standing()
        for _ in range(CALLS):
            graph.call("json.decode", "[1]")
        after = Standing()
    assert after.descriptors == before.descriptors
    assert after.threads == before.threads
    assert after.resident - before.resident < ALLOWED
    assert after.mappings - before.mappings < 32


def test_an_instance_that_is_held_does_take_memory(compose):
    """The positive control: the measure above would see it."""
    with Graph.load(compose(JSON)) as graph:
        graph.call("json.decode", "[1]")
        node = graph._start().nodes["json"]
        target = graph.find("json.decode")
        before, held = Standing(), []
        for _ in range(8):
            call = node._call(Root(), target.inbound)
            lease = node._leases.take("held", call)
            lease.instance.call(target.function, ("[1]",), call)
            held.append(lease)
        assert Standing().resident - before.resident > ALLOWED
        for lease in held:
            node._leases.give_back(lease)
