"""What messages mean: the suite's words for a trap or a refusal, and a pattern of ours where they differ."""

from __future__ import annotations

import re
from collections.abc import Mapping

TRAPS: Mapping[str, str] = {
    "cannot enter component instance": "cannot enter the instance: it has trapped before",
    "incomplete utf-8 byte sequence": "invalid utf-8 in the guest's memory: unexpected end of data",  # in Python's words
}

REFUSALS: Mapping[str, str] = {
    # The suite is ahead of the libraries here (its own list `nyi.txt` says so), whose checks are the same in other words.
    "invalid boolean value": r"invalid leading byte \(0x2\) for zero byte",
    "non-zero reserved byte": r"invalid leading byte \(0x1\) for zero byte",
    "import name `foob-ar` conflicts with previous name `foo-bar`": "import name `FOOB-ar` conflicts with previous name `foo-bar`",
    # To the libraries this byte is a function's, of which the rest is missing.
    "invalid leading byte (0x2e) for canonical function": "unexpected end-of-file",
}


def means(wording: Mapping[str, str], expected: str, found: str) -> bool:
    """Whether the message found says what the suite expects."""
    expected = expected.removeprefix("wasm trap: ")
    return expected in found or (expected in wording and re.search(wording[expected], found) is not None)
