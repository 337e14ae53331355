"""What crosses by value, both ways, through both halves: what comes back is what went in."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.objects.agreed.codec import Codec
from ringfence.objects.agreed.terms import Malformed, Uncrossable
from ringfence.objects.bounds import BoundedCodec

SURROGATES = "\ud83d\ude00 \ud800 \udfff\U0001f600"
VALUES = [
    None, True, 0, -1, 2**63, -(2**63), -(2**63) - 1, 10**5000, 1.5, -0.0, math.inf, -math.inf, 1j, complex(-0.0, math.inf),
    "", "a", "é", "\x00\x7f\u2028", SURROGATES, "$", b"", bytes(range(256)), bytearray(b"ab"),
    [], [1, [2, [3]]], (), (1,), ((), ()), {}, {"a": {"b": 1}}, {"$": 1}, {"$": {"$": "t"}}, {1: 2, None: 3, (1, "x"): 4, 1.5: 5, b"k": 6},
    {SURROGATES: 1}, set(), {1, "a", (2,)}, frozenset({1}), {frozenset({1}): {2}}, range(1, 10, 3), slice(1, None, -1),
    OrderedDict([("b", 1), ("a", 2)]), Counter("abca"), deque([1, 2], 5), deque(),
    dt.date(1, 1, 1), dt.datetime.max, dt.datetime(2020, 1, 1, 1, 1, 1, 1, fold=1), dt.time(23, 59, 59, 999999), dt.timedelta(-1, 5, 7),
    dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-3, seconds=7), "X")),
    dt.time(1, tzinfo=dt.UTC), dt.timezone(dt.timedelta(minutes=3)), Decimal("1.10"),
    Decimal("-0"), Decimal("Infinity"), Decimal("sNaN123"),
    Fraction(-1, 3), uuid.UUID(int=5), PurePosixPath("/a/b"), NotImplemented, ..., int, ValueError, OrderedDict,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_comes_back_as_it_went(value, zoo):
    """Through both halves: written, read in the library, written there, and read again."""
    found = zoo.echo(value)
    assert type(found) is type(value)
    assert found == value if isinstance(value, int) else repr(found) == repr(value)
    assert zoo.kind_of(value) in (type(value).__name__, "PosixPath")


def test_nan_comes_back(zoo):
    assert math.isnan(zoo.echo(math.nan))


def test_a_default_factory_that_both_sides_have_comes_back(zoo):
    found = zoo.echo(defaultdict(list, {"a": [1]}))
    assert found["b"] == []
    assert found == {"a": [1], "b": []}


def test_a_path_is_its_text(zoo):
    """No path that comes from a library opens anything by itself."""
    found = zoo.echo(Path("/etc/hosts"))
    assert type(found) is PurePosixPath
    assert str(found) == "/etc/hosts"


def test_what_is_shared_stays_shared(zoo):
    one = [1]
    value = {"a": one, "b": (one, {"c": one})}
    found = zoo.echo(value)
    assert found == value
    assert found["a"] is found["b"][0] is found["b"][1]["c"]
    assert zoo.same(one, one)


def test_what_contains_itself_does_so_still(zoo):
    value: list = [1]
    value.append({"me": value, "tuple": (value,)})
    found = zoo.echo(value)
    assert found[1]["me"] is found
    assert found[1]["tuple"][0] is found


def test_shared_parts_do_not_multiply():
    """A text that grew with each path to a part would be the billion laughs."""
    value: list = []
    for _ in range(60):
        value = [value, value]
    text = Codec().dumps(value)
    assert len(text) < 5000
    found = BoundedCodec().loads(text)
    assert found[0] is found[1]


def test_nesting_has_a_bound(zoo):
    assert zoo.deep(150) is not None
    with pytest.raises(TypeError, match="levels deep"):
        zoo.deep(5000)
    nested: list = []
    for _ in range(5000):
        nested = [nested]
    with pytest.raises(Uncrossable, match="levels deep"):
        zoo.echo(nested)


@pytest.mark.parametrize("kind", [str, int, float, bytes, tuple, frozenset, list, dict, set])
def test_a_subclass_of_the_applications_crosses_as_what_it_holds(kind, zoo):
    class Own(kind):
        pass

    found = zoo.echo(Own())
    assert type(found) is kind
    assert found == kind()


def test_a_named_tuple_of_the_applications_has_its_fields_in_the_library(zoo):
    """Templates and queries ask for them by name. It is data: nothing of its class goes along."""
    Point = namedtuple("Point", "x y")
    assert zoo.grab(Point(1, [2]), "y") == [2]
    assert zoo.kind_of(Point(1, 2)) == "Point"
    found = zoo.echo(Point(1, [2]))
    assert (found, found.x, found.y) == ((1, [2]), 1, [2])


def values():
    atoms = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(max_size=20), st.characters(codec=None),
        st.decimals(allow_nan=False), st.fractions(), st.uuids(), st.dates(), st.datetimes(), st.times(), st.timedeltas(),
        st.complex_numbers(allow_nan=False), st.text(alphabet=st.characters(categories=["Cs"]), max_size=4),
    )  # fmt: skip
    keys = st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just("$"), st.tuples(st.integers(), st.text(max_size=2))
    )

    def grown(inner):
        return st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=4).map(tuple),
            st.dictionaries(keys, inner, max_size=4),
            st.sets(keys, max_size=4),
            st.frozensets(keys, max_size=4),
            st.lists(inner, max_size=3).map(lambda parts: [parts, parts, *parts]),
        )

    return st.recursive(atoms, grown, max_leaves=12)


@given(values())
@settings(deadline=None, max_examples=300)
def test_any_value_comes_back(value):
    """The codec by itself: equal, and written the same again but for the order of sets."""
    found = BoundedCodec().loads(Codec().dumps(value))
    assert found == value
    assert type(found) is type(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.sampled_from("$vicxkaA") | st.text(), one),
    )
)
@settings(deadline=None, max_examples=500)
def test_a_text_of_anyones_is_read_or_refused(tree):
    """No text makes the reader fail in another way than by saying so."""
    import json

    with contextlib.suppress(Malformed):
        BoundedCodec().loads(json.dumps(tree))
