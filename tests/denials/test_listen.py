"""listen: a guest is bound and connected to where its edge says, and nowhere else. Each refusal has its granted control."""

import socket
import threading
import time
from contextlib import suppress

import pytest
from ringfence import CapabilityDenied, DeadlineExceeded, GuestError


@pytest.fixture
def port():
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def is_closed(port, host="127.0.0.1"):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), timeout=5)
    return True


def visit(port, text, host="127.0.0.1"):
    """Connect as soon as somebody listens, say it, and give back the answer, in a thread; ask for it by `result`."""

    class Visit(threading.Thread):
        answer = None

        def run(self):
            until = time.monotonic() + 10
            while time.monotonic() < until:
                with suppress(ConnectionRefusedError), socket.create_connection((host, port), timeout=5) as connection:
                    connection.sendall(text)
                    connection.shutdown(socket.SHUT_WR)
                    self.answer = connection.recv(100)
                    return
                time.sleep(0.01)

        def result(self):
            self.join(15)
            return self.answer

    one = Visit(daemon=True)
    one.start()
    return one


def test_without_a_grant_nothing_listens(speaker, port):
    for grant in ("", f'tcp: ["127.0.0.1:{port}"], udp: ["127.0.0.1:{port}"]'):
        with pytest.raises(CapabilityDenied) as denied:
            speaker(grant).call("speaker.serve", "ipv4", "127.0.0.1", port)
        (denial,) = denied.value.denials
        assert (denial.kind, denial.operation, denial.value) == ("listen", "bind to", f"127.0.0.1:{port}")
        assert denial.allow == f'listen: ["127.0.0.1:{port}"]'
    assert is_closed(port)


def test_with_the_grant_the_same_guest_serves(speaker, port):
    for grant in (f"127.0.0.1:{port}", "127.0.0.0/8:*", f"0.0.0.0:{port}"):
        visitor = visit(port, b"good day")
        assert speaker(f'listen: ["{grant}"]').call("speaker.serve", "ipv4", "127.0.0.1", port) == "good day"
        assert visitor.result() == b"hello"


@pytest.mark.parametrize(
    ("family", "host"), [("ipv4", "0.0.0.0"), ("ipv4", "127.0.0.2"), ("ipv6", "::1"), ("ipv6", "::"), ("ipv6", "::ffff:127.0.0.1")]
)
def test_one_address_is_no_other_and_not_all_of_them(speaker, port, family, host):
    with pytest.raises((CapabilityDenied, GuestError)):
        speaker(f'listen: ["127.0.0.1:{port}"]').call("speaker.serve", family, host, port)
    assert is_closed(port)


@pytest.mark.parametrize("ask", [0, None])
def test_one_port_is_no_other_and_none_of_the_systems_choice(speaker, port, ask):
    with pytest.raises(CapabilityDenied) as denied:
        speaker(f'listen: ["127.0.0.1:{port}"]').call("speaker.squat", "127.0.0.1", port - 1 if ask is None else ask)
    assert denied.value.denials[0].allow == f'listen: ["127.0.0.1:{"*" if ask == 0 else port - 1}"]'
    assert speaker('listen: ["127.0.0.1:*"]').call("speaker.squat", "127.0.0.1", 0) > 0


def test_a_socket_that_was_bound_nowhere_does_not_listen_either(speaker):
    """What every outgoing connection may have, a port of the system's choice, must not become a server's."""
    with pytest.raises((CapabilityDenied, GuestError)):
        speaker('tcp: ["127.0.0.1:*"]').call("speaker.serve-anywhere")


def test_nothing_listens_any_more_once_the_call_is_over(speaker):
    graph = speaker('listen: ["127.0.0.1:*"]')
    assert is_closed(graph.call("speaker.squat", "127.0.0.1", 0))
    pooled = speaker('listen: ["127.0.0.1:*"]', instances="pooled")
    port = pooled.call("speaker.squat", "127.0.0.1", 0)
    socket.create_connection(("127.0.0.1", port), timeout=5).close()  # its instance lives on
    pooled.close()
    assert is_closed(port)


def test_a_server_may_not_call_out(speaker, port):
    """Nor may it call itself: both need a grant of where to."""
    graph = speaker('listen: ["0.0.0.0:*"]')
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(CapabilityDenied) as denied:
            graph.call("speaker.talk", "ipv4", "127.0.0.1", other.getsockname()[1], "hi")
        assert denied.value.denials[0].kind == "tcp"


def test_waiting_for_a_visitor_ends_at_the_deadline(speaker, port):
    graph = speaker(f'listen: ["127.0.0.1:{port}"]', limits="deadline: 500ms")
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        graph.call("speaker.serve", "ipv4", "127.0.0.1", port)
    assert time.monotonic() - began < 5
    assert is_closed(port)
