"""One file to what it is: a component's world, what it could ask for at most, who made it, and the lane it would run in.

Also a folder with component.yaml, which is built for it. Everything told comes from the binary itself; nothing of it is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from ringfence.contract import grants
from ringfence.contract.lock import Lane
from ringfence.contract.names import Digest, digest_of, parse_interface

from ringfence_composer.compose import Workshop, build_folder
from ringfence_composer.errors import InputInvalid
from ringfence_composer.lanes import refusals
from ringfence_composer.manifest.binary import binary_kind, described
from ringfence_composer.manifest.component import FILE
from ringfence_composer.resolve import base, needs_nobody
from ringfence_composer.second_reading import differences
from ringfence_composer.toolchain import Metadata, Toolchain, Wit
from ringfence_composer.tools import Item

Asks: TypeAlias = Literal["grant", "inert", "node", "unknown", "type"]
"""What an import needs: a grant of one of its kinds, nothing, another node that exports it, or what no version of ours knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import: what it needs, and where that is a grant, by which kinds."""

    name: str
    asks: Asks
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export of the world with its functions."""

    name: str
    kind: str
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a WebAssembly binary is. `shown` is what the user named, `file` the binary.

    Of a core module, the fields from `imports` on are empty. `producers` are the binary's own claim, `built_by` is who built a folder.
    `world_fault` says why a component's world can't be told, if it can't; `lane_reasons` why it is not core; `readings_differ` in what a
    second program reads other imports.
    """

    shown: str
    file: Path
    kind: Literal["component", "core-module"]
    digest: Digest
    size: int
    name: str | None
    producers: Mapping[str, tuple[str, ...]]
    annotations: Mapping[str, str]
    imports: tuple[Import, ...] = ()
    exports: tuple[Export, ...] = ()
    wit: str = ""
    world_fault: str | None = None
    lane: Lane | None = None
    lane_reasons: tuple[str, ...] = ()
    readings_differ: str | None = None
    built_by: tuple[str, ...] = ()


def inspect(path: Path, workshop: Workshop) -> Inspection:
    """What is in a file, or what a folder with component.yaml builds to.

    Raises:
        InputInvalid: it is no WebAssembly binary, but what the message says; or it is broken.
        ManifestError, ComposerError: a folder's component can't be built.
    """
    if path.name == FILE or (path.is_dir() and (path / FILE).is_file()):
        artifact = build_folder(path, workshop)
        return replace(_binary(artifact.path, str(path), workshop), built_by=artifact.producers)
    if path.is_dir():
        raise InputInvalid(f"{path}: a folder without {FILE}", hint="name a component's folder, or a .wasm file")
    return _binary(path, str(path), workshop)


def _binary(file: Path, shown: str, workshop: Workshop) -> Inspection:
    data = _read(file)
    if binary_kind(data) is None:
        raise InputInvalid(f"{shown}: not a WebAssembly binary, but {described(data)}")
    toolchain = Toolchain(report=workshop.report)
    workshop.report(f"reading {file.name}")
    metadata = toolchain.metadata(file)
    about = Inspection(
        shown=shown,
        file=file,
        kind="core-module" if metadata.kind == "core-module" else "component",
        digest=digest_of(data),
        size=len(data),
        name=metadata.name,
        producers=_producers(metadata),
        annotations=metadata.annotations,
    )
    return _component(about, data, toolchain, workshop) if about.kind == "component" else about


def _component(about: Inspection, data: bytes, toolchain: Toolchain, workshop: Workshop) -> Inspection:
    try:
        world = toolchain.world(Wit(path=about.file))
        text = toolchain.text(Wit(path=about.file))
    except InputInvalid as error:
        return replace(about, world_fault=error.message.removeprefix(f"{about.file}: "))
    workshop.report(f"taking {about.file.name} apart")
    reasons = refusals(toolchain, about.file, about.digest, workshop.context)
    return replace(
        about,
        imports=tuple(_import(item) for item in world.imports),
        exports=tuple(Export(name=item.name, kind=item.kind, functions=item.functions) for item in world.exports),
        wit=_own_wit(text),
        lane="component" if reasons else "core",
        lane_reasons=reasons,
        readings_differ=differences(world, data),
    )


def _read(file: Path) -> bytes:
    try:
        if file.exists() and not file.is_file():  # opening a pipe would wait for whoever writes to it
            raise InputInvalid(f"{file}: neither a file nor a folder")
        return file.read_bytes()
    except OSError as error:
        reason = "there is no such file or folder" if isinstance(error, FileNotFoundError) else error.strerror
        raise InputInvalid(f"{file}: {reason}") from error


def _import(item: Item) -> Import:
    name, kinds = base(item.name), grants.kinds_of(base(item.name))
    if needs_nobody(item):
        return Import(name=item.name, asks="type")
    if name in grants.INERT:
        return Import(name=item.name, asks="inert")
    if kinds:
        return Import(name=item.name, asks="grant", kinds=kinds)
    parsed = parse_interface(item.name)
    return Import(name=item.name, asks="unknown" if parsed is None or parsed.package.startswith("wasi:") else "node")


def _producers(metadata: Metadata) -> dict[str, tuple[str, ...]]:
    """Who made it and what is in it, by field: names with versions, each once."""
    found: dict[str, dict[str, None]] = {}
    for one in _tree(metadata):
        for kind, names in one.producers.items():
            found.setdefault(kind, {}).update(dict.fromkeys(f"{name} {version}".strip() for name, version in names.items()))
    return {kind: tuple(names) for kind, names in sorted(found.items())}


def _tree(metadata: Metadata) -> Iterator[Metadata]:
    yield metadata
    for child in metadata.children:
        yield from _tree(child)


def _own_wit(text: str) -> str:
    """The WIT of a binary without the packages of WASI, which are the same everywhere."""
    parts: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("package "):
            parts.append([])
        parts[-1].append(line)
    kept = ["\n".join(part).strip() for part in parts if part and not part[0].startswith("package wasi:")]
    return "\n\n".join(filter(None, kept))
