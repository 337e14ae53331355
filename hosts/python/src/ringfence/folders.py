"""The granted folders of a graph, and the files its standard streams lead to, opened when it is loaded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias, get_args

from ringfence.contract.grants import Policy, globs
from ringfence.contract.grants.base import quoted
from ringfence.contract.grants.files import READ, Files
from ringfence.contract.grants.stdio import Stream, StreamName


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

    Closed with the last node and instance that have it, never before: a number that was given back could soon mean something else.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __del__(self) -> None:
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
    if changed := _changeable(grant, Path(os.path.realpath(beside / path)), kept):
        hint = "grant a folder of its own, or fewer files of this one by match"
        raise NoFolder(f"by it a guest could change {quoted(changed, _SHOWN)}, and so what it may do", hint=hint)
    try:
        return Folder(os.open(beside / path, _FOLLOWED))
    except FileNotFoundError:
        raise NoFolder(f"there is no folder {quoted(path, _SHOWN)}", hint="create it, where graph.yaml lies") from None
    except NotADirectoryError:
        hint = "grant its folder, and the file by match"
        raise NoFolder(f"expected a folder, found the file {quoted(path, _SHOWN)}", hint=hint) from None
    except OSError as error:
        raise NoFolder(f"cannot open {quoted(path, _SHOWN)}: {error.strerror}", hint="check its permissions") from error


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


def _changeable(grant: Files, folder: Path, kept: Iterable[Path]) -> str:
    """The first of these files that a guest could change by the grant, as a path in its folder; '' where there is none."""
    if grant.access <= READ:
        return ""
    inside = (str(Path(os.path.realpath(one)).relative_to(folder)) for one in kept if Path(os.path.realpath(one)).is_relative_to(folder))
    return next((name for name in inside if any(glob.covers(globs.literal(name)) for glob in grant.match)), "")
