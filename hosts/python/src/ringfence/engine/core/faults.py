"""wasmtime's traps as errors of the contract; frames are named as in the component, whose modules the merged one is made of."""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from ctypes import string_at
from struct import Struct

from wasmtime import _ffi

from ringfence.contract.errors import GuestTrap, LimitExceeded, RingfenceError
from ringfence.contract.limits import Limits, show_size
from ringfence.engine.component.faults import MOST_FRAMES, OUT_OF_MEMORY, cause_of, plain
from ringfence.engine.component.ffi import take_message
from ringfence.engine.core import ffi
from ringfence.engine.core.plan import Code

_ADDRESS = Struct("<Q")


def fault(error: int | None, trap: int | None, limits: Limits, code: tuple[Code, ...]) -> RingfenceError:
    """The error of the contract for an error or a trap of wasmtime, which is freed."""
    frames: list[str] = []
    if trap:
        try:
            frames = _backtrace(trap, code)
            cause = cause_of(_trap_message(trap))
        finally:
            ffi.trap_delete(trap)
    else:
        cause = cause_of(take_message(error or 0))
    if "call stack exhausted" in cause:
        return LimitExceeded("", "stack", show_size(limits.stack), "its calls are nested too deeply")
    if "exceeds memory limits" in cause or "memory count too high" in cause or "memory minimum size" in cause:
        return LimitExceeded("", "memory", show_size(limits.memory), cause)
    if any(OUT_OF_MEMORY.search(frame) for frame in frames):
        return LimitExceeded("", "memory", show_size(limits.memory), f"it gave up in {frames[0]}")
    return GuestTrap(cause, backtrace=frames)


def _trap_message(trap: int) -> str:
    name = _ffi.wasm_name_t()
    ffi.trap_message(trap, ctypes.byref(name))
    try:
        return string_at(name.data, name.size).decode("utf-8", "replace").rstrip("\0") if name.size else ""
    finally:
        ffi.bytes_delete(ctypes.byref(name))


def discard(error: int | None, trap: int | None) -> None:
    """Free what stands for an exception that is kept in Python."""
    if error:
        ffi.error_delete(error)
    if trap:
        ffi.trap_delete(trap)


def _backtrace(trap: int, code: tuple[Code, ...]) -> list[str]:
    """The names of the wasm frames, innermost first; what adapters do between instances is left out."""
    frames = _ffi.wasm_frame_vec_t()
    ffi.trap_frames(trap, ctypes.byref(frames))
    try:
        addresses = string_at(frames.data, frames.size * 8) if frames.size else b""
        named = [_frame(address, code) for (address,) in _ADDRESS.iter_unpack(addresses[: MOST_FRAMES * 8])]
        return [name for name in named if name] + (["…"] if frames.size > MOST_FRAMES else [])
    finally:
        ffi.trace_delete(ctypes.byref(frames))


def _frame(address: int, code: tuple[Code, ...]) -> str:
    index, name = ffi.frame_index(address), ffi.frame_function(address)
    place = bisect_right(code, index, key=lambda part: part.first) - 1
    if place < 0:
        return ""
    part = code[place]
    if part.adapter or index >= part.first + part.count:
        return ""
    function = ffi.text_at(name) if name else f"function {index - part.first}"
    return plain(f"{part.module}!{function}" if part.module else function)
