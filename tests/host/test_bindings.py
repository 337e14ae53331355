"""Generated clients through a whole graph, and doubles that were written against what was generated."""

import asyncio
import pickle
import time

import pytest
import vendor_faults as faults
from composer.bindings.conftest import Bench
from places import ROOT
from ringfence import CapabilityDenied, Graph, ShapeError, UsageError, acall
from ringfence.call import Root
from ringfence.contract.limits import Limits
from ringfence.contract.types import (
    Borrow,
    EnumOf,
    FunctionType,
    InterfaceType,
    ListOf,
    OptionOf,
    Own,
    Primitive,
    RecordOf,
    ResourceName,
    ResultOf,
    VariantOf,
)
from ringfence.contract.values import Case, WitError, record_class
from ringfence.instance import Inbound
from ringfence.substitutes.node import Substitute
from ringfence_composer.bindings.file import bindings_of
from ringfence_composer.compose import Workshop


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bindings"))


@pytest.fixture(scope="session")
def api(bench):
    """The bindings of the shop."""
    return bench.load(bindings_of(ROOT / "manifests" / "shop" / "graph.yaml", Workshop()))


# The client


def test_a_client_speaks_in_the_declared_classes(shop, api):
    orders = api.Vendor(shop).orders
    order = orders.get_order("A-17")
    assert type(order) is api.Order
    assert order.status is api.Status.SHIPPED
    assert order.lines[0] == api.Line(sku="TEA-GREEN-100", quantity=3, unit_price=250)
    assert orders.get_order(id="A-17") == order
    with orders.cursor(page=3) as cursor:
        assert [len(page) for page in iter(cursor.next, [])] == [3, 3, 2]
    with pytest.raises(ShapeError):
        cursor.next()


def test_arguments_are_checked_as_a_function_checks_them(shop, api):
    orders = api.Vendor(shop).orders
    for wrong in ({"di": "A-17"}, {"id": "A-17", "more": 1}):
        with pytest.raises(TypeError, match=r"expected the arguments \(id\)"):
            orders.get_order(**wrong)
    with pytest.raises(TypeError, match="not these: id"):
        orders.get_order("A-17", id="A-17")
    with pytest.raises(ShapeError):
        orders.get_order()


def test_an_error_is_the_exception_of_its_case(shop, vendor, api):
    orders = api.Vendor(shop).orders
    with pytest.raises(api.OrderErrorNotFound) as missing:
        orders.get_order("no-such")
    assert isinstance(missing.value, api.OrderError)
    assert missing.value.function == "vendor.acme:vendor/orders.get-order"
    assert missing.value == api.OrderErrorNotFound()
    vendor.fault = faults.status(503)
    with pytest.raises(api.OrderErrorUnavailable) as down:
        orders.get_order("A-17")
    assert "503" in down.value.value
    assert pickle.loads(pickle.dumps(down.value)) == down.value != missing.value


def test_a_denial_holds_the_typed_error(shop, vendor, api):
    vendor.redirect_to("http://127.0.0.1:9/v1/orders/A-17")
    with pytest.raises(CapabilityDenied) as denied:
        api.Vendor(shop).orders.get_order("A-17")
    assert isinstance(denied.value.__cause__, api.OrderErrorUnavailable)


def test_one_protocol_serves_threads_and_coroutines(shop, vendor, api):
    """`acall` runs whatever calls a graph, with its types, and its cancelling interrupts the guest, wherever in the work that is."""
    orders = api.Vendor(shop).orders

    def total(ids):
        return sum(orders.get_order(id).total for id in ids)

    async def run():
        order, sums = await asyncio.gather(acall(orders.get_order, "A-17"), acall(total, ids=["A-17", "A-18"]))
        with pytest.raises(api.OrderErrorNotFound):
            await acall(orders.get_order, "no-such")
        vendor.fault = faults.hang()
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await acall(total, ["A-17", "A-18"])
        return order.id, sums, time.monotonic() - started

    id, sums, took = asyncio.run(run())
    assert (id, sums) == ("A-17", 2000 + 4999)
    assert took < 1.5
    vendor.fault = None
    assert orders.get_order("A-17").id == "A-17"


def test_work_that_was_cancelled_calls_nothing_any_more(shop, api):
    """Cancelling must not end one call, only for the work to go on with the next."""
    orders, seen = api.Vendor(shop).orders, []

    def work():
        time.sleep(0.2)
        try:
            orders.get_order("A-17")
        except Exception as error:
            seen.append(type(error).__name__)
        seen.append("went on")

    async def run():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await acall(work)

    asyncio.run(run())
    assert seen == ["Interrupted", "went on"]


def test_resources_go_in_as_they_came_out(bench, compose):
    """A proxy is a resource wherever one is expected: lent, given away, refused afterwards."""
    text = "ringfence: 1\ngraph: g\nnodes: { probe: { component: ROOT/tests/denials/probe, instances: single } }\nexpose: [probe]\n"
    manifest = compose(text)
    api = bench.load(bindings_of(manifest, Workshop()))
    with Graph.load(manifest) as graph:
        attempts = api.Probe(graph).attempts
        one, other = attempts.token("a"), attempts.token("b")
        assert (one.text(), attempts.join(one, other), one.text()) == ("a", "ab", "a")
        with pytest.raises(ShapeError):
            other.text()
        with pytest.raises(api.StringFailure) as failed:
            attempts.read_file("/nowhere")
        assert isinstance(failed.value.value, str)


def test_a_client_of_what_is_not_exposed_is_refused(bench, compose, shop, api):
    from ringfence.bindings import bind

    for node, interface, message in (
        ("json", "acme:vendor/orders", "json exposes no get_order of acme:vendor/orders"),
        ("vendor", "acme:vendor/order", "vendor exposes no get_order of acme:vendor/order"),
    ):
        with pytest.raises(UsageError, match=message):
            bind(shop, node, interface, api.Orders)


# Doubles

STORE = """
package a:b;
interface store {
    enum kind { small, large }
    record item { name: string, kind: kind, price: option<u32> }
    variant change { add(item), clear }
    record problem { text: string }
    resource basket { constructor(first: item); apply: func(change: change) -> result<u32, problem>; items: func() -> list<item>; }
    merge: func(into: borrow<basket>, %from: basket) -> basket;
    best: func(of: list<item>) -> option<item>;
}
world w { export store; }
"""
ITEM = RecordOf((("name", Primitive("string")), ("kind", EnumOf(("small", "large"))), ("price", OptionOf(Primitive("u32")))))
BASKET = ResourceName("a:b/store", "basket", guest=True)
CHANGE = VariantOf((("add", ITEM), ("clear", None)))
EXPORTS = {
    "a:b/store": InterfaceType(
        functions={
            "[constructor]basket": FunctionType((("first", ITEM),), Own(BASKET)),
            "[method]basket.apply": FunctionType(
                (("self", Borrow(BASKET)), ("change", CHANGE)), ResultOf(Primitive("u32"), RecordOf((("text", Primitive("string")),)))
            ),
            "[method]basket.items": FunctionType((("self", Borrow(BASKET)),), ListOf(ITEM)),
            "merge": FunctionType((("into", Borrow(BASKET)), ("from", Own(BASKET))), Own(BASKET)),
            "best": FunctionType((("of", ListOf(ITEM)),), OptionOf(ITEM)),
        },
        resources=("basket",),
    )
}


@pytest.fixture
def store(bench):
    """The bindings, and `call(function, *arguments)` of a node with a double that was written against them."""
    api = bench.load(bench.text(store=STORE))

    class Basket(api.Basket):
        def __init__(self, first):
            assert type(first) is api.Item
            self._items = [first]

        def apply(self, change):
            match change:
                case api.ChangeAdd(value=item):
                    if item.price is None:
                        raise api.ProblemFailure(api.Problem(text="no price"))
                    self._items.append(item)
                case api.ChangeClear():
                    self._items.clear()
            return len(self._items)

        def items(self):
            return self._items

    class Store(api.Store):
        def basket(self, first):
            return Basket(first)

        def merge(self, into, from_):
            assert type(into) is type(from_) is Basket
            into._items += from_._items
            return Basket(into._items[-1])

        def best(self, of):
            assert all(type(item.kind) is api.Kind for item in of)
            return max(of, key=lambda item: item.price or 0, default=None)

    node = Substitute("store", api.StoreNode.substitute(store=Store()), EXPORTS, Limits())
    assert [*node.offer.problems("store", lambda *_: True)] == []
    inbound = Inbound(name="application -> store", limits=Limits())
    return api, lambda name, *arguments: node.invoke(Root(), inbound, ("a:b/store", name), arguments)


def test_a_typed_double_gets_the_declared_classes(store):
    """One fake serves both: handed to the application itself, and in a node's place, where plain WIT values arrive."""
    api, call = store
    items = [{"name": "a", "kind": "small", "price": 3}, api.Item(name="b", kind=api.Kind.LARGE, price=5)]
    assert call("best", items) == record_class(("name", "kind", "price"))("b", "large", 5)
    assert call("best", []) is None


def test_a_typed_doubles_resources_are_its_own_objects_inside(store):
    api, call = store
    one = call("[constructor]basket", {"name": "a", "kind": "small", "price": 3})
    other = call("[constructor]basket", {"name": "b", "kind": "small", "price": None})
    assert call("[method]basket.apply", one, Case("add", {"name": "c", "kind": "large", "price": 1})) == 2
    merged = call("merge", one, other)
    assert [item.name for item in call("[method]basket.items", one)] == ["a", "c", "b"]
    assert [item.name for item in call("[method]basket.items", merged)] == ["b"]
    assert call("[method]basket.apply", merged, api.ChangeClear()) == 0
    with pytest.raises(ShapeError, match="closed or given away"):
        call("[method]basket.items", other)
    with pytest.raises(WitError) as failed:
        call("[method]basket.apply", one, Case("add", {"name": "c", "kind": "large", "price": None}))
    assert failed.value.value.text == "no price"


def test_a_double_of_other_bindings_is_refused_when_it_is_put_in_place(bench):
    api = bench.load(bench.text(store=STORE.replace("price: option<u32>", "price: option<s8>, more: u8")))
    with pytest.raises(UsageError, match="has other types, at first"):
        Substitute("store", api.StoreNode.substitute(store=type("S", (), {"basket": lambda self, first: None})()), EXPORTS, Limits())
