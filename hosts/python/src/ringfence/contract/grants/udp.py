"""`udp`: the hosts with which datagrams may be exchanged, both ways, written as for `tcp`: `"10.0.0.53:53"`, `"time.example:123"`.

What other hosts send is dropped before the guest sees it. The sender of a datagram is whom the network says it is: unlike that of a
connection, it can be forged. No grant names a multicast or broadcast address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ringfence.contract.grants.endpoints import Endpoint, Reach, RemoteKind


@dataclass(frozen=True, slots=True)
class Udp(Endpoint):
    """Where datagrams may go to and come from."""


@dataclass(frozen=True, slots=True)
class Exchange(Reach):
    """A guest sends to an address, or receives from it."""

    kind: ClassVar[str] = "udp"
    operation: ClassVar[str] = "exchange datagrams with"


class UdpKind(RemoteKind[Udp, Exchange]):
    """Datagrams to and from hosts."""

    name = "udp"
    interfaces = frozenset({"wasi:sockets/udp", "wasi:sockets/udp-create-socket"})
    denied = "sending ends in access-denied, and nothing is received"
    grant = Udp
    verb = "exchange datagrams with"


UDP = UdpKind()
