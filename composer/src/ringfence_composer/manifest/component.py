"""component.yaml into a record: what one guest is built from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.contract.errors import ManifestError, Problem
from ringfence.contract.schemas import schema

from ringfence_composer.manifest.paths import COMPONENT, exists, is_file, is_folder, meant, refuse_other_than_component
from ringfence_composer.manifest.shape import closest, shape_problems
from ringfence_composer.manifest.source import Document, PathSteps, Problems, quoted, read_document

FILE = COMPONENT
LANGUAGES = ("c", "python", "rust")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementManifest:
    """One package that is built in, pinned by the SHA-256 of its archive (64 hexadecimal digits)."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveManifest:
    """An archive of sources in a package registry, pinned likewise; the patches' paths are absolute and exist."""

    registry: str
    name: str
    version: str
    sha256: str
    patches: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentManifest:
    """A component.yaml. Paths are absolute and exist; `document` keeps the places. What belongs to another language is empty."""

    folder: Path
    name: str
    language: str
    wit: Path
    wit_deps: tuple[Path, ...]
    world: str
    source: Path
    module: str
    requirements: tuple[RequirementManifest, ...]
    packages: Path | None
    preload: tuple[str, ...]
    trusted: bool
    sources: tuple[str, ...]
    archives: tuple[ArchiveManifest, ...]
    defines: tuple[str, ...]
    include: tuple[str, ...]
    document: Document

    def __hash__(self) -> int:
        return hash(self.folder)


def read_component(folder: Path, problems: Problems, *, show_as: str | None = None) -> ComponentManifest | None:
    """The component.yaml in a folder; None, with the reasons added to `problems`, where it can't be used.

    `show_as` is the folder's name in messages.
    """
    shown = os.path.normpath(Path(show_as or folder) / FILE)
    try:
        document = read_document(folder / FILE, show_as=shown)
    except ManifestError as error:
        problems.extend(error.problems)
        return None
    found = [*shape_problems(document, "component")]
    if isinstance(document.data, Mapping):
        found += _meaning(document, folder)
    problems.extend(found)
    return None if found else _record(document, folder)


def load_component(folder: Path, *, show_as: str | None = None) -> ComponentManifest:
    """Like `read_component`, for one component alone. Raises ManifestError."""
    problems = Problems()
    refuse_other_than_component(folder, show_as or str(folder))
    manifest = read_component(Path(os.path.realpath(folder)), problems, show_as=show_as)
    if manifest is None:
        raise ManifestError(problems.in_order())
    return manifest


def _record(document: Document, folder: Path) -> ComponentManifest:
    data = document.data
    return ComponentManifest(
        folder=folder,
        name=data["component"],
        language=data["language"],
        wit=_at(folder, data["wit"]),
        wit_deps=tuple(_at(folder, one) for one in data.get("wit_deps", ())),
        world=data["world"],
        source=_at(folder, data["source"]),
        module=data.get("module", ""),
        requirements=tuple(RequirementManifest(**one) for one in data.get("requirements", ())),
        packages=_at(folder, data["packages"]) if "packages" in data else None,
        preload=tuple(data.get("preload", ())),
        trusted=data.get("build") == "trusted",
        sources=tuple(data.get("sources", ())),
        archives=tuple(_archive(folder, one) for one in data.get("archives", ())),
        defines=tuple(data.get("defines", ())),
        include=tuple(data.get("include", ())),
        document=document,
    )


def _archive(folder: Path, one: Mapping[str, Any]) -> ArchiveManifest:
    patches = tuple(_at(folder, patch) for patch in one.get("patches", ()))
    return ArchiveManifest(registry=one["from"], name=one["name"], version=one["version"], sha256=one["sha256"], patches=patches)


def _at(folder: Path, written: str) -> Path:
    return Path(os.path.normpath(folder / written))


def _meaning(document: Document, folder: Path) -> Iterator[Problem]:
    """What no schema can say: languages, files that must exist, requirements named twice."""
    data: Mapping[str, Any] = document.data
    language = data.get("language")
    if isinstance(language, str) and language not in LANGUAGES:
        yield document.problem(("language",), f"unknown language {quoted(language)}", hint=closest(language, LANGUAGES))
    elif isinstance(language, str):
        yield from _keys(document, language)
    yield from _paths(document, folder)
    yield from _module(document, folder)
    yield from _pinned_twice(document, "requirements")
    yield from _pinned_twice(document, "archives")
    yield from _patches(document, folder)


def _keys(document: Document, language: str) -> Iterator[Problem]:
    """Keys of another language, and those that this one needs; the schema says whose each is."""
    for key, about in schema("component", "ringfence_composer")["properties"].items():
        owners = about.get("x-languages")
        if owners and language not in owners and key in document.data:
            message = f"a component in {language} has no {quoted(key)}: it belongs to {' and '.join(owners)}"
            yield document.problem((key,), message, hint="remove it", at_key=True)
        elif language in about.get("x-needed-by", ()) and key not in document.data:
            yield document.problem((), f"missing key {key!r}", hint=about["description"])


def _paths(document: Document, folder: Path) -> Iterator[Problem]:
    data = document.data
    deps = data.get("wit_deps")
    listed = [(("wit_deps", index), one) for index, one in enumerate(deps)] if isinstance(deps, list) else []
    folders = [((name,), data.get(name)) for name in ("source", "packages")]
    for path, written in [(("wit",), data.get("wit")), *listed, *folders]:
        if not isinstance(written, str) or not written:
            continue
        if bad := unportable(written):
            yield document.problem(path, bad)
        elif not exists(_at(folder, written)):
            yield document.problem(path, f"there is no {quoted(written)} in this component's folder", hint=_meant(path, folder, written))
        elif path == ("source",) and not is_folder(_at(folder, written)):
            yield document.problem(path, f"expected a folder, {quoted(written)} is a file")
        elif path[0] != "wit_deps" and not _inside(folder, written):
            # What is built must be what the component's author could see: not somebody's files beside it.
            yield document.problem(path, f"{quoted(written)} leads out of this component's folder")


def _inside(folder: Path, written: str) -> bool:
    root = os.path.realpath(folder)
    return os.path.commonpath([root, os.path.realpath(_at(folder, written))]) == root


def _meant(path: PathSteps, folder: Path, written: str) -> str:
    inner = path[0] != "wit_deps"
    return meant(FILE, folder, written, lambda one: exists(one) and not (inner and ".." in one.parts))


def unportable(written: str) -> str | None:
    """What is wrong with a path in a manifest that must mean the same on every machine; None: nothing."""
    if not written.isprintable():
        return f"expected a path of printable characters, found {quoted(written)}"
    if written.startswith(("/", "~")) or re.match(r"[A-Za-z]:", written) or "\\" in written:
        return f"expected a path relative to this file, with '/', found {quoted(written)}"
    return None


def _module(document: Document, folder: Path) -> Iterator[Problem]:
    source, module = document.data.get("source"), document.data.get("module")
    if document.data.get("language") != "python":
        return
    if not isinstance(source, str) or not isinstance(module, str) or unportable(source):
        return
    root, inner = _at(folder, source), module.replace(".", "/")
    if not is_folder(root) or any(is_file(root / end) for end in (f"{inner}.py", f"{inner}/__init__.py")):
        return
    modules = [one.stem for one in root.glob("*.py")]
    yield document.problem(("module",), f"there is no {inner}.py in {quoted(source)}", hint=closest(module, modules) if modules else None)


def _patches(document: Document, folder: Path) -> Iterator[Problem]:
    listed = document.data.get("archives")
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        patches = one.get("patches") if isinstance(one, Mapping) else None
        for number, written in enumerate(patches if isinstance(patches, list) else ()):
            path = ("archives", index, "patches", number)
            if not isinstance(written, str) or not written:
                continue
            if bad := unportable(written):
                yield document.problem(path, bad)
            elif not is_file(_at(folder, written)) or not _inside(folder, written):
                yield document.problem(
                    path, f"there is no file {quoted(written)} in this component's folder", hint=_meant(path, folder, written)
                )


def _pinned_twice(document: Document, key: str) -> Iterator[Problem]:
    listed = document.data.get(key)
    seen: dict[str, int] = {}
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        name = one.get("name") if isinstance(one, Mapping) else None
        if not isinstance(name, str):
            continue
        normal = re.sub(r"[-_.]+", "-", name).lower()  # PEP 503
        path = (key, index, "name")
        if normal in seen:
            yield document.problem(path, f"{quoted(name)} is required twice, first in line {seen[normal]}")
        seen.setdefault(normal, document.mark(path).line)
