"""The wheel's component C interface by plain addresses: the prototypes this engine uses, and the layout of a C value.

The wheel declares the same functions with pointer objects, whose making costs more than the calls. Here each is bound a second
time, taking and giving addresses as integers. Values are read and written as bytes, 32 to a value:

    0  kind (u8)      8  payload: a number, or size (u64) and data (address), or an address
    record entry: name (size, data), then the value: 48 bytes        name: size, data: 16 bytes

Ownership (read from wasmtime-c-api 50.0.1): arguments of a call are copied by the callee and stay the caller's; its result is the
caller's to delete; a host function's arguments and results belong to wasmtime, so a result must be in memory that wasmtime
allocated: `val_clone` makes it so.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_size_t, c_uint32, c_void_p
from typing import Any

from wasmtime import _ffi

from ringfence.engine.library import NAME, bind

VAL = 32
ENTRY = 48
PAYLOAD = 8
VARIANT_VALUE = 24
RESULT_VALUE = 16

KINDS = {
    "bool": 0,
    "s8": 1,
    "u8": 2,
    "s16": 3,
    "u16": 4,
    "s32": 5,
    "u32": 6,
    "s64": 7,
    "u64": 8,
    "f32": 9,
    "f64": 10,
    "char": 11,
    "string": 12,
}
LIST, RECORD, TUPLE, VARIANT, ENUM, OPTION, RESULT, FLAGS, RESOURCE = range(13, 22)


def _check_layout() -> None:
    """Refuse a wheel whose C values look different from what this engine reads."""
    val: Any = _ffi.wasmtime_component_val_t
    union: Any = _ffi.wasmtime_component_valunion_t
    entry: Any = _ffi.wasmtime_component_valrecord_entry_t
    variant: Any = _ffi.wasmtime_component_valvariant_t
    result: Any = _ffi.wasmtime_component_valresult_t
    found = (
        ctypes.sizeof(val),
        val.of.offset,
        ctypes.sizeof(entry),
        entry.val.offset,
        ctypes.sizeof(_ffi.wasm_name_t),
        union.resource.offset,
        variant.val.offset,
        result.val.offset,
        _ffi.WASMTIME_COMPONENT_STRING.value,
        _ffi.WASMTIME_COMPONENT_LIST.value,
        _ffi.WASMTIME_COMPONENT_RESOURCE.value,
    )
    expected = (VAL, PAYLOAD, ENTRY, NAME, NAME, 0, VARIANT_VALUE - PAYLOAD, RESULT_VALUE - PAYLOAD, KINDS["string"], LIST, RESOURCE)
    if found != expected:
        raise ImportError(f"this engine does not know the C values of this wasmtime: expected {expected}, found {found}")


_check_layout()


HOST_FUNCTION = "size_t(size_t, size_t, size_t, size_t, size_t, size_t, size_t)"
"""(data, context, type, arguments, count, results, count) -> error or 0"""
DESTRUCTOR = "size_t(size_t, size_t, uint32_t)"
"""(data, context, rep) -> error or 0"""
call = bind("wasmtime_component_func_call", c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)
val_clone = bind("wasmtime_component_val_clone", None, c_void_p, c_void_p)
val_delete = bind("wasmtime_component_val_delete", None, c_void_p)

any_clone = bind("wasmtime_component_resource_any_clone", c_void_p, c_void_p)
any_delete = bind("wasmtime_component_resource_any_delete", None, c_void_p)
any_drop = bind("wasmtime_component_resource_any_drop", c_void_p, c_void_p, c_void_p)
any_to_host = bind("wasmtime_component_resource_any_to_host", c_void_p, c_void_p, c_void_p, POINTER(c_void_p))
host_new = bind("wasmtime_component_resource_host_new", c_void_p, c_bool, c_uint32, c_uint32)
host_to_any = bind("wasmtime_component_resource_host_to_any", c_void_p, c_void_p, c_void_p, POINTER(c_void_p))
host_rep = bind("wasmtime_component_resource_host_rep", c_uint32, c_void_p)
host_type = bind("wasmtime_component_resource_host_type", c_uint32, c_void_p)
host_delete = bind("wasmtime_component_resource_host_delete", None, c_void_p)

linker_add_function = bind(
    "wasmtime_component_linker_instance_add_func", c_void_p, c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_void_p
)
linker_add_resource = bind(
    "wasmtime_component_linker_instance_add_resource",
    c_void_p,
    c_void_p,
    c_char_p,
    c_size_t,
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
)
linker_instantiate = bind("wasmtime_component_linker_instantiate", c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)
instance_function = bind("wasmtime_component_instance_get_func", c_bool, c_void_p, c_void_p, c_void_p, c_void_p)

error_trace = bind("wasmtime_error_wasm_trace", None, c_void_p, c_void_p)
frame_module = bind("wasmtime_frame_module_name", c_void_p, c_void_p)
