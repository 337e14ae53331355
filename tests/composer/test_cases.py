"""Each folder of tests/cases is one rule: a graph.yaml and what `compose check` says of it, word by word.

`error.txt` is what a person reads on stderr, `expected.json` what `--json` prints. `just bless` rewrites both; the diff is to be reviewed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from ringfence_composer.cli import compose

CASES = Path(__file__).parents[1] / "cases"
FOLDERS = sorted(path.parent.name for path in CASES.glob("*/graph.yaml"))


def check(name: str, *options: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(compose, ["check", f"{name}/graph.yaml", *options], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("name", FOLDERS)
def test_case(name: str, bless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are the interface of the composer: a change of one is a change that someone has to read."""
    monkeypatch.chdir(CASES)
    code, out, err = check(name, "--json")
    right = name.startswith("right-")
    file = CASES / name / ("expected.json" if right else "error.txt")
    found = json.dumps(json.loads(out), indent=2) + "\n" if right else err
    assert (code, bool(err)) == ((0, False) if right else (3, True)), err
    if bless:
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8"), f"{name}: run `just bless` and review the diff if this is meant"


@pytest.mark.parametrize("name", FOLDERS)
def test_problems_for_programs_are_those_for_people(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that reads --json must not know less than a terminal."""
    monkeypatch.chdir(CASES)
    _, out, err = check(name, "--json")
    data = json.loads(out)
    problems = data["problems"] if "problems" in data else data["error"]["problems"]
    assert len(problems) == sum(line.startswith((f"{name}/", "_components/")) for line in err.splitlines())
    assert all(one["message"] for one in problems)


def test_there_are_cases() -> None:
    assert len(FOLDERS) > 45
