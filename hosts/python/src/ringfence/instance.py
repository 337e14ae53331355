"""A node's life: loaded and linked once, then called, by the application or through edges."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from ringfence import wasi
from ringfence.call import Call, Root
from ringfence.contract.authority import Authority
from ringfence.contract.errors import GuestTrap, IntegrityError, LimitExceeded, ShapeError
from ringfence.contract.limits import Limits, show_limit, show_size
from ringfence.contract.lock import LockedNode
from ringfence.contract.names import snake
from ringfence.contract.types import FunctionType, InterfaceType, ResourceName, ResultOf
from ringfence.contract.values import WitError
from ringfence.engine.seam import Artifacts, Edge, Engine, FunctionName, HostFunction, Linked, Loaded, Parts
from ringfence.folders import Folders, named
from ringfence.gate import refuse_call, refuse_handing_on, refuse_resource
from ringfence.last_words import out_of_memory, plain, source_of
from ringfence.leases import Lease, Leases
from ringfence.resources import Home, Leaf, Mapper, Resource, arguments_mapper, mapper, resource_of
from ringfence.turns import Turns, node_turns
from ringfence.wasi.state import WasiState

_Mappers = tuple[Mapper | None, Mapper | None, Mapper | None]
"""What reaches the resources in a function's arguments, in its (ok) result, and in its err case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """An edge into a node: its name in messages, the functions it allows (None: all), and the limits that hold through it.

    `limits` are those of the node already where they are smaller; `turns` counts the calls that are under way, where anybody does. `node`
    is the node that it leads to, for a group to know by which of its nodes a call comes in.
    """

    name: str
    limits: Limits
    node: str = ""
    calls: frozenset[str] | None = None
    turns: Turns | None = None

    def allows(self, function: str) -> bool:
        """Whether the edge's `calls` name this function, by its WIT name or its short one."""
        return self.calls is None or function in self.calls or short_name(function) in self.calls


def short_name(function: str) -> str:
    """`[method]cursor.next` as people write it: `cursor.next`."""
    return function.rpartition("]")[2]


class Callee(Protocol):
    """What the application and edges call: a node, or the test double in its place."""

    name: str
    limits: Limits
    application: Callable[..., Any] | None
    turns: Turns | None = None

    @property
    def home(self) -> Callee:
        """Where its instances are: itself, or the group that it is a part of."""
        return self

    @property
    def exports(self) -> Mapping[str, InterfaceType]:
        """The types of what it exports, by interface."""

    def behind(self, _name: FunctionName) -> tuple[Loaded, FunctionName] | None:
        """The component in which an exported function is, and its name there; None where no engine has it."""
        return None

    def function(self, name: FunctionName) -> FunctionType:
        """The type of an exported function."""
        return self.exports[name[0]].functions[name[1]]

    def methods(self, resource: ResourceName) -> Mapping[str, FunctionName]:
        """The methods of an exported resource, by their Python names."""
        exported = self.exports.get(resource.interface)
        prefix = f"[method]{resource.name}."
        names = exported.functions if exported else ()
        return {snake(name.removeprefix(prefix)): (resource.interface, name) for name in names if name.startswith(prefix)}

    def narrowed(self, written: Mapping[str, str]) -> Limits:
        """Its limits, each that of an edge, as written there, where that is smaller."""
        return self.limits.smaller(self.limits.narrowed(written))

    def invoke(self, caller: Call | Root, inbound: Inbound, name: FunctionName, arguments: Sequence[Any] | Parts) -> Any: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """An edge to another node: `interfaces` maps the consumer's imports to the provider's exports."""

    provider: Callee
    inbound: Inbound
    interfaces: Mapping[str, str]
    consumer: str = ""

    def functions(self, imports: Mapping[str, InterfaceType]) -> dict[FunctionName, HostFunction]:
        """The provider's functions behind these imports of the consumer.

        Raises:
            IntegrityError: the components lack what the edge joins.
        """
        found: dict[FunctionName, HostFunction] = {}
        for wanted, given in self.interfaces.items():
            exported, imported = self.provider.exports.get(given), imports.get(wanted)
            if exported is None or imported is None:
                raise IntegrityError(f"{self.inbound.name}: the components have no {wanted} to join with {given}")
            for function in imported.functions:
                if function not in exported.functions:
                    raise IntegrityError(f"{self.inbound.name}: {given} has no function {function}")
                found[wanted, function] = edge_function(self.provider, self.inbound, (given, function))
        return found


class Share(NamedTuple):
    """What a node has of the world: itself, what it may do, where graph.yaml says so, and what its grants name, opened."""

    locked: LockedNode
    authority: Authority
    where: str
    folders: Folders

    def state(self, edge: str) -> WasiState:
        """What an instance that serves this edge has of the world, and no more: what is opened, too, is that of the edge's policy."""
        policy = self.authority.by(edge)
        folders = {grant: self.folders[grant] for grant in named(policy)}
        return WasiState(policy=policy, expected=self.authority.expected, node=self.locked.name, where=self.where, folders=folders)


class Node(Callee):
    """One node of a running graph.

    `outbound` are its edges to other nodes; `application(function, *arguments)` runs a call for the application where the node is exposed.
    """

    def __init__(self, share: Share, *, engine: Callable[[], Engine], artifacts: Artifacts, arrays: bool) -> None:
        locked = share.locked
        self.name, self.locked, self.limits = locked.name, locked, Limits().narrowed(locked.limits)
        self.outbound: list[Outbound] = []
        self.application: Callable[..., Any] | None = None
        self.turns = node_turns(locked.name, self.limits.concurrent)
        self._engine, self._artifacts, self._arrays, self._share = engine, artifacts, arrays, share
        self._mappers: dict[FunctionName, _Mappers] = {}
        self._leases = Leases(
            locked.name,
            locked.instances,
            new_state=self._state,
            opener=lambda call: self.linked.instantiate(call.limits, call),
            new_call=lambda: self._call(Root(), Inbound(name=f"{locked.name}, dropping", limits=self.limits)),
        )

    def _state(self, edge: str) -> WasiState:
        """See `Share.state`."""
        return self._share.state(edge)

    @cached_property
    def loaded(self) -> Loaded:
        """The component and its types: compiled, or taken from the cache."""
        return self._engine().load(self._artifacts)

    @property
    def exports(self) -> Mapping[str, InterfaceType]:
        """The types of what the component exports, by interface."""
        return self.loaded.exports

    def behind(self, name: FunctionName) -> tuple[Loaded, FunctionName]:
        """See `Callee`."""
        return self.loaded, name

    @cached_property
    def linked(self) -> Linked:
        """The component with all its imports: what this host serves, and the edges to other nodes.

        Raises:
            LookupError: there are imports that nothing satisfies.
            IntegrityError: the components lack what an edge joins, or are none that the engine can run.
        """
        imports = self.loaded.imports
        functions = of_host(imports)
        for edge in self.outbound:
            functions |= edge.functions(imports)
        return self._engine().link(self.loaded, functions, arrays=self._arrays)

    def invoke(self, caller: Call | Root, inbound: Inbound, name: FunctionName, arguments: Sequence[Any] | Parts) -> Any:
        """Call an exported function in an instance that fits: the one its resource arguments live in, else as the node's mode says.

        Raises:
            WitError: the err case. Any other exception: the call failed and its instance is gone.
        """
        if inbound.turns is not None:
            with inbound.turns:
                return self._invoke(caller, inbound, name, arguments)
        return self._invoke(caller, inbound, name, arguments)

    def _invoke(self, caller: Call | Root, inbound: Inbound, name: FunctionName, arguments: Sequence[Any] | Parts) -> Any:
        call, leases = self._call(caller, inbound), self._leases
        mappers = self._mappers.get(name) or self._mappers_of(name)
        owner = None if mappers[0] is None else self._owner_of(arguments, mappers[0])
        try:
            lease = leases.take("" if self.locked.shared else inbound.name, call) if owner is None else leases.hold(owner, call)
            try:
                if owner is not None and not self._fits(owner, inbound):
                    raise refuse_resource(call, owner.key)
                return self._enter(call, lease, name, arguments, mappers)
            finally:
                leases.give_back(lease)
        except LimitExceeded as error:
            if error.node:
                raise
            raise self._named(error, call.limits) from error

    def _fits(self, lease: Lease, inbound: Inbound) -> bool:
        """Whether an instance acts with what calls through this edge may, and under its limits."""
        return lease.state.policy == self._share.authority.by(inbound.name) and lease.limits.binds_like(inbound.limits)

    def _call(self, caller: Call | Root, inbound: Inbound) -> Call:
        root, deadline, owner = self._until(caller, inbound, self.name)
        return Call(root=root, node=self.name, edge=inbound.name, limits=inbound.limits, deadline=deadline, deadline_owner=owner)

    def _until(self, caller: Call | Root, inbound: Inbound, owner: str) -> tuple[Root, float, tuple[str, float]]:
        """The application's call, and when this part of it must have ended, by whose limit: `owner`'s, or the caller's where it is less."""
        limit = inbound.limits.deadline
        if not isinstance(caller, Call):
            return caller, caller.started + limit, (owner, limit)
        deadline = time.monotonic() + limit
        if caller.deadline < deadline:
            return caller.root, caller.deadline, caller.deadline_owner
        return caller.root, deadline, (owner, limit)

    def _enter(self, call: Call, lease: Lease, name: FunctionName, arguments: Sequence[Any] | Parts, mappers: _Mappers) -> Any:
        takes, gives, fails = mappers
        if takes:
            arguments = takes(arguments, lambda value, kind: self._inward(value, kind, lease))
        lease.state.last_words = b""
        try:
            result = lease.instance.call(name, arguments, call)
        except WitError as error:
            if fails:
                raise WitError(fails(error.value, self._wrapper(call, lease))) from None
            raise
        except GuestTrap as trap:
            if trap.node:
                raise
            raise self._explained(trap, lease.state, call.limits) from trap.__cause__
        return gives(result, self._wrapper(call, lease)) if gives else result

    def _wrapper(self, call: Call, lease: Lease) -> Leaf:
        """Makes the `Resource` for an engine's handle; another node's is one already, and what the host made for the node stays there."""

        def wrapped(value: Any, kind: ResourceName) -> Any:
            if isinstance(value, Resource):
                return value
            name, owner = self._named_and_owned(kind)
            if not kind.guest and wasi.concerns(name.interface):
                value.close()
                raise refuse_handing_on(call, f"{name.name} of {name.interface}")
            return Resource(value, name, owner, lease)

        return wrapped

    def _named_and_owned(self, kind: ResourceName) -> tuple[ResourceName, Home]:
        """A resource's name outside this component, and the node whose it is."""
        return kind, self

    def _mappers_of(self, name: FunctionName) -> _Mappers:
        function = self.function(name)
        result = function.result
        sides = (mapper(result.ok), mapper(result.err)) if isinstance(result, ResultOf) else (mapper(result), None)
        found = self._mappers[name] = (arguments_mapper(function), *sides)
        return found

    def _inward(self, value: Any, kind: ResourceName, lease: Lease) -> Any:
        """What the engine gets for a resource: its own handle, or another node's resource as a host object. Nothing else crosses."""
        value = resource_of(value)
        if not isinstance(value, Resource):
            raise ShapeError(f"expected a {kind.name}, found {type(value).__name__}")
        handle = value.unwrapped(kind)
        if value.lease is lease:
            return handle
        if value.node.home is self:
            raise ShapeError(f"{value!r} lives in another instance of {self.name} than the others given in this call")
        return value

    def _owner_of(self, arguments: Sequence[Any] | Parts, takes: Mapper) -> Lease | None:
        """The lease of the first resource among the arguments that lives in this node."""
        found: list[Lease] = []

        def note(value: Any, _: ResourceName) -> Any:
            resource = resource_of(value)
            if isinstance(resource, Resource) and resource.node.home is self:
                found.append(resource.lease)
            return value

        takes(arguments, note)
        return found[0] if found else None

    def drop(self, resource: Resource) -> None:
        """Drop a resource that lives in this node."""
        self._leases.drop(resource.lease, resource.handle)

    def _explained(self, trap: GuestTrap, state: WasiState, limits: Limits) -> GuestTrap | LimitExceeded:
        """The trap with what the guest said last, and where; a LimitExceeded where it said that its memory was at an end."""
        trap.node, trap.message = self.name, f"{self.name}: {trap.message}"
        trap.last_words = plain(state.last_words)
        trap.source = source_of(trap.last_words)
        return LimitExceeded(self.name, "memory", show_size(limits.memory)) if out_of_memory(trap.last_words) else trap

    def _named(self, error: LimitExceeded, limits: Limits) -> LimitExceeded:
        """An engine's limit error, which knows no node, with the node's name and the limit as written."""
        value = getattr(limits, error.limit)
        return type(error)(self.name, error.limit, show_limit(error.limit, value))

    def close(self) -> None:
        """End all instances."""
        self._leases.close()


def of_host(imports: Mapping[str, InterfaceType]) -> dict[FunctionName, HostFunction]:
    """The functions that this host serves of these imports of a node."""
    served = wasi.imports({name: kind for name, kind in imports.items() if wasi.concerns(name)})
    if asking := {name: kind for name, kind in imports.items() if name.startswith("ringfence:objects/")}:
        from ringfence.objects import serving  # -- for wrapped libraries only

        served |= serving.imports(asking)
    return {**served}


def edge_function(provider: Callee, inbound: Inbound, name: FunctionName) -> HostFunction:
    """The host function that carries a consumer's call into its provider; where the edge's `calls` leave it out, a denial."""
    allowed = inbound.allows(name[1])

    def carry(call: Call, *arguments: Any) -> Any:
        if not allowed:
            raise refuse_call(call, provider.name, short_name(name[1]))
        carried: Sequence[Any] | Parts = arguments[0] if arguments and type(arguments[0]) is Parts else arguments
        return provider.invoke(call, inbound, name, carried)

    behind = provider.behind(name)
    return carry if behind is None else Edge(carry, *behind)
