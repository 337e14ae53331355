"""WIT values as JSON data and back, for people and programs at a command line. Names stay as WIT spells them.

record: object; variant: `"case"` or `{"case": payload}`; enum: its label; flags: list of labels; option: the value or null
(`{"some": …}` where the payload may be null itself); result: `{"ok": …}` or `{"err": …}`; list<u8>: `{"base64": …}`; a float that JSON
lacks: `"NaN"`, `"Infinity"`, `"-Infinity"`.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from ringfence.contract.errors import ShapeError
from ringfence.contract.names import snake
from ringfence.contract.types import (
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
    show,
)
from ringfence.contract.values import Case, Err, Ok, Some

_BYTES = ListOf(Primitive("u8"))


def may_be_none(kind: Type) -> bool:
    """Whether None is a value of this type, so that an option of it needs `Some`."""
    return isinstance(kind, OptionOf)


def to_json(kind: Type | None, value: Any) -> Any:
    """The value, of this type, as JSON data."""
    match kind:
        case None:
            return None
        case Primitive("f32" | "f64") if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case Primitive():
            return value
        case ListOf(element):
            if kind == _BYTES:
                return {"base64": base64.b64encode(value).decode("ascii")}
            return [to_json(element, one) for one in value]
        case RecordOf(fields):
            return {name: to_json(inner, getattr(value, snake(name))) for name, inner in fields}
        case TupleOf(elements):
            return [to_json(inner, one) for inner, one in zip(elements, value, strict=True)]
        case VariantOf(cases):
            payload = dict(cases)[value.name]
            return value.name if payload is None else {value.name: to_json(payload, value.value)}
        case EnumOf():
            return str(value)
        case FlagsOf(labels):
            return [label for label in labels if label in value]
        case OptionOf(some):
            if value is None:
                return None
            return {"some": to_json(some, value.value)} if may_be_none(some) else to_json(some, value)
        case ResultOf(ok, err):
            return {"ok": to_json(ok, value.value)} if isinstance(value, Ok) else {"err": to_json(err, value.value)}
        case Own(resource) | Borrow(resource):
            return {"resource": resource.name}


def from_json(kind: Type | None, data: Any) -> Any:
    """The value that the JSON data stands for, in the form a call takes; deeper checks are the engine's.

    Raises:
        ShapeError: the data's shape can't be one of this type.
    """
    match kind:
        case None:
            return None
        case Primitive("f32" | "f64") if data in ("NaN", "Infinity", "-Infinity"):
            return float(data)
        case Primitive("f32" | "f64") if isinstance(data, int) and not isinstance(data, bool):
            return _real(kind, data)
        case Primitive():
            return data
        case ListOf(element):
            return _bytes(data) if kind == _BYTES and isinstance(data, dict) else _each(data, lambda _: element, kind)
        case RecordOf(fields):
            return _record(fields, data)
        case TupleOf(elements):
            if not isinstance(data, list) or len(data) != len(elements):
                raise ShapeError(f"expected {show(kind)}, found {_shown(data)}")
            return tuple(_each(data, lambda index: elements[index], kind))
        case VariantOf(cases):
            return _case(dict(cases), data)
        case EnumOf() | FlagsOf():
            return data
        case OptionOf(some):
            if data is None:
                return None
            if not may_be_none(some):
                return from_json(some, data)
            return Some(_single(data, {"some": some}, kind)[1])
        case ResultOf(ok, err):
            side, value = _single(data, {"ok": ok, "err": err}, kind)
            return Ok(value) if side == "ok" else Err(value)
        case Own(resource) | Borrow(resource):
            raise ShapeError(f"a {resource.name} cannot be written as text", hint="call it from Python")


def _real(kind: Primitive, number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        raise ShapeError(f"expected {kind.name}, found an integer of {number.bit_length()} bits") from None


def _each(data: Any, kind_of: Any, kind: Type) -> list[Any]:
    if not isinstance(data, list):
        raise ShapeError(f"expected {show(kind)}, found {_shown(data)}")
    out = []
    for index, one in enumerate(data):
        try:
            out.append(from_json(kind_of(index), one))
        except ShapeError as error:
            raise error.within(f"[{index}]") from error
    return out


def _record(fields: tuple[tuple[str, Type], ...], data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ShapeError(f"expected {show(RecordOf(fields))}, found {_shown(data)}")
    kinds = dict(fields)
    if data.keys() != kinds.keys():
        missing = [f"missing {name}" for name in kinds if name not in data]
        unknown = [f"unknown {_cut(name)}{_near(name, kinds)}" for name in data if name not in kinds]
        raise ShapeError(f"expected the fields {', '.join(kinds)}, found {_shown(data)}: {', '.join([*missing, *unknown])}")
    out = {}
    for name, one in data.items():
        try:
            out[name] = from_json(kinds[name], one)
        except ShapeError as error:
            raise error.within(name) from error
    return out


def _case(cases: dict[str, Type | None], data: Any) -> Case:
    name = data if isinstance(data, str) else next(iter(data)) if isinstance(data, dict) and len(data) == 1 else None
    if isinstance(data, str) and cases.get(data) is not None:
        raise ShapeError(f"expected {data} with its value, found only its name", hint=f'write {{"{data}": {show(cases[data])}}}')
    if name not in cases or (isinstance(data, str) != (cases[name] is None)):
        listed = ", ".join(name if payload is None else f'{{"{name}": …}}' for name, payload in cases.items())
        raise ShapeError(f"expected one of {listed}; found {_shown(data)}{_near(name, cases)}")
    return Case(name, None if isinstance(data, str) else from_json(cases[name], data[name]))


def _near(name: object, known: Iterable[str]) -> str:
    near = get_close_matches(name, [*known], n=1) if isinstance(name, str) else []
    return f" (did you mean {near[0]}?)" if near and near[0] != name else ""


def _single(data: Any, sides: dict[str, Type | None], kind: Type) -> tuple[str, Any]:
    if not isinstance(data, dict) or len(data) != 1 or next(iter(data)) not in sides:
        raise ShapeError(f"expected {show(kind)} as an object with one of {', '.join(sides)}, found {_shown(data)}")
    ((side, value),) = data.items()
    return side, from_json(sides[side], value)


def _bytes(data: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(data["base64"], validate=True) if data.keys() == {"base64"} else _no_bytes(data)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ShapeError(f'expected {{"base64": "…"}}, found {_shown(data)}') from error


def _no_bytes(data: Any) -> bytes:
    raise ValueError(data)


def _shown(data: Any) -> str:
    return _cut(json.dumps(data, ensure_ascii=True))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
