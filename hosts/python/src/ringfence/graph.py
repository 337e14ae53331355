"""A composed graph, loaded and callable."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from ringfence.call import Root
from ringfence.contract.errors import CapabilityDenied, Denial, GuestError, GuestTrap, IntegrityError, Interrupted
from ringfence.contract.layout import LOCK_SUFFIX
from ringfence.contract.lock import Lane, Lock
from ringfence.contract.values import WitError
from ringfence.directory import Directory, Target, View
from ringfence.engine.seam import Engine
from ringfence.gate import Refused
from ringfence.instance import Node
from ringfence.loading import check_artifacts, compose_now, exposed, make_nodes, read_lock, remedy, sound
from ringfence.signals import defer, undefer
from ringfence.substitutes.casting import ensure_fitting, running, stand_ins

_THREADS = 64
"""Calls of `acall` at once; more wait, and the wait counts to their deadline."""
_REMEMBERED = 1000
"""Denials that no error told of, kept for `Graph.denials`: of calls that succeeded, or ended at a limit or from outside."""


@lru_cache(maxsize=1)
def _component_engine() -> Engine:
    from ringfence.engine.component import ComponentEngine

    return ComponentEngine()


@lru_cache(maxsize=1)
def _core_engine() -> Engine:
    from ringfence.engine.core import CoreEngine

    return CoreEngine()


ENGINES: Mapping[Lane, Callable[[], Engine]] = {"component": _component_engine, "core": _core_engine}


class Graph:
    """A composed graph of ring-fenced components. A context manager; safe to call from many threads.

    `load` reads and checks; nothing is reachable from the guests that no grant of the lock names.
    """

    def __init__(self, lock: Lock, nodes: Mapping[str, Node], directory: Directory) -> None:
        self.name = lock.graph
        self._lock = lock
        self.denials: deque[Denial] = deque(maxlen=_REMEMBERED)
        self._nodes, self._directory = nodes, directory
        self._roots: set[Root] = set()
        self._guard = threading.Lock()
        self._closed = False
        self._threads: ThreadPoolExecutor | None = None

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        compose: bool = False,
        lock_digest: str | None = None,
        parameters: Mapping[str, object] | None = None,
        substitutes: Mapping[str, object] | None = None,
        cache: str | Path | None = None,
    ) -> Self:
        """The graph of a graph.yaml (by the lock beside it) or of a graph.lock.json.

        It never builds or plans, unless `compose` says so (for development; needs ringfence-composer). `lock_digest` pins the lock
        file's bytes. `parameters` gives the graph's parameters their values. `substitutes` puts test doubles in the places of nodes, by
        name: what only they would call is not loaded, and where nothing else is left, no engine is. `cache` is the folder for compiled
        code (default: the user's cache).

        Raises:
            StaleLock: there is no lock, or it was made from another graph.yaml.
            IntegrityError: the lock or an artifact was changed.
            ManifestError: there is no such file, or parameters are wrong; all of them.
            SubstituteError: doubles don't fit the nodes they stand for; everything that does not.
        """
        where = Path(path)
        if compose and not where.name.endswith(LOCK_SUFFIX):
            compose_now(where)
        lock, file = read_lock(where, lock_digest)
        folder, doubles = None if cache is None else Path(cache), substitutes or {}
        runs = running(lock, doubles)
        artifacts = check_artifacts(runs, file, folder)
        with sound(file, lock.manifest):
            standing = stand_ins(lock, file, doubles, folder, ENGINES)
        ensure_fitting(lock, runs, doubles, standing)
        with sound(file, lock.manifest):
            nodes = make_nodes(runs, file, artifacts, ENGINES, parameters or {}, standing)
            entries = exposed({**standing, **nodes}, lock.expose)
        for node in nodes.values():
            try:
                node.linked  # noqa: B018 -- load and link now: a first call's deadline is no time to compile
            except LookupError as error:
                raise IntegrityError(f"{file}: {node.name}: {error}", hint=remedy(file, lock.manifest)) from error
        graph = cls(lock, nodes, Directory(entries, [node.name for node in lock.nodes]))
        for callee, inbound in entries.values():
            callee.application = lambda function, *arguments, node=callee, inbound=inbound: graph._call(
                Root(), Target(node=node, inbound=inbound, function=function), arguments
            )
        return graph

    def call(self, name: str, /, *arguments: Any) -> Any:
        """Call `node.function` (where that is unique, else `node.interface.function`); the ok value where it gives a result.

        Raises:
            UsageError: no such function, or several; the choices are listed.
            ShapeError: an argument does not fit its type; nothing ran.
            GuestError: the guest answered with the err case.
            CapabilityDenied: it failed after it was refused something.
            LimitExceeded, DeadlineExceeded, GuestTrap: it passed a limit or trapped; the next call is not affected.
        """
        return self._call(Root(), self._directory.find(name), arguments)

    async def acall(self, name: str, /, *arguments: Any) -> Any:
        """The same without blocking the event loop. Cancelling it interrupts the guest."""
        root, target = Root(), self._directory.find(name)
        with self._guard:
            self._ensure_open()
            self._threads = self._threads or ThreadPoolExecutor(_THREADS, thread_name_prefix=f"ringfence-{self.name}")
            future = asyncio.get_running_loop().run_in_executor(self._threads, self._call, root, target, arguments)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            root.interrupt(Interrupted(f"{name} was cancelled"))
            await asyncio.wait([future])
            future.exception()  # seen: it is the interruption, or came too late to matter
            raise

    def __getitem__(self, node: str) -> View:
        """An exposed node in attribute style: `graph['vendor'].get_order('A-17')`."""
        return View(self._directory, lambda target, *arguments: self._call(Root(), target, arguments), node)

    def find(self, name: str) -> Target:
        """What a name leads to: for tools that need a function's type."""
        return self._directory.find(name)

    def __iter__(self) -> Iterator[Target]:
        """Every function the application may call."""
        return iter(self._directory)

    def _call(self, root: Root, target: Target, arguments: tuple[Any, ...]) -> Any:
        deferred = defer(root)
        try:
            self._roots.add(root)
            self._ensure_open()  # now: either it is seen here that the graph was closed, or there that this call runs
            result = target.node.invoke(root, target.inbound, target.function, arguments)
        except WitError as error:
            failure = GuestError(target.name, error.value)
            raise _judged(root, failure) from (failure if root.denials else None)
        except GuestTrap as trap:
            if root.denials:
                raise _judged(root, trap) from trap
            raise
        except Refused as refused:
            raise CapabilityDenied(root.denials) from refused
        except BaseException:
            self.denials.extend(root.denials)  # this error tells of none: a guest must not hide them behind its deadline
            raise
        finally:
            self._roots.discard(root)
            if deferred:
                undefer()
        if root.denials:
            self.denials.extend(root.denials)
        if root.reason is not None and not isinstance(root.reason, Interrupted):
            raise root.reason  # Ctrl-C came too late to end the call, and must not be lost
        return result

    def _ensure_open(self) -> None:
        if self._closed:
            raise Interrupted(f"the graph {self.name} is closed")

    def close(self) -> None:
        """End all calls and instances. Twice is harmless."""
        self._closed = True
        for root in list(self._roots):
            root.interrupt(Interrupted(f"the graph {self.name} was closed"))
        for node in self._nodes.values():
            node.close()
        if self._threads:
            self._threads.shutdown(wait=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<graph {self.name}: {', '.join(target.name for target in self)}>"

    def __str__(self) -> str:
        """The graph as a tree: who calls whom, and what each edge grants."""
        from ringfence.picture import model, text  # -- only those who look need it

        return text.drawn(model.picture_of(self._lock))

    def _repr_svg_(self) -> str:
        """The graph as a picture: what a notebook shows."""
        from ringfence.picture import model, svg

        return svg.svg(model.picture_of(self._lock))


def _judged(root: Root, failure: GuestError | GuestTrap) -> Exception:
    """The error of a call that failed: a denial, with the guest's own error inside, where it met one."""
    return CapabilityDenied(root.denials) if root.denials else failure
