"""What a grant form with parameters may come to stand for, once they have values: enough to compare it with others before that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from ringfence.contract.grants import KINDS
from ringfence.contract.lock import LockedParameter
from ringfence.contract.parameters import references, substitute

_MANY = 64
"""Combinations of ranges that are looked at, at most."""
_WHOLE = re.compile(r"-?[0-9]+")


def items(forms: Mapping[str, Any]) -> Iterator[tuple[str, int, Any]]:
    """Each single grant written in these forms: its kind, its place in the list (0 where it is none), and a form of it alone."""
    for kind, form in forms.items():
        if isinstance(form, list | tuple) and kind != "args":  # of arguments, all are one grant
            yield from ((kind, index, [item]) for index, item in enumerate(form))
        else:
            yield kind, 0, form


def span(kind: str, form: Any, parameters: Sequence[LockedParameter]) -> tuple[Any, ...] | None:
    """Grants that together cover whatever the form may stand for within its parameters' ranges; None where no such are known.

    The form has passed its kind's `parse` with the parameters' usual values.
    """
    names = dict.fromkeys(references(form))
    used = [one for one in parameters if one.name in names]
    ranges = [_ranges(kind, one) for one in used]
    if len(used) < len(names) or not all(ranges) or prod(map(len, ranges)) > _MANY:
        return None
    found: dict[Any, None] = {}
    for values in product(*ranges):
        try:
            found.update(dict.fromkeys(KINDS[kind].parse(substitute(form, dict(zip((one.name for one in used), values, strict=True))))))
        except ExceptionGroup:
            return None
    return tuple(found)


def _ranges(kind: str, parameter: LockedParameter) -> tuple[str, ...]:
    """Texts that, in the parameter's place, make grants which cover all its values; none where that can't be said."""
    match parameter.type:
        case "text":
            return parameter.within
        case "int" | "port":
            return parameter.within if all(map(_WHOLE.fullmatch, parameter.within)) else ()
        case "endpoint" | "host" if "text" not in KINDS[kind].parameters:  # else a pattern of addresses would be taken for plain text
            return parameter.within
        case _:
            return ()
