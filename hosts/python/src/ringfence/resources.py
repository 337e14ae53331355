"""Resources that guests own, as everyone else sees them: the application, and other nodes through edges.

An engine knows handles of one instance. Outside that instance a handle travels as a `Resource`, which remembers its lease (the instance
and its lock). A `Mapper` reaches the resources inside a value; it is made once per type, and is None where a type holds none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, Self

from ringfence.contract.errors import ShapeError
from ringfence.contract.names import parse_interface
from ringfence.contract.records import field_values
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
from ringfence.contract.values import Case, Err, Handle, Ok, Record, Some, case_of, record_class
from ringfence.engine.seam import FunctionName


class Home(Protocol):
    """The node that a resource lives in, as far as the resource asks."""

    name: str
    application: Callable[..., Any] | None
    """Runs a method for the application; None where the node is not exposed."""

    @property
    def exports(self) -> Mapping[str, InterfaceType]: ...
    @property
    def home(self) -> object: ...
    def methods(self, resource: ResourceName) -> Mapping[str, FunctionName]: ...
    def drop(self, resource: Resource) -> None: ...


Leaf = Callable[[Any, ResourceName], Any]
Mapper = Callable[[Any, Leaf], Any]


class Resource:
    """A resource that lives in a guest. Its WIT methods are its attributes; a context manager; `close()` drops it.

    Using it after `close`, after it was given away, or after its instance ended is a ShapeError.
    """

    __slots__ = ("__weakref__", "handle", "kind", "lease", "node")

    def __init__(self, handle: Handle, kind: ResourceName, node: Home, lease: Any) -> None:  # a lease is its node's own affair
        self.handle, self.kind, self.node, self.lease = handle, kind, node, lease

    def __getattr__(self, name: str) -> Any:
        methods = self.node.methods(self.kind)
        if name not in methods or self.node.application is None:
            listed = ", ".join(sorted(methods)) if self.node.application else f"none for the application ({self.node.name} is not exposed)"
            raise AttributeError(f"{self.kind.name} has no method {name!r}; it has {listed}")
        return partial(self.node.application, methods[name], self)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.node.methods(self.kind)]

    def close(self) -> None:
        """Drop it: the guest's destructor runs as soon as its instance is in no call. Twice is harmless."""
        self.node.drop(self)

    def __del__(self) -> None:
        self.lease.later(self.handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<resource {self.kind.name} of {self.node.name}>"

    def unwrapped(self, expected: ResourceName) -> Handle:
        """The engine's handle, for a call into its own instance, or through another node's, that expects this resource type."""
        if not same_resource(self.kind, expected):
            raise ShapeError(f"expected a {expected.name} of {expected.interface}, found {self!r} of {self.kind.interface}")
        if not self.handle.alive:
            raise ShapeError(f"expected a handle of {expected.name}, found one that was closed or given away")
        return self.handle


def resource_of(value: Any) -> Any:
    """The `Resource` behind an object that says so (`__resource__`, as the proxies of generated bindings do); else the value itself."""
    return value if isinstance(value, Resource) else getattr(value, "__resource__", value)


def same_resource(one: ResourceName, other: ResourceName) -> bool:
    """Whether two names mean one resource: equal names in interfaces that are compatible versions of each other."""
    if one.name != other.name:
        return False
    near, far = parse_interface(one.interface), parse_interface(other.interface)
    return one.interface == other.interface or (near is not None and far is not None and near.accepts(far))


def mapper(kind: Type | None) -> Mapper | None:
    """A function that rebuilds a value of this type with `leaf(resource, name)` in each resource's place; None where there are none."""
    match kind:
        case Own(name) | Borrow(name):
            return lambda value, leaf: leaf(value, name)
        case ListOf(element):
            return _list(element)
        case OptionOf(some):
            return _option(some)
        case TupleOf(elements):
            return _tuple(elements)
        case RecordOf(fields):
            return _fields(fields)
        case VariantOf(cases):
            return _cases(cases)
        case ResultOf(ok, err):
            return _result(ok, err)
        case _:
            return None


def arguments_mapper(function: FunctionType) -> Mapper | None:
    """The same for a function's arguments, as one list; errors name the parameter."""
    inner = [mapper(kind) for _, kind in function.params]
    if not any(inner):
        return None

    def mapped(values: Any, leaf: Leaf) -> list[Any]:
        if len(values) != len(inner):
            return list(values)  # the engine words the arity error
        names = [name for name, _ in function.params]
        return [value if one is None else _at(name, one, value, leaf) for name, one, value in zip(names, inner, values, strict=True)]

    return mapped


def _at(step: str, inner: Mapper, value: Any, leaf: Leaf) -> Any:
    try:
        return inner(value, leaf)
    except ShapeError as error:
        raise error.within(step) from error


# What has not the shape of its type is left as it is: the engine, which gets it next, words the error.


def _list(element: Type) -> Mapper | None:
    inner = mapper(element)
    if inner is None:
        return None

    def mapped(value: Any, leaf: Leaf) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return [_at(f"[{index}]", inner, one, leaf) for index, one in enumerate(value)]

    return mapped


def _option(some: Type) -> Mapper | None:
    inner = mapper(some)
    if inner is None:
        return None

    def mapped(value: Any, leaf: Leaf) -> Any:
        if value is None:
            return None
        return Some(inner(value.value, leaf)) if isinstance(value, Some) else inner(value, leaf)

    return mapped


def _tuple(elements: tuple[Type, ...]) -> Mapper | None:
    inner = [mapper(element) for element in elements]
    if not any(inner):
        return None

    def mapped(value: Any, leaf: Leaf) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(inner):
            return value
        return tuple(one if step is None else step(one, leaf) for step, one in zip(inner, value, strict=True))

    return mapped


def _fields(fields: tuple[tuple[str, Type], ...]) -> Mapper | None:
    inner = {name: step for name, kind in fields if (step := mapper(kind)) is not None}
    if not inner:
        return None
    kind, names = RecordOf(fields), tuple(name for name, _ in fields)
    make = record_class(names)

    def mapped(value: Any, leaf: Leaf) -> Record:
        parts = zip(names, field_values(kind, value), strict=True)
        return make(*(_at(name, inner[name], one, leaf) if name in inner else one for name, one in parts))

    return mapped


def _cases(cases: tuple[tuple[str, Type | None], ...]) -> Mapper | None:
    inner = {name: step for name, kind in cases if (step := mapper(kind)) is not None}
    if not inner:
        return None

    def mapped(value: Any, leaf: Leaf) -> Any:
        name, payload = case_of(value) or ("", None)
        step = inner.get(name) if isinstance(name, str) else None
        return Case(name, step(payload, leaf)) if step is not None else value

    return mapped


def _result(ok: Type | None, err: Type | None) -> Mapper | None:
    good, bad = mapper(ok), mapper(err)
    if good is None and bad is None:
        return None

    def mapped(value: Any, leaf: Leaf) -> Any:
        if isinstance(value, Ok):
            return Ok(good(value.value, leaf)) if good else value
        return Err(bad(value.value, leaf)) if bad and isinstance(value, Err) else value

    return mapped
