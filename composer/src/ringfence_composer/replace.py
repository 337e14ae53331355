"""Bytes into a file, whole or not at all."""

from __future__ import annotations

import glob
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_END = ".new"
_LEFT_OVER = 3600.0
"""Seconds after which nobody is still writing a file: whoever began it was killed."""


def replace_file(target: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write beside and rename, so that nobody ever sees half of it, and a failure leaves nothing. `mode` is the new file's.

    What a process that was killed left beside the target an hour ago or more is swept away.

    Raises:
        OSError: it can't be written.
    """
    begin = f".{target.name[:16]}."
    descriptor, name = tempfile.mkstemp(prefix=begin, suffix=_END, dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
    for left in target.parent.glob(f"{glob.escape(begin)}*{_END}"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_OVER:
                left.unlink()
