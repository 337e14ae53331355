"""The granted folders of a node, opened once, when its graph is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ringfence.contract.grants import Policy
from ringfence.contract.grants.base import quoted
from ringfence.contract.grants.files import Files
from ringfence.wasi.state import Folder

_FLAGS = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


class NoFolder(Exception):
    """A granted folder cannot be opened; `hint` is the remedy."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def open_folders(policy: Policy, manifest_folder: Path) -> Mapping[Files, Folder]:
    """The folder of each files grant. Links on the way to one are followed: whoever wrote the manifest meant them.

    Raises:
        ExceptionGroup: of a NoFolder for each that cannot be opened.
    """
    found: dict[Files, Folder] = {}
    wrong: list[NoFolder] = []
    for grant in policy.of("files"):
        try:
            found[grant] = Folder(os.open(manifest_folder / grant.path, _FLAGS))
        except FileNotFoundError:
            wrong.append(NoFolder(f"there is no folder {quoted(grant.path, 60)}", hint="create it, where graph.yaml lies"))
        except NotADirectoryError:
            hint = "grant its folder, and the file by match"
            wrong.append(NoFolder(f"expected a folder, found the file {quoted(grant.path, 60)}", hint=hint))
        except OSError as error:
            wrong.append(NoFolder(f"cannot open {quoted(grant.path, 60)}: {error.strerror}", hint="check its permissions"))
    if wrong:
        raise ExceptionGroup("granted folders cannot be opened", wrong)
    return found
