"""Which lane a node gets: core, unless core can't carry its component or somebody asks otherwise; and the plan says why."""

from __future__ import annotations

import contextlib
import json

import pytest
from ringfence import Graph
from ringfence.contract.names import digest_of
from ringfence_composer import trial
from ringfence_composer.builders.base import BuildContext
from ringfence_composer.compose import Workshop, compose_file, plan_file
from ringfence_composer.errors import PlanRefused, ToolFailed
from ringfence_composer.toolchain import Toolchain

FUNCTION = '(func (export "answer") (result i32) (i32.const 42))'
LIFTED = """(func $f (result u32) (canon lift (core func $i "answer")))
  (instance $x (export "answer" (func $f))) (export "test:lanes/thing@1.0.0" (instance $x))"""
PLAIN = f"(component (core module $m {FUNCTION}) (core instance $i (instantiate $m)) {LIFTED})"
MANY = f"""(component (core module $m (memory 1) {FUNCTION}) {"(core instance (instantiate $m))" * 101}
  (core instance $i (instantiate $m)) {LIFTED})"""
"""More memories than one core module may have."""

GIVEN = """(component {name} (alias outer {outer} $r (type $q)) (import "s" (type $s (eq $q)))
  (type $o (own $s)) (import "t" (type $t (eq $o))) (export "f" (func (param "x" $t))))"""
FATAL = f"""(component
  (component $a (import "r" (type $r (sub resource))) (import "c" {GIVEN.format(name="$c", outer="$a")})
    (component $b (import "r" (type $r (sub resource))) (import "c" {GIVEN.format(name="", outer="$b")}))
    (instance (instantiate $b (with "r" (type $r)) (with "c" (component $c)))))
  (core module $m {FUNCTION}) (core instance $i (instantiate $m)) {LIFTED})"""
"""Valid, and a panic of wasmtime 50's parser, which ends the process that it reads it in."""


@pytest.fixture
def manifest(tmp_path):
    """`manifest(text, options)`: a graph of one node, this component."""

    def made(text, options=""):
        binary = Toolchain().parse(text)
        (tmp_path / "thing.wasm").write_bytes(binary)
        node = f"thing: {{ component: thing.wasm, digest: '{digest_of(binary)}' {options} }}"
        file = tmp_path / "graph.yaml"
        file.write_text(f"ringfence: 1\ngraph: lanes\nnodes:\n  {node}\nedges: []\nexpose: [thing]\n")
        return file

    return made


def lane(file):
    node = json.loads((file.parent / "graph.lock.json").read_bytes())["nodes"]["thing"]
    return node["lane"], node["reason"]


def answer(file):
    with Graph.load(file) as graph:
        return graph.call("thing.answer")


def test_core_is_the_default(manifest):
    file = manifest(PLAIN)
    compose_file(file)
    assert lane(file) == ("core", "the default")
    assert answer(file) == 42


def test_what_core_cannot_carry_runs_on_the_component_interface_and_the_plan_says_so(manifest):
    """Never half on this lane; and the application's call is the same."""
    file = manifest(MANY)
    compose_file(file)
    found, reason = lane(file)
    assert found == "component"
    assert reason.startswith("the core lane can't carry it: it")
    assert "memories" in reason or "module" in reason, reason
    assert answer(file) == 42


def test_core_asked_for_where_it_cannot_be_is_an_error_with_its_place(manifest):
    with pytest.raises(PlanRefused, match="the core lane can't carry this component") as refused:
        plan_file(manifest(MANY, ", lane: core"), Workshop())
    (problem,) = refused.value.problems
    assert (problem.line, problem.path, problem.hint) == (4, "nodes.thing.lane", "leave lane out")


@pytest.mark.parametrize("options", ["", ", lane: core"])
def test_the_command_line_overrides_the_manifest(manifest, options):
    """`compose --lane component`: the whole graph on the reference engine, whatever it says itself."""
    file = manifest(PLAIN, options)
    compose_file(file, Workshop(lane="component"))
    assert lane(file) == ("component", "asked for on the command line")
    assert answer(file) == 42


def test_the_command_line_cannot_force_core_on_what_it_cannot_carry(manifest):
    with pytest.raises(PlanRefused, match="leave --lane out"):
        compose_file(manifest(MANY), Workshop(lane="core"))


def test_a_manifest_may_ask_for_the_reference_engine(manifest):
    file = manifest(PLAIN, ", lane: component")
    compose_file(file)
    assert lane(file) == ("component", "asked for in the manifest")


@pytest.mark.parametrize("options", ["", ", lane: component"])
def test_a_component_that_ends_the_engines_process_is_refused_and_this_one_lives(manifest, options):
    """Else it would end the application's: wasmtime reads components where the application runs."""
    with pytest.raises(PlanRefused, match="the component lane can't load this component: it ends the engine's process") as refused:
        compose_file(manifest(FATAL, options))
    (problem,) = refused.value.problems
    assert (problem.line, problem.path) == (4, "nodes.thing")
    assert ("breaks the translator" if not options else "asked for in the manifest") in problem.message


def test_a_component_that_no_lane_runs_is_refused_when_it_is_composed_and_not_when_it_is_loaded(manifest):
    text = PLAIN.replace('(func (export "answer")', '(memory i64 1) (func (export "answer")')
    with pytest.raises(PlanRefused, match="the component lane can't load this component: .* memory64 must be enabled"):
        compose_file(manifest(text))


def test_what_was_tried_is_remembered(manifest, monkeypatch):
    """A refusal as well as a success: the trial costs a process."""
    for text, options in ((FATAL, ""), (MANY, ""), (PLAIN, ", lane: component")) * 2:
        with contextlib.suppress(PlanRefused):
            compose_file(manifest(text, options))
        if options:
            monkeypatch.setattr("ringfence_composer.trial._try", lambda *_: pytest.fail("tried again"))


@pytest.mark.parametrize("end", ["ended by SIGKILL", "ended with exit code 1", "took longer than 1 s"])
def test_a_trial_that_somebody_ended_says_nothing_of_the_component(monkeypatch, tmp_path, end):
    """Short of memory today, it may load tomorrow: no verdict, and none that is remembered."""

    def killed(*_, **__):
        raise ToolFailed("python", end)

    component, context = tmp_path / "x.wasm", BuildContext(cache=tmp_path / "cache")
    component.write_bytes(Toolchain().parse(PLAIN))
    digest = digest_of(component.read_bytes())
    with monkeypatch.context() as ended, pytest.raises(ToolFailed, match=end):
        ended.setattr(trial, "run", killed)
        trial.fault(component, digest, context)
    assert trial.fault(component, digest, context) == ""
