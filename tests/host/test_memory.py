"""A thousand fresh instances leave the process where it was. Measured in a process of its own, in which nothing else comes and goes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime
from places import ROOT
from ringfence import Graph
from ringfence.contract.names import digest_of

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")

JSON = """
ringfence: 1
graph: fresh
nodes:
  json: { component: ROOT/tests/components/json_in_python }
expose: [json]
"""
ALLOWED = 4 << 20
"""Bytes: less than six instances' own pages, where a thousand came and went."""

MEASURE = """
import gc, json, os, sys, threading
from ringfence import Graph
from ringfence.contract.names import digest_of
from ringfence.call import Root

def standing():
    gc.collect()
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return {
        "resident": int(status["VmRSS"].split()[0]) << 10,
        "descriptors": sorted(os.listdir("/proc/self/fd")),
        "threads": [threading.active_count(), int(status["Threads"])],
        "mappings": len(open("/proc/self/maps").readlines()),
    }

def calls(count):
    for _ in range(count):
        assert graph.call("json.decode", "[1]").root == 0
    return standing()

def hold(count):
    node, target = graph._start().nodes["json"], graph.find("json.decode")
    for _ in range(count):
        call = node._call(Root(), target.inbound)
        held.append(node._leases.take("held", call))
        held[-1].instance.call(target.function, ("[1]",), call)
    return standing()

held = []
with Graph.load(sys.argv[1]) as graph:
    calls(200)  # whatever is made once: compiled lifts, the allocator's arenas, the clock's thread
    print(json.dumps([standing(), calls(1000), hold(8)]))
"""


@pytest.fixture(scope="module")
def standings(compose):
    """What a process holds (resident bytes, descriptors, threads of Python and of the system, mappings) before and after it."""
    Graph.load(compose(JSON)).close()  # compiled, so that the compiler's threads are not that process's
    done = subprocess.run([sys.executable, "-c", MEASURE, compose(JSON)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_thousand_fresh_calls_leave_the_process_where_it_was(standings):
    """Each has a CPython of its own, whose pages, tables, descriptors and Python objects go with it; in both lanes."""
    before, after, _ = standings
    assert after["descriptors"] == before["descriptors"]
    assert after["threads"] == before["threads"]
    assert after["resident"] - before["resident"] < ALLOWED
    assert after["mappings"] - before["mappings"] < 32


def test_an_instance_that_is_held_does_take_memory(standings):
    """The positive control: the measure above would see eight of the thousand."""
    _, before, holding = standings
    assert holding["resident"] - before["resident"] > ALLOWED
    assert holding["mappings"] > before["mappings"]


FILES = """
ringfence: 1
graph: files
nodes: {{ files: {{ component: files.wasm, digest: "{digest}", lane: core, instances: single, limits: {{ deadline: 5min }} }} }}
edges: [{{ from: files, to: host, grant: {{ files: [{{ path: data }}] }} }}]
expose: [files]
"""
OPENS = f"""
{MEASURE[: MEASURE.index("def calls")]}
with Graph.load(sys.argv[1]) as graph:
    standings = []
    for count in (1000, 100_000):
        assert graph.call("files.open-often", count) == count
        standings.append(standing())
    print(json.dumps(standings))
"""


def test_a_hundred_thousand_files_opened_and_closed_leave_the_process_where_it_was(tmp_path):
    """By one instance, which lives on: nothing of what it had open is kept for it."""
    from ringfence_composer.compose import compose_file

    binary = bytes(wasmtime.wat2wasm((ROOT / "benchmarks/guests/files.wat").read_text()))
    (tmp_path / "files.wasm").write_bytes(binary)
    (tmp_path / "graph.yaml").write_text(FILES.format(digest=digest_of(binary)))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/file").touch()
    compose_file(tmp_path / "graph.yaml")
    Graph.load(tmp_path / "graph.yaml").close()
    done = subprocess.run([sys.executable, "-c", OPENS, tmp_path / "graph.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after = json.loads(done.stdout)
    assert after["descriptors"] == before["descriptors"]
    assert after["resident"] - before["resident"] < 1 << 20
