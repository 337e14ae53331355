"""PEP 249's type objects, which compare equal to the OIDs that `Cursor.description` tells, and its constructors."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TypeAlias

Binary: TypeAlias = bytes


class Kind:
    """A kind of column type: equal to the OID of each type of that kind."""

    __slots__ = ("_name", "oids")

    def __init__(self, name: str, *oids: int) -> None:
        self._name, self.oids = name, frozenset(oids)

    def __eq__(self, other: object) -> bool:
        return other in self.oids if isinstance(other, int) else self is other

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return self._name


STRING = Kind("STRING", 18, 19, 25, 1042, 1043)
BINARY = Kind("BINARY", 17)
NUMBER = Kind("NUMBER", 20, 21, 23, 700, 701, 1700)
DATETIME = Kind("DATETIME", 1082, 1083, 1114, 1184, 1186, 1266)
ROWID = Kind("ROWID", 26)


def DateFromTicks(ticks: float) -> date:  # noqa: N802 (PEP 249's names)
    """The local date at so many seconds since 1970."""
    return date.fromtimestamp(ticks)  # noqa: DTZ012 (as PEP 249 has it)


def TimeFromTicks(ticks: float) -> time:  # noqa: N802
    """The local time of day at so many seconds since 1970."""
    return TimestampFromTicks(ticks).time()


def TimestampFromTicks(ticks: float) -> datetime:  # noqa: N802
    """The local date and time at so many seconds since 1970."""
    return datetime.fromtimestamp(ticks)  # noqa: DTZ006 (as PEP 249 has it)
