"""Locks between processes, on files: the kernel frees one when the process that holds it ends, however it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ringfence_composer import crew

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def held(file: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Holds the lock of `file`, which is made; `waiting` is called once where somebody else holds it.

    Lock files stay: removing one that somebody waits for would let two in.
    """
    with open(file, "ab") as lock:
        if not _taken(lock):
            waiting()
            while not _taken(lock):
                crew.check()
                time.sleep(crew.STEP)
        yield


@contextmanager
def held_if_free(file: Path) -> Iterator[bool]:
    """Whether nobody held the lock of `file`; it is then held."""
    with open(file, "ab") as lock:
        yield _taken(lock)


def _taken(lock: BinaryIO) -> bool:
    """Whether the lock was free; it is then held until the file is closed."""
    try:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True
