"""What the library asks for of what it was given, and the answer: the value, or the exception that the application's code raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ringfence.objects import files
from ringfence.objects.agreed.terms import Uncrossable
from ringfence.objects.crossing import Crossing
from ringfence.objects.given import Gift, Given
from ringfence.objects.lent import Lent, changes, lent

Writer = Callable[[Crossing, Any], str]


def answer(codec: Crossing, given: Given, request: list[Any], written: Writer, urgent: Callable[[BaseException], None]) -> str:
    """The text that answers a request.

    What the application's code raises passes through the library, and comes back as it is; `urgent` is told of what ends a program, which
    no library can keep from getting there.
    """
    containers = lent(request)
    try:
        value = _value(given, request)
        return written(codec, [0, value, *_changed(containers)])
    except BaseException as error:  # noqa: BLE001 -- see above
        if not isinstance(error, Exception):
            urgent(error)
        return written(codec, [1, error])


def _changed(containers: list[Lent]) -> list[Any]:
    found = changes(containers)
    return [found] if found else []


def _value(given: Given, request: list[Any]) -> Any:
    match request:
        case ["call", target, arguments, named]:
            _gift(given, target, "call", "class")
            return target(*_listed(arguments), **_names(named))
        case ["get", target, name] if _text(name) in _gift(given, target, "object").attributes:
            return getattr(target, name)
        case ["set", target, name, value] if _text(name) in _gift(given, target, "object").writable:
            return setattr(target, name, value)
        case ["method", target, name, arguments, named] if _text(name) in _gift(given, target, "object").methods:
            return getattr(target, name)(*_listed(arguments), **_names(named))
        case ["file", target, name, arguments]:
            _gift(given, target, "file")
            return files.operate(target, _text(name), _listed(arguments))
    raise PermissionError("the application did not give that")


def _gift(given: Given, target: Any, *ways: str) -> Gift:
    gift = given.of(target)
    if gift is None or gift.way not in ways:
        raise PermissionError("the application did not give that")
    return gift


def _text(name: Any) -> str:
    """A name, which is text itself: an object of a library's class that derives from `str` says of itself what it equals."""
    if type(name) is not str:
        raise PermissionError("names are text")
    return name


def _listed(arguments: Any) -> list[Any]:
    if type(arguments) is not list:
        raise Uncrossable("arguments are a list")
    return arguments


def _names(named: Any) -> dict[str, Any]:
    if type(named) is not dict or not all(type(name) is str for name in named):
        raise Uncrossable("names of arguments are text")
    return named
