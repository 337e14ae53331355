"""What was found right before, so that a lock and artifacts that are as they were need not be checked all over again.

    checked/<digest of the lock's bytes>        JSON, format 1:
        lock        that digest once more: a memory is of no other lock
        schema      the digest of the schema that the lock fits
        artifacts   by digest: the stamps of files that have that content
        linked      the version that linked all its nodes, and where their native code is, with its stamps

To check the shape of a large lock takes milliseconds; to hash a node's component and module takes
tens of milliseconds; to link a node takes an engine. The first depends on nothing but bytes that are named by their digests. The second is
remembered by the stamp of the very file that was hashed, through one descriptor, with no change meanwhile nor in the two seconds before
(`Stamp`). The third depends on the lock, on artifacts by their digests, and on this version.

*Why it may be remembered.* The folder must be one that nobody else can write to (`ringfence.private`); where it is not, all is checked each
time. And little rests on it: a lock's own digest is compared with its content every time; what runs is native code that is found by
the digest in the lock, or is compiled from bytes that are hashed then; a plan is hashed when it is read; a node is linked before it
runs. That something was changed is told early this way, but would not pass in any case.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ringfence import __version__
from ringfence.contract.files import why
from ringfence.contract.layout import user_cache
from ringfence.contract.names import Digest
from ringfence.private import NotPrivate, PrivateFolder, Stamp

_FORMAT = 1
_COPIES = 8
"""Stamps remembered of one artifact: those of as many copies, in as many folders."""


class Artifact(Protocol):
    """What the lock says of an artifact's file."""

    @property
    def digest(self) -> Digest: ...
    @property
    def size(self) -> int: ...


class Checks:
    """What is remembered of one lock. What is added is remembered by `keep`."""

    def __init__(self, lock: Digest, cache: Path | None) -> None:
        """Of the lock with this digest, under the folder of the caches (default: this user's)."""
        self._name = lock.removeprefix("sha256:")
        self._folder: PrivateFolder | None = None
        self._known: dict[str, Any] = {"format": _FORMAT, "lock": lock}
        self._added = False
        try:
            self._folder = PrivateFolder((cache or user_cache()) / "checked")
            noted = self._folder.noted(self._name)
            if isinstance(noted, dict) and (noted.get("format"), noted.get("lock")) == (_FORMAT, lock):
                self._known = noted
        except (NotPrivate, RuntimeError):  # the compile cache, which lies beside it, warns of that
            return

    def fits(self, schema: Digest) -> bool:
        """Whether the lock was found to fit this schema."""
        return bool(self._known.get("schema") == schema)

    def add_fit(self, schema: Digest) -> None:
        """It was found to fit."""
        self._add("schema", schema)

    def linked(self) -> bool:
        """Whether all its nodes were linked by this version, and their native code is still there."""
        known = self._known.get("linked")
        return known is not None and known["by"] == __version__ and all(_found(Path(path)) == one for path, one in known["code"].items())

    def add_linked(self, code: Sequence[Path | None]) -> None:
        """All nodes were linked, and this is where their native code is. Where one's was not kept, there is nothing to remember."""
        stamps = {str(path): path and _found(path) for path in code}
        if all(stamps.values()):
            self._add("linked", {"by": __version__, "code": stamps})

    def wrong(self, path: Path, artifact: Artifact) -> str | None:
        """What is wrong with an artifact's file, in words; None where it is what the lock says."""
        known: list[Any] = self._known.get("artifacts", {}).get(artifact.digest, [])
        try:
            info = path.stat()  # before it is opened: a pipe has no end, and may have no beginning
            if not stat.S_ISREG(info.st_mode) or info.st_size != artifact.size:
                return f"not a file of {artifact.size} bytes"
            if list(Stamp.of(info)) in known:
                return None
            actual, stamp = _hashed(path)
        except OSError as error:
            return why(error)
        if actual != artifact.digest:
            return f"its content has digest {actual}"
        if stamp is not None:
            self._add("artifacts", {**self._known.get("artifacts", {}), artifact.digest: [*known[1 - _COPIES :], list(stamp)]})
        return None

    def _add(self, name: str, found: Any) -> None:
        self._known = {**self._known, name: found}
        self._added = True

    def keep(self) -> None:
        """Remember what was added. Where the disk is full, it will be checked again."""
        if self._added and self._folder is not None:
            self._added = False
            try:
                self._folder.note(self._name, self._known)
            except OSError:
                return


def _hashed(path: Path) -> tuple[str, Stamp | None]:
    """The digest of a file's content, and its stamp where that will tell of any change from here on."""
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        before = Stamp.of(os.fstat(file.fileno()))
        settled = before.settled()
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        return digest, before if settled and Stamp.of(os.fstat(file.fileno())) == before else None


def _found(path: Path) -> list[int] | None:
    try:
        return list(Stamp.of(path.lstat()))
    except OSError:
        return None
