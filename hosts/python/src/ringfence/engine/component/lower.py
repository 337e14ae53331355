"""Python values to C values: for each type, one function that checks a value and writes its 32 bytes.

Every check is here, for wasmtime aborts the process on a char or text that is none. Errors carry the path inside the value. Numbers, text
and bytes are in this file, what is made of other values in `lower_compound`.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from struct import error as StructError  # noqa: N812 (a class, whatever its name)
from typing import Any, TypeAlias

from ringfence.contract.errors import ShapeError
from ringfence.contract.fit import numbers
from ringfence.contract.mismatch import describe, mismatch
from ringfence.contract.types import CODES, ListOf, Primitive
from ringfence.contract.values import Fill
from ringfence.engine.component.ffi import KINDS, LIST, PAYLOAD, VAL
from ringfence.engine.component.scopes import Lowering
from ringfence.engine.library import PAIR

Lower: TypeAlias = Callable[[Any, memoryview, int, Lowering], None]
"""`lower(value, memory, at, scope)`: write the value into the zeroed 32 bytes that begin at `at`. Raises ShapeError."""

_U32 = Struct("<I").pack_into
_BYTES = ListOf(Primitive("u8"))


def lower_primitive(kind: Primitive) -> Lower:
    """The function that lowers values of this type."""
    match kind.name:
        case "bool":
            return _bool
        case "char":
            return _char
        case "string":
            return _string
        case "f32" | "f64":
            return _float(kind)
        case _:
            return _integer(kind)


def _integer(kind: Primitive) -> Lower:
    pack, tag = Struct(f"<{CODES[kind.name]}").pack_into, KINDS[kind.name]

    def lower(value: Any, memory: memoryview, at: int, _scope: Lowering) -> None:
        if type(value) is not int and (isinstance(value, bool) or not isinstance(value, int)):
            raise mismatch(kind, value)
        try:
            pack(memory, at + PAYLOAD, value)
        except StructError:
            raise mismatch(kind, value) from None
        memory[at] = tag

    return lower


def _float(kind: Primitive) -> Lower:
    pack, tag = Struct(f"<{CODES[kind.name]}").pack_into, KINDS[kind.name]

    def lower(value: Any, memory: memoryview, at: int, _scope: Lowering) -> None:
        if isinstance(value, bool) or not isinstance(value, (float, int)):
            raise mismatch(kind, value)
        try:
            pack(memory, at + PAYLOAD, value)
        except (OverflowError, StructError):
            raise mismatch(kind, value) from None
        memory[at] = tag

    return lower


def _bool(value: Any, memory: memoryview, at: int, _scope: Lowering) -> None:
    if not isinstance(value, bool):
        raise mismatch(Primitive("bool"), value)
    memory[at + PAYLOAD] = value
    memory[at] = KINDS["bool"]


def _char(value: Any, memory: memoryview, at: int, _scope: Lowering) -> None:
    if not isinstance(value, str):
        raise mismatch(Primitive("char"), value)
    if len(value) != 1:
        raise ShapeError(f"expected char, found text of length {len(value)}")
    code = ord(value)
    if 0xD800 <= code <= 0xDFFF:
        raise ShapeError("expected char, found a lone surrogate")
    _U32(memory, at + PAYLOAD, code)
    memory[at] = KINDS["char"]


def _string(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
    if not isinstance(value, str):
        raise mismatch(Primitive("string"), value)
    try:
        data = str.encode(value)
    except UnicodeEncodeError as error:
        raise ShapeError(f"expected string, found a lone surrogate at index {error.start}") from None
    PAIR.pack_into(memory, at + PAYLOAD, len(data), scope.data(data))
    memory[at] = KINDS["string"]


def lower_bytes(*, filled: bool) -> Lower:
    """The function that lowers `list<u8>`; a `Fill` is accepted where `filled`, which is what host functions return."""

    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        if isinstance(value, (bytes, bytearray)):
            data: bytes | bytearray = value
        elif isinstance(value, memoryview):
            data = value.tobytes()
        elif filled and isinstance(value, Fill):
            data = _fill(value)
        else:
            wanted = "bytes" if isinstance(value, (list, tuple, str)) else "list<u8>"
            raise ShapeError(f"expected {wanted}, found {describe(value)}")
        if data:
            view, start, address = scope.alloc(len(data) * VAL)
            end = start + len(data) * VAL
            view[start:end:VAL] = bytes((KINDS["u8"],)) * len(data)
            view[start + PAYLOAD : end : VAL] = data
            PAIR.pack_into(memory, at + PAYLOAD, len(data), address)
        memory[at] = LIST

    return lower


def _fill(fill: Fill) -> bytearray:
    """What `fill` wrote into a buffer of this engine's own.

    Raises:
        ShapeError: it says it wrote more than there is room for.
    """
    if type(fill.length) is not int or fill.length < 0:
        raise ShapeError(f"expected Fill with a length, found {describe(fill.length)}")
    buffer = bytearray(fill.length)
    with memoryview(buffer) as view:
        written = fill.fill(view)
    if type(written) is not int or not 0 <= written <= fill.length:
        raise ShapeError(f"expected Fill to write at most {fill.length} bytes, found {describe(written)}")
    del buffer[written:]
    return buffer


def lower_numbers(kind: Primitive) -> Lower:
    """The function that lowers a list of numbers, or a buffer of them."""
    tag, fit = KINDS[kind.name], numbers(kind)
    width = Struct(f"<{CODES[kind.name]}").size

    def lower(value: Any, memory: memoryview, at: int, scope: Lowering) -> None:
        packed = fit(value, ())
        if count := len(packed) // width:
            view, start, address = scope.alloc(count * VAL)
            end = start + count * VAL
            view[start:end:VAL] = bytes((tag,)) * count
            for byte in range(width):
                view[start + PAYLOAD + byte : end : VAL] = packed[byte::width]
            PAIR.pack_into(memory, at + PAYLOAD, count, address)
        memory[at] = LIST

    return lower
