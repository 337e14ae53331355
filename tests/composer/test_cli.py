"""The command line: exit codes, what goes to which stream, and that guests' text can do nothing to a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ringfence.contract.errors import (
    CapabilityDenied,
    DeadlineExceeded,
    Denial,
    GuestError,
    IntegrityError,
    ManifestError,
    ShapeError,
    StaleLock,
    UsageError,
)
from ringfence.contract.types import FunctionType, Primitive, ResultOf, VariantOf
from ringfence.contract.values import Case
from ringfence_composer.cli import compose, exit_code
from ringfence_composer.errors import BuildFailed, PlanRefused, ToolFailed, ToolMissing, WitInvalid
from ringfence_composer.reports.data import error_data
from ringfence_composer.reports.terminal import printable

CASES = Path(__file__).parents[1] / "cases"
RIGHT = str(CASES / "right-smallest" / "graph.yaml")
WRONG = str(CASES / "fused-to-host" / "graph.yaml")
FAILURE = VariantOf((("not-found", None), ("unavailable", Primitive("string"))))


def run(*words: str) -> Result:
    return CliRunner().invoke(compose, words, catch_exceptions=False)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", RIGHT], 0),
        (["check", WRONG], 3),
        (["check", "no/such/graph.yaml"], 3),
        (["check"], 2),
        (["chek", RIGHT], 2),
        (["no-such-graph.yaml"], 3),
        ([WRONG], 3),
        (["plan", WRONG, "--json"], 3),
        (["build", str(CASES)], 3),
        (["run", "no-such-graph.yaml", "a.b"], 3),
        (["run", RIGHT, "a.b", "--param", "x"], 2),
        (["run", RIGHT, "a.b", "--param", "x=1", "--param", "x=2"], 2),
        (["--help"], 0),
    ],
)
def test_exit_codes(words: list[str], code: int) -> None:
    result = run(*words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ManifestError([]), 3),
        (StaleLock("x"), 3),
        (WitInvalid("x"), 3),
        (IntegrityError("x"), 1),
        (PlanRefused([]), 1),
        (GuestError("f", "x"), 1),
        (CapabilityDenied([]), 1),
        (DeadlineExceeded("n", "deadline", "1s"), 1),
        (UsageError("x"), 2),
        (ShapeError("x"), 2),
        (ToolMissing("uv", hint="x"), 4),
        (ToolFailed("uv", "x"), 4),
        (BuildFailed("c", "x"), 4),
    ],
)
def test_every_kind_of_error_has_its_exit_code(error: Exception, code: int) -> None:
    assert exit_code(error) == code  # type: ignore[arg-type]


def test_results_go_to_stdout_and_problems_to_stderr() -> None:
    """So that a pipe carries the result and nothing else."""
    assert run("check", RIGHT).stderr == ""
    wrong = run("check", WRONG)
    assert (wrong.stdout, "the host is no component" in wrong.stderr) == ("", True)


def test_json_of_a_failure_is_whole_and_alone_on_stdout() -> None:
    data = json.loads(run("check", WRONG, "--json").stdout)
    assert data["error"]["code"] == "manifest"
    (problem,) = data["error"]["problems"]
    assert (problem["line"], problem["column"], problem["path"]) == (7, 53, "edges[0].fused")


def test_nothing_but_plain_text_is_written_to_a_pipe() -> None:
    command = [sys.executable, "-m", "ringfence_composer.cli", "check", WRONG]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, b"\x1b" in done.stdout + done.stderr) == (3, False)


def test_text_of_strangers_is_escaped() -> None:
    """An escape sequence in a file or from a guest could rewrite what a developer reads."""
    assert printable("a\x1b[2J\u202e\u200b\x9bb\n\u2028ü 漢") == "a\\x1b[2J\\u202e\\u200b\\x9bb\n\\u2028ü 漢"


def test_a_guest_error_is_told_by_its_wit_names() -> None:
    function = FunctionType((("id", Primitive("string")),), ResultOf(None, FAILURE))
    data = error_data(GuestError("vendor.get", Case("unavailable", "no \x1b[31m")), function)["error"]
    assert data["code"] == "guest-error"
    assert data["value"] == {"unavailable": "no \x1b[31m"}
    assert data["message"] == 'vendor.get answered {"unavailable": "no \\u001b[31m"}'
    assert error_data(GuestError("vendor.get", Case("not-found")), function)["error"]["value"] == "not-found"


def test_a_denial_carries_the_guests_own_error() -> None:
    denial = Denial(node="a", edge="application -> a", kind="tcp", operation="connect to", value="1.2.3.4:5", reason="no", allow="tcp: [x]")
    error = CapabilityDenied([denial])
    error.__cause__ = GuestError("a.f", Case("not-found"))
    data = error_data(error, FunctionType((), ResultOf(None, FAILURE)))["error"]
    assert data["denials"][0]["value"] == "1.2.3.4:5"
    assert data["cause"]["value"] == "not-found"


def test_the_help_lists_every_command_once() -> None:
    """The sections are the only list there is: what stands in none is no command."""
    shown = run("--help").stdout
    for name in compose.commands:
        assert shown.count(f"\n  {name} ") == 1, name
    assert set(compose.commands) >= {"up", "check", "plan", "show", "build", "inspect", "explain", "run", "new", "dev", "doctor"}
