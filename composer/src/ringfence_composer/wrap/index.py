"""A package index into the files of one release, and a file into its bytes: fetched by name, checked by the index's digest.

The index is PyPI, or the one that uv is told of (`UV_DEFAULT_INDEX`). Only its pages and archives are read.
"""

from __future__ import annotations

import hashlib
import json
import os
import urllib.error
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version
from ringfence.contract.files import read_regular, why

from ringfence_composer.builders.archives import kept_archive, read_address
from ringfence_composer.builders.base import BuildContext
from ringfence_composer.builders.snapshot import MAX_BYTES
from ringfence_composer.errors import ComposerError, InputInvalid
from ringfence_composer.wrap.wanted import Wanted, meant

PYPI = "https://pypi.org/simple"
_ACCEPTED = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFile:
    """One archive of a release in the index; `pure` says that it is a wheel for every platform, `wheel` that it is one at all."""

    filename: str
    url: str
    sha256: str
    wheel: bool
    pure: bool
    yanked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of a package with its archives. `name` is the one its archives have."""

    name: str
    version: Version
    files: tuple[ReleaseFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive's bytes, and where they are from; no `url` where it lay on this machine."""

    filename: str
    url: str
    sha256: str
    content: bytes


def find_release(wanted: Wanted) -> Release:
    """The release in the index.

    Raises:
        InputInvalid: there is none of this name or version, or the name only looks like a well-known one.
        ComposerError: the index cannot be reached.
    """
    assert wanted.version is not None  # noqa: S101 -- archives of this machine are not looked for
    listed = [*_listed(wanted.name)]
    files = tuple(file for version, file in listed if version == wanted.version)
    if not files:
        versions = sorted({version for version, _ in listed}, reverse=True)
        near, other = ", ".join(str(one) for one in versions[:8]), meant(wanted.name)
        hint = f"its newest are {near or 'none'}{f'; or did you mean {other}?' if other else ''}"
        raise InputInvalid(f"{wanted.name} has no release {wanted.version}", hint=hint)
    return Release(name=wanted.name, version=wanted.version, files=files)


def newest(name: str, allowed: Iterable[SpecifierSet]) -> Version:
    """The newest release of a package that all of these allow and that nobody yanked. Raises InputInvalid."""
    specifiers = [*allowed]
    versions = {version for version, file in _listed(name) if not file.yanked and all(one.contains(version) for one in specifiers)}
    if not versions:
        raise InputInvalid(f"{name} has no release that fits {' and '.join(str(one) for one in specifiers)}")
    return max(versions)


def index_address() -> str:
    """Where the index's pages lie."""
    return (os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or PYPI).rstrip("/")


def fetch(name: str, file: ReleaseFile, context: BuildContext) -> Archive:
    """The bytes of an archive, from the cache or the index. Raises DigestMismatch, BuildFailed."""
    content = kept_archive(name, file.filename, file.sha256, lambda: read_address(file.url), context)
    return Archive(filename=file.filename, url=file.url, sha256=file.sha256, content=content)


def read_archive(wanted: Wanted) -> Archive:
    """The bytes of an archive on this machine. Raises InputInvalid."""
    assert wanted.file is not None  # noqa: S101 -- see find_release
    try:
        content = read_regular(wanted.file, MAX_BYTES)
    except OSError as error:
        raise InputInvalid(f"{wanted.file}: {why(error)}") from error
    return Archive(filename=wanted.file.name, url="", sha256=hashlib.sha256(content).hexdigest(), content=content)


def chosen(release: Release) -> ReleaseFile:
    """The archive to take: a wheel for every platform, else the source archive, whose pure part can be laid out by reading.

    Raises:
        InputInvalid: there are wheels with compiled parts only.
    """
    pure = [one for one in release.files if one.pure]
    sources = [one for one in release.files if not one.wheel]
    for files in (pure, sorted(sources, key=lambda one: not one.filename.endswith(".tar.gz"))):
        if files:
            return files[0]
    raise InputInvalid(
        f"{release.name} {release.version} comes in wheels with compiled parts only, and without its sources",
        hint="only pure Python runs in a guest: choose another release, or write a component of the C or Rust library itself",
    )


def _listed(name: str) -> Iterator[tuple[Version, ReleaseFile]]:
    key = canonicalize_name(name)
    address = f"{index_address()}/{key}/"
    try:
        page = json.loads(read_address(address, _ACCEPTED))
        files = page["files"]
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise ComposerError(f"the package index answers {error.code} for {name}") from error
        near = meant(name)
        hint = f"did you mean {near}?" if near else "check its name; the index has no package so called"
        raise InputInvalid(f"there is no package {name!a}", hint=hint) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ComposerError(
            f"the package index cannot be asked for {name}: {error}", hint="is it reachable? UV_DEFAULT_INDEX names another"
        ) from error
    for one in files if isinstance(files, list) else ():
        if found := _file(key, one, address):
            yield found


def _file(key: NormalizedName, one: Mapping[str, Any], page: str) -> tuple[Version, ReleaseFile] | None:
    """A listed file with its version; None for what is of no use: other packages, other kinds, without a SHA-256."""
    filename, digest = str(one.get("filename", "")), (one.get("hashes") or {}).get("sha256", "")
    try:
        if filename.endswith(".whl"):
            name, version, _, tags = parse_wheel_filename(filename)
            pure = all(tag.abi == "none" and tag.platform == "any" and tag.interpreter.startswith(("py3", "cp3")) for tag in tags) or any(
                tag.abi == "none" and tag.platform == "any" and tag.interpreter == "py3" for tag in tags
            )
            wheel = True
        else:
            name, version = parse_sdist_filename(filename)
            pure = wheel = False
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None
    if name != key or not isinstance(digest, str) or len(digest) != 64:
        return None
    yanked = one.get("yanked", False)
    file = ReleaseFile(
        filename=filename,
        url=urllib.parse.urljoin(page, str(one.get("url", ""))),
        sha256=digest,
        wheel=wheel,
        pure=pure,
        yanked=yanked if isinstance(yanked, str) else "yes" if yanked else "",
    )
    return version, file
