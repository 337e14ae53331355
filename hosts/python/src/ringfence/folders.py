"""The granted folders of a graph, and the files its standard streams lead to, opened when it is loaded."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeAlias, get_args

from ringfence.contract.errors import Interrupted
from ringfence.contract.grants import Policy
from ringfence.contract.grants.base import quoted
from ringfence.contract.grants.files import Files
from ringfence.contract.grants.stdio import Stream, StreamName
from ringfence.contract.kept import changeable


def flags(*names: str) -> int:
    """These flags of open(2), of those that this system has; `open_folder` opens nothing where there are not all that matter."""
    return sum(getattr(os, name, 0) for name in names)


STEP = flags("O_PATH", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC")
"""To open a folder on the way to others, if it is no link."""
_FOLLOWED = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC")
_STREAM = flags("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY")
_SHOWN = 60


class Folder:
    """A granted folder, or a stream's file: what is later put in its place is another one.

    Its graph holds it, and so does each instance; it is closed with the last of them, never before: a number that was given back could
    soon mean something else.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._holders, self._guard = 1, threading.Lock()

    def share(self) -> Folder:
        """One holder more.

        Raises:
            Interrupted: the graph was closed, and all that ran in it.
        """
        with self._guard:
            if not self._holders:
                raise Interrupted("the graph was closed")
            self._holders += 1
        return self

    def close(self) -> None:
        """One holder less, each once."""
        with self._guard:
            self._holders -= 1
            if not self._holders:
                os.close(self.descriptor)
                self.descriptor = -1

    def __del__(self) -> None:
        if self.descriptor >= 0:
            with suppress(OSError):
                os.close(self.descriptor)


Folders: TypeAlias = Mapping[Files | Stream, Folder]
"""What a node's grants name, opened."""


class NoFolder(Exception):
    """A granted folder or file cannot be opened; `hint` is the remedy."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def named(policy: Policy) -> Iterator[Files | Stream]:
    """The grants of a policy that name something to be opened."""
    yield from policy.of("files")
    for stream in get_args(StreamName):
        yield from (one for one in policy.of(stream) if one.target == "file")


def open_granted(beside: Path, grant: Files | Stream, kept: Iterable[Path] = ()) -> Folder:
    """What a grant names, opened: a folder, or the file of a stream. Raises like `open_folder` and `open_stream`."""
    return open_folder(beside, grant, kept) if isinstance(grant, Files) else open_stream(beside, grant, kept)


def open_folder(beside: Path, grant: Files, kept: Iterable[Path] = ()) -> Folder:
    """The folder of a grant, from that of graph.yaml. Links on the way are followed: whoever wrote the manifest meant them.

    `kept` are files that decide what runs: a guest that could change one of them would give itself what it likes.

    Raises:
        NoFolder: it cannot be opened, or the grant lets a guest change what is kept.
    """
    path = grant.path
    if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
        hint = "run it where there are the calls of POSIX.1-2008, such as Linux or macOS"
        raise NoFolder("this system cannot open files from a folder, without which no grant of one can be kept to", hint=hint)
    if changed := changeable(grant, beside, kept):
        hint = "grant a folder of its own, or fewer files of this one by match"
        raise NoFolder(f"by it a guest could change {quoted(changed, _SHOWN)}, and so what it may do", hint=hint)
    try:
        folder = Folder(os.open(beside / path, _FOLLOWED))
    except FileNotFoundError:
        raise NoFolder(f"there is no folder {quoted(path, _SHOWN)}", hint="create it, where graph.yaml lies") from None
    except NotADirectoryError:
        hint = "grant its folder, and the file by match"
        raise NoFolder(f"expected a folder, found the file {quoted(path, _SHOWN)}", hint=hint) from None
    except OSError as error:
        raise NoFolder(f"cannot open {quoted(path, _SHOWN)}: {error.strerror}", hint="check its permissions") from error
    if [one.text for one in grant.match] != ["**"] and folds_case(folder.descriptor, Path(os.path.realpath(beside / path)).name):
        hint = 'grant all of it: leave match out, or write match: ["**"]'
        raise NoFolder(f"in {quoted(path, _SHOWN)} a name leads to a file of another case as well, which no pattern tells apart", hint=hint)
    return folder


def open_stream(beside: Path, stream: Stream, kept: Iterable[Path] = ()) -> Folder:
    """The file that a standard stream leads to, from the folder of graph.yaml: to be read, or made where it is not there and written to.

    Raises:
        NoFolder: it cannot be opened, is no regular file, or one of those that decide what runs.
    """
    path, reads = Path(os.path.realpath(beside / stream.file)), stream.stream == "stdin"
    if not reads and _is_kept(path, Path(os.path.realpath(beside)), kept):
        raise NoFolder(f"by it a guest could change {quoted(stream.file, _SHOWN)}, and so what it may do", hint="name another file")
    try:
        descriptor = os.open(path, (os.O_RDONLY if reads else os.O_WRONLY | os.O_APPEND | os.O_CREAT) | _STREAM, 0o644)
    except FileNotFoundError:
        raise NoFolder(f"there is no file {quoted(stream.file, _SHOWN)}", hint="create it, where graph.yaml lies") from None
    except OSError as error:
        raise NoFolder(f"cannot open {quoted(stream.file, _SHOWN)}: {error.strerror}", hint="name a regular file") from error
    opened = Folder(descriptor)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise NoFolder(f"expected a regular file, found {quoted(stream.file, _SHOWN)}", hint="inherit is the host's own stream")
    return opened


def _is_kept(path: Path, beside: Path, kept: Iterable[Path]) -> bool:
    """Whether it is one of these files, or lies in a folder of such files, which has no others."""
    places = [Path(os.path.realpath(one)) for one in kept]
    return path in places or any(path.parent == one.parent != beside for one in places)


_CASE_SENSITIVE = 11
"""Of fpathconf(2), on Darwin."""
_LOOKED_AT = 16


def folds_case(folder: int, own: str) -> bool:
    """Whether names in a folder lead to files whose names differ from them in case, as far as can be told without writing there.

    Told by the system where it says so, else by a name that is found by another spelling as well: `own`, which is the folder's in the one
    around it, or one of those in it.
    """
    if sys.platform == "darwin":
        return os.fpathconf(folder, _CASE_SENSITIVE) == 0
    if _is_also(folder, f"../{own}", f"../{own.swapcase()}"):
        return True
    with suppress(OSError):
        listed = os.open(".", os.O_RDONLY | flags("O_DIRECTORY", "O_CLOEXEC"), dir_fd=folder)
        try:
            with os.scandir(listed) as entries:
                names = [entry.name for entry in islice(entries, _LOOKED_AT)]
            twice = {name.swapcase() for name in names if _is_also(folder, name, name.swapcase())}
            return bool(twice) and not twice <= set(os.listdir(listed))  # noqa: PTH208 -- a descriptor; two hard links may be named so, too
        finally:
            os.close(listed)
    return False


def _is_also(folder: int, name: str, other: str) -> bool:
    try:
        return name != other and os.path.samestat(*(os.stat(one, dir_fd=folder, follow_symlinks=False) for one in (name, other)))
    except OSError:
        return False
