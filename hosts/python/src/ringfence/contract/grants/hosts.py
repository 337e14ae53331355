"""Hosts as grants name them: DNS names, wildcards, IP addresses and networks; which addresses count as public, and their partial order."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from ringfence.contract.grants.base import GrantSyntaxError, quoted

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Host: TypeAlias = str | IPv4Network | IPv6Network
"""A name (`db.internal`), a wildcard (`*.vendor.example`), or a network; a single address is the network of itself."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LEGACY = re.compile(r"[0-9a-fA-FxX.]{1,64}")
_MAX_NAME = 253
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA = frozenset({IPv4Address("168.63.129.16")})  # Azure's, the one metadata service on an otherwise public address
_PROTOCOLS = IPv4Network("192.0.0.0/24")  # the IETF's own (RFC 6890), which Pythons before 3.11.10 take for public; one cloud's metadata


def is_name(text: str) -> bool:
    """Whether this is a host name in canonical spelling: lower case ASCII, no dot at the end, nothing a resolver takes for an address."""
    labels = text.split(".")
    return len(text) <= _MAX_NAME and all(_LABEL.fullmatch(label) for label in labels) and not _NUMERIC.fullmatch(labels[-1])


def legacy_address(text: str) -> IPv4Address | None:
    """The address that an old spelling denotes (`127.1`, `0x7f000001`, `2130706433`), as inet_aton reads it; None where it denotes none."""
    if not _LEGACY.fullmatch(text):
        return None
    import socket  # for this alone, of which few grants have need

    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


def parse_host(text: str, *, local: bool = False) -> Host:
    """A host as written before the port of a grant; IPv6 in brackets. `local`: to bind to, as one may to the unspecified address.

    Raises:
        GrantSyntaxError: it is not in a spelling that can mean one thing only.
    """
    if text.startswith("["):
        if not text.endswith("]"):
            raise GrantSyntaxError(f"expected an IPv6 address in brackets, found {quoted(text, 60)}", hint="such as [::1] or [fd00::/8]")
        return _network(text[1:-1], version=6, local=local)
    if "/" in text or _spelled_as_ipv4(text):
        return _network(text, version=4, local=local)
    return parse_pattern(text)


def parse_pattern(text: str) -> str:
    """A name or wildcard, as `dns` and `tcp` grants hold them.

    Raises:
        GrantSyntaxError: it is neither.
    """
    lowered = text.lower().removesuffix(".")
    name = lowered.removeprefix("*.")
    if is_name(name):
        return lowered
    if not text.isascii():
        raise GrantSyntaxError(f"expected a name in ASCII, found {quoted(text, 60)}", hint="write its ASCII form, which starts with xn--")
    if address := legacy_address(name):
        raise GrantSyntaxError(f"{quoted(text, 60)} is another spelling of {address}", hint=f"write {address}")
    hint = "such as db.internal, *.vendor.example, 127.0.0.1 or 10.0.0.0/8"
    if "*" in name:
        hint = "a wildcard stands at the front, for one or more labels: *.vendor.example"
    raise GrantSyntaxError(f"expected a host, found {quoted(text, 60)}", hint=hint)


def _spelled_as_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _network(text: str, *, version: int, local: bool) -> Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise _no_network(text) from None
    if not text.partition("/")[2].isdigit() and "/" in text:  # a mask, of which there are two kinds
        raise _no_network(text)
    if network.version != version:
        raise GrantSyntaxError(f"expected an IPv{version} address, found {quoted(text, 60)}", hint="IPv6 stands in brackets, IPv4 does not")
    if "%" in text:
        raise GrantSyntaxError(f"expected an address without a zone, found {quoted(text, 60)}")
    if "/" in text and ip_address(text.partition("/")[0]) != network.network_address:
        raise GrantSyntaxError(f"{quoted(text, 60)} has bits set outside its network", hint=f"write {network}")
    if (problem := _unreachable(network)) and not (local and is_unspecified(network)):
        raise GrantSyntaxError(f"{network} {problem}", hint="it is refused, whatever is granted")
    return network


def _no_network(text: str) -> GrantSyntaxError:
    address, slash, _ = text.partition("/")
    legacy = None if slash else legacy_address(address)
    hint = f"write {legacy}" if legacy else "such as 10.0.0.0/8 or [fd00::/8]"
    return GrantSyntaxError(f"expected an address or a network, found {quoted(text, 60)}", hint=hint)


def _unreachable(network: Network) -> str:
    """Why a grant for this network could never be used, or ''."""
    if isinstance(network, IPv6Network) and network.subnet_of(IPv6Network("::ffff:0:0/96")):
        return "is an IPv4-mapped address"
    single = network.prefixlen == network.max_prefixlen
    return refusal(network.network_address) if single else "is not unicast" if network.is_multicast else ""


def is_unspecified(network: Network) -> bool:
    """Whether it is `0.0.0.0` or `::`, alone."""
    return network.prefixlen == network.max_prefixlen and network.network_address.is_unspecified


def refusal(address: Address) -> str:
    """Why WASI 0.2 answers `invalid-argument` to a connection there, granted or not; '' where it does not."""
    if address.is_unspecified:
        return "is the unspecified address"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return "is an IPv4-mapped address"
    return "" if is_unicast(address) else "is not unicast"


def is_unicast(address: Address) -> bool:
    """Whether it is no multicast or broadcast address (which ones a subnet uses for broadcast, nobody here knows)."""
    return not address.is_multicast and address != IPv4Address("255.255.255.255")


def is_public(address: Address) -> bool:
    """Whether a name may lead there without an address grant: no loopback, private, link-local, metadata or translated such address."""
    if isinstance(address, IPv4Address):
        special = address.is_multicast or address.is_reserved or address in _METADATA or address in _PROTOCOLS
        return address.is_global and not special
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.sixtofour is not None:
        return is_public(address.sixtofour)
    return address in _GLOBAL_UNICAST and address.is_global and address.teredo is None


def nature(address: Address) -> str:
    """What a non-public address is, in a word or two."""
    if address.is_loopback:
        return "a loopback address"
    return "a link-local address" if address.is_link_local else "a private address"


def show_host(host: Host) -> str:
    """The host in a grant's spelling."""
    if isinstance(host, str):
        return host
    single = host.prefixlen == host.max_prefixlen
    text = str(host.network_address) if single else str(host)
    return f"[{text}]" if host.version == 6 else text


def covers_host(host: Host, other: Host) -> bool:
    """Whether every host that `other` names, `host` names. Names and networks never cover each other: a name may lead anywhere."""
    if isinstance(host, str):
        return isinstance(other, str) and covers_name(host, other)
    if isinstance(host, IPv4Network):
        return isinstance(other, IPv4Network) and other.subnet_of(host)
    return isinstance(other, IPv6Network) and other.subnet_of(host)


def covers_name(pattern: str, other: str) -> bool:
    """`*.vendor.example` covers all names and wildcards below vendor.example, not vendor.example itself."""
    if not pattern.startswith("*."):
        return pattern == other
    return pattern == other or other.removeprefix("*.").endswith(pattern[1:])
