"""The official WIT and component libraries, asked from Python: files and bytes in, records and bytes out.

They run as a WebAssembly component (`composer/toolchain`) that sees one scratch folder and nothing else: what is asked about is copied
there, so that a hostile binary or WIT file has nothing to gain from a flaw in them. Their messages are kept, with the scratch folder's
names put back into those the caller knows.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ringfence.contract.errors import DeadlineExceeded, GuestTrap, IntegrityError
from ringfence.contract.names import Digest, digest_of
from ringfence.engine.command import run_command

from ringfence_composer.errors import ComposerError, DigestMismatch, InputInvalid, ToolFailed, WitInvalid
from ringfence_composer.tools import Fit, Item, ToolchainComponent, World, toolchain_component
from ringfence_composer.wit_files import copy_wit

_NAME = "toolchain"
_TIMEOUT = 120.0  # seconds; validating an 18 MB component takes 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wit:
    """Where a world is described: a folder of WIT, a `.wit` file, or a component.

    Args:
        path: The folder or file. A folder may have its own `deps/`.
        deps: Folders and files of the packages it uses, besides those.
        world: The world's name, where there are several. A component has just one.
    """

    path: Path
    deps: tuple[Path, ...] = ()
    world: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a binary says of itself, and of the binaries in it. All of it is the binary's own claim.

    `producers` has names and versions by field (language, processed-by, sdk); `annotations` are the custom sections that OCI
    names, such as version, licenses and source.
    """

    kind: str
    size: int
    name: str | None
    producers: Mapping[str, Mapping[str, str]]
    annotations: Mapping[str, str]
    children: tuple[Metadata, ...]


class Toolchain:
    """The tools. Making one is cheap; the component is built, compiled and loaded when first asked. Safe in threads.

    Args:
        cache: The folder of the caches; by default this user's.
        report: Told of progress where something must be built; by default stderr is.

    Every method raises ToolMissing or ToolFailed where the component can't be had or breaks, and what else it names.
    """

    def __init__(self, *, cache: Path | None = None, report: Callable[[str], None] | None = None) -> None:
        self._cache, self._report = cache, report

    @cached_property
    def _component(self) -> ToolchainComponent:
        return toolchain_component(self._cache, self._report)

    @property
    def digest(self) -> Digest:
        """The digest of the toolchain's sources: the same on every machine."""
        return self._component.sources

    # WIT

    def wit(self, source: Wit) -> dict[str, Any]:
        """The package, or a component's types, resolved: the official JSON (worlds, interfaces, types, packages by index, with docs).

        Raises:
            InputInvalid: it can't be read; WitInvalid where its text is wrong.
        """
        with Desk(self) as desk:
            return desk.ask_json("wit", desk.place(source), invalid=_invalid(source))

    def world(self, source: Wit) -> World:
        """What the world imports and exports, by full names.

        Raises:
            InputInvalid: it can't be read, or has an import that WIT can't express.
            WitInvalid: its text is wrong, or has no such world.
        """
        with Desk(self) as desk:
            world = [source.world] if source.world else []
            return _world(desk.ask_json("world", desk.place(source), *world, invalid=_invalid(source)))

    def fits(self, consumer: Wit, provider: Wit, interface: str) -> Fit:
        """Whether what `provider` exports under this name can serve what `consumer` imports under it.

        Names match by semver compatibility; then the component model's own subtyping decides. Functions that the consumer does not ask
        for don't count.

        Raises:
            InputInvalid: one can't be read, or has no such import or export.
        """
        with Desk(self) as desk:
            sides = [desk.place(side) + (f"#{side.world}" if side.world else "") for side in (consumer, provider)]
            return _fit(desk.ask_json("fits", *sides, interface, invalid=InputInvalid))

    def text(self, source: Wit) -> str:
        """The package, or a component's world, as WIT text, with the packages it uses. Raises like `wit`."""
        with Desk(self) as desk:
            return desk.ask("print", desk.place(source), invalid=_invalid(source)).decode()

    def c(self, source: Wit) -> dict[str, bytes]:
        """C bindings of the source's world, which must be named: header, source and the object that carries the world.

        Raises like `world`.
        """
        with Desk(self) as desk:
            desk.ask("c", desk.place(source), source.world or "", "out", invalid=_invalid(source))
            return {file.name: file.read_bytes() for file in sorted((desk.folder / "out").iterdir())}

    def wasi_wit(self) -> dict[str, bytes]:
        """The WIT packages of WASI 0.2, by file name."""
        with Desk(self) as desk:
            desk.ask("wasi-wit", "out", invalid=InputInvalid)
            return {file.name: file.read_bytes() for file in sorted((desk.folder / "out").iterdir())}

    # Binaries

    def parse(self, text: str) -> bytes:
        """The binary of a component or core module in WebAssembly text. Raises InputInvalid."""
        with Desk(self) as desk:
            desk.ask("parse", desk.put("input.wat", text.encode()), "output", invalid=InputInvalid)
            return desk.take("output")

    def wat(self, binary: Path | bytes) -> str:
        """The WebAssembly text of a binary. Raises InputInvalid."""
        with Desk(self) as desk:
            desk.ask("wat", desk.put("input.wasm", binary), "output", invalid=InputInvalid)
            return desk.take("output").decode()

    def embed(self, source: Wit, core: Path | bytes) -> bytes:
        """The core module with the source's world (which must be named) in a custom section, for `new`. Raises like `world`."""
        with Desk(self) as desk:
            module = desk.put("core.wasm", core)
            desk.ask("embed", desk.place(source), source.world or "", module, "output", invalid=_invalid(source))
            return desk.take("output")

    def new(self, core: Path | bytes, adapters: Mapping[str, Path | bytes] | None = None) -> bytes:
        """The component made from a core module that carries its world.

        Args:
            core: The module.
            adapters: Core modules that serve imports of older systems, by the import's module name (`wasi_snapshot_preview1`).

        Raises:
            InputInvalid: the module lacks what its world asks for, or imports what nothing serves.
        """
        with Desk(self) as desk:
            files = [f"{name}={desk.put(f'adapter-{name}.wasm', adapter)}" for name, adapter in (adapters or {}).items()]
            desk.ask("new", desk.put("core.wasm", core), "output", *files, invalid=InputInvalid)
            return desk.take("output")

    def adapter(self) -> bytes:
        """The core module that serves WASI preview 1, which C's standard library speaks, to a library: an adapter for `new`."""
        with Desk(self) as desk:
            desk.ask("adapter", "output", invalid=InputInvalid)
            return desk.take("output")

    def validate(self, binary: Path | bytes) -> None:
        """Raises InputInvalid where the binary breaks a rule of the format, as wasmtime has it by default."""
        with Desk(self) as desk:
            desk.ask("validate", desk.put("input.wasm", binary), invalid=InputInvalid)

    def metadata(self, binary: Path | bytes) -> Metadata:
        """What a component or core module says of itself. Raises InputInvalid."""
        with Desk(self) as desk:
            return _metadata(desk.ask_json("metadata", desk.put("input.wasm", binary), invalid=InputInvalid))

    def _run(self, argv: Sequence[str], folder: Path) -> tuple[int, bytes, str]:
        """Exit code, stdout and stderr."""
        try:
            result = run_command(self._component.path, [_NAME, *argv], folder, cache=self._cache, timeout=_TIMEOUT)
        except (GuestTrap, DeadlineExceeded, IntegrityError) as error:
            raise ToolFailed(f"{_NAME} {argv[0]}", error.message) from error
        return result.code, result.stdout, result.stderr.decode("utf-8", "replace").strip()


_Invalid = Callable[[str], ComposerError]


def _invalid(source: Wit) -> _Invalid:
    return WitInvalid if source.path.is_dir() or source.path.suffix == ".wit" else InputInvalid


@dataclass(slots=True)
class Desk:
    """The scratch folder of one question, and the names that its files have outside."""

    toolchain: Toolchain
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="ringfence-")))
    names: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def place(self, source: Wit) -> str:
        """Copy a source with the packages it uses; its name on the desk."""
        place = f"source-{len(self.names)}"
        if not source.path.is_dir() and not source.deps:
            return self.put(place + source.path.suffix, source.path)
        target = self.folder / place
        if source.path.is_dir():
            self._copy(source.path, target)
        else:
            self._copy(source.path, target / source.path.name)
        for dep in source.deps:
            self._copy(dep, _free(target / "deps", dep.resolve().name))
        return place

    def put(self, place: str, content: Path | bytes) -> str:
        """Copy or write a file; its name on the desk."""
        if isinstance(content, Path):
            self._copy(content, self.folder / place)
        else:
            (self.folder / place).write_bytes(content)
        return place

    def take(self, place: str) -> bytes:
        """What the tool wrote."""
        return (self.folder / place).read_bytes()

    def ask(self, *argv: str, invalid: _Invalid) -> bytes:
        """What the tool says; where it refuses, `invalid` of its message is raised."""
        code, stdout, stderr = self.toolchain._run(argv, self.folder)  # noqa: SLF001 (one class in two parts)
        if stderr.startswith("internal error"):
            raise ToolFailed(f"{_NAME} {argv[0]}", self._outside(stderr))
        if code != 0:
            raise invalid(self._outside(stderr))
        return stdout

    def ask_json(self, *argv: str, invalid: _Invalid) -> dict[str, Any]:
        """The JSON object that the tool says."""
        answer: dict[str, Any] = json.loads(self.ask(*argv, invalid=invalid))
        return answer

    def _copy(self, path: Path, target: Path) -> None:
        copy_wit(path, target)
        self.names[target.relative_to(self.folder).as_posix()] = str(path)

    def _outside(self, message: str) -> str:
        for place in sorted(self.names, key=len, reverse=True):
            message = message.replace(place, self.names[place])
        return message


def _free(folder: Path, name: str) -> Path:
    """A place in the folder by this name, or nearly: packages are told apart by what they say they are, not by it."""
    place, count = folder / name, 2
    while place.exists():
        place = folder / f"{Path(name).stem}-{count}{Path(name).suffix}"
        count += 1
    return place


# Answers


def _world(answer: Mapping[str, Any]) -> World:
    return World(
        name=answer["world"],
        package=answer["package"],
        imports=tuple(_item(item) for item in answer["imports"]),
        exports=tuple(_item(item) for item in answer["exports"]),
        docs=answer["docs"],
    )


def _item(item: Mapping[str, Any]) -> Item:
    return Item(
        name=item["name"], kind=item["kind"], functions=tuple(item["functions"]), resources=tuple(item["resources"]), docs=item["docs"]
    )


def _fit(answer: Mapping[str, Any]) -> Fit:
    return Fit(
        fits=answer["fits"],
        item=answer["item"],
        reason=answer["reason"],
        expected=answer["expected"],
        found=answer["found"],
        shared=tuple(answer["shared"]),
    )


def _metadata(answer: Mapping[str, Any]) -> Metadata:
    known = {"kind", "size", "name", "producers", "children"}
    return Metadata(
        kind=answer["kind"],
        size=answer["size"],
        name=answer["name"],
        producers=answer["producers"],
        annotations={key: value for key, value in answer.items() if key not in known and value is not None},
        children=tuple(_metadata(child) for child in answer["children"]),
    )


# Setting up a checkout


def lay_out_wasi_wit(toolchain: Toolchain, wit: Path) -> None:
    """Write the WIT packages of WASI to `deps/` of this folder, and take away WIT files that are not among them.

    Raises:
        DigestMismatch: one is not what `deps.sha256` beside it says. Nothing is written then.
    """
    files = toolchain.wasi_wit()
    found = "".join(f"{hashlib.sha256(data).hexdigest()}  deps/{name}\n" for name, data in sorted(files.items()))
    sums = wit / "deps.sha256"
    expected = sums.read_text("ascii")
    if found != expected:
        raise DigestMismatch(
            f"{sums}: the WIT packages of WASI",
            expected=digest_of(expected.encode()),
            found=digest_of(found.encode()),
            hint="where the new ones are wanted, write their sha256sum there",
        )
    folder = wit / "deps"
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        if not (folder / name).is_file() or (folder / name).read_bytes() != data:
            (folder / name).write_bytes(data)
            print(f"wrote {folder / name}", file=sys.stderr)  # noqa: T201 (progress)
    for extra in set(folder.glob("*.wit")) - {folder / name for name in files}:
        extra.unlink()
