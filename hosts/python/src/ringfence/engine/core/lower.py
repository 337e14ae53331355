"""The parts of Python values to core values and linear memory: for each type one function, written as straight-line Python.

Source: the Canonical ABI explainer, sections *Storing*, *Flat Lowering* and *Lowering Values*. `apart.py` has taken a value apart into what
lies at fixed places; here the guest is asked for the memory that texts and lists need, and all parts of a record are written by one
`struct` call.

As when lifting, memory and the block of core values that wasmtime passes are written alike (see `lift.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, Protocol, TypeAlias, assert_never

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
    ResultOf,
    TupleOf,
    Type,
    VariantOf,
)
from ringfence.engine.core.apart import arity, bulk
from ringfence.engine.core.layout import (
    SLOT,
    TableResource,
    cases,
    discriminant_size,
    extent,
    flags_size,
    flat,
    payload_offset,
    sequence,
)
from ringfence.engine.core.source import Source, packing

Store: TypeAlias = Callable[[Any, Any, int, Any], None]
"""`store(border, data, at, parts)`: write a value's parts; `data` None stands for the border's memory, which may grow meanwhile."""


class Lowerer(Protocol):
    """Compiles and keeps the functions of one plan."""

    def store(self, kind: Type, *, flat: bool) -> Store: ...
    def stores(self, kind: Type) -> Callable[[Any, int, Any], None]: ...


def compile_store(lowerer: Lowerer, kind: Type, *, flat: bool) -> Store:
    """The function that writes one value's parts."""
    writer = _Storer(lowerer, flat=flat)
    source = writer.source
    names = [source.fresh() for _ in range(arity(kind))]
    _unbox(source, names)
    writer.store(kind, 0, iter(names).__next__)
    writer.write("at", (SLOT * _flat_count(kind)) if flat else extent(kind)[0])
    made: Store = source.function("border", "data", "at", "parts")
    return made


def compile_flat_store(lowerer: Lowerer, kinds: Sequence[Type]) -> Store:
    """The function that writes the parts of all arguments to a block of core values."""
    writer, index = _Storer(lowerer, flat=True), 0
    source = writer.source
    names = [source.fresh() for _ in range(sum(arity(kind) for kind in kinds))]
    if names:
        source.add(f"{', '.join(names)}, = parts")
    take = iter(names).__next__
    for kind in kinds:
        writer.store(kind, index * SLOT, take)
        index += _flat_count(kind)
    writer.write("at", index * SLOT)
    made: Store = source.function("border", "data", "at", "parts")
    return made


def compile_list_store(lowerer: Lowerer, kind: Type) -> Callable[[Any, int, Any], None]:
    """`stores(border, pointer, elements)`: write the parts of a list's elements there (*Storing*, `lower_heterogeneous…_list`)."""
    writer = _Storer(lowerer, flat=False)
    source, size = writer.source, extent(kind)[0]
    names = [source.fresh() for _ in range(arity(kind))]
    source.add("data = None")
    with source.block("for parts in elements:"):
        _unbox(source, names)
        writer.store(kind, 0, iter(names).__next__)
        writer.write("at", size)
        source.add(f"at += {size}")
    return source.function("border", "at", "elements")


def _flat_count(kind: Type) -> int:
    return len(flat(kind))


def _unbox(source: Source, names: Sequence[str]) -> None:
    if len(names) == 1:
        source.add(f"{names[0]} = parts")
    elif names:
        source.add(f"{', '.join(names)} = parts")


@dataclass(slots=True)
class _Later:
    """A payload written after the fixed parts, for its case is known only then."""

    tag: str
    parts: str
    stores: Sequence[Store | None]
    at: int


@dataclass(slots=True)
class _Storer:
    """Writes what stores parts: `store` once for each value that lies in the block, then `write`.

    A part of an absent option is None; `maybe` is the name of the tag that tells, while such parts are stored.
    """

    _lowerer: Lowerer
    _flat: bool
    source: Source
    _slots: list[tuple[int, str, str]]
    _later: list[_Later]
    _maybe: list[str] = field(default_factory=list)

    def __init__(self, lowerer: Lowerer, *, flat: bool) -> None:
        self._lowerer, self._flat, self.source = lowerer, flat, Source()
        self._slots, self._later, self._maybe = [], [], []

    def write(self, at: str, size: int) -> None:
        """Write all fixed parts at this place, and then what hangs on them."""
        source = self.source
        code, names = packing(self._slots, size)
        where = "data" if self._flat else "border.view"
        if names:
            source.add(f"{source.constant(Struct(code).pack_into)}({where}, {at}, {', '.join(names)})")
        for later in self._later:
            with source.block(f"if {later.tag} is not None and {source.constant(later.stores)}[{later.tag}] is not None:"):
                source.add(f"{source.constant(later.stores)}[{later.tag}](border, data, {at} + {later.at}, {later.parts})")
        self._slots.clear()
        self._later.clear()

    def _present(self) -> str:
        return f"if {self._maybe[-1]}:"

    def _number(self, at: int, code: str, part: str) -> None:
        if self._maybe:
            part = self.source.put(f"{part} if {self._maybe[-1]} else 0")
        self._slots.append((at, code, part))

    def store(self, kind: Type, at: int, take: Callable[[], str]) -> None:
        """Plan the value at this offset; `take` gives the names of its parts, one after the other."""
        match kind:
            case Primitive("string") | ListOf():
                self._pointed(kind, at, take())
            case Primitive(name):
                self._number(at, self._code(name), take())
            case RecordOf(fields):
                self._sequence([inner for _, inner in fields], at, take)
            case TupleOf(elements):
                self._sequence(elements, at, take)
            case OptionOf(some):
                self._option(some, at, take)
            case VariantOf() | ResultOf():
                self._variant(kind, at, take)
            case EnumOf(labels):
                self._number(at, self._tag(discriminant_size(len(labels))), take())
            case FlagsOf(labels):
                self._number(at, self._tag(flags_size(len(labels))), take())
            case Own(resource) | Borrow(resource):
                self._handle(resource, at, take(), owned=isinstance(kind, Own))
            case _:
                assert_never(kind)

    def _code(self, name: str) -> str:
        if not self._flat:
            return CODES[name]
        return {"bool": "I", "s8": "i", "u8": "I", "s16": "i", "u16": "I"}.get(name, CODES[name])

    def _tag(self, size: int) -> str:
        return "I" if self._flat else "BHI"[size.bit_length() - 1]

    def _sequence(self, kinds: Sequence[Type], at: int, take: Callable[[], str]) -> None:
        offsets = sequence(kinds)[0]
        for kind, offset in zip(kinds, offsets, strict=True):
            self.store(kind, at if self._flat else at + offset, take)
            if self._flat:
                at += SLOT * _flat_count(kind)

    def _option(self, some: Type, at: int, take: Callable[[], str]) -> None:
        tag = take()
        self._number(at, self._tag(1), tag)
        self._maybe.append(tag)
        self.store(some, at + (SLOT if self._flat else payload_offset([None, some])), take)
        self._maybe.pop()

    def _variant(self, kind: VariantOf | ResultOf, at: int, take: Callable[[], str]) -> None:
        named, tag, parts = cases(kind), take(), take()
        self._number(at, self._tag(discriminant_size(len(named))), tag)
        stores = [None if payload is None else self._lowerer.store(payload, flat=self._flat) for _, payload in named]
        inner = at + (SLOT if self._flat else payload_offset(payload for _, payload in named))
        if any(store is not None for store in stores):
            self._later.append(_Later(tag, parts, stores, inner))

    def _pointed(self, kind: Type, at: int, part: str) -> None:
        source = self.source
        pointer, count = source.fresh(), source.fresh()
        if isinstance(kind, ListOf):
            element = kind.element
            size, alignment = extent(element)
            if element == Primitive("u8"):
                call = f"border.put_data({part})"
            elif bulk(element):
                call = f"border.put_numbers({part}, {size})"
            else:
                call = f"border.put_list({part}, {size}, {alignment}, {source.constant(self._lowerer.stores(element))})"
        else:
            call = f"border.put_text({part})"
        if self._maybe:
            with source.block(self._present()):
                source.add(f"{pointer}, {count} = {call}")
            with source.block("else:"):
                source.add(f"{pointer} = {count} = 0")
        else:
            source.add(f"{pointer}, {count} = {call}")
        self._slots += [(at, "I", pointer), (at + (SLOT if self._flat else 4), "I", count)]

    def _handle(self, resource: Any, at: int, part: str, *, owned: bool) -> None:
        assert isinstance(resource, TableResource)  # noqa: S101 (the plan makes no others)
        call = f"border.{'lower_own' if owned else 'lower_borrow'}({part}, {resource.table})"
        if self._maybe:
            call = f"{call} if {self._maybe[-1]} else 0"
        self._slots.append((at, "I", self.source.put(call)))
