"""udp: a guest exchanges datagrams with whom its edge names, and with nobody else. Each refusal has its granted control."""

import socket
import threading
import time

import pytest
from ringfence import CapabilityDenied, DeadlineExceeded, GuestError

SILENCE = 0.05


@pytest.fixture
def echo():
    """A host that answers what it is told, loudly; it counts what it hears."""

    class Echo:
        heard = 0

    host = Echo()
    host.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    host.socket.bind(("127.0.0.1", 0))
    host.socket.settimeout(SILENCE)
    host.port = host.socket.getsockname()[1]
    over = threading.Event()

    def serve():
        while not over.is_set():
            try:
                data, sender = host.socket.recvfrom(1000)
            except TimeoutError:
                continue
            host.heard += 1
            host.socket.sendto(data.upper(), sender)

    worker = threading.Thread(target=serve, daemon=True)
    worker.start()
    yield host
    over.set()
    worker.join(5)
    host.socket.close()


def stays_silent(echo):
    time.sleep(4 * SILENCE)
    return echo.heard == 0


@pytest.mark.parametrize("way", ["tell", "tell-peer"])
def test_without_a_grant_nobody_is_spoken_to_and_with_it_the_same_guest_is_answered(speaker, echo, way):
    for grant in ("", f'tcp: ["127.0.0.1:{echo.port}"]', 'listen: ["0.0.0.0:*"]', "dns: [localhost]"):
        with pytest.raises(CapabilityDenied) as denied:
            speaker(grant).call(f"speaker.{way}", "ipv4", "127.0.0.1", echo.port, "hi")
        (denial,) = denied.value.denials
        assert denial.kind == "udp"
        assert denial.allow == f'udp: ["127.0.0.1:{echo.port}"]'
    assert stays_silent(echo)
    assert speaker(f'udp: ["127.0.0.1:{echo.port}"]').call(f"speaker.{way}", "ipv4", "127.0.0.1", echo.port, "hi") == "HI"


@pytest.mark.parametrize("way", ["tell", "tell-peer"])
@pytest.mark.parametrize("grant", ["127.0.0.1:9", "127.0.0.2:*", "10.0.0.0/8:*", "[::1]:*", "localhost:*"])
def test_another_place_is_refused(speaker, echo, way, grant):
    with pytest.raises(CapabilityDenied):
        speaker(f'udp: ["{grant}"]').call(f"speaker.{way}", "ipv4", "127.0.0.1", echo.port, "hi")
    assert stays_silent(echo)


@pytest.mark.parametrize(("family", "host"), [("ipv4", "0.0.0.0"), ("ipv6", "::ffff:127.0.0.1"), ("ipv6", "::"), ("ipv6", "::127.0.0.1")])
def test_addresses_that_mean_others_lead_nowhere_even_where_they_are_granted(speaker, echo, family, host):
    """Linux sends what goes to 0.0.0.0 to itself."""
    graph = speaker(f'udp: ["127.0.0.1:{echo.port}", "10.0.0.0/8:*", "[::/0]:9"]')
    for way in ("tell", "tell-peer"):
        with pytest.raises((CapabilityDenied, GuestError)):
            graph.call(f"speaker.{way}", family, host, echo.port, "hi")
    assert stays_silent(echo)


@pytest.mark.parametrize("host", ["255.255.255.255", "224.0.0.1", "127.255.255.255"])
def test_nobody_shouts(speaker, host):
    with pytest.raises(GuestError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as everybody:
        everybody.bind(("0.0.0.0", 0))
        speaker('udp: ["0.0.0.0/0:*"]').call("speaker.shout", host, everybody.getsockname()[1])


def test_strangers_are_not_heard(speaker):
    """A guest that waits at a place of its own hears those that are granted, and never learns of others."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as friend,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free,
    ):
        for one in (friend, stranger, free):
            one.bind(("127.0.0.1", 0))
        here = free.getsockname()
        free.close()
        over = threading.Event()

        def speak():
            while not over.wait(0.01):
                stranger.sendto(b"psst", here)
                friend.sendto(b"hello", here)
                stranger.sendto(b"end", here)
                friend.sendto(b"end", here)

        worker = threading.Thread(target=speak, daemon=True)
        worker.start()
        try:
            both = f'"127.0.0.1:{friend.getsockname()[1]}", "127.0.0.1:{stranger.getsockname()[1]}"'
            own = f'listen: ["127.0.0.1:{here[1]}"]'
            heard = speaker(f'udp: ["127.0.0.1:{friend.getsockname()[1]}"], {own}').call("speaker.hear", *here)
            assert set(heard) == {"hello", "end"}
            assert "psst" in speaker(f"udp: [{both}], {own}").call("speaker.hear", *here), "who is granted is heard"
            with pytest.raises(CapabilityDenied) as denied:
                speaker(f"udp: [{both}]").call("speaker.hear", *here)
            assert denied.value.denials[0].allow == own
        finally:
            over.set()
            worker.join(5)


def test_waiting_for_an_answer_ends_at_the_deadline(speaker):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        port = mute.getsockname()[1]
        graph = speaker(f'udp: ["127.0.0.1:{port}"]', limits="deadline: 500ms")
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            graph.call("speaker.tell", "ipv4", "127.0.0.1", port, "hi")
        assert time.monotonic() - began < 5
