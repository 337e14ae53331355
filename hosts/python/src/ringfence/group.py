"""Fused nodes at run time: one instance of one component, in which each node still meets the host in its own name.

What a node asks of the host comes as an import under that node's name, which the lock maps to it: it is served with the node's own policy,
folders and records. The group itself has no authority, so that what reached it by a wrong way would be denied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ringfence.call import Call, Root
from ringfence.contract.authority import Authority
from ringfence.contract.errors import GuestTrap, IntegrityError, LimitExceeded
from ringfence.contract.grants import Policy
from ringfence.contract.limits import Limits, of_group, parse_limit
from ringfence.contract.lock import EDGE, LockedEdge, LockedGroup, LockedNode, edge_name
from ringfence.contract.types import InterfaceType, ResourceName
from ringfence.engine.seam import Artifacts, Edge, Engine, FunctionName, HostFunction, Linked, Loaded, Parts
from ringfence.instance import Callee, Inbound, Node, Share, of_host
from ringfence.leases import Lease
from ringfence.renaming import interface, renaming
from ringfence.resources import Resource
from ringfence.turns import Turns, node_turns
from ringfence.wasi.state import WasiState


class GroupState(WasiState):
    """What one instance of a group has of the world: what each of its nodes has, and nothing of its own."""

    def __init__(self, name: str, shares: Mapping[str, WasiState]) -> None:
        super().__init__(policy=Policy(), node=name)
        self.shares = shares

    def close(self) -> None:
        """Close everything that any node has open. Twice is harmless."""
        for share in self.shares.values():
            share.close()
        super().close()


@dataclass(slots=True, kw_only=True)
class ShareCall(Call):
    """One node's part of a call of its group: what it does is recorded as its own, what it prints counts for the whole."""

    whole: Call

    def spend(self, count: int) -> None:
        """Count bytes of output."""
        self.whole.spend(count)


@dataclass(slots=True, kw_only=True)
class GroupCall(Call):
    """A call of a group that came in by one of its nodes. `edges` names, for each node, the edge by which it is called then."""

    group: Group
    edges: Mapping[str, str]
    shares: dict[str, ShareCall] = field(default_factory=dict, init=False)

    def of(self, node: str) -> ShareCall:
        """The part of this call that a node plays."""
        found = self.shares.get(node)
        if found is None:
            found = self.shares[node] = self._share(node)
        return found

    def _share(self, node: str) -> ShareCall:
        assert isinstance(self.state, GroupState)  # noqa: S101 (its group made it)
        limits = self.limits if node == self.node else self.group.members[node].own
        share = ShareCall(
            root=self.root,
            node=node,
            edge=self.edges.get(node, self.edge),
            limits=limits,
            deadline=self.deadline,
            deadline_owner=self.deadline_owner,
            whole=self,
        )
        share.state = self.state.shares[node]
        share.state.handles = limits.handles
        return share


class Member(Callee):
    """A node of a group, as those outside see it: its own names, exports and resources. What runs is the group.

    `limits` are those of calls that come in by it, `own` what is written for it alone.
    """

    def __init__(self, group: Group, share: Share, reached: Sequence[LockedNode], others: Sequence[LockedNode]) -> None:
        """`reached` are the nodes that it can call in its group, `others` the rest of that."""
        locked = share.locked
        self.name, self.locked, self.share, self._group = locked.name, locked, share, group
        self.own = Limits().narrowed(locked.limits)
        self.limits = of_group(locked.limits, [one.limits for one in reached], [one.limits for one in others])
        self.application: Callable[..., Any] | None = None
        self.mine = node_turns(self.name, self.own.concurrent)
        self.slowest = self._holder(reached)
        self.reached = tuple(one.name for one in reached)

    def _holder(self, reached: Sequence[LockedNode]) -> str:
        """The node whose deadline holds for calls that come in here."""
        written = {one.name: one.limits["deadline"] for one in reached if "deadline" in one.limits}
        holders = (name for name, text in written.items() if parse_limit("deadline", text) == self.limits.deadline)
        return self.name if self.own.deadline == self.limits.deadline else next(holders)

    @property
    def home(self) -> Group:
        """See `Callee`."""
        return self._group

    @cached_property
    def _outer(self) -> Mapping[str, str]:
        return {inner: outer for outer, (node, inner) in self._group.locked_group.exports.items() if node == self.name}

    @cached_property
    def exports(self) -> Mapping[str, InterfaceType]:
        """The types of what the node exports, by its own names.

        Raises:
            IntegrityError: the component does not export what the lock says.
        """
        found, rename = self._group.exports, self._group.rename
        if missing := sorted(outer for outer in self._outer.values() if outer not in found):
            raise IntegrityError(f"{self._group.name}: the component does not export {', '.join(missing)}")
        return {inner: interface(found[outer], rename) for inner, outer in self._outer.items()}

    def behind(self, name: FunctionName) -> tuple[Loaded, FunctionName]:
        """See `Callee`."""
        return self._group.loaded, self._named(name)

    def invoke(self, caller: Call | Root, inbound: Inbound, name: FunctionName, arguments: Sequence[Any] | Parts) -> Any:
        """Call an exported function in an instance of the group. Raises as `Node.invoke` does."""
        return self._group.invoke(caller, inbound, self._named(name), arguments)

    def drop(self, resource: Resource) -> None:
        """Drop a resource that lives here."""
        self._group.drop(resource)

    def close(self) -> None:
        """Nothing: the group ends its instances."""

    def _named(self, name: FunctionName) -> FunctionName:
        return self._outer[name[0]], name[1]


class Group(Node):
    """Nodes that are one component: it ends as a whole, whichever of them fails."""

    def __init__(
        self,
        locked: LockedGroup,
        shares: Mapping[str, Share],
        edges: Sequence[LockedEdge],
        *,
        engine: Callable[[], Engine],
        artifacts: Artifacts,
        arrays: bool,
    ) -> None:
        """`edges` are those inside the group.

        Raises:
            ValueError: nodes or edges of it ask for what no group has.
        """
        first = shares[locked.nodes[0]].locked
        _agree(locked, shares, edges)
        whole = LockedNode(name=locked.name, world="", lane=first.lane, reason=first.reason, instances=first.instances, shared=first.shared)
        super().__init__(Share(whole, Authority(), "", {}), engine=engine, artifacts=artifacts, arrays=arrays)
        self.locked_group, self._edges = locked, edges
        self.rename = renaming({**locked.imports, **locked.exports})
        within = {name: _reached(name, edges) for name in locked.nodes}
        self.members = {
            name: Member(
                self,
                shares[name],
                [shares[one].locked for one in within[name]],
                [shares[one].locked for one in locked.nodes if one != name and one not in within[name]],
            )
            for name in locked.nodes
        }
        for member in self.members.values():
            member.turns = _together([member.mine, *(self.members[one].mine for one in member.reached)])
        self.limits = of_group({}, [], [one.locked.limits for one in shares.values()])
        self._called_by = {entry: self._inner_edges(entry) for entry in ("", *locked.nodes)}

    # Its instances

    def _state(self, edge: str) -> GroupState:
        return GroupState(self.name, {name: member.share.state(edge) for name, member in self.members.items()})

    def _fits(self, lease: Lease, inbound: Inbound) -> bool:
        assert isinstance(lease.state, GroupState)  # noqa: S101 (made by _state)
        states = lease.state.shares
        same = all(states[name].policy == member.share.authority.by(inbound.name) for name, member in self.members.items())
        # Handles are each node's own: the edge that the instance was made for says how many one of them may have, the node called by it.
        made_for = lease.key.rpartition(EDGE)[2]
        handles = (lease.limits if made_for == inbound.node else self.members[inbound.node].own).handles
        return same and replace(lease.limits, handles=handles).binds_like(inbound.limits)

    def _call(self, caller: Call | Root, inbound: Inbound) -> GroupCall:
        entry = self.members.get(inbound.node)
        holder = self.name if entry is None else entry.slowest if inbound.limits.deadline == entry.limits.deadline else entry.name
        root, deadline, owner = self._until(caller, inbound, holder)
        return GroupCall(
            root=root,
            node=inbound.node or self.name,
            edge=inbound.name,
            limits=inbound.limits,
            deadline=deadline,
            deadline_owner=owner,
            group=self,
            edges=self._called_by[inbound.node],
        )

    def _inner_edges(self, entry: str) -> Mapping[str, str]:
        """By which edges each node is called when a call comes in by `entry`; where there are several, nobody can tell them apart."""
        start = self.members.get(entry)
        callers = self.members.keys() if start is None else {entry, *start.reached}
        found: dict[str, str] = {}
        for edge in self._edges:
            if edge.consumer in callers and edge.provider != entry:
                name = edge_name(edge.consumer, edge.provider)
                found[edge.provider] = f"{found[edge.provider]} or {name}" if edge.provider in found else name
        return found

    # Its imports

    @cached_property
    def linked(self) -> Linked:
        """The component with all its imports, each served to the node whose it is. Raises like `Node.linked`."""
        functions: dict[FunctionName, HostFunction] = {}
        for part, node in enumerate(self.locked_group.nodes):
            functions |= self._imports_of(part, node)
        return self._engine().link(self.loaded, functions, arrays=self._arrays)

    def _imports_of(self, part: int, node: str) -> dict[FunctionName, HostFunction]:
        names = {inner: outer for outer, (owner, inner) in self.locked_group.imports.items() if owner == node}
        imports = {inner: self.loaded.imports[outer] for inner, outer in names.items() if outer in self.loaded.imports}
        served = of_host(imports)
        for edge in self.outbound:
            if edge.consumer == node:
                served |= edge.functions(imports)
        return {(names[name], function): _in_its_name(part, node, serve) for (name, function), serve in served.items()}

    # Resources, by the names that its nodes have for them

    def _named_and_owned(self, kind: ResourceName) -> tuple[ResourceName, Member]:
        found = self.locked_group.exports.get(kind.interface)
        return self.rename(kind), self.members[found[0] if found else self.locked_group.nodes[-1]]

    def _inward(self, value: Any, kind: ResourceName, lease: Lease) -> Any:
        return super()._inward(value, self.rename(kind), lease)

    # Its end

    def _explained(self, trap: GuestTrap, state: WasiState, limits: Limits) -> GuestTrap | LimitExceeded:
        """The trap in the name of the node in whose code it happened, where that is known."""
        assert isinstance(state, GroupState)  # noqa: S101 (made by _state)
        nodes = self.locked_group.nodes
        culprit = nodes[trap.part] if trap.part is not None and trap.part < len(nodes) else ""
        spoke = state.shares[culprit] if culprit else next((one for one in state.shares.values() if one.last_words), state)
        cause, explained = trap.message, super()._explained(trap, spoke, limits)
        if isinstance(explained, GuestTrap):
            explained.node = culprit or self.name
            explained.message = f"{explained.node}: {cause}; with it all of {self.name} has ended, which is one component"
        return explained

    def _enter(self, call: Call, lease: Lease, name: FunctionName, arguments: Any, mappers: Any) -> Any:
        assert isinstance(lease.state, GroupState)  # noqa: S101 (made by _state)
        for share in lease.state.shares.values():
            share.last_words = b""
        return super()._enter(call, lease, name, arguments, mappers)


def _agree(locked: LockedGroup, shares: Mapping[str, Share], edges: Sequence[LockedEdge]) -> None:
    """Nothing, where one instance in one store can be all that the nodes and edges of a group ask for."""
    nodes = [shares[name].locked for name in locked.nodes]
    if len({(one.lane, one.instances, one.shared) for one in nodes}) > 1:
        raise ValueError(f"the nodes of {locked.name} differ in lane, instances or shared")
    if found := [edge.name for edge in edges if edge.grant or edge.limits]:
        raise ValueError(f"fused edges can have neither grants nor limits: {', '.join(found)}")


def _reached(name: str, edges: Sequence[LockedEdge]) -> list[str]:
    """The nodes that a node can call inside its group, directly or through others."""
    found: list[str] = []
    for one in (queue := [name]):
        for edge in edges:
            if edge.consumer == one and edge.provider not in found:
                found.append(edge.provider)
                queue.append(edge.provider)
    return found


def _together(parts: Sequence[Turns | None]) -> Turns | None:
    """Turns of several nodes, all of which a call needs."""
    found: Turns | None = None
    for one in parts:
        found = found if one is None else one.within(found)
    return found


def _in_its_name(part: int, node: str, function: HostFunction) -> HostFunction:
    """A host function that serves one node of a group: whatever it does is that node's doing."""
    if isinstance(function, Edge):
        return Edge(_in_its_name(part, node, function.carry), function.loaded, function.function)

    def serve(call: GroupCall, *arguments: Any) -> Any:
        try:
            return function(call.of(node), *arguments)
        except GuestTrap as trap:
            if not trap.node and trap.part is None:
                trap.part = part
            raise

    return serve
