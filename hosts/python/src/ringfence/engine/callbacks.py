"""Python functions as C functions for wasmtime to call.

An exception may strike a Python function at its very entry, where no `try` of its own can hold: a signal's handler runs there, most likely
of all where Ctrl-C met a guest that ran wasm. A ctypes callback then returns *whatever lies on the stack*, which wasmtime follows as a
pointer (tried: a segmentation fault). cffi's callbacks ask another function for the value to return instead: here it hands the exception
to the call that runs on this thread, as the reason to end, and makes the guest's call end.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from _cffi_backend import FFI

from ringfence.engine.signals import current

_ffi: Any = FFI()  # its C parser knows types by their text; cffi's stubs do not know `onerror`'s result


class CFunction:
    """A C function at `address`, good for as long as this object lives."""

    __slots__ = ("_callback", "address")

    def __init__(self, signature: str, function: Callable[..., int], stop: Callable[[], int]) -> None:
        """A C function of this type (in C; addresses are `size_t`) that does what `function` does.

        `stop` makes what it returns where `function` could not even begin: a C error or trap.
        """

        def failed(_kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> int:
            if current.store is not None:
                current.store.interrupted(error)
            return stop()

        self._callback: Any = _ffi.callback(signature, function, 0, failed)
        self.address = int(_ffi.cast("size_t", self._callback))
