"""A report of a vendor's orders: which there are, what they come to in each currency, and which could not be had.

The report takes the vendor's interface as an argument. It knows nothing of graphs, fences or HTTP, so its tests need none.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ringfence import DeadlineExceeded, Graph
from vendor_api import Order, OrderErrorNotFound, OrderErrorUnavailable, Orders, Status, Vendor

GRAPH = Path(__file__).parents[1] / "graph.yaml"
TRIES = 3
PAGE = 3
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The orders found, in the order asked for, and the ids of those that were not."""

    orders: tuple[Order, ...]
    missing: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()

    @property
    def totals(self) -> dict[str, int]:
        """What the orders come to, by currency in its smallest unit; cancelled ones don't count."""
        totals: Counter[str] = Counter()
        for order in self.orders:
            if order.status is not Status.CANCELLED:
                totals[order.currency] += order.total
        return dict(sorted(totals.items()))

    def lines(self) -> Iterator[str]:
        """The report as text."""
        for order in self.orders:
            yield f"{order.id:6} {order.status:10} {order.total:>8} {order.currency}  {order.customer.name}"
        for currency, total in self.totals.items():
            yield f"{'total':17} {total:>8} {currency}"
        if self.missing:
            yield f"no such order: {', '.join(self.missing)}"
        if self.unavailable:
            yield f"not to be had now: {', '.join(self.unavailable)}"


def report(orders: Orders, ids: Iterable[str], *, sleep: Sleep = time.sleep) -> Report:
    """The report of these orders. A vendor that is down or slow is asked again, after 1 s and then after 2 s."""
    found: list[Order] = []
    missing: list[str] = []
    unavailable: list[str] = []
    for wanted in ids:
        try:
            found.append(_patiently(orders, wanted, sleep))
        except OrderErrorNotFound:
            missing.append(wanted)
        except (OrderErrorUnavailable, DeadlineExceeded):
            unavailable.append(wanted)
    return Report(orders=tuple(found), missing=tuple(missing), unavailable=tuple(unavailable))


def _patiently(orders: Orders, wanted: str, sleep: Sleep) -> Order:
    for tried in range(1, TRIES):
        try:
            return orders.get_order(wanted)
        except (OrderErrorUnavailable, DeadlineExceeded):
            sleep(float(2 ** (tried - 1)))
    return orders.get_order(wanted)


def full_report(orders: Orders) -> Report:
    """The report of all orders there are."""
    with orders.cursor(PAGE) as cursor:
        return Report(orders=tuple(order for page in iter(cursor.next, []) for order in page))


def main() -> None:
    """Print the report of the orders named, or of all."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help="the orders to report; without any, all of them")
    parser.add_argument("--vendor", default="127.0.0.1:8017", help="where the vendor is")
    given = parser.parse_args()
    with Graph.load(GRAPH, parameters={"vendor": given.vendor}) as graph:
        orders = Vendor(graph).orders
        made = report(orders, given.ids) if given.ids else full_report(orders)
    print("\n".join(made.lines()))
    sys.exit(1 if made.missing or made.unavailable else 0)


if __name__ == "__main__":
    main()
