"""wasmtime's errors as errors of the contract: what trapped, where, and whether a limit was behind it.

The C interface gives a component's error as text only: a head with the backtrace, then, after the last "Caused by", wasmtime's own words.
Function names, which the guest chooses, stand in the head alone, so they can't pose as a cause.
"""

from __future__ import annotations

import ctypes
import re
from ctypes import string_at

from wasmtime import _ffi

from ringfence.contract.errors import GuestTrap, LimitExceeded, RingfenceError
from ringfence.contract.limits import Limits, show_size
from ringfence.engine.component import ffi

_CAUSE = "\n\nCaused by:\n"
_NUMBERED = re.compile(r"^\s*\d+: ")
OUT_OF_MEMORY = re.compile(r"alloc_error|rust_oom|out_of_memory|NoMemory|MemoryError", re.IGNORECASE)
MOST_FRAMES = 64
_LONGEST = 200


def fault(error: int, limits: Limits) -> RingfenceError:
    """The error of the contract for an error of wasmtime, which is freed.

    A stack overflow, and memory that is not there at the start, are told exactly. That a guest trapped *because* it was refused more
    memory is a guess from its backtrace (its allocator's or interpreter's way to give up), for nothing tells of a refusal.
    """
    frames = _backtrace(error)
    cause = cause_of(ffi.take_message(error))
    if "call stack exhausted" in cause:
        return LimitExceeded("", "stack", show_size(limits.stack), "its calls are nested too deeply")
    if "exceeds memory limits" in cause or "memory count too high" in cause:
        return LimitExceeded("", "memory", show_size(limits.memory), cause)
    if "fuel allocated for hostcalls" in cause:
        return LimitExceeded("", "output", show_size(limits.output), "more than the engine converts at once (128MiB of C values)")
    if any(OUT_OF_MEMORY.search(frame) for frame in frames):
        return LimitExceeded("", "memory", show_size(limits.memory), f"it gave up in {frames[0]}")
    return GuestTrap(cause, backtrace=frames)


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


def _backtrace(error: int) -> list[str]:
    """The names of the wasm frames, innermost first."""
    frames = _ffi.wasm_frame_vec_t()
    ffi.error_trace(error, ctypes.byref(frames))
    try:
        addresses = string_at(frames.data, frames.size * 8) if frames.size else b""
        found = [_frame(address) for (address,) in ffi.ADDRESS.iter_unpack(addresses[: MOST_FRAMES * 8])]
        return found + (["…"] if frames.size > MOST_FRAMES else [])
    finally:
        ffi.trace_delete(ctypes.byref(frames))


def _frame(address: int) -> str:
    name, module = ffi.frame_function(address), ffi.frame_module(address)
    function = ffi.text_at(name) if name else f"function {ffi.frame_index(address)}"
    return plain(f"{ffi.text_at(module)}!{function}" if module else function)
