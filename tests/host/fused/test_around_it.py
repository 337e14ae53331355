"""Everything around a graph is right for fused ones: bindings, reach, explanations, pictures, warming, names that a shell completes."""

import json
import re

import pytest
from click.testing import CliRunner
from composer.bindings.conftest import Bench
from host.fused.conftest import written
from ringfence import Graph
from ringfence.warming import warm
from ringfence_composer.bindings.file import bindings_of
from ringfence_composer.cli import compose as command
from ringfence_composer.compose import Workshop, compose_file, plan_file
from ringfence_composer.reach import reach


@pytest.fixture
def manifest(compose, mode):
    """The bank in this mode, composed; right may read a variable."""
    return compose(written(fused=mode == "fused", edges="  - { from: right, to: host, grant: { env: [SECRET] } }"))


def said(*words: object) -> str:
    done = CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_typed_client_is_the_same_and_works(manifest, tmp_path):
    """Generated for one mode, it speaks to the other; resources come as its classes."""
    api = Bench(tmp_path).load(bindings_of(manifest, Workshop()))
    with Graph.load(manifest) as graph:
        counter = api.Front(graph).counter
        assert counter.add(1, 2) == (3, 3)
        account = counter.open("Ada", api.Entry(note="n", amount=4, tags=["a"]))
        assert counter.owner_of(account) == ("Ada", "Ada")
        assert counter.settle(account) == [api.Entry(note="n", amount=4, tags=["a"])]


def test_reach_tells_whose_grants_lie_behind_whom(manifest):
    """Joining nodes gives none of them what another has, and hides nothing from whoever asks what calling one can do."""
    found = {one.node: one for one in reach(plan_file(manifest, Workshop()))}
    given = {name: [place.node for place in one.places if any(grant.line for grant in place.grants)] for name, one in found.items()}
    assert given == {"front": ["right"], "middle": [], "vault": [], "left": [], "right": ["right"]}


def test_a_plan_a_picture_and_an_explanation_say_what_is_joined(manifest, mode):
    joined = mode == "fused"
    data = json.loads(said("plan", manifest, "--json"))
    assert list(data.get("groups", {})) == (["front+middle+vault+right+left"] if joined else [])
    assert ("one component of 5 nodes" in said("plan", manifest)) == joined
    assert ("= fused: one component, one store" in said("show", manifest)) == joined
    line = next(number for number, text in enumerate(manifest.read_text().splitlines(), 1) if "from: front, to: vault" in text)
    assert ("parts of one component in one store" in said("explain", f"{manifest}:{line}")) == joined
    with Graph.load(manifest) as graph:
        assert ("in front+middle+vault+right+left" in str(graph)) == joined


def test_warming_counts_a_group_as_one(manifest, mode):
    names = [one.node for one in warm(manifest, None, lambda *_: None)]
    assert sorted(names) == (["front+middle+vault+right+left"] if mode == "fused" else ["front", "left", "middle", "right", "vault"])


def test_the_command_line_overrules_the_graph(manifest, mode):
    """Both ways; and what is run afterwards is what the graph says again."""
    other = "store" if mode == "fused" else "fused"
    said(manifest, "--edges", other)
    lock = json.loads(manifest.with_name("graph.lock.json").read_text())
    assert ("groups" in lock) == (other == "fused")
    assert re.search(r"\[3, 3\]", re.sub(r"\s+", " ", said("run", "--json", manifest, "front.add", "1", "2")).replace("[ ", "["))
    compose_file(manifest)
    assert ("groups" in json.loads(manifest.with_name("graph.lock.json").read_text())) == (mode == "fused")
