"""C and C++ components, by zig's clang: the listed sources, one by one, and the bindings that wit-bindgen makes of the WIT.

No library's own build runs. Its archive is unpacked by reading, the files that component.yaml lists are compiled:

    <scratch>/tree/       the component's source folder, and each archive in a folder of its name
    <scratch>/bindings/   `<world>.h` and what belongs to it
    <scratch>/objects/    what is compiled (`objects.py` keeps it: of the sources, only those that changed are compiled)
    <cache>/zig/          zig's own parts (the C library), compiled once
    <scratch>/home, tmp   what HOME and TMPDIR name

Memory safety, in depth. wasm keeps code and return addresses out of the reach of any pointer, and all memory of a guest is its own. What is
left is that one buffer overruns another:

* a stack protector in every function with an array. Its guard is fixed, as a component without imports has no randomness; it holds a
  zero, a line's end and 0xff, which no overrun by string functions can write. It lies behind all constants and a gap of 64 KiB (which
  costs memory, no bytes of the component), and not just above the stack, where the C library has it: measured, there an overrun of the
  outermost frames changes guard and copy alike, and nothing traps.
* the stack lies below all data, so that its overflow traps instead of writing over them.
* variables start as zero: what an earlier call left on the stack shows in no answer.

Rejected: bounds checks of arrays (-fsanitize=bounds), since libraries overstep arrays of one element at the end of a struct on purpose;
_FORTIFY_SOURCE, which this C library does not have.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from ringfence_composer.builders.archives import archive_files
from ringfence_composer.builders.base import Artifact, BuildContext, ComponentSource, built, file_digests
from ringfence_composer.builders.c_errors import compile_error, lacking, link_error, warnings
from ringfence_composer.builders.foreign import escaped
from ringfence_composer.builders.objects import Compiled, ObjectCache
from ringfence_composer.builders.snapshot import read_file, read_tree, write_tree
from ringfence_composer.builders.worlds import refuse_other_world, refuse_unbound
from ringfence_composer.crew import side_by_side
from ringfence_composer.errors import BuildFailed, InputInvalid, SourceInvalid, ToolFailed, ToolMissing, refuse_all
from ringfence_composer.toolchain import Wit
from ringfence_composer.tools import run

FORMAT = 2
"""Counts up whenever this builder would make something else of the same inputs: older cache entries are then not used."""

# What C's own library has of the world (time, clock_gettime, getentropy), as far as a component asks for it, by whatever way.
RUNTIME_NEEDS = frozenset({"wasi:clocks/monotonic-clock", "wasi:clocks/wall-clock", "wasi:random/random"})

_TOOL = "ziglang"
_CPP = (".cpp", ".cc", ".cxx", ".c++")
_TARGET = ("-target", "wasm32-wasi")
_FLAGS = (
    *_TARGET,
    "-O2",
    "-g0",
    "-fstack-protector-strong",
    "-ftrivial-auto-var-init=zero",
    "-fno-exceptions",
    "-fno-gnu-inline-asm",  # .incbin is the one way of a file into an object that the compiler's list of files does not show
    "-fno-color-diagnostics",
    "-Wno-date-time",  # an error else; the date is fixed, by SOURCE_DATE_EPOCH
    "-Wno-unused-command-line-argument",
)
_LINK = (*_TARGET, "-mexec-model=reactor", "-O2", "-s", "-Wl,-z,stack-size=1048576")
_SUPPORT = {
    "ringfence.gap.c": b"__attribute__((used)) char ringfence_gap[65536];\n",
    "ringfence.guard.c": b"""#include <stdint.h>
uintptr_t __stack_chk_guard;
__attribute__((constructor(1), no_stack_protector)) static void guard(void) {
    *(volatile uintptr_t *)&__stack_chk_guard = 0x000aff0d; // volatile: else clang makes it data, which lies below the gap
}
_Noreturn void __stack_chk_fail(void) { __builtin_trap(); }
""",
}
"""Compiled and linked in this order before all else: variables lie in memory as they come, and once a source refers to the guard, the
linker takes that of the C library, which wants random numbers. Their names are of no world: its bindings lie beside them."""
_PREVIEW1 = "wasi_snapshot_preview1"


class CBuilder:
    """Builds components whose language is `c`: C, and C++ without exceptions."""

    language: ClassVar[str] = "c"
    runtime_needs: ClassVar[frozenset[str]] = RUNTIME_NEEDS

    def check(self, component: ComponentSource) -> None:
        """Raises InputInvalid where the component's files cannot be used."""
        _Parts.read(component)

    def build(self, component: ComponentSource, context: BuildContext) -> Artifact:
        """The component's artifact, built once for each digest of its inputs.

        Guarantees that nothing of an archive runs on this machine, and that no file from outside the component gets into it.

        Raises:
            InputInvalid: Its sources cannot be used (also SourceInvalid, with all errors of the compiler; DigestMismatch).
            BuildFailed: An archive cannot be fetched, linking failed, or the component is none of its world.
            ToolMissing: The compiler is not installed.
        """
        parts, zig = _Parts.read(component), zig_version()
        return built(
            self,
            component,
            context,
            parts.inputs(zig, context.toolchain.digest),
            lambda work: _Build(component, parts, work, context, zig).component(),
            producers=(f"zig {zig} (clang)", "wit-bindgen-c"),
        )


def zig_version() -> str:
    """The version of the installed compiler. Raises ToolMissing."""
    try:
        return version(_TOOL)
    except PackageNotFoundError as error:
        raise ToolMissing("the compiler for C", hint="install it with: python -m pip install 'ringfence-composer[c]'") from error


class _Parts:
    """Everything of the developer's that goes into one build, read once; archives are known by their digests."""

    def __init__(self, component: ComponentSource, source: dict[str, bytes], wit: dict[str, bytes], patches: dict[str, bytes]) -> None:
        self._component, self.source, self.wit, self._patches = component, source, wit, patches

    @classmethod
    def read(cls, component: ComponentSource) -> _Parts:
        """Reads and checks them; raises InputInvalid."""
        name = component.name
        source = read_tree(component.source, what=f"{name}: source")
        wit: dict[str, bytes] = {}
        for index, place in enumerate((component.wit, *component.wit_deps)):
            files = {place.name: read_file(place, what=f"{name}: WIT")} if place.is_file() else read_tree(place, what=f"{name}: WIT")
            wit |= {f"{index}/{path}": content for path, content in files.items()}
        listed = [patch for archive in component.archives for patch in archive.patches]
        patches = {_place(component, patch): read_file(patch, what=f"{name}: patch") for patch in listed}
        parts = cls(component, source, wit, patches)
        parts._check()
        return parts

    def inputs(self, zig: str, toolchain: str) -> dict[str, Any]:
        """What the artifact depends on, as JSON values; equal on every machine."""
        one = self._component
        return {
            "builder": {"language": "c", "format": FORMAT},
            "tools": {_TOOL: zig, "toolchain": toolchain},
            "flags": [*_FLAGS, *_LINK],
            "support": file_digests(_SUPPORT),
            "world": one.world,
            "sources": list(one.sources),
            "defines": list(one.defines),
            "include": list(one.include),
            "archives": [[a.registry, a.name, a.version, a.sha256, [_place(one, patch) for patch in a.patches]] for a in one.archives],
            "patches": file_digests(self._patches),
            "source": file_digests(self.source),
            "wit": file_digests(self.wit),
        }

    def _check(self) -> None:
        name, archives = self._component.name, {archive.name for archive in self._component.archives}
        for path in self._component.sources:
            if not path.endswith((".c", *_CPP)):  # assembly and LLVM's own languages take files in that nothing tells of
                raise InputInvalid(f"{name}: {path} is neither C nor C++", hint=f"sources end in {', '.join(('.c', *_CPP))}")
            if path.partition("/")[0] not in archives and path not in self.source:
                listed = ", ".join(sorted(one for one in self.source if one.endswith((".c", *_CPP)))[:16]) or "none"
                raise InputInvalid(f"{name}: there is no {path} in the source folder", hint=f"sources there: {listed}")
        if hidden := sorted(archives & {path.partition("/")[0] for path in self.source}):
            raise InputInvalid(f"{name}: the source folder has something called {hidden[0]}, as an archive is", hint="rename it")


def _place(component: ComponentSource, patch: Path) -> str:
    """Where a patch lies, seen from the source folder: two may have one name."""
    return os.path.relpath(patch, component.source).replace(os.sep, "/")


class _Build:
    """One build, in the empty folder `work`."""

    def __init__(self, component: ComponentSource, parts: _Parts, work: Path, context: BuildContext, zig: str) -> None:
        self._component, self._parts, self._work, self._context, self._version = component, parts, work, context, zig
        self._files: dict[str, bytes] = {}

    def component(self) -> bytes:
        """The component's bytes."""
        one, toolchain = self._component, self._context.toolchain
        self._files = dict(self._parts.source)
        for archive in one.archives:
            files = archive_files(one, archive, self._context)
            self._files |= {f"{archive.name}/{path}": content for path, content in files.items()}
        self._check_sources()
        refuse_unbound(one, self._parts.wit, self._context)
        bindings = toolchain.c(Wit(path=one.wit, deps=one.wit_deps, world=one.world))
        generated = {**_SUPPORT, **bindings}
        write_tree(self._files, self._work / "tree")
        write_tree(generated, self._work / "bindings")
        for name in ("home", "tmp", "objects"):
            (self._work / name).mkdir()
        (self._context.cache / "zig").mkdir(mode=0o700, parents=True, exist_ok=True)
        known = self._files | {f"../bindings/{name}": content for name, content in generated.items()}
        sources = [*(f"../bindings/{name}" for name in generated if name.endswith(".c")), *one.sources]  # in the order of linking
        objects = self._compiled(sources, ObjectCache(self._context.cache, known, [_TOOL, self._version]))
        core = self._linked(objects, bindings, sources)
        adapters = {_PREVIEW1: toolchain.adapter()} if _PREVIEW1.encode() in core else {}
        try:
            content = toolchain.new(core, adapters)
        except InputInvalid as error:
            raise BuildFailed(one.name, f"no component can be made of it: {error.message}") from error
        refuse_other_world(one, content, self._context)
        return content

    def _check_sources(self) -> None:
        for path in self._component.sources:
            if path not in self._files:
                folder = str(PurePosixPath(path).parent)
                near = ", ".join(sorted(one for one in self._files if str(PurePosixPath(one).parent) == folder)[:16]) or "none"
                raise InputInvalid(f"{self._component.name}: there is no {path} in its archive", hint=f"files in {folder}: {near}")

    def _compiled(self, sources: list[str], cache: ObjectCache) -> list[Path]:
        """An object of each source; all errors of all sources at once."""
        kept = {source: one for source in sources if (one := cache.find(source, self._options(source)))}
        changed = [source for source in dict.fromkeys(sources) if source not in kept]
        if changed:
            of = f" of {len(sources)}" if kept else ""
            self._context.report(f"{self._component.name}: compiling {len(changed)}{of} sources")
        made = side_by_side(lambda source: self._object(source, cache), changed, self._context.cores.count)
        refuse_all(error for one in made if isinstance(one, SourceInvalid) for error in (one, *one.further))
        done = kept | {source: one for source, one in zip(changed, made, strict=True) if isinstance(one, Compiled)}
        refuse_all(error for source in self._component.sources for error in self._lacking(source, done[source]))
        objects = []
        for number, source in enumerate(sources):
            for warning in warnings(done[source].said):
                self._context.note(f"{self._component.name}: {warning}")
            objects.append(self._work / "objects" / f"{number}.o")
            objects[-1].write_bytes(done[source].content)
        return objects

    def _options(self, source: str) -> list[str]:
        """How a source is compiled: the component's own with its settings."""
        one = self._component
        settings = [f"-D{define}" for define in one.defines] if source in one.sources else ["-w"]
        # A world called math has a math.h, which must not stand before the C library's.
        bindings = ["-iquote", "../bindings", "-idirafter", "../bindings"]
        folders = [option for folder in (".", *one.include) for option in ("-I", folder)]
        return ["c++" if source.endswith(_CPP) else "cc", *_FLAGS, *settings, *bindings, *folders]

    def _object(self, source: str, cache: ObjectCache) -> Compiled | SourceInvalid:
        """The object of a source, which is remembered, or what is wrong with the source."""
        options = self._options(source)
        with self._context.cores.taken(), tempfile.TemporaryDirectory(dir=self._work / "objects") as folder:
            target, listing = Path(folder) / "it.o", Path(folder) / "it.d"
            try:
                said = self._zig(*options, "-MD", "-MF", str(listing), "-c", source, "-o", str(target))
            except ToolFailed as error:
                found = compile_error(self._component, error)
                if isinstance(found, SourceInvalid):
                    return found
                raise found from error
            compiled, used = Compiled(content=target.read_bytes(), said=said), self._used(listing.read_text("utf-8", "replace"))
        cache.keep(source, options, used, compiled)
        return compiled

    def _lacking(self, source: str, compiled: Compiled) -> list[SourceInvalid]:
        return lacking(self._component, source, self._files, compiled.content)

    def _used(self, listing: str) -> list[str]:
        """The files that an object was made of, but for the compiler's; raises BuildFailed where one is the developer's.

        Such as by `#include "/home/…"`.
        """
        tree, compilers = (self._work / "tree").resolve(), [_zig_folder().resolve(), (self._context.cache / "zig").resolve()]
        used = []
        for word in _named(listing, compilers):
            path = (tree / word).resolve()
            if path.is_relative_to(tree.parent):
                used.append(os.path.relpath(path, tree).replace(os.sep, "/"))
            elif not any(path.is_relative_to(one) for one in compilers):
                hint = "put a copy into the source folder, where it is wanted"
                raise BuildFailed(self._component.name, f"{escaped(word)} was compiled in, which is no part of the component", hint=hint)
        return used

    def _linked(self, objects: list[Path], bindings: Mapping[str, bytes], sources: list[str]) -> bytes:
        target = self._work / "core.wasm"
        cpp = any(source.endswith(_CPP) for source in self._component.sources)
        types = [f"../bindings/{name}" for name in bindings if name.endswith(".o")]
        try:
            said = self._zig("c++" if cpp else "cc", *_LINK, *map(str, objects), *types, "-o", str(target))
        except ToolFailed as error:
            raise link_error(self._component, error, sources) from error
        if "signature mismatch" in said:  # a warning to the linker, and a trap when it is called
            raise link_error(self._component, ToolFailed("wasm-ld", "functions of one name differ", output=said), sources)
        return target.read_bytes()

    def _zig(self, *arguments: str) -> str:
        """What the compiler says on stderr."""
        said: list[str] = []
        run(
            [_zig_folder() / ("zig.exe" if os.name == "nt" else "zig"), *arguments],
            cwd=self._work / "tree",
            env={
                "PATH": os.defpath,
                "HOME": str(self._work / "home"),
                "TMPDIR": str(self._work / "tmp"),
                "LC_ALL": "C.UTF-8",
                "ZIG_GLOBAL_CACHE_DIR": str(self._context.cache / "zig"),
                "SOURCE_DATE_EPOCH": "0",
                "ZIG_LOCAL_CACHE_DIR": str(self._work / "tmp"),
            },
            log=said.append,
            timeout=max(self._context.deadline, 1800.0),
        )
        return "\n".join(said)


def _named(listing: str, compilers: list[Path]) -> Iterator[str]:
    r"""The files that the compiler lists for make. Its own folders may have spaces in their names.

    Other names are taken apart at spaces, whatever stands before those: `x\ /etc/passwd` may be one name, or two.
    """
    text = listing.replace("\\\n", " ").partition(": ")[2]
    for number, folder in enumerate(compilers):
        listed = re.escape(re.sub(r"[ #]", r"\\\g<0>", str(folder)).replace("$", "$$"))
        text = re.sub(rf"(?<!\S){listed}/", f"\0{number}/", text)
    for word in text.split():
        yield str(compilers[int(word[1])] / word[3:]) if word.startswith("\0") else word


def _zig_folder() -> Path:
    found = find_spec(_TOOL)
    if found is None or not found.submodule_search_locations:
        raise ToolMissing("the compiler for C", hint="install it with: python -m pip install 'ringfence-composer[c]'")
    return Path(next(iter(found.submodule_search_locations)))
