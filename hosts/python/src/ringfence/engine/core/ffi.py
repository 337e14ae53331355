"""The wheel's core C interface by plain addresses, as far as this engine uses it.

A block of core values has 16 bytes a value (`wasmtime_val_raw_t`): arguments go in, results come out in their place. An item of an
instance (`wasmtime_extern_t`) has a kind and, at `ITEM`, the handle of a function, memory or global; other functions take its address.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import byref, c_bool, c_char, c_char_p, c_int32, c_size_t, c_ssize_t, c_uint8, c_uint64, c_void_p
from functools import partial
from typing import Any

from ringfence.engine.library import bind

FUNCTION, GLOBAL, TABLE, MEMORY = range(4)


class Item(ctypes.Structure):
    """An item of an instance (`wasmtime_extern_t`)."""

    _fields_ = [("kind", c_uint8), ("handle", c_uint64 * 3)]
    kind: int
    handle: Any


ITEM: int = Item.handle.offset

RawInstance = c_uint64 * 2
"""`wasmtime_instance_t`"""


class GlobalValue(ctypes.Structure):
    """A value with its kind (`wasmtime_val_t`), as far as 32-bit integers go."""

    _fields_ = [("kind", c_uint8), ("_", c_uint8 * 7), ("i32", c_int32), ("_rest", c_uint64 * 2)]
    i32: int


HOST_FUNCTION = "size_t(size_t, size_t, size_t, size_t)"
"""(data, caller, values, count) -> trap or 0"""

_call = bind("wasmtime_func_call_unchecked", c_void_p)  # its arguments are C objects already


def caller(context: int, function: int, values: int, count: int, trap: c_void_p) -> Callable[[], int | None]:
    """Calls this core function with these values, which it replaces by its results; an error or None. Prepared once, it costs half."""
    return partial(_call, c_void_p(context), c_void_p(function), c_void_p(values), c_size_t(count), byref(trap))


instance_pre = bind("wasmtime_linker_instantiate_pre", c_void_p, c_void_p, c_void_p, c_void_p)
pre_instantiate = bind("wasmtime_instance_pre_instantiate", c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)
pre_delete = bind("wasmtime_instance_pre_delete", None, c_void_p)
linker_define = bind(
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
export_get = bind("wasmtime_instance_export_get", c_bool, c_void_p, c_void_p, c_char_p, c_size_t, c_void_p)
memory_data = bind("wasmtime_memory_data", c_void_p, c_void_p, c_void_p)
memory_size = bind("wasmtime_memory_data_size", c_size_t, c_void_p, c_void_p)
global_get = bind("wasmtime_global_get", None, c_void_p, c_void_p, c_void_p)
global_set = bind("wasmtime_global_set", c_void_p, c_void_p, c_void_p, c_void_p)
trap_new = bind("wasmtime_trap_new", c_size_t, c_char_p, c_size_t)
trap_message = bind("wasm_trap_message", None, c_void_p, c_void_p)
trap_frames = bind("wasm_trap_trace", None, c_void_p, c_void_p)
trap_delete = bind("wasm_trap_delete", None, c_void_p)

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
