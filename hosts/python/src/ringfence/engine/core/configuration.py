"""wasmtime's configuration for merged core modules: one engine per stack size, everything that guests do not need switched off."""

from __future__ import annotations

from functools import lru_cache

from wasmtime import Config, Engine, _ffi

from ringfence.contract.limits import STACK_MAX

SETTINGS = "core engine 1: epochs, memory never moves; no threads, gc types, memory64, relaxed simd, components"
"""What compiled code depends on, for the compile cache. The stack size is not part of it."""

_OFF = (
    "wasm_threads",
    "shared_memory",
    "wasm_relaxed_simd",
    "wasm_memory64",
    "wasm_custom_page_sizes",
    "wasm_stack_switching",
    "wasm_wide_arithmetic",
    "wasm_gc",
    "wasm_function_references",
    "wasm_component_model",
)


@lru_cache(maxsize=64)
def wasm_engine(stack: int) -> Engine:
    """The engine whose guests have this many bytes of stack.

    Adapters catch exceptions, so these are on, and with them the heap that they live in: without it wasmtime's compiler ends the
    process on a guest that catches one by its tag.

    A linear memory never moves in it (it has its 4 GiB of addresses from the start), so that a view which was exact once stays inside.

    Raises:
        ValueError: more than a thread of this process can give.
    """
    if not 0 < stack <= STACK_MAX:
        raise ValueError(f"expected a stack of at most {STACK_MAX} bytes, found {stack}")
    config = Config()
    config.epoch_interruption = True
    for name in _OFF:
        setattr(config, name, False)
    pointer = config.ptr()
    _ffi.wasmtime_config_concurrency_support_set(pointer, False)  # noqa: FBT003
    _ffi.wasmtime_config_memory_may_move_set(pointer, False)  # noqa: FBT003
    config.memory_reservation = 1 << 32
    config.max_wasm_stack = stack
    _ffi.wasmtime_config_async_stack_size_set(pointer, max(2 << 20, stack))  # a smaller one aborts the process, used or not
    return Engine(config)
