"""What the application may call: the names of exposed functions, short and long, and what each leads to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ringfence.contract.errors import UsageError
from ringfence.contract.grants.base import quoted
from ringfence.contract.names import parse_interface, snake
from ringfence.contract.types import FunctionType
from ringfence.engine.seam import FunctionName
from ringfence.instance import Callee, Inbound, short_name

_MOST = 24
"""How many names a message lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An exposed function: the node, the edge from the application, its name in the binary and its type."""

    node: Callee
    inbound: Inbound
    function: FunctionName

    @property
    def name(self) -> str:
        """The long name, unique in the graph: `vendor.acme:vendor/orders@0.1.0.get-order`."""
        interface, function = self.function
        return ".".join(part for part in (self.node.name, interface, short_name(function)) if part)

    @property
    def type(self) -> FunctionType:
        return self.node.function(self.function)


def spellings(function: FunctionName) -> Iterator[str]:
    """The ways to name an exported function within its node, shortest first."""
    interface, name = function
    short = short_name(name)
    yield short
    if parsed := parse_interface(interface):
        yield f"{parsed.name}.{short}"
        yield f"{parsed.base}.{short}"
    if interface:
        yield f"{interface}.{short}"


class Directory:
    """All exposed functions by node and spelling. A node is linked, and its functions listed, when one of them is first looked for.

    `nodes` are all of the graph, so that one which is not exposed is told as that.
    """

    def __init__(self, exposed: Mapping[str, tuple[Callee, Inbound]], link: Callable[[Callee], None], nodes: Collection[str] = ()) -> None:
        self._exposed, self._link = exposed, link
        self._nodes: dict[str, dict[str, list[Target]]] = {}
        self._found: dict[str, Target] = {}
        self._withheld: dict[str, set[str]] = {}
        self._hidden = frozenset(nodes) - exposed.keys()

    def __iter__(self) -> Iterator[Target]:
        """Every exposed function once."""
        for node in self._exposed:
            seen = {target.function: target for targets in self.spelled(node).values() for target in targets}
            yield from seen.values()

    def find(self, name: str) -> Target:
        """The function that `node.function`, `node.interface.function` or the long name leads to.

        Raises:
            UsageError: nothing or more than one is called so; the message lists the choices.
        """
        if not isinstance(name, str):
            raise UsageError(f"expected the name of a function, such as 'node.function', found {type(name).__name__}")
        found = self._found.get(name)
        if found is None:
            node, _, rest = name.partition(".")
            if not rest:
                raise self._no_function(node)
            found = self._found[name] = self._only(node, rest, self.spelled(node).get(rest, []))
        return found

    def spelled(self, node: str) -> Mapping[str, list[Target]]:
        """The functions of one exposed node by spelling.

        Raises:
            UsageError: there is no such node, or it is not exposed.
            IntegrityError: it can't be linked.
        """
        if not isinstance(node, str) or node not in self._exposed:
            raise self._no_node(node)
        found = self._nodes.get(node)
        return self._spell(node, *self._exposed[node]) if found is None else found

    def _spell(self, name: str, node: Callee, inbound: Inbound) -> dict[str, list[Target]]:
        self._link(node)
        spelled: dict[str, list[Target]] = {}
        withheld: set[str] = set()
        for interface, kind in node.exports.items():
            for function in kind.functions:
                target = Target(node=node, inbound=inbound, function=(interface, function))
                if inbound.allows(function):
                    for spelling in dict.fromkeys(spellings(target.function)):
                        spelled.setdefault(spelling, []).append(target)
                else:
                    withheld.update(spellings(target.function))
        self._withheld[name] = withheld
        self._nodes[name] = spelled
        return spelled

    def choices(self, node: str) -> list[str]:
        """The functions of one exposed node, each by the shortest name that is its own, with the node's."""
        shortest: dict[FunctionName, str] = {}
        for spelling, found in self.spelled(node).items():
            if len(found) == 1:
                shortest.setdefault(found[0].function, f"{node}.{spelling}")
        return sorted(shortest.values())

    def _no_node(self, node: object) -> UsageError:
        if not isinstance(node, str):
            return UsageError(f"expected the name of a node, found {type(node).__name__}")
        if node in self._hidden:
            hint = f"in the graph, write expose: [{', '.join([*self._exposed, node])}]"
            return UsageError(f"the application may not call node {node}: it is not exposed", hint=hint)
        hint = _choices(node, list(self._exposed)) if self._exposed else "the graph exposes none; in it, write expose: [NODE]"
        return UsageError(f"no exposed node {quoted(node, 60)}", hint=hint)

    def _no_function(self, name: str) -> UsageError:
        """The error for a node's name alone, or a function's."""
        owners = [f"{node}.{name}" for node in self._exposed if name in self.spelled(node)]
        if name not in self._exposed and not owners:
            return self._no_node(name)
        hint = f"there are: {_listed(self.choices(name))}" if name in self._exposed else f"did you mean {' or '.join(owners)}?"
        return UsageError(f"expected node.function, found {quoted(name, 60)}", hint=hint)

    def member(self, node: str, path: tuple[str, ...], name: str) -> Target | tuple[str, ...]:
        """What a Python attribute leads to: a function, or an interface or resource (then its path is given back).

        Raises:
            AttributeError: neither.
        """
        wanted = (*path, name)
        matches = {spelling: found for spelling, found in self.spelled(node).items() if _pythonic(spelling)[: len(wanted)] == wanted}
        exact = [found for spelling, found in matches.items() if _pythonic(spelling) == wanted]
        if exact:
            return self._only(node, ".".join(wanted), exact[0])
        if matches:
            return wanted
        choices = self.members(node, path)
        raise AttributeError(f"{'.'.join((node, *path))} has no {name!r}; {_choices(name, choices)}")

    def members(self, node: str, path: tuple[str, ...]) -> list[str]:
        """The Python attributes there are at this path of a node, sorted."""
        depth = len(path)
        parts = map(_pythonic, self.spelled(node))
        return sorted({one[depth] for one in parts if len(one) > depth and one[:depth] == path})

    def _only(self, node: str, name: str, found: list[Target]) -> Target:
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(target.name for target in found)
            raise UsageError(f"{node}.{name} is ambiguous", hint=f"name one of: {listed}")
        if name in self._withheld[node]:
            raise UsageError(f"{node}.{name} is not among the calls that the graph exposes", hint=_choices(name, self.choices(node)))
        raise UsageError(f"node {node} exposes no function {quoted(name, 60)}", hint=_choices(f"{node}.{name}", self.choices(node)))


def _pythonic(spelling: str) -> tuple[str, ...]:
    """`orders.get-order` as attributes: `('orders', 'get_order')`; long spellings have no such form."""
    return () if "/" in spelling else tuple(snake(part) for part in spelling.split("."))


def _choices(wanted: str, choices: list[str]) -> str:
    from difflib import get_close_matches  # needed only where something is wrong

    close = get_close_matches(wanted, choices, n=1)
    return f"did you mean {close[0]}? (there are: {_listed(choices)})" if close else f"there are: {_listed(choices)}"


def _listed(choices: list[str]) -> str:
    shown = sorted(choices)[:_MOST]
    more = f" and {len(choices) - _MOST} more" if len(choices) > _MOST else ""
    return (", ".join(shown) or "none") + more


Runner = Callable[..., Any]
"""`run(target, *arguments)`."""


class View:
    """A node, interface or resource type of a graph in attribute style: `graph['vendor'].orders.get_order('A-17')`."""

    __slots__ = ("_directory", "_node", "_path", "_run")

    def __init__(self, directory: Directory, run: Runner, node: str, path: tuple[str, ...] = ()) -> None:
        directory.spelled(node)
        self._directory, self._run, self._node, self._path = directory, run, node, path

    def __getattr__(self, name: str) -> Any:
        found = self._directory.member(self._node, self._path, name)
        if isinstance(found, Target):
            return partial(self._run, found)
        return View(self._directory, self._run, self._node, found)

    def __dir__(self) -> list[str]:
        return self._directory.members(self._node, self._path)

    def __repr__(self) -> str:
        return f"<{'.'.join((self._node, *self._path))}: {', '.join(self.__dir__())}>"
