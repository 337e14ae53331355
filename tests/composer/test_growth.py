"""compose diff: authority that grew is seen before it is merged, and what is only written differently is no growth."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from case import compose_right
from click.testing import CliRunner, Result
from composer_doubles import manifest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence_composer.cli import compose
from ringfence_composer.growth import Change, growth
from ringfence_composer.revisions import Revision, draft
from ringfence_composer.show import grant_lines

NODES = dict.fromkeys(("front", "left", "right", "bottom"), "")
BASE = {
    "parameters": '  db: { type: endpoint, default: "10.0.0.1:5432", within: "10.0.0.0/8:5432" }',
    "front": "",
    "left": '- { from: left, to: host, grant: { tcp: ["10.0.0.0/8:*", "${db}"] } }',
    "bottom": "- { from: bottom, to: host, grant: { env: [TOKEN] } }",
    "front-left": "- { from: front, to: left, grant: { calls: [one, two] } }",
    "left-bottom": "- { from: left, to: bottom }",
    "more": "",
    "expose": "[{ node: front, calls: [go] }]",
}


def revision(folder: Path, **changed: str) -> Revision:
    parts = {**BASE, **{name.replace("_", "-"): text for name, text in changed.items()}}
    head = f"parameters:\n{parts['parameters']}\n" if parts["parameters"] else ""
    edges = "".join(f"  {parts[name]}\n" for name in ("front", "left", "bottom", "front-left", "left-bottom", "more") if parts[name])
    read, problems = manifest(folder, NODES, f"{head}edges:\n{edges}expose: {parts['expose']}\n")
    problems.raise_any()
    return Revision(name="graph.yaml", lock=draft(read), lines=grant_lines(read))


def gained(folder: Path, **changed: str) -> list[tuple[str, str]]:
    found = growth(revision(folder), revision(folder, **changed))
    back = growth(revision(folder, **changed), revision(folder))
    assert (found.grew, found.shrank) == (back.shrank, back.grew), "what grows one way shrinks the other"
    return [(one.who, one.what) for one in found.grew]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"left": '- { from: left, to: host, grant: { tcp: ["${db}", "10.0.0.0/9:80", "10.128.0.0/9:*"] } }'},
        {"left": '- { from: left, to: host, grant: { tcp: ["10.0.0.0/8:1", "10.2.3.4:*", "${db}"] } }'},
        {"left": "- { from: left, to: host, grant: { tcp: ['10.0.0.0/8:*', '10.0.0.1:5432', '${db}'] } }"},
        {"front_left": "- { from: front, to: left, grant: { calls: [two] } }"},
        {"left": '- { from: left, to: host, grant: { tcp: ["${db}"] } }', "expose": "[]"},
        {"left": "", "bottom": "", "parameters": ""},
        {"parameters": '  db: { type: endpoint, default: "10.0.0.2:5432", within: ["10.0.0.0/9:5432"] }'},
        {"left": '- { from: left, to: host, grant: { tcp: ["10.0.0.0/8:*", "${db}"] }, expected: { tcp: ["1.1.1.1:1"] } }'},
        {"front_left": "- { from: front, to: left, grant: { calls: [one, two] }, limits: { deadline: 1s } }"},
    ],
)
def test_less_or_the_same_in_other_words_is_no_growth(tmp_path: Path, changed: dict[str, str]) -> None:
    assert gained(tmp_path, **changed) == []


@pytest.mark.parametrize(
    ("changed", "grew"),
    [
        (
            {"left": '- { from: left, to: host, grant: { tcp: ["10.0.0.0/7:*", "${db}"] } }'},
            [("left", "connect to 10.0.0.0/7, any port")],
        ),
        ({"bottom": "- { from: bottom, to: host, grant: { env: [TOKEN, HOME] } }"}, [("bottom", "variable HOME, the host's value")]),
        (
            {"parameters": '  db: { type: endpoint, default: "a.db.example:5432", within: "*.db.example:5432" }'},
            [("left", "connect to *.db.example, port 5432 (can exfiltrate) (parameter db)")],
        ),
        ({"front_left": "- { from: front, to: left }"}, [("front -> left", "may call all functions")]),
        ({"front_left": "- { from: front, to: left, grant: { calls: [one, two, three] } }"}, [("front -> left", "may call three")]),
        ({"expose": "[front]"}, [("application -> front", "may call all functions")]),
        ({"expose": "[{ node: front, calls: [go] }, bottom]"}, [("application -> bottom", "may call all functions")]),
        (
            {"front_left": "- { from: front, to: left, grant: { calls: [one, two], env: [HOME] } }"},
            [("left (through front -> left only)", "variable HOME, the host's value")],
        ),
    ],
)
def test_what_may_be_done_anew_is_told_where_it_was_given(tmp_path: Path, changed: dict[str, str], grew: list[tuple[str, str]]) -> None:
    assert gained(tmp_path, **changed) == grew


def test_a_new_edge_opens_what_lies_behind_it(tmp_path: Path) -> None:
    """No grant changed: but right, and nobody else, can now make bottom act."""
    grew = gained(tmp_path, more="- { from: right, to: left }")
    assert grew == [
        ("right -> left", "connect to 10.0.0.0/8, any port"),
        ("right -> left", "connect to 10.0.0.0/8, port 5432 (parameter db)"),
        ("right -> left -> bottom", "variable TOKEN, the host's value"),
        ("right -> left", "may call all functions"),
    ]


def test_a_node_that_gets_itself_what_it_reached_through_another_has_grown(tmp_path: Path) -> None:
    """Through another it had it by that one's functions only."""
    assert gained(tmp_path, front="- { from: front, to: host, grant: { env: [TOKEN] } }") == [("front", "variable TOKEN, the host's value")]


def test_who_is_reached_by_an_application_is_said(tmp_path: Path) -> None:
    found = growth(revision(tmp_path), revision(tmp_path, bottom='- { from: bottom, to: host, grant: { tcp: ["*.x.example:443"] } }'))
    (change,) = found.grew
    assert change == Change(
        who="bottom", what="connect to *.x.example, port 443 (can exfiltrate)", line=12, exfiltrates=True, exposed=("front",)
    )
    assert [one.what for one in found.shrank] == ["variable TOKEN, the host's value"]


HOSTS = st.sampled_from(["10.0.0.0/8", "10.0.0.0/9", "10.1.2.3", "[::1]", "a.example", "*.example", "*.a.example"])
ENTRIES = st.lists(st.tuples(HOSTS, st.sampled_from(["80", "443", "*"])).map(":".join), max_size=4)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(one=ENTRIES, other=ENTRIES, third=ENTRIES)
def test_nothing_grows_to_a_part_and_growth_adds_up(tmp_path: Path, one: list[str], other: list[str], third: list[str]) -> None:
    def having(entries: list[str]) -> Revision:
        return revision(tmp_path, left=f"- {{ from: left, to: host, grant: {{ tcp: {json.dumps([*entries, '${db}'])} }} }}")

    def grows(old: list[str], new: list[str]) -> bool:
        return bool(growth(having(old), having(new)).grew)

    assert not grows([*one, *other], one)
    assert not grows(one, one)
    assert not (not grows(one, other) and not grows(other, third) and grows(one, third))


def run(*words: str) -> Result:
    return CliRunner().invoke(compose, ["diff", *words], catch_exceptions=False)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a graph, composed, committed, and changed since."""
    compose_right(tmp_path / "it", "core")
    monkeypatch.chdir(tmp_path / "it")
    (tmp_path / "it" / "outside").symlink_to("/etc/passwd")  # a link that leads out is no part of what is compared, and no error
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "it"]):
        subprocess.run(["git", *who, *words], check=True)
    graph = tmp_path / "it" / "graph.yaml"
    graph.write_text(graph.read_text().replace('tcp: ["${vendor}"]', 'tcp: ["${vendor}", "127.0.0.1:1", "evil.example:443"]'))
    return graph


def test_a_revision_of_git_is_compared_and_growth_is_an_exit_code(repository: Path) -> None:
    grown = run("HEAD:graph.yaml", "graph.yaml")
    assert (grown.exit_code, grown.stdout) == (1, "grew: 1\n  + calls: connect to evil.example, port 443  (exposed)  graph.yaml:10\n")
    shrunk = run("graph.yaml", "HEAD:./graph.yaml")
    assert (shrunk.exit_code, shrunk.stdout) == (0, "shrank: 1\n  - calls: connect to evil.example, port 443  (exposed)  graph.yaml:10\n")
    assert json.loads(run("--json", "HEAD:graph.yaml", "graph.yaml").stdout)["grew"][0]["exposed"] == ["calls"]


def test_a_lock_says_the_same_as_its_graph(repository: Path) -> None:
    same = run("HEAD:graph.yaml", "graph.lock.json")
    assert (same.exit_code, same.stdout) == (0, "no authority grew or shrank\n")
    assert run("HEAD:graph.lock.json", "graph.yaml").exit_code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no-such.yaml", "graph.yaml"), "cannot read"),
        (("HEAD:no-such.yaml", "graph.yaml"), "cannot read"),
        (("no-such-revision:graph.yaml", "graph.yaml"), "git archive: "),
        (("HEAD:../outside.yaml", "graph.yaml"), "leads out of the repository"),
        (("calls.lock.json", "graph.yaml"), "is no lock"),
        (("-x:graph.yaml", "graph.yaml"), "No such option"),
    ],
)
def test_what_is_no_revision_is_said_to_be_none(repository: Path, words: tuple[str, str], said: str) -> None:
    repository.with_name("calls.lock.json").write_text("{}")
    found = run(*words)
    assert found.exit_code in (2, 3)
    assert said in found.stderr
