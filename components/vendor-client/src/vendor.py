"""The vendor's two requests: settings from the environment, redirects, statuses, decoding."""

import os
from urllib.parse import quote, urlencode

import replies
import transport
from address import Address, AddressError, parse, redirected
from componentize_py_types import Err
from errors import BadReply, NotFound, Unavailable
from wit_world.exports.orders import Order
from wit_world.imports import decoder
from wit_world.imports.decoder import Document

MAX_REDIRECTS = 5
MAX_EMPTY_PAGES = 100
"""How many pages without an order, but with a successor, are passed over in a row."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def get_order(order_id: str) -> Order:
    """The order with this id.

    Raises:
        NotFound, Unavailable, BadReply: As `errors` says.
    """
    if order_id in {"", ".", ".."}:
        # As the last part of a path these name something else than an order.
        raise NotFound("no order can have this id")
    order = replies.order(_fetch(f"/v1/orders/{quote(order_id, safe='')}"))
    if order.id != order_id:
        raise BadReply("order.id: not the order that was asked for")
    return order


class Listing:
    """A walk through all orders, page by page."""

    def __init__(self) -> None:
        self._after: str | None = None
        self._seen: set[str] = set()
        self._ended = False

    def page(self, limit: int) -> list[Order]:
        """The next page that has orders, empty at the end; `limit` are asked for, the vendor may send more or fewer.

        Moves on only when a page arrived whole: after an error the same page is tried again.

        Raises:
            NotFound, Unavailable, BadReply: As `errors` says.
        """
        for _ in range(MAX_EMPTY_PAGES):
            if self._ended:
                return []
            query = {"limit": str(limit)} if self._after is None else {"limit": str(limit), "after": self._after}
            page = replies.page(_fetch(f"/v1/orders?{urlencode(query)}"))
            if page.following in self._seen:
                raise BadReply("reply.next: leads back to a page already read")
            self._move_to(page.following)
            if page.orders:
                return page.orders
        raise BadReply(f"more than {MAX_EMPTY_PAGES} empty pages in a row")

    def _move_to(self, following: str | None) -> None:
        self._after = following
        if following is None:
            self._ended = True
        else:
            self._seen.add(following)


def _fetch(target: str) -> Document:
    """The JSON document that the vendor answers to `target`, a path below `VENDOR_URL`."""
    current = _first_address(target)
    token = os.environ.get("VENDOR_TOKEN", "")
    # A header goes to the vendor's own origin only; once a redirect has left it, it is not sent again, not even on the way back.
    credentials = [("Authorization", f"Bearer {token}")] if token else []
    for _ in range(MAX_REDIRECTS + 1):
        reply = transport.get(current, [("Accept", "application/json"), *credentials])
        if reply.status == 401 and not token:
            raise BadReply("the vendor answered 401: the environment variable VENDOR_TOKEN is not set")
        if reply.status not in _REDIRECTS:
            return _document(reply)
        following = _follow(current, reply.location)
        if following.origin != current.origin:
            credentials = []
        current = following
    raise BadReply(f"more than {MAX_REDIRECTS} redirects")


def _first_address(target: str) -> Address:
    base = os.environ.get("VENDOR_URL", "")
    if not base:
        raise Unavailable("the environment variable VENDOR_URL is not set: nothing was sent")
    if "?" in base or "#" in base:
        raise Unavailable("VENDOR_URL: a query or fragment is refused")
    try:
        return parse(base.rstrip("/") + target)
    except AddressError as error:
        raise Unavailable(f"VENDOR_URL: {error}") from error


def _follow(current: Address, location: str | None) -> Address:
    if location is None:
        raise BadReply(f"{current.authority}: a redirect without Location")
    try:
        return redirected(current, location)
    except AddressError as error:
        raise BadReply(f"{current.authority}: a redirect to {error}") from error


def _document(reply: transport.Reply) -> Document:
    """The body as a tree, where the status says that there is one."""
    if reply.status == 404:
        raise NotFound("the vendor answered 404")
    if reply.status >= 500:
        raise Unavailable(f"the vendor answered {reply.status}")
    if reply.status != 200:
        raise BadReply(f"the vendor answered {reply.status}")
    try:
        text = reply.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadReply(f"the reply is not UTF-8: byte {error.start}") from error
    try:
        return decoder.decode(text)
    except Err as error:
        problem = error.value
        raise BadReply(f"the reply is not JSON: line {problem.line}, column {problem.column}: {problem.message}") from error
