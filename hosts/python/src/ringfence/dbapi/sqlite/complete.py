"""Whether a text is a whole SQL statement, as a prompt asks that collects lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PIECE = re.compile(
    r"""(?P<blank>\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)|(?P<end>;)|(?P<word>[\w$\x80-\U0010ffff]+)"""
    r"""|'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|(?P<open>/\*|['"`\[])|.""",
    re.DOTALL,
)


def complete_statement(statement: str) -> bool:
    """Whether it ends with a semicolon, outside of quotes and comments; one that creates a trigger ends with `; END;`."""
    statements: list[list[str]] = [[]]
    for word in _words(statement):
        current = statements[-1]
        if word is None:
            return False  # a quote or a comment is not closed
        if word == ";" and (not current or not _is_trigger(current) or current[-2:] == [";", "END"]):
            statements.append([])
        else:
            current.append(word)
    return len(statements) > 1 and not statements[-1]


def _words(text: str) -> Iterator[str | None]:
    for piece in _PIECE.finditer(text):
        if piece["open"]:
            yield None
        elif not piece["blank"]:
            yield piece[0].upper()


def _is_trigger(words: list[str]) -> bool:
    """Whether a statement begins as one that creates a trigger."""
    rest = words[words.index("CREATE") + 1 :] if "CREATE" in words[:1] or (words[:1] == ["EXPLAIN"] and "CREATE" in words[:5]) else []
    while rest[:1] in (["TEMP"], ["TEMPORARY"]):
        rest = rest[1:]
    return rest[:1] == ["TRIGGER"]
