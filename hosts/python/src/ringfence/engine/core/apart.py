"""Python values taken apart: for each type a function that asks whether a value fits and returns its parts, straight-line Python.

Parts are the numbers, discriminants, encoded texts and nested lists of a value, which `lower.py` writes to fixed places. Whatever does not
fit is known here, before the guest has seen anything of the call. What is unusual or wrong goes to `fit.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, TypeAlias, TypeGuard, assert_never

from ringfence.contract import fit
from ringfence.contract.errors import ShapeError
from ringfence.contract.fit import Fit, Path
from ringfence.contract.mismatch import BOUNDS, describe
from ringfence.contract.types import (
    Borrow,
    EnumOf,
    FlagsOf,
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
from ringfence.contract.values import Some, record_class
from ringfence.engine.core.layout import NUMBERS
from ringfence.engine.core.source import Source

Parts: TypeAlias = Callable[[Any, Any], Any]
"""`parts(scope, value)`: the parts of a value, a single one bare. Raises ShapeError."""


class Fitter(Protocol):
    """Compiles and keeps the functions of one plan."""

    def fits(self, kind: Type) -> Parts: ...
    @property
    def encode(self) -> Callable[[str], Any]:
        """The parts of a string in this encoding; raises UnicodeEncodeError or TypeError."""


def compile_fit(fitter: Fitter, kind: Type, *, filled: bool) -> Parts:
    """The function that takes one value of this type apart."""
    writer = _Writer(fitter, filled=filled)
    parts = writer.fit(kind, "value", ())
    writer.source.add(f"return {boxed(parts)}")
    made: Parts = writer.source.function("scope", "value")
    return made


def compile_list_fit(fitter: Fitter, element: Type, *, filled: bool) -> Parts:
    """The function that takes every element of a list apart."""
    writer = _Writer(fitter, filled=filled)
    source, kind = writer.source, ListOf(element)
    with source.block(f"if not isinstance(values, {source.constant((list, tuple))}):"):
        source.add(f"{source.constant(fit.misfit)}({source.constant(kind)}, values, ())")
    source.add("found = []; append = found.append")
    with source.block("try:"), source.block("for value in values:"):
        source.add(f"append({boxed(writer.fit(element, 'value', ()))})")
    with source.block(f"except {source.constant(ShapeError)} as error:"):
        source.add("raise error.within(f'[{len(found)}]') from None")
    source.add("return found")
    made: Parts = source.function("scope", "values")
    return made


def compile_arguments(fitter: Fitter, params: Sequence[tuple[str, Type]], miscount: Callable[[int], NoReturn]) -> Parts:
    """The function that takes all arguments of a call apart; paths begin with a parameter's name. `miscount`: there are so many others."""
    writer, parts = _Writer(fitter, filled=False), []
    with writer.source.block(f"if len(values) != {len(params)}:"):
        writer.source.add(f"{writer.source.constant(miscount)}(len(values))")
    values = [writer.source.fresh() for _ in params]
    if values:
        writer.source.add(f"{', '.join(values)}, = values")
    for (name, kind), value in zip(params, values, strict=True):
        parts += writer.fit(kind, value, (name,))
    writer.source.add(f"return ({''.join([part + ', ' for part in parts])})")
    made: Parts = writer.source.function("scope", "values")
    return made


def bulk(element: Type) -> TypeGuard[Primitive]:
    """Whether a list of these is one block of numbers, written by one copy."""
    return isinstance(element, Primitive) and element.name in (*NUMBERS, "bool")


def arity(kind: Type) -> int:
    """How many parts a value has."""
    match kind:
        case RecordOf(fields):
            return sum(arity(inner) for _, inner in fields)
        case TupleOf(elements):
            return sum(arity(inner) for inner in elements)
        case OptionOf(some):
            return 1 + arity(some)
        case VariantOf() | ResultOf():
            return 2
        case _:
            return 1


def boxed(parts: Sequence[str]) -> str:
    """The expression of these parts; a single one stays bare."""
    return parts[0] if len(parts) == 1 else "(" + "".join([f"{part}, " for part in parts]) + ")"


class _Writer:
    """Writes what takes a value apart. Each `fit` adds its lines and returns the names of the parts."""

    def __init__(self, fitter: Fitter, *, filled: bool) -> None:
        self.source, self._fitter, self._filled = Source(), fitter, filled
        self._paths: dict[Path, Path] = {}

    def _path(self, path: Path) -> str:
        return self.source.constant(self._paths.setdefault(path, path))

    def fit(self, kind: Type, value: str, path: Path) -> list[str]:
        """Take the value of this name apart."""
        match kind:
            case Primitive(name):
                return [self._primitive(name, value, path)]
            case ListOf(element):
                return [self._list(element, value, path)]
            case RecordOf(fields):
                return self._record(kind, fields, value, path)
            case TupleOf(elements):
                return self._tuple(kind, elements, value, path)
            case OptionOf(some):
                return self._option(some, value, path)
            case VariantOf(named):
                payloads = {name: (index, self._payload(payload)) for index, (name, payload) in enumerate(named)}
                return self._chosen(fit.chosen(kind, payloads), value, path)
            case ResultOf(ok, err):
                return self._chosen(fit.settled(kind, self._payload(ok), self._payload(err)), value, path)
            case EnumOf():
                return [self._by(fit.label(kind), value, path)]
            case FlagsOf():
                return [self._by(fit.labels(kind), value, path)]
            case Own(resource) | Borrow(resource):
                how = "give" if isinstance(kind, Own) else "lend"
                return [self.source.put(f"scope.{how}({value}, {self.source.constant(resource)}, {self._path(path)})")]
            case _:
                assert_never(kind)

    def _by(self, check: Fit, value: str, path: Path) -> str:
        return self.source.put(f"{self.source.constant(check)}({value}, {self._path(path)})")

    def _payload(self, kind: Type | None) -> Parts | None:
        return None if kind is None else self._fitter.fits(kind)

    def _chosen(self, check: Callable[..., Any], value: str, path: Path) -> list[str]:
        tag, payload = self.source.fresh(), self.source.fresh()
        self.source.add(f"{tag}, {payload} = {self.source.constant(check)}(scope, {value}, {self._path(path)})")
        return [tag, payload]

    def _primitive(self, name: str, value: str, path: Path) -> str:
        source = self.source
        kind = Primitive(name)  # type: ignore[arg-type]
        if name == "string":
            found = source.fresh()
            with source.block("try:"):
                source.add(f"{found} = {source.constant(self._fitter.encode)}({value})")
            with source.block(f"except {source.constant((TypeError, UnicodeEncodeError))}:"):
                source.add(f"{source.constant(fit.no_text)}({value}, {self._path(path)})")
            return found
        if name in ("bool", "char", "f32"):
            check = fit.boolean if name == "bool" else fit.char if name == "char" else fit.real(kind)
            return self._by(check, value, path)
        if name == "f64":
            quick, check = f"type({value}) is not float or {value} != {value}", fit.real(kind)
        else:
            low, high = BOUNDS[name]
            quick, check = f"type({value}) is not int or not {low} <= {value} <= {high}", fit.integer(kind)
        with source.block(f"if {quick}:"):
            source.add(f"{value} = {source.constant(check)}({value}, {self._path(path)})")
        return value

    def _list(self, element: Type, value: str, path: Path) -> str:
        source = self.source
        if element == Primitive("u8"):
            with source.block(f"if type({value}) is not bytes:"):
                source.add(f"{value} = {source.constant(fit.data(filled=self._filled))}({value}, {self._path(path)})")
            return value
        if bulk(element):
            return self._by(fit.numbers(element), value, path)
        found, call = source.fresh(), f"{source.constant(self._fitter.fits(ListOf(element)))}(scope, {value})"
        if not path:
            source.add(f"{found} = {call}")
            return found
        with source.block("try:"):
            source.add(f"{found} = {call}")
        with source.block(f"except {source.constant(ShapeError)} as error:"):
            source.add(f"raise {source.constant(fit.along)}(error, {self._path(path)}) from None")
        return found

    def _record(self, kind: RecordOf, fields: Sequence[tuple[str, Type]], value: str, path: Path) -> list[str]:
        source, names = self.source, tuple(name for name, _ in fields)
        inner = [source.fresh() for _ in fields]
        targets = "".join([f"{name}, " for name in inner])
        if targets:
            with source.block(f"if type({value}) is {source.constant(record_class(names))}:"):
                source.add(f"{targets} = {source.constant(fit.attributes(names))}({value})")
            with source.block("else:"):
                source.add(f"{targets} = {source.constant(fit.fields(kind))}({value}, {self._path(path)})")
        return [part for (name, field), own in zip(fields, inner, strict=True) for part in self.fit(field, own, (*path, name))]

    def _tuple(self, kind: TupleOf, elements: Sequence[Type], value: str, path: Path) -> list[str]:
        source = self.source
        inner = [source.fresh() for _ in elements]
        with source.block(f"if type({value}) is not tuple or len({value}) != {len(elements)}:"):
            source.add(f"{value} = {source.constant(fit.elements(kind))}({value}, {self._path(path)})")
        if inner:
            source.add(f"{''.join([f'{name}, ' for name in inner])} = {value}")
        return [
            part
            for index, (element, own) in enumerate(zip(elements, inner, strict=True))
            for part in self.fit(element, own, (*path, f"[{index}]"))
        ]

    def _option(self, some: Type, value: str, path: Path) -> list[str]:
        source = self.source
        tag, parts = source.fresh(), [source.fresh() for _ in range(arity(some))]
        with source.block(f"if {value} is None:"):
            source.add(f"{tag} = 0")
            if parts:
                source.add(f"{' = '.join(parts)} = None")
        with source.block("else:"):
            source.add(f"{tag} = 1")
            with source.block(f"if isinstance({value}, {source.constant(Some)}):"):
                source.add(f"{value} = {value}.value")
            if isinstance(some, OptionOf):
                with source.block("else:"):
                    source.add(f"{source.constant(_unwrapped)}({value}, {self._path(path)})")
            inner = self.fit(some, value, path)
            if parts:
                source.add(f"{', '.join(parts)} = {', '.join(inner)}")
        return [tag, *parts]


def _unwrapped(value: Any, path: Path) -> None:
    fit.wrong(f"expected Some(…) or None for option, found {describe(value)}", path)
