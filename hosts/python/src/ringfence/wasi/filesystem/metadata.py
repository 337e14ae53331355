"""What is known of files: types, stat records, times and identities."""

from __future__ import annotations

import hashlib
import os
import stat
import time

from ringfence.contract.values import Case, Record, WitError, record_class

_STAT = record_class(("type", "link-count", "size", "data-access-timestamp", "data-modification-timestamp", "status-change-timestamp"))
_DATETIME = record_class(("seconds", "nanoseconds"))
_HASH = record_class(("lower", "upper"))
_NANO = 1_000_000_000
_LATEST = (1 << 63) - 1
"""Seconds that a system can be told; the file system takes the last that it knows for what is later."""
_SECRET = os.urandom(32)

_TYPES = {
    stat.S_IFREG: "regular-file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symbolic-link",
    stat.S_IFBLK: "block-device",
    stat.S_IFCHR: "character-device",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}


def type_of(mode: int) -> str:
    """The descriptor-type of a mode."""
    return _TYPES.get(stat.S_IFMT(mode), "unknown")


def stat_record(status: os.stat_result) -> Record:
    """A descriptor-stat."""
    times = (status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns)
    return _STAT(type_of(status.st_mode), status.st_nlink, status.st_size, *map(_datetime, times))


def _datetime(nanoseconds: int) -> Record | None:
    """A time; None before 1970, which a datetime cannot say."""
    return _DATETIME(*divmod(nanoseconds, _NANO)) if nanoseconds >= 0 else None


def metadata_hash(status: os.stat_result) -> Record:
    """What tells an object from others: which one it is, hidden behind a secret of this process.

    Not when it was written to, though types.wit says so first: guests take the hash for an inode number, and a database that asks by it
    whether its file was moved must not be told so after each write.
    """
    identity = f"{status.st_dev}:{status.st_ino}".encode()
    digest = hashlib.blake2b(identity, key=_SECRET, digest_size=16).digest()
    return _HASH(int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little"))


def new_times(status: os.stat_result, access: Case, modification: Case) -> tuple[int, int]:
    """The times of access and modification, in nanoseconds, that two new-timestamps mean.

    Raises:
        WitError: there is no such time.
    """
    return _new_time(status.st_atime_ns, access), _new_time(status.st_mtime_ns, modification)


def _new_time(present: int, wanted: Case) -> int:
    if wanted.name == "no-change":
        return present
    if wanted.name == "now":
        return time.time_ns()
    seconds, nanoseconds = wanted.value.seconds, wanted.value.nanoseconds
    if nanoseconds >= _NANO:
        raise WitError("invalid")
    if seconds > _LATEST:
        raise WitError("overflow")
    return int(seconds * _NANO + nanoseconds)
