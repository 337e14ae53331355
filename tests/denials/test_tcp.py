"""tcp, dns: a guest connects to what its edge names, and to nothing else. Each refusal has its granted control."""

import socket
import threading

import pytest
from ringfence import CapabilityDenied, GuestError


@pytest.fixture
def echo():
    """A server on loopback that says `hello` and hangs up; it counts its visitors."""

    class Echo:
        visits = 0

    listener = socket.create_server(("127.0.0.1", 0))
    server = Echo()
    server.port = listener.getsockname()[1]

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.visits += 1
            with connection:
                connection.recv(100)
                connection.sendall(b"hello")

    worker = threading.Thread(target=serve, daemon=True)
    worker.start()
    yield server
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    worker.join(5)


def test_without_a_grant_nothing_is_reached(probe, echo):
    with pytest.raises(CapabilityDenied) as denied:
        probe().call("probe.connect", "127.0.0.1", echo.port, "hi")
    assert echo.visits == 0
    (denial,) = denied.value.denials
    assert denial.node == "probe"
    assert denial.edge == "application -> probe"
    assert denial.value == f"127.0.0.1:{echo.port}"
    assert denial.allow == f'tcp: ["127.0.0.1:{echo.port}"]'
    assert isinstance(denied.value.__cause__, GuestError)


def test_with_the_grant_the_same_guest_succeeds(probe, echo):
    graph = probe(f'tcp: ["127.0.0.1:{echo.port}"]')
    assert graph.call("probe.connect", "127.0.0.1", echo.port, "hi") == "hello"


def test_another_port_is_refused(probe, echo):
    graph = probe('tcp: ["127.0.0.1:9"]')
    with pytest.raises(PermissionError):
        graph.call("probe.connect", "127.0.0.1", echo.port, "hi")
    assert echo.visits == 0


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"])
def test_an_odd_spelling_is_decided_by_the_address_it_denotes(probe, echo, host):
    refused, granted = probe('tcp: ["127.0.0.2:*"]'), probe(f'tcp: ["127.0.0.1:{echo.port}"]')
    with pytest.raises((CapabilityDenied, GuestError)):
        refused.call("probe.connect", host, echo.port, "hi")
    assert echo.visits == 0
    try:
        assert granted.call("probe.connect", host, echo.port, "hi") == "hello"
    except (CapabilityDenied, GuestError):
        assert echo.visits == 0  # a guest whose libc does not read this spelling looks up a name, which is not granted


@pytest.mark.parametrize("host", ["0.0.0.0", "::ffff:127.0.0.1", "::"])
def test_addresses_that_mean_others_are_invalid_even_when_granted(probe, echo, host):
    shown = f"[{host}]" if ":" in host else host
    for grant in ("", f'tcp: ["127.0.0.1:{echo.port}", "10.0.0.0/8:*"]'):
        with pytest.raises((CapabilityDenied, GuestError)) as failed:
            probe(grant).call("probe.connect", host, echo.port, "hi")
        assert shown not in str(getattr(failed.value, "denials", ""))
    assert echo.visits == 0


def test_localhost_needs_the_name_and_the_address(probe, echo):
    port = echo.port
    for grant in ('tcp: ["127.0.0.1:%d"]' % port, 'tcp: ["localhost:%d"]' % port):
        with pytest.raises(CapabilityDenied):
            probe(grant).call("probe.connect", "localhost", port, "hi")
    assert echo.visits == 0
    both = probe(f'tcp: ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}"]')
    assert both.call("probe.connect", "localhost", port, "hi") == "hello"


def test_looking_up_needs_a_grant(probe):
    with pytest.raises(CapabilityDenied):
        probe().call("probe.look-up", "localhost")
    assert "127.0.0.1" in probe("dns: [localhost]").call("probe.look-up", "localhost")


def test_listening_and_datagrams_are_refused(probe, echo):
    graph = probe(f'tcp: ["127.0.0.1:{echo.port}"]')
    for function, arguments in (("listen", (0,)), ("send-datagram", ("127.0.0.1", echo.port))):
        with pytest.raises((CapabilityDenied, GuestError)):
            graph.call(f"probe.{function}", *arguments)
