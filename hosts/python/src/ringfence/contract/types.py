"""WIT types as records, as an engine reads them from a component binary. The types are never written twice.

Source: the Component Model's explainer, *Type Definitions*. Names stay kebab-case here; Python names are made by `names.snake`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

_LONGEST = 80

PrimitiveName: TypeAlias = Literal["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"]

CODES: Mapping[str, str] = {
    "bool": "?",
    "s8": "b",
    "u8": "B",
    "s16": "h",
    "u16": "H",
    "s32": "i",
    "u32": "I",
    "s64": "q",
    "u64": "Q",
    "f32": "f",
    "f64": "d",
    "char": "I",
}
"""The `struct` code of each primitive that has a fixed size."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A number, bool, char or string."""

    name: PrimitiveName


@dataclass(frozen=True, slots=True)
class ListOf:
    """`list<element>`; `list<u8>` is bytes in Python."""

    element: Type


@dataclass(frozen=True, slots=True)
class RecordOf:
    """A record; fields in order, by their WIT names."""

    fields: tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A tuple."""

    elements: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class VariantOf:
    """A variant; each case with its payload type or None."""

    cases: tuple[tuple[str, Type | None], ...]


@dataclass(frozen=True, slots=True)
class EnumOf:
    """An enum; labels in order."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlagsOf:
    """Flags; labels in order."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptionOf:
    """`option<some>`."""

    some: Type


@dataclass(frozen=True, slots=True)
class ResultOf:
    """`result<ok, err>`; a missing side is None."""

    ok: Type | None
    err: Type | None


@dataclass(frozen=True, slots=True)
class ResourceName:
    """A resource type, named by the interface (as imported or exported, version included) that defines it.

    `guest` tells one that the component defines (its host holds handles) from one that it imports (its host holds the objects): a
    component may import and export the same interface. It is not compared, since across an edge the one's export is the other's import.
    """

    interface: str
    name: str
    guest: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Own:
    """`own<resource>`: the value moves."""

    resource: ResourceName


@dataclass(frozen=True, slots=True)
class Borrow:
    """`borrow<resource>`: lent until the call returns."""

    resource: ResourceName


Type: TypeAlias = Primitive | ListOf | RecordOf | TupleOf | VariantOf | EnumOf | FlagsOf | OptionOf | ResultOf | Own | Borrow


@dataclass(frozen=True, slots=True)
class FunctionType:
    """Parameters by their WIT names, and the result if there is one."""

    params: tuple[tuple[str, Type], ...]
    result: Type | None


@dataclass(frozen=True, slots=True)
class InterfaceType:
    """What an imported or exported instance holds: functions by WIT name (`[method]cursor.next` too), resources it defines or names."""

    functions: Mapping[str, FunctionType]
    resources: tuple[str, ...] = ()


def show(kind: Type | None) -> str:
    """The type in WIT's own syntax, records and variants written out."""
    match kind:
        case None:
            return "_"
        case Primitive(name):
            return name
        case ListOf(element):
            return f"list<{show(element)}>"
        case RecordOf(fields):
            return "record { " + ", ".join(f"{name}: {show(field)}" for name, field in fields) + " }"
        case TupleOf(elements):
            return f"tuple<{', '.join(show(element) for element in elements)}>"
        case VariantOf(cases):
            inner = ", ".join(name if payload is None else f"{name}({show(payload)})" for name, payload in cases)
            return f"variant {{ {inner} }}"
        case EnumOf(labels):
            return f"enum {{ {', '.join(labels)} }}"
        case FlagsOf(labels):
            return f"flags {{ {', '.join(labels)} }}"
        case OptionOf(some):
            return f"option<{show(some)}>"
        case ResultOf(ok, err):
            return f"result<{show(ok)}, {show(err)}>"
        case Own(resource):
            return resource.name
        case Borrow(resource):
            return f"borrow<{resource.name}>"


def show_params(function: FunctionType) -> str:
    """How many arguments the function takes, and which: `2 arguments (id: string, limit: u32)`. Long types are cut."""
    listed = [f"{name}: {_cut(show(kind))}" for name, kind in function.params]
    count = f"{len(listed)} argument{'' if len(listed) == 1 else 's'}" if listed else "no argument"
    return f"{count} ({', '.join(listed)})" if listed else count


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def show_function(name: str, function: FunctionType) -> str:
    """The function in WIT's own syntax."""
    params = ", ".join(f"{param}: {show(kind)}" for param, kind in function.params)
    arrow = f" -> {show(function.result)}" if function.result is not None else ""
    return f"{name}: func({params}){arrow}"
