"""Foreign text (a compiler's, a guest's) into what a message may show: single lines, escaped, and not too many."""

from __future__ import annotations

from collections.abc import Sequence

_MAX_LINES = 40
_MAX_LINE = 400


def shown(lines: Sequence[str]) -> str:
    """The last lines, escaped."""
    return "\n".join(escaped(line) for line in lines[-_MAX_LINES:])


def escaped(line: str) -> str:
    """One line that a terminal can show: control characters and what is not printable become escapes."""
    text = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
    return text if len(text) <= _MAX_LINE else f"{text[:_MAX_LINE]}…"
