"""`listen`: where a guest may bind a socket, and accept connections there: `"127.0.0.1:8080"`, `"[::1]:*"`, `"0.0.0.0:443"`.

An address of this machine, or a network for any of them in it; `0.0.0.0` and `[::]` stand for every address of their kind, so they cover
each single one. Port `*` is any port, and the only one that lets the system choose (port 0). Whoever reaches the place may connect: the
grant says where, `tcp` and `udp` say with whom a guest may speak of its own accord. A `udp` socket bound here still exchanges datagrams
only with what its own grants name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, ClassVar

from ringfence.contract.grants import hosts
from ringfence.contract.grants.base import GrantSyntaxError, OpensAll, parse_each, quoted
from ringfence.contract.grants.endpoints import Endpoint, parse_port, place, split, word_port

_EVERYWHERE: Mapping[hosts.Network, str] = {IPv4Network("0.0.0.0/0"): "0.0.0.0", IPv6Network("::/0"): "[::]"}  # noqa: S104 -- its name
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


@dataclass(frozen=True, slots=True)
class Listen(Endpoint):
    """A local address or several, and a port."""

    host: hosts.Network

    @property
    def where(self) -> str:
        """The address in its spelling."""
        return _EVERYWHERE.get(self.host) or hosts.show_host(self.host)

    def __str__(self) -> str:
        return f"{self.where}:{'*' if self.port is None else self.port}"


@dataclass(frozen=True, slots=True)
class Bind:
    """A guest binds a socket to a local address, or listens or accepts on it; port 0 lets the system choose one."""

    kind: ClassVar[str] = "listen"
    address: hosts.Address
    port: int
    operation: str = "bind to"

    @property
    def value(self) -> str:
        return place(self.address, self.port)


class ListenKind(OpensAll):
    """Local places."""

    name = "listen"
    interfaces = frozenset({"wasi:sockets/tcp", "wasi:sockets/tcp-create-socket"})
    parameters = frozenset({"endpoint", "host", "port"})
    denied = "binding to a port and listening end in access-denied"

    def parse(self, form: Any) -> tuple[Listen, ...]:
        return parse_each(form, _parse_one, example='["127.0.0.1:8080"]')

    def form(self, grants: Sequence[Listen]) -> Any:
        return [str(grant) for grant in grants]

    def covers(self, grant: Listen, other: Listen) -> bool:
        return grant.covers(other)

    def exactly(self, request: Bind) -> Listen:
        return Listen(_meant(ip_network(request.address)), request.port or None)

    def implies(self, grant: Listen) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Listen) -> str:
        inside = any(hosts.covers_host(loopback, grant.host) for loopback in _LOOPBACK)
        return f"listen on {grant.where}, {word_port(grant.port)}{'' if inside else ' (other machines may connect)'}"

    def suggest(self, request: Bind) -> str:
        return f'listen: ["{self.exactly(request)}"]'


def _parse_one(item: Any) -> Listen:
    host, port = split(item)
    found = hosts.parse_host(host, local=True)
    if isinstance(found, str):
        hint = "write an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"
        raise GrantSyntaxError(f"expected an address to bind to, found the name {quoted(host, 60)}", hint=hint)
    return Listen(_meant(found), parse_port(port))


def _meant(network: hosts.Network) -> hosts.Network:
    """The unspecified address means every address."""
    return network.supernet(new_prefix=0) if hosts.is_unspecified(network) else network


LISTEN = ListenKind()
