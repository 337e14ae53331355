"""graph.yaml as a record: what is written is what is there, and what is broken is left out and told."""

from __future__ import annotations

from pathlib import Path

import pytest
from composer_doubles import manifest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.contract.errors import ManifestError
from ringfence.contract.lock import LockedParameter
from ringfence_composer.manifest.graph import read_graph
from ringfence_composer.manifest.source import Problems

REST = """edges:
  - { from: a, to: b, grant: { calls: [f] }, limits: { deadline: 1s } }
  - { from: a, to: host, grant: { tcp: ["${p}", "10.0.0.1:${n}"], random: secure } }
expose: [a, { node: b, calls: [g], limits: { output: 1KiB } }]
parameters:
  p: { type: endpoint, default: "127.0.0.1:80", within: ["127.0.0.1:*", "10.0.0.0/8:80"] }
  n: { type: port, default: 80, within: 80..90 }
"""


def test_everything_written_is_in_the_record(tmp_path: Path) -> None:
    graph, problems = manifest(tmp_path, {"a": "instances: single, shared: true, random: deny", "b": "limits: { memory: 1MiB }"}, REST)
    assert not problems
    a, b = graph.nodes
    assert (a.instances, a.shared, a.withdrawn, dict(b.limits)) == ("single", True, ("random",), {"memory": "1MiB"})
    inner, outer = graph.edges
    assert (str(inner), inner.calls, dict(inner.limits), inner.grant) == ("a -> b", ("f",), {"deadline": "1s"}, {})
    assert (str(outer), outer.calls, outer.grant) == ("a -> host", None, {"tcp": ["${p}", "10.0.0.1:${n}"], "random": "secure"})
    assert [(one.node, one.calls, dict(one.limits)) for one in graph.expose] == [("a", None, {}), ("b", ("g",), {"output": "1KiB"})]
    assert graph.parameters == (
        LockedParameter(name="p", type="endpoint", default="127.0.0.1:80", within=("127.0.0.1:*", "10.0.0.0/8:80")),
        LockedParameter(name="n", type="port", default="80", within=("80..90",)),
    )
    assert graph.document.where(outer.path) == "graph.yaml:8"


def test_a_component_used_twice_is_read_and_reported_once(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "component.yaml").write_text("ringfence: 1\nbroken: true\n")
    (tmp_path / "graph.yaml").write_text("ringfence: 1\ngraph: g\nnodes: { a: { component: c }, b: { component: ./c } }\n")
    problems = Problems()
    read_graph(tmp_path / "graph.yaml", problems)
    messages = [one.message for one in problems.in_order()]
    assert len(messages) == len(set(messages))
    assert "unknown key 'broken'" in messages


def test_grants_that_are_wrong_do_not_reach_the_record(tmp_path: Path) -> None:
    """Later stages may trust every form they see."""
    graph, problems = manifest(
        tmp_path, {"a": ""}, "edges: [{ from: a, to: host, grant: { tcp: [nowhere], dns: [a.example], files: [data] } }]\n"
    )
    assert len(problems.in_order()) == 2
    assert graph.edges[0].grant == {"dns": ["a.example"]}


def test_a_form_is_checked_with_its_parameters_in_place(tmp_path: Path) -> None:
    parameters = "parameters: { p: { type: port, default: 80, within: 1..99 } }\n"
    edge = 'edges: [{ from: a, to: host, grant: { tcp: ["127.1:${p}"] } }]\n'
    _, problems = manifest(tmp_path, {"a": ""}, edge + parameters)
    assert [one.message for one in problems.in_order()] == ["'127.1' is another spelling of 127.0.0.1"]


KEYS = ("ringfence", "graph", "nodes", "edges", "expose", "from", "to", "grant", "calls", "component", "limits", "tcp", "a", "type")


def flow(data: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in data.items()) + "}"


ANYTHING = st.recursive(
    st.sampled_from(["1", "a", "host", '"${a}"', "", "true", "x.wasm", "endpoint", '"127.0.0.1:1"']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4).map(
            lambda data: "{" + ", ".join(f"{k}: {v}" for k, v in data.items()) + "}"
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["nodes", "edges", "expose", "parameters"]), ANYTHING))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_whatever_stands_there_gives_problems_and_never_an_exception(tmp_path: Path, parts: dict[str, str]) -> None:
    """A person who writes the wrong thing gets a message with a place, not a traceback."""
    text = "ringfence: 1\ngraph: g\n" + "".join(f"{key}: {value}\n" for key, value in parts.items())
    (tmp_path / "graph.yaml").write_text(text)
    problems = Problems()
    try:
        read_graph(tmp_path / "graph.yaml", problems, show_as="graph.yaml")
    except ManifestError as error:
        problems.extend(error.problems)
    assert all(one.file and one.line and one.column for one in problems.in_order())


@pytest.mark.parametrize("missing", ["", "folder/"])
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ManifestError, match="cannot read it|found a folder"):
        read_graph(tmp_path / missing, Problems())
