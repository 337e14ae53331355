"""Python components, by componentize-py, which imports the library's code while it builds.

That import runs in a WebAssembly guest, but one that may write to every folder of its search path. So it gets throw-away copies only, in an
environment that holds nothing of the developer's (design §7.7):

    <scratch>/entry/         the generated entry module           /0 in the guest
    <scratch>/source/        a copy of the component's source     /1
    <scratch>/requirements/  a copy of all requirements           /2
    <scratch>/venv/          an empty virtual environment         /3; without it, the developer's own site-packages
    <scratch>/wit/           the world and the packages it uses
    <scratch>/home, tmp, bin what HOME, TMPDIR and PATH name; componentize-py would look for pipenv and python3 on PATH and run them
    <scratch>/out/           outside the guest's reach; of all this, only out/component.wasm is taken

Two builds of the same inputs differ in their bytes: componentize-py stores the memory of an interpreter that has started with a random
hash seed, and offers no way to fix it (it hands on no PYTHONHASHSEED). Measured, that is all but some 160 of six million bytes; the rest
are clocks, and the times of the folder into which it unpacks the standard library. What is in our hands is fixed: the times of our files,
and no byte code is written. So an artifact's digest is recorded beside that of its inputs, and only the inputs are equal everywhere.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from ringfence_composer.builders.base import Artifact, BuildContext, ComponentSource, built, file_digests
from ringfence_composer.builders.guest_errors import explained
from ringfence_composer.builders.preload import ENTRY_MODULE, SKIPPED_FILE, entry_module, modules_of, shadowed, stand_ins
from ringfence_composer.builders.requirements import check_pins, fetch_requirements
from ringfence_composer.builders.snapshot import read_file, read_tree, write_tree
from ringfence_composer.errors import BuildFailed, InputInvalid, ToolFailed, ToolMissing
from ringfence_composer.tools import run

FORMAT = 6
"""Counts up whenever this builder would make something else of the same inputs: older cache entries are then not used."""

GUEST_PYTHON = "3.14"
"""The CPython inside componentize-py."""

# Measured: without random numbers the first call traps (CPython seeds `random`). It starts without clocks, but its timers, locks and socket
# time-outs stand on them, and ordinary code takes them for granted: a node that is not to have them says `clocks: deny`.
RUNTIME_NEEDS = frozenset({"wasi:clocks/monotonic-clock", "wasi:clocks/wall-clock", "wasi:random/random"})

_TOOL = "componentize-py"
_ISOLATED = "import sys; from componentize_py import script; sys.exit(script())"
_COMPONENT_HEADER = b"\0asm\x0d\0\x01\0"
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_MAX_SKIPPED = 64 * 1024


class PythonBuilder:
    """Builds components whose language is `python`."""

    language: ClassVar[str] = "python"
    runtime_needs: ClassVar[frozenset[str]] = RUNTIME_NEEDS

    def check(self, component: ComponentSource) -> None:
        """Raises InputInvalid where the component's files or settings cannot be used."""
        _Parts.read(component)

    def build(self, component: ComponentSource, context: BuildContext) -> Artifact:
        """The component's artifact, built once for each digest of its inputs.

        Guarantees that nothing the component's code does while it is imported reaches a file, folder or variable of the developer's.

        Raises:
            InputInvalid: Its sources or settings cannot be used (also WitInvalid, DigestMismatch).
            BuildFailed: A module cannot be imported, or a requirement cannot be built in.
            ToolMissing: componentize-py or uv is not installed.
        """
        tool = tool_version()
        parts = _Parts.read(component)
        return built(
            self,
            component,
            context,
            parts.inputs(tool),
            lambda work: _build(component, parts, work, context),
            producers=(f"{_TOOL} {tool}", f"CPython {GUEST_PYTHON}"),
        )


class _Parts:
    """Everything of the developer's that goes into one build, read once."""

    def __init__(self, component: ComponentSource, source: dict[str, bytes], wit: dict[str, bytes], packages: dict[str, bytes]) -> None:
        self._component = component
        self.source = source
        self.packages = packages
        self.wit = wit

    @classmethod
    def read(cls, component: ComponentSource) -> _Parts:
        """Reads and checks them; raises InputInvalid."""
        check_pins(component)
        source = read_tree(component.source, what=f"{component.name}: source")
        source = _usable(source)
        _check_modules(component, source)
        packages = read_tree(component.packages, what=f"{component.name}: packages") if component.packages else {}
        return cls(component, source, _read_wit(component), _usable(packages))

    def inputs(self, tool: str) -> dict[str, Any]:
        """What the artifact depends on, as JSON values; equal on every machine, whatever the order of files, keys and requirements."""
        component = self._component
        return {
            "builder": {"language": "python", "format": FORMAT, "stand_ins": file_digests(stand_ins())},
            "tools": {_TOOL: tool},
            "world": component.world,
            "module": component.module,
            "preload": sorted(set(component.preload)),
            "requirements": sorted([one.name.lower(), one.version, one.sha256] for one in component.requirements),
            "packages": file_digests(self.packages),
            "source": file_digests(self.source),
            "wit": file_digests(self.wit),
        }


def _usable(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files without those in which componentize-py would read of folders with further WIT."""
    return {path: content for path, content in files.items() if PurePosixPath(path).name != "componentize-py.toml"}


def tool_version() -> str:
    """The version of the installed componentize-py. Raises ToolMissing."""
    try:
        return version(_TOOL)
    except PackageNotFoundError as error:
        raise ToolMissing(_TOOL, hint=f"install it with: python -m pip install {_TOOL}==0.25.1") from error


def _check_modules(component: ComponentSource, source: Mapping[str, bytes]) -> None:
    """Refuses names that could not be imported in the guest; raises InputInvalid."""
    names = modules_of(source)
    for name in (component.module, *component.preload):
        if not _MODULE.fullmatch(name):
            raise InputInvalid(
                f"{component.name}: {name!a} is not a module's name", hint="write it as an import statement does: package.module"
            )
    if component.module not in names:
        file = component.module.replace(".", "/") + ".py"
        raise InputInvalid(
            f"{component.name}: the entry module {component.module!r} is missing: there is no {file} in the source folder",
            hint=f"name another in component.yaml, `module:`; there are {', '.join(sorted(names)) or 'none'}",
        )
    if hidden := shadowed(source):
        raise InputInvalid(
            f"{component.name}: the module {hidden[0]!r} has a name that Python's standard library or componentize-py takes",
            hint="rename it",
        )


def _read_wit(component: ComponentSource) -> dict[str, bytes]:
    """The WIT as wit-parser wants it: the world's files, and each package it uses under deps/."""
    files = _wit_files(component, component.wit)
    for dependency in component.wit_deps:
        name = dependency.resolve().name
        prefix = f"deps/{name}" if dependency.is_file() else f"deps/{name}/"
        if any(path.startswith(prefix) for path in files):
            raise InputInvalid(f"{component.name}: two WIT packages are called {name!r}", hint="rename the folder of one of them")
        for path, content in _wit_files(component, dependency).items():
            files[prefix if dependency.is_file() else prefix + path] = content
    return files


def _wit_files(component: ComponentSource, place: Path) -> dict[str, bytes]:
    if place.is_file():
        return {place.name: read_file(place, what=f"{component.name}: WIT")}
    return read_tree(place, what=f"{component.name}: WIT")


def _build(component: ComponentSource, parts: _Parts, work: Path, context: BuildContext) -> bytes:
    """The component's bytes, made in the empty folder `work`."""
    requirements = fetch_requirements(component, GUEST_PYTHON, work, context)
    if clash := sorted(requirements.keys() & parts.packages.keys()):
        raise BuildFailed(component.name, f"a requirement and the packages both bring {clash[0]}", hint="remove one of them")
    requirements |= parts.packages
    entry = entry_module(component.module, parts.source, requirements, component.preload)
    write_tree({f"{ENTRY_MODULE}.py": entry.encode(), **stand_ins()}, work / "entry")
    write_tree(parts.source, work / "source")
    write_tree(requirements, work / "requirements")
    write_tree(parts.wit, work / "wit")
    for path in (one for folder in ("entry", "source", "requirements") for one in (work / folder, *(work / folder).rglob("*"))):
        os.utime(path, (0, 0))  # import remembers it
    environment = _environment(work)
    paths = [option for folder in ("entry", "source", "requirements") for option in ("-p", folder)]
    command = [sys.executable, "-I", "-c", _ISOLATED, "-d", "wit", "-w", component.world]
    try:
        with context.cores.taken():
            context.report(f"{component.name}: building with {_TOOL}")
            run(
                [*command, "componentize", ENTRY_MODULE, *paths, "-o", "out/component.wasm"],
                cwd=work,
                env=environment,
                timeout=context.deadline,
            )
    except ToolFailed as error:
        raise explained(component, error) from error
    _report_skipped(component, work, context)
    return _taken(component, work / "out" / "component.wasm")


def _environment(work: Path) -> dict[str, str]:
    """An environment of throw-away folders, which are made, and nothing else."""
    (work / "venv/lib/python3/site-packages").mkdir(parents=True)
    for name in ("home", "tmp", "bin", "out"):
        (work / name).mkdir()
    temporary = str(work / "tmp")
    return {
        "VIRTUAL_ENV": str(work / "venv"),
        "HOME": str(work / "home"),
        "PATH": str(work / "bin"),
        "TMPDIR": temporary,
        "TEMP": temporary,
        "TMP": temporary,
        "LC_ALL": "C.UTF-8",
    }


def _report_skipped(component: ComponentSource, work: Path, context: BuildContext) -> None:
    """Reports which modules the guest does not have. The list was written by the guest: it is a help, nothing rests on it."""
    file = work / "entry" / SKIPPED_FILE
    if file.is_symlink() or not file.is_file() or file.stat().st_size > _MAX_SKIPPED:
        return
    names = [name for name in file.read_text("utf-8", "replace").split("\n") if _MODULE.fullmatch(name)]
    if names:
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        context.report(f"{component.name}: left out, as they cannot be imported in the guest: {shown}")


def _taken(component: ComponentSource, file: Path) -> bytes:
    content = file.read_bytes() if file.is_file() and not file.is_symlink() else b""
    if not content.startswith(_COMPONENT_HEADER):
        raise BuildFailed(component.name, f"{_TOOL} wrote no component")
    return content
