"""Canonical values into the classes that a generated file declares, and the check that the two are of one graph.

The way back needs nothing: a declared object is taken as it is, by its attributes, its label, its `__case__` or its `__resource__`.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from inspect import signature
from typing import Any, TypeAlias, Union, assert_never, get_args, get_origin, get_type_hints

from ringfence.bindings.declarations import Resource
from ringfence.contract.errors import Failure, UsageError
from ringfence.contract.names import snake
from ringfence.contract.types import (
    Borrow,
    EnumOf,
    FlagsOf,
    FunctionType,
    ListOf,
    OptionOf,
    Own,
    Primitive,
    RecordOf,
    ResultOf,
    TupleOf,
    Type,
    VariantOf,
)
from ringfence.contract.values import Err, Ok, Some

Step: TypeAlias = Callable[[Any], Any] | None
"""Turns a value; None where it stays as it is."""

_PYTHON = {"bool": bool, "f32": float, "f64": float, "char": str, "string": str}


class Mismatch(Exception):
    """Declarations that are not of these types; `path` leads to the first difference."""

    def __init__(self, path: str = "") -> None:
        super().__init__(path)
        self.path = path

    def within(self, step: str) -> Mismatch:
        """The same seen from one level further out."""
        return Mismatch(f"{step}.{self.path}" if self.path else step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A declared function: its parameters by name, and what turns its arguments, its result and its error."""

    parameters: tuple[str, ...]
    takes: tuple[Step, ...]
    gives: Step
    fails: Callable[[Any], Failure] | None

    def positional(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Sequence[Any]:
        """All arguments in order. Raises TypeError as a call of the function would."""
        if not named:
            return arguments
        left = {name: named[name] for name in self.parameters[len(arguments) :] if name in named}
        wrong = named.keys() - left.keys() or self.parameters[len(arguments) + len(left) :]
        if wrong:
            raise TypeError(f"expected the arguments ({', '.join(self.parameters)}); not these: {', '.join(sorted(wrong))}")
        return [*arguments, *(left[name] for name in self.parameters[len(arguments) :])]


class Classes:
    """Reads declarations. `leaf(declared class, value)` deals with resources; `resources` are the classes met, by their WIT names."""

    def __init__(self, leaf: Callable[[type, Any], Any]) -> None:
        self._leaf = leaf
        self._known: dict[tuple[Any, Type], Step] = {}
        self.resources: dict[str, type] = {}

    def function(self, protocol: type, name: str, kind: FunctionType, *, method: bool) -> Declared:
        """What a Protocol's function says of its values.

        Raises:
            UsageError: it was declared for other types than this.
        """
        try:
            return self._function(getattr(protocol, name), kind.params[1:] if method else kind.params, kind.result)
        except Mismatch as error:
            raise stale(f"{name} of {protocol.__name__} has other types" + (f", at {error.path}" if error.path else "")) from None

    def _function(self, declared: Callable[..., Any], params: Sequence[tuple[str, Type]], result: Type | None) -> Declared:
        hints = get_type_hints(declared)
        names = tuple(signature(declared).parameters)[1:]
        if len(names) != len(params):
            raise Mismatch
        takes = tuple(self._at(name, hints.get(name), one) for name, (_, one) in zip(names, params, strict=True))
        error = getattr(declared, "__raises__", None)
        if isinstance(result, ResultOf) != (error is not None):
            raise Mismatch("raises")
        ok, err = (result.ok, result.err) if isinstance(result, ResultOf) else (result, None)
        gives = None if ok is None else self._at("return", hints.get("return"), ok)
        return Declared(parameters=names, takes=takes, gives=gives, fails=error and self._failure(error, err))

    def _failure(self, error: type[Failure], kind: Type | None) -> Callable[[Any], Failure]:
        if kind is None:
            return lambda _: error()
        if isinstance(kind, VariantOf):
            made: Step = self._at("raises", error, kind)
        else:
            step, build = self._at("raises", get_type_hints(error).get("value"), kind), error.__call__
            made = lambda value: build(value if step is None else step(value))  # noqa: E731 (its parts are chosen here)
        return made or _impossible

    def _at(self, step: str, annotation: Any, kind: Type) -> Step:
        try:
            return self.step(annotation, kind)
        except Mismatch as error:
            raise error.within(step) from None

    def step(self, annotation: Any, kind: Type) -> Step:
        """What turns a canonical value of this type into what the annotation says. Raises Mismatch."""
        key = (annotation, kind)
        if key not in self._known:
            self._known[key] = self._made(annotation, kind)
        return self._known[key]

    def _made(self, annotation: Any, kind: Type) -> Step:
        match kind:
            case Primitive(name):
                return _same(annotation, _PYTHON.get(name, int))
            case ListOf(Primitive("u8")):
                return _same(annotation, bytes)
            case ListOf(element):
                inner = self._at("[]", _argument(annotation, list), element)
                return inner and (lambda value: [inner(one) for one in value])
            case RecordOf(inside):
                return self._record(annotation, inside)
            case TupleOf(elements):
                return self._tuple(annotation, elements)
            case VariantOf(cases):
                return self._variant(annotation, cases)
            case EnumOf(labels):
                return _labels(annotation, labels)
            case FlagsOf(labels):
                member = _labels(_argument(annotation, frozenset), labels)
                return lambda value: frozenset(map(member, value))
            case OptionOf(some):
                return self._option(annotation, some)
            case ResultOf(ok, err):
                return self._result(annotation, ok, err)
            case Own(resource) | Borrow(resource):
                if Resource not in getattr(annotation, "__mro__", ()):
                    raise Mismatch
                self.resources[resource.name] = annotation
                return lambda value: self._leaf(annotation, value)
            case _:
                assert_never(kind)

    def _record(self, annotation: Any, inside: tuple[tuple[str, Type], ...]) -> Step:
        names = [snake(name) for name, _ in inside]
        if not (isinstance(annotation, type) and is_dataclass(annotation)) or [one.name for one in fields(annotation)] != names:
            raise Mismatch
        hints = get_type_hints(annotation)
        steps = [(name, self._at(name, hints[name], kind)) for name, (_, kind) in zip(names, inside, strict=True)]

        def made(value: Any) -> Any:
            given = ((name, step, getattr(value, name)) for name, step in steps)
            return annotation(**{name: one if step is None else step(one) for name, step, one in given})

        return made

    def _tuple(self, annotation: Any, elements: tuple[Type, ...]) -> Step:
        inner = get_args(annotation)
        if get_origin(annotation) is not tuple or len(inner) != len(elements):
            raise Mismatch
        steps = [self._at(f"[{index}]", one, kind) for index, (one, kind) in enumerate(zip(inner, elements, strict=True))]
        if not any(steps):
            return None
        return lambda value: tuple(one if step is None else step(one) for step, one in zip(steps, value, strict=True))

    def _variant(self, annotation: Any, cases: tuple[tuple[str, Type | None], ...]) -> Step:
        declared = {one.__dict__.get("__case__"): one for one in _case_classes(annotation)}
        if declared.keys() != {name for name, _ in cases}:
            raise Mismatch
        made: dict[str, Callable[[Any], Any]] = {}
        for name, payload in cases:
            one = declared[name]
            if (payload is None) != (len(fields(one)) == 0):
                raise Mismatch(name)
            made[name] = _case(one, None if payload is None else self._at(name, get_type_hints(one).get("value"), payload), payload)
        return lambda value: made[value.name](value.value)

    def _option(self, annotation: Any, some: Type) -> Step:
        members = _members(annotation)
        if type(None) not in members:
            raise Mismatch
        rest = [one for one in members if one is not type(None)]
        if isinstance(some, OptionOf):
            inner = self.step(_argument(rest[0], Some), some)
            return inner and (lambda value: None if value is None else Some(inner(value.value)))
        step = self.step(Union[tuple(rest)], some)  # noqa: UP007 (as many as there are)
        return step and (lambda value: None if value is None else step(value))

    def _result(self, annotation: Any, ok: Type | None, err: Type | None) -> Step:
        sides = {get_origin(one): one for one in _members(annotation)}
        if sides.keys() != {Ok, Err}:
            raise Mismatch
        good, bad = (self._side(_argument(sides[one], one), kind) for one, kind in ((Ok, ok), (Err, err)))
        if good is None and bad is None:
            return None

        def made(value: Any) -> Any:
            step = good if isinstance(value, Ok) else bad
            return value if step is None else type(value)(step(value.value))

        return made

    def _side(self, annotation: Any, kind: Type | None) -> Step:
        return _same(annotation, type(None)) if kind is None else self.step(annotation, kind)


def stale(what: str) -> UsageError:
    """The error for declarations that are not of the graph they meet."""
    return UsageError(f"these bindings are not of the graph as it is: {what}", hint="run: compose bindings")


def _impossible(value: Any) -> Failure:
    raise AssertionError(value)


def _same(annotation: Any, expected: type) -> Step:
    if annotation is not expected:
        raise Mismatch
    return None


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _argument(annotation: Any, origin: type) -> Any:
    """T of `origin[T]`."""
    if get_origin(annotation) is not origin:
        raise Mismatch
    return get_args(annotation)[0]


def _labels(annotation: Any, labels: tuple[str, ...]) -> type:
    if not (isinstance(annotation, type) and issubclass(annotation, enum.StrEnum)) or [one.value for one in annotation] != [*labels]:
        raise Mismatch
    return annotation


def _case_classes(annotation: Any) -> list[type]:
    """The classes of a variant's cases: members of a union, or those that a file derives from the class of its errors."""
    if isinstance(annotation, type) and issubclass(annotation, Failure):
        derived = [one for one in annotation.__subclasses__() if one.__module__ == annotation.__module__]
        return [one for one in derived if "__case__" in one.__dict__]
    return [one for one in _members(annotation) if isinstance(one, type) and "__case__" in one.__dict__ and is_dataclass(one)]


def _case(declared: Any, step: Step, payload: Type | None) -> Callable[[Any], Any]:
    if payload is None:
        return lambda _: declared()
    return declared if step is None else lambda value: declared(step(value))
