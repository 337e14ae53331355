"""The folder over which every case is asked: a file, folder or link of each kind that a guest may come across."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

OLD = (1_000_000_000_000_000_000, 1_100_000_000_000_000_000)
"""Times of access and modification, in nanoseconds, of all that is in the folder."""


def lay_out(folder: Path) -> None:
    """Fill a new folder, and what lies beside it."""
    folder.mkdir(parents=True)
    (folder.parent / "outside.txt").write_text("s3cret")
    for name in ("dir/deep", "void"):
        (folder / name).mkdir(parents=True)
    for name, text in {"a": "hello world", "empty": "", "dir/b": "in a folder", "dir/deep/c": "further in", "ä ö": "umlauts"}.items():
        (folder / name).write_text(text)
    os.link(folder / "a", folder / "twin")
    os.mkfifo(folder / "pipe")
    Path(os.fsdecode(os.fsencode(folder) + b"/no-\xff-text")).write_text("not UTF-8")
    links = {
        "to-a": "a",
        "to-dir": "dir",
        "to-c": "dir/deep/c",
        "to-to-a": "to-a",
        "dir/back": "../a",
        "slashed": "dir/",
        "dangling": "nothing",
        "loop": "loop",
        "ping": "pong",
        "pong": "ping",
        "out": "../outside.txt",
        "far-out": "dir/../../outside.txt",
        "absolute": "/etc/hostname",
        "magic": "/proc/self/root",
    }
    for name, target in links.items():
        (folder / name).symlink_to(target)
    for path in folder.rglob("*"):
        os.utime(path, ns=OLD, follow_symlinks=False)
    os.utime(folder, ns=OLD)


def clear(folder: Path) -> None:
    """Leave nothing in a folder, which stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        shutil.rmtree(path)


def shape(folder: Path) -> dict[str, str]:
    """What is in the folder: the content of files, the targets of links, the names of folders."""
    return {os.fsencode(path.relative_to(folder)).decode("latin-1"): _shape(path) for path in sorted(folder.rglob("*"))}


def _shape(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return path.read_bytes().decode("latin-1") if path.is_file() else "a folder" if path.is_dir() else "something else"
