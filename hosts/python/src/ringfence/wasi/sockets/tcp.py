"""wasi:sockets/tcp: connections that a guest makes, and those that it accepts.

Source: wasi:sockets@0.2.12 (tcp) and TcpSocketOperationalSemantics.md of wasi-sockets. Where a connection may go is decided on its address,
when it is started; where a socket may be bound and listen, by the address and port it asks for. Binding to the wildcard address and a port
of the system's choice needs no grant: every connection does it, and nothing is heard there before the socket listens. A node that could do
neither gets no port at all. Whoever connects to a listening socket is accepted: the guest may answer, and has no connection of its own.
"""

from __future__ import annotations

import errno
import selectors
import socket
import sys
from typing import Literal, TypeAlias

from ringfence.call import Call
from ringfence.contract.grants import hosts
from ringfence.contract.values import Case, WitError
from ringfence.gate import Permit
from ringfence.wasi.io import Interest, Pollable
from ringfence.wasi.sockets.addresses import Family, SocketAddress, code_of, failure, from_native, from_wit, to_wit
from ringfence.wasi.sockets.network import Network
from ringfence.wasi.sockets.options import TCP_NAMES, TcpOptions
from ringfence.wasi.sockets.permits import ensure_local, ensure_permits, ensure_remote, to_bind, to_connect
from ringfence.wasi.sockets.wire import TcpInput, TcpOutput, Wire, ensure_room, new_wire
from ringfence.wasi.state import WasiState
from ringfence.wasi.tables import Table, expect, methods

Phase: TypeAlias = Literal["unbound", "binding", "bound", "preparing", "listening", "connecting", "connected", "closed"]

_UNDER_WAY: frozenset[Phase] = frozenset({"binding", "preparing", "connecting"})
_BACKLOG = 128
"""Connections that may wait to be accepted. The kernel keeps them: a guest may ask for fewer, not for more."""
_GONE = frozenset(
    {errno.EPROTO, errno.ENOPROTOOPT, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN, errno.EOPNOTSUPP}
)
"""What Linux says of a connection that broke while it waited (accept(2))."""


class TcpSocket(TcpOptions):
    """wasi:sockets/tcp.tcp-socket."""

    def __init__(self, state: WasiState, family: Family, wire: Wire) -> None:
        super().__init__(state, family, wire)
        self._phase: Phase = "unbound"
        self._backlog = _BACKLOG
        self._bound: SocketAddress | None = None  # as the guest asked for it
        self._remote: SocketAddress | None = None
        self._input: TcpInput | None = None
        self._output: TcpOutput | None = None

    def ensure_usable(self) -> None:
        if self._phase == "closed":
            raise WitError("invalid-state")

    def _ensure_phase(self, *allowed: Phase) -> None:
        if self._phase not in allowed:
            raise WitError("concurrency-conflict" if self._phase in _UNDER_WAY else "invalid-state")

    def start_bind(self, call: Call, network: Network, local: Case) -> None:
        expect(network, Network)
        address = from_wit(local)
        self._ensure_phase("unbound")
        ensure_local(address, self.family)
        if not address.is_open:
            self._bind(to_bind(call, address), address)
        elif self.state.policy.of("tcp") or self.state.policy.of("listen"):
            self._bind(None, address)
        self._phase, self._bound = "binding", address

    def _bind(self, permit: Permit | None, address: SocketAddress) -> None:
        """Bind to what the permit is for, without one to what needs none."""
        ensure_permits(permit, address)
        try:
            if address.port and sys.platform != "win32":  # where the option means something else
                self.wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.wire.socket.bind(address.native)
        except OSError as error:
            raise failure(error) from error

    def finish_bind(self, _: Call) -> None:
        self._finish("binding", "bound")

    def _finish(self, phase: Phase, then: Phase) -> None:
        if self._phase != phase:
            raise WitError("not-in-progress")
        self._phase = then

    def start_connect(self, call: Call, network: Network, remote: Case) -> None:
        expect(network, Network)
        address = from_wit(remote)
        self._ensure_phase("unbound", "bound")
        ensure_remote(address, self.family)
        if not hosts.is_unicast(address.address):
            raise WitError("invalid-argument")
        self._connect(to_connect(call, address), address)

    def _connect(self, permit: Permit, address: SocketAddress) -> None:
        """Start the connection that the permit is for."""
        ensure_permits(permit, address)
        result = self.wire.socket.connect_ex(address.native)
        if result not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._phase = "closed"
            raise WitError(_connect_code(result))
        self._phase, self._remote = "connecting", address

    def finish_connect(self, _: Call) -> tuple[TcpInput, TcpOutput]:
        if self._phase != "connecting":
            raise WitError("not-in-progress")
        if not self.wire.is_ready(selectors.EVENT_WRITE):
            raise WitError("would-block")
        result = self.wire.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            self._phase = "closed"
            raise WitError(_connect_code(result))
        return self._open_streams()

    def _open_streams(self) -> tuple[TcpInput, TcpOutput]:
        self._phase = "connected"
        self._input, self._output = TcpInput(self.state, self.wire), TcpOutput(self.state, self.wire)
        return self._input, self._output

    def start_listen(self, call: Call) -> None:
        self._ensure_phase("bound")
        self._listen(to_bind(call, self._asked(), "listen on"))
        self._phase = "preparing"

    def _listen(self, permit: Permit) -> None:
        """Listen where the socket is bound, which the permit is for."""
        ensure_permits(permit, self._asked())
        try:
            self.wire.socket.listen(self._backlog)
        except OSError as error:
            raise failure(error) from error

    def finish_listen(self, _: Call) -> None:
        self._finish("preparing", "listening")

    def accept(self, call: Call) -> tuple[TcpSocket, TcpInput, TcpOutput]:
        self._ensure_phase("listening")
        ensure_room(self.state)
        wire, remote = self._accept(to_bind(call, self._asked(), "accept on"))
        accepted = TcpSocket(self.state, self.family, wire)
        accepted._remote = remote
        accepted.inherit(self)
        return (accepted, *accepted._open_streams())

    def _accept(self, permit: Permit) -> tuple[Wire, SocketAddress]:
        """The next connection that came to where the permit is for."""
        ensure_permits(permit, self._asked())
        try:
            native, remote = self.wire.socket.accept()
        except (BlockingIOError, InterruptedError):
            raise WitError("would-block") from None
        except OSError as error:
            raise WitError("connection-aborted" if error.errno in _GONE else code_of(error.errno)) from error
        return Wire(self.state, native), from_native(remote)

    def is_listening(self, _: Call) -> bool:
        return self._phase == "listening"

    def set_listen_backlog_size(self, _: Call, value: int) -> None:
        if value == 0:
            raise WitError("invalid-argument")
        if self._phase in ("connecting", "connected", "closed"):
            raise WitError("invalid-state")
        self._backlog = min(value, _BACKLOG)
        if self._phase in ("preparing", "listening"):
            self.wire.socket.listen(self._backlog)

    def address_family(self, _: Call) -> Family:
        return self.family

    def local_address(self, _: Call) -> Case:
        if self._phase in ("unbound", "binding", "closed"):
            raise WitError("invalid-state")
        return to_wit(self.wire.socket.getsockname())

    def _asked(self) -> SocketAddress:
        if self._bound is None:
            raise WitError("invalid-state")
        return self._bound

    def remote_address(self, _: Call) -> Case:
        if self._phase != "connected" or self._remote is None:
            raise WitError("invalid-state")
        return to_wit(self._remote.native)

    def subscribe(self, _: Call) -> Pollable:
        return Pollable(self.state, self)

    def ready(self) -> bool:
        """Whether the operation under way, if one is, has come to an end; a listening socket: whether there is someone to accept."""
        if self._phase == "listening":
            return self.wire.is_ready(selectors.EVENT_READ)
        return self._phase != "connecting" or self.wire.is_ready(selectors.EVENT_WRITE)

    def interest(self) -> Interest:
        """What ends it."""
        listening = self._phase == "listening"
        return Interest(readers=(self.wire.socket,)) if listening else Interest(writers=(self.wire.socket,))

    def shutdown(self, _: Call, direction: str) -> None:
        if self._phase != "connected" or self._input is None or self._output is None:
            raise WitError("invalid-state")
        if direction in ("receive", "both"):
            self._input.ended = True
            self.wire.shut(socket.SHUT_RD)
        if direction in ("send", "both"):
            self._output.finish()


def _connect_code(number: int) -> str:
    """While connecting, an address that is not available means: no local port left (tcp.wit, start-connect)."""
    return "address-in-use" if number in (errno.EADDRNOTAVAIL, errno.EAGAIN) else code_of(number)


def create_tcp_socket(call: Call, family: Family) -> TcpSocket:
    """A socket, not connected to anything: what it may do is decided when it tries."""
    return TcpSocket(call.state, family, new_wire(call.state, family, socket.SOCK_STREAM))


_NAMES = [
    *("start-bind", "finish-bind", "start-connect", "finish-connect", "start-listen", "finish-listen", "accept", "shutdown", "subscribe"),
    *("local-address", "remote-address", "is-listening", "address-family", "set-listen-backlog-size"),
]

FUNCTIONS: dict[str, Table] = {
    "wasi:sockets/tcp": methods("tcp-socket", TcpSocket, [*_NAMES, *TCP_NAMES]),
    "wasi:sockets/tcp-create-socket": {"create-tcp-socket": create_tcp_socket},
}
