"""compose fix: what a run was refused becomes a change of graph.yaml that a person reads first, and that is right when it is written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from case import compose_right
from click.testing import CliRunner, Result
from host.test_grants_order import REQUEST, steady
from hypothesis import given
from places import ROOT
from ringfence.contract.errors import Denial
from ringfence.contract.grants import KINDS, Policy, admits
from ringfence.contract.layout import denials_path
from ringfence.contract.lock import Lane
from ringfence.contract.names import digest_of
from ringfence.contract.parameters import substitute
from ringfence_composer.cli import compose
from ringfence_composer.compose import Workshop
from ringfence_composer.denials import keep_denials, read_denials
from ringfence_composer.errors import InputInvalid
from ringfence_composer.fix import _Editor, fix_file, write_fix
from ringfence_composer.manifest.additions import data_of
from ringfence_composer.manifest.source import read_document


def denial(allow: str, node: str = "calls", provider: str = "host", *, expected: bool = False) -> Denial:
    return Denial(
        node=node, edge=f"application -> {node}", kind="k", operation="do", value="it", reason="no", allow=allow, provider=provider
    )._replace(expected=expected)


TCP, MORE, ENV = denial('tcp: ["127.0.0.1:80"]'), denial('tcp: ["[::1]:443"]'), denial("env: [HOME]")


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A graph of one node, which nothing is granted to."""
    compose_right(tmp_path / "it", "core")
    file = tmp_path / "it" / "graph.yaml"
    digest = digest_of(file.with_name("calls.wasm").read_bytes())
    file.write_text(f'ringfence: 1\ngraph: g\nnodes:\n  calls: {{ component: calls.wasm, digest: "{digest}" }}\nexpose: [calls]\n')
    return file


def edges(graph: Path) -> list[object]:
    return read_document(graph).data.get("edges", [])


def fixed(graph: Path, *denials: Denial) -> str:
    fix = fix_file(graph, denials, Workshop())
    assert not fix.left
    write_fix(fix)
    return graph.read_text()


def run(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(compose, words, input=typed, catch_exceptions=False)


def test_an_edge_is_added_then_a_kind_then_an_item(graph: Path) -> None:
    before = graph.read_text()
    assert fixed(graph, TCP) == before + 'edges:\n  - { from: calls, to: host, grant: { tcp: ["127.0.0.1:80"] } }\n'
    fixed(graph, ENV, MORE)
    assert edges(graph) == [{"from": "calls", "to": "host", "grant": {"tcp": ["127.0.0.1:80", "[::1]:443"], "env": ["HOME"]}}]


def test_comments_and_layout_stay(graph: Path) -> None:
    written = """edges:
  # the outside world
  - from: calls   # we
    to: host
    grant:
      tcp:
        - "10.0.0.1:80"  # the old server

      # and nothing else
"""
    graph.write_text(graph.read_text() + written)
    after = fixed(graph, TCP, ENV)
    added = after.removeprefix(graph.read_text()[: after.index("edges:")])
    assert added == written.replace("server\n", 'server\n        - "127.0.0.1:80"\n      env: [HOME]\n')


def test_what_is_granted_already_or_expected_changes_nothing(graph: Path) -> None:
    grant = '{ from: calls, to: host, grant: { tcp: ["127.0.0.0/8:*"] }, expected: { env: [HOME] } }'
    graph.write_text(f"{graph.read_text()}edges: [{grant}]\n")
    fix = fix_file(graph, [TCP, ENV, MORE._replace(expected=True)], Workshop())
    assert (fix.difference, fix.left) == ("", ())


def test_denials_become_expected_where_that_is_asked_for(graph: Path) -> None:
    write_fix(fix_file(graph, [TCP], Workshop(), section="expected"))
    assert edges(graph) == [{"from": "calls", "to": "host", "expected": {"tcp": ["127.0.0.1:80"]}}]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (denial(""), "no grant would allow it"),
        (denial("args: []"), "for a person to write"),
        (denial("tcp: ["), "for a person to write"),
        (denial("tcp: [&a x]"), "for a person to write"),
        (denial("x: y", node="gone"), "no node 'gone'"),
        (denial("quantum: [x]"), "nothing can enforce"),
        (denial('tcp: ["nowhere"]'), "no tcp grant"),
        (denial('tcp: ["${vendor}"]'), "no tcp grant"),
        (denial("random: { seeded: 1 }"), "as something else"),
        (denial("clocks: { frozen: 2026-01-01T00:00:00Z }"), "as something else"),
        (denial("calls: [get]"), "between the two nodes"),
    ],
)
def test_what_no_program_should_add_is_left_to_a_person(graph: Path, wrong: Denial, reason: str) -> None:
    """A remedy is made from what a guest asked for: it is read as data, held against its kind, and never copied."""
    graph.write_text(f"{graph.read_text()}edges: [{{ from: calls, to: host, grant: {{ random: secure, clocks: [wall] }} }}]\n")
    fix = fix_file(graph, [wrong], Workshop())
    assert fix.difference == ""
    ((left, why),) = fix.left
    assert left == wrong
    assert reason in why


@pytest.mark.parametrize("layout", ["edges: [ {? from : calls, to: host, grant: {tcp: ['10.0.0.1:1']\n} } ]\n", "edges: !!seq []\n"])
def test_an_odd_layout_is_changed_rightly_or_not_at_all(graph: Path, layout: str) -> None:
    graph.write_text(graph.read_text() + layout)
    result = run("fix", str(graph), "--denials", str(kept(graph, TCP)), "--yes")
    if result.exit_code == 0:
        assert "127.0.0.1:80" in str(edges(graph))
    else:
        assert graph.read_text().endswith(layout)
        assert "tags are not allowed" in result.stderr


def kept(graph: Path, *denials: Denial) -> Path:
    keep_denials(graph, denials)
    return denials_path(graph)


def test_nothing_is_written_unless_somebody_says_so(graph: Path) -> None:
    before = graph.read_text()
    kept(graph, TCP)
    asked = run("fix", str(graph))
    assert (asked.exit_code, graph.read_text()) == (1, before)
    assert '+  - { from: calls, to: host, grant: { tcp: ["127.0.0.1:80"] } }' in asked.stdout
    as_json = run("fix", str(graph), "--json")
    assert (as_json.exit_code, graph.read_text()) == (1, before)
    assert json.loads(as_json.stdout)["diff"] == asked.stdout
    done = run("fix", str(graph), "--yes")
    assert (done.exit_code, done.stdout) == (0, asked.stdout)
    assert run("fix", str(graph)).exit_code == 0, "it is granted by now"


def test_a_file_that_changed_meanwhile_is_not_written_over(graph: Path) -> None:
    fix = fix_file(graph, [TCP], Workshop())
    graph.write_text(graph.read_text() + "# mine\n")
    with pytest.raises(InputInvalid, match="changed meanwhile"):
        write_fix(fix)
    assert graph.read_text().endswith("# mine\n")


def test_a_link_stays_a_link_and_a_mode_its_mode(graph: Path) -> None:
    real = graph.with_name("real.yaml")
    graph.rename(real)
    real.chmod(0o600)
    graph.symlink_to(real.name)
    fixed(graph, TCP)
    assert graph.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert "127.0.0.1:80" in real.read_text()


def test_denials_survive_their_file(graph: Path) -> None:
    every = [TCP, MORE._replace(expected=True), denial("calls: [x]", provider="b")]
    assert read_denials(graph, kept(graph, *every)) == tuple(every)
    keep_denials(graph, [])
    assert not denials_path(graph).exists()
    assert read_denials(graph, None) == ()
    printed = graph.with_name("printed.json")
    printed.write_text(json.dumps({"error": {"code": "denied", "denials": [TCP._asdict()]}}))
    assert read_denials(graph, printed) == (TCP,)


@pytest.mark.parametrize(
    "content", ["", "[", "[]", "{}", '{"denials": {}}', '{"denials": [1]}', '{"denials": [{"node": 1}]}', '{"denials": [{"x": "y"}]}']
)
def test_a_file_without_denials_is_refused(graph: Path, content: str) -> None:
    file = graph.with_name("denials.json")
    file.write_text(content)
    with pytest.raises(InputInvalid):
        read_denials(graph, file)


def guests(tmp_path: Path, edges: str, exposed: str, *, lane: str = "core") -> Path:
    """A graph of the guests that try what they are told: relay calls probe; clerk is for files."""
    nodes = "".join(
        f"  {name}: {{ component: {os.path.relpath(ROOT / 'tests' / 'denials' / name, tmp_path)}, lane: {lane} }}\n"
        for name in ("relay", "probe", "clerk")
        if name in edges + exposed
    )
    graph = tmp_path / "graph.yaml"
    graph.write_text(f"ringfence: 1\ngraph: g\nnodes:\n{nodes}edges: [{edges}]  # who may what\nexpose: [{exposed}]\n")
    return graph


@pytest.mark.parametrize("lane", ["core", "component"])
def test_a_run_its_fix_and_the_run_again(tmp_path: Path, lane: Lane) -> None:
    """The whole way, with a real guest: refused, fixed, and no longer refused."""
    graph = guests(tmp_path, "", "probe", lane=lane)
    refused = run("run", str(graph), "probe.connect", "127.0.0.1", "1", "x")
    assert refused.exit_code == 1
    assert refused.stderr.endswith(f"what would allow it: compose fix {graph}\n")
    assert run("fix", str(graph), "--yes").exit_code == 0
    allowed = run("run", str(graph), "probe.connect", "127.0.0.1", "1", "x", "--json")
    assert "refused" in json.loads(allowed.stdout)["error"]["value"]
    assert not denials_path(graph).exists()


def test_what_a_library_swallowed_is_told_after_the_result(tmp_path: Path) -> None:
    """os.walk passes over folders that it may not list: the call succeeds, and a person and a program learn why it found nothing."""
    (tmp_path / "data").mkdir()
    graph = guests(tmp_path, "{ from: clerk, to: host, grant: { files: [{ path: data, access: [write] }] } }", "clerk")
    shown = run("run", str(graph), "clerk.walk", "/data")
    assert (shown.exit_code, shown.stdout) == (0, "[]\n")
    assert shown.stderr.splitlines()[-2:] == [
        "note: clerk: list '/data' denied: no grant covers it",
        f"what would allow it: compose fix {graph}",
    ]
    as_json = run("run", str(tmp_path / "graph.lock.json"), "--json", "clerk.walk", "/data")
    assert as_json.stdout == "[]\n"
    assert [one["value"] for one in json.loads(as_json.stderr)["denials"]] == ["'/data'"]
    assert run("fix", str(graph), "--yes").exit_code == 0
    (tmp_path / "data" / "a").write_text("")
    found = run("run", str(graph), "clerk.walk", "/data", "--json")
    assert (json.loads(found.stdout), "denied" in found.stderr) == (["/data/a"], False)


def test_a_call_that_an_edge_left_out_is_added_to_that_edge(tmp_path: Path) -> None:
    graph = guests(tmp_path, "{ from: relay, to: probe, grant: { calls: [counter] } }", "relay")
    assert run("run", str(graph), "relay.trap").exit_code == 1
    assert run("fix", str(graph), "--yes").exit_code == 0
    assert edges(graph) == [{"from": "relay", "to": "probe", "grant": {"calls": ["counter", "trap"]}}]


def test_what_the_caller_has_and_passes_on_is_added_to_the_edge_between_them(tmp_path: Path) -> None:
    """It is the least that allows it: on the callee's own edge all of its callers would have it."""
    own = '{ from: relay, to: host, grant: { tcp: ["127.0.0.0/8:*"] } }'
    graph = guests(tmp_path, f'{own}, {{ from: relay, to: probe, grant: {{ tcp: ["127.0.0.1:2"] }} }}', "relay, probe")
    assert run("run", str(graph), "relay.connect", "127.0.0.1", "1", "x").exit_code == 1
    assert run("fix", str(graph), "--yes").exit_code == 0
    assert edges(graph)[1:] == [{"from": "relay", "to": "probe", "grant": {"tcp": ["127.0.0.1:2", "127.0.0.1:1"]}}]
    assert run("run", str(graph), "probe.connect", "127.0.0.1", "1", "x").exit_code == 1
    assert run("fix", str(graph), "--yes").exit_code == 0
    assert edges(graph)[2:] == [{"from": "probe", "to": "host", "grant": {"tcp": ["127.0.0.1:1"]}}]


FOLDER = '{ path: data, match: ["*.csv"], as: /data }'


@pytest.mark.parametrize(
    ("written", "asked", "after"),
    [
        (
            FOLDER,
            'match: ["out.txt"], as: /data, access: [write]',
            '{ path: data, match: ["*.csv", out.txt], as: /data, access: [read, write] }',
        ),
        (FOLDER, 'match: ["a.csv"], as: /data, access: [read]', FOLDER),
        (
            FOLDER,
            'match: ["a.csv"], as: /data, access: [read, delete]',
            '{ path: data, match: ["*.csv"], as: /data, access: [read, delete] }',
        ),
        ("{ path: data, access: [read] }", 'match: ["a"], as: /data, access: [create]', "{ path: data, access: [read, create] }"),
        (FOLDER, 'match: ["a"], as: /other', f"{FOLDER}, {{ path: data, match: [a], as: /other }}"),
    ],
)
def test_a_folder_that_is_granted_already_is_widened_in_its_place(graph: Path, written: str, asked: str, after: str) -> None:
    """There can't be two grants of one place, so what was written is added to; where that allows more than was asked, it is said."""
    graph.write_text(f"{graph.read_text()}edges: [{{ from: calls, to: host, grant: {{ files: [{written}] }} }}]\n")
    wanted = denial(f"files: [{{ path: data, {asked} }}]")
    assert bool(fix_file(graph, [wanted], Workshop()).notes) == (
        after not in (written, f"{FOLDER}, {{ path: data, match: [a], as: /other }}")
    )
    assert f"files: [{after}] " in fixed(graph, wanted)


def test_that_hard_links_may_be_used_is_for_a_person_to_say(graph: Path) -> None:
    graph.write_text(f"{graph.read_text()}edges: [{{ from: calls, to: host, grant: {{ files: [{FOLDER}] }} }}]\n")
    fix = fix_file(graph, [denial('files: [{ path: data, match: ["a.csv"], as: /data, hardlinks: true }]')], Workshop())
    assert (fix.difference, "hard links" in fix.left[0][1]) == ("", True)


def test_that_files_may_be_locked_is_for_a_person_to_say(graph: Path) -> None:
    """Whoever locks keeps others waiting, and who writes without a lock can no longer."""
    graph.write_text(f"{graph.read_text()}edges: [{{ from: calls, to: host, grant: {{ files: [{FOLDER}] }} }}]\n")
    fix = fix_file(graph, [denial('files: [{ path: data, match: ["a.csv"], as: /data, lock: ["a.csv"] }]')], Workshop())
    assert (fix.difference, "may be locked" in fix.left[0][1]) == ("", True)


@steady
@given(request=REQUEST)
def test_whatever_the_gate_refuses_is_allowed_by_its_fix_or_left_to_a_person(request: Any) -> None:
    """A property of all kinds: what is written admits what was asked for, and is read as it was meant."""
    kind = KINDS[request.kind]
    text = "ringfence: 1\nnodes: { calls: {} }\nedges:\n  - from: calls # we\n    to: host\n"
    editor = _Editor(text, data_of(text), {}, "grant")
    reason = editor.allow(denial(kind.suggest(request)))
    if reason:
        assert editor.text == text
        assert request.kind == "args" or getattr(request, "seed", None) or getattr(request, "set_to", None), reason
    elif getattr(request, "seed", None) is None and getattr(request, "set_to", None) is None and not getattr(request, "frozen", None):
        written = data_of(editor.text)["edges"][0]["grant"]
        assert admits(Policy.bind(substitute(written, {})), request)
        assert editor.text.startswith(text)
