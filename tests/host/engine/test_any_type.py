"""Any value of any type crosses there and back unchanged: types and values made at random, from fixed seeds."""

import random

import pytest
from ringfence.contract.types import EnumOf, FlagsOf, ListOf, OptionOf, Primitive, RecordOf, ResultOf, TupleOf, VariantOf
from ringfence.contract.values import Case, Err, Ok, Some, record_class

PRIMITIVES = ["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"]
TEXTS = ["", "a", "ß\0", "😀", "line\n" * 9, "\U0010ffff"]
FLOATS = [0.0, -0.0, 1.5, -(2.0**100), float("inf"), 2.0**-149]


class Maker:
    """Makes types and values of them."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def names(self):
        return tuple(f"n{index}-{self.random.choice('abc')}" for index in range(self.random.randint(1, 6)))

    def type(self, depth, shape=None):
        pick = self.random

        def inner():
            return self.type(depth - 1)

        def maybe():
            return inner() if pick.random() < 0.7 else None

        shape = shape or (pick.choice(SHAPES) if depth else Primitive)
        if shape is Primitive:
            return Primitive(pick.choice(PRIMITIVES))
        if shape in (EnumOf, FlagsOf):
            return shape(self.names())
        if shape in (ListOf, OptionOf):
            return shape(inner())
        if shape is TupleOf:
            return TupleOf(tuple(inner() for _ in self.names()))
        if shape is ResultOf:
            return ResultOf(maybe(), maybe())
        return shape(tuple((name, maybe() if shape is VariantOf else inner()) for name in self.names()))

    def value(self, kind):
        pick, many = self.random, range(self.random.randint(0, 4))
        match kind:
            case Primitive(name):
                return self.primitive(name)
            case ListOf(Primitive("u8")):
                return pick.randbytes(pick.randint(0, 40))
            case ListOf(element):
                return [self.value(element) for _ in many]
            case TupleOf(elements):
                return tuple(self.value(element) for element in elements)
            case RecordOf(fields):
                return record_class(tuple(name for name, _ in fields))(*[self.value(field) for _, field in fields])
            case EnumOf(labels):
                return pick.choice(labels)
            case FlagsOf(labels):
                return frozenset(label for label in labels if pick.random() < 0.5)
        return self.chosen(kind)

    def chosen(self, kind):
        match kind:
            case VariantOf(cases):
                name, payload = self.random.choice(cases)
                return Case(name, None if payload is None else self.value(payload))
            case OptionOf(some):
                if self.random.random() < 0.3:
                    return None
                return Some(self.value(some)) if isinstance(some, OptionOf) else self.value(some)
            case ResultOf(ok, err):
                side, payload = self.random.choice([(Ok, ok), (Err, err)])
                return side(None if payload is None else self.value(payload))
        raise AssertionError(kind)

    def primitive(self, name):
        pick = self.random
        if name == "bool":
            return pick.random() < 0.5
        if name == "string":
            return pick.choice(TEXTS)
        if name == "char":
            return pick.choice("aß😀\0\U0010ffff")
        if name[0] == "f":
            return pick.choice(FLOATS)
        bits = int(name[1:])
        return pick.getrandbits(bits) - (1 << bits - 1 if name[0] == "s" else 0)


SHAPES = [Primitive, ListOf, RecordOf, TupleOf, VariantOf, EnumOf, FlagsOf, OptionOf, ResultOf]


@pytest.mark.parametrize("seed", range(54))
def test_any_value_of_any_type_crosses_unchanged(echo, seed):
    maker = Maker(seed)
    kind = maker.type(3, SHAPES[seed % len(SHAPES)])
    run = echo(TupleOf((kind,)) if isinstance(kind, ResultOf) else kind)  # as a function's result it would be an exception
    for _ in range(20):
        value = maker.value(kind)
        given = (value,) if isinstance(kind, ResultOf) else value
        assert run(given) == given
        assert run.seen == given
