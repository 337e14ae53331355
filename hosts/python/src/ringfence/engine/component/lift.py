"""C values to Python values: for each type, one function that reads a value out of a copy of the C memory it lies in.

A value's 32 bytes are copied together with its neighbours', a few thousand at a time, and picked apart in Python: numbers of a whole list
by one strided slice. Nothing here frees or changes the C value. Names (of cases, labels) come as text and are looked up.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from ctypes import string_at
from struct import Struct
from typing import Any, TypeAlias, assert_never

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
from ringfence.contract.values import Case, Err, Ok, Some, label_class, record_class
from ringfence.engine.component.ffi import ENTRY, PAYLOAD, RESULT_VALUE, VAL, VARIANT_VALUE
from ringfence.engine.component.scopes import Lifting
from ringfence.engine.library import ADDRESS, NAME, PAIR

Lift: TypeAlias = Callable[[bytes, int, Lifting], Any]
"""`lift(memory, at, scope)`: the value whose 32 bytes begin at `at`."""

ResourceIds: TypeAlias = Mapping[ResourceName, int]
"""The number by which the linker knows each host resource."""

_FORMATS = {
    "bool": "?",
    "s8": "b",
    "u8": "B",
    "s16": "h",
    "u16": "H",
    "s32": "i",
    "u32": "I",
    "s64": "q",
    "u64": "Q",
    "f32": "f",
    "f64": "d",
    "char": "I",
}
_MANY = 1 << 14
"""Numbers copied at a time."""
_FEW = 256
"""Other elements copied at a time; between two such pieces the call is asked whether it may go on."""


def lift_of(kind: Type, ids: ResourceIds, *, arrays: bool = False) -> Lift:
    """The function that lifts values of this type; `arrays`: lists of numbers as arrays."""
    match kind:
        case Primitive("string"):
            return _string
        case Primitive("char"):
            return _char
        case Primitive(name):
            return _number(_FORMATS[name])
        case ListOf(Primitive("u8")):
            return _bytes
        case ListOf(Primitive(name)) if name not in ("string", "char"):
            numbers = _numbers(_FORMATS[name])
            return _array(numbers, _FORMATS[name]) if arrays and name != "bool" else numbers
        case ListOf(element):
            return _list(lift_of(element, ids, arrays=arrays), max(1, memory_size(element)[0]))
        case RecordOf(fields):
            return _record(record_class(tuple(name for name, _ in fields)), [lift_of(field, ids, arrays=arrays) for _, field in fields])
        case TupleOf(elements):
            return _tuple([lift_of(element, ids, arrays=arrays) for element in elements])
        case VariantOf(cases):
            return _variant({name.encode(): (name, _maybe(payload, ids, arrays=arrays)) for name, payload in cases})
        case EnumOf(labels):
            return _enum({label.value.encode(): label for label in label_class(labels)})
        case FlagsOf(labels):
            return _flags({label.value.encode(): label for label in label_class(labels)})
        case OptionOf(some):
            return _option(lift_of(some, ids, arrays=arrays), nested=isinstance(some, OptionOf))
        case ResultOf(ok, err):
            return _result(_maybe(ok, ids, arrays=arrays), _maybe(err, ids, arrays=arrays))
        case Own(resource):
            return _own(resource, ids)
        case Borrow(resource):
            return _borrow(resource, ids)
        case _:
            assert_never(kind)


def _maybe(kind: Type | None, ids: ResourceIds, *, arrays: bool) -> Lift | None:
    return None if kind is None else lift_of(kind, ids, arrays=arrays)


def memory_size(kind: Type) -> tuple[int, int]:
    """Bytes of a value in linear memory, and its alignment (Canonical ABI, *Element Size*): what it costs as output."""
    match kind:
        case Primitive("string") | ListOf():
            return 8, 4
        case Primitive(name):
            size = Struct(f"<{_FORMATS[name]}").size
            return size, size
        case RecordOf(fields):
            return _sequence([field for _, field in fields])
        case TupleOf(elements):
            return _sequence(list(elements))
        case VariantOf(cases):
            return _choice([payload for _, payload in cases])
        case EnumOf(labels):
            return _choice([None] * len(labels))
        case OptionOf(some):
            return _choice([None, some])
        case ResultOf(ok, err):
            return _choice([ok, err])
        case FlagsOf(labels):
            size = 1 if len(labels) <= 8 else 2 if len(labels) <= 16 else 4
            return size, size
        case Own() | Borrow():
            return 4, 4
        case _:
            assert_never(kind)


def _sequence(kinds: list[Type]) -> tuple[int, int]:
    size, alignment = 0, 1
    for kind in kinds:
        inner, own = memory_size(kind)
        size = -(-size // own) * own + inner
        alignment = max(alignment, own)
    return -(-size // alignment) * alignment, alignment


def _choice(kinds: list[Type | None]) -> tuple[int, int]:
    tag = 1 if len(kinds) <= 1 << 8 else 2 if len(kinds) <= 1 << 16 else 4
    sizes = [memory_size(kind) for kind in kinds if kind is not None]
    widest, alignment = max((size for size, _ in sizes), default=0), max((own for _, own in sizes), default=1)
    size = -(-tag // alignment) * alignment + widest
    alignment = max(alignment, tag)
    return -(-size // alignment) * alignment, alignment


def _number(code: str) -> Lift:
    unpack = Struct(f"<{code}").unpack_from

    def lift(memory: bytes, at: int, _scope: Lifting) -> Any:
        return unpack(memory, at + PAYLOAD)[0]

    return lift


_scalar = Struct("<I").unpack_from


def _char(memory: bytes, at: int, _scope: Lifting) -> str:
    return chr(_scalar(memory, at + PAYLOAD)[0])


def _string(memory: bytes, at: int, scope: Lifting) -> str:
    size, data = PAIR.unpack_from(memory, at + PAYLOAD)
    scope.spend(size)
    return string_at(data, size).decode() if size else ""


def _bytes(memory: bytes, at: int, scope: Lifting) -> bytes:
    count, data = PAIR.unpack_from(memory, at + PAYLOAD)
    scope.spend(count)
    pieces = []
    for start in range(0, count, _MANY):
        if start:
            scope.check()
        pieces.append(string_at(data + start * VAL, min(_MANY, count - start) * VAL)[PAYLOAD::VAL])
    return b"".join(pieces)


def _numbers(code: str) -> Lift:
    width = Struct(f"<{code}").size

    def lift(memory: bytes, at: int, scope: Lifting) -> list[Any]:
        count, data = PAIR.unpack_from(memory, at + PAYLOAD)
        scope.spend(count * width)
        found: list[Any] = []
        for start in range(0, count, _MANY):
            if start:
                scope.check()
            piece = string_at(data + start * VAL, min(_MANY, count - start) * VAL)
            found += memoryview(piece).cast(code)[PAYLOAD // width :: VAL // width].tolist()  # type: ignore[call-overload]
        return found

    return lift


def _array(numbers: Lift, code: str) -> Lift:
    return lambda memory, at, scope: array(code, numbers(memory, at, scope))


def _list(element: Lift, width: int) -> Lift:
    def lift(memory: bytes, at: int, scope: Lifting) -> list[Any]:
        count, data = PAIR.unpack_from(memory, at + PAYLOAD)
        scope.spend(count * width)
        found: list[Any] = []
        for start in range(0, count, _FEW):
            if start:
                scope.check()
            end = min(_FEW, count - start) * VAL
            piece = string_at(data + start * VAL, end)
            found += [element(piece, inner, scope) for inner in range(0, end, VAL)]
        return found

    return lift


def _record(cls: type, fields: list[Lift]) -> Lift:
    places = [(NAME + index * ENTRY, field) for index, field in enumerate(fields)]
    size = len(fields) * ENTRY

    def lift(memory: bytes, at: int, scope: Lifting) -> Any:
        _, data = PAIR.unpack_from(memory, at + PAYLOAD)
        entries = string_at(data, size)
        return cls(*[field(entries, place, scope) for place, field in places])

    return lift


def _tuple(elements: list[Lift]) -> Lift:
    places = [(index * VAL, element) for index, element in enumerate(elements)]
    size = len(elements) * VAL

    def lift(memory: bytes, at: int, scope: Lifting) -> Any:
        if not size:
            return ()
        _, data = PAIR.unpack_from(memory, at + PAYLOAD)
        piece = string_at(data, size)
        return tuple([element(piece, place, scope) for place, element in places])

    return lift


def _variant(cases: dict[bytes, tuple[str, Lift | None]]) -> Lift:
    def lift(memory: bytes, at: int, scope: Lifting) -> Case:
        size, data = PAIR.unpack_from(memory, at + PAYLOAD)
        name, payload = cases[string_at(data, size)]
        if payload is None:
            return Case(name)
        (value,) = ADDRESS.unpack_from(memory, at + VARIANT_VALUE)
        return Case(name, payload(string_at(value, VAL), 0, scope))

    return lift


def _enum(labels: dict[bytes, Any]) -> Lift:
    def lift(memory: bytes, at: int, _scope: Lifting) -> Any:
        size, data = PAIR.unpack_from(memory, at + PAYLOAD)
        return labels[string_at(data, size)]

    return lift


def _flags(labels: dict[bytes, Any]) -> Lift:
    def lift(memory: bytes, at: int, _scope: Lifting) -> Any:
        count, data = PAIR.unpack_from(memory, at + PAYLOAD)
        names = string_at(data, count * NAME) if count else b""
        return frozenset(labels[string_at(name, size)] for size, name in PAIR.iter_unpack(names))

    return lift


def _option(some: Lift, *, nested: bool) -> Lift:
    def lift(memory: bytes, at: int, scope: Lifting) -> Any:
        (value,) = ADDRESS.unpack_from(memory, at + PAYLOAD)
        if not value:
            return None
        found = some(string_at(value, VAL), 0, scope)
        return Some(found) if nested else found

    return lift


def _result(ok: Lift | None, err: Lift | None) -> Lift:
    def lift(memory: bytes, at: int, scope: Lifting) -> Any:
        is_ok = memory[at + PAYLOAD]
        payload = ok if is_ok else err
        value = None
        if payload is not None:
            (address,) = ADDRESS.unpack_from(memory, at + RESULT_VALUE)
            value = payload(string_at(address, VAL), 0, scope)
        return Ok(value) if is_ok else Err(value)

    return lift


def _own(resource: ResourceName, ids: ResourceIds) -> Lift:
    type_id = ids.get(resource, 0)

    def lift(memory: bytes, at: int, scope: Lifting) -> Any:
        (address,) = ADDRESS.unpack_from(memory, at + PAYLOAD)
        return scope.handle(address, resource) if resource.guest else scope.take_object(address, type_id)

    return lift


def _borrow(resource: ResourceName, ids: ResourceIds) -> Lift:
    type_id = ids.get(resource, 0)  # a guest lends only what it imports: its own resources it passes as numbers of its own

    def lift(memory: bytes, at: int, scope: Lifting) -> Any:
        (address,) = ADDRESS.unpack_from(memory, at + PAYLOAD)
        return scope.borrow_object(address, type_id)

    return lift
