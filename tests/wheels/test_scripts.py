"""Programs as strangers write them, each on a library that nobody prepared: natively and, unedited, on its drop-in.

They use what such libraries are used by: callbacks, classes to derive from, the standard library's exceptions, files, generators, time
zones, trees of XML, pickles.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

from compat.environments import runtime_wheel

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("with_*.py"))
UV = (sys.executable, "-m", "uv")


def run(*command: object, cwd: Path = ROOT) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=550, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(folder: Path, *what: object) -> Path:
    """The Python of an environment with these."""
    run(*UV, "venv", "--quiet", "--python", sys.executable, folder)
    run(*UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *what)
    return folder / "bin" / "python"


@pytest.mark.parametrize("script", SCRIPTS, ids=[one.stem for one in SCRIPTS])
def test_a_strangers_script_does_the_same_on_the_drop_in(script, tmp_path):
    """Unedited, line by line."""
    needs = script.read_text().partition("\n")[0].removeprefix("# needs: ").split()
    (tmp_path / "script.py").write_text(script.read_text())
    natively = run(environment(tmp_path / "native", *needs), "script.py", cwd=tmp_path)
    run(sys.executable, "-m", "ringfence_composer.cli", "wrap", needs[0], "-o", tmp_path / "dist")
    wheel = next((tmp_path / "dist").glob("*.whl"))
    fenced = run(environment(tmp_path / "fenced", runtime_wheel(), wheel), "script.py", cwd=tmp_path)
    assert len(natively.splitlines()) > 10
    assert fenced.splitlines() == natively.splitlines()
