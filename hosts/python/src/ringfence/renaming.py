"""Types in which resources go by a node's own names, in place of those that a group's component has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ringfence.contract.types import (
    Borrow,
    FunctionType,
    InterfaceType,
    ListOf,
    OptionOf,
    Own,
    RecordOf,
    ResourceName,
    ResultOf,
    TupleOf,
    Type,
    VariantOf,
)

Rename = Callable[[ResourceName], ResourceName]


def renaming(names: Mapping[str, tuple[str, str]]) -> Rename:
    """From names of a component's interfaces to those that its nodes have: `names` maps the one to a node and the other."""

    def rename(resource: ResourceName) -> ResourceName:
        found = names.get(resource.interface)
        return resource if found is None else replace(resource, interface=found[1])

    return rename


def interface(kind: InterfaceType, rename: Rename) -> InterfaceType:
    """The interface with its resources so renamed."""
    return replace(kind, functions={name: _function(one, rename) for name, one in kind.functions.items()})


def _function(kind: FunctionType, rename: Rename) -> FunctionType:
    params = tuple((name, _type(one, rename)) for name, one in kind.params)
    return FunctionType(params=params, result=_maybe(kind.result, rename))


def _maybe(kind: Type | None, rename: Rename) -> Type | None:
    return None if kind is None else _type(kind, rename)


def _type(kind: Type, rename: Rename) -> Type:
    match kind:
        case Own(resource):
            return Own(rename(resource))
        case Borrow(resource):
            return Borrow(rename(resource))
        case ListOf(element):
            return ListOf(_type(element, rename))
        case OptionOf(some):
            return OptionOf(_type(some, rename))
        case TupleOf(elements):
            return TupleOf(tuple(_type(one, rename) for one in elements))
        case RecordOf(fields):
            return RecordOf(tuple((name, _type(one, rename)) for name, one in fields))
        case VariantOf(cases):
            return VariantOf(tuple((name, _maybe(one, rename)) for name, one in cases))
        case ResultOf(ok, err):
            return ResultOf(_maybe(ok, rename), _maybe(err, rename))
        case _:
            return kind
