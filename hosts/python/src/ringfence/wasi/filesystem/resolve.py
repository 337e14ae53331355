"""A guest's path to the place it leads to: a descriptor of the folder, a name in it, and the path as it really is.

Every step is taken from a descriptor of the folder before, and no step follows a link: links are read and their text is walked in turn, so
that the real path is known without asking anybody, and what is changed meanwhile changes nothing of what was checked. `..` goes back to the
folder that was come from. The kernel's own walk (openat2) takes the steps at once where there are no links on the way; it answers nothing
that the walk here would not.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import NamedTuple, NoReturn

from ringfence.call import Call
from ringfence.contract.grants.base import quoted
from ringfence.contract.grants.files import NONE, Files, UseFile
from ringfence.contract.values import WitError
from ringfence.folders import STEP
from ringfence.gate import Refused, permit, refuse
from ringfence.wasi.filesystem.codes import code_of
from ringfence.wasi.filesystem.openat2 import open_beneath

LINKS = 40
"""Links on one way, as many as Linux follows (path_resolution(7))."""
_LONGEST = 4096
"""Bytes of a path, its end included (PATH_MAX)."""
_HELD = 16
"""Folders of one way that are held open at a time."""
_FOLDER = (b"/", b"/.")
"""How a path ends that can only lead to a folder."""


class Base(NamedTuple):
    """A folder that paths start from: its grant, its descriptor, and its own path in the granted folder ('': that one)."""

    grant: Files
    descriptor: int
    path: str


class Place(NamedTuple):
    """Where a path leads: `name` in the folder `parent`, `path` in the granted folder. An empty name: the folder itself.

    slashed: the path ended in a slash, so that only a folder may be there.
    status: what is there, links not followed; None where nothing is. The descriptor is good until `resolved` ends.
    """

    grant: Files
    parent: int
    name: bytes
    path: str
    slashed: bool
    status: os.stat_result | None = None


def resolved(call: Call, base: Base, path: str, *, follow: bool) -> AbstractContextManager[Place]:
    """The place that a path leads to; a link at its end is followed where `follow` says so.

    Raises:
        WitError: it leads nowhere (`no-entry`, `not-directory`, `loop`, …); or out of the folder, or through one that the grant does not
            let the guest know of (`not-permitted`, recorded with the call).
    """
    return _Walk(call, base, path, follow=follow)


def request(grant: Files, path: str, access: frozenset[str] = NONE, **more: object) -> UseFile:
    """What is asked of a grant."""
    return UseFile(path=grant.path, target=grant.target, name=path, access=access, lock=grant.lock, **more)  # type: ignore[arg-type]


_ON: tuple[bytes, None] = (b"", None)


class _Walk:
    """The walk along one path.

    `_way` names the folders that it has come through, from its base. Of these, the last few are held open, so that a guest cannot use up
    the host's descriptors with a deep tree; a way back beyond them is walked again from the base, by the names.
    """

    def __init__(self, call: Call, base: Base, path: str, *, follow: bool) -> None:
        self._call, self._base, self._shown = call, base, path
        self._follow = follow
        encoded = path.encode()
        self._slashed = encoded.endswith(_FOLDER)
        if b"\0" in encoded:
            raise WitError("invalid")
        if not encoded:
            raise WitError("no-entry")
        if len(encoded) >= _LONGEST:
            raise WitError("name-too-long")
        if encoded.startswith(b"/"):
            self._leads_out("it is absolute")
        self._left = deque(encoded.split(b"/"))
        self._links = 0
        self._way: list[bytes] = []
        self._opened: deque[int] = deque()

    def __enter__(self) -> Place:
        try:
            return self._place()
        except BaseException:
            self._close()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def _close(self) -> None:
        while self._opened:
            os.close(self._opened.pop())

    def _place(self) -> Place:
        self._leap()
        name, status = b"", None
        while self._left and not name:
            name, status = self._step(self._left.popleft())
        return Place(self._base.grant, self._here, name, self._path_of(name), self._slashed, status if name else self._status(b""))

    @property
    def _here(self) -> int:
        return self._opened[-1] if self._opened else self._base.descriptor

    def _step(self, name: bytes) -> tuple[bytes, os.stat_result | None]:
        """Take a step; where it was the last one and there is none to take, the name again, and what is there."""
        if name in (b"", b"."):
            return _ON
        if name == b"..":
            self._back()
            return _ON
        if any(one not in (b"", b".") for one in self._left):
            self._enter(name)
            return _ON
        status = self._status(name)
        if self._follow and status is not None and stat.S_ISLNK(status.st_mode):
            self._through(name)
            return _ON
        self._left.clear()
        return name, status

    def _through(self, name: bytes) -> None:
        """Through the link that was just seen at the end of the way."""
        target = self._link_at(name)
        if target is None:  # something else was put there meanwhile: look again
            self._expand(name, name)
            return
        self._expand(name, target)
        self._slashed = self._slashed or target.endswith(_FOLDER)

    def _status(self, name: bytes) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self._here, follow_symlinks=False) if name else os.fstat(self._here)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WitError(code_of(error)) from error

    def _back(self) -> None:
        if not self._way:
            self._leads_out("it leads out of the folder")
        self._must_know(self._path_of(b""))
        self._way.pop()
        os.close(self._opened.pop())
        if self._way and not self._opened:
            self._again()

    def _leap(self) -> None:
        """Take all steps but the last at once, if no link is in the way."""
        names = [one for one in self._left if one not in (b"", b".")]
        if len(names) < 3 or b".." in names:
            return
        found = open_beneath(self._base.descriptor, b"/".join(names[:-1]), STEP)
        if found is not None:
            self._opened.append(found)
            self._way, self._left = names[:-1], deque(names[-1:])

    def _again(self) -> None:
        """Come by the same names, none of which was a link, to where the walk is."""
        self._call.check()
        found = open_beneath(self._base.descriptor, b"/".join(self._way), STEP)
        if found is not None:
            self._opened.append(found)
            return
        try:
            for name in self._way:
                self._hold(os.open(name, STEP, dir_fd=self._here))
        except OSError as error:  # something else was put there meanwhile
            self._must_know(self._path_of(b""))
            raise WitError(code_of(error)) from error

    def _hold(self, descriptor: int) -> None:
        self._opened.append(descriptor)
        if len(self._opened) > _HELD:
            os.close(self._opened.popleft())

    def _enter(self, name: bytes) -> None:
        try:
            found = os.open(name, STEP, dir_fd=self._here)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP) and (target := self._link_at(name)) is not None:
                self._expand(name, target)
                return
            self._must_know(self._path_of(name))
            raise WitError(code_of(error)) from error
        self._hold(found)
        self._way.append(name)

    def _link_at(self, name: bytes) -> bytes | None:
        """The text of the link of that name; None where there is no link."""
        with suppress(OSError):
            return os.readlink(name, dir_fd=self._here)
        return None

    def _expand(self, name: bytes, target: bytes) -> None:
        self._links += 1
        self._call.check()
        if self._links > LINKS:
            raise WitError("loop")
        if target.startswith(b"/"):
            self._leads_out(f"{quoted(self._path_of(name))} is a link to an absolute path")
        if len(target) >= _LONGEST:
            raise WitError("name-too-long")
        self._left.extendleft(reversed(target.split(b"/")))

    def _path_of(self, name: bytes) -> str:
        """The real path in the granted folder of a name where the walk is, or (no name) of where it is."""
        way = [self._base.path] if self._base.path else []
        return "/".join([*way, *map(_text, self._way), *([_text(name)] if name else [])])

    def _must_know(self, folder: str) -> None:
        """Stop where the guest may not know whether there is such a folder.

        Raises:
            WitError: `not-permitted`.
        """
        asked = request(self._base.grant, folder, reach="way")
        try:
            permit(self._call, asked)
        except Refused as refused:
            raise WitError("not-permitted") from refused

    def _leads_out(self, reason: str) -> NoReturn:
        raise leads_out(self._call, self._base, self._shown, reason)


def leads_out(call: Call, base: Base, path: str, reason: str) -> WitError:
    """The error for a path that no grant could allow; it is recorded with the call."""
    where = "/".join(one for one in (base.grant.target.rstrip("/"), base.path, path) if one)
    error = WitError("not-permitted")
    error.__cause__ = refuse(call, kind="files", operation="use", value=quoted(where), reason=reason, allow="")
    return error


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:  # from a link that was found: no pattern could match it
        raise WitError("illegal-byte-sequence") from None
