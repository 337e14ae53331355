"""`ringfence warm`: what it leaves in the caches is what a later start finds there."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import tomllib

import pytest
from places import ROOT, SHOP
from ringfence import Graph, __version__
from ringfence.contract.names import digest_of
from ringfence_composer.compose import compose_file

GRAPH = """
ringfence: 1
graph: words
nodes:
  words: {{ component: words.wasm, digest: "{digest}", lane: {lane} }}
expose: [words]
"""
posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="there is no cache where nobody can tell who may write")
pytestmark = posix


@pytest.fixture(params=["component", "core"])
def graph(request, tmp_path, words):
    (tmp_path / "words.wasm").write_bytes(words)
    (tmp_path / "graph.yaml").write_text(GRAPH.format(digest=digest_of(words), lane=request.param))
    compose_file(tmp_path / "graph.yaml")
    return tmp_path / "graph.yaml"


def command(*arguments):
    return [sys.executable, "-W", "error", "-m", "ringfence.command_line", *map(str, arguments)]


def warm(*arguments):
    done = subprocess.run(command("warm", *arguments), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def compiled_of(graph):
    lock = json.loads(graph.with_name("graph.lock.json").read_text())
    role = "core-module" if lock["nodes"]["words"]["lane"] == "core" else "component"
    return next(one["digest"] for one in lock["artifacts"] if one["role"] == role)


def test_a_load_after_it_compiles_nothing_and_links_nothing(graph, tmp_path):
    code, lines, errors = warm(graph, "--cache", tmp_path / "cache")
    assert (code, errors) == (0, ""), "nothing but results where nobody looks"
    [line] = lines
    assert re.fullmatch(rf"words\.words {compiled_of(graph)} compiled \d+\.\d{{3}} s", line)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "compiled").iterdir()}
    with Graph.load(graph, cache=tmp_path / "cache") as loaded:
        assert loaded._running is None
        assert loaded.call("words.count", "four") == 4
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "compiled").iterdir()} == before


def test_the_second_time_all_is_cached(graph, tmp_path):
    warm(graph, "--cache", tmp_path / "cache")
    code, [line], _ = warm(graph.with_name("graph.lock.json"), "--cache", tmp_path / "cache", "--json")
    found = json.loads(line)
    assert code == 0
    assert found.pop("seconds") >= 0
    assert found == {"graph": "words", "node": "words", "digest": compiled_of(graph), "state": "cached"}


def test_it_needs_no_parameters_and_names_every_node(compose):
    text = (SHOP / "graph.yaml").read_text().replace("../../components", "ROOT/components")
    text = re.sub(r'default: "[^"]*", ', "", text)
    code, lines, errors = warm(compose(text))
    assert (code, errors) == (0, "")
    assert [line.split()[0] for line in lines] == ["shop.json", "shop.pricing", "shop.vendor"], "a provider comes before whoever calls it"


def test_a_graph_that_is_wrong_does_not_keep_the_others_from_it(graph, tmp_path):
    code, lines, errors = warm(tmp_path / "nowhere.yaml", graph, "--cache", tmp_path / "cache")
    assert code == 3
    assert [line.split()[0] for line in lines] == ["words.words"]
    assert "nowhere.yaml: cannot read the graph" in errors
    assert "Traceback" not in errors


def test_exit_codes_tell_what_was_wrong(graph, tmp_path):
    assert warm()[0] == 2
    artifact = next((graph.parent / ".ringfence" / "sha256").iterdir())
    artifact.write_bytes(artifact.read_bytes()[:-1])
    code, _, errors = warm(graph, "--cache", tmp_path / "cache")
    assert (code, "[integrity]" in errors) == (1, True)
    graph.write_text(graph.read_text() + "# changed\n")
    code, _, errors = warm(graph, "--cache", tmp_path / "cache")
    assert (code, "run: compose" in errors) == (3, True)


def test_a_folder_that_others_can_write_to_is_no_place_to_warm(graph, tmp_path):
    (tmp_path / "cache" / "compiled").mkdir(parents=True)
    (tmp_path / "cache" / "compiled").chmod(0o777)
    code, lines, errors = warm(graph, "--cache", tmp_path / "cache")
    assert (code, lines) == (4, [])
    assert "can be written to by others" in errors


def test_a_terminal_shows_what_it_is_at(graph, tmp_path):
    controller, terminal = pty.openpty()
    done = subprocess.run(command("warm", graph, "--cache", tmp_path / "cache"), stdout=subprocess.PIPE, stderr=terminal, check=True)
    os.close(terminal)
    shown = os.read(controller, 1 << 16).decode()
    os.close(controller)
    assert "warming words (1 of 1)" in shown
    assert shown.endswith("\r\x1b[K"), "and leaves nothing of it"
    assert b"warming" not in done.stdout


def test_the_version_is_the_distributions():
    assert tomllib.loads((ROOT / "hosts" / "python" / "pyproject.toml").read_text())["project"]["version"] == __version__
    assert subprocess.run(command("--version"), capture_output=True, text=True, check=True).stdout == f"ringfence {__version__}\n"
