"""A composed graph, loaded and callable."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ringfence.contract.errors import Denial
from ringfence.contract.layout import LOCK_SUFFIX
from ringfence.contract.lock import Lock
from ringfence.loading import Composed, compose_now, parts_of, read_lock

if TYPE_CHECKING:
    from ringfence.call import Root
    from ringfence.directory import Target, View
    from ringfence.running import Running

_REMEMBERED = 1000
"""Denials that no error told of, kept for `Graph.denials`: of calls that succeeded, or ended at a limit or from outside."""


class Graph:
    """A composed graph of ring-fenced components. A context manager; safe to call from many threads.

    `load` reads and checks; nothing is reachable from the guests that no grant of the lock names.
    """

    def __init__(self, composed: Composed, substitutes: Mapping[str, object], *, arrays: bool) -> None:
        self.name = composed.file.lock.graph
        self.denials: deque[Denial] = deque(maxlen=_REMEMBERED)
        self.all_denials: deque[Denial] = deque(maxlen=_REMEMBERED)  # those too that an error told of, which somebody may have caught
        self._composed, self._substitutes, self._arrays = composed, substitutes, arrays
        self._running: Running | None = None
        self._guard = threading.Lock()
        self._closed = False

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        compose: bool = False,
        lock_digest: str | None = None,
        parameters: Mapping[str, object] | None = None,
        substitutes: Mapping[str, object] | None = None,
        arrays: bool = False,
        cache: str | Path | None = None,
        grants: Mapping[str, Any] | None = None,
        narrowings: Sequence[tuple[Mapping[str, Any], str]] = (),
        base: str | Path | None = None,
    ) -> Self:
        """The graph of a graph.yaml (by the lock beside it) or of a graph.lock.json.

        It never builds or plans, unless `compose` says so (for development; needs ringfence-composer). `lock_digest` pins the lock
        file's bytes. `parameters` gives the graph's parameters their values. `substitutes` puts test doubles in the places of nodes, by
        name: what only they would call is not loaded, and where nothing else is left, no engine is. `arrays` has guests' lists of numbers
        come as `array.array`, which numpy takes without a copy, in place of lists. `cache` is the folder of the caches (default: this
        user's). `grants` takes authority away: by node, all that it may do from now on, a part of what the lock grants it; `narrowings`
        are further such, one after another, each with the place that its errors name. Relative paths in grants start at `base` (default:
        where the lock lies).

        Every node is compiled and linked here, unless it is remembered that this lock's nodes once were, by this version, and their
        native code still lies in the cache: then each is linked when it is first asked for, which takes some milliseconds.

        Raises:
            StaleLock: there is no lock, or it was made from another graph.yaml.
            IntegrityError: the lock or an artifact was changed, or does not belong to this version.
            ManifestError: there is no such file, parameters are wrong, or `grants` are or ask for more than the lock grants; all of them.
            SubstituteError: doubles don't fit the nodes they stand for; everything that does not.
        """
        where = Path(path)
        if compose and not where.name.endswith(LOCK_SUFFIX):
            compose_now(where)
        folder, doubles = None if cache is None else Path(cache), substitutes or {}
        file = read_lock(where, lock_digest, folder)
        less = [*narrowings, *([(grants, "grants")] if grants is not None else [])]
        file = file._replace(lock=_narrowed(file.lock, less, parameters or {}))
        beside = Path(base).absolute() if base is not None else None
        graph = cls(parts_of(file, _running(file.lock, doubles), parameters or {}, folder, beside), doubles, arrays=arrays)
        if doubles:
            graph._start().link_all()
        elif not file.checks.linked():
            file.checks.add_linked(graph._start().link_all())
        file.checks.keep()
        return graph

    def _start(self) -> Running:
        """What runs; made when it is first needed, for it brings the engine with it."""
        with self._guard:
            if self._running is None:
                from ringfence.running import Running

                self._running = Running(self._composed, self._substitutes, (self.denials, self.all_denials), arrays=self._arrays)
                if self._closed:
                    self._running.close()
            return self._running

    def call(self, name: str, /, *arguments: Any) -> Any:
        """Call `node.function` (where that is unique, else `node.interface.function`); the ok value where it gives a result.

        Raises:
            UsageError: no such function, or several; the choices are listed.
            ShapeError: an argument does not fit its type; nothing ran.
            GuestError: the guest answered with the err case.
            CapabilityDenied: it failed after it was refused something.
            LimitExceeded, DeadlineExceeded, GuestTrap: it passed a limit or trapped; the next call is not affected.
        """
        return (self._running or self._start()).call(name, arguments)

    def call_as(self, root: Root, name: str, /, *arguments: Any) -> Any:
        """The same as `call`, as this root, which was made for it: the caller can interrupt it, and sees its denials."""
        return (self._running or self._start()).call(name, arguments, root)

    async def acall(self, name: str, /, *arguments: Any) -> Any:
        """The same without blocking the event loop. Cancelling it interrupts the guest."""
        return await (self._running or self._start()).acall(name, arguments)

    def __getitem__(self, node: str) -> View:
        """An exposed node in attribute style: `graph['vendor'].get_order('A-17')`."""
        return (self._running or self._start()).view(node)

    def find(self, name: str) -> Target:
        """What a name leads to: for tools that need a function's type."""
        return (self._running or self._start()).directory.find(name)

    def __iter__(self) -> Iterator[Target]:
        """Every function the application may call."""
        return iter((self._running or self._start()).directory)

    def close(self) -> None:
        """End all calls and instances. Twice is harmless."""
        with self._guard:
            first, self._closed = not self._closed, True
            running = self._running
        if running is not None:
            running.close()
        if first:
            for folders in self._composed.folders.values():
                for folder in folders.values():
                    folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<graph {self.name}: {', '.join(one.node for one in self._composed.file.lock.expose)}>"

    def __str__(self) -> str:
        """The graph as a tree: who calls whom, and what each edge grants."""
        from ringfence.picture import model, text  # -- only those who look need it

        return text.drawn(model.picture_of(self._composed.file.lock))

    def _repr_svg_(self) -> str:
        """The graph as a picture: what a notebook shows."""
        from ringfence.picture import model, svg

        return svg.svg(model.picture_of(self._composed.file.lock))


def _narrowed(lock: Lock, less: Sequence[tuple[Mapping[str, Any], str]], parameters: Mapping[str, object]) -> Lock:
    """The lock without the authority that the application takes away."""
    if less:
        from ringfence.narrowing import narrowed  # -- few do

        for grants, place in less:
            lock = narrowed(lock, grants, parameters, place)
    return lock


def _running(lock: Lock, substitutes: Mapping[str, object]) -> Lock:
    """The part of a lock that runs beside these doubles."""
    if not substitutes:
        return lock
    from ringfence.substitutes.casting import running  # -- for tests only

    return running(lock, substitutes)
