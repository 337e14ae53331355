"""What guests have open is half of what the process may have, whatever kind it is: the host needs the rest."""

import gc
import socket
from pathlib import Path

import pytest
from ringfence.contract.values import WitError
from ringfence.wasi.state import DESCRIPTORS

ROOM = 12


@pytest.fixture(autouse=True)
def few(monkeypatch):
    gc.collect()
    already = DESCRIPTORS._open  # what earlier tests of this process still hold
    monkeypatch.setattr("ringfence.wasi.state._most_descriptors", lambda: 2 * (already + ROOM))


def opened():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def fails(code, function, *arguments):
    with pytest.raises(WitError) as failed:
        function(*arguments)
    assert failed.value.value == code


def test_sockets_of_several_instances_count_together(guest):
    one, other = guest(tcp=["127.0.0.1:1"]), guest(udp=["127.0.0.1:1"])
    made = [one.socket() for _ in range(ROOM - 1)]
    last = other("sockets/udp-create-socket", "create-udp-socket", "ipv4")
    fails("new-socket-limit", one.socket)
    fails("new-socket-limit", other, "sockets/udp-create-socket", "create-udp-socket", "ipv4")
    last.close()
    assert one.socket(), "the control: one that was given back"
    assert len(made) == ROOM - 1


def test_what_cannot_be_counted_is_not_accepted(guest, at):
    """Whoever connected is let go of, and the listener goes on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    one = guest(listen=[f"127.0.0.1:{port}"])
    listening = one.socket()
    one.tcp("start-bind", listening, one.network(), at("127.0.0.1", port))
    for step in ("finish-bind", "start-listen", "finish-listen"):
        one.tcp(step, listening)
    others = [one.socket() for _ in range(ROOM - 1)]
    with socket.create_connection(("127.0.0.1", port)) as caller:
        fails("new-socket-limit", one.tcp, "accept", listening)
        caller.settimeout(5)
        assert caller.recv(1) == b""
    others[0].close()
    with socket.create_connection(("127.0.0.1", port)):
        assert one.tcp("accept", listening), "the control"


def test_a_listing_counts_all_that_it_has_open(guest, tmp_path):
    (tmp_path / "data").mkdir()
    before = opened()
    one = guest(files=[{"path": "data"}], beside=tmp_path)
    root = one.preopened()["/data"]
    held = [one.file("read-directory", root)]
    with pytest.raises(WitError, match="insufficient-memory"):
        while True:
            held.append(one.file("read-directory", root))
    assert opened() - before <= ROOM + 1, "the folder's own, which the graph has open"
