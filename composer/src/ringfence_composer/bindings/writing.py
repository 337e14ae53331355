"""Lines of a module of bindings, and how types stand in annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ringfence_composer.bindings.model import (
    AliasDef,
    Definition,
    EnumDef,
    Function,
    Key,
    ListShape,
    Model,
    Named,
    OptionShape,
    Plain,
    ResourceDef,
    ResultShape,
    Shape,
    TupleShape,
    VariantDef,
)
from ringfence_composer.bindings.names import Entity, FailureOf, Names
from ringfence_composer.bindings.quoting import docstring

WIDTH = 100
INDENT = "    "

_PLAIN = {"bool": "bool", "f32": "float", "f64": "float", "char": "str", "string": "str"}


class Writer:
    """What the writers of definitions and interfaces share: the names, which errors there are, and what the text so far makes use of."""

    def __init__(self, model: Model, names: Names) -> None:
        self.names = names
        self.definitions: Mapping[Key, Definition] = {one.key: one for one in model.definitions}
        self.raised = frozenset(errors_of(model))
        self.used: set[str] = set()
        self.hidden: set[str] = set()

    def name(self, entity: Entity) -> str:
        """The Python name of a class."""
        return self.names.classes[entity]

    def use(self, name: str) -> str:
        """A name that must be imported."""
        self.used.add(name)
        return name

    def annotation(self, shape: Shape | None, members: Iterable[str] = ()) -> str:
        """How a type is annotated inside a class with these members."""
        match shape:
            case None:
                return "None"
            case Plain(plain):
                return self.visible(_PLAIN.get(plain, "int"), members)
            case ListShape(element):
                if self.resolved(element) == Plain("u8"):
                    return self.visible("bytes", members)
                return f"{self.visible('list', members)}[{self.annotation(element, members)}]"
            case TupleShape(elements):
                inner = ", ".join(self.annotation(element, members) for element in elements)
                return f"{self.visible('tuple', members)}[{inner or '()'}]"
            case OptionShape(some):
                inner = self.annotation(some, members)
                return f"{self.use('Some')}[{inner}] | None" if isinstance(self.resolved(some), OptionShape) else f"{inner} | None"
            case ResultShape(ok, err):
                return f"{self.use('Ok')}[{self.annotation(ok, members)}] | {self.use('Err')}[{self.annotation(err, members)}]"
            case Named(key):
                found = self.definitions[key]
                name = self.name(key)
                return f"{self.visible('frozenset', members)}[{name}]" if isinstance(found, EnumDef) and found.flags else name

    def visible(self, name: str, members: Iterable[str]) -> str:
        """A name of lower case; inside a class that has a member of that name, by the other one that the module gives it."""
        if name not in members:
            return name
        self.hidden.add(name)
        return f"_{name}"

    def resolved(self, shape: Shape) -> Shape:
        """What a shape is once all other names for it are taken away."""
        return resolved(shape, self.definitions)

    def error(self, function: Function) -> str | None:
        """The class of a function's error; None where it has none."""
        if not function.fails:
            return None
        if function.error is None:
            return self.use("Failure")
        shape = error_shape(function.error, self.definitions)
        if isinstance(shape, Named) and isinstance(self.definitions[shape.key], VariantDef):
            return self.name(shape.key)
        return self.name(FailureOf(shape))


def resolved(shape: Shape, definitions: Mapping[Key, Definition]) -> Shape:
    """What a shape is once all other names for it are taken away."""
    while isinstance(shape, Named):
        definition = definitions[shape.key]
        if not isinstance(definition, AliasDef):
            return shape
        shape = definition.shape
    return shape


def error_shape(shape: Shape, definitions: Mapping[Key, Definition]) -> Shape:
    """The type that an error's exception is made for: behind other names for it, where it has a definition of its own."""
    found = resolved(shape, definitions)
    return found if isinstance(found, Named) else shape


def errors_of(model: Model) -> Iterator[Shape]:
    """The error types of all functions, in order, equal ones once."""
    definitions = {one.key: one for one in model.definitions}
    functions = [function for node in model.nodes for interface in node.interfaces for function in interface.functions]
    functions += [method for one in model.definitions if isinstance(one, ResourceDef) for method in one.methods]
    errors = [error_shape(one.error, definitions) for one in functions if one.fails and one.error is not None]
    yield from dict.fromkeys(errors)


def failures_of(model: Model) -> list[Shape]:
    """The errors that are no variants: each gets an exception that holds its value."""
    definitions = {one.key: one for one in model.definitions}
    return [shape for shape in errors_of(model) if not (isinstance(shape, Named) and isinstance(definitions[shape.key], VariantDef))]


def documented(docs: str | None, indent: str = INDENT) -> list[str]:
    """A docstring, if there is something to say."""
    return [] if docs is None else docstring(docs, indent)


def signature(head: str, parameters: list[str], tail: str, indent: str) -> list[str]:
    """`head(parameters)tail` in one line where it fits, else with a line for each parameter."""
    line = f"{indent}{head}({', '.join(parameters)}){tail}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{indent}{head}(", *(f"{indent}{INDENT}{one}," for one in parameters), f"{indent}){tail}"]
