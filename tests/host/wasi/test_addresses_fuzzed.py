"""Thousands of addresses and names that nobody thought of: what goes out and comes in is what an independent oracle says.

The oracle is `ipaddress`, and lists written down here; the operating system's calls are caught, so that nothing is really sent.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from host.wasi.conftest import Guest, ipv4, ipv6
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.contract.values import WitError, record_class
from ringfence.wasi.sockets import lookup
from ringfence.wasi.sockets.datagrams import Association

OUTGOING = record_class(("data", "remote-address"))
many = settings(max_examples=700, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])

ODD = [
    *("0.0.0.0", "0.0.0.1", "127.0.0.1", "127.255.255.255", "10.0.0.1", "169.254.169.254", "168.63.129.16", "255.255.255.255"),
    *("224.0.0.1", "240.0.0.1", "100.64.0.1", "192.0.0.192", "192.168.0.1", "172.16.0.1", "93.184.216.34", "8.8.8.8"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808"),
    *(
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:7f00:1::",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2606:2800::1",
        "64:ff9b:1::1",
    ),
]
V4 = st.one_of(st.sampled_from([ip_address(one) for one in ODD if ":" not in one]), st.ip_addresses(v=4))
MAPPED = st.ip_addresses(v=4).map(lambda one: IPv6Address(int(one) | 0xFFFF << 32))
V6 = st.one_of(st.sampled_from([ip_address(one) for one in ODD if ":" in one]), MAPPED, st.ip_addresses(v=6))
ADDRESS = V4 | V6
PORT = st.sampled_from([0, 1, 53, 80, 443, 65535])
NETWORKS = [
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/8",
    "127.0.0.1/32",
    "127.0.0.0/8",
    "93.184.216.0/24",
    "::1/128",
    "fd00::/8",
    "2000::/3",
    "64:ff9b::/96",
]
GRANT = st.tuples(st.sampled_from(NETWORKS).map(ip_network), st.sampled_from([None, 53, 80]))
GRANTS = st.lists(GRANT, max_size=3)

INSIDE = [
    ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
        *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
        *("::/96", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
]
"""The special-purpose registries of IANA (RFC 6890 and after), and Azure's metadata: what no name may lead to by itself."""


def is_inside(address):
    """Whether it is one of those, or carries one (NAT64, RFC 6052; 6to4, RFC 3056)."""
    if address.version == 6:
        number = int(address)
        if address in IPv6Network("64:ff9b::/96"):
            return is_inside(IPv4Address(number & 0xFFFFFFFF))
        if address in IPv6Network("2002::/16"):
            return is_inside(IPv4Address(number >> 80 & 0xFFFFFFFF))
    return any(address in network for network in INSIDE if network.version == address.version)


def written(grants):
    def spell(network):
        return f"[{network}]" if network.version == 6 else str(network)

    return [f"{spell(network)}:{'*' if port is None else port}" for network, port in grants]


def covered(grants, address, port):
    return any(address.version == network.version and address in network and granted in (None, port) for network, granted in grants)


def is_mapped(address):
    return address in IPv6Network("::ffff:0:0/96") if address.version == 6 else False


def is_one(address):
    """Whether it is one host's, as an address of a socket's peer must be."""
    crowd = [IPv4Network("224.0.0.0/4"), IPv4Network("255.255.255.255/32"), IPv6Network("ff00::/8")]
    return int(address) != 0 and not any(address in network for network in crowd if network.version == address.version)


def spelled(address, port):
    return ipv4(str(address), port) if address.version == 4 else ipv6(str(address), port)


class Caught:
    """In the place of a socket's calls: what would have gone to the system."""

    def __init__(self, monkeypatch):
        self.seen = []
        for name, answer in (("connect_ex", 115), ("connect", None), ("bind", None)):
            monkeypatch.setattr(socket.socket, name, self._call(name, answer), raising=False)
        monkeypatch.setattr(
            socket.socket, "sendto", lambda _, data, where: self.seen.append(("sendto", where[:2])) or len(data), raising=False
        )

    def _call(self, name, answer):
        return lambda _, where: self.seen.append((name, where[:2])) or answer


@pytest.fixture
def caught(monkeypatch):
    return Caught(monkeypatch)


def ended(action):
    """None, or the error code an action ended in."""
    try:
        action()
    except WitError as error:
        return error.value
    return None


@many
@given(grants=GRANTS, family=st.sampled_from(["ipv4", "ipv6"]), address=ADDRESS, port=PORT)
def test_connections_go_where_the_oracle_says(caught, grants, family, address, port):
    one = Guest({"tcp": written(grants), "udp": ["0.0.0.0/0:*", "[::/0]:*"], "listen": ["0.0.0.0:*", "[::]:*"]})
    caught.seen.clear()
    code = ended(lambda: one.tcp("start-connect", one.socket(family), one.network(), spelled(address, port)))
    one.state.close()
    possible = (address.version == 4) == (family == "ipv4") and port != 0 and is_one(address) and not is_mapped(address)
    if possible and covered(grants, address, port):
        assert (code, caught.seen) == (None, [("connect_ex", (str(address), port))])
    else:
        assert caught.seen == []
        assert code == ("access-denied" if possible else "invalid-argument")
        assert len(one.denials) == (1 if possible else 0)


@many
@given(grants=GRANTS, address=ADDRESS, port=PORT, connected=st.booleans())
def test_datagrams_go_where_the_oracle_says(caught, grants, address, port, connected):
    one = Guest({"udp": written(grants), "tcp": ["0.0.0.0/0:*", "[::/0]:*"], "listen": ["0.0.0.0:*", "[::]:*"]})
    family = "ipv4" if address.version == 4 else "ipv6"
    sock = one("sockets/udp-create-socket", "create-udp-socket", family)
    one.method(
        "sockets/udp", "udp-socket.start-bind", sock, one.network(), spelled(ip_address("0.0.0.0" if address.version == 4 else "::"), 0)
    )
    one.method("sockets/udp", "udp-socket.finish-bind", sock)
    _, outgoing = one.method("sockets/udp", "udp-socket.stream", sock, None)
    one.method("sockets/udp", "outgoing-datagram-stream.check-send", outgoing)
    caught.seen.clear()
    if connected:
        code = ended(lambda: one.method("sockets/udp", "udp-socket.stream", sock, spelled(address, port)))
    else:
        datagram = OUTGOING(b"x", spelled(address, port))
        code = ended(lambda: one.method("sockets/udp", "outgoing-datagram-stream.send", outgoing, [datagram]))
    one.state.close()
    somebody = port != 0 and int(address) != 0 and not is_mapped(address)
    if somebody and is_one(address) and covered(grants, address, port):
        assert (code, caught.seen) == (None, [("connect" if connected else "sendto", (str(address), port))])
    else:
        assert caught.seen == []
        assert code == ("invalid-argument" if not somebody else "access-denied" if is_one(address) else "not-supported")


@many
@given(
    grants=GRANTS, sender=ADDRESS.filter(lambda one: not is_mapped(one)), port=PORT.filter(bool), peer=st.none() | st.tuples(ADDRESS, PORT)
)
def test_datagrams_are_heard_from_whom_the_oracle_says(grants, sender, port, peer):
    """Whatever the system hands over: the filter alone decides."""
    from ringfence.wasi.sockets.addresses import SocketAddress

    one = Guest({"udp": written(grants)})
    association = Association(one.state, None, "ipv4", None if peer is None else SocketAddress(*peer))
    heard = association._admits(SocketAddress(sender, port))
    assert heard == (covered(grants, sender, port) if peer is None else (sender, port) == peer)


@many
@given(grants=GRANTS, address=ADDRESS, port=PORT, kind=st.sampled_from(["tcp", "udp"]))
def test_sockets_are_bound_where_the_oracle_says(caught, grants, address, port, kind):
    one = Guest({"listen": written(grants), "tcp": ["0.0.0.0/0:*", "[::/0]:*"], "udp": ["0.0.0.0/0:*", "[::/0]:*"]})
    family = "ipv4" if address.version == 4 else "ipv6"
    sock = one(f"sockets/{kind}-create-socket", f"create-{kind}-socket", family)
    caught.seen.clear()
    code = ended(lambda: one.method(f"sockets/{kind}", f"{kind}-socket.start-bind", sock, one.network(), spelled(address, port)))
    one.state.close()
    possible = not is_mapped(address) and (int(address) == 0 or is_one(address))
    if int(address) == 0:
        every = [each for each in grants if each[0].prefixlen == 0]
        granted = port == 0 or covered(every, address, port)
    else:
        granted = covered([each for each in grants if port or each[1] is None], address, port)
    if possible and granted:
        assert (code, caught.seen) == (None, [("bind", (str(address), port))])
    else:
        assert caught.seen == []
        assert code == ("access-denied" if possible else "invalid-argument")


@many
@given(address=ADDRESS, grants=GRANTS, kind=st.sampled_from(["tcp", "udp"]), known=st.booleans())
def test_a_name_leads_only_outside(caught, address, grants, kind, known):
    """Rebinding: whatever a granted name is made to lead to, what lies inside needs a grant of its own."""
    one = Guest({kind: [*written(grants), "a.example:80"]})
    if known:
        one.state.names.remember("a.example", (address,))
    family = "ipv4" if address.version == 4 else "ipv6"
    sock = one(f"sockets/{kind}-create-socket", f"create-{kind}-socket", family)
    caught.seen.clear()
    if kind == "tcp":
        code = ended(lambda: one.tcp("start-connect", sock, one.network(), spelled(address, 80)))
    else:
        sock._phase = "bound"
        code = ended(lambda: one.method("sockets/udp", "udp-socket.stream", sock, spelled(address, 80)))
    one.state.close()
    if code is None and not covered(grants, address, 80):
        assert known
        assert not is_inside(address)
    if known and address in (ip_address("93.184.216.34"), ip_address("2606:2800::1"), ip_address("64:ff9b::808:808")):
        assert code is None


LABEL = st.text("abcdefxyz0179-_", min_size=1, max_size=8)
NAME = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
NUMBER = st.sampled_from(
    ["127.0.0.1", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "1.2.3.4.5", "256.1.1.1", "::1", "[::1]", "::ffff:1.2.3.4"]
)
SPELLING = st.one_of(
    NAME,
    NAME.map(str.upper),
    NAME.map(lambda name: f"{name}."),
    NAME.map(lambda name: f"{name}.a.example"),
    NAME.map(lambda name: f"{name}.a.example.evil"),
    NUMBER,
    NUMBER.map(lambda number: f"{number}."),
    st.sampled_from(
        [
            "a.example",
            "A.Example",
            "a.example.",
            "a.example..",
            "*.a.example",
            "a.example\0.evil",
            "a.example:80",
            "a。example",
            "ａ.example",
        ]
    ),
    st.text(max_size=12),
)


def oracle_of(text):
    """What a look-up of this text asks a resolver for, said in other words than the host's; None: nothing."""
    try:
        name = text.encode("ascii").decode().lower() if text.isascii() else text.encode("idna").decode().lower()
    except UnicodeError:
        return None
    name = name.removesuffix(".")
    if name == "a.example":
        return name
    return name if name.endswith(".b.example") and name != ".b.example" else None


@many
@given(text=SPELLING | SPELLING.map(lambda one: f"{one}.b.example"))
def test_a_resolver_is_asked_for_granted_names_only(text):
    """A look-up can carry a secret out: nothing that is not granted may be asked of anybody, in any spelling."""
    asked = []

    class Resolver:
        def ask(self, permit):
            asked.append(permit.request.name)
            return lookup.Answer(())

    one = Guest({"dns": ["a.example", "*.b.example"]})
    kept, lookup._RESOLVER = lookup._RESOLVER, Resolver()
    try:
        ended(lambda: one("sockets/ip-name-lookup", "resolve-addresses", one.network(), text))
    finally:
        lookup._RESOLVER = kept
        one.state.close()
    assert asked in ([], [oracle_of(text)])
    assert all(name.isascii() and name == name.lower() and "\0" not in name for name in asked)


@many
@given(
    text=NUMBER
    | st.ip_addresses().map(str)
    | st.ip_addresses().map(lambda one: one.exploded)
    | st.text("0123456789abcdefx.:[]%", max_size=18)
)
def test_an_address_as_text_is_read_as_the_standard_library_reads_it(text):
    one = Guest({})
    found = []

    def resolve():
        stream = one("sockets/ip-name-lookup", "resolve-addresses", one.network(), text)
        found.append(one.method("sockets/ip-name-lookup", "resolve-address-stream.resolve-next-address", stream))

    code = ended(resolve)
    one.state.close()
    bare = text[1:-1] if text.startswith("[") and ":" in text else text
    try:
        expected = ip_address(bare.removesuffix(".") if ":" not in bare else bare)
    except ValueError:
        expected = None
    if expected is not None and not is_mapped(expected) and "%" not in text and (bare == text or text.endswith("]")):
        assert found[0].value == tuple(expected.packed) if expected.version == 4 else found[0].name == "ipv6"
    if found and found[0].name == "ipv4":
        assert IPv4Address(bytes(found[0].value)) == IPv4Address(socket.inet_aton(text.removesuffix(".")))
    assert code in (None, "invalid-argument", "access-denied")
