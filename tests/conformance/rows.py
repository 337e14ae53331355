"""The rows of the table of types: what is asked of the guests, by every way, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ringfence import RingfenceError

from .gaps import gap_of
from .graphs import Guests, Way, expected, functions, signature
from .limits import arguments
from .things import RULES, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: `ask` tells what differs first by a way, None where nothing does. `applies` says of which ways it can be asked at all."""

    title: str
    ask: Callable[[Guests, Way], str | None]
    applies: Callable[[Way], bool] = lambda _: True


@cache
def differing(guests: Guests, row: Row) -> Mapping[str, str]:
    """What differs, by column; gaps are left out. Asked once."""
    asked = [way for way in guests.ways if row.applies(way) and gap_of(row.title, way) is None]
    found = {way.column: row.ask(guests, way) for way in asked}
    return {column: what for column, what in found.items() if what is not None}


def _echo(name: str) -> Row:
    def ask(guests: Guests, way: Way) -> str | None:
        rows = arguments([kind for _, kind in guests.function(name).params])
        return next(filter(None, (_difference(guests, way, name, given) for given in rows)), None)

    return Row(title=signature(name), ask=ask)


def _difference(guests: Guests, way: Way, name: str, given: Sequence[object]) -> str | None:
    wanted = expected(guests.function(name), given)
    try:
        found = guests.outcome(way, name, given)
    except RingfenceError as error:
        return str(error).splitlines()[0]
    return None if found == wanted else f"expected {wanted}, found {found}"


def _rule(title: str) -> Row:
    rule = RULES[title]

    def ask(guests: Guests, way: Way) -> str | None:
        try:
            check(rule, guests, way)
        except (AssertionError, RingfenceError) as error:
            return str(error).partition("\n")[0] or type(error).__name__
        return None

    return Row(title=title, ask=ask, applies=rule.applies)


ECHOES = tuple(name for name in functions("echoes") if name.startswith("echo-"))
"""The functions that give back what they get."""

TYPES = tuple(map(_echo, ECHOES))
RESOURCES = tuple(map(_rule, RULES))
