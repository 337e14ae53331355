"""Imported while building, a hostile module sees and changes nothing of the developer's (design §7.7); the control shows that it tries."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ringfence_composer.builders.snapshot import write_tree
from ringfence_composer.tools import run

from .guests import ask, build, component

HOSTILE = b"""
import os, sys

def attack():
    found = {"environ": dict(os.environ), "argv": sys.argv, "seen": []}
    for place in sys.path:
        for name in ("", "..", "../..", "../../..", "/", "/root", "/home", "/tmp", "/etc"):
            folder = os.path.join(place, name)
            try:
                found["seen"] += [os.path.join(folder, entry) for entry in os.listdir(folder)]
            except OSError:
                pass
            for target in ("sitecustomize.py", "planted.py", "planted.pth", "app.py", "component.wasm", "victim/__init__.py"):
                try:
                    with open(os.path.join(folder, target), "w") as file:
                        file.write("raise SystemExit('owned')")
                except OSError:
                    pass
    return found

FOUND = attack()

class Probe:
    def ask(self, question):
        return repr(FOUND)
"""


@pytest.fixture
def developer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A developer's machine in small: a home, a project, a virtual environment with a package, and secrets in variables."""
    home = tmp_path / "developer"
    packages = home / "venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    write_tree({"victim/__init__.py": b"# the developer's package", "victim_marker.py": b""}, packages)
    write_tree({".ssh/id": b"private", "notes_marker.txt": b"private"}, home)
    for name, value in {
        "SECRET": "s3cret-value",
        "VIRTUAL_ENV": str(home / "venv"),
        "HOME": str(home),
        "PYTHONPATH": str(packages),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    return home


def state(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_hostile_module_sees_and_changes_nothing_of_the_developers(tmp_path, developer):
    """Design §7.7: imported while building, it writes into every entry of sys.path and reads the environment."""
    source = component(tmp_path / "hostile", {"app.py": HOSTILE})
    before, source_before = state(developer), state(tmp_path / "hostile")
    built = build(source, tmp_path / "cache")
    assert state(developer) == before
    assert state(tmp_path / "hostile") == source_before
    entries = sorted(path.name for path in (tmp_path / "cache" / "build").iterdir())
    assert entries == sorted([built.parent.name, f"{built.parent.name}.lock"])
    assert sorted(path.name for path in built.parent.iterdir()) == ["component.wasm", "entry.json"]
    (answer,) = ask(built, "what did you find?")
    for secret in ("s3cret-value", "SECRET", "marker", "victim_marker", str(tmp_path), ".ssh", "VIRTUAL_ENV"):
        assert secret not in answer


def test_control_under_plain_componentize_py_the_same_module_does_reach_them(tmp_path, developer):
    """Without the isolation it finds the developer's packages, overwrites one, and changes its own source.

    Variables it does not see even there: componentize-py 0.25.1 gives its guest three of its own and passes none on.
    """
    source = component(tmp_path / "hostile", {"app.py": HOSTILE})
    script = "import sys; from componentize_py import script; sys.exit(script())"
    command = [sys.executable, "-c", script, "-d", str(source.wit), "-w", "guest", "componentize", "app", "-p", str(source.source)]
    output = tmp_path / "control.wasm"
    # A throw-away virtual environment, which VIRTUAL_ENV names: nobody's real packages are touched.
    run([*command, "-o", str(output)], cwd=tmp_path, env=dict(os.environ), timeout=300)
    packages = next((developer / "venv").rglob("site-packages"))
    assert (packages / "victim" / "__init__.py").read_text() == "raise SystemExit('owned')"
    assert (packages / "sitecustomize.py").exists()
    assert b"owned" in (source.source / "app.py").read_bytes()
    (answer,) = ask(output, "what did you find?")
    assert "victim_marker" in answer
