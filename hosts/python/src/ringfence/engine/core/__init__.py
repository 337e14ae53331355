"""Components as one merged core module each, with the Canonical ABI done here, on linear memory."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringfence.engine.core.engine import CoreEngine

__all__ = ["CoreEngine"]


def __getattr__(name: str) -> Any:
    """`CoreEngine` on first use: whoever only reads a plan's types does not pay for wasmtime."""
    if name == "CoreEngine":
        from ringfence.engine.core.engine import CoreEngine

        return CoreEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
