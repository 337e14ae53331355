"""wasmtime's traps as errors of the contract; frames are named as in the component, whose modules the merged one is made of."""

from __future__ import annotations

from bisect import bisect_right
from ctypes import byref
from functools import partial

from ringfence.contract.errors import GuestTrap, LimitExceeded, RingfenceError
from ringfence.contract.limits import Limits, show_count, show_size
from ringfence.engine import library
from ringfence.engine.core import ffi
from ringfence.engine.core.plan import Code
from ringfence.engine.faults import OUT_OF_MEMORY, backtrace, cause_of, plain


def fault(error: int | None, trap: int | None, limits: Limits, code: tuple[Code, ...]) -> RingfenceError:
    """The error of the contract for an error or a trap of wasmtime, which is freed."""
    frames: list[str] = []
    part: int | None = None
    if trap:
        try:
            frames, part = backtrace(ffi.trap_frames, trap, partial(_frame, code)), part_of(trap, code)
            cause = cause_of(_trap_message(trap))
        finally:
            ffi.trap_delete(trap)
    else:
        cause = cause_of(library.take_message(error or 0))
    if "call stack exhausted" in cause:
        return LimitExceeded("", "stack", show_size(limits.stack), "its calls are nested too deeply")
    if "all fuel consumed" in cause:
        return LimitExceeded("", "fuel", show_count(limits.fuel))
    if "exceeds memory limits" in cause or "memory count too high" in cause or "memory minimum size" in cause:
        return LimitExceeded("", "memory", show_size(limits.memory), cause)
    if any(OUT_OF_MEMORY.search(frame) for frame in frames):
        return LimitExceeded("", "memory", show_size(limits.memory), f"it gave up in {frames[0]}")
    met = GuestTrap(cause, backtrace=frames)
    met.part = part
    return met


def part_of(trap: int, code: tuple[Code, ...]) -> int | None:
    """Of which nested component the innermost guest's function is in which a trap of wasmtime happened; None where that is not known."""
    parts: list[int | None] = []

    def note(address: int) -> str:
        place = _place(code, library.frame_index(address))
        if place is not None and not place.adapter:
            parts.append(place.part)
        return ""

    backtrace(ffi.trap_frames, trap, note)
    return parts[0] if parts else None


def _trap_message(trap: int) -> str:
    text = library.Vector()
    ffi.trap_message(trap, byref(text))
    try:
        return text.content().decode("utf-8", "replace").rstrip("\0")
    finally:
        library.bytes_delete(byref(text))


def discard(error: int | None, trap: int | None) -> None:
    """Free what stands for an exception that is kept in Python."""
    if error:
        library.error_delete(error)
    if trap:
        ffi.trap_delete(trap)


def _frame(code: tuple[Code, ...], address: int) -> str:
    """A frame's name; none for what adapters do between instances."""
    index, name = library.frame_index(address), library.frame_function(address)
    part = _place(code, index)
    if part is None or part.adapter:
        return ""
    function = library.text_at(name) if name else f"function {index - part.first}"
    return plain(f"{part.module}!{function}" if part.module else function)


def _place(code: tuple[Code, ...], index: int) -> Code | None:
    """The core module that this function of the merged one is of."""
    place = bisect_right(code, index, key=lambda part: part.first) - 1
    return code[place] if place >= 0 and index < code[place].first + code[place].count else None
