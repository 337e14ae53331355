"""What all builders agree on: the component to be built, the artifact that comes of it, and where and for whom it is built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ringfence.contract.names import Digest, digest_of

from ringfence_composer.builders.cache import BuildCache
from ringfence_composer.crew import MACHINE, Cores
from ringfence_composer.toolchain import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A package that is built in, pinned by the SHA-256 of its archive (64 hexadecimal digits)."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive of sources in a package registry (`pypi`, `crates` or `npm`), pinned by its SHA-256, and the patches to apply to it."""

    registry: str
    name: str
    version: str
    sha256: str
    patches: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSource:
    """What a component.yaml says, with its paths resolved.

    `wit` is a folder of WIT (or one file) with the world in it; each of `wit_deps` is a folder or file with a WIT package that it uses.
    Python: `module` is the entry module in `source`; `packages` a folder laid out as site-packages; `preload` names further modules to
    import while building. Rust: where `trusted`, code of crates that nobody reviewed may run on this machine while building. C: `sources`
    are compiled, with `defines` (`NAME`, `NAME=VALUE`); they, and the folders `include`, lie in `source` or, after its name, in one of the
    `archives`.
    """

    name: str
    language: str
    wit: Path
    wit_deps: tuple[Path, ...] = ()
    world: str
    source: Path
    module: str = ""
    requirements: tuple[Requirement, ...] = ()
    packages: Path | None = None
    preload: tuple[str, ...] = ()
    trusted: bool = False
    sources: tuple[str, ...] = ()
    archives: tuple[Archive, ...] = ()
    defines: tuple[str, ...] = ()
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One built component.

    `digest` is that of the file at `path`, which lies in the build cache and never changes. `inputs` is the digest of everything it was
    made from, equal on every machine. `runtime_needs` names, without versions, the WASI interfaces that the language's runtime itself
    cannot start without and that need a grant. `producers` says what made it (`componentize-py 0.25.1`).
    """

    path: Path
    digest: Digest
    inputs: Digest
    world: str
    language: str
    runtime_needs: frozenset[str]
    producers: tuple[str, ...]


def _silent(_message: str) -> None:
    """Reports to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """Where and for whom a build runs.

    `cache` is the folder in which `build/` lies. `report` is told of each step, in a few words; `note` of what stays worth reading
    after the build, such as a compiler's warnings. A tool that runs longer than `deadline` seconds is ended: imports run while building,
    and a library may loop. `toolchain` holds the official WIT tools. Compilers run on `cores`.
    """

    cache: Path
    report: Callable[[str], None] = _silent
    note: Callable[[str], None] = _silent
    toolchain: Toolchain = field(default_factory=Toolchain)
    deadline: float = 300.0
    cores: Cores = MACHINE


class Builder(Protocol):
    """One language's builder. `runtime_needs` are those of every artifact that it makes."""

    language: ClassVar[str]
    runtime_needs: ClassVar[frozenset[str]]

    def check(self, component: ComponentSource) -> None:
        """Look at the sources without running anything.

        Raises:
            InputInvalid: `build` would refuse them.
        """
        ...

    def build(self, component: ComponentSource, context: BuildContext) -> Artifact:
        """The component's artifact: from the cache where its inputs are unchanged, else built once.

        Raises:
            ComposerError: The sources cannot be used, a tool is missing, or the build failed.
        """
        ...


def inputs_digest(inputs: Mapping[str, Any]) -> Digest:
    """The digest of these JSON values, whatever the order of their keys."""
    return digest_of(json.dumps(inputs, sort_keys=True, separators=(",", ":")).encode())


def file_digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each file, by its relative path."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


def built(
    builder: Builder,
    component: ComponentSource,
    context: BuildContext,
    inputs: Mapping[str, Any],
    make: Callable[[Path], bytes],
    *,
    producers: tuple[str, ...],
) -> Artifact:
    """The artifact that `make` makes of these inputs, or made before: see `BuildCache.fetch`."""
    digest = inputs_digest(inputs)
    stored = BuildCache(context.cache, lambda message: context.report(f"{component.name}: {message}")).fetch(digest, make)
    return Artifact(
        path=stored.path,
        digest=stored.digest,
        inputs=digest,
        world=component.world,
        language=builder.language,
        runtime_needs=builder.runtime_needs,
        producers=producers,
    )
