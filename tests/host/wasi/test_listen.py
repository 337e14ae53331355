"""wasi:sockets/tcp as a server: bound and listening only where a grant says so, and whoever comes is accepted."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from ringfence.contract.errors import DeadlineExceeded
from ringfence.contract.values import WitError
from ringfence.wasi.io import block
from ringfence.wasi.state import SOCKETS

ANYWHERE = ["0.0.0.0:*", "[::]:*"]


def refused(code, function, *arguments):
    with pytest.raises(WitError) as error:
        function(*arguments)
    assert error.value.value == code


def bound(one, address):
    sock = one.socket(address.name)
    one.tcp("start-bind", sock, one.network(), address)
    one.tcp("finish-bind", sock)
    return sock


def listening(one, address):
    sock = bound(one, address)
    one.tcp("start-listen", sock)
    one.tcp("finish-listen", sock)
    return sock


def place(one, sock):
    value = one.tcp("local-address", sock).value
    return (".".join(map(str, value.address)) if len(value.address) == 4 else "::1", value.port)


def accept(one, sock):
    block(one.call, sock)
    return one.tcp("accept", sock)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_granted_listener_serves_whoever_connects(guest, at, address):
    """Accepting needs no grant for the peer: who may reach the place is not the guest's choice."""
    one = guest(listen=[f"[{address}]:*" if ":" in address else f"{address}:*"])
    server = listening(one, at(address, 0))
    assert one.tcp("is-listening", server) is True
    assert one.tcp("is-listening", one.socket()) is False
    with socket.create_connection(place(one, server), timeout=5) as peer:
        sock, reader, writer = accept(one, server)
        peer.sendall(b"hello")
        assert one.reads("blocking-read", reader, 10) == b"hello"
        one.writes("blocking-write-and-flush", writer, b"good day")
        assert peer.recv(20) == b"good day"
        assert one.tcp("remote-address", sock).value.port == peer.getsockname()[1]
        assert one.tcp("local-address", sock) == one.tcp("local-address", server)
        refused("invalid-state", one.tcp, "accept", sock)
    assert one.denials == []


@pytest.mark.parametrize(
    ("grants", "address", "port", "granted"),
    [
        ([], "127.0.0.1", 0, False),
        (["127.0.0.1:8080"], "127.0.0.1", 0, False),
        (["127.0.0.1:*"], "127.0.0.1", 0, True),
        (["127.0.0.1:*"], "127.0.0.2", 0, False),
        (["127.0.0.1:*"], "0.0.0.0", 8080, False),
        (["127.0.0.0/8:*"], "127.0.0.2", 0, True),
        (["0.0.0.0:*"], "127.0.0.1", 0, True),
        (["0.0.0.0:*"], "::1", 0, False),
        (["[::]:*"], "::1", 0, True),
    ],
)
def test_what_may_be_bound_is_what_is_granted(guest, at, grants, address, port, granted):
    one = guest(listen=grants)
    if granted:
        bound(one, at(address, port))
        assert one.denials == []
        return
    refused("access-denied", bound, one, at(address, port))
    (denial,) = one.denials
    assert (denial.kind, denial.operation) == ("listen", "bind to")
    assert denial.allow.startswith("listen: [")


def test_a_grant_to_connect_is_none_to_be_connected_to(guest, at):
    one = guest(tcp=["0.0.0.0/0:*"], udp=["0.0.0.0/0:*"])
    refused("access-denied", bound, one, at("127.0.0.1", 0))
    sock = bound(one, at("0.0.0.0", 0))
    refused("access-denied", one.tcp, "start-listen", sock)
    assert [denial.operation for denial in one.denials] == ["bind to", "listen on"]
    assert one.denials[1].allow == 'listen: ["0.0.0.0:*"]'
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", one.tcp("local-address", sock).value.port), timeout=5)


def test_without_a_grant_no_port_of_the_host_is_taken(guest, at):
    one = guest(udp=["0.0.0.0/0:*"])
    sock = bound(one, at("0.0.0.0", 0))
    assert one.tcp("local-address", sock) == at("0.0.0.0", 0)
    refused("access-denied", one.tcp, "start-listen", sock)
    refused("access-denied", one.tcp, "start-connect", sock, one.network(), at("127.0.0.1", 9))
    assert one.tcp("local-address", sock) == at("0.0.0.0", 0)


def test_a_listener_may_not_connect_out_of_its_own_accord(guest, listener, at):
    one = guest(listen=ANYWHERE)
    target = at("127.0.0.1", listener.getsockname()[1])
    refused("access-denied", one.tcp, "start-connect", one.socket(), one.network(), target)
    refused("access-denied", one.tcp, "start-connect", bound(one, at("127.0.0.1", 0)), one.network(), target)
    assert {denial.kind for denial in one.denials} == {"tcp"}


def test_every_state_refuses_what_is_not_its_own(guest, at):
    one = guest(listen=ANYWHERE, tcp=["127.0.0.1:*"])
    sock, network = one.socket(), one.network()
    refused("invalid-state", one.tcp, "start-listen", sock)
    refused("not-in-progress", one.tcp, "finish-listen", sock)
    one.tcp("start-bind", sock, network, at("127.0.0.1", 0))
    for name in ("start-listen", "accept"):
        refused("concurrency-conflict", one.tcp, name, sock)
    one.tcp("finish-bind", sock)
    refused("not-in-progress", one.tcp, "finish-listen", sock)
    one.tcp("start-listen", sock)
    assert one.tcp("is-listening", sock) is False
    for name in ("start-listen", "accept"):
        refused("concurrency-conflict", one.tcp, name, sock)
    refused("concurrency-conflict", one.tcp, "start-connect", sock, network, at("127.0.0.1", 9))
    one.tcp("finish-listen", sock)
    for name, arguments in (
        ("start-listen", ()),
        ("start-connect", (network, at("127.0.0.1", 9))),
        ("start-bind", (network, at("127.0.0.1", 0))),
        ("shutdown", ("both",)),
        ("remote-address", ()),
    ):
        refused("invalid-state", one.tcp, name, sock, *arguments)
    for name in ("finish-bind", "finish-listen", "finish-connect"):
        refused("not-in-progress", one.tcp, name, sock)
    refused("would-block", one.tcp, "accept", sock)


@pytest.mark.parametrize("address", ["224.0.0.1", "255.255.255.255", "::1", "::ffff:127.0.0.1"])
def test_what_no_socket_can_be_bound_to_is_invalid_even_where_granted(guest, at, address):
    one = guest(listen=ANYWHERE)
    family = "ipv6" if address == "::ffff:127.0.0.1" else "ipv4"
    refused("invalid-argument", one.tcp, "start-bind", one.socket(family), one.network(), at(address, 0))
    assert one.denials == []


def test_what_the_system_refuses_is_said_in_the_specifications_words(guest, at):
    one = guest(listen=ANYWHERE)
    refused("address-not-bindable", bound, one, at("192.0.2.1", 0))
    server = listening(one, at("127.0.0.1", 0))
    refused("address-in-use", bound, one, one.tcp("local-address", server))


def test_waiting_for_someone_to_accept_ends_at_the_deadline(guest, at):
    one = guest(listen=ANYWHERE, deadline=0.2)
    server = listening(one, at("127.0.0.1", 0))
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        accept(one, server)
    assert time.monotonic() - began < 2


def test_another_thread_runs_while_one_waits_to_accept(guest, at):
    one = guest(listen=ANYWHERE)
    server = listening(one, at("127.0.0.1", 0))
    where = place(one, server)
    peers = []
    client = threading.Timer(0.1, lambda: peers.append(socket.create_connection(where, timeout=5)))
    client.start()
    pollable = one.tcp("subscribe", server)
    assert one.method("io/poll", "pollable.ready", pollable) is False
    one.method("io/poll", "pollable.block", pollable)
    one.tcp("accept", server)
    client.join(5)
    peers[0].close()


def test_accepted_sockets_count_and_the_rest_waits(guest, at):
    """A flood of connections must not take the host's descriptors: what is not accepted waits in the kernel, bounded."""
    one = guest(listen=ANYWHERE)
    server = listening(one, at("127.0.0.1", 0))
    taken = [one.socket() for _ in range(SOCKETS - 1)]
    with socket.create_connection(place(one, server), timeout=5):
        block(one.call, server)
        refused("new-socket-limit", one.tcp, "accept", server)
        taken.pop().close()
        accepted = one.tcp("accept", server)
        refused("new-socket-limit", one.socket)
        for part in accepted:
            part.close()
        one.socket()


def test_options_are_handed_on_to_what_is_accepted(guest, at):
    one = guest(listen=ANYWHERE)
    server = bound(one, at("127.0.0.1", 0))
    chosen = {"keep-alive-enabled": True, "keep-alive-count": 5, "keep-alive-idle-time": 7_000_000_000, "hop-limit": 42}
    for name, value in chosen.items():
        one.tcp(f"set-{name}", server, value)
    one.tcp("set-listen-backlog-size", server, (1 << 64) - 1)
    refused("invalid-argument", one.tcp, "set-listen-backlog-size", server, 0)
    one.tcp("start-listen", server)
    one.tcp("finish-listen", server)
    one.tcp("set-listen-backlog-size", server, 1)
    with socket.create_connection(place(one, server), timeout=5):
        sock, _, _ = accept(one, server)
        assert {name: one.tcp(name, sock) for name in chosen} == chosen
        refused("invalid-state", one.tcp, "set-listen-backlog-size", sock, 1)


def test_options_are_handed_on_where_the_system_does_not(guest, at, monkeypatch):
    """Systems differ in what an accepted socket takes over from its listener."""
    one = guest(listen=ANYWHERE)
    server = bound(one, at("127.0.0.1", 0))
    one.tcp("set-hop-limit", server, 42)
    one.tcp("start-listen", server)
    one.tcp("finish-listen", server)
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_connection(other.getsockname()):
        fresh = other.accept()
        assert fresh[0].getsockopt(socket.IPPROTO_IP, socket.IP_TTL) != 42
        monkeypatch.setattr(socket.socket, "accept", lambda _: fresh)
        sock, _, _ = one.tcp("accept", server)
        assert one.tcp("hop-limit", sock) == 42


def test_every_ipv6_address_is_no_ipv4_address(guest, at):
    """Some systems take connections by IPv4 on `::`, too, unless they are told not to."""
    one = guest(listen=["[::]:*"])
    _, port = place(one, listening(one, at("::", 0)))
    socket.create_connection(("::1", port), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_port_can_be_bound_again_at_once(guest, at):
    one = guest(listen=ANYWHERE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        where = at(*free.getsockname())
    server = listening(one, where)
    with socket.create_connection(place(one, server), timeout=5):
        parts = accept(one, server)
        for part in (*parts, server):
            part.close()  # the server's side closes first, so that its port lingers (TIME_WAIT)
    listening(one, where)


def test_nothing_listens_after_the_instance_has_ended(guest, at):
    one = guest(listen=ANYWHERE)
    where = place(one, listening(one, at("127.0.0.1", 0)))
    socket.create_connection(where, timeout=5).close()
    one.state.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=5)
