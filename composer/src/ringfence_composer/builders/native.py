"""What cargo and the linker say where a crate wants a native library: no guest has one, and nothing of this machine's is linked in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ringfence_composer.builders.base import ComponentSource
from ringfence_composer.builders.foreign import escaped, shown
from ringfence_composer.errors import BuildFailed, ComposerError, SourceInvalid

INSTEAD = "a guest has no native libraries: take a crate in pure Rust, or compile the library from its sources as a component in C"
_SCRIPT = re.compile(r"failed to run custom build command for `(?P<name>\S+) v(?P<version>[^\s`]+)")
_LIBRARY = re.compile(r"unable to find library -l(?P<name>[\w.+-]+)")
_FUNCTION = re.compile(r"failed to resolve import `\w+::(?P<name>[^`]+)`")
_NOISE = re.compile(r"\s*(cargo:.*|\{.*|[\w-]+ = .*|`?)")
"""What a build script tells cargo, and cargo us, not people."""


def native_error(component: ComponentSource, output: str, metadata: Mapping[str, Any], files: Mapping[str, bytes]) -> ComposerError | None:
    """The library, who wants it, and what to do; None where the output tells of something else.

    `metadata` is what `cargo metadata` says of the crates; `files` are the component's own, by their paths in its source folder.
    """
    links = {one["links"]: one for one in metadata["packages"] if one["links"]}
    if found := _SCRIPT.search(output):
        named = f"{found['name']} {found['version']}"
        library = next((library for library, one in links.items() if f"{one['name']} {one['version']}" == named), None)
        wants = f"; it is there for the native library {escaped(library)}" if library else ""
        said = shown([line for line in output[found.end() :].splitlines() if not _NOISE.fullmatch(line)])
        message = f"{escaped(named)}: its build script failed{wants}"
        return BuildFailed(component.name, message, output=said, hint=INSTEAD if library else None)
    if found := _LIBRARY.search(output):
        library = found["name"]
        if place := _own(library, files):
            reason = f"it links the native library {escaped(library)}"
            return SourceInvalid(component.name, reason, file=place[0], line=place[1], hint=INSTEAD)
        whose = f"{links[library]['name']} {links[library]['version']}" if library in links else "one of its crates"
        return BuildFailed(component.name, f"{escaped(whose)} links the native library {escaped(library)}", hint=INSTEAD)
    if found := _FUNCTION.search(output):
        return BuildFailed(component.name, f"nothing defines {escaped(found['name'])}, which its code or a crate's calls", hint=INSTEAD)
    return None


def _own(library: str, files: Mapping[str, bytes]) -> tuple[str, int] | None:
    """Where the component itself links a library by its attribute (`#[link(name = "z")]`): file and line."""
    attribute = re.compile(rb'\blink\s*\([^)]*\bname\s*=\s*"%s"' % re.escape(library.encode()))
    for path in sorted(files):
        if path.endswith(".rs") and (found := attribute.search(files[path])):
            return path, files[path][: found.start()].count(b"\n") + 1
    return None
