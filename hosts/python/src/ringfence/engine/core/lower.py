"""The parts of Python values to core values and linear memory: for each type one function, written as straight-line Python.

Source: the Canonical ABI explainer, sections *Storing*, *Flat Lowering* and *Lowering Values*. `apart.py` has taken a value apart into what
lies at fixed places; here the guest is asked for the memory that texts and lists need, and the parts of a record are written by one
`struct` call, or by one for each variant in it.

As when lifting, memory and the block of core values that wasmtime passes are written alike (see `lift.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    writer.write((SLOT * _flat_count(kind)) if flat else extent(kind)[0])
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
    writer.write(index * SLOT)
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
        writer.write(size)
        source.add(f"at += {size}")
    return source.function("border", "at", "elements")


def _flat_count(kind: Type) -> int:
    return len(flat(kind))


def _unbox(source: Source, names: Sequence[str]) -> None:
    if len(names) == 1:
        source.add(f"{names[0]} = parts")
    elif names:
        source.add(f"{', '.join(names)} = parts")


class _Storer:
    """Writes what stores parts: `store` once for each value that lies in the block, then `write` with the block's size.

    The guest is asked for memory in the order of the explainer: so what lies before a variant's end is written before its payload is, which
    is a function of its own. A part of an absent option is None; `maybe` are the names of the tags that tell, while such parts are stored.
    """

    def __init__(self, lowerer: Lowerer, *, flat: bool) -> None:
        self._lowerer, self._flat, self.source = lowerer, flat, Source()
        self._slots: list[tuple[int, str, str]] = []
        self._written = 0
        self._maybe: list[str] = []

    def write(self, end: int) -> None:
        """Write all parts that lie before this offset and are not written yet; zeros between them."""
        source, start = self.source, self._written
        code, names = packing([(at - start, code, name) for at, code, name in self._slots], end - start)
        if names:
            where, at = "data" if self._flat else "border.view", f"at + {start}" if start else "at"
            source.add(f"{source.constant(Struct(code).pack_into)}({where}, {at}, {', '.join(names)})")
        self._slots.clear()
        self._written = end

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
        if all(store is None for store in stores):
            return
        self.write(at + (SLOT * _flat_count(kind) if self._flat else extent(kind)[0]))
        inner, known = at + (SLOT if self._flat else payload_offset(payload for _, payload in named)), self.source.constant(stores)
        with self.source.block(f"if {tag} is not None and {known}[{tag}] is not None:"):
            self.source.add(f"{known}[{tag}](border, data, at + {inner}, {parts})")

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
