"""The files of a WIT package, copied from where they lie. Links are followed, since projects link to packages that they share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ringfence.contract.files import read_regular, why

from ringfence_composer.errors import InputInvalid

SUFFIXES = (".wit", ".wasm", ".wat")
MAX_ENTRIES = 20_000
MAX_BYTES = 256 << 20
"""Of one file; a package in binary form is far smaller."""


def copy_wit(source: Path, target: Path) -> None:
    """Copy a WIT file, or those of a folder and of the folders in it.

    Raises:
        InputInvalid: one can't be read or is none, a link leads back to where it lies, or there is too much.
    """
    if not source.is_dir():
        return _copy(source, target)
    target.mkdir(parents=True, exist_ok=True)
    for path in _walk(source):
        if path.endswith(SUFFIXES):
            _copy(source / path, target / path)
    return None


def _copy(file: Path, target: Path) -> None:
    try:
        data = read_regular(file, MAX_BYTES)
    except OSError as error:
        raise InputInvalid(f"{file}: cannot read it: {why(error)}") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def _walk(root: Path) -> Iterator[str]:
    """The paths, from `root`, of all that is no folder."""
    seen = 0
    pending = [("", frozenset({os.path.realpath(root)}))]
    while pending:
        prefix, above = pending.pop()
        for entry in _entries(root / prefix):
            seen += 1
            if seen > MAX_ENTRIES:
                raise InputInvalid(f"{root}: more than {MAX_ENTRIES} files and folders", hint="name the folder that holds the WIT only")
            path = f"{prefix}{entry.name}"
            if not entry.is_dir():
                yield path
                continue
            real = os.path.realpath(entry)
            if real in above:
                raise InputInvalid(f"{root / path}: a link that leads back to a folder around it", hint="remove it")
            pending.append((f"{path}/", above | {real}))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise InputInvalid(f"{folder}: cannot read it: {why(error)}") from error
