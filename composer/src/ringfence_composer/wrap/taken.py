"""The lock of what was taken from the index: every archive that was packed, with its digest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ringfence_composer.wrap.layout import Distribution


def taken(packed: Sequence[Distribution]) -> dict[str, Any]:
    """The archives as JSON data, the library's first."""
    return {
        "ringfence_packed": 1,
        "archives": [
            {
                "name": one.name,
                "version": str(one.version),
                "file": one.archive.filename,
                "sha256": one.archive.sha256,
                "imports": list(one.imports),
                "left_out": list(one.left_out),
            }
            for one in packed
        ],
    }
