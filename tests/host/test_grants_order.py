"""What grants mean, as laws: covers is a partial order for every kind, admits is covers after exactly, a form survives its round trip."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.contract import grants
from ringfence.contract.grants import KINDS, Policy, admits, hosts
from ringfence.contract.grants.clocks import ReadClock
from ringfence.contract.grants.dns import Lookup
from ringfence.contract.grants.env import Variable
from ringfence.contract.grants.files import ACCESS, FILES, UseFile
from ringfence.contract.grants.listen import Bind
from ringfence.contract.grants.random import GetRandom
from ringfence.contract.grants.stdio import UseStdin, UseStdout
from ringfence.contract.grants.tcp import TCP, Connect
from ringfence.contract.grants.udp import Exchange

LABEL = st.sampled_from(["a", "b", "db", "x-1", "_srv"])
NAME = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
PATTERN = st.tuples(st.booleans(), NAME).map(lambda pair: f"*.{pair[1]}" if pair[0] else pair[1])
V4 = st.one_of(
    st.ip_addresses(v=4), st.sampled_from([ip_address(text) for text in ("10.0.0.1", "127.0.0.1", "93.184.216.34", "169.254.169.254")])
)
V6 = st.one_of(st.ip_addresses(v=6), st.sampled_from([ip_address(text) for text in ("::1", "fd00::1", "2606:2800::1", "fe80::1")]))
ADDRESS = st.one_of(V4, V6).filter(lambda one: not hosts.refusal(one))
PORT = st.integers(1, 65535)
FEW_PORTS = st.sampled_from([80, 443])


def _network(address, prefix):
    return ip_network((address, min(prefix, address.max_prefixlen)), strict=False)


NETWORK = st.builds(_network, ADDRESS, st.sampled_from([0, 1, 8, 16, 31, 32, 64, 128])).filter(lambda one: not hosts._unreachable(one))
ENDPOINT = st.builds(
    lambda host, port: f"{host if isinstance(host, str) else hosts.show_host(host)}:{port}",
    st.one_of(PATTERN, NETWORK),
    st.one_of(FEW_PORTS, st.just("*")),
)
LOCAL = st.builds(
    lambda host, port: f"{host if isinstance(host, str) else hosts.show_host(host)}:{port}",
    st.one_of(st.sampled_from(["0.0.0.0", "[::]"]), NETWORK),
    st.one_of(FEW_PORTS, st.just("*")),
)
BOUND = st.one_of(ADDRESS, st.sampled_from([ip_address("0.0.0.0"), ip_address("::")]))
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
VARIABLE = st.sampled_from(["A", "PGPASSWORD", "_x"])

NAME_OF_FILE = st.sampled_from(["a", "b.c", "sub", "x*y", "[?]", "ä", ".hidden", "a\\b"])
FILE = st.lists(NAME_OF_FILE, min_size=1, max_size=4).map("/".join)
PART = st.sampled_from(["*", "**", "a", "sub", "*.c", "b.*", "*a*", "x[*]y"])
GLOB = st.lists(PART, min_size=1, max_size=4).map("/".join)
LOCKS = st.lists(GLOB, min_size=1, max_size=2)
SOME_ACCESS = st.lists(st.sampled_from(ACCESS), min_size=1, max_size=4)
FILE_GRANT = st.fixed_dictionaries(
    {"path": st.sampled_from(["data", "../data", "data/in"]), "as": st.sampled_from(["/data", "/other"])},
    optional={"match": st.lists(GLOB, min_size=1, max_size=3), "access": SOME_ACCESS, "hardlinks": st.booleans(), "lock": LOCKS},
)

STREAM_FILES = [{"file": "in.txt"}, {"file": "../b ü.txt"}]
FORMS = {
    "files": st.lists(FILE_GRANT, min_size=1, max_size=2, unique_by=lambda one: one["as"]),
    "tcp": st.lists(ENDPOINT, min_size=1, max_size=4),
    "udp": st.lists(ENDPOINT, min_size=1, max_size=4),
    "listen": st.lists(LOCAL, min_size=1, max_size=4),
    "dns": st.lists(PATTERN, min_size=1, max_size=4),
    "env": st.dictionaries(VARIABLE, st.none() | TEXT, min_size=1).map(
        lambda chosen: [name if value is None else {name: value} for name, value in chosen.items()]
    ),
    "args": st.lists(TEXT, min_size=1, max_size=3),
    "stdin": st.sampled_from(["inherit", *STREAM_FILES]),
    "stdout": st.sampled_from(["inherit", "log", "discard", *STREAM_FILES]),
    "stderr": st.sampled_from(["inherit", "log", "discard", *STREAM_FILES]),
    "clocks": st.one_of(
        st.lists(st.sampled_from(["monotonic", "wall"]), min_size=1, max_size=2),
        st.datetimes(min_value=datetime(1970, 1, 1)).map(lambda when: {"frozen": when.isoformat() + "Z"}),  # noqa: DTZ001 -- hypothesis wants it naive
    ),
    "random": st.one_of(st.just("secure"), st.one_of(TEXT, st.integers()).map(lambda seed: {"seeded": seed})),
    "application": st.just("values"),
}
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
kinds = pytest.mark.parametrize("kind", KINDS)


def some(kind):
    return FORMS[kind].map(KINDS[kind].parse).flatmap(st.sampled_from)


def test_every_kind_is_tested():
    assert FORMS.keys() == KINDS.keys()


@kinds
@steady
@given(data=st.data())
def test_covers_is_a_partial_order(kind, data):
    covers = KINDS[kind].covers
    one, two, three = (data.draw(some(kind)) for _ in range(3))
    assert covers(one, one)
    assert not (covers(one, two) and covers(two, one)) or one == two
    assert not (covers(one, two) and covers(two, three)) or covers(one, three)


@kinds
@steady
@given(data=st.data())
def test_a_form_survives_its_round_trip(kind, data):
    parsed = KINDS[kind].parse(data.draw(FORMS[kind]))
    again = KINDS[kind].form(parsed)
    assert KINDS[kind].parse(again) == parsed
    assert KINDS[kind].form(KINDS[kind].parse(again)) == again
    assert Policy.bind({kind: again}).of(kind) == parsed


@kinds
@steady
@given(data=st.data())
def test_a_grant_can_be_worded_without_its_secrets(kind, data):
    (secret,) = ("s3cr3t-value",)
    grant = data.draw(some(kind))
    assert KINDS[kind].wording(grant)
    assert secret not in repr(KINDS["env"].parse([{"A": secret}])) + repr(KINDS["args"].parse([secret]))


LOCKED = st.just(()) | LOCKS.map(lambda written: FILES.parse([{"path": "data", "lock": written}])[0].lock)
REQUEST = st.one_of(
    st.builds(Connect, ADDRESS, FEW_PORTS, st.none() | NAME),
    st.builds(Exchange, ADDRESS, FEW_PORTS, st.none() | NAME),
    st.builds(Bind, BOUND, FEW_PORTS | st.just(0), st.sampled_from(["bind to", "listen on"])),
    st.builds(Lookup, NAME),
    st.builds(Variable, VARIABLE, st.none() | TEXT),
    st.builds(ReadClock, st.sampled_from(["monotonic", "wall"])),
    st.builds(GetRandom, st.none() | TEXT),
    st.sampled_from([UseStdin(), UseStdin("file", "in.txt")]),
    st.sampled_from([UseStdout("inherit"), UseStdout("log"), UseStdout("file", "../b ü.txt")]),
    st.builds(
        UseFile,
        path=st.just("data"),
        target=st.just("/data"),
        name=FILE,
        access=SOME_ACCESS.map(frozenset),
        reach=st.sampled_from(["entry", "way", "tree"]),
        hardlinks=st.booleans(),
        lock=LOCKED,
    ),
    st.builds(
        UseFile,
        path=st.just("data"),
        target=st.just("/data"),
        name=FILE,
        access=st.sampled_from([frozenset({"read"}), frozenset({"write"})]),
        lock=LOCKED,
        locks=st.just(value=True),
    ),
)
POLICY = st.fixed_dictionaries({}, optional=FORMS).map(Policy.bind)


@steady
@given(policy=POLICY, request=REQUEST)
def test_admits_is_covers_after_exactly(policy, request):
    kind = KINDS[request.kind]
    assert admits(policy, request) == any(kind.covers(grant, kind.exactly(request)) for grant in policy.of(request.kind))


@steady
@given(request=REQUEST)
def test_what_is_suggested_admits_and_nothing_does_without(request):
    """The denial's remedy is right, and it alone opens the gate."""
    import yaml

    assert not admits(Policy.bind({}), request)
    suggested = yaml.safe_load(KINDS[request.kind].suggest(request))
    if getattr(request, "set_to", None) is None and getattr(request, "seed", None) is None:
        assert admits(Policy.bind(suggested), request)


@steady
@given(policy=POLICY, narrower=POLICY, request=REQUEST)
def test_a_policy_covered_by_another_admits_no_more(policy, narrower, request):
    kind = KINDS[request.kind]
    covered = all(any(kind.covers(wide, narrow) for wide in policy.of(request.kind)) for narrow in narrower.of(request.kind))
    if covered and admits(narrower, request):
        assert admits(policy, request)


remotes = pytest.mark.parametrize(("kind", "request_of"), [("tcp", Connect), ("udp", Exchange)])


@remotes
@steady
@given(network=NETWORK, address=ADDRESS, port=PORT, granted=st.none() | PORT)
def test_networks_agree_with_ipaddress(kind, request_of, network, address, port, granted):
    policy = Policy.bind({kind: [f"{hosts.show_host(network)}:{'*' if granted is None else granted}"]})
    expected = address.version == network.version and address in network and granted in (None, port)
    assert admits(policy, request_of(address, port)) == expected


@remotes
@steady
@given(address=ADDRESS, port=FEW_PORTS, name=NAME, pattern=PATTERN)
def test_a_name_never_grants_a_private_address(kind, request_of, address, port, name, pattern):
    policy = Policy.bind({kind: [f"{pattern}:*"]})
    if admits(policy, request_of(address, port, name)):
        assert address.is_global
        assert not address.is_private
        assert KINDS[kind].covers(policy.of(kind)[0], KINDS[kind].exactly(request_of(address, port, name)))
    assert not admits(policy, request_of(address, port)), "without the name it is an address like any other"


@steady
@given(network=NETWORK, address=BOUND, port=st.just(0) | PORT, granted=st.none() | PORT)
def test_what_may_be_bound_agrees_with_ipaddress(network, address, port, granted):
    """The unspecified address is every address: only a grant of every one covers it. Port 0 is any port."""
    policy = Policy.bind({"listen": [f"{hosts.show_host(network)}:{'*' if granted is None else granted}"]})
    inside = address.version == network.version and address in network and (not address.is_unspecified or network.prefixlen == 0)
    assert admits(policy, Bind(address, port)) == (inside and (granted is None or (port != 0 and granted == port)))


@steady
@given(address=BOUND, port=PORT)
def test_listening_everywhere_is_listening_anywhere(address, port):
    policy = Policy.bind({"listen": [f"{'0.0.0.0' if address.version == 4 else '[::]'}:{port}"]})
    assert admits(policy, Bind(address, port))
    assert not admits(policy, Bind(address, 0)), "which port the system takes, it does not say"


@pytest.mark.parametrize("kind", ["tcp", "udp", "listen"])
def test_no_kind_of_endpoint_opens_another(kind):
    """To reach a place, to exchange datagrams with it and to be it are three things."""
    policy = Policy.bind({kind: ["127.0.0.1:80"]})
    address = ip_address("127.0.0.1")
    asked = {"tcp": Connect(address, 80), "udp": Exchange(address, 80), "listen": Bind(address, 80)}
    assert [name for name, request in asked.items() if admits(policy, request)] == [kind]


@steady
@given(text=st.text(max_size=20), port=st.text(max_size=6))
def test_any_text_is_a_grant_or_a_located_error(text, port):
    try:
        (grant,) = TCP.parse([f"{text}:{port}"])
    except ExceptionGroup as group:
        (error,) = group.exceptions
        assert error.path == "[0]"
        assert error.message.isascii()
        assert error.message.isprintable()
    else:
        assert TCP.parse([str(grant)]) == (grant,)


def test_what_is_inert_is_opened_by_no_kind():
    for interface in grants.INERT:
        assert grants.kinds_of(interface) == ()
        assert grants.kind_of(interface) is None
