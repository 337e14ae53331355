"""Python's placeholders, `%s` and `%(name)s`, into the numbered ones of PostgreSQL.

As in other clients, where parameters are given a percent sign is one of a placeholder, in literals and comments too: `%%` is the sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ringfence.dbapi.exceptions import ProgrammingError

Parameters = Sequence[Any] | Mapping[str, Any]

_PLACEHOLDER = re.compile(r"%(?:(?P<sign>%)|(?P<plain>s)|\((?P<name>[^()]+)\)s|(?P<wrong>.?))", re.DOTALL)


def numbered(operation: str, parameters: Parameters) -> tuple[str, list[Any]]:
    """The statement as the server takes it, and its parameters in order.

    Raises:
        ProgrammingError: placeholders and parameters don't fit each other.
    """
    sql, names = converted(operation)
    if isinstance(parameters, Mapping):
        if names and None in names:
            raise ProgrammingError("expected a sequence of parameters for %s, found a mapping")
        if missing := [name for name in names if name not in parameters]:
            raise ProgrammingError(f"no parameter is called {', '.join(map(str, missing))}")
        return sql, [parameters[str(name)] for name in names]
    if isinstance(parameters, str | bytes) or not isinstance(parameters, Sequence):
        raise ProgrammingError(f"expected a sequence or a mapping of parameters, found {type(parameters).__name__}")
    if any(name is not None for name in names):
        raise ProgrammingError("expected a mapping of parameters for %(name)s, found a sequence")
    if len(names) != len(parameters):
        raise ProgrammingError(f"the statement has {len(names)} placeholders, and {len(parameters)} parameters were given")
    return sql, list(parameters)


@lru_cache(maxsize=512)
def converted(operation: str) -> tuple[str, tuple[str | None, ...]]:
    """The statement, and for each `$n` the name of its parameter, None for `%s`. A name that stands twice has one number."""
    names: list[str | None] = []

    def number(found: re.Match[str]) -> str:
        if found["sign"]:
            return "%"
        if found["wrong"] is not None:
            raise ProgrammingError(f"expected %s, %(name)s or %% for a percent sign, found %{found['wrong']!r} at {found.start()}")
        name = found["name"]
        if name is None or name not in names:
            names.append(name)
        return f"${len(names) if name is None else names.index(name) + 1}"

    sql = _PLACEHOLDER.sub(number, operation)
    if None in names and any(name is not None for name in names):
        raise ProgrammingError("%s and %(name)s stand in one statement")
    return sql, tuple(names)
