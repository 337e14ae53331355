"""wasi:sockets/ip-name-lookup: which names may be looked up, and where the answers lead. Only the resolver is faked."""

from __future__ import annotations

import socket
import threading
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from ringfence.contract.errors import DeadlineExceeded
from ringfence.contract.values import Case, WitError
from ringfence.wasi.sockets import lookup


@pytest.fixture
def answers(monkeypatch):
    """What names lead to; a name that is missing is unknown. Notes what was asked."""
    table: dict[str, list[str]] = {}
    asked: list[str] = []

    def getaddrinfo(name, *_, **__):
        asked.append(name.decode())
        if name.decode() not in table:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(0, 0, 0, "", (text, 0)) for text in table[name.decode()]]

    monkeypatch.setattr(lookup.socket, "getaddrinfo", getaddrinfo)
    table["asked"] = asked
    return table


def refused(code, function, *arguments):
    with pytest.raises(WitError) as failed:
        function(*arguments)
    assert failed.value.value == code


def test_a_name_needs_a_grant(guest, answers):
    answers["db.internal"] = ["93.184.216.34"]
    one = guest(dns=["other.internal"])
    refused("access-denied", one.resolve, "db.internal")
    assert answers["asked"] == [], "a refused look-up asks nobody"
    assert one.denials[0].allow == 'dns: ["db.internal"]'
    for grant in ({"dns": ["db.internal"]}, {"tcp": ["db.internal:5432"]}, {"dns": ["*.internal"]}):
        assert guest(**grant).resolve("DB.internal.") == [Case("ipv4", (93, 184, 216, 34))]


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "[::1]", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "１２７.0.0.1"])
def test_an_address_as_text_asks_nobody_and_needs_no_grant(guest, answers, text):
    one = guest()
    (found,) = one.resolve(text)
    assert found in (Case("ipv4", (127, 0, 0, 1)), Case("ipv6", (0, 0, 0, 0, 0, 0, 0, 1)))
    assert answers["asked"] == []
    assert one.denials == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "a..b",
        "-a",
        "a-",
        "a" * 64,
        "a." * 130 + "b",
        "a\0b",
        "a b",
        "127.0.0.1:80",
        "[::]:80",
        "http://a/",
        "a.b<&>",
        "::1%lo",
        "1.2.3.4.5",
        "a.1",
        "::ffff:127.0.0.1",
        "x" * 5000,
        "\ud800",
        "ü" * 200,
        "*.example",
        "a/../b",
        "a\r\nb",
    ],
)
def test_what_is_no_name_is_invalid_and_asks_nobody(guest, answers, text):
    one = guest(dns=["*.b", "*.example"])
    refused("invalid-argument", one.resolve, text)
    assert answers["asked"] == []


def test_an_international_name_is_decided_in_ascii(guest, answers):
    answers["xn--mnchen-3ya.example"] = ["93.184.216.34"]
    assert guest(dns=["xn--mnchen-3ya.example"]).resolve("MÜNCHEN.example")


def test_a_name_grants_the_public_addresses_it_led_to_and_no_others(guest, answers, at):
    answers["api.vendor.example"] = ["192.0.2.1", "1.1.1.1"]
    one = guest(tcp=["api.vendor.example:443"])
    refused("access-denied", one.connect, at("1.1.1.1", 443))
    one.resolve("api.vendor.example")
    sock = one.socket()
    one.tcp("start-connect", sock, one.network(), at("1.1.1.1", 443))  # started: that is all one can see without the internet
    refused("access-denied", one.connect, at("1.1.1.1", 80))
    assert one.denials[-1].allow == 'tcp: ["api.vendor.example:80"]'
    refused("access-denied", one.connect, at("1.1.1.2", 443))
    assert one.denials[-1].allow == 'tcp: ["1.1.1.2:443"]'


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "168.63.129.16",
        "192.0.0.192",
        "::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_what_is_not_public_behind_a_name_needs_its_own_grant(guest, answers, at, address):
    """A name's owner chooses where it leads: else any name granted could be turned against the host's own network."""
    answers["evil.example"] = [address]
    one = guest(tcp=["evil.example:*"])
    assert len(one.resolve("evil.example")) == 1
    refused("access-denied", one.connect, at(address, 80))
    assert "the name evil.example alone does not grant it" in one.denials[0].reason
    assert address.startswith("2001:0") or str(ip_address(address)) in one.denials[0].allow


def test_an_address_grant_is_still_needed_and_enough_for_localhost(guest, listener, at):
    port = listener.getsockname()[1]
    refused("access-denied", guest(tcp=[f"127.0.0.1:{port}"]).resolve, "localhost")
    one = guest(tcp=[f"localhost:{port}"])
    one.resolve("localhost")
    refused("access-denied", one.connect, at("127.0.0.1", port))
    both = guest(tcp=[f"localhost:{port}", f"127.0.0.1:{port}"])
    assert both.resolve("localhost") == [Case("ipv4", (127, 0, 0, 1))], "only what it may connect to"
    both.connect(at("127.0.0.1", port))


def test_a_mapped_answer_comes_as_ipv4(guest, answers):
    answers["a.example"] = ["::ffff:1.1.1.1", "1.1.1.1"]
    assert guest(dns=["a.example"]).resolve("a.example") == [Case("ipv4", (1, 1, 1, 1))]


def test_an_answer_is_good_for_a_while_and_asked_for_once(guest, answers, at, monkeypatch):
    answers["a.example"] = ["1.1.1.1"]
    one = guest(tcp=["a.example:443"])
    one.resolve("a.example")
    answers["a.example"] = ["127.0.0.1"]
    assert one.resolve("a.example") == [Case("ipv4", (1, 1, 1, 1))], "rebinding: the answer stays what it was"
    assert answers["asked"] == ["a.example"]
    now = time.monotonic()
    monkeypatch.setattr("ringfence.wasi.state.time.monotonic", lambda: now + 61)
    one.call.deadline += 100
    refused("access-denied", one.connect, at("1.1.1.1", 443))
    assert "more than 60s old" in one.denials[-1].reason


def test_unknown_names_are_unresolvable(guest, answers):
    refused("name-unresolvable", guest(dns=["nobody.example"]).resolve, "nobody.example")


def test_a_hanging_resolver_ends_at_the_deadline_and_its_threads_are_bounded(guest, monkeypatch):
    """getaddrinfo cannot be interrupted: it is abandoned, and a guest that asks again and again gets no more threads."""
    release = threading.Event()
    monkeypatch.setattr(lookup.socket, "getaddrinfo", lambda *_, **__: release.wait(10) and [])
    before = threading.active_count()
    try:
        with pytest.raises(DeadlineExceeded):
            guest(dns=["*.example"], deadline=0.2).resolve("slow.example")
        one = guest(dns=["*.example"])
        codes = []
        for number in range(100):
            try:
                one("sockets/ip-name-lookup", "resolve-addresses", one.network(), f"n{number % 50}.example")
            except WitError as error:
                codes.append(error.value)
        one.state.close()
        assert set(codes) == {"temporary-resolver-failure"}
        assert threading.active_count() - before <= 8
    finally:
        release.set()
        while lookup._RESOLVER._running:
            time.sleep(0.01)


def test_giving_up_a_look_up_leaves_nothing_behind(guest, monkeypatch):
    """A guest may ask and drop as often as it likes while one answer is on its way."""
    release = threading.Event()
    monkeypatch.setattr(lookup.socket, "getaddrinfo", lambda *_, **__: release.wait(10) and [])
    one = guest(dns=["*.example"], clocks=["monotonic"])
    network = one.network()
    try:
        for _ in range(20):
            stream = one("sockets/ip-name-lookup", "resolve-addresses", network, "slow.example")
            pollable = one.method("sockets/ip-name-lookup", "resolve-address-stream.subscribe", stream)
            timer = one("clocks/monotonic-clock", "subscribe-duration", 1000)
            assert one("io/poll", "poll", [pollable, timer]) == [1]
            for resource in (pollable, timer, stream):
                resource.close()
        (answer,) = lookup._RESOLVER._running.values()
        assert (answer._waiting, answer._waker) == (0, None)
        assert one.state.held == 1
    finally:
        release.set()
        while lookup._RESOLVER._running:
            time.sleep(0.01)


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_those_who_wait_for_one_answer_share_its_descriptors(guest, monkeypatch):
    """A guest may hold a thousand streams; two descriptors for each would leave the host without any."""
    release = threading.Event()
    monkeypatch.setattr(lookup.socket, "getaddrinfo", lambda *_, **__: release.wait(10) and [])
    one = guest(dns=["*.example"], clocks=["monotonic"])
    network = one.network()
    try:
        timer = one("clocks/monotonic-clock", "subscribe-duration", 1000)
        streams = [one("sockets/ip-name-lookup", "resolve-addresses", network, f"n{number % 4}.example") for number in range(200)]
        before = descriptors()
        for stream in streams:
            stream.interest()
        assert descriptors() - before <= 2 * 4
        pollable = one.method("sockets/ip-name-lookup", "resolve-address-stream.subscribe", streams[0])
        assert one("io/poll", "poll", [pollable, timer]) == [1]
        release.set()
        assert one("io/poll", "poll", [pollable]) == [0]
    finally:
        release.set()
        while lookup._RESOLVER._running:
            time.sleep(0.01)
