"""Ringfence: run libraries as WebAssembly components that get exactly the capabilities a graph grants them.

with Graph.load("graph.yaml") as graph:
order = graph.call("vendor.get-order", "A-17")
"""

from typing import TYPE_CHECKING, Any

from ringfence.contract.errors import (
    CapabilityDenied,
    DeadlineExceeded,
    Denial,
    GuestError,
    GuestExit,
    GuestTrap,
    IntegrityError,
    Interrupted,
    LimitExceeded,
    ManifestError,
    Problem,
    RingfenceError,
    ShapeError,
    StaleLock,
    SubstituteError,
    UsageError,
)

if TYPE_CHECKING:
    from ringfence.beside import acall
    from ringfence.graph import Graph

__version__ = "0.1.0"

__all__ = [
    "CapabilityDenied",
    "DeadlineExceeded",
    "Denial",
    "Graph",
    "GuestError",
    "GuestExit",
    "GuestTrap",
    "IntegrityError",
    "Interrupted",
    "LimitExceeded",
    "ManifestError",
    "Problem",
    "RingfenceError",
    "ShapeError",
    "StaleLock",
    "SubstituteError",
    "UsageError",
    "__version__",
    "acall",
]


def __getattr__(name: str) -> Any:
    """`Graph` and `acall` on first use: tools that need only the contract or the engine don't pay for the host."""
    if name == "Graph":
        from ringfence.graph import Graph

        return Graph
    if name == "acall":
        from ringfence.beside import acall

        return acall
    raise AttributeError(f"module 'ringfence' has no attribute {name!r}")
