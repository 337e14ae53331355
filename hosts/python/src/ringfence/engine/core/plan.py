"""The core plan as records: read from JSON, checked, its types those of the contract. Source: `docs/core-plan.md`, format 1."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ringfence.contract.errors import IntegrityError
from ringfence.contract.types import (
    CODES,
    Borrow,
    EnumOf,
    FlagsOf,
    FunctionType,
    InterfaceType,
    ListOf,
    OptionOf,
    Own,
    Primitive,
    RecordOf,
    ResourceName,
    ResultOf,
    TupleOf,
    Type,
    VariantOf,
)
from ringfence.engine.core.layout import TableResource
from ringfence.engine.seam import FunctionName

FORMAT = 1
Encoding = Literal["utf8", "utf16", "latin1+utf16"]
_ENCODINGS = ("utf8", "utf16", "latin1+utf16")
_MOST_LABELS = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Options:
    """The canonical options of a lift or a lower; memories and functions by the names of exports. Equal ones are one object in a plan."""

    instance: int
    encoding: Encoding
    memory: str | None
    realloc: str | None
    post_return: str | None


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource type: imported, or defined by a component instance, with its destructor's name."""

    name: ResourceName
    instance: int | None = None
    dtor: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """How a component instance sees a resource."""

    resource: int
    instance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A lifted function."""

    kind: FunctionType
    core: str
    options: Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Trampoline:
    """A function that the module imports; which of the other fields count depends on the kind (`docs/core-plan.md`, TRAMPOLINE)."""

    kind: str
    params: tuple[str, ...]
    results: tuple[str, ...]
    function: FunctionName = ("", "")
    type: FunctionType | None = None
    options: Options | None = None
    table: int = -1
    instance: int = -1
    operation: str = ""
    source: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """Where the functions of one of the component's core modules are in the merged one; and of which nested component it is one."""

    module: str
    adapter: bool
    first: int
    count: int
    part: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything the engine knows of a component beside its merged module."""

    component: str
    module: str
    flags: tuple[str | None, ...]
    resources: tuple[Resource, ...]
    tables: tuple[Table | None, ...]
    imports: Mapping[str, InterfaceType]
    exports: Mapping[str, InterfaceType]
    functions: Mapping[FunctionName, Export]
    trampolines: tuple[Trampoline, ...]
    start: str | None
    traps: Mapping[int, str]
    code: tuple[Code, ...]


def read_plan(data: bytes) -> Plan:
    """The plan in this JSON document.

    Raises:
        IntegrityError: it is none, is of another format, or holds what this engine does not know.
    """
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise IntegrityError(f"this engine reads core plans of format {FORMAT}, found {document['format']!r}")
        return _Reader(document).plan()
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(f"this is no core plan: {error!r}") from error


class _Reader:
    def __init__(self, document: Any) -> None:
        self._document = document
        self._tables: list[Table | None] = [
            None
            if table is None
            else Table(_index(table["resource"], document["resources"]), _index(table["instance"], document["instances"]))
            for table in document["tables"]
        ]
        self._memories = set(document["memories"])
        self._same: dict[tuple[Any, ...], Options] = {}
        self._known: dict[tuple[int, bool], FunctionType] = {}
        self._types: dict[tuple[int, bool], Type] = {}

    def plan(self) -> Plan:
        """The whole document."""
        document = self._document
        functions: dict[FunctionName, Export] = {}
        for item in document["exports"]:
            for one in item["functions"]:
                kind, options = self._function(one["type"], tables=True), self._options(one["options"])
                functions[item["interface"], one["name"]] = Export(kind=kind, core=str(one["core"]), options=options)
        return Plan(
            component=document["component"],
            module=document["module"],
            flags=tuple(instance["flags"] for instance in document["instances"]),
            resources=self._resources,
            tables=tuple(self._tables),
            imports=self._world(document["imports"]),
            exports=self._world(document["exports"]),
            functions=functions,
            trampolines=tuple([self._trampoline(one) for one in document["trampolines"]]),
            start=document["start"],
            traps={int(code): str(text) for code, text in document["traps"].items()},
            code=tuple([_code(one) for one in document["code"]]),
        )

    @cached_property
    def _resources(self) -> tuple[Resource, ...]:
        """The resources; one that the component defines is named by the first export that lists it."""
        named: dict[int, ResourceName] = {}
        for item in sorted(self._document["exports"], key=lambda item: item["interface"] != ""):  # the root's own come first
            for one in item["resources"]:
                if one["table"] is not None and (table := self._tables[one["table"]]) is not None:
                    named.setdefault(table.resource, ResourceName(item["interface"], one["name"], guest=True))
        found = []
        for index, one in enumerate(self._document["resources"]):
            if "interface" in one:
                found.append(Resource(ResourceName(one["interface"], one["name"])))
            else:
                name = named.get(index, ResourceName("", f"resource {index}", guest=True))
                found.append(Resource(name, _index(one["instance"], self._document["instances"]), one["dtor"]))
        return tuple(found)

    def _world(self, items: Any) -> dict[str, InterfaceType]:
        found = {}
        for item in items:
            functions = {one["name"]: self._function(one["type"], tables=False) for one in item["functions"]}
            resources = tuple(one["name"] for one in item["resources"])
            if functions or resources or item["interface"]:
                found[item["interface"]] = InterfaceType(functions=functions, resources=resources)
        return found

    def _options(self, options: Any) -> Options:
        if options["encoding"] not in _ENCODINGS:
            raise ValueError(f"no string encoding {options['encoding']!r}")
        if options["memory"] is not None and options["memory"] not in self._memories:
            raise LookupError(f"no memory {options['memory']!r}")
        names = options["encoding"], options["memory"], options["realloc"], options["post_return"]
        key = _index(options["instance"], self._document["instances"]), *names
        if key not in self._same:
            instance, encoding, memory, realloc, post_return = key
            self._same[key] = Options(instance=instance, encoding=encoding, memory=memory, realloc=realloc, post_return=post_return)
        return self._same[key]

    def _trampoline(self, one: Any) -> Trampoline:
        kind, (params, results) = one["kind"], one["signature"]
        more: dict[str, Any] = {}
        if kind == "lower":
            more = {
                "function": (one["interface"], one["function"]),
                "type": self._function(one["type"], tables=True),
                "options": self._options(one["options"]),
            }
        elif kind.startswith("resource-") and "table" in one:
            more = {"table": _index(one["table"], self._tables), "instance": _index(one["instance"], self._document["instances"])}
        elif kind == "transcode":
            more = {"operation": one["operation"], "source": one["from"], "target": one["to"]}
        return Trampoline(kind=kind, params=tuple(params), results=tuple(results), **more)

    # Types: those of the contract with plain names for `imports` and `exports`; with the tables of handles for the engine's own use

    def _function(self, index: int, *, tables: bool) -> FunctionType:
        found = self._known.get((index, tables))
        if found is None:
            one = self._document["functions"][index]
            params = tuple([(str(name), self._type(kind, tables=tables)) for name, kind in one["params"]])
            found = self._known[index, tables] = FunctionType(params=params, result=self._maybe(one["result"], tables=tables))
        return found

    def _maybe(self, kind: Any, *, tables: bool) -> Type | None:
        return None if kind is None else self._type(kind, tables=tables)

    def _type(self, kind: Any, *, tables: bool) -> Type:
        if isinstance(kind, str):
            if kind not in CODES and kind != "string":
                raise LookupError(f"no type {kind!r}")
            return Primitive(kind)  # type: ignore[arg-type]
        found = self._types.get((kind, tables))
        if found is None:
            found = self._types[kind, tables] = self._compound(kind, tables=tables)
        return found

    def _compound(self, kind: int, *, tables: bool) -> Type:
        match self._document["types"][kind]:
            case ["list", element]:
                return ListOf(self._type(element, tables=tables))
            case ["record", fields]:
                return RecordOf(tuple((name, self._type(field, tables=tables)) for name, field in fields))
            case ["tuple", elements]:
                return TupleOf(tuple(self._type(element, tables=tables) for element in elements))
            case ["variant", named]:
                return VariantOf(tuple((name, self._maybe(payload, tables=tables)) for name, payload in named))
            case ["enum", labels]:
                return EnumOf(tuple(labels))
            case ["flags", labels] if len(labels) <= _MOST_LABELS:
                return FlagsOf(tuple(labels))
            case ["option", some]:
                return OptionOf(self._type(some, tables=tables))
            case ["result", ok, err]:
                return ResultOf(self._maybe(ok, tables=tables), self._maybe(err, tables=tables))
            case ["own", table]:
                return Own(self._resource(table, tables=tables))
            case ["borrow", table]:
                return Borrow(self._resource(table, tables=tables))
            case other:
                raise IntegrityError(f"this engine can't run it: it uses {other!r}")

    def _resource(self, index: int, *, tables: bool) -> ResourceName:
        table = self._tables[index]
        if table is None:
            raise LookupError(f"table {index} has no resource")
        name = self._resources[table.resource].name
        return TableResource(name.interface, name.name, name.guest, index) if tables else name


def _code(one: Any) -> Code:
    first, count = one["functions"]
    return Code(one["module"] or "", one["kind"] == "adapter", first, count, one.get("part"))


def _index(index: Any, of: Sequence[Any]) -> int:
    if type(index) is not int or not 0 <= index < len(of):
        raise LookupError(f"no index {index!r} in a list of {len(of)}")
    return index
