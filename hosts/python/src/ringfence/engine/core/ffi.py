"""The wheel's core C interface by plain addresses, as far as this engine uses it.

A block of core values has 16 bytes a value (`wasmtime_val_raw_t`): arguments go in, results come out in their place. An item of an
instance (`wasmtime_extern_t`) has a kind and, at `ITEM`, the handle of a function, memory or global; other functions take its address.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from ctypes import byref, c_bool, c_char, c_char_p, c_int32, c_size_t, c_ssize_t, c_void_p
from functools import partial
from typing import Any

from wasmtime import _ffi

from ringfence.engine.component.ffi import _bind, bytes_delete, error_delete, frame_function, frame_index, text_at, trace_delete

ITEM = int(getattr(_ffi.wasmtime_extern_t, "of").offset)  # noqa: B009 (a ctypes descriptor, unknown to mypy)
FUNCTION, GLOBAL, TABLE, MEMORY = range(4)

if sys.byteorder != "little" or ctypes.sizeof(_ffi.wasmtime_val_raw_t) != 16:
    raise ImportError("this engine does not know the core values of this wasmtime")

HOST_FUNCTION = "size_t(size_t, size_t, size_t, size_t)"
"""(data, caller, values, count) -> trap or 0"""

_call = _ffi.dll["wasmtime_func_call_unchecked"]
_call.restype = c_void_p


def caller(context: int, function: int, values: int, count: int, trap: c_void_p) -> Callable[[], int | None]:
    """Calls this core function with these values, which it replaces by its results; an error or None. Prepared once, it costs half."""
    return partial(_call, c_void_p(context), c_void_p(function), c_void_p(values), c_size_t(count), byref(trap))


instance_pre = _bind("wasmtime_linker_instantiate_pre", c_void_p, c_void_p, c_void_p, c_void_p)
pre_instantiate = _bind("wasmtime_instance_pre_instantiate", c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)
pre_delete = _bind("wasmtime_instance_pre_delete", None, c_void_p)
linker_define = _bind(
    "wasmtime_linker_define_func_unchecked",
    c_void_p,
    c_void_p,
    c_char_p,
    c_size_t,
    c_char_p,
    c_size_t,
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
)
export_get = _bind("wasmtime_instance_export_get", c_bool, c_void_p, c_void_p, c_char_p, c_size_t, c_void_p)
memory_data = _bind("wasmtime_memory_data", c_void_p, c_void_p, c_void_p)
memory_size = _bind("wasmtime_memory_data_size", c_size_t, c_void_p, c_void_p)
global_get = _bind("wasmtime_global_get", None, c_void_p, c_void_p, c_void_p)
global_set = _bind("wasmtime_global_set", c_void_p, c_void_p, c_void_p, c_void_p)
trap_new = _bind("wasmtime_trap_new", c_size_t, c_char_p, c_size_t)
trap_message = _bind("wasm_trap_message", None, c_void_p, c_void_p)
trap_frames = _bind("wasm_trap_trace", None, c_void_p, c_void_p)
trap_delete = _bind("wasm_trap_delete", None, c_void_p)

_from_memory = ctypes.pythonapi["PyMemoryView_FromMemory"]
_from_memory.restype = ctypes.py_object
_from_memory.argtypes = (c_void_p, c_ssize_t, c_int32)
_WRITABLE = 0x200


def view_at(address: int, size: int) -> memoryview:
    """Exactly these bytes of memory, to read and write. Whoever gets it must not keep it longer than the memory is there."""
    if not size:
        return memoryview(bytearray())
    view: memoryview = _from_memory(address, size, _WRITABLE)
    return view


def bytes_at(address: int, size: int) -> Any:
    """These bytes as a writable buffer for `struct`."""
    return (c_char * size).from_address(address)


__all__ = [
    "FUNCTION",
    "GLOBAL",
    "HOST_FUNCTION",
    "ITEM",
    "MEMORY",
    "TABLE",
    "bytes_delete",
    "caller",
    "error_delete",
    "export_get",
    "frame_function",
    "frame_index",
    "global_get",
    "global_set",
    "instance_pre",
    "linker_define",
    "memory_data",
    "memory_size",
    "pre_delete",
    "pre_instantiate",
    "text_at",
    "trace_delete",
    "trap_delete",
    "trap_frames",
    "trap_message",
    "trap_new",
]
