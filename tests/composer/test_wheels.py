"""The wheels, installed by somebody who has Python and nothing else: no Rust, no C compiler, an empty home.

The registry is asked for what the wheels require, when they are installed; after that nothing is fetched but what a component pins. What
was installed and built is kept in the cache by the wheels' digest, so that a second run takes seconds.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from places import ROOT
from ringfence.contract.layout import user_cache
from ringfence.contract.names import digest_of
from ringfence_composer.builders.locks import held
from ringfence_composer.builders.requirements import find_uv

PROJECTS = {"ringfence": ROOT / "hosts/python", "ringfence-composer": ROOT / "composer"}
KEPT = user_cache() / "tests" / "wheels"
NOWHERE = "http://127.0.0.1:9"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def uv(*words: str | Path) -> None:
    done = subprocess.run([find_uv(), *map(str, words)], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Both, by way of their source distributions, as `uv build` makes them."""
    folder = tmp_path_factory.mktemp("dist")
    for project in PROJECTS.values():
        uv("build", "--quiet", project, "-o", folder)
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheels: list[Path]) -> Path:
    """The folder of an environment with the wheels and what they require, and its caches."""
    name = digest_of(b"".join(digest_of(one.read_bytes()).encode() for one in wheels) + sys.version.encode()).removeprefix("sha256:")[:16]
    KEPT.mkdir(mode=0o700, parents=True, exist_ok=True)
    with held(KEPT / "lock", lambda: None):
        for old in KEPT.iterdir():
            if old.is_dir() and old.name not in (name, "cache"):
                shutil.rmtree(old, ignore_errors=True)
        if not (KEPT / name / "whole").exists():
            uv("venv", "--quiet", "--clear", "--python", sys.executable, KEPT / name)
            uv("pip", "install", "--quiet", "--python", KEPT / name, *wheels, "pytest")
            (KEPT / name / "whole").touch()
    return KEPT / name


@pytest.fixture
def machine(installed: Path, tmp_path: Path) -> Run:
    """Runs a program of the environment where nothing else is on the path, home is empty, and the network leads nowhere."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), NOWHERE)
    env = {"PATH": str(installed / "bin"), "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(KEPT / "cache"), "LC_ALL": "C.UTF-8"}

    def run(program: str, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [str(installed / "bin" / program), *words]
        done = subprocess.run(command, cwd=tmp_path / "work", env=env | proxies, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


def test_the_wheels_are_the_same_each_time_and_hold_no_place_of_this_machine(wheels: list[Path], tmp_path: Path) -> None:
    """And they are for any platform: the tools are a component."""
    for project in PROJECTS.values():
        uv("build", "--quiet", project, "-o", tmp_path)
    for one in wheels:
        assert one.name.endswith("-py3-none-any.whl")
        assert digest_of((tmp_path / one.name).read_bytes()) == digest_of(one.read_bytes())
    shutil.unpack_archive(next(one for one in wheels if "composer" in one.name), tmp_path / "unpacked", "zip")
    tools = (tmp_path / "unpacked/ringfence_composer/data/toolchain.wasm").read_bytes()
    assert tools.startswith(b"\0asm")
    for place in (ROOT, Path.home()):
        assert str(place).encode() not in tools


def test_a_python_component_is_made_built_composed_and_called(machine: Run, tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert machine("compose", "new", "--language", "python", "greeter").stdout == "greeter\n"
    assert "sha256:" in machine("compose", "build", "greeter").stdout
    (work / "graph.yaml").write_text(
        "ringfence: 1\ngraph: hello\nnodes: { greeter: { component: greeter, limits: { deadline: 20s } } }\nexpose: [greeter]\n"
    )
    machine("compose", "graph.yaml")
    assert "Ada" in machine("compose", "run", "graph.yaml", "greeter.greet", "Ada").stdout
    program = "from ringfence import Graph\nwith Graph.load('graph.yaml') as graph:\n    print(graph.call('greeter.greet', 'Ada'))\n"
    assert "Ada" in machine("python", "-c", program).stdout
    assert "passed" in machine("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "greeter").stdout
    assert not list((tmp_path / "home").iterdir()), "and nothing is left in the home of whoever did it"


def test_it_says_what_is_there_and_what_other_languages_would_need(machine: Run) -> None:
    told = json.loads(machine("compose", "doctor", "--json").stdout)
    states = {one["name"]: (one["state"], one["remedy"]) for one in told["findings"]}
    assert told["well"] is True
    assert states["toolchain"][0] == states["python components"][0] == "ok"
    assert states["rust components"] == ("note", "install Rust 1.95 or newer: https://rustup.rs, or your system's package")
    assert states["c components"] == ("note", "python -m pip install 'ringfence-composer[c]'")


@pytest.mark.parametrize(("language", "told"), [("rust", "https://rustup.rs"), ("c", "python -m pip install 'ringfence-composer[c]'")])
def test_a_language_that_lacks_its_compiler_is_one_line_with_the_command(language: str, told: str, machine: Run) -> None:
    machine("compose", "new", "--language", language, "greeter")
    failed = machine("compose", "build", "greeter", code=4)
    assert "is not installed [tool-missing]" in failed.stderr
    assert told in failed.stderr
    assert "Traceback" not in failed.stderr


def test_nothing_is_fetched_but_what_a_component_pins(machine: Run, tmp_path: Path) -> None:
    """The control of all the above: where something is to be fetched, this machine cannot."""
    machine("compose", "new", "--language", "python", "greeter")
    file = tmp_path / "work/greeter/component.yaml"
    pinned = f"requirements: [{{ name: iniconfig, version: 2.1.0, sha256: {'9a' * 32} }}]\n"
    file.write_text(re.sub(r"^requirements: .*\n", pinned, file.read_text(), flags=re.MULTILINE))
    failed = machine("compose", "build", "greeter", code=4)
    assert "iniconfig" in failed.stderr
