"""Files of the application, given to a library by mode: exactly reading, writing, seeking and iterating, of that file and no other."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from typing import Any

from ringfence.objects.agreed.terms import Uncrossable

MOST = 64 << 20
"""Bytes or characters that are read at once, whatever the library asks for: what is longer could not cross."""
_AT_ONCE = 1 << 20
_OPERATIONS = {
    "r": ("read", "readline", "readlines"),
    "w": ("write", "flush", "truncate"),
    "s": ("seek", "tell"),
    "c": ("close",),
    "": ("closed",),
}
_NEEDS = {name: mode for mode, names in _OPERATIONS.items() for name in names}


def is_file(value: Any) -> bool:
    """Whether a value is a file: one of `io`, or something else whose class can read or write."""
    if isinstance(value, io.IOBase):
        return True
    kind = type(value)
    return _wraps(value) or (not isinstance(value, type) and any(callable(getattr(kind, name, None)) for name in ("read", "write")))


def _wraps(value: Any) -> bool:
    """Whether it is one of `tempfile`'s wrappers, whose methods are its file's."""
    return type(value).__module__ == "tempfile" and isinstance(getattr(value, "file", None), io.IOBase)


def modes_of(value: Any) -> str:
    """What a file was opened for: reading `r`, writing `w`, seeking `s`; and `c`, closing it."""

    def able(asked: str, *methods: str) -> bool:
        question = getattr(value, asked, None)
        if callable(question):
            try:
                return bool(question())
            except ValueError:  # closed already; its methods will say so
                return True
        return any(callable(getattr(value, one, None)) for one in methods)

    modes = [
        mode
        for mode, asked, methods in (("r", "readable", ("read",)), ("w", "writable", ("write",)), ("s", "seekable", ("seek",)))
        if able(asked, *methods)
    ]
    return "".join(modes) + ("c" if callable(getattr(value, "close", None)) else "")


def described(value: Any) -> dict[str, Any]:
    """How a file is told of to the library."""
    name, encoding = getattr(value, "name", None), getattr(value, "encoding", None)
    text = isinstance(value, io.TextIOBase) or (isinstance(encoding, str) and not isinstance(value, io.RawIOBase | io.BufferedIOBase))
    return {
        "m": modes_of(value),
        "t": text,
        "n": name if isinstance(name, str) else None,
        "e": encoding if isinstance(encoding, str) else None,
    }


def operate(value: Any, name: Any, arguments: Any) -> Any:
    """What an operation on a file gives.

    Raises:
        PermissionError: it is none that a file given by its mode has.
    """
    mode = _NEEDS.get(name) if isinstance(name, str) else None
    if mode is None or mode not in modes_of(value):
        raise PermissionError(f"the file was not given for {ascii(name)[:40]}")
    if name == "closed":
        return bool(getattr(value, "closed", False))
    if not isinstance(arguments, list) or not all(one is None or isinstance(one, int | str | bytes | bytearray) for one in arguments):
        raise Uncrossable(f"{name} takes numbers, text and bytes")
    method: Callable[..., Any] | None = getattr(value, name, None)
    if method is None:
        if name == "flush":
            return None
        raise io.UnsupportedOperation(name)
    if isinstance(value, io.IOBase) or _wraps(value):
        return _bounded(value, method, name, arguments)
    return method(*([] if arguments == [-1] and name == "read" else arguments))


def _bounded(value: Any, method: Callable[..., Any], name: str, arguments: list[Any]) -> Any:
    """What an operation on a file of the system's gives, which may be of any length."""
    if name in ("read", "readline"):
        return _some(method, arguments[0] if arguments else None, whole=name == "read")
    if name == "readlines":
        return _lines(value.readline, arguments[0] if arguments else None)
    return method(*arguments)


def _some(method: Callable[..., Any], size: Any, *, whole: bool) -> Any:
    """What reading gives, up to `size`; all that is left where that is none, unless it is more than could cross.

    `whole`: until the file ends, and not to the end of a line.
    """
    if type(size) is int and 0 <= size <= MOST:
        return method(size)
    parts, left = [], MOST
    while part := method(min(left + 1, _AT_ONCE)):
        parts.append(part)
        left -= len(part)
        if left < 0:
            raise OSError(errno.EFBIG, f"more than {MOST >> 20} MiB at once: read it in parts")
        if not whole and part[-1:] in ("\n", b"\n"):
            break
    return (part[:0] if part is not None else b"").join(parts) if parts else part


def _lines(readline: Callable[..., Any], hint: Any) -> list[Any]:
    """The lines that are left, or so many that they hold `hint` bytes or characters."""
    found, left = [], MOST
    most = hint if type(hint) is int and hint > 0 else MOST + 1
    while left > MOST - most and (line := _some(readline, left + 1, whole=False)):
        found.append(line)
        left -= len(line)
        if left < 0:
            raise OSError(errno.EFBIG, f"more than {MOST >> 20} MiB at once: read it in parts")
    return found
