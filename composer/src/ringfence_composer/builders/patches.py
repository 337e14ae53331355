"""Patches in the unified format, applied to files in memory: exactly where and as they say, or not at all.

No fuzz, no searching for another place: a patch that fits only nearly was written for other sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_UNTOLD = re.compile(r"(?:(?:rename|copy) from |GIT binary patch$|Binary files .* differ$)")
"""What git says of a change that no line shows."""
_SIGNATURE = ("-- \n", "--\n")
"""What git writes after the last change."""


class PatchRefused(ValueError):
    """A patch does not apply; `line` is the patch's own, from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hunk:
    """A change: at which line of the file (from 0), what stands there, what will, and its line in the patch."""

    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]
    line: int


def patched(files: Mapping[str, bytes], patch: str) -> dict[str, bytes]:
    """The files that the patch changes, changed. The first folder of its names (`a/`, `b/`) does not count; it makes no new files.

    Raises:
        PatchRefused: It is malformed, names a file that is not there, or does not say exactly what stands in it.
    """
    changed: dict[str, bytes] = {}
    for name, line, hunks in _parsed(_lines(patch)):
        if name not in files:
            raise PatchRefused(f"there is no file {name}" if name else "expected the names of files after a/ and b/", line)
        text = changed.get(name, files[name]).decode("utf-8", "surrogateescape")
        changed[name] = _applied(name, text, hunks).encode("utf-8", "surrogateescape")
    if not changed:
        raise PatchRefused("there is no change in it: expected the unified format (diff -u)", 1)
    return changed


def _lines(text: str) -> list[str]:
    """As diff has them: only a line feed ends one (`str.splitlines` ends one at a form feed, too, which many sources have)."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rpartition("\n")[2]) else [])


def _applied(name: str, text: str, hunks: list[_Hunk]) -> str:
    lines, done, at = _lines(text), list[str](), 0
    for hunk in hunks:
        end = hunk.start + len(hunk.old)
        if not at <= hunk.start <= len(lines) or tuple(lines[hunk.start : end]) != hunk.old:
            raise PatchRefused(f"it no longer applies: {name} differs from what stands here, at its line {hunk.start + 1}", hunk.line)
        done += [*lines[at : hunk.start], *hunk.new]
        at = end
    return "".join([*done, *lines[at:]])


def _parsed(lines: list[str]) -> Iterator[tuple[str, int, list[_Hunk]]]:
    at = 0
    while at < len(lines):
        if not (lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")):
            if _UNTOLD.match(lines[at]):
                raise PatchRefused("it renames or copies a file, or changes what is no text: expected changes of lines only", at + 1)
            at += 1
            continue
        name, first, hunks = lines[at + 1][4:].split("\t")[0].strip().partition("/")[2], at + 1, list[_Hunk]()
        at += 2
        while at < len(lines) and (found := _HUNK.match(lines[at])):
            hunk, at = _hunk(lines, at, found)
            hunks.append(hunk)
        if not hunks or (at < len(lines) and _belongs(lines[at], lines[at + 1 : at + 2])):
            raise PatchRefused("expected a change (@@ -1,3 +1,3 @@), whole and with its numbers of lines", at + 1)
        yield name, first, hunks


def _belongs(line: str, following: list[str]) -> bool:
    """Whether a line after a change looks like more of it, or like the head of one."""
    begins_a_file = line.startswith("--- ") and any(one.startswith("+++ ") for one in following)
    return line.startswith(("@@", "+", "-", " ")) and line not in _SIGNATURE and not begins_a_file


def _hunk(lines: list[str], at: int, head: re.Match[str]) -> tuple[_Hunk, int]:
    """The hunk that begins in line `at`, and the line after it."""
    begins, old, new = at + 1, list[str](), list[str]()
    lacking_old, lacking_new = int(head[2] or 1), int(head[4] or 1)
    start = int(head[1]) - (1 if lacking_old else 0)
    at += 1
    while True:
        line = lines[at] if at < len(lines) else ""
        if line.startswith("\\"):  # "\ No newline at end of file", of the line before
            for side, signs in ((old, " -"), (new, " +")):
                if lines[at - 1][0] in signs:
                    side[-1] = side[-1].rstrip("\n")
        elif len(old) >= lacking_old and len(new) >= lacking_new:
            break
        elif line[:1] not in (" ", "-", "+") and line != "\n":
            raise PatchRefused("the change ends too early", begins)
        else:
            content = line[1:] if line != "\n" else line
            if line[0] != "+":
                old.append(content)
            if line[0] != "-":
                new.append(content)
        at += 1
    return _Hunk(start=start, old=tuple(old), new=tuple(new), line=begins), at
