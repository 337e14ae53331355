"""How a value that does not fit is described: what was expected, what was found. Text and bytes are never shown, numbers are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ringfence.contract.errors import ShapeError
from ringfence.contract.types import FunctionType, Primitive, Type, show, show_params
from ringfence.contract.values import Case, Err, Ok, Some

BOUNDS = {
    f"{sign}{bits}": (0 if sign == "u" else -(1 << bits - 1), (1 << bits - (sign == "s")) - 1) for sign in "us" for bits in (8, 16, 32, 64)
}
"""The least and the greatest of each integer type."""

_LONGEST = 120
_SHOWN_BITS = 128


def describe(value: Any) -> str:
    """The value in a few words."""
    match value:
        case None | bool() | float():
            return repr(value)
        case int():
            return str(int(value)) if value.bit_length() <= _SHOWN_BITS else f"an int of {value.bit_length()} bits"
        case Some() | Ok() | Err():
            return f"{type(value).__name__}(…)"
        case Case(name):
            return f"Case({name!r})" if isinstance(name, str) else "Case"
        case _:
            return type(value).__name__


def mismatch(kind: Type, value: Any) -> ShapeError:
    """The error for a value of another type."""
    expected = show(kind)
    if len(expected) > _LONGEST:
        expected = expected[: _LONGEST - 1] + "…"
    if isinstance(kind, Primitive) and kind.name in BOUNDS and isinstance(value, int) and not isinstance(value, bool):
        low, high = BOUNDS[kind.name]
        expected = f"{expected} ({low} to {high})"
    return ShapeError(f"expected {expected}, found {describe(value)}")


def miscounted(name: str, function: FunctionType, found: int) -> ShapeError:
    """The error for a call of the function by this name with another number of arguments."""
    return ShapeError(f"{name.rpartition(']')[2]} takes {show_params(function)}, found {found}")


def no_such(what: str, name: str, known: Iterable[str]) -> ShapeError:
    """The error for a name that is none of the known ones."""
    from difflib import get_close_matches  # -- it takes long to import, and few need it

    names = list(known)
    close = get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return ShapeError(f"no {what} {name[:_LONGEST]!r}; expected {' or '.join(names) or 'none'}{hint}")
