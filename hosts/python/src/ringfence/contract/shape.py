"""JSON values against our own schemas: the part of JSON Schema (draft 2020-12) that they are written in, and not a keyword more.

Not by a library: what the runtime imports cannot be wrapped by the same name, and jsonschema, with what it imports, is among the libraries
that people wrap. A keyword that is not known here is an error of the schema, not something to be passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

_TYPES: Mapping[str, tuple[type, ...]] = {"object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "boolean": (bool,)}
_NOTES = {"$schema", "$id", "$defs", "title", "description"}


class Misfit(NamedTuple):
    """Where a value does not fit (`nodes.vendor.imports[0]`, nothing for the whole), which keyword says so, its value, what is there."""

    where: str
    keyword: str
    expected: Any
    found: Any


def misfit(value: Any, schema: Mapping[str, Any]) -> Misfit | None:
    """The first place at which a value that came of JSON does not fit; None where all of it does.

    Raises:
        ValueError: the schema says something that is not known here.
    """
    return next(_misfits(value, schema, "", schema), None)


def _misfits(value: Any, schema: Mapping[str, Any], where: str, root: Mapping[str, Any]) -> Iterator[Misfit]:
    for keyword, wanted in schema.items():
        if keyword == "$ref":
            yield from _misfits(value, root["$defs"][wanted.removeprefix("#/$defs/")], where, root)
        elif keyword in _INSIDE:
            yield from _INSIDE[keyword](value, wanted, schema, where, root)
        elif keyword in _FITS:
            if not _FITS[keyword](value, wanted):
                yield Misfit(where, keyword, wanted, value)
        elif keyword not in _NOTES:
            raise ValueError(f"the schema has the unknown keyword {keyword!r}")


def _properties(value: Any, wanted: Any, _schema: Any, where: str, root: Any) -> Iterator[Misfit]:
    if isinstance(value, dict):
        for name, inner in wanted.items():
            if name in value:
                yield from _misfits(value[name], inner, f"{where}.{name}".removeprefix("."), root)


def _additional(value: Any, wanted: Any, schema: Any, where: str, root: Any) -> Iterator[Misfit]:
    if isinstance(value, dict):
        for name in (name for name in value if name not in schema.get("properties", {})):
            if wanted is False:
                yield Misfit(where, "additionalProperties", wanted, name)
            else:
                yield from _misfits(value[name], wanted, f"{where}.{name}".removeprefix("."), root)


def _names(value: Any, wanted: Any, _schema: Any, where: str, root: Any) -> Iterator[Misfit]:
    if isinstance(value, dict):
        for name in value:
            yield from _misfits(name, wanted, where, root)


def _required(value: Any, wanted: Any, _schema: Any, where: str, _root: Any) -> Iterator[Misfit]:
    if isinstance(value, dict) and (missing := [name for name in wanted if name not in value]):
        yield Misfit(where, "required", missing, value)


def _items(value: Any, wanted: Any, _schema: Any, where: str, root: Any) -> Iterator[Misfit]:
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _misfits(item, wanted, f"{where}[{place}]", root)


def _is(value: Any, wanted: Any) -> bool:
    return isinstance(value, _TYPES[wanted]) and (wanted == "boolean" or not isinstance(value, bool))


def _same(value: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return type(value) is type(other) and bool(value == other)


_INSIDE: Mapping[str, Callable[[Any, Any, Any, str, Any], Iterator[Misfit]]] = {
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "required": _required,
    "items": _items,
}
_FITS: Mapping[str, Callable[[Any, Any], bool]] = {
    "type": _is,
    "const": _same,
    "enum": lambda value, wanted: any(_same(value, one) for one in wanted),
    "pattern": lambda value, wanted: not isinstance(value, str) or re.search(wanted, value) is not None,
    "minimum": lambda value, wanted: not _is(value, "integer") or value >= wanted,
    "maxLength": lambda value, wanted: not isinstance(value, str) or len(value) <= wanted,
    "uniqueItems": lambda value, wanted: (
        not wanted or not isinstance(value, list) or all(item not in value[:place] for place, item in enumerate(value))
    ),
}
