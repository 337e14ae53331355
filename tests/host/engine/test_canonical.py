"""What the contract makes of a value is what a component's echo of it is, and what it refuses an engine refuses, in the same words."""

import re
from array import array

import pytest
from host.engine.core.test_same_answers import spoiled
from host.engine.test_any_type import SHAPES, Maker
from ringfence.contract.canonical import canonical
from ringfence.contract.errors import ShapeError
from ringfence.contract.types import (
    EnumOf,
    FlagsOf,
    ListOf,
    OptionOf,
    Own,
    Primitive,
    RecordOf,
    ResourceName,
    ResultOf,
    TupleOf,
    VariantOf,
)
from ringfence.contract.values import Case, Some, record_class


def outcome(work, *given):
    try:
        value = work(*given)
    except ShapeError as error:
        return "ShapeError", str(error)
    return "value", value, repr(value)


@pytest.mark.parametrize("seed", range(36))
def test_the_contract_and_the_engines_agree_on_every_value(echo, seed):
    """A test double must not be laxer or stricter than what it stands for."""
    maker = Maker(seed)
    kind = maker.type(3, SHAPES[seed % len(SHAPES)])
    kind = TupleOf((kind,)) if isinstance(kind, ResultOf) else kind
    run, check = echo(kind), canonical(kind, None)
    wrong = 0
    for _ in range(20):
        value = maker.value(kind)
        for given in (value, spoiled(maker, value)):
            found = outcome(check, given, ("x",))
            assert found == outcome(run, given)
            wrong += found[0] == "ShapeError"
    assert wrong, "nothing was refused: the comparison proves nothing"


class Word(str):
    __slots__ = ()


class Point:
    x, y_axis = 1, 2


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Primitive("string"), Word("a")),
        (Primitive("char"), Word("a")),
        (Primitive("f32"), 0.1),
        (Primitive("f64"), 3),
        (ListOf(Primitive("f32")), [0.1, 2]),
        (ListOf(Primitive("bool")), (True, False)),
        (ListOf(Primitive("u8")), bytearray(b"ab")),
        (ListOf(Primitive("u8")), memoryview(b"abcd")[::2]),
        (RecordOf((("x", Primitive("u8")), ("y-axis", Primitive("u8")))), Point()),
        (RecordOf((("x", Primitive("u8")), ("y-axis", Primitive("u8")))), {"x": 1, "y-axis": 2}),
        (RecordOf((("x", Primitive("u8")), ("y-axis", Primitive("u8")))), {"x": 1, "z": 2}),
        (EnumOf(("a", "b")), "b"),
        (EnumOf(("a", "b")), "c"),
        (FlagsOf(("a", "b")), ["b", "b"]),
        (OptionOf(OptionOf(Primitive("u8"))), Some(None)),
        (OptionOf(OptionOf(Primitive("u8"))), 3),
        (OptionOf(Primitive("u8")), Some(3)),
        (VariantOf((("a", None), ("b", Primitive("u8")))), "a"),
        (VariantOf((("a", None), ("b", Primitive("u8")))), "b"),
        (VariantOf((("a", None), ("b", Primitive("u8")))), Case("a", 1)),
        (TupleOf((Primitive("u8"),)), [1]),
    ],
    ids=lambda one: re.sub(r" at 0x\w+", "", str(one)),
)
def test_every_spelling_that_an_engine_takes(echo, kind, value):
    assert outcome(canonical(kind, None), value, ("x",)) == outcome(echo(kind), value)


def test_a_buffer_of_numbers_is_a_list_of_them():
    assert canonical(ListOf(Primitive("u16")), None)(array("H", [1, 65535]), ()) == [1, 65535]


def test_resources_go_to_the_leaf_with_their_place():
    """The one thing that only whoever holds the resources can judge."""
    token = Own(ResourceName("a:b/c", "token"))
    seen = []

    def leaf(value, kind, path):
        seen.append((value, kind, path))
        return value.upper()

    kind = RecordOf((("held", ListOf(token)), ("other", OptionOf(TupleOf((Primitive("u8"), token))))))
    made = canonical(kind, leaf)({"held": ["a", "b"], "other": (1, "c")}, ("p",))
    assert made == record_class(("held", "other"))(["A", "B"], (1, "C"))
    assert seen == [("a", token, ("p", "held", "[0]")), ("b", token, ("p", "held", "[1]")), ("c", token, ("p", "other", "[1]"))]


class Boolean:
    __case__ = "boolean"

    def __init__(self, value):
        self.value = value


class Nothing(Exception):
    __case__ = "nothing"


class Other:
    __case__ = "other"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Boolean(True), Case("boolean", True)),
        (Nothing(), Case("nothing")),
        (Boolean(1), "x.boolean: expected bool, found 1"),
        (Other(), "x: no case 'other'; expected boolean or nothing"),
        (Boolean, "x: expected variant { boolean(bool), nothing }, found type"),
    ],
)
def test_an_object_stands_for_the_case_that_its_class_names(echo, value, expected):
    """So that an application's own classes cross, its exceptions among them; they are checked like any `Case`."""
    kind = VariantOf((("boolean", Primitive("bool")), ("nothing", None)))
    found = outcome(canonical(kind, None), value, ("x",))
    assert found[1] == expected
    assert found == outcome(echo(kind), value)
