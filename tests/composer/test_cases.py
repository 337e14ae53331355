"""Each folder of tests/cases is one rule: something wrong that a person writes, and what is said of it, word by word.

`error.txt` is what a person reads, with the exit code (or the exception that an application gets); `expected.json` what `--json` prints of
something right. `just bless` rewrites both; the diff is to be reviewed. `case.py` says what a folder may hold.
"""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from case import CASES, RIGHT, Case, Copy, all_cases, compose_right, lay_out, run_command, run_python, settled, tree
from click.testing import CliRunner
from ringfence import Graph
from ringfence.contract.lock import Lane
from ringfence.contract.types import show
from ringfence.contract.words import example, from_words
from ringfence_composer.cli import compose
from ringfence_composer.reports.terminal import printable
from rules import WITHOUT_CASE, Watch, rules

ALL = all_cases()
EACH = [pytest.param(case, lane, id=f"{case.name}-{lane}" if len(case.lanes) > 1 else case.name) for case in ALL for lane in case.lanes]
CODES = range(1, 5)
WATCH, RAN = Watch(), set[tuple[str, str]]()
PLACED = re.compile(r"^(?P<file>[^\s:][^:]*)(:(?P<line>\d+)(:(?P<column>\d+))?)?: ", re.MULTILINE)


@pytest.fixture(scope="session")
def right(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The right graph, composed once on each lane, copied wherever it is asked for."""

    @cache
    def composed(lane: Lane) -> Path:
        folder = tmp_path_factory.mktemp("right") / lane
        compose_right(folder, lane)
        return folder

    return lambda lane, target: shutil.copytree(composed(lane), target)


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which commands run."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(("case", "lane"), EACH)
def test_case(case: Case, lane: Lane, bless: bool, beside: Path, right: Copy) -> None:
    """Messages are the interface of the composer: a change of one is a change that someone has to read.

    What fails leaves everything as it was, names no file by where this machine has it, and ends with the exit code of its kind.
    """
    lay_out(case, beside, right, lane)
    before = tree(beside)
    with WATCH.watching():
        done = run_python(case) if case.python else run_command(case, as_json=case.right)
    RAN.add((case.name, lane))
    found = json.dumps(json.loads(done.out), indent=2) + "\n" if case.right else settled(case, done.err if case.python else done.text)
    assert tree(beside) == before
    assert str(beside.parent) not in found
    assert done.code in ((0,) if case.right else CODES), done.err
    assert bool(done.out) == case.right
    if bless:
        case.expected.write_text(found, encoding="utf-8")
    assert found == case.expected.read_text(encoding="utf-8"), f"{case.name}: run `just bless` and review the diff if this is meant"


@pytest.mark.parametrize("case", [case for case in ALL if case.has_json and not case.right], ids=lambda case: case.name)
def test_problems_for_programs_are_those_for_people(case: Case, beside: Path, right: Copy) -> None:
    """An editor that reads --json must not know less than a terminal, and a script must get JSON whatever was wrong."""
    lay_out(case, beside, right, "core")
    done = run_command(case, as_json=True)
    error = json.loads(done.out)["error"]
    assert error["code"]
    if problems := error.get("problems"):
        told = re.search(r"^(\d+) problems? found$", done.err, re.MULTILINE)
        assert told is not None
        assert len(problems) == int(told[1])
        places = {(printable(one["file"]), one.get("line"), one.get("column")) for one in problems if "file" in one}
        read = {(one["file"], one["line"] and int(one["line"]), one["column"] and int(one["column"])) for one in PLACED.finditer(done.err)}
        assert places <= read
        assert all(one["message"] for one in problems)
    else:
        assert printable(error["message"].splitlines()[0]) in done.err


@pytest.mark.parametrize("lane", ["core", "component"])
def test_what_the_cases_spoil_is_right(lane: Lane, beside: Path, right: Copy) -> None:
    """Else they could fail for another reason. Every function takes the example that a message would show of its types."""
    right(lane, Path("graph"))
    with Graph.load("graph/graph.yaml") as graph:
        called = 0
        for target in graph:
            kinds = [kind for _, kind in target.type.params]
            if not any("cursor" in show(kind) for kind in kinds):  # a resource has no example
                graph.call(target.name, *from_words(target.type, [json.dumps(example(kind)) for kind in kinds]))
                called += 1
        assert called == 19
        with graph["calls"].cursor(1) as cursor:
            assert cursor.next() == 7
            graph.call("calls.close-all", [cursor])


def test_the_component_that_the_cases_spoil_is_right(beside: Path) -> None:
    shutil.copytree(RIGHT / "component", "component")
    done = CliRunner().invoke(compose, ["build", "component"])
    assert (done.exit_code, done.stderr, "sha256:" in done.stdout) == (0, "", True)


def test_there_are_cases_of_every_kind() -> None:
    kinds = {
        "graph": [case for case in ALL if not case.base and not case.right],
        "component": [case for case in ALL if case.base == "component"],
        "lock": [case for case in ALL if case.lock is not None or "lock" in case.name],
        "call": [case for case in ALL if case.base == "graph" and case.lock is None],
    }
    assert len(ALL) >= 80
    assert {kind: len(cases) >= 8 for kind, cases in kinds.items()} == dict.fromkeys(kinds, True)


def test_no_expected_text_is_left_over() -> None:
    """A renamed case takes its expectation along."""
    assert {path.parent.name for path in CASES.glob("*/error.txt")} == {case.name for case in ALL if not case.right}


def test_every_rule_of_the_readers_has_a_case() -> None:
    """A message that nobody has seen is a message that nobody has read."""
    if len(RAN) < len(EACH):
        pytest.skip("only some of the cases ran")
    missed = WATCH.missed()
    assert not missed, "no case breaks these rules:\n" + "\n".join(missed)


def test_no_reason_for_having_no_case_is_left_over() -> None:
    texts = [text for _, _, text in rules()]
    assert [part for part in WITHOUT_CASE if not any(part in text for text in texts)] == []
