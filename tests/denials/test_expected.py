"""Denials that an edge lists as expected: denied and recorded all the same, but they make no other error out of a call's own."""

import json

import pytest
from click.testing import CliRunner
from places import ROOT
from ringfence import CapabilityDenied, Graph, GuestError, GuestTrap
from ringfence.testing import assert_nothing_denied
from ringfence_composer.cli import compose as command

PROBE = """
ringfence: 1
graph: expecting
parameters:
  rc: {{ type: endpoint, default: "127.0.0.1:3", within: "127.0.0.0/8:*" }}
nodes:
  probe: {{ component: ROOT/tests/denials/probe, limits: {{ deadline: 10s }}{more} }}
edges:
  - {{ from: probe, to: host{edge} }}
expose: [probe]
"""
EXPECTED = ', expected: { tcp: ["127.0.0.1:2", "${rc}", "127.0.0.1:9"], clocks: [wall] }'


@pytest.fixture
def expecting(compose):
    opened = []

    def make(edge=EXPECTED, more="", **given):
        parameters = "" if "${rc}" in edge else ', grant: { tcp: ["${rc}"] }'
        opened.append(Graph.load(compose(PROBE.format(edge=edge + parameters, more=more)), **given))
        return opened[-1]

    yield make
    for graph in opened:
        graph.close()


@pytest.mark.parametrize("port", [2, 3])
def test_an_expected_denial_leaves_the_guests_own_error(expecting, port):
    graph = expecting()
    with pytest.raises(GuestError, match="Permission denied"):
        graph.call("probe.connect", "127.0.0.1", port, "x")
    (denial,) = graph.denials
    assert (denial.kind, denial.value, denial.expected) == ("tcp", f"127.0.0.1:{port}", True)
    assert list(graph.all_denials) == [denial]
    assert_nothing_denied(graph)


def test_without_the_list_it_is_a_denial(expecting):
    """The control."""
    graph = expecting("")
    with pytest.raises(CapabilityDenied):
        graph.call("probe.connect", "127.0.0.1", 2, "x")
    with pytest.raises(AssertionError, match="127.0.0.1:2"):
        assert_nothing_denied(graph)


def test_no_more_is_expected_than_is_listed(expecting):
    graph = expecting()
    with pytest.raises(CapabilityDenied) as denied:
        graph.call("probe.connect", "127.0.0.1", 4, "x")
    assert [one.value for one in denied.value.denials] == ["127.0.0.1:4"]


def test_a_parameter_moves_what_is_expected(expecting):
    graph = expecting(parameters={"rc": "127.0.0.1:5"})
    with pytest.raises(CapabilityDenied):
        graph.call("probe.connect", "127.0.0.1", 3, "x")
    with pytest.raises(GuestError):
        graph.call("probe.connect", "127.0.0.1", 5, "x")


def test_what_is_expected_is_not_granted(expecting):
    """Where the refusal itself ends the guest, it is the error, whoever expected it."""
    graph = expecting(more=", clocks: deny")
    with pytest.raises((CapabilityDenied, GuestTrap)) as denied:
        graph.call("probe.now")
    if isinstance(denied.value, CapabilityDenied):
        assert {one.kind for one in denied.value.denials} == {"clocks"}
    assert any(one.kind == "clocks" for one in graph.all_denials)


def run(file, *words):
    return CliRunner().invoke(command, ["run", str(file), *words], catch_exceptions=False)


def test_a_run_tells_in_the_end_what_a_library_swallowed(compose):
    """A look-up that the library shrugs off succeeds, and is told of in one line; programs get it as JSON."""
    file = compose(PROBE.format(edge=EXPECTED, more=""))
    for words in (["probe.connect", "127.0.0.1", "2", "x"], ["probe.connect", "127.0.0.1", "4", "x"]):
        done = run(file, *words)
        assert done.exit_code == 1
        last = done.stderr.splitlines()[-1]
        if "2" in words:
            assert last == "note: probe: connect to 127.0.0.1:2 denied: no grant covers it (expected)"
        else:
            assert last == f"what would allow it: compose fix {file}"
    as_json = json.loads(run(file, "--json", "probe.connect", "127.0.0.1", "2", "x").stdout)["error"]
    assert as_json["code"] == "guest-error"
    assert [one["expected"] for one in as_json["denials"]] == [True]


def test_a_trap_says_where_in_the_guests_source(compose):
    file = compose(PROBE.format(edge=EXPECTED, more=""))
    with Graph.load(file) as graph, pytest.raises(GuestTrap) as trapped:
        graph.call("probe.trap")
    name, _, line = trapped.value.source.partition(":")
    assert name == "app.py"
    assert "told to trap" in ((ROOT / "tests/denials/probe/src/app.py").read_text().splitlines()[int(line) - 1])
    assert trapped.value.source not in str(trapped.value)
    done = run(file, "probe.trap")
    assert f"\n  in {trapped.value.source} of probe\n" in done.stderr
    assert json.loads(run(file, "--json", "probe.trap").stdout)["error"]["source"] == trapped.value.source
