"""Addresses and error codes between WIT and the operating system."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Literal, TypeAlias

from ringfence.contract.grants.hosts import Address
from ringfence.contract.values import Case, WitError, record_class

Family: TypeAlias = Literal["ipv4", "ipv6"]

_IPV4 = record_class(("port", "address"))
_IPV6 = record_class(("port", "flow-info", "address", "scope-id"))

_MAX_FLOW = 0xFFFFF

_CODES = {
    errno.EACCES: "access-denied",
    errno.EPERM: "access-denied",
    errno.EOPNOTSUPP: "not-supported",
    errno.EAFNOSUPPORT: "not-supported",
    errno.EINVAL: "invalid-argument",
    errno.EALREADY: "concurrency-conflict",
    errno.EMSGSIZE: "datagram-too-large",
    errno.ENOMEM: "out-of-memory",
    errno.ENOBUFS: "out-of-memory",
    errno.ETIMEDOUT: "timeout",
    errno.EMFILE: "new-socket-limit",
    errno.ENFILE: "new-socket-limit",
    errno.EADDRNOTAVAIL: "address-not-bindable",
    errno.EADDRINUSE: "address-in-use",
    errno.EHOSTUNREACH: "remote-unreachable",
    errno.ENETUNREACH: "remote-unreachable",
    errno.EHOSTDOWN: "remote-unreachable",
    errno.ENETDOWN: "remote-unreachable",
    errno.ENETRESET: "remote-unreachable",
    getattr(errno, "ENONET", errno.ENETDOWN): "remote-unreachable",
    errno.ECONNREFUSED: "connection-refused",
    errno.ECONNRESET: "connection-reset",
    errno.ECONNABORTED: "connection-aborted",
    errno.EPIPE: "connection-aborted",
    errno.EISCONN: "invalid-state",
    errno.ENOTCONN: "invalid-state",
}


def code_of(number: int | None) -> str:
    """The wasi:sockets error code of an errno."""
    return _CODES.get(number or 0, "unknown")


def failure(error: OSError) -> WitError:
    """The err case for what the operating system says."""
    return WitError(code_of(error.errno))


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """An ip-socket-address."""

    address: Address
    port: int
    flow: int = 0
    scope: int = 0

    @property
    def family(self) -> Family:
        return "ipv4" if isinstance(self.address, IPv4Address) else "ipv6"

    @property
    def is_mapped(self) -> bool:
        """Whether it is an IPv4 address in IPv6 spelling, which WASI refuses everywhere."""
        return getattr(self.address, "ipv4_mapped", None) is not None

    @property
    def is_native(self) -> bool:
        """Whether the operating system has such an address: a flow label has 20 bits there (RFC 6437), in WIT 32."""
        return self.flow <= _MAX_FLOW

    @property
    def is_open(self) -> bool:
        """Whether it leaves everything to the system: which of its addresses, and which port."""
        return self.port == 0 and self.address.is_unspecified

    @property
    def native(self) -> tuple[Any, ...]:
        """As Python's sockets take it."""
        text = str(self.address)
        return (text, self.port) if self.family == "ipv4" else (text, self.port, self.flow, self.scope)


def from_wit(value: Case) -> SocketAddress:
    """The address a guest gave."""
    inner = value.value
    if value.name == "ipv4":
        return SocketAddress(IPv4Address(bytes(inner.address)), inner.port)
    number = 0
    for part in inner.address:
        number = number << 16 | part
    return SocketAddress(IPv6Address(number), inner.port, inner.flow_info, inner.scope_id)


def from_native(native: tuple[Any, ...]) -> SocketAddress:
    """An address as the operating system gives it."""
    return from_wit(to_wit(native))


def to_wit(native: tuple[Any, ...]) -> Case:
    """An address as the operating system gives it."""
    text, port, *rest = native
    if not rest:
        return Case("ipv4", _IPV4(port, tuple(IPv4Address(text).packed)))
    flow, scope = rest
    return Case("ipv6", _IPV6(port, flow, _parts(IPv6Address(text.partition("%")[0])), scope))


def ip_to_wit(address: Address) -> Case:
    """An ip-address."""
    if isinstance(address, IPv4Address):
        return Case("ipv4", tuple(address.packed))
    return Case("ipv6", _parts(address))


def _parts(address: IPv6Address) -> tuple[int, ...]:
    packed = address.packed
    return tuple(packed[index] << 8 | packed[index + 1] for index in range(0, 16, 2))


def native_family(family: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6."""
    return socket.AF_INET if family == "ipv4" else socket.AF_INET6
