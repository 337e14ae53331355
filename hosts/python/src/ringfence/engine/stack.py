"""The native stack of a thread: where it ends, so that no guest is given more of it than there is.

wasmtime allows each instance its `limits.stack` below wherever it is entered; it knows neither the thread's stack nor the instances that
wait further up. Three of 4 MiB that call each other are more than the 8 MiB of a thread, and its end is the end of the process.
"""

from __future__ import annotations

import ctypes
import threading
from ctypes import byref, c_size_t, c_ubyte, c_void_p

from ringfence.contract.errors import LimitExceeded
from ringfence.contract.limits import show_size

MARGIN = 256 << 10
"""Bytes that host functions may take below a guest that has used all of its stack."""

_ATTRIBUTES = 256  # bytes, more than any C library's `pthread_attr_t`
_UNKNOWN = 0, 1 << 62


class Stack(threading.local):
    """This thread's stack: its lowest address, and the most that a guest may be given of it. Endless where the C library can't tell."""

    def __init__(self) -> None:
        self.lowest, size = _of_this_thread()
        self.most = size - MARGIN


def _of_this_thread() -> tuple[int, int]:
    """The lowest address and the size of its stack."""
    try:
        library = ctypes.CDLL(None)
        attributes_of, stack_of, destroy = library.pthread_getattr_np, library.pthread_attr_getstack, library.pthread_attr_destroy
    except (AttributeError, OSError, TypeError):  # neither glibc nor musl
        return _UNKNOWN
    library.pthread_self.restype = c_void_p
    attributes, lowest, size = (c_ubyte * _ATTRIBUTES)(), c_void_p(), c_size_t()
    if attributes_of(c_void_p(library.pthread_self()), attributes):
        return _UNKNOWN
    try:
        stack_of(attributes, byref(lowest), byref(size))
    finally:
        destroy(attributes)
    return lowest.value or 0, size.value


def leave_stack(stack: Stack, wanted: int, at: int | None) -> None:
    """Raise LimitExceeded unless a guest may use so many bytes of stack below this address, or of the whole of it where there is none."""
    if at is None and wanted > stack.most:
        raise LimitExceeded("", "stack", show_size(wanted), f"this thread has less: at most {show_size(max(0, stack.most))}")
    if at is not None and wanted > at - stack.lowest - MARGIN:
        raise LimitExceeded("", "stack", show_size(wanted), "the calls that wait for this one have left it less")
