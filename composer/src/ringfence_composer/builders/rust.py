"""Rust components, by cargo for `wasm32-wasip2`.

A crate is built as its author would, by `cargo build --release --locked`, but from copies and in an environment that holds nothing of the
developer's (design §7.7): copies of the crate and of the WIT folders, each where it lies relative to the others, and of all crates in
Cargo.lock (`crate_store.py`, which also keeps what those were compiled to). Only the component is taken.

Equal sources make equal components, in whatever folder and whatever was compiled before: no path of the machine gets into them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ringfence_composer.builders.base import Artifact, BuildContext, ComponentSource, built, file_digests
from ringfence_composer.builders.crate_store import CratePlace, crate_place
from ringfence_composer.builders.crates import LOCK, cargo_failed, lay_out_crates, refuse_unreviewed
from ringfence_composer.builders.foreign import escaped
from ringfence_composer.builders.native import native_error
from ringfence_composer.builders.rust_errors import compile_errors, messages, warnings
from ringfence_composer.builders.snapshot import read_file, read_tree, write_tree
from ringfence_composer.builders.worlds import refuse_other_world
from ringfence_composer.errors import BuildFailed, InputInvalid, SourceInvalid, ToolFailed
from ringfence_composer.tools import TARGET, find, has_target, run, rust_environment, target_missing

FORMAT = 1
"""Counts up whenever this builder would make something else of the same inputs: older cache entries are then not used."""

# The standard library's hash tables are seeded by the host; it starts without anything.
RUNTIME_NEEDS = frozenset({"wasi:random/insecure-seed"})

_MANIFEST = "Cargo.toml"
_ELSEWHERE = frozenset({"target", "tests", "benches", "examples", "component.yaml"})
"""What lies beside Cargo.toml and is no part of the library."""
_PROFILE = {"opt-level": "s", "lto": "true", "codegen-units": "1", "strip": "true"}
"""Small; what Cargo.toml says in [profile.release] itself goes before."""
_LONGEST = 1800.0  # seconds for a compilation: a big crate takes minutes on two cores


class RustBuilder:
    """Builds components whose language is `rust`."""

    language: ClassVar[str] = "rust"
    runtime_needs: ClassVar[frozenset[str]] = RUNTIME_NEEDS

    def check(self, component: ComponentSource) -> None:
        """Raises InputInvalid where the component's files cannot be used."""
        _Parts.read(component)

    def build(self, component: ComponentSource, context: BuildContext) -> Artifact:
        """The component's artifact, built once for each digest of its inputs.

        Guarantees that no code of its crates runs on this machine but what was reviewed, or is trusted by component.yaml.

        Raises:
            InputInvalid: Its sources cannot be used (also SourceInvalid, with all errors of the compiler).
            BuildFailed: A crate cannot be fetched, linking failed, or no component came of it.
            ToolMissing: Rust, its target or a linker for this machine is not installed.
        """
        parts, rust = _Parts.read(component), _Rust.found()
        return built(
            self,
            component,
            context,
            parts.inputs(rust),
            lambda _: _made(component, parts, context, rust),
            producers=(f"rustc {rust.release}",),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rust:
    """The compiler: its version, as it says it itself."""

    release: str
    commit: str

    @classmethod
    def found(cls) -> _Rust:
        """Raises ToolMissing."""
        # Not in the component's folder: a rust-toolchain.toml there would have rustup fetch another compiler.
        said = run([find("rustc"), "-vV"], cwd=Path(__file__).parent, env=rust_environment())
        facts = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
        return cls(release=facts.get("release", "?"), commit=facts.get("commit-hash", "?"))


class _Parts:
    """Everything of the developer's that goes into one build, read once. `files` are by their places relative to each other."""

    def __init__(self, component: ComponentSource, files: dict[str, bytes], crate: str) -> None:
        self._component, self.files, self.crate = component, files, crate

    @classmethod
    def read(cls, component: ComponentSource) -> _Parts:
        """Reads and checks them; raises InputInvalid."""
        top = Path(os.path.commonpath([component.source, component.wit, *component.wit_deps]))
        files: dict[str, bytes] = {}
        for place in (component.wit, *component.wit_deps):
            files |= _placed(top, place, f"{component.name}: WIT")
        files |= _placed(top, component.source, f"{component.name}: source", without=_ELSEWHERE)
        parts = cls(component, files, os.path.relpath(component.source, top))
        parts._check()
        return parts

    def file(self, name: str) -> bytes | None:
        """A file of the crate."""
        return self.files.get(os.path.normpath(f"{self.crate}/{name}").replace(os.sep, "/"))

    @property
    def own(self) -> Mapping[str, bytes]:
        """The files of the crate, by their paths in it."""
        crate = "" if self.crate == "." else f"{self.crate}/".replace(os.sep, "/")
        return {path.removeprefix(crate): content for path, content in self.files.items() if path.startswith(crate)}

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """Cargo.toml. Raises SourceInvalid."""
        return _toml(self._component, _MANIFEST, self.file(_MANIFEST) or b"")

    @cached_property
    def lock(self) -> Mapping[str, Any]:
        """Cargo.lock. Raises SourceInvalid."""
        return _toml(self._component, LOCK, self.file(LOCK) or b"")

    def inputs(self, rust: _Rust) -> dict[str, Any]:
        """What the artifact depends on, as JSON values; equal on every machine."""
        return {
            "builder": {"language": "rust", "format": FORMAT},
            "tools": {"rustc": [rust.release, rust.commit]},
            "flags": _PROFILE,
            "world": self._component.world,
            "trusted": self._component.trusted,
            "crate": self.crate,
            "files": file_digests(self.files),
        }

    def _check(self) -> None:
        name = self._component.name
        if self.file(_MANIFEST) is None:
            hint = "name the folder of the Cargo package in component.yaml, `source:`"
            raise InputInvalid(f"{name}: there is no {_MANIFEST} in the source folder", hint=hint)
        library = self.manifest.get("lib", {})
        kinds = library.get("crate-type", ()) if isinstance(library, Mapping) else ()
        if "cdylib" not in kinds:
            hint = 'write in it: [lib] crate-type = ["cdylib"]'
            raise SourceInvalid(name, "there is no library of the type cdylib, which becomes the component", file=_MANIFEST, hint=hint)
        if self.file(LOCK) is None:
            hint = "run cargo generate-lockfile there, and keep the file with the sources"
            raise InputInvalid(f"{name}: there is no {LOCK} beside {_MANIFEST}, so its crates are not pinned", hint=hint)
        if not all(isinstance(one, Mapping) for one in self.lock.get("package", ())):
            raise SourceInvalid(name, "its packages are no tables", file=LOCK, hint="run cargo generate-lockfile to write it anew")


def _placed(top: Path, place: Path, what: str, without: frozenset[str] = frozenset()) -> dict[str, bytes]:
    """The files of a folder (or the one file), by their paths under `top`."""
    if place.is_file():
        return {place.relative_to(top).as_posix(): read_file(place, what=what)}
    return {(place / path).relative_to(top).as_posix(): content for path, content in read_tree(place, what=what, without=without).items()}


def _toml(component: ComponentSource, file: str, content: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (0, 0)
        reason = str(error)[: found.start()] if found else str(error)
        raise SourceInvalid(component.name, escaped(reason), file=file, line=line, column=column) from error


def _made(component: ComponentSource, parts: _Parts, context: BuildContext, rust: _Rust) -> bytes:
    """The component's bytes."""
    if not has_target():
        raise target_missing()
    compiled_by = [FORMAT, rust.release, rust.commit, _PROFILE, parts.manifest.get("profile", {})]
    with crate_place(component, context, parts.lock, compiled_by) as place:
        return _Build(component, parts, place, context).component()


class _Build:
    """One run of cargo."""

    def __init__(self, component: ComponentSource, parts: _Parts, place: CratePlace, context: BuildContext) -> None:
        self._component, self._parts, self._place, self._context = component, parts, place, context
        self._crate = Path(os.path.normpath(place.tree / parts.crate))

    def component(self) -> bytes:
        """The component's bytes."""
        write_tree(self._parts.files, self._place.tree)
        lay_out_crates(self._component, self._crate, self._place, self._context)
        metadata = self._metadata()
        if not self._component.trusted:
            guest = self._metadata("--filter-platform", TARGET)
            refuse_unreviewed(self._component, metadata, guest, self._parts.file(LOCK) or b"")
        self._remove_own(metadata)
        said = self._compiled(metadata)
        for warning in warnings(said):
            self._context.note(f"{self._component.name}: {warning}")
        self._refuse_other_files()
        content = self._taken(said)
        refuse_other_world(self._component, content, self._context)
        return content

    def _metadata(self, *more: str) -> Mapping[str, Any]:
        options = ["--frozen", "--format-version", "1", "--color", "never", *more]
        try:
            found: Mapping[str, Any] = json.loads(self._cargo("metadata", *options))
        except ToolFailed as error:
            raise cargo_failed(self._component, error, "its crates cannot be read") from error
        return found

    def _remove_own(self, metadata: Mapping[str, Any]) -> None:
        """Of what was compiled before, only that of crates which come by digest is used."""
        own = [word for one in metadata["packages"] if one["source"] is None for word in ("--package", one["name"])]
        if self._place.target.exists():
            self._cargo("clean", "--frozen", "--release", "--target", TARGET, *own)

    def _compiled(self, metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What cargo tells of each crate, and the compiler's messages."""
        options = ["--lib", "--release", "--frozen", "--target", TARGET, "--color", "never", "--message-format", "json"]
        try:
            with self._context.cores.taken(self._context.cores.count) as jobs:
                self._context.report(f"{self._component.name}: compiling with cargo")
                return messages(self._cargo("build", *options, "--jobs", str(jobs)))
        except ToolFailed as error:
            found = native_error(self._component, error.output, metadata, self._parts.own)
            found = found or compile_errors(self._component, messages(error.output), self._crate)
            raise found or cargo_failed(self._component, error, "cargo failed") from error

    def _cargo(self, command: str, *options: str) -> str:
        # rustup's stand-ins would look for settings in the developer's home: the programs themselves do not.
        programs = Path(run([find("rustc"), "--print", "sysroot"], cwd=Path(__file__).parent, env=rust_environment()).strip()) / "bin"
        told = self._component.name
        return run(
            [programs / "cargo", command, *options],
            cwd=self._crate,
            env=self._environment(programs),
            log=lambda line: self._context.report(f"{told}: {line.strip()}"),
            timeout=max(self._context.deadline, _LONGEST),
        )

    def _environment(self, programs: Path) -> dict[str, str]:
        """Throw-away folders, a path to the compiler and the system's linker, and nothing else."""
        profile = self._parts.manifest.get("profile", {}).get("release", {})
        linker = shutil.which("cc")
        folders = [str(programs), *([str(Path(linker).parent)] if linker else []), os.defpath]
        small = {key: value for key, value in _PROFILE.items() if key not in profile}
        return {
            "PATH": os.pathsep.join(folders),
            "LC_ALL": "C.UTF-8",
            **self._place.environment(),
            "CARGO_INCREMENTAL": "0",
            "CARGO_ENCODED_RUSTFLAGS": f"--remap-path-prefix={self._place.folder}=/build",
            **{f"CARGO_PROFILE_RELEASE_{key.upper().replace('-', '_')}": value for key, value in small.items()},
        }

    def _refuse_other_files(self) -> None:
        """Refuses a component into which a file of the developer's was compiled (`include_bytes!("/home/…")`); raises BuildFailed."""
        for listing in self._place.target.glob("**/deps/*.d"):
            for path in _named(listing.read_text("utf-8", "replace")):
                if not self._place.holds(self._crate / path):
                    self._place.forget()  # what holds such a file must not be found again
                    raise BuildFailed(
                        self._component.name,
                        f"{escaped(path)} was compiled in, which is no part of the component or its crates",
                        hint="put a copy into the source folder, where it is wanted",
                    )

    def _taken(self, said: list[Mapping[str, Any]]) -> bytes:
        manifest = str(self._crate / _MANIFEST)
        made = [one for one in said if one.get("reason") == "compiler-artifact" and one["manifest_path"] == manifest]
        files = [Path(file) for one in made for file in one["filenames"] if file.endswith(".wasm")]
        if not files:
            raise BuildFailed(self._component.name, "cargo made no component")
        return files[-1].read_bytes()


def _named(listing: str) -> list[str]:
    """The files that a crate was made of, as the compiler lists them for make."""
    lines = [line.partition(": ")[2] for line in listing.splitlines() if ": " in line and not line.startswith("#")]
    return [part.replace("\\ ", " ") for line in lines for part in re.split(r"(?<!\\) ", line) if part]
