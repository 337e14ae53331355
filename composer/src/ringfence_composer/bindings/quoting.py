"""Foreign text in generated code: identifiers and names that were checked, and docs as string literals. Nothing else of it gets in."""

from __future__ import annotations

import keyword
import re

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WIT_NAME = re.compile(r"[A-Za-z0-9:/@.+\-\[\]]*")
_QUOTES, _QUOTES_AT_END = re.compile('"""'), re.compile('"""|"\\Z')


def identifier(text: str) -> str:
    """The text, which is an identifier of ASCII letters and no keyword.

    Raises:
        ValueError: it is none.
    """
    if not _IDENTIFIER.fullmatch(text) or keyword.iskeyword(text):
        raise ValueError(f"{text!r} is no identifier")
    return text


def wit_name(text: str) -> str:
    """The text, which has no other characters than names of WIT have: safe in a literal, a comment and a docstring.

    Raises:
        ValueError: it has.
    """
    if not _WIT_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name of WIT")
    return text


def literal(name: str) -> str:
    """A name of WIT as a string literal."""
    return f'"{wit_name(name)}"'


def docstring(text: str, indent: str) -> list[str]:
    """The lines of a docstring that says this text: indented like the code around it, all that might end or fool it escaped."""
    first, *more = text.strip().split("\n")
    if not more:
        return [f'{indent}"""{_escaped(first, _QUOTES_AT_END)}"""']
    lines = [_escaped(line.rstrip(), _QUOTES) for line in more]
    return [f'{indent}"""{_escaped(first.rstrip(), _QUOTES)}', *(indent + line if line else "" for line in lines), f'{indent}"""']


def _escaped(line: str, quotes: re.Pattern[str]) -> str:
    """A line of a docstring. What can't be seen, or turns the direction of what is seen, is spelled out."""
    text = quotes.sub(lambda found: found[0].replace('"', '\\"'), line.replace("\\", "\\\\"))
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
