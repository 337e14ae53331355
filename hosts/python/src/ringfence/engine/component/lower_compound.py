"""Lowers what is made of other values, and resources; `lower_of` is the entry for every type."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from ctypes import addressof, create_string_buffer
from typing import Any, assert_never

from ringfence.contract.errors import ShapeError
from ringfence.contract.mismatch import describe, mismatch, no_such
from ringfence.contract.records import field_values
from ringfence.contract.types import (
    Borrow,
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
    Type,
    VariantOf,
)
from ringfence.contract.values import Err, Ok, Some, case_of
from ringfence.engine.component import ffi
from ringfence.engine.component.ffi import ENTRY, PAYLOAD, RESULT_VALUE, VAL, VARIANT_VALUE
from ringfence.engine.component.lift import ResourceIds
from ringfence.engine.component.lower import Lower, lower_bytes, lower_numbers, lower_primitive
from ringfence.engine.component.scopes import Lowering
from ringfence.engine.library import ADDRESS, NAME, PAIR


class _Name:
    """A name in C memory that stays."""

    def __init__(self, name: str) -> None:
        data = name.encode()
        self._buffer = create_string_buffer(data)
        self.size, self.address = len(data), addressof(self._buffer)


def lower_of(kind: Type, ids: ResourceIds, *, filled: bool = False) -> Lower:
    """The function that lowers values of this type; `filled`: a Fill may stand for bytes."""
    match kind:
        case Primitive():
            return lower_primitive(kind)
        case ListOf(Primitive("u8")):
            return lower_bytes(filled=filled)
        case ListOf(Primitive(name) as number) if name not in ("bool", "char", "string"):
            return lower_numbers(number)
        case ListOf(element):
            return _list(kind, lower_of(element, ids, filled=filled))
        case RecordOf(fields):
            return _record(kind, [(name, lower_of(field, ids, filled=filled)) for name, field in fields])
        case TupleOf(elements):
            return _tuple(kind, [lower_of(element, ids, filled=filled) for element in elements])
        case VariantOf(cases):
            return _variant(kind, {name: (_Name(name), _maybe(payload, ids, filled=filled)) for name, payload in cases})
        case EnumOf(labels):
            return _enum(kind, {label: _Name(label) for label in labels})
        case FlagsOf(labels):
            return _flags(kind, {label: _Name(label) for label in labels})
        case OptionOf(some):
            return _option(kind, lower_of(some, ids, filled=filled), nested=isinstance(some, OptionOf))
        case ResultOf(ok, err):
            return _result(kind, _maybe(ok, ids, filled=filled), _maybe(err, ids, filled=filled))
        case Own(resource) | Borrow(resource):
            return _resource(resource, ids, moves=isinstance(kind, Own))
        case _:
            assert_never(kind)


def _maybe(kind: Type | None, ids: ResourceIds, *, filled: bool) -> Lower | None:
    return None if kind is None else lower_of(kind, ids, filled=filled)


def _list(kind: Type, element: Lower) -> Lower:
    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        if not isinstance(value, (list, tuple)):
            raise mismatch(kind, value)
        _elements(value, [element] * len(value), memory, at, scope)
        memory[at] = ffi.LIST

    return lower


def _tuple(kind: TupleOf, elements: list[Lower]) -> Lower:
    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        if not isinstance(value, (list, tuple)):
            raise mismatch(kind, value)
        if len(value) != len(elements):
            raise ShapeError(f"expected a tuple of {len(elements)}, found one of {len(value)}")
        _elements(value, elements, memory, at, scope)
        memory[at] = ffi.TUPLE

    return lower


def _elements(values: Any, lowers: list[Lower], memory: memoryview, at: int, scope: Lowering) -> None:
    if not lowers:
        return
    view, start, address = scope.alloc(len(lowers) * VAL)
    for index, lower in enumerate(lowers):
        try:
            lower(values[index], view, start + index * VAL, scope)
        except ShapeError as error:
            raise error.within(f"[{index}]") from None
    PAIR.pack_into(memory, at + PAYLOAD, len(lowers), address)


def _record(kind: RecordOf, fields: list[tuple[str, Lower]]) -> Lower:
    places = [(index * ENTRY + NAME, _Name(name), name, field) for index, (name, field) in enumerate(fields)]
    template = bytearray(len(fields) * ENTRY)
    for index, (_, name, _, _) in enumerate(places):
        PAIR.pack_into(template, index * ENTRY, name.size, name.address)

    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        values = field_values(kind, value)
        view, start, address = scope.alloc(len(template))
        view[start : start + len(template)] = template
        for (place, _, name, field), inner in zip(places, values, strict=True):
            try:
                field(inner, view, start + place, scope)
            except ShapeError as error:
                raise error.within(name) from None
        PAIR.pack_into(memory, at + PAYLOAD, len(places), address)
        memory[at] = ffi.RECORD

    return lower


def _payload(name: str, lower: Lower | None, value: Any, scope: Lowering) -> int:
    """The address of a payload in C memory of its own; 0 where there is none."""
    if lower is None:
        if value is not None:
            raise ShapeError(f"expected no value for {name}, found {describe(value)}")
        return 0
    view, at, address = scope.alloc(VAL)
    try:
        lower(value, view, at, scope)
    except ShapeError as error:
        raise error.within(name) from None
    return address


def _variant(kind: VariantOf, cases: dict[str, tuple[_Name, Lower | None]]) -> Lower:
    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        stands = case_of(value)
        if stands is None:
            raise mismatch(kind, value)
        label, payload = stands
        case = cases.get(label) if isinstance(label, str) else None
        if case is None:
            raise no_such("case", label, cases) if isinstance(label, str) else mismatch(kind, value)
        if isinstance(value, str) and case[1] is not None:
            raise ShapeError(f"expected Case({label!r}, value), found only its name")
        address = _payload(label, case[1], payload, scope)
        PAIR.pack_into(memory, at + PAYLOAD, case[0].size, case[0].address)
        ADDRESS.pack_into(memory, at + VARIANT_VALUE, address)
        memory[at] = ffi.VARIANT

    return lower


def _enum(kind: EnumOf, labels: dict[str, _Name]) -> Lower:
    def lower(value: Any, memory: memoryview, at: int, _scope: Lowering) -> None:
        if not isinstance(value, str):
            raise mismatch(kind, value)
        name = labels.get(value)
        if name is None:
            raise no_such("label", value, labels)
        PAIR.pack_into(memory, at + PAYLOAD, name.size, name.address)
        memory[at] = ffi.ENUM

    return lower


def _flags(kind: FlagsOf, labels: dict[str, _Name]) -> Lower:
    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        if not isinstance(value, (AbstractSet, list, tuple)) or not all(isinstance(label, str) for label in value):
            raise mismatch(kind, value)
        chosen = set(value)
        for label in chosen:
            if label not in labels:
                raise no_such("label", label, labels)
        if chosen:
            view, start, address = scope.alloc(len(chosen) * NAME)
            for index, label in enumerate(chosen):
                PAIR.pack_into(view, start + index * NAME, labels[label].size, labels[label].address)
            PAIR.pack_into(memory, at + PAYLOAD, len(chosen), address)
        memory[at] = ffi.FLAGS

    return lower


def _option(kind: OptionOf, some: Lower, *, nested: bool) -> Lower:
    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        memory[at] = ffi.OPTION
        if value is None:
            return
        if isinstance(value, Some):
            value = value.value
        elif nested:
            raise ShapeError(f"expected Some(…) or None for {_brief(kind)}, found {describe(value)}")
        view, inner, address = scope.alloc(VAL)
        some(value, view, inner, scope)
        ADDRESS.pack_into(memory, at + PAYLOAD, address)

    return lower


def _brief(kind: Type) -> str:
    return type(kind).__name__.removesuffix("Of").lower()


def _result(kind: ResultOf, ok: Lower | None, err: Lower | None) -> Lower:
    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        if not isinstance(value, (Ok, Err)):
            raise mismatch(kind, value)
        write_result(value, ok, err, memory, at, scope)

    return lower


def write_result(value: Ok[Any] | Err[Any], ok: Lower | None, err: Lower | None, memory: memoryview, at: int, scope: Lowering) -> None:
    """Write a result's ok or err case."""
    good = isinstance(value, Ok)
    address = _payload("ok" if good else "err", ok if good else err, value.value, scope)
    memory[at + PAYLOAD] = good
    ADDRESS.pack_into(memory, at + RESULT_VALUE, address)
    memory[at] = ffi.RESULT


def _resource(resource: ResourceName, ids: ResourceIds, *, moves: bool) -> Lower:
    type_id = ids.get(resource, 0)

    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        if resource.guest:
            address = scope.pass_handle(value, resource, moves=moves)
        else:
            if not callable(getattr(value, "close", None)):
                raise ShapeError(f"expected a host resource for {resource.name}, an object with close(), found {describe(value)}")
            address = scope.give_object(value, type_id) if moves else scope.lend_object(value, type_id)
        ADDRESS.pack_into(memory, at + PAYLOAD, address)
        memory[at] = ffi.RESOURCE

    return lower
