"""The main job: an untrusted client in a component answers over real HTTP, and whatever the vendor does ends in a typed answer in time."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import vendor_faults as faults
from places import ROOT
from ringfence import CapabilityDenied, DeadlineExceeded, Graph, GuestError
from vendor_server import ORDERS, VendorServer, numbered


def test_an_order_comes_over_http_with_its_total(shop):
    order = shop.call("vendor.get-order", "A-17")
    assert (order.id, order.status, order.currency, order.customer.name, order.customer.email) == (
        "A-17",
        "shipped",
        "EUR",
        "Ada Moreau",
        None,
    )
    assert [(line.sku, line.quantity, line.unit_price) for line in order.lines] == [("TEA-GREEN-100", 3, 250), ("MUG-WHITE", 1, 1250)]
    assert order.total == 3 * 250 + 1250


def test_the_client_sends_its_token_and_nothing_else_of_the_environment(shop, vendor, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    shop.call("vendor.get-order", "A-17")
    (request,) = vendor.requests
    assert request.headers["authorization"] == "Bearer test-token"
    assert "s3cret" not in str(request)


def test_orders_are_listed_and_paged(shop):
    assert [order.id for order in shop.call("vendor.list-orders", 2)] == ["A-17", "A-18"]
    with shop["vendor"].cursor(3) as cursor:
        pages = [[order.id for order in page] for page in iter(cursor.next, [])]
    assert [len(page) for page in pages] == [3, 3, 2]
    assert sum(pages, []) == [f"A-{number}" for number in range(17, 25)]


def test_not_found_is_the_guests_own_answer(shop):
    with pytest.raises(GuestError) as failed:
        shop.call("vendor.get-order", "no-such")
    assert failed.value.value.name == "not-found"


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (faults.status(503), "unavailable"),
        (faults.reset(), "unavailable"),
        (faults.truncated(), "unavailable"),
        (faults.silent(), "unavailable"),
        (faults.status(418), "bad-reply"),
        (faults.garbage(), "bad-reply"),
        (faults.body(b"[1, 2"), "bad-reply"),
        (faults.changed(currency=7), "bad-reply"),
        (faults.huge_header(), "bad-reply"),
        (faults.chunked_garbage(), "bad-reply"),
        (faults.redirects(1000), "bad-reply"),
    ],
)
def test_whatever_the_vendor_answers_is_typed(shop, vendor, fault, name):
    vendor.fault = fault
    with pytest.raises(GuestError) as failed:
        shop.call("vendor.get-order", "A-17")
    assert failed.value.value.name == name
    vendor.fault = None
    assert shop.call("vendor.get-order", "A-17").id == "A-17"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_within_the_grant_are_followed(shop, vendor, code):
    vendor.fault = faults.redirects(5, code)
    assert shop.call("vendor.get-order", "A-17").id == "A-17"


@pytest.mark.parametrize("fault", [faults.hang(), faults.endless_interim()])
def test_a_vendor_that_never_ends_is_ended_by_the_deadline(shop, vendor, fault):
    vendor.fault = fault
    started = time.monotonic()
    with pytest.raises((DeadlineExceeded, GuestError)):
        shop.call("vendor.get-order", "A-17")
    assert time.monotonic() - started < 3.5
    vendor.fault = None
    assert shop.call("vendor.get-order", "A-17").id == "A-17"


def test_a_redirect_to_another_port_is_refused_and_the_control_is_not(shop, vendor):
    with VendorServer(token="test-token") as other:
        vendor.redirect_to(f"{other.url}/v1/orders/A-17")
        with pytest.raises(CapabilityDenied) as denied:
            shop.call("vendor.get-order", "A-17")
        assert other.requests == []
        message = str(denied.value)
        assert f'tcp: ["{other.address}"]' in message
        assert "edge from vendor to host" in message
        assert other.address in message
        assert denied.value.denials[0].edge == "application -> vendor"


def test_a_wider_grant_lets_the_same_redirect_through(compose, vendor):
    text = (ROOT / "manifests/shop/graph.yaml").read_text().replace("../../components", "ROOT/components")
    wide = compose(text.replace('tcp: ["${vendor}"]', 'tcp: ["127.0.0.1:*"]'))
    with VendorServer(token="test-token") as other, Graph.load(wide, parameters={"vendor": vendor.address}) as graph:
        vendor.redirect_to(f"{other.url}/v1/orders/A-17")
        other.fault = faults.body(json.dumps(ORDERS[0]).encode())  # it does not ask for the token, and the client does not send it on
        assert graph.call("vendor.get-order", "A-17").id == "A-17"
        assert len(other.requests) == 1
        assert "authorization" not in other.requests[0].headers


def test_two_hundred_calls_from_four_threads_are_all_right(shop_file, monkeypatch):
    monkeypatch.setenv("VENDOR_TOKEN", "t")
    with VendorServer(token="t", orders=numbered(200)) as server, Graph.load(shop_file, parameters={"vendor": server.address}) as graph:

        def ask(number):
            order = graph.call("vendor.get-order", f"N-{number}")
            return order.id, order.lines[0].quantity

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(ask, range(200)))
    assert answers == [(f"N-{number}", number + 1) for number in range(200)]


def test_fresh_calls_wait_side_by_side(compose, vendor):
    text = (ROOT / "manifests/shop/graph.yaml").read_text().replace("../../components", "ROOT/components")
    fresh = compose(text.replace("instances: pooled", "instances: fresh"))
    with Graph.load(fresh, parameters={"vendor": vendor.address}) as graph:
        graph.call("vendor.get-order", "A-17")
        vendor.fault = faults.slow(1.0)
        started = time.monotonic()
        with ThreadPoolExecutor(4) as threads:
            ids = [order.id for order in threads.map(lambda id: graph.call("vendor.get-order", id), ["A-17", "A-18", "A-19", "A-20"])]
        assert ids == ["A-17", "A-18", "A-19", "A-20"]
        assert time.monotonic() - started < 2.5


def test_acall_runs_beside_the_loop_and_its_cancelling_interrupts_the_guest(shop, vendor):
    async def run():
        orders = await asyncio.gather(shop.acall("vendor.get-order", "A-17"), shop.acall("vendor.get-order", "A-18"))
        vendor.fault = faults.hang()
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await shop.acall("vendor.get-order", "A-17")
        vendor.fault = None
        return [order.id for order in orders], time.monotonic() - started

    ids, took = asyncio.run(run())
    assert ids == ["A-17", "A-18"]
    assert took < 1.5


def test_it_runs_from_another_folder(shop_file, vendor, tmp_path):
    code = (
        "import sys; from ringfence import Graph\n"
        "print(Graph.load(sys.argv[1], parameters={'vendor': sys.argv[2]}).call('vendor.get-order', 'A-17').lines[0].unit_price)"
    )
    done = subprocess.run([sys.executable, "-c", code, shop_file, vendor.address], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "250"
    assert done.stderr == ""


def test_a_loaded_graph_needs_no_composer_library(shop_file, vendor):
    code = (
        "import sys; from ringfence import Graph\n"
        "Graph.load(sys.argv[1], parameters={'vendor': sys.argv[2]}).call('vendor.get-order', 'A-17')\n"
        "print(sorted({'yaml', 'networkx', 'componentize_py', 'click', 'rich', 'ringfence_composer'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code, shop_file, vendor.address], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def compose_run(shop_file, *words):
    command = [sys.executable, "-m", "ringfence_composer.cli", "run", str(shop_file), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_compose_run_prints_the_result_by_its_wit_names(shop_file, vendor):
    done = compose_run(shop_file, "vendor.get-order", "A-17", "--param", f"vendor={vendor.address}", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lines"][0] == {"sku": "TEA-GREEN-100", "quantity": 3, "unit-price": 250}


@pytest.mark.parametrize(
    ("fault", "code"), [(faults.status(503), "guest-error"), (faults.garbage(), "guest-error"), (faults.hang(), "deadline")]
)
def test_compose_run_ends_in_one_and_a_typed_error(shop_file, vendor, fault, code):
    vendor.fault = fault
    done = compose_run(shop_file, "vendor.get-order", "A-17", "--param", f"vendor={vendor.address}", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == code
    assert "Traceback" not in done.stderr


def test_calls_of_many_threads_to_one_instance_keep_their_errors_apart(shop, vendor):
    failures, orders = [], []

    def ask(id):
        try:
            orders.append(shop.call("vendor.get-order", id).id)
        except GuestError as error:
            failures.append((id, error.value.name))

    threads = [threading.Thread(target=ask, args=(id,)) for id in ["A-17", "none", "A-18", "nil"] * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(orders) == sorted(["A-17", "A-18"] * 5)
    assert sorted(failures) == sorted([("none", "not-found"), ("nil", "not-found")] * 5)
