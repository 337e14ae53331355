"""Types as Python source: dataclasses, enums, unions of dataclasses, exceptions, Protocols of resources."""

from __future__ import annotations

from ringfence.contract.names import snake

from ringfence_composer.bindings.interfaces import functions
from ringfence_composer.bindings.model import (
    AliasDef,
    Definition,
    EnumDef,
    Named,
    OptionShape,
    Part,
    RecordDef,
    ResourceDef,
    Shape,
    VariantDef,
)
from ringfence_composer.bindings.names import CaseOf, FailureOf, label, members_of
from ringfence_composer.bindings.quoting import identifier, literal, wit_name
from ringfence_composer.bindings.writing import INDENT, WIDTH, Writer, documented


def definition(one: Definition, writer: Writer) -> list[str]:
    """The lines of a definition."""
    match one:
        case RecordDef():
            return _record(one, writer)
        case EnumDef():
            return _enum(one, writer)
        case VariantDef():
            return _errors(one, writer) if Named(one.key) in writer.raised else _union(one, writer)
        case AliasDef():
            return _alias(writer.name(one.key), writer.annotation(one.shape), one.docs, writer)
        case ResourceDef():
            return _resource(one, writer)


def failure(shape: Shape, writer: Writer) -> list[str]:
    """The lines of the exception for an error that is no variant."""
    said = writer.definitions[shape.key].docs if isinstance(shape, Named) else None
    return [
        f"@{writer.use('dataclass')}(eq=False)",
        f"class {writer.name(FailureOf(shape))}({writer.use('Failure')}):",
        *documented(said or "What a call failed with."),
        "",
        f"{INDENT}value: {writer.annotation(shape)}",
    ]


def _record(one: RecordDef, writer: Writer) -> list[str]:
    members = members_of(one)
    lines = [f"@{writer.use('dataclass')}(frozen=True, slots=True, kw_only=True)", f"class {writer.name(one.key)}:"]
    lines += _head(one, "record")
    for part in one.fields:
        annotation = writer.annotation(part.shape, members)
        default = " = None" if part.shape and isinstance(writer.resolved(part.shape), OptionShape) else ""
        lines += [f"{INDENT}{identifier(snake(part.name))}: {annotation}{default}", *documented(part.docs)]
    return lines


def _enum(one: EnumDef, writer: Writer) -> list[str]:
    lines = [f"class {writer.name(one.key)}({writer.use('StrEnum')}):", *_head(one, "flags" if one.flags else "enum")]
    for part in one.labels:
        lines += [f"{INDENT}{identifier(label(part.name))} = {literal(part.name)}", *documented(part.docs)]
    return lines


def _union(one: VariantDef, writer: Writer) -> list[str]:
    """A dataclass for each case, and the union of them."""
    lines: list[str] = []
    for case in one.cases:
        name = writer.name(CaseOf(one.key, case.name))
        lines += [f"@{writer.use('dataclass')}(frozen=True, slots=True)", f"class {name}:", *_case(one, case, writer), "", ""]
    names = [writer.name(CaseOf(one.key, case.name)) for case in one.cases]
    docs = one.docs or f"The variant `{wit_name(one.key.name)}` of `{wit_name(one.key.home)}`."
    return [*lines, *_alias(writer.name(one.key), " | ".join(names), docs, writer)]


def _errors(one: VariantDef, writer: Writer) -> list[str]:
    """A variant that functions fail with: an exception, and one derived from it for each case."""
    base = writer.name(one.key)
    lines = [f"class {base}({writer.use('Failure')}):", *_head(one, "variant")[:-1]]
    for case in one.cases:
        name = writer.name(CaseOf(one.key, case.name))
        lines += ["", "", f"@{writer.use('dataclass')}(eq=False)", f"class {name}({base}):", *_case(one, case, writer)]
    return lines


def _case(one: VariantDef, case: Part, writer: Writer) -> list[str]:
    docs = case.docs or f"The case `{wit_name(case.name)}` of `{wit_name(one.key.name)}`."
    lines = [*documented(docs), "", f"{INDENT}__case__ = {literal(case.name)}"]
    return lines if case.shape is None else [*lines, f"{INDENT}value: {writer.annotation(case.shape)}"]


def _alias(name: str, annotation: str, docs: str | None, writer: Writer) -> list[str]:
    line = f"{name}: {writer.use('TypeAlias')} = {annotation}"
    if len(line) <= WIDTH:
        return [line, *documented(docs, "")]
    head, *rest = annotation.split(" | ")
    return [f"{name}: TypeAlias = (", f"{INDENT}{head}", *(f"{INDENT}| {one}" for one in rest), ")", *documented(docs, "")]


def _resource(one: ResourceDef, writer: Writer) -> list[str]:
    lines = [f"class {writer.name(one.key)}({writer.use('Resource')}, {writer.use('Protocol')}):", *_head(one, "resource")]
    return [*lines, *functions(one.methods, members_of(one), writer)] if one.methods else lines[:-1]


def _head(one: RecordDef | EnumDef | VariantDef | ResourceDef, kind: str) -> list[str]:
    """A class's docstring, and the empty line behind it."""
    return [*documented(one.docs or f"The {kind} `{wit_name(one.key.name)}` of `{wit_name(one.key.home)}`."), ""]
