"""How much a library may have the host build: checked on the text, before it is parsed.

Depth is bounded because what the parser, hashing and the freeing of nested values use is the thread's own stack; the number of values
because each takes many times the memory of its text; equal hashes because building a dict of such keys takes time that grows with their
square.
"""

from __future__ import annotations

import operator
import re
from itertools import accumulate
from typing import Any, NamedTuple

from ringfence.objects.agreed.codec import Codec
from ringfence.objects.agreed.terms import DEPTH, Malformed

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_DELTAS = [0] * 256
_DELTAS[ord("[")] = _DELTAS[ord("{")] = 1
_DELTAS[ord("]")] = _DELTAS[ord("}")] = -1
_OTHERS = bytes(sorted(set(range(256)) - set(b"[]{},")))
_HASHED = (tuple, frozenset, slice)
"""What is hashed by what is in it."""
_PASSES = 4
_ALIKE = 64
"""Keys of one hash."""
_FEW = 4096
"""Keys that are soon put into a table, whatever their hashes."""
_PROBES = 16
"""Places that are looked at for a key, on average; ordinary ones take fewer than five."""
_WORD = 1 << 64


class Bounds(NamedTuple):
    """`size`: characters of one text; `values`: how many it may hold; `depth`: how deep brackets may be nested in it."""

    size: int = 128 << 20
    values: int = 4_000_000
    depth: int = 3 * DEPTH + 40

    def check(self, text: str) -> None:
        """Refuse a text that is too much.

        Raises:
            Malformed: it is.
        """
        if len(text) > self.size:
            raise Malformed(f"{len(text)} characters, more than {self.size}")
        brackets = text.count("[") + text.count("{")
        if brackets <= self.depth and brackets + text.count(",") <= self.values:
            return
        marks = _STRINGS.sub("", text).encode("ascii", "replace").translate(None, _OTHERS)
        if len(marks) > 2 * self.values:
            raise Malformed(f"more than {self.values} values")
        if max(accumulate(map(_DELTAS.__getitem__, marks)), default=0) > self.depth:
            raise Malformed("nested too deeply")


def spread(keys: list[Any]) -> list[Any]:
    """The keys, unless too many of them have one hash, or are searched for in the places of too many others.

    Raises:
        Malformed: they have.
    """
    if len(keys) > _ALIKE:
        hashes = [hash(one) for one in keys if type(one) is not str]  # what text is hashed by is a secret of the process
        ordered = sorted(hashes)
        if any(map(operator.eq, ordered, ordered[_ALIKE:])):
            raise Malformed("keys with the same hash")
        if len(hashes) > _FEW and hashes != [*range(hashes[0], hashes[0] + len(hashes))]:
            _probe(hashes)
    return keys


def _probe(hashes: list[int]) -> None:
    """Refuse hashes that were chosen so that each key's search leads through the places of the others, as far as Python's tables go.

    A table grows by powers of two, and is filled anew each time, in one step that nothing interrupts; so all its sizes are tried before.
    Dicts look elsewhere at once, sets in the nine places behind first (CPython's Objects/dictobject.c and setobject.c).
    """
    for bits in range(_FEW.bit_length() + 1, len(hashes).bit_length() + 3):
        part = hashes[: (2 << bits) // 3]
        if any(_searched(part, bits, beside) > _PROBES * len(part) for beside in (0, 9)):
            raise Malformed("keys that hide each other")


def _searched(hashes: list[int], bits: int, beside: int) -> int:
    """How many places are looked at while these are put into a table of 2**bits, or so many that it is too much."""
    size = 1 << bits
    used, looked, most = bytearray(size), 0, _PROBES * len(hashes)
    for one in hashes:
        place, perturb = one % size, one % _WORD
        while used[place] and looked <= most:
            looked += 1
            free = used.find(0, place, place + beside + 1) if beside and place + beside < size else -1
            perturb >>= 5
            place = free if free >= 0 else (5 * place + perturb + 1) % size
        used[place] = 1
    return looked


def _parts(one: Any) -> Any:
    if isinstance(one, slice):
        return (one.start, one.stop, one.step)
    return tuple.__iter__(one) if isinstance(one, tuple) else frozenset.__iter__(one)


class BoundedCodec(Codec):
    """A codec that reads what is not trusted."""

    bounds = Bounds()
    reading = 0
    """How many texts are being read, one within the other: to hash a key may ask the library."""
    _hashed = 0

    def hashable(self, keys: list[Any]) -> list[Any]:
        for key in keys:
            if isinstance(key, _HASHED):
                self._weigh(key)
        return spread(keys)

    def _weigh(self, key: Any) -> None:
        """Refuse what takes too long to hash, which looks at a part as often as it is there: of all keys of a text together."""
        weights: dict[int, int] = {}
        waiting = [key]
        while waiting:
            one = waiting[-1]
            parts = [part for part in _parts(one) if isinstance(part, _HASHED) and id(part) not in weights]
            if parts:
                waiting += parts
                continue
            waiting.pop()
            weights[id(one)] = 1 + sum(weights.get(id(part), 1) for part in _parts(one))
            if weights[id(one)] > self.bounds.values:
                raise Malformed("a key that holds too much")
        self._hashed += weights[id(key)]
        if self._hashed > _PASSES * self.bounds.values:
            raise Malformed("keys that hold too much")

    def loads(self, text: str) -> Any:
        self.bounds.check(text)
        before, self._hashed = self._hashed, 0  # a text may be read while another is
        self.reading += 1
        try:
            return super().loads(text)
        finally:
            self.reading -= 1
            self._hashed = before
