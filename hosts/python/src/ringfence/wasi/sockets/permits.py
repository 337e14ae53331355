"""Who may be reached, and where a socket may be bound: what tcp and udp ask the gate, in the same words."""

from __future__ import annotations

from ringfence.call import Call
from ringfence.contract.grants import hosts
from ringfence.contract.grants.endpoints import Reach
from ringfence.contract.grants.listen import Bind
from ringfence.contract.grants.tcp import Connect
from ringfence.contract.grants.udp import Exchange
from ringfence.contract.values import WitError
from ringfence.gate import Permit, Refused, permit, welcome
from ringfence.wasi.sockets.addresses import Family, SocketAddress
from ringfence.wasi.state import NAME_LIFETIME, Names, WasiState


def ensure_local(address: SocketAddress, family: Family) -> None:
    """Raise `invalid-argument` where no socket of the family could be bound there, whatever is granted."""
    if address.family != family or not hosts.is_unicast(address.address) or address.is_mapped or not address.is_native:
        raise WitError("invalid-argument")


def ensure_remote(address: SocketAddress, family: Family) -> None:
    """Raise `invalid-argument` where no socket of the family could reach anybody there, whatever is granted."""
    nowhere = address.port == 0 or address.address.is_unspecified or address.is_mapped
    if address.family != family or nowhere or not address.is_native:
        raise WitError("invalid-argument")


def ensure_permits(permit: Permit | None, address: SocketAddress) -> None:
    """Raise TypeError unless the permit is for this address, or none is needed: a mistake here must not become a guest's."""
    request = permit.request if permit is not None else None
    if request is None:
        good = address.is_open
    else:
        good = isinstance(request, Bind | Reach) and (request.address, request.port) == (address.address, address.port)
    if not good:
        raise TypeError("a permit for something else")


def to_connect(call: Call, address: SocketAddress) -> Permit:
    """The permit to connect: by a grant of the address, or of a name that lately led there. Err: `access-denied`."""
    return _to_reach(call, Connect(address.address, address.port), *_named(call.state.names, address, Connect))


def to_exchange(call: Call, address: SocketAddress) -> Permit:
    """The permit to send datagrams there and to receive them: by a grant like those of `to_connect`. Err: `access-denied`."""
    return _to_reach(call, Exchange(address.address, address.port), *_named(call.state.names, address, Exchange))


def is_welcome(state: WasiState, sender: SocketAddress) -> bool:
    """Whether a datagram from there may reach the guest."""
    return welcome(state, Exchange(sender.address, sender.port), *_named(state.names, sender, Exchange))


def to_bind(call: Call, address: SocketAddress, operation: str = "bind to") -> Permit:
    """The permit to bind a socket there, to listen or to accept. Err: `access-denied`."""
    try:
        return permit(call, Bind(address.address, address.port, operation))
    except Refused as refused:
        raise WitError("access-denied") from refused


def _named(names: Names, address: SocketAddress, kind: type[Reach]) -> list[Reach]:
    return [kind(address.address, address.port, name) for name in names.of(address.address)]


def _to_reach(call: Call, plain: Reach, *named: Reach) -> Permit:
    first, *others = [*named, plain]
    try:
        return permit(call, first, *others, reason=_reason(call.state.names, plain.address))
    except Refused as refused:
        raise WitError("access-denied") from refused


def _reason(known: Names, address: hosts.Address) -> str:
    if names := known.of(address):
        if not hosts.is_public(address):
            return f"{address} is {hosts.nature(address)}; the name {names[0]} alone does not grant it"
    elif names := known.of(address, stale=True):
        return f"no grant covers it; the look-up of {names[0]} is more than {NAME_LIFETIME:g}s old"
    return "no grant covers it"
