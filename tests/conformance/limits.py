"""Values of any WIT type: those at its limits, and strategies for all others.

They are as the engine gives them, so that they compare to what comes back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from ringfence.contract.types import EnumOf, FlagsOf, ListOf, OptionOf, Primitive, RecordOf, ResultOf, TupleOf, Type, VariantOf
from ringfence.contract.values import Case, Err, Ok, Some, record_class

SUBNORMAL, SMALLEST = {"f32": 2.0**-149, "f64": 2.0**-1074}, {"f32": 2.0**-126, "f64": 2.0**-1022}
LARGEST = {"f32": (2 - 2.0**-23) * 2.0**127, "f64": (2 - 2.0**-52) * 2.0**1023}
CHARS = "\0a\x7f\x80\u07ff\u0800\ud7ff\ue000\ufeff\ufffd\uffff\U00010000😀\U0010ffff"
"""The first and last characters of each length in UTF-8, those around the surrogates, and what is taken for a mark of its own."""
LONG = 10_000


def span(name: str) -> tuple[int, int]:
    """The least and the greatest of an integer type."""
    bits = int(name[1:])
    return (0, (1 << bits) - 1) if name[0] == "u" else (-(1 << bits - 1), (1 << bits - 1) - 1)


def limits(kind: Type) -> list[Any]:
    """The values at the limits of a type: each case, label and flag, each limit of each part."""
    match kind:
        case Primitive(name):
            return _primitives(name)
        case ListOf(Primitive("u8")):
            return [b"", b"\0", bytes(range(256)), b"\xff" * 20_000]
        case ListOf(Primitive(name)) if name not in ("string", "char"):
            return [[], *([one] for one in limits(kind.element)), limits(kind.element) * (LONG // len(limits(kind.element)))]
        case ListOf(element):
            return [[], limits(element)[:1], limits(element), [limits(element)[-1]] * 3]
        case TupleOf(elements):
            return [tuple(row) for row in _rows(elements)]
        case RecordOf(fields):
            made = record_class(tuple(name for name, _ in fields))
            return [made(*row) for row in _rows([field for _, field in fields])]
        case VariantOf(cases):
            return [Case(name, value) for name, payload in cases for value in ([None] if payload is None else limits(payload))]
        case EnumOf(labels):
            return list(labels)
        case FlagsOf(labels):
            return [frozenset(), frozenset(labels), frozenset(labels[::2]), *(frozenset({label}) for label in labels)]
        case OptionOf(some):
            return [None, *(_some(some, value) for value in limits(some))]
        case ResultOf(ok, err):
            return [side(value) for side, payload in ((Ok, ok), (Err, err)) for value in ([None] if payload is None else limits(payload))]
    raise AssertionError(kind)


def _primitives(name: str) -> list[Any]:
    match name:
        case "bool":
            return [False, True]
        case "char":
            return list(CHARS)
        case "string":
            return ["", "\0", "a\0b", CHARS, "é" * 40, "漢" * 40, "😀" * 40, CHARS * (LONG // len(CHARS)), "a" * 20_000 + "😀"]
        case "f32" | "f64":
            positive = [0.0, SUBNORMAL[name], SMALLEST[name], 1.5, LARGEST[name], math.inf]
            return [*positive, *(-one for one in positive), math.nan]
    low, high = span(name)
    return [0, 1, low, high, low + 1, high - 1, high // 2, high // 2 + 1]


def _rows(kinds: Sequence[Type]) -> list[list[Any]]:
    """As many rows as the part with the most limits has; the others begin anew."""
    columns = [limits(kind) for kind in kinds]
    return [[column[number % len(column)] for column in columns] for number in range(max(map(len, columns)))]


def _some(kind: Type, value: Any) -> Any:
    return Some(value) if isinstance(kind, OptionOf) else value


def arguments(kinds: Sequence[Type]) -> list[tuple[Any, ...]]:
    """Lists of arguments at the limits of all parameters."""
    return [tuple(row) for row in _rows(kinds)] if kinds else [()]


def values(kind: Type) -> st.SearchStrategy[Any]:
    """Any value of a type."""
    match kind:
        case Primitive("bool"):
            return st.booleans()
        case Primitive("char"):
            return st.characters(codec="utf-8")
        case Primitive("string"):
            return st.text(st.characters(codec="utf-8"))
        case Primitive("f32" | "f64" as name):
            return st.floats(width=int(name[1:]))  # type: ignore[arg-type]
        case Primitive(name):
            return st.integers(*span(name))
        case ListOf(Primitive("u8")):
            return st.binary()
        case ListOf(element):
            return st.lists(values(element), max_size=6)
        case TupleOf(elements):
            return st.tuples(*map(values, elements))
        case RecordOf(fields):
            return st.builds(record_class(tuple(name for name, _ in fields)), *(values(field) for _, field in fields))
        case VariantOf(cases):
            return st.sampled_from(cases).flatmap(lambda one: st.builds(Case, st.just(one[0]), _payload(one[1])))
        case EnumOf(labels):
            return st.sampled_from(labels)
        case FlagsOf(labels):
            return st.frozensets(st.sampled_from(labels))
        case OptionOf(some):
            return st.none() | values(some).map(lambda value: _some(some, value))
        case ResultOf(ok, err):
            return st.builds(Ok, _payload(ok)) | st.builds(Err, _payload(err))
    raise AssertionError(kind)


def _payload(kind: Type | None) -> st.SearchStrategy[Any]:
    return st.none() if kind is None else values(kind)
