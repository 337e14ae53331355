"""PostgreSQL's text form of a value into WIT's, by the OID of its type, and back.

What WIT keeps as text passes through unchanged; booleans, integers, floats, bytes and arrays are read and written here.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod

from errors import TOO_MANY, UNFIT, ClientError
from wit_world.exports.client import (
    Array,
    Dimension,
    Scalar,
    Scalar_Boolean,
    Scalar_Bytes,
    Scalar_Date,
    Scalar_Float,
    Scalar_Integer,
    Scalar_Interval,
    Scalar_Json,
    Scalar_Jsonb,
    Scalar_Null,
    Scalar_Numeric,
    Scalar_Other,
    Scalar_Text,
    Scalar_Time,
    Scalar_Timestamp,
    Scalar_Timestamptz,
    Scalar_Timetz,
    Scalar_Uuid,
    TypedText,
    Value,
    Value_Array,
    Value_Scalar,
)

Reader = Callable[[str], Value]

NULL = Value_Scalar(Scalar_Null())
MAX_PARAMETERS = 65535
"""Of one statement: the protocol counts them in 16 bits."""

_INT2, _INT4, _INT8 = 21, 23, 20
_OCTAL = re.compile(r"\\(\\|[0-7]{3})")
_ARRAY_PART = re.compile(r'"((?:[^"\\]|\\.)*+)"|([{}])|([^{},"]+)', re.DOTALL)
_BOUND = re.compile(r"\[(-?\d+):")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r'(["\\])')


def _bytes(text: str) -> Scalar:
    if text.startswith("\\x"):
        return Scalar_Bytes(bytes.fromhex(text[2:]))
    # The session's bytea_output was changed to `escape`.
    return Scalar_Bytes(_OCTAL.sub(lambda found: "\\" if found[1] == "\\" else chr(int(found[1], 8)), text).encode("latin-1"))


# By the OID of a type: that of arrays of it, and what reads a value of it.
_TYPES: dict[int, tuple[int, Callable[[str], Scalar]]] = {
    16: (1000, lambda text: Scalar_Boolean(text == "t")),
    17: (1001, _bytes),
    18: (1002, Scalar_Text),
    19: (1003, Scalar_Text),
    _INT8: (1016, lambda text: Scalar_Integer(int(text))),
    _INT2: (1005, lambda text: Scalar_Integer(int(text))),
    _INT4: (1007, lambda text: Scalar_Integer(int(text))),
    25: (1009, Scalar_Text),
    26: (1028, lambda text: Scalar_Integer(int(text))),
    114: (199, Scalar_Json),
    700: (1021, lambda text: Scalar_Float(float(text))),
    701: (1022, lambda text: Scalar_Float(float(text))),
    705: (0, Scalar_Text),  # unknown: a literal that nothing gave a type
    1042: (1014, Scalar_Text),
    1043: (1015, Scalar_Text),
    1082: (1182, Scalar_Date),
    1083: (1183, Scalar_Time),
    1114: (1115, Scalar_Timestamp),
    1184: (1185, Scalar_Timestamptz),
    1186: (1187, Scalar_Interval),
    1266: (1270, Scalar_Timetz),
    1700: (1231, Scalar_Numeric),
    2950: (2951, Scalar_Uuid),
    3802: (3807, Scalar_Jsonb),
}

_INT2VECTOR = 22
"""Of the catalogue: an array whose subscripts begin at 0, with a text of its own."""

# The type that a parameter of a case is given. The server infers it for text; integers get the smallest that holds them, as every operator
# and function takes a smaller one.
_OIDS = {
    Scalar_Boolean: 16,
    Scalar_Float: 701,
    Scalar_Numeric: 1700,
    Scalar_Bytes: 17,
    Scalar_Date: 1082,
    Scalar_Time: 1083,
    Scalar_Timetz: 1266,
    Scalar_Timestamp: 1114,
    Scalar_Timestamptz: 1184,
    Scalar_Interval: 1186,
    Scalar_Uuid: 2950,
    Scalar_Json: 114,
    Scalar_Jsonb: 3802,
}


class Readers(dict[int, Reader]):
    """What reads a column's values, by the OID of its type; made when it is first asked for."""

    def __missing__(self, oid: int) -> Reader:
        reader = self[oid] = _reader(oid)
        return reader


def _reader(oid: int) -> Reader:
    if oid in _TYPES:
        read = _TYPES[oid][1]
        return lambda text: Value_Scalar(read(text))
    if oid == _INT2VECTOR:
        return lambda text: Value_Array(_vector(text))
    for element, (array, read) in _TYPES.items():
        if array == oid:
            return lambda text: Value_Array(_array(text, element, read))
    return lambda text: Value_Scalar(Scalar_Other(TypedText(oid, text)))


def _vector(text: str) -> Array:
    """Reads `1 2 3`."""
    elements: list[Scalar] = [Scalar_Integer(int(one)) for one in text.split()]
    return Array(_INT2, [Dimension(len(elements), 0)] if elements else [], elements)


def _array(text: str, element: int, read: Callable[[str], Scalar]) -> Array:
    """Reads `{{1,2},{3,NULL}}` or, where subscripts begin elsewhere, `[0:1]={1,2}` (PostgreSQL's manual, 8.15.6)."""
    bounds = text.partition("={")[0] if text.startswith("[") else ""
    elements: list[Scalar] = []
    opened: list[int] = []  # how many braces were opened, by depth
    depth = 0
    for found in _ARRAY_PART.finditer(text, len(bounds) + 1 if bounds else 0):
        quoted, brace, plain = found.groups()
        if brace == "{":
            if depth == len(opened):
                opened.append(0)
            opened[depth] += 1
            depth += 1
        elif brace == "}":
            depth -= 1
        elif plain == "NULL":
            elements.append(Scalar_Null())
        else:
            elements.append(read(plain if quoted is None else _ESCAPED.sub(r"\1", quoted)))
    lengths = [inner // outer for outer, inner in pairwise([*opened, len(elements)])] if elements else []
    lower = [int(one) for one in _BOUND.findall(bounds)] or [1] * len(lengths)
    return Array(element, [Dimension(*one) for one in zip(lengths, lower, strict=True)], elements)


def parameters(values: Sequence[Value]) -> tuple[list[int], list[str | None]]:
    """The types and the texts of a statement's parameters; type 0 where the server is to infer it, None for null.

    Raises:
        ClientError: There are too many, or an array is not rectangular.
    """
    if len(values) > MAX_PARAMETERS:
        raise ClientError(TOO_MANY, f"{len(values)} parameters; a statement takes up to {MAX_PARAMETERS}")
    both = [_parameter(one) for one in values]
    return [oid for oid, _ in both], [text for _, text in both]


def _parameter(value: Value) -> tuple[int, str | None]:
    if isinstance(value, Value_Scalar):
        return _oid(value.value), _text(value.value)
    array = value.value
    oid = _TYPES[array.element_type][0] if array.element_type in _TYPES else 0
    lengths = [one.length for one in array.dimensions]
    if (prod(lengths) if lengths else 0) != len(array.elements) or 0 in lengths:
        raise ClientError(UNFIT, f"an array of {' x '.join(map(str, lengths)) or 'no'} dimensions with {len(array.elements)} elements")
    texts = [_element(one) for one in array.elements]
    for length in reversed(lengths[1:]):
        texts = [f"{{{','.join(texts[at : at + length])}}}" for at in range(0, len(texts), length)]
    bounds = "".join(f"[{one.lower_bound}:{one.lower_bound + one.length - 1}]" for one in array.dimensions)
    plain = all(one.lower_bound == 1 for one in array.dimensions)
    return oid, f"{'' if plain else bounds + '='}{{{','.join(texts)}}}"


def _element(scalar: Scalar) -> str:
    text = _text(scalar)
    return "NULL" if text is None else '"' + _SPECIAL.sub(r"\\\1", text) + '"'


def _oid(scalar: Scalar) -> int:
    if isinstance(scalar, Scalar_Integer):
        size = scalar.value.bit_length() if scalar.value >= 0 else (scalar.value + 1).bit_length()
        return _INT2 if size < 16 else _INT4 if size < 32 else _INT8
    return scalar.value.type_oid if isinstance(scalar, Scalar_Other) else _OIDS.get(type(scalar), 0)


def _text(scalar: Scalar) -> str | None:
    if isinstance(scalar, Scalar_Null):
        return None
    if isinstance(scalar, Scalar_Boolean):
        return "t" if scalar.value else "f"
    if isinstance(scalar, Scalar_Bytes):
        return "\\x" + scalar.value.hex()
    if isinstance(scalar, Scalar_Other):
        return scalar.value.text
    return str(scalar.value)
