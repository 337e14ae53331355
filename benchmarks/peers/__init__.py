"""Who takes part, in the order of the table's columns."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from benchmarks.peers.base import Peer
from benchmarks.work import Place

OURS = ("core", "component")
PEERS = {
    "core": ("ours", "Core"),
    "component": ("ours", "Reference"),
    "extism": ("extism_sdk", "Extism"),
    "stock": ("stock", "Stock"),
    "v8": ("v8", "V8"),
    "pipe": ("pipe", "Pipe"),
    "processes": ("processes", "Processes"),
    "plain": ("plain", "Plain"),
}


def make(names: Sequence[str], place: Place) -> list[Peer]:
    """The peers of these names. Each module is imported here only: ours need none of the others' packages."""
    found = []
    for name in names:
        module, kind = PEERS[name]
        found.append(getattr(import_module(f"benchmarks.peers.{module}"), kind)(place))
    return found
