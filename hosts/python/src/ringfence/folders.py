"""The granted folders of a graph, opened when it is loaded."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ringfence.contract.grants.base import quoted

_FLAGS = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_PATH", os.O_RDONLY)
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


def open_folder(beside: Path, path: str) -> Folder:
    """The granted folder at a path from the folder of graph.yaml. Links on the way are followed: whoever wrote the manifest meant them.

    Raises:
        NoFolder: it cannot be opened.
    """
    if os.open not in os.supports_dir_fd:
        hint = "run it where there are the calls of POSIX.1-2008, such as Linux or macOS"
        raise NoFolder("this system cannot open files from a folder, without which no grant of one can be kept to", hint=hint)
    try:
        return Folder(os.open(beside / path, _FLAGS))
    except FileNotFoundError:
        raise NoFolder(f"there is no folder {quoted(path, _SHOWN)}", hint="create it, where graph.yaml lies") from None
    except NotADirectoryError:
        hint = "grant its folder, and the file by match"
        raise NoFolder(f"expected a folder, found the file {quoted(path, _SHOWN)}", hint=hint) from None
    except OSError as error:
        raise NoFolder(f"cannot open {quoted(path, _SHOWN)}: {error.strerror}", hint="check its permissions") from error
