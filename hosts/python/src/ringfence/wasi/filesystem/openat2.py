"""The kernel's own walk beneath a folder: openat2(2), of Linux since 5.6. Where it is missing, nothing here opens anything."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import ClassVar, cast

_NUMBER = 437
"""Of the system call: the same on every architecture, as with all that came after Linux 5.0."""
_NO_MAGIC_LINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08


class _OpenHow(ctypes.Structure):
    _fields_: ClassVar = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def _system_call() -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_OpenHow), ctypes.c_size_t)
    call.restype = ctypes.c_long
    return cast("Callable[..., int]", call)


_CALL = _system_call()


def open_beneath(folder: int, path: bytes, flags: int) -> int | None:
    """A descriptor of the thing at `path` beneath the folder, if no link and no `..` lies on the way; else None, whatever the reason."""
    if _CALL is None:
        return None
    how = _OpenHow(flags, 0, _BENEATH | _NO_MAGIC_LINKS | _NO_SYMLINKS)
    found = _CALL(_NUMBER, folder, path, ctypes.byref(how), ctypes.sizeof(how))
    return found if found >= 0 else None
