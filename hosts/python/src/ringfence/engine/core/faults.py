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
    if trap:
        try:
            frames = backtrace(ffi.trap_frames, trap, partial(_frame, code))
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
    return GuestTrap(cause, backtrace=frames)


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
    place = bisect_right(code, index, key=lambda part: part.first) - 1
    if place < 0:
        return ""
    part = code[place]
    if part.adapter or index >= part.first + part.count:
        return ""
    function = library.text_at(name) if name else f"function {index - part.first}"
    return plain(f"{part.module}!{function}" if part.module else function)
