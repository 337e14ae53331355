"""In a shell: what Tab offers, what a pipe gets, what colours obey, and that nobody ever reads a traceback."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from case import compose_right
from click.testing import CliRunner
from places import ROOT
from ringfence.contract.errors import RingfenceError
from ringfence.contract.schemas import schema
from ringfence_composer.cli import compose, exit_code, graphs

CASES = ROOT / "tests" / "cases"
WRONG, RIGHT = str(CASES / "fused-to-host" / "graph.yaml"), str(CASES / "right-smallest" / "graph.yaml")
SCRIPTS = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])}
COLOUR = re.compile(rb"\x1b\[[0-9;]*3[0-7][0-9;]*m")


# Completion


@pytest.fixture(scope="session")
def completed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a graph composed on each lane."""
    folder = tmp_path_factory.mktemp("completed")
    for lane in ("core", "component"):
        compose_right(folder / lane, lane)  # type: ignore[arg-type]
    return folder


def offered(folder: Path, *words: str) -> set[str]:
    """What the shell's script would get for these words, the last of them unfinished."""
    environment = {
        **ENVIRONMENT,
        "COMP_WORDS": " ".join(("compose", *words)),
        "COMP_CWORD": str(len(words)),
        "_COMPOSE_COMPLETE": "bash_complete",
    }
    done = subprocess.run([SCRIPTS / "compose"], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


def test_commands_and_graphs_are_offered_first(completed: Path) -> None:
    assert {"plain,check", "plain,run", "plain,plan"} <= offered(completed / "core", "")
    assert offered(completed / "core", "gra") == {"plain,graph.yaml"}


@pytest.mark.parametrize("command", ["check", "plan", "run", "up", "show"])
def test_graphs_are_offered_where_a_command_takes_one(completed: Path, command: str) -> None:
    assert offered(completed / "core", command, "") == {"plain,graph.yaml"}
    assert offered(completed, command, "core/gr") == {"plain,core/graph.yaml"}


def test_where_no_graph_is_the_shell_completes_files(completed: Path) -> None:
    assert offered(completed, "check", "co") == {"file,co"}


@pytest.mark.parametrize("lane", ["core", "component"])
def test_functions_of_a_composed_graph_are_offered_by_their_shortest_names(completed: Path, lane: str) -> None:
    """Those that expose leaves out are not, and what two interfaces have is told apart."""
    everything = offered(completed / lane, "run", "graph.yaml", "")
    assert {
        "plain,calls.say",
        "plain,calls.store.put",
        "plain,calls.archive.put",
        "plain,calls.cursor.next",
        "plain,part.say",
    } <= everything
    assert not {"plain,calls.put", "plain,part.add", "plain,hidden.say"} & everything
    assert offered(completed / lane, "run", "graph.yaml", "calls.ma") == {"plain,calls.many", "plain,calls.mark", "plain,calls.maybe"}


def test_every_function_that_is_offered_can_be_called_by_that_name(completed: Path) -> None:
    from ringfence import Graph

    with Graph.load(completed / "core" / "graph.yaml") as graph:
        for name in offered(completed / "core", "run", "graph.yaml", ""):
            graph.find(name.removeprefix("plain,"))


def test_parameters_are_offered(completed: Path) -> None:
    assert offered(completed / "core", "run", "graph.yaml", "calls.say", "hi", "--param", "") == {"plain,vendor="}


@pytest.mark.parametrize("spoil", [b"", b"{}", b"[", b'{"digest": 5}', None])
def test_a_graph_without_a_right_lock_offers_nothing_and_says_nothing(tmp_path: Path, completed: Path, spoil: bytes | None) -> None:
    shutil.copytree(completed / "core", tmp_path / "graph")
    lock = tmp_path / "graph" / "graph.lock.json"
    lock.unlink() if spoil is None else lock.write_bytes(spoil)
    assert offered(tmp_path / "graph", "run", "graph.yaml", "") == set()
    assert offered(tmp_path / "graph", "run", "graph.yaml", "x", "--param", "") == set()


def test_bash_completes_with_the_script(completed: Path) -> None:
    script = (
        'eval "$(compose completion bash)"; complete -p compose >/dev/null; '
        "COMP_WORDS=(compose run graph.yaml calls.sa); COMP_CWORD=3; _compose_completion compose; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "-euc", script], cwd=completed / "core", env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "calls.say\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    done = CliRunner().invoke(compose, ["completion", shell])
    assert (done.exit_code, f"_COMPOSE_COMPLETE={shell}_complete" in done.stdout) == (0, True)


# Editors


@pytest.mark.parametrize("name", ["graph", "component"])
def test_the_schema_is_printed_for_editors(name: str) -> None:
    done = CliRunner().invoke(compose, ["schema", name])
    assert json.loads(done.stdout) == schema(name, "ringfence_composer")


# Programs


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (["check", RIGHT], {"graph", "problems", "nodes", "links", "order"}),
        (["plan", "GRAPH"], {"graph", "nodes"}),
        (["inspect", "GRAPH/../calls.wasm"], {"imports", "built_by"}),
        (["show", RIGHT], {"graph"}),
    ],
)
def test_results_come_as_json_in_one_line(completed: Path, words: list[str], keys: set[str]) -> None:
    """And nothing besides, on either stream."""
    words = [os.path.normpath(word.replace("GRAPH", str(completed / "core" / "graph.yaml"))) if "GRAPH" in word else word for word in words]
    done = CliRunner().invoke(compose, [*words, "--json"])
    assert (done.exit_code, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    assert keys <= json.loads(done.stdout).keys()


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["check", WRONG], "manifest", 3),
        (["check", "--nope", WRONG], "usage", 2),
        (["plan"], "usage", 2),
        (["plan", WRONG, "--lane", "fast"], "usage", 2),
        (["run", WRONG, "a.b"], "manifest", 3),
        (["inspect", "no/such.wasm"], "input", 3),
        (["chekc", WRONG], "usage", 2),
    ],
)
def test_errors_come_as_json_on_stdout_and_as_text_on_stderr(words: list[str], code: str, exit_code: int) -> None:
    """A script reads stdout whatever happens; a person reads stderr all the same."""
    done = CliRunner().invoke(compose, [*words, "--json"])
    assert done.exit_code == exit_code
    error = json.loads(done.stdout)["error"]
    assert (error["code"], bool(error["message"]), bool(done.stderr)) == (code, True, True)


# Terminals and pipes


def on_a_terminal(*words: str, typed: bytes = b"", **environment: str) -> bytes:
    """What a command writes to a terminal, both streams; `typed` is what somebody answers."""
    ours, theirs = pty.openpty()
    try:
        env = {
            **{key: value for key, value in ENVIRONMENT.items() if key != "NO_COLOR"},
            "TERM": "xterm-256color",
            "COLUMNS": "100",
            **environment,
        }
        process = subprocess.Popen([SCRIPTS / "compose", *words], stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        os.write(ours, typed)
        written = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux's way to say that the other end is closed
                break
            if not part:
                break
            written += part
        process.wait(timeout=60)
        return written
    finally:
        os.close(ours)


def test_a_terminal_gets_colours_unless_no_color_is_set() -> None:
    """https://no-color.org: any value that is not empty."""
    assert COLOUR.search(on_a_terminal("check", WRONG))
    plain = on_a_terminal("check", WRONG, NO_COLOR="1")
    assert not COLOUR.search(plain)
    assert b"the host is no component" in plain


def test_a_terminal_shows_what_is_going_on_and_a_pipe_does_not() -> None:
    assert b"checking graph.yaml" in on_a_terminal("check", RIGHT)
    done = subprocess.run([SCRIPTS / "compose", "check", RIGHT], env=ENVIRONMENT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == f"{RIGHT}: 2 nodes, 1 edge: no problems found\n".encode()


def test_json_stays_json_on_a_terminal() -> None:
    """A long line is not wrapped, and what a terminal was told meanwhile is not part of it."""
    lines = on_a_terminal("check", WRONG, "--json", NO_COLOR="1").replace(b"\r", b"").split(b"\n")
    assert any(line.startswith(b'{"error"') and json.loads(line) for line in lines)


def test_a_pipe_that_is_closed_early_is_no_error() -> None:
    """`compose schema graph | head -1`."""
    command = "compose schema graph | head -1; exit ${PIPESTATUS[0]}"
    done = subprocess.run(["bash", "-c", command], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")


# The edge


@pytest.mark.parametrize("as_json", [False, True])
def test_a_defect_is_told_as_one_and_its_traceback_is_kept_for_the_report(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    def broken(*_: object) -> None:
        raise KeyError("surprise \x1b[31m")

    monkeypatch.setattr(graphs, "check_file", broken)
    done = CliRunner().invoke(compose, ["check", RIGHT, *(["--json"] if as_json else [])])
    assert done.exit_code == 4
    assert "Traceback" not in done.output
    assert "\x1b" not in done.output
    assert "internal error: KeyError" in done.stderr
    found = re.search(r"please report it with (\S+)", done.stderr)
    assert found
    kept = Path(found[1])
    assert "Traceback" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.unlink()
    if as_json:
        assert json.loads(done.stdout)["error"]["code"] == "internal"


def test_ctrl_c_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(graphs, "check_file", interrupted)
    done = CliRunner().invoke(compose, ["check", RIGHT])
    assert (done.exit_code, "Aborted" in done.stderr, "internal" in done.stderr) == (1, True, False)


def test_every_command_says_what_it_is_for_in_a_few_words() -> None:
    with click.Context(compose) as context:
        for name in compose.list_commands(context):
            command = compose.get_command(context, name)
            assert command is not None
            assert command.short_help, name
            assert len(command.short_help) < 70, name


# Exit codes


def classes(root: type[RingfenceError]) -> Iterator[type[RingfenceError]]:
    """An error's class and all below it."""
    yield root
    for one in root.__subclasses__():
        yield from classes(one)


def test_the_reference_has_the_exit_code_of_every_error() -> None:
    """Scripts decide by it. What can't end a command is left out: those of wrapped libraries, in an application, among them."""
    table = re.findall(r"^\| (\d) \|[^|]*\|([^|]*)\|$", (ROOT / "docs" / "reference.md").read_text(), re.MULTILINE)
    told = {name: int(code) for code, names in table for name in re.findall(r"`([a-z-]+)`", names)}
    ours = [one for one in classes(RingfenceError) if re.match(r"ringfence(?!\.objects)", one.__module__)]
    found = {one.code: exit_code(one.__new__(one)) for one in ours}
    assert told == {code: number for code, number in found.items() if code not in ("error", "composer", "substitute")}


@pytest.mark.parametrize(("typed", "written"), [(b"y\n", True), (b"n\n", False), (b"\n", False)])
def test_a_fix_is_written_if_somebody_says_yes(completed: Path, tmp_path: Path, typed: bytes, written: bool) -> None:
    folder = tmp_path / "it"
    shutil.copytree(completed / "core", folder)
    denial = {
        "node": "calls",
        "edge": "application -> calls",
        "kind": "env",
        "operation": "o",
        "value": "v",
        "reason": "r",
        "allow": "env: [A]",
    }
    (folder / "denials.json").write_text(json.dumps({"denials": [denial]}))
    shown = on_a_terminal("fix", str(folder / "graph.yaml"), "--denials", str(folder / "denials.json"), typed=typed)
    assert b"write this into the graph? [y/N]:" in shown
    assert b"env: [A]" in shown
    assert ("env: [A]" in (folder / "graph.yaml").read_text()) == written
