"""How much memory a component can have: counts, in its binary, the memories and tables that one instance of it makes.

wasmtime's limiter bounds each linear memory, not their sum. So the sum is bounded by giving each memory a bound such that all of them, each
at its bound or its own declared maximum, stay within the total. With one memory, as most components have, that is exact; with
several that can grow it is stricter than need be, for one can't use what another leaves.

Source: the Component Model's *Binary Format*. The binary has been validated by wasmtime before; what is unknown here is refused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self

from ringfence.contract.errors import IntegrityError

PAGE = 1 << 16
_MOST_PAGES = 1 << 16
_COMPONENT_LAYER = 1 << 16
_TABLE_BYTES = 8
_MOST_TABLE_ELEMENTS = 1_000_000


@dataclass(slots=True)
class Footprint:
    """What one instance makes: memories by (minimum, maximum) in pages, how many tables, how many core instances."""

    memories: Counter[tuple[int, int]] = field(default_factory=Counter)
    tables: int = 0
    instances: int = 0

    def add(self, other: Footprint) -> None:
        self.memories.update(other.memories)
        self.tables += other.tables
        self.instances += other.instances

    def to_data(self) -> list[Any]:
        """The counts as JSON data."""
        return [sorted([*bounds, count] for bounds, count in self.memories.items()), self.tables, self.instances]

    @classmethod
    def from_data(cls, data: list[Any]) -> Self:
        memories, tables, instances = data
        return cls(Counter({(least, most): count for least, most, count in memories}), tables, instances)

    def least(self) -> int:
        """Bytes of all memories when they have just been made."""
        return sum(minimum * count for (minimum, _), count in self.memories.items()) * PAGE

    def bound(self, total: int) -> int | None:
        """The bytes each memory may grow to so that all together stay within `total`; None where even the start does not fit."""
        floor = max((minimum for minimum, _ in self.memories), default=0)
        pages, count = total // PAGE, sum(self.memories.values())
        for (_, maximum), some in sorted(self.memories.items(), key=lambda item: item[0][1]):
            if maximum > pages // count:
                break
            pages -= maximum * some
            count -= some
        if not count:  # all of them at their own maximum
            return max((maximum for _, maximum in self.memories), default=0) * PAGE
        share = pages // count
        return share * PAGE if share >= floor else None

    def table_elements(self, total: int) -> int:
        """The elements each table may have, so that all together take no more bytes than the memories may."""
        return min(_MOST_TABLE_ELEMENTS, total // _TABLE_BYTES // max(1, self.tables))


def footprint(binary: memoryview) -> Footprint:
    """What an instance of this component makes.

    Raises:
        IntegrityError: it is built in a way that can't be counted (core modules or components taken as imports).
    """
    try:
        return _component(BinaryReader(binary), ())
    except (LookupError, RecursionError) as error:
        raise IntegrityError(f"the component's memories can't be counted: {error}") from error


@dataclass(slots=True)
class _Scope:
    """The index spaces that lead to memories, of one component while it is read; None: not to be known."""

    modules: list[Footprint | None] = field(default_factory=list)
    components: list[Footprint | None] = field(default_factory=list)
    made: Footprint = field(default_factory=Footprint)


class BinaryReader:
    """Reads LEB128 numbers, names and sections from a piece of the binary."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0

    @property
    def done(self) -> bool:
        return self._at >= len(self._data)

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> int:
        found, shift = 0, 0
        while True:
            byte = self.byte()
            found |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return found

    def piece(self, size: int) -> BinaryReader:
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise IndexError("it ends too early")
        return BinaryReader(self._data[start : self._at])

    def name(self) -> None:
        self.piece(self.number())

    def preamble(self) -> bool:
        """Whether this is a component (else a core module)."""
        self.piece(4)
        return int.from_bytes(bytes(self.byte() for _ in range(4)), "little") >= _COMPONENT_LAYER


_CORE, _COMPONENT = 0x00, 0x04
_CORE_MODULE = 0x11


def _component(reader: BinaryReader, outer: tuple[_Scope, ...]) -> Footprint:
    reader.preamble()
    scope = _Scope()
    scopes = (scope, *outer)
    while not reader.done:
        section, body = reader.byte(), reader.piece(reader.number())
        match section:
            case 1:
                scope.modules.append(module_footprint(body))
            case 4:
                scope.components.append(_component(body, scopes))
            case 2 | 5 | 6 | 10 | 11:
                for _ in range(body.number()):
                    _ITEMS[section](body, scopes)
            case _:  # custom, types, canonical functions, start, values: no memory is made there
                pass
    return scope.made


def _core_instance(body: BinaryReader, scopes: tuple[_Scope, ...]) -> None:
    if body.byte() == 0:
        _make(scopes[0], scopes[0].modules, body.number())
        for _ in range(body.number()):
            body.name()
            body.byte()
            body.number()
    else:
        for _ in range(body.number()):
            body.name()
            body.byte()
            body.number()


def _instance(body: BinaryReader, scopes: tuple[_Scope, ...]) -> None:
    if body.byte() == 0:
        _make(scopes[0], scopes[0].components, body.number())
        for _ in range(body.number()):
            body.name()
            _sort(body)
            body.number()
    else:
        for _ in range(body.number()):
            _extern_name(body)
            _sort(body)
            body.number()


def _make(scope: _Scope, space: list[Footprint | None], index: int) -> None:
    found = space[index]
    if found is None:
        raise LookupError("it instantiates a module or component that it imports or takes from an instance")
    scope.made.add(found)
    if space is scope.modules:
        scope.made.instances += 1


def _alias(body: BinaryReader, scopes: tuple[_Scope, ...]) -> None:
    sort, target = _sort(body), body.byte()
    if target == 2:
        up, index = body.number(), body.number()
        if (space := _space(scopes[up], sort)) is not None:
            _extend(scopes[0], sort, space[index])
    else:
        body.number()
        body.name()
        _extend(scopes[0], sort, None)


def _import(body: BinaryReader, scopes: tuple[_Scope, ...]) -> None:
    _extern_name(body)
    _extend(scopes[0], _extern_type(body), None)


def _export(body: BinaryReader, scopes: tuple[_Scope, ...]) -> None:
    _extern_name(body)
    sort, index = _sort(body), body.number()
    if body.byte():
        _extern_type(body)
    if (space := _space(scopes[0], sort)) is not None:
        _extend(scopes[0], sort, space[index])


_ITEMS = {2: _core_instance, 5: _instance, 6: _alias, 10: _import, 11: _export}


def _space(scope: _Scope, sort: tuple[int, int]) -> list[Footprint | None] | None:
    if sort == (_CORE, _CORE_MODULE):
        return scope.modules
    return scope.components if sort[0] == _COMPONENT else None


def _extend(scope: _Scope, sort: tuple[int, int], entry: Footprint | None) -> None:
    space = _space(scope, sort)
    if space is not None:
        space.append(entry)


def _sort(body: BinaryReader) -> tuple[int, int]:
    sort = body.byte()
    return sort, body.byte() if sort == _CORE else 0


def _extern_name(body: BinaryReader) -> None:
    if body.byte() > 1:
        raise LookupError("it uses names of a form unknown here")
    body.name()


def _extern_type(body: BinaryReader) -> tuple[int, int]:
    """Read what is imported, or what an export is ascribed; its sort."""
    kind = body.byte()
    if kind == _CORE:
        sort = kind, body.byte()
        body.number()
        return sort
    if kind == 2:
        raise LookupError("it imports or exports values")
    if kind == 3 and body.byte() == 1:
        return kind, 0
    body.number()
    return kind, 0


def module_footprint(reader: BinaryReader) -> Footprint:
    """The memories and tables that a core module defines."""
    made = Footprint()
    reader.preamble()
    while not reader.done:
        section, body = reader.byte(), reader.piece(reader.number())
        if section == 4:
            made.tables += body.number()
        elif section == 5:
            for _ in range(body.number()):
                flags, minimum = body.byte(), body.number()
                maximum = body.number() if flags & 1 else _MOST_PAGES
                if flags & ~1:
                    raise LookupError("it has a memory of a kind unknown here")
                made.memories[(minimum, maximum)] += 1
    return made
