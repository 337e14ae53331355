"""Pinned requirements into the bytes of their files: fetched by uv, checked by digest, laid out by reading.

Wheels only: a source archive would have to run its own code to be built. uv refuses an archive whose digest is not the one written down;
nothing of a wheel runs while it is unpacked.
"""

from __future__ import annotations

import os
import re
import sys
from email.parser import HeaderParser
from pathlib import Path

from ringfence_composer.builders.base import BuildContext, ComponentSource, Requirement
from ringfence_composer.builders.snapshot import read_tree
from ringfence_composer.errors import BuildFailed, ComposerError, DigestMismatch, InputInvalid, ToolFailed, ToolMissing
from ringfence_composer.tools import run

# PEP 508, PEP 440 (as loose as it needs to be) and SHA-256: what these let through cannot end a line or start an option.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMPILED = (".so", ".pyd", ".dylib", ".dll", ".a", ".o")
_UV_SETTINGS = (
    "UV_CACHE_DIR",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX",
    "UV_FIND_LINKS",
    "UV_HTTP",
    "UV_INDEX",
    "UV_KEYRING",
    "UV_NATIVE",
    "UV_OFFLINE",
)
_COMPUTED = re.compile(r"Computed:\s+(?:sha256:)?([0-9a-f]{64})")


def check_pins(component: ComponentSource) -> None:
    """Raises InputInvalid where a requirement is not a name, a version and a SHA-256."""
    for requirement in component.requirements:
        valid = _NAME.fullmatch(requirement.name) and _VERSION.fullmatch(requirement.version)
        if not valid or not _SHA256.fullmatch(requirement.sha256):
            raise InputInvalid(
                f"{component.name}: requirement {requirement.name!a} {requirement.version!a}: not a name, a version and a SHA-256",
                hint="write { name: h11, version: 0.16.0, sha256: <64 hexadecimal digits of its wheel> }",
            )


def fetch_requirements(component: ComponentSource, guest_python: str, work: Path, context: BuildContext) -> dict[str, bytes]:
    """The files of all requirements as they would lie in one site-packages, for a guest with Python `guest_python` (`3.14`).

    Raises:
        DigestMismatch: An archive is not the one that was pinned.
        BuildFailed: One has compiled parts, no wheel, or cannot be had.
        ToolMissing: uv is not installed.
    """
    files: dict[str, bytes] = {}
    for place, requirement in enumerate(component.requirements):
        context.report(f"{component.name}: fetching {requirement.name} {requirement.version}")
        target = work / f"wheel-{place}"
        _install(component, requirement, guest_python, target, context)
        found = read_tree(target, what=f"{component.name}: requirement {requirement.name}")
        _check_pure(component, requirement, found)
        if clash := sorted(files.keys() & found.keys()):
            raise BuildFailed(component.name, f"two requirements bring the same file, {clash[0]}", hint="remove one of them")
        files |= {path: content for path, content in found.items() if _belongs(path)}
    return files


def _belongs(path: str) -> bool:
    """Whether a guest may have use for this file. componentize-py.toml is refused its say: it names folders to read WIT from."""
    return not path.startswith("bin/") and path.rpartition("/")[2] != "componentize-py.toml"


def _install(component: ComponentSource, requirement: Requirement, guest_python: str, target: Path, context: BuildContext) -> None:
    pins = target.with_suffix(".txt")
    pins.write_text(f"{requirement.name}=={requirement.version} --hash=sha256:{requirement.sha256}\n", encoding="utf-8")
    # Copies, never links: what a build does to its files must not reach uv's own cache.
    options = ["--no-deps", "--require-hashes", "--no-build", "--link-mode", "copy", "--no-compile-bytecode"]
    command = [find_uv(), "pip", "install", *options, "--python", sys.executable, "--python-version", guest_python]
    try:
        run([*command, "--target", str(target), "-r", str(pins)], cwd=target.parent, env=index_environment(), timeout=context.deadline)
    except ToolFailed as error:
        raise _explained(component, requirement, error) from error


def index_environment() -> dict[str, str]:
    """The developer's environment, for uv alone, where it runs no foreign code; of uv's variables those that say where packages are."""
    return {name: value for name, value in os.environ.items() if not name.startswith("UV_") or name.startswith(_UV_SETTINGS)}


def find_uv() -> str:
    """Where uv's program is. Raises ToolMissing."""
    try:
        import uv
    except ImportError as error:
        raise ToolMissing("uv", hint="install it with: python -m pip install uv") from error
    try:
        return uv.find_uv_bin()
    except FileNotFoundError as error:
        raise ToolMissing("uv", hint="install it again with: python -m pip install --force-reinstall uv") from error


def _explained(component: ComponentSource, requirement: Requirement, error: ToolFailed) -> ComposerError:
    """What uv's failure means, with the remedy."""
    pinned = f"{requirement.name} {requirement.version}"
    if "Hash mismatch" in error.output:
        computed = _COMPUTED.search(error.output)
        found = f"sha256:{computed[1]}" if computed else "another"
        return DigestMismatch(
            f"{component.name}: requirement {pinned}",
            expected=f"sha256:{requirement.sha256}",
            found=found,
            hint="find out why it changed before you write the new digest into component.yaml",
            requirement=requirement.name,
        )
    if "no wheels with" in error.output or "no usable wheels" in error.output:
        return _impure(component, requirement, "it has no wheel that runs on every platform and has this digest")
    return BuildFailed(
        component.name,
        f"requirement {pinned} cannot be fetched: {error.message}",
        output=error.output,
        hint="check its name and version, and that the package index can be reached",
    )


def _check_pure(component: ComponentSource, requirement: Requirement, files: dict[str, bytes]) -> None:
    """Refuses what could not run in a guest: machine code, wheels for one platform."""
    compiled = sorted(path for path in files if path.lower().endswith(_COMPILED) or ".so." in path)
    if compiled:
        raise _impure(component, requirement, f"it has compiled parts ({compiled[0]})")
    for path, content in files.items():
        if path.endswith(".dist-info/WHEEL"):
            tags = HeaderParser().parsestr(content.decode("utf-8", "replace")).get_all("Tag", [])
            if not all(tag.endswith("-none-any") for tag in tags):
                raise _impure(component, requirement, "its wheel is made for one platform")


def _impure(component: ComponentSource, requirement: Requirement, reason: str) -> BuildFailed:
    return BuildFailed(
        component.name,
        f"requirement {requirement.name} {requirement.version} cannot be built in: {reason}",
        hint="only pure-Python wheels (…-none-any.whl) run in a guest: pin another version or another package",
    )
