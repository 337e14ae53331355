"""wasi:sockets/udp: datagrams go to granted hosts and come from them, and nobody else is heard or spoken to."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from ringfence.contract.errors import DeadlineExceeded, GuestTrap
from ringfence.contract.values import WitError, record_class
from ringfence.wasi.io import block
from ringfence.wasi.state import SOCKETS

OUTGOING = record_class(("data", "remote-address"))


def refused(code, function, *arguments):
    with pytest.raises(WitError) as error:
        function(*arguments)
    assert error.value.value == code


def udp(one, name, this, *arguments):
    return one.method("sockets/udp", f"udp-socket.{name}", this, *arguments)


def new(one, family="ipv4"):
    return one("sockets/udp-create-socket", "create-udp-socket", family)


def bound(one, address):
    sock = new(one, address.name)
    udp(one, "start-bind", sock, one.network(), address)
    udp(one, "finish-bind", sock)
    return sock


def send(one, stream, *datagrams):
    assert one.method("sockets/udp", "outgoing-datagram-stream.check-send", stream) > 0
    return one.method("sockets/udp", "outgoing-datagram-stream.send", stream, [OUTGOING(*each) for each in datagrams])


def receive(one, stream, most=100):
    return one.method("sockets/udp", "incoming-datagram-stream.receive", stream, most)


def arrived(one, stream):
    block(one.call, stream)
    return [one.data for one in receive(one, stream)]


@pytest.fixture
def peers():
    """Makes sockets of the outside world, with a time-out."""
    made = []

    def make(address="127.0.0.1"):
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 0))
        sock.settimeout(5)
        made.append(sock)
        return sock

    yield make
    for sock in made:
        sock.close()


def port_of(sock):
    return sock.getsockname()[1]


def here(one, sock):
    """Where the guest's socket is reached from this machine."""
    address = udp(one, "local-address", sock)
    return ("::1" if address.name == "ipv6" else "127.0.0.1", address.value.port)


@pytest.mark.parametrize(("address", "anywhere"), [("127.0.0.1", "0.0.0.0"), ("::1", "::")])
def test_a_granted_host_is_spoken_to_and_heard(guest, peers, at, address, anywhere):
    peer = peers(address)
    one = guest(udp=[f"[{address}]:{port_of(peer)}" if ":" in address else f"{address}:{port_of(peer)}"])
    sock = bound(one, at(anywhere, 0))
    incoming, outgoing = udp(one, "stream", sock, None)
    assert send(one, outgoing, (b"hello", at(address, port_of(peer))), (b"", at(address, port_of(peer)))) == 2
    assert peer.recvfrom(10)[0] == b"hello"
    assert peer.recvfrom(10)[0] == b""
    peer.sendto(b"good day", here(one, sock))
    block(one.call, incoming)
    (datagram,) = receive(one, incoming)
    assert (datagram.data, datagram.remote_address) == (b"good day", at(address, port_of(peer)))
    assert receive(one, incoming) == []


def test_others_are_neither_spoken_to_nor_heard(guest, peers, at):
    """Not with a peer, not without one, not by another port of the same host, and not what came before the peer was chosen."""
    friend, stranger = peers(), peers()
    one = guest(udp=[f"127.0.0.1:{port_of(friend)}"])
    sock = bound(one, at("0.0.0.0", 0))
    there = at("127.0.0.1", port_of(stranger))
    incoming, outgoing = udp(one, "stream", sock, None)
    refused("access-denied", send, one, outgoing, (b"x", there))
    refused("access-denied", udp, one, "stream", sock, there)
    assert [denial.value for denial in one.denials] == [f"127.0.0.1:{port_of(stranger)}"]
    assert one.denials[0].allow == f'udp: ["127.0.0.1:{port_of(stranger)}"]'
    for _ in range(200):
        stranger.sendto(b"psst", here(one, sock))
    friend.sendto(b"hello", here(one, sock))
    assert arrived(one, incoming) == [b"hello"]
    assert len(one.denials) == 1, "what others send is no doing of the guest"
    stranger.sendto(b"psst", here(one, sock))
    connected, _ = udp(one, "stream", sock, at("127.0.0.1", port_of(friend)))
    friend.sendto(b"again", here(one, sock))
    assert arrived(one, connected) == [b"again"]
    stranger.settimeout(0.05)
    with pytest.raises(TimeoutError):
        stranger.recvfrom(10)


def test_a_peer_is_the_only_one_even_where_others_are_granted(guest, peers, at):
    friend, other = peers(), peers()
    one = guest(udp=["127.0.0.0/8:*"])
    sock = bound(one, at("0.0.0.0", 0))
    other.sendto(b"early", here(one, sock))
    incoming, outgoing = udp(one, "stream", sock, at("127.0.0.1", port_of(friend)))
    other.sendto(b"late", here(one, sock))
    friend.sendto(b"hello", here(one, sock))
    assert arrived(one, incoming) == [b"hello"]
    refused("invalid-argument", send, one, outgoing, (b"x", at("127.0.0.1", port_of(other))))
    assert send(one, outgoing, (b"1", None), (b"2", at("127.0.0.1", port_of(friend)))) == 2
    assert friend.recvfrom(10)[0] + friend.recvfrom(10)[0] == b"12"
    incoming, outgoing = udp(one, "stream", sock, None)
    other.sendto(b"hello", here(one, sock))
    assert arrived(one, incoming) == [b"hello"], "without a peer all that are granted are heard again, at the same port"
    refused("invalid-argument", send, one, outgoing, (b"x", None))


def test_without_a_grant_no_port_of_the_host_is_taken(guest, peers, at):
    one = guest(tcp=["0.0.0.0/0:*"])
    sock = bound(one, at("0.0.0.0", 0))
    assert udp(one, "local-address", sock) == at("0.0.0.0", 0)
    _, outgoing = udp(one, "stream", sock, None)
    refused("access-denied", send, one, outgoing, (b"x", at("127.0.0.1", port_of(peers()))))
    assert one.denials[0].kind == "udp"
    assert udp(one, "local-address", sock) == at("0.0.0.0", 0)


def test_a_place_of_its_own_needs_a_listen_grant(guest, at):
    one = guest(udp=["0.0.0.0/0:*"])
    for address, port in (("127.0.0.1", 0), ("0.0.0.0", 5353), ("127.0.0.1", 5353)):
        refused("access-denied", bound, one, at(address, port))
    assert {denial.kind for denial in one.denials} == {"listen"}
    granted = guest(udp=["0.0.0.0/0:*"], listen=["127.0.0.1:*"])
    assert udp(granted, "local-address", bound(granted, at("127.0.0.1", 0))).value.port > 0
    assert granted.denials == []


def test_a_bound_place_hears_only_granted_hosts(guest, peers, at):
    friend, stranger = peers(), peers()
    one = guest(udp=[f"127.0.0.1:{port_of(friend)}"], listen=["127.0.0.1:*"])
    sock = bound(one, at("127.0.0.1", 0))
    incoming, _ = udp(one, "stream", sock, None)
    stranger.sendto(b"psst", here(one, sock))
    friend.sendto(b"hello", here(one, sock))
    assert arrived(one, incoming) == [b"hello"]


@pytest.mark.parametrize(
    ("address", "port", "code"),
    [
        ("0.0.0.0", 9, "invalid-argument"),
        ("127.0.0.1", 0, "invalid-argument"),
        ("::1", 9, "invalid-argument"),
        ("255.255.255.255", 9, "not-supported"),
        ("224.0.0.251", 5353, "not-supported"),
    ],
)
def test_what_is_no_single_host_is_refused_even_where_all_are_granted(guest, at, address, port, code):
    one = guest(udp=["0.0.0.0/0:*", "[::/0]:*"])
    sock = bound(one, at("0.0.0.0", 0))
    _, outgoing = udp(one, "stream", sock, None)
    refused(code, send, one, outgoing, (b"x", at(address, port)))
    refused(code, udp, one, "stream", sock, at(address, port))
    assert one.denials == []


@pytest.mark.parametrize(("address", "code"), [("::ffff:127.0.0.1", "invalid-argument"), ("ff02::fb", "not-supported")])
def test_the_same_in_ipv6(guest, at, address, code):
    one = guest(udp=["0.0.0.0/0:*", "[::/0]:*"], listen=["[::]:*"])
    sock = bound(one, at("::", 0))
    refused(code, udp, one, "stream", sock, at(address, 9))
    refused("invalid-argument", bound, one, at(address, 0))


def test_a_subnets_broadcast_address_is_refused_by_the_system(guest, at):
    """Which address a subnet uses for broadcast, nobody here knows, but the kernel, which wants an option for it that no guest can set."""
    one = guest(udp=["127.0.0.0/8:*"])
    sock = bound(one, at("0.0.0.0", 0))
    _, outgoing = udp(one, "stream", sock, None)
    refused("access-denied", send, one, outgoing, (b"x", at("127.255.255.255", 9)))


def test_every_state_refuses_what_is_not_its_own(guest, at):
    one = guest(udp=["127.0.0.1:*"])
    sock, network = new(one), one.network()
    for name, arguments in (("stream", (None,)), ("local-address", ()), ("remote-address", ())):
        refused("invalid-state", udp, one, name, sock, *arguments)
    refused("not-in-progress", udp, one, "finish-bind", sock)
    udp(one, "start-bind", sock, network, at("0.0.0.0", 0))
    refused("concurrency-conflict", udp, one, "start-bind", sock, network, at("0.0.0.0", 0))
    refused("invalid-state", udp, one, "stream", sock, None)
    udp(one, "finish-bind", sock)
    refused("invalid-state", udp, one, "start-bind", sock, network, at("0.0.0.0", 0))
    refused("invalid-state", udp, one, "remote-address", sock)
    udp(one, "stream", sock, at("127.0.0.1", 9))
    assert udp(one, "remote-address", sock) == at("127.0.0.1", 9)
    assert udp(one, "address-family", sock) == "ipv4"


def test_only_the_latest_streams_work(guest, at):
    one = guest(udp=["127.0.0.1:*"])
    sock = bound(one, at("0.0.0.0", 0))
    incoming, outgoing = udp(one, "stream", sock, at("127.0.0.1", 9))
    udp(one, "stream", sock, None)
    refused("invalid-state", receive, one, incoming)
    refused("invalid-state", send, one, outgoing, (b"x", None))
    for stream, name in ((incoming, "incoming"), (outgoing, "outgoing")):
        assert one.method("io/poll", "pollable.ready", one.method("sockets/udp", f"{name}-datagram-stream.subscribe", stream)) is True


def test_sending_more_than_permitted_traps(guest, peers, at):
    one, peer = guest(udp=["127.0.0.1:*"]), peers()
    _, outgoing = udp(one, "stream", bound(one, at("0.0.0.0", 0)), at("127.0.0.1", port_of(peer)))
    sends = "outgoing-datagram-stream.send"
    with pytest.raises(GuestTrap):
        one.method("sockets/udp", sends, outgoing, [OUTGOING(b"x", None)])
    allowed = one.method("sockets/udp", "outgoing-datagram-stream.check-send", outgoing)
    assert one.method("sockets/udp", sends, outgoing, []) == 0
    with pytest.raises(GuestTrap):
        one.method("sockets/udp", sends, outgoing, [OUTGOING(b"x", None)])
    one.method("sockets/udp", "outgoing-datagram-stream.check-send", outgoing)
    with pytest.raises(GuestTrap):
        one.method("sockets/udp", sends, outgoing, [OUTGOING(b"x", None)] * (allowed + 1))
    peer.settimeout(0.05)
    with pytest.raises(TimeoutError):
        peer.recvfrom(10)


def test_what_went_before_an_error_is_counted(guest, peers, at):
    one, peer = guest(udp=["127.0.0.1:*"]), peers()
    _, outgoing = udp(one, "stream", bound(one, at("0.0.0.0", 0)), None)
    friend = at("127.0.0.1", port_of(peer))
    assert send(one, outgoing, (b"1", friend), (b"2", at("10.0.0.1", 9)), (b"3", friend)) == 1
    assert [denial.value for denial in one.denials] == ["10.0.0.1:9"]
    refused("datagram-too-large", send, one, outgoing, (b"x" * 65_536, friend))
    assert peer.recvfrom(10)[0] == b"1"
    peer.settimeout(0.05)
    with pytest.raises(TimeoutError):
        peer.recvfrom(10)


def test_a_closed_port_is_told_of_once(guest, peers, at):
    peer = peers()
    port = port_of(peer)
    peer.close()
    one = guest(udp=["127.0.0.1:*"])
    incoming, outgoing = udp(one, "stream", bound(one, at("0.0.0.0", 0)), at("127.0.0.1", port))
    send(one, outgoing, (b"x", None))
    block(one.call, incoming)
    refused("connection-refused", receive, one, incoming)
    assert receive(one, incoming) == []


def test_waiting_for_a_datagram_ends_at_the_deadline_though_strangers_keep_sending(guest, peers, at):
    """Dropping what others send must not become a way to hold the host."""
    one = guest(udp=["10.0.0.1:9"], deadline=0.4)
    sock = bound(one, at("0.0.0.0", 0))
    incoming, _ = udp(one, "stream", sock, None)
    stranger, enough = peers(), threading.Event()

    def flood():
        while not enough.is_set():
            stranger.sendto(b"x" * 1000, here(one, sock))

    worker = threading.Thread(target=flood)
    worker.start()
    began = time.monotonic()
    try:
        with pytest.raises(DeadlineExceeded):
            block(one.call, incoming)
        assert time.monotonic() - began < 5
        assert receive(one, incoming) == []
    finally:
        enough.set()
        worker.join(5)


def test_no_flood_keeps_the_host_from_looking_at_the_clock(guest, peers, at):
    """A network may be faster than the host: between two looks at the deadline, a bounded number is dropped."""

    class Flood:
        taken = 0

        def recvfrom(self, _length, _flags=0):
            self.taken += 1
            return b"", ("127.0.0.1", 9)

    one = guest(udp=["10.0.0.1:9"])
    incoming, _ = udp(one, "stream", bound(one, at("0.0.0.0", 0)), None)
    flood, association = Flood(), incoming._association
    association.wire = type("Wire", (), {"socket": flood})()
    assert incoming.ready() is False
    assert receive(one, incoming) == []
    assert 0 < flood.taken < 1000


def test_receives_are_bounded_whatever_is_asked_for(guest, peers, at):
    one, peer = guest(udp=["127.0.0.1:*"]), peers()
    sock = bound(one, at("0.0.0.0", 0))
    incoming, _ = udp(one, "stream", sock, None)
    for _ in range(40):
        peer.sendto(b"x", here(one, sock))
    block(one.call, incoming)
    assert receive(one, incoming, 0) == []
    assert len(receive(one, incoming, (1 << 64) - 1)) == 16
    assert len(receive(one, incoming, 3)) == 3


def test_the_socket_lives_until_its_last_part_is_dropped(guest, peers, at):
    one, peer = guest(udp=["127.0.0.1:*"]), peers()
    sock = bound(one, at("0.0.0.0", 0))
    incoming, outgoing = udp(one, "stream", sock, at("127.0.0.1", port_of(peer)))
    sock.close()
    assert send(one, outgoing, (b"still here", None)) == 1
    incoming.close()
    assert one.state.sockets == 1
    outgoing.close()
    assert one.state.sockets == 0
    taken = [new(one) for _ in range(SOCKETS)]
    refused("new-socket-limit", new, one)
    assert len(taken) == SOCKETS


def test_options_hold_what_was_set_and_zero_is_invalid(guest):
    one = guest()
    for family in ("ipv4", "ipv6"):
        sock = new(one, family)
        udp(one, "set-unicast-hop-limit", sock, 42)
        assert udp(one, "unicast-hop-limit", sock) == 42
        for name, largest in (("unicast-hop-limit", 255), ("receive-buffer-size", (1 << 64) - 1), ("send-buffer-size", (1 << 64) - 1)):
            refused("invalid-argument", udp, one, f"set-{name}", sock, 0)
            udp(one, f"set-{name}", sock, largest)
            assert udp(one, name, sock) > 0


def test_a_public_name_is_spoken_to_for_a_while(guest, at, monkeypatch):
    """A name grants what it led to in this instance; behind it, what is not public needs a grant of its address too."""
    one = guest(udp=["a.example:9"])
    sock = bound(one, at("0.0.0.0", 0))
    public, private = socket.inet_aton("93.184.216.34"), socket.inet_aton("127.0.0.1")
    from ipaddress import IPv4Address

    one.state.names.remember("a.example", (IPv4Address(public), IPv4Address(private)))
    udp(one, "stream", sock, at("93.184.216.34", 9))
    refused("access-denied", udp, one, "stream", sock, at("93.184.216.34", 10))
    refused("access-denied", udp, one, "stream", sock, at("127.0.0.1", 9))
    assert "a.example alone does not grant it" in one.denials[-1].reason
    later = time.monotonic() + 3600
    monkeypatch.setattr("ringfence.wasi.state.time.monotonic", lambda: later)
    refused("access-denied", udp, one, "stream", sock, at("93.184.216.34", 9))
    assert "old" in one.denials[-1].reason
