"""wasmtime's engine, core modules and linkers as objects, as far as this engine uses them. Each owns its part of the library's memory."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from ctypes import Array, byref, c_bool, c_char_p, c_size_t, c_uint8, c_uint64, c_void_p
from typing import Any, Self

from ringfence.engine.core import ffi
from ringfence.engine.library import Vector, bind, bytes_delete, take_message

_config_new = bind("wasm_config_new", c_void_p)
_engine_new = bind("wasm_engine_new_with_config", c_void_p, c_void_p)
_engine_delete = bind("wasm_engine_delete", None, c_void_p)
_increment_epoch = bind("wasmtime_engine_increment_epoch", None, c_void_p)
_module_new = bind("wasmtime_module_new", c_void_p, c_void_p, c_char_p, c_size_t, c_void_p)
_module_delete = bind("wasmtime_module_delete", None, c_void_p)
_module_serialize = bind("wasmtime_module_serialize", c_void_p, c_void_p, c_void_p)
_module_deserialize = bind("wasmtime_module_deserialize", c_void_p, c_void_p, c_char_p, c_size_t, c_void_p)
_module_deserialize_file = bind("wasmtime_module_deserialize_file", c_void_p, c_void_p, c_char_p, c_void_p)
_linker_new = bind("wasmtime_linker_new", c_void_p, c_void_p)
_linker_delete = bind("wasmtime_linker_delete", None, c_void_p)
_value_type = bind("wasm_valtype_new", c_void_p, c_uint8)
_value_types = bind("wasm_valtype_vec_new", None, c_void_p, c_size_t, c_void_p)
_function_type = bind("wasm_functype_new", c_void_p, c_void_p, c_void_p)
_function_type_delete = bind("wasm_functype_delete", None, c_void_p)

_KINDS = {"i32": 0, "i64": 1, "f32": 2, "f64": 3}


class Refused(Exception):
    """What wasmtime says against code or a function that it was given."""


def _done(error: int | None) -> None:
    if error:
        raise Refused(take_message(error))


class _Owner:
    """Owns a C object. At the end of the process nothing is freed: other threads may still be in there."""

    def __init__(self, pointer: int, free: Callable[[int], None]) -> None:
        self._pointer = pointer
        weakref.finalize(self, free, pointer).atexit = False

    def ptr(self) -> int:
        """Its address, good as long as this object lives."""
        return self._pointer


class Engine(_Owner):
    """One configuration of wasmtime: its options by their names in the C interface (`wasmtime_config_…_set`)."""

    def __init__(self, *, switches: Mapping[str, bool], sizes: Mapping[str, int]) -> None:
        config = _config_new()
        for name, on in switches.items():
            bind(f"wasmtime_config_{name}_set", None, c_void_p, c_bool)(config, on)
        for name, size in sizes.items():
            bind(f"wasmtime_config_{name}_set", None, c_void_p, c_uint64)(config, size)
        super().__init__(_engine_new(config), _engine_delete)  # which takes the configuration

    def increment_epoch(self) -> None:
        """A tick of the clock; see `engine.ticker`."""
        _increment_epoch(self._pointer)


class Module(_Owner):
    """A compiled core module."""

    @classmethod
    def compile(cls, engine: Engine, binary: bytes) -> Self:
        """Raises Refused where it is no valid module."""
        return cls._made(_module_new, engine, binary, len(binary))

    @classmethod
    def deserialize(cls, engine: Engine, code: bytes) -> Self:
        """Native code made by `serialize`. Whoever made it is trusted: it runs.

        Raises:
            Refused: it was not made by this very version and configuration.
        """
        return cls._made(_module_deserialize, engine, code, len(code))

    @classmethod
    def deserialize_file(cls, engine: Engine, path: str) -> Self:
        """The same, mapped from a file, which must never change."""
        return cls._made(_module_deserialize_file, engine, path.encode())

    @classmethod
    def _made(cls, make: Callable[..., int | None], engine: Engine, *arguments: Any) -> Self:
        made = c_void_p()
        _done(make(engine.ptr(), *arguments, byref(made)))
        return cls(made.value or 0, _module_delete)

    def serialize(self) -> bytes:
        """Its native code."""
        code = Vector()
        _done(_module_serialize(self._pointer, byref(code)))
        try:
            return code.content()
        finally:
            bytes_delete(byref(code))


class Linker(_Owner):
    """Functions by the names under which modules import them."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(_linker_new(engine.ptr()), _linker_delete)
        self._kinds: dict[tuple[tuple[str, ...], tuple[str, ...]], _Owner] = {}  # few; one object of C is good for one engine only

    def define(self, module: bytes, name: bytes, params: tuple[str, ...], results: tuple[str, ...], function: int) -> None:
        """Define a function by the address of its C function, which the caller keeps alive."""
        kind = self._kinds.get((params, results))
        if kind is None:
            made = _function_type(byref(_vector(params)), byref(_vector(results)))
            kind = self._kinds[params, results] = _Owner(made, _function_type_delete)
        _done(ffi.linker_define(self._pointer, module, len(module), name, len(name), kind.ptr(), function, None, None))

    def prepared(self, module: Module) -> _Owner:
        """The module with its imports looked up, ready to instantiate (`wasmtime_instance_pre_t`)."""
        pre = c_void_p()
        _done(ffi.instance_pre(self._pointer, module.ptr(), byref(pre)))
        return _Owner(pre.value or 0, ffi.pre_delete)


def _vector(kinds: Sequence[str]) -> Vector:
    types: Array[c_void_p] = (c_void_p * len(kinds))(*[_value_type(_KINDS[kind]) for kind in kinds])
    vector = Vector()
    _value_types(byref(vector), len(kinds), types)
    return vector
