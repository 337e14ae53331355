"""A folder into the bytes of its files, read once: what is digested is exactly what is built.

Builders work on copies written from a snapshot, so nothing that runs while building can reach the folder itself, and a file that is saved
meanwhile cannot slip in under the digest of another.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath

from ringfence_composer.errors import InputInvalid

MAX_FILES = 20_000
MAX_BYTES = 256 * 1024 * 1024

_IGNORED_SUFFIXES = (".pyc", ".pyo", "~")
_IGNORED_FOLDERS = frozenset({"__pycache__"})


def read_tree(folder: Path, *, what: str, without: frozenset[str] = frozenset()) -> dict[str, bytes]:
    """Every file under `folder` by its relative path with `/`, in no particular order.

    Left out, and so never part of a build: names that begin with a dot, byte code, editors' backups, and what directly in the folder has
    one of the names `without`. `what` names the folder in errors.

    Raises:
        InputInvalid: There is no such folder, or it holds a link, a special file, a name that is not Unicode, or too much.
    """
    files: dict[str, bytes] = {}
    total = 0
    for path, entry in _walk(folder, "", what, without):
        content = _read(entry, path, what)
        total += len(content)
        files[path] = content
        if len(files) > MAX_FILES or total > MAX_BYTES:
            raise InputInvalid(
                f"{what}: more than {MAX_FILES} files or {MAX_BYTES >> 20} MiB",
                hint="name the folder that holds the sources only",
            )
    return files


def read_file(file: Path, *, what: str) -> bytes:
    """The bytes of one file.

    Raises:
        InputInvalid: It cannot be read, or is a link or a special file.
    """
    return _read(file, file.name, what)


def is_inside(path: str) -> bool:
    """Whether a path leads to something below where it starts, on whatever system."""
    windows = PureWindowsPath(path)
    return bool(windows.parts) and not (windows.anchor or any(not part.strip(". ") for part in windows.parts))


def write_tree(files: Mapping[str, bytes], folder: Path) -> None:
    """Writes new files with these bytes under `folder`, which is made.

    Raises:
        InputInvalid: A path leads out of it. Nothing is written.
    """
    if outside := [path for path in files if not is_inside(path)]:
        raise InputInvalid(f"a file cannot be called {outside[0]!a}")
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _walk(folder: Path, prefix: str, what: str, without: frozenset[str] = frozenset()) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise InputInvalid(f"{what}: {prefix or 'the folder'} cannot be read: {error.strerror}") from error
    for entry in entries:
        path = f"{prefix}{entry.name}"
        if _ignored(entry) or entry.name in without:
            continue
        if not path.isprintable() or not _is_unicode(path):
            raise InputInvalid(f"{what}: {path!a}: a name with unprintable characters", hint="rename the file")
        if entry.is_symlink():
            raise InputInvalid(f"{what}: {path} is a symbolic link", hint="put the file itself there: builds take no links")
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, f"{path}/", what)
        else:
            yield path, entry


def _ignored(entry: os.DirEntry[str]) -> bool:
    return entry.name.startswith(".") or entry.name.endswith(_IGNORED_SUFFIXES) or entry.name in _IGNORED_FOLDERS


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(entry: os.PathLike[str], path: str, what: str) -> bytes:
    """The file's bytes; refuses what is no regular file, also where it was exchanged since it was listed."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(entry, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputInvalid(f"{what}: {path} is not a regular file", hint="remove it: builds take files only")
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputInvalid(f"{what}: {path} cannot be read: {error.strerror}") from error
