"""What the lock says is what runs: anything changed since compose is refused, with the command to run."""

import json
import os
import shutil
from types import SimpleNamespace

import pytest
from places import ROOT
from ringfence import Graph, IntegrityError, ManifestError, StaleLock
from ringfence.contract.limits import Limits
from ringfence.contract.lock import Lock, _canonical
from ringfence.contract.names import digest_of
from ringfence.contract.types import FunctionType, InterfaceType
from ringfence.instance import Inbound, Outbound


@pytest.fixture
def copy(compose, tmp_path):
    """A composed graph in a folder of its own, to spoil."""
    manifest = compose("ringfence: 1\ngraph: spoilt\nnodes:\n  json: { component: ROOT/components/json-decoder }\nexpose: [json]\n")
    shutil.copytree(manifest.parent, tmp_path / "graph")
    return tmp_path / "graph" / "graph.yaml"


def lock_of(copy):
    return copy.with_name("graph.lock.json")


def test_the_unspoilt_graph_loads(copy):
    with Graph.load(copy) as graph:
        assert graph.call("json.decode", "[1]").root == 0
    Graph.load(lock_of(copy)).close()


def test_a_changed_graph_is_stale(copy):
    copy.write_text(copy.read_text() + "# a comment\n")
    with pytest.raises(StaleLock, match="run: compose"):
        Graph.load(copy)


def test_a_missing_lock_is_stale_and_a_missing_graph_too(copy):
    lock_of(copy).unlink()
    with pytest.raises(StaleLock, match="run: compose"):
        Graph.load(copy)
    with pytest.raises(ManifestError, match="no such file"):
        Graph.load(copy.with_name("nowhere.yaml"))


def test_a_lock_changed_by_hand_is_refused(copy):
    data = json.loads(lock_of(copy).read_text())
    data["nodes"]["json"]["limits"] = {"memory": "4GiB"}
    lock_of(copy).write_text(json.dumps(data, indent=2, sort_keys=True) + "\n")
    with pytest.raises(IntegrityError, match="changed after compose wrote it"):
        Graph.load(copy)


@pytest.mark.parametrize("content", ["", "{}", "[", "null", '{"ringfence": 2}', "[" * 100_000])
def test_what_is_no_lock_is_refused(copy, content):
    lock_of(copy).write_text(content)
    with pytest.raises(IntegrityError):
        Graph.load(copy)


def test_a_pinned_lock_has_exactly_these_bytes(copy):
    digest = digest_of(lock_of(copy).read_bytes())
    Graph.load(copy, lock_digest=digest).close()
    with pytest.raises(IntegrityError, match="expected digest sha256:00"):
        Graph.load(copy, lock_digest="sha256:" + "00" * 32)


def test_a_changed_or_missing_artifact_is_refused(copy):
    for artifact in (copy.parent / ".ringfence" / "sha256").iterdir():
        right = artifact.read_bytes()
        artifact.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
        with pytest.raises(IntegrityError, match="json: .*its content has digest"):
            Graph.load(copy)
        artifact.unlink()
        with pytest.raises(IntegrityError, match="there is no such file|is not there"):
            Graph.load(copy)
        artifact.write_bytes(right)
    Graph.load(copy).close()


def test_parameters_are_checked_all_at_once(shop_file):
    with pytest.raises(ManifestError) as wrong:
        Graph.load(shop_file, parameters={"vendor": "127.0.0.1:80@evil", "vendr": "x"})
    assert {problem.path for problem in wrong.value.problems} == {"parameters.vendor", "parameters.vendr"}


def test_compose_true_brings_the_lock_up_to_date(tmp_path):
    component = os.path.relpath(ROOT / "components" / "json-decoder", tmp_path)
    manifest = tmp_path / "graph.yaml"
    manifest.write_text(f"ringfence: 1\ngraph: a\nnodes:\n  json: {{ component: {component} }}\nexpose: [json]\n")
    with pytest.raises(StaleLock):
        Graph.load(manifest)
    with Graph.load(manifest, compose=True) as graph:
        assert graph.call("json.decode", "{}").root == 0
    Graph.load(manifest).close()


def test_a_lock_that_reads_otherwise_than_it_runs_is_refused(copy):
    """JSON takes the last of two equal keys, where a reviewer may see the first; other encodings and spaces hide as well."""
    good = lock_of(copy).read_bytes()
    for data in (good.replace(b"{\n", b'{\n  "nodes": {},\n', 1), b"\xef\xbb\xbf" + good, good.decode().encode("utf-16"), good + b"\n"):
        lock_of(copy).write_bytes(data)
        with pytest.raises(IntegrityError):
            Graph.load(copy)


def resealed(copy, change):
    data = json.loads(lock_of(copy).read_text())
    change(data)
    sealed = digest_of(_canonical({key: value for key, value in data.items() if key != "digest"}))
    lock_of(copy).write_bytes(Lock.from_dict(data | {"digest": sealed}).to_bytes())


@pytest.mark.parametrize(
    "change",
    [
        lambda lock: lock["expose"].update(ghost={}),
        lambda lock: lock["nodes"]["json"].update(limits={"memory": "lots"}),
        lambda lock: lock["edges"].append({"consumer": "json", "provider": "host", "grant": {"tcp": ["${nobody}"]}}),
        lambda lock: lock["edges"].append({"consumer": "json", "provider": "host", "grant": {"tcp": ["$x"]}}),
        lambda lock: lock["artifacts"][0].update(size=1),
        lambda lock: lock["artifacts"][0].update(digest=lock["artifacts"][0]["digest"] + "\n"),
        lambda lock: lock.update(manifest="graph.yaml\n"),
    ],
)
def test_a_lock_that_contradicts_itself_is_a_typed_error(copy, change):
    resealed(copy, change)
    with pytest.raises(IntegrityError):
        Graph.load(lock_of(copy))


def test_an_artifact_that_is_a_pipe_is_refused_at_once(copy):
    """Opening one would wait for whoever writes to it, for good."""
    artifact = next(iter((copy.parent / ".ringfence" / "sha256").iterdir()))
    artifact.unlink()
    os.mkfifo(artifact)
    with pytest.raises(IntegrityError, match="not a file of"):
        Graph.load(copy)


def test_an_edge_to_a_function_that_the_provider_lacks_is_refused():
    """The composer compares types; the host does not take its word for it."""
    provider = SimpleNamespace(name="b", exports={"x:y/z": InterfaceType({})})
    edge = Outbound(provider=provider, inbound=Inbound(name="a -> b", limits=Limits()), interfaces={"x:y/z": "x:y/z"})
    with pytest.raises(IntegrityError, match="a -> b: x:y/z has no function f"):
        edge.functions({"x:y/z": InterfaceType({"f": FunctionType((), None)})})
