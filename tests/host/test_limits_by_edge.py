"""Limits of a node, of an edge and of what is exposed, where the smallest counts: a guest tries to pass each, and the next call works."""

import threading

import pytest
from ringfence import CapabilityDenied, Graph, LimitExceeded

GRAPH = """
ringfence: 1
graph: bounded
nodes:
  left: {{ component: ROOT/tests/denials/relay, limits: {{ deadline: 20s }} }}
  right: {{ component: ROOT/tests/denials/relay, limits: {{ deadline: 20s }} }}
  probe: {{ component: ROOT/tests/denials/probe, limits: {{ {node} }}, instances: {instances} }}
edges:
  - {{ from: left, to: probe, limits: {{ {edge} }} }}
  - {{ from: right, to: probe }}
expose: [left, right, {{ node: probe, limits: {{ {exposed} }} }}]
"""
PASSES = {
    "memory": ("64MiB", "hoard", 100 << 20),
    "output": ("64KiB", "print", "x" * 1024, 1000),
    "fuel": ("300M", "spin"),
    "deadline": ("500ms", "spin"),
}


@pytest.fixture
def bounded(compose):
    opened = []

    def make(*, node="deadline: 20s", edge="deadline: 20s", exposed="deadline: 20s", instances="fresh"):
        opened.append(Graph.load(compose(GRAPH.format(node=node, edge=edge, exposed=exposed, instances=instances))))
        return opened[-1]

    yield make
    for graph in opened:
        graph.close()


@pytest.mark.parametrize("limit", PASSES)
@pytest.mark.parametrize("where", ["node", "edge", "exposed"])
def test_no_guest_passes_a_limit_wherever_it_stands(bounded, limit, where):
    allowed, function, *arguments = PASSES[limit]
    graph = bounded(**{where: f"{limit}: {allowed}"})
    caller = "probe" if where == "exposed" else "left"
    with pytest.raises(LimitExceeded, match=f"probe: limits.{limit} of {allowed} exceeded"):
        graph.call(f"{caller}.{function}", *arguments)
    assert graph.call(f"{caller}.counter") in (0, (0, 0))


def test_what_one_edge_limits_another_allows(bounded):
    """The control: it is the edge's limit that the guest met, not its own end."""
    graph = bounded(edge="memory: 64MiB, output: 64KiB", exposed="memory: 64MiB")
    assert graph.call("right.hoard", 100 << 20) == 100 << 20
    graph.call("right.print", "x" * 1024, 1000)
    for caller in ("left", "probe"):
        with pytest.raises(LimitExceeded, match="memory"):
            graph.call(f"{caller}.hoard", 100 << 20)


def test_an_edge_does_not_raise_what_its_node_limits(bounded):
    graph = bounded(node="memory: 64MiB, concurrent: 1", edge="memory: 256MiB, concurrent: 9")
    with pytest.raises(LimitExceeded, match="limits.memory of 64MiB"):
        graph.call("left.hoard", 100 << 20)
    assert refused(graph, "left", ("left", "right", "probe")) == {"left", "right", "probe"}


def refused(graph, busy, callers):
    """Who is refused while a call of the probe is under way through one edge; all are let in again afterwards."""
    found, said = set(), set()
    worker = threading.Thread(target=until_let_in, args=(graph, busy))
    for caller in callers:
        assert graph.call(f"{caller}.counter") is not None
    worker.start()
    while worker.is_alive():
        for caller in callers:
            try:
                graph.call(f"{caller}.counter")
            except LimitExceeded as error:
                found.add(caller)
                said.add(str(error))
    worker.join()
    for caller in callers:
        assert graph.call(f"{caller}.counter") is not None
    assert said <= {"probe: limits.concurrent of 1 exceeded"}
    return found


def until_let_in(graph, busy):
    """A call that takes a second, once it is let in: it is refused itself while the others are."""
    while True:
        try:
            return graph.call(f"{busy}.sleep", 1.0)
        except LimitExceeded:
            continue


@pytest.mark.parametrize(
    ("where", "busy", "out"),
    [
        ("node", "left", {"left", "right", "probe"}),
        ("edge", "left", {"left"}),
        ("edge", "right", set()),
        ("exposed", "probe", {"probe"}),
        ("exposed", "left", set()),
    ],
)
def test_calls_at_once_are_counted_for_a_node_and_for_each_edge(bounded, where, busy, out):
    graph = bounded(**{where: "concurrent: 1"})
    assert refused(graph, busy, ("left", "right", "probe")) == out


def test_a_queue_before_a_single_instance_is_bounded(bounded):
    """Who waits counts: otherwise callers could pile up threads without end."""
    graph = bounded(node="concurrent: 1", instances="single")
    assert refused(graph, "left", ("left",)) == {"left"}


def test_a_call_that_fails_gives_its_turn_back(bounded):
    graph = bounded(node="concurrent: 1, memory: 64MiB", edge="concurrent: 1")
    for _ in range(5):
        with pytest.raises(LimitExceeded, match="memory"):
            graph.call("left.hoard", 100 << 20)
    assert graph.call("left.counter") == (0, 0)


def test_a_resource_does_not_carry_an_instance_past_an_edges_limits(bounded):
    """Memory and fuel are those that an instance was made with, through the other edge."""
    graph = bounded(edge="memory: 64MiB")
    wide, narrow = graph.call("right.lend-out", "wide"), graph.call("left.lend-out", "narrow")
    with pytest.raises(CapabilityDenied, match="which has other grants or wider limits"):
        graph.call("left.look-at", wide)
    assert graph.call("right.look-at", narrow) == "narrow"
    assert graph.call("right.look-at", wide) == "wide"


@pytest.mark.parametrize("where", ["node", "exposed"])
def test_what_is_written_is_bounded_wherever_the_limit_stands(compose, where):
    given = {"node": "deadline: 20s", "exposed": "deadline: 20s"} | {where: "written: 100KiB"}
    manifest = compose(
        f"""
ringfence: 1
graph: writing
nodes: {{ clerk: {{ component: ROOT/tests/denials/clerk, limits: {{ {given["node"]} }} }} }}
edges: [{{ from: clerk, to: host, grant: {{ files: [{{ path: data, access: [read, write, create] }}] }} }}]
expose: [{{ node: clerk, limits: {{ {given["exposed"]} }} }}]
"""
    )
    (manifest.parent / "data").mkdir(exist_ok=True)
    with Graph.load(manifest) as graph:
        with pytest.raises(LimitExceeded, match="clerk: limits.written of 100KiB exceeded"):
            graph.call("clerk.write", "/data/a", "wb", bytes(110_000))
        assert graph.call("clerk.write", "/data/a", "wb", bytes(90_000)) == 90_000


@pytest.mark.parametrize("where", ["node", "edge"])
def test_resources_keep_no_more_instances_than_the_limit(bounded, where):
    """Each token of a fresh instance keeps that instance, memory and all: a guest that hoards tokens would take all there is."""
    graph = bounded(**{where: "handles: 8"})
    assert graph.call("left.keep", 8) == 8
    with pytest.raises(LimitExceeded, match="probe: limits.handles of 8 exceeded: resources keep as many instances of it"):
        graph.call("left.keep", 9)
    assert graph.call("left.counter") == (0, 0), "whoever kept them has ended, and they with it"
    assert graph.call("left.keep", 8) == 8
    with graph.call("left.lend-out", "one"):
        with pytest.raises(LimitExceeded, match="handles"):
            graph.call("left.keep", 8)
        assert graph.call("left.keep", 7) == 7
    assert graph.call("left.keep", 8) == 8
