"""What an edge passes on counts in calls through that edge and nowhere else, however a callee and its callers try to mix two of them."""

import socketserver
import threading

import pytest
from ringfence import CapabilityDenied, Graph, GuestError, IntegrityError
from ringfence.contract.lock import Lock
from ringfence.contract.names import digest_of
from ringfence.loading import read_lock

TWO = """
ringfence: 1
graph: two
parameters:
  there: {{ type: endpoint, within: "127.0.0.1:*" }}
nodes:
  left: {{ component: ROOT/tests/denials/relay, limits: {{ deadline: 20s }}, instances: pooled }}
  right: {{ component: ROOT/tests/denials/relay, limits: {{ deadline: 20s }}, instances: pooled }}
  probe: {{ component: ROOT/tests/denials/probe, limits: {{ deadline: 20s }}, instances: {instances} }}
edges:
  - {{ from: left, to: host, grant: {{ env: [LEFT, {{ BOTH: left }}], tcp: ["${{there}}"] }} }}
  - {{ from: right, to: host, grant: {{ env: [RIGHT, {{ BOTH: right }}], tcp: ["127.0.0.1:*"] }} }}
  - {{ from: probe, to: host, grant: {{ env: [{{ OWN: own }}] }} }}
  - {{ from: left, to: probe, grant: {{ {left} }} }}
  - {{ from: right, to: probe, grant: {{ {right} }} }}
expose: [left, right, probe]
"""
LEFT, RIGHT = 'env: [LEFT, { BOTH: left }], tcp: ["${there}"]', "env: [RIGHT, { BOTH: right }]"
MODES = pytest.mark.parametrize("instances", ["fresh", "pooled", "single"])


@pytest.fixture
def listening():
    """A server on loopback that says `hello`; `visits` has one for each visitor."""

    class Hello(socketserver.StreamRequestHandler):
        def handle(self):
            self.server.visits.append(self.client_address)
            self.request.recv(100)
            self.wfile.write(b"hello")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Hello) as server:
        server.visits = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def two(compose, listening, monkeypatch):
    """Makes the graph of two callers of one probe, with what each passes on to it."""
    monkeypatch.setenv("LEFT", "of the left")
    monkeypatch.setenv("RIGHT", "of the right")
    opened = []

    def make(instances="fresh", *, left=LEFT, right=RIGHT):
        there = f"127.0.0.1:{listening.server_address[1]}"
        file = compose(TWO.format(instances=instances, left=left, right=right))
        opened.append(Graph.load(file, parameters={"there": there}))
        return opened[-1]

    yield make
    for graph in opened:
        graph.close()


def seen(graph, caller):
    """What the probe sees of the environment when it is called by this node."""
    names = ("LEFT", "RIGHT", "BOTH", "OWN")
    return [graph.call(f"{caller}.getenv", name)[1] for name in names]


@MODES
def test_a_callee_has_what_the_edge_it_is_called_through_passes_on(two, instances):
    """In turn, so that an instance which forgot by whom it was called would be met again."""
    graph = two(instances)
    for _ in range(3):
        assert seen(graph, "left") == ["of the left", None, "left", "own"]
        assert seen(graph, "right") == [None, "of the right", "right", "own"]


@MODES
def test_the_application_meets_the_callees_own_grants_only(two, instances):
    graph = two(instances)
    seen(graph, "left")
    assert [graph.call("probe.getenv", name) for name in ("LEFT", "BOTH", "OWN")] == [None, None, "own"]


@MODES
def test_what_one_edge_passes_on_is_denied_through_the_other(two, instances, listening):
    """The other caller even has the very grant: it did not pass it on."""
    graph = two(instances)
    port = listening.server_address[1]
    assert graph.call("left.connect", "127.0.0.1", port, "hi") == "hello"
    for caller, edge in (("right", "right -> probe"), ("probe", "application -> probe")):
        with pytest.raises(CapabilityDenied) as denied:
            graph.call(f"{caller}.connect", "127.0.0.1", port, "hi")
        (denial,) = denied.value.denials
        assert (denial.node, denial.edge, denial.value) == ("probe", edge, f"127.0.0.1:{port}")
    assert graph.call("left.connect", "127.0.0.1", port, "hi") == "hello"
    assert len(listening.visits) == 2


def test_calls_in_parallel_do_not_meet_each_others_grants(two):
    graph, found, failed = two("pooled"), {"left": set(), "right": set()}, []

    def work(caller):
        try:
            for _ in range(15):
                found[caller].add(graph.call(f"{caller}.getenv", "BOTH")[1])
        except Exception as error:
            failed.append(error)

    workers = [threading.Thread(target=work, args=(caller,)) for caller in ("left", "right", "left", "right")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failed
    assert found == {"left": {"left"}, "right": {"right"}}


@MODES
def test_a_resource_does_not_carry_one_edges_grants_to_another(two, instances):
    """It lives in an instance that has them: whoever calls its methods would make that instance act."""
    graph = two(instances)
    token = graph.call("left.lend-out", "kept")
    assert graph.call("left.look-at", token) == "kept"
    with pytest.raises(CapabilityDenied, match="use a resource of probe denied: it lives in an instance of the edge left -> probe"):
        graph.call("right.look-at", token)
    with pytest.raises(CapabilityDenied, match="use a resource of probe denied"):
        token.text()
    assert graph.call("left.look-at", token) == "kept"


def test_a_resource_passes_between_edges_that_pass_on_the_same(two):
    """The control: it is the grants that keep them apart."""
    graph = two(left="env: [{ BOTH: left }]", right="calls: [getenv, token, token.text]")
    token = graph.call("right.lend-out", "kept")
    assert token.text() == "kept"
    with pytest.raises(CapabilityDenied, match="use a resource of probe"):
        graph.call("left.look-at", token)


FILES = 'files: [{{ path: data, match: ["{one}.txt"], as: /data }}]'


@MODES
def test_files_of_one_edge_are_absent_through_the_other(compose, instances):
    """The same folder at the same place, and in it what the edge names: a preopen is opened once per instance, and must be that edge's."""
    held = "{{ from: {one}, to: host, grant: {{ files: [{{ path: data, as: /data, access: [read, write] }}] }} }}"
    text = TWO.format(instances=instances, left=FILES.format(one="left"), right=FILES.format(one="right"))
    lines = [line for line in text.splitlines() if "to: host" not in line and "there:" not in line and line != "parameters:"]
    lines.insert(lines.index("edges:") + 1, "".join(f"  - {held.format(one=one)}\n" for one in ("left", "right")))
    manifest = compose("\n".join(lines))
    folder = manifest.parent / "data"
    folder.mkdir(exist_ok=True)
    for name in ("left", "right"):
        (folder / f"{name}.txt").write_text(f"of the {name}")
    with Graph.load(manifest) as graph:
        for _ in range(2):
            for one, other in (("left", "right"), ("right", "left")):
                assert graph.call(f"{one}.read-file", f"/data/{one}.txt") == f"of the {one}"
                with pytest.raises((CapabilityDenied, GuestError)) as refused:
                    graph.call(f"{one}.read-file", f"/data/{other}.txt")
                assert f"of the {other}" not in str(refused.value)
            with pytest.raises((CapabilityDenied, GuestError)):
                graph.call("probe.read-file", "/data/left.txt")


def patched(file, change):
    """A lock that was changed and sealed again."""
    import json

    from ringfence.contract.lock import _canonical

    data = json.loads(file.read_bytes())
    change(data)
    data["digest"] = digest_of(_canonical({key: value for key, value in data.items() if key != "digest"}))
    Lock.from_dict(data)
    file.write_bytes(_canonical(data))


@pytest.mark.parametrize("change", ["more", "shared"])
def test_a_lock_that_passes_on_too_much_is_refused(two, compose, tmp_path, change):
    """The plan proves it; the host looks again, with the values that parameters have here."""
    import shutil

    source = compose(TWO.format(instances="single", left=LEFT, right=RIGHT))
    shutil.copytree(source.parent, tmp_path / "copy")
    file = tmp_path / "copy" / "graph.lock.json"
    given = {"parameters": {"there": "127.0.0.1:1"}}
    assert read_lock(file, None)
    Graph.load(file, **given).close()

    def edit(data):
        if change == "shared":
            data["nodes"]["probe"]["shared"] = True
        for edge in data["edges"]:
            if change == "more" and (edge["consumer"], edge["provider"]) == ("right", "probe"):
                edge["grant"] = {"env": ["LEFT"]}

    patched(file, edit)
    with pytest.raises(IntegrityError, match="it passes on more env than right has" if change == "more" else "share"):
        Graph.load(file, **given)
