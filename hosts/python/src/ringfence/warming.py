"""Fills the caches: compiles and links every node of a composed graph, so that no later load has to."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ringfence.contract.authority import Authority
from ringfence.contract.errors import RingfenceError
from ringfence.contract.names import Digest
from ringfence.engine.cache import cache_fault
from ringfence.folders import Folders
from ringfence.loading import Composed, LockFile, check_artifacts, read_lock
from ringfence.running import Running


class Warmed(NamedTuple):
    """A node whose native code is in the cache: the digest of the binary, whether it was there before, and seconds that it took."""

    graph: str
    node: str
    digest: Digest
    cached: bool
    seconds: float


Begun = Callable[[str, int, int], None]
"""Told of a node that is begun: its name, which one it is, and of how many."""


def warm(path: Path, cache: Path | None, begun: Begun) -> Iterator[Warmed]:
    """Warm the nodes of a graph.yaml or a lock file, one after the other. Nothing of a guest runs, and no parameters are needed.

    Raises:
        RingfenceError: the folder of the caches can't be used, so that nothing would be gained.
        StaleLock, IntegrityError, ManifestError: as `Graph.load`.
    """
    if fault := cache_fault(cache):
        raise RingfenceError(f"the compile cache can't be used: {fault}", hint="name another folder with --cache")
    file = read_lock(path, None, cache)
    running = Running(_without_policies(file, cache), {}, (deque(), deque()), arrays=False)
    nodes = running.in_order()
    for number, node in enumerate(nodes, start=1):
        begun(node.name, number, len(nodes))
        began = time.monotonic()
        running.link(node)
        seconds = time.monotonic() - began
        yield Warmed(file.lock.graph, node.name, _digest(file, node.name), node.loaded.cached, seconds)
    file.checks.add_linked(running.link_all())
    file.checks.keep()


def _without_policies(file: LockFile, cache: Path | None) -> Composed:
    """The graph as it is linked. What its nodes may do does not matter to that, and would need its parameters and folders."""
    names = [node.name for node in file.lock.nodes]
    artifacts = check_artifacts(file, file.lock, cache)
    nothing: Mapping[str, Folders] = {name: {} for name in names}
    return Composed(file, file.lock, artifacts, dict.fromkeys(names, Authority()), dict.fromkeys(names, ""), nothing, cache)


def _digest(file: LockFile, node: str) -> Digest:
    """What is compiled for a node: its core module, or its component."""
    role = "core-module" if file.lock.units[node].lane == "core" else "component"
    return next(one.digest for one in file.lock.artifacts if (one.node, one.role) == (node, role))
