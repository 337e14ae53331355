"""`PyYAML==5.3`, or an archive's file, into which release is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from ringfence_composer.errors import InputInvalid

ARCHIVES = (".whl", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One release: `name` as it was written; `version` None where `file` is an archive on this machine, which says its own."""

    name: str
    version: Version | None
    extras: frozenset[str] = frozenset()
    file: Path | None = None

    @property
    def key(self) -> NormalizedName:
        return canonicalize_name(self.name)


def read_wanted(text: str) -> Wanted:
    """What a command line asks for.

    Raises:
        InputInvalid: it is no requirement on exactly one version of one package.
    """
    if text.lower().endswith(ARCHIVES):
        file = Path(text)
        if not file.is_file():
            raise InputInvalid(f"{text}: there is no such file", hint="name a wheel or a source archive, or a release such as PyYAML==5.3")
        return Wanted(name=file.name, version=None, file=file)
    if text.endswith((".yaml", ".yml")):
        raise InputInvalid(f"{text}: a graph's wheel needs a name", hint=f"add one: compose wrap {text} --package acme_vendor")
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise InputInvalid(f"{text!a} is not a requirement", hint="write it as pip does, with its version: PyYAML==5.3") from error
    if requirement.url:
        raise InputInvalid(f"{requirement.name}: an address in place of a version", hint="fetch it yourself, and name the file")
    pins = [*requirement.specifier]
    if len(pins) != 1 or pins[0].operator not in ("==", "===") or pins[0].version.endswith(".*"):
        raise InputInvalid(
            f"{text}: a wheel is made of exactly one release", hint=f"pin it: {requirement.name}==VERSION, as in PyYAML==5.3"
        )
    try:
        version = Version(pins[0].version)
    except InvalidVersion as error:  # `===` takes any text
        raise InputInvalid(f"{text}: {pins[0].version!a} is no version", hint="write it as pip does: PyYAML==5.3") from error
    return Wanted(name=requirement.name, version=version, extras=frozenset(requirement.extras))


def meant(name: str) -> str | None:
    """The well-known package that a name may be a slip of; None where it is one of those, or like none of them."""
    names = (Path(__file__).parent / "well_known.txt").read_text("ascii").split()
    known = {str(canonicalize_name(one)): one for one in names}
    near = get_close_matches(canonicalize_name(name), known, n=1, cutoff=0.8)
    return known[near[0]] if near and near[0] != canonicalize_name(name) else None
