"""A guest that locks files: what its grant does not name, what it has not opened, more than it may have, and against others."""

import json
import sqlite3
from contextlib import closing

import pytest
from ringfence import CapabilityDenied, Graph, GuestError, GuestTrap
from ringfence.contract.errors import LimitExceeded
from ringfence.contract.layout import lock_path
from ringfence.contract.lock import Lock

GRAPH = """
ringfence: 1
graph: locks
nodes:
  one: {{ component: ROOT/tests/denials/locker, limits: {{ deadline: 10s, handles: 50 }}, instances: single }}
  other: {{ component: ROOT/tests/denials/locker, limits: {{ deadline: 10s, handles: 50 }}, instances: single }}
edges:
  - {{ from: one, to: host, grant: {{ files: [{grant}] }} }}
  - {{ from: other, to: host, grant: {{ files: [{grant}] }} }}
expose: [one, other]
"""
GRANT = '{ path: data, match: ["*.db", "*.txt"], access: [read, write] }'
LOCK = GRANT.replace(" }", ', lock: ["*.db"] }')
BYTES = {"start": 5, "length": 10}
SQLITE_RESERVED, SQLITE_SHARED = {"start": 0x40000001, "length": 1}, {"start": 0x40000002, "length": 510}
WOULD_BLOCK, BUSY, NOT_PERMITTED = 1, 4, 31


@pytest.fixture
def fence(compose):
    """Makes a graph of two guests on one folder, each kept from call to call, with this grant."""
    opened = []

    def make(grant=LOCK):
        manifest = compose(GRAPH.format(grant=grant))
        folder = manifest.parent / "data"
        folder.mkdir(exist_ok=True)
        for name in ("a.db", "b.db", "c.txt"):
            (folder / name).write_bytes(b"0123456789abcdef")
        opened.append(Graph.load(manifest))
        opened[-1].data = folder
        return opened[-1]

    yield make
    for graph in opened:
        graph.close()


def answers(code, function, *arguments):
    with pytest.raises(GuestError) as failed:
        function(*arguments)
    assert failed.value.value == code


def test_without_the_grant_a_lock_is_refused(fence):
    """To read and to write a file is not to keep others from it."""
    graph = fence(GRANT)
    file = graph["one"].open("a.db")
    for function, operation in ((graph["one"].lock, "lock"), (graph["one"].is_locked, "lock")):
        with pytest.raises(CapabilityDenied) as failed:
            function(file, BYTES, True)
        assert failed.value.__cause__.value == NOT_PERMITTED
        (denial,) = failed.value.denials
        assert (denial.node, denial.kind, denial.operation, denial.value) == ("one", "files", operation, "'/data/a.db'")
        assert 'lock: ["a.db"]' in denial.allow
    assert graph["other"].write(graph["other"].open("a.db"), "x") is None

    granted = fence(LOCK)
    granted["one"].lock(granted["one"].open("a.db"), BYTES, True)
    with pytest.raises(CapabilityDenied):
        granted["one"].lock(granted["one"].open("c.txt"), BYTES, True)


def test_the_plan_says_whether_locks_are_granted(compose):
    for grant, decision in ((GRANT, "denied"), (LOCK, "granted")):
        lock = Lock.from_dict(json.loads(lock_path(compose(GRAPH.format(grant=grant))).read_bytes()))
        found = {one.name: one.decision for one in lock.nodes[0].imports}
        assert found["ringfence:files/lock@0.1.0"] == decision
        assert found["wasi:filesystem/types@0.2.12"] == "granted"


@pytest.mark.parametrize("handle", [0, 99, -1, 2**31 - 1])
def test_what_a_guest_has_not_opened_it_cannot_lock(fence, handle):
    graph = fence()
    file = graph["other"].open("a.db")
    with pytest.raises(GuestTrap):
        graph["one"].lock(handle, BYTES, True)
    graph["other"].lock(file, BYTES, True)


def test_guests_and_programs_keep_each_other_out(fence):
    graph = fence()
    one, other = graph["one"].open("a.db"), graph["other"].open("a.db")
    graph["one"].lock(one, BYTES, False)
    graph["other"].lock(other, BYTES, False)
    answers(WOULD_BLOCK, graph["one"].lock, one, BYTES, True)
    graph["other"].unlock(other, BYTES)
    graph["one"].lock(one, BYTES, True)
    assert graph["other"].is_locked(other, BYTES, False) is True
    assert graph["other"].is_locked(other, {"start": 15, "length": 1}, True) is False
    answers(WOULD_BLOCK, graph["other"].lock, other, BYTES, False)


def test_two_that_want_what_the_other_has_stand_still_for_nobody(fence):
    """A deadlock is an answer at once, to both."""
    graph = fence()
    for node, mine, others in (("one", "a.db", "b.db"), ("other", "b.db", "a.db")):
        graph[node].lock(graph[node].open(mine), BYTES, True)
        if node == "other":
            answers(WOULD_BLOCK, graph[node].lock, graph[node].open(others), BYTES, True)
    answers(WOULD_BLOCK, graph["one"].lock, graph["one"].open("b.db"), BYTES, True)


def test_locks_end_with_the_instance(fence):
    graph = fence()
    file = graph["other"].open("a.db")
    graph["one"].lock(graph["one"].open("a.db"), BYTES, True)
    with pytest.raises(GuestTrap):
        graph["one"].unlock(99, BYTES)
    graph["other"].lock(file, BYTES, True)


def test_locks_are_bounded_as_handles_are(fence):
    graph = fence()
    file = graph["one"].open("a.db")
    graph["one"].lock_many(file, 40)
    with pytest.raises(LimitExceeded) as failed:
        graph["one"].lock_many(file, 60)
    assert (failed.value.limit, failed.value.node) == ("handles", "one")
    graph["one"].lock(graph["one"].open("a.db"), BYTES, True)


def test_a_native_sqlite_is_locked_out_and_the_file_is_changed_only_then(fence):
    graph = fence()
    (graph.data / "a.db").unlink()
    with closing(sqlite3.connect(graph.data / "a.db", timeout=0)) as native:
        native.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);")
        file = graph["one"].open("a.db")
        answers(BUSY, graph["one"].write, file, "SQLite")
        graph["one"].lock(file, SQLITE_SHARED, False)
        answers(BUSY, graph["one"].write, file, "SQLite")
        assert native.execute("SELECT a FROM t").fetchall() == [(1,)]
        graph["one"].lock(file, SQLITE_SHARED, True)
        graph["one"].write(file, "SQLite")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            native.execute("SELECT a FROM t")
        graph["one"].unlock(file, SQLITE_SHARED)
        answers(BUSY, graph["one"].write, file, "SQLite")
        native.execute("BEGIN IMMEDIATE")
        assert graph["one"].is_locked(file, SQLITE_RESERVED, False) is True
