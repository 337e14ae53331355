"""Variables, arguments, standard streams, clocks, randomness and files: absent, empty or refused unless granted."""

import os
import re
import time

import pytest
from ringfence import CapabilityDenied, Graph, GuestError, GuestTrap, ManifestError


def test_a_variable_is_absent_unless_granted(probe, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    monkeypatch.setenv("OTHER", "x")
    assert probe().call("probe.environment") == []
    granted = probe("env: [SECRET, { TZ: UTC }]")
    assert granted.call("probe.getenv", "SECRET") == "s3cret"
    assert sorted(granted.call("probe.environment")) == [("SECRET", "s3cret"), ("TZ", "UTC")]
    assert granted.call("probe.getenv", "OTHER") is None


def test_a_secret_stands_in_no_message(probe, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret-value")
    graph = probe("env: [SECRET]")
    with pytest.raises(CapabilityDenied) as denied:
        graph.call("probe.connect", "127.0.0.1", 9, "s3cret-value")
    assert "s3cret-value" not in repr(denied.value) + str(denied.value)


def test_arguments_are_empty_unless_granted(probe):
    assert "--flag" not in probe().call("probe.arguments")


def test_standard_input_is_empty(probe):
    assert probe().call("probe.read-stdin") == ""


def test_what_a_guest_prints_goes_to_the_log_escaped_where_granted(probe, caplog):
    caplog.set_level("INFO", logger="ringfence")
    probe("stdout: log").call("probe.print", "%s \x1b[31m red", 1)
    (record,) = [one for one in caplog.records if one.name == "ringfence.probe"]
    assert "%s" in record.getMessage()
    assert "\x1b" not in record.getMessage()


STREAMS = """
ringfence: 1
graph: streams
nodes: {{ probe: {{ component: ROOT/tests/denials/probe }} }}
edges: [{{ from: probe, to: host, grant: {{ {grant} }} }}]
expose: [probe]
"""


def test_standard_streams_lead_to_files_where_granted(compose):
    manifest = compose(STREAMS.format(grant="stdin: { file: in.txt }, stdout: { file: out.txt }"))
    (manifest.parent / "in.txt").write_text("what to read")
    with Graph.load(manifest) as graph:
        assert graph.call("probe.read-stdin") == "what to read"
        graph.call("probe.print", "hello", 2)
        graph.call("probe.print", "again", 1)
    assert (manifest.parent / "out.txt").read_text() == "hello\nhello\nagain\n"


@pytest.mark.parametrize("name", ["graph.yaml", "graph.lock.json", "link.txt", ".ringfence/sha256/new"])
def test_no_output_goes_to_what_decides_what_runs(compose, name):
    manifest = compose(STREAMS.format(grant=f"stdout: {{ file: {name} }}"))
    lock = manifest.with_name("graph.lock.json")
    before = lock.read_bytes()
    if name == "link.txt":
        manifest.with_name(name).symlink_to(lock.name)
    with pytest.raises(ManifestError, match="a guest could change"):
        Graph.load(manifest)
    assert lock.read_bytes() == before
    assert not (manifest.parent / ".ringfence/sha256/new").exists()


@pytest.mark.parametrize(
    ("grant", "found"),
    [
        ("stdin: { file: nowhere.txt }", "there is no file 'nowhere.txt'"),
        ("stdin: { file: .ringfence }", "expected a regular file"),
        ("stdout: { file: .ringfence }", "cannot open '.ringfence'"),
        ("stdin: { file: pipe }", "expected a regular file"),
        ("stdout: { file: pipe }", "'pipe'"),
    ],
)
def test_what_is_no_regular_file_is_refused_when_the_graph_is_loaded(compose, grant, found):
    """A pipe or a device could hold the host up, or be more than a file."""
    manifest = compose(STREAMS.format(grant=grant))
    if "pipe" in grant:
        os.mkfifo(manifest.with_name("pipe"))
    with pytest.raises(ManifestError, match=re.escape(found)):
        Graph.load(manifest)


def test_clocks_can_be_frozen(probe):
    wall, _ = probe('clocks: { frozen: "2026-01-01T00:00:00Z" }').call("probe.now")
    assert wall == 1767225600.0
    assert abs(probe().call("probe.now")[0] - time.time()) < 10


def test_a_seed_makes_randomness_repeat(probe):
    one, two = probe("random: { seeded: 7 }"), probe("random: secure")
    assert one.call("probe.random", 16) == one.call("probe.random", 16)
    assert two.call("probe.random", 16) != two.call("probe.random", 16)


def test_there_are_no_files(probe):
    for path in ("/etc/passwd", "app.py", "/proc/self/environ", "../../etc/passwd", "."):
        with pytest.raises((GuestError, CapabilityDenied, GuestTrap)):
            probe().call("probe.read-file", path)


@pytest.mark.parametrize(("kind", "call"), [("clocks", ("probe.now",)), ("random", ("probe.random", 4)), ("clocks", ("probe.sleep", 0.01))])
def test_what_a_language_runtime_would_get_can_be_withdrawn_and_then_traps(compose, kind, call):
    """A clock or a random number that is not granted is never a false one: an answer would be one."""
    granted = STREAMS.format(grant="env: []")
    with Graph.load(compose(granted)) as graph:
        graph.call(*call)
    with Graph.load(compose(granted.replace("tests/denials/probe }", f"tests/denials/probe, {kind}: deny }}"))) as graph:
        with pytest.raises(CapabilityDenied) as denied:
            graph.call(*call)
        assert kind in {denial.kind for denial in denied.value.denials}
