"""Inside a group every node still has its own authority, its own handles and its own name in every record.

The attack comes first: a node that stands in one component with another tries to use what only that may use.
"""

import pytest
from ringfence import CapabilityDenied

KINDS = ("front", "right", "left")
"""Whose answer stands where in what the front says of all three."""


def granted(*nodes: str, grant: str) -> str:
    return "\n".join(f"  - {{ from: {name}, to: host, grant: {{ {grant} }} }}" for name in nodes)


@pytest.mark.parametrize("node", KINDS)
def test_a_variable_is_seen_by_the_node_that_has_it_and_by_no_other(bank, node, monkeypatch):
    """Also not by the twin, which is the same component in the same store."""
    monkeypatch.setenv("SECRET", "s3cret")
    graph = bank(edges=granted(node, grant="env: [SECRET]"))
    assert graph.call("front.getenv", "SECRET") == tuple("s3cret" if name == node else None for name in KINDS)


@pytest.mark.parametrize("node", KINDS)
def test_a_file_is_read_by_the_node_that_has_it_and_by_no_other(bank, node, tmp_path_factory, compose, mode):
    """The others are refused, and the record names them and the edge that they were called by."""
    graph = bank(edges=granted(node, grant="files: [{ path: ., match: [graph.yaml], as: /g }]"))
    read = graph.call("front.read-file", "/g/graph.yaml")
    for name, answer in zip(KINDS, read, strict=True):
        assert (getattr(answer, "value", answer) or "").startswith("\nringfence: 1") == (name == node), (name, answer)


def test_both_read_what_both_may(bank):
    """The positive control for the twins."""
    graph = bank(edges=granted(*KINDS, grant="files: [{ path: ., match: [graph.yaml], as: /g }]"))
    assert all("graph: bank" in answer.value for answer in graph.call("front.read-file", "/g/graph.yaml"))


def test_a_denial_names_the_node_its_edge_and_its_line(bank):
    """Of two nodes that are one component in one store, the one that tried."""
    graph = bank(edges=granted("left", "right", grant="files: [{ path: ., match: [other.txt], as: /g }]"))
    graph.call("front.read-file", "/g/graph.yaml")
    told = sorted((one.node, one.edge, one.where.rpartition(":")[2]) for one in graph.denials if one.kind == "files")
    assert told == [("left", "middle -> left", "17"), ("right", "front -> right", "18")]


def test_what_one_node_has_open_is_no_handle_of_another(bank, compose, mode):
    """Handles are numbers, small ones, in every node alike: the number means nothing in the twin."""
    graph = bank(edges=granted("right", grant="files: [{ path: ., match: [graph.yaml], as: /g }]"))
    assert [type(one).__name__ for one in graph.call("front.read-file", "/g/graph.yaml")] == ["Err", "Ok", "Err"]
    assert [type(one).__name__ for one in graph.call("front.read-file", "/g/graph.yaml")] == ["Err", "Ok", "Err"]


def test_a_failure_after_a_denial_is_that_denial(bank):
    """As it is between stores: the error says what would have been needed, and by whom."""
    graph = bank(edges=granted("right", grant="files: [{ path: ., match: [other.txt], as: /g }]"))
    with pytest.raises(CapabilityDenied) as denied:
        graph.call("front.fail-to-read", "/g/graph.yaml")
    assert [(one.node, one.edge) for one in denied.value.denials if one.kind == "files"] == [("right", "front -> right")]
