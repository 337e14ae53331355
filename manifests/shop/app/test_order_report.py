"""The report's tests: with doubles of the vendor's interface, then of the vendor in the graph, and once for real over HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from order_report import GRAPH, Report, full_report, report
from ringfence import CapabilityDenied, Graph
from ringfence.testing import Double, FakeClock, always, deny, in_order, time_out
from vendor_api import (
    Cursor,
    Customer,
    Line,
    Order,
    OrderErrorBadReply,
    OrderErrorNotFound,
    OrderErrorUnavailable,
    Orders,
    Status,
    Vendor,
)
from vendor_server import VendorServer

Load = Callable[..., Graph]
BINDINGS = Path(__file__).with_name("vendor_api.py")


def order(number: str = "A-17", status: Status = Status.PAID, total: int = 100, currency: str = "EUR") -> Order:
    """An order of one line."""
    line = Line(sku="MUG", quantity=1, unit_price=total)
    return Order(id=number, status=status, currency=currency, customer=Customer(name="Ada"), lines=[line], total=total)


# With doubles alone: nothing is loaded


def test_totals_are_kept_by_currency_and_without_what_was_cancelled() -> None:
    """Cents and yen can't be added, and nobody pays for a cancelled order."""
    orders = (order(total=100), order(total=50), order(currency="JPY", total=9), order(status=Status.CANCELLED, total=1000))
    assert Report(orders=orders).totals == {"EUR": 150, "JPY": 9}


def test_a_missing_order_is_told_and_the_others_are_reported() -> None:
    """One wrong id must not hide the rest."""
    vendor = Double[Orders](get_order=in_order(order("A-1"), OrderErrorNotFound(), order("A-3")))
    made = report(vendor.api, ["A-1", "A-2", "A-3"])
    assert ([one.id for one in made.orders], made.missing) == (["A-1", "A-3"], ("A-2",))
    assert vendor.called("get_order") == [("A-1",), ("A-2",), ("A-3",)]


def test_a_vendor_that_is_down_or_slow_is_asked_again() -> None:
    """After one second and then two; on a clock that stands, so that the test does not wait."""
    clock = FakeClock()
    vendor = Double[Orders](get_order=in_order(OrderErrorUnavailable("no route"), time_out("2s"), order()))
    assert report(vendor.api, ["A-17"], sleep=clock.sleep).orders == (order(),)
    assert clock.slept == [1, 2]


def test_a_vendor_that_stays_down_is_told() -> None:
    """Three times, and no more."""
    vendor = Double[Orders](get_order=in_order(*[OrderErrorUnavailable("no route")] * 3, order("A-18")))
    made = report(vendor.api, ["A-17", "A-18"], sleep=FakeClock().sleep)
    assert made.unavailable == ("A-17",)
    assert list(made.lines())[-1] == "not to be had now: A-17"


@pytest.mark.parametrize("error", [deny("tcp", "203.0.113.9:443"), OrderErrorBadReply("no JSON")])
def test_what_the_report_can_do_nothing_about_is_not_hidden(error: Exception) -> None:
    """A denial says that the vendor's client does what it has no business with."""
    with pytest.raises(type(error)):
        report(Double[Orders](get_order=always(error)).api, ["A-17"])


class Pages(Cursor):
    """A cursor over orders of these ids."""

    def __init__(self, *pages: list[str]) -> None:
        self.left, self.closed = list(pages), False

    def next(self) -> list[Order]:
        """The next page."""
        return [order(number) for number in self.left.pop(0)] if self.left else []

    def close(self) -> None:
        """Note it."""
        self.closed = True


def test_a_full_report_reads_all_pages_and_closes_the_cursor() -> None:
    """An open cursor would keep its instance alive."""
    pages = Pages(["A-1", "A-2"], ["A-3"])
    made = full_report(Double[Orders](cursor=always(pages)).api)
    assert [one.id for one in made.orders] == ["A-1", "A-2", "A-3"]
    assert pages.closed


# With the vendor's place in the graph taken by a double


def test_the_graph_passes_on_what_a_double_answers(ringfence_graph: Load) -> None:
    """Through the checks of the graph, which a double's own mistakes would not pass."""
    vendor = Double[Orders](get_order=in_order(order(), OrderErrorNotFound()), list_orders=always([]), cursor=always(Pages(["A-1"])))
    graph = ringfence_graph(GRAPH, compose=True, substitutes={"vendor": Vendor.substitute(orders=vendor.api)})
    made = report(Vendor(graph).orders, ["A-17", "A-18"])
    assert (made.orders, made.missing) == ((order(),), ("A-18",))
    assert [one.id for one in full_report(Vendor(graph).orders).orders] == ["A-1"]


# For real


@pytest.mark.ringfence_nothing_denied
def test_the_report_over_http(ringfence_graph: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The components, the fence and a vendor on loopback: and the fence has nothing to refuse."""
    monkeypatch.setenv("VENDOR_TOKEN", "secret")
    with VendorServer(token="secret") as vendor:
        graph = ringfence_graph(GRAPH, compose=True, parameters={"vendor": vendor.address})
        orders = Vendor(graph).orders
        assert list(report(orders, ["A-17", "A-20", "no-such"]).lines()) == [
            "A-17   shipped        2000 EUR  Ada Moreau",
            "A-20   cancelled         0 EUR  Dieter Holm",
            "total                 2000 EUR",
            "no such order: no-such",
        ]
        assert len(full_report(orders).orders) == 8


def test_a_vendor_that_sends_the_client_elsewhere_is_refused(ringfence_graph: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report does not take it for one that is down."""
    monkeypatch.setenv("VENDOR_TOKEN", "secret")
    with VendorServer(token="secret") as vendor, VendorServer(token="secret") as other:
        graph = ringfence_graph(GRAPH, compose=True, parameters={"vendor": vendor.address})
        vendor.redirect_to(f"{other.url}/v1/orders/A-17")
        with pytest.raises(CapabilityDenied):
            report(Vendor(graph).orders, ["A-17"])
        assert other.requests == []


def test_the_bindings_are_those_of_the_graph() -> None:
    """Whoever changes the WIT writes them anew, and the type checkers say what that means for the report."""
    command = [sys.executable, "-m", "ringfence_composer.cli", "bindings", str(GRAPH), "-o", str(BINDINGS), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
