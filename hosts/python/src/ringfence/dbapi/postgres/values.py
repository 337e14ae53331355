"""Python's values into those of WIT's `ringfence:postgres/client`, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any
from uuid import UUID

from ringfence.contract.values import Case
from ringfence.dbapi.exceptions import DataError, InternalError, ProgrammingError

_NULL = Case("null")
_INET, _CIDR = 869, 650
_LARGEST = range(-(2**63), 2**63)
_INT4_RANGE = range(-(2**31), 2**31)
_MAX_DIMENSIONS = 6
_DURATION = re.compile(r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d{1,6}))?S)?)?")

# The type of an array's elements by their case.
_ELEMENTS = {
    "text": 25,
    "boolean": 16,
    "float": 701,
    "numeric": 1700,
    "bytes": 17,
    "date": 1082,
    "time": 1083,
    "timetz": 1266,
    "timestamp": 1114,
    "timestamptz": 1184,
    "interval": 1186,
    "uuid": 2950,
    "jsonb": 3802,
}


@dataclass(frozen=True, slots=True)
class Json:
    """A value to be sent as jsonb; for those that are no dict (a dict always is)."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An interval with months in it, which no timedelta can hold: how long a month is depends on where it begins."""

    months: int = 0
    days: int = 0
    microseconds: int = 0


def parameter(value: object) -> Case:
    """The WIT value for a parameter.

    Raises:
        ProgrammingError: it is of a class that has no type here.
        DataError: it is a list that is no array, or holds what can't be written (a dict with a set in it, say).
    """
    if isinstance(value, list | tuple):
        return Case("array", _array(value))
    return Case("scalar", _scalar(value))


def _scalar(value: object) -> Case:
    write = _WRITE.get(type(value))
    if write is None:
        write = next((write for kind, write in _WRITE.items() if isinstance(value, kind)), None)
        if write is None:
            raise ProgrammingError(f"no PostgreSQL type is known for {type(value).__name__}: give it as text, or as one that is")
    try:
        return write(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"a {type(value).__name__} that can't be sent: {error}") from error


def _integer(value: int) -> Case:
    return Case("integer", int(value)) if value in _LARGEST else Case("numeric", str(int(value)))


def _datetime(value: datetime) -> Case:
    return Case("timestamp" if value.tzinfo is None else "timestamptz", value.isoformat(" "))


def _time(value: time) -> Case:
    return Case("time" if value.tzinfo is None else "timetz", value.isoformat())


def _jsonb(value: object) -> Case:
    return Case("jsonb", json.dumps(value, ensure_ascii=False))


def _duration(months: int, days: int, microseconds: int) -> Case:
    sign = "-" if microseconds < 0 else ""
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    return Case("interval", f"P{months}M{days}DT{sign}{seconds}.{rest:06}S")


def _typed(oid: int) -> Callable[[Any], Case]:
    return lambda value: Case("other", {"type_oid": oid, "text": str(value)})


_WRITE: Mapping[type, Callable[[Any], Case]] = {
    type(None): lambda _: _NULL,
    bool: lambda value: Case("boolean", value),
    int: _integer,
    float: lambda value: Case("float", float(value)),
    Decimal: lambda value: Case("numeric", str(value)),
    str: lambda value: Case("text", str.__str__(value)),
    bytes: lambda value: Case("bytes", value),
    bytearray: lambda value: Case("bytes", bytes(value)),
    memoryview: lambda value: Case("bytes", bytes(value)),
    datetime: _datetime,
    date: lambda value: Case("date", value.isoformat()),
    time: _time,
    timedelta: lambda value: _duration(0, value.days, value.seconds * 1_000_000 + value.microseconds),
    Interval: lambda value: _duration(value.months, value.days, value.microseconds),
    UUID: lambda value: Case("uuid", str(value)),
    Json: lambda value: _jsonb(value.value),
    dict: _jsonb,
    **dict.fromkeys((IPv4Interface, IPv6Interface, IPv4Address, IPv6Address), _typed(_INET)),
    **dict.fromkeys((IPv4Network, IPv6Network), _typed(_CIDR)),
}


def _array(values: Sequence[Any]) -> dict[str, Any]:
    lengths: list[int] = []
    level: list[Any] = []
    rows: list[Any] = [values]
    while True:
        lengths.append(len(rows[0]))
        if any(len(row) != lengths[-1] for row in rows):
            raise DataError("expected lists of equal length in a list that stands for an array")
        level = [one for row in rows for one in row]
        nested = [isinstance(one, list | tuple) for one in level]
        if not any(nested):
            break
        if not all(nested) or len(lengths) == _MAX_DIMENSIONS:
            raise DataError(f"expected lists down to one depth, of {_MAX_DIMENSIONS} at most, in a list that stands for an array")
        rows = level
    elements = [_scalar(one) for one in level]
    kind, elements = _one_kind(elements)
    dimensions = [{"length": length, "lower_bound": 1} for length in lengths] if level else []
    return {"element_type": kind, "dimensions": dimensions, "elements": elements}


def _one_kind(elements: list[Case]) -> tuple[int, list[Case]]:
    """The type of all elements, and these as of that type: integers beside floats or decimals are such."""
    kinds = {one.name for one in elements} - {"null"}
    if not kinds:
        return 0, elements
    if kinds == {"integer"}:
        return 23 if all(one.value is None or one.value in _INT4_RANGE for one in elements) else 20, elements
    if kinds == {"other"}:  # the server infers it
        return 0, [one if one.value is None else Case("text", one.value["text"]) for one in elements]
    if "integer" in kinds and len(kinds) == 2 and (other := (kinds - {"integer"}).pop()) in ("float", "numeric"):
        convert: Callable[[Any], Any] = float if other == "float" else str
        elements = [Case(other, convert(one.value)) if one.name == "integer" else one for one in elements]
        kinds = {other}
    if len(kinds) > 1:
        raise DataError(f"expected values of one type in a list that stands for an array, found {', '.join(sorted(kinds))}")
    return _ELEMENTS[kinds.pop()], elements


def row(values: Sequence[Case]) -> tuple[Any, ...]:
    """A row's values in Python.

    What Python can't hold stays text, as the server wrote it: dates before the year 1 or after 9999, `infinity`, 24 o'clock.
    So do values of types that have no case in WIT, an enum's labels for one.

    Raises:
        InternalError: the component answered what no server says.
    """
    return tuple([_nested(one.value) if one.name == "array" else _value(one.value) for one in values])


def _value(scalar: Case) -> Any:
    read = _READ[scalar.name]
    return scalar.value if read is None else read(scalar.value)


def _nested(array: Any) -> list[Any]:
    if len(array.dimensions) > _MAX_DIMENSIONS:  # the server has none; each costs a pass over all elements
        raise InternalError("the component's answer is malformed: an array has too many dimensions")
    values = [_value(one) for one in array.elements]
    for dimension in reversed(array.dimensions[1:]):
        values = [values[at : at + dimension.length] for at in range(0, len(values), dimension.length or 1)]
    return values


def _interval(text: str) -> timedelta | Interval | str:
    found = _DURATION.fullmatch(text)
    if found is None:
        return text
    years, months, days, hours, minutes = (int(part or 0) for part in found.groups()[:5])
    sign, seconds, fraction = found.groups()[5:]
    whole = int(seconds or 0) * 1_000_000 + int((fraction or "").ljust(6, "0"))
    microseconds = (hours * 60 + minutes) * 60_000_000 + (-whole if sign else whole)
    if not (years or months):
        with suppress(OverflowError):
            return timedelta(days=days, microseconds=microseconds)
    return Interval(months=years * 12 + months, days=days, microseconds=microseconds)


def _or_text(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind(text)
        except (ValueError, ArithmeticError, RecursionError):
            return text

    return read


_READ: Mapping[str, Callable[[Any], Any] | None] = {
    "null": None,
    "boolean": None,
    "integer": None,
    "float": None,
    "text": None,
    "bytes": None,
    "numeric": _or_text(Decimal),
    "date": _or_text(date.fromisoformat),
    "time": _or_text(time.fromisoformat),
    "timetz": _or_text(time.fromisoformat),
    "timestamp": _or_text(datetime.fromisoformat),
    "timestamptz": _or_text(datetime.fromisoformat),
    "interval": _or_text(_interval),
    "uuid": _or_text(UUID),
    "json": _or_text(json.loads),
    "jsonb": _or_text(json.loads),
    "other": lambda typed: typed.text,
}
