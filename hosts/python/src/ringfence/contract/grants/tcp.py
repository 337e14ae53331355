"""`tcp`: connections to hosts, `"db.internal:5432"`, `"*.vendor.example:443"`, `"10.0.0.0/8:443"`, `"[::1]:80"`; the port may be `*`.

A connection is decided on the address it goes to. A name grants the public addresses that it led to in this instance, for a while; what is
not public behind a name needs a grant of its address too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, ClassVar

from ringfence.contract.grants import hosts
from ringfence.contract.grants.base import GrantSyntaxError, parse_each, quoted, shown
from ringfence.contract.grants.dns import Dns

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Tcp:
    """A host and a port; None stands for every port."""

    host: hosts.Host
    port: int | None

    def __str__(self) -> str:
        return f"{hosts.show_host(self.host)}:{'*' if self.port is None else self.port}"


@dataclass(frozen=True, slots=True)
class Connect:
    """A guest connects to an address; `name`, where there is one, is what it looked up (not long ago) to get it."""

    kind: ClassVar[str] = "tcp"
    address: hosts.Address
    port: int
    name: str | None = None

    @property
    def operation(self) -> str:
        return "connect to"

    @property
    def value(self) -> str:
        where = str(Tcp(ip_network(self.address), self.port))
        return f"{where} ({self.name})" if self.name else where


class TcpKind:
    """Outgoing TCP connections."""

    name = "tcp"
    interfaces = frozenset({"wasi:sockets/tcp", "wasi:sockets/tcp-create-socket"})
    parameters = frozenset({"endpoint", "host", "port"})
    denied = "connecting ends in access-denied"

    def parse(self, form: Any) -> tuple[Tcp, ...]:
        return parse_each(form, _parse_one, example='["127.0.0.1:8017"]')

    def form(self, grants: Sequence[Tcp]) -> Any:
        return [str(grant) for grant in grants]

    def covers(self, grant: Tcp, other: Tcp) -> bool:
        return grant.port in (None, other.port) and hosts.covers_host(grant.host, other.host)

    def exactly(self, request: Connect) -> Tcp:
        if request.name is not None and hosts.is_public(request.address):
            return Tcp(request.name, request.port)
        return Tcp(ip_network(request.address), request.port)

    def implies(self, grant: Tcp) -> Mapping[str, Sequence[Any]]:
        return {"dns": (Dns(grant.host),)} if isinstance(grant.host, str) else {}

    def wording(self, grant: Tcp) -> str:
        port = "any port" if grant.port is None else f"port {grant.port}"
        wild = isinstance(grant.host, str) and grant.host.startswith("*.")
        return f"connect to {hosts.show_host(grant.host)}, {port}{' (can exfiltrate)' if wild else ''}"

    def suggest(self, request: Connect) -> str:
        return f'tcp: ["{self.exactly(request)}"]'


def reaches(grants: Sequence[Tcp], address: hosts.Address, name: str) -> bool:
    """Whether the grants allow a connection to an address behind a name, on one port at least."""
    return any(hosts.covers_host(grant.host, TCP.exactly(Connect(address, 1, name)).host) for grant in grants)


def _parse_one(item: Any) -> Tcp:
    if not isinstance(item, str):
        raise GrantSyntaxError(f"expected host:port in quotes, found {shown(item)}", hint='such as "127.0.0.1:8017"')
    host, colon, port = item.rpartition(":")
    if "://" in item:
        raise GrantSyntaxError(f"expected host:port, found the URL {quoted(item, 60)}", hint='such as "vendor.example:443"')
    if not colon or not host:
        raise GrantSyntaxError(f"expected host:port, found {quoted(item, 60)}", hint='such as "db.internal:5432", or "db.internal:*"')
    if host.count(":") and not host.startswith("["):
        raise GrantSyntaxError(f"expected host:port, found {quoted(item, 60)}", hint="put an IPv6 address in brackets: [::1]:80")
    return Tcp(hosts.parse_host(host), _parse_port(port))


def _parse_port(text: str) -> int | None:
    if text == "*":
        return None
    plain = text.isascii() and text.isdigit() and not text.startswith("0") and len(text) <= len(str(_MAX_PORT))
    if not plain or int(text) > _MAX_PORT:
        raise GrantSyntaxError(f"expected a port from 1 to {_MAX_PORT}, or *, found {quoted(text, 60)}")
    return int(text)


TCP = TcpKind()
