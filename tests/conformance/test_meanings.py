"""What a value is to the guest that gets it. An echo is right also where a guest sees something else and undoes that on its way."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest

from .graphs import Guests
from .limits import limits


def answers(guests: Guests, name: str, *given: Any) -> set[Any]:
    """What all ways answer: one thing, where they agree."""
    found = [guests.graph.call(f"{way.node}.{name}", *given) for way in guests.ways]
    return {tuple(one) if isinstance(one, list) else one for one in found}


@pytest.mark.parametrize(("width", "code"), [("32", "<f"), ("64", "<d")])
def test_floats_have_the_same_bits(guests: Guests, width: str, code: str) -> None:
    name, bits = f"bits-of-f{width}", {"<f": "<I", "<d": "<Q"}[code]
    (kind,) = (kind for _, kind in guests.function(name).params)
    for value in limits(kind):
        found = answers(guests, name, value)
        if math.isnan(value):
            assert all(math.isnan(struct.unpack(code, struct.pack(bits, one))[0]) for one in found)
        else:
            assert found == set(struct.unpack(bits, struct.pack(code, value)))


def test_characters_have_the_same_number(guests: Guests) -> None:
    (kind,) = (kind for _, kind in guests.function("code-of").params)
    for value in limits(kind):
        assert answers(guests, "code-of", value) == {ord(value)}


def test_texts_are_the_same_bytes_in_utf_8(guests: Guests) -> None:
    (kind,) = (kind for _, kind in guests.function("bytes-of").params)
    for value in limits(kind):
        assert answers(guests, "bytes-of", value) == {value.encode()}
        assert answers(guests, "text-of", value.encode()) == {value}


def test_labels_and_cases_have_the_same_number(guests: Guests) -> None:
    (many,) = (kind for _, kind in guests.function("number-of").params)
    for number, label in enumerate(limits(many)):
        assert answers(guests, "number-of", label) == {number}
    (payload,) = (kind for _, kind in guests.function("number-of-case").params)
    names = [name for name, _ in payload.cases]  # type: ignore[union-attr]
    for value in limits(payload):
        assert answers(guests, "number-of-case", value) == {names.index(value.name)}


def test_flags_are_the_same_bits(guests: Guests) -> None:
    (kind,) = (kind for _, kind in guests.function("numbers-of-flags").params)
    labels = kind.labels  # type: ignore[union-attr]
    for value in limits(kind):
        assert answers(guests, "numbers-of-flags", value) == {tuple(sorted(map(labels.index, value)))}


def test_options_have_the_same_depth(guests: Guests) -> None:
    (kind,) = (kind for _, kind in guests.function("depth-of").params)
    found = [answers(guests, "depth-of", value) for value in limits(kind)]
    assert found[:4] == [{0}, {1}, {2}, {3}]
    assert set(map(frozenset, found[4:])) == {frozenset({4})}


def test_numbers_are_reckoned_with(guests: Guests) -> None:
    """Records and lists arrive field by field and number by number."""
    wide = {"from": {"x": -(2**31), "y": 2**31 - 1}, "to": {"x": 2**31 - 1, "y": -(2**31)}, "label": "far"}
    assert answers(guests, "distance-of", wide) == {2 * (2**32 - 1)}
    for numbers, total in (([], 0), ([2**63 - 1, -(2**63)], -1), (list(range(-500, 1000)), 374250), ([2**63 - 1, 1], -(2**63))):
        assert answers(guests, "sum-of", numbers) == {total}


def test_calls_without_values_arrive(guests: Guests) -> None:
    before = {way.column: guests.graph.call(f"{way.node}.counted")[0] for way in guests.ways}
    for way in guests.ways:
        assert guests.graph.call(f"{way.node}.nothing") is None
        assert guests.graph.call(f"{way.node}.swallow", "a\0😀") is None
        assert guests.graph.call(f"{way.node}.counted") == (before[way.column] + 1, 6)


@pytest.mark.parametrize("name", ["type", "class", "match", "return", "int", "lambda"])
def test_functions_may_be_called_like_words_of_a_language(guests: Guests, name: str) -> None:
    assert answers(guests, name, 200) == {200}
