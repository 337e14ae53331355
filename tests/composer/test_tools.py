"""How the composer runs other programs, and how it comes by its toolchain."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ringfence_composer import tools
from ringfence_composer.errors import ToolFailed, ToolMissing
from ringfence_composer.package_data import write_package_data
from ringfence_composer.tools import find, run, toolchain_component

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs of these tests are shell scripts")
SHELL = ["/bin/sh", "-c"]


# run


def test_stdout_is_the_result_and_stderr_the_log(tmp_path):
    log = []
    assert run([*SHELL, "echo one; echo two >&2; echo three; printf four >&2"], cwd=tmp_path, env={}, log=log.append) == "one\nthree\n"
    assert log == ["two", "four"]


def test_the_environment_is_exactly_what_was_given(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    command = [sys.executable, "-I", "-c", "import os; print(sorted(os.environ))"]
    assert "'ONLY'" in (seen := run(command, cwd=tmp_path, env={"ONLY": "this"}))
    assert "SECRET" not in seen
    assert "SECRET" in run(command, cwd=tmp_path, env=os.environ), "the control"


def test_nothing_can_be_read_from_the_terminal(tmp_path):
    assert run(["/bin/cat"], cwd=tmp_path, env={}) == ""


@pytest.mark.parametrize(("script", "message"), [("exit 3", "ended with exit code 3"), ("kill -9 $$", "ended by SIGKILL")])
def test_a_failure_carries_the_tools_own_words(tmp_path, script, message):
    with pytest.raises(ToolFailed, match=message) as caught:
        run([*SHELL, f"echo out; echo err >&2; {script}"], cwd=tmp_path, env={})
    assert sorted(caught.value.output.split()) == ["err", "out"]
    assert caught.value.tool == "sh"


def test_much_output_neither_blocks_nor_is_kept_whole_in_errors(tmp_path):
    script = "import sys; sys.stderr.write('x' * 5_000_000); sys.stdout.write('y' * 5_000_000); sys.exit(1)"
    with pytest.raises(ToolFailed) as caught:
        run([sys.executable, "-c", script], cwd=tmp_path, env={}, timeout=60)
    assert 1000 < len(caught.value.output) <= 65536


def test_a_missing_program_is_named_with_its_remedy(tmp_path):
    with pytest.raises(ToolMissing, match="cargo is not installed") as caught:
        run([tmp_path / "cargo"], cwd=tmp_path, env={})
    assert "rustup.rs" in caught.value.hint
    assert "\n" not in caught.value.hint


def alive(file):
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# A child that outlives its shell and keeps its streams.
BACKGROUND = "sleep 60 & echo $! > child; "


def test_a_time_out_ends_the_program_with_its_children(tmp_path):
    started = time.monotonic()
    with pytest.raises(ToolFailed, match=r"took longer than 0\.5 s"):
        run([*SHELL, BACKGROUND + "wait"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, timeout=0.5)
    assert time.monotonic() - started < 5
    wait_for(lambda: not alive(tmp_path / "child"))


def test_ctrl_c_ends_the_program_with_its_children(tmp_path):
    def interrupt():
        wait_for((tmp_path / "child").exists)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run([*SHELL, BACKGROUND + "wait"], cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    wait_for(lambda: not alive(tmp_path / "child"))


def test_a_child_left_behind_does_not_hold_us_up(tmp_path):
    started = time.monotonic()
    assert run([*SHELL, BACKGROUND + "echo done"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}) == "done\n"
    assert time.monotonic() - started < 10
    wait_for(lambda: not alive(tmp_path / "child"))


def test_a_program_that_closes_its_streams_is_waited_for(tmp_path):
    with pytest.raises(ToolFailed, match="exit code 5"):
        run([*SHELL, "exec >&- 2>&-; sleep 0.3; exit 5"], cwd=tmp_path, env={"PATH": os.environ["PATH"]})


def test_find_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="uv is not installed\n  run: python3 -m pip install uv"):
        find("uv")


# The toolchain, with a cargo of our own making


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine whose PATH holds only the programs that a test writes with this."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(tools, "_DATA", tmp_path / "no data")

    def install(name, script):
        (programs / name).write_text(f"#!/bin/sh\nPATH={os.defpath}\n{script}\n")
        (programs / name).chmod(0o755)

    return install


CARGO = """
echo "$@" >> {0}/calls
env > {0}/environment
echo "Compiling something" >&2
sleep 0.3
mkdir -p "$CARGO_TARGET_DIR/wasm32-wasip2/release"
printf wasm > "$CARGO_TARGET_DIR/wasm32-wasip2/release/ringfence-toolchain.wasm"
"""


def test_without_cargo_one_line_says_what_to_install(machine, tmp_path):
    with pytest.raises(ToolMissing) as caught:
        toolchain_component(tmp_path / "cache", lambda _: None)
    assert str(caught.value) == "cargo is not installed\n  install Rust 1.95 or newer: https://rustup.rs, or your system's package"


def test_it_is_built_once_and_then_found_without_any_program(machine, tmp_path):
    log = []
    machine("cargo", CARGO.format(tmp_path))
    machine("rustc", f"echo {tmp_path}")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: toolchain_component(tmp_path / "cache", log.append), range(3)))
    for name in ("cargo", "rustc"):
        (tmp_path / "bin" / name).unlink()
    found.append(toolchain_component(tmp_path / "cache", log.append))
    assert {one.path.read_bytes() for one in found} == {b"wasm"}
    assert (tmp_path / "calls").read_text() == "build --locked --release --target wasm32-wasip2 --color never\n"
    assert "  Compiling something" in log


def test_what_would_change_the_binary_is_kept_from_cargo(machine, monkeypatch, tmp_path):
    monkeypatch.setenv("RUSTFLAGS", "-Cdebug-assertions")
    monkeypatch.setenv("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    machine("cargo", CARGO.format(tmp_path))
    machine("rustc", f"echo {tmp_path}")
    toolchain_component(tmp_path / "cache", lambda _: None)
    seen = (tmp_path / "environment").read_text()
    assert "HTTPS_PROXY=http://proxy.example" in seen
    assert "debug-assertions" not in seen
    assert "OPT_LEVEL" not in seen
    assert "--remap-path-prefix" in seen


def test_a_missing_target_is_added_by_rustup(machine, tmp_path):
    machine("cargo", CARGO.format(tmp_path))
    machine("rustc", "echo /nowhere")
    with pytest.raises(ToolMissing, match="run: rustup target add wasm32-wasip2"):
        toolchain_component(tmp_path / "cache", lambda _: None)
    machine("rustup", f'echo "$@" > {tmp_path}/rustup')
    toolchain_component(tmp_path / "cache", lambda _: None)
    assert (tmp_path / "rustup").read_text() == "target add wasm32-wasip2\n"


def test_a_failed_build_leaves_nothing_and_says_why(machine, tmp_path):
    machine("cargo", "echo 'error: no matching package' >&2; exit 101")
    machine("rustc", f"echo {tmp_path}")
    with pytest.raises(ToolFailed, match="exit code 101") as caught:
        toolchain_component(tmp_path / "cache", lambda _: None)
    assert "no matching package" in caught.value.output
    assert not list((tmp_path / "cache").rglob("*.wasm"))


def test_a_wheel_carries_its_own(machine, monkeypatch, tmp_path):
    """Whoever installs from PyPI has no Rust."""
    machine("cargo", CARGO.format(tmp_path))
    machine("rustc", f"echo {tmp_path}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "platform", "linux")
    write_package_data(tmp_path / "data")
    built = toolchain_component()
    monkeypatch.setattr(tools, "_DATA", tmp_path / "data")
    monkeypatch.setattr(tools, "_CRATE", Path("/nowhere"))
    (tmp_path / "bin" / "cargo").unlink()
    carried = toolchain_component()
    assert carried.path == tmp_path / "data" / "toolchain.wasm"
    assert carried.sources == built.sources


def test_neither_wheel_nor_checkout_is_said(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(tools, "_CRATE", tmp_path / "nowhere")
    with pytest.raises(ToolMissing, match="reinstall ringfence-composer"):
        toolchain_component(tmp_path / "cache")
