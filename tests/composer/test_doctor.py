"""`compose doctor`: each thing that can be missing is seen, with the command that mends it; nothing is mended unasked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from ringfence_composer import doctor, tools
from ringfence_composer.cli import compose
from ringfence_composer.doctor import Finding, examine
from ringfence_composer.errors import ToolMissing


def found(cache: Path | None = None) -> dict[str, Finding]:
    return {one.name: one for one in examine(cache)}


def test_a_whole_installation_is_well() -> None:
    """The one these tests run in. Every required package is looked at, and the toolchain is asked a question."""
    result = CliRunner().invoke(compose, ["doctor", "--json"], catch_exceptions=False)
    data = json.loads(result.stdout)
    names = {one["name"] for one in data["findings"]}
    assert (result.exit_code, data["well"]) == (0, True)
    assert {
        "python",
        "wasmtime",
        "componentize-py",
        "wasm-tools",
        "uv",
        "uv's program",
        "toolchain",
        "cargo",
        "rust components",
        "c components",
        "disk",
    } <= names
    assert "everything that is needed is there" in CliRunner().invoke(compose, ["doctor"]).stderr


def test_a_package_of_another_version_than_the_pin_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A major version of wasmtime comes out each month, and any other than ours is untested."""
    honest = doctor.version
    monkeypatch.setattr(doctor, "version", lambda name: "49.0.0" if name == "wasmtime" else honest(name))
    one = found()["wasmtime"]
    assert (one.state, one.found) == ("wrong", "49.0.0, where ringfence needs ==50.0.1")
    assert one.remedy == "python -m pip install 'wasmtime==50.0.1'"
    result = CliRunner().invoke(compose, ["doctor"])
    assert result.exit_code == 1
    assert "missing or wrong: wasmtime" in result.stderr


def test_a_package_that_is_missing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = doctor.version

    def lacking(name: str) -> str:
        if name == "componentize-py":
            raise PackageNotFoundError(name)
        return honest(name)

    monkeypatch.setattr(doctor, "version", lacking)
    one = found()["componentize-py"]
    assert (one.state, one.remedy) == ("wrong", "python -m pip install 'componentize-py==0.25.1'")


def test_an_old_python_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 4))
    assert found()["python"].state == "wrong"


def test_a_lost_program_of_uv_is_wrong_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> str:
        raise ToolMissing("uv", hint="install it again with: python -m pip install --force-reinstall uv")

    monkeypatch.setattr(doctor, "find_uv", lost)
    one = found()["uv's program"]
    assert (one.state, one.remedy) == ("wrong", "python -m pip install --force-reinstall uv")


@pytest.mark.parametrize("cargo", ["there", "missing"])
def test_a_toolchain_that_is_not_built_is_wrong_and_is_not_built(cargo: str, tmp_path: Path) -> None:
    """On a fresh machine: a cache folder without anything, and a search path with or without cargo."""
    tools = tmp_path / "bin"
    tools.mkdir()
    if cargo == "there":
        (tools / "cargo").symlink_to(shutil.which("true") or "/bin/true")
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": str(tools)}
    command = [sys.executable, "-m", "ringfence_composer.cli", "doctor", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    states = {one["name"]: (one["state"], one["remedy"]) for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert states["toolchain"] == ("wrong", "python -m ringfence_composer.set_up")
    assert ("cargo" in states) == (cargo == "missing")
    if cargo == "missing":
        assert "https://rustup.rs" in states["cargo"][1]
    assert not list((tmp_path / "cache").rglob("*.wasm"))


def test_what_rust_components_lack_is_a_note_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph in Python alone needs no Rust: a program that only runs those is well without it."""
    assert found()["rust components"].state == "ok"
    monkeypatch.setattr(doctor, "has_target", lambda: False)
    one = found()["rust components"]
    assert (one.state, one.remedy) == ("note", "rustup target add wasm32-wasip2")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(doctor, "has_target", tools.has_target)
    one = found()["rust components"]
    assert one.state == "note"
    assert "rustc is not installed" in one.found


def test_what_c_components_lack_is_a_note_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler is an extra of 100 MB."""
    assert found()["c components"].state == "ok"

    def lacking(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("ringfence_composer.builders.c.version", lacking)
    one = found()["c components"]
    assert (one.state, one.remedy) == ("note", "python -m pip install 'ringfence-composer[c]'")


def test_caches_that_others_may_write_to_are_told_with_the_command(tmp_path: Path) -> None:
    """The build cache is needed, so it is wrong; without the compile cache each start is slow, and no more."""
    (tmp_path / "shared").mkdir(mode=0o777)
    (tmp_path / "shared").chmod(0o777)
    compiled = found(tmp_path / "shared")["compile cache"]
    assert (compiled.state, compiled.remedy) == ("note", f"chmod go-w {tmp_path / 'shared'}")
    (tmp_path / "shared" / "build").chmod(0o777)
    assert found(tmp_path / "shared")["build cache"].state == "wrong"
    (tmp_path / "shared" / "build").chmod(0o700)
    (tmp_path / "shared").chmod(0o755)
    mended = found(tmp_path / "shared")  # positive control
    assert mended["compile cache"].state == mended["build cache"].state == "ok"


@pytest.mark.parametrize(("free", "state"), [(100 << 20, "wrong"), (1 << 30, "note"), (10 << 30, "ok")])
def test_little_room_is_told_before_a_build_fails(free: int, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert found(tmp_path / "not" / "made" / "yet")["disk"].state == state
