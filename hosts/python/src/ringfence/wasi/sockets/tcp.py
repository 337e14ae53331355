"""wasi:sockets/tcp: the client's side of tcp-socket.

Source: wasi:sockets@0.2.12 (tcp) and TcpSocketOperationalSemantics.md of wasi-sockets. Whether a connection is allowed is decided on the
address, when it is started. Binding is allowed to the wildcard address and a port of the system's choice only: anything else is of use to
a server, which nothing can grant yet.
"""

from __future__ import annotations

import errno
import selectors
import socket
from ipaddress import ip_network
from typing import Literal, NoReturn, TypeAlias

from ringfence.call import Call
from ringfence.contract.grants import hosts
from ringfence.contract.grants.tcp import Connect, Tcp
from ringfence.contract.values import Case, WitError
from ringfence.gate import Permit, Refused, permit, refuse
from ringfence.wasi.io import Interest, Pollable
from ringfence.wasi.sockets import options
from ringfence.wasi.sockets.addresses import Family, SocketAddress, code_of, failure, from_wit, to_wit
from ringfence.wasi.sockets.network import Network
from ringfence.wasi.sockets.wire import TcpInput, TcpOutput
from ringfence.wasi.state import NAME_LIFETIME, Names, WasiState
from ringfence.wasi.tables import Table, expect, methods

Phase: TypeAlias = Literal["unbound", "binding", "bound", "connecting", "connected", "closed"]


class TcpSocket(options.Options):
    """wasi:sockets/tcp.tcp-socket."""

    def __init__(self, state: WasiState, family: Family) -> None:
        super().__init__(state, family)
        self._phase: Phase = "unbound"
        self._input: TcpInput | None = None
        self._output: TcpOutput | None = None

    def release(self) -> None:
        self.wire.release()

    def ensure_usable(self) -> None:
        if self._phase == "closed":
            raise WitError("invalid-state")

    def start_bind(self, call: Call, network: Network, local: Case) -> None:
        expect(network, Network)
        address = from_wit(local)
        if self._phase != "unbound":
            raise WitError("concurrency-conflict" if self._phase == "binding" else "invalid-state")
        if address.family != self.family or not hosts.is_unicast(address.address) or _is_mapped(address) or not address.is_native:
            raise WitError("invalid-argument")
        if address.port or not address.address.is_unspecified:
            raise _refuse_listening(call, "bind to", address)
        try:
            self.wire.socket.bind(address.native)
        except OSError as error:
            raise failure(error) from error
        self._phase = "binding"

    def finish_bind(self, _: Call) -> None:
        if self._phase != "binding":
            raise WitError("not-in-progress")
        self._phase = "bound"

    def start_connect(self, call: Call, network: Network, remote: Case) -> None:
        expect(network, Network)
        address = from_wit(remote)
        if self._phase not in ("unbound", "bound"):
            raise WitError("concurrency-conflict" if self._phase in ("binding", "connecting") else "invalid-state")
        if address.family != self.family or address.port == 0 or hosts.refusal(address.address) or not address.is_native:
            raise WitError("invalid-argument")
        self._connect(_permit(call, address), address)

    def _connect(self, permit: Permit, address: SocketAddress) -> None:
        """Start the connection that the permit is for."""
        request = permit.request
        if not isinstance(request, Connect) or (request.address, request.port) != (address.address, address.port):
            raise TypeError("a permit for something else")
        result = self.wire.socket.connect_ex(address.native)
        if result not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._phase = "closed"
            raise WitError(_connect_code(result))
        self._phase = "connecting"

    def finish_connect(self, _: Call) -> tuple[TcpInput, TcpOutput]:
        if self._phase != "connecting":
            raise WitError("not-in-progress")
        if not self.wire.is_ready(selectors.EVENT_WRITE):
            raise WitError("would-block")
        result = self.wire.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            self._phase = "closed"
            raise WitError(_connect_code(result))
        self._phase = "connected"
        self._input, self._output = TcpInput(self.state, self.wire), TcpOutput(self.state, self.wire)
        return self._input, self._output

    def start_listen(self, call: Call) -> NoReturn:
        if self._phase != "bound":
            raise WitError("concurrency-conflict" if self._phase in ("binding", "connecting") else "invalid-state")
        raise _refuse_listening(call, "listen on", self._local())

    def finish_listen(self, _: Call) -> NoReturn:
        raise WitError("not-in-progress")

    def accept(self, _: Call) -> NoReturn:
        raise WitError("invalid-state")

    def is_listening(self, _: Call) -> bool:
        return False

    def set_listen_backlog_size(self, _: Call, value: int) -> None:
        if value == 0:
            raise WitError("invalid-argument")
        if self._phase in ("connecting", "connected", "closed"):
            raise WitError("invalid-state")

    def address_family(self, _: Call) -> Family:
        return self.family

    def local_address(self, _: Call) -> Case:
        if self._phase not in ("bound", "connecting", "connected"):
            raise WitError("invalid-state")
        return to_wit(self.wire.socket.getsockname())

    def _local(self) -> SocketAddress:
        return from_wit(to_wit(self.wire.socket.getsockname()))

    def remote_address(self, _: Call) -> Case:
        if self._phase != "connected":
            raise WitError("invalid-state")
        try:
            return to_wit(self.wire.socket.getpeername())
        except OSError as error:
            raise failure(error) from error

    def subscribe(self, _: Call) -> Pollable:
        return Pollable(self.state, self)

    def ready(self) -> bool:
        """Whether the operation under way, if one is, has come to an end."""
        return self._phase != "connecting" or self.wire.is_ready(selectors.EVENT_WRITE)

    def interest(self) -> Interest:
        """What ends it."""
        return Interest(writers=(self.wire.socket,))

    def shutdown(self, _: Call, direction: str) -> None:
        if self._phase != "connected" or self._input is None or self._output is None:
            raise WitError("invalid-state")
        if direction in ("receive", "both"):
            self._input.ended = True
            self.wire.shut(socket.SHUT_RD)
        if direction in ("send", "both"):
            self._output.finish()


def _is_mapped(address: SocketAddress) -> bool:
    return getattr(address.address, "ipv4_mapped", None) is not None


def _connect_code(number: int) -> str:
    """While connecting, an address that is not available means: no local port left (tcp.wit, start-connect)."""
    return "address-in-use" if number in (errno.EADDRNOTAVAIL, errno.EAGAIN) else code_of(number)


def _permit(call: Call, address: SocketAddress) -> Permit:
    """The permit to connect: by a grant of the address, or of a name that lately led there."""
    known = call.state.names
    plain = Connect(address.address, address.port)
    named = [Connect(address.address, address.port, name) for name in known.of(address.address)]
    first, *others = [*named, plain]
    try:
        return permit(call, first, *others, reason=_reason(known, address.address))
    except Refused as refused:
        raise WitError("access-denied") from refused


def _reason(known: Names, address: hosts.Address) -> str:
    if names := known.of(address):
        if not hosts.is_public(address):
            return f"{address} is {hosts.nature(address)}; the name {names[0]} alone does not grant it"
    elif names := known.of(address, stale=True):
        return f"no grant covers it; the look-up of {names[0]} is more than {NAME_LIFETIME:g}s old"
    return "no grant covers it"


def _refuse_listening(call: Call, operation: str, address: SocketAddress) -> WitError:
    value = str(Tcp(ip_network(address.address), address.port))
    allow = f'listen: ["{value}"]  # this version cannot enforce it yet'
    refused = refuse(call, kind="listen", operation=operation, value=value, reason="nothing can grant it yet", allow=allow)
    error = WitError("access-denied")
    error.__cause__ = refused
    return error


def create_tcp_socket(call: Call, family: Family) -> TcpSocket:
    """A socket, not connected to anything: what it may do is decided when it tries."""
    return TcpSocket(call.state, "ipv4" if family == "ipv4" else "ipv6")


_NAMES = [
    *("start-bind", "finish-bind", "start-connect", "finish-connect", "start-listen", "finish-listen", "accept", "shutdown", "subscribe"),
    *("local-address", "remote-address", "is-listening", "address-family", "set-listen-backlog-size"),
]

FUNCTIONS: dict[str, Table] = {
    "wasi:sockets/tcp": methods("tcp-socket", TcpSocket, [*_NAMES, *options.NAMES]),
    "wasi:sockets/tcp-create-socket": {"create-tcp-socket": create_tcp_socket},
}
