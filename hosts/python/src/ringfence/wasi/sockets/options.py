"""The options of sockets. Values are clamped to what the system takes; zero is an error, as the specification says."""

from __future__ import annotations

import socket

from ringfence.call import Call
from ringfence.contract.values import WitError
from ringfence.wasi.sockets.addresses import Family, failure
from ringfence.wasi.sockets.wire import Wire, buffer_size
from ringfence.wasi.state import Held, WasiState

_NANO = 1_000_000_000
_MAX_SECONDS = 32_767  # Linux's MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL
_MAX_PROBES = 127  # Linux's MAX_TCP_KEEPCNT
_MAX_BUFFER = 4 << 20
"""Kernel memory is the host's: a guest may not reserve more of it for one socket."""

_IDLE = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
_INTERVAL = getattr(socket, "TCP_KEEPINTVL", None)
_COUNT = getattr(socket, "TCP_KEEPCNT", None)

_BUFFERS = ["receive-buffer-size", "set-receive-buffer-size", "send-buffer-size", "set-send-buffer-size"]

UDP_NAMES = ["unicast-hop-limit", "set-unicast-hop-limit", *_BUFFERS]
TCP_NAMES = [
    *("keep-alive-enabled", "set-keep-alive-enabled", "keep-alive-idle-time", "set-keep-alive-idle-time"),
    *("keep-alive-interval", "set-keep-alive-interval", "keep-alive-count", "set-keep-alive-count", "hop-limit", "set-hop-limit"),
    *_BUFFERS,
]


class Options(Held):
    """A socket, as far as the options go that every socket has. It takes over the use of the wire."""

    def __init__(self, state: WasiState, family: Family, wire: Wire) -> None:
        self.wire = wire
        self._chosen: dict[tuple[int, int], int] = {}
        try:
            super().__init__(state)
        except BaseException:
            self.wire.release()
            raise
        self.family = family

    def release(self) -> None:
        self.wire.release()

    def ensure_usable(self) -> None:
        """Raise `invalid-state` where the socket is closed."""

    def _get(self, level: int, option: int | None) -> int:
        self.ensure_usable()
        if option is None:
            raise WitError("not-supported")
        try:
            return self.wire.socket.getsockopt(level, option)
        except OSError as error:
            raise failure(error) from error

    def _set(self, level: int, option: int | None, value: int, most: int) -> None:
        self.ensure_usable()
        if value == 0:
            raise WitError("invalid-argument")
        self._put(level, option, min(value, most))

    def _put(self, level: int, option: int | None, value: int) -> None:
        self.ensure_usable()
        if option is None:
            raise WitError("not-supported")
        try:
            self.wire.socket.setsockopt(level, option, value)
        except OSError as error:
            raise failure(error) from error
        self._chosen[level, option] = value

    def inherit(self, other: Options) -> None:
        """Choose what the other has chosen. Systems hand on some options to accepted sockets, and not all of them the same ones."""
        for (level, option), value in other._chosen.items():
            self._put(level, option, value)

    def unicast_hop_limit(self, _: Call) -> int:
        return self._get(*self._hops)

    def set_unicast_hop_limit(self, _: Call, value: int) -> None:
        self._set(*self._hops, value, 255)

    @property
    def _hops(self) -> tuple[int, int]:
        return (socket.IPPROTO_IP, socket.IP_TTL) if self.family == "ipv4" else (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)

    def receive_buffer_size(self, _: Call) -> int:
        self.ensure_usable()
        return buffer_size(self.wire, socket.SO_RCVBUF)

    def set_receive_buffer_size(self, _: Call, value: int) -> None:
        self._set(socket.SOL_SOCKET, socket.SO_RCVBUF, value, _MAX_BUFFER)

    def send_buffer_size(self, _: Call) -> int:
        self.ensure_usable()
        return buffer_size(self.wire, socket.SO_SNDBUF)

    def set_send_buffer_size(self, _: Call, value: int) -> None:
        self._set(socket.SOL_SOCKET, socket.SO_SNDBUF, value, _MAX_BUFFER)


class TcpOptions(Options):
    """The options that only a tcp-socket has."""

    def keep_alive_enabled(self, _: Call) -> bool:
        return self._get(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0

    def set_keep_alive_enabled(self, _: Call, value: bool) -> None:  # noqa: FBT001 -- WIT's signature
        self._put(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(value))

    def keep_alive_idle_time(self, _: Call) -> int:
        return self._get(socket.IPPROTO_TCP, _IDLE) * _NANO

    def set_keep_alive_idle_time(self, _: Call, value: int) -> None:
        self._set(socket.IPPROTO_TCP, _IDLE, _seconds(value), _MAX_SECONDS)

    def keep_alive_interval(self, _: Call) -> int:
        return self._get(socket.IPPROTO_TCP, _INTERVAL) * _NANO

    def set_keep_alive_interval(self, _: Call, value: int) -> None:
        self._set(socket.IPPROTO_TCP, _INTERVAL, _seconds(value), _MAX_SECONDS)

    def keep_alive_count(self, _: Call) -> int:
        return self._get(socket.IPPROTO_TCP, _COUNT)

    def set_keep_alive_count(self, _: Call, value: int) -> None:
        self._set(socket.IPPROTO_TCP, _COUNT, value, _MAX_PROBES)

    def hop_limit(self, call: Call) -> int:
        return self.unicast_hop_limit(call)

    def set_hop_limit(self, call: Call, value: int) -> None:
        self.set_unicast_hop_limit(call, value)


def _seconds(nanoseconds: int) -> int:
    """Whole seconds, rounded up, so that only zero is zero."""
    return -(-nanoseconds // _NANO)
