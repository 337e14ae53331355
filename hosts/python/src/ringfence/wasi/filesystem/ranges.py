"""Locks on ranges of bytes, of open file descriptions (fcntl(2), F_OFD_SETLK): set at once or not at all, seen by all other programs.

SQLite's are three: pending, reserved, and the bytes that readers share and a writer has alone.
Source of those: SQLite's file format, section 1.4 "The Lock-Byte Page", and its os_unix.c.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import NamedTuple

from ringfence.contract.values import WitError
from ringfence.wasi.state import WasiState

try:
    from fcntl import F_OFD_GETLK, F_OFD_SETLK, F_RDLCK, F_UNLCK, F_WRLCK, fcntl
except ImportError:  # no such locks here: taking one is refused, never forgotten
    fcntl = None  # type: ignore[assignment]

_FLOCK = struct.Struct("@hhqqi0q")
"""struct flock of a 64-bit system: kind, whence, start, length, pid."""
_LONGEST = (1 << 63) - 1


class Range(NamedTuple):
    """Bytes of a file: `length` of them from `start` on."""

    start: int
    length: int

    def overlaps(self, other: Range) -> bool:
        return self.start < other.start + other.length and other.start < self.start + self.length

    def holds(self, other: Range) -> bool:
        """Whether all of the other lies in it."""
        return self.start <= other.start and other.start + other.length <= self.start + self.length


PENDING, SHARED = Range(0x40000000, 1), Range(0x40000002, 510)
ALL = Range(PENDING.start, SHARED.start + SHARED.length - PENDING.start)
"""Every byte that SQLite locks."""


class Ranges:
    """The locks of one open file description, which an instance has. No two overlap, and each counts as a handle."""

    def __init__(self, state: WasiState, descriptor: int) -> None:
        self._state, self._descriptor = state, descriptor
        self._held: dict[Range, bool] = {}

    def take(self, wanted: Range, *, exclusive: bool, most: int) -> None:
        """Lock a range, or change the lock on it. `most` is how many handles the instance may have.

        Raises:
            WitError: `would-block` where another's lock is in the way; `invalid` where it overlaps one that is held. Nothing has changed.
            LimitExceeded: the instance has too many handles.
        """
        new = wanted not in self._held
        if new and any(wanted.overlaps(other) for other in self._held):
            raise WitError("invalid")
        if new:
            self._state.hold_lock(most)
        try:
            set_lock(self._descriptor, wanted, exclusive=exclusive)
        except BaseException:
            self._state.locks -= new
            raise
        self._held[wanted] = exclusive

    def let_go(self, wanted: Range) -> None:
        """Unlock a range, where it is locked."""
        if wanted in self._held:
            unlock(self._descriptor, wanted)
            del self._held[wanted]
            self._state.locks -= 1

    def keeps_out(self) -> bool:
        """Whether no other SQLite reads or writes the file now."""
        return any(exclusive and one.holds(SHARED) for one, exclusive in self._held.items())

    def close(self) -> None:
        """Unlock all, also for processes that share the description: a child that was forked has it, too."""
        try:
            for one in list(self._held):
                self.let_go(one)
        finally:  # what the system would not let go of ends with the description
            self._state.locks -= len(self._held)
            self._held.clear()


def set_lock(descriptor: int, wanted: Range, *, exclusive: bool) -> None:
    """Set a lock without waiting.

    Raises:
        WitError: `would-block` where another's is in the way; `unsupported` where the system has no such locks.
    """
    if fcntl is None:
        raise WitError("unsupported")
    try:
        fcntl(descriptor, F_OFD_SETLK, _flock(F_WRLCK if exclusive else F_RDLCK, wanted))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise WitError("would-block") from None
        raise


def unlock(descriptor: int, wanted: Range) -> None:
    """Let go of a lock."""
    fcntl(descriptor, F_OFD_SETLK, _flock(F_UNLCK, wanted))


def is_locked(descriptor: int, wanted: Range, *, exclusive: bool) -> bool:
    """Whether another's lock is in the way of such a lock. Raises WitError: `unsupported`."""
    if fcntl is None:
        raise WitError("unsupported")
    found = fcntl(descriptor, F_OFD_GETLK, _flock(F_WRLCK if exclusive else F_RDLCK, wanted))
    return _FLOCK.unpack(found)[0] != F_UNLCK  # type: ignore[no-any-return]


def _flock(kind: int, wanted: Range) -> bytes:
    length = wanted.length if wanted.length <= _LONGEST else 0  # all bytes there can be, a number too large for the struct: to the end
    return _FLOCK.pack(kind, os.SEEK_SET, wanted.start, length, 0)
