"""A distribution into all that is packed with it: itself, and what it requires, each exactly one release.

uv resolves the requirements, for no platform in particular (the guest is none that an index knows), and from wheels' metadata alone:
nothing is built to find out what it requires. A package that has no wheel at all is resolved here, by its own metadata, read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from ringfence_composer.builders.base import BuildContext
from ringfence_composer.builders.requirements import find_uv, index_environment
from ringfence_composer.errors import BuildFailed, InputInvalid, ToolFailed
from ringfence_composer.tools import run
from ringfence_composer.wrap.index import chosen, fetch, find_release, newest
from ringfence_composer.wrap.layout import Distribution, lay_out
from ringfence_composer.wrap.wanted import Wanted

GUEST = {
    "implementation_name": "cpython",
    "implementation_version": "3.14.0",
    "os_name": "posix",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "wasi",
    "platform_version": "",
    "python_full_version": "3.14.0",
    "python_version": "3.14",
    "sys_platform": "wasi",
}
"""What environment markers are told of the guest."""

_NO_WHEEL = re.compile(r"Wheels are required for `([A-Za-z0-9._-]+)`")
_ROUNDS = 20


def with_dependencies(first: Distribution, extras: frozenset[str], work: Path, context: BuildContext) -> tuple[Distribution, ...]:
    """The distribution and all that it requires in the guest, itself first, the others by name.

    Raises:
        InputInvalid: one of them is compiled, or two bring the same files or import names. BuildFailed: the requirements don't resolve.
    """
    taken = {first.key: first}
    sources: dict[NormalizedName, Distribution] = {}
    wanted = [*_needed(first, extras)]
    for _ in range(_ROUNDS):
        try:
            pins = _resolved(first, wanted, work, context)
        except _NoWheel as without:
            found = _from_source(without.name, wanted, context)
            sources[found.key] = found
            wanted = [one for one in wanted if canonicalize_name(one.name) != found.key] + [*_needed(found, frozenset())]
            continue
        for name, version in pins:
            if canonicalize_name(name) not in taken | sources:
                taken[canonicalize_name(name)] = _distribution(Wanted(name=name, version=version), first, context)
        others = {**{key: one for key, one in taken.items() if key != first.key}, **sources}
        all_of_them = (first, *(others[key] for key in sorted(others)))
        _apart(all_of_them)
        return all_of_them
    raise BuildFailed(first.name, "its requirements don't come to an end")


def _needed(one: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    """What it requires in the guest."""
    for requirement in one.requires:
        environments = [GUEST | {"extra": extra} for extra in (extras or {""})]
        if requirement.marker is None or any(requirement.marker.evaluate(environment) for environment in environments):
            yield requirement


class _NoWheel(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _resolved(first: Distribution, wanted: Iterable[Requirement], work: Path, context: BuildContext) -> list[tuple[str, Version]]:
    """Name and version of all that these requirements need in the guest, as uv finds them. Raises _NoWheel, BuildFailed."""
    lines = [f"{one.name}{_extras(one)}{one.specifier}" for one in wanted]
    if not lines:
        return []
    context.report(f"{first.name}: resolving what it requires")
    work.mkdir(parents=True, exist_ok=True)
    (work / "requires.in").write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = ["--universal", "--no-build", "--no-header", "--no-annotate", "--no-python-downloads", "--python-version", "3.14"]
    command = [find_uv(), "pip", "compile", "requires.in", "-o", "requires.txt", *options, "--python", sys.executable]
    try:
        run(command, cwd=work, env=index_environment(), timeout=context.deadline)
    except ToolFailed as error:
        if found := _NO_WHEEL.search(error.output):
            raise _NoWheel(found[1]) from error
        hint = "the requirements contradict each other, or the index cannot be reached"
        raise BuildFailed(first.name, "what it requires cannot be resolved", output=error.output, hint=hint) from error
    return [*_pins((work / "requires.txt").read_text("utf-8"))]


def _extras(one: Requirement) -> str:
    return f"[{','.join(sorted(one.extras))}]" if one.extras else ""


def _pins(text: str) -> Iterator[tuple[str, Version]]:
    for line in text.splitlines():
        if line.strip() and not line.startswith(("#", "-")):
            pin = Requirement(line)
            marker: Marker | None = pin.marker
            if marker is None or marker.evaluate(GUEST | {"extra": ""}):
                yield pin.name, Version(next(iter(pin.specifier)).version)


def _from_source(name: str, wanted: Iterable[Requirement], context: BuildContext) -> Distribution:
    """The newest release that a requirement allows of a package without wheels. Raises InputInvalid where another package requires it."""
    asked = [one for one in wanted if canonicalize_name(one.name) == canonicalize_name(name)]
    if not asked:
        hint = "only what the library itself requires may be without a wheel"
        raise InputInvalid(f"{name} has no wheel, so that what it requires is known only by building it", hint=hint)
    version = newest(name, [one.specifier for one in asked])
    return lay_out(fetch(name, chosen(find_release(Wanted(name=name, version=version))), context))


def _distribution(wanted: Wanted, first: Distribution, context: BuildContext) -> Distribution:
    try:
        return lay_out(fetch(wanted.name, chosen(find_release(wanted)), context))
    except InputInvalid as error:
        raise InputInvalid(f"{first.name} requires {wanted.name}: {error.message}", hint=error.hint) from error


def _apart(found: Iterable[Distribution]) -> None:
    """Refuses two distributions that own one module; a namespace package may be in several.

    Raises:
        InputInvalid: two bring the same file, or one import name.
    """
    owners: dict[str, Distribution] = {}
    for one in found:
        for path in one.files:
            if path in owners:
                raise InputInvalid(
                    f"{owners[path].name} and {one.name} both bring {path}",
                    hint="two libraries that own one import name cannot be packed together",
                )
            owners[path] = one
