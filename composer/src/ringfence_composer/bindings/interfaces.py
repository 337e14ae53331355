"""Interfaces and nodes as Python source: a Protocol for each interface, and for each node a class that has their clients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ringfence.contract.names import snake

from ringfence_composer.bindings.model import Function, Interface, Node
from ringfence_composer.bindings.names import NodeOf
from ringfence_composer.bindings.quoting import identifier, literal, wit_name
from ringfence_composer.bindings.writing import INDENT, Writer, documented, signature


def functions(all_of_them: Sequence[Function], members: Iterable[str], writer: Writer) -> list[str]:
    """The lines of a Protocol's functions."""
    lines: list[str] = []
    for index, one in enumerate(all_of_them):
        lines += [*([""] if index else []), *_function(one, members, writer)]
    return lines


def protocol(interface: Interface, writer: Writer) -> list[str]:
    """The lines of an interface's Protocol."""
    docs = interface.docs or f"The functions of `{wit_name(interface.home)}`."
    head = [f"class {writer.name(interface)}({writer.use('Protocol')}):", *documented(docs), ""]
    return head + functions(interface.functions, [one.name for one in interface.functions], writer)


def node(one: Node, writer: Writer) -> list[str]:
    """The lines of a node's class."""
    name, attributes = writer.name(NodeOf(one.name)), [(writer.names.attributes[one.name, each], each) for each in one.interfaces]
    said = f"The node `{wit_name(one.name)}`." + (f"\n\n{one.docs}" if one.docs else "")
    lines = [f"class {name}:", *documented(said), "", f"{INDENT}def __init__(self, graph: {writer.use('Graph')}) -> None:"]
    for attribute, each in attributes:
        arguments = ["graph", literal(one.name), literal(each.export), writer.name(each)]
        lines += signature(f"self.{attribute}: {writer.name(each)} = {writer.use('bind')}", arguments, "", INDENT * 2)
    keywords = ["*", *(f"{attribute}: {writer.name(each)}" for attribute, each in attributes)]
    lines += ["", f"{INDENT}@staticmethod"]
    lines += signature("def substitute", keywords, f" -> {writer.use('Mapping')}[str, object]:", INDENT)
    lines.append(f'{INDENT * 2}"""A test double of the node, for the `substitutes` of `Graph.load`."""')
    served = [f"{literal(each.export)}: ({writer.name(each)}, {attribute})," for attribute, each in attributes]
    lines += [f"{INDENT * 2}return {writer.use('substitute')}(", f"{INDENT * 3}{{", *(f"{INDENT * 4}{entry}" for entry in served)]
    return [*lines, f"{INDENT * 3}}}", f"{INDENT * 2})"]


def _function(one: Function, members: Iterable[str], writer: Writer) -> list[str]:
    lines = []
    if (error := writer.error(one)) is not None:
        lines.append(f"{INDENT}@{writer.visible(writer.use('raises'), members)}({error})")
    parameters = ["self", *(f"{parameter(name)}: {writer.annotation(shape, members)}" for name, shape in one.params)]
    docs = [*documented(one.docs, INDENT * 2), f"{INDENT * 2}..."] if one.docs else []
    tail = f" -> {writer.annotation(one.result, members)}:" + ("" if docs else " ...")
    return [*lines, *signature(f"def {identifier(one.name)}", parameters, tail, INDENT), *docs]


def parameter(name: str) -> str:
    """A parameter's Python name; `self` is taken."""
    spelled = identifier(snake(name))
    return f"{spelled}_" if spelled == "self" else spelled
