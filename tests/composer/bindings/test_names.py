"""Every name in a file of bindings is one of its own, an identifier, and the same whatever the order of things."""

import ast
import builtins
import dataclasses
import itertools
import keyword

import pytest
from composer.bindings import worlds
from ringfence_composer.bindings.module import _HOMES
from ringfence_composer.bindings.names import IMPORTED, cap_words

ORDERS = "package {package}; interface orders {{ record line {{ sku: {sku} }} {more} get: func() -> line; }} world w {{ export orders; }}"


def orders(package="acme:vendor", sku="string", more=""):
    return ORDERS.format(package=package, sku=sku, more=more)


def top_level(text):
    """The names that a module defines, as often as it does."""
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.AnnAssign):
            yield statement.target.id
        elif isinstance(statement, ast.Assign):
            yield from (target.id for target in statement.targets)
        elif isinstance(statement, ast.ImportFrom):
            yield from (alias.name for alias in statement.names)


def classes(text):
    return [one.name for one in ast.parse(text).body if isinstance(one, ast.ClassDef)]


@pytest.mark.parametrize("name", worlds.ALL)
def test_no_name_is_given_twice_and_none_hides_a_builtin(bench, name):
    text = bench.text(vendor=worlds.ALL[name])
    names = list(top_level(text))
    assert len(names) == len(set(names))
    assert not {*names} & {*dir(builtins), *keyword.kwlist}
    for statement in ast.walk(ast.parse(text)):
        if isinstance(statement, ast.ClassDef):
            inner = [*top_level(statement), *(one.name for one in statement.body if isinstance(one, ast.FunctionDef))]
            assert len(inner) == len(set(inner)), statement.name


@pytest.mark.parametrize("name", worlds.ALL)
def test_every_world_can_be_imported(bench, name):
    """So that what Python reads when it imports the file is there when it reads it."""
    loaded = bench.load(bench.text(vendor=worlds.ALL[name]))
    assert any(dataclasses.is_dataclass(one) for one in vars(loaded).values())


def test_keywords_and_builtins_get_an_underscore(bench):
    loaded = bench.load(bench.text(vendor=worlds.KEYWORDS))
    assert [one.name for one in dataclasses.fields(loaded.Class)] == ["from_", "import_", "async_", "self", "int", "str", "list", "none"]
    assert loaded.Class(from_="a", async_=True, self=1, int=2, str="b", list=["c"], none=3).import_ is None
    assert [(one.name, one.value) for one in loaded.None_][3:5] == [("CLASS", "class"), ("DEF", "def")]
    assert {"Exception_", "Protocol_", "Graph_", "Some_"} <= set(vars(loaded))


def test_a_static_function_gives_way_to_none_and_a_function_to_it(bench):
    """`resource-it-open` and the static `open` of `resource-it` would have one name."""
    protocol = bench.load(bench.text(vendor=worlds.KEYWORDS)).ImportIt
    assert {"resource_it", "resource_it_open", "resource_it_open_", "raises", "list", "bytes"} <= set(vars(protocol))


def test_a_resource_keeps_its_own_close(bench):
    loaded = bench.load(bench.text(vendor=worlds.KEYWORDS))
    assert "close_" in vars(loaded.ResourceIt)
    assert "close" not in vars(loaded.ResourceIt)


def test_cases_and_failures_give_way_to_types(bench):
    names = classes(bench.text(vendor=worlds.CASES))
    assert {"FooBar", "FooBarCase", "FooBaz", "FooBazCase", "ToneSame", "ToneSameCase", "ToneToneFailure", "URL", "Url"} <= set(names)


def test_equal_names_of_different_interfaces_are_qualified_all_alike(bench):
    """The first one must not keep the short name: another order of the interfaces would give it to another type."""
    names = classes(bench.text(vendor=worlds.COLLISIONS))
    assert {"OrderOrder", "StockOrder", "InlineOrder", "OrderInterface", "Stock", "Vendor", "VendorNode"} <= set(names)
    assert "Order" not in names


def test_versions_are_told_apart_by_version(bench):
    text = bench.text(vendor=worlds.VERSIONS)
    assert {"OrderV1", "OrdersV1"} <= set(classes(text)), "a track of its own"
    loaded = bench.load(text)
    assert [*loaded.Vendor.substitute.__annotations__] == [
        "orders_v1",
        "a_b_orders",
        "c_d_orders",
        "return",
    ]


def test_what_two_nodes_have_in_common_is_there_once(bench):
    text = bench.text(left=orders(), right=orders())
    assert classes(text) == ["Line", "Orders", "Left", "Right"]


def test_types_that_differ_in_their_docs_only_are_one(bench):
    text = bench.text(left=orders(), right=orders().replace("record line", "/// A line.\n record line"))
    assert classes(text) == ["Line", "Orders", "Left", "Right"]


def test_types_that_only_share_a_name_are_two(bench):
    """Packages without a version may mean anything by a name."""
    text = bench.text(left=orders(), right=orders(sku="u32"))
    assert classes(text) == ["LeftLine", "RightLine", "LeftOrders", "RightOrders", "Left", "Right"]
    loaded = bench.load(text)
    assert (loaded.LeftLine.__annotations__["sku"], loaded.RightLine.__annotations__["sku"]) == ("str", "int")


def test_only_what_may_be_called_is_declared(bench):
    text = bench.text(("vendor", worlds.TREE, lambda function: function in ("[constructor]branch", "[method]branch.twigs")))
    loaded = bench.load(text)
    assert [name for name in vars(loaded.Tree) if not name.startswith("_")] == ["branch"]
    assert [name for name in vars(loaded.Branch) if not name.startswith("_")] == ["twigs"]


def test_names_do_not_depend_on_the_order_of_nodes_and_types(bench):
    nodes = [("one", orders("a:x")), ("two", orders("b:y", "u32")), ("line", orders("a:x", more="enum vendor { a } v: func() -> vendor;"))]
    found = {frozenset(classes(bench.text(*order))) for order in itertools.permutations(nodes)}
    assert len(found) == 1


def test_equal_graphs_give_equal_bytes(bench):
    for wit in worlds.ALL.values():
        assert bench.text(vendor=wit) == bench.text(vendor=wit)


def test_all_that_a_file_imports_is_kept_free():
    """A name that is free today because the file does not need it would be taken tomorrow."""
    assert {name for name in _HOMES if name[0].isupper()} | {"Graph"} == IMPORTED


def test_cap_words():
    assert [cap_words(name) for name in ("order", "order-error", "a-b", "HTTP-status", "x2-y3")] == [
        "Order",
        "OrderError",
        "AB",
        "HTTPStatus",
        "X2Y3",
    ]
