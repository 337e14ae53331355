"""Small C guests for the builder's tests: one world with one function."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ringfence.contract.layout import user_cache
from ringfence_composer.builders.base import Artifact, BuildContext, ComponentSource
from ringfence_composer.builders.c import CBuilder
from ringfence_composer.builders.snapshot import write_tree

WIT = "package test:guest;\ninterface probe { ask: func(number: u32) -> u32; }\nworld guest { export probe; }\n"
ASK = '#include "guest.h"\nuint32_t exports_test_guest_probe_ask(uint32_t number) { return number + 1; }\n'


def component(folder: Path, files: dict[str, str], **settings: object) -> ComponentSource:
    """A component with these sources, all of which are compiled unless `sources` says."""
    write_tree({name: text.encode() for name, text in files.items()}, folder / "src")
    write_tree({"world.wit": WIT.encode()}, folder / "wit")
    settings = {"sources": tuple(name for name in files if not name.endswith(".h")), **settings}
    return ComponentSource(name="guest", language="c", wit=folder / "wit", world="guest", source=folder / "src", **settings)  # type: ignore[arg-type]


def build(source: ComponentSource, cache: Path, notes: list[str] | None = None, said: list[str] | None = None) -> Artifact:
    """Its artifact; warnings go to `notes`, what is told of the work to `said`."""
    report, note = (said if said is not None else []).append, (notes if notes is not None else []).append
    return CBuilder().build(source, BuildContext(cache=cache, report=report, note=note))


def with_zig(cache: Path) -> Path:
    """A build cache that has zig's C library from the user's, a part of the compiler: making that takes half a minute."""
    for folder in (cache, user_cache() / "zig"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        (cache / "zig").symlink_to(user_cache() / "zig")
    return cache
