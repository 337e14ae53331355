r"""Patterns for paths inside a granted folder: `*` stops at `/`, `**` stands alone between slashes and crosses them.

A path is the names that lead to a thing, joined by `/`; it is never empty and has no `.` or `..`. Upper and lower case differ, and no
two spellings of a letter are one. `*` alone stands for a whole name, which has one character at least. What has a meaning elsewhere (`*`,
`?`, `[`, `\`, `{`) stands for itself in brackets, one character in each pair: `[*]`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from ringfence.contract.grants.base import GrantSyntaxError, quoted

_TOKEN = re.compile(r"\[(?P<literal>[*?\[\\{])\]|(?P<star>\*+)|(?P<special>[?\[\\{])|(?P<plain>[^*?\[\\{]+)", re.DOTALL)
_SPECIAL = re.compile(r"[*?\[\\{]")
_ANY = "\0"
"""A `*` inside a name, and (`/` alone) a `**`, where a pattern is read as if it were a path: no name has such characters."""
_STARS, _CROSSINGS, _LONGEST = 8, 4, 1024

_Name = tuple[str, ...]
"""One name of a pattern: literal text, with a `*` between each two of them."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern in its canonical spelling."""

    text: str
    _names: tuple[_Name | None, ...] = field(compare=False, repr=False)

    def covers(self, other: Glob) -> bool:
        """Whether every path that `other` matches, this one matches. False also where that is so but can't be seen name by name.

        The other is read as a path in which its `*` is a character that no literal equals, and its `**` a name that only `**` takes up:
        whatever these stand for, the `*` or `**` that took them up takes that up, too.
        """
        as_path = "".join("/" if name is None else f"{_ANY.join(name)}/" for name in other._names)
        return _whole(self).fullmatch(as_path) is not None

    def passes(self, folder: str) -> bool:
        """Whether something inside the folder (a path, or '' for the granted folder itself) may match."""
        return _prefixes(self).fullmatch(f"{folder}/" if folder else "") is not None


@lru_cache(maxsize=1024)
def parse(text: str) -> Glob:
    """The pattern written so.

    Raises:
        GrantSyntaxError: it is none.
    """
    if len(text) > _LONGEST:
        raise GrantSyntaxError(f"expected a pattern of at most {_LONGEST} characters, found {len(text)}")
    if not text or text.startswith("/") or text.endswith("/") or "\0" in text:
        raise GrantSyntaxError(f"expected a pattern, found {quoted(text, 60)}", hint='relative to path, such as "*.sqlite3" or "**/*.csv"')
    names: list[_Name | None] = []
    for part in text.split("/"):
        if part in ("", ".", ".."):
            raise GrantSyntaxError(f"expected names between the slashes, found {quoted(part, 60)}", hint="a pattern has no . and .. in it")
        name = None if part == "**" else _parse_name(part)
        if name is not None or not names or names[-1] is not None:  # **/** is **
            names.append(name)
    if names.count(None) > _CROSSINGS:
        raise GrantSyntaxError(f"expected at most {_CROSSINGS} times ** in a pattern", hint="write several patterns")
    return _glob(tuple(names))


def literal(path: str) -> Glob:
    """The pattern that matches this path and no other."""
    return _glob(tuple((name,) for name in path.split("/")))


def inside(path: str) -> Glob:
    """The pattern that matches whatever may lie in this folder."""
    return _glob((*((name,) for name in path.split("/")), None))


def without_covered(globs: tuple[Glob, ...]) -> tuple[Glob, ...]:
    """The patterns in order, each once, without those that another covers."""
    wide = {one.text: one for one in globs if not any(other.covers(one) and other != one for other in globs)}
    return tuple(wide[text] for text in sorted(wide))


def _parse_name(part: str) -> _Name:
    pieces: list[str] = [""]
    for found in _TOKEN.finditer(part):
        if found["special"]:
            hint = f"only * and ** are wild; for the character itself write [{found['special']}], for several names several patterns"
            raise GrantSyntaxError(f"{quoted(found['special'])} has no meaning in a pattern, found {quoted(part, 60)}", hint=hint)
        if found["star"] and len(found["star"]) > 1:
            raise GrantSyntaxError(f"** stands alone between slashes, found {quoted(part, 60)}", hint="such as data/**/*.csv")
        if found["star"]:
            pieces.append("")
        else:
            pieces[-1] += found["literal"] or found["plain"]
    if len(pieces) > _STARS + 1:
        raise GrantSyntaxError(f"expected at most {_STARS} times * in a name, found {quoted(part, 60)}")
    return tuple(pieces)


def _glob(names: tuple[_Name | None, ...]) -> Glob:
    text = "/".join("**" if name is None else "*".join(_SPECIAL.sub(r"[\g<0>]", piece) for piece in name) for name in names)
    return Glob(text, names)


@lru_cache(maxsize=1024)
def _whole(glob: Glob) -> re.Pattern[str]:
    """A regular expression that matches what the pattern does, each name with a slash behind it.

    What follows a `**` is sought from the left and taken where it first fits, for good (an atomic group): that is never wrong, since what
    fits there has a fixed number of names, and so no pattern takes more than its length times the path's, however it is built. At the end
    `**` stands for one name at least: what lies in a folder, not the folder.
    """
    first, *runs = _runs(glob)
    if not runs:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>(?:.*?/)??{run})" for run in runs[:-1])
    last = f"(?:.*/)?{runs[-1]}" if runs[-1] else ".*/"
    return re.compile(first + middle + last, re.DOTALL)


def _runs(glob: Glob) -> list[str]:
    """Regular expressions for the names between each two `**`."""
    runs = [""]
    for name in glob._names:  # noqa: SLF001 -- of this file
        if name is None:
            runs.append("")
        else:
            runs[-1] += _one(name)
    return runs


def _one(name: _Name) -> str:
    """The same for one name; a `*` alone takes no empty one."""
    first, *rest = (re.escape(piece) for piece in name)
    if not rest:
        return f"{first}/"
    middle = "".join(f"(?>[^/]*?{piece})" for piece in rest[:-1])
    return f"(?=[^/]){first}{middle}[^/]*{rest[-1]}/"


@lru_cache(maxsize=1024)
def _prefixes(glob: Glob) -> re.Pattern[str]:
    """A regular expression that matches each folder in which something may match."""
    before, ways = "", []
    for name in glob._names:  # noqa: SLF001 -- of this file
        if name is None:
            ways.append(f"{before}(?:.*/)?")
            break
        ways.append(before)
        before += _one(name)
    return re.compile("|".join(ways), re.DOTALL)
