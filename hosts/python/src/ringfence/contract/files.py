"""Files that a person or another program put there, read with a bound: a pipe, a device or a folder in a file's place is an error."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_NEVER_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def read_regular(path: Path, limit: int) -> bytes:
    """The bytes of a regular file (or of one that a link leads to) of at most `limit` bytes. Never waits for anybody.

    Raises:
        OSError: there is none, or it can't be read; `strerror` says why.
    """
    _refuse(path.stat())  # before it is opened: somebody who writes to a pipe would notice
    with os.fdopen(os.open(path, _NEVER_WAITING), "rb") as file:
        _refuse(os.fstat(file.fileno()))
        data = file.read(limit + 1)
    if len(data) > limit:
        size = f"{limit >> 20} MiB" if limit >> 20 else f"{limit} bytes"
        raise OSError(errno.EFBIG, f"it is larger than {size}", str(path))
    return data


def why(error: OSError) -> str:
    """The reason in words, without the name of the file, which the message around it has."""
    return "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or type(error).__name__


def _refuse(info: os.stat_result) -> None:
    if stat.S_ISDIR(info.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(info.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
