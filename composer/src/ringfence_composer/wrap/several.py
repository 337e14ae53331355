"""A file of requirements into the releases of it that are to be wrapped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from ringfence.contract.errors import ManifestError, Problem

from ringfence_composer.errors import InputInvalid
from ringfence_composer.wrap.wanted import Wanted, read_wanted


def read_several(requirements: Path, only: Path | None) -> list[Wanted]:
    """The pinned releases of a requirements file; of these, where `only` is given, those that it names.

    It names them with a version or without; another version than the pinned one is an error, since that may be the mended one.

    Raises:
        InputInvalid: a file can't be read. ManifestError: what is wanted is no pinned release, or is not there; all of it.
    """
    problems: list[Problem] = []
    asked = None if only is None else dict(_names(only, problems))
    there: set[NormalizedName] = set()
    found: dict[NormalizedName, Wanted] = {}
    for line, text in _lines(requirements):
        try:
            name = canonicalize_name(Requirement(text).name)
            there.add(name)
            if asked is None or name in asked:
                found[name] = read_wanted(text.partition(";")[0].strip())
        except (InvalidRequirement, InputInvalid) as error:
            message, hint = (error.message, error.hint) if isinstance(error, InputInvalid) else (f"{text!a} is not a requirement", None)
            problems.append(Problem(file=str(requirements), line=line, message=message, hint=hint))
    for name, (line, specifier) in (asked or {}).items():
        pinned = found[name].version if name in found else None
        if name not in there:
            message = f"{name} is not in {requirements}"
            problems.append(Problem(file=str(only), line=line, message=message, hint="it can only name what is there"))
        elif pinned is not None and not specifier.contains(pinned, prereleases=True):
            message = f"{name}{specifier} is not the release in {requirements}, which is {pinned}"
            problems.append(Problem(file=str(only), line=line, message=message, hint=f"name it alone ({name}) where that is meant"))
    if problems:
        raise ManifestError(problems)
    return [*found.values()]


def _names(file: Path, problems: list[Problem]) -> Iterator[tuple[NormalizedName, tuple[int, SpecifierSet]]]:
    """What a file names, each with its line and the versions that are meant."""
    for line, text in _lines(file):
        try:
            requirement = Requirement(text)
            yield canonicalize_name(requirement.name), (line, requirement.specifier)
        except InvalidRequirement:
            problems.append(Problem(file=str(file), line=line, message=f"{text!a} is not a requirement", hint="name a package a line"))


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """The requirements of a file, without comments, options and hashes, each with its line."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputInvalid(f"{file}: {reason}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        wanted = line.partition(" #")[0].partition("--hash")[0].rstrip("\\ ").strip()
        if wanted and not wanted.startswith(("#", "-")):
            yield number, wanted
