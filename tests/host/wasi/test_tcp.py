"""wasi:sockets/tcp on real sockets: what is not granted is refused before a packet leaves, what is granted works, state by state."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest
from ringfence.contract.errors import DeadlineExceeded, Interrupted
from ringfence.contract.values import WitError
from ringfence.gate import Permit
from ringfence.wasi.state import SOCKETS


def port_of(listener):
    return listener.getsockname()[1]


def refused(code, function, *arguments):
    with pytest.raises(WitError) as failed:
        function(*arguments)
    assert failed.value.value == code


def silent(listener):
    """That nobody came."""
    listener.settimeout(0.05)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_a_granted_connection_carries_bytes_both_ways(guest, listener, at):
    one = guest(tcp=[f"127.0.0.1:{port_of(listener)}"])
    sock, reader, writer = one.connect(at("127.0.0.1", port_of(listener)))
    peer, _ = listener.accept()
    with peer:
        one.writes("blocking-write-and-flush", writer, b"hello")
        assert peer.recv(10) == b"hello"
        peer.sendall(b"world")
        assert one.reads("blocking-read", reader, 1 << 63) == b"world"
        assert one.reads("read", reader, 10) == b""
        assert one.tcp("remote-address", sock) == at("127.0.0.1", port_of(listener))
        assert one.tcp("local-address", sock).value.port == peer.getpeername()[1]
        peer.shutdown(socket.SHUT_WR)
        with pytest.raises(WitError) as ended:
            one.reads("blocking-read", reader, 1)
        assert ended.value.value.name == "closed"
        with pytest.raises(WitError):
            one.reads("read", reader, 0)
        one.tcp("shutdown", sock, "send")
        assert peer.recv(10) == b""
    assert one.denials == []


@pytest.mark.parametrize(
    "grant", [{}, {"tcp": ["127.0.0.1:1"]}, {"tcp": ["127.0.0.2:*"]}, {"tcp": ["[::1]:*", "*.example:*"]}, {"dns": ["localhost"]}]
)
def test_what_is_not_granted_is_refused_and_recorded(guest, listener, at, grant):
    one, port = guest(**grant), port_of(listener)
    refused("access-denied", one.connect, at("127.0.0.1", port))
    silent(listener)
    (denial,) = one.denials
    assert (denial.node, denial.edge, denial.value, denial.where) == (
        "vendor",
        "application -> vendor",
        f"127.0.0.1:{port}",
        "graph.yaml:7",
    )
    assert denial.allow == f'tcp: ["127.0.0.1:{port}"]'
    assert f'grant:\n      tcp: ["127.0.0.1:{port}"]' in str(denial)


@pytest.mark.parametrize("tcp", [[], ["0.0.0.0/0:*", "[::/0]:*"]])
@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("0.0.0.0", 80),
        ("::", 80),
        ("::ffff:127.0.0.1", 80),
        ("127.0.0.1", 0),
        ("::1", 0),
        ("224.0.0.1", 80),
        ("255.255.255.255", 80),
        ("ff02::1", 80),
    ],
)
def test_invalid_addresses_are_invalid_whatever_is_granted(guest, at, tcp, address, port):
    one = guest(tcp=tcp)
    refused("invalid-argument", one.connect, at(address, port))
    assert one.denials == [], "a mistake is no attempt"


def test_an_address_of_the_other_family_is_invalid(guest, at):
    one = guest(tcp=["0.0.0.0/0:*", "[::/0]:*"])
    refused("invalid-argument", one.tcp, "start-connect", one.socket("ipv6"), one.network(), at("127.0.0.1", 80))
    refused("invalid-argument", one.tcp, "start-connect", one.socket("ipv4"), one.network(), at("::1", 80))


def test_a_network_grant_and_ipv6_work(guest, at):
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with listener:
        one = guest(tcp=["[::/64]:*"])
        sock, _, _ = one.connect(at("::1", port_of(listener)))
        assert one.tcp("remote-address", sock) == at("::1", port_of(listener))
        assert one.tcp("address-family", sock) == "ipv6"


def test_a_refused_connection_is_an_error_and_ends_the_socket(guest, at):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = port_of(gone)
    one = guest(tcp=["127.0.0.1:*"])
    sock = one.socket()
    one.tcp("start-connect", sock, one.network(), at("127.0.0.1", port))
    one("io/poll", "poll", [one.tcp("subscribe", sock)])
    refused("connection-refused", one.tcp, "finish-connect", sock)
    refused("invalid-state", one.tcp, "start-connect", sock, one.network(), at("127.0.0.1", port))
    refused("not-in-progress", one.tcp, "finish-connect", sock)
    refused("invalid-state", one.tcp, "hop-limit", sock)


def test_a_reset_is_an_error_with_its_code_once_and_closed_after(guest, listener, at):
    one = guest(tcp=["127.0.0.1:*"])
    _, reader, _ = one.connect(at("127.0.0.1", port_of(listener)))
    peer, _ = listener.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    with pytest.raises(WitError) as failed:
        one.reads("blocking-read", reader, 10)
    assert failed.value.value.name == "last-operation-failed"
    error = failed.value.value.value
    assert one("sockets/network", "network-error-code", error) == "connection-reset"
    assert one("filesystem/types", "filesystem-error-code", error) is None
    assert "connection-reset" in one.method("io/error", "error.to-debug-string", error)
    with pytest.raises(WitError) as after:
        one.reads("read", reader, 10)
    assert after.value.value.name == "closed"


def test_a_slow_reader_holds_the_writer_back_and_nothing_is_lost(guest, listener, at):
    one = guest(tcp=["127.0.0.1:*"])
    sock, _, writer = one.connect(at("127.0.0.1", port_of(listener)))
    one.tcp("set-send-buffer-size", sock, 4096)
    peer, _ = listener.accept()
    sent = bytearray()
    while allowed := one.writes("check-write", writer):
        piece = bytes([len(sent) // 4096 % 251]) * min(allowed, 50_000)
        one.writes("write", writer, piece)
        sent += piece
    received = bytearray()

    def drain():
        time.sleep(0.05)
        while data := peer.recv(1 << 16):
            received.extend(data)

    thread = threading.Thread(target=drain)
    thread.start()
    pollable = one.writes("subscribe", writer)
    assert one.method("io/poll", "pollable.ready", pollable) is False
    one.method("io/poll", "pollable.block", pollable)
    assert one.writes("check-write", writer) > 0
    one.writes("blocking-flush", writer)
    one.state.close()
    thread.join(5)
    peer.close()
    assert received == sent


def test_a_shutdown_behind_unsent_bytes_loses_none(guest, listener, at):
    """The last bytes wait for the peer; the guest does something else meanwhile."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one = guest(tcp=["127.0.0.1:*"], clocks=["monotonic"])
    sock, _, writer = one.connect(at("127.0.0.1", port_of(listener)))
    one.tcp("set-send-buffer-size", sock, 4096)
    peer, _ = listener.accept()
    total = 0
    while not writer._pending and (allowed := one.writes("check-write", writer)):
        one.writes("write", writer, b"x" * allowed)
        total += allowed
    one.tcp("shutdown", sock, "send")
    with pytest.raises(WitError):
        one.writes("check-write", writer)
    writer.close()
    sock.close()
    assert one.state.lingering
    received = []
    thread = threading.Thread(target=lambda: [received.append(data) for data in iter(lambda: peer.recv(1 << 16), b"")])
    thread.start()
    one.method("io/poll", "pollable.block", one("clocks/monotonic-clock", "subscribe-duration", 500_000_000))
    thread.join(5)
    peer.close()
    assert sum(map(len, received)) == total
    assert one.state.lingering == []


def test_a_peer_that_never_answers_ends_at_the_deadline(guest, listener, at):
    one = guest(tcp=["127.0.0.1:*"], deadline=0.2)
    _, reader, _ = one.connect(at("127.0.0.1", port_of(listener)))
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        one.reads("blocking-read", reader, 10)
    assert time.monotonic() - began < 1


def test_an_interrupt_ends_a_wait(guest, listener, at):
    one = guest(tcp=["127.0.0.1:*"])
    _, reader, _ = one.connect(at("127.0.0.1", port_of(listener)))
    threading.Timer(0.1, one.call.root.interrupt, [Interrupted("enough")]).start()
    with pytest.raises(Interrupted):
        one.reads("blocking-read", reader, 10)


def test_only_the_wildcard_may_be_bound_and_nothing_listens(guest, listener, at):
    one = guest(tcp=["127.0.0.1:*"])
    sock, network = one.socket(), one.network()
    refused("invalid-state", one.tcp, "local-address", sock)
    refused("not-in-progress", one.tcp, "finish-bind", sock)
    for address, port in (("127.0.0.1", 0), ("0.0.0.0", 8080)):
        refused("access-denied", one.tcp, "start-bind", sock, network, at(address, port))
    for address in ("224.0.0.1", "::1"):
        refused("invalid-argument", one.tcp, "start-bind", sock, network, at(address, 0))
    assert [denial.kind for denial in one.denials] == ["listen", "listen"]
    refused("invalid-state", one.tcp, "start-listen", sock)
    one.tcp("start-bind", sock, network, at("0.0.0.0", 0))
    refused("concurrency-conflict", one.tcp, "start-connect", sock, network, at("127.0.0.1", port_of(listener)))
    one.tcp("finish-bind", sock)
    assert one.tcp("local-address", sock).value.port > 0
    refused("access-denied", one.tcp, "start-listen", sock)
    refused("invalid-state", one.tcp, "accept", sock)
    refused("not-in-progress", one.tcp, "finish-listen", sock)
    assert one.tcp("is-listening", sock) is False
    one.tcp("start-connect", sock, network, at("127.0.0.1", port_of(listener)))
    one.method("io/poll", "pollable.block", one.tcp("subscribe", sock))
    one.tcp("finish-connect", sock)
    refused("invalid-state", one.tcp, "start-connect", sock, network, at("127.0.0.1", port_of(listener)))
    refused("invalid-state", one.tcp, "start-bind", sock, network, at("0.0.0.0", 0))


def test_sockets_are_counted_and_given_back(guest):
    one = guest()
    sockets = [one.socket() for _ in range(SOCKETS)]
    refused("new-socket-limit", one.socket)
    sockets.pop().close()
    one.socket()


def test_the_connection_lives_until_its_last_part_is_dropped(guest, listener, at):
    one = guest(tcp=["127.0.0.1:*"])
    sock, reader, writer = one.connect(at("127.0.0.1", port_of(listener)))
    peer, _ = listener.accept()
    with peer:
        pollable = one.reads("subscribe", reader)
        sock.close()
        one.writes("blocking-write-and-flush", writer, b"still here")
        assert peer.recv(20) == b"still here"
        writer.close()
        assert one.state.sockets == 1
        reader.close()
        assert one.state.sockets == 0
        assert peer.recv(20) == b""
        assert one.method("io/poll", "pollable.ready", pollable) is True, "a view of something dropped never blocks"


def test_options_hold_what_was_set_and_zero_is_invalid(guest):
    one = guest()
    for family in ("ipv4", "ipv6"):
        sock = one.socket(family)
        one.tcp("set-keep-alive-enabled", sock, True)
        assert one.tcp("keep-alive-enabled", sock) is True
        one.tcp("set-hop-limit", sock, 42)
        assert one.tcp("hop-limit", sock) == 42
        one.tcp("set-keep-alive-idle-time", sock, 1)
        assert one.tcp("keep-alive-idle-time", sock) == 1_000_000_000
        for name in (
            "keep-alive-idle-time",
            "keep-alive-interval",
            "keep-alive-count",
            "hop-limit",
            "receive-buffer-size",
            "send-buffer-size",
        ):
            refused("invalid-argument", one.tcp, f"set-{name}", sock, 0)
            if name != "hop-limit":
                one.tcp(f"set-{name}", sock, (1 << 32) - 1)
            assert one.tcp(name, sock) > 0


def test_only_the_gate_makes_permits(guest):
    with pytest.raises(TypeError):
        Permit(guest().call, None, key=object())


def test_a_flow_label_that_no_system_has_is_an_invalid_argument(guest, at):
    """WIT gives flow-info 32 bits, RFC 6437 twenty: Python's OverflowError must not come out of a guest's call."""
    one = guest(tcp=["[::1]:*"])
    address = at("::1", 9)
    for label in (1 << 20, 2**32 - 1):
        wide = type(address)("ipv6", type(address.value)(9, label, address.value.address, 0))
        refused("invalid-argument", one.tcp, "start-connect", one.socket("ipv6"), one.network(), wide)
        refused("invalid-argument", one.tcp, "start-bind", one.socket("ipv6"), one.network(), wide)
