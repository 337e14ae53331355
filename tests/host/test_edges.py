"""Edges between nodes: what a callee may do, whose deadline counts, what a failure ends, and resources that cross."""

import time

import pytest
from ringfence import CapabilityDenied, DeadlineExceeded, Graph, GuestError, GuestTrap, LimitExceeded, ShapeError

PAIR = """
ringfence: 1
graph: pair
nodes:
  relay: {{ component: ROOT/tests/denials/relay, limits: {{ {relay} }}, instances: {instances} }}
  probe: {{ component: ROOT/tests/denials/probe, limits: {{ {probe} }}, instances: {instances} }}
edges:
  - {{ from: relay, to: probe {edge} }}
  {host}
expose: [relay]
"""


@pytest.fixture
def pair(compose):
    opened = []

    def make(*, relay="deadline: 10s", probe="deadline: 10s", instances="single", edge="", host=""):
        text = PAIR.format(relay=relay, probe=probe, instances=instances, edge=edge, host=host)
        opened.append(Graph.load(compose(text)))
        return opened[-1]

    yield make
    for graph in opened:
        graph.close()


@pytest.mark.parametrize(("relay", "probe"), [("deadline: 500ms", "deadline: 10s"), ("deadline: 10s", "deadline: 500ms")])
def test_a_callee_gets_at_most_what_its_caller_has_left(pair, relay, probe):
    graph = pair(relay=relay, probe=probe)
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded) as late:
        graph.call("relay.spin")
    assert time.monotonic() - started < 2
    assert late.value.node == ("relay" if relay == "deadline: 500ms" else "probe")


def test_an_edges_own_limit_counts(pair):
    graph = pair(edge=", limits: { deadline: 400ms, output: 64KiB }")
    with pytest.raises(DeadlineExceeded, match="probe: limits.deadline of 400ms"):
        graph.call("relay.spin")
    assert graph.call("relay.flood", 10) == 10
    with pytest.raises(LimitExceeded, match="probe: limits.output of 64KiB"):
        graph.call("relay.flood", 1000)


def test_a_callees_failure_ends_every_instance_on_the_stack(pair):
    graph = pair()
    assert [graph.call("relay.counter") for _ in range(2)] == [(0, 0), (1, 1)]
    with pytest.raises(GuestTrap):
        graph.call("relay.trap")
    assert graph.call("relay.counter") == (0, 0)


def test_an_err_from_the_callee_is_no_failure(pair):
    graph = pair(host='- { from: probe, to: host, grant: { tcp: ["127.0.0.1:1"] } }')
    graph.call("relay.counter")
    with pytest.raises(GuestError, match="refused"):
        graph.call("relay.connect", "127.0.0.1", 1, "x")
    assert graph.call("relay.counter") == (1, 1)


def test_a_node_acts_with_its_own_grants_only(pair, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    for node, seen in (("relay", ("s3cret", None)), ("probe", (None, "s3cret"))):
        graph = pair(host=f"- {{ from: {node}, to: host, grant: {{ env: [SECRET] }} }}")
        assert graph.call("relay.getenv", "SECRET") == seen


def test_a_denial_in_the_callee_names_the_callee_and_its_edge(pair):
    graph = pair(host='- { from: relay, to: host, grant: { tcp: ["127.0.0.1:9"] } }')
    with pytest.raises(CapabilityDenied) as denied:
        graph.call("relay.connect", "127.0.0.1", 9, "x")
    (denial,) = denied.value.denials
    assert (denial.node, denial.edge) == ("probe", "relay -> probe")


def test_calls_an_edge_does_not_list_are_denied(pair):
    graph = pair(edge=", grant: { calls: [counter] }")
    assert graph.call("relay.counter") == (0, 0)
    with pytest.raises(CapabilityDenied, match="add to the edge from relay to probe") as denied:
        graph.call("relay.trap")
    assert denied.value.denials[0].allow == "calls: [trap]"


def test_a_resource_of_the_callee_is_used_and_dropped_by_the_caller(pair):
    graph = pair()
    kept = graph.call("relay.lend-out", "kept")
    assert graph.call("relay.spell", "abc") == "abc"
    assert kept.lease.instance.lent == 1


def test_a_resource_passes_through_the_caller_and_comes_back(pair):
    graph = pair()
    token = graph.call("relay.lend-out", "abc")
    probe = token.lease.instance
    assert probe.lent == 1
    assert graph.call("relay.look-at", token) == "abc"
    with pytest.raises(AttributeError, match="not exposed"):
        token.text()
    assert graph.call("relay.take-back", token) == "abc"
    with pytest.raises(ShapeError):
        graph.call("relay.look-at", token)
    assert probe.lent == 0


def test_a_resource_that_is_gone_is_refused_before_the_caller_is_entered(pair):
    """Inside it would be a failure of the callee, which ends the caller's instance: a mistake of the application's took its state."""
    graph = pair()
    graph.call("relay.counter")
    for end in (lambda one: graph.call("relay.take-back", one), lambda one: one.close()):
        token = graph.call("relay.lend-out", "abc")
        end(token)
        for name in ("relay.look-at", "relay.take-back"):
            with pytest.raises(ShapeError, match="expected a handle of token, found one that was closed or given away"):
                graph.call(name, token)
    assert graph.call("relay.counter") == (1, 1)


def test_a_fresh_callee_lives_while_somebody_holds_its_resource(pair):
    graph = pair(instances="fresh")
    token = graph.call("relay.lend-out", "abc")
    assert graph.call("relay.look-at", token) == "abc"
    node = token.node
    token.close()
    assert len(node._leases) == 0
