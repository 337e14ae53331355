"""A test double in a node's place: it is held to the node's types, and the nodes around it keep the fence they have."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from ringfence import (
    CapabilityDenied,
    DeadlineExceeded,
    Graph,
    GuestError,
    GuestTrap,
    IntegrityError,
    ShapeError,
    SubstituteError,
)
from ringfence.contract.values import Case, WitError
from ringfence.testing import deny, time_out, trap

ORDER = {
    "id": "A-17",
    "status": "paid",
    "currency": "EUR",
    "customer": SimpleNamespace(name="Ada", email=None),
    "lines": [{"sku": "MUG", "quantity": 2, "unit-price": -3}],
    "total": -6,
}


class FakeCursor:
    closed = 0

    def __init__(self, page):
        self.page, self.left = page, [[ORDER] * page]

    def next(self):
        return self.left.pop() if self.left else []

    def close(self):
        self.closed += 1


class FakeVendor:
    cursor = FakeCursor

    def __init__(self, answer=lambda id: ORDER | {"id": id}):
        self._answer = answer

    def get_order(self, id):
        return self._answer(id)

    def list_orders(self, limit):
        return [ORDER] * limit


@pytest.fixture
def faked(shop_file):
    """`faked(double)`: the shop with this double for the vendor."""
    opened = []

    def load(double):
        opened.append(Graph.load(shop_file, substitutes={"vendor": double}))
        return opened[-1]

    yield load
    for graph in opened:
        graph.close()


def raising(error):
    def answer(_):
        raise error

    return FakeVendor(answer)


def test_a_double_answers_as_a_component_would(faked):
    """Records, labels and names in their one form, whatever form the double gave them: the application can't tell the difference."""
    graph = faked(FakeVendor())
    order = graph.call("vendor.get-order", "A-17")
    assert (order.status, order.status.name, order.customer.email, order.lines[0].unit_price) == ("paid", "PAID", None, -3)
    assert [one.id for one in graph["vendor"].list_orders(2)] == ["A-17"] * 2


def test_a_double_gets_what_a_component_would(faked):
    seen = []
    graph = faked(FakeVendor(lambda id: seen.append(id) or ORDER))
    with pytest.raises(ShapeError, match="^id: expected string, found 17$"):
        graph.call("vendor.get-order", 17)
    with pytest.raises(ShapeError, match="takes 1 argument, found 2"):
        graph.call("vendor.get-order", "a", "b")
    assert seen == []
    graph.call("vendor.get-order", "A-17")
    assert seen == ["A-17"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            ORDER | {"lines": [ORDER["lines"][0] | {"quantity": "2"}]},
            "lines[0].quantity: get-order of the substitute for vendor returned what does not fit: expected u32, found str",
        ),
        (ORDER | {"status": "lost"}, "status: get-order of the substitute for vendor returned what does not fit: no label 'lost'"),
        (None, "get-order of the substitute for vendor returned what does not fit: expected record"),
    ],
)
def test_a_wrong_answer_names_the_function_and_the_place(faked, answer, message):
    with pytest.raises(ShapeError) as wrong:
        faked(FakeVendor(lambda _: answer)).call("vendor.get-order", "A-17")
    assert str(wrong.value).startswith(message)


@dataclass(frozen=True)
class Gone:
    __case__ = "unavailable"
    value: str


@pytest.mark.parametrize("error", [WitError(Case("unavailable", "x")), GuestError("f", Case("unavailable", "x")), WitError(Gone("x"))])
def test_an_err_case_is_raised_and_arrives_as_the_guests_would(faked, error):
    with pytest.raises(GuestError) as failed:
        faked(raising(error)).call("vendor.get-order", "A-17")
    assert failed.value.value == Case("unavailable", "x")
    assert failed.value.function == "vendor.acme:vendor/orders.get-order"


def test_an_err_case_that_does_not_fit_is_the_doubles_fault(faked):
    with pytest.raises(ShapeError, match=r"get-order of the substitute for vendor raised an err value that does not fit: no case 'lost'"):
        faked(raising(WitError("lost"))).call("vendor.get-order", "A-17")


def test_a_double_may_deny_time_out_and_trap(faked):
    """What the fence does to a component, an application must be able to try without one."""
    with pytest.raises(CapabilityDenied) as denied:
        faked(raising(deny("tcp", "1.2.3.4:5"))).call("vendor.get-order", "A-17")
    assert (denied.value.denials[0].node, denied.value.denials[0].edge) == ("vendor", "application -> vendor")
    with pytest.raises(DeadlineExceeded, match="vendor: limits.deadline of 2s exceeded"):
        faked(raising(time_out("2s"))).call("vendor.get-order", "A-17")
    with pytest.raises(GuestTrap) as trapped:
        faked(raising(trap())).call("vendor.get-order", "A-17")
    assert trapped.value.node == "vendor"


def test_a_doubles_own_mistake_comes_out_as_it_is(faked):
    with pytest.raises(ZeroDivisionError):
        faked(FakeVendor(lambda _: 1 / 0)).call("vendor.get-order", "A-17")


def test_ctrl_c_strikes_in_a_double(faked):
    """While a component runs it waits for a good moment; a double that hangs would never come to one."""
    seen = []

    def answer(_):
        signal.raise_signal(signal.SIGINT)
        seen.append("went on")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        faked(FakeVendor(answer)).call("vendor.get-order", "A-17")
    assert seen == []
    assert signal.getsignal(signal.SIGINT) is before


def test_a_closed_graph_does_not_call_its_doubles(faked):
    graph = faked(FakeVendor())
    graph.close()
    with pytest.raises(Exception, match="closed"):
        graph.call("vendor.get-order", "A-17")


# Resources


def test_a_doubles_object_is_a_resource_in_the_applications_hands(faked):
    made = []

    class Cursor(FakeCursor):
        def __init__(self, page):
            super().__init__(page)
            made.append(self)

    class Vendor(FakeVendor):
        cursor = Cursor

    with faked(Vendor())["vendor"].cursor(2) as cursor:
        assert [len(page) for page in iter(cursor.next, [])] == [2]
        with pytest.raises(AttributeError, match="cursor has no method 'page'"):
            _ = cursor.page
    assert made[0].closed == 1
    with pytest.raises(ShapeError, match="closed or given away"):
        cursor.next()
    cursor.close()
    assert made[0].closed == 1


def test_an_object_that_is_no_such_resource_is_refused(faked):
    class Vendor(FakeVendor):
        def cursor(self, page):
            return SimpleNamespace(next=lambda count: count)

    with pytest.raises(
        ShapeError,
        match=r"cursor of the substitute .* expected a cursor, found SimpleNamespace: next: expected next\(\), found next\(count\)",
    ):
        faked(Vendor())["vendor"].cursor(2)


# What is checked when the graph is loaded


def problems(shop_file, **doubles):
    with pytest.raises(SubstituteError) as refused:
        Graph.load(shop_file, substitutes=doubles)
    return sorted(str(one) for one in refused.value.problems)


def test_everything_that_does_not_fit_is_said_at_once(shop_file):
    class Cursor:
        def nxt(self): ...

    class Vendor:
        cursor = Cursor
        list_orders = 3

        def get_ordr(self, id): ...
        def _helper(self): ...

    assert problems(shop_file, vendor=Vendor(), vendr=Vendor()) == [
        "substitutes.vendor.cursor.next: missing; expected next(self)",
        "substitutes.vendor.cursor.nxt: stands for no function of the node\n  did you mean next?",
        "substitutes.vendor.cursor: expected cursor(page), found cursor()",
        "substitutes.vendor.get_order: missing; expected get_order(id)",
        "substitutes.vendor.get_ordr: stands for no function of the node\n  did you mean get_order?",
        "substitutes.vendor.list_orders: expected the function list_orders(limit), found int",
        "substitutes: the graph shop has no node 'vendr'\n  did you mean vendor?",
    ]


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (lambda self: 0, "get_order()"),
        (lambda self, id, more: 0, "get_order(id, more)"),
        (lambda self, *, id: 0, "get_order(*, id)"),
    ],
)
def test_a_function_of_another_arity_is_refused(shop_file, function, found):
    vendor = type("Vendor", (FakeVendor,), {"get_order": function})()
    assert problems(shop_file, vendor=vendor) == [f"substitutes.vendor.get_order: expected get_order(id), found {found}"]


@pytest.mark.parametrize("function", [lambda self, *ids: ORDER, lambda self, id, retries=3: ORDER, staticmethod(lambda id: ORDER)])
def test_a_function_that_takes_more_than_it_must_fits(faked, function):
    vendor = type("Vendor", (FakeVendor,), {"get_order": function})()
    assert faked(vendor).call("vendor.get-order", "A-17").id == "A-17"


def test_an_async_double_and_a_class_are_refused(shop_file):
    class Vendor(FakeVendor):
        async def get_order(self, id): ...

    (found,) = problems(shop_file, vendor=Vendor())
    assert found.startswith("substitutes.vendor.get_order: expected the plain function get_order(id), found an async one\n")
    assert problems(shop_file, vendor=FakeVendor) == [
        "substitutes.vendor: expected an object, found the class FakeVendor\n  write FakeVendor()"
    ]


def test_a_double_may_have_an_object_for_each_interface(faked, shop_file):
    assert faked(SimpleNamespace(orders=FakeVendor())).call("vendor.get-order", "A-17").id == "A-17"
    assert faked({"acme:vendor/orders": FakeVendor()}).call("vendor.get-order", "A-17").id == "A-17"
    assert problems(shop_file, vendor={"acme:vendor/order": FakeVendor()}) == [
        "substitutes.vendor: there is nothing for the interface acme:vendor/orders\n  add it to the mapping",
        "substitutes.vendor: vendor exports no interface 'acme:vendor/order'\n  did you mean acme:vendor/orders?",
    ]


def test_a_mock_is_a_double(faked):
    mock = Mock(spec=FakeVendor)
    mock.get_order.return_value = ORDER
    assert faked(mock).call("vendor.get-order", "A-17").id == "A-17"
    mock.get_order.assert_called_once_with("A-17")
    with pytest.raises(ShapeError, match="found Mock"):
        faked(Mock()).call("vendor.get-order", "A-17")


# What is loaded


def only(shop_file, folder, *keep):
    """A copy of the shop in which only these artifacts are left."""
    lock = shop_file.with_name("graph.lock.json")
    store = folder / ".ringfence" / "sha256"
    store.mkdir(parents=True)
    for path in (shop_file, lock):
        shutil.copy(path, folder)
    for one in json.loads(lock.read_text())["artifacts"]:
        if (one["node"], one["role"]) in keep:
            shutil.copy(shop_file.parent / ".ringfence" / "sha256" / one["digest"][7:], store)
    return folder / "graph.yaml"


def lane_of(shop_file):
    return json.loads(shop_file.with_name("graph.lock.json").read_text())["nodes"]["vendor"]["lane"]


def test_what_only_doubles_would_call_is_not_loaded(shop_file, tmp_path):
    types = "core-plan" if lane_of(shop_file) == "core" else "component"
    alone = only(shop_file, tmp_path, ("vendor", types))
    with Graph.load(alone, substitutes={"vendor": FakeVendor()}) as graph:
        assert graph.call("vendor.get-order", "A-17").id == "A-17"
    with pytest.raises(IntegrityError, match="json"):
        Graph.load(alone)


def test_the_types_that_a_double_is_held_to_are_those_of_the_lock(shop_file, tmp_path):
    """Whoever can change the file of types could else have an application test against others than it runs with."""
    types = "core-plan" if lane_of(shop_file) == "core" else "component"
    copy = only(shop_file, tmp_path, ("vendor", types))
    (file,) = (tmp_path / ".ringfence" / "sha256").iterdir()
    data = file.read_bytes()
    for changed in (data[:-1] + b" ", b"", None):
        file.unlink()
        if changed is not None:
            file.write_bytes(changed)
        else:
            file.mkdir()
        with pytest.raises(IntegrityError, match="vendor"):
            Graph.load(copy, substitutes={"vendor": FakeVendor()})
        if changed is None:
            file.rmdir()
        file.write_bytes(data)


def test_where_all_that_is_exposed_has_doubles_no_engine_is_needed(shop_file):
    if lane_of(shop_file) == "component":
        pytest.skip("only the core lane's plan tells types without an engine")
    code = (
        "import sys; from ringfence import Graph\n"
        "class Vendor:\n"
        "    def get_order(self, id): raise KeyError(id)\n"
        "    def list_orders(self, limit): return []\n"
        "    def cursor(self, page): ...\n"
        "print(Graph.load(sys.argv[1], substitutes={'vendor': Vendor()}).call('vendor.list-orders', 3), 'wasmtime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, shop_file], capture_output=True, text=True, check=True)
    assert done.stdout == "[] False\n"


def test_a_lock_cannot_put_a_double_in_place(shop_file, tmp_path):
    """Whoever can write the lock must not be able to have other code run in a guest's place."""
    lock = json.loads(shop_file.with_name("graph.lock.json").read_text())
    file = tmp_path / "graph.lock.json"
    file.write_text(json.dumps(lock | {"substitutes": {"vendor": "FakeVendor"}}))
    with pytest.raises(IntegrityError, match="substitutes"):
        Graph.load(file)


# Between real nodes

PAIR = """
ringfence: 1
graph: pair
nodes:
  relay: { component: ROOT/tests/denials/relay, limits: { deadline: 10s }, instances: single }
  probe: { component: ROOT/tests/denials/probe, limits: { deadline: 10s }, instances: single }
edges:
  - { from: relay, to: probe EDGE }
  - { from: relay, to: host, grant: { env: [GRANTED] } }
  - { from: probe, to: host, grant: { env: [OTHER] } }
expose: [relay]
"""


class Token:
    def __init__(self, text):
        self.shown, self.closed = text, 0

    def text(self):
        return self.shown

    def close(self):
        self.closed += 1


class FakeProbe:
    """What the relay asks of the probe; whatever a test does not need is not there."""

    def __init__(self):
        self.tokens, self.calls = [], []

    def token(self, text):
        self.tokens.append(Token(text))
        return self.tokens[-1]

    def join(self, one, other):
        return one.shown + other.shown

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self.calls.append((name, arguments)) or getattr(FakeProbe, f"_{name}")(self, *arguments)

    def _counter(self):
        return 41

    def _connect(self, host, port, text):
        raise WitError(f"nobody at {host}:{port}")

    def _getenv(self, name):
        return os.environ.get(name)

    def _trap(self):
        raise GuestTrap("the double trapped")

    def _spin(self):
        time.sleep(0.7)

    def _flood(self, count):
        return 3  # not what it returns


@pytest.fixture
def pair(compose):
    opened = []

    def load(double, edge=""):
        opened.append(Graph.load(compose(PAIR.replace("EDGE", edge)), substitutes={"probe": double}))
        return opened[-1]

    yield load
    for graph in opened:
        graph.close()


def test_a_real_consumer_calls_the_double(pair):
    double = FakeProbe()
    graph = pair(double)
    assert graph.call("relay.counter") == (0, 41)
    with pytest.raises(GuestError, match="nobody at h:7"):
        graph.call("relay.connect", "h", 7, "x")
    assert double.calls == [("counter", ()), ("connect", ("h", 7, "x"))]


def test_the_nodes_around_a_double_keep_their_fence(pair, monkeypatch):
    """The double reads the environment as the application may; the node that calls it sees no more for that."""
    monkeypatch.setenv("GRANTED", "yes")
    monkeypatch.setenv("OTHER", "s3cret")
    graph = pair(FakeProbe())
    assert graph.call("relay.getenv", "GRANTED") == ("yes", "yes")
    assert graph.call("relay.getenv", "OTHER") == (None, "s3cret")


def test_the_calls_of_an_edge_bind_its_double(pair):
    double = FakeProbe()
    graph = pair(double, ", grant: { calls: [counter] }")
    assert graph.call("relay.counter") == (0, 41)
    with pytest.raises(CapabilityDenied, match="add to the edge from relay to probe"):
        graph.call("relay.trap")
    assert double.calls == [("counter", ())]


def test_a_failing_double_ends_its_caller_and_the_next_call_works(pair):
    graph = pair(FakeProbe())
    with pytest.raises(GuestTrap, match="the double trapped") as trap:
        graph.call("relay.trap")
    assert trap.value.node == "probe"
    with pytest.raises(ShapeError, match="flood of the substitute for probe returned what does not fit"):
        graph.call("relay.flood", 3)
    assert graph.call("relay.counter") == (0, 41)


def test_a_callers_deadline_holds_around_a_double(compose):
    text = PAIR.replace("EDGE", "").replace("relay, limits: { deadline: 10s }", "relay, limits: { deadline: 500ms }")
    with Graph.load(compose(text), substitutes={"probe": FakeProbe()}) as graph:
        graph.call("relay.counter")
        with pytest.raises(DeadlineExceeded, match="relay: limits.deadline of 500ms"):
            graph.call("relay.spin")


def test_a_doubles_resources_cross_edges(pair):
    """They are handed out, lent, given back and dropped by a guest, and closed exactly once."""
    double = FakeProbe()
    graph = pair(double)
    assert graph.call("relay.spell", "abc") == "abc"
    assert double.tokens[-1].closed == 1
    token = graph.call("relay.lend-out", "abc")
    assert graph.call("relay.look-at", token) == "abc"
    assert double.tokens[-1].closed == 0
    with pytest.raises(AttributeError, match="not exposed"):
        token.text()
    assert graph.call("relay.take-back", token) == "abc"
    assert double.tokens[-1].closed == 1
    for forged in (Token("x"), 3, graph):
        with pytest.raises(ShapeError, match="expected a token"):
            graph.call("relay.look-at", forged)
