"""The three string encodings. Source: the Canonical ABI explainer, *Loading* (`load_string_from_range`) and *Storing* (`store_string`).

A host's string has no encoding of its own that a guest could tell, so each is stored in exactly the memory it needs, at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ringfence.contract.errors import GuestTrap
from ringfence.engine.core.layout import MAX_STRING_BYTE_LENGTH
from ringfence.engine.core.plan import Encoding

UTF16_TAG = 1 << 31
"""In a `latin1+utf16` length: the text is UTF-16, its code units counted (`UTF16_TAG`)."""


class Wide(bytes):
    """UTF-16 where bytes of Latin-1 might stand as well."""

    __slots__ = ()


def _utf16(text: str) -> bytes:
    return str.encode(text, "utf-16-le")


def _compact(text: str) -> bytes:
    try:
        return str.encode(text, "latin-1")
    except UnicodeEncodeError:
        return Wide(str.encode(text, "utf-16-le"))


ENCODE: dict[Encoding, Callable[[str], bytes]] = {"utf8": str.encode, "utf16": _utf16, "latin1+utf16": _compact}
"""A string's bytes in each encoding; UnicodeEncodeError where it has lone surrogates, TypeError where it is none."""

TEXT: dict[Encoding, str] = {"utf8": "utf8", "utf16": "text_utf16", "latin1+utf16": "text_compact"}
"""How a border lifts each: `utf8` is written out, the others are its methods."""


def put_text(border: Any, encoding: Encoding) -> Callable[[bytes], tuple[int, int]]:
    """The function that stores a string's bytes through this border: pointer and (tagged) length."""

    def utf8(data: bytes) -> tuple[int, int]:
        size = len(data)
        if size > MAX_STRING_BYTE_LENGTH:
            raise GuestTrap("string is too long")
        pointer = border.alloc(size, 1)
        border.view[pointer : pointer + size] = data
        return pointer, size

    def utf16(data: bytes) -> tuple[int, int]:
        return wide(data), len(data) >> 1

    def compact(data: bytes) -> tuple[int, int]:
        return wide(data), len(data) >> 1 | UTF16_TAG if type(data) is Wide else len(data)

    def wide(data: bytes) -> int:
        if len(data) > MAX_STRING_BYTE_LENGTH:
            raise GuestTrap("string is too long")
        pointer: int = border.alloc(len(data), 2)
        border.view[pointer : pointer + len(data)] = data
        return pointer

    return {"utf8": utf8, "utf16": utf16, "latin1+utf16": compact}[encoding]


def text_at(border: Any, pointer: int, size: int, codec: str) -> str:
    """The text in these bytes, which must be aligned to 2."""
    if pointer & 1:
        raise GuestTrap("string pointer not aligned to 2")
    border.reach(pointer, size, "string ")
    border.spend(size)
    return str(border.view[pointer : pointer + size], codec)
