"""Components are built side by side: as many as there are cores, each shown while it lasts, and the errors of all told together."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from ringfence.contract.errors import ManifestError
from ringfence_composer import build as stage
from ringfence_composer.builders.base import BuildContext, ComponentSource
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.cli import compose
from ringfence_composer.compose import Workshop, check_file
from ringfence_composer.crew import Cores, side_by_side
from ringfence_composer.errors import BuildFailed, BuildsFailed
from ringfence_composer.reports.data import error_data
from ringfence_composer.reports.terminal import Terminal
from rust_guests import LOCKED, MANIFEST, needs_rust

WIT = "package test:{0};\ninterface probe {{ ask: func() -> u32; }}\nworld {0} {{ export probe; }}\n"
C = '#include "{0}.h"\nuint32_t exports_test_{0}_probe_ask(void) {{ return 1; }}\n'


def graph(folder: Path, **components: dict[str, str]) -> Path:
    """A graph of components that export one function; each is given as the files of its source, their endings telling the language."""
    for name, files in components.items():
        endings = {Path(one).suffix for one in files}
        language = "c" if ".c" in endings else "rust" if ".rs" in endings else "python"
        more = {"c": f"sources: [{', '.join(files)}]", "rust": "", "python": "module: app"}[language]
        lines = ["ringfence: 1", f"component: {name}", f"language: {language}", "wit: wit", f"world: {name}", "source: src", more]
        write_tree({path: text.encode() for path, text in files.items()}, folder / name / "src")
        write_tree({"wit/world.wit": WIT.format(name).encode(), "component.yaml": "\n".join(lines).encode()}, folder / name)
    nodes = ", ".join(f"{name}: {{ component: {name} }}" for name in components)
    text = f"ringfence: 1\ngraph: g\nnodes: {{ {nodes} }}\nexpose: [{', '.join(components)}]\n"
    (folder / "graph.yaml").write_text(text)
    return folder / "graph.yaml"


def build(file: Path, context: BuildContext) -> stage.BuiltGraph:
    return stage.build(check_file(file, Workshop()), context)


@needs_rust
def test_what_is_wrong_in_one_component_does_not_hide_what_is_wrong_in_others(tmp_path: Path, cache: Path) -> None:
    """Whoever mends the first error should not find the second by another run, and another."""
    rust = {"Cargo.toml": MANIFEST, "Cargo.lock": LOCKED, "src/lib.rs": "pub fn a() -> u8 { true }\n"}
    file = graph(
        tmp_path,
        one={"one.c": C.format("one") + "int f(void) { return x; }\n"},
        two=rust,
        three={"three.c": C.format("three") + "int 5;\n"},
    )
    with pytest.raises(ManifestError) as caught:
        build(file, BuildContext(cache=cache))
    places = sorted((Path(one.file).resolve().relative_to(tmp_path).as_posix(), one.line) for one in caught.value.problems)
    assert places == [("one/src/one.c", 3), ("three/src/three.c", 3), ("two/src/src/lib.rs", 1)]


def test_what_is_built_stays_though_another_component_cannot_be(tmp_path: Path, cache: Path) -> None:
    file = graph(tmp_path, good={"good.c": C.format("good")}, bad={"bad.c": "int 5;\n"})
    with pytest.raises(ManifestError):
        build(file, BuildContext(cache=cache))
    assert len(list(cache.glob("build/*/component.wasm"))) == 1


def test_errors_that_have_no_place_are_told_together_as_well(tmp_path: Path, cache: Path) -> None:
    elsewhere = "int elsewhere(void);\n" + C.replace("1;", "elsewhere();")
    file = graph(
        tmp_path,
        one={"one.c": elsewhere.format("one")},
        two={"two.c": elsewhere.format("two")},
        three={"three.c": "int 5;\n"},
    )
    result = CliRunner().invoke(compose, [str(file), "--cache", str(cache)], catch_exceptions=False)
    assert result.exit_code == 4
    for told in ("one: nothing defines elsewhere", "two: nothing defines elsewhere", "three/src/three.c:1:5", "1 problem found"):
        assert told in result.stderr
    assert not (tmp_path / "graph.lock.json").exists()
    with pytest.raises(BuildsFailed) as caught:
        build(file, BuildContext(cache=cache))
    data = json.loads(json.dumps(error_data(caught.value)))["error"]
    assert data["code"] == "builds-failed"
    assert sorted(one["code"] for one in data["failures"]) == ["build-failed", "build-failed", "manifest"]


class Meeting:
    """In the place of a language's builder: each build waits until another runs beside it."""

    def __init__(self, parties: int) -> None:
        self.barrier, self.most, self._now, self._lock = threading.Barrier(parties), 0, 0, threading.Lock()

    def check(self, _: ComponentSource) -> None:
        pass

    def build(self, component: ComponentSource, context: BuildContext) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        context.report(f"{component.name}: compiling")
        self.barrier.wait(timeout=60)
        with self._lock:
            self._now -= 1
        raise BuildFailed(component.name, "it was only a meeting")


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_as_many_components_are_built_at_once_as_there_are_cores(cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("one", "two", "three", "four")
    file = graph(tmp_path, **{name: {f"{name}.c": C.format(name)} for name in names})
    meeting, said = Meeting(cores), list[str]()
    monkeypatch.setattr(stage, "BUILDERS", {"c": meeting})
    with pytest.raises(BuildsFailed) as caught:
        build(file, BuildContext(cache=tmp_path, report=said.append, cores=Cores(cores)))
    assert [one.component for one in caught.value.failures] == sorted(names), "in the graph's order, whoever ended first"
    assert meeting.most == cores
    assert max(len(one.splitlines()) for one in said) == cores, "a line for each that is being built"


def test_the_terminal_shows_a_line_for_each_and_a_pipe_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().step("one: compiling\ntwo: compiling")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    terminal.step(f"one: compiling\ntwo: {'long ' * 40}\x1b[31m")
    time.sleep(0.3)
    terminal.done()
    shown = capsys.readouterr().err
    assert "one: compiling" in shown
    assert "\n  two: long" in shown
    assert "…" in shown, "a line too long would wrap, and the display would creep"
    assert "\x1b[31m" not in shown


def test_heavy_programs_never_take_more_cores_than_there_are() -> None:
    cores, now, most, lock = Cores(3), 0, 0, threading.Lock()

    def work(wanted: int) -> int:
        nonlocal now, most
        with cores.taken(wanted) as number:
            with lock:
                now += number
                most = max(most, now)
            time.sleep(0.01)
            with lock:
                now -= number
        return number

    numbers = side_by_side(work, [1, 3, 2, 1, 3, 1, 2, 3], 8)
    assert most == 3
    assert all(1 <= number <= wanted for number, wanted in zip(numbers, [1, 3, 2, 1, 3, 1, 2, 3], strict=True))


def test_an_error_of_one_does_not_end_the_others() -> None:
    done = []

    def work(number: int) -> None:
        if number in (1, 2):
            raise ValueError(number)
        time.sleep(0.05)
        done.append(number)

    with pytest.raises(ValueError, match="1"):
        side_by_side(work, range(5), 2)
    assert sorted(done) == [0, 3, 4]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for programs in /proc")
def test_ctrl_c_ends_all_builds_with_what_they_run(tmp_path: Path) -> None:
    """A signal reaches the main thread alone; a compiler that it does not know of would work on for minutes."""
    loop = {"app.py": "while True:\n    pass\n"}
    file = graph(tmp_path, one=loop, two={"app.py": loop["app.py"] + "\n"})
    command = [sys.executable, "-m", "ringfence_composer.cli", str(file), "--cache", str(tmp_path / "cache")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(running(tmp_path / "cache")) < 1 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
    assert running(tmp_path / "cache"), "the control: it is seen what runs"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) != 0
    assert not running(tmp_path / "cache")


def running(folder: Path) -> list[str]:
    """The programs that run in a folder under this one."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                if (process / "cwd").readlink().is_relative_to(folder):
                    found.append(process.name)
            except OSError:
                continue
    return found
