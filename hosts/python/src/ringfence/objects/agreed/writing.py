"""Values to JSON text."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from binascii import b2a_base64
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any

from .terms import CONTAINERS, DEPTH, TYPE_NAMES, Uncrossable

_PAIR = re.compile("(?<=[\\ud800-\\udbff])(?=[\\udc00-\\udfff])")
"""Between two code points that JSON would join to one."""
_S64 = range(-(1 << 63), 1 << 63)
_AS_THEY_ARE = frozenset({type(None), bool, float})


class _Shared(Exception):
    """The value has something in it twice."""


class Writer:
    """Writes values. Subclasses say what becomes of objects that are no plain values: see `other`."""

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[type, Callable[[Any, int], Any]] = {
            kind: getattr(self, f"_write_{method}") for kind, method in _WRITERS.items()
        }
        self._seen: dict[int, Any] = {}
        self._table: list[Any] | None = None
        self._sent: list[Any] = []  # what is in the text that is being written and must be taken back where it goes nowhere
        self._encode = _encoder()

    def dumps(self, value: Any) -> str:
        """The text that stands for a value.

        Raises:
            Uncrossable: there is something in it that cannot cross.
        """
        outer = self._seen, self._table, self._sent  # a text may be written while another is: what is shown of it may run code
        self._seen, self._table, self._sent = {}, None, []
        try:
            return self._encode(self._whole(value, 0))
        except BaseException:
            self._restart(0)
            raise
        finally:
            self._seen, self._table, self._sent = outer

    def _restart(self, mark: int) -> None:
        """What was written since there were so many in `_sent` is thrown away."""
        if len(self._sent) > mark:
            self.take_back(self._sent[mark:])
            del self._sent[mark:]

    def take_back(self, sent: list[Any]) -> None:
        """Undo what was noted in `_sent`."""

    def stays(self, zone: dt.tzinfo) -> bool:  # noqa: ARG002 -- subclasses need it
        """Whether a time zone is an object of the library's, and crosses as one."""
        return False

    def other(self, value: Any, depth: int) -> Any:  # noqa: ARG002 -- subclasses need it
        """JSON for what is no plain value."""
        raise Uncrossable(f"a {type(value).__name__} cannot cross")

    def apart(self, value: Any, depth: int) -> Any:
        """JSON for a part of an object that is no plain value: written for itself, since it must be whole where the object is read."""
        outer = self._seen, self._table
        self._seen, self._table = {}, None
        try:
            return self._whole(value, depth)
        finally:
            self._seen, self._table = outer

    def _whole(self, value: Any, depth: int) -> Any:
        mark = len(self._sent)
        try:
            return self._plain(value, depth)
        except _Shared:
            self._restart(mark)
            return self._as_table(value)

    def _plain(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            if value.isascii() or not _PAIR.search(value):
                return value
            return {"$": "u", "v": _PAIR.split(value)}
        if kind is int:
            return value if value in _S64 else {"$": "n", "v": f"{value:x}"}
        if value is None or kind is bool or kind is float:
            return value
        write = self._written.get(kind)
        if write is None:
            return self.other(value, depth)
        if kind in CONTAINERS and (value or kind is not tuple):
            if self._table is not None:
                return {"$": "@", "i": self._node(value, depth)}
            if id(value) in self._seen:
                raise _Shared
            self._seen[id(value)] = value
            if depth >= DEPTH:
                raise Uncrossable(f"it is nested more than {DEPTH} levels deep")
        return write(value, depth + 1)

    def _as_table(self, value: Any) -> Any:
        self._seen, self._table = {}, []
        root = self._plain(value, 0)
        return {"$": "R", "v": self._table, "x": root}

    def _node(self, value: Any, depth: int) -> int:
        """The place of a container in the table."""
        assert self._table is not None  # noqa: S101 -- of a private method's only caller
        found = self._seen.get(id(value))
        if found is not None:
            index: int = found[0]
            return index
        if depth >= DEPTH:
            raise Uncrossable(f"it is nested more than {DEPTH} levels deep")
        index = len(self._table)
        self._seen[id(value)] = (index, value)
        self._table.append(None)
        self._table[index] = self._written[type(value)](value, depth + 1)
        return index

    def _write_list(self, value: list[Any], depth: int) -> Any:
        plain = self._plain  # not called for what most things are: a call takes longer than all it does
        return [
            one
            if (kind := type(one)) in _AS_THEY_ARE or (kind is str and one.isascii()) or (kind is int and one in _S64)
            else plain(one, depth)
            for one in value
        ]

    def _write_dict(self, value: dict[Any, Any], depth: int) -> Any:
        plain = self._plain
        for key in value:
            if type(key) is not str or key == "$" or not (key.isascii() or not _PAIR.search(key)):
                return {"$": "d", "v": self._pairs(value, depth)}
        return {
            key: one
            if (kind := type(one)) in _AS_THEY_ARE or (kind is str and one.isascii()) or (kind is int and one in _S64)
            else plain(one, depth)
            for key, one in value.items()
        }

    def _pairs(self, value: dict[Any, Any], depth: int) -> list[Any]:
        plain = self._plain
        return [[plain(key, depth), plain(one, depth)] for key, one in value.items()]

    def _write_ordered(self, value: OrderedDict[Any, Any], depth: int) -> Any:
        return {"$": "O", "v": self._pairs(value, depth)}

    def _write_counter(self, value: Counter[Any], depth: int) -> Any:
        return {"$": "k", "v": self._pairs(value, depth)}

    def _write_defaultdict(self, value: defaultdict[Any, Any], depth: int) -> Any:
        return {"$": "D", "v": self._pairs(value, depth), "f": self.factory(value.default_factory, depth)}

    def factory(self, value: Any, depth: int) -> Any:  # noqa: ARG002 -- subclasses need it
        """JSON for what makes a dict's missing values, where it crosses."""
        return self.shared_type(value) if isinstance(value, type) else None

    def _write_tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        return {"$": "t", "v": self._write_list(value, depth)}  # type: ignore[arg-type]

    def _write_set(self, value: set[Any], depth: int) -> Any:
        return {"$": "s", "v": [self._plain(one, depth) for one in value]}

    def _write_frozenset(self, value: frozenset[Any], depth: int) -> Any:
        return {"$": "z", "v": [self._plain(one, depth) for one in value]}

    def _write_deque(self, value: deque[Any], depth: int) -> Any:
        return {"$": "q", "v": [self._plain(one, depth) for one in value], "m": value.maxlen}

    def _write_complex(self, value: complex, _: int) -> Any:
        return {"$": "c", "v": [value.real, value.imag]}

    def _write_bytes(self, value: bytes, _: int) -> Any:
        return {"$": "b", "v": b2a_base64(value, newline=False).decode()}

    def _write_bytearray(self, value: bytearray, _: int) -> Any:
        return {"$": "a", "v": b2a_base64(value, newline=False).decode()}

    def _write_range(self, value: range, depth: int) -> Any:
        return {"$": "r", "v": [self._plain(one, depth) for one in (value.start, value.stop, value.step)]}

    def _write_slice(self, value: slice, depth: int) -> Any:
        return {"$": "l", "v": [self._plain(one, depth) for one in (value.start, value.stop, value.step)]}

    def _write_datetime(self, value: dt.datetime, depth: int) -> Any:
        clock = [value.hour, value.minute, value.second, value.microsecond]
        return {"$": "T", "v": [value.year, value.month, value.day, *clock], "f": value.fold, "z": self._zone(value, depth)}

    def _write_date(self, value: dt.date, _: int) -> Any:
        return {"$": "Y", "v": [value.year, value.month, value.day]}

    def _write_time(self, value: dt.time, depth: int) -> Any:
        clock = [value.hour, value.minute, value.second, value.microsecond]
        return {"$": "H", "v": clock, "f": value.fold, "z": self._zone(value, depth)}

    def _zone(self, value: dt.datetime | dt.time, depth: int) -> Any:
        """A zone by its offset at that time: rules of zones don't cross, but as objects of the library's."""
        zone = value.tzinfo
        if zone is None or type(zone) is dt.timezone or self.stays(zone):
            return self._plain(zone, depth)
        offset = value.utcoffset()
        return None if offset is None else self._plain(dt.timezone(offset, str(value.tzname() or "")), depth)

    def _write_timedelta(self, value: dt.timedelta, _: int) -> Any:
        return {"$": "L", "v": [value.days, value.seconds, value.microseconds]}

    def _write_timezone(self, value: dt.timezone, depth: int) -> Any:
        offset, *name = value.__getinitargs__()  # type: ignore[attr-defined]
        return {"$": "Z", "v": [offset.days, offset.seconds, offset.microseconds], "n": self._plain(name[0] if name else None, depth)}

    def _write_decimal(self, value: Decimal, _: int) -> Any:
        return {"$": "N", "v": str(value)}

    def _write_fraction(self, value: Fraction, depth: int) -> Any:
        return {"$": "F", "v": [self._plain(value.numerator, depth), self._plain(value.denominator, depth)]}

    def _write_uuid(self, value: uuid.UUID, _: int) -> Any:
        return {"$": "U", "v": value.hex}

    def _write_constant(self, value: Any, _: int) -> Any:
        return {"$": "e", "v": repr(value)}

    def path(self, value: PurePath) -> Any:
        """JSON for a path: its text."""
        return {"$": "P", "v": self._plain(str(value), 0)}

    def shared_type(self, value: type) -> Any:
        """JSON for a class that both sides have; None for others."""
        name = TYPE_NAMES.get(value)
        return None if name is None else {"$": "B", "v": name}


def _encoder() -> Callable[[Any], str]:
    """What writes JSON. `JSONEncoder.encode` makes the part of it that is in C anew for each text, which takes longer than a short one."""
    usual = json.JSONEncoder(separators=(",", ":"), check_circular=False)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return usual.encode
    write = make(None, usual.default, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True)  # noqa: FBT003
    return lambda value: "".join(write(value, 0))


_WRITERS: dict[type, str] = {
    list: "list",
    dict: "dict",
    tuple: "tuple",
    set: "set",
    frozenset: "frozenset",
    deque: "deque",
    OrderedDict: "ordered",
    Counter: "counter",
    defaultdict: "defaultdict",
    complex: "complex",
    bytes: "bytes",
    bytearray: "bytearray",
    memoryview: "bytes",
    range: "range",
    slice: "slice",
    dt.datetime: "datetime",
    dt.date: "date",
    dt.time: "time",
    dt.timedelta: "timedelta",
    dt.timezone: "timezone",
    Decimal: "decimal",
    Fraction: "fraction",
    uuid.UUID: "uuid",
    type(NotImplemented): "constant",
    type(Ellipsis): "constant",
}
