"""Core values and linear memory to Python values: for each type one function, written as straight-line Python.

Source: the Canonical ABI explainer, sections *Loading*, *Flat Lifting* and *Lifting Values*. What lies at fixed places (numbers,
discriminants, pointers and lengths) is read by one `struct` call for a whole record, or one iterator for a list of them; the rest
follows. Every pointer is checked before it is followed, every discriminant and code point before it means anything.

Memory and the block of core values that wasmtime passes are read alike: in the block each value has 16 bytes, begins with its low
byte, and has garbage behind it. A narrower number is read as such, which is the explainer's wrapping; a payload in a variant's joined
core type is read as what it is, which is its *Coercion* (i64 to f64, f32 and so on).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any, NoReturn, Protocol, TypeAlias, assert_never

from ringfence.contract.errors import GuestTrap
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
from ringfence.contract.values import Case, Err, Ok, Record, Some, label_class, record_class
from ringfence.engine.core import packed
from ringfence.engine.core.layout import (
    NUMBERS,
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

Load: TypeAlias = Callable[[Any, Any, int], Any]
"""`load(border, data, at)`: the value at this place of `data`, the border's memory or a block of core values."""

_EVERY = 256
"""Elements lifted between two looks at the clock."""
_ELEMENT = 64
"""What an element of a list weighs as a Python object, in bytes; roughly, to bound what a guest can make of few bytes."""
_NAN = float("nan")
_new = object.__new__
_set_name, _set_value = (vars(Case)[name].__set__ for name in ("name", "value"))  # slots: faster than a frozen __init__


class Lifter(Protocol):
    """Compiles and keeps the functions of one plan."""

    def load(self, kind: Type, *, flat: bool) -> Load: ...
    def loads(self, kind: Type) -> Callable[[Any, int, int], Any]: ...
    @property
    def text(self) -> str:
        """The name of the border's method that lifts a string of this encoding."""

    @property
    def arrays(self) -> bool:
        """Whether a list of numbers becomes an array."""


def discriminant(_value: int) -> NoReturn:
    """A discriminant is none of the type's."""
    raise GuestTrap("unexpected discriminant: no such case")


def character(code: int) -> str:
    """The char with this scalar value (*Lifting*, `convert_i32_to_char`)."""
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise GuestTrap(f"char out of range: {code:#x} is no Unicode scalar value")
    return chr(code)


def case(name: str, value: Any) -> Case:
    """A Case, made without its checks against assignment."""
    made = _new(Case)
    _set_name(made, name)
    _set_value(made, value)
    return made


def compile_load(lifter: Lifter, kind: Type, *, flat: bool) -> Load:
    """The function that reads one value of this type."""
    return _Writer(lifter, flat=flat).read_one(kind, str)


def compile_params(lifter: Lifter, kinds: Sequence[Type]) -> Load:
    """The function that reads all parameters from a block of core values, as a list."""
    return _Writer(lifter, flat=True).read_all(kinds, lambda values: f"[{', '.join(values)}]")


def compile_loads(lifter: Lifter, kind: Type) -> Callable[[Any, int, int], Any]:
    """`loads(border, pointer, count)`: the list of values of this type there (*Loading*, `load_list_from_range`)."""
    if kind == Primitive("u8"):
        return packed.read_bytes
    if isinstance(kind, Primitive) and kind.name in (*NUMBERS, "bool"):
        return packed.arrays(kind.name) if lifter.arrays and kind.name != "bool" else packed.numbers(kind.name)
    return _elements(lifter, kind)


def _elements(lifter: Lifter, kind: Type) -> Callable[[Any, int, int], Any]:
    writer = _Writer(lifter, flat=False)
    return write_elements(writer, kind, writer.plan(kind, 0))


def write_elements(writer: Reader, kind: Type, value: Callable[[], str]) -> Callable[[Any, int, int], Any]:
    """The function that reads a list of what `value` writes the expression of."""
    size, alignment = extent(kind)
    source, step = writer.source, max(1, size)
    if alignment > 1:
        with source.block(f"if at % {alignment}:"):
            source.add(f"{source.constant(packed.unaligned)}()")
    source.add(f"border.reach(at, count * {size}, 'list ')")
    source.add(f"border.spend(count * {step}); border.weigh(count * {_ELEMENT})")
    source.add("data = view = border.view; size = border.size; spend = border.spend; found = []; append = found.append")
    with source.block(f"for first in range(0, count, {_EVERY}):"):
        with source.block("if first:"):
            source.add("border.check()")
        source.add(f"many = min({_EVERY}, count - first)")
        if size and writer.slots:
            code, names = packing(writer.slots, size)
            targets = ", ".join(names) + ","
            head = f"for {targets} in {source.constant(Struct(code).iter_unpack)}(view[at:at + many * {size}]):"
        else:
            head = "for _ in range(many):"
        with source.block(head):
            source.add(f"append({value()})")
            if writer.places:
                source.add(f"at += {size}")
        if not writer.places:
            source.add(f"at += many * {size}")
    source.add("return found")
    return source.function("border", "at", "count")


class Reader:
    """Writes what reads one value: first the places of its parts are planned, then `unpack` reads them, then what they mean is written."""

    def __init__(self, *, flat: bool) -> None:
        self.source, self._flat = Source(), flat
        self.slots: list[tuple[int, str, str]] = []
        self.places = False  # whether the code needs `at`
        self._texts = False  # whether it reads texts

    def _slot(self, at: int, code: str) -> str:
        name = self.source.fresh()
        self.slots.append((at, code, name))
        return name

    def unpack(self, size: int) -> None:
        """Read all places that were planned."""
        code, names = packing(self.slots, 0 if self._flat else size)
        if names:
            self.source.add(f"{', '.join(names)}, = {self.source.constant(Struct(code).unpack_from)}(data, at)")

    def plan(self, kind: Type, at: int) -> Callable[[], Any]:
        """Plan a value at this offset; the function returned adds what makes it, and returns what names it in the code."""
        raise NotImplementedError

    def read_one(self, kind: Type, shown: Callable[[Any], str]) -> Load:
        """The function that reads one value; `shown` is the expression of what names it."""
        value = self.plan(kind, 0)
        self.unpack(extent(kind)[0])
        return self._made(shown(value()))

    def read_all(self, kinds: Sequence[Type], shown: Callable[[list[Any]], str]) -> Load:
        """The function that reads values of these types, one behind the other in a block of core values."""
        values, index = [], 0
        for kind in kinds:
            values.append(self.plan(kind, index * SLOT))
            index += len(flat(kind))
        self.unpack(index * SLOT)
        return self._made(shown([value() for value in values]))

    def _made(self, expression: str) -> Load:
        self.source.add(f"return {expression}")
        self._begin()
        made: Load = self.source.function("border", "data", "at")
        return made

    def _begin(self) -> None:
        """Put what texts are read with before all else, if there are any."""
        if self._texts:
            self.source.first("view = border.view; size = border.size; spend = border.spend")

    def _offsets(self, kinds: Sequence[Type], at: int) -> list[int]:
        if not self._flat:
            return [at + offset for offset in sequence(kinds)[0]]
        offsets = []
        for kind in kinds:
            offsets.append(at)
            at += SLOT * len(flat(kind))
        return offsets

    def _wide(self, size: int, at: int) -> str:
        """Plan an unsigned number of so many bytes in memory."""
        return self._slot(at, "I" if self._flat else "BHI"[size.bit_length() - 1])

    def _tag(self, count: int, at: int) -> str:
        """Plan the discriminant of so many cases."""
        return self._wide(discriminant_size(count), at)


class _Writer(Reader):
    """Writes what makes Python values."""

    def __init__(self, lifter: Lifter, *, flat: bool) -> None:
        super().__init__(flat=flat)
        self._lifter = lifter

    def plan(self, kind: Type, at: int) -> Callable[[], str]:
        """Plan a value at this offset; the function returned adds what makes the value and returns its expression."""
        match kind:
            case Primitive("string"):
                return self._string(at)
            case Primitive(name):
                return self._primitive(name, at)
            case ListOf(element):
                return self._list(element, at)
            case RecordOf(fields):
                return self._record(record_class(tuple(name for name, _ in fields)), [field for _, field in fields], at)
            case TupleOf(elements):
                return self._tuple(elements, at)
            case OptionOf(some):
                return self._option(some, at)
            case VariantOf() | ResultOf():
                return self._variant(kind, at)
            case EnumOf(labels):
                return self._enum(tuple(label_class(labels)), at)
            case FlagsOf(labels):
                return self._flags(labels, at)
            case Own(resource) | Borrow(resource):
                return self._handle(resource, at, owned=isinstance(kind, Own))
            case _:
                assert_never(kind)

    def _primitive(self, name: str, at: int) -> Callable[[], str]:
        source = self.source
        if name == "bool":
            found = self._slot(at, "I" if self._flat else "B")
            return lambda: f"{found} != 0"
        found = self._slot(at, CODES[name])
        if name == "char":
            return lambda: f"{source.constant(character)}({found})"
        if name in ("f32", "f64"):
            return lambda: f"({found} if {found} == {found} else {source.constant(_NAN)})"
        return lambda: found

    def _string(self, at: int) -> Callable[[], str]:
        pointer, units = self._slot(at, "I"), self._slot(at + (SLOT if self._flat else 4), "I")
        if self._lifter.text != "utf8":
            return lambda: self.source.put(f"border.{self._lifter.text}({pointer}, {units})")
        self._texts = True

        def value() -> str:
            source = self.source
            with source.block(f"if {pointer} + {units} > size:"):
                source.add(f"border.reach({pointer}, {units}, 'string ')")
            source.add(f"spend({units})")
            return source.put(f"{source.constant(str)}(view[{pointer}:{pointer} + {units}], 'utf-8')")

        return value

    def _list(self, element: Type, at: int) -> Callable[[], str]:
        pointer, count = self._slot(at, "I"), self._slot(at + (SLOT if self._flat else 4), "I")
        return lambda: self.source.put(f"{self.source.constant(self._lifter.loads(element))}(border, {pointer}, {count})")

    def _record(self, cls: type[Record], fields: Sequence[Type], at: int) -> Callable[[], str]:
        values = [self.plan(field, offset) for field, offset in zip(fields, self._offsets(fields, at), strict=True)]
        setters = [vars(cls)[name].__set__ for name in cls.__fields__]

        def value() -> str:
            source = self.source
            found = [field() for field in values]
            record = source.put(f"{source.constant(_new)}({source.constant(cls)})")
            for setter, field in zip(setters, found, strict=True):
                source.add(f"{source.constant(setter)}({record}, {field})")
            return record

        return value

    def _tuple(self, elements: Sequence[Type], at: int) -> Callable[[], str]:
        values = [self.plan(element, offset) for element, offset in zip(elements, self._offsets(elements, at), strict=True)]
        return lambda: "(" + "".join([f"{value()}, " for value in values]) + ")"

    def _option(self, some: Type, at: int) -> Callable[[], str]:
        tag = self._tag(2, at)
        payload = self.plan(some, at + (SLOT if self._flat else payload_offset([None, some])))
        nested = isinstance(some, OptionOf)

        def value() -> str:
            source = self.source
            found = source.put("None")
            with source.block(f"if {tag} == 1:"):
                inner = payload()
                source.add(f"{found} = {source.constant(Some)}({inner})" if nested else f"{found} = {inner}")
            with source.block(f"elif {tag}:"):
                source.add(f"{source.constant(discriminant)}({tag})")
            return found

        return value

    def _variant(self, kind: VariantOf | ResultOf, at: int) -> Callable[[], str]:
        named = cases(kind)
        tag = self._tag(len(named), at)
        inner = at + (SLOT if self._flat else payload_offset(payload for _, payload in named))
        makers: list[Callable[[Any], Any] | None]
        if isinstance(kind, ResultOf):
            makers, empty = [Ok, Err], [Ok(), Err()]
        else:
            makers, empty = [_made(name) for name, _ in named], [Case(name) for name, _ in named]
        table = [
            (None, empty[index]) if payload is None else (self._lifter.load(payload, flat=self._flat), makers[index])
            for index, (_, payload) in enumerate(named)
        ]
        if any(payload is not None for _, payload in named):
            self.places = True

        def value() -> str:
            source = self.source
            with source.block(f"if {tag} >= {len(named)}:"):
                source.add(f"{source.constant(discriminant)}({tag})")
            load, found = source.fresh(), source.fresh()
            source.add(f"{load}, {found} = {source.constant(table)}[{tag}]")
            if self.places:
                with source.block(f"if {load} is not None:"):
                    source.add(f"{found} = {found}({load}(border, data, at + {inner}))")
            return found

        return value

    def _enum(self, labels: Sequence[Any], at: int) -> Callable[[], str]:
        tag = self._tag(len(labels), at)

        def value() -> str:
            source = self.source
            with source.block(f"if {tag} >= {len(labels)}:"):
                source.add(f"{source.constant(discriminant)}({tag})")
            return f"{source.constant(labels)}[{tag}]"

        return value

    def _flags(self, labels: tuple[str, ...], at: int) -> Callable[[], str]:
        bits = self._wide(flags_size(len(labels)), at)
        members = tuple(label_class(labels))
        mask = (1 << len(labels)) - 1

        @lru_cache(maxsize=1024)
        def chosen(value: int) -> frozenset[Any]:
            return frozenset([member for index, member in enumerate(members) if value >> index & 1])

        return lambda: f"{self.source.constant(chosen)}({bits} & {mask})"

    def _handle(self, resource: Any, at: int, *, owned: bool) -> Callable[[], str]:
        index = self._slot(at, "I")
        assert isinstance(resource, TableResource)  # noqa: S101 (the plan makes no others)
        how = "lift_own" if owned else "lift_borrow"
        return lambda: self.source.put(f"border.{how}({index}, {resource.table})")


def _made(name: str) -> Callable[[Any], Any]:
    return lambda value: case(name, value)
