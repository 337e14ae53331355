"""Values as a guest lays them out in its memory, written independently of the engine; and the same with a lie in it.

Source: the Canonical ABI explainer, *Storing* and *Flat Lowering*. A lie changes one word: a pointer, a length, a tag, a handle, a number.
"""

from __future__ import annotations

import random
import struct
from typing import Any

from host.engine.core.hostile.world import IMAGE, TEXT
from host.engine.relay import flat
from ringfence.contract.types import EnumOf, FlagsOf, ListOf, OptionOf, Primitive, RecordOf, ResultOf, TupleOf
from ringfence.contract.values import Case, Err, Ok, Some
from ringfence.engine.component.lift import memory_size

CODES = {"bool": "?", "s8": "b", "u8": "B", "s16": "h", "u16": "H", "s32": "i", "u32": "I", "s64": "q", "u64": "Q", "f32": "f", "f64": "d"}
ENDS = [0, 1, 2, 3, 4, 7, 8, 12, 0xFFF, 0x8000, 0xFFFF, 0x10000, 0x1FFFC, 0x1FFFE, 0x1FFFF, 0x20000, 0x20001, 0x7FFFFFFF, 0x80000000]
ENDS += [0x80000001, 0x80000010, 0xD800, 0xDFFF, 0x10FFFF, 0x110000, 0xFFFFFFF0, 0xFFFFFFF8, 0xFFFFFFFC, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 28]
"""Numbers that lie at the ends of something."""


def _aligned(at: int, to: int) -> int:
    return (at + to - 1) // to * to


def cases(kind: Any) -> list[tuple[str, Any]]:
    """The cases of a variant, an option or a result."""
    match kind:
        case OptionOf(some):
            return [("none", None), ("some", some)]
        case ResultOf(ok, err):
            return [("ok", ok), ("err", err)]
    return list(kind.cases)


def chosen(kind: Any, value: Any) -> tuple[int, Any]:
    """The number of the value's case, and its payload."""
    match kind:
        case OptionOf(some):
            return (0, None) if value is None else (1, value.value if isinstance(some, OptionOf) else value)
        case ResultOf():
            return (1 if isinstance(value, Err) else 0), value.value
    return [name for name, _ in kind.cases].index(value.name), value.value


class Image:
    """Bytes at `IMAGE` of a guest's memory."""

    def __init__(self, encoding: str, room: int = 0x5000) -> None:
        self.encoding, self.room = encoding, room
        self.data = bytearray()
        self.words: list[int] = []  # where pointers, lengths, tags and handles lie, which lies prefer

    def place(self, size: int, alignment: int) -> int:
        """Room for so many bytes; its address."""
        at = _aligned(IMAGE + len(self.data), alignment)
        self.data.extend(bytes(at + size - IMAGE - len(self.data)))
        if len(self.data) > self.room:
            raise OverflowError
        return at

    def put(self, code: str, at: int, value: Any) -> None:
        struct.pack_into("<" + code, self.data, at - IMAGE, value)

    def text(self, value: str) -> tuple[int, int]:
        """A string's pointer and (tagged) length."""
        codec, unit, tag = {"utf8": ("utf-8", 1, 0), "utf16": ("utf-16-le", 2, 0), "latin1+utf16": ("latin-1", 1, 0)}[self.encoding]
        try:
            data = value.encode(codec)
        except UnicodeEncodeError:
            data, unit, tag = value.encode("utf-16-le"), 2, 1 << 31
        at = self.place(len(data), 1 if self.encoding == "utf8" else 2)
        self.data[at - IMAGE : at - IMAGE + len(data)] = data
        return at, len(data) // unit | tag

    def items(self, kind: Any, values: Any) -> tuple[int, int]:
        """A list's pointer and length."""
        size, alignment = memory_size(kind)
        at = self.place(size * len(values), alignment)
        for index, value in enumerate(values):
            self.store(kind, value, at + index * size)
        return at, len(values)

    def pair(self, kind: Any, value: Any) -> tuple[int, int]:
        """The two words of a string or a list."""
        return self.text(value) if kind == TEXT else self.items(kind.element, value)

    def store(self, kind: Any, value: Any, at: int) -> None:
        """Write a value at this address."""
        match kind:
            case Primitive("string") | ListOf():
                self.words += [at, at + 4]
                struct.pack_into("<II", self.data, at - IMAGE, *self.pair(kind, value))
            case Primitive("char"):
                self.words.append(at)
                self.put("I", at, ord(value))
            case Primitive(name):
                self.put(CODES[name], at, value)
            case RecordOf(fields):
                self._row([one for _, one in fields], value._values(), at)
            case TupleOf(elements):
                self._row(elements, value, at)
            case EnumOf(labels):
                self._tag(len(labels), labels.index(value), at)
            case FlagsOf(labels):
                self.words.append(at)
                bits = sum(1 << index for index, label in enumerate(labels) if label in value)
                self.put("BHI"[(memory_size(kind)[0]).bit_length() - 1], at, bits)
            case _:
                parts, (tag, payload) = cases(kind), chosen(kind, value)
                self._tag(len(parts), tag, at)
                most = max([memory_size(one)[1] for _, one in parts if one is not None], default=1)
                if parts[tag][1] is not None:
                    self.store(parts[tag][1], payload, _aligned(at + self._tag_size(len(parts)), most))

    def _row(self, kinds: Any, values: Any, at: int) -> None:
        for kind, value in zip(kinds, values, strict=True):
            size, alignment = memory_size(kind)
            at = _aligned(at, alignment)
            self.store(kind, value, at)
            at += size

    def _tag_size(self, count: int) -> int:
        return 1 if count <= 256 else 2

    def _tag(self, count: int, tag: int, at: int) -> None:
        self.words.append(at)
        self.put("B" if count <= 256 else "H", at, tag)

    def flat(self, kind: Any, value: Any) -> list[int]:
        """A value's core values, each as 64 bits; what they point to is written."""
        match kind:
            case Primitive("string") | ListOf():
                return list(self.pair(kind, value))
            case Primitive("char"):
                return [ord(value)]
            case Primitive("f32"):
                return [struct.unpack("<I", struct.pack("<f", value))[0]]
            case Primitive("f64"):
                return [struct.unpack("<Q", struct.pack("<d", value))[0]]
            case Primitive(name):
                return [int(value) & (0xFFFFFFFFFFFFFFFF if name in ("s64", "u64") else 0xFFFFFFFF)]
            case RecordOf(fields):
                return [word for (_, one), part in zip(fields, value._values(), strict=True) for word in self.flat(one, part)]
            case TupleOf(elements):
                return [word for one, part in zip(elements, value, strict=True) for word in self.flat(one, part)]
            case EnumOf(labels):
                return [labels.index(value)]
            case FlagsOf(labels):
                return [sum(1 << index for index, label in enumerate(labels) if label in value)]
        parts, (tag, payload) = cases(kind), chosen(kind, value)
        words = [] if parts[tag][1] is None else self.flat(parts[tag][1], payload)
        return [tag, *words, *[0] * (len(flat(kind)) - 1 - len(words))]

    def lie(self, pick: random.Random) -> None:
        """Change one word, most likely one that means something."""
        if not self.data:
            return
        at = (pick.choice(self.words) if self.words and pick.random() < 0.85 else pick.randrange(IMAGE, IMAGE + len(self.data))) - IMAGE
        how = pick.random()
        if how < 0.6:
            size = min(pick.choice([1, 2, 4, 4]), len(self.data) - at)
            self.data[at : at + size] = (pick.choice(ENDS) & (256**size - 1)).to_bytes(size, "little")
        elif how < 0.8:
            self.data[at] = (self.data[at] + pick.choice([1, 255, 2, 4])) & 0xFF
        else:
            self.data[at] ^= 1 << pick.randrange(8)


def flat_lie(words: list[int], pick: random.Random) -> list[int]:
    """The same core values with one changed; the upper halves of those of 32 bits mean nothing."""
    words = list(words)
    if words:
        at = pick.randrange(len(words))
        words[at] = pick.choice([pick.choice(ENDS), words[at] + pick.choice([1, -1, 4]), pick.getrandbits(32), pick.getrandbits(64)])
    return [word & 0xFFFFFFFFFFFFFFFF for word in words]


__all__ = ["ENDS", "Case", "Image", "Ok", "Some", "flat_lie"]
