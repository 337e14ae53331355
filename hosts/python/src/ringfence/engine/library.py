"""The wasmtime wheel's shared library, opened without the wheel's own Python, and the C functions that both engines use.

`import wasmtime` declares the whole C interface, some 5,000 lines of it, which takes several times as long as everything else that a start
with cached code needs. The core engine needs forty functions. So it binds those itself, from the same file: what is loaded once by the
one way is the other's, too. Only the component engine imports the wheel's Python, when a graph has a node for it.

A prototype written here is right for one version of the library. Another is refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import sys
from ctypes import c_char_p, c_int64, c_size_t, c_uint32, c_uint64, c_void_p, string_at
from importlib.machinery import PathFinder
from pathlib import Path
from struct import Struct
from typing import Any

VERSION = "50.0.1"
"""The version of the wheel that this engine is written for; the distribution asks for exactly it."""

_FILES = {"linux": "_libwasmtime.so", "android": "_libwasmtime.so", "darwin": "_libwasmtime.dylib", "win32": "_wasmtime.dll"}
_MACHINES = {"AMD64": "x86_64", "arm64": "aarch64", "ARM64": "aarch64"}  # as the wheel's folders call them


def _keep_traps() -> None:
    """Let `faulthandler` have its handlers of signals before wasmtime has its own, which must come first when wasm traps.

    An application that calls `faulthandler.enable()` later only says where to write then. Otherwise it would put its handlers in front, and
    the first guest that traps would be the end of the process (tried: illegal instruction).
    """
    if not faulthandler.is_enabled():
        with contextlib.suppress(AttributeError, OSError, RuntimeError, ValueError):  # where stderr is nothing to write to
            faulthandler.enable()


def _package() -> Path:
    """The folder of the wheel's package."""
    found = PathFinder.find_spec("wasmtime")
    if found is None or not found.submodule_search_locations:
        raise ImportError("ringfence needs the package wasmtime", name="wasmtime")
    return Path(found.submodule_search_locations[0])


def _check_version(package: Path) -> None:
    """Refuse another version. Its metadata lie beside the package, as a rule; to search for them takes longer."""
    if not (package.parent / f"wasmtime-{VERSION}.dist-info").is_dir():
        from importlib.metadata import version

        if (found := version("wasmtime")) != VERSION:
            raise ImportError(f"this engine is written for wasmtime {VERSION}, found {found}", name="wasmtime")


def _machine() -> str:
    if hasattr(sys, "getandroidapilevel") or sys.platform == "win32":
        import platform

        name = platform.machine()
    else:
        import os

        name = os.uname().machine
    return _MACHINES.get(name, name)


def _open() -> ctypes.CDLL:
    package = _package()
    _check_version(package)
    system = "android" if hasattr(sys, "getandroidapilevel") else sys.platform
    if system not in _FILES or sys.byteorder != "little" or ctypes.sizeof(c_void_p) != 8:
        raise ImportError(f"wasmtime does not run on {system} with this processor", name="wasmtime")
    return ctypes.CDLL(str(package / f"{system}-{_machine()}" / _FILES[system]))


_keep_traps()
_dll = _open()


def bind(name: str, result: Any, *arguments: Any) -> Any:
    """The C function of this name with this prototype; a new object each time."""
    function = _dll[name]
    function.restype = result
    function.argtypes = arguments
    return function


class Vector(ctypes.Structure):
    """The vectors of the C interface (`wasm_byte_vec_t` and its like): how many items, and where."""

    _fields_ = [("size", c_size_t), ("data", c_void_p)]
    size: int
    data: int

    def content(self, each: int = 1) -> bytes:
        """A copy of its items of `each` bytes."""
        return string_at(self.data, self.size * each) if self.size else b""


EPOCH_CALLBACK = "size_t(size_t, size_t, uint64_t *, uint8_t *)"
"""(context, data, delta out, kind out: 0 goes on) -> error or 0"""

store_new = bind("wasmtime_store_new", c_void_p, c_void_p, c_void_p, c_void_p)
store_context = bind("wasmtime_store_context", c_void_p, c_void_p)
store_delete = bind("wasmtime_store_delete", None, c_void_p)
store_limiter = bind("wasmtime_store_limiter", None, c_void_p, c_int64, c_int64, c_int64, c_int64, c_int64)
store_epoch_callback = bind("wasmtime_store_epoch_deadline_callback", None, c_void_p, c_void_p, c_void_p, c_void_p)
set_fuel = bind("wasmtime_context_set_fuel", c_void_p, c_void_p, c_uint64)
set_epoch_deadline = bind("wasmtime_context_set_epoch_deadline", None, c_void_p, c_uint64)

error_new = bind("wasmtime_error_new", c_void_p, c_char_p)
error_message = bind("wasmtime_error_message", None, c_void_p, c_void_p)
error_delete = bind("wasmtime_error_delete", None, c_void_p)
trace_delete = bind("wasm_frame_vec_delete", None, c_void_p)
frame_index = bind("wasm_frame_func_index", c_uint32, c_void_p)
frame_function = bind("wasmtime_frame_func_name", c_void_p, c_void_p)
bytes_delete = bind("wasm_byte_vec_delete", None, c_void_p)

PAIR = Struct("<QQ")
"""Size and data, of a name, string, list, record, tuple or flags."""
NAME = PAIR.size
ADDRESS = Struct("<Q")


def text_at(address: int) -> str:
    """The text of the name (size, data) at this address; what is not UTF-8 is replaced."""
    size, data = PAIR.unpack(string_at(address, NAME))
    return string_at(data, size).decode("utf-8", "replace") if size else ""


def take_message(error: int) -> str:
    """The message of an error, which is freed."""
    text = Vector()
    error_message(error, ctypes.byref(text))
    try:
        return text.content().decode("utf-8", "replace")
    finally:
        bytes_delete(ctypes.byref(text))
        error_delete(error)


def stopped_by_host() -> int:
    """A C error that ends what runs; what it stands for is kept in Python."""
    error: int = error_new(b"stopped by the host")
    return error
