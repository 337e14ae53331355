"""wasmtime's configuration for merged core modules: one engine per build, everything that guests do not need switched off."""

from __future__ import annotations

from functools import lru_cache

from ringfence.contract.limits import STACK_MAX
from ringfence.engine.code import Build
from ringfence.engine.core.machine import Engine

SETTINGS = "core engine 1: epochs, memory never moves; no threads, gc types, memory64, relaxed simd, components"
"""What compiled code depends on, for the compile cache. The stack size is no part of it."""

_SWITCHES = {
    "epoch_interruption": True,
    "wasm_threads": False,
    "shared_memory": False,
    "wasm_relaxed_simd": False,
    "wasm_memory64": False,
    "wasm_custom_page_sizes": False,
    "wasm_stack_switching": False,
    "wasm_wide_arithmetic": False,
    "wasm_gc": False,
    "wasm_function_references": False,
    "wasm_component_model": False,
    "concurrency_support": False,
    "memory_may_move": False,
}


def settings(build: Build) -> str:
    """What this build's code depends on."""
    return f"{SETTINGS}; fuel" if build.metered else SETTINGS


@lru_cache(maxsize=64)
def wasm_engine(build: Build) -> Engine:
    """The engine for guests of this build.

    Adapters catch exceptions, so these are on, and with them the heap that they live in: without it wasmtime's compiler ends the
    process on a guest that catches one by its tag.

    A linear memory never moves in it (it has its 4 GiB of addresses from the start), so that a view which was exact once stays inside.

    Raises:
        ValueError: more than a thread of this process can give.
    """
    if not 0 < build.stack <= STACK_MAX:
        raise ValueError(f"expected a stack of at most {STACK_MAX} bytes, found {build.stack}")
    sizes = {
        "memory_reservation": 1 << 32,
        "max_wasm_stack": build.stack,
        "async_stack_size": max(2 << 20, build.stack),  # a smaller one aborts the process, used or not
    }
    return Engine(switches={**_SWITCHES, "consume_fuel": build.metered}, sizes=sizes)
