"""A folder in which nobody but root and this user can change anything, and files in it that are whole or not there.

*Why what lies there may be trusted.* No digest kept beside a file helps against those who can write the file: they can write the digest,
too. So what is trusted is the folder: every component of its path, symbolic links included, belongs to root or to this user, and nobody
else can write to it; the same holds for each file. Where that does not hold, or can't be told (as on systems without POSIX owners), there
is no such folder, and whoever asked does without.

*Why it is whole.* A file is written beside its place, synced and moved there with `os.replace`, never changed in place. What is noted as
JSON carries the digest of its own text, against accidents.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS = 40  # as Linux has it, for symbolic links on one path
_BESIDE = ".new-"
_LEFT_OVER = 3600.0
"""Seconds after which a half-written file was left by a process that is gone."""
_PATIENCE = 60.0
"""Seconds to wait for another process that makes the same thing."""
_PAUSE = 0.02


class NotPrivate(Exception):
    """Somebody else could change what is found there, or the folder can't be used at all. The message says which path is at fault."""


class Stamp(NamedTuple):
    """What tells that a file may have changed: another file, another size, or a later last change.

    The last is `ctime`, which no program can set. It is no finer than the clock's tick, so that a stamp taken in the moment of a change
    does not tell of a second one; see `settled`.
    """

    device: int
    inode: int
    size: int
    ctime_ns: int

    @classmethod
    def of(cls, info: os.stat_result) -> Self:
        return cls(info.st_dev, info.st_ino, info.st_size, info.st_ctime_ns)

    def settled(self, margin: float = 2.0) -> bool:
        """Whether the last change was so many seconds ago: then any later one has another time, on whatever file system."""
        return self.ctime_ns < (time.time() - margin) * 1e9


class PrivateFolder:
    """Files of this user's alone, by name."""

    def __init__(self, path: Path) -> None:
        """The folder, made if it was missing.

        Raises:
            NotPrivate: see there.
        """
        try:
            self.path = Path(os.path.abspath(path))  # noqa: PTH100 (`resolve` would hide the links)
            for part in (*reversed(self.path.parents), self.path):
                part.mkdir(mode=0o700, exist_ok=True)  # each with this mode: `parents=True` would follow the umask
            fault = _fault(self.path)
        except (OSError, RuntimeError) as error:
            raise NotPrivate(str(error)) from error
        if fault is not None:
            raise NotPrivate(fault)

    def find(self, name: str) -> os.stat_result | None:
        """What is known of a file, if it is there and nobody else can change it."""
        try:
            info = (self.path / name).lstat()
        except OSError:
            return None
        return info if _ours(info) else None

    def write(self, name: str, data: bytes | bytearray) -> None:
        """Put a file in its place whole or not at all.

        Raises:
            OSError: the disk is full, say; nothing is left.
        """
        self._sweep()
        beside = self.path / f"{_BESIDE}{os.urandom(8).hex()}"
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
            os.replace(beside, self.path / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise

    def note(self, name: str, data: Any) -> None:
        """Write JSON data, sealed with its digest. Raises OSError as `write` does."""
        text = json.dumps(data, sort_keys=True).encode()
        self.write(name, hashlib.sha256(text).hexdigest().encode() + b"\n" + text)

    def noted(self, name: str) -> Any:
        """The JSON data noted under this name; None where there is none, or where it is not whole."""
        if self.find(name) is None:
            return None
        try:
            seal, _, text = (self.path / name).read_bytes().partition(b"\n")
            return json.loads(text) if hashlib.sha256(text).hexdigest().encode() == seal else None
        except (OSError, ValueError):
            return None

    @contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Take turns with other processes and threads that do the same; after a minute, or where it can't be done, go on without.

        The system gives the turn back when a process dies. `key` begins with two hexadecimal digits; equal ones share a turn, so that no
        more than 256 empty files are ever left behind.
        """
        handle = None
        try:
            with suppress(OSError):
                handle = os.open(self.path / f".turn-{key[:2]}", os.O_RDWR | os.O_CREAT, 0o600)
                _queue(handle)
            yield
        finally:
            if handle is not None:
                os.close(handle)

    def _sweep(self) -> None:
        """Remove what processes that were killed have left half-written."""
        with suppress(OSError), os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.startswith(_BESIDE) and entry.stat(follow_symlinks=False).st_mtime < time.time() - _LEFT_OVER:
                    os.unlink(entry)


def _queue(handle: int) -> None:
    """Lock the file, if need be after a while; not for ever. Raises OSError where files can't be locked."""
    import fcntl  # there is none where there is no private folder either

    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_PAUSE)


def _ours(info: os.stat_result) -> bool:
    """Whether this is a plain file that nobody but root and this user can change."""
    return stat.S_ISREG(info.st_mode) and info.st_uid in (0, os.getuid()) and not info.st_mode & _OTHERS_WRITE


def _fault(folder: Path) -> str | None:
    """Who else could change what is found under this absolute path, in words; None if nobody.

    A folder that all may write to is harmless on the way where it is sticky, like /tmp: others can add names there, but can't
    rename or remove ours, and that the next component is ours is checked like every other. The last may not be: in it, we look for names.
    """
    if not hasattr(os, "getuid"):
        return f"{folder}: who may write there can't be told on this system"
    todo, at, links = list(folder.parts[1:]), Path(folder.anchor), 0
    while True:
        info = at.lstat()
        if info.st_uid not in (0, os.getuid()):
            return f"{at} belongs to another user"
        if stat.S_ISLNK(info.st_mode):
            links += 1
            if links > _MOST_LINKS:
                return f"{folder}: too many symbolic links"
            at = at.parent / at.readlink()  # an absolute target replaces the parent
            todo, at = [*at.parts[1:], *todo], Path(at.anchor)
            continue
        if info.st_mode & _OTHERS_WRITE and not (info.st_mode & stat.S_ISVTX and todo):
            return f"{at} can be written to by others (chmod go-w {at})"
        if not todo:
            return None
        step = todo.pop(0)
        at = at.parent if step == ".." else at / step
