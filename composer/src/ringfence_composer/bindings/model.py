"""What bindings are made from: the named types, interfaces and nodes of a graph, as WIT says them. Names stay WIT's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ringfence.contract.types import PrimitiveName


@dataclass(frozen=True, slots=True)
class Key:
    """A named type: by the interface or world that defines it (full name) and its own name.

    Two nodes may mean different types by one name, where their packages have no version. Then `twin` tells them apart.
    """

    home: str
    name: str
    twin: int = 0


# Shapes: types as they stand in fields, parameters and results. A handle is the resource that it is of.


@dataclass(frozen=True, slots=True)
class Plain:
    """A number, bool, char or string."""

    name: PrimitiveName


@dataclass(frozen=True, slots=True)
class ListShape:
    """`list<element>`."""

    element: Shape


@dataclass(frozen=True, slots=True)
class OptionShape:
    """`option<some>`."""

    some: Shape


@dataclass(frozen=True, slots=True)
class TupleShape:
    """A tuple."""

    elements: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class ResultShape:
    """`result<ok, err>`."""

    ok: Shape | None
    err: Shape | None


@dataclass(frozen=True, slots=True)
class Named:
    """A type that has a definition."""

    key: Key


Shape: TypeAlias = Plain | ListShape | OptionShape | TupleShape | ResultShape | Named


# Definitions. What WIT says in words is not compared: types that differ in their docs only are one type.


@dataclass(frozen=True, slots=True)
class Part:
    """A field, a case (`shape` is None where it has no payload) or a label."""

    name: str
    shape: Shape | None = None
    docs: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RecordDef:
    """A record."""

    key: Key
    fields: tuple[Part, ...]
    docs: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class VariantDef:
    """A variant."""

    key: Key
    cases: tuple[Part, ...]
    docs: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class EnumDef:
    """An enum, or the labels of flags."""

    key: Key
    labels: tuple[Part, ...]
    flags: bool
    docs: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AliasDef:
    """Another name for a shape."""

    key: Key
    shape: Shape
    docs: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ResourceDef:
    """A resource. `methods` is empty where no exposed node exports its interface: then nobody may call them."""

    key: Key
    methods: tuple[Function, ...] = field(default=(), compare=False)
    docs: str | None = field(default=None, compare=False)


Definition: TypeAlias = RecordDef | VariantDef | EnumDef | AliasDef | ResourceDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function: its WIT name and the Python name that it has in its Protocol; `error` counts where it `fails`."""

    wit: str
    name: str
    params: tuple[tuple[str, Shape], ...]
    result: Shape | None
    fails: bool
    error: Shape | None
    docs: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What an application may call of an interface, methods of resources left out.

    `export` is its name in the binary: `""` for the functions of a world itself, whose `home` is the world.
    """

    export: str
    home: str
    functions: tuple[Function, ...]
    docs: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An exposed node."""

    name: str
    interfaces: tuple[Interface, ...]
    docs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """All that a file of bindings says. Definitions come after those they are made of; `owners` has the nodes of those that have twins."""

    graph: str
    definitions: tuple[Definition, ...]
    nodes: tuple[Node, ...]
    owners: Mapping[Key, str]


def inside(shape: Shape | None) -> Iterator[Key]:
    """The named types that a shape mentions."""
    match shape:
        case Named(key):
            yield key
        case ListShape(element):
            yield from inside(element)
        case OptionShape(some):
            yield from inside(some)
        case TupleShape(elements):
            for element in elements:
                yield from inside(element)
        case ResultShape(ok, err):
            yield from inside(ok)
            yield from inside(err)
        case _:
            return


def shapes_of(function: Function) -> Iterator[Shape | None]:
    """The shapes of a function's parameters, result and error."""
    yield from (shape for _, shape in function.params)
    yield function.result
    yield function.error


def needs(definition: Definition) -> Iterator[Key]:
    """The named types that a definition mentions; of a resource, those that its methods do."""
    match definition:
        case RecordDef():
            shapes = [part.shape for part in definition.fields]
        case VariantDef():
            shapes = [part.shape for part in definition.cases]
        case AliasDef():
            shapes = [definition.shape]
        case ResourceDef():
            shapes = [shape for method in definition.methods for shape in shapes_of(method)]
        case EnumDef():
            shapes = []
    for shape in shapes:
        yield from inside(shape)
