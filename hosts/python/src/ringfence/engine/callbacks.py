"""Python functions as C functions for wasmtime to call, and the store whose wasm runs on this thread.

An exception may strike a Python function at its very entry, where no `try` of its own can hold: Python runs a signal's handler there, most
likely of all where Ctrl-C met a guest that ran wasm. A ctypes callback then returns *whatever lies on the stack*, which wasmtime follows
as a pointer (tried: a segmentation fault). cffi's callbacks ask another function for the value to return instead: here it hands the
exception to the call that runs on this thread, as the reason to end, and makes the guest's call end.

The depth of recursion can fail there, too, and then that other function could not begin either; so `room.py` is asked before wasm is
entered.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from _cffi_backend import FFI

from ringfence.engine.stack import Stack

_ffi: Any = FFI()  # its C parser knows types by their text; cffi's stubs do not know `onerror`'s result


class Interruptible(Protocol):
    """A store, as far as a callback that could not begin knows it."""

    def interrupted(self, reason: BaseException) -> None:
        """End the running call for this reason."""


class Current(Stack):
    """This thread's stack, and the store whose wasm runs on it, innermost; None where none does."""

    store: Any = None


current = Current()


class CFunction:
    """A C function at `address`, good for as long as this object lives."""

    __slots__ = ("_callback", "address")

    def __init__(self, signature: str, function: Callable[..., int], stop: Callable[[], int]) -> None:
        """A C function of this type (in C; addresses are `size_t`) that does what `function` does.

        `stop` makes what it returns where `function` could not even begin: a C error or trap.
        """

        def failed(_kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> int:
            try:
                store: Interruptible | None = current.store
                if store is not None:
                    store.interrupted(error)
            except BaseException:  # noqa: BLE001, S110 (what is raised here would be lost, and the guest told that all is well)
                pass
            return stop()

        self._callback = _ffi.callback(signature, function, 0, failed)
        self.address = int(_ffi.cast("size_t", self._callback))
