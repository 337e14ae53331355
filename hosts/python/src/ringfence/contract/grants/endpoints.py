"""Hosts with a port, as `tcp`, `udp` and `listen` grant them, and the whole of what it means to reach another one.

A remote place is decided on the address it has. A name grants the public addresses that it led to in this instance, for a while; what is
not public behind a name needs a grant of its address too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, ClassVar, Generic, TypeVar

from ringfence.contract.grants import hosts
from ringfence.contract.grants.base import GrantSyntaxError, OpensAll, parse_each, quoted, shown
from ringfence.contract.grants.dns import Dns

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port; None stands for every port."""

    host: hosts.Host
    port: int | None

    def __str__(self) -> str:
        return f"{hosts.show_host(self.host)}:{'*' if self.port is None else self.port}"

    def covers(self, other: Endpoint) -> bool:
        """Whether every place that `other` names, this names."""
        return self.port in (None, other.port) and hosts.covers_host(self.host, other.host)


@dataclass(frozen=True, slots=True)
class Reach:
    """A guest reaches an address; `name`, where there is one, is what it looked up (not long ago) to get it."""

    kind: ClassVar[str]
    operation: ClassVar[str]
    address: hosts.Address
    port: int
    name: str | None = None

    @property
    def host(self) -> hosts.Host:
        """What a grant must name: the address, or the name where that led to a public one."""
        return host_behind(self.address, self.name)

    @property
    def value(self) -> str:
        where = place(self.address, self.port)
        return f"{where} ({self.name})" if self.name else where


E = TypeVar("E", bound=Endpoint)
R = TypeVar("R", bound=Reach)


class RemoteKind(OpensAll, Generic[E, R]):
    """A kind whose grants name remote places; `verb` is what is done with them."""

    name: str
    interfaces: frozenset[str]
    denied: str
    grant: type[E]
    verb: str
    parameters = frozenset({"endpoint", "host", "port"})

    def parse(self, form: Any) -> tuple[E, ...]:
        return parse_each(form, self._parse_one, example='["127.0.0.1:8017"]')

    def _parse_one(self, item: Any) -> E:
        host, port = split(item)
        return self.grant(hosts.parse_host(host), parse_port(port))

    def form(self, grants: Sequence[E]) -> Any:
        return [str(grant) for grant in grants]

    def covers(self, grant: E, other: E) -> bool:
        return grant.covers(other)

    def exactly(self, request: R) -> E:
        return self.grant(request.host, request.port)

    def implies(self, grant: E) -> Mapping[str, Sequence[Any]]:
        return {"dns": (Dns(grant.host),)} if isinstance(grant.host, str) else {}

    def wording(self, grant: E) -> str:
        wild = isinstance(grant.host, str) and grant.host.startswith("*.")
        return f"{self.verb} {hosts.show_host(grant.host)}, {word_port(grant.port)}{' (can exfiltrate)' if wild else ''}"

    def suggest(self, request: R) -> str:
        return f'{self.name}: ["{self.exactly(request)}"]'


def host_behind(address: hosts.Address, name: str | None) -> hosts.Host:
    """What a grant must name for an address behind a name: the name where the address is public, else the address."""
    return name if name is not None and hosts.is_public(address) else ip_network(address)


def reaches(grants: Iterable[Endpoint], address: hosts.Address, name: str) -> bool:
    """Whether the grants allow reaching an address behind a name, on one port at least."""
    return any(hosts.covers_host(grant.host, host_behind(address, name)) for grant in grants)


def place(address: hosts.Address, port: int) -> str:
    """An address and a port, as grants spell them."""
    return str(Endpoint(ip_network(address), port))


def word_port(port: int | None) -> str:
    """A port in a plan's words."""
    return "any port" if port is None else f"port {port}"


def split(item: Any) -> tuple[str, str]:
    """The host and the port of an item as written.

    Raises:
        GrantSyntaxError: it does not have the form host:port.
    """
    if not isinstance(item, str):
        raise GrantSyntaxError(f"expected host:port in quotes, found {shown(item)}", hint='such as "127.0.0.1:8017"')
    host, colon, port = item.rpartition(":")
    if "://" in item:
        raise GrantSyntaxError(f"expected host:port, found the URL {quoted(item, 60)}", hint='such as "vendor.example:443"')
    if not colon or not host:
        raise GrantSyntaxError(f"expected host:port, found {quoted(item, 60)}", hint='such as "db.internal:5432", or "db.internal:*"')
    if host.count(":") and not host.startswith("["):
        raise GrantSyntaxError(f"expected host:port, found {quoted(item, 60)}", hint="put an IPv6 address in brackets: [::1]:80")
    return host, port


def parse_port(text: str) -> int | None:
    """A port as written, None for `*`.

    Raises:
        GrantSyntaxError: it is neither.
    """
    if text == "*":
        return None
    plain = text.isascii() and text.isdigit() and not text.startswith("0") and len(text) <= len(str(_MAX_PORT))
    if not plain or int(text) > _MAX_PORT:
        raise GrantSyntaxError(f"expected a port from 1 to {_MAX_PORT}, or *, found {quoted(text, 60)}")
    return int(text)
