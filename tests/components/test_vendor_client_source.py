"""The vendor client's source over real sockets against the vendor server, and its reading of replies."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
import vendor_faults as faults
from vendor_server import ORDERS, VendorServer, numbered

TOKEN = "a-token"


@pytest.fixture
def client(vendor_guest: Any, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The guest's exports; its environment names the vendor server."""
    point_at(monkeypatch, vendor)
    return vendor_guest["app"].Orders()


@pytest.fixture
def vendor() -> Any:
    """A vendor server."""
    with VendorServer(token=TOKEN) as server:
        yield server


def point_at(monkeypatch: pytest.MonkeyPatch, vendor: VendorServer, url: str | None = None) -> None:
    monkeypatch.setenv("VENDOR_URL", url or vendor.url)
    monkeypatch.setenv("VENDOR_TOKEN", TOKEN)


def failure(call: Any, *arguments: object) -> tuple[str, str]:
    """The case of `order-error` that a call ends in, and its message."""
    with pytest.raises(Exception) as caught:
        call(*arguments)
    assert type(caught.value).__name__ == "Err", caught.value
    error = caught.value.value
    return type(error).__name__.removeprefix("OrderError_"), getattr(error, "value", "")


# What works


def test_an_order_arrives_whole_and_its_total_is_computed_here(client, vendor):
    order = client.get_order("A-17")
    assert (order.id, order.status.name, order.currency) == ("A-17", "SHIPPED", "EUR")
    assert (order.customer.name, order.customer.email) == ("Ada Moreau", None)
    assert [(line.sku, line.quantity, line.unit_price) for line in order.lines] == [("TEA-GREEN-100", 3, 250), ("MUG-WHITE", 1, 1250)]
    assert order.total == 2000
    (request,) = vendor.requests
    assert (request.path, request.headers["authorization"]) == ("/v1/orders/A-17", f"Bearer {TOKEN}")


def test_names_outside_ascii_and_credits(client):
    assert client.get_order("A-21").customer.name == "江口 恵"
    assert client.get_order("A-22").total == 6 * 1250 - 1250


def test_an_unknown_order_is_not_found(client):
    assert failure(client.get_order, "A-99")[0] == "NotFound"


@pytest.mark.parametrize("order_id", ["", ".", ".."])
def test_ids_that_would_name_another_resource_are_not_found_without_a_request(client, vendor, order_id):
    assert failure(client.get_order, order_id)[0] == "NotFound"
    assert vendor.requests == []


@pytest.mark.parametrize("order_id", ["../../admin", "A-17?limit=1", "A-17#x", "a b\r\nX-Evil: 1", "ü/%2e", "A" * 3000])
def test_an_id_stays_one_path_segment(client, vendor, order_id):
    """Whatever the caller passes, the request line has one more segment and nothing else."""
    failure(client.get_order, order_id)
    (request,) = vendor.requests
    assert request.path.startswith("/v1/orders/")
    assert not set(request.path.removeprefix("/v1/orders/")) & set("/?# \r\n")
    assert "x-evil" not in request.headers


def test_listing_stops_at_the_limit_and_follows_pages(client, vendor, vendor_guest):
    assert [order.id for order in client.list_orders(3)] == ["A-17", "A-18", "A-19"]
    assert [order.id for order in client.list_orders(10_000)] == [order["id"] for order in ORDERS]
    vendor.orders = numbered(250)
    assert [order.id for order in client.list_orders(220)] == [f"N-{number}" for number in range(220)]


def test_a_limit_of_zero_asks_nobody(client, vendor):
    assert client.list_orders(0) == []
    assert vendor.requests == []


@pytest.mark.parametrize("page", [0, 1, 3, 8, 100])
def test_a_cursor_pages_through_all_and_ends_in_empty_lists(client, vendor, vendor_guest, page):
    cursor = vendor_guest["orders"].Cursor(page)
    pages = []
    while found := cursor.next():
        pages.append([order.id for order in found])
    assert [one for found in pages for one in found] == [order["id"] for order in ORDERS]
    assert all(len(found) == max(page, 1) for found in pages[:-1])
    asked = len(vendor.requests)
    assert cursor.next() == []
    assert len(vendor.requests) == asked


def test_a_cursor_tries_the_same_page_again_after_an_error(client, vendor, vendor_guest):
    cursor = vendor_guest["orders"].Cursor(3)
    first = cursor.next()
    vendor.fault = faults.status(503)
    assert failure(cursor.next)[0] == "Unavailable"
    vendor.fault = None
    assert [order.id for order in [*first, *cursor.next()]] == [f"A-{number}" for number in range(17, 23)]


def test_chunked_replies_are_read(client, vendor):
    vendor.fault = faults.chunked(json.dumps(ORDERS[0]).encode(), size=1)
    assert client.get_order("A-17").total == 2000


def test_a_base_address_may_have_a_path(client, vendor, monkeypatch):
    point_at(monkeypatch, vendor, f"{vendor.url}/v1/orders/../../")
    failure(client.get_order, "A-17")
    assert vendor.requests[0].path == "/v1/orders/../../v1/orders/A-17"


# Redirects


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("absolute", [True, False])
def test_redirects_are_followed(client, vendor, code, absolute):
    target = "/v1/orders/A-18"
    seen = []

    def once(handler):
        seen.append(handler.path)
        return len(seen) == 1 and faults.redirect(f"{vendor.url}{target}" if absolute else target, code)(handler)

    vendor.orders = [{**order, "id": "A-17"} for order in ORDERS[1:2]]
    vendor.fault = once
    failure(client.get_order, "A-17")
    assert seen == ["/v1/orders/A-17", target]


def test_five_redirects_are_followed_and_no_sixth(client, vendor):
    vendor.fault = faults.redirects(5)
    assert client.get_order("A-17").id == "A-17"
    vendor.fault = faults.redirects(6)
    asked = len(vendor.requests)
    assert failure(client.get_order, "A-17")[0] == "BadReply"
    assert len(vendor.requests) == asked + 6


def test_the_token_stays_with_its_origin(client, vendor):
    """Another port is another origin: a redirect must not carry the token there, and not back either."""
    with VendorServer(token=TOKEN) as other:
        vendor.fault = lambda handler: len(vendor.requests) == 1 and faults.redirect(f"{other.url}/elsewhere")(handler)
        other.fault = faults.redirect(f"{vendor.url}/v1/orders/A-17")
        assert failure(client.get_order, "A-17") == ("BadReply", "the vendor answered 401")
        assert "authorization" in vendor.requests[0].headers
        assert other.requests[0].path == "/elsewhere"
        assert "authorization" not in other.requests[0].headers
        assert "authorization" not in vendor.requests[1].headers


def test_the_token_follows_a_redirect_within_its_origin(client, vendor):
    vendor.fault = faults.redirects(2)
    client.get_order("A-17")
    assert [request.headers["authorization"] for request in vendor.requests] == [f"Bearer {TOKEN}"] * 3


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "//user:secret@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://[::1/",
        "http:///nowhere",
        "/a b",
        "/" + "a" * 5000,
        "",
    ],
)
def test_redirects_it_cannot_follow_are_bad_replies(client, vendor, location):
    vendor.fault = faults.redirect(location)
    assert failure(client.get_order, "A-17")[0] == "BadReply"
    assert len(vendor.requests) == 1


def test_a_redirect_to_nowhere_or_to_two_places_is_a_bad_reply(client, vendor):
    for head in (b"", b"Location: /a\r\nLocation: /b\r\n", b"Location: /\xff\r\n"):
        vendor.fault = faults.raw(b"HTTP/1.1 302 Found\r\n" + head + b"Content-Length: 0\r\n\r\n")
        assert failure(client.get_order, "A-17")[0] == "BadReply"


# Failures


@pytest.mark.parametrize(
    ("fault", "case"),
    [
        (faults.status(500), "Unavailable"),
        (faults.status(503), "Unavailable"),
        (faults.status(400), "BadReply"),
        (faults.status(403), "BadReply"),
        (faults.status(206), "BadReply"),
        (faults.status(304), "BadReply"),
        (faults.garbage(), "BadReply"),
        (faults.body(b"\xff\xfe"), "BadReply"),
        (faults.body(b""), "BadReply"),
        (faults.body(b"[]"), "BadReply"),
        (faults.body(b"[" * 100_000), "BadReply"),
        (faults.raw(b"SSH-2.0-OpenSSH_9.9\r\n"), "BadReply"),
        (faults.raw(b"\x16\x03\x01\x02\x00"), "BadReply"),
        (faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}"), "BadReply"),
        (faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"), "BadReply"),
        (faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), "BadReply"),
        (faults.raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "BadReply"),
        (faults.raw(b"HTTP/1.1 200 O"), "Unavailable"),
        (faults.silent(), "Unavailable"),
        (faults.truncated(), "Unavailable"),
        (faults.reset(), "Unavailable"),
        (faults.endless_body(), "BadReply"),
        (faults.endless_head(), "BadReply"),
        (faults.endless_interim(), "BadReply"),
        (faults.huge_header(), "BadReply"),
        (faults.chunked_garbage(), "BadReply"),
        (faults.raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id'), "Unavailable"),
    ],
)
def test_each_way_to_fail_has_its_error(client, vendor, fault, case):
    vendor.fault = fault
    assert failure(client.get_order, "A-17")[0] == case
    vendor.fault = None
    assert client.get_order("A-17").id == "A-17"


def test_a_refused_connection_is_unavailable(client, vendor, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    point_at(monkeypatch, vendor, f"http://127.0.0.1:{port}")
    case, message = failure(client.get_order, "A-17")
    assert (case, f"127.0.0.1:{port}" in message) == ("Unavailable", True)


def test_a_denied_connection_is_unavailable(client, vendor_guest, monkeypatch):
    """The host turns its own denial into CapabilityDenied; all the guest sees is EACCES."""

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(vendor_guest["transport"], "_connected", denied)
    case, message = failure(client.get_order, "A-17")
    assert (case, "Permission denied" in message) == ("Unavailable", True)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example", "a..b"])
def test_a_name_that_does_not_resolve_is_unavailable(client, vendor, monkeypatch, host):
    point_at(monkeypatch, vendor, f"http://{host}:80")
    assert failure(client.get_order, "A-17")[0] == "Unavailable"


def test_a_missing_address_is_named(client, vendor, monkeypatch):
    monkeypatch.delenv("VENDOR_URL")
    assert failure(client.get_order, "A-17") == ("Unavailable", "the environment variable VENDOR_URL is not set: nothing was sent")
    assert vendor.requests == []


def test_without_a_token_none_is_sent_and_a_vendor_that_asks_for_one_is_told_of(client, vendor, monkeypatch):
    monkeypatch.delenv("VENDOR_TOKEN")
    assert failure(client.get_order, "A-17") == ("BadReply", "the vendor answered 401: the environment variable VENDOR_TOKEN is not set")
    assert "authorization" not in vendor.requests[0].headers
    vendor.fault = faults.body(json.dumps(ORDERS[0]).encode())
    assert client.get_order("A-17").id == "A-17"


@pytest.mark.parametrize("url", ["https://127.0.0.1", "127.0.0.1:80", "http://127.0.0.1/?a=b", "http://a@127.0.0.1", "http://127.0.0.1:x"])
def test_an_unusable_address_is_said_so(client, vendor, monkeypatch, url):
    point_at(monkeypatch, vendor, url)
    case, message = failure(client.get_order, "A-17")
    assert (case, message.startswith("VENDOR_URL: ")) == ("Unavailable", True)


def test_a_token_that_no_header_can_carry_is_refused_unseen(client, vendor, monkeypatch):
    monkeypatch.setenv("VENDOR_TOKEN", "evil\r\nX-Evil: 1")
    case, message = failure(client.get_order, "A-17")
    assert (case, "evil" in message) == ("Unavailable", False)


def test_messages_never_carry_the_reply_or_the_token(client, vendor):
    for fault in (
        faults.body(b"SECRET"),
        faults.raw(b"HTTP/1.1 SECRET\r\n\r\n"),
        faults.changed(status="SECRET"),
        faults.chunked_garbage(),
    ):
        vendor.fault = fault
        _, message = failure(client.get_order, "A-17")
        assert not any(word in message for word in ("SECRET", "zz", TOKEN))


# Replies


def _line(**members: object) -> list[dict[str, object]]:
    line = {"sku": "X", "quantity": 1, "unit_price": 1, **members}
    return [{name: value for name, value in line.items() if value is not ...}]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"id": ...}, "order: no member 'id'"),
        ({"id": 17}, "order.id: expected a string"),
        ({"id": "A-18"}, "order.id: not the order that was asked for"),
        ({"status": "lost"}, "order.status: expected one of pending, paid, shipped, cancelled"),
        ({"status": "SHIPPED"}, "order.status: expected one of pending, paid, shipped, cancelled"),
        ({"currency": None}, "order.currency: expected a string"),
        ({"customer": []}, "order.customer: expected an object"),
        ({"customer": {"name": "x"}}, "order.customer: no member 'email'"),
        ({"customer": {"name": "x", "email": 1}}, "order.customer.email: expected a string"),
        ({"lines": {}}, "order.lines: expected an array"),
        ({"lines": [1]}, "order.lines[0]: expected an object"),
        ({"lines": _line(sku=...)}, "order.lines[0]: no member 'sku'"),
        ({"lines": _line(quantity=-1)}, "order.lines[0].quantity: expected an integer from 0 to 4294967295"),
        ({"lines": _line(quantity=2**32)}, "order.lines[0].quantity: expected an integer from 0 to 4294967295"),
        ({"lines": _line(quantity=1.0)}, "order.lines[0].quantity: expected an integer from 0 to 4294967295"),
        ({"lines": _line(quantity=True)}, "order.lines[0].quantity: expected an integer from 0 to 4294967295"),
        ({"lines": _line(unit_price="1")}, f"order.lines[0].unit_price: expected an integer from {-(2**63)} to {2**63 - 1}"),
        ({"lines": _line(unit_price=2**63)}, f"order.lines[0].unit_price: expected an integer from {-(2**63)} to {2**63 - 1}"),
        ({"lines": _line(unit_price=2**62, quantity=2)}, "order: a total of more than 64 bits"),
    ],
)
def test_whatever_differs_from_the_protocol_is_a_bad_reply(client, vendor, members, message):
    vendor.fault = faults.changed(**members)
    assert failure(client.get_order, "A-17") == ("BadReply", message)


def test_the_largest_numbers_that_fit_are_right(client, vendor):
    vendor.fault = faults.changed(lines=_line(unit_price=2**63 - 1) + _line(unit_price=-1, quantity=2**32 - 1))
    assert client.get_order("A-17").total == 2**63 - 1 - (2**32 - 1)


def test_members_it_does_not_know_are_passed_over(client, vendor):
    vendor.fault = faults.changed(total=1, note="new in version 2")
    assert client.get_order("A-17").total == 2000


@pytest.mark.parametrize("reply", [{"orders": []}, {"orders": {}, "next": None}, {"orders": [], "next": 5}, {"next": None}])
def test_a_page_that_is_none_is_a_bad_reply(client, vendor, reply):
    vendor.fault = faults.body(json.dumps(reply).encode())
    assert failure(client.list_orders, 5)[0] == "BadReply"


@pytest.mark.parametrize("orders", [[], [dict(ORDERS[0])]])
def test_pages_that_go_in_circles_end(client, vendor, vendor_guest, orders):
    """A vendor cannot keep the client busy for ever by naming the same successor."""
    vendor.fault = faults.body(json.dumps({"orders": orders, "next": "A-17"}).encode())
    assert failure(client.list_orders, 1000) == ("BadReply", "reply.next: leads back to a page already read")


def test_empty_pages_without_end_end(client, vendor):
    def empty(handler):
        handler.answer(200, {"orders": [], "next": f"X-{len(vendor.requests)}"})
        return True

    vendor.fault = empty
    assert failure(client.list_orders, 5) == ("BadReply", "more than 100 empty pages in a row")


@pytest.mark.parametrize("change", ["root", "cycle", "shared", "outside"])
def test_a_decoder_that_returns_no_tree_is_refused(client, vendor_guest, monkeypatch, change):
    """The JSON node is another component: its answer is not trusted to be a tree."""
    decoder = vendor_guest["wit_world.imports.decoder"]
    honest = decoder.decode

    def dishonest(text: str) -> Any:
        document = honest(text)
        members = document.nodes[0].value
        if change == "root":
            document.root = 1
        else:
            members[1].value = {"cycle": 0, "shared": members[2].value, "outside": 10_000}[change]
        return document

    monkeypatch.setattr(decoder, "decode", dishonest)
    assert failure(client.get_order, "A-17") == ("BadReply", "the JSON decoder returned no tree")
