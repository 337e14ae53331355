"""`compose new`: what it writes works at once, and it writes over nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ringfence import Graph
from ringfence_composer import new as stage
from ringfence_composer.build import BUILDERS
from ringfence_composer.cli import compose
from ringfence_composer.compose import Workshop, check_file
from ringfence_composer.errors import WitInvalid
from ringfence_composer.new import RUST_WORDS, WIT_WORDS, languages
from ringfence_composer.toolchain import Toolchain, Wit

WIT = "package example:{0}@0.1.0; interface greetings {{ greet: func(); }} world {0} {{ export greetings; }}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*words: str) -> Result:
    return CliRunner().invoke(compose, ["new", *words], catch_exceptions=False)


def test_a_new_graph_and_a_new_component_pass_their_tests_from_an_empty_folder(here: Path) -> None:
    """Built, composed and called for real: somebody's first minute with this program, in every language."""
    assert new("--graph", "shop2").stdout == "shop2\n"
    things = [f"thing-in-{language}" for language in languages()]
    for language, thing in zip(languages(), things, strict=True):
        assert new("--language", language, thing).stdout == f"{thing}\n"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "shop2", *things]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout
    assert f"{3 + len(things)} passed" in done.stdout


@pytest.mark.parametrize("language", [one for one in languages() if one != "python"])
def test_a_new_component_is_built_from_a_fresh_folder_and_called_from_a_graph(language: str, here: Path) -> None:
    """By the commands as somebody types them, each a process of its own."""

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "ringfence_composer.cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("new", "--language", language, "greeter")
    built = run("build", "greeter").split()
    assert Path(built[0]).read_bytes().startswith(b"\0asm")
    (here / "graph.yaml").write_text("ringfence: 1\ngraph: hello\nnodes: { greeter: { component: greeter } }\nexpose: [greeter]\n")
    run("graph.yaml")
    assert json.loads((here / "graph.lock.json").read_bytes())["artifacts"][0]["digest"] == built[1]
    with Graph.load("graph.yaml") as graph:
        assert graph.call("greeter.greet", "Ada") == "Hello, Ada!"


@pytest.mark.parametrize("language", languages())
def test_nothing_of_the_template_is_left(language: str, here: Path) -> None:
    new("--language", language, "my-thing")
    new("--graph", "my-graph", "--language", language)
    for file in [one for one in here.rglob("*") if one.is_file()]:
        for left in ("new-thing", "new_thing", "new-graph", "new_graph"):
            assert left not in str(file) + file.read_text()
    assert (here / "my-thing" / "tests" / "test_my_thing.py").is_file()
    assert (here / "my-thing" / ".gitignore").read_text() == (here / "my-graph" / ".gitignore").read_text()
    check_file(here / "my-graph" / "graph.yaml", Workshop())


def test_every_language_with_a_builder_has_a_template() -> None:
    assert set(languages()) == {*BUILDERS, "cpp"}


@pytest.mark.parametrize("kind", ["folder", "empty folder", "file", "link to nowhere"])
def test_nothing_is_written_over(kind: str, here: Path) -> None:
    target = here / "thing"
    if kind.endswith("folder"):
        target.mkdir()
    if kind == "folder":
        (target / "mine").write_text("mine")
    if kind == "file":
        target.write_text("mine")
    if kind == "link to nowhere":
        target.symlink_to("nowhere")
    before = sorted(here.rglob("*"))
    for words in (["--language", "python", "thing"], ["--graph", "thing"]):
        result = new(*words)
        assert (result.exit_code, result.stdout) == (3, "")
        assert "thing: there is something of that name already" in result.stderr
    assert sorted(here.rglob("*")) == before


def test_half_a_folder_is_never_left(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = stage.write_tree

    def fails(files: dict[str, bytes], folder: Path) -> None:
        honest(dict(list(files.items())[:2]), folder)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stage, "write_tree", fails)
    result = new("--language", "python", "thing")
    assert (result.exit_code, "No space left on device" in result.stderr) == (3, True)
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    "name", ["Thing", "thing_2", "2thing", "-thing", "th ing", "a" * 64, "thing-", "th\x1bing", "host", "application", "world"]
)
def test_a_name_that_nothing_can_be_called_is_refused(name: str, here: Path) -> None:
    result = new("--language", "python", "--", name)
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr
    assert not list(here.iterdir())


@pytest.mark.parametrize(("language", "name"), [("rust", "loop"), ("rust", "anyhow"), ("c", "greetings"), ("rust", "greetings")])
def test_a_name_by_which_the_template_would_not_build_is_refused(language: str, name: str, here: Path) -> None:
    """What is written builds at once, or is not written."""
    result = new("--language", language, name)
    assert (result.exit_code, list(here.iterdir())) == (2, [])
    assert result.stderr.startswith(f"error: {name} is ")
    for other in ("loop", "anyhow"):
        assert new("--language", "c", other).exit_code == 0, "the control"


def test_the_words_of_rust_are_those_that_its_compiler_refuses(tmp_path: Path) -> None:
    for word in sorted({*RUST_WORDS, "auto", "union"}):
        (tmp_path / "a.rs").write_text(f"pub mod {word} {{}}\n")
        command = ["rustc", "--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "-o", "a.rmeta", "a.rs"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode == 0) == (word not in RUST_WORDS), word


@pytest.mark.parametrize("name", ["stdlib", "math", "time"])
@pytest.mark.parametrize("language", ["c", "cpp"])
def test_a_component_that_is_called_like_a_header_is_built(language: str, name: str, here: Path) -> None:
    """Its own header has that name, and C's library is still found."""
    new("--language", language, name)
    built = CliRunner().invoke(compose, ["build", name], catch_exceptions=False)
    assert built.exit_code == 0, built.stderr


@pytest.mark.parametrize("words", [["thing"], ["--language", "cobol", "thing"], ["--graph"], []])
def test_what_is_to_be_written_must_be_said(words: list[str], here: Path) -> None:
    assert new(*words).exit_code == 2
    assert not list(here.iterdir())


def test_a_place_that_is_not_there_is_an_error(here: Path) -> None:
    assert new("--language", "python", "no/such/thing").exit_code == 3


def test_the_words_of_wit_are_those_that_the_official_parser_refuses(tmp_path: Path) -> None:
    """The list is ours; the parser is the truth."""
    toolchain, file = Toolchain(), tmp_path / "w.wit"
    for word in sorted(WIT_WORDS):
        file.write_text(WIT.format(word))
        with pytest.raises(WitInvalid, match="keyword"):
            toolchain.world(Wit(path=file, world=word))
    for word in ("thing", "thing-2", "a1", "self", "method", "worlds"):
        file.write_text(WIT.format(word))
        assert toolchain.world(Wit(path=file, world=word)).name == word
