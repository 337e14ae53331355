"""This machine and installation to findings: what is there, what is missing, and the one command for it."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, TypeAlias

from packaging.requirements import Requirement
from ringfence.contract.layout import user_cache
from ringfence.engine.cache import cache_fault

from ringfence_composer.builders.c import zig_version
from ringfence_composer.builders.cache import BuildCache
from ringfence_composer.builders.python import GUEST_PYTHON, tool_version
from ringfence_composer.builders.requirements import find_uv
from ringfence_composer.errors import ComposerError
from ringfence_composer.toolchain import Toolchain
from ringfence_composer.tools import TARGET, built_toolchain, has_target

State: TypeAlias = Literal["ok", "note", "wrong"]
"""`note`: it works, but not as well as it could. `wrong`: something needed is missing."""

_DISTRIBUTIONS = ("ringfence", "ringfence-composer")
_OLDEST_PYTHON = (3, 11)
_LITTLE, _TOO_LITTLE = 2 << 30, 200 << 20
"""Bytes of free disk: a CPython component takes some 80 MB, built, taken apart and compiled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: what was found, and where it isn't well, the command (or deed) that mends it."""

    name: str
    state: State
    found: str
    remedy: str | None = None


def examine(cache: Path | None = None) -> Iterator[Finding]:
    """Everything that building and running graphs needs, one after another. Nothing is installed or built."""
    yield _python()
    yield from (_distribution(name) for name in _DISTRIBUTIONS)
    yield from dict.fromkeys(_packages())
    yield _uv()
    yield from _toolchain()
    yield _network()
    yield _python_components()
    yield _rust()
    yield _c()
    yield _build_cache(cache or user_cache())
    yield _compile_cache(cache)
    yield _disk(cache or user_cache())


def _python() -> Finding:
    found = f"{platform.python_implementation()} {platform.python_version()}"
    if sys.version_info < _OLDEST_PYTHON:
        return Finding(name="python", state="wrong", found=found, remedy="install Python 3.11 or newer")
    return Finding(name="python", state="ok", found=found)


def _distribution(name: str) -> Finding:
    try:
        return Finding(name=name, state="ok", found=version(name))
    except PackageNotFoundError:
        return Finding(name=name, state="wrong", found="not installed", remedy=f"python -m pip install {name}")


def _packages() -> Iterator[Finding]:
    """Every package that ours require, against the versions they ask for."""
    for distribution in _DISTRIBUTIONS:
        for text in _required(distribution):
            requirement = Requirement(text)
            if requirement.name not in _DISTRIBUTIONS and (requirement.marker is None or requirement.marker.evaluate()):
                yield _package(distribution, requirement)


def _required(distribution: str) -> list[str]:
    try:
        return sorted(requires(distribution) or [])
    except PackageNotFoundError:
        return []


def _package(distribution: str, requirement: Requirement) -> Finding:
    remedy = f"python -m pip install '{requirement.name}{requirement.specifier}'"
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return Finding(name=requirement.name, state="wrong", found=f"not installed; {distribution} needs it", remedy=remedy)
    if not requirement.specifier.contains(found, prereleases=True):
        wanted = f"{found}, where {distribution} needs {requirement.specifier}"
        return Finding(name=requirement.name, state="wrong", found=wanted, remedy=remedy)
    return Finding(name=requirement.name, state="ok", found=f"{found} (asked for: {requirement.specifier})")


def _uv() -> Finding:
    try:
        return Finding(name="uv's program", state="ok", found=find_uv())
    except ComposerError as error:
        return Finding(name="uv's program", state="wrong", found=error.message, remedy=_command(error.hint))


def _toolchain() -> Iterator[Finding]:
    """The component that holds the official WIT tools: asked a question where it is there, else whether it could be built.

    It is part of the installation, so it lies in the user's cache wherever `--cache` leads.
    """
    name, cargo = "toolchain", shutil.which("cargo")
    try:
        if built := built_toolchain():
            Toolchain().parse("(component)")
            yield Finding(name=name, state="ok", found=f"there, and answers ({built.sources})")
            yield Finding(name="cargo", state="ok", found=cargo or "not there, and not needed")
            return
    except ComposerError as error:
        yield Finding(name=name, state="wrong", found=error.message, remedy=_command(error.hint))
        return
    if cargo is None:
        remedy = "install Rust 1.95 or newer: https://rustup.rs, or your system's package"
        yield Finding(name="cargo", state="wrong", found="not there, and the toolchain must be built with it", remedy=remedy)
    yield Finding(name=name, state="wrong", found="not built yet", remedy="python -m ringfence_composer.set_up")


def _network() -> Finding:
    """Nothing to be looked at, but what everybody wants to know who reads this."""
    when = (
        "nothing but what a component pins by digest, when it is first built: wheels by uv, crates by cargo, archives from their registry"
    )
    return Finding(name="what is fetched", state="ok", found=when)


def _python_components() -> Finding:
    """What components in Python are compiled with: packages that are required, so that what is missing is told above, with its command."""
    name = "python components"
    try:
        return Finding(name=name, state="ok", found=f"can be built (CPython {GUEST_PYTHON}, by componentize-py {tool_version()})")
    except ComposerError as error:
        return Finding(name=name, state="wrong", found=f"can't be built: {error.message}", remedy=_command(error.hint))


def _rust() -> Finding:
    """What components in Rust are compiled with. Graphs without such components need none of it, so that it is never wrong."""
    name = "rust components"
    try:
        there = has_target()
    except ComposerError as error:
        return Finding(name=name, state="note", found=f"can't be built: {error.message}", remedy=_command(error.hint))
    if not there:
        remedy = f"rustup target add {TARGET}"
        return Finding(name=name, state="note", found=f"can't be built: Rust's target {TARGET} is not installed", remedy=remedy)
    if shutil.which("cc") is None:
        found = "can't be built: there is no linker (cc) for the macros that run while building"
        return Finding(name=name, state="note", found=found, remedy="install a C compiler, such as your system's package gcc")
    return Finding(name=name, state="ok", found=f"can be built ({TARGET})")


def _c() -> Finding:
    """What components in C and C++ are compiled with; likewise."""
    name = "c components"
    try:
        return Finding(name=name, state="ok", found=f"can be built (zig {zig_version()})")
    except ComposerError as error:
        return Finding(name=name, state="note", found=f"can't be built: {error.message}", remedy=_command(error.hint))


def _build_cache(cache: Path) -> Finding:
    try:
        BuildCache(cache, lambda _: None).prepare()
    except ComposerError as error:
        return Finding(name="build cache", state="wrong", found=error.message, remedy=error.hint)
    return Finding(name="build cache", state="ok", found=str(cache / "build"))


def _compile_cache(cache: Path | None) -> Finding:
    place = (cache or user_cache()) / "compiled"
    if fault := cache_fault(cache):
        reason, _, deed = fault.partition(" (chmod ")
        remedy = f"chmod {deed.removesuffix(')')}" if deed else "make it a folder that you alone may write to, or name another with --cache"
        found = f"not used, so each start compiles again: {reason}"
        return Finding(name="compile cache", state="note", found=found, remedy=remedy)
    return Finding(name="compile cache", state="ok", found=str(place))


def _disk(cache: Path) -> Finding:
    there = next(one for one in (cache, *cache.parents) if one.exists())
    free = shutil.disk_usage(there).free
    state: State = "wrong" if free < _TOO_LITTLE else "note" if free < _LITTLE else "ok"
    remedy = None if state == "ok" else f"make room, or empty {cache}: all in it is made again when it is needed"
    return Finding(name="disk", state=state, found=f"{free / (1 << 30):.1f} GiB free for {cache}", remedy=remedy)


def _command(hint: str | None) -> str | None:
    """A hint such as `install it with: pip …` as the command alone; one that holds no command as it is."""
    found = re.search(r"(?:^run|with): (.+)$", hint or "")
    return found[1] if found else hint
