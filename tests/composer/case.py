"""A case: a folder that is wrong in one way, what is done with it, and what must be said.

A folder with a graph.yaml alone is checked. Any other says in its case.yaml what it is:

    rule     the rule that it breaks, in one sentence
    from     `component` or `graph`: the folder of that name in `_right`, over which this one's files are laid
    make     Python, run in the laid-out folder, for what cannot be committed: a pipe, a file of 2 MiB
    lock     a JSON merge patch (RFC 7396) for the lock of a graph; with `sealed: true` its digest is made right again
    run      the command line, run beside the folder; by default `compose check NAME/graph.yaml`, of a component `compose build NAME`
    python   instead of a command, what an application does; `graph` is the loaded graph where it is asked for

`DIGEST` in a graph.yaml stands for the digest of the right graph's component.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner
from ringfence.contract.errors import RingfenceError
from ringfence.contract.lock import Lane, _canonical
from ringfence.contract.names import digest_of
from ringfence_composer.cli import compose
from ringfence_composer.compose import Workshop, compose_file
from ringfence_composer.toolchain import Toolchain, Wit

CASES = Path(__file__).parents[1] / "cases"
RIGHT = CASES / "_right"
JSON_TOO = ("check", "plan", "run")
"""The commands that print JSON where --json asks for it."""

Copy = Callable[[Lane, Path], None]
"""Copies the right graph, composed on a lane, into a folder."""


@dataclass(frozen=True)
class Case:
    """A case, read."""

    name: str
    rule: str = ""
    base: str = ""
    make: str = ""
    lock: Any = None
    sealed: bool = False
    run: str = ""
    python: str = ""

    @property
    def folder(self) -> Path:
        return CASES / self.name

    @property
    def right(self) -> bool:
        return self.name.startswith("right-")

    @property
    def expected(self) -> Path:
        return self.folder / ("expected.json" if self.right else "error.txt")

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Where a call is made, both engines must say the same."""
        return ("core", "component") if self.base == "graph" and not (self.make or self.lock) else ("core",)

    @property
    def command(self) -> list[str]:
        default = f"compose build {self.name}" if self.base == "component" else f"compose check {self.name}/graph.yaml"
        program, *words = shlex.split(self.run or default)
        assert program == "compose"
        return words

    @property
    def has_json(self) -> bool:
        return not self.python and self.command[0] in JSON_TOO


def read_case(folder: Path) -> Case:
    file = folder / "case.yaml"
    data = yaml.safe_load(file.read_text()) if file.is_file() else {}
    unknown = data.keys() - {"rule", "from", "make", "lock", "sealed", "run", "python"}
    assert not unknown, f"{folder.name}: {unknown}"
    assert not file.is_file() or data["rule"].endswith((".", "?")), folder.name
    data["base"] = data.pop("from", "")
    return Case(name=folder.name, **data)


def all_cases() -> list[Case]:
    return [read_case(folder) for folder in sorted(CASES.iterdir()) if folder.is_dir() and not folder.name.startswith("_")]


def compose_right(folder: Path, lane: Lane) -> None:
    """The right graph with its component, composed."""
    tools = Toolchain()
    module = tools.parse((RIGHT / "graph" / "calls.wat").read_text())
    wit = Wit(path=RIGHT / "graph" / "calls.wit", world="calls")
    folder.mkdir(parents=True)
    (folder / "calls.wasm").write_bytes(tools.new(tools.embed(wit, module)))
    shutil.copy(RIGHT / "graph" / "graph.yaml", folder)
    _compose(folder, lane)


def _compose(folder: Path, lane: Lane) -> None:
    manifest = folder / "graph.yaml"
    manifest.write_text(manifest.read_text().replace("DIGEST", digest_of((folder / "calls.wasm").read_bytes())))
    compose_file(manifest, Workshop(lane=lane))


def lay_out(case: Case, beside: Path, copy: Copy, lane: Lane) -> Path:
    """The case's folder in `beside`, ready to be run."""
    folder = beside / case.name
    (beside / "_components").symlink_to(CASES / "_components")
    if case.base == "graph":
        copy(lane, folder)
    elif case.base == "component":
        shutil.copytree(RIGHT / "component", folder)
    hidden = shutil.ignore_patterns("case.yaml", "error.txt", "expected.json", ".gitkeep")
    shutil.copytree(case.folder, folder, symlinks=True, dirs_exist_ok=True, ignore=hidden)
    if case.base == "graph" and (case.folder / "graph.yaml").exists():
        _compose(folder, lane)
    if case.lock is not None:
        _patch_lock(folder / "graph.lock.json", case)
    if case.make:
        here = Path.cwd()
        os.chdir(folder)
        try:
            exec(case.make, {"os": os, "Path": Path, "json": json})
        finally:
            os.chdir(here)
    return folder


def _patch_lock(file: Path, case: Case) -> None:
    data = merged(json.loads(file.read_text()), case.lock)
    if case.sealed:
        data["digest"] = digest_of(_canonical({key: value for key, value in data.items() if key != "digest"}))
    file.write_bytes(_canonical(data))


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return f"{self.err}exit code {self.code}\n"


def settled(case: Case, text: str) -> str:
    """The text without the digests and sizes of the right graph's artifacts, which another version of the tools changes."""
    return re.sub(r"\b\d+ bytes", "N bytes", re.sub(r"\b(?!0{64})[0-9a-f]{64}\b", "DIGEST", text)) if case.base == "graph" else text


def run_command(case: Case, *, as_json: bool = False) -> Outcome:
    command, *rest = case.command
    result = CliRunner().invoke(compose, [command, *(["--json"] if as_json else []), *rest])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


def run_python(case: Case) -> Outcome:
    from ringfence import Graph

    scope: dict[str, Any] = {"Graph": Graph, "Path": Path}
    try:
        if re.search(r"(^|[\s(])graph[.\[]", case.python):
            with Graph.load(f"{case.name}/graph.yaml") as scope["graph"]:
                exec(case.python, scope)
        else:
            exec(case.python, scope)
    except (RingfenceError, AttributeError) as error:
        return Outcome(1, "", f"{type(error).__name__}: {error}\n")
    return Outcome(0, "", "")


def tree(folder: Path) -> dict[str, Any]:
    """All that lies in a folder, with what is in it."""
    found: dict[str, Any] = {}
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(root, name)
            info = path.lstat()
            content: Any = info.st_mode
            if path.is_symlink():
                content = str(path.readlink())
            elif path.is_file():
                content = (info.st_mode, info.st_mtime_ns, path.read_bytes() if info.st_mode & 0o400 else b"")
            found[str(path.relative_to(folder))] = content
    return found
