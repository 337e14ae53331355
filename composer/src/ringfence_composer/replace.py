"""Bytes into a file, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_file(target: Path, data: bytes) -> None:
    """Write beside and rename, so that nobody ever sees half of it, and a failure leaves nothing.

    Raises:
        OSError: it can't be written.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:16]}.", suffix=".new", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
