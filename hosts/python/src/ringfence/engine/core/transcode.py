"""The transcoders that adapters call to pass a string from one memory to another in another encoding.

Source: the Canonical ABI explainer, *Storing* (`store_string_copy`, `store_string_to_utf8`, `store_utf8_to_utf16`,
`store_string_to_latin1_or_utf16`, `store_probably_utf16_to_latin1_or_utf16`), as `wasmtime-environ` divides it among calls
(`docs/core-plan.md`, *Transcoders*). The adapter has checked both ranges; they are checked again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ringfence.contract.errors import GuestTrap
from ringfence.engine.core.memory import Memory
from ringfence.engine.core.strings import UTF16_TAG

Transcoder: TypeAlias = Callable[..., tuple[int, ...]]
"""`transcode(source, target, *values)`: what it returns in core values."""

_CODECS = {"utf8": ("utf-8", 1), "utf16": ("utf-16-le", 2), "latin1": ("latin-1", 1)}


def _read(memory: Memory, pointer: int, units: int, encoding: str) -> str:
    codec, width = _CODECS[encoding]
    return str(_range(memory, pointer, units * width, width), codec)


def _range(memory: Memory, pointer: int, size: int, width: int) -> memoryview:
    if pointer % width:
        raise GuestTrap("string pointer not aligned")
    memory.reach(pointer, size)
    return memory.view[pointer : pointer + size]


def _write(memory: Memory, pointer: int, data: bytes, width: int) -> None:
    _range(memory, pointer, len(data), width)[:] = data


def _straight(source: str, target: str) -> Transcoder:
    """As many units out as in, or (from UTF-8) the number of units written."""
    codec, width = _CODECS[target]

    def transcode(origin: Memory, goal: Memory, pointer: int, units: int, to: int) -> tuple[int, ...]:
        data = _read(origin, pointer, units, source).encode(codec)
        if len(data) > units * width:
            raise GuestTrap("a transcoded string is too long")
        _write(goal, to, data, width)
        return (len(data) // width,) if (source, target) == ("utf8", "utf16") else ()

    return transcode


def _to_utf8(source: str) -> Transcoder:
    """Stops where the next character does not fit; (units read, bytes written)."""

    def transcode(origin: Memory, goal: Memory, pointer: int, units: int, to: int, room: int, _first: int) -> tuple[int, ...]:
        text = _read(origin, pointer, units, source)
        data = text.encode()
        if len(data) > room:
            end = room
            while end and data[end] & 0xC0 == 0x80:  # not in the middle of a character
                end -= 1
            data = data[:end]
            text = data.decode()
        _write(goal, to, data, 1)
        read = len(text) if source == "latin1" else len(text.encode("utf-16-le")) // 2
        return read, len(data)

    return transcode


def _to_latin1(source: str) -> Transcoder:
    """Stops at the first character that is not Latin-1; (units read, bytes written)."""

    def transcode(origin: Memory, goal: Memory, pointer: int, units: int, to: int) -> tuple[int, ...]:
        text = _read(origin, pointer, units, source)
        try:
            data = text.encode("latin-1")
        except UnicodeEncodeError as error:
            text = text[: error.start]
            data = text.encode("latin-1")
        _write(goal, to, data, 1)
        return len(text.encode(_CODECS[source][0])) // _CODECS[source][1], len(data)

    return transcode


def _inflate(source: str) -> Transcoder:
    """What is there as Latin-1 becomes UTF-16 in place, the rest is put behind it; how many units there are in all."""

    def transcode(origin: Memory, goal: Memory, pointer: int, units: int, to: int, room: int, done: int) -> tuple[int, ...]:
        rest = _read(origin, pointer, units, source).encode("utf-16-le")
        data = _read(goal, to, done, "latin1").encode("utf-16-le") + rest
        if len(data) > room * 2:
            raise GuestTrap("a transcoded string is too long")
        _write(goal, to, data, 2)
        return (len(data) // 2,)

    return transcode


def _probably_utf16(origin: Memory, goal: Memory, pointer: int, units: int, to: int) -> tuple[int, ...]:
    """UTF-16 with its tag, or Latin-1 where all of it is."""
    text = _read(origin, pointer, units, "utf16")
    _range(goal, to, units * 2, 2)
    try:
        data, tag = text.encode("latin-1"), 0
    except UnicodeEncodeError:
        data, tag = text.encode("utf-16-le"), UTF16_TAG
    _write(goal, to, data, 2)
    return (units | tag,)


TRANSCODERS: dict[str, Transcoder] = {
    "utf8-to-utf8": _straight("utf8", "utf8"),
    "utf16-to-utf16": _straight("utf16", "utf16"),
    "latin1-to-latin1": _straight("latin1", "latin1"),
    "latin1-to-utf16": _straight("latin1", "utf16"),
    "utf8-to-utf16": _straight("utf8", "utf16"),
    "utf16-to-utf8": _to_utf8("utf16"),
    "latin1-to-utf8": _to_utf8("latin1"),
    "utf16-to-compact-probably-utf16": _probably_utf16,
    "utf8-to-latin1": _to_latin1("utf8"),
    "utf16-to-latin1": _to_latin1("utf16"),
    "utf8-to-compact-utf16": _inflate("utf8"),
    "utf16-to-compact-utf16": _inflate("utf16"),
}
"""All twelve, by the names that the plan gives them."""


def transcode(operation: str, source: Memory, target: Memory, values: tuple[Any, ...]) -> tuple[int, ...]:
    """Run one.

    Raises:
        GuestTrap: the source is not in its encoding, or a range is not in memory.
    """
    source.refresh()
    target.refresh()
    try:
        return TRANSCODERS[operation](source, target, *values)
    except UnicodeDecodeError as error:
        raise GuestTrap(f"invalid {error.encoding} in the guest's memory: {error.reason}") from error
