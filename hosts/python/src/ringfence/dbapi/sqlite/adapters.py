"""Adapters and converters: the application's own types on their way to SQLite's five and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from ringfence.dbapi.exceptions import ProgrammingError

Adapter = Callable[[Any], Any]
Converter = Callable[[bytes], Any]


class PrepareProtocol:
    """The protocol that `__conform__` is asked for."""


class Types:
    """The adapters and converters that one `sqlite3` module knows; those for dates and times from the beginning."""

    def __init__(self) -> None:
        self.adapters: dict[tuple[type, Any], Adapter] = {}
        self.converters: dict[str, Converter] = {}
        self.register_adapter(dt.date, dt.date.isoformat)
        self.register_adapter(dt.datetime, lambda value: value.isoformat(" "))
        self.register_converter("date", _date)
        self.register_converter("timestamp", _timestamp)

    def register_adapter(self, type: type, adapter: Adapter, /) -> None:  # noqa: A002 -- sqlite3's names
        """Have values of exactly this type made into ones that SQLite stores."""
        self.adapters[type, PrepareProtocol] = adapter

    def register_converter(self, typename: str, converter: Converter, /) -> None:
        """Have values of columns that are declared so made of the bytes that are stored."""
        self.converters[typename.upper()] = converter

    def adapt(self, value: Any, protocol: Any = PrepareProtocol, /, *default: Any) -> Any:
        """The value that stands for `value` in the database.

        Raises:
            ProgrammingError: there is none, and no default.
        """
        adapter = self.adapters.get((type(value), protocol))
        if adapter is not None:
            return adapter(value)
        for owner, method, argument in ((protocol, "__adapt__", value), (value, "__conform__", protocol)):
            made = _by_method(owner, method, argument)
            if made is not None:
                return made
        if default:
            return default[0]
        raise ProgrammingError("can't adapt")

    def stored(self, value: Any) -> Any:
        """The same for a parameter: itself where nothing adapts it."""
        return self.adapt(value, PrepareProtocol, value)

    def converter(self, declared: str | None) -> Converter | None:
        """The converter for a declared type, by its first word: `number(10)` is a `number`."""
        if declared is None:
            return None
        return self.converters.get(declared.split("(")[0].split(" ")[0].upper())


def _by_method(owner: Any, name: str, argument: Any) -> Any:
    method = getattr(owner, name, None)
    if method is None:
        return None
    try:
        return method(argument)
    except TypeError:
        return None  # CPython takes that for "not adapted", whoever raised it


def _date(value: bytes) -> dt.date:
    return dt.date(*map(int, value.split(b"-")))


def _timestamp(value: bytes) -> dt.datetime:
    date, time = value.split(b" ")
    seconds, _, fraction = time.partition(b".")
    year, month, day = map(int, date.split(b"-"))
    hour, minute, second = map(int, seconds.split(b":"))
    microsecond = int(fraction.decode().ljust(6, "0")[:6]) if fraction else 0
    return dt.datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001 -- as sqlite3 has it
