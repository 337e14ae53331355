"""A value that somebody in Python gives for a WIT type, as it would come out of a component: checked, and in its one canonical form.

Takes what an engine takes and refuses what an engine refuses, in the same words, with no component and no memory in between. So a test
double gets what a component would get, and its application what a component would have answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct, unpack
from typing import Any, TypeAlias, assert_never

from ringfence.contract import fit
from ringfence.contract.fit import Fit, Path
from ringfence.contract.mismatch import describe
from ringfence.contract.types import (
    CODES,
    Borrow,
    EnumOf,
    FlagsOf,
    ListOf,
    OptionOf,
    Own,
    Primitive,
    RecordOf,
    ResultOf,
    TupleOf,
    Type,
    VariantOf,
)
from ringfence.contract.values import Case, Err, Ok, Some, label_class, record_class

Leaf: TypeAlias = Callable[[Any, Own | Borrow, Path], Any]
"""What becomes of a resource inside a value."""

_F32 = Struct("<f")


def canonical(kind: Type, leaf: Leaf) -> Fit:
    """The function that checks values of this type and gives them back in canonical form; `leaf` deals with the resources in them.

    Made once per type. It raises ShapeError, with the path given and the steps into the value.
    """
    match kind:
        case Primitive():
            return _primitive(kind)
        case ListOf(element):
            return _list(kind, element, leaf)
        case RecordOf(fields):
            return _record(kind, [(name, canonical(inner, leaf)) for name, inner in fields])
        case TupleOf(elements):
            return _tuple(kind, [canonical(element, leaf) for element in elements])
        case VariantOf(cases):
            return _variant(kind, {name: _payload(payload, leaf) for name, payload in cases})
        case EnumOf(labels):
            place, members = fit.label(kind), list(label_class(labels))
            return lambda value, path: members[place(value, path)]
        case FlagsOf(labels):
            bits, members = fit.labels(kind), list(label_class(labels))
            return lambda value, path: _members(members, bits(value, path))
        case OptionOf(some):
            return _option(canonical(some, leaf), nested=isinstance(some, OptionOf))
        case ResultOf(ok, err):
            settled = fit.settled(kind, _payload(ok, leaf), _payload(err, leaf))
            return lambda value, path: _settled(*settled(None, value, path))
        case Own() | Borrow():
            return lambda value, path: leaf(value, kind, path)
        case _:
            assert_never(kind)


def _primitive(kind: Primitive) -> Fit:
    match kind.name:
        case "bool":
            return fit.boolean
        case "char":
            return lambda value, path: chr(fit.char(value, path))
        case "string":
            return _text
        case "f64":
            return fit.real(kind)
        case "f32":
            real = fit.real(kind)
            return lambda value, path: _F32.unpack(_F32.pack(real(value, path)))[0]
        case _:
            return fit.integer(kind)


def _text(value: Any, path: Path) -> str:
    try:
        return str.encode(value).decode()
    except (TypeError, UnicodeEncodeError):
        fit.no_text(value, path)


def _list(kind: ListOf, element: Type, leaf: Leaf) -> Fit:
    if element == Primitive("u8"):
        data = fit.data(filled=False)
        return lambda value, path: bytes(data(value, path))
    if isinstance(element, Primitive) and element.name not in ("char", "string"):
        packed, code = fit.numbers(element), Struct(f"<{CODES[element.name]}")
        return lambda value, path: _numbers(code, packed(value, path))
    inner = canonical(element, leaf)

    def checked(value: Any, path: Path) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            fit.misfit(kind, value, path)
        return [inner(one, (*path, f"[{index}]")) for index, one in enumerate(value)]

    return checked


def _numbers(code: Struct, data: Any) -> list[Any]:
    count = memoryview(data).nbytes // code.size
    return list(unpack(f"<{count}{code.format[1:]}", data))


def _record(kind: RecordOf, inner: list[tuple[str, Fit]]) -> Fit:
    values, make = fit.fields(kind), record_class(tuple(name for name, _ in inner))
    return lambda value, path: make(*[check(one, (*path, name)) for (name, check), one in zip(inner, values(value, path), strict=True)])


def _tuple(kind: TupleOf, inner: list[Fit]) -> Fit:
    elements = fit.elements(kind)
    return lambda value, path: tuple(
        check(one, (*path, f"[{index}]")) for index, (check, one) in enumerate(zip(inner, elements(value, path), strict=True))
    )


def _payload(kind: Type | None, leaf: Leaf) -> Callable[[Any, Any], Any] | None:
    if kind is None:
        return None
    inner = canonical(kind, leaf)
    return lambda _, value: inner(value, ())


def _variant(kind: VariantOf, payloads: Mapping[str, Callable[[Any, Any], Any] | None]) -> Fit:
    names = list(payloads)
    chosen = fit.chosen(kind, {name: (index, payloads[name]) for index, name in enumerate(names)})

    def checked(value: Any, path: Path) -> Case:
        place, payload = chosen(None, value, path)
        return Case(names[place], payload)

    return checked


def _members(members: list[Any], bits: int) -> frozenset[Any]:
    return frozenset(member for index, member in enumerate(members) if bits >> index & 1)


def _option(some: Fit, *, nested: bool) -> Fit:
    def checked(value: Any, path: Path) -> Any:
        if value is None:
            return None
        if isinstance(value, Some):
            value = value.value
        elif nested:
            fit.wrong(f"expected Some(…) or None for option, found {describe(value)}", path)
        inner = some(value, path)
        return Some(inner) if nested else inner

    return checked


def _settled(place: int, payload: Any) -> Ok[Any] | Err[Any]:
    return Err(payload) if place else Ok(payload)
