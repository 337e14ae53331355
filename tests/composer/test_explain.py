"""`compose explain`: every error code has an explanation, and every line of a graph.yaml means something."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import ringfence
import ringfence_composer
from click.testing import CliRunner, Result
from ringfence.contract.errors import RingfenceError
from ringfence_composer.cli import compose
from ringfence_composer.explanations import EXPLANATIONS, explained

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "manifests" / "shop" / "graph.yaml"
LAYERS = ROOT / "tests" / "cases" / "right-layers" / "graph.yaml"
DELEGATION = ROOT / "tests" / "cases" / "right-delegation" / "graph.yaml"


def explain(*words: str) -> Result:
    return CliRunner().invoke(compose, ["explain", *words], catch_exceptions=False)


def line_of(file: Path, text: str) -> str:
    """`graph.yaml:23` of the first line that holds this text."""
    number = next(number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)
    return f"{file}:{number}"


def every_error() -> set[type[RingfenceError]]:
    """All classes of both trees, wherever in the two distributions they stand."""
    for package in (ringfence, ringfence_composer):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return {one for one in tree(RingfenceError) if one.__module__.startswith(("ringfence.", "ringfence_composer."))}


def tree(error: type[RingfenceError]) -> Iterator[type[RingfenceError]]:
    yield error
    for below in error.__subclasses__():
        yield from tree(below)


# Codes


def test_every_error_of_both_distributions_is_explained() -> None:
    """A code that a user reads in a message and finds nowhere is a dead end."""
    assert every_error() == set(EXPLANATIONS)


def test_every_error_has_a_code_of_its_own() -> None:
    """An inherited code would send its reader to another error's explanation."""
    assert {one.__name__ for one in every_error() if "code" not in vars(one)} == set()
    assert len({one.code for one in every_error()}) == len(every_error())


def test_every_explanation_is_whole_sentences() -> None:
    for error, one in EXPLANATIONS.items():
        for text in (one.meaning, one.cause, one.remedy):
            assert text[0].isupper(), (error, text)
            assert text.endswith("."), (error, text)


@pytest.mark.parametrize("word", ["denied", "CapabilityDenied", "capability-denied", "DENIED"])
def test_an_error_is_found_by_its_code_and_its_name(word: str) -> None:
    result = explain(word)
    assert result.exit_code == 0
    assert result.stdout.startswith("denied  CapabilityDenied\n")
    for title in ("meaning", "cause", "remedy"):
        assert f"\n  {title}" in result.stdout


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("denyed", "did you mean denied?"),
        ("tol-missing", "did you mean tool-missing?"),
        ("zzz", "compose explain lists all codes"),
        ("g.yaml", "name it: g.yaml:1"),
    ],
)
def test_an_unknown_code_gets_the_nearest_one(word: str, hint: str) -> None:
    result = explain(word)
    assert (result.exit_code, result.stdout) == (2, "")
    assert hint in result.stderr


def test_without_an_argument_all_codes_are_listed() -> None:
    lines = explain().stdout.splitlines()
    assert [line.split()[0] for line in lines] == [one.code for one in EXPLANATIONS]
    assert [one["code"] for one in json.loads(explain("--json").stdout)] == [one.code for one in EXPLANATIONS]
    assert json.loads(explain("denied", "--json").stdout)[0]["remedy"] == explained("denied").explanation.remedy


# Lines


def test_a_grants_line_says_what_it_allows_and_what_would_be_denied() -> None:
    shown = explain(line_of(SHOP, "tcp:")).stdout
    assert "+ connect to 127.0.0.1, port 8017 (parameter vendor)  graph.yaml:33" in shown
    assert "tcp opens wasi:sockets/tcp, wasi:sockets/tcp-create-socket" in shown
    assert "without it connecting ends in access-denied" in shown
    assert "VENDOR_TOKEN" not in shown
    assert "2 more on this edge" in shown


@pytest.mark.parametrize("text", ["- from: vendor", "to: host", "    grant:"])
def test_an_edges_own_lines_say_all_of_it(text: str) -> None:
    (told,) = json.loads(explain(line_of(SHOP, text), "--json").stdout)
    assert told["subject"] == "edge vendor -> host"
    assert [one["kind"] for one in told["grants"]] == ["tcp", "env", "env"]


def test_what_can_exfiltrate_is_said() -> None:
    assert "it lets data out to names of the guest's choice" in explain(line_of(LAYERS, "tcp:")).stdout
    assert "guest's choice" not in explain(line_of(SHOP, "tcp:")).stdout


def test_an_edge_between_nodes_says_which_functions_and_what_breaks_without_it() -> None:
    shown = explain(line_of(LAYERS, "from: client, to: layer")).stdout
    assert "client may call layer, which gives it demo:store/store@1.0.0." in shown
    assert "Only get, walk, walk.next; calling any other function of it is denied." in shown
    assert "at most: deadline 500ms" in shown
    assert "Without this edge nothing satisfies client's import" in shown


def test_an_edge_says_what_it_passes_on_and_what_is_tried_in_vain() -> None:
    shown = explain(line_of(DELEGATION, "from: client")).stdout
    assert "Known to be tried in vain, and denied without further notice: connect to telemetry.example, port 443; read .pgpass" in shown
    assert "telemetry" not in explain(line_of(DELEGATION, 'tcp: ["10.0.0.0/8:*"')).stdout
    shown = explain(line_of(DELEGATION, "to: store")).stdout
    assert "Called through this edge, and only then, it also has of client's: connect to 10.2.3.4, port 80; " in shown


def test_a_node_says_what_it_is_who_calls_it_and_what_it_was_granted() -> None:
    shown = explain(line_of(LAYERS, "layer: {")).stdout
    for expected in ("demo:layer/layer", "built from python", "pooled", "edges share them", "memory 64MiB"):
        assert expected in shown
    for expected in ("Called by client, the application.", "It calls store.", "Nothing is granted to it"):
        assert expected in shown


def test_parameters_and_exposed_nodes_are_explained() -> None:
    parameter = explain(line_of(SHOP, "within:")).stdout
    assert "It must lie within 127.0.0.1:*; any other value is refused." in parameter
    assert "It stands in vendor -> host: connect to 127.0.0.1" in parameter
    client, layer = json.loads(explain(line_of(LAYERS, "expose:"), "--json").stdout)
    assert client["subject"] == "expose client"
    assert "An application may call layer: tick." in layer["sentences"]
    assert "No other function of it." in layer["sentences"]


def test_every_line_of_the_shop_is_explained_or_told_to_be_empty() -> None:
    """Whatever a reader points at gets an answer; comments and blank lines get the next thing below."""
    for number, line in enumerate(SHOP.read_text().splitlines(), 1):
        result = explain(f"{SHOP}:{number}")
        written = bool(line.partition("#")[0].strip())
        assert result.exit_code == (0 if written else 3), line
        assert written or "nothing is written there" in result.stderr


@pytest.mark.parametrize(("place", "code"), [("no-such.yaml:3", 3), (f"{SHOP}:0", 3), (f"{SHOP}:999", 3), (f"{SHOP}:14:5", 0)])
def test_places_that_are_not_there(place: str, code: int) -> None:
    assert explain(place).exit_code == code


def test_a_graph_with_problems_is_told_of_them_instead() -> None:
    result = explain(f"{ROOT / 'tests' / 'cases' / 'cycle' / 'graph.yaml'}:5")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "circle" in result.stderr
