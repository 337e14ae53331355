"""What a guest has opened: a descriptor of the operating system, shared by a WASI descriptor and the streams made of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import NamedTuple

from ringfence.call import Call
from ringfence.contract.errors import LimitExceeded
from ringfence.contract.grants.files import Files
from ringfence.contract.values import WitError
from ringfence.folders import flags
from ringfence.gate import Permit
from ringfence.wasi.filesystem.codes import code_of
from ringfence.wasi.filesystem.ranges import Range, Ranges
from ringfence.wasi.filesystem.resolve import Place
from ringfence.wasi.state import DESCRIPTORS, FILES, WasiState

FILE_MODE, FOLDER_MODE = 0o644, 0o755
"""Of what a guest makes, less the host's umask: never executable, never set-uid."""
ALWAYS = flags("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY")
"""No link is followed, nothing is inherited, and neither a pipe nor a terminal that was put there meanwhile holds the host up."""


LISTED = os.O_RDONLY | flags("O_DIRECTORY", "O_CLOEXEC")
"""To open a folder for what lies in it."""
_CHANGED = (errno.ELOOP, errno.ENXIO, errno.ENODEV, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.EEXIST)


class Opened:
    """A descriptor and the count of those that use it. `path` is where it was found in the granted folder."""

    def __init__(self, state: WasiState, grant: Files, path: str, opener: Callable[[], int]) -> None:
        if state.files >= FILES:
            raise LimitExceeded(state.node, "open files", str(FILES))
        DESCRIPTORS.take()
        try:
            self.descriptor = opener()
        except BaseException:
            DESCRIPTORS.give_back()
            raise
        self.grant, self.path = grant, path
        self._state, self._users = state, 1
        state.files += 1
        self._file = identity(self.descriptor) if grant.locks(path) else None
        self._ranges: Ranges | None = None

    def lock(self, wanted: Range, *, exclusive: bool, most: int) -> None:
        """Lock a range of it; see `Ranges.take`."""
        if self._ranges is None:
            self._ranges = Ranges(self._state, self.descriptor)
        self._ranges.take(wanted, exclusive=exclusive, most=most)
        self._note()

    def unlock(self, wanted: Range) -> None:
        """Let go of the lock on a range, where it has one."""
        if self._ranges is not None:
            self._ranges.let_go(wanted)
            self._note()

    def _note(self) -> None:
        """Note whether the file may be changed now, where that takes its lock."""
        if self._file is None or self._ranges is None:
            return
        if self._ranges.keeps_out():
            self._state.locked[self._file] = self
        elif self._state.locked.get(self._file) is self:
            del self._state.locked[self._file]

    def check_lock(self) -> None:
        """Before each change of the file.

        Raises:
            WitError: `busy`, where it is changed only under its lock and the instance does not hold that.
        """
        if self._file is not None and self._file not in self._state.locked:
            raise WitError("busy")

    def share(self) -> Opened:
        """One more user."""
        self._users += 1
        return self

    def release(self) -> None:
        """One user less."""
        self._users -= 1
        if not self._users:
            try:
                if self._ranges is not None:
                    self._ranges.close()
                    self._note()
            finally:
                self._state.files -= 1
                DESCRIPTORS.give_back()
                os.close(self.descriptor)


class Wish(NamedTuple):
    """How something is to be opened: the flags of open-at."""

    create: bool
    exclusive: bool
    truncate: bool
    directory: bool
    flags: frozenset[str]

    @property
    def changes(self) -> bool:
        return "write" in self.flags or self.truncate

    @property
    def native(self) -> int:
        """As flags of open(2), without creation and truncation. What is to be truncated is opened for writing."""
        reads = "read" in self.flags
        return (os.O_RDWR if reads else os.O_WRONLY) if self.changes else os.O_RDONLY


class Changed(Exception):
    """Something else was put in a place while it was looked at: look again. `code` is for those who have looked often enough."""

    def __init__(self, code: str = "busy") -> None:
        super().__init__(code)
        self.code = code


def identity(descriptor: int) -> tuple[int, int]:
    """The file behind a descriptor, whatever its name."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def open_folder(permit: Permit, place: Place) -> Opened:
    """The folder in a place."""
    return _open(permit.call, place, lambda: os.open(place.name or b".", LISTED | ALWAYS, dir_fd=place.parent))


def open_file(permit: Permit, place: Place, wish: Wish) -> Opened:
    """The regular file in a place, which was there when the permit was given; whatever is there now is looked at before it is changed."""
    opened = _open(permit.call, place, lambda: os.open(place.name, wish.native | ALWAYS, dir_fd=place.parent))
    try:
        status = os.fstat(opened.descriptor)
        if not stat.S_ISREG(status.st_mode) or (status.st_nlink > 1 and not opened.grant.hardlinks):
            raise Changed
        if wish.changes and status.st_mode & (stat.S_ISUID | stat.S_ISGID):
            raise WitError("not-permitted")  # what runs with another's rights is not for a guest to write; root's writes leave the bits
        if wish.truncate:
            opened.check_lock()
            os.ftruncate(opened.descriptor, 0)
    except BaseException:
        opened.release()
        raise
    return opened


def create_file(permit: Permit, place: Place, wish: Wish) -> Opened:
    """A new file in a place where nothing is."""
    permit.call.spend_entry()
    how, mode = wish.native | os.O_CREAT | os.O_EXCL | ALWAYS, _mode_of_owner(place)
    opened = _open(permit.call, place, lambda: os.open(place.name, how, mode or FILE_MODE, dir_fd=place.parent))
    if mode:
        os.fchmod(opened.descriptor, mode)
    return opened


def _mode_of_owner(place: Place) -> int:
    """The mode of the locked file that a new one belongs to, as `x.sqlite3-journal` does to `x.sqlite3`; 0 where it belongs to none.

    A journal holds what its database does: it is for the same people to read, and to play back.
    """
    owner = place.path.rpartition("-")[0]
    if not place.grant.locks(owner):
        return 0
    try:
        status = os.stat(place.name.rpartition(b"-")[0], dir_fd=place.parent, follow_symlinks=False)
    except OSError:
        return 0
    return status.st_mode & 0o666 if stat.S_ISREG(status.st_mode) else 0


def _open(call: Call, place: Place, opener: Callable[[], int]) -> Opened:
    try:
        return Opened(call.state, place.grant, place.path, opener)
    except OSError as error:
        if _has_changed(error):
            raise Changed(code_of(error)) from None
        raise


def _has_changed(error: OSError) -> bool:
    """Whether an error of opening means that something else is there than was a moment before: a link, a pipe, a folder, nothing."""
    return error.errno in _CHANGED
