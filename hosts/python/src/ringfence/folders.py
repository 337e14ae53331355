"""The granted folders of a graph, opened when it is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ringfence.contract.grants import globs
from ringfence.contract.grants.base import quoted
from ringfence.contract.grants.files import READ, Files


def flags(*names: str) -> int:
    """These flags of open(2), of those that this system has; `open_folder` opens nothing where there are not all that matter."""
    return sum(getattr(os, name, 0) for name in names)


STEP = flags("O_PATH", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC")
"""To open a folder on the way to others, if it is no link."""
_FOLLOWED = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC")
_SHOWN = 60


class Folder:
    """A granted folder: what is later put in its place is another folder.

    Closed with the last node and instance that have it, never before: a number that was given back could soon mean something else.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self.descriptor)


class NoFolder(Exception):
    """A granted folder cannot be opened; `hint` is the remedy."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


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


def _changeable(grant: Files, folder: Path, kept: Iterable[Path]) -> str:
    """The first of these files that a guest could change by the grant, as a path in its folder; '' where there is none."""
    if grant.access <= READ:
        return ""
    inside = (str(Path(os.path.realpath(one)).relative_to(folder)) for one in kept if Path(os.path.realpath(one)).is_relative_to(folder))
    return next((name for name in inside if any(glob.covers(globs.literal(name)) for glob in grant.match)), "")
