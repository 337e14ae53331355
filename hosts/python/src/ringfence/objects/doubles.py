"""Test doubles in the place of a wrapped library: its functions and classes are looked up in them, and no instance is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringfence.contract.errors import SubstituteError


def doubled(doubles: Mapping[str, Any], name: str, operands: tuple[Any, ...]) -> Any:
    """What an operation gives where doubles stand for the library.

    Raises:
        SubstituteError: they have nothing for it.
    """
    match name, operands:
        case "call", (target, arguments, *named):
            return _found(doubles, _key(target))(*arguments, **(named[0] if named else {}))
        case "get", (target, attribute):
            return getattr(_found(doubles, _key(target)), attribute)
    raise SubstituteError([_problem(name)])


def _key(target: Any) -> str:
    """What a function, class or module is called in the library."""
    from ringfence.objects.classes import RemoteMeta, info_of

    if isinstance(target, RemoteMeta):
        return info_of(target).key or ""
    return getattr(target, "key", "") or f"{target.__name__}:"


def _found(doubles: Mapping[str, Any], key: str) -> Any:
    module, _, path = key.partition(":")
    for name in (module, module.partition(".")[0]):
        found = doubles.get(name)
        if found is not None:
            for part in filter(None, path.split(".")):
                found = getattr(found, part, None)
            if found is not None:
                return found
    raise SubstituteError([_problem(key)])


def _problem(what: str) -> Any:
    from ringfence.contract.errors import Problem

    return Problem(f"the doubles have no {ascii(what)[:80]}", hint="give the double that attribute, or leave its module out of substitutes")
