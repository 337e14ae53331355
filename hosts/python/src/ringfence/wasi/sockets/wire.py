"""The operating system's socket under a guest's socket and its two streams. It closes when the last of them is dropped."""

from __future__ import annotations

import selectors
import socket
import sys
from contextlib import suppress

from ringfence.call import Call
from ringfence.contract.values import Fill, WitError
from ringfence.wasi.io import CHUNK, InputStream, Interest, OutputStream, StreamBroken, StreamEnded, block
from ringfence.wasi.sockets.addresses import code_of, failure, native_family
from ringfence.wasi.state import DESCRIPTORS, SOCKETS, WasiState

DOMAIN = "network"
"""The domain of stream errors whose code is one of wasi:sockets/network.error-code."""


class Wire:
    """A non-blocking socket and the count of those that use it; it takes the socket over.

    Err: `new-socket-limit` where the guests of this process have as many descriptors as they may.
    """

    def __init__(self, state: WasiState, native: socket.socket) -> None:
        try:
            DESCRIPTORS.take()
        except OSError as error:
            native.close()
            raise failure(error) from error
        self.socket = native
        self.socket.settimeout(0)
        self._state, self._users = state, 1
        state.sockets += 1

    def share(self) -> Wire:
        """One more user."""
        self._users += 1
        return self

    def release(self) -> None:
        """One user less."""
        self._users -= 1
        if not self._users:
            self._state.sockets -= 1
            DESCRIPTORS.give_back()
            self.socket.close()

    def shut(self, how: int) -> None:
        """Close a direction; that the peer was quicker is no error."""
        with suppress(OSError):
            self.socket.shutdown(how)

    def is_ready(self, event: int) -> bool:
        """Whether it is readable or writable now; broken or closed counts."""
        if self.socket.fileno() < 0:
            return True
        kind: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)
        with kind() as selector:
            selector.register(self.socket, event)
            return bool(selector.select(0))


def new_wire(state: WasiState, family: str, kind: socket.SocketKind) -> Wire:
    """A socket of the operating system, bound to nothing. Err: `new-socket-limit`, or what the system says."""
    ensure_room(state)
    try:
        native = socket.socket(native_family(family), kind)
    except OSError as error:
        raise failure(error) from error
    if family == "ipv6":
        native.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return Wire(state, native)


def ensure_room(state: WasiState) -> None:
    """Raise `new-socket-limit` where the instance has as many sockets as it may."""
    if state.sockets >= SOCKETS:
        raise WitError("new-socket-limit")


def _broken(error: OSError) -> StreamBroken:
    return StreamBroken(DOMAIN, code_of(error.errno), error.strerror or type(error).__name__)


class TcpInput(InputStream):
    """What the peer sends. What is read lands in guest memory at once."""

    def __init__(self, state: WasiState, wire: Wire) -> None:
        super().__init__(state)
        self._wire = wire.share()

    def read(self, _: Call, length: int) -> bytes | Fill:
        self._ensure_open()
        return Fill(min(length, CHUNK), self._fill) if length and self._has_some() else b""

    def blocking_read(self, call: Call, length: int) -> bytes | Fill:
        self._ensure_open()
        while length and not self._has_some():
            block(call, self)
        return Fill(min(length, CHUNK), self._fill) if length else b""

    def _has_some(self) -> bool:
        """Whether something is there to be read: a Fill must not find nothing, since guests free no empty list."""
        return bool(self._fill(bytearray(1), socket.MSG_PEEK))

    def _fill(self, buffer: memoryview | bytearray, flags: int = 0) -> int:
        try:
            return self._receive(buffer, flags)
        except (StreamEnded, StreamBroken) as cause:
            raise self._over(cause) from cause

    def _receive(self, buffer: memoryview | bytearray, flags: int = 0) -> int:
        try:
            count = self._wire.socket.recv_into(buffer, 0, flags)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise _broken(error) from error
        if not count:
            raise StreamEnded
        return count

    def pull(self, length: int) -> bytes:
        buffer = bytearray(length)
        return bytes(buffer[: self._receive(buffer)])

    def is_ready(self) -> bool:
        return self._wire.is_ready(selectors.EVENT_READ)

    def interest(self) -> Interest:
        return Interest(readers=(self._wire.socket,))

    def release(self) -> None:
        self._wire.release()


class TcpOutput(OutputStream):
    """What goes to the peer. While nothing waits to be sent, it takes a chunk more, without asking the system whether that can go."""

    def __init__(self, state: WasiState, wire: Wire) -> None:
        super().__init__(state)
        self._wire = wire.share()

    def push(self, data: bytes | bytearray) -> int:
        try:
            return self._wire.socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except BrokenPipeError:
            raise StreamEnded from None
        except OSError as error:
            raise _broken(error) from error

    def interest(self) -> Interest:
        return Interest(writers=(self._wire.socket,))

    def finish(self) -> None:
        """End the stream and close this direction, once everything is sent."""
        if not self.ended and not self.closed:
            self.ended = True
            self._leave(finish=True)

    def release(self) -> None:
        if not self.ended:
            self._leave(finish=False)
        self._wire.release()

    def _leave(self, *, finish: bool) -> None:
        rest = LastWords(self._wire, self._pending, finish=finish)
        if not rest.serve():
            self.state.lingering.append(rest)


class LastWords:
    """Bytes that the guest wrote before it let go of the stream: they are sent on while the instance waits for other things.

    What is left when the instance ends is lost, as streams.wit warns those who don't flush.
    """

    def __init__(self, wire: Wire, pending: bytearray, *, finish: bool) -> None:
        self._wire, self._pending, self._finish = wire.share(), pending, finish

    @property
    def source(self) -> socket.socket:
        return self._wire.socket

    def serve(self) -> bool:
        try:
            while self._pending:
                del self._pending[: self._wire.socket.send(self._pending)]
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:  # the peer is gone
            self._pending.clear()
        if self._finish:
            self._wire.shut(socket.SHUT_WR)
        self.close()
        return True

    def close(self) -> None:
        self._wire.release()


def buffer_size(wire: Wire, option: int) -> int:
    """A buffer's size as it was asked for: Linux doubles it for its own use (socket(7))."""
    size = wire.socket.getsockopt(socket.SOL_SOCKET, option)
    return size // 2 if sys.platform == "linux" else size
