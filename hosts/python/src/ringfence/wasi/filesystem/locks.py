"""Locks on files, which WASI 0.2 has none of: where a grant says `lock`, a folder `FILE.lock` that a guest makes is a lock on FILE.

Making such a folder is how SQLite locks on systems without locks: it makes it before it reads a database, and removes it when it is done.
No folder is made here. The lock is one of an open file description (fcntl(2), F_OFD_SETLK), on the bytes that SQLite's own locks use, so
that other programs' SQLite finds the database locked, and a guest finds it locked while one of them uses it. It ends with the instance.

Under a grant that allows to write it is exclusive, since nothing tells what the guest will do; under one that does not, readers share it.
Source of the bytes: SQLite's file format, section 1.4 "The Lock-Byte Page", and its os_unix.c.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Callable

from ringfence.call import Call
from ringfence.contract.grants.files import Access
from ringfence.contract.values import WitError
from ringfence.gate import Permit
from ringfence.wasi.filesystem.codes import answering
from ringfence.wasi.filesystem.descriptor import allowed
from ringfence.wasi.filesystem.opened import ALWAYS, Opened, identity
from ringfence.wasi.filesystem.resolve import Base, Place, request, resolved
from ringfence.wasi.state import Held

try:
    from fcntl import F_OFD_SETLK, F_RDLCK, F_UNLCK, F_WRLCK, fcntl
except ImportError:  # no such locks here: taking one is refused, never forgotten
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".lock"
_PENDING = 0x40000000
_SHARED, _SHARED_SIZE = _PENDING + 2, 510

Act = Callable[[Call, Place, Place], None]
"""What is done with the place of the lock, and that of the file."""


def served(call: Call, base: Base, path: str, act: Act) -> bool:
    """Whether a path means the lock of a file of the grant; then `act` is done.

    Raises:
        WitError: as for the folder that it stands for; `exist` where the lock is another's.
    """
    if not base.grant.lock or not path.endswith(SUFFIX):
        return False
    with resolved(call, base, path, follow=False) as place, answering():
        name = place.path.removesuffix(SUFFIX)
        if not place.grant.locks(name):
            return False
        act(call, place, Place(place.grant, place.parent, place.name.removesuffix(SUFFIX.encode()), name, slashed=False))
        return True


def take(call: Call, place: Place, file: Place) -> None:
    """Lock the file.

    Raises:
        WitError: `exist` where the lock is another's, this instance's other uses included, or where there is such a folder.
    """
    writes = "write" in file.grant.access
    access: frozenset[Access] = frozenset({"read", "write"} if writes else {"read"})
    permit = allowed(call, request(file.grant, file.path, access))
    if place.status is not None:
        raise WitError("exist")  # somebody locks by real folders
    _Lock(permit, file, exclusive=writes)


def keep(call: Call, place: Place, file: Place) -> None:
    """Go on holding it."""
    del place
    _held(call, file)


def let_go(call: Call, place: Place, file: Place) -> None:
    """Unlock the file."""
    del place
    _held(call, file).close()


def check_held(call: Call, place: Place) -> None:
    """Before a file is taken away from its place, or another put there: whoever has its lock would go on with one that nobody finds.

    Raises:
        WitError: `busy`, where it is changed only under its lock and the instance does not hold that.
    """
    status = place.status
    if status is None or not stat.S_ISREG(status.st_mode):
        return
    if place.grant.locks(place.path) and (status.st_dev, status.st_ino) not in call.state.locked:
        raise WitError("busy")


def _held(call: Call, file: Place) -> Held:
    status = os.stat(file.name, dir_fd=file.parent, follow_symlinks=False)
    held = call.state.locked.get((status.st_dev, status.st_ino))
    if held is None:
        raise WitError("no-entry")
    return held


class _Lock(Held):
    """A lock that an instance holds, on a descriptor of its own."""

    def __init__(self, permit: Permit, file: Place, *, exclusive: bool) -> None:
        flags = ALWAYS | (os.O_RDWR if exclusive else os.O_RDONLY)
        self._opened = Opened(permit.call.state, file.grant, file.path, lambda: os.open(file.name, flags, dir_fd=file.parent))
        try:
            if not stat.S_ISREG(os.fstat(self._opened.descriptor).st_mode):
                raise WitError("not-permitted")
            self._file = identity(self._opened.descriptor)
            if self._file in permit.call.state.locked:
                raise WitError("exist")  # readers share it with others, not with another use of this instance
            _lock(self._opened.descriptor, exclusive=exclusive)
            super().__init__(permit.call.state)
        except BaseException:
            self._opened.release()
            raise
        self.state.locked[self._file] = self

    def release(self) -> None:
        self.state.locked.pop(self._file, None)
        self._opened.release()


def _lock(descriptor: int, *, exclusive: bool) -> None:
    if fcntl is None:
        raise WitError("unsupported")
    try:
        if exclusive:
            _set(descriptor, F_WRLCK, _PENDING, 2 + _SHARED_SIZE)
        else:
            _set(descriptor, F_RDLCK, _PENDING, 1)  # refused while a writer waits
            _set(descriptor, F_RDLCK, _SHARED, _SHARED_SIZE)
            _set(descriptor, F_UNLCK, _PENDING, 1)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise WitError("exist") from None
        raise


def _set(descriptor: int, kind: int, start: int, length: int) -> None:
    """Set a lock of the descriptor's open file description, without waiting. The structure is flock's: kind, whence, start, length, pid."""
    fcntl(descriptor, F_OFD_SETLK, struct.pack("@hhqqi0q", kind, os.SEEK_SET, start, length, 0))
