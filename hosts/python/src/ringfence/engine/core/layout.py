"""Where values lie: sizes and alignments in linear memory, and the core values they are flattened to.

Source: the Canonical ABI explainer, sections *Alignment*, *Element Size*, *Despecialization* and *Flattening*. A type is a record of
`contract.types`; where it names a resource, that is a `TableResource`, which adds the number of the table that its handles live in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import calcsize
from typing import Literal, assert_never

from ringfence.contract.types import (
    CODES,
    Borrow,
    EnumOf,
    FlagsOf,
    ListOf,
    OptionOf,
    Own,
    Primitive,
    RecordOf,
    ResourceName,
    ResultOf,
    TupleOf,
    Type,
    VariantOf,
)

CoreType = Literal["i32", "i64", "f32", "f64"]

MAX_FLAT_PARAMS = 16
MAX_FLAT_RESULTS = 1
MAX_STRING_BYTE_LENGTH = (1 << 31) - 1
SLOT = 16
"""Bytes of one core value in the blocks that wasmtime passes (`wasmtime_val_raw_t`)."""

NUMBERS = frozenset(CODES) - {"bool", "char"}


@dataclass(frozen=True, slots=True)
class TableResource(ResourceName):
    """A resource type as one component instance knows it: the name the application knows, and the number of its table in the plan."""

    table: int = -1


def cases(kind: VariantOf | OptionOf | ResultOf) -> tuple[tuple[str, Type | None], ...]:
    """The cases of a variant, or of what is one (*Despecialization*), in the order of their discriminants."""
    match kind:
        case VariantOf(found):
            return found
        case OptionOf(some):
            return ("none", None), ("some", some)
        case ResultOf(ok, err):
            return ("ok", ok), ("err", err)
        case _:
            assert_never(kind)


def discriminant_size(count: int) -> int:
    """Bytes of the discriminant of so many cases (*Alignment*, `discriminant_type`)."""
    return 1 if count <= 1 << 8 else 2 if count <= 1 << 16 else 4


def flags_size(count: int) -> int:
    """Bytes of so many flags (*Element Size*, `elem_size_flags`)."""
    return 1 if count <= 8 else 2 if count <= 16 else 4


def aligned(at: int, alignment: int) -> int:
    """The first multiple of the alignment from there on (`align_to`)."""
    return -(-at // alignment) * alignment


@lru_cache(maxsize=4096)
def extent(kind: Type) -> tuple[int, int]:
    """Bytes of a value in linear memory, and its alignment."""
    match kind:
        case Primitive("string") | ListOf():
            return 8, 4
        case Primitive(name):
            size = calcsize(f"<{CODES[name]}")
            return size, size
        case RecordOf(fields):
            return sequence(field for _, field in fields)[1:]
        case TupleOf(elements):
            return sequence(elements)[1:]
        case VariantOf() | OptionOf() | ResultOf():
            return _choice([payload for _, payload in cases(kind)])
        case EnumOf(labels):
            return _choice([None] * len(labels))
        case FlagsOf(labels):
            size = flags_size(len(labels))
            return size, size
        case Own() | Borrow():
            return 4, 4
        case _:
            assert_never(kind)


def sequence(kinds: Iterable[Type]) -> tuple[list[int], int, int]:
    """The offsets of values that follow each other in a record, the record's size and its alignment."""
    at, alignment, offsets = 0, 1, []
    for kind in kinds:
        size, own = extent(kind)
        at = aligned(at, own)
        offsets.append(at)
        at += size
        alignment = max(alignment, own)
    return offsets, aligned(at, alignment), alignment


def payload_offset(payloads: Iterable[Type | None]) -> int:
    """Where the payload of a variant begins."""
    kinds = list(payloads)
    most = max((extent(kind)[1] for kind in kinds if kind is not None), default=1)
    return aligned(discriminant_size(len(kinds)), most)


def _choice(payloads: Sequence[Type | None]) -> tuple[int, int]:
    extents = [extent(kind) for kind in payloads if kind is not None]
    alignment = max([discriminant_size(len(payloads)), *(own for _, own in extents)])
    size = payload_offset(payloads) + max((size for size, _ in extents), default=0)
    return aligned(size, alignment), alignment


@lru_cache(maxsize=4096)
def flat(kind: Type) -> tuple[CoreType, ...]:
    """The core types of a value that is passed without memory (*Flattening*, `flatten_type`)."""
    match kind:
        case Primitive("string") | ListOf():
            return "i32", "i32"
        case Primitive(name):
            return (_CORE.get(name, "i32"),)
        case RecordOf(fields):
            return tuple(core for _, field in fields for core in flat(field))
        case TupleOf(elements):
            return tuple(core for element in elements for core in flat(element))
        case VariantOf() | OptionOf() | ResultOf():
            return _joined([payload for _, payload in cases(kind)])
        case EnumOf() | FlagsOf() | Own() | Borrow():
            return ("i32",)
        case _:
            assert_never(kind)


_CORE: dict[str, CoreType] = {"s64": "i64", "u64": "i64", "f32": "f32", "f64": "f64"}


def _joined(payloads: Iterable[Type | None]) -> tuple[CoreType, ...]:
    """The core types of a discriminant and of whichever payload (`flatten_variant`, `join`)."""
    found: list[CoreType] = []
    for payload in payloads:
        for index, core in enumerate(() if payload is None else flat(payload)):
            if index == len(found):
                found.append(core)
            elif found[index] != core:
                found[index] = "i32" if {found[index], core} == {"i32", "f32"} else "i64"
    return ("i32", *found)


def holds(kind: Type | None, what: tuple[type, ...]) -> bool:
    """Whether a value may have one of these types in it."""
    match kind:
        case None:
            return False
        case ListOf(inner) | OptionOf(inner):
            return isinstance(kind, what) or holds(inner, what)
        case RecordOf(fields):
            return any(holds(inner, what) for _, inner in fields)
        case TupleOf(elements):
            return any(holds(inner, what) for inner in elements)
        case VariantOf() | ResultOf():
            return any(holds(inner, what) for _, inner in cases(kind))
        case _:
            return isinstance(kind, what)


@lru_cache(maxsize=4096)
def frames(kind: Type) -> int:
    """How many calls are nested, at most, where the parts of such a value are written: two for a list, one for a payload."""
    match kind:
        case ListOf(element):
            return 2 + frames(element)
        case OptionOf(some):
            return frames(some)
        case RecordOf(fields):
            return max([frames(field) for _, field in fields], default=0)
        case TupleOf(elements):
            return max([frames(element) for element in elements], default=0)
        case VariantOf() | ResultOf():
            return 1 + max([frames(payload) for _, payload in cases(kind) if payload is not None], default=0)
        case _:
            return 0
