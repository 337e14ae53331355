"""How the wheel compiles a component."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from wasmtime import Engine, WasmtimeError
from wasmtime.component import Component

from ringfence.engine.cache import Kind


def component_kind(engine: Engine, settings: str, note: Callable[[bytes], Any] = lambda _: None) -> Kind[Component]:
    """Components for this engine; `settings` and `note` are those of `Kind`."""
    return Kind(
        name="component",
        settings=settings,
        compile=partial(Component, engine),
        load=partial(Component.deserialize_file, engine),
        revive=partial(Component.deserialize, engine),
        refusal=WasmtimeError,
        note=note,
    )
