"""Where things lie: the lock beside its graph, the artifacts beside the lock, this user's caches."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ringfence.contract.names import Digest

LOCK_SUFFIX = ".lock.json"
_STORE = Path(".ringfence") / "sha256"


def lock_path(manifest: Path) -> Path:
    """Where the lock of a graph lies: `graph.lock.json` beside `graph.yaml`."""
    return manifest.with_name(manifest.stem + LOCK_SUFFIX)


def artifact_path(lock: Path, digest: Digest) -> Path:
    """Where an artifact of this lock lies."""
    return store_path(lock) / digest.removeprefix("sha256:")


def store_path(lock: Path) -> Path:
    """The folder of this lock's artifacts."""
    return lock.parent / _STORE


def denials_path(manifest: Path) -> Path:
    """Where the denials of the last `compose run` of a graph are kept."""
    return manifest.parent / ".ringfence" / f"{manifest.stem}.denials.json"


def user_cache() -> Path:
    """The folder of this user's caches, as the platform has it (XDG, Library/Caches, LOCALAPPDATA). It need not exist.

    Raises:
        RuntimeError: the user has no home folder.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "ringfence"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ringfence"
    stated = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # XDG Base Directory Specification: relative paths are to be ignored.
    return (stated if stated.is_absolute() else Path.home() / ".cache") / "ringfence"
