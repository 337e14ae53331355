"""Values to JSON text and back: the form in which they cross the border of a wrapped library.

Both halves use this very file, the host here and the guest as a copy in its component; so it imports nothing but the standard library.
What JSON has stands for itself (as Python's `json` writes it, with NaN and the infinities): None, bool, int of 64 bits, float, str, list,
dict with text for keys. Everything else is an object whose key "$" names its kind. A value in which something is shared, or contains
itself, is written as a table of its containers.

Nothing here is trusted: whatever is wrong in a text is a `Malformed`, found before anything is built of it, and no text makes code run.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from binascii import a2b_base64, b2a_base64
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath, PurePosixPath
from typing import Any

DEPTH = 200
"""How deep containers may be nested."""
_EXPONENT = 999_999
"""Of a Decimal, at most, as in Python's own default context: as an int it has as many digits."""
_FRACTION_BITS = 1 << 16
"""Of a fraction's parts: to reduce it takes time that grows with their square."""

_PAIR = re.compile("(?<=[\\ud800-\\udbff])(?=[\\udc00-\\udfff])")
"""Between two code points that JSON would join to one."""
_S64 = range(-(1 << 63), 1 << 63)

TYPES: dict[str, type] = {
    one.__name__: one
    for one in (
        *(
            type(None),
            bool,
            int,
            float,
            complex,
            str,
            bytes,
            bytearray,
            memoryview,
            list,
            tuple,
            dict,
            set,
            frozenset,
            range,
            slice,
            object,
            type,
        ),
        *(property, staticmethod, classmethod, super, enumerate, zip, map, filter, reversed, type(NotImplemented), type(Ellipsis)),
        *(OrderedDict, defaultdict, deque, Counter, Decimal, Fraction, uuid.UUID, PurePosixPath),
        *(dt.datetime, dt.date, dt.time, dt.timedelta, dt.timezone, dt.tzinfo),
    )
}
"""The classes that both sides have, which cross by their names."""
COMMON = frozenset(
    (
        *("abc", "array", "ast", "base64", "binascii", "bisect", "builtins", "calendar", "cmath", "codecs", "collections"),
        *("collections.abc", "colorsys", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum"),
        *("fnmatch", "fractions", "functools", "graphlib", "hashlib", "heapq", "html", "html.parser", "io", "itertools", "json"),
        *("json.decoder", "json.encoder", "keyword", "math", "numbers", "operator", "pprint", "re", "reprlib", "statistics"),
        *("string", "struct", "textwrap", "types", "typing", "unicodedata", "uuid"),
    )
)
"""Modules of the standard library that both sides have and that do nothing outside of their own process: what the application gives of
them is the library's own copy, so that the library knows it, and nobody is asked to run it."""
_UNICODE = ("encoding", "object", "start", "end", "reason")
FIELDS: dict[type[BaseException], tuple[str, ...]] = {
    AttributeError: ("name",),
    ImportError: ("msg", "name", "path"),
    NameError: ("name",),
    SyntaxError: ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset"),
    UnicodeDecodeError: _UNICODE,
    UnicodeEncodeError: _UNICODE,
    UnicodeTranslateError: _UNICODE[1:],
}
"""What built-in exceptions keep beside their arguments, of which their message is made."""
NOT_COMMON = frozenset({"builtins:print", "builtins:input", "builtins:open", "builtins:breakpoint", "io:open", "_io:open", "io:open_code"})
"""What acts on the application's own process: given as the callable that it is."""
_TYPE_NAMES = {one: name for name, one in TYPES.items()}
_CONSTANTS = {"NotImplemented": NotImplemented, "Ellipsis": Ellipsis}


_UNARY = (
    *("init", "call", "enter", "exit", "iter", "next", "reversed", "len", "length_hint", "bool", "contains", "getitem", "setitem"),
    *("delitem", "missing", "hash", "eq", "ne", "lt", "le", "gt", "ge", "repr", "str", "format", "bytes", "int", "float", "complex"),
    *("index", "round", "trunc", "floor", "ceil", "neg", "pos", "abs", "invert", "copy", "deepcopy", "html", "html_format"),
)
_BINARY = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "xor", "or")
OPERATORS = frozenset(f"__{name}__" for name in (*_UNARY, *(prefix + name for name in _BINARY for prefix in ("", "r", "i"))))
"""The special methods that cross. All others are the interpreter's own business, on each side."""


FROZEN: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    bytes: bytes.__bytes__,
    tuple: lambda value: tuple(tuple.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}
"""Classes whose objects never change, and what an object of a subclass holds of them, whatever that says of itself."""


class Malformed(Exception):
    """A text that is none of this form, or stands for what nobody may be made to build."""


class Uncrossable(TypeError):
    """A value that cannot cross."""


class _Shared(Exception):
    """The value has something in it twice."""


class _Entry:
    """A reference into the table of a value in which something is shared."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class Codec:
    """Writes values and reads them. Subclasses say what becomes of objects that are no plain values: see `other` and `kinds`."""

    def __init__(self) -> None:
        self.kinds: dict[str, Callable[[dict[str, Any]], Any]] = {
            name: getattr(self, f"_read_{method}") for name, method in _READERS.items()
        }
        self._written: dict[type, Callable[[Any, int], Any]] = {
            kind: getattr(self, f"_write_{method}") for kind, method in _WRITERS.items()
        }
        self._seen: dict[int, Any] = {}
        self._table: list[Any] | None = None
        self._sent: list[Any] = []  # what is in the text that is being written and must be taken back where it goes nowhere
        self._encode = _encoder()
        self._decode = json.JSONDecoder(object_hook=self._read).raw_decode

    # writing

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
        if kind in _CONTAINERS and (value or kind is not tuple):
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

    def makes(self, value: Any) -> bool:
        """Whether a value may make a dict's missing ones."""
        return isinstance(value, type) and value in _TYPE_NAMES

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
        name = _TYPE_NAMES.get(value)
        return None if name is None else {"$": "B", "v": name}

    # reading

    def loads(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            Malformed: it stands for none.
        """
        try:
            value, end = self._decode(text)
        except Malformed:
            raise
        except RecursionError:
            raise Malformed("nested too deeply") from None
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            raise Malformed(f"{type(error).__name__}: {ascii(str(error))[:200]}") from error
        if end != len(text):
            raise Malformed("more than one value")
        return value

    def _read(self, found: dict[str, Any]) -> Any:
        kind = found.get("$")
        if kind is None:
            if "$" in found:
                raise Malformed("an object of no kind")
            return found
        if type(kind) is not str:  # before it is hashed: it may stand for an object of the library
            raise Malformed(f"a {type(kind).__name__} in the place of a kind")
        return self.kinds[kind](found)

    def hashable(self, keys: list[Any]) -> list[Any]:
        """The keys or elements of what is built by their hashes, where that can be done in bounded time."""
        return keys

    def _read_text(self, found: dict[str, Any]) -> str:
        return "".join([_text(one) for one in self._items(found)])

    def _read_int(self, found: dict[str, Any]) -> int:
        return int(_text(found["v"]), 16)

    def _items(self, found: dict[str, Any]) -> list[Any]:
        value = found["v"]
        if type(value) is not list:
            raise Malformed(f"expected a list, found {type(value).__name__}")
        return value

    def _read_dict(self, found: dict[str, Any]) -> dict[Any, Any]:
        return self._built(dict, found)

    def _read_ordered(self, found: dict[str, Any]) -> dict[Any, Any]:
        return self._built(OrderedDict, found)

    def _read_counter(self, found: dict[str, Any]) -> dict[Any, Any]:
        return self._built(Counter, found)

    def _read_defaultdict(self, found: dict[str, Any]) -> dict[Any, Any]:
        factory = found["f"]
        if factory is not None and not self.makes(factory):
            raise Malformed("a factory that is no class of both sides")
        made: defaultdict[Any, Any] = defaultdict(factory)
        made.update(self._built(dict, found))
        return made

    def _built(self, kind: type[dict[Any, Any]], found: dict[str, Any]) -> dict[Any, Any]:
        pairs = self._items(found)
        made = kind()
        keys = self.hashable([_pair(pair)[0] for pair in pairs])
        for key, pair in zip(keys, pairs, strict=True):
            made[key] = pair[1]
        return made

    def _read_tuple(self, found: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(self._items(found))

    def _read_set(self, found: dict[str, Any]) -> set[Any]:
        return set(self.hashable(self._items(found)))

    def _read_frozenset(self, found: dict[str, Any]) -> frozenset[Any]:
        return frozenset(self.hashable(self._items(found)))

    def _read_deque(self, found: dict[str, Any]) -> deque[Any]:
        return deque(self._items(found), None if found["m"] is None else _int(found["m"]))

    def _read_complex(self, found: dict[str, Any]) -> complex:
        real, imaginary = self._items(found)
        return complex(_float(real), _float(imaginary))

    def _read_bytes(self, found: dict[str, Any]) -> bytes:
        return a2b_base64(_text(found["v"]), strict_mode=True)

    def _read_bytearray(self, found: dict[str, Any]) -> bytearray:
        return bytearray(self._read_bytes(found))

    def _read_range(self, found: dict[str, Any]) -> range:
        return range(*(_int(one) for one in self._items(found)))

    def _read_slice(self, found: dict[str, Any]) -> slice:
        start, stop, step = self._items(found)
        return slice(start, stop, step)

    def _read_datetime(self, found: dict[str, Any]) -> dt.datetime:
        return dt.datetime(*_ints(found["v"]), tzinfo=_zone(found["z"]), fold=found["f"])  # type: ignore[misc,arg-type]

    def _read_date(self, found: dict[str, Any]) -> dt.date:
        return dt.date(*_ints(found["v"]))

    def _read_time(self, found: dict[str, Any]) -> dt.time:
        return dt.time(*_ints(found["v"]), tzinfo=_zone(found["z"]), fold=found["f"])  # type: ignore[misc,arg-type]

    def _read_timedelta(self, found: dict[str, Any]) -> dt.timedelta:
        return dt.timedelta(*_ints(found["v"]))

    def _read_timezone(self, found: dict[str, Any]) -> dt.timezone:
        offset = self._read_timedelta(found)
        return dt.timezone(offset) if found["n"] is None else dt.timezone(offset, _text(found["n"]))

    def _read_decimal(self, found: dict[str, Any]) -> Decimal:
        value = Decimal(_text(found["v"]))
        if value.is_finite() and abs(value.adjusted()) > _EXPONENT:
            raise Malformed(f"a Decimal with an exponent beyond {_EXPONENT}")
        return value

    def _read_fraction(self, found: dict[str, Any]) -> Fraction:
        numerator, denominator = (_int(one) for one in self._items(found))
        if max(numerator.bit_length(), denominator.bit_length()) > _FRACTION_BITS:
            raise Malformed(f"a Fraction of more than {_FRACTION_BITS} bits")
        return Fraction(numerator, denominator)

    def _read_uuid(self, found: dict[str, Any]) -> uuid.UUID:
        return uuid.UUID(hex=_text(found["v"]))

    def _read_path(self, found: dict[str, Any]) -> Any:
        return PurePosixPath(_text(found["v"]))

    def _read_constant(self, found: dict[str, Any]) -> Any:
        return _CONSTANTS[_text(found["v"])]

    def _read_type(self, found: dict[str, Any]) -> type:
        return TYPES[_text(found["v"])]

    def _read_entry(self, found: dict[str, Any]) -> _Entry:
        return _Entry(_int(found["i"]))

    def _read_table(self, found: dict[str, Any]) -> Any:
        return _Table(self, self._items(found)).value(found["x"])


def _encoder() -> Callable[[Any], str]:
    """What writes JSON. `JSONEncoder.encode` makes the part of it that is in C anew for each text, which takes longer than a short one."""
    usual = json.JSONEncoder(separators=(",", ":"), check_circular=False)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return usual.encode
    write = make(None, usual.default, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True)  # noqa: FBT003
    return lambda value: "".join(write(value, 0))


class _Table:
    """The containers of a value in which something is shared: read already, with entries in the places of other containers."""

    def __init__(self, codec: Codec, nodes: list[Any]) -> None:
        self._codec, self._nodes = codec, nodes
        self._frozen: dict[int, Any] = {}  # those that can't be filled later
        self._depth = 0

    def value(self, root: Any) -> Any:
        """The value that `root` stands for, all its containers filled."""
        found = self._whole(root)
        for node in self._nodes:
            self._fill(node)
        return found

    def _whole(self, one: Any) -> Any:
        """What an entry leads to; anything else as it is."""
        if type(one) is not _Entry:
            return one
        index = one.index
        if not 0 <= index < len(self._nodes):
            raise Malformed("a reference to nothing")
        node = self._nodes[index]
        if type(node) not in (tuple, frozenset):
            if type(node) not in _CONTAINERS:
                raise Malformed(f"a {type(node).__name__} in the place of a container")
            return node
        if index not in self._frozen:
            if self._depth > DEPTH:  # what contains only itself ends here, too
                raise Malformed("nested too deeply")
            self._depth += 1
            parts = [self._whole(part) for part in node]
            self._depth -= 1
            self._frozen[index] = tuple(parts) if type(node) is tuple else frozenset(self._codec.hashable(parts))
        return self._frozen[index]

    def _fill(self, node: Any) -> None:
        """Put the containers into a node in place of their entries."""
        if isinstance(node, list):
            node[:] = [self._whole(one) for one in node]
        elif isinstance(node, dict):
            pairs = [(self._whole(key), self._whole(one)) for key, one in node.items()]
            self._codec.hashable([key for key, _ in pairs])
            node.clear()
            for key, one in pairs:
                node[key] = one
        elif isinstance(node, set):
            parts = [self._whole(one) for one in node]
            node.clear()
            node.update(self._codec.hashable(parts))
        elif isinstance(node, deque):
            parts = [self._whole(one) for one in node]
            node.clear()
            node.extend(parts)


def _text(found: Any) -> str:
    if type(found) is not str:
        raise Malformed(f"expected text, found {type(found).__name__}")
    return found


def _int(found: Any) -> int:
    if type(found) is not int:
        raise Malformed(f"expected an int, found {type(found).__name__}")
    return found


def _ints(found: Any) -> Iterable[int]:
    if type(found) is not list:
        raise Malformed(f"expected a list, found {type(found).__name__}")
    return map(_int, found)


def _float(found: Any) -> float:
    if type(found) is not float:
        raise Malformed(f"expected a float, found {type(found).__name__}")
    return found


def _pair(found: Any) -> list[Any]:
    if type(found) is not list or len(found) != 2:
        raise Malformed("expected a key and a value")
    return found


def _zone(found: Any) -> dt.tzinfo | None:
    if found is not None and not isinstance(found, dt.tzinfo):
        raise Malformed(f"expected a time zone, found {type(found).__name__}")
    return found


_AS_THEY_ARE = frozenset({type(None), bool, float})
_CONTAINERS = frozenset({list, dict, tuple, set, frozenset, deque, OrderedDict, Counter, defaultdict})

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

_READERS = {
    "u": "text",
    "n": "int",
    "d": "dict",
    "O": "ordered",
    "k": "counter",
    "D": "defaultdict",
    "t": "tuple",
    "s": "set",
    "z": "frozenset",
    "q": "deque",
    "c": "complex",
    "b": "bytes",
    "a": "bytearray",
    "r": "range",
    "l": "slice",
    "T": "datetime",
    "Y": "date",
    "H": "time",
    "L": "timedelta",
    "Z": "timezone",
    "N": "decimal",
    "F": "fraction",
    "U": "uuid",
    "P": "path",
    "e": "constant",
    "B": "type",
    "@": "entry",
    "R": "table",
}
