"""Resources of a guest in the application's hands: they feel like objects, end when dropped, and can't be forged or mixed up."""

import gc

import pytest
from ringfence import ShapeError, UsageError


def test_a_resource_is_an_object_with_methods_and_a_context_manager(probe):
    graph = probe()
    with graph["probe"].token("a") as token:
        assert token.text() == "a"
        assert "text" in dir(token)
    with pytest.raises(ShapeError):
        token.text()


def test_a_fresh_instance_lives_as_long_as_its_resources(probe):
    graph = probe()
    token = graph["probe"].token("a")
    node = token.node
    assert len(node._leases) == 1
    token.close()
    token.close()
    assert len(node._leases) == 0


def test_a_forgotten_resource_ends_its_instance_with_the_next_call(probe):
    graph = probe()
    node = graph["probe"].token("a").node
    gc.collect()
    graph.call("probe.counter")
    assert len(node._leases) == 0


def test_an_owned_argument_moves(probe):
    graph = probe(instances="single")
    one, other = graph["probe"].token("a"), graph["probe"].token("b")
    assert graph.call("probe.join", one, other) == "ab"
    with pytest.raises(ShapeError):
        other.text()
    assert one.text() == "a"
    assert one.lease.instance.lent == 1


def test_resources_of_two_instances_do_not_mix(probe):
    graph = probe()
    one, other = graph["probe"].token("a"), graph["probe"].token("b")
    with pytest.raises(ShapeError, match="another instance"):
        graph.call("probe.join", one, other)
    assert (one.text(), other.text()) == ("a", "b")


def test_nothing_else_passes_for_a_resource(probe):
    graph = probe()
    for forged in (1, object(), "token", None):
        with pytest.raises(ShapeError, match="expected a token"):
            graph.call("probe.join", graph["probe"].token("a"), forged)


def test_a_resource_does_not_outlive_its_graph(probe):
    graph = probe()
    token = graph["probe"].token("a")
    graph.close()
    with pytest.raises(Exception, match=r"ended|closed"):
        token.text()


def test_names_lead_to_functions_or_say_what_there_is(probe):
    graph = probe()
    assert graph.call("probe.attempts.counter") == 0
    assert graph.call("probe.test:probe/attempts@0.1.0.counter") == 0
    assert graph["probe"].attempts.counter() == 0
    with pytest.raises(UsageError, match=r"did you mean probe.counter\?"):
        graph.call("probe.countr")
    with pytest.raises(UsageError, match="no exposed node 'prob'"):
        graph.call("prob.counter")
    with pytest.raises(AttributeError, match=r"did you mean counter\?"):
        _ = graph["probe"].countr
