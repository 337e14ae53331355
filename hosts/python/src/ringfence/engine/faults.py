"""wasmtime's words for what went wrong, safe to show, for both engines.

Function names, which the guest chooses, stand in the head of a message alone, so they can't pose as a cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ctypes import byref
from typing import Any

from ringfence.engine import library

OUT_OF_MEMORY = re.compile(r"alloc_error|rust_oom|out_of_memory|NoMemory|MemoryError", re.IGNORECASE)
"""Functions in whose frames an allocator or interpreter gives up."""
_CAUSE = "\n\nCaused by:\n"
_NUMBERED = re.compile(r"^\s*\d+: ")
_MOST_FRAMES = 64
_LONGEST = 200


def plain(text: str) -> str:
    """Guest text, safe to show: one line, printable, not too long."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text[:_LONGEST])
    return shown + ("…" if len(text) > _LONGEST else "")


def cause_of(message: str) -> str:
    """What wasmtime says is wrong, without its frames, safe to show."""
    head, mark, tail = message.rpartition(_CAUSE)
    if not mark:
        return plain(message.splitlines()[0] if message else "unknown error")
    causes = [_NUMBERED.sub("", line).strip() for line in tail.splitlines()]
    return plain(": ".join(cause for cause in causes if cause).replace("wasm trap: ", "")) or plain(head)


def backtrace(read: Callable[[int, Any], None], pointer: int, name: Callable[[int], str]) -> list[str]:
    """The wasm frames of an error or trap, innermost first, as `read` puts them into a vector and `name` calls each ('': left out)."""
    frames = library.Vector()
    read(pointer, byref(frames))
    try:
        addresses = frames.content(library.ADDRESS.size)[: _MOST_FRAMES * library.ADDRESS.size]
        named = [name(address) for (address,) in library.ADDRESS.iter_unpack(addresses)]
        return [one for one in named if one] + (["…"] if frames.size > _MOST_FRAMES else [])
    finally:
        library.trace_delete(byref(frames))
