"""An archive into a distribution: the files as they would lie in site-packages, and what its metadata says. Nothing is built or run.

Of a wheel that is what stands in it. A source archive is laid out by reading (`sources.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from ringfence_composer.builders.archives import unpacked, without_top
from ringfence_composer.errors import BuildFailed, InputInvalid
from ringfence_composer.wrap.index import Archive
from ringfence_composer.wrap.sources import Sources, read_points, read_sources

COMPILED = (".so", ".pyd", ".dylib", ".dll", ".a", ".o")
_NOT_FOR_GUESTS = (*COMPILED, ".pyc", ".pth", ".c", ".h", ".cpp", ".pyx", ".pxd", ".rs")
_CODE = (*COMPILED, ".py", ".pyi", ".pyc", ".pyw", ".pth")
_UNUSUAL = re.compile(r"[^A-Za-z0-9._/ -]")
_LICENCE = re.compile(r"(licen[sc]e|copying|notice|authors)[^/]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A release, laid out. `files` are those of site-packages, `imports` the names at their top, `left_out` the compiled parts.

    `points` are its entry points by group; `licence` is what its metadata says of it; `licences` are the texts.
    """

    name: str
    version: Version
    archive: Archive
    files: Mapping[str, bytes]
    imports: tuple[str, ...]
    requires: tuple[Requirement, ...]
    left_out: tuple[str, ...]
    points: Mapping[str, Mapping[str, str]]
    licence: str
    licences: Mapping[str, bytes]
    metadata: Mapping[str, str]

    @property
    def key(self) -> NormalizedName:
        return canonicalize_name(self.name)


def lay_out(archive: Archive) -> Distribution:
    """The distribution in an archive.

    Raises:
        InputInvalid: its paths lead elsewhere, it says no name and version, or nothing tells where its packages lie.
        BuildFailed: it is damaged.
    """
    try:
        files = unpacked(archive.content, archive.filename)
    except ValueError as error:
        raise BuildFailed(archive.filename, f"it cannot be unpacked: {error}") from error
    return _wheel(archive, files) if archive.filename.endswith(".whl") else _sources(archive, without_top(files))


def _wheel(archive: Archive, files: Mapping[str, bytes]) -> Distribution:
    infos = sorted({path.partition("/")[0] for path in files if path.partition("/")[0].endswith(".dist-info")})
    if len(infos) != 1:
        raise InputInvalid(f"{archive.filename}: not a wheel: it has {len(infos)} folders called .dist-info")
    info = {path.removeprefix(f"{infos[0]}/"): data for path, data in files.items() if path.startswith(f"{infos[0]}/")}
    own = _installed(archive, files, infos[0].removesuffix("dist-info") + "data")
    compiled = sorted(path for path in own if path.lower().endswith(COMPILED))
    if compiled and not any(path.endswith(".py") for path in own):
        raise _compiled_only(archive, compiled)
    text = info.get("entry_points.txt", b"").decode("utf-8", "replace")
    return _distribution(archive, _headers(info.get("METADATA", b"")), own, read_points(text), dict(_licences(info)), tuple(compiled))


def _installed(archive: Archive, files: Mapping[str, bytes], spread: str) -> dict[str, bytes]:
    """What a wheel puts into site-packages: all but metadata, and of its `.data` folder, which is `spread`, the libraries only."""
    found: dict[str, bytes] = {}
    for path, data in files.items():
        top, _, rest = path.partition("/")
        kind, _, inner = rest.partition("/")
        place = path if not top.endswith((".data", ".dist-info")) else inner if top == spread and kind in ("purelib", "platlib") else ""
        if place and found.setdefault(place, data) != data:
            raise InputInvalid(f"{archive.filename}: two files would be {place!a}")
    return found


def _sources(archive: Archive, files: Mapping[str, bytes]) -> Distribution:
    found: Sources = read_sources(files)
    headers = _headers(files.get("PKG-INFO", b""))
    for header, value in (("Name", found.name), ("Version", found.version)):
        if header not in headers and value:
            headers[header] = value
    if "Requires-Dist" not in headers:
        for one in found.requires:
            headers["Requires-Dist"] = one
    if not found.files:
        hint = "only what pyproject.toml, setup.cfg, setup.py or its file tree tell by reading can be laid out; nothing is built"
        if found.extensions:
            raise _compiled_only(archive, found.extensions)
        raise InputInvalid(f"{archive.filename}: nothing tells where its packages lie", hint=hint)
    return _distribution(archive, headers, found.files, found.points, dict(_licences(files)), tuple(found.extensions))


def _compiled_only(archive: Archive, parts: Any) -> InputInvalid:
    return InputInvalid(
        f"{archive.filename}: all of it is compiled ({', '.join(list(parts)[:3])})",
        hint="only pure Python runs in a guest: choose another release, or write a component of the C or Rust library itself",
    )


def _distribution(
    archive: Archive,
    headers: Message,
    files: Mapping[str, bytes],
    points: Mapping[str, Mapping[str, str]],
    licences: Mapping[str, bytes],
    left_out: tuple[str, ...],
) -> Distribution:
    name = str(headers.get("Name") or "")
    try:
        version = Version(str(headers.get("Version") or ""))
        canonicalize_name(name, validate=True)
    except (InvalidVersion, ValueError) as error:
        raise InputInvalid(f"{archive.filename}: its metadata says no name and version") from error
    _says_what_it_is_called(archive.filename, canonicalize_name(name), version)
    kept = {path: data for path, data in files.items() if not path.lower().endswith(_NOT_FOR_GUESTS) and not _hidden(path)}
    _told_apart(archive, kept)
    shown = ("Summary", "Home-page", "Author", "License-Expression", "Requires-Python")
    return Distribution(
        name=name,
        version=version,
        archive=archive,
        files=kept,
        imports=tuple(sorted(_imports(kept))),
        requires=tuple(_requirements(headers.get_all("Requires-Dist", []))),
        left_out=left_out,
        points=points,
        licence=_licence(headers),
        licences=licences,
        metadata={one: _line(headers[one]) for one in shown if headers.get(one)},
    )


def _says_what_it_is_called(filename: str, name: NormalizedName, version: Version) -> None:
    """Raises InputInvalid where an archive's metadata is another release's than its file name: its SBOM would be as well."""
    try:
        called = parse_wheel_filename(filename)[:2] if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return  # an archive of a repository, say, whose name says nothing
    if called != (name, version):
        raise InputInvalid(f"{filename}: it says of itself that it is {name} {version}", hint="is it what you take it for?")


def _told_apart(archive: Archive, files: Mapping[str, bytes]) -> None:
    """Raises InputInvalid where two files differ by what not every system tells apart: there, one would be built in the other's place."""
    folded: dict[str, str] = {}
    for path in files:
        other = folded.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
        if other != path:
            raise InputInvalid(f"{archive.filename}: {other!a} and {path!a} are one file where case or accents are not told apart")


def _hidden(path: str) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.split("/"))


def _imports(files: Mapping[str, bytes]) -> set[str]:
    """The names at the top that an import statement can name."""
    tops = {path.partition("/")[0].removesuffix(".py") for path in files if path.endswith(".py")}
    return {name for name in tops if name.isidentifier() and name.isascii()}


def _headers(text: bytes) -> Message:
    return BytesParser().parsebytes(text, headersonly=True)


def _line(value: Any) -> str:
    """A header's value on one line of printable characters."""
    return "".join(char if char.isprintable() else " " for char in str(value))[:500].strip()


def _licence(headers: Message) -> str:
    """What the metadata says of the licence, in a few words."""
    stated = headers.get("License-Expression") or headers.get("License") or ""
    if stated and "\n" not in str(stated) and len(str(stated)) < 100:
        return _line(stated)
    kinds = [one.rpartition(" :: ")[2] for one in headers.get_all("Classifier", []) if one.startswith("License ::")]
    return _line(", ".join(kinds)) if kinds else "not stated"


def _licences(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The texts of licences: at the top, or in a folder for them."""
    for path, data in files.items():
        folder, _, last = path.rpartition("/")
        if (not folder and _LICENCE.fullmatch(last)) or folder.partition("/")[0].lower() in ("licenses", "licences"):
            name = _UNUSUAL.sub("_", path.removeprefix("licenses/"))  # it becomes a file where the wheel is installed, on any system
            yield (f"{name}.txt" if name.lower().endswith(_CODE) else name), data


def _requirements(written: list[str]) -> Iterator[Requirement]:
    for one in written:
        try:
            yield Requirement(one)
        except (InvalidRequirement, RecursionError) as error:
            raise InputInvalid(f"{one[:100]!a} is not a requirement", hint="the archive's metadata is damaged") from error
