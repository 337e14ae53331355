"""wasi:sockets/udp: sockets that exchange datagrams with the hosts that `udp` grants name, and with nobody else.

Source: wasi:sockets@0.2.12 (udp). A socket must be bound before it is used. To the wildcard address and a port of the system's choice it is
bound without a grant of its own, as a client must; to any other place only by a `listen` grant. A node without any `udp` grant could
exchange nothing, so that its sockets take no port of the host's at all.
"""

from __future__ import annotations

import socket
from typing import Literal, TypeAlias

from ringfence.call import Call
from ringfence.contract.values import Case, WitError
from ringfence.gate import Permit
from ringfence.wasi.io import Interest, Pollable
from ringfence.wasi.sockets.addresses import Family, SocketAddress, failure, from_wit, to_wit
from ringfence.wasi.sockets.datagrams import Association, IncomingDatagrams, OutgoingDatagrams, permit_peer
from ringfence.wasi.sockets.disconnect import disconnect
from ringfence.wasi.sockets.network import Network
from ringfence.wasi.sockets.options import UDP_NAMES, Options
from ringfence.wasi.sockets.permits import ensure_local, ensure_permits, to_bind
from ringfence.wasi.sockets.wire import Wire, new_wire
from ringfence.wasi.state import WasiState
from ringfence.wasi.tables import Table, expect, methods

Phase: TypeAlias = Literal["unbound", "binding", "bound"]


class UdpSocket(Options):
    """wasi:sockets/udp.udp-socket."""

    def __init__(self, state: WasiState, family: Family, wire: Wire) -> None:
        super().__init__(state, family, wire)
        self._phase: Phase = "unbound"
        self._association: Association | None = None

    def start_bind(self, call: Call, network: Network, local: Case) -> None:
        expect(network, Network)
        address = from_wit(local)
        if self._phase != "unbound":
            raise WitError("concurrency-conflict" if self._phase == "binding" else "invalid-state")
        ensure_local(address, self.family)
        if not address.is_open:
            self._bind(to_bind(call, address), address)
        elif self.state.policy.of("udp"):
            self._bind(None, address)
        self._phase = "binding"

    def _bind(self, permit: Permit | None, address: SocketAddress) -> None:
        """Bind to what the permit is for, without one to what needs none."""
        ensure_permits(permit, address)
        try:
            self.wire.socket.bind(address.native)
        except OSError as error:
            raise failure(error) from error

    def finish_bind(self, _: Call) -> None:
        if self._phase != "binding":
            raise WitError("not-in-progress")
        self._phase = "bound"

    def stream(self, call: Call, remote: Case | None) -> tuple[IncomingDatagrams, OutgoingDatagrams]:
        self._ensure_bound()
        if remote is None:
            peer = None
            self._leave_peer()
        else:
            peer = from_wit(remote)
            self._join(permit_peer(call, peer, self.family), peer)
        if self._association is not None:
            self._association.ended = True
        self._association = Association(self.state, self.wire, self.family, peer)
        return IncomingDatagrams(self.state, self._association), OutgoingDatagrams(self.state, self._association)

    def _join(self, permit: Permit, peer: SocketAddress) -> None:
        """Have the system keep out all but the peer that the permit is for, and tell what comes back of what goes there."""
        ensure_permits(permit, peer)
        try:
            self.wire.socket.connect(peer.native)
        except OSError as error:
            raise failure(error) from error

    def _leave_peer(self) -> None:
        if self._peer is not None:
            try:
                disconnect(self.wire.socket)
            except OSError as error:
                raise failure(error) from error

    @property
    def _peer(self) -> SocketAddress | None:
        return self._association.peer if self._association is not None else None

    def _ensure_bound(self) -> None:
        if self._phase != "bound":
            raise WitError("invalid-state")

    def local_address(self, _: Call) -> Case:
        self._ensure_bound()
        return to_wit(self.wire.socket.getsockname())

    def remote_address(self, _: Call) -> Case:
        if self._peer is None:
            raise WitError("invalid-state")
        return to_wit(self._peer.native)

    def address_family(self, _: Call) -> Family:
        return self.family

    def subscribe(self, _: Call) -> Pollable:
        return Pollable(self.state, self)

    def ready(self) -> bool:
        """Always: binding, the only thing to wait for, is done at once."""
        return True

    def interest(self) -> Interest:
        return Interest()


def create_udp_socket(call: Call, family: Family) -> UdpSocket:
    """A socket, not bound to anything: what it may do is decided when it tries."""
    return UdpSocket(call.state, family, new_wire(call.state, family, socket.SOCK_DGRAM))


_NAMES = ["start-bind", "finish-bind", "stream", "local-address", "remote-address", "address-family", "subscribe"]

FUNCTIONS: dict[str, Table] = {
    "wasi:sockets/udp": {
        **methods("udp-socket", UdpSocket, [*_NAMES, *UDP_NAMES]),
        **methods("incoming-datagram-stream", IncomingDatagrams, ["receive", "subscribe"]),
        **methods("outgoing-datagram-stream", OutgoingDatagrams, ["check-send", "send", "subscribe"]),
    },
    "wasi:sockets/udp-create-socket": {"create-udp-socket": create_udp_socket},
}
