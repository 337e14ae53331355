"""Reads the types of a component, once, from the wheel's description of its binary into the contract's records.

A resource type is named by the interface that defines it. The wheel gives each function its own copies of all types it mentions, so
resource types are recognised by comparison: in the binary, imports come before exports and a definer before its users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime import Engine, _ffi
from wasmtime.component import Component
from wasmtime.component import _types as wheel
from wasmtime.component._resource_type import ResourceType

from ringfence.contract.errors import IntegrityError
from ringfence.contract.types import (
    Borrow,
    EnumOf,
    FlagsOf,
    FunctionType,
    InterfaceType,
    ListOf,
    OptionOf,
    Own,
    Primitive,
    PrimitiveName,
    RecordOf,
    ResourceName,
    ResultOf,
    TupleOf,
    Type,
    VariantOf,
)

_PRIMITIVES: dict[type, PrimitiveName] = {
    wheel.Bool: "bool",
    wheel.S8: "s8",
    wheel.U8: "u8",
    wheel.S16: "s16",
    wheel.U16: "u16",
    wheel.S32: "s32",
    wheel.U32: "u32",
    wheel.S64: "s64",
    wheel.U64: "u64",
    wheel.F32: "f32",
    wheel.F64: "f64",
    wheel.Char: "char",
    wheel.String: "string",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentTypes:
    """The imports and exports of a component by interface ('' for its root), and which resource each imported name stands for.

    `named` maps (interface, name of a resource in it) to the resource; several names may stand for one.
    """

    imports: Mapping[str, InterfaceType]
    exports: Mapping[str, InterfaceType]
    named: Mapping[tuple[str, str], ResourceName]


def read_types(component: Component, engine: Engine) -> ComponentTypes:
    """The component's imports and exports.

    Raises:
        IntegrityError: it uses what this engine does not serve: core modules as imports, futures, streams, async functions and the like.
    """
    reader = _Reader(engine)
    kind = component.type
    imports = reader.world(kind.imports(engine), guest=False)
    named = dict(reader.named)
    return ComponentTypes(imports=imports, exports=reader.world(kind.exports(engine), guest=True), named=named)


class _Reader:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: list[tuple[ResourceType, ResourceName]] = []
        self.named: dict[tuple[str, str], ResourceName] = {}

    def world(self, items: Mapping[str, wheel.ComponentExtern], *, guest: bool) -> dict[str, InterfaceType]:
        """The interfaces among these, and the functions and resources at the root as interface ''."""
        found: dict[str, InterfaceType] = {}
        root: dict[str, wheel.ComponentExtern] = {}
        for name, extern in items.items():
            kind = extern.ty
            if isinstance(kind, wheel.ComponentInstanceType):
                found[name] = self._interface(name, kind.exports(self._engine), guest=guest)
            else:
                root[name] = extern
                if isinstance(kind, ResourceType):
                    self._define("", name, kind, guest=guest)  # before the interfaces that use it
        inner = self._interface("", root, guest=guest)
        if inner.functions or inner.resources:
            found[""] = inner
        return found

    def _interface(self, interface: str, items: Mapping[str, wheel.ComponentExtern], *, guest: bool) -> InterfaceType:
        functions: dict[str, FunctionType] = {}
        resources: list[str] = []
        for name, extern in items.items():
            kind = extern.ty
            where = f"{interface}.{name}" if interface else name
            if isinstance(kind, wheel.FuncType):
                functions[name] = self._function(where, kind)
            elif isinstance(kind, ResourceType):
                self._define(interface, name, kind, guest=guest)
                resources.append(name)
            elif isinstance(kind, wheel.ComponentInstanceType | wheel.ComponentType | wheel.ModuleType) and not guest:
                raise IntegrityError(f"this engine can't serve the import {where}: it is no function, type or resource")
        return InterfaceType(functions=functions, resources=tuple(resources))

    def _define(self, interface: str, name: str, kind: ResourceType, *, guest: bool) -> None:
        known = next((resource for other, resource in self._known if other == kind), None)
        if known is None:
            known = ResourceName(interface, name, guest=guest)
            self._known.append((kind, known))
        self.named.setdefault((interface, name), known)

    def _function(self, where: str, kind: wheel.FuncType) -> FunctionType:
        if _ffi.wasmtime_component_func_type_async(kind.ptr()):
            raise IntegrityError(f"this engine can't run {where}: it is asynchronous (WASI 0.3)")
        try:
            params = tuple((name, self._type(where, param)) for name, param in kind.params)
            result = kind.result
        except TypeError as error:
            raise IntegrityError(f"this engine can't run {where}: {error}") from error
        return FunctionType(params=params, result=None if result is None else self._type(where, result))

    def _type(self, where: str, kind: wheel.ValType) -> Type:
        if (name := _PRIMITIVES.get(type(kind))) is not None:
            return Primitive(name)
        match kind:
            case wheel.ListType():
                return ListOf(self._type(where, kind.element))
            case wheel.RecordType():
                return RecordOf(tuple((name, self._type(where, field)) for name, field in kind.fields))
            case wheel.TupleType():
                return TupleOf(tuple(self._type(where, element) for element in kind.elements))
            case wheel.VariantType():
                return VariantOf(tuple((name, self._optional(where, payload)) for name, payload in kind.cases))
            case wheel.EnumType():
                return EnumOf(tuple(kind.names))
            case wheel.FlagsType():
                return FlagsOf(tuple(kind.names))
            case wheel.OptionType():
                return OptionOf(self._type(where, kind.payload))
            case wheel.ResultType():
                return ResultOf(self._optional(where, kind.ok), self._optional(where, kind.err))
            case wheel.OwnType():
                return Own(self._resource(where, kind.ty))
            case wheel.BorrowType():
                return Borrow(self._resource(where, kind.ty))
        raise IntegrityError(f"this engine can't run {where}: it uses {type(kind).__name__}")

    def _optional(self, where: str, kind: wheel.ValType | None) -> Type | None:
        return None if kind is None else self._type(where, kind)

    def _resource(self, where: str, kind: ResourceType) -> ResourceName:
        for other, resource in self._known:
            if other == kind:
                return resource
        raise IntegrityError(f"this engine can't run {where}: it uses a resource that no interface names")
