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
from ctypes import POINTER, c_bool, c_char_p, c_int64, c_size_t, c_uint32, c_uint64, c_void_p, string_at
from struct import Struct
from typing import Any

from wasmtime import _ffi

VAL = 32
ENTRY = 48
NAME = 16
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

PAIR = Struct("<QQ")
"""Size and data, of a name, string, list, record, tuple or flags."""
ADDRESS = Struct("<Q")


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


def _bind(name: str, result: Any, *arguments: Any) -> Any:
    function = _ffi.dll[name]  # indexing, unlike attribute access, gives a new object: the wheel's own stays as it is
    function.restype = result
    function.argtypes = arguments
    return function


HOST_FUNCTION = "size_t(size_t, size_t, size_t, size_t, size_t, size_t, size_t)"
"""(data, context, type, arguments, count, results, count) -> error or 0"""
DESTRUCTOR = "size_t(size_t, size_t, uint32_t)"
"""(data, context, rep) -> error or 0"""
EPOCH_CALLBACK = "size_t(size_t, size_t, uint64_t *, uint8_t *)"
"""(context, data, delta out, kind out: 0 goes on) -> error or 0"""

call = _bind("wasmtime_component_func_call", c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)
val_clone = _bind("wasmtime_component_val_clone", None, c_void_p, c_void_p)
val_delete = _bind("wasmtime_component_val_delete", None, c_void_p)

any_clone = _bind("wasmtime_component_resource_any_clone", c_void_p, c_void_p)
any_delete = _bind("wasmtime_component_resource_any_delete", None, c_void_p)
any_drop = _bind("wasmtime_component_resource_any_drop", c_void_p, c_void_p, c_void_p)
any_to_host = _bind("wasmtime_component_resource_any_to_host", c_void_p, c_void_p, c_void_p, POINTER(c_void_p))
host_new = _bind("wasmtime_component_resource_host_new", c_void_p, c_bool, c_uint32, c_uint32)
host_to_any = _bind("wasmtime_component_resource_host_to_any", c_void_p, c_void_p, c_void_p, POINTER(c_void_p))
host_rep = _bind("wasmtime_component_resource_host_rep", c_uint32, c_void_p)
host_type = _bind("wasmtime_component_resource_host_type", c_uint32, c_void_p)
host_delete = _bind("wasmtime_component_resource_host_delete", None, c_void_p)

store_new = _bind("wasmtime_store_new", c_void_p, c_void_p, c_void_p, c_void_p)
store_context = _bind("wasmtime_store_context", c_void_p, c_void_p)
store_delete = _bind("wasmtime_store_delete", None, c_void_p)
store_limiter = _bind("wasmtime_store_limiter", None, c_void_p, c_int64, c_int64, c_int64, c_int64, c_int64)
store_epoch_callback = _bind("wasmtime_store_epoch_deadline_callback", None, c_void_p, c_void_p, c_void_p, c_void_p)
set_epoch_deadline = _bind("wasmtime_context_set_epoch_deadline", None, c_void_p, c_uint64)

linker_add_function = _bind(
    "wasmtime_component_linker_instance_add_func", c_void_p, c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_void_p
)
linker_add_resource = _bind(
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
linker_instantiate = _bind("wasmtime_component_linker_instantiate", c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)
instance_function = _bind("wasmtime_component_instance_get_func", c_bool, c_void_p, c_void_p, c_void_p, c_void_p)

error_new = _bind("wasmtime_error_new", c_void_p, c_char_p)
error_message = _bind("wasmtime_error_message", None, c_void_p, c_void_p)
error_delete = _bind("wasmtime_error_delete", None, c_void_p)
error_trace = _bind("wasmtime_error_wasm_trace", None, c_void_p, c_void_p)
trace_delete = _bind("wasm_frame_vec_delete", None, c_void_p)
frame_index = _bind("wasm_frame_func_index", c_uint32, c_void_p)
frame_function = _bind("wasmtime_frame_func_name", c_void_p, c_void_p)
frame_module = _bind("wasmtime_frame_module_name", c_void_p, c_void_p)
bytes_delete = _bind("wasm_byte_vec_delete", None, c_void_p)


def text_at(address: int) -> str:
    """The text of the name (size, data) at this address; what is not UTF-8 is replaced."""
    size, data = PAIR.unpack(string_at(address, NAME))
    return string_at(data, size).decode("utf-8", "replace") if size else ""


def take_message(error: int) -> str:
    """The message of an error, which is freed."""
    name = _ffi.wasm_name_t()
    error_message(error, ctypes.byref(name))
    try:
        return string_at(name.data, name.size).decode("utf-8", "replace") if name.size else ""
    finally:
        bytes_delete(ctypes.byref(name))
        error_delete(error)
