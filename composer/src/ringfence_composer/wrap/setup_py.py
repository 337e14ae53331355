"""What a setup.py says in its call of `setup`, as far as it can be told by reading: it is parsed, and never run.

Literals are known, and names that are assigned one at the top of the module; so is what depends on the version of Python, which is the
guest's. Whatever else stands there is left out of the answer.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

VERSION = (3, 14, 0, "final", 0)
"""`sys.version_info` of the guest."""

_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_LONGEST = 100_000
"""Of what is put together."""
_FINDERS = frozenset({"find_packages", "find_namespace_packages"})


class Found:
    """`find_packages(where)` in place of a list of packages."""

    def __init__(self, where: str) -> None:
        self.where = where


class _Unknown(Exception):
    """Something that only running it would tell, or that is too much to be told."""


class _Names(dict[str, ast.expr]):
    """Names with what is assigned to them. `left`: how many expressions are still evaluated, since one may stand for a thousand others."""

    left = 100_000


def read_setup(text: bytes) -> dict[str, Any]:
    """The keywords of the call of `setup`, with their values: literals, or a `Found`. Empty where it can't be told."""
    tree = _parsed(text)
    names = _Names() if tree is None else _Names(_assigned(tree))
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and _name(node.func) == "setup":
            return dict(_keywords(node, names))
    return {}


def extensions(text: bytes) -> list[str]:
    """The names of the compiled modules that a setup.py builds."""
    tree = _parsed(text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    firsts = [call.args[0] for call in calls if _name(call.func) == "Extension" and call.args]
    return [one.value for one in firsts if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _parsed(text: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _keywords(call: ast.Call, names: _Names) -> Iterator[tuple[str, Any]]:
    for keyword in call.keywords:
        try:
            if keyword.arg is None:  # **arguments, which is often a literal of its own
                value = _value(keyword.value, names, 0)
                yield from value.items() if isinstance(value, dict) else ()
            else:
                yield keyword.arg, _value(keyword.value, names, 0)
        except (_Unknown, LookupError, TypeError, ValueError):
            continue


def _value(node: ast.expr, names: _Names, depth: int) -> Any:
    """The value of an expression; raises _Unknown, or what its operation raises."""
    names.left -= 1
    if depth > 20 or names.left < 0:
        raise _Unknown
    deeper = depth + 1
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [one for item in items for one in _items(item, names, deeper)]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {_value(key, names, deeper): _value(value, names, deeper) for key, value in pairs if key is not None}
        case ast.Attribute(attr="version_info"):
            return VERSION
        case ast.Name(id=name) if name in names:
            return _value(names[name], names, deeper)
        case ast.Subscript(value=of, slice=index):
            return _value(of, names, deeper)[_value(index, names, deeper)]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
            sides = [_value(one, names, deeper) for one in (left, right)]
            return _COMPARED[type(op)](*(tuple(one) if isinstance(one, list) else one for one in sides))
        case ast.IfExp(test=test, body=body, orelse=other):
            return _value(body if _value(test, names, deeper) else other, names, deeper)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [_value(one, names, deeper) for one in (left, right)]
            if any(isinstance(one, str | bytes | list) and len(one) > _LONGEST for one in parts):
                raise _Unknown
            return parts[0] + parts[1]
        case ast.Call(func=function) if _name(function) in _FINDERS:
            return Found(_where(node, names, deeper))
        case _:
            raise _Unknown


def _items(item: ast.expr, names: _Names, depth: int) -> list[Any]:
    """What one place of a list holds; nothing where that can't be told, since the others may do."""
    try:
        return [_value(item, names, depth)]
    except _Unknown:
        return []


def _where(call: ast.Call, names: _Names, depth: int) -> str:
    given = [*call.args[:1], *(one.value for one in call.keywords if one.arg == "where")]
    where = _value(given[0], names, depth) if given else ""
    return where if isinstance(where, str) else ""
