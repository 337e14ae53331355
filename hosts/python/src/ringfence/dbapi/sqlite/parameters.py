"""What an application gives as parameters, as WIT values: a few as they are, many by column."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NoReturn

from ringfence.contract.values import Case
from ringfence.dbapi.exceptions import ProgrammingError
from ringfence.dbapi.sqlite.adapters import Types
from ringfence.dbapi.sqlite.statements import Sql

_NULL = Case("null")
_NONE = type(None)
_BASE = frozenset({int, float, str, bytes, _NONE})
"""Types whose values are SQLite's own."""
_LIMITS = range(-(1 << 63), 1 << 63)


def of_one(sql: Sql, given: Any, types: Types) -> Case:
    """The `parameters` for one run."""
    if isinstance(given, tuple | list) and not given:
        return Case("positional", [])
    if isinstance(given, tuple | list) or (not isinstance(given, Mapping) and _is_sequence(given)):
        values = [_case(given[index], types, index) for index in range(len(given))]
        if any(name is not None for name in sql.parameters):
            return Case("named", _by_names(sql, values))
        return Case("positional", values)
    if not isinstance(given, Mapping):
        raise ProgrammingError("parameters are of unsupported type")
    return Case("named", [(name, _case(value, types, f":{name}")) for name, value in _named(sql, given)])


def _is_sequence(given: Any) -> bool:
    return hasattr(given, "__getitem__") and hasattr(given, "__len__")


def _named(sql: Sql, given: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for index, name in enumerate(sql.parameters):
        if name is None:
            raise ProgrammingError(f"Binding {index + 1} has no name, but you supplied a dictionary (which has only names).")
        try:
            value = given[name]
        except LookupError:
            raise ProgrammingError(f"You did not supply a value for binding parameter :{name}.") from None
        yield name, value


def _by_names(sql: Sql, values: list[Case]) -> list[tuple[str, Case]]:
    """Values by position for a statement that names its parameters."""
    if len(values) != len(sql.parameters):
        raise _wrong_count(len(sql.parameters), len(values))
    return [(name or str(index), value) for index, (name, value) in enumerate(zip(sql.parameters, values, strict=True))]


def _wrong_count(wanted: int, given: int) -> ProgrammingError:
    return ProgrammingError(f"Incorrect number of bindings supplied. The current statement uses {wanted}, and there are {given} supplied.")


def of_many(sql: Sql, rows: Sequence[Any], types: Types) -> Case:
    """The `batch` for a run with each of the rows, positions in the order of the statement's parameters.

    Raises:
        Exception: what the first wrong row is told; nothing was sent.
    """
    if rows and all(type(row) in (tuple, list) and len(row) == len(rows[0]) for row in rows):
        listed: Sequence[Sequence[Any]] = rows
    else:
        listed = [_listed(sql, row) for row in rows]
        if any(len(row) != len(listed[0]) for row in listed):
            return Case("rows", [[_case(value, types, index) for index, value in enumerate(row)] for row in listed])
    columns = [_column(values, index, types) for index, values in enumerate(zip(*listed, strict=True))]
    return Case("columns", {"height": len(listed), "columns": columns})


def _listed(sql: Sql, row: Any) -> Sequence[Any]:
    if isinstance(row, Mapping):
        return [value for _, value in _named(sql, row)]
    if isinstance(row, tuple | list):
        return row
    if not _is_sequence(row):
        raise ProgrammingError("parameters are of unsupported type")
    return [row[index] for index in range(len(row))]


def _column(values: Sequence[Any], index: int, types: Types) -> Any:
    kinds = set(map(type, values))
    if kinds - _BASE or _adapted(kinds, types):
        values = [_plain(types.stored(value), index) for value in values]
        kinds = set(map(type, values))
    nulls: list[int] = []
    if _NONE in kinds and len(kinds) == 2:
        kinds.discard(_NONE)
        nulls = [row for row, value in enumerate(values) if value is None]
        empty = next(iter(kinds))()
        values = [empty if value is None else value for value in values]
    if len(kinds) == 1 and _NONE not in kinds:
        return {"nulls": nulls, "values": _of_kind(next(iter(kinds)), values)}
    return {"nulls": [], "values": Case("values", [_wrap(value) for value in values])}


def _adapted(kinds: set[type], types: Types) -> bool:
    """Whether the application has adapters for SQLite's own types."""
    return any(kind in kinds for kind, _ in types.adapters)


def _of_kind(kind: type, values: Sequence[Any]) -> Case:
    if kind is int:
        _check_range(values)
        return Case("integers", list(values))
    if kind is float:
        return Case("reals", list(values))
    if kind is bytes:
        return Case("blobs", {"bytes": b"".join(values), "ends": list(accumulate(map(len, values)))})
    text = "".join(values)
    packed = text.encode()
    lengths = map(len, values) if len(text) == len(packed) else (len(value.encode()) for value in values)
    return Case("texts", {"bytes": packed, "ends": list(accumulate(lengths))})


def _check_range(values: Sequence[int]) -> None:
    try:
        array("q", values)
    except OverflowError:
        raise _too_large() from None


def _too_large() -> OverflowError:
    return OverflowError("Python int too large to convert to SQLite INTEGER")


def _case(value: Any, types: Types, place: int | str) -> Case:
    kind = type(value)
    if kind not in _BASE or _adapted({kind}, types):
        value = _plain(types.stored(value), place)
    return _wrap(value)


def _plain(value: Any, place: int | str) -> Any:
    """A value as one of exactly the types that are SQLite's own."""
    if type(value) in _BASE:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value) if kind is not str else str.__str__(value)
    try:
        return bytes(memoryview(value))
    except TypeError:
        _refuse(value, place)


def _refuse(value: Any, place: int | str) -> NoReturn:
    where = place + 1 if isinstance(place, int) else place
    raise ProgrammingError(f"Error binding parameter {where}: type '{type(value).__name__}' is not supported") from None


def _wrap(value: Any) -> Case:
    if value is None:
        return _NULL
    kind = type(value)
    if kind is int:
        if value not in _LIMITS:
            raise _too_large()
        return Case("integer", value)
    if kind is str:
        value.encode()  # a lone surrogate is told as Python tells it
        return Case("text", value)
    return Case("real" if kind is float else "blob", value)
