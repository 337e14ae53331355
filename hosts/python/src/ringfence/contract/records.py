"""What an application gives for a WIT record: a Record, a mapping, or any object with the attributes. The same in both engines."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from ringfence.contract.errors import ShapeError
from ringfence.contract.mismatch import describe, mismatch, no_such
from ringfence.contract.names import snake
from ringfence.contract.types import RecordOf
from ringfence.contract.values import Case, Err, Ok, Record, Some

_PLAIN = (bool, int, float, str, bytes, bytearray, memoryview, list, AbstractSet, Case, Some, Ok, Err)
"""What is certainly no record, though any object with the right attributes is one."""


def field_values(kind: RecordOf, value: Any) -> list[Any]:
    """The values of the fields in order.

    Raises:
        ShapeError: a field is missing, one is not in the type, or the value is nothing that has fields.
    """
    wit = tuple(name for name, _ in kind.fields)
    if isinstance(value, Record):
        fields = [getattr(value, name) for name in value.__fields__]
        return fields if value.__wit__ == wit else _mapped(wit, dict(zip(value.__wit__, fields, strict=True)))
    if isinstance(value, Mapping):
        return _mapped(wit, value)
    if value is None or isinstance(value, _PLAIN) or (isinstance(value, tuple) and not hasattr(value, "_fields")):
        raise mismatch(kind, value)
    found = []
    for name in wit:
        try:
            found.append(getattr(value, snake(name)))
        except AttributeError:
            raise ShapeError(f"missing field {name} in {describe(value)}") from None
    return found


def _mapped(wit: tuple[str, ...], value: Mapping[Any, Any]) -> list[Any]:
    found = []
    for name in wit:
        other = snake(name)
        if name in value:
            found.append(value[name])
        elif other in value:
            found.append(value[other])
        else:
            raise ShapeError(f"missing field {name}")
    if len(value) != len(wit):
        known = {spelling for name in wit for spelling in (name, snake(name))}
        for key in value:
            if key not in known:
                raise no_such("field", key if isinstance(key, str) else describe(key), wit)
        raise ShapeError("a field is given twice, in kebab-case and in snake_case")
    return found
