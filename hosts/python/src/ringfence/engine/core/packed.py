"""Lists of bytes and of numbers, which lie in memory one behind the other: read all at once.

Source: the Canonical ABI explainer, *Loading* (`load_list_from_range`, `canonicalize_nan`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from struct import Struct, pack_into
from typing import Any, NoReturn

from ringfence.contract.errors import GuestTrap
from ringfence.contract.types import CODES

_MANY = 1 << 14
"""Numbers read between two looks at the clock."""
_NUMBER = 32
"""What a number weighs as a Python object, in bytes; roughly, to bound what a guest can make of few bytes."""
_NAN = float("nan")


def unaligned() -> NoReturn:
    """A list does not lie where its elements may."""
    raise GuestTrap("list pointer is not aligned")


def ensure_there(border: Any, pointer: int, count: int, width: int) -> None:
    """Raise GuestTrap unless so many numbers of this width are there; their bytes are counted as output."""
    if pointer % width:
        unaligned()
    border.reach(pointer, count * width, "list ")
    border.spend(count * width)


def read_bytes(border: Any, pointer: int, count: int) -> bytes:
    """A `list<u8>`."""
    border.reach(pointer, count, "list ")
    border.spend(count)
    return bytes(border.view[pointer : pointer + count])


def numbers(name: str) -> Callable[[Any, int, int], Any]:
    """The function that reads a list of this primitive type as a list."""
    code, floats = CODES[name], name in ("f32", "f64")
    width = Struct(f"<{code}").size

    def loads(border: Any, pointer: int, count: int) -> list[Any]:
        ensure_there(border, pointer, count, width)
        border.weigh(count * _NUMBER)
        view, end = border.view, pointer + count * width
        found: list[Any] = []
        for start in range(pointer, end, _MANY * width):
            if start != pointer:
                border.check()
            piece = view[start : min(end, start + _MANY * width)].cast(code).tolist()
            if floats and (total := sum(piece)) != total:  # a NaN, or infinities of both signs: tell them apart
                piece = [value if value == value else _NAN for value in piece]  # canonicalize_nan64
            found += piece
        return found

    return loads


def arrays(name: str) -> Callable[[Any, int, int], Any]:
    """The function that reads a list of this numeric type as an array."""
    code, floats = CODES[name], name in ("f32", "f64")
    width = Struct(f"<{code}").size

    def loads(border: Any, pointer: int, count: int) -> array[Any]:
        ensure_there(border, pointer, count, width)
        data = border.view[pointer : pointer + count * width]
        found: array[Any] = array(code)
        found.frombytes(one_nan(border, data, code) if floats else data)
        return found

    return loads


def one_nan(border: Any, data: Any, code: str) -> Any:
    """These packed floats with every NaN the canonical one: as they are where there is none."""
    found = data
    with memoryview(data).cast(code) as numbers:  # type: ignore[call-overload]
        for start in range(0, len(numbers), _MANY):
            if start:
                border.check()
            total = sum(numbers[start : start + _MANY])
            if total != total:  # a NaN, or infinities of both signs
                if found is data:
                    found = bytearray(data)
                for index in range(start, min(len(numbers), start + _MANY)):
                    if numbers[index] != numbers[index]:
                        pack_into(f"<{code}", found, index * numbers.itemsize, _NAN)
    return found
