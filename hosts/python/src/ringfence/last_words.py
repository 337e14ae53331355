"""What a guest's language runtime wrote to stderr before it trapped, read: why, and where in the guest's source.

It is the guest's own text. It is believed in nothing that would widen what the guest may do.
"""

from __future__ import annotations

import re

_OUT_OF_MEMORY = re.compile(r"^(MemoryError\b|memory allocation of \d+ bytes failed)", re.MULTILINE)
"""What CPython and Rust print when memory is at an end."""
_PLACES = (
    re.compile(r'^  File "(?P<file>[^"\n]{1,200})", line (?P<line>\d{1,7})(, in .*)?$', re.MULTILINE),  # CPython: innermost last
    re.compile(r"^thread '[^'\n]*'[^\n]{0,20} panicked at (?P<file>[^\n:]{1,200}):(?P<line>\d{1,7}):\d{1,7}:$", re.MULTILINE),  # Rust
)
_LEADING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")
_MOUNT = re.compile(r"^/\d+/")
"""Where componentize-py has a source folder."""


def plain(last_words: bytes) -> str:
    """The text, with everything escaped that a terminal might act on; line feeds stay."""
    text = last_words.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def harmless(text: str) -> str:
    """Text with everything escaped that leads a terminal: control characters but tabs and ends of lines, and what turns writing round."""
    return text if text.isprintable() else _LEADING.sub(lambda found: ascii(found[0])[1:-1], text)


def out_of_memory(text: str) -> bool:
    """Whether the runtime says that its memory was at an end.

    wasmtime's C interface tells nobody that a memory could not grow, so the word of the guest's runtime has to do.
    """
    return _OUT_OF_MEMORY.search(text) is not None


def source_of(text: str) -> str:
    """`app.py:113`, the line of the guest's source in which it failed; '' where its runtime says nothing of it.

    Of CPython's traceback the innermost line, of Rust the one that panicked. A CPython guest ends in a panic of its runtime, so that its
    own traceback goes first.
    """
    for form in _PLACES:
        if found := [*form.finditer(text)]:
            return f"{_MOUNT.sub('', found[-1]['file'])}:{found[-1]['line']}"
    return ""
