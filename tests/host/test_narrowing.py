"""An application takes away from what a lock grants, and never adds to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.contract.errors import ManifestError
from ringfence.contract.grants import Policy
from ringfence.contract.grants.delegation import excess
from ringfence.contract.lock import HOST, Lock, LockedEdge, LockedNode, LockedParameter
from ringfence.narrowing import narrowed

GRANT = {"tcp": ["10.0.0.0/8:443", "${vendor}"], "env": ["TOKEN", {"TZ": "UTC"}], "files": [{"path": "data", "access": ["read", "write"]}]}
LOCK = Lock(
    graph="g",
    manifest="graph.yaml",
    inputs={},
    parameters=(LockedParameter(name="vendor", type="endpoint", default="127.0.0.1:80", within=("127.0.0.1:*",)),),
    nodes=tuple(LockedNode(name=name, world="w", lane="core", reason="r", runtime={"random": "secure"}) for name in ("a", "b", "c")),
    edges=(
        LockedEdge(consumer="a", provider=HOST, grant=GRANT),
        LockedEdge(consumer="a", provider="b", grant={"tcp": ["10.0.0.0/8:443", "127.0.0.1:80"], "env": ["TOKEN"]}, calls=("f",)),
    ),
)


def own(lock: Lock, node: str = "a"):
    return next(edge.grant for edge in lock.edges if (edge.consumer, edge.provider) == (node, HOST))


def passed(lock: Lock):
    return next(edge.grant for edge in lock.edges if edge.provider == "b")


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"env": ["TOKEN"]},
        {"tcp": ["10.1.0.0/16:443"]},
        {"tcp": ["${vendor}"]},
        {"files": [{"path": "data", "access": ["read"]}]},
        {"files": [{"path": "data", "access": ["read"], "match": ["*.txt"]}], "env": [{"TZ": "UTC"}]},
        GRANT,
    ],
)
def test_a_node_has_exactly_what_is_left_to_it(wanted):
    """Kinds that are not named are gone; the language runtime's needs stay, and so do other nodes' grants."""
    found = narrowed(LOCK, {"a": wanted}, {})
    assert own(found) == wanted
    assert [node.runtime for node in found.nodes] == [node.runtime for node in LOCK.nodes]
    assert narrowed(LOCK, {}, {}) == LOCK


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ({"env": ["HOME"]}, "a.env[0]"),
        ({"env": ["TOKEN", "HOME"]}, "a.env[1]"),
        ({"env": [{"TZ": "CET"}]}, "a.env[0]"),
        ({"tcp": ["10.0.0.0/7:443"]}, "a.tcp[0]"),
        ({"tcp": ["127.0.0.1:81"]}, "a.tcp[0]"),
        ({"files": [{"path": "data", "access": ["read", "create"]}]}, "a.files[0]"),
        ({"files": [{"path": "..", "as": "/up", "access": ["read"]}]}, "a.files[0]"),
        ({"udp": ["10.0.0.1:53"]}, "a.udp[0]"),
        ({"everything": True}, "a.everything"),
        ({"tcp": "10.0.0.1:443"}, "a.tcp"),
        ({"tcp": ["${nobody}"]}, "a"),
        ("everything", "a"),
    ],
)
def test_more_than_was_granted_is_an_error(wanted, path):
    """What is no part of the lock's grants, what is none at all, and another value of a variable."""
    with pytest.raises(ManifestError) as error:
        narrowed(LOCK, {"a": wanted}, {}, "policy.toml")
    assert [(one.file, one.path) for one in error.value.problems] == [("policy.toml", path)]


def test_all_that_is_wrong_is_told_at_once():
    """Somebody mends a policy once, not five times."""
    with pytest.raises(ManifestError) as error:
        narrowed(LOCK, {"a": {"env": ["HOME"], "udp": []}, "x": {}, "c": {"env": ["A"]}}, {})
    assert {one.path for one in error.value.problems} >= {"x", "c", "a.env[0]"}


def test_a_parameter_has_the_value_that_it_will_have():
    """`${vendor}` is another address where the application gives it another value."""
    assert own(narrowed(LOCK, {"a": {"tcp": ["127.0.0.1:90"]}}, {"vendor": "127.0.0.1:90"})) == {"tcp": ["127.0.0.1:90"]}


def test_what_a_node_may_no_longer_do_it_passes_on_to_nobody():
    """Else the callee would do for it what was taken from it."""
    assert passed(narrowed(LOCK, {"a": {"tcp": ["10.0.0.0/8:443"]}}, {})) == {"tcp": ["10.0.0.0/8:443"]}
    assert passed(narrowed(LOCK, {"a": {}}, {})) == {}
    assert passed(narrowed(LOCK, {"b": {}}, {})) == passed(LOCK)


ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "tcp": st.lists(
            st.sampled_from(["10.0.0.0/8:443", "10.1.0.0/16:443", "10.1.2.3:443", "10.1.2.3:80", "0.0.0.0/0:*", "127.0.0.1:80"])
        ),
        "env": st.lists(st.sampled_from(["TOKEN", "HOME", {"TZ": "UTC"}, {"TZ": "CET"}]), unique_by=str),
        "files": st.lists(
            st.fixed_dictionaries(
                {
                    "path": st.sampled_from(["data", "other"]),
                    "access": st.sets(st.sampled_from(["read", "write", "create"]), min_size=1).map(sorted),
                }
            ),
            max_size=1,
        ),
    },
)


@given(ITEMS)
def test_no_narrowing_ever_widens(wanted):
    """Whatever is asked for: an error, or grants that the lock's own cover."""
    try:
        found = narrowed(LOCK, {"a": wanted}, {})
    except ManifestError:
        return
    maximum = Policy.bind({**GRANT, "tcp": ["10.0.0.0/8:443", "127.0.0.1:80"]})
    assert list(excess(maximum, Policy.bind(own(found)))) == []
    assert list(excess(Policy.bind(own(found)), Policy.bind(passed(found)))) == []
