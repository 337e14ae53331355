"""How grants are written: what is right, and for what is wrong the place, the reason and the remedy."""

from __future__ import annotations

import pytest
from ringfence import wasi
from ringfence.contract import grants
from ringfence.contract.grants import KINDS, Policy
from ringfence.objects import serving


def errors_of(forms):
    with pytest.raises(ExceptionGroup) as wrong:
        Policy.bind(forms)
    return {one.path: f"{one.message} | {one.hint}" for one in wrong.value.exceptions}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("127.0.0.1:8017", "127.0.0.1:8017"),
        ("127.0.0.1/32:8017", "127.0.0.1:8017"),
        ("DB.Internal.:5432", "db.internal:5432"),
        ("*.Vendor.example:443", "*.vendor.example:443"),
        ("10.0.0.0/8:*", "10.0.0.0/8:*"),
        ("[0:0::1]:80", "[::1]:80"),
        ("[fd00::/8]:80", "[fd00::/8]:80"),
        ("xn--mnchen-3ya.de:1", "xn--mnchen-3ya.de:1"),
        ("localhost:65535", "localhost:65535"),
        ("_srv.x:1", "_srv.x:1"),
    ],
)
def test_tcp_and_udp_are_kept_in_one_spelling(written, canonical):
    for kind in ("tcp", "udp"):
        assert KINDS[kind].form(KINDS[kind].parse([written])) == [canonical]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("127.0.0.0/8:*", "127.0.0.0/8:*"),
        ("[0::1]:*", "[::1]:*"),
        ("0.0.0.0:443", "0.0.0.0:443"),
        ("0.0.0.0/0:443", "0.0.0.0:443"),
        ("[::]:443", "[::]:443"),
        ("[0::0]:443", "[::]:443"),
        ("[::/0]:443", "[::]:443"),
    ],
)
def test_listen_is_kept_in_one_spelling(written, canonical):
    assert KINDS["listen"].form(KINDS["listen"].parse([written])) == [canonical]


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("localhost:80", "write an address of this machine"),
        ("*.a.example:80", "write an address of this machine"),
        ("*:80", "a wildcard stands at the front"),
        ("127.1:80", "write 127.0.0.1"),
        ("224.0.0.1:80", "it is refused"),
        ("255.255.255.255:80", "it is refused"),
        ("[::ffff:127.0.0.1]:80", "it is refused"),
        ("[ff02::1]:80", "it is refused"),
        ("127.0.0.1:0", "from 1 to 65535"),
        ("127.0.0.1", "db.internal:5432"),
        (8080, "such as"),
    ],
)
def test_a_wrong_listen_grant_says_what_to_write(written, remedy):
    errors = errors_of({"listen": ["127.0.0.1:1", written]})
    assert list(errors) == [".listen[1]"]
    assert remedy in errors[".listen[1]"]


def test_a_plan_says_where_other_machines_may_connect():
    for written, told in (("127.0.0.0/8:80", False), ("[::1]:*", False), ("0.0.0.0:80", True), ("10.0.0.1:80", True), ("[::]:80", True)):
        (grant,) = KINDS["listen"].parse([written])
        assert ("other machines may connect" in KINDS["listen"].wording(grant)) == told


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("127.1:80", "write 127.0.0.1"),
        ("0x7f000001:80", "write 127.0.0.1"),
        ("2130706433:80", "write 127.0.0.1"),
        ("0177.0.0.1:80", "write 127.0.0.1"),
        ("10/8:80", "10.0.0.0/8"),
        ("10.1.0.0/8:80", "write 10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0:80", "such as 10.0.0.0/8"),
        ("::1:80", "in brackets"),
        ("[127.0.0.1]:80", "in brackets"),
        ("fe80::1/64:80", "in brackets"),
        ("[fe80::1%eth0]:80", "zone"),
        ("[::ffff:127.0.0.1]:80", "it is refused"),
        ("0.0.0.0:80", "it is refused"),
        ("[::]:80", "it is refused"),
        ("255.255.255.255:80", "it is refused"),
        ("224.0.0.0/4:80", "it is refused"),
        ("*:80", "a wildcard stands at the front"),
        ("a.*.b:80", "a wildcard stands at the front"),
        ("*.*.b:80", "a wildcard stands at the front"),
        ("münchen.de:80", "xn--"),
        ("http://a:80", "the URL"),
        ("a", "db.internal:5432"),
        ("a:", "from 1 to 65535"),
        (":80", "db.internal:5432"),
        ("a:0", "from 1 to 65535"),
        ("a:080", "from 1 to 65535"),
        ("a:65536", "from 1 to 65535"),
        ("a:-1", "from 1 to 65535"),
        ("a:８0", "from 1 to 65535"),
        ("a:80-90", "from 1 to 65535"),
        ("a b:80", "such as"),
        ("a..b:80", "such as"),
        (("a" * 64) + ":80", "such as"),
        ("a\n:80", "such as"),
        (8017, "such as"),
        (None, "such as"),
        ({"a": 1}, "such as"),
    ],
)
def test_a_wrong_tcp_or_udp_grant_says_what_to_write(written, remedy):
    for kind in ("tcp", "udp"):
        errors = errors_of({kind: ["a:1", written]})
        assert list(errors) == [f".{kind}[1]"]
        assert remedy in errors[f".{kind}[1]"]


def test_everything_that_is_wrong_is_said_at_once():
    errors = errors_of(
        {
            "tcp": ["a:1", "x", "y"],
            "dns": ["127.0.0.1", 3],
            "env": ["A=1", {"B": 1, "1C": "x"}, {}, {"D": "x\0"}],
            "args": ["a", 1],
            "stdin": "log",
            "stdout": {"file": "/x"},
            "stderr": ["log"],
            "clocks": ["monotonic", "sun"],
            "random": "seeded",
            "application": "everything",
            "files": [{"path": "/etc"}],
            "udp": ["a"],
            "listen": ["a:1"],
            "moon": [],
        }
    )
    assert set(errors) == {
        ".tcp[1]",
        ".tcp[2]",
        ".dns[0]",
        ".dns[1]",
        ".env[0]",
        ".env[1].B",
        ".env[2]",
        ".env[3].D",
        ".args[1]",
        ".stdin",
        ".stdout.file",
        ".stderr",
        ".clocks[1]",
        ".random",
        ".files[0].path",
        ".udp[0]",
        ".listen[0]",
        ".moon",
        ".application",
    }
    assert "a grant nothing can enforce" in errors[".moon"]
    assert "seeded: 42" in errors[".random"]
    assert "relative path" in errors[".stdout.file"]


@pytest.mark.parametrize(
    "form",
    [
        {"frozen": "2026-01-01"},
        {"frozen": 1},
        {"frozen": "2026-02-30T00:00:00Z"},
        {"frozen": "1969-12-31T23:59:59Z"},
        {"thawed": 1},
        {},
        "wall",
        3,
    ],
)
def test_wrong_clocks(form):
    assert errors_of({"clocks": form})


@pytest.mark.parametrize(
    ("form", "place"),
    [
        ({"file": "/etc/passwd"}, ".file"),
        ({"file": "a/../b"}, ".file"),
        ({"file": "~/x"}, ".file"),
        ({"file": 3}, ".file"),
        ({"file": "a", "mode": "w"}, ""),
        ({"path": "a"}, ""),
        ("file", ""),
    ],
)
@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_a_wrong_file_of_a_stream_says_what_to_write(stream, form, place):
    errors = errors_of({stream: form})
    assert list(errors) == [f".{stream}{place}"]
    assert "from where graph.yaml lies" in errors[f".{stream}{place}"] or "write the shortest way" in errors[f".{stream}{place}"]


@pytest.mark.parametrize("form", [True, {"seeded": True}, {"seeded": 1, "x": 2}, "insecure", None, ["secure"]])
def test_wrong_random(form):
    assert errors_of({"random": form})


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("form", [None, True, 3, 1.5, "\x1b[31m", {"\x1b": 1}, [None], [["a"]]])
def test_no_form_breaks_the_parser_or_the_terminal(name, form):
    for message in errors_of({name: form}).values():
        assert "\x1b" not in message


def test_a_variable_given_twice_is_an_error_and_no_value_is_ever_told():
    errors = errors_of({"env": ["A", {"A": "s3cr3t"}, {"B": 12345}, "X=hunter2"]})
    assert "s3cr3t" not in str(errors)
    assert "12345" not in str(errors)
    assert "hunter2" not in str(errors)
    assert errors_of({"env": ["A", {"A": "s3cr3t"}]}) == {".env": "the variable A is given twice | None"}


def test_every_interface_has_its_place_and_is_served():
    """The plan is total: what is served is inert, or opened by a kind, and the other way round."""
    served = {**wasi.INTERFACES, **serving.INTERFACES}
    for interface in served:
        assert (interface in grants.INERT) != bool(grants.kinds_of(interface)), interface
    known = set(grants.INERT) | {interface for kind in KINDS.values() for interface in kind.interfaces}
    assert known <= set(served)
    assert grants.kind_of("wasi:filesystem/preopens") == "files"
    assert grants.kind_of("wasi:sockets/udp") == "udp"
    assert grants.kind_of("wasi:clocks/timezone") is None


def test_a_policy_knows_what_it_opens():
    policy = Policy.bind({"tcp": ["db.internal:5432"]})
    assert policy.opens("wasi:sockets/tcp")
    assert policy.opens("wasi:sockets/ip-name-lookup"), "a tcp grant by name brings the look-up along"
    assert not Policy.bind({"tcp": ["127.0.0.1:1"]}).opens("wasi:sockets/ip-name-lookup")
    assert not policy.opens("wasi:random/random")
    assert not policy.opens("wasi:sockets/udp")
    assert Policy.bind({"udp": ["db.internal:53"]}).opens("wasi:sockets/ip-name-lookup")
    assert Policy.bind({"listen": ["127.0.0.1:1"]}).opens("wasi:sockets/tcp")
    assert not policy.opens("wasi:filesystem/types")


def test_wildcards_are_marked():
    (tcp,), (udp,), (dns,) = KINDS["tcp"].parse(["*.a:1"]), KINDS["udp"].parse(["*.a:1"]), KINDS["dns"].parse(["*.a"])
    assert "can exfiltrate" in KINDS["tcp"].wording(tcp)
    assert "can exfiltrate" in KINDS["udp"].wording(udp)
    assert "can exfiltrate" in KINDS["dns"].wording(dns)
