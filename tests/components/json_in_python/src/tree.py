"""JSON text into a flat list of nodes: bounds first, then CPython's own scanner, then flattening without recursion.

The bounds are checked on the text because CPython's scanner recurses on the C stack, and an exhausted stack is a trap, not an error.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from wit_world.exports.decoder import (
    Document,
    ErrorKind,
    Float,
    Member,
    Node,
    Node_Array,
    Node_BigInteger,
    Node_Boolean,
    Node_Float,
    Node_Integer,
    Node_Null,
    Node_Object,
    Node_Text,
)

MAX_CHARACTERS = 16 * 1024 * 1024
MAX_DEPTH = 512
MAX_VALUES = 1_000_000

_SAFE_DIGITS = 18
_LARGEST_LITERAL = len("-9223372036854775808")
_S64 = range(-(2**63), 2**63)

# A whole string (or the rest of the text, where it is not closed) or one structural character. Possessive: no backtracking.
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?+|[\[\]{},]', re.DOTALL)
_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*+"?+|NaN|-?Infinity', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_HIGH = range(0xD800, 0xDC00)
_LOW = range(0xDC00, 0xE000)


class Refused(Exception):
    """A text that cannot be decoded; `offset` is the index of the offending character."""

    def __init__(self, kind: ErrorKind, message: str, offset: int) -> None:
        super().__init__(message)
        self.kind = kind
        self.offset = offset


class _Digits(str):
    """An integer outside 64 bits. Kept as text: `int` refuses more than 4,300 digits and takes quadratic time."""

    __slots__ = ()


class _Constant(Exception):
    """The scanner met `NaN` or `Infinity`."""


def decode(text: str) -> Document:
    """The document `text` holds, in pre-order, as `wit/json` describes it.

    Raises:
        Refused: Where `text` is not JSON, or passes a bound.
    """
    _check_bounds(text)
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise Refused(ErrorKind.SYNTAX, error.msg.rstrip(" :"), error.pos) from None
    except _Constant:
        raise Refused(ErrorKind.SYNTAX, "NaN and Infinity are not JSON", _first_constant(text)) from None
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(text)
    return Document(root=0, nodes=_flatten(value))


def _integer(literal: str) -> int | _Digits:
    if len(literal) <= _SAFE_DIGITS:
        return int(literal)
    if len(literal) <= _LARGEST_LITERAL and (value := int(literal)) in _S64:
        return value
    return _Digits(literal)


def _float(literal: str) -> Float:
    return Float(value=float(literal), literal=literal)


def _constant(_name: str) -> NoReturn:
    raise _Constant


def _check_bounds(text: str) -> None:
    """Refuses what is too long, too deep or holds too many values; cheap for ordinary texts."""
    if len(text) > MAX_CHARACTERS:
        raise Refused(ErrorKind.TOO_LARGE, f"longer than {MAX_CHARACTERS} characters", MAX_CHARACTERS)
    opened = text.count("[") + text.count("{")
    if opened <= MAX_DEPTH and opened + text.count(",") < MAX_VALUES:
        return
    depth = 0
    values = 1
    for offset, character in _structure(text):
        if character in "]}":
            depth -= 1
            continue
        values += 1
        if character != ",":
            depth += 1
        if depth > MAX_DEPTH:
            raise Refused(ErrorKind.TOO_DEEP, f"nested deeper than {MAX_DEPTH}", offset)
        if values > MAX_VALUES:
            raise Refused(ErrorKind.TOO_LARGE, f"may hold more than {MAX_VALUES} values", offset)


def _structure(text: str) -> Iterator[tuple[int, str]]:
    """Each structural character outside strings, with its offset."""
    for match in _STRUCTURE.finditer(text):
        if not match[0].startswith('"'):
            yield match.start(), match[0]


def _first_constant(text: str) -> int:
    """Where the first `NaN` or `Infinity` outside a string stands."""
    return next(match.start() for match in _CONSTANT.finditer(text) if not match[0].startswith('"'))


def _check_surrogates(text: str) -> None:
    """Refuses an escaped surrogate without its other half. `text` is known to be JSON, so escapes stand only in strings."""
    high_ends_at = -1
    high_offset = 0
    for match in _ESCAPE.finditer(text):
        unit = int(match[1], 16) if match[1] else 0
        paired = high_ends_at == match.start()
        if high_ends_at >= 0 and not (paired and unit in _LOW):
            raise Refused(ErrorKind.LONE_SURROGATE, "half of a surrogate pair", high_offset)
        if high_ends_at < 0 and unit in _LOW:
            raise Refused(ErrorKind.LONE_SURROGATE, "half of a surrogate pair", match.start())
        high_ends_at, high_offset = (match.end(), match.start()) if unit in _HIGH else (-1, 0)
    if high_ends_at >= 0:
        raise Refused(ErrorKind.LONE_SURROGATE, "half of a surrogate pair", high_offset)


def _flatten(value: Any) -> list[Node]:
    """The nodes of `value` in pre-order; each container learns its children's ids when they get them."""
    nodes: list[Node] = []
    # What is still to be placed: the value, and the array place or the member that is to hold its id.
    pending: list[tuple[Any, list[int] | None, int, Member | None]] = [(value, None, 0, None)]
    while pending:
        value, ids, place, member = pending.pop()
        if ids is not None:
            ids[place] = len(nodes)
        elif member is not None:
            member.value = len(nodes)
        if isinstance(value, list):
            children = [0] * len(value)
            nodes.append(Node_Array(children))
            pending.extend((value[index], children, index, None) for index in range(len(value) - 1, -1, -1))
        elif isinstance(value, dict):
            members = [Member(name, 0) for name in value]
            nodes.append(Node_Object(members))
            pending.extend((value[entry.name], None, 0, entry) for entry in reversed(members))
        else:
            nodes.append(_leaf(value))
    return nodes


def _leaf(value: Any) -> Node:
    if isinstance(value, _Digits):
        return Node_BigInteger(str(value))
    if isinstance(value, str):
        return Node_Text(value)
    if isinstance(value, bool):
        return Node_Boolean(value)
    if isinstance(value, int):
        return Node_Integer(value)
    if isinstance(value, Float):
        return Node_Float(value)
    return Node_Null()
