"""Python names for everything in a model: each of its own, the same for the same graph, and as short as that allows.

A type is called by its WIT name in CapWords. Where two want one name, both are qualified, by the interface, the version, the package, and
at last the node: no name depends on the order of anything. An interface or a node that wants the name of a type gives way to it.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ringfence.contract.names import InterfaceName, parse_interface, snake, track

from ringfence_composer.bindings.model import (
    Definition,
    EnumDef,
    Interface,
    Key,
    ListShape,
    Model,
    Named,
    Node,
    OptionShape,
    Plain,
    RecordDef,
    ResourceDef,
    ResultShape,
    Shape,
    TupleShape,
    VariantDef,
)
from ringfence_composer.bindings.quoting import identifier

IMPORTED = frozenset({"Err", "Failure", "Graph", "Mapping", "Ok", "Protocol", "Resource", "Some", "StrEnum", "TYPE_CHECKING", "TypeAlias"})
"""What generated files may import, in CapWords. Kept free whether a file needs it or not, so that no name depends on that."""

_RESERVED = IMPORTED | set(dir(builtins)) | set(keyword.kwlist)
_TYPE, _DERIVED, _INTERFACE, _NODE = range(4)
"""Ranks: of those who want one name, the last ones give way."""


@dataclass(frozen=True, slots=True)
class CaseOf:
    """A case of a variant, which gets a class."""

    variant: Key
    case: str


@dataclass(frozen=True, slots=True)
class FailureOf:
    """An error that is no variant, which gets an exception."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class NodeOf:
    """A node, which gets a class."""

    node: str


Entity: TypeAlias = Key | CaseOf | FailureOf | Interface | NodeOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of all classes, and of the attributes under which a node's class has its interfaces."""

    classes: Mapping[Entity, str]
    attributes: Mapping[tuple[str, Interface], str]


def name_all(model: Model, failures: Iterable[Shape]) -> Names:
    """Names for a model; `failures` are the errors, other than variants, that become exceptions."""
    classes = {entity: identifier(name) for entity, name in _Wishes(model, failures).settled().items()}
    attributes = {(node.name, interface): identifier(name) for node in model.nodes for interface, name in _attributes(node).items()}
    return Names(classes=classes, attributes=attributes)


def cap_words(name: str) -> str:
    """`order-error` as `OrderError`, `1.0.0-rc.1` as `1_0_0Rc_1`; capitals stay."""
    return "".join(word[:1].upper() + word[1:] for word in re.sub(r"[.+]", "_", name).split("-"))


def label(name: str) -> str:
    """An enum's label as the name of its member."""
    return name.replace("-", "_").upper()


class _Wishes:
    """Every entity with what it would like to be called, best first. Cases and failures are called after types, as these are called."""

    def __init__(self, model: Model, failures: Iterable[Shape]) -> None:
        self._own: dict[Entity, list[str]] = {}
        self._derived: list[CaseOf | FailureOf] = []
        self._reserved = _RESERVED | {name for name in _inner_names(model) if name[:1].isupper()}
        for one in model.definitions:
            owner = [model.owners[one.key]] if one.key in model.owners else []
            self._own[one.key] = _qualified(cap_words(one.key.name), one.key.home, owner)
            if isinstance(one, VariantDef):
                self._derived += [CaseOf(one.key, case.name) for case in one.cases]
        self._derived += [FailureOf(shape) for shape in failures]
        for node in model.nodes:
            for interface in node.interfaces:
                self._own.setdefault(interface, _interface_wishes(interface, node.name))
            self._own[NodeOf(node.name)] = [cap_words(node.name), f"{cap_words(node.name)}Node"]
        self._level: dict[Entity, int] = defaultdict(int)
        self._number: dict[Entity, int] = defaultdict(int)

    def settled(self) -> dict[Entity, str]:
        """A name for everybody: whoever wants one that another has gives way, until nobody does."""
        while True:
            wishes = self._wishes()
            shared: dict[str, list[Entity]] = defaultdict(list)
            for entity in wishes:
                shared[self._name(entity, wishes)].append(entity)
            crowded = [group for group in shared.values() if len(group) > 1]
            if not crowded:
                return {entity: self._name(entity, wishes) for entity in wishes}
            for group in crowded:
                self._give_way(group, wishes)

    def _wishes(self) -> dict[Entity, list[str]]:
        """All wishes, as things are now."""
        wishes = dict(self._own)
        for one in self._derived:
            match one:
                case CaseOf(variant, case):
                    base = f"{self._name(variant, wishes).rstrip('_')}{cap_words(case)}"
                    wishes[one] = [base, f"{base}Case"]
                case FailureOf(shape):
                    base = f"{self._described(shape, wishes).rstrip('_')}Failure"
                    wishes[one] = [base, f"{base}Error"]
        return wishes

    def _name(self, entity: Entity, wishes: Mapping[Entity, list[str]]) -> str:
        number = self._number[entity]
        name = wishes[entity][self._level[entity]] + (str(number + 1) if number else "")
        return f"{name}_" if name in self._reserved else name

    def _give_way(self, group: list[Entity], wishes: Mapping[Entity, list[str]]) -> None:
        last = max(map(_rank, group))
        yielding = [entity for entity in group if _rank(entity) == last]
        able = [entity for entity in yielding if self._level[entity] + 1 < len(wishes[entity])]
        for entity in able:
            self._level[entity] += 1
        if not able:  # every word was tried
            for number, entity in enumerate(yielding if len(yielding) < len(group) else yielding[1:], 1):
                self._number[entity] += number

    def _described(self, shape: Shape, wishes: Mapping[Entity, list[str]]) -> str:
        """A type in CapWords: `list<string>` as `StringList`."""
        match shape:
            case Plain(plain):
                return cap_words(plain)
            case Named(key):
                return self._name(key, wishes)
            case ListShape(Plain("u8")):
                return "Bytes"
            case ListShape(element):
                return f"{self._described(element, wishes)}List"
            case OptionShape(some):
                return f"Optional{self._described(some, wishes)}"
            case TupleShape(elements):
                return "".join(self._described(element, wishes) for element in elements) + "Tuple"
            case ResultShape(ok, err):
                return "Or".join(self._described(side, wishes) if side else "None" for side in (ok, err))


def _rank(entity: Entity) -> int:
    match entity:
        case Key():
            return _TYPE
        case CaseOf() | FailureOf():
            return _DERIVED
        case Interface():
            return _INTERFACE
        case NodeOf():
            return _NODE


def _qualified(own: str, home: str, nodes: Iterable[str]) -> list[str]:
    """A type's name alone, then with what tells its home from others; `nodes` is who means it, where others mean something else."""
    place = parse_interface(home)
    if place is None:
        wishes = [own, f"{cap_words(home)}{own}"]
    else:
        inner = f"{cap_words(place.name)}{own}"
        wishes = [own, inner, *(f"{own}{version}" for version in _versions(place)), *_packaged(place, inner)]
    return [own, *(f"{cap_words(node)}{own}" for node in nodes), *wishes[1:]]


def _interface_wishes(interface: Interface, node: str) -> list[str]:
    place = parse_interface(interface.home)
    if place is None:
        own = cap_words(interface.home)
        wishes = [own, f"{own}Interface"]
    else:
        own = cap_words(place.name)
        wishes = [own, f"{own}Interface", *(f"{own}{version}" for version in _versions(place)), *_packaged(place, own)]
    return [*wishes, f"{cap_words(node)}{own}", f"{cap_words(node)}{wishes[-1]}"]


def _versions(place: InterfaceName) -> list[str]:
    """`V1` and `V1_2_0`."""
    return list(dict.fromkeys(f"V{cap_words(text)}" for text in (track(place.version), place.version) if text))


def _packaged(place: InterfaceName, inner: str) -> Iterator[str]:
    """With the package before it, and the namespace before that, and the version behind."""
    namespace, _, package = place.package.partition(":")
    yield f"{cap_words(package)}{inner}"
    yield f"{cap_words(namespace)}{cap_words(package)}{inner}"
    if versions := _versions(place):
        yield f"{cap_words(namespace)}{cap_words(package)}{inner}{versions[-1]}"


def _inner_names(model: Model) -> Iterator[str]:
    """The Python names inside classes whose annotations they would hide types from."""
    for definition in model.definitions:
        if not isinstance(definition, EnumDef):
            yield from members_of(definition)
    for node in model.nodes:
        for interface in node.interfaces:
            yield from (function.name for function in interface.functions)


def members_of(definition: Definition) -> list[str]:
    """The Python names of a definition's fields, labels or methods."""
    match definition:
        case RecordDef():
            return [snake(part.name) for part in definition.fields]
        case EnumDef():
            return [label(part.name) for part in definition.labels]
        case ResourceDef():
            return [method.name for method in definition.methods]
        case _:
            return []


def _attributes(node: Node) -> dict[Interface, str]:
    """An interface's own name; where that is not enough, with its package before it, and then with its version behind."""
    wishes = {interface: _attribute_wishes(interface) for interface in node.interfaces}
    levels = dict.fromkeys(wishes, 0)
    while True:
        names = {interface: wishes[interface][level] for interface, level in levels.items()}
        crowded = [one for one, name in names.items() if list(names.values()).count(name) > 1 and levels[one] + 1 < len(wishes[one])]
        if not crowded:
            return {interface: f"{name}_" if name == "substitute" else name for interface, name in names.items()}
        for one in crowded:
            levels[one] += 1


def _attribute_wishes(interface: Interface) -> list[str]:
    place = parse_interface(interface.home)
    if place is None:
        return [snake(interface.home), f"{snake(interface.home)}_"]
    own = snake(place.name)
    versions = [version.lower() for version in _versions(place)]
    packaged = f"{snake(place.package.replace(':', '-'))}_{own}"
    return [own, *(f"{own}_{version}" for version in versions), packaged, *(f"{packaged}_{version}" for version in versions[-1:])]
