"""A vendor to talk to: a small real HTTP server on loopback, with a token, orders in pages, and faults that tests can switch on.

python vendor_server.py --port 0 --token secret        prints its address and serves until it is ended

with VendorServer(token="secret") as vendor:            in tests and the demo
vendor.fault = vendor_faults.status(503)
...
vendor.requests[0].headers["authorization"]
"""

from __future__ import annotations

import argparse
import hmac
import json
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

Order = Mapping[str, Any]
"""An order as the protocol writes it in JSON."""

Fault = Callable[["VendorHandler"], bool]
"""Answers in the vendor's place and returns True, or returns False: then the vendor answers after all."""

_MAX_PAGE = 100


def _order(number: int, status: str, customer: tuple[str, str | None], *lines: tuple[str, int, int], currency: str = "EUR") -> Order:
    name, email = customer
    return {
        "id": f"A-{number}",
        "status": status,
        "currency": currency,
        "customer": {"name": name, "email": email},
        "lines": [{"sku": sku, "quantity": quantity, "unit_price": price} for sku, quantity, price in lines],
    }


ORDERS: tuple[Order, ...] = (
    _order(17, "shipped", ("Ada Moreau", None), ("TEA-GREEN-100", 3, 250), ("MUG-WHITE", 1, 1250)),
    _order(18, "paid", ("Björn Åkesson", "bjorn@customer.example"), ("KETTLE-1L", 1, 4999)),
    _order(19, "pending", ("Chiara Conti", "chiara@customer.example"), ("TEA-BLACK-250", 12, 575), ("FILTER-100", 2, 349)),
    _order(20, "cancelled", ("Dieter Holm", None)),
    _order(21, "shipped", ("江口 恵", "megumi@customer.example"), ("POT-IRON", 1, 12_800), currency="JPY"),
    _order(22, "paid", ("Fatima Zahra", "fatima@customer.example"), ("MUG-WHITE", 6, 1250), ("CREDIT-BROKEN-MUG", 1, -1250)),
    _order(23, "shipped", ("Grete & Sons 'Tea'", None), ("TEA-GREEN-100", 400, 210), ("PALLET", 2, 0)),
    _order(24, "pending", ("Hugo Lindqvist", "hugo@customer.example"), ("SPOON", 4, 395), currency="SEK"),
)


def numbered(count: int) -> tuple[Order, ...]:
    """As many orders, `N-0`, `N-1` and so on, whose quantity is their number plus one."""
    return tuple(
        {**_order(0, "paid", (f"Customer {number}", None), ("THING", number + 1, 100)), "id": f"N-{number}"} for number in range(count)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that arrived; header names are in lower case."""

    path: str
    headers: Mapping[str, str]


class VendorServer(ThreadingHTTPServer):
    """The vendor on 127.0.0.1; serves from a thread of its own as long as it is entered as a context manager.

    `fault`, where one is set, sees each request first. `requests` holds all that arrived, in order.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, *, token: str, port: int = 0, orders: Iterable[Order] = ORDERS, fault: Fault | None = None) -> None:
        super().__init__(("127.0.0.1", port), VendorHandler)
        self.token = token
        self.orders = tuple(orders)
        self.fault = fault
        self.requests: list[Request] = []
        self.ending = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def server_bind(self) -> None:
        """Binds without the name look-up that http.server would do."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], int(self.server_address[1])  # type: ignore[assignment]

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{self.address}"

    def page(self, limit: int, after: str | None) -> tuple[list[Order], str | None]:
        """At most `limit` orders after the one with this id, and the id to go on after (None at the end).

        Raises:
            LookupError: There is no order `after`.
        """
        ids = [order["id"] for order in self.orders]
        if after is not None and after not in ids:
            raise LookupError(after)
        start = 0 if after is None else ids.index(after) + 1
        found = list(self.orders[start : start + limit])
        return found, found[-1]["id"] if start + limit < len(ids) else None

    def redirect_to(self, location: str | None) -> None:
        """From now on answers every request with a redirect to `location`; None ends that."""
        if location is None:
            self.fault = None
            return

        def answer(handler: VendorHandler) -> bool:
            handler.redirect(location)
            return True

        self.fault = answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing where a client went away; anything else is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.ending.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


class VendorHandler(BaseHTTPRequestHandler):
    """One connection. HTTP/1.1, one request each: the client asks for no more."""

    protocol_version = "HTTP/1.1"
    server: VendorServer

    def do_GET(self) -> None:
        """Answers one request."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(Request(path=self.path, headers=headers))
        self.close_connection = True
        if self.server.fault is not None and self.server.fault(self):
            return
        expected = f"Bearer {self.server.token}"
        if not hmac.compare_digest(headers.get("authorization", "").encode(), expected.encode()):
            self.answer(401, {"error": "a valid token is needed"})
            return
        self._route()

    def _route(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/v1/orders":
            self._list(parse_qs(parts.query))
        elif parts.path.startswith("/v1/orders/"):
            wanted = unquote(parts.path.removeprefix("/v1/orders/"))
            order = next((order for order in self.server.orders if order["id"] == wanted), None)
            self.answer(200, order) if order else self.answer(404, {"error": "no such order"})
        else:
            self.answer(404, {"error": "no such resource"})

    def _list(self, query: Mapping[str, list[str]]) -> None:
        limit = query.get("limit", ["20"])[0]
        if not (limit.isascii() and limit.isdigit() and int(limit) > 0):
            self.answer(400, {"error": "limit: expected a positive number"})
            return
        try:
            orders, following = self.server.page(min(int(limit), _MAX_PAGE), query["after"][0] if "after" in query else None)
        except LookupError:
            self.answer(400, {"error": "after: no such order"})
            return
        self.answer(200, {"orders": orders, "next": following})

    def answer(self, status: int, document: Any) -> None:
        """Sends a JSON document."""
        self.answer_bytes(status, json.dumps(document, ensure_ascii=False).encode())

    def answer_bytes(self, status: int, body: bytes) -> None:
        """Sends these bytes as a whole reply."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, location: str, code: int = 302) -> None:
        """Sends the client elsewhere."""
        self.send_response(code)
        for name, value in {"Location": location, "Content-Length": "0", "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class says `format`
        """Nothing: a request may carry what logs must not."""


def main() -> None:
    """Serves until ended; prints the address on the first line."""
    parser = argparse.ArgumentParser(description="A vendor that serves orders over HTTP on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--token", required=True, help="what clients must send as Authorization: Bearer")
    options = parser.parse_args()
    with VendorServer(token=options.token, port=options.port) as vendor:
        print(vendor.address, flush=True)
        with suppress(KeyboardInterrupt):
            vendor.ending.wait()


if __name__ == "__main__":
    main()
