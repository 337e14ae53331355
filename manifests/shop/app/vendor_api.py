"""The graph `shop` in typed Python: what its exposed nodes take, answer and raise.

Written by `compose bindings`; edits are lost. `compose bindings --check` tells whether it is up to date.
"""

# ruff: noqa
# fmt: off

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TYPE_CHECKING

from ringfence.bindings import Failure, Resource, bind, raises, substitute

if TYPE_CHECKING:
    from ringfence import Graph


# acme:vendor/orders


class Status(StrEnum):
    """The enum `status` of `acme:vendor/orders`."""

    PENDING = "pending"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The record `customer` of `acme:vendor/orders`."""

    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The record `line` of `acme:vendor/orders`."""

    sku: str
    """The article."""
    quantity: int
    unit_price: int
    """In the smallest unit of the order's currency (cents). Negative for a credit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The record `order` of `acme:vendor/orders`."""

    id: str
    status: Status
    currency: str
    """ISO 4217, such as `EUR`."""
    customer: Customer
    lines: list[Line]
    total: int
    """The sum of quantity times unit price, as the calculator has it; not taken from the vendor."""


class OrderError(Failure):
    """The variant `order-error` of `acme:vendor/orders`."""


@dataclass(eq=False)
class OrderErrorNotFound(OrderError):
    """The vendor answered 404."""

    __case__ = "not-found"


@dataclass(eq=False)
class OrderErrorUnavailable(OrderError):
    """No usable answer came: the address is missing, the connection failed or broke, or the vendor answered 5xx."""

    __case__ = "unavailable"
    value: str


@dataclass(eq=False)
class OrderErrorBadReply(OrderError):
    """The vendor answered something this client does not understand."""

    __case__ = "bad-reply"
    value: str


class Cursor(Resource, Protocol):
    """Pages through all orders."""

    @raises(OrderError)
    def next(self) -> list[Order]:
        """The next page; empty at the end and ever after. After an error the same page is tried again."""
        ...


class Orders(Protocol):
    """Orders as the vendor keeps them.

    No function has a time-out of its own: the caller's deadline ends a call to a vendor that hangs.
    """

    @raises(OrderError)
    def get_order(self, id: str) -> Order:
        """The order with this id."""
        ...

    @raises(OrderError)
    def list_orders(self, limit: int) -> list[Order]:
        """The first orders, at most `limit` of them."""
        ...

    def cursor(self, page: int) -> Cursor:
        """`page` is how many orders a page should hold; 0 is taken as 1. The vendor may send fewer."""
        ...


# nodes


class Vendor:
    """The node `vendor`.

    Talks HTTP/1.1 to one vendor. `VENDOR_URL` names its address, `VENDOR_TOKEN` is the token it asks for; without one none is sent.
    """

    def __init__(self, graph: Graph) -> None:
        self.orders: Orders = bind(graph, "vendor", "acme:vendor/orders", Orders)

    @staticmethod
    def substitute(*, orders: Orders) -> Mapping[str, object]:
        """A test double of the node, for the `substitutes` of `Graph.load`."""
        return substitute(
            {
                "acme:vendor/orders": (Orders, orders),
            }
        )
