"""Values that pass from one guest to another: out of the one's memory as the parts that `lower.py` writes to the other's.

No Python value is built that nobody would look at: no record, no `str`, no enum; bytes and packed numbers are views of the first guest's
memory. What is checked when values are lifted is checked here alike (see `lift.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from ringfence.engine.core import packed
from ringfence.engine.core.apart import boxed, bulk
from ringfence.engine.core.layout import SLOT, cases, extent, flags_size, payload_offset
from ringfence.engine.core.lift import Load, Reader, character, discriminant, write_elements

Expressions: TypeAlias = Callable[[], list[str]]
"""Writes what makes a value's parts; their names."""

_TRUTH = bytes([0]) + bytes([1]) * 255
_NAN = float("nan")


class Carrier(Protocol):
    """Compiles and keeps the functions of one plan."""

    def parts(self, kind: Type, *, flat: bool) -> Load: ...
    def parts_list(self, kind: Type) -> Callable[[Any, int, int], Any]: ...


def compile_parts(carrier: Carrier, kind: Type, *, flat: bool) -> Load:
    """The function that reads the parts of one value; a single one bare."""
    return _Writer(carrier, flat=flat).read_one(kind, boxed)


def compile_params(carrier: Carrier, kinds: Sequence[Type]) -> Load:
    """The function that reads the parts of all parameters from a block of core values, always as a tuple."""
    return _Writer(carrier, flat=True).read_all(kinds, lambda values: f"({''.join([f'{part}, ' for parts in values for part in parts])})")


def compile_list(carrier: Carrier, kind: Type) -> Callable[[Any, int, int], Any]:
    """`parts_list(border, pointer, count)`: the parts of a list's elements, or the bytes of one that is written by one copy."""
    if bulk(kind):
        return _packed(kind.name)
    writer = _Writer(carrier, flat=False)
    parts = writer.plan(kind, 0)
    return write_elements(writer, kind, lambda: boxed(parts()))


def _packed(name: str) -> Callable[[Any, int, int], Any]:
    code, width = CODES[name], extent(Primitive(name))[0]  # type: ignore[arg-type]

    def passed(border: Any, pointer: int, count: int) -> Any:
        packed.ensure_there(border, pointer, count, width)
        found = border.lend(pointer, count * width)
        if name == "bool":
            return bytes(found).translate(_TRUTH)
        return packed.one_nan(border, found, code) if code in "fd" else found

    return passed


def code_point(code: int) -> int:
    """The scalar value of a char, checked."""
    character(code)
    return code


class _Writer(Reader):
    """Writes what makes parts."""

    def __init__(self, carrier: Carrier, *, flat: bool) -> None:
        super().__init__(flat=flat)
        self._carrier = carrier

    def plan(self, kind: Type, at: int) -> Expressions:
        """Plan a value at this offset; the function returned adds what makes its parts and returns their names."""
        match kind:
            case Primitive("string"):
                return self._string(at)
            case Primitive(name):
                return self._primitive(name, at)
            case ListOf(element):
                return self._list(element, at)
            case RecordOf(fields):
                return self._sequence([field for _, field in fields], at)
            case TupleOf(elements):
                return self._sequence(elements, at)
            case OptionOf(some):
                return self._option(some, at)
            case VariantOf() | ResultOf():
                return self._variant(kind, at)
            case EnumOf(labels):
                return self._enum(len(labels), at)
            case FlagsOf(labels):
                bits, mask = self._wide(flags_size(len(labels)), at), (1 << len(labels)) - 1
                return lambda: [self.source.put(f"{bits} & {mask}")]
            case Own() | Borrow():
                raise TypeError("resources do not pass as parts")
            case _:
                assert_never(kind)

    def _primitive(self, name: str, at: int) -> Expressions:
        source = self.source
        found = self._slot(at, ("I" if self._flat else "B") if name == "bool" else CODES[name])
        if name == "bool":
            return lambda: [source.put(f"{found} != 0")]
        if name == "char":
            return lambda: [source.put(f"{source.constant(code_point)}({found})")]
        if name in ("f32", "f64"):
            return lambda: [source.put(f"{found} if {found} == {found} else {source.constant(_NAN)}")]
        return lambda: [found]

    def _string(self, at: int) -> Expressions:
        pointer, size = self._slot(at, "I"), self._slot(at + (SLOT if self._flat else 4), "I")
        return lambda: [self.source.put(f"border.carry_text({pointer}, {size})")]

    def _list(self, element: Type, at: int) -> Expressions:
        pointer, count = self._slot(at, "I"), self._slot(at + (SLOT if self._flat else 4), "I")
        return lambda: [self.source.put(f"{self.source.constant(self._carrier.parts_list(element))}(border, {pointer}, {count})")]

    def _sequence(self, kinds: Sequence[Type], at: int) -> Expressions:
        values = [self.plan(kind, offset) for kind, offset in zip(kinds, self._offsets(kinds, at), strict=True)]
        return lambda: [name for value in values for name in value()]

    def _option(self, some: Type, at: int) -> Expressions:
        tag = self._tag(2, at)
        payload = self.plan(some, at + (SLOT if self._flat else payload_offset([None, some])))

        def parts() -> list[str]:
            source = self.source
            with source.block(f"if {tag} > 1:"):
                source.add(f"{source.constant(discriminant)}({tag})")
            with source.block(f"if {tag}:"):
                inner = payload()
                names = [source.fresh() for _ in inner]
                if names:
                    source.add(f"{', '.join(names)}, = {', '.join(inner)},")
            if names:
                with source.block("else:"):
                    source.add(f"{' = '.join(names)} = None")
            return [tag, *names]

        return parts

    def _variant(self, kind: VariantOf | ResultOf, at: int) -> Expressions:
        named = cases(kind)
        tag = self._tag(len(named), at)
        inner = at + (SLOT if self._flat else payload_offset(payload for _, payload in named))
        loads = [None if payload is None else self._carrier.parts(payload, flat=self._flat) for _, payload in named]
        self.places = self.places or any(load is not None for load in loads)

        def parts() -> list[str]:
            source, found, load = self.source, self.source.fresh(), self.source.fresh()
            with source.block(f"if {tag} >= {len(named)}:"):
                source.add(f"{source.constant(discriminant)}({tag})")
            source.add(f"{load} = {source.constant(loads)}[{tag}]")
            source.add(f"{found} = None if {load} is None else {load}(border, data, at + {inner})")
            return [tag, found]

        return parts

    def _enum(self, count: int, at: int) -> Expressions:
        tag = self._tag(count, at)

        def parts() -> list[str]:
            with self.source.block(f"if {tag} >= {count}:"):
                self.source.add(f"{self.source.constant(discriminant)}({tag})")
            return [tag]

        return parts
