"""How much deeper calls may be nested on this thread: asked wherever wasm is entered.

A callback that can't begin would be lost: where that happens to the function that tells of it, too, the guest goes on as if it had been
served.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

ROOM = 16
"""What a call of the guest, a callback from it and the ways out of that take; see `core.layout.frames` for what types add."""
_IN_C = 8
_COUNTED_TOGETHER = sys.version_info < (3, 12)
"""Whether calls of Python and of C are counted as one; comparing nested lists, the faster way to nest, asks for both then."""


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@lru_cache(maxsize=256)
def room(levels: int) -> Callable[[], None]:
    """A function that raises RecursionError unless so many calls can be nested below its caller, and some more that C counts by itself.

    Since Python 3.12 those of Python and of C are counted apart. Small functions that call each other are the fastest way to nest the
    first, comparing nested lists to nest the others.
    """
    in_c, levels = (levels, 1) if _COUNTED_TOGETHER else (_IN_C, levels)
    names: dict[str, Any] = {"one": _nested(in_c), "other": _nested(in_c)}
    levels_below = "".join([f"def level{number}(): level{number - 1}()\n" for number in range(1, levels)])
    exec("def level0(): one == other\n" + levels_below, names)  # noqa: S102 (all of it stands here)
    made: Callable[[], None] = names[f"level{levels - 1}"]
    return made


leave_room = room(ROOM)
