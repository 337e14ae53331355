"""The types of several nodes into one model: what is the same in two nodes is one type, what only shares a name is two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ringfence_composer.bindings.model import (
    AliasDef,
    Definition,
    Function,
    Interface,
    Key,
    ListShape,
    Model,
    Named,
    Node,
    OptionShape,
    Part,
    RecordDef,
    ResourceDef,
    ResultShape,
    Shape,
    TupleShape,
    VariantDef,
    needs,
)
from ringfence_composer.bindings.read import NodeTypes


def merge(graph: str, nodes: Iterable[NodeTypes]) -> Model:
    """One model of all nodes, in their order."""
    twins: dict[Key, list[frozenset[Definition]]] = {}
    definitions: dict[Key, Definition] = {}
    merged: list[Node] = []
    owners: dict[Key, str] = {}
    for one in nodes:
        renaming = _Renaming({key: _twin(twins.setdefault(key, []), _meaning(key, one.definitions)) for key in one.definitions})
        for definition in one.definitions.values():
            made = renaming.definition(definition)
            owners.setdefault(made.key, one.node.name)
            known = definitions.get(made.key)
            if known is None or (isinstance(known, ResourceDef) and not known.methods):
                definitions[made.key] = made
        merged.append(renaming.node(one.node))
    twinned = {key: owner for key, owner in owners.items() if len(twins[replace(key, twin=0)]) > 1}
    return Model(graph=graph, definitions=tuple(_in_order(definitions)), nodes=tuple(merged), owners=twinned)


def _meaning(key: Key, definitions: Mapping[Key, Definition]) -> frozenset[Definition]:
    """A type with all that it is made of."""
    seen: set[Key] = set()
    ahead = [key]
    while ahead:
        one = ahead.pop()
        if one not in seen:
            seen.add(one)
            if not isinstance(definitions[one], ResourceDef):
                ahead.extend(needs(definitions[one]))
    return frozenset(definitions[one] for one in seen)


def _twin(known: list[frozenset[Definition]], meaning: frozenset[Definition]) -> int:
    if meaning not in known:
        known.append(meaning)
    return known.index(meaning)


class _Renaming:
    """Puts keys with their twin's number in the place of a node's own."""

    def __init__(self, twins: Mapping[Key, int]) -> None:
        self._twins = twins

    def _key(self, key: Key) -> Key:
        return replace(key, twin=self._twins[key])

    def node(self, node: Node) -> Node:
        interfaces = tuple(replace(one, functions=self._functions(one.functions)) for one in node.interfaces)
        return replace(node, interfaces=interfaces)

    def definition(self, definition: Definition) -> Definition:
        key = self._key(definition.key)
        match definition:
            case RecordDef():
                return replace(definition, key=key, fields=self._parts(definition.fields))
            case VariantDef():
                return replace(definition, key=key, cases=self._parts(definition.cases))
            case AliasDef():
                return replace(definition, key=key, shape=self._shape(definition.shape))
            case ResourceDef():
                return replace(definition, key=key, methods=self._functions(definition.methods))
            case _:
                return replace(definition, key=key)

    def _functions(self, functions: tuple[Function, ...]) -> tuple[Function, ...]:
        return tuple(
            replace(
                one,
                params=tuple((name, self._shape(shape)) for name, shape in one.params),
                result=one.result and self._shape(one.result),
                error=one.error and self._shape(one.error),
            )
            for one in functions
        )

    def _parts(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(part if part.shape is None else replace(part, shape=self._shape(part.shape)) for part in parts)

    def _shape(self, shape: Shape) -> Shape:
        match shape:
            case Named(key):
                return Named(self._key(key))
            case ListShape(element):
                return ListShape(self._shape(element))
            case OptionShape(some):
                return OptionShape(self._shape(some))
            case TupleShape(elements):
                return TupleShape(tuple(self._shape(element) for element in elements))
            case ResultShape(ok, err):
                return ResultShape(ok and self._shape(ok), err and self._shape(err))
            case _:
                return shape


def _in_order(definitions: Mapping[Key, Definition]) -> Iterator[Definition]:
    """Each definition after those that it is made of; a resource does not wait for what its methods mention."""
    done: set[Key] = set()

    def visit(key: Key) -> Iterator[Definition]:
        if key not in done:
            done.add(key)
            if not isinstance(definitions[key], ResourceDef):
                for need in needs(definitions[key]):
                    yield from visit(need)
            yield definitions[key]

    for key in definitions:
        yield from visit(key)


__all__ = ["Interface", "merge"]
