"""Lists, dicts and sets that a library gives a function of the application's: what that changes in them is changed in the library's own.

    def run(self, parent, blocks):
        block = blocks.pop(0)

The function has a copy, as of everything that crosses by value; when it has returned, the library is told what became of it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_KINDS = (list, dict, set)


class Lent(NamedTuple):
    """A container among a function's arguments, by its place or name, and what it held."""

    key: int | str
    container: Any
    before: Any


def lent(request: list[Any]) -> list[Lent]:
    """The containers among the arguments that a request gives."""
    if len(request) < 4 or type(request[-2]) is not list or type(request[-1]) is not dict:
        return []
    given = (*enumerate(request[-2]), *request[-1].items())
    return [Lent(key, one, one.copy()) for key, one in given if type(one) in _KINDS]


def changes(found: list[Lent]) -> list[list[Any]]:
    """What became of those that were changed: in a list each item, in a dict each pair, without its value where that is as it was."""
    made = []
    for key, container, before in found:
        content = _CONTENT[type(container)](container, before)
        if content is not None:
            made.append([key, content])
    return made


def _list(now: list[Any], before: list[Any]) -> list[Any] | None:
    if len(now) == len(before) and all(one is other for one, other in zip(now, before, strict=True)):
        return None
    places = {id(one): place for place, one in enumerate(before)}
    return [[places[id(one)]] if id(one) in places else [None, one] for one in now]


def _dict(now: dict[Any, Any], before: dict[Any, Any]) -> list[Any] | None:
    if len(now) == len(before) and all(one is other and now[one] is before[other] for one, other in zip(now, before, strict=True)):
        return None
    return [[key] if key in before and before[key] is one else [key, one] for key, one in now.items()]


def _set(now: set[Any], before: set[Any]) -> list[Any] | None:
    return None if {id(one) for one in now} == {id(one) for one in before} else list(now)


_CONTENT: dict[type, Any] = {list: _list, dict: _dict, set: _set}
