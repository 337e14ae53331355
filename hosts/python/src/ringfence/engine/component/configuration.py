"""wasmtime's configuration for running guests: one engine per build, everything that guests do not need switched off."""

from __future__ import annotations

from functools import lru_cache

from wasmtime import Config, Engine, _ffi

from ringfence.contract.limits import STACK_MAX
from ringfence.engine.code import Build

SETTINGS = "component engine 1: epochs; no threads, gc, memory64, relaxed simd, exceptions, async"
"""What compiled code depends on, for the compile cache. The stack size is no part of it: code compiled for one runs with another."""

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
    "wasm_exceptions",
    "wasm_component_model_map",
    "wasm_component_model_implements",
    "gc_support",
)


def settings(build: Build) -> str:
    """What this build's code depends on."""
    return f"{SETTINGS}; fuel" if build.metered else SETTINGS


@lru_cache(maxsize=64)
def wasm_engine(build: Build) -> Engine:
    """The engine for guests of this build.

    Raises:
        ValueError: more than a thread of this process can give.
    """
    if not 0 < build.stack <= STACK_MAX:
        raise ValueError(f"expected a stack of at most {STACK_MAX} bytes, found {build.stack}")
    config = Config()
    config.epoch_interruption = True
    config.consume_fuel = build.metered
    config.wasm_component_model = True
    for name in _OFF:
        setattr(config, name, False)
    pointer = config.ptr()
    _ffi.wasmtime_config_wasm_component_model_async_set(pointer, False)  # noqa: FBT003
    _ffi.wasmtime_config_concurrency_support_set(pointer, False)  # noqa: FBT003
    config.max_wasm_stack = build.stack
    _ffi.wasmtime_config_async_stack_size_set(pointer, max(2 << 20, build.stack))  # a smaller one aborts the process, used or not
    return Engine(config)
