"""The official JSON of a node's WIT into the types and interfaces that the application may use of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from ringfence.contract.members import member, members, methods
from ringfence.contract.types import PrimitiveName

from ringfence_composer.bindings.model import (
    AliasDef,
    Definition,
    EnumDef,
    Function,
    Interface,
    Key,
    ListShape,
    Named,
    Node,
    OptionShape,
    Part,
    Plain,
    RecordDef,
    ResourceDef,
    ResultShape,
    Shape,
    TupleShape,
    VariantDef,
)
from ringfence_composer.errors import InputInvalid

_PLAIN = frozenset(get_args(PrimitiveName))
_COMING = {"stream": "streams", "future": "futures", "map": "maps", "fixed-length-list": "lists of a fixed length"}


@dataclass(slots=True)
class NodeTypes:
    """A node, and every named type that its interfaces define or mention, by key."""

    node: Node
    definitions: dict[Key, Definition] = field(default_factory=dict)


def read_node(name: str, document: Mapping[str, Any], world: tuple[str, str], allows: Callable[[str], bool]) -> NodeTypes:
    """What a node exports.

    Args:
        name: The node's.
        document: The JSON of its WIT.
        world: The package and the name of its world.
        allows: Whether the application may call a function, by its WIT name.

    Raises:
        InputInvalid: it uses what bindings can't express.
    """
    return _Reader(document, world, allows).node(name)


class _Reader:
    def __init__(self, document: Mapping[str, Any], world: tuple[str, str], allows: Callable[[str], bool]) -> None:
        self._document, self._types, self._allows = document, document["types"], allows
        self._world = next(one for one in document["worlds"] if (self._package(one), one["name"]) == world)
        self._world_home = _full(*world)
        self._inline = {
            item["interface"]["id"]: key
            for side in ("imports", "exports")
            for key, item in self._world[side].items()
            if "interface" in item and document["interfaces"][item["interface"]["id"]]["name"] is None
        }
        self._found: dict[Key, Definition] = {}
        self._reading: set[int] = set()
        self._exported = {item["interface"]["id"] for item in self._world["exports"].values() if "interface" in item}

    def node(self, name: str) -> NodeTypes:
        interfaces, own = [], []
        for item in self._world["exports"].values():
            if "interface" in item:
                interfaces.append(self._interface(item["interface"]["id"]))
            elif "function" in item:
                own.append(item["function"])
        if own:
            functions = self._functions({one["name"]: one for one in own})
            interfaces.append(Interface(export="", home=self._world_home, functions=functions, docs=_docs(self._world)))
        shown = tuple(one for one in interfaces if one.functions)
        return NodeTypes(Node(name=name, interfaces=shown, docs=_docs(self._world)), self._found)

    def _package(self, item: Mapping[str, Any]) -> str:
        return str(self._document["packages"][item["package"]]["name"])

    def _home(self, index: int) -> str:
        """An interface's full name, as binaries spell it."""
        interface = self._document["interfaces"][index]
        return self._inline[index] if interface["name"] is None else _full(self._package(interface), interface["name"])

    def _interface(self, index: int) -> Interface:
        interface, home = self._document["interfaces"][index], self._home(index)
        for number in interface["types"].values():
            self._named(number)
        return Interface(export=home, home=home, functions=self._functions(interface["functions"]), docs=_docs(interface))

    def _functions(self, functions: Mapping[str, Any]) -> tuple[Function, ...]:
        names = members(functions)
        return tuple(self._function(one, names[wit]) for wit, one in functions.items() if wit in names and self._allows(wit))

    def _function(self, one: Mapping[str, Any], name: str) -> Function:
        if "async" in str(one["kind"]):
            raise InputInvalid(f"{one['name']} is async, for which there are no bindings yet")
        params = one["params"][1:] if member(one["name"]).kind == "method" else one["params"]
        shape = None if one.get("result") is None else self._shape(one["result"])
        result = shape if isinstance(shape, ResultShape) else None
        return Function(
            wit=one["name"],
            name=name,
            params=tuple((param["name"], self._shape(param["type"])) for param in params),
            result=shape if result is None else result.ok,
            fails=result is not None,
            error=result and result.err,
            docs=_docs(one),
        )

    # Types

    def _shape(self, kind: Any) -> Shape:
        if isinstance(kind, str):
            if kind not in _PLAIN:
                raise InputInvalid(f"it uses {kind}, for which there are no bindings yet")
            return Plain(kind)  # type: ignore[arg-type]
        return self._anonymous(self._types[kind]["kind"]) if self._types[kind]["name"] is None else self._named(kind)

    def _maybe(self, kind: Any) -> Shape | None:
        return None if kind is None else self._shape(kind)

    def _anonymous(self, kind: Any) -> Shape:
        match kind:
            case {"list": element}:
                return ListShape(self._shape(element))
            case {"option": some}:
                return OptionShape(self._shape(some))
            case {"tuple": {"types": elements}}:
                return TupleShape(tuple(self._shape(element) for element in elements))
            case {"result": {"ok": ok, "err": err}}:
                return ResultShape(self._maybe(ok), self._maybe(err))
            case {"handle": {"own": resource} | {"borrow": resource}}:
                return self._shape(resource)
            case {"type": other}:
                return self._shape(other)
            case _:
                (name,) = kind if isinstance(kind, dict) else [str(kind)]
                raise InputInvalid(f"it uses {_COMING.get(name, name)}, for which there are no bindings yet")

    def _named(self, index: int) -> Shape:
        """A named type, its definition read. One that only brings another's in (`use`) is that other."""
        one = self._types[index]
        other = one["kind"].get("type") if isinstance(one["kind"], dict) else None
        if isinstance(other, int) and self._types[other]["name"] == one["name"]:
            return self._shape(other)
        owner = one["owner"] or {}
        home = self._home(owner["interface"]) if "interface" in owner else self._world_home
        key = Key(home, one["name"])
        if key not in self._found and index not in self._reading:
            self._reading.add(index)
            self._found[key] = self._definition(key, one, owner.get("interface"))
        return Named(key)

    def _definition(self, key: Key, one: Mapping[str, Any], interface: int | None) -> Definition:
        docs = _docs(one)
        match one["kind"]:
            case {"record": {"fields": fields}}:
                return RecordDef(key, self._parts(fields), docs)
            case {"variant": {"cases": cases}}:
                return VariantDef(key, self._parts(cases), docs)
            case {"enum": {"cases": labels}}:
                return EnumDef(key, self._parts(labels), flags=False, docs=docs)
            case {"flags": {"flags": labels}}:
                return EnumDef(key, self._parts(labels), flags=True, docs=docs)
            case "resource":
                return ResourceDef(key, self._methods(key.name, interface), docs)
            case kind:
                return AliasDef(key, self._anonymous(kind), docs)

    def _methods(self, resource: str, interface: int | None) -> tuple[Function, ...]:
        if interface not in self._exported or interface is None:
            return ()
        functions = self._document["interfaces"][interface]["functions"]
        names = methods(functions, resource)
        return tuple(self._function(one, names[wit]) for wit, one in functions.items() if wit in names and self._allows(wit))

    def _parts(self, parts: Iterable[Mapping[str, Any]]) -> tuple[Part, ...]:
        return tuple(Part(one["name"], self._maybe(one.get("type")), _docs(one)) for one in parts)


def _full(package: str, name: str) -> str:
    """`acme:vendor@1.0.0` and `orders` as binaries spell them: `acme:vendor/orders@1.0.0`."""
    base, at, version = package.partition("@")
    return f"{base}/{name}{at}{version}"


def _docs(item: Mapping[str, Any]) -> str | None:
    text = (item.get("docs") or {}).get("contents")
    return text if isinstance(text, str) and text.strip() else None
