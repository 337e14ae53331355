"""Locks for guests that have none: where a grant says `lock`, a folder `FILE.lock` that a guest makes is a lock on FILE.

WASI 0.2 has no locks, so that the SQLite of a language's own runtime (CPython's `sqlite3`) locks as it does on systems without: it makes
such a folder before it reads a database, and removes it when it is done. No folder is made here. The lock is on the bytes that SQLite's
own locks use (`ranges`), so that other programs' SQLite finds the database locked, and a guest finds it locked while one of them uses it.
It ends with the instance. Guests that import `ringfence:files/lock` take their locks by that, and do without.

Under a grant that allows to write it is exclusive, since nothing tells what the guest will do; under one that does not, readers share it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from ringfence.call import Call
from ringfence.contract.grants.files import Access
from ringfence.contract.values import WitError
from ringfence.gate import Permit
from ringfence.wasi.filesystem.codes import answering
from ringfence.wasi.filesystem.descriptor import allowed
from ringfence.wasi.filesystem.opened import ALWAYS, Opened, identity
from ringfence.wasi.filesystem.ranges import ALL, PENDING, SHARED, set_lock, unlock
from ringfence.wasi.filesystem.resolve import Base, Place, request, resolved
from ringfence.wasi.state import Held

SUFFIX = ".lock"

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


def _held(call: Call, file: Place) -> _Lock:
    status = os.stat(file.name, dir_fd=file.parent, follow_symlinks=False)
    held = call.state.locked.get((status.st_dev, status.st_ino))
    if not isinstance(held, _Lock):
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
    try:
        if exclusive:
            set_lock(descriptor, ALL, exclusive=True)
        else:
            set_lock(descriptor, PENDING, exclusive=False)  # refused while a writer waits
            set_lock(descriptor, SHARED, exclusive=False)
            unlock(descriptor, PENDING)
    except WitError as error:
        raise WitError("exist" if error.value == "would-block" else error.value) from None
