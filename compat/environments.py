"""Virtual environments in which a library is what an application would import: the native release, or the drop-in wheel."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from compat.archives import lay_out, sources
from compat.library import FOLDER, Library

HERE = Path(__file__).parent
ROOT = HERE.parent
INSIDE = HERE / "inside"
_UV = (sys.executable, "-m", "uv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment: `native` or `fenced` of one library. `cache` is where compiled components are kept for it."""

    kind: str
    folder: Path
    cache: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    def variables(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a process in it: the files of `inside` can be imported, nothing of this checkout else."""
        passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return passed | {"PYTHONPATH": str(INSIDE), "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(self.cache)} | dict(more or {})


def native(library: Library, folder: Path) -> Environment:
    """An environment with the release as the registry has it."""
    made = _made("native", folder, library)
    files = sources(library)
    if library.path is not None:
        lay_out(files, made.site_packages, under=library.path)
    else:
        _install(made, "--no-deps", "--require-hashes", "-r", HERE / "requirements.txt")
    return _with_suite(made, library, files)


def fenced(library: Library, wheel: Path, folder: Path) -> Environment:
    """An environment with the drop-in wheel, and the runtime's wheel as users get it."""
    made = _made("fenced", folder, library)
    _install(made, runtime_wheel(), wheel)
    return _with_suite(made, library, sources(library))


@cache
def runtime_wheel() -> Path:
    """The wheel of the runtime, built from this checkout."""
    folder = Path(tempfile.mkdtemp(prefix="ringfence-runtime-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    run([*_UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT / "hosts" / "python"], cwd=ROOT)
    return next(folder.glob("*.whl"))


def _made(kind: str, folder: Path, library: Library) -> Environment:
    shutil.rmtree(folder, ignore_errors=True)
    run([*_UV, "venv", "--quiet", "--seed", "--python", sys.executable, folder], cwd=ROOT)
    made = Environment(kind=kind, folder=folder, cache=folder / "cache")
    own = FOLDER / f"{library.name.lower()}.txt"
    more: list[str | Path] = ["-r", own] if own.exists() else []
    _install(made, "--require-hashes", "-r", HERE / "suite-requirements.txt", *more)
    return made


def _with_suite(made: Environment, library: Library, files: dict[str, bytes]) -> Environment:
    for part, place in library.suite.beside.items():
        lay_out(files, made.site_packages / place, under=part)
    return made


def _install(made: Environment, *what: str | Path) -> None:
    run([*_UV, "pip", "install", "--quiet", "--python", made.python, *what], cwd=ROOT)


def run(argv: Sequence[str | Path], *, cwd: Path, variables: Mapping[str, str] | None = None) -> str:
    """What a program writes to stdout.

    Raises:
        RuntimeError: it failed; with the end of what it wrote.
    """
    done = subprocess.run([str(part) for part in argv], check=False, cwd=cwd, env=variables, capture_output=True, text=True)
    if done.returncode:
        shown = " ".join(str(part) for part in argv[:6])
        raise RuntimeError(f"{shown} … ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout
