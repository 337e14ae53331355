"""`compose dev`: composed again when an input changes and at no other time, and nothing is left running."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ringfence.contract.names import digest_of
from ringfence_composer import dev as stage
from ringfence_composer.dev import inputs_of
from ringfence_composer.errors import ToolFailed

ROOT = Path(__file__).parents[2]
SOON = 60.0
"""Seconds that something may take on a busy machine."""


@pytest.fixture
def graph(tmp_path: Path, words: bytes) -> Path:
    (tmp_path / "words.wasm").write_bytes(words)
    text = f'ringfence: 1\ngraph: words\nnodes: {{ words: {{ component: words.wasm, digest: "{digest_of(words)}" }} }}\nexpose: [words]\n'
    (tmp_path / "graph.yaml").write_text(text)
    return tmp_path / "graph.yaml"


class Dev:
    """A running `compose dev` with what it has said."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._log = folder / "said.txt"
        command = [sys.executable, "-m", "ringfence_composer.cli", "dev", *words]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    @property
    def said(self) -> str:
        return self._log.read_text()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something; fails with all that was said where it does not come, or the program ends before."""
        deadline = time.monotonic() + SOON
        while not holds():
            assert self.process.poll() is None, f"it ended\n{self.said}"
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(SOON)


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Callable[..., Dev]]:
    started: list[Dev] = []

    def start(*words: str) -> Dev:
        started.append(Dev(tmp_path, *words))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGTERM)


NOTES = """import os, pathlib, sys
with open("runs.txt", "a") as file:
    file.write(f"{os.getpid()}\\n")
"""
STAYS = f"{NOTES}import time\nwhile True: time.sleep(0.1)\n"
"""A command that notes each of its runs, and one that then stays."""


def runs(folder: Path) -> list[int]:
    file = folder / "runs.txt"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def once(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ringfence_composer.cli", "dev", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SOON)


# Once


def test_once_composes_and_calls(graph: Path) -> None:
    done = once(graph.parent, "graph.yaml", "--once", "words.count", "four words, twenty-one letters")
    assert (done.returncode, done.stdout) == (0, "30\n")
    assert "composed graph.lock.json" in done.stderr


def test_once_gives_the_commands_own_exit_code_and_words(graph: Path) -> None:
    """The words after -- are the user's, options included."""
    code = "import sys; print(sys.argv[1:]); sys.exit(7)"
    done = once(graph.parent, "graph.yaml", "--once", "--", sys.executable, "-c", code, "--json", "-x", "--")
    assert (done.returncode, done.stdout) == (7, "['--json', '-x', '--']\n")


def test_once_runs_nothing_on_a_graph_that_does_not_hold(graph: Path) -> None:
    graph.write_text(graph.read_text() + "edges: [{ from: nobody, to: words }]\n")
    done = once(graph.parent, "graph.yaml", "--once", "--", sys.executable, "-c", NOTES)
    assert done.returncode == 3
    assert "there is no node 'nobody'" in done.stderr
    assert runs(graph.parent) == []


def test_a_command_that_is_not_there_is_an_error(graph: Path) -> None:
    done = once(graph.parent, "graph.yaml", "--", "no-such-command")
    assert (done.returncode, "no-such-command is not installed" in done.stderr) == (4, True)


def test_a_function_and_a_command_at_once_are_a_usage_error(graph: Path) -> None:
    assert once(graph.parent, "graph.yaml", "words.count", "--", "true").returncode == 2


# Watching


def test_a_change_composes_and_runs_again_an_error_waits_and_ctrl_c_ends_it_all(graph: Path, dev: Callable[..., Dev]) -> None:
    """The whole of a working day: run, edit, slip, mend, stop."""
    work, good = dev("graph.yaml", "--", sys.executable, "-c", STAYS), graph.read_text()
    work.until(lambda: len(runs(graph.parent)) == 1 and "watching" in work.said)
    graph.write_text(good.replace("graph: words", "graph: other"))
    work.until(lambda: len(runs(graph.parent)) == 2)
    first, second = runs(graph.parent)
    assert not alive(first)
    work.until(lambda: work.said.count("watching") == 2)

    graph.write_text(good.replace("expose: [words]", "expose: [wrods]"))
    work.until(lambda: work.said.count("watching") == 3)
    assert "did you mean words?" in work.said
    assert runs(graph.parent) == [first, second]
    assert alive(second)  # it goes on with what was composed last

    graph.write_text(good)
    work.until(lambda: len(runs(graph.parent)) == 3)
    last = runs(graph.parent)[-1]
    work.until(lambda: work.said.count("watching") == 4)
    assert work.end() == 0
    assert not alive(second)
    assert not alive(last)
    assert "Traceback" not in work.said


def test_what_the_command_writes_beside_the_graph_sets_nothing_going(graph: Path, dev: Callable[..., Dev]) -> None:
    """Else a command that writes a log would run for ever; so would the lock that composing itself writes."""
    work = dev("graph.yaml", "--", sys.executable, "-c", NOTES)
    work.until(lambda: "the command ended with exit code 0" in work.said)
    for number in range(5):
        (graph.parent / f"scratch-{number}").write_text("x")
        time.sleep(0.2)
    time.sleep(1.5)
    assert len(runs(graph.parent)) == 1
    assert "changed:" not in work.said
    graph.write_text(graph.read_text() + "\n")  # positive control
    work.until(lambda: len(runs(graph.parent)) == 2)


def test_further_files_count_where_they_are_named(graph: Path, dev: Callable[..., Dev]) -> None:
    """The application's own sources, say."""
    (graph.parent / "app").mkdir()
    work = dev("graph.yaml", "--watch", "app", "--", sys.executable, "-c", NOTES)
    work.until(lambda: "watching" in work.said and len(runs(graph.parent)) == 1)
    (graph.parent / "app" / "main.py").write_text("print()")
    work.until(lambda: len(runs(graph.parent)) == 2)
    assert f"changed: {Path('app') / 'main.py'}" in work.said


def test_a_burst_of_changes_is_one_change(graph: Path, dev: Callable[..., Dev]) -> None:
    work, good = dev("graph.yaml", "--", sys.executable, "-c", NOTES), graph.read_text()
    work.until(lambda: "the command ended" in work.said)
    for number in range(12):
        graph.write_text(good + "\n" * number)
        time.sleep(0.01)
    work.until(lambda: len(runs(graph.parent)) > 1)
    work.until(lambda: work.said.count("the command ended") == work.said.count("composed"))
    time.sleep(1.0)
    assert len(runs(graph.parent)) <= 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_however_it_ends_the_command_and_its_children_end_with_it(
    number: signal.Signals, code: int, graph: Path, dev: Callable[..., Dev]
) -> None:
    """They are in a group of their own, so nothing else would end them: also not a shell that ignores being asked."""
    script = f'trap "" TERM; echo $$ >> runs.txt; {shutil.which("sleep")} 300 & echo $! >> runs.txt; wait'
    work = dev("graph.yaml", "--", "sh", "-c", script)
    work.until(lambda: len(runs(graph.parent)) == 2 and "watching" in work.said)
    assert all(alive(pid) for pid in runs(graph.parent))
    assert work.end(number) == code
    assert not any(alive(pid) for pid in runs(graph.parent))


def test_what_a_command_leaves_running_ends_when_it_ends(graph: Path, dev: Callable[..., Dev]) -> None:
    work = dev("graph.yaml", "--", "sh", "-c", f"{shutil.which('sleep')} 300 & echo $! >> runs.txt")
    work.until(lambda: "the command ended with exit code 0" in work.said)
    (pid,) = runs(graph.parent)
    work.until(lambda: not alive(pid))


def test_a_signal_while_the_command_starts_waits_until_it_is_known() -> None:
    """Between its start and our knowing of it, nobody could end it."""
    came = []
    with pytest.raises(KeyboardInterrupt), stage._Signals() as signals, signals.held():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)  # the handler runs here
        came.append("known")
    assert came == ["known"]
    assert signals.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_system_that_lets_nothing_be_watched_is_an_error(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux has a limit for it, which editors use up."""

    def limited(*_: object, **__: object) -> Iterator[None]:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(stage, "watch", limited)
    with pytest.raises(ToolFailed, match="watching files: OS file watch limit reached"):
        stage.Development(graph, lambda: 0, [], lambda _: None).watch()


# Inputs


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for part in ("components", "wit"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copytree(
        ROOT / "manifests" / "shop", tmp_path / "manifests" / "shop", ignore=shutil.ignore_patterns(".ringfence", "*.lock.json")
    )
    return tmp_path / "manifests" / "shop" / "graph.yaml"


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("manifests/shop/graph.yaml", True),
        ("components/vendor-client/component.yaml", True),
        ("components/vendor-client/src/vendor.py", True),
        ("components/vendor-client/src/new/module.py", True),
        ("components/vendor-client/wit/world.wit", True),
        ("wit/json/decoder.wit", True),
        ("manifests/shop/graph.lock.json", False),
        ("manifests/shop/.ringfence/sha256/abc", False),
        ("manifests/shop/demo.py", False),
        ("components/vendor-client/src/__pycache__/vendor.pyc", False),
        ("components/vendor-client/src/.vendor.py.swp", False),
        ("components/vendor-client/src/vendor.py~", False),
    ],
)
def test_an_input_is_what_a_build_reads(path: str, counts: bool, shop: Path, tmp_path: Path) -> None:
    before, file = inputs_of(shop), tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as opened:
        opened.write("\n")
    assert inputs_of(shop).changed(before) == ([file] if counts else [])


def test_the_folders_of_all_inputs_are_watched(shop: Path, tmp_path: Path) -> None:
    folders = {one.relative_to(tmp_path).as_posix() for one in inputs_of(shop).folders}
    assert {
        "manifests/shop",
        "components/vendor-client",
        "components/vendor-client/src",
        "components/json-decoder/wit",
        "wit/json",
    } <= folders
    before = inputs_of(shop)
    (tmp_path / "components" / "vendor-client" / "src" / "empty").mkdir()
    assert inputs_of(shop).folders != before.folders


def test_a_file_that_is_missing_is_waited_for(shop: Path, tmp_path: Path) -> None:
    """A graph may name a component that is about to be written; the change that mends it must be seen."""
    shutil.rmtree(tmp_path / "components" / "json-decoder")
    before = inputs_of(shop)
    assert tmp_path / "components" in before.folders
    (tmp_path / "components" / "json-decoder").mkdir()
    (tmp_path / "components" / "json-decoder" / "component.yaml").write_text("ringfence: 1\n")
    assert inputs_of(shop).changed(before)


@pytest.mark.parametrize("text", ["nodes: [", "ringfence: 1\nnodes: 3\n", "ringfence: 1\nnodes: { a: 1, b: { component: 2 } }\n", ""])
def test_a_graph_that_cannot_be_read_is_an_input_itself(text: str, tmp_path: Path) -> None:
    (tmp_path / "graph.yaml").write_text(text)
    found = inputs_of(tmp_path / "graph.yaml")
    assert list(found.files) == [tmp_path / "graph.yaml"]
    assert found.folders == {tmp_path}
