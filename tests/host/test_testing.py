"""What tests of applications stand on: doubles that remember and follow a script, a clock that stands, and the pytest plugin."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ringfence import CapabilityDenied, DeadlineExceeded, Graph, GuestTrap, LimitExceeded, SubstituteError
from ringfence.call import Root
from ringfence.contract.lock import Lock
from ringfence.directory import Target
from ringfence.instance import Inbound
from ringfence.loading import Composed, LockFile
from ringfence.testing import Called, Double, FakeClock, always, assert_nothing_denied, deny, exceed, in_order, time_out, trap

pytest_plugins = ["pytester"]

ORDER = {
    "id": "A-17",
    "status": "paid",
    "currency": "EUR",
    "customer": {"name": "Ada", "email": None},
    "lines": [],
    "total": 0,
}


class Orders:
    def get_order(self, id):
        return ORDER

    def list_orders(self, limit):
        return [ORDER] * limit

    def cursor(self, page):
        return None


# Doubles


def test_a_double_remembers_every_call_with_its_arguments():
    double = Double(Orders())
    double.get_order("A-17")
    double.api.list_orders(limit=2)
    assert double.calls == [Called("get_order", ("A-17",)), Called("list_orders", (), {"limit": 2})]
    assert double.called("get_order") == [("A-17",)]


def test_a_call_that_fails_is_remembered_too():
    double = Double(get_order=always(KeyError("x")))
    with pytest.raises(KeyError):
        double.get_order("A-17")
    assert double.called("get_order") == [("A-17",)]


def test_scripts_answer_before_the_real_object():
    double = Double(Orders(), get_order=in_order("first", ValueError("then"), "last"))
    assert double.get_order("a") == "first"
    with pytest.raises(ValueError, match="then"):
        double.get_order("b")
    assert (double.get_order("c"), double.list_orders(1)) == ("last", [ORDER])


def test_a_call_that_the_script_does_not_expect_fails_the_test():
    """An answer made up for it would let an application's endless retries pass."""
    double = Double(get_order=in_order(ORDER))
    double.get_order("a")
    with pytest.raises(AssertionError, match="more often than the 1 times"):
        double.get_order("b")
    with pytest.raises(AttributeError, match=r"no script for list_orders; it has get_order"):
        double.list_orders(1)


def test_a_functions_names_are_free_in_the_api():
    """An interface may have functions called like what the double has for the test."""
    double = Double(calls=always(1), called=always(2), api=always(3))
    assert (double.api.calls(), double.api.called(), double.api.api()) == (1, 2, 3)
    assert [one.function for one in double.calls] == ["calls", "called", "api"]


def test_calls_of_many_threads_are_all_remembered_and_each_answer_is_given_once():
    double = Double(get_order=in_order(*range(400)))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(double.get_order, range(400)))
    assert sorted(answers) == list(range(400))
    assert sorted(one.arguments[0] for one in double.calls) == list(range(400))


def test_a_double_stands_in_a_graph_and_is_held_to_its_types(shop_file):
    double = Double(Orders(), get_order=in_order(ORDER, deny("tcp", "10.0.0.1:80"), time_out("2s"), exceed("memory", "128MiB"), trap()))
    with Graph.load(shop_file, substitutes={"vendor": double}) as graph:
        assert graph.call("vendor.get-order", "A-17").customer.name == "Ada"
        for error, words in (
            (CapabilityDenied, 'tcp: ["10.0.0.1:80"]'),
            (DeadlineExceeded, "vendor: limits.deadline of 2s"),
            (LimitExceeded, "vendor: limits.memory of 128MiB"),
            (GuestTrap, "unreachable"),
        ):
            with pytest.raises(error, match=words.replace("[", r"\[")):
                graph.call("vendor.get-order", "A-17")
    assert double.called("get_order") == [("A-17",)] * 5
    with pytest.raises(SubstituteError, match="cursor: missing"):
        Graph.load(shop_file, substitutes={"vendor": Double(get_order=always(ORDER), list_orders=always([]))})
    with pytest.raises(SubstituteError, match=r"expected get_order\(id\), found get_order\(\)"):
        Graph.load(shop_file, substitutes={"vendor": Double(Orders(), get_order=lambda: ORDER)})


# Clocks


def test_a_fake_clock_goes_only_when_it_is_turned():
    clock = FakeClock(now=100.0)
    started = time.monotonic()
    clock.sleep(3600)
    clock.advance(0.5)
    assert (clock.monotonic(), clock.slept) == (3700.5, [3600])
    assert time.monotonic() - started < 5
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_an_answer_that_takes_longer_than_the_deadline_is_a_time_out_at_the_deadline():
    clock = FakeClock()
    double = Double(get_order=clock.takes(1.5, ORDER, deadline="2s"), list_orders=clock.takes(3, [], deadline="2s"))
    assert double.get_order("a") == ORDER
    assert clock.monotonic() == 1.5
    with pytest.raises(DeadlineExceeded, match="limits.deadline of 2s"):
        double.list_orders(1)
    assert clock.monotonic() == 3.5


# Nothing denied


def test_a_denial_that_somebody_swallowed_is_found(probe):
    """The application goes on as if nothing were, in production too, where the refused call is what somebody relies on."""
    graph = probe('tcp: ["127.0.0.1:1"]')
    graph.call("probe.counter")
    assert_nothing_denied(graph)
    with pytest.raises(CapabilityDenied):
        graph.call("probe.connect", "127.0.0.1", 2, "x")
    assert not graph.denials, "the error told of it"
    with pytest.raises(AssertionError, match=r'tcp: \["127.0.0.1:2"\]'):
        assert_nothing_denied(graph)


class Resigned:
    """A node that is refused something, and answers all the same."""

    name = "n"

    def invoke(self, root, *_):
        root.deny(deny("tcp", "10.0.0.1:80").denials[0])
        return "as if nothing were"


def test_a_denial_that_the_guest_put_up_with_is_found():
    lock = Lock(graph="g", manifest="graph.yaml", inputs={})
    graph = Graph(Composed(LockFile(lock, Path("graph.lock.json"), None), lock, {}, {}, {}, {}, None), {}, arrays=False)
    target = Target(node=Resigned(), inbound=Inbound(name="application -> n", limits=None), function=("", "f"))
    assert graph._start()._call(Root(), target, ()) == "as if nothing were"
    with pytest.raises(AssertionError, match="use 10.0.0.1:80 denied"):
        assert_nothing_denied(graph)


def test_what_a_double_denies_counts(shop_file):
    double = Double(Orders(), get_order=always(deny("tcp", "10.0.0.1:80")))
    with Graph.load(shop_file, substitutes={"vendor": double}) as graph:
        with pytest.raises(CapabilityDenied):
            graph.call("vendor.get-order", "A-17")
        with pytest.raises(AssertionError, match="vendor: use 10.0.0.1:80 denied: the test says so"):
            assert_nothing_denied(graph)


# The plugin

PLUGIN_TEST = """
    import pytest
    from ringfence import CapabilityDenied
    from ringfence.testing import Double, always, deny

    opened = []

    class Orders:
        def get_order(self, id): raise deny("tcp", "10.0.0.1:80")
        def list_orders(self, limit): return []
        def cursor(self, page): return None

    def call(graph):
        try:
            graph.call("vendor.get-order", "A-17")
        except PermissionError:
            pass

    def test_opens(ringfence_graph):
        for _ in range(2):
            opened.append(ringfence_graph(GRAPH, substitutes={"vendor": Orders()}))
        assert opened[0].call("vendor.list-orders", 1) == []

    def test_closed():
        for graph in opened:
            with pytest.raises(Exception, match="closed"):
                graph.call("vendor.list-orders", 1)

    def test_without_the_marker(ringfence_graph):
        call(ringfence_graph(GRAPH, substitutes={"vendor": Orders()}))

    @pytest.mark.ringfence_nothing_denied
    def test_denied(ringfence_graph):
        call(ringfence_graph(GRAPH, substitutes={"vendor": Orders()}))

    @pytest.mark.ringfence_nothing_denied
    def test_quiet(ringfence_graph):
        ringfence_graph(GRAPH, substitutes={"vendor": Orders()}).call("vendor.list-orders", 1)
"""


def test_the_plugin_closes_graphs_and_finds_denials(pytester, shop_file):
    pytester.makepyfile(PLUGIN_TEST.replace("GRAPH", repr(str(shop_file))))
    result = pytester.runpytest_subprocess("--strict-markers", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, errors=1)
    assert "ERROR at teardown of test_denied" in str(result.stdout)
    assert 'tcp: ["10.0.0.1:80"]' in str(result.stdout)


def test_the_plugin_costs_nothing_where_nobody_asks_for_a_graph():
    code = (
        "import sys, ringfence.pytest_plugin, ringfence.testing\n"
        "print(sorted({'ringfence.graph', 'ringfence.engine', 'wasmtime', 'jsonschema', 'asyncio'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_generated_bindings_import_no_engine():
    """An application's tests with mocks import them, and are to take milliseconds."""
    code = "import sys, ringfence.bindings; print(sorted({'ringfence.graph', 'wasmtime', 'jsonschema', 'asyncio'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
