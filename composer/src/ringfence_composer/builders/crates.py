"""A Rust component's crates: fetched by cargo, laid out by reading, and which of them would run on this machine while it is built.

Build scripts and procedural macros are programs that the compiler runs with the developer's authority, and so is everything that is
linked into them. Such a crate must be on the reviewed list (`reviewed_crates.txt`: name, version, SHA-256), or component.yaml must say
`build: trusted`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ringfence_composer.builders.base import BuildContext, ComponentSource
from ringfence_composer.builders.crate_store import CratePlace
from ringfence_composer.builders.foreign import escaped, shown
from ringfence_composer.builders.native import INSTEAD
from ringfence_composer.errors import BuildFailed, ComposerError, SourceInvalid, ToolFailed, refuse_all
from ringfence_composer.replace import replace_file
from ringfence_composer.tools import find, run, rust_environment

LOCK = "Cargo.lock"
_REVIEWED = Path(__file__).with_name("reviewed_crates.txt")
_TRUST = "remove it, or take a version that is; where you trust it with all that you may do, write `build: trusted` in component.yaml"
_NATIVE = f"{INSTEAD}; where you trust all of them with all that you may do, write `build: trusted` in component.yaml"
_NOT_THERE = re.compile(r"for dependency `(?P<name>[^`]+)`\s(?:.*\n)*?\s*failed to read `[^`]*Cargo\.toml`\n(?:.*\n)*?.*No such file")
_ROOTLESS = re.compile(r"error inheriting `(?P<name>[^`]+)` from workspace root(?:.*\n)*?.*failed to find a workspace root")
_STALE = ("cannot update the lock file", "lock file needs to be updated", "needs to be updated but --")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCrate:
    """A crate whose code would run on this machine. `how` says as what; `links` is the native library that it is there for."""

    name: str
    version: str
    how: str
    links: str | None = None


def lay_out_crates(component: ComponentSource, crate: Path, place: CratePlace, context: BuildContext) -> None:
    """Copies of all crates in Cargo.lock, and the settings that have cargo find them there.

    Those that were fetched before need no network; nothing of them runs.

    Raises:
        SourceInvalid: Cargo.lock and Cargo.toml do not fit. BuildFailed: One cannot be had.
    """
    if place.settings.is_file():
        return
    place.cargo_home.mkdir(exist_ok=True)
    command: list[str | Path] = [find("cargo"), "vendor", "--locked", "--versioned-dirs", "--color", "never", place.vendor]
    environment = rust_environment()
    try:
        settings = run([*command, "--offline"], cwd=crate, env=environment, timeout=context.deadline)
    except ToolFailed:
        context.report(f"{component.name}: fetching its crates")
        try:
            settings = run(command, cwd=crate, env=environment, timeout=context.deadline)
        except ToolFailed as error:
            raise cargo_failed(component, error, "its crates cannot be fetched") from error
    replace_file(place.settings, settings.encode())


def cargo_failed(component: ComponentSource, error: ToolFailed, what: str) -> ComposerError:
    """Why cargo gave up before it compiled anything, or failed at linking."""
    output = error.output
    if any(sign in output for sign in _STALE):
        hint = "run cargo generate-lockfile in the folder of Cargo.toml, and keep what it writes"
        return SourceInvalid(component.name, "it does not fit Cargo.toml", file=LOCK, hint=hint)
    if found := _NOT_THERE.search(output):
        hint = "put it there: a component is built of what lies in its source folder, and of crates in registries"
        return _in_manifest(component, found["name"], f"the crate {escaped(found['name'])} is not in the source folder", hint)
    if found := _ROOTLESS.search(output):
        hint = "write the value out here, and an empty [workspace] where cargo shall not look for another"
        reason = f"it takes {escaped(found['name'])} from a workspace, which is no part of the source folder"
        return _in_manifest(component, found["name"], reason, hint)
    if found := re.search(r"-->? *(?:[^\n]*/)?Cargo\.toml:(\d+):(\d+)", output):
        told = next((line for line in output.splitlines() if line.startswith("error")), "error: it cannot be read")
        reason = escaped(told.removeprefix("error: "))
        return SourceInvalid(component.name, reason, file="Cargo.toml", line=int(found[1]), column=int(found[2]))
    lines = [line for line in output.splitlines() if not line.startswith("{")]
    return BuildFailed(component.name, f"{what}: {error.message}", output=shown(lines))


def _in_manifest(component: ComponentSource, name: str, reason: str, hint: str) -> SourceInvalid:
    """Something wrong in Cargo.toml, at the first line that begins with a name."""
    try:
        text = (component.source / "Cargo.toml").read_text("utf-8", "replace")
    except OSError:
        text = ""
    found = re.search(rf"^\[?(?:[\w.'()\-]+\.)?\"?{re.escape(name)}\b", text, re.MULTILINE)
    return SourceInvalid(component.name, reason, file="Cargo.toml", line=text.count("\n", 0, found.start()) + 1 if found else 0, hint=hint)


def refuse_unreviewed(component: ComponentSource, metadata: Mapping[str, Any], guest: Mapping[str, Any], lock: bytes) -> None:
    """Raises SourceInvalid, with its line in Cargo.lock, for each crate that would run while building and was not reviewed.

    `metadata` is what `cargo metadata` says of the crates, `guest` what it says of them for the guest's platform, `lock` the Cargo.lock.
    """
    sums = {(one["name"], one["version"]): one.get("checksum") for one in tomllib.loads(lock.decode()).get("package", ())}
    refuse_all(
        SourceInvalid(component.name, _reason(one), file=LOCK, line=_line_of(lock, one), hint=_NATIVE if one.links else _TRUST)
        for one in host_crates(metadata, guest)
        if (one.name, one.version, sums.get((one.name, one.version))) not in _reviewed()
    )


def host_crates(metadata: Mapping[str, Any], guest: Mapping[str, Any]) -> list[HostCrate]:
    """The crates whose code would run on this machine while the root is compiled, by name.

    What the guest itself needs is that of its platform: `libc` for unix is never compiled. What runs here is taken to need whatever it
    may need on any: more than cargo would compile, never less.
    """
    packages = {one["id"]: one for one in metadata["packages"]}
    needs = {one["id"]: list(_needs(one)) for one in metadata["resolve"]["nodes"]}
    guests = _reached([metadata["resolve"]["root"]], {one["id"]: list(_needs(one)) for one in guest["resolve"]["nodes"]}, {"normal"})
    scripts = [other for one in guests for kind, other in needs[one] if kind == "build"]
    macros = [one for one in guests if any("proc-macro" in target["kind"] for target in packages[one]["targets"])]
    built = guests | _reached([*scripts, *macros], needs, {"normal", "build"})
    how: dict[str, str] = {}

    def part_of(what: str, roots: Iterable[str]) -> None:
        for other in _reached(roots, needs, {"normal"}):
            how.setdefault(other, f"as part of the {what}")

    for package in sorted(built, key=lambda one: (packages[one]["name"], packages[one]["version"])):
        name = packages[package]["name"]
        kinds = {kind for target in packages[package]["targets"] for kind in target["kind"]}
        if "custom-build" in kinds:
            how[package] = "its build script"
            part_of(f"build script of {name}", [other for kind, other in needs[package] if kind == "build"])
        if "proc-macro" in kinds:
            how[package] = "as a procedural macro"
            part_of(f"procedural macro {name}", [package])
    found = (packages[one] | {"how": how[one]} for one in how)
    crates = (HostCrate(name=one["name"], version=one["version"], how=one["how"], links=one["links"]) for one in found)
    return sorted(crates, key=lambda one: (one.name, one.version))


def _needs(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in node["deps"]:
        for kind in {kind["kind"] or "normal" for kind in one["dep_kinds"]}:
            yield kind, one["pkg"]


def _reached(roots: Iterable[str], needs: Mapping[str, list[tuple[str, str]]], kinds: set[str]) -> set[str]:
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += [other for kind, other in needs[one] if kind in kinds]
    return seen


def _reason(one: HostCrate) -> str:
    purpose = f" (it is there for the native library {escaped(one.links)})" if one.links else ""
    runs = f"{one.how} would run on this machine" if one.how.startswith("its") else f"it would run on this machine, {one.how},"
    return f"{one.name} {one.version}{purpose}: {runs} while building, and it is not on the reviewed list"


def _line_of(lock: bytes, crate: HostCrate) -> int:
    found = re.search(rf'^name = "{re.escape(crate.name)}"\nversion = "{re.escape(crate.version)}"$', lock.decode(), re.MULTILINE)
    return lock[: found.start()].count(b"\n") + 1 if found else 0


@cache
def _reviewed() -> frozenset[tuple[str, ...]]:
    lines = _REVIEWED.read_text("ascii").splitlines()
    return frozenset(tuple(line.split()) for line in lines if line and not line.startswith("#"))
