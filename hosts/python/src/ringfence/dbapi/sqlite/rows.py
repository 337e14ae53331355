"""Batches as rows of Python values, and `Row`, which knows its columns by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ringfence.contract.values import Case
from ringfence.dbapi.exceptions import InternalError, OperationalError

if TYPE_CHECKING:
    from ringfence.dbapi.sqlite.cursor import Cursor

Convert = Callable[[bytes], Any]
TextFactory = Callable[[bytes], Any]


class Text(bytes):
    """A text as SQLite holds it, which need not be UTF-8."""

    __slots__ = ()


def rows_of(
    batch: Case, text_factory: TextFactory, converters: Sequence[Convert | None], names: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch. Where the application's own functions take part, each is called when its row is.

    Raises: InternalError where the batch is malformed.
    For a row: OperationalError where a text is not UTF-8 and `text_factory` is str; what those functions raise.
    """
    if text_factory is str and not any(converters):
        try:
            return iter(_plain(batch, _decoded))
        except UnicodeDecodeError:
            pass  # then row by row, so that those before it can be had
    finish = _finisher(text_factory, converters, names)
    return map(finish, _plain(batch, _stored))


def _plain(batch: Case, texts: Callable[[Any], list[Any]]) -> list[tuple[Any, ...]]:
    if batch.name == "rows":
        if texts is _decoded:
            return [tuple([case.value for case in row]) for row in batch.value]
        return [tuple([Text(case.value.encode()) if case.name == "text" else case.value for case in row]) for row in batch.value]
    return list(zip(*(_column(column, texts) for column in batch.value.columns), strict=True))


def _column(column: Any, texts: Callable[[Any], list[Any]]) -> Sequence[Any]:
    kind, value = column.values.name, column.values.value
    if kind == "texts":
        values: Any = texts(value)
    elif kind == "blobs":
        values = _cut(value.bytes, value.ends)
    elif kind == "values":
        values = [Text(one.value.encode()) if one.name == "text" and texts is _stored else one.value for one in value]
    else:
        values = value
    if column.nulls:
        values = list(values)
        for row in column.nulls:
            values[row] = None
    return values  # type: ignore[no-any-return]  # of values that have no type here


def _cut(data: Any, ends: Sequence[int]) -> list[Any]:
    if list(ends) != sorted(ends):  # pieces that overlap could be a thousand times what came
        raise InternalError("the component's answer is malformed: its values overlap")
    return [data[start:end] for start, end in pairwise((0, *ends))]


def _decoded(packed: Any) -> list[str]:
    text = packed.bytes.decode()
    if len(text) == len(packed.bytes):  # characters are bytes
        return _cut(text, packed.ends)
    return [piece.decode() for piece in _cut(packed.bytes, packed.ends)]


def _stored(packed: Any) -> list[Text]:
    return [Text(piece) for piece in _cut(packed.bytes, packed.ends)]


def _finisher(
    factory: TextFactory, converters: Sequence[Convert | None], names: Sequence[str]
) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """A function that finishes a row: texts by the factory, columns that have a converter by that."""
    steps: list[Convert | None] = list(converters) if converters else [None] * len(names)

    def finish(row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple([_finished(value, factory, step, name) for value, step, name in zip(row, steps, names, strict=True)])

    return finish


def _finished(value: Any, factory: TextFactory, convert: Convert | None, name: str) -> Any:
    if value is None:
        return None
    if convert is not None:
        if value == b"" and type(value) is bytes:
            return None  # CPython's sqlite3 makes no difference between no bytes and NULL here
        return convert(bytes(value) if isinstance(value, bytes) else str(value).encode())
    if type(value) is not Text:
        return value
    if factory is not str:
        return factory(bytes(value))
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise OperationalError(f"Could not decode to UTF-8 column '{name}' with text '{value.decode(errors='replace')}'") from None


class Row:
    """A row whose values are had by number and by the name of their column, in whichever case it is written."""

    __slots__ = ("_description", "_values")

    def __init__(self, cursor: Cursor, data: tuple[Any, ...], /) -> None:
        from ringfence.dbapi.sqlite.cursor import Cursor

        if not issubclass(type(cursor), Cursor):
            raise TypeError(f"Row() argument 1 must be sqlite3.Cursor, not {type(cursor).__name__}")
        if not isinstance(data, tuple):
            raise TypeError(f"Row() argument 2 must be tuple, not {type(data).__name__}")
        self._values, self._description = data, cursor.description

    def keys(self) -> list[str]:
        """The names of the columns."""
        return [column[0] for column in self._description or ()]

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            wanted = _folded(key)
            for index, name in enumerate(self.keys()):
                if _folded(name) == wanted:
                    return self._values[index]
            raise IndexError("No item with that key")
        if isinstance(key, int | slice):
            try:
                return self._values[key]
            except IndexError:
                raise IndexError("tuple index out of range") from None
        raise IndexError("Index must be int or string")

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __reversed__(self) -> Iterator[Any]:
        return iter(self._values[::-1])

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, value: object) -> bool:
        return value in self._values

    def index(self, *arguments: Any) -> int:
        """As of a tuple."""
        return self._values.index(*arguments)

    def count(self, value: Any) -> int:
        """As of a tuple."""
        return self._values.count(value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return NotImplemented
        return self._description == other._description and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._description) ^ hash(self._values)


Sequence.register(Row)


def _folded(name: str) -> str:
    """In lower case as SQLite has it: of ASCII letters only."""
    return name.lower() if name.isascii() else "".join(char.lower() if char.isascii() else char for char in name)
