"""A graph that can be called: its nodes, made from what lies in the files and linked, and the calls that run in them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringfence.beside import ERRAND, Errand, threads
from ringfence.call import Root
from ringfence.contract.errors import CapabilityDenied, Denial, GuestError, GuestTrap, IntegrityError, Interrupted
from ringfence.contract.limits import Limits
from ringfence.contract.lock import HOST, Lane, LockedEdge, LockedExpose, LockedGroup, LockedNode, edge_name
from ringfence.contract.values import WitError
from ringfence.directory import Directory, Target, View
from ringfence.engine.seam import Artifacts, Engine, FunctionName
from ringfence.gate import Refused
from ringfence.instance import Callee, Inbound, Node, Outbound, Share
from ringfence.loading import Composed, remedy, sound
from ringfence.signals import defer, undefer
from ringfence.turns import turns

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor


@lru_cache(maxsize=1)
def _component_engine() -> Engine:
    from ringfence.engine.component import ComponentEngine

    return ComponentEngine()


@lru_cache(maxsize=1)
def _core_engine() -> Engine:
    from ringfence.engine.core import CoreEngine

    return CoreEngine()


_ENGINES: Mapping[Lane, Callable[[], Engine]] = {"component": _component_engine, "core": _core_engine}


class Running:
    """The nodes of a graph and the application's calls. Safe to use from many threads.

    A node is loaded and linked, and all that it can reach, when one of its functions is first looked for: before any deadline runs.
    """

    def __init__(
        self, composed: Composed, substitutes: Mapping[str, object], denials: tuple[deque[Denial], deque[Denial]], *, arrays: bool
    ) -> None:
        """`substitutes` are doubles in the places of nodes; `denials` takes those that no error tells of, and all; `arrays`: see `Graph`.

        Raises:
            IntegrityError: the lock contradicts itself.
            SubstituteError: doubles don't fit the nodes they stand for.
        """
        self._file, (self._denials, self._all_denials) = composed.file, denials
        lock = composed.file.lock
        self.name = lock.graph
        standing = _stand_ins(composed, substitutes) if substitutes else {}
        with sound(composed.file):
            self.nodes, callees = _make_nodes(composed, standing, arrays=arrays)
            entries = {one.node: (callees[one.node], _inbound("application", callees[one.node], one)) for one in lock.expose}
        joined = [(edge.provider, edge.inbound) for node in self.nodes.values() for edge in node.outbound]
        self._limits: dict[str, set[Limits]] = {}
        for callee, inbound in (*entries.values(), *joined):
            self._limits.setdefault(callee.home.name, set()).add(inbound.limits)
        for callee, inbound in entries.values():
            callee.application = partial(self._method, callee, inbound)
        self.directory = Directory(entries, self.link, [node.name for node in lock.nodes])
        self._linking = threading.Lock()
        self._roots: set[Root] = set()
        self._guard = threading.Lock()
        self._closed = False
        self._threads: ThreadPoolExecutor | None = None

    def link(self, node: Callee) -> None:
        """Load and link a node and all that it can reach, unless it was done.

        Raises:
            IntegrityError: a node has imports that nothing satisfies, or an edge joins what the components do not have.
        """
        file, again = self._file.path, remedy(self._file.path, self._file.lock.manifest)
        with self._linking:
            for one in _reachable(node):
                try:
                    linked = one.linked
                    for limits in self._limits.get(one.name, ()):
                        linked.prepare(limits)
                except IntegrityError as error:
                    raise IntegrityError(f"{file}: {error.message}", hint=error.hint or again) from error
                except LookupError as error:
                    raise IntegrityError(f"{file}: {one.name}: {error}", hint=again) from error

    def in_order(self) -> list[Node]:
        """All nodes, each after those that its edges lead to."""
        return list({one.name: one for node in self.nodes.values() for one in _reachable(node)}.values())

    def link_all(self) -> list[Path | None]:
        """Load and link all nodes; the files in which their native code is kept.

        Raises:
            IntegrityError: as `link` does.
        """
        for node in self.nodes.values():
            self.link(node)
        return [file for node in self.nodes.values() for file in node.loaded.kept]

    def view(self, node: str) -> View:
        """See `Graph.__getitem__`."""
        return View(self.directory, lambda target, *arguments: self._call(Root(), target, arguments), node)

    def call(self, name: str, arguments: tuple[Any, ...], root: Root | None = None) -> Any:
        """See `Graph.call`; `root` is what the call is recorded in, and ended by."""
        target = self.directory.find(name)
        return self._call(Root() if root is None else root, target, arguments)

    async def acall(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """See `Graph.acall`."""
        root, errand = Root(), Errand()
        with self._guard:
            self._ensure_open()
            future = errand.start(self._pool(), partial(self._find_and_call, root, name, arguments))
        return await errand.end(future, name)

    def _find_and_call(self, root: Root, name: str, arguments: tuple[Any, ...]) -> Any:
        began = time.monotonic()
        target = self.directory.find(name)
        root.started += time.monotonic() - began  # to link a node is none of a call's time
        return self._call(root, target, arguments)

    def _pool(self) -> ThreadPoolExecutor:
        self._threads = self._threads or threads(f"ringfence-{self.name}")
        return self._threads

    def _call(self, root: Root, target: Target, arguments: tuple[Any, ...]) -> Any:
        deferred, errand = defer(root), ERRAND.get()
        try:
            self._roots.add(root)
            if errand is not None:
                errand.enter(root)
            self._ensure_open()  # now: either it is seen here that the graph was closed, or there that this call runs
            result = target.node.invoke(root, target.inbound, target.function, arguments)
        except WitError as error:
            failure = GuestError(target.name, error.value)
            if met := self._met(root):
                raise CapabilityDenied(met) from failure
            raise failure from None
        except GuestTrap as trap:
            if met := self._met(root):
                raise CapabilityDenied(met) from trap
            raise
        except Refused as refused:
            raise CapabilityDenied(self._met(root) or [refused.denial]) from refused
        except BaseException:
            self._denials.extend(root.denials)  # this error tells of none: a guest must not hide them behind its deadline
            raise
        finally:
            self._roots.discard(root)
            if errand is not None:
                errand.leave(root)
            if root.denials:
                self._all_denials.extend(root.denials)
            if deferred:
                undefer()
        if root.denials:
            self._denials.extend(root.denials)
        if root.reason is not None and not isinstance(root.reason, Interrupted):
            raise root.reason  # Ctrl-C came too late to end the call, and must not be lost
        return result

    def _met(self, root: Root) -> list[Denial]:
        """The denials that the error of a failed call tells of; those expected, of which it tells nothing, are kept with the others."""
        self._denials.extend(one for one in root.denials if one.expected)
        return [one for one in root.denials if not one.expected]

    def _method(self, node: Callee, inbound: Inbound, function: FunctionName, *arguments: Any) -> Any:
        """A call of a resource's method by the application."""
        return self._call(Root(), Target(node=node, inbound=inbound, function=function), arguments)

    def _ensure_open(self) -> None:
        if self._closed:
            raise Interrupted(f"the graph {self.name} is closed")

    def close(self) -> None:
        """End all calls and instances. Twice is harmless."""
        self._closed = True
        for root in list(self._roots):
            root.interrupt(Interrupted(f"the graph {self.name} was closed"))
        for node in self.nodes.values():
            node.close()
        if self._threads:
            self._threads.shutdown(wait=False)


def _stand_ins(composed: Composed, substitutes: Mapping[str, object]) -> dict[str, Callee]:
    """The doubles in their nodes' places."""
    from ringfence.substitutes.casting import stand_ins  # -- for tests only

    return {**stand_ins(composed, substitutes, _ENGINES)}


def _make_nodes(composed: Composed, standing: Mapping[str, Callee], *, arrays: bool) -> tuple[dict[str, Node], dict[str, Callee]]:
    """What runs, nodes and groups, by name; and what edges lead to, by node: those, members of groups, and the doubles `standing` in.

    They have their edges to each other; nothing is loaded yet.
    """
    units: dict[str, Node] = {}
    callees: dict[str, Callee] = {**standing}
    groups = {one.name: one for one in composed.runs.groups}
    for name, one in composed.runs.units.items():
        if one.lane not in _ENGINES:
            hint = "update ringfence, or compose again"
            raise IntegrityError(f"{composed.file.path}: nodes.{one.name}: this version has no {one.lane} engine", hint=hint)
        engine, artifacts = _ENGINES[one.lane], composed.artifacts[name]
        if name in groups:
            units[name], members = _make_group(groups[name], composed, engine, artifacts, arrays=arrays)
            callees |= members
        else:
            units[name] = callees[name] = Node(_share(composed, one), engine=engine, artifacts=artifacts, arrays=arrays)
    for edge in composed.runs.edges:
        if edge.provider != HOST and not edge.fused:
            consumer, provider = callees.get(edge.consumer), callees.get(edge.provider)
            home = None if consumer is None else consumer.home
            if not isinstance(home, Node) or provider is None:
                raise IntegrityError(f"{composed.file.path}: an edge from {edge.consumer} to {edge.provider}: there is no such node")
            inbound = _inbound(edge.consumer, provider, edge)
            home.outbound.append(Outbound(provider=provider, inbound=inbound, interfaces=edge.interfaces, consumer=edge.consumer))
    return units, callees


def _share(composed: Composed, node: LockedNode) -> Share:
    return Share(node, composed.authorities[node.name], composed.places[node.name], composed.folders[node.name])


def _make_group(
    group: LockedGroup, composed: Composed, engine: Callable[[], Engine], artifacts: Artifacts, *, arrays: bool
) -> tuple[Node, Mapping[str, Callee]]:
    """A group of fused nodes, and its members."""
    from ringfence.group import Group  # -- for graphs that fuse

    shares = {node.name: _share(composed, node) for node in composed.runs.nodes if node.name in group.nodes}
    edges = [edge for edge in composed.runs.edges if edge.fused and edge.consumer in group.nodes]
    made = Group(group, shares, edges, engine=engine, artifacts=artifacts, arrays=arrays)
    return made, made.members


def _inbound(consumer: str, provider: Callee, edge: LockedEdge | LockedExpose) -> Inbound:
    calls, limits = None if edge.calls is None else frozenset(edge.calls), provider.narrowed(edge.limits)
    counted = turns(provider.name, provider.turns, provider.limits.concurrent, limits.concurrent)
    return Inbound(name=edge_name(consumer, provider.name), limits=limits, node=provider.name, calls=calls, turns=counted)


def _reachable(node: Callee) -> list[Node]:
    """A node and those that its edges lead to, providers first; doubles, which are not linked, are left out."""
    found: dict[str, Node] = {}
    seen: set[str] = set()

    def visit(callee: Callee) -> None:
        one = callee.home
        if isinstance(one, Node) and one.name not in seen:
            seen.add(one.name)
            for edge in one.outbound:
                visit(edge.provider)
            found[one.name] = one

    visit(node)
    return list(found.values())
