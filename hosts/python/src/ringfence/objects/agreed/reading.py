"""JSON text to values. Nothing in it is trusted: whatever is wrong is a `Malformed`, found before anything is built of it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from binascii import a2b_base64
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from .terms import CONSTANTS, CONTAINERS, DEPTH, TYPE_NAMES, TYPES, Malformed

_EXPONENT = 999_999
"""Of a Decimal, at most, as in Python's own default context: as an int it has as many digits."""
_FRACTION_BITS = 1 << 16
"""Of a fraction's parts: to reduce it takes time that grows with their square."""


class _Entry:
    """A reference into the table of a value in which something is shared."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class Reader:
    """Reads values. Subclasses say what the kinds stand for that are no plain values: see `kinds`."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: dict[str, Callable[[dict[str, Any]], Any]] = {
            name: getattr(self, f"_read_{method}") for name, method in _READERS.items()
        }
        self._decode = json.JSONDecoder(object_hook=self._read).raw_decode

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
        return "".join([as_text(one) for one in self._items(found)])

    def _read_int(self, found: dict[str, Any]) -> int:
        return int(as_text(found["v"]), 16)

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

    def makes(self, value: Any) -> bool:
        """Whether a value may make a dict's missing ones."""
        return isinstance(value, type) and value in TYPE_NAMES

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
        return a2b_base64(as_text(found["v"]), strict_mode=True)

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
        return dt.timezone(offset) if found["n"] is None else dt.timezone(offset, as_text(found["n"]))

    def _read_decimal(self, found: dict[str, Any]) -> Decimal:
        value = Decimal(as_text(found["v"]))
        if value.is_finite() and abs(value.adjusted()) > _EXPONENT:
            raise Malformed(f"a Decimal with an exponent beyond {_EXPONENT}")
        return value

    def _read_fraction(self, found: dict[str, Any]) -> Fraction:
        numerator, denominator = (_int(one) for one in self._items(found))
        if max(numerator.bit_length(), denominator.bit_length()) > _FRACTION_BITS:
            raise Malformed(f"a Fraction of more than {_FRACTION_BITS} bits")
        return Fraction(numerator, denominator)

    def _read_uuid(self, found: dict[str, Any]) -> uuid.UUID:
        return uuid.UUID(hex=as_text(found["v"]))

    def _read_path(self, found: dict[str, Any]) -> Any:
        return PurePosixPath(as_text(found["v"]))

    def _read_constant(self, found: dict[str, Any]) -> Any:
        return CONSTANTS[as_text(found["v"])]

    def _read_type(self, found: dict[str, Any]) -> type:
        return TYPES[as_text(found["v"])]

    def _read_entry(self, found: dict[str, Any]) -> _Entry:
        return _Entry(_int(found["i"]))

    def _read_table(self, found: dict[str, Any]) -> Any:
        return _Table(self, self._items(found)).value(found["x"])


class _Table:
    """The containers of a value in which something is shared: read already, with entries in the places of other containers."""

    def __init__(self, reader: Reader, nodes: list[Any]) -> None:
        self._reader, self._nodes = reader, nodes
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
            if type(node) not in CONTAINERS:
                raise Malformed(f"a {type(node).__name__} in the place of a container")
            return node
        if index not in self._frozen:
            if self._depth > DEPTH:  # what contains only itself ends here, too
                raise Malformed("nested too deeply")
            self._depth += 1
            parts = [self._whole(part) for part in node]
            self._depth -= 1
            self._frozen[index] = tuple(parts) if type(node) is tuple else frozenset(self._reader.hashable(parts))
        return self._frozen[index]

    def _fill(self, node: Any) -> None:
        """Put the containers into a node in place of their entries."""
        if isinstance(node, list):
            node[:] = [self._whole(one) for one in node]
        elif isinstance(node, dict):
            pairs = [(self._whole(key), self._whole(one)) for key, one in node.items()]
            self._reader.hashable([key for key, _ in pairs])
            node.clear()
            for key, one in pairs:
                node[key] = one
        elif isinstance(node, set):
            parts = [self._whole(one) for one in node]
            node.clear()
            node.update(self._reader.hashable(parts))
        elif isinstance(node, deque):
            parts = [self._whole(one) for one in node]
            node.clear()
            node.extend(parts)


def as_text(found: Any) -> str:
    """What must be text. Raises Malformed."""
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
