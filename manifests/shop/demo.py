"""The demo: a graph of real components answers over real HTTP, and then shows what its fence refuses.

python manifests/shop/demo.py [--lane component] [--edges store|fused]    (on the reference engine; joined in one way only)
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from ringfence import CapabilityDenied, Graph, GuestError
from ringfence.contract.lock import Lane
from ringfence_composer.compose import Workshop, compose_file
from vendor_server import VendorServer

HERE = Path(__file__).parent
TOKEN = "demo-token"
console = Console(highlight=False)


class Bystander:
    """Another server on loopback, which no edge grants. It counts who comes by."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.visits = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            self.visits += 1
            connection.close()


def show_order(order: object) -> None:
    """Print an order as a table."""
    table = Table(
        "article", "quantity", "unit price", title=f"order {order.id}: {order.status}, {order.customer.name}", title_justify="left"
    )
    for line in order.lines:
        table.add_row(line.sku, str(line.quantity), f"{line.unit_price / 100:.2f}")
    console.print(table)
    console.print(f"total, computed by a guest in Rust from what one in C decoded: [bold]{order.total / 100:.2f} {order.currency}[/]")


def refused(call: Callable[[], object], expected: type[Exception]) -> Exception:
    """The error of a call that has to fail; exits where it succeeds, since a fence that lets it through is no demo."""
    try:
        call()
    except expected as error:
        return error
    sys.exit("the fence let it through")


def show_fused(order: object, lane: Lane | None, address: str) -> None:
    """Ask the same graph as one component for the same order, and leave it composed as it was; exits where another one comes."""
    try:
        compose_file(HERE / "graph.yaml", Workshop(lane=lane, edges="fused"))
        with Graph.load(HERE / "graph.yaml", parameters={"vendor": address}) as graph:
            again = graph.call("vendor.get-order", "A-17")
    finally:
        compose_file(HERE / "graph.yaml", Workshop(lane=lane))
    if repr(again) != repr(order):
        sys.exit("another order")
    console.print(f"the same order, {again.id}: [bold]{again.total / 100:.2f} {again.currency}[/]")


def main() -> None:
    """Run all acts; exit 0 when each went as it must."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--lane", choices=["core", "component"])
    options.add_argument("--edges", choices=["store", "fused"])
    asked = options.parse_args()
    for graph in ("graph.yaml", "without-token.yaml"):
        compose_file(HERE / graph, Workshop(lane=asked.lane, edges=asked.edges))
    os.environ["VENDOR_TOKEN"] = TOKEN
    with VendorServer(token=TOKEN) as server:
        console.rule("the order, over HTTP, through the fence", align="left")
        with Graph.load(HERE / "graph.yaml", parameters={"vendor": server.address}) as graph:
            order = graph.call("vendor.get-order", "A-17")
            show_order(order)
            with graph["vendor"].cursor(3) as cursor:
                pages = []
                while page := cursor.next():
                    pages.append(" ".join(order.id for order in page))
            console.print(f"all orders, page by page: {' | '.join(pages)}")

            console.rule("the vendor redirects the client to another address", align="left")
            bystander = Bystander()
            server.redirect_to(f"http://{bystander.address}/v1/orders/A-17")
            denied = refused(lambda: graph.call("vendor.get-order", "A-17"), CapabilityDenied)
            console.print(escape(str(denied)))
            console.print(f"visits the other server saw: [bold]{bystander.visits}[/]")
            server.redirect_to(None)
            console.print(f"and the next call: order {graph.call('vendor.get-order', 'A-17').id}")

        console.rule("the same client where its edge does not name VENDOR_TOKEN", align="left")
        console.print(f"in this process: VENDOR_TOKEN is {'set' if 'VENDOR_TOKEN' in os.environ else 'absent'}")
        with Graph.load(HERE / "without-token.yaml", parameters={"vendor": server.address}) as graph:
            absent = refused(lambda: graph.call("vendor.get-order", "A-17"), GuestError)
            console.print(f"in the guest: {escape(str(absent.value.value))}")

        if asked.edges is None:
            console.rule("the same graph fused: Python, Rust and C as one component", align="left")
            show_fused(order, asked.lane, server.address)
    sys.exit(bystander.visits)


if __name__ == "__main__":
    main()
