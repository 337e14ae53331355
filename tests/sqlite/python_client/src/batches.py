"""Rows of Python values to batches and back.

A few rows cross as they are. More cross by column: each value by itself would be an object that the bindings make and take apart, while a
column is one list of numbers, or one piece of bytes and where its parts end. Texts come from SQLite as `bytearray`, so that they are told
from blobs and nothing is decoded that need not be.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

from wit_world.exports.database import (
    Batch,
    Batch_Columns,
    Batch_Rows,
    Column,
    ColumnValues,
    ColumnValues_Blobs,
    ColumnValues_Integers,
    ColumnValues_Reals,
    ColumnValues_Texts,
    ColumnValues_Values,
    Packed,
    Table,
    Value,
    Value_Blob,
    Value_Integer,
    Value_Null,
    Value_Real,
    Value_Text,
)

FEW = 8
"""Rows up to which they cross as they are."""

_NONE = type(None)
_WRAP: dict[type, Callable[[Any], Value]] = {
    _NONE: lambda _: Value_Null(),
    int: Value_Integer,
    float: Value_Real,
    bytes: Value_Blob,
    bytearray: lambda text: Value_Text(text.decode()),
}


def unwrap(values: Iterable[Value]) -> list[Any]:
    """WIT values as SQLite takes them."""
    return [getattr(value, "value", None) for value in values]


def rows_of(batch: Batch) -> Iterator[Sequence[Any]]:
    """The rows of a batch, as SQLite takes them."""
    if isinstance(batch, Batch_Rows):
        return map(unwrap, batch.value)
    table = batch.value
    if not table.columns:
        return iter([()] * table.height)
    return zip(*map(_values, table.columns), strict=True)


def batch_of(rows: Sequence[Sequence[Any]]) -> Batch:
    """Rows as SQLite gave them, as a batch."""
    if len(rows) <= FEW:
        try:
            return Batch_Rows([[_WRAP[type(value)](value) for value in row] for row in rows])
        except UnicodeDecodeError:
            pass  # a text that is none can cross in a column only
    return Batch_Columns(Table(len(rows), [_column(values) for values in zip(*rows, strict=True)]))


def _column(values: Sequence[Any]) -> Column:
    kinds = set(map(type, values))
    nulls: list[int] = []
    if _NONE in kinds and len(kinds) == 2:
        kinds.discard(_NONE)
        nulls = [row for row, value in enumerate(values) if value is None]
        empty = next(iter(kinds))()
        values = [empty if value is None else value for value in values]
    return Column(nulls, _of_kind(kinds.pop(), values) if len(kinds) == 1 else _mixed(values))


def _of_kind(kind: type, values: Sequence[Any]) -> ColumnValues:
    if kind is int:
        return ColumnValues_Integers(list(values))
    if kind is float:
        return ColumnValues_Reals(list(values))
    if kind is _NONE:
        return ColumnValues_Values([Value_Null()] * len(values))
    packed = Packed(b"".join(values), list(accumulate(map(len, values))))
    return ColumnValues_Blobs(packed) if kind is bytes else ColumnValues_Texts(packed)


def _mixed(values: Sequence[Any]) -> ColumnValues:
    return ColumnValues_Values([_WRAP[type(value)](value) for value in values])


def _values(column: Column) -> list[Any]:
    kind = column.values
    if isinstance(kind, ColumnValues_Values):
        return unwrap(kind.value)
    if isinstance(kind, ColumnValues_Texts):
        values: list[Any] = _texts(kind.value)
    elif isinstance(kind, ColumnValues_Blobs):
        values = [kind.value.bytes[start:end] for start, end in pairwise((0, *kind.value.ends))]
    else:
        values = list(kind.value)
    for row in column.nulls:
        values[row] = None
    return values


def _texts(packed: Packed) -> list[str]:
    text, ends = packed.bytes.decode(), packed.ends
    if len(text) == len(packed.bytes):  # characters are bytes
        return [text[start:end] for start, end in pairwise((0, *ends))]
    return [packed.bytes[start:end].decode() for start, end in pairwise((0, *ends))]
