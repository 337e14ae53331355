"""`dns`: looking up names. Written as a list of names and wildcards: `["db.internal", "*.vendor.example"]`.

A tcp grant by name brings the look-up of that name along. Looking up gives no connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ringfence.contract.grants import hosts
from ringfence.contract.grants.base import GrantSyntaxError, OpensAll, parse_each, quoted, shown


@dataclass(frozen=True, slots=True)
class Dns:
    """A name, or a wildcard for all below one."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A guest looks up a name, given in canonical spelling (`hosts.is_name`)."""

    kind: ClassVar[str] = "dns"
    name: str

    @property
    def operation(self) -> str:
        return "look up"

    @property
    def value(self) -> str:
        return self.name


class DnsKind(OpensAll):
    """Name look-up."""

    name = "dns"
    interfaces = frozenset({"wasi:sockets/ip-name-lookup"})
    parameters = frozenset({"host"})
    denied = "looking up a name ends in access-denied"

    def parse(self, form: Any) -> tuple[Dns, ...]:
        return parse_each(form, _parse_one, example='["db.internal"]')

    def form(self, grants: Sequence[Dns]) -> Any:
        return [grant.pattern for grant in grants]

    def covers(self, grant: Dns, other: Dns) -> bool:
        return hosts.covers_name(grant.pattern, other.pattern)

    def exactly(self, request: Lookup) -> Dns:
        return Dns(request.name)

    def implies(self, grant: Dns) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002 -- of the protocol
        return {}

    def wording(self, grant: Dns) -> str:
        wild = " (can exfiltrate)" if grant.pattern.startswith("*.") else ""
        return f"look up {grant.pattern}{wild}"

    def suggest(self, request: Lookup) -> str:
        return f'dns: ["{request.name}"]'


def _parse_one(item: Any) -> Dns:
    if not isinstance(item, str):
        raise GrantSyntaxError(f"expected a name, found {shown(item)}", hint="such as db.internal or *.vendor.example")
    if ":" in item and not item.startswith("["):
        raise GrantSyntaxError(f"expected a name alone, found {quoted(item, 60)}", hint="leave out scheme and port: a look-up has none")
    host = hosts.parse_host(item)
    if not isinstance(host, str):
        raise GrantSyntaxError(f"expected a name, found the address {quoted(item, 60)}", hint="an address needs no look-up: remove it")
    return Dns(host)


DNS = DnsKind()
