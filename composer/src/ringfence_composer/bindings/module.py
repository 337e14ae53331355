"""A model as the source of a Python module: readable, the same bytes for the same model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence_composer.bindings.definitions import definition, failure
from ringfence_composer.bindings.interfaces import node, protocol
from ringfence_composer.bindings.model import Definition, Function, Model, Named, ResourceDef, inside
from ringfence_composer.bindings.names import NodeOf, name_all
from ringfence_composer.bindings.quoting import wit_name
from ringfence_composer.bindings.writing import Writer, error_shape, failures_of

_HEAD = '''"""The graph `{graph}` in typed Python: what its exposed nodes take, answer and raise.

Written by `compose bindings`; edits are lost. `compose bindings --check` tells whether it is up to date.
"""

# ruff: noqa
# fmt: off

from __future__ import annotations
'''

_OURS = "ringfence.bindings"
_HOMES = {
    "Mapping": "collections.abc",
    "dataclass": "dataclasses",
    "StrEnum": "enum",
    "Protocol": "typing",
    "TYPE_CHECKING": "typing",
    "TypeAlias": "typing",
    **dict.fromkeys(("Err", "Failure", "Ok", "Resource", "Some", "bind", "raises", "substitute"), _OURS),
}
"""Where a file of bindings imports what it uses from. `Graph`, which only annotations name, comes apart."""


def module(model: Model) -> str:
    """The source of the module."""
    blocks = _Blocks(model)
    body = [*blocks.all()]
    head = [_HEAD.format(graph=wit_name(model.graph)), *_imports(blocks.writer)]
    return "\n\n\n".join("\n".join(block) for block in [head, *body]) + "\n"


def node_classes(model: Model) -> dict[str, str]:
    """The name of each node's class in the module."""
    writer = _Blocks(model).writer
    return {one.name: writer.name(NodeOf(one.name)) for one in model.nodes}


class _Blocks:
    """Classes and aliases in an order in which Python can read them: what a statement needs stands before it."""

    def __init__(self, model: Model) -> None:
        self._model, self._failures = model, failures_of(model)
        self.writer = Writer(model, name_all(model, self._failures))
        self._done: set[object] = set()
        self._home = ""

    def all(self) -> Iterator[list[str]]:
        """Every block: by interface, in the order of the nodes; the nodes' own classes last."""
        for one in self._model.definitions:
            yield from self._definition(one)
        for each in self._model.nodes:
            for interface in each.interfaces:
                if interface not in self._done:
                    self._done.add(interface)
                    yield from self._errors(interface.functions, interface.home)
                    yield from self._headed(interface.home, protocol(interface, self.writer))
        for each in self._model.nodes:
            yield from self._headed("nodes", node(each, self.writer))

    def _headed(self, home: str, block: list[str]) -> Iterator[list[str]]:
        """The block, below a line with its interface where that is another than before."""
        if home != self._home:
            self._home = home
            yield [f"# {wit_name(home)}"]
        yield block

    def _definition(self, one: Definition) -> Iterator[list[str]]:
        if one.key not in self._done:
            self._done.add(one.key)
            if isinstance(one, ResourceDef):
                yield from self._errors(one.methods, one.key.home)
            yield from self._headed(one.key.home, definition(one, self.writer))

    def _errors(self, functions: Iterable[Function], home: str) -> Iterator[list[str]]:
        """The exceptions that functions are decorated with, where they are not there yet."""
        for function in functions:
            if function.fails and function.error is not None:
                shape = error_shape(function.error, self.writer.definitions)
                for key in inside(shape):
                    yield from self._definition(self.writer.definitions[key])
                if shape in self._failures and shape not in self._done:
                    self._done.add(shape)
                    yield from self._headed(shape.key.home if isinstance(shape, Named) else home, failure(shape, self.writer))


def _imports(writer: Writer) -> list[str]:
    lines = []
    used = writer.used | ({"TYPE_CHECKING"} if "Graph" in writer.used else set())
    for home in sorted(set(_HOMES.values()), key=lambda one: (one == _OURS, one)):
        if names := sorted(name for name in used if _HOMES.get(name) == home):
            lines += [*([""] if home == _OURS else []), f"from {home} import {', '.join(names)}"]
    if "Graph" in used:
        lines += ["", "if TYPE_CHECKING:", "    from ringfence import Graph"]
    if writer.hidden:
        lines += ["", *(f"_{name} = {name}" for name in sorted(writer.hidden))]
    return lines
