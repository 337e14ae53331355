"""Values as the scripts write them to values as the seam has them, and back to something that can be compared exactly."""

from __future__ import annotations

import math
import struct
from typing import Any

from ringfence.contract.types import ListOf, OptionOf, Primitive, RecordOf, ResultOf, TupleOf, Type, VariantOf
from ringfence.contract.values import Case, Err, Ok, Record, Some, record_class

_FLOATS = {"f32": ("<I", "<f"), "f64": ("<Q", "<d")}


def value(constant: Any, kind: Type | None) -> Any:
    """The value of this type that the script means; a type that does not fit it is an error of the script, or of how it is read."""
    written, content = constant["type"], constant.get("value")
    match kind:
        case Primitive(name) if name == written:
            return _primitive(name, content)
        case ListOf(element) if written == "list":
            values = [value(one, element) for one in content]
            return bytes(values) if element == Primitive("u8") else values
        case TupleOf(elements) if written == "tuple":
            return tuple(value(one, inner) for one, inner in zip(content, elements, strict=True))
        case RecordOf(fields) if written == "record":
            names = tuple(name for name, _ in content)
            assert names == tuple(name for name, _ in fields), f"fields {names} for {kind}"
            return record_class(names)(*(value(one, inner) for (_, one), (_, inner) in zip(content, fields, strict=True)))
        case VariantOf(cases) if written == "variant":
            return Case(content["case"], _payload(content.get("payload"), dict(cases)[content["case"]]))
        case OptionOf(some) if written == "option":
            return None if content is None else _some(value(content, some), some)
        case ResultOf(ok, err) if written == "result":
            return Ok(_payload(content["Ok"], ok)) if "Ok" in content else Err(_payload(content["Err"], err))
        case _ if written in ("enum", "flags"):
            return content if written == "enum" else frozenset(content)
    raise AssertionError(f"a {written} where the function has {kind}")


def _primitive(name: str, content: Any) -> Any:
    if name in _FLOATS:
        bits, number = _FLOATS[name]
        return struct.unpack(number, struct.pack(bits, int(content)))[0]
    return content if name in ("bool", "char", "string") else int(content)


def _payload(constant: Any, kind: Type | None) -> Any:
    assert (constant is None) == (kind is None), f"{constant} for a payload of {kind}"
    return None if kind is None else value(constant, kind)


def _some(content: Any, kind: Type) -> Any:
    return Some(content) if isinstance(kind, OptionOf) else content


def exact(found: Any) -> Any:
    """Equal for equal values only: of one type, and of the same bits where they are floats. One NaN is like another (*Loading*)."""
    match found:
        case float():
            return "float", "nan" if math.isnan(found) else struct.pack("<d", found)
        case list() | tuple():
            return type(found).__name__, [exact(one) for one in found]
        case Record():
            return "record", found.__wit__, [exact(one) for one in found._values()]
        case Case():
            return "case", found.name, exact(found.value)
        case Some() | Ok() | Err():
            return type(found).__name__, exact(found.value)
        case str():
            return "text", str(found)  # an enum's label, too
        case frozenset():
            return "flags", sorted(map(str, found))
    return type(found).__name__, found
