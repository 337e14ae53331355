"""wasmtime's errors as errors of the contract: what trapped, where, and whether a limit was behind it.

The C interface gives a component's error as text only: a head with the backtrace, then, after the last "Caused by", wasmtime's own words.
Function names, which the guest chooses, stand in the head alone, so they can't pose as a cause.
"""

from __future__ import annotations

from ringfence.contract.errors import GuestTrap, LimitExceeded, RingfenceError
from ringfence.contract.limits import Limits, show_count, show_size
from ringfence.engine import library
from ringfence.engine.component import ffi
from ringfence.engine.faults import OUT_OF_MEMORY, backtrace, cause_of, plain


def fault(error: int, limits: Limits) -> RingfenceError:
    """The error of the contract for an error of wasmtime, which is freed.

    A stack overflow, and memory that is not there at the start, are told exactly. That a guest trapped *because* it was refused more
    memory is a guess from its backtrace (its allocator's or interpreter's way to give up), for nothing tells of a refusal.
    """
    frames = backtrace(ffi.error_trace, error, _frame)
    cause = cause_of(library.take_message(error))
    if "call stack exhausted" in cause:
        return LimitExceeded("", "stack", show_size(limits.stack), "its calls are nested too deeply")
    if "all fuel consumed" in cause:
        return LimitExceeded("", "fuel", show_count(limits.fuel))
    if "exceeds memory limits" in cause or "memory count too high" in cause:
        return LimitExceeded("", "memory", show_size(limits.memory), cause)
    if "fuel allocated for hostcalls" in cause:
        return LimitExceeded("", "output", show_size(limits.output), "more than the engine converts at once (128MiB of C values)")
    if any(OUT_OF_MEMORY.search(frame) for frame in frames):
        return LimitExceeded("", "memory", show_size(limits.memory), f"it gave up in {frames[0]}")
    return GuestTrap(cause, backtrace=frames)


def _frame(address: int) -> str:
    name, module = library.frame_function(address), ffi.frame_module(address)
    function = library.text_at(name) if name else f"function {library.frame_index(address)}"
    return plain(f"{library.text_at(module)}!{function}" if module else function)
