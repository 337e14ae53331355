"""The two streams of a udp-socket: what may come in, and what may go out.

A datagram reaches the guest only if its sender is the peer that the streams are for, or, without a peer, one that a grant covers. All
others are dropped as they come, at most so many at once that the deadline is looked at in between.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Sequence
from typing import Any

from ringfence.call import Call
from ringfence.contract.errors import GuestTrap
from ringfence.contract.grants import hosts
from ringfence.contract.values import Case, Record, WitError, record_class
from ringfence.gate import Permit
from ringfence.wasi.io import Interest, Pollable
from ringfence.wasi.sockets.addresses import Family, SocketAddress, code_of, from_native, from_wit, to_wit
from ringfence.wasi.sockets.permits import ensure_permits, ensure_remote, is_welcome, to_exchange
from ringfence.wasi.sockets.wire import Wire
from ringfence.wasi.state import Held, WasiState

_INCOMING = record_class(("data", "remote-address"))
_AT_ONCE = 16
"""Datagrams given or taken by one call at most."""
_DROPPED_AT_ONCE = 64
_LARGEST = 65_535


class Association:
    """A socket, the peer it exchanges datagrams with (None: all that are granted), and what the system said meanwhile."""

    def __init__(self, state: WasiState, wire: Wire, family: Family, peer: SocketAddress | None) -> None:
        self.wire, self.family, self.peer = wire, family, peer
        self.ended = False
        self._state = state
        self._fault: str | None = None

    def ensure_live(self) -> None:
        """Raise where a later call of `stream` took its place, or something failed since the last call."""
        if self.ended:
            raise WitError("invalid-state")
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise WitError(fault)

    def is_due(self) -> bool:
        """Whether a datagram for the guest is next in line, or an error; those in front of it that are not are dropped."""
        for _ in range(_DROPPED_AT_ONCE):
            if self.ended or self._fault is not None:
                return True
            sender = self._receive(0, socket.MSG_PEEK)
            if sender is None:
                return self._fault is not None
            if self._admits(sender[1]):
                return True
            self._receive(0)
        return False

    def take(self) -> tuple[bytes, SocketAddress] | None:
        """The next datagram for the guest, if one is there now, and no error (which is kept)."""
        for _ in range(_DROPPED_AT_ONCE):
            found = self._receive(_LARGEST)
            if found is None or self._admits(found[1]):
                return found
        return None

    def _receive(self, length: int, flags: int = 0) -> tuple[bytes, SocketAddress] | None:
        try:
            data, native = self.wire.socket.recvfrom(length, flags)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            self._fault = code_of(error.errno)
            return None
        return data, from_native(native)

    def _admits(self, sender: SocketAddress) -> bool:
        if self.peer is None:
            return is_welcome(self._state, sender)
        return (sender.address, sender.port, sender.scope) == (self.peer.address, self.peer.port, self.peer.scope)


class _DatagramStream(Held):
    """Either kind."""

    def __init__(self, state: WasiState, association: Association) -> None:
        super().__init__(state)
        self._association, self._wire = association, association.wire.share()

    def subscribe(self, _: Call) -> Pollable:
        return Pollable(self.state, self)

    def ready(self) -> bool:
        """Whether a call would get somewhere, if only to an error."""
        raise NotImplementedError

    def interest(self) -> Interest:
        """What must happen for that."""
        raise NotImplementedError

    def release(self) -> None:
        self._wire.release()


class IncomingDatagrams(_DatagramStream):
    """wasi:sockets/udp.incoming-datagram-stream."""

    def receive(self, _: Call, most: int) -> list[Record]:
        self._association.ensure_live()
        found: list[Record] = []
        while len(found) < min(most, _AT_ONCE) and (one := self._association.take()):
            data, sender = one
            found.append(_INCOMING(data, to_wit(sender.native)))
        if not found:
            self._association.ensure_live()
        return found

    def ready(self) -> bool:
        return self.closed or self._association.is_due()

    def interest(self) -> Interest:
        return Interest(readers=(self._wire.socket,))


class OutgoingDatagrams(_DatagramStream):
    """wasi:sockets/udp.outgoing-datagram-stream."""

    def __init__(self, state: WasiState, association: Association) -> None:
        super().__init__(state, association)
        self._allowed = 0

    def check_send(self, _: Call) -> int:
        self._association.ensure_live()
        self._allowed = _AT_ONCE if self._is_writable() else 0
        return self._allowed

    def send(self, call: Call, datagrams: Sequence[Any]) -> int:
        if len(datagrams) > self._allowed:
            raise GuestTrap(f"a send of {len(datagrams)} datagrams where check-send had permitted {self._allowed}")
        self._allowed = 0
        for count, one in enumerate(datagrams):
            try:
                if not self._send(call, one.data, one.remote_address):
                    return count
            except WitError:
                if count:
                    return count
                raise
        return len(datagrams)

    def _send(self, call: Call, data: bytes, remote: Case | None) -> bool:
        """Send one; whether it went."""
        association = self._association
        association.ensure_live()
        target = None if remote is None else from_wit(remote)
        if association.peer is not None:
            if target not in (None, association.peer):
                raise WitError("invalid-argument")
            return self._out(data, None)
        if target is None:
            raise WitError("invalid-argument")
        return self._out(data, permit_peer(call, target, association.family), target)

    def _out(self, data: bytes, permit: Permit | None, target: SocketAddress | None = None) -> bool:
        """Send to the peer, or to where the permit is for."""
        try:
            if target is None:
                self._wire.socket.send(data)
            else:
                ensure_permits(permit, target)
                self._wire.socket.sendto(data, target.native)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            raise WitError(code_of(error.errno)) from error
        return True

    def _is_writable(self) -> bool:
        return self._wire.is_ready(selectors.EVENT_WRITE)

    def ready(self) -> bool:
        return self.closed or self._association.ended or self._is_writable()

    def interest(self) -> Interest:
        return Interest(writers=(self._wire.socket,))


def permit_peer(call: Call, address: SocketAddress, family: Family) -> Permit:
    """The permit to exchange datagrams with one host.

    Err: `invalid-argument` where that is nobody, `not-supported` for those that are many (no grant can name them), `access-denied`.
    """
    ensure_remote(address, family)
    if not hosts.is_unicast(address.address):
        raise WitError("not-supported")
    return to_exchange(call, address)
