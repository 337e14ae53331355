"""What a start does again, and what not: nothing that was found right before, unless it may have changed since."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ringfence import Graph, IntegrityError, Interrupted
from ringfence import checks as checks_module
from ringfence import loading as loading_module
from ringfence.contract.names import digest_of
from ringfence.contract.shape import misfit
from ringfence.engine.core import CoreEngine
from ringfence.private import PrivateFolder, Stamp
from ringfence_composer.compose import compose_file

GRAPH = """
ringfence: 1
graph: words
nodes:
  words: {{ component: words.wasm, digest: "{digest}", lane: {lane}, limits: {{ deadline: {deadline} }} }}
expose: [words]
"""
posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="where nobody can tell who may write, nothing is remembered")
pytestmark = posix


@pytest.fixture(scope="module", params=["component", "core"])
def composed(request, tmp_path_factory, words):
    """A graph of one small component, in each lane, whose files were left alone for as long as a stamp needs."""
    folder = tmp_path_factory.mktemp("composed")
    (folder / "words.wasm").write_bytes(words)
    (folder / "graph.yaml").write_text(GRAPH.format(digest=digest_of(words), lane=request.param, deadline="500ms"))
    compose_file(folder / "graph.yaml")
    time.sleep(2.1)
    return folder / "graph.yaml"


@pytest.fixture
def graph(composed, tmp_path):
    """A copy, to spoil: other files, that have just been written."""
    shutil.copytree(composed.parent, tmp_path / "graph")
    return tmp_path / "graph" / "graph.yaml"


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def work(monkeypatch):
    """What is done at length: artifacts that were hashed, and locks held against the schema."""
    done = []
    hashed = checks_module._hashed
    monkeypatch.setattr(checks_module, "_hashed", lambda path: done.append(path.name) or hashed(path))
    monkeypatch.setattr(loading_module, "misfit", lambda value, schema: done.append("schema") or misfit(value, schema))
    return done


def load(path, cache):
    """Load, look, and close: whether nodes were linked already."""
    with Graph.load(path, cache=cache) as graph:
        eager = graph._running is not None
        assert graph.call("words.count", "four") == 4
    return eager


def artifacts(path):
    return sorted((path.parent / ".ringfence" / "sha256").iterdir())


def artifact(path, role):
    digests = {one["role"]: one["digest"] for one in json.loads(path.with_name("graph.lock.json").read_text())["artifacts"]}
    return path.parent / ".ringfence" / "sha256" / digests[role].removeprefix("sha256:") if role in digests else None


def memory(cache):
    [file] = (one for one in (cache / "checked").iterdir())
    return file


# New processes


def run(program, *arguments):
    """A new process's output."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_import_brings_neither_an_engine_nor_what_only_the_first_load_needs():
    imported = run("import ringfence, sys; print(*sys.modules)").split()
    assert {"ringfence", "ringfence.contract.errors"} <= set(imported)
    assert not {"wasmtime", "jsonschema", "asyncio", "dataclasses", "ctypes", "socket"} & set(imported)


LOADS = """
import sys
from ringfence import Graph
with Graph.load(sys.argv[1], cache=sys.argv[2]) as graph:
    print(*sys.modules)
    assert graph.call("words.count", "four") == 4
    print(*sys.modules)
"""


def test_a_second_load_in_a_new_process_brings_no_engine_and_the_core_lane_never_the_wheels_python(composed, cache):
    first = run(LOADS, composed, cache).splitlines()[0].split()
    assert "ringfence.engine.library" in first, "positive control: the first load does need it"
    loaded, called = (set(line.split()) for line in run(LOADS, composed, cache).splitlines())
    assert not {"wasmtime", "jsonschema", "asyncio", "socket", "ringfence.wasi", "ringfence.running", "ringfence.engine.library"} & loaded
    assert "ringfence.engine.library" in called
    assert ("wasmtime" in called) == ("lane: component" in composed.read_text())


# What is remembered


def test_what_was_found_right_is_not_checked_again(composed, cache, work):
    assert load(composed, cache)
    assert sorted(work) == sorted(["schema", *(one.name for one in artifacts(composed))])
    work.clear()
    assert not load(composed, cache)
    assert work == []


def test_each_cache_has_a_memory_of_its_own(composed, cache, tmp_path, work):
    load(composed, cache)
    work.clear()
    assert load(composed, tmp_path / "another")
    assert "schema" in work


def test_copies_of_one_graph_share_what_does_not_depend_on_files(composed, graph, cache, work):
    """Each copy's artifacts are other files, so they are hashed; neither copy makes the other forget."""
    load(composed, cache)
    time.sleep(2.1)
    work.clear()
    assert not load(graph, cache)
    assert sorted(work) == [one.name for one in artifacts(graph)]
    work.clear()
    load(composed, cache)
    load(graph, cache)
    assert work == []


def test_a_file_that_has_just_changed_is_not_remembered(graph, cache, work):
    """A stamp of the moment of a change does not tell of a second one: the system's clock is coarse."""
    load(graph, cache)
    assert json.loads(memory(cache).read_bytes().partition(b"\n")[2]).get("artifacts", {}) == {}
    work.clear()
    load(graph, cache)
    assert sorted(work) == [one.name for one in artifacts(graph)]


def test_what_fails_is_not_remembered(graph, cache):
    damaged = artifacts(graph)[0]
    right = damaged.read_bytes()
    damaged.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    with pytest.raises(IntegrityError):
        Graph.load(graph, cache=cache)
    assert not list((cache / "checked").iterdir())


# What may have changed


def overwritten(file, data):
    """In place, the same size, with the time that it had."""
    before = file.stat()
    file.write_bytes(data)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(file, data):
    """By another file of the same size and time."""
    before = file.stat()
    other = file.with_name("other")
    other.write_bytes(data)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


def linked(file, data):
    """By a link to another file."""
    other = file.with_name("other")
    other.write_bytes(data)
    file.unlink()
    file.symlink_to(other)


def cut(file, data):
    """Shorter."""
    file.write_bytes(data[:-1])


@pytest.mark.parametrize("change", [overwritten, replaced, linked, cut])
def test_an_artifact_changed_after_it_was_remembered_is_noticed(graph, cache, work, change):
    time.sleep(2.1)
    load(graph, cache)
    work.clear()
    assert not load(graph, cache)
    assert work == [], "it was remembered"
    for file in artifacts(graph):
        right = file.read_bytes()
        change(file, right[:-1] + bytes([right[-1] ^ 1]))
        with pytest.raises(IntegrityError, match="artifacts are not what the lock says"):
            Graph.load(graph, cache=cache)
        file.unlink()
        file.write_bytes(right)
    load(graph, cache)


def test_an_artifact_that_was_only_touched_is_hashed_and_right(graph, cache, work):
    time.sleep(2.1)
    load(graph, cache)
    for file in artifacts(graph):
        os.utime(file)
    work.clear()
    assert not load(graph, cache)
    assert sorted(work) == [one.name for one in artifacts(graph)]


def test_a_changed_lock_is_another_lock(graph, cache):
    load(graph, cache)
    lock = graph.with_name("graph.lock.json")
    lock.write_bytes(lock.read_bytes().replace(b'"500ms"', b'"5s"'))
    with pytest.raises(IntegrityError, match="changed after compose wrote it"):
        Graph.load(graph, cache=cache)


def test_a_lock_of_the_wrong_shape_is_refused_though_a_memory_for_it_is_forged_from_another(graph, cache):
    """A memory is bound to its lock: renamed, it is none."""
    load(graph, cache)
    lock = graph.with_name("graph.lock.json")
    lock.write_bytes(lock.read_bytes().replace(b'"graph": "words"', b'"graph": 5'))
    memory(cache).rename(cache / "checked" / digest_of(lock.read_bytes()).removeprefix("sha256:"))
    with pytest.raises(IntegrityError, match="not in the form of a lock"):
        Graph.load(graph, cache=cache)


def truncated(file):
    file.write_bytes(file.read_bytes()[:-3])


def rewritten(file):
    """Somebody's editor: the seal is not that of the text any more."""
    file.write_bytes(file.read_bytes().replace(b'"format": 1', b'"format":  1'))


def emptied(file):
    file.write_bytes(b"")


def older(file):
    """Of another format, whole."""
    PrivateFolder(file.parent).note(file.name, json.loads(file.read_bytes().partition(b"\n")[2]) | {"format": 0})


def writable(file):
    file.chmod(0o666)


def a_link(file):
    file.rename(file.parent.parent / "elsewhere")
    file.symlink_to(file.parent.parent / "elsewhere")


def of_another(file):
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(file, 12345, 12345)


@pytest.mark.parametrize("change", [truncated, rewritten, emptied, older, writable, a_link, of_another])
def test_a_memory_that_is_not_whole_or_not_ours_is_none(composed, cache, work, change):
    load(composed, cache)
    change(memory(cache))
    work.clear()
    assert load(composed, cache)
    assert "schema" in work
    work.clear()
    assert not load(composed, cache), "it was written anew"
    assert work == []


@pytest.mark.parametrize("place", ["checked", "."])
@pytest.mark.filterwarnings("ignore:compile cache not used")
def test_a_folder_that_others_can_write_to_is_not_used(composed, cache, work, place):
    load(composed, cache)
    (cache / place).chmod(0o777)
    for _ in range(2):
        work.clear()
        assert load(composed, cache)
        assert sorted(work) == sorted(["schema", *(one.name for one in artifacts(composed))])


def test_a_memory_that_cannot_be_written_only_costs_time(composed, cache, work, monkeypatch):
    load(composed, cache)
    memory(cache).unlink()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PrivateFolder, "note", full)
    for _ in range(2):
        assert load(composed, cache)
    assert work.count("schema") == 3


# Nodes that are linked when they are first asked for


def test_another_version_links_everything_again(composed, cache, monkeypatch):
    load(composed, cache)
    assert not load(composed, cache)
    monkeypatch.setattr(checks_module, "__version__", "0.0.0")
    assert load(composed, cache)
    assert not load(composed, cache)


@pytest.mark.parametrize("change", ["gone", "changed", "copied"])
def test_a_load_compiles_where_the_native_code_is_not_as_it_was(composed, cache, change):
    """A first call is no time to compile."""
    load(composed, cache)
    [code] = (cache / "compiled").glob("*.cwasm")
    data = bytearray(code.read_bytes())
    code.unlink()
    if change == "changed":
        data[len(data) // 2] ^= 1
    if change != "gone":
        code.write_bytes(data)
        code.chmod(0o600)
    assert load(composed, cache)
    assert not load(composed, cache)


def test_code_that_counts_fuel_must_be_there_as_well(composed, cache, tmp_path):
    """It is compiled apart: a limit asks for it, on the node or on an edge."""
    shutil.copytree(composed.parent, tmp_path / "metered")
    metered = tmp_path / "metered" / "graph.yaml"
    metered.write_text(metered.read_text().replace("expose: [words]", "expose: [{ node: words, limits: { fuel: 1M } }]"))
    compose_file(metered)
    assert load(metered, cache)
    assert len(list((cache / "compiled").glob("*.cwasm"))) == 2
    assert not load(metered, cache)
    for code in (cache / "compiled").glob("*.cwasm"):
        os.utime(code)
        assert load(metered, cache)
        assert not load(metered, cache)


def test_the_time_to_link_is_none_of_the_first_calls(composed, cache, monkeypatch):
    """Its deadline is half a second."""
    if "lane: component" in composed.read_text():
        pytest.skip("one engine is slowed down")
    load(composed, cache)
    slow = CoreEngine.load
    monkeypatch.setattr(CoreEngine, "load", lambda *arguments: (time.sleep(0.7), slow(*arguments))[1])
    for call in (lambda graph: graph.call("words.count", "four"), lambda graph: graph["words"].count("four"), awaited):
        with Graph.load(composed, cache=cache) as graph:
            assert graph._running is None
            assert call(graph) == 4


def awaited(graph):
    return asyncio.run(graph.acall("words.count", "four"))


def test_first_calls_from_many_threads_link_once(composed, cache, monkeypatch):
    if "lane: component" in composed.read_text():
        pytest.skip("one engine is counted")
    load(composed, cache)
    loads = []
    real = CoreEngine.load
    monkeypatch.setattr(CoreEngine, "load", lambda *arguments: (loads.append(1), time.sleep(0.1), real(*arguments))[2])
    with Graph.load(composed, cache=cache) as graph, ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: graph.call("words.count", "four"), range(16))) == {4}
    assert len(loads) == 1


def test_a_graph_that_was_closed_before_its_first_call_runs_nothing(composed, cache):
    load(composed, cache)
    graph = Graph.load(composed, cache=cache)
    graph.close()
    with pytest.raises(Interrupted, match="is closed"):
        graph.call("words.count", "four")


@pytest.mark.parametrize("change", [overwritten, replaced])
@pytest.mark.parametrize("role", ["core-plan", "core-module", "component"])
def test_what_is_swapped_between_load_and_first_call_does_not_run(graph, cache, role, change):
    """A plan is hashed when it is read. A binary is not read at all while its native code is there, which is found by its digest."""
    file = artifact(graph, role)
    if file is None:
        pytest.skip("the component lane has no such artifact")
    load(graph, cache)
    with Graph.load(graph, cache=cache) as held:
        assert held._running is None
        data = file.read_bytes()
        change(file, data[:-1] + bytes([data[-1] ^ 1]))
        if role == "core-plan":
            with pytest.raises(IntegrityError, match="expected sha256:"):
                held.call("words.count", "four")
        else:
            assert held.call("words.count", "four") == 4
    with pytest.raises(IntegrityError, match="artifacts are not what the lock says"):
        Graph.load(graph, cache=cache)


def test_a_binary_that_is_swapped_and_has_no_native_code_any_more_does_not_run(graph, cache):
    role = "component" if artifact(graph, "core-module") is None else "core-module"
    load(graph, cache)
    with Graph.load(graph, cache=cache) as held:
        file = artifact(graph, role)
        data = file.read_bytes()
        overwritten(file, data[:-1] + bytes([data[-1] ^ 1]))
        shutil.rmtree(cache)
        with pytest.raises(IntegrityError, match="expected sha256:"):
            held.call("words.count", "four")


# Stamps


def test_a_stamp_tells_of_the_file_its_size_and_its_last_change(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"one")
    stamp = Stamp.of(file.stat())
    assert not stamp.settled()
    assert stamp.settled(margin=-1)
    time.sleep(0.05)
    os.utime(file, ns=(0, 0))
    assert Stamp.of(file.stat()) != stamp, "the time of the last change can't be set"
