"""components/pricing, built and called through a graph: what it answers, held against the same rules in exact fractions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from places import ROOT
from ringfence import Graph, GuestError
from ringfence.contract.values import Case
from ringfence_composer.compose import compose_file

S64 = range(-(2**63), 2**63)
GRAPH = """
ringfence: 1
graph: priced
nodes:
  pricing: {{ component: {}, instances: pooled, limits: {{ memory: 16MiB }} }}
expose: [pricing]
"""

traits = st.frozensets(st.sampled_from(["fixed-price", "gift"]))
prices = st.one_of(st.integers(-2000, 2000), st.integers(-(2**63), 2**63 - 1))
lines = st.fixed_dictionaries({"quantity": st.one_of(st.integers(0, 9), st.integers(0, 2**32 - 1)), "unit_price": prices, "traits": traits})
discounts = st.one_of(
    st.fixed_dictionaries({"pieces": st.fixed_dictionaries({"every": st.integers(0, 4)})}),
    st.fixed_dictionaries(
        {
            "share": st.fixed_dictionaries(
                {"basis_points": st.integers(0, 10_001), "rounding": st.sampled_from(["half-even", "half-up", "down"])}
            )
        }
    ),
    st.fixed_dictionaries({"voucher": st.one_of(st.integers(-1, 3000), st.integers(0, 2**63 - 1))}),
)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    file = tmp_path_factory.mktemp("priced") / "graph.yaml"
    file.write_text(GRAPH.format(os.path.relpath(ROOT / "components/pricing", file.parent)))
    compose_file(file)
    with Graph.load(file) as graph:
        yield graph
        assert not graph.all_denials, "it asks for nothing"


def line(quantity: int, unit_price: int, *traits: str) -> dict[str, Any]:
    return {"quantity": quantity, "unit_price": unit_price, "traits": traits}


def share(basis_points: int, rounding: str = "half-even") -> dict[str, Any]:
    return {"share": {"basis_points": basis_points, "rounding": rounding}}


def asked(graph: Graph, lines: list[Any], discounts: list[Any]) -> tuple[int, int, int] | tuple[str, Any]:
    """The three amounts, or the error's case and payload."""
    try:
        found = graph.call("pricing.total", lines, [Case(*one.popitem()) for one in map(dict, discounts)])
    except GuestError as error:
        return error.value.name, error.value.value
    return found.subtotal, found.discounted, found.total


def expected(lines: list[Any], discounts: list[Any]) -> tuple[int, int, int] | tuple[str, Any]:
    """The same by the WIT's words, in numbers without end."""
    counted = [one for one in lines if "gift" not in one["traits"]]
    subtotal = sum(one["quantity"] * one["unit_price"] for one in counted)
    touched = [one for one in counted if "fixed-price" not in one["traits"]]
    before = left = sum(one["quantity"] * one["unit_price"] for one in touched)
    if subtotal not in S64 or before not in S64:
        return "overflow", None
    for place, discount in enumerate(discounts):
        taken = off(discount, touched, max(left, 0))
        if taken is None:
            return "bad-discount", place
        left -= min(taken, max(left, 0))
    total = subtotal - (before - left)
    return (subtotal, before - left, total) if total in S64 else ("overflow", None)


def off(discount: dict[str, Any], touched: list[Any], left: int) -> int | None:
    match discount:
        case {"pieces": {"every": every}}:
            return sum(one["quantity"] // every * max(one["unit_price"], 0) for one in touched) if every else None
        case {"voucher": amount}:
            return amount if amount >= 0 else None
        case {"share": {"basis_points": points, "rounding": rounding}}:
            exact = Fraction(left * points, 10_000)
            down = exact.numerator // exact.denominator
            rounded = {"down": down, "half-up": down + (exact - down >= Fraction(1, 2)), "half-even": round(exact)}
            return rounded[rounding] if points <= 10_000 else None
    raise AssertionError(discount)


@pytest.mark.parametrize(
    ("lines", "discounts", "answer"),
    [
        ([], [], (0, 0, 0)),
        ([line(3, 250), line(1, 1250)], [], (2000, 0, 2000)),
        ([line(3, 250), line(1, 1250)], [{"pieces": {"every": 3}}], (2000, 250, 1750)),
        ([line(1, 1000), line(1, 500, "fixed-price")], [share(1000)], (1500, 100, 1400)),
        ([line(1, 1000), line(5, 500, "gift")], [share(1000)], (1000, 100, 900)),
        ([line(1, 1000)], [share(5000), {"voucher": 9999}], (1000, 1000, 0)),
        ([line(1, -1000)], [share(5000), {"voucher": 10}], (-1000, 0, -1000)),
        ([line(1, 50)], [share(100, "half-even")], (50, 0, 50)),
        ([line(1, 150)], [share(100, "half-even")], (150, 2, 148)),
        ([line(1, 50)], [share(100, "half-up")], (50, 1, 49)),
        ([line(1, 199)], [share(100, "down")], (199, 1, 198)),
        ([line(1, 10)], [share(10_000), share(10_001)], ("bad-discount", 1)),
        ([line(1, 10)], [{"pieces": {"every": 0}}], ("bad-discount", 0)),
        ([line(1, 10)], [{"voucher": -1}], ("bad-discount", 0)),
        ([line(2, 2**62)], [], ("overflow", None)),
        ([line(2, 2**62), line(1, -1)], [], (2**63 - 1, 0, 2**63 - 1)),
        ([line(2**32 - 1, 2**63 - 1), line(2**32 - 1, -(2**63) + 1)], [share(1)], (0, 0, 0)),
        ([line(1, 2**62, "fixed-price"), line(1, 2**62, "fixed-price"), line(1, -(2**62))], [share(10_000)], (2**62, 0, 2**62)),
        ([line(1, -(2**63), "fixed-price"), line(1, 100)], [{"voucher": 50}], (-(2**63) + 100, 50, -(2**63) + 50)),
        ([line(1, -(2**63), "fixed-price"), line(1, -10, "fixed-price"), line(1, 100)], [share(10_000)], ("overflow", None)),
    ],
)
def test_what_an_order_comes_to(graph: Graph, lines: list[Any], discounts: list[Any], answer: tuple[Any, ...]) -> None:
    assert asked(graph, lines, discounts) == answer
    assert expected(lines, discounts) == answer, "the rules that the next test holds it to"


@settings(max_examples=400, deadline=None)
@given(st.lists(lines, max_size=6), st.lists(discounts, max_size=4))
@example([line(1, 2**63 - 1)], [share(9_999, "half-up"), {"pieces": {"every": 1}}])
def test_no_order_comes_to_anything_else_than_exact_arithmetic_says(graph: Graph, lines: list[Any], discounts: list[Any]) -> None:
    """Money that wraps around, or loses a cent on the way, is found by nobody until it is a lot."""
    assert asked(graph, lines, discounts) == expected(lines, discounts)
