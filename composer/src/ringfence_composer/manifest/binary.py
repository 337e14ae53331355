"""A file in the place of a component: what it is by its first bytes, and what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from ringfence_composer.errors import InputInvalid

_CORE = b"\0asm\x01\0\0\0"
_COMPONENT = b"\0asm\x0d\0\x01\0"
_COMMENTS = re.compile(rb"\A(\s+|(#|//|;;)[^\n]*)*")
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "machine code (ELF), such as wasmtime's compiled files; name the .wasm that it was made from"),
    (b"PK\x03\x04", "a ZIP archive, such as a wheel; unpack it and name a .wasm in it"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"(component", "a component as WebAssembly text; a graph needs the binary"),
    (b"(module", "a core module as WebAssembly text; a graph needs a component, as a binary"),
    (b"package ", "WIT text; name the folder with the component.yaml that uses it"),
    (b"ringfence:", "one of our manifests; for a graph.yaml there are compose show and compose plan"),
)
_FIRST = 4096
_CORE_HINT = "name a component that was made of it (`wasm-tools component new`), or a folder whose component.yaml says how to build one"
_OTHER_HINT = "name a component's folder, or a .wasm file that is a component"
_DAMAGED_HINT = "the file is cut off or damaged: get it again, or build it again, and write down the digest of that"


def binary_kind(data: bytes) -> Literal["component", "core module"] | None:
    """What a WebAssembly binary says that it is; None: it is none."""
    return "component" if data.startswith(_COMPONENT) else "core module" if data.startswith(_CORE) else None


def described(data: bytes) -> str:
    """What a file is that is no WebAssembly binary, as far as its first bytes tell."""
    if not data:
        return "an empty file"
    if data.startswith(b"\0asm"):
        return f"WebAssembly of a version that this program does not know (0x{data[4:8].hex()})"
    start = _COMMENTS.sub(b"", data[:_FIRST])
    for mark, what in _STARTS:
        if start.startswith(mark):
            return what
    try:
        line = data[:_FIRST].decode().strip().split("\n", 1)[0]
    except UnicodeDecodeError:
        return f"a file that begins with the bytes {data[:8].hex(' ')}"
    return f"text that begins with {line[:40]!r}"


def binary_fault(file: Path, shown: str, error: InputInvalid) -> tuple[str, str | None]:
    """What is wrong with a file that the tools could not read as a component, and what to do about it."""
    with file.open("rb") as opened:
        data = opened.read(_FIRST)
    kind = binary_kind(data)
    if kind == "component":
        reason = error.message.replace(str(file), shown)
        return reason, error.hint or (_DAMAGED_HINT if "(at offset" in reason else None)
    found, hint = (f"a {kind}", _CORE_HINT) if kind else (described(data), _OTHER_HINT)
    return f"{shown}: expected a component as a WebAssembly binary, found {found}", hint
